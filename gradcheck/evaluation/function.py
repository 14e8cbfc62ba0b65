"""A user's f, called, converted and counted.  Which engine evaluates many points is for `dispatch` to say.

Away from the point itself, anything that is no number (NaN, an exception) is NaN here.
It is long because whatever is asked of f, a value or many, goes through this one class, which sees to copies and counts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import GradcheckError, UserCodeError, is_interrupt
from gradcheck.evaluation import engines
from gradcheck.evaluation.answers import raised, seems_to_resize
from gradcheck.evaluation.deadline import NO_END, Deadline
from gradcheck.evaluation.dispatch import Dispatch, joined, no_tick
from gradcheck.evaluation.engines import Arguments, Calling, FirstOfRows, Steps, with_arguments
from gradcheck.model import FindingKind
from gradcheck.variables.arrays import as_numpy, framework_of
from gradcheck.variables.flat import is_tree, lay_out
from gradcheck.variables.layout import ArrayLayout, Layout, as_layout
from gradcheck.variables.numbers import is_complex, real_array

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from gradcheck.evaluation.journal import Ledger

    Array = NDArray[np.float64]

LINE_BYTES = 2**20  # of points along a line held at a time
SQUARED = 1e-280  # squares below this, and above its inverse, lose digits


class Function:
    """f: R^n → R^m, called with what `layout` makes of flat vectors; values come back as flat float64 arrays.

    x0: the layout of x, or an array of the shape and dtype that f takes.
    args: further arguments of f, in a tuple or by name.
    bounds: (low, high), each (n,), outside of which f is not called; or None.
    role: whose values these are, for messages.
    scalar: f must return one number.
    values: how the values are laid out, if they are a tree.
    vectorized: f takes an array of points, (k, *shape of x), and answers for each; None finds out.
    jit: compile f with Numba.
    jobs, executor: evaluate on so many processes, or on a given executor.
    ledger: keeps what f answered, so that it is not asked again.
    deadline: after which f is not called any more; `OutOfTime` says so.

    Attributes:
        size: m, the number of values (1 for a scalar f); known after `at`.
        shape: of the value, () for a scalar f.
        outputs: how the value is laid out.
        mutated: what of its argument f was seen to change; '' if nothing.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        x0: NDArray[Any] | Layout,
        *,
        args: Arguments = (),
        bounds: tuple[Array, Array] | None = None,
        role: str = "f",
        scalar: bool = True,
        values: Layout | None = None,
        vectorized: bool | None = None,
        jit: bool = False,
        jobs: int = 1,
        executor: Executor | None = None,
        ledger: Ledger | None = None,
        deadline: Deadline = NO_END,
    ) -> None:
        self.raw, self.args, self.layout = call, args, as_layout(x0)
        self.bounds, self.role, self.scalar = bounds, role, scalar
        self.values = values
        self.size = 1
        self.shape: tuple[int, ...] = ()
        self.outputs: Layout = ArrayLayout((), np.float64)
        self.mutated = ""
        self._jit = jit and not vectorized
        whole: Callable[[Any], Any] = with_arguments(call, args)
        calling = Calling(
            call=FirstOfRows(whole, self.layout) if vectorized else whole,
            layout=self.layout,
            scalar=scalar,
            values=values,
            plain=scalar,
            rows=whole if vectorized else None,
        )
        workers = None
        if jobs > 1 or executor is not None:
            from gradcheck.evaluation.workers import Workers

            workers = Workers(jobs, executor, [])
        mappable = values is None and getattr(self.layout.framework, "maps", False)
        guess = vectorized is None and ((scalar and isinstance(self.layout, ArrayLayout)) or mappable)
        self.dispatch = Dispatch(calling, role, workers, deadline, try_rows=guess, ledger=ledger)

    @property
    def call(self) -> Callable[[Any], Any]:
        """f as a callable of x alone."""
        return self.dispatch.calling.call

    @property
    def calls(self) -> int:
        """How often f was called; a point of a batch counts as one call."""
        return self.dispatch.calls

    @property
    def seconds(self) -> float:
        """What a call of f takes, as far as is known."""
        return self.dispatch.seconds

    @property
    def first_seconds(self) -> float | None:
        """What the first call of f took, as a journal has it; None without one: the same whenever a check is resumed."""
        return self.dispatch.first_seconds

    @property
    def in_place(self) -> bool:
        """Whether f may be handed one scratch array whose entries change between calls."""
        return self.dispatch.calling.in_place

    def hand_over_copies(self) -> None:
        """Hand f a new array at every call from now on: it writes into its argument, or remembers it."""
        self.dispatch.calling = replace(self.dispatch.calling, in_place=False)

    @property
    def at_once(self) -> int:
        """How many points are evaluated at a time, by workers."""
        return 1 if self.dispatch.workers is None else self.dispatch.workers.count

    @property
    def engine(self) -> str:
        """How most points were evaluated, in a few words."""
        return self.dispatch.engine

    @property
    def notes(self) -> list[str]:
        """What the reader should know of how f was evaluated."""
        return self.dispatch.notes

    def close(self, *, at_once: bool = False) -> None:
        """End the worker processes that were started, if any; `at_once` does not wait for what they are at."""
        if self.dispatch.workers is not None:
            self.dispatch.workers.close(at_once=at_once)

    # ---- single values

    def at(self, x: NDArray[Any]) -> Array:
        """f at the point itself, on a copy: shape (m,).

        Raises:
            UserCodeError: f raised (``__cause__`` is its exception), or its value is no real number or array of them.
        """
        started = time.perf_counter()
        value = self._at_copy(x)
        if self.dispatch.ledger is None:
            self.dispatch.seconds = min(self.seconds, time.perf_counter() - started)
        if self._jit:
            value = self._compiled(x, value)
        if not self.scalar:
            self._find_outputs(value)
        flat, self.shape = self._numbers(value)
        self.size = flat.size
        if not self.scalar and self.dispatch.calling.values is None:
            from gradcheck.variables.frameworks import like_array  # a number does without

            self.outputs = like_array(value, self.shape, x.dtype)
        plain = self.scalar and type(value) in engines.NUMBERS
        read = np.asarray if plain or framework_of(value) is None else as_numpy
        calling = self.dispatch.calling
        if (calling.value_shape, calling.plain, calling.read) != (self.shape, plain, read):
            self.dispatch.calling = replace(calling, value_shape=self.shape, plain=plain, read=read)
        return flat

    def _find_outputs(self, value: Any) -> None:
        """How the values are laid out, if they are a tree and nobody has said so."""
        calling = self.dispatch.calling
        if calling.values is None and is_tree(value):
            try:
                self.dispatch.calling = replace(calling, values=lay_out(value)[0])
            except GradcheckError as error:
                message = f"{self.role} returned {type(value).__name__}: {error}".replace("x0", "it")
                raise UserCodeError(message, FindingKind.WRONG_DTYPE, self.role) from None
        elif calling.values is None and is_complex(value):
            from gradcheck.variables.complex import complex_like  # of use to few

            self.dispatch.calling = replace(calling, values=complex_like(value))
        if self.dispatch.calling.values is not None:
            self.outputs = self.dispatch.calling.values

    def _compiled(self, x: NDArray[Any], value: Any) -> Any:
        """Have f compiled; returns its value at x, which was `value`."""
        from gradcheck.evaluation.compilation import compile_with_numba

        self._jit = False
        try:
            result = compile_with_numba(self.raw, self.args, self.layout.argument(x), value, self.role)
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise raised(self.role, self.call, error) from error
        self.dispatch.calls += result.calls
        if result.note:
            self.notes.append(result.note)
        if result.call is None:
            return value
        self.dispatch.calling = replace(self.dispatch.calling, call=result.call)
        self.dispatch.seconds = np.inf
        return self._at_copy(x)

    def at_scratch(self, other: NDArray[Any]) -> tuple[Array | None, Callable[[NDArray[Any]], Array]]:
        """f at another point, (m,), None where it has no value; and what calls it again with the same array, moved to a point.

        An f that remembers arrays by identity answers that as it did before.
        """
        scratch = other.copy()
        lend = self.layout.lending(scratch)
        there: Array | None = None
        with contextlib.suppress(UserCodeError):  # `other` may lie outside the domain
            there = self._numbers(self._called(scratch, other, lend()))[0]

        def moved_to(x: NDArray[Any]) -> Array:
            scratch[:] = x
            return self._numbers(self._called(scratch, x, lend()))[0]

        return there, moved_to

    def _at_copy(self, x: NDArray[Any]) -> Any:
        """What f returns at x, unconverted, handed a copy of it."""
        lent = x.copy()
        return self._called(lent, x, self.layout.argument(lent))

    def _called(self, lent: NDArray[Any], x: NDArray[Any], argument: Any) -> Any:
        """What f returns at x, unconverted, handed an argument made of `lent`, a copy of it; notes whether f changed that."""
        self.dispatch.deadline.require()
        self.dispatch.calls += 1
        try:
            value = self._answer(argument, lent)
        except engines.NotCalled as error:
            self.dispatch.calls -= 1
            raise raised(self.role, self.call, error) from error
        except BaseException as error:
            if is_interrupt(error):
                raise
            self.dispatch.calls += seems_to_resize(error)
            raise raised(self.role, self.call, error, argument=argument) from error
        self.mutated = self.layout.altered(argument, x) or self.mutated
        return value

    def _answer(self, argument: Any, lent: NDArray[Any]) -> Any:
        """What f returns, or returned when it was asked before the check went on."""
        ledger = self.dispatch.ledger
        if ledger is None:
            return self.call(argument)
        value, seconds = ledger.asked_for(lambda: self.call(argument), lent)
        if self.dispatch.first_seconds is None:
            self.dispatch.first_seconds = seconds
        self.dispatch.seconds = min(self.seconds, seconds)
        return value

    def left_behind(self, x: NDArray[Any], other: NDArray[Any], fresh: Array) -> float | None:
        """By how much f at x is off its value in a fresh process, where it was called at x and elsewhere before; None if not.

        Only where f is isolated; asks it three times, and counts them.
        """
        isolated: Any = engines.plain(self.call)
        if not hasattr(isolated, "after"):  # made of other functions, each of them isolated
            return None
        before = (self.layout.argument(x.copy()), self.layout.argument(other.copy()))
        self.dispatch.calls += 3
        try:
            call, ledger = with_arguments(isolated.after(*before), self.args), self.dispatch.ledger
            argument = self.layout.argument(x.copy())
            value = call(argument) if ledger is None else ledger.asked_for(lambda: call(argument), x, "after", other)[0]
            gap = float(np.max(np.abs(self._numbers(value)[0] - fresh)))
        except Exception:  # `other` may lie outside the domain
            return None
        return gap if gap > 0 else None

    def contradicts_journal(self, x: NDArray[Any]) -> bool:
        """Whether f, asked once more off the record, answers otherwise at x than a journal has it from before."""
        ledger = self.dispatch.ledger
        if ledger is None or not ledger.resumed:
            return False
        try:
            return ledger.contradicted(lambda: self.call(self.layout.argument(x.copy())), x)
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise raised(self.role, self.call, error) from error

    def _numbers(self, value: Any) -> tuple[Array, tuple[int, ...]]:
        """`value` as a flat float64 array, and its shape; or a UserCodeError that says what it is instead."""
        role, values = self.role, self.dispatch.calling.values
        if self.scalar and isinstance(value, float):
            return np.array([value], np.float64), ()
        if values is not None:
            return values.numbers(value, role), values.shape
        array = real_array(
            value,
            role,
            noun="no number",
            of_complex="a complex number; return its real part, or check real and imaginary parts apart",
        )
        if self.scalar and array.size != 1:
            raise UserCodeError(
                f"{role} returned an array of shape {array.shape} where one number was expected; "
                "check a vector-valued function with --jac (check_jacobian)",
                FindingKind.WRONG_SHAPE,
                role,
            )
        if not array.size:
            message = f"{role} returned an empty array; there is nothing to compare"
            raise UserCodeError(message, FindingKind.WRONG_SHAPE, role)
        flat = array.astype(np.float64).reshape(-1)
        return flat, (() if self.scalar else array.shape)

    # ---- many values

    def near(self, x: NDArray[Any]) -> Array:
        """f at some point, shape (m,); NaN where it has no value there."""
        return self.dispatch.at_point(x.copy())

    def prepared(self, point: NDArray[Any]) -> Array:
        """f at a point in an array (flat, in the dtype of x) that the caller lends for the call: as `near`, without a copy."""
        return self.dispatch.at_point(point if self.in_place else point.copy())

    @property
    def gathers(self) -> bool:
        """Whether many points at once are better than one after another: they go to other processes, or to a journal."""
        dispatch = self.dispatch
        return dispatch.calling.rows is None and (dispatch.workers is not None or dispatch.ledger is not None)

    def gathered(self, points: NDArray[Any]) -> Array:
        """f at each row of an array of points, within bounds: (N, m)."""
        return self.dispatch.at_points(points)

    def pairs(
        self, x: NDArray[Any], columns: NDArray[np.intp], steps: Array, tick: Callable[[int], None] = no_tick
    ) -> tuple[Array, Array]:
        """f(x + h e_i) and f(x − h e_i) for each column i and step h: two arrays (N, m)."""
        here = x[columns].astype(np.float64)
        moved = np.empty(2 * len(columns))
        moved[0::2], moved[1::2] = here + steps, here - steps
        values = self._along_columns(x, columns.repeat(2), moved, tick)
        return values[0::2], values[1::2]

    def ray(self, x: NDArray[Any], column: int, offsets: Array) -> Array:
        """f(x + t e_i) for each offset t: (N, m)."""
        return self._along_columns(x, np.full(offsets.size, column, np.intp), x[column] + offsets, no_tick)

    def ray_of(self, x: NDArray[Any], columns: NDArray[np.intp], moved: Array) -> Array:
        """f with entry columns[n] of x set to moved[n], for each n: (N, m)."""
        return self._along_columns(x, columns, moved, no_tick)

    def line(self, x: NDArray[Any], direction: Array, steps: Array) -> tuple[Array, Array, Array]:
        """f(x + t v) and f(x − t v) for each t: (plus, minus), each (N, m), and the displacement that happened.

        x ± t v is rounded to the dtype of x; the third array (N,) is half the realised displacement along v, in units of v,
        which replaces t in differences.
        """
        square, unit, along = float(direction @ direction), 1.0, direction
        if not SQUARED < square < 1 / SQUARED:  # it underflows, or overflows
            unit = float(np.abs(direction).max())
            along = direction / unit
            square = float(along @ along)
        group = max(1, LINE_BYTES // (16 * x.size))
        found, realised = [], []
        room = np.empty((2 * min(group, len(steps)), x.size), x.dtype)
        for low in range(0, len(steps), group):
            with np.errstate(over="ignore", invalid="ignore"):
                t = steps[low : low + group, None]
                points = room[: 2 * len(t)]
                ahead, behind = points[0::2], points[1::2]
                moved = np.multiply(t, direction, out=behind if x.dtype == np.float64 else None)
                np.add(x, moved, out=ahead, casting="same_kind")
                np.subtract(x, moved, out=behind, casting="same_kind")
                realised.append(np.subtract(ahead, behind, dtype=np.float64) @ along / (2 * square * unit))
            found.append(self._one_by_one(points))
        values = joined(found)
        return values[0::2], values[1::2], joined(realised)

    def _along_columns(
        self, x: NDArray[Any], columns: NDArray[np.intp], moved: Array, tick: Callable[[int], None]
    ) -> Array:
        """f at x with entry columns[n] set to moved[n], for each n: (N, m); NaN beyond the bounds."""
        if x.dtype != np.float64:
            moved = moved.astype(x.dtype).astype(np.float64)
        if self.bounds is None:
            return self.dispatch.along_columns(Steps(x, columns, moved), tick)
        allowed = (moved >= self.bounds[0][columns]) & (moved <= self.bounds[1][columns])
        values = np.full((len(moved), self.size), np.nan)
        values[allowed] = self.dispatch.along_columns(Steps(x, columns[allowed], moved[allowed]), tick)
        return values

    def _one_by_one(self, points: NDArray[Any]) -> Array:
        """f at each row of an array of points: (N, m); NaN beyond the bounds."""
        if self.bounds is None:
            return self.dispatch.at_points(points)
        allowed = np.logical_and.reduce((points >= self.bounds[0]) & (points <= self.bounds[1]), axis=1)
        values = np.full((len(points), self.size), np.nan)
        values[allowed] = self.dispatch.at_points(points[allowed])
        return values
