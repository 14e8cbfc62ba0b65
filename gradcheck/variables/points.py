"""A point: valid, within bounds, drawn at random, described, its neighbours.  What is unfit is a `PointError` with the remedy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError
from gradcheck.model import Point
from gradcheck.numerics.directions import Stream, normal, uniform
from gradcheck.options import places as kinds
from gradcheck.options.places import MOST_DIMENSIONS
from gradcheck.variables.arrays import framework_of, precision
from gradcheck.variables.numbers import is_masked
from gradcheck.wording import by, named, one_line, place, quoted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from gradcheck.variables.layout import Layout

    Bounds = tuple[ArrayLike, ArrayLike]
    """(lower, upper), each a number or an array that broadcasts to the shape of the point; ±inf for none."""


_MAX_VALUES = 16
BOUNDS = kinds.Bounds()
NESTED = "is nested too deeply, or holds itself; give arrays, or dicts and lists of them"


# ---- valid


def as_point(x0: Any, what: str = "the point", *, variable: bool = False, may_be_complex: bool = False) -> NDArray[Any]:
    """Return `x0` as a C-ordered float64 or float32 array of any shape, () included; it may share memory with `x0`.

    Integers become float64; `variable`: not those of a leaf of a tree, which was named as a variable by mistake.
    may_be_complex: complex128 and complex64 are taken as well.

    Raises `PointError` for anything else (complex, objects, other precisions, ragged lists), for NaN and infinities, and for an
    array without entries.
    """
    if is_masked(x0):
        raise PointError(f"{what} has masked entries, which are no numbers; fill them (numpy.ma.filled)")
    try:
        x = np.asarray(x0, order="C")
    except (TypeError, ValueError) as error:
        ragged = "inhomogeneous" in str(error)
        reason = "is ragged" if ragged else f"is a {type(x0).__name__} that numpy cannot take ({one_line(error)})"
        raise PointError(f"{what} {reason}; give an array of floats") from None
    except RecursionError:
        raise PointError(f"{what} {NESTED}") from None
    except Exception as error:  # of a method of its own, such as __array__
        raise PointError(
            f"{what}, of type {type(x0).__name__}, raised {named(error)} when asked for its numbers"
        ) from error
    if x.dtype.kind == "f" and x.dtype.itemsize in (4, 8):
        if not x.dtype.isnative:
            x = x.astype(x.dtype.newbyteorder("="))  # a file may hold the other byte order
    elif x.dtype.kind in "iu" and not variable:
        x = x.astype(np.float64)
    elif may_be_complex and x.dtype.kind == "c" and x.dtype.itemsize in (8, 16):
        x = x.astype(x.dtype.newbyteorder("="), copy=False)
    else:
        raise PointError(f"{what} {_unfit(x, x0)}")
    if x.ndim > MOST_DIMENSIONS:
        raise PointError(f"{what} has {x.ndim} dimensions; reshape it, more than {MOST_DIMENSIONS} are too many")
    if not x.size:
        raise PointError(f"{what} has shape {by(x.shape)} and no entries; nothing to check")
    finite = np.isfinite(x)
    if not finite.all():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), x.shape))
        raise PointError(f"{what} is {x[index]} at {place(index) if index else 'its only entry'}; give finite numbers")
    return x


def _unfit(x: NDArray[Any], x0: Any) -> str:
    if x.dtype.kind in "iub":
        fix = ".astype(float)" if isinstance(x0, np.ndarray) else "decimal points, or numpy.array(x0).astype(float)"
        return f"holds {x.dtype} numbers, which cannot be perturbed; use {fix}"
    if x.dtype.kind == "f":
        return f"has dtype {x.dtype}; only float64 and float32 can be checked: use .astype(float)"
    if x.dtype.kind == "c":
        if x.dtype.itemsize not in (8, 16):
            return f"is {x.dtype}; only complex128 and complex64 can be checked: use .astype(complex)"
        return f"is {x.dtype}; give its real and imaginary parts as one real array"
    if x.dtype.kind == "O" and x.ndim == 0:
        return f"is a {type(x0).__name__}; give an array of floats"
    return f"has dtype {x.dtype}, not numbers; use .astype(float)"


def integer_dtype(x0: Any) -> str:
    """The dtype of a point that was given as integers, which are taken as float64; '' if it was not."""
    if isinstance(x0, (np.ndarray, np.generic)):
        dtype = x0.dtype
    elif framework_of(x0) is not None:
        name = precision(x0)
        return name if name.lstrip("u").startswith("int") else ""
    elif isinstance(x0, (int, list, tuple)):
        dtype = np.asarray(x0).dtype
    else:
        return ""
    return str(dtype) if dtype.kind in "iu" else ""


_NAMES = {
    4: "float32",
    8: "float64",
}  # of the dtypes that a point has; dtype.name takes longer than a check has time for


def describe_point(x: NDArray[Any], origin: str, seed: int | None = None, *, layout: Layout | None = None) -> Point:
    """The record of a point for a report; its values only where they are few.

    layout: how it is laid out, if x is the vector.
    """
    values = tuple(x.ravel().tolist()) if x.size <= _MAX_VALUES else ()
    shape, leaves = (x.shape, ()) if layout is None else (layout.given, layout.leaves)
    dtype = _NAMES[x.dtype.itemsize]
    if layout is not None and layout.imaginary is not None:
        dtype, values = {"float32": "complex64", "float64": "complex128"}[dtype], ()
    return Point(
        shape=shape,
        dtype=dtype,
        origin=origin,
        seed=seed,
        values=values,
        leaves=tuple((leaf.owner, leaf.given) for leaf, _ in leaves),
    )


# ---- within bounds


def as_bounds(bounds: Any, shape: tuple[int, ...] | None = None) -> Bounds | None:
    """Bounds as a valid pair; with `shape`, such as fit a point of that shape.  Raises `PointError`."""
    if bounds is None:
        return None
    try:
        valid = BOUNDS.check(bounds)
    except ValueError as reason:
        raise PointError(f"bounds is {quoted(bounds)}; {reason}") from None
    if isinstance(valid, Mapping):
        raise PointError(
            f"bounds is {quoted(bounds)}, by the names of leaves, and the point is one array; give one pair"
        )
    low, high = valid
    if shape is not None and not all(_fits(np.shape(side), shape) for side in (low, high)):
        raise PointError(f"bounds is {quoted(bounds)}; it must fit a point of shape {by(shape)}")
    return low, high


def _fits(small: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of shape `small` can be broadcast to `shape`."""
    pairs = zip(reversed(small), reversed(shape), strict=False)
    return len(small) <= len(shape) and all(one in (1, size) for one, size in pairs)


def check_within(x: NDArray[Any], bounds: Bounds | None) -> None:
    """Raise `PointError` if an entry of `x` is outside the bounds."""
    if bounds is None:
        return
    low, high = (np.broadcast_to(np.asarray(bound, dtype=np.float64), x.shape) for bound in bounds)
    outside = (x < low) | (x > high)
    if outside.any():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(outside)), x.shape))
        raise PointError(
            f"the point is {x[index]} at {place(index) if index else 'its only entry'}, "
            f"outside the bounds {low[index]:g}:{high[index]:g}"
        )


def inside(x: NDArray[Any], x0: NDArray[Any], bounds: Bounds | None) -> NDArray[Any]:
    """A point in the dtype of `x0`: an entry outside the bounds is put half-way from x0 to the bound, one not finite at x0."""
    with np.errstate(over="ignore", invalid="ignore"):
        if bounds is not None:
            low, high = (np.asarray(bound, dtype=np.float64) for bound in bounds)
            x = np.where(x < low, x0 / 2 + low / 2, np.where(x > high, x0 / 2 + high / 2, x))
            x = np.clip(x, low, high)
        x = x.astype(x0.dtype)
    return np.where(np.isfinite(x), x, x0)


# ---- made


def draw(
    shape: int | Sequence[int], dtype: DTypeLike = np.float64, seed: int = 0, bounds: Bounds | None = None
) -> NDArray[Any]:
    """Draw a random point of a shape and dtype: the same for the same seed; a complex one has such real and imaginary parts.

    Standard normal without bounds; between two finite bounds uniform over the inner 98 %, so that there is room for
    differences; with one bound, away from it by a log-normal distance of max(1, |bound|).
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    bounds = as_bounds(bounds, shape)
    count = math.prod(shape)
    if np.dtype(dtype).kind == "c":
        if bounds is not None:
            raise PointError("complex numbers have no order; bounds are for real variables")
        parts = draw((*shape, 2), np.float32 if np.dtype(dtype).itemsize == 8 else np.float64, seed)
        return parts.view(dtype).reshape(shape)
    try:
        around = normal(count, _seed(seed), Stream.POINT).reshape(shape)
        if bounds is None:
            return around.astype(dtype, copy=False)
        low, high = (np.asarray(bound, dtype=np.float64) for bound in bounds)
        share = 0.01 + 0.98 * uniform(count, seed, Stream.POINT).reshape(shape)
    except (MemoryError, ValueError):
        raise PointError(f"a point of shape {by(shape)} does not fit into memory") from None
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.where(
            np.isfinite(low) & np.isfinite(high),
            low * (1 - share) + high * share,
            np.where(
                np.isfinite(low),
                low + np.maximum(1, np.abs(low)) * np.exp(around),
                np.where(np.isfinite(high), high - np.maximum(1, np.abs(high)) * np.exp(around), around),
            ),
        )
        return as_point(np.clip(x, low, high).astype(dtype), f"a random {np.dtype(dtype)} point within the bounds")


def neighbours(x0: NDArray[Any], count: int, seed: int = 0, bounds: Bounds | None = None) -> Iterator[NDArray[Any]]:
    """Draw `count` further points around `x0`, each when it is asked for, of its shape and dtype; the k-th is always the same."""
    bounds = as_bounds(bounds, x0.shape)
    return (neighbour(x0, number, seed, bounds) for number in range(count))


def neighbour(x0: NDArray[Any], number: int, seed: int = 0, bounds: Bounds | None = None) -> NDArray[Any]:
    """Draw a further point around `x0`, of its shape and dtype: the same for the same number.

    An entry moves by at most half of its own size, so that it keeps its sign, which is often the edge of a domain; one
    that is 0 moves by half of the median size of the others.
    """
    size = np.abs(x0.astype(np.float64))
    nonzero = size[size > 0]
    typical = float(np.partition(nonzero, nonzero.size // 2)[nonzero.size // 2]) if nonzero.size else 1.0
    scale = np.where(size > 0, size, typical)
    share = uniform(x0.size, _seed(seed), Stream.POINT + 1 + number).reshape(x0.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        return inside(x0 + scale * (share - 0.5), x0, bounds)


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise PointError(f"seed {seed!r} is not a whole number of at least 0")
    return int(seed)
