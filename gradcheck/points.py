"""A point: valid, drawn at random, described, its neighbours.  Everything unfit is a `PointError` that names the remedy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError
from gradcheck.model import Point
from gradcheck.numerics.directions import Stream, normal, uniform
from gradcheck.options import values as kinds
from gradcheck.wording import by, one_line, place, short

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Bounds = tuple[ArrayLike, ArrayLike]
    """(lower, upper), each a number or an array that broadcasts to the shape of the point; ±inf for none."""


_MAX_VALUES = 16
BOUNDS = kinds.Bounds()


def as_bounds(bounds: Any, shape: tuple[int, ...] | None = None) -> Bounds | None:
    """Bounds as a valid pair; with `shape`, such as fit a point of that shape.  Raises `PointError`."""
    if bounds is None:
        return None
    try:
        low, high = BOUNDS.check(bounds)
    except ValueError as reason:
        raise PointError(f"bounds is {short(repr(bounds))}; {reason}") from None
    if shape is not None and not all(_fits(np.shape(side), shape) for side in (low, high)):
        raise PointError(f"bounds is {short(repr(bounds))}; it must fit a point of shape {by(shape)}")
    return low, high


def _fits(small: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of shape `small` can be broadcast to `shape`."""
    pairs = zip(reversed(small), reversed(shape), strict=False)
    return len(small) <= len(shape) and all(one in (1, size) for one, size in pairs)


def as_point(x0: Any, what: str = "the point") -> NDArray[Any]:
    """Return `x0` as a C-ordered float64 or float32 array of any shape, () included; it may share memory with `x0`.

    Raises `PointError` for anything else (whole numbers, complex, objects, other precisions, ragged lists), for NaN
    and infinities, and for an array without entries.
    """
    try:
        x = np.asarray(x0, order="C")
    except (TypeError, ValueError) as error:
        ragged = "inhomogeneous" in str(error)
        reason = "is ragged" if ragged else f"is a {type(x0).__name__} that numpy cannot take ({one_line(error)})"
        raise PointError(f"{what} {reason}; give an array of floats") from None
    if x.dtype.kind == "f" and x.dtype.itemsize in (4, 8):
        if not x.dtype.isnative:
            x = x.astype(x.dtype.newbyteorder("="))  # a file may hold the other byte order
    else:
        raise PointError(f"{what} {_unfit(x, x0)}")
    if not x.size:
        raise PointError(f"{what} has shape {by(x.shape)} and no entries; nothing to check")
    finite = np.isfinite(x)
    if not finite.all():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), x.shape))
        raise PointError(f"{what} is {x[index]} at {place(index) if index else 'its only entry'}; give finite numbers")
    return x


def draw(
    shape: int | Sequence[int], dtype: DTypeLike = np.float64, seed: int = 0, bounds: Bounds | None = None
) -> NDArray[Any]:
    """Draw a random point of a shape and dtype: the same for the same seed.

    Standard normal without bounds; between two finite bounds uniform over the inner 98 %, so that there is room for
    differences; with one bound, away from it by a log-normal distance of max(1, |bound|).
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    bounds = as_bounds(bounds, shape)
    count = math.prod(shape)
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


def neighbours(x0: NDArray[Any], count: int, seed: int = 0, bounds: Bounds | None = None) -> list[NDArray[Any]]:
    """Draw `count` further points around `x0`, of its shape and dtype; the k-th is the same whatever the count.

    An entry moves by at most half of its own size, so that it keeps its sign, which is often the edge of a domain; one
    that is 0 moves by half of the median size of the others.  A point outside the bounds goes half-way to the bound.
    """
    bounds = as_bounds(bounds, x0.shape)
    size = np.abs(x0.astype(np.float64))
    nonzero = size[size > 0]
    typical = float(np.partition(nonzero, nonzero.size // 2)[nonzero.size // 2]) if nonzero.size else 1.0
    scale = np.where(size > 0, size, typical)
    points = []
    for number in range(count):
        share = uniform(x0.size, _seed(seed), Stream.POINT + 1 + number).reshape(x0.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            x = x0 + scale * (share - 0.5)
            if bounds is not None:
                low, high = (np.asarray(bound, dtype=np.float64) for bound in bounds)
                x = np.where(x < low, x0 / 2 + low / 2, np.where(x > high, x0 / 2 + high / 2, x))
                x = np.clip(x, low, high)
            x = x.astype(x0.dtype)
        points.append(np.where(np.isfinite(x), x, x0))
    return points


_NAMES = {
    4: "float32",
    8: "float64",
}  # of the dtypes that a point has; dtype.name takes longer than a check has time for


def describe_point(x: NDArray[Any], origin: str, seed: int | None = None) -> Point:
    """The record of a point for a report; its values only where they are few."""
    values = tuple(float(value) for value in x.flat) if x.size <= _MAX_VALUES else ()
    return Point(shape=x.shape, dtype=_NAMES[x.dtype.itemsize], origin=origin, seed=seed, values=values)


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


def _unfit(x: NDArray[Any], x0: Any) -> str:
    if x.dtype.kind in "iub":
        fix = ".astype(float)" if isinstance(x0, np.ndarray) else "decimal points, or numpy.array(x0).astype(float)"
        return f"holds {x.dtype} numbers, which cannot be perturbed; use {fix}"
    if x.dtype.kind == "f":
        return f"has dtype {x.dtype}; only float64 and float32 can be checked: use .astype(float)"
    if x.dtype.kind == "c":
        return f"is {x.dtype}; give its real and imaginary parts as one real array"
    if x.dtype.kind == "O" and x.ndim == 0:
        return f"is a {type(x0).__name__}; give an array of floats"
    return f"has dtype {x.dtype}, not numbers; use .astype(float)"


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise PointError(f"seed {seed!r} is not a whole number of at least 0")
    return int(seed)
