"""The compared entries of a derivative, kept as columns and handed out as `EntryCheck` records on demand.

A check of a million entries must not build a million objects: a table holds arrays, and `table[k]` makes one record.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from gradcheck.model import DerivativeEstimate, EntryCheck, Status, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.model import ErrorMap, Ladder
    from gradcheck.variables.places import Places

    Array = NDArray[np.float64]

KEPT = 10_000  # entries a report holds: every one that did not PASS first, then the worst of the others
CELLS = 200  # a map of errors has no more rows, and no more columns
STATUSES = tuple(Status)


def status_code(status: Status) -> int:
    """The small integer that stands for a status in a column."""
    return STATUSES.index(status)


def kept_ladder(steps: Array, values: Array, noise: float) -> Ladder:
    """Central differences (R,) at steps (R,) for the record, where they are numbers; noise: of f."""
    from gradcheck.model import Ladder

    there = np.isfinite(values)
    return Ladder(
        steps=tuple(steps[there].tolist()),
        values=tuple(values[there].tolist()),
        noise=tuple((noise / steps[there]).tolist()),
    )


@dataclass(slots=True, eq=False, repr=False)
class Columns:
    """Compared entries as parallel arrays of length N; a re-examination writes into them.

    entry: flat index into the derivative (row-major), int64.
    verdict, status: small integers.
    evaluations: calls of f spent on the entry.
    detail: by flat index, what does not fit a column: reason, left, right, kink, ladder.
    """

    entry: NDArray[np.int64]
    claimed: Array
    numeric: Array
    uncertainty: Array
    step: Array
    evaluations: NDArray[np.int64]
    verdict: NDArray[np.int8]
    status: NDArray[np.int8]
    detail: dict[int, dict[str, Any]] = field(default_factory=dict)

    def take(self, rows: NDArray[Any]) -> Columns:
        """The rows named by an index array or mask."""
        entry = self.entry[rows]
        kept = set(entry.tolist()) if self.detail else set()
        return Columns(
            entry,
            self.claimed[rows],
            self.numeric[rows],
            self.uncertainty[rows],
            self.step[rows],
            self.evaluations[rows],
            self.verdict[rows],
            self.status[rows],
            {k: v for k, v in self.detail.items() if k in kept},
        )

    @property
    def doubtful(self) -> NDArray[np.int64]:
        """The entries that did not PASS."""
        found: NDArray[np.int64] = self.entry[self.verdict != Verdict.PASS]
        return found

    @property
    def size(self) -> Array:
        """The larger of |claimed| and |numeric|."""
        return np.maximum(np.abs(self.claimed), np.abs(self.numeric))

    @property
    def gap(self) -> Array:
        """|claimed − numeric|; inf where one of them is no number."""
        with np.errstate(invalid="ignore"):
            gap = np.abs(self.claimed - self.numeric)
        return np.where(np.isnan(gap), np.inf, gap)


def no_columns() -> Columns:
    """None at all."""
    nothing, ints, small = np.empty(0), np.empty(0, np.int64), np.empty(0, np.int8)
    return Columns(ints, nothing, nothing, nothing, nothing, ints, small, small)


def join(parts: Sequence[Columns]) -> Columns:
    """Columns one after another."""
    if len(parts) == 1:
        return parts[0]
    names = ("entry", "claimed", "numeric", "uncertainty", "step", "evaluations", "verdict", "status")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Columns(**arrays, detail={k: v for part in parts for k, v in part.detail.items()})


def foremost(columns: Columns, most: int) -> Columns:
    """Those rows that may be among the `most` worst, in their order: what did not PASS, and else the largest gaps."""
    if columns.entry.size <= 2 * most:  # no need to choose
        return columns
    passed, gap = columns.verdict == Verdict.PASS, columns.gap
    left = most - int(np.count_nonzero(~passed))
    if left <= 0:
        return columns.take(~passed)
    return columns.take(~passed | (gap >= np.partition(gap[passed], -left)[-left]))


def worst_first(columns: Columns, most: int = KEPT) -> Columns:
    """Sorted by verdict, then by the size of the gap, then by index; at most `most` rows."""
    columns = foremost(columns, most)
    if (columns.verdict == Verdict.PASS).all() and (columns.entry[1:] > columns.entry[:-1]).all():
        order = np.argsort(-columns.gap, kind="stable")[:most]
    else:
        order = np.lexsort((columns.entry, -columns.gap, -columns.verdict.astype(np.int64)))[:most]
    return columns.take(order)


def error_map(columns: Columns, rows: int, width: int, *, complete: bool) -> ErrorMap:
    """Where a matrix of rows × width entries did not pass.

    complete: every entry that is not among the columns is known to agree.
    """
    from gradcheck.model import ErrorMap

    block = (-(-rows // CELLS), -(-width // CELLS))
    height, breadth = -(-rows // block[0]), -(-width // block[1])
    cells = np.full(height * breadth, "." if complete else " ")
    place = columns.entry // width // block[0] * breadth + columns.entry % width // block[1]
    gap, wrong = columns.gap, columns.verdict == Verdict.FAIL
    largest = float(gap[wrong & np.isfinite(gap)].max(initial=0.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        decade = np.clip(np.nan_to_num(np.floor(np.log10(largest / gap)), nan=0.0), 0, 9).astype(np.int8)
    marks = np.array([".", "?", "0", "!"])[columns.verdict]
    marks[wrong] = decade[wrong].astype("U1")
    gravest_last = np.lexsort((-decade, columns.verdict))  # where several fall into a cell, the last one stays
    cells[place[gravest_last]] = marks[gravest_last]
    return ErrorMap(
        shape=(rows, width),
        block=block,
        cells=tuple("".join(row) for row in cells.reshape(height, breadth).tolist()),
        largest=largest,
    )


class Table(Sequence[EntryCheck]):
    """A sequence of `EntryCheck`, worst first, each made when it is asked for."""

    __slots__ = ()

    @abstractmethod
    def _record(self, row: int) -> EntryCheck:
        """The one at a place of the sequence, which is not negative."""

    @overload
    def __getitem__(self, key: int) -> EntryCheck: ...
    @overload
    def __getitem__(self, key: slice) -> list[EntryCheck]: ...
    def __getitem__(self, key: int | slice) -> EntryCheck | list[EntryCheck]:
        if isinstance(key, slice):
            return [self._record(row) for row in range(len(self))[key]]
        return self._record(range(len(self))[key])

    def __iter__(self) -> Iterator[EntryCheck]:
        return map(self._record, range(len(self)))


class EntryTable(Table):
    """Entries of a derivative, sorted and made from columns when they are asked for.

    places: where the entries are in the derivative, and what they are called.
    explained: flat indices of those that a diagnosis accounts for.
    """

    __slots__ = ("_columns", "_drawn", "_sorted", "explained", "places")

    def __init__(self, columns: Columns, places: Places, explained: frozenset[int] = frozenset()) -> None:
        self._columns, self._sorted, self._drawn = columns, False, -1  # the row whose ladder is handed out
        self.places, self.explained = places, explained

    @property
    def columns(self) -> Columns:
        """The entries as columns, worst first."""
        if not self._sorted:
            self._columns, self._sorted = worst_first(self._columns), True
            drawn = {entry for entry, extra in self._columns.detail.items() if "ladder" in extra}
            if drawn:
                self._drawn = next(row for row, entry in enumerate(self._columns.entry.tolist()) if entry in drawn)
        return self._columns

    def __len__(self) -> int:
        return len(self._columns.entry)

    def __repr__(self) -> str:
        return f"<{len(self)} entries of a derivative of shape {self.places.shape}>"

    def _record(self, row: int) -> EntryCheck:
        c = self.columns
        flat = int(c.entry[row])
        claimed, numeric = float(c.claimed[row]), float(c.numeric[row])
        gap = abs(claimed - numeric)
        size = max(abs(claimed), abs(numeric))
        detail = c.detail.get(flat, {})
        return EntryCheck(
            index=self.places.index(flat),
            path=self.places.name(flat),
            claimed=claimed,
            estimate=DerivativeEstimate(
                value=numeric,
                uncertainty=float(c.uncertainty[row]),
                step=float(c.step[row]),
                evaluations=int(c.evaluations[row]),
                status=STATUSES[c.status[row]],
                left=detail.get("left"),
                right=detail.get("right"),
                kink=detail.get("kink"),
                ladder=detail.get("ladder") if row == self._drawn else None,
            ),
            abs_error=gap,
            rel_error=gap / size if size > 0 else (0.0 if gap == 0 else gap),
            verdict=Verdict(int(c.verdict[row])),
            reason=detail.get("reason", ""),
            explained=flat in self.explained,
        )


__all__ = [
    "KEPT",
    "Columns",
    "EntryTable",
    "Table",
    "error_map",
    "foremost",
    "join",
    "kept_ladder",
    "no_columns",
    "status_code",
    "worst_first",
]
