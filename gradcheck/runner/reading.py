"""Where to check and with which further arguments, read from what the user typed, named or declared.

Files are read as data only: nothing is ever unpickled.  Everything unfit is a `PointError` that names the remedy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError
from gradcheck.model import Point
from gradcheck.options.values import DATA_FILES
from gradcheck.points import as_bounds, as_point, check_within, describe_point, draw
from gradcheck.runner.datafiles import find_file, nested_numbers, read_file, read_json, typed_numbers
from gradcheck.wording import by, did_you_mean, one_line, short

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from gradcheck.points import Bounds


Loader = Callable[[str], Any]
"""Turns ``module:attr`` into the object it names."""


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
            name = f"{os.path.basename(path)}:{next(iter(data), 'NAME')}"
            raise PointError(f"{path} holds {len(data)} arrays; name one, as in {name}")
        return as_point(data if isinstance(data, np.ndarray) else nested_numbers(data, path), path)
    if (numbers := typed_numbers(stripped, "point")) is not None:
        return as_point(nested_numbers(numbers, f"point {short(stripped)}"), f"point {short(stripped)}")
    return as_point(_load(stripped, load, "point"), stripped)


def read_bounds(
    bounds: Any, *, load: Loader | None = None, folder: str | os.PathLike[str] | None = None
) -> Bounds | None:
    """Declared bounds, loaded if they are text.

    bounds: a pair; or the path of a data file as for `read_point`, whose array holds the lower bounds and the upper ones
        in this order, (2, *shape of the point); or a target, resolved by `load`, that is such a pair or an object with
        ``lb`` and ``ub``, as scipy.optimize.Bounds has.
    Raises `PointError`, and whatever `load` raises.
    """
    if not isinstance(bounds, str):
        return as_bounds(bounds)
    if (file := find_file(bounds, folder)) is not None:
        data = read_file(*file)
        if isinstance(data, dict):
            raise PointError(f"{file[0]} holds {len(data)} arrays; name one of two rows: lower bounds, upper bounds")
        rows = data if isinstance(data, np.ndarray) else nested_numbers(data, file[0])
        if rows.shape[:1] != (2,):
            rule = "it must hold two rows: the lower bounds, and the upper ones"
            raise PointError(f"{file[0]} holds an array {by(rows.shape)}; {rule}")
        return as_bounds((rows[0], rows[1]))
    found = _load(bounds, load, "bounds")
    return as_bounds((found.lb, found.ub) if hasattr(found, "lb") and hasattr(found, "ub") else found)


def parse_args(
    text: str, *, load: Loader | None = None, folder: str | os.PathLike[str] | None = None
) -> tuple[Any, ...] | dict[str, Any]:
    """Read the extra arguments of f and g.

    text: a JSON list with an argument in each place, or a JSON object with arguments by name (a list of numbers in either
    becomes a float64 array); numbers such as ``2.5,3``; a data file as for `read_point` (an .npz holds one argument in
    each array); or a target, resolved by `load`, where a tuple is all the arguments, a dict all of them by name, and
    anything else is one.
    Raises `PointError`, and whatever `load` raises.
    """
    stripped = text.strip()
    value: Any
    if (file := find_file(stripped, folder)) is not None:
        if os.path.splitext(file[0])[1].lower() == ".json" and os.path.isfile(file[0]):
            return as_args(read_json(file[0]))
        value = read_file(*file)
        return tuple(value.values()) if isinstance(value, dict) else (value,)
    if stripped[:1] in {"[", "{", '"'}:
        import json

        try:
            value = json.loads(stripped)
        except (ValueError, RecursionError) as error:
            raise PointError(
                f"args {short(stripped)} are neither a JSON list nor an object: {one_line(error)}"
            ) from None
        return as_args(value)
    if (numbers := typed_numbers(stripped, "args")) is not None:
        return as_args(numbers if isinstance(numbers, list) else [numbers])
    value = _load(stripped, load, "args")
    return value if isinstance(value, (tuple, dict)) else (value,)


def read_args(
    args: Any, *, load: Loader | None = None, folder: str | os.PathLike[str] | None = None
) -> tuple[Any, ...] | dict[str, Any]:
    """Declared arguments: text as for `parse_args`, a list or dict as in JSON, or the tuple itself."""
    if isinstance(args, str):
        return parse_args(args, load=load, folder=folder)
    return args if isinstance(args, tuple) else as_args(args)


def as_args(values: Any) -> tuple[Any, ...] | dict[str, Any]:
    """A JSON list or object of arguments → the arguments, where each list of numbers has become a float64 array."""
    if isinstance(values, dict):
        return {name: _argument(value) for name, value in values.items()}
    if not isinstance(values, list):
        raise PointError(f"args must be a list with an argument in each place, not {short(values)}; put [ ] around it")
    return tuple(_argument(value) for value in values)


def _argument(value: Any) -> Any:
    try:
        return nested_numbers(value, "") if isinstance(value, list) else value
    except PointError:
        return value  # a list of names, or a ragged one, is what the user means it to be


def choose_point(
    *,
    dim: int | None = None,
    shape: tuple[int, ...] | None = None,
    point: Any = None,
    bounds: Bounds | None = None,
    seed: int = 0,
    dtype: DTypeLike = np.float64,
    load: Loader | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> tuple[NDArray[Any], Point]:
    """The point that the options ``dim``, ``shape``, ``point``, ``bounds`` and ``seed`` ask for, and its record.

    point: text as for `read_point`, or an array; its size must agree with `dim` and `shape`, where they are given; a
    flat one is reshaped to `shape`.  Raises `PointError`.
    """
    wanted = shape
    if dim is not None and wanted is not None and dim != math.prod(wanted):
        entries = math.prod(wanted)
        raise PointError(f"dimension {dim} contradicts shape {by(wanted)}, which has {entries} entries; give one")
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
            raise PointError(f"point {short(origin)} has shape {by(x.shape)}, where {by(wanted)} was asked for")
        x = x.reshape(wanted)
    check_within(x, as_bounds(bounds, x.shape))
    return x, describe_point(x, short(origin))


def _load(text: str, load: Loader | None, what: str) -> Any:
    if load is not None and ":" in text:
        return load(text)
    kinds = f"numbers such as 1,2,3, a file ({', '.join(DATA_FILES)}), or a target such as module:{what}"
    near = did_you_mean(text, [name for name in os.listdir(".") if os.path.splitext(name)[1] in DATA_FILES])
    raise PointError(f"{what} {short(text)} is neither {kinds}{near}")
