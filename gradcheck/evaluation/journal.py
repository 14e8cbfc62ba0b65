"""Evaluations kept in a file, and not repeated: a check that was killed goes on where it was.

The file is an SQLite database, written by this process alone, an evaluation at a time.  An evaluation is known by the callable
and the version of its source, by its further arguments, by the bytes of x, and by how often the check had asked for that very
point before: to see whether a function answers alike twice is part of a check, and must not be answered from memory.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import CellType, CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.evaluation.asking import Elsewhere, elsewhere
from gradcheck.evaluation.sources import describe, own
from gradcheck.variables.arrays import as_numpy

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

    from gradcheck.evaluation.engines import Arguments

FORMAT = "gradcheck journal 1"
TABLES = """
    CREATE TABLE IF NOT EXISTS about (format TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS callables (name TEXT, version BLOB, PRIMARY KEY (name, version));
    CREATE TABLE IF NOT EXISTS evaluations (key BLOB PRIMARY KEY, value BLOB, nature TEXT, seconds REAL) WITHOUT ROWID;
"""
NUMBER, ARRAY, SAME_ARRAY, NOTHING = "number", "array", "same array", "nothing"
"""What an answer was: a number, an array, the array of the last answer again, or none (f raised away from the point)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is known.

    value: as an array.
    nature: NUMBER, ARRAY, SAME_ARRAY or NOTHING.
    seconds: what it took.
    """

    value: NDArray[Any]
    nature: str
    seconds: float

    @property
    def answer(self) -> Any:
        """As the callable gave it: a number, or a new array."""
        return float(self.value) if self.nature == NUMBER else self.value.copy()


class Journal:
    """The file.

    held: how many evaluations it had when it was opened.
    note: for the reader, if it could not be written or read any more, as on a full disk; the check goes on without it.

    Raises `UsageError` if it cannot be opened, or is something else.
    """

    note = ""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import sqlite3  # of use to long checks only

        self.path, self._errors = os.fspath(path), sqlite3.Error
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise UsageError(f"journal {self.path} cannot be used: no regular file; name another one")
        try:
            self.connection: sqlite3.Connection = sqlite3.connect(self.path, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing, a fallen machine may
            found = self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            if found and ("about",) not in found:
                raise sqlite3.DatabaseError("it is the database of something else")
            self.connection.executescript(TABLES)
            self.connection.execute("INSERT OR IGNORE INTO about VALUES (?)", (FORMAT,))
            self._before = self.connection.execute("SELECT name, version FROM callables").fetchall()
            (self.held,) = self.connection.execute("SELECT count(*) FROM evaluations").fetchone()
        except sqlite3.Error as error:
            raise UsageError(f"journal {self.path} cannot be used: {error}; name another file") from None

    def ledger(self, role: str, call: Callable[..., Any], args: Arguments) -> Ledger:
        """What is kept of one callable with its further arguments."""
        further = [part for pair in sorted(args.items()) for part in pair] if isinstance(args, Mapping) else args
        version = _digest([_version(call), *_bound(call)])
        name = f"{role} {describe(call).name}"
        versions = {found for known, found in self._before if known == name}
        self._ask("INSERT OR IGNORE INTO callables VALUES (?, ?)", (name, version))
        prefix = _digest([role.encode(), version, *_preset(call), *map(_content, further)])
        known = version in versions
        return Ledger(self, prefix, resumed=known, outdated=versions - {version}, elsewhere=elsewhere(call))

    def get(self, key: bytes) -> Kept | None:
        """What is known of an evaluation."""
        found = self._ask("SELECT value, nature, seconds FROM evaluations WHERE key = ?", (key,))
        if not found:
            return None
        row = found[0]
        return Kept(np.load(io.BytesIO(row[0]), allow_pickle=False), row[1], row[2])

    def put(self, key: bytes, kept: Kept) -> None:
        """Keep an evaluation; it is on file when this returns, if it can be."""
        held = io.BytesIO()
        np.save(held, kept.value, allow_pickle=False)
        self._ask(
            "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?)", (key, held.getvalue(), kept.nature, kept.seconds)
        )

    def _ask(self, command: str, values: tuple[Any, ...]) -> list[Any]:
        """The rows that a command of SQL gives; none once one has failed."""
        if self.note:
            return []
        try:
            return self.connection.execute(command, values).fetchall()
        except self._errors as error:
            self.note = f"the journal {self.path} failed ({error}); evaluations from then on are not kept"
            return []

    def close(self) -> None:
        """Nothing is read or written any more."""
        self.connection.close()


class Ledger:
    """The pages of a journal that belong to one callable.

    resumed: it was there before.
    outdated: whether there are evaluations of other versions of it, which are not used.
    elsewhere: stands for a callable that cannot be called here.
    """

    def __init__(
        self,
        journal: Journal,
        prefix: bytes,
        *,
        resumed: bool,
        outdated: Iterable[bytes],
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.journal, self.prefix, self.elsewhere = journal, prefix, elsewhere
        self.resumed, self.outdated = resumed and elsewhere is None, bool(outdated)
        self.asked: Counter[bytes] = Counter()
        self._last: NDArray[Any] | None = None

    def key(self, *arguments: Any) -> bytes:
        """That of the next evaluation with these arguments."""
        place = _digest([self.prefix, *map(_content, arguments)])
        self.asked[place] += 1
        return _digest([place, self.asked[place].to_bytes(8, "little")])

    def contradicted(self, call: Callable[[], Any], *arguments: Any) -> bool:
        """Whether a call answers otherwise than the journal has of its first time; asks the callable once, off the record."""
        place = _digest([self.prefix, *map(_content, arguments)])
        kept = self.journal.get(_digest([place, (1).to_bytes(8, "little")]))
        return kept is not None and not np.array_equal(np.asarray(call()), kept.value, equal_nan=True)

    def keep(self, key: bytes, value: NDArray[np.float64], seconds: float, *, failed: bool = False) -> None:
        """Keep what f answered away from the point; `failed`: it raised."""
        self.journal.put(key, Kept(value, NOTHING if failed else ARRAY, seconds))

    def asked_for(self, call: Callable[[], Any], *arguments: Any) -> tuple[Any, float]:
        """What a call with these arguments answers, from the journal or anew, and what it takes, in seconds.

        Arguments by name are the same at every call, and not told here.

        An answer that is no array of numbers, and a call that writes into its arguments, are not kept.
        """
        key = self.key(*arguments)
        kept = self.journal.get(key)
        if kept is None and self.elsewhere is not None:
            self.elsewhere.await_values([key], arguments[:1])
        if kept is None:
            before = _digest(map(_content, arguments))
            started = time.perf_counter()
            answer = call()
            seconds = time.perf_counter() - started
            if _digest(map(_content, arguments)) == before:
                self._keep(key, answer, seconds)
        elif kept.nature == SAME_ARRAY and self._last is not None:
            self._last[...] = kept.value  # as the function did: it has one array for all answers
            return self._last, kept.seconds
        else:
            answer, seconds = kept.answer, kept.seconds
            if self.elsewhere is not None:
                answer = self.elsewhere.answered(answer)
        self._last = answer if isinstance(answer, np.ndarray) else None
        return answer, seconds

    def _keep(self, key: bytes, value: Any, seconds: float) -> None:
        if isinstance(value, (float, int, np.floating, np.integer)) and not isinstance(value, bool):
            self.journal.put(key, Kept(np.asarray(value, np.float64), NUMBER, seconds))
        elif isinstance(value, np.ndarray) and value.dtype.kind in "fiuc" and type(value) is np.ndarray:
            same = self._last is not None and value.shape == self._last.shape and np.may_share_memory(value, self._last)
            self.journal.put(key, Kept(value, SAME_ARRAY if same else ARRAY, seconds))


def _version(call: Callable[..., Any]) -> bytes:
    """What changes when the source of a callable may have: the file that it is written in, else its code."""
    call = own(call, "__wrapped__") or call
    where = describe(call)
    if where.file is not None:
        path = Path(where.file)
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).digest() + where.name.encode()
    code = _code(call)
    return where.name.encode() if code is None else code.co_code + repr(code.co_consts).encode()


def _code(call: Callable[..., Any]) -> CodeType | None:
    code = own(call, "__code__") or own(type(call).__call__, "__code__")
    return code if isinstance(code, CodeType) else None


def _bound(call: Callable[..., Any]) -> list[bytes]:
    """The numbers, texts and arrays that a function carries with it: in its closure, its defaults, its partial arguments."""
    cells, *given = (own(call, name) for name in ("__closure__", "__defaults__", "args"))
    held = [_contents(cell) for cell in cells if isinstance(cell, CellType)] if isinstance(cells, tuple) else []
    held += [value for values in given if isinstance(values, tuple) for value in values]
    return [_content(value) for value in held if isinstance(value, (int, float, complex, str, np.ndarray))]


def _preset(call: Callable[..., Any]) -> list[bytes]:
    """The arguments by name that a partial function carries with it."""
    named = own(call, "keywords")
    return [_content(part) for pair in sorted(named.items()) for part in pair] if isinstance(named, Mapping) else []


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is still empty
        return None


def _content(value: Any) -> bytes:
    """What tells a value from another: type, shape and bytes of an array, the parts of a tree, else how it is spelt."""
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    elif is_dataclass(value):
        value = [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, (list, tuple)):
        return _digest([str(len(value)).encode(), *map(_content, value)])
    if isinstance(value, np.ndarray) or own(value, "__array__") is not None:
        array = as_numpy(value)
        if array.dtype.kind != "O":
            return f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()
    try:
        return repr(value).encode("utf-8", "backslashreplace")
    except Exception:  # of a __repr__ of the user's
        return type(value).__qualname__.encode()


def _digest(parts: Iterable[bytes]) -> bytes:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little") + part)
    return found.digest()
