"""Where to check: a point from a dimension, a shape, a file, numbers or an array; points around it; extra arguments.

Files are read as data only: nothing is ever unpickled.  Everything unfit is a `PointError` that names the remedy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.datafiles import (
    SUFFIXES,
    did_you_mean,
    find_file,
    nested_numbers,
    one_line,
    read_file,
    short,
    typed_numbers,
)
from gradcheck.errors import PointError
from gradcheck.model import Point
from gradcheck.numerics.directions import normal, uniform

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Bounds = tuple[ArrayLike, ArrayLike]
    """(lower, upper), each a number or an array that broadcasts to the shape of the point; ±inf for none."""

Loader = Callable[[str], Any]
"""Turns ``module:attr`` into the object it names."""

_MAX_VALUES = 16
POINT_STREAM = 2**30  # the stream of random numbers that a point is drawn from; the next ones are for further points


def parse_shape(text: str) -> tuple[int, ...]:
    """``'20x3'`` → (20, 3).  Raises `PointError` unless every dimension is a positive whole number."""
    parts = text.strip().lower().replace("×", "x").split("x")
    if not all(part.strip().isdecimal() for part in parts):
        raise PointError(f"shape {text!r} is not of the form 20x3: positive whole numbers joined by x")
    return as_shape([int(part) for part in parts])


def as_shape(shape: int | str | Sequence[int]) -> tuple[int, ...]:
    """A dimension, ``'20x3'`` or (20, 3) → (20, 3).  Raises `PointError` for a dimension of 0 or less."""
    if isinstance(shape, str):
        return parse_shape(shape)
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
            raise PointError(f"dimension {size!r} is not a whole number")
        if size < 1:
            raise PointError(f"dimension {size} leaves nothing to check; it must be at least 1")
    return tuple(int(size) for size in sizes)


def parse_bounds(text: str) -> tuple[float, float]:
    """``'LO:HI'`` → (LO, HI); either may be empty, for none.  Raises `PointError`."""
    low, colon, high = text.partition(":")
    try:
        bounds = float(low) if low.strip() else -math.inf, float(high) if high.strip() else math.inf
    except ValueError:
        colon = ""
    if not colon:
        raise PointError(f"bounds {text!r} are not of the form LO:HI, such as 0:1, 0: or :10")
    as_bounds(bounds)
    return bounds


def as_bounds(bounds: str | Bounds | None, shape: tuple[int, ...] | None = None) -> Bounds | None:
    """Validate bounds given as ``'LO:HI'`` or as a pair; with `shape`, that they fit a point of that shape."""
    if bounds is None:
        return None
    if isinstance(bounds, str):
        return parse_bounds(bounds)
    try:
        low, high = bounds
        below = np.less(np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64))  # false for NaN
        if shape is not None and np.broadcast_shapes(below.shape, shape) != shape:
            raise ValueError
    except (TypeError, ValueError):
        fit = f" of numbers or arrays that fit the shape {_x(shape)}" if shape else ""
        raise PointError(f"bounds {short(bounds)} are not a pair (lower, upper){fit}") from None
    if not below.all():
        raise PointError(f"bounds {short(bounds)} are empty; the lower one must be less than the upper one")
    return low, high


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
        raise PointError(f"{what} has shape {_x(x.shape)} and no entries; nothing to check")
    finite = np.isfinite(x)
    if not finite.all():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), x.shape))
        raise PointError(f"{what} is {x[index]} at {_at(index)}; give finite numbers")
    return x


def read_point(text: str, *, load: Loader | None = None, folder: str | os.PathLike[str] | None = None) -> NDArray[Any]:
    """Read a point: a file, numbers, or an object of a module.

    text: the path of a .npy, .npz (``FILE.npz:key`` where it holds several), .csv or .json file, starting at `folder`;
        numbers such as ``1,2,3`` or ``[[1, 2], [3, 4]]``; or a target such as ``module:x0``, resolved by `load`.
    Returns float64 for numbers and text files; arrays from .npy, .npz and `load` keep their dtype, float64 or float32.
    Raises `PointError`, and whatever `load` raises.
    """
    stripped = text.strip()
    if (file := find_file(stripped, folder)) is not None:
        path, key = file
        data = read_file(path, key)
        if isinstance(data, dict):
            raise PointError(f"{path} holds {len(data)} arrays; name one, as in {path.name}:{next(iter(data), 'NAME')}")
        if path.suffix == ".json":
            data = nested_numbers(data, str(path))
        return as_point(data, str(path))
    if (numbers := typed_numbers(stripped, "point")) is not None:
        return as_point(nested_numbers(numbers, f"point {short(stripped)}"), f"point {short(stripped)}")
    return as_point(_load(stripped, load, "point"), stripped)


def parse_args(
    text: str, *, load: Loader | None = None, folder: str | os.PathLike[str] | None = None
) -> tuple[Any, ...]:
    """Read the extra arguments of f and g.

    text: a JSON list with an argument in each place (a list of numbers in it becomes a float64 array); numbers such as
    ``2.5,3``; a data file as for `read_point` (an .npz holds one argument in each array); or a target, resolved by
    `load`, where a tuple is all the arguments and anything else is one.
    Raises `PointError`, and whatever `load` raises.
    """
    stripped = text.strip()
    value: Any
    if (file := find_file(stripped, folder)) is not None:
        value = read_file(*file)
        if isinstance(value, np.ndarray):
            return (value,)
        return tuple(value.values()) if isinstance(value, dict) else as_args(value)
    if stripped[:1] in {"[", "{", '"'}:
        import json

        try:
            value = json.loads(stripped)
        except (ValueError, RecursionError) as error:
            raise PointError(f"args {short(stripped)} are not a JSON list: {one_line(error)}") from None
        return as_args(value)
    if (numbers := typed_numbers(stripped, "args")) is not None:
        return as_args(numbers if isinstance(numbers, list) else [numbers])
    value = _load(stripped, load, "args")
    return value if isinstance(value, tuple) else (value,)


def as_args(values: Any) -> tuple[Any, ...]:
    """A JSON list of arguments → the arguments, where each list of numbers has become a float64 array."""
    if not isinstance(values, list):
        raise PointError(f"args must be a list with an argument in each place, not {short(values)}; put [ ] around it")
    arguments = []
    for value in values:
        try:
            arguments.append(nested_numbers(value, "") if isinstance(value, list) else value)
        except PointError:
            arguments.append(value)  # a list of names, or a ragged one, is what the user means it to be
    return tuple(arguments)


def draw(
    shape: int | Sequence[int], dtype: DTypeLike = np.float64, seed: int = 0, bounds: Bounds | None = None
) -> NDArray[Any]:
    """Draw a random point of a shape and dtype: the same for the same seed.

    Standard normal without bounds; between two finite bounds uniform over the inner 98 %, so that there is room for
    differences; with one bound, away from it by a log-normal distance of max(1, |bound|).
    """
    shape = as_shape(shape)
    bounds = as_bounds(bounds, shape)
    count = math.prod(shape)
    try:
        around = normal(count, _seed(seed), POINT_STREAM).reshape(shape)
        if bounds is None:
            return around.astype(dtype, copy=False)
        low, high = (np.asarray(bound, dtype=np.float64) for bound in bounds)
        share = 0.01 + 0.98 * uniform(count, seed, POINT_STREAM).reshape(shape)
    except (MemoryError, ValueError):
        raise PointError(f"a point of shape {_x(shape)} does not fit into memory") from None
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
        share = uniform(x0.size, _seed(seed), POINT_STREAM + 1 + number).reshape(x0.shape)
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


def choose_point(
    *,
    dim: int | None = None,
    shape: str | Sequence[int] | None = None,
    point: Any = None,
    bounds: str | Bounds | None = None,
    seed: int = 0,
    dtype: DTypeLike = np.float64,
    load: Loader | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> tuple[NDArray[Any], Point]:
    """The point that the options ``dim``, ``shape``, ``point``, ``bounds`` and ``seed`` ask for, and its record.

    point: text as for `read_point`, or an array; its size must agree with `dim` and `shape`, where they are given; a
    flat one is reshaped to `shape`.  Raises `PointError`.
    """
    dim = None if dim is None else as_shape(dim)[0]
    wanted = None if shape is None else as_shape(shape)
    if dim is not None and wanted is not None and dim != math.prod(wanted):
        entries = math.prod(wanted)
        raise PointError(f"dimension {dim} contradicts shape {_x(wanted)}, which has {entries} entries; give one")
    if wanted is None and dim is not None:
        wanted = (dim,)
    if point is None:
        if wanted is None:
            raise PointError("no point to check at; give a dimension, a shape or a point (--dim, --shape or --point)")
        x = draw(wanted, dtype, seed, as_bounds(bounds, wanted))
        return x, describe_point(x, "random normal" if bounds is None else "random within bounds", seed)
    origin = point.strip() if isinstance(point, str) else "given array"
    x = read_point(point, load=load, folder=folder) if isinstance(point, str) else as_point(point)
    if wanted is not None and x.shape != wanted and not (shape is None and x.ndim and x.size == dim):
        if x.size != math.prod(wanted) or x.ndim > 1:
            raise PointError(f"point {short(origin)} has shape {_x(x.shape)}, where {_x(wanted)} was asked for")
        x = x.reshape(wanted)
    check_within(x, as_bounds(bounds, x.shape))
    return x, describe_point(x, short(origin))


def check_within(x: NDArray[Any], bounds: Bounds | None) -> None:
    """Raise `PointError` if an entry of `x` is outside the bounds."""
    if bounds is None:
        return
    low, high = (np.broadcast_to(np.asarray(bound, dtype=np.float64), x.shape) for bound in bounds)
    outside = (x < low) | (x > high)
    if outside.any():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(outside)), x.shape))
        raise PointError(f"the point is {x[index]} at {_at(index)}, outside the bounds {low[index]:g}:{high[index]:g}")


def _load(text: str, load: Loader | None, what: str) -> Any:
    if load is not None and ":" in text:
        return load(text)
    kinds = f"numbers such as 1,2,3, a file ({', '.join(SUFFIXES)}), or a target such as module:{what}"
    near = did_you_mean(text, [name for name in os.listdir(".") if os.path.splitext(name)[1] in SUFFIXES])
    raise PointError(f"{what} {short(text)} is neither {kinds}{near}")


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


def _x(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape) or "()"


def _at(index: tuple[int, ...]) -> str:
    return f"[{', '.join(str(i) for i in index)}]" if index else "its only entry"
