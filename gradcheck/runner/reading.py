"""Where to check and with which further arguments, read from what the user typed, named or declared.

Files are read as data only: nothing is ever unpickled.  Everything unfit is a `PointError` that names the remedy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import GradcheckError, PointError
from gradcheck.model import Point
from gradcheck.options.places import DATA_FILES
from gradcheck.variables.arrays import framework_of
from gradcheck.variables.flat import is_tree, lay_out
from gradcheck.variables.points import as_bounds, as_point, check_within, describe_point, draw, integer_dtype
from gradcheck.wording import by, did_you_mean, one_line, short

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Loader = Callable[[str], Any]
"""Turns ``module:attr`` into the object it names."""


def read_point(text: str, *, load: Loader | None = None, folder: str | os.PathLike[str] | None = None) -> Any:
    """Read a point: a file, numbers, or an object of a module.

    text: the path of a .npy, .npz, .safetensors, .csv or .json file, starting at `folder`; where it holds several arrays,
        ``FILE.npz:key`` is one, and the file a dict of all; numbers such as ``1,2,3``, ``1+2j,3`` or
        ``[[1, 2], [3, 4]]``; or a target such as ``module:x0``, resolved by `load`, which may be a tree, or an array of another
        framework.
    Returns float64 for numbers and text files; other arrays keep their dtype, float64, float32, complex or integers.
    Raises `PointError`, and whatever `load` raises.
    """
    from gradcheck.runner.datafiles import find_file, nested_numbers, read_file, typed_numbers  # a shape does without

    stripped = text.strip()
    if (file := find_file(stripped, folder)) is not None:
        path, key = file
        data = read_file(path, key)
        if isinstance(data, dict):
            if not data:
                raise PointError(f"{path} holds 0 arrays; nothing to check")
            return data
        return _as_given(data if isinstance(data, np.ndarray) else nested_numbers(data, path), path)
    if (numbers := typed_numbers(stripped, "point")) is not None:
        typed = f"point {short(stripped)}"
        return as_point(nested_numbers(numbers, typed), typed, may_be_complex=True)
    found = _load(stripped, load, "point")
    return found if is_tree(found) or framework_of(found) is not None else _as_given(found, stripped)


def _as_given(x0: Any, what: str) -> Any:
    """A point, be it of integers: that they are taken as float64 is said by the check."""
    x = as_point(x0, what, may_be_complex=True)
    return np.asarray(x0) if integer_dtype(x0) else x


def read_bounds(bounds: Any, *, load: Loader | None = None, folder: str | os.PathLike[str] | None = None) -> Any:
    """Declared bounds, loaded if they are text.

    bounds: a pair; or the path of a data file as for `read_point`, whose array holds the lower bounds and the upper ones
        in this order, (2, *shape of the point); or a target, resolved by `load`, that is such a pair or an object with
        ``lb`` and ``ub``, as scipy.optimize.Bounds has; or any of these by the names of leaves.
    Raises `PointError`, and whatever `load` raises.
    """
    if isinstance(bounds, Mapping):
        return {name: read_bounds(pair, load=load, folder=folder) for name, pair in bounds.items()}
    if not isinstance(bounds, str):
        return as_bounds(bounds)
    from gradcheck.runner.datafiles import find_file, nested_numbers, read_file

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


def read_on(on: Any, *, load: Loader) -> Any:
    """The declared set on which x lives, or sets by leaves, of which targets are loaded."""
    if isinstance(on, Mapping):
        return {name: read_on(one, load=load) for name, one in on.items()}
    return load(on) if isinstance(on, str) and ":" in on and not on.startswith("periodic:") else on


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
    from gradcheck.runner.datafiles import find_file, read_file, read_json, typed_numbers

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
    if not isinstance(value, list):
        return value
    from gradcheck.runner.datafiles import nested_numbers

    try:
        return nested_numbers(value, "")
    except PointError:
        return value  # a list of names, or a ragged one, is what the user means it to be


def choose_point(
    *,
    dim: int | None = None,
    shape: tuple[int, ...] | None = None,
    point: Any = None,
    parts: Mapping[str, Any] | None = None,
    arrays: str | None = None,
    bounds: Any = None,
    on: Any = None,
    seed: int = 0,
    dtype: DTypeLike = np.float64,
    load: Loader | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> tuple[Any, Point]:
    """The point that the options about it ask for, and its record.

    point: text as for `read_point`, or an array; its size must agree with `dim` and `shape`, where they are given; a
        flat one is reshaped to `shape`.
    parts: what the point, a dict then, holds by name: a shape, which is drawn, or what `point` may be.
    arrays: the framework whose arrays it is to be made of.
    on: the set, or sets by the names of parts, from which random points are drawn.

    Raises `PointError`; `UsageError` if there is no such framework.
    """
    if parts is not None:
        told = {"dim": dim, "shape": shape, "point": point}
        if other := next((name for name, value in told.items() if value is not None), None):
            raise PointError(f"the point is told by its parts, with vars, and by {other}, too; give one of them")
        x: Any = read_parts(parts, bounds=bounds, seed=seed, dtype=dtype, load=load, folder=folder)
        drawn = any(isinstance(part, tuple) for part in parts.values())
        random = "random normal" if bounds is None else "random within bounds"
        if on is not None:
            x = _on_sets(x, on, [name for name, part in parts.items() if isinstance(part, tuple)])
            random = "random on its sets"
        record = _record(x, random if drawn else "given by parts", seed if drawn else None)
    else:
        if on is not None and dim is None and shape is None and point is None:
            shape = _only_shape(on)
        x, record = _whole_point(dim, shape, point, bounds, seed, dtype, load, folder)
        if on is not None and record.seed is not None and not isinstance(on, Mapping):
            from gradcheck.variables.sets.named import drawn_on, set_named  # of use to few

            x = drawn_on(on, x, "the point")
            record = describe_point(x, f"random on {set_named(on).name}", seed)
    if arrays is not None:
        from gradcheck.runner.arrays import in_arrays_of  # of use to few

        x = in_arrays_of(arrays, x)
    return x, record


def _only_shape(on: Any) -> tuple[int, ...] | None:
    """The shape of points of a set that has points of one shape alone."""
    from gradcheck.variables.sets.named import set_named

    return None if isinstance(on, Mapping) else set_named(on).shape


def _on_sets(x: dict[str, Any], on: Any, drawn: list[str]) -> dict[str, Any]:
    """The parts of a point, of which those that are drawn are points of their sets."""
    from gradcheck.variables.sets.named import drawn_on

    if not isinstance(on, Mapping):
        on = dict.fromkeys(x, on) if len(x) == 1 else {}  # what it is for, the check will ask
    return {name: drawn_on(on[name], part, name) if name in drawn and name in on else part for name, part in x.items()}


def read_parts(
    parts: Mapping[str, Any],
    *,
    bounds: Any = None,
    seed: int = 0,
    dtype: DTypeLike = np.float64,
    load: Loader | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """A point by its parts, each a shape, which is drawn, or what a point may be.

    bounds: a pair, or pairs by the names of parts.
    """
    read: dict[str, Any] = {}
    for name, part in parts.items():
        try:
            value = read_point(part, load=load, folder=folder) if isinstance(part, str) else part
        except PointError as error:
            raise PointError(f"{name}: {error}") from None
        typed = isinstance(part, str) and getattr(value, "shape", None) == ()
        read[name] = value.item() if typed else value
    shapes = {name: shape for name, shape in read.items() if isinstance(shape, tuple)}
    if not shapes:
        return read
    sides = []
    for name, shape in shapes.items():
        own = bounds.get(name) if isinstance(bounds, Mapping) else bounds
        if own is not None and not isinstance(bounds, Mapping):
            own = tuple(side[name] if isinstance(side, Mapping) else side for side in own)
        pair = as_bounds(own, shape) or (-np.inf, np.inf)
        sides.append([np.broadcast_to(np.asarray(side, np.float64), shape).reshape(-1) for side in pair])
    low, high = (np.concatenate(side) for side in zip(*sides, strict=True))
    values, start = draw(low.size, dtype, seed, (low, high)), 0
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        read[name], start = values[start:stop].reshape(shape), stop
    return read


def _record(x: Any, origin: str, seed: int | None = None) -> Point:
    """The record of a tree, or of an array of a framework."""
    try:
        layout, flat = lay_out(x)
    except GradcheckError:  # the check, which knows which of its leaves are variables, will say so
        return Point(shape=(), dtype="float64", origin=origin, seed=seed)
    return describe_point(flat, origin, seed, layout=layout)


def _whole_point(
    dim: int | None,
    shape: tuple[int, ...] | None,
    point: Any,
    bounds: Any,
    seed: int,
    dtype: DTypeLike,
    load: Loader | None,
    folder: str | os.PathLike[str] | None,
) -> tuple[Any, Point]:
    """A point that is not told by its parts."""
    wanted = shape
    if dim is not None and wanted is not None and dim != math.prod(wanted):
        entries = math.prod(wanted)
        raise PointError(f"dimension {dim} contradicts shape {by(wanted)}, which has {entries} entries; give one")
    if wanted is None and dim is not None:
        wanted = (dim,)
    if point is None:
        if wanted is None:
            raise PointError(
                "no point to check at; give a dimension, a shape or a point (--dim, --shape, --point or --var)"
            )
        x = draw(wanted, dtype, seed, as_bounds(bounds, wanted))
        return x, _record(x, "random normal" if bounds is None else "random within bounds", seed)
    origin = point.strip() if isinstance(point, str) else "given array"
    x = read_point(point, load=load, folder=folder) if isinstance(point, str) else _as_given(point, "the point")
    if not isinstance(x, np.ndarray):
        if wanted is not None:
            raise PointError(
                f"point {short(origin)} is no array of NumPy, where one of shape {by(wanted)} was asked for"
            )
        return x, _record(x, short(origin))
    if wanted is not None and x.shape != wanted and not (shape is None and x.ndim and x.size == dim):
        if x.size != math.prod(wanted) or x.ndim > 1:
            raise PointError(f"point {short(origin)} has shape {by(x.shape)}, where {by(wanted)} was asked for")
        x = x.reshape(wanted)
    if x.dtype.kind != "c":  # else the check refuses the bounds
        check_within(x, as_bounds(bounds, x.shape))
    return x, _record(x, short(origin))


def _load(text: str, load: Loader | None, what: str) -> Any:
    if load is not None and ":" in text:
        return load(text)
    kinds = f"numbers such as 1,2,3, a file ({', '.join(DATA_FILES)}), or a target such as module:{what}"
    near = did_you_mean(text, [name for name in os.listdir(".") if os.path.splitext(name)[1] in DATA_FILES])
    raise PointError(f"{what} {short(text)} is neither {kinds}{near}")
