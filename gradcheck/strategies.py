"""Points as Hypothesis draws them: ``@given(points((3, 2)))``, shrunk and found again as all that it draws.

The only importer of hypothesis: ``pip install gradcheck[hypothesis]``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError, UsageError
from gradcheck.options.keywords import KEYWORDS
from gradcheck.options.places import Shape
from gradcheck.variables.constraints import sets_of
from gradcheck.variables.flat import flat_bounds, lay_out
from gradcheck.variables.sets.named import drawn_on, require_fit
from gradcheck.wording import quoted

try:
    from hypothesis import strategies as st
    from hypothesis.extra.numpy import arrays
except ImportError:
    raise ImportError("gradcheck.strategies needs Hypothesis: pip install gradcheck[hypothesis]") from None

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

LARGEST, SMALLEST = 1e6, 1e-6  # sizes of an entry that is not 0: beyond, f itself seldom has digits to tell


def points(shape: Any, *, bounds: Any = None, on: Any = None, dtype: DTypeLike = np.float64) -> st.SearchStrategy[Any]:
    """Points for a check, from simple ones to those that programmers forget: zeros, equal entries, large and small ones.

    Args:
        shape: a whole number or a tuple of them; or a dict, list or tuple of shapes, for a tree of arrays of that structure.
            In place of a shape may stand an array: its shape and dtype count, and what is no array of floats is handed on.
        bounds: as for `check_gradient`, and to be given to the check as well: (low, high), or by the names of leaves.  Without,
            an entry is at most 1e6; with one bound, at most 1e6 times max(1, |bound|) away from it.
        on: as for `check_gradient`: the set from which points are drawn, or sets by the names of leaves; away from its special
            places.
        dtype: of what is given as a shape: float64, float32, complex128 or complex64.

    Returns:
        A strategy for arrays, or trees of arrays.

    Raises:
        PointError, UsageError: the shape, the bounds or the dtype make no sense.
    """
    layout, flat = lay_out(_example(shape, np.dtype(dtype)))
    sides = flat_bounds(bounds, layout) or (np.full(flat.size, -np.inf), np.full(flat.size, np.inf))
    pairs, which = np.unique(np.stack(sides), axis=1, return_inverse=True)
    drawn = [
        arrays(flat.dtype, int(np.count_nonzero(which == k)), elements=_entries(low, high, flat.dtype))
        for k, (low, high) in enumerate(pairs.T.tolist())
    ]

    leaves = layout.leaves or ((layout, slice(None)),)
    sets = (
        {}
        if on is None
        else sets_of([leaf.owner for leaf, _ in leaves], KEYWORDS["on"].check(on), tree=bool(layout.leaves))
    )
    if sets and bounds is not None:
        raise UsageError("on and bounds do not go together: bounds are told by entries of x; leave one of them out")
    for leaf, _ in leaves:
        if leaf.owner in sets:
            require_fit(sets[leaf.owner], leaf.shape, leaf.owner or "shape")

    def point(groups: tuple[NDArray[Any], ...]) -> Any:
        x = np.empty_like(flat)
        for k, entries in enumerate(groups):
            x[which == k] = entries
        for leaf, where in leaves:
            if leaf.owner in sets:
                x[where] = drawn_on(sets[leaf.owner], x[where].reshape(leaf.shape), leaf.owner or "x0").reshape(-1)
        return layout.argument(x)

    return st.tuples(*drawn).map(point)


def _example(shape: Any, dtype: np.dtype[Any]) -> Any:
    """A point of a shape, or a tree of them."""
    sizes = (shape,) if isinstance(shape, int) else shape
    if isinstance(sizes, tuple) and all(isinstance(size, int) for size in sizes):
        try:
            return np.zeros(Shape().check(sizes) if sizes else (), dtype)
        except ValueError as reason:
            raise UsageError(f"shape is {quoted(shape)}; {reason}") from None
    if isinstance(shape, Mapping):
        return {key: _example(part, dtype) for key, part in shape.items()}
    if type(shape) in (list, tuple):
        return type(shape)(_example(part, dtype) for part in shape)
    return shape


def _entries(low: float, high: float, dtype: np.dtype[Any]) -> st.SearchStrategy[float]:
    """Numbers within bounds; what is smaller than all that matters is 0, where that is allowed."""
    least = low if math.isfinite(low) else -LARGEST if math.isinf(high) else high - LARGEST * max(1.0, abs(high))
    most = high if math.isfinite(high) else LARGEST if math.isinf(low) else low + LARGEST * max(1.0, abs(low))
    least, most = -_rounded_down(-least, dtype), _rounded_down(most, dtype)
    if least > most:
        raise PointError(f"no {dtype} lies between the bounds {low} and {high}")
    numbers = st.floats(least, most, allow_subnormal=False, width=32 if dtype.itemsize == 4 else 64)
    return numbers.map(lambda value: 0.0 if abs(value) < SMALLEST and least <= 0.0 <= most else value)


def _rounded_down(bound: float, dtype: np.dtype[Any]) -> float:
    """The greatest number of a dtype that is no greater."""
    near = dtype.type(bound)
    return float(near if float(near) <= bound else np.nextafter(near, dtype.type(-np.inf)))


__all__ = ["points"]
