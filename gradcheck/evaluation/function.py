"""The only place that calls user code: it copies, checks, counts and chooses the engine.

`Function` evaluates f: R^n → R^m around a point; `Claim` evaluates the claimed derivative.  Both take and return flat arrays,
whatever shapes the user's code has.  Away from the point itself, anything that is no number (NaN, an exception) is NaN here.
"""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.evaluation import engines
from gradcheck.evaluation.engines import Batches, Calling, InRows, Points, Steps, Values, Work
from gradcheck.evaluation.harmless import harmless

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from gradcheck.evaluation.workers import Workers

    Array = NDArray[np.float64]

BETWEEN_TICKS = 0.1  # seconds between two reports of progress
FEW = 64  # points that are not worth a batch, nor its risk: what is in doubt is looked at one point at a time
GUESSED_FROM = 32  # variables from which it is tried whether f takes rows, and …
TRIED = (3, 5)  # … with how many rows, twice
SMALL_ENOUGH = 2**12  # entries
LINE_BYTES = 2**20  # of points along a line held at a time


def _no_tick(done: int) -> None:
    """Nobody watches."""


class Function:
    """A user's f, called with arrays of the shape and dtype of `x0`; values come back as flat float64 arrays.

    vectorized: f takes an array of points, (k, *shape of x0), and answers for each; None finds out.  jit: compile f with Numba.
    jobs, executor: evaluate on so many processes, or on a given executor.

    Attributes:
        calls: how often f was called; a point of a batch counts as one call.
        size: m, the number of values (1 for a scalar f); known after `at`.
        shape: of the value, () for a scalar f.
        in_place: f may be handed one scratch array whose entries change between calls (set by preflight; False makes a copy
            for every call).
        bounds: (low, high), each shape (n,), outside of which f is not called; or None.
        mutated: f was seen to write into its argument.
        failure: the first exception that f raised away from the point, or None.
        seconds: what a call of f takes, as far as is known.
        engine: how most points were evaluated, in a few words for the report.
        notes: what the reader should know of how f was evaluated.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        x0: NDArray[Any],
        *,
        args: tuple[Any, ...] = (),
        bounds: tuple[Array, Array] | None = None,
        role: str = "f",
        scalar: bool = True,
        vectorized: bool | None = None,
        jit: bool = False,
        jobs: int = 1,
        executor: Executor | None = None,
    ) -> None:
        self.raw = call
        self.call: Callable[[NDArray[Any]], Any] = engines.WithArguments(call, args) if args else call
        self.rows = self.call if vectorized else None
        if vectorized:
            self.call = engines.FirstOfRows(self.call)
        self.args = args
        self.argument_shape = x0.shape
        self.dtype = x0.dtype
        self.bounds = bounds
        self.role = role
        self.scalar = scalar
        self.calls = 0
        self.size = 1
        self.shape: tuple[int, ...] = ()
        self.in_place = True
        self.mutated = False
        self.failure: Exception | None = None
        self.seconds = math.inf
        self.engine = "one point at a time"
        self.notes: list[str] = []
        self._plain = False
        self._largest = 0  # number of points evaluated at once
        self._may_take_rows = vectorized is None and scalar
        self._jit = jit and not vectorized
        self._seen: tuple[NDArray[Any], Array] | None = None
        self._workers: Workers | None = None
        if jobs > 1 or executor is not None:
            from gradcheck.evaluation.workers import Workers

            self._workers = Workers(jobs, executor, self.notes)

    # ---- single values

    def at(self, x: NDArray[Any]) -> Array:
        """f at the point itself, on a copy: shape (m,).

        Raises:
            UserCodeError: f raised (``__cause__`` is its exception), or its value is no real number or array of them.
        """
        started = time.perf_counter()
        value = self.raw_at(x)
        self.seconds = min(self.seconds, time.perf_counter() - started)
        if self._jit:
            value = self._compiled(x, value)
        flat, shape = self._numbers(value)
        self.size, self.shape = flat.size, shape
        self._plain = self.scalar and type(value) in engines.NUMBERS
        return flat

    def _compiled(self, x: NDArray[Any], value: Any) -> Any:
        """Have f compiled; returns its value at x, which was `value`."""
        from gradcheck.evaluation.compilation import compile_with_numba

        self._jit = False
        result = compile_with_numba(self.raw, self.args, x.reshape(self.argument_shape), value, self.role)
        self.calls += result.calls
        self.notes += [result.note] if result.note else []
        if result.call is None:
            return value
        self.call, self.seconds = result.call, math.inf
        return self.raw_at(x)

    def raw_at(self, x: NDArray[Any]) -> Any:
        """What f returns at the point, on a copy, unconverted; notes whether f wrote into the copy."""
        return self._called(x.reshape(self.argument_shape).copy(), x)

    def at_scratch(self, x: NDArray[Any], other: NDArray[Any]) -> Array:
        """f at the point, handed an array that held `other` at an earlier call: finds an f that remembers arrays by identity."""
        argument = other.reshape(self.argument_shape).copy()
        with contextlib.suppress(UserCodeError):  # `other` may lie outside the domain
            self._called(argument, other)
        argument[...] = x.reshape(self.argument_shape)
        return self._numbers(self._called(argument, x))[0]

    def _called(self, argument: NDArray[Any], x: NDArray[Any]) -> Any:
        self.calls += 1
        try:
            value = self.call(argument)
        except Exception as error:
            raise raised(self.role, self.call, error) from error
        if not unchanged(argument, x):
            self.mutated = True
        return value

    def _numbers(self, value: Any) -> tuple[Array, tuple[int, ...]]:
        """`value` as a flat float64 array, and its shape; or a UserCodeError that says what it is instead."""
        role = self.role
        if value is None:
            raise UserCodeError(f"{role} returned None: does it end without a return statement?")
        try:
            array = np.asarray(value)
        except Exception as error:
            raise UserCodeError(f"{role} returned {type(value).__name__}, which is no number") from error
        if array.dtype.kind == "c":
            raise UserCodeError(
                f"{role} returned a complex number; return its real part, or check real and imaginary parts apart"
            )
        if array.dtype.kind not in "fiub":
            raise UserCodeError(f"{role} returned {type(value).__name__} (dtype {array.dtype}), which is no number")
        if self.scalar and array.size != 1:
            raise UserCodeError(
                f"{role} returned an array of shape {array.shape} where one number was expected; "
                "check a vector-valued function with --jac (check_jacobian)"
            )
        flat = array.astype(np.float64).reshape(-1)
        return flat, (() if self.scalar else array.shape)

    # ---- many values

    def near(self, x: NDArray[Any]) -> Array:
        """f at some point, shape (m,); NaN where it has no value there."""
        return self._taken(Points(x.reshape(1, -1).copy()).run(self._calling()))[0]

    def prepared(self, point: NDArray[Any]) -> Array:
        """f at a point in an array (flat, in the dtype of x) that the caller lends for the call: as `near`, without a copy."""
        lent = point if self.in_place else point.copy()
        return self._taken(Points(lent.reshape(1, -1)).run(self._calling()))[0]

    def pairs(
        self, x: NDArray[Any], columns: NDArray[np.intp], steps: Array, tick: Callable[[int], None] = _no_tick
    ) -> tuple[Array, Array]:
        """f(x + h e_i) and f(x − h e_i) for each column i and step h: two arrays (N, m)."""
        flat = x.reshape(-1)
        here = flat[columns].astype(np.float64)
        moved = np.empty(2 * len(columns))
        moved[0::2], moved[1::2] = here + steps, here - steps
        values = self._along_columns(flat, columns.repeat(2), moved, tick)
        return values[0::2], values[1::2]

    def ray(self, x: NDArray[Any], column: int, offsets: Array) -> Array:
        """f(x + t e_i) for each offset t: (N, m)."""
        flat = x.reshape(-1)
        return self._along_columns(flat, np.full(offsets.size, column, np.intp), flat[column] + offsets, _no_tick)

    def line(self, x: NDArray[Any], direction: Array, steps: Array) -> tuple[Array, Array, Array]:
        """f(x + t v) and f(x − t v) for each t: (plus, minus), each (N, m), and the displacement that happened.

        x ± t v is rounded to the dtype of x; the third array (N,) is half the realised displacement along v, in units of v,
        which replaces t in differences.
        """
        flat = x.reshape(-1)
        square = float(direction @ direction)
        group = max(1, LINE_BYTES // (16 * flat.size))
        found, realised = [], []
        room = np.empty((2 * min(group, len(steps)), flat.size), self.dtype)
        for low in range(0, len(steps), group):
            with np.errstate(over="ignore", invalid="ignore"):
                t = steps[low : low + group, None]
                points = room[: 2 * len(t)]
                ahead, behind = points[0::2], points[1::2]
                moved = np.multiply(t, direction, out=behind if self.dtype == np.float64 else None)
                np.add(flat, moved, out=ahead, casting="same_kind")
                np.subtract(flat, moved, out=behind, casting="same_kind")
                realised.append(np.subtract(ahead, behind, dtype=np.float64) @ direction / (2 * square))
            found.append(self._one_by_one(points))
        if self._may_take_rows and engines.batch_size(flat) >= engines.FEWEST_ROWS and len(points) >= sum(TRIED):
            self._seen = points, found[-1]
        values = _joined(found)
        return values[0::2], values[1::2], _joined(realised)

    def close(self) -> None:
        """End the worker processes that were started, if any."""
        if self._workers is not None:
            self._workers.close()

    # ---- engines

    def _calling(self) -> Calling:
        """How f is called, as is known by now."""
        return Calling(
            call=self.call,
            shape=self.argument_shape,
            value_shape=self.shape,
            scalar=self.scalar,
            plain=self._plain,
            in_place=self.in_place,
            rows=self.rows,
        )

    def _along_columns(
        self, x: NDArray[Any], columns: NDArray[np.intp], moved: Array, tick: Callable[[int], None]
    ) -> Array:
        """f at x with entry columns[n] set to moved[n], for each n: (N, m); NaN beyond the bounds."""
        if self.dtype != np.float64:
            moved = moved.astype(self.dtype).astype(np.float64)
        if self.bounds is None:
            return self._at_steps(Steps(x, columns, moved), tick)
        allowed = (moved >= self.bounds[0][columns]) & (moved <= self.bounds[1][columns])
        values = np.full((len(moved), self.size), np.nan)
        values[allowed] = self._at_steps(Steps(x, columns[allowed], moved[allowed]), tick)
        return values

    def _at_steps(self, steps: Steps, tick: Callable[[int], None]) -> Array:
        """f at the points of `steps`, by the engine that suits their number and f: (N, m); ticks count pairs."""
        count, calling = len(steps), self._calling()
        batched = self._takes_rows(steps)
        if batched:
            calling = self._calling()
        workers = self._workers if self._workers is not None and self._workers.pays(count * self.seconds) else None
        piece = max(1, int(BETWEEN_TICKS / self.seconds)) if workers is None else workers.piece(count, self.seconds)
        if batched:
            unit = engines.batch_size(steps.x)
            piece = -(-piece // unit) * unit  # batches are the same whatever the number of workers
        parts = [steps] if piece >= count else [steps.part(low, low + piece) for low in range(0, count, piece)]
        answers: Iterable[Values]
        engine = "batches of rows" if batched else "one point at a time"
        if workers is not None:
            engine += f" on {workers.label}"
            works: list[Work] = [Batches(part) if batched else part for part in parts]
            answers = workers.results(calling, works)
        elif batched:
            answers = (Batches(part).run(calling) for part in parts)
        elif (loop := engines.loop_for(calling, steps.x, count)) is not None:
            engine = "compiled loop"
            answers = (engines.in_loop(loop, part, calling) for part in parts)
        else:
            answers = (part.run(calling) for part in parts)
        if count >= self._largest:
            self.engine, self._largest = engine, count
        found, done = [], 0
        for part, answer in zip(parts, answers, strict=True):
            found.append(self._taken(answer))
            done += len(part)
            tick(done // 2)
        return _joined(found) if found else np.empty((0, self.size))

    def _taken(self, answer: Values) -> Array:
        """The values of an answer; its calls and its failure are put on record."""
        self.calls += answer.calls
        self.failure = self.failure or answer.failure
        if answer.astray and self.rows is not None:
            self.rows = None
            self.notes.append(
                f"{self.role} answers for rows otherwise than for each alone; it was called one point at a time"
            )
        return answer.values

    def _one_by_one(self, points: NDArray[Any]) -> Array:
        """f at each row of an array of points: (N, m); NaN beyond the bounds."""
        if self.bounds is None:
            return self._at_points(points)
        allowed = np.logical_and.reduce((points >= self.bounds[0]) & (points <= self.bounds[1]), axis=1)
        values = np.full((len(points), self.size), np.nan)
        values[allowed] = self._at_points(points[allowed])
        return values

    def _at_points(self, points: NDArray[Any]) -> Array:
        calling = self._calling()
        if self._workers is None or not self._workers.pays(len(points) * self.seconds):
            started = time.perf_counter()
            values = self._taken(Points(points).run(calling) if self.rows is None else InRows(points).run(calling))
            self.seconds = min(self.seconds, (time.perf_counter() - started) / max(1, len(points)))
            return values
        works: list[Work] = [InRows(points)] if self.rows is not None else [Points(row[None]) for row in points]
        return np.concatenate([self._taken(answer) for answer in self._workers.results(calling, works)])

    def _takes_rows(self, steps: Steps) -> bool:
        """Whether so many points are to be evaluated in batches of rows; tries it out if nobody has said so."""
        if len(steps) < FEW or engines.batch_size(steps.x) < engines.FEWEST_ROWS:
            return False
        if self._may_take_rows:
            self._may_take_rows, seen, self._seen = False, self._seen, None
            if seen is not None and steps.x.size >= GUESSED_FROM and self.in_place and harmless(self.raw):
                self.rows = self._guess(*seen)
        return self.rows is not None

    def _guess(self, points: NDArray[Any], values: Array) -> Callable[[NDArray[Any]], Any] | None:
        """f, if it takes an array of rows and answers for each as it did for that one alone, twice."""
        calling = replace(self._calling(), rows=self.call)
        for count, chosen in zip(TRIED, (slice(-TRIED[0], None), slice(-sum(TRIED), -TRIED[0])), strict=True):
            self.calls += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                batch = engines.by_rows(calling, points[chosen].copy())
            if batch is None or not engines.close(batch, values[chosen]):
                return None
            self.calls += count - 1
        return self.call


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def unchanged(argument: NDArray[Any], x: NDArray[Any]) -> bool:
    """Whether an array that user code was handed is still x (in any shape)."""
    if argument.size <= SMALL_ENOUGH:
        return argument.tobytes() == x.tobytes()  # much the faster way for a small array
    return np.array_equal(argument.reshape(-1), x.reshape(-1))


def raised(role: str, call: Callable[..., Any], error: Exception) -> UserCodeError:
    """What is raised when user code raised `error` at the point itself."""
    from gradcheck.evaluation.compilation import what_was_raised

    return UserCodeError(f"{role} raised {what_was_raised(call, error)}")
