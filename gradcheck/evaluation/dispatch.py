"""How f is evaluated at many points: which engine, here or on workers, in which pieces.

An engine is a row of ENGINES; the first that takes the work at hand does it.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gradcheck.errors import is_interrupt
from gradcheck.evaluation import engines
from gradcheck.evaluation.answers import raised
from gradcheck.evaluation.deadline import Deadline
from gradcheck.evaluation.engines import Batches, Calling, InLoop, InRows, Points, Steps, Values, Work
from gradcheck.variables.numbers import MaskedValues

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.journal import Ledger
    from gradcheck.evaluation.workers import Workers

    Array = NDArray[np.float64]

BETWEEN_TICKS = 0.1  # seconds between two reports of progress
FEW = 64  # points that are not worth a batch, nor its risk: what is in doubt is looked at one point at a time
GUESSED_FROM = 32  # variables from which it is tried whether f takes rows, and …
HELD = 2**20  # entries of points that are looked up at a time
TRIED = (3, 5)  # … with how many rows, twice


def no_tick(done: int) -> None:
    """Nobody watches."""


class Engine(Protocol):
    """A way to evaluate f at points that differ from x in one entry each.

    label: for the report.
    travels: its work can be done in another process.
    """

    label: str
    travels: bool

    def prepare(self, calling: Calling, steps: Steps) -> Callable[[Steps], Work] | None:
        """What makes work of a part of these points; None if the engine does not take them, or does not pay."""

    def unit(self, steps: Steps) -> int:
        """A piece of work is a multiple of so many points."""


class OneByOne:
    """One point at a time, in one scratch array."""

    label, travels = "one point at a time", True

    def prepare(self, calling: Calling, steps: Steps) -> Callable[[Steps], Work] | None:
        return lambda part: part

    def unit(self, steps: Steps) -> int:
        return 1


class Rows:
    """Many points at once, for an f that takes rows."""

    label, travels = "batches of rows", True

    def prepare(self, calling: Calling, steps: Steps) -> Callable[[Steps], Work] | None:
        return Batches if calling.rows is not None and not calling.vmapped and worth_rows(steps) else None

    def unit(self, steps: Steps) -> int:
        return engines.batch_size(steps.x)  # batches are the same whatever the number of workers


class Vmapped(Rows):
    """Many points at once, for an f of torch or jax, by what their vmap makes of it."""

    label, travels = "batches by vmap", False

    def prepare(self, calling: Calling, steps: Steps) -> Callable[[Steps], Work] | None:
        return Batches if calling.vmapped and worth_rows(steps) else None


class CompiledLoop:
    """In a compiled loop, for an f that Numba compiled."""

    label, travels = "compiled loop", False

    def prepare(self, calling: Calling, steps: Steps) -> Callable[[Steps], Work] | None:
        loop = engines.loop_for(calling, steps.x, len(steps))
        return None if loop is None else lambda part: InLoop(part, loop)

    def unit(self, steps: Steps) -> int:
        return 1


ENGINES: tuple[Engine, ...] = (Rows(), Vmapped(), CompiledLoop(), OneByOne())


def worth_rows(steps: Steps) -> bool:
    """Whether there are so many points, of so few entries each, that batches gain something."""
    return len(steps) >= FEW and engines.batch_size(steps.x) >= engines.FEWEST_ROWS


class Dispatch:
    """Evaluates f at many points and keeps the books.

    calling: how f is called, as is known by now.
    deadline: after which it is not called any more; `OutOfTime` says so.
    try_rows: it may be found out whether f takes rows.
    ledger: keeps what f answered, so that it is not asked again; then f is called one point at a time.
    calls: of f; a point of a batch counts as one.
    seconds: what a call of f takes, as far as is known.
    first_seconds: what the first took, where there is a ledger, which keeps that.
    engine: how most points were evaluated, in a few words.
    notes: what the reader should know of that.
    """

    def __init__(
        self,
        calling: Calling,
        role: str,
        workers: Workers | None,
        deadline: Deadline,
        *,
        try_rows: bool,
        ledger: Ledger | None = None,
    ) -> None:
        self.calling, self.role, self.workers, self.try_rows = calling, role, workers, try_rows
        self.deadline, self.ledger = deadline, ledger
        self.calls = 0
        self.seconds = math.inf
        self.first_seconds: float | None = None
        self.engine = OneByOne.label
        self.notes: list[str] = [] if workers is None else workers.notes
        self._largest = 0  # number of points evaluated at once

    # ---- many points

    def along_columns(self, steps: Steps, tick: Callable[[int], None]) -> Array:
        """f at the points of `steps`, by the engine that suits their number and f: (N, m); ticks count pairs."""
        count = len(steps)
        if not count:
            return np.empty((0, self.calling.size))
        if self.ledger is not None:
            return self._kept(self.ledger, steps.points(), tick)
        if self._may_take_rows(steps):
            tried = sum(TRIED)
            known = self._try_rows(steps.part(0, tried), count)
            return joined([known, self.along_columns(steps.part(tried, count), lambda done: tick(done + tried // 2))])
        workers = self.workers if self.workers is not None and self.workers.pays(count * self.seconds) else None
        engine, work = next(
            (engine, work)
            for engine in ENGINES
            if (workers is None or engine.travels) and (work := engine.prepare(self.calling, steps)) is not None
        )
        if count >= self._largest:
            self._largest = count
            self.engine = engine.label + ("" if workers is None else f" on {workers.label}")
        piece = self._piece() if workers is None else workers.piece(count, self.seconds)
        unit = engine.unit(steps)
        piece = -(-piece // unit) * unit
        parts = [steps] if piece >= count else [steps.part(low, low + piece) for low in range(0, count, piece)]
        found, done = [], 0
        for part, answer in zip(parts, self._answers(map(work, parts), workers), strict=True):
            found.append(self._taken(answer))
            done += len(part)
            tick(done // 2)
        return joined(found)

    def at_points(self, points: NDArray[Any]) -> Array:
        """f at each row of an array of points: (N, m)."""
        if self.ledger is not None:
            return self._kept(self.ledger, points, no_tick)
        rows = self.calling.rows is not None
        if self.workers is None or not self.workers.pays(len(points) * self.seconds):
            found, piece = [], len(points) if rows else self._piece()
            for low in range(0, max(1, len(points)), piece):
                part = points[low : low + piece]
                started = time.perf_counter()
                found.append(self._taken(self._run(InRows(part) if rows else Points(part))))
                self.seconds = min(self.seconds, (time.perf_counter() - started) / max(1, len(part)))
            return joined(found)
        works: list[Work] = [InRows(points)] if rows else [Points(row[None]) for row in points]
        return np.concatenate([self._taken(answer) for answer in self._answers(works, self.workers)])

    def at_point(self, point: NDArray[Any]) -> Array:
        """f at a point (n,) that the caller lends for the call: (m,)."""
        if self.ledger is not None:
            return self._kept(self.ledger, point.reshape(1, -1), no_tick)[0]
        return self._taken(self._run(Points(point.reshape(1, -1))))[0]

    def _kept(self, ledger: Ledger, points: Iterable[NDArray[Any]], tick: Callable[[int], None]) -> Array:
        """f at points (n,) one after another, from the ledger where they are known: (N, m); ticks count pairs."""
        found: list[Array] = []
        for group in batched(points, HELD // self.calling.layout.size + 1):
            found += self._of_group(ledger, group)
            tick(len(found) // 2)
        return np.array(found).reshape(len(found), -1)

    def _of_group(self, ledger: Ledger, points: Iterable[NDArray[Any]]) -> list[Array]:
        keys = [(ledger.key(point), point) for point in points]
        known = {key: kept for key, _ in keys if (kept := ledger.journal.get(key)) is not None}
        waiting = [(key, point) for key, point in keys if key not in known]
        if waiting and ledger.elsewhere is not None:
            ledger.elsewhere.await_values(*zip(*waiting, strict=True))
        self.calls += len(known)
        self.seconds = min([self.seconds, *(kept.seconds for kept in known.values())])
        values = {key: np.asarray(kept.value, np.float64).reshape(-1) for key, kept in known.items()}
        workers = self.workers if self.workers is not None and self.workers.pays(len(waiting) * self.seconds) else None
        if self.workers is not None and self.workers.pays(len(keys) * self.seconds):
            self.engine = f"{OneByOne.label} on {self.workers.label}"
        works: list[Work] = [Points(point[None]) for _, point in waiting]
        started = time.perf_counter()
        for (key, _), answer in zip(waiting, self._answers(works, workers), strict=True):
            ended = time.perf_counter()
            values[key] = self._taken(answer)[0]
            ledger.keep(key, values[key], ended - started, failed=answer.failure is not None)
            self.seconds = min(self.seconds, ended - started)
            started = ended
        return [values[key] for key, _ in keys]

    def _answers(self, works: Iterable[Work], workers: Workers | None) -> Iterator[Values]:
        return map(self._run, works) if workers is None else workers.results(self.calling, works, self.deadline)

    def _piece(self) -> int:
        """How many points are evaluated here before anybody asks how it goes."""
        return max(1, int(BETWEEN_TICKS / self.seconds))

    def _run(self, work: Work) -> Values:
        """Work done here; the calls that an interrupt cuts short count, too."""
        self.deadline.require()
        books = engines.Books()
        try:
            return work.run(self.calling, books)
        except BaseException as error:
            if is_interrupt(error) or isinstance(error, Exception):  # an exception of f's would be NaN by now
                self.calls += books.calls
                raise
            return Values(np.empty((0, self.calling.size)), books.calls, ended=error)

    def _taken(self, answer: Values) -> Array:
        """The values of an answer; its calls are put on record.  Raises `UserCodeError` if f was about to end it all."""
        self.calls += answer.calls
        if answer.ended is not None and is_interrupt(answer.ended):
            raise answer.ended
        if isinstance(answer.ended, engines.Unfit):
            raise MaskedValues(self.role)
        if answer.ended is not None:
            raise raised(self.role, self.calling.call, answer.ended, where="") from answer.ended
        if answer.no_rows and self.calling.rows is not None:
            self.calling = replace(self.calling, rows=None)
            self.notes.append(
                f"{self.role} answers for rows otherwise than for each alone; it was called one point at a time"
            )
        return answer.values

    # ---- whether f takes rows

    def _may_take_rows(self, steps: Steps) -> bool:
        """Whether it is to be tried out if f takes rows: nobody has said so, it would pay, and f does nothing else."""
        if not self.try_rows or not worth_rows(steps):
            return False
        from gradcheck.evaluation.harmless import harmless  # start-up counts

        self.try_rows = False
        return steps.x.size >= GUESSED_FROM and self.calling.in_place and harmless(engines.plain(self.calling.call))

    def _try_rows(self, steps: Steps, count: int) -> Array:
        """f at a few points, one at a time, (N, m); it gets rows from now on if it answers alike for them at once.

        count: how many points there are to be.
        """
        points = np.array([point.copy() for point in steps.points()])
        values = self.at_points(points)
        candidate = self._of_rows(count)
        if candidate is not None and self._takes_rows(candidate, points, values):
            self.calling = candidate
        return values

    def _of_rows(self, count: int) -> Calling | None:
        """f as one of rows: f itself or, of arrays of a framework, what vmap makes of it; None if that would not pay."""
        calling, layout = self.calling, self.calling.layout
        if layout.framework is None:
            return replace(calling, rows=calling.call)
        mapped = layout.framework.batched(lambda variables: calling.call(layout.assembled(variables)))
        if mapped is None or self.workers is not None or count * self.seconds < layout.framework.batching:
            return None
        return replace(calling, rows=lambda x: mapped(layout.variables(x)), vmapped=True)

    def _takes_rows(self, calling: Calling, points: NDArray[Any], values: Array) -> bool:
        """Whether f takes an array of rows and answers for each as it did for that one alone, twice."""
        for count, chosen in zip(TRIED, (slice(-TRIED[0], None), slice(-sum(TRIED), -TRIED[0])), strict=True):
            self.calls += 1
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                batch = engines.by_rows(calling, points[chosen].copy())
            if batch is None or not engines.close(batch, values[chosen]):
                return False
            self.calls += count - 1
        return True


def joined(parts: list[Array]) -> Array:
    """Values found in parts."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def batched(points: Iterable[NDArray[Any]], count: int) -> Iterator[list[NDArray[Any]]]:
    """Copies of points, so many at a time."""
    remaining = iter(points)
    while group := [point.copy() for point in islice(remaining, count)]:
        yield group
