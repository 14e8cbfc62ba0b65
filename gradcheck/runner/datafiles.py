"""Numbers from outside: .npy, .npz, .csv and .json files, and numbers typed in place.  Nothing is ever unpickled.

What only some inputs need is imported where they need it: a check starts faster than it could import all of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError
from gradcheck.wording import did_you_mean, one_line, short

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def find_file(text: str, folder: str | os.PathLike[str] | None) -> tuple[Path, str | None] | None:
    """(path, key) if `text` names a data file, whether it exists or not; None if it is something else."""
    from pathlib import Path

    path = Path(folder or ".", Path(text).expanduser())
    if path.suffix.lower() in _READERS:
        return path, None
    head, _, key = text.rpartition(":")
    if head.lower().endswith(".npz"):
        return Path(folder or ".", Path(head).expanduser()), key
    if path.is_file() and path.suffix != ".py":
        raise PointError(f"{path} is not a kind of file that holds a point; use {', '.join(_READERS)}")
    return None


def read_file(path: Path, key: str | None = None) -> Any:
    """An array, what a JSON file holds (never an object), or, for an .npz without just one array, a dict of them."""
    if not path.is_file():
        if path.is_dir():
            raise PointError(f"{path} is a directory, not a data file")
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise PointError(f"no such file: {path}{did_you_mean(path.name, siblings)}")
    try:
        data = _READERS[path.suffix.lower()](path)
    except OSError as error:
        raise PointError(f"{path} cannot be read: {error.strerror or one_line(error)}") from None
    if key is None:
        return next(iter(data.values())) if isinstance(data, dict) and len(data) == 1 else data
    if not isinstance(data, dict) or key not in data:
        names = list(data) if isinstance(data, dict) else []
        raise PointError(f"{path} holds no array {key!r}, only {', '.join(names) or 'one without a name'}")
    return data[key]


def _read_numpy(path: Path) -> Any:
    import zipfile

    with path.open("rb") as file:
        magic = file.read(6)
        file.seek(0)
        if not magic.startswith((b"\x93NUMPY", b"PK")):
            pickled = " but a pickle, which is never loaded" if magic.startswith(b"\x80") else ""
            raise PointError(f"{path} is not a numpy file{pickled}; save the array with numpy.save(path, x)")
        try:
            data = np.load(file, allow_pickle=False)
            return {name: data[name] for name in data.files} if isinstance(data, np.lib.npyio.NpzFile) else data
        except (ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
            if "allow_pickle" not in str(error):
                raise PointError(f"{path} is damaged: {one_line(error)}") from None
            remedy = "save numbers with numpy.save(path, x.astype(float))"
            raise PointError(f"{path} holds pickled objects, which are never loaded; {remedy}") from None
        except MemoryError:
            raise PointError(f"{path} does not fit into memory") from None


def _read_csv(path: Path) -> Any:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise PointError(f"{path} is not a text file; save numbers separated by commas") from None
    rows = [row for line in lines if (row := line.partition("#")[0].strip())]
    delimiter = next((mark for mark in ",;" if any(mark in row for row in rows)), None)
    if not rows:
        raise PointError(f"{path} holds no numbers")
    try:
        return np.loadtxt(rows, delimiter=delimiter, comments=None)
    except ValueError as error:
        text = one_line(error)
        if "number of columns changed" in text:
            raise PointError(f"{path} is ragged: {text.partition(';')[0]}; give every row as many numbers") from None
        header = "; remove the header line, or begin it with #" if "row 0" in text else ""
        raise PointError(f"{path}: {text.rstrip('.')}{header}") from None


def _read_json(path: Path) -> Any:
    import json

    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise PointError(f"{path} is not JSON: {one_line(error)}") from None
    if isinstance(data, dict):
        raise PointError(f"{path} holds a JSON object; make it a list")
    return data


_READERS: dict[str, Callable[[Path], Any]] = {
    ".npy": _read_numpy,
    ".npz": _read_numpy,
    ".csv": _read_csv,
    ".json": _read_json,
}
SUFFIXES = tuple(_READERS)


def typed_numbers(text: str, what: str) -> Any:
    """Numbers typed in place: a nested list, a list, or one number; None if `text` is something else."""
    if text.startswith(("[", "(")):
        import ast

        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            raise PointError(f"{what} {short(text)} is not a list of numbers, such as [[1, 2], [3, 4]]") from None
        return list(value) if isinstance(value, tuple) else value
    parts = [part for part in text.replace(",", " ").replace(";", " ").split() if part]
    try:
        numbers = [int(part) if part.lstrip("+-").isdecimal() else float(part) for part in parts]
    except ValueError:
        return None
    return numbers[0] if len(numbers) == 1 and "," not in text else numbers or None


def nested_numbers(data: Any, what: str) -> NDArray[np.float64]:
    """Nested lists of numbers → float64.  The leaves are looked at, since numpy takes text and truth for numbers."""

    def shape(item: Any) -> tuple[int, ...]:
        if isinstance(item, (list, tuple)):
            shapes = {shape(inner) for inner in item}
            if len(shapes) > 1:
                raise PointError(f"{what} is ragged: its rows have different lengths")
            return len(item), *(shapes.pop() if shapes else ())
        if isinstance(item, bool) or not isinstance(item, (int, float)):
            raise PointError(f"{what} holds {short(repr(item))}, which is not a real number")
        return ()

    shape(data)
    try:
        return np.array(data, dtype=np.float64)
    except OverflowError:
        raise PointError(f"{what} holds a number too large for float64") from None
