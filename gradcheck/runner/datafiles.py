"""Numbers from outside: .npy, .npz, .safetensors, .csv and .json files, and numbers typed in place.  Nothing is ever unpickled.

What only some inputs need is imported where they need it: a check starts faster than it could import all of it.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError
from gradcheck.options.places import DATA_FILES, MOST_DIMENSIONS
from gradcheck.wording import did_you_mean, one_line, quoted, short

if TYPE_CHECKING:
    from numpy.typing import NDArray


LONGEST = 200  # characters of a path that a message shows


def find_file(text: str, folder: str | os.PathLike[str] | None) -> tuple[str, str | None] | None:
    """(path, key) if `text` names a data file, whether it exists or not; None if it is something else."""
    path = _place(text, folder)
    if _suffix(path) in _READERS:
        return path, None
    head, _, key = text.rpartition(":")
    if _suffix(head) in (".npz", ".safetensors"):
        return _place(head, folder), key
    if os.path.isfile(path) and _suffix(path) != ".py":
        raise PointError(f"{path} is not a kind of file that holds a point; use {', '.join(_READERS)}")
    return None


def read_file(path: str, key: str | None = None) -> Any:
    """An array, what a JSON file holds (never an object), or, where a file does not hold just one array, a dict of them."""
    if not os.path.isfile(path):
        raise PointError(_no_file(path))
    try:
        data = _READERS[_suffix(path)](path)
    except OSError as error:
        raise PointError(f"{path} cannot be read: {error.strerror or one_line(error)}") from None
    except MemoryError:
        raise PointError(f"{path} does not fit into memory") from None
    if key is None:
        return next(iter(data.values())) if isinstance(data, dict) and len(data) == 1 else data
    if not isinstance(data, dict) or key not in data:
        names = list(data) if isinstance(data, dict) else []
        raise PointError(f"{path} holds no array {key!r}, only {', '.join(names) or 'one without a name'}")
    return data[key]


def _place(text: str, folder: str | os.PathLike[str] | None) -> str:
    return os.path.join(folder or ".", os.path.expanduser(text)).removeprefix("./")


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _no_file(path: str) -> str:
    """What stands where a file should."""
    if os.path.isdir(path):
        return f"{path} is a directory, not a data file"
    if os.path.exists(path):
        return f"{path} is no regular file but a FIFO or a device; copy what it holds into a file"
    if os.path.islink(path):
        return f"{path} is a link to {os.readlink(path)}, which does not exist"
    folder, name = os.path.split(path)
    siblings: list[str] = []
    with contextlib.suppress(OSError, ValueError):  # there is no such folder, or it may not be read
        siblings = os.listdir(folder or ".")
    return f"no such file: {short(path, LONGEST)}{did_you_mean(name, siblings)}"


def _read_numpy(path: str) -> Any:
    import warnings

    with open(path, "rb") as file:
        magic = file.read(6)
        file.seek(0)
        if not magic.startswith((b"\x93NUMPY", b"PK")):
            pickled = " but a pickle, which is never loaded" if magic.startswith(b"\x80") else ""
            raise PointError(f"{path} is not a numpy file{pickled}; save the array with numpy.save(path, x)")
        try:
            with warnings.catch_warnings():  # numpy reads a header as Python, which warns of odd ones
                warnings.simplefilter("ignore")
                data = np.load(file, allow_pickle=False)
                return {name: data[name] for name in data.files} if isinstance(data, np.lib.npyio.NpzFile) else data
        except MemoryError:
            raise
        except Exception as error:  # a damaged file can end in any exception of numpy, zipfile, zlib or tokenize
            if "allow_pickle" not in str(error):
                raise PointError(f"{path} is damaged: {one_line(error) or type(error).__name__}") from None
            remedy = "save numbers with numpy.save(path, x.astype(float))"
            raise PointError(f"{path} holds pickled objects, which are never loaded; {remedy}") from None


def _read_text(path: str) -> str:
    with open(path, encoding="utf-8-sig") as file:
        return file.read()


def _read_csv(path: str) -> Any:
    try:
        lines = _read_text(path).splitlines()
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


def read_json(path: str) -> Any:
    """What a JSON file holds."""
    import json

    try:
        data = json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise PointError(f"{path} is not JSON: {one_line(error)}") from None
    return data


def _read_list(path: str) -> Any:
    if isinstance(data := read_json(path), dict):
        raise PointError(f"{path} holds a JSON object; make it a list")
    return data


_TENSORS = {  # of the safetensors format, as NumPy has them, in little-endian order
    **{f"{kind}{size}": f"<{kind.lower()}{size // 8}" for kind in "IU" for size in (16, 32, 64)},
    **{f"F{size}": f"<f{size // 8}" for size in (16, 32, 64)},
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
    "C64": "<c8",
}
_LONGEST_HEADER = 100_000_000  # bytes, as the format has it


def _read_safetensors(path: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file of the safetensors format: eight bytes for the length of a header in JSON, the header, the numbers."""
    import json

    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(length) if 1 < length <= _LONGEST_HEADER else b"")
            entries = {name: dict(entry) for name, entry in header.items() if name != "__metadata__"}
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise PointError(f"{path} is not a safetensors file; save it with save_file of safetensors") from None
        data = bytearray(file.read())
    return {name: _tensor(f"{path}: {short(name)}", entry, data) for name, entry in entries.items()}


def _tensor(what: str, entry: dict[str, Any], data: bytearray) -> NDArray[Any]:
    """One array of a safetensors file, which shares the memory of its data."""
    kind = entry.get("dtype")
    if kind in ("BF16", "F8_E4M3", "F8_E5M2"):
        raise PointError(
            f"{what} is {kind}, which is too coarse to be differenced; save it as float32, as in tensor.float()"
        )
    if kind not in _TENSORS:
        raise PointError(
            f"{what} has dtype {quoted(kind)}, which is none that NumPy has; save it as float64 or float32"
        )
    dtype = np.dtype(_TENSORS[kind])
    try:
        shape = tuple(int(size) for size in entry["shape"])
        start, stop = (int(offset) for offset in entry["data_offsets"])
        whole = min((start, *shape)) >= 0 and stop <= len(data) and stop - start == math.prod(shape) * dtype.itemsize
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise PointError(f"{what} is damaged: its shape and its place do not fit the file")
    array = np.frombuffer(data, dtype, math.prod(shape), start).reshape(shape)
    return array if array.dtype.isnative else array.astype(dtype.newbyteorder("="))


_READERS: dict[str, Callable[[str], Any]] = dict(
    zip(DATA_FILES, (_read_numpy, _read_numpy, _read_csv, _read_list, _read_safetensors), strict=True)
)


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
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    return numbers[0] if len(numbers) == 1 and "," not in text else numbers or None


def _number(text: str) -> complex:
    """A number as it is typed: ``3``, ``0.5``, ``1+2j``.  Raises ValueError for anything else."""
    if text.lstrip("+-").isdecimal():
        return int(text)
    return complex(text) if text.endswith(("j", "J")) else float(text)


def nested_numbers(data: Any, what: str) -> NDArray[Any]:
    """Nested lists of numbers → float64, or complex128 if one of them is complex.

    The leaves are looked at, since numpy takes text and truth for numbers.
    """

    dtype: type = np.float64

    def shape(item: Any, depth: int = 0) -> tuple[int, ...]:
        if isinstance(item, (list, tuple)):
            if depth == MOST_DIMENSIONS:
                raise PointError(f"{what} has more than {MOST_DIMENSIONS} dimensions")
            shapes = {shape(inner, depth + 1) for inner in item}
            if len(shapes) > 1:
                raise PointError(f"{what} is ragged: its rows have different lengths")
            return len(item), *(shapes.pop() if shapes else ())
        nonlocal dtype
        if isinstance(item, bool) or not isinstance(item, (int, float, complex)):
            raise PointError(f"{what} holds {quoted(item)}, which is not a real number")
        dtype = np.complex128 if isinstance(item, complex) else dtype
        return ()

    shape(data)
    try:
        return np.array(data, dtype)
    except OverflowError:
        raise PointError(f"{what} holds a number too large for float64") from None
