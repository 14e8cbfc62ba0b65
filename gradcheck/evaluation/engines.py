"""How f is evaluated at many points: one at a time in one scratch array, in batches of rows, or in a compiled loop.

What is to be evaluated is data that can be sent to another process, and every engine answers alike: values, the number of
calls, and the first exception.  A point where f raises, or where it has another number of values than at x, is NaN.
It is long because the engines stand side by side, so that they can be seen to answer alike.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gradcheck.errors import is_interrupt
from gradcheck.records import record
from gradcheck.variables.arrays import as_numpy
from gradcheck.variables.layout import ArrayLayout, Layout
from gradcheck.variables.numbers import MaskedValues, is_masked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Arguments = tuple[Any, ...] | Mapping[str, Any]
"""Further arguments of user code, in their order or by name."""

BATCH_BYTES = (
    2**17
)  # of a batch of rows: what f makes of it stays in the cache, and below what malloc returns to the system
FEWEST_ROWS = 8  # smaller batches gain nothing
ULPS = 16  # how far apart a value in a batch and by itself may be: sums are taken in another order
NUMBERS = frozenset({float, int, np.float64, np.float32})
NAN = math.nan


class NotCalled(ValueError):
    """Raised by what stands between us and f when f is not called at all: it counts as no call."""


class Unfit(BaseException):
    """Raised for a value of f that is masked: it must be taken neither for a number nor for the want of one."""


@dataclass(slots=True, eq=False, repr=False)
class Books:
    """What work that is cut short has cost by then: `calls` of f."""

    calls: int = 0


def plain(call: Callable[..., Any]) -> Callable[..., Any]:
    """f itself, without what binds its further arguments."""
    return call.call if isinstance(call, WithArguments) else call


class WithArguments:
    """f with its further arguments, as a callable that can be sent to another process."""

    def __init__(self, call: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.call, self.args = call, args

    def __call__(self, *given: Any) -> Any:
        return self.call(*given, *self.args)


class WithNamed(WithArguments):
    """The same, with arguments by name."""

    def __init__(self, call: Callable[..., Any], named: Mapping[str, Any]) -> None:
        super().__init__(call, ())
        self.named = named

    def __call__(self, *given: Any) -> Any:
        return self.call(*given, **self.named)


def with_arguments(call: Callable[..., Any], args: Arguments) -> Callable[..., Any]:
    """f with its further arguments, if there are any."""
    if not args:
        return call
    return WithNamed(call, args) if isinstance(args, Mapping) else WithArguments(call, args)


class FirstOfRows:
    """An f of rows, as a callable of a single point; of a tree, each leaf of which has one more axis for rows.

    layout: of a point.
    """

    def __init__(self, rows: Callable[[Any], Any], layout: Layout) -> None:
        self.rows, self.layout = rows, layout

    def __call__(self, x: Any) -> Any:
        one_row = [(one if hasattr(one, "shape") else np.asarray(one))[None] for one in self.layout.variables(x)]
        value = as_numpy(self.rows(self.layout.assembled(one_row)))
        if value.ndim < 1 or len(value) != 1:
            raise ValueError(
                f"an array of 1 row gave an answer of shape {value.shape}; a vectorised f answers for each row"
            )
        return value[0]


@record
class Calling:
    """How f is called.

    call: takes what `layout` makes of a vector; its value has the shape `value_shape` (any array of one number, if `scalar`).
    values: how the values are laid out, if they are a tree.
    read: makes an array of NumPy of a value.
    plain: its value is a Python or NumPy number, which needs no copy; assumed of a scalar until a value was seen.
    in_place: it may be handed one array whose entries change between calls.
    rows: takes many points at once and answers for each, (k, *value_shape); None if f does not.
    vmapped: that is made of f by vmap of its framework.
    """

    call: Callable[[Any], Any]
    layout: Layout
    value_shape: tuple[int, ...] = ()
    values: Layout | None = None
    read: Callable[[Any], NDArray[Any]] = np.asarray
    scalar: bool = True
    plain: bool = False
    in_place: bool = True
    rows: Callable[[NDArray[Any]], Any] | None = None
    vmapped: bool = False

    @property
    def size(self) -> int:
        """m, the number of values at a point."""
        return math.prod(self.value_shape)

    def keep(self, value: Any) -> Any:
        """A value of f as a float, or as a new array (m,).

        Raises:
            ValueError, TypeError: it has another size, or is no real number.
            Unfit: it is masked.
        """
        if type(value) is np.ndarray and value.dtype.char == "d" and self._is_whole(value):  # as nearly always
            return value.flatten()
        if self.values is not None:
            try:
                return self.values.numbers(value, "f")
            except MaskedValues:
                raise Unfit from None
        if is_masked(value):
            raise Unfit
        array = self.read(value)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"a value of type {type(value).__name__}")
        if array.size != self.size:
            raise ValueError(f"{array.size} values in place of {self.size}")
        return float(array.reshape(())) if self.scalar else array.astype(np.float64).reshape(-1)

    def _is_whole(self, value: NDArray[Any]) -> bool:
        """Whether an array of NumPy has the shape that the values of f have, and nothing more is to be known of it."""
        return not self.scalar and self.values is None and value.shape == self.value_shape

    def keeping(self, call: Callable[[NDArray[Any]], Any]) -> Callable[[NDArray[Any]], Any]:
        """`call`, with values that stay as they are when it is called again."""
        return call if self.plain else lambda x: self.keep(call(x))

    def array(self, found: list[Any]) -> Array:
        """Values found at N points as an array (N, m)."""
        if self.scalar:
            if (
                self.plain and not set(map(type, found)) <= NUMBERS
            ):  # at x it was a number, elsewhere it is something else
                found = [self._number(value) for value in found]
            return np.array(found, np.float64).reshape(-1, 1)
        missing = np.full(self.size, NAN)
        return np.array([missing if value is NAN else value for value in found], np.float64).reshape(-1, self.size)

    def _number(self, value: Any) -> float:
        try:
            return float(self.keep(value))
        except Exception as error:  # of a value that is no number, or asked for one
            if is_interrupt(error):
                raise
            return NAN


@dataclass(eq=False, repr=False)
class Values:
    """What f answered.

    values: (N, m), NaN where there is none.
    calls: of f.
    failure: the first exception of f, if any.
    no_rows: f takes none after all: given rows, it raised or answered otherwise than for each alone; the values are those
        for each alone.
    ended: what f raised that is no `Exception`, such as `SystemExit`; there are no values then.
    """

    values: Array
    calls: int
    failure: Exception | None = None
    no_rows: bool = False
    ended: BaseException | None = None


def _answers(calling: Calling, found: list[Any], calls: int, failure: Exception | None, books: Books) -> Values:
    """What f answered, of which `found` has a value for each point."""
    try:
        return Values(calling.array(found), calls, failure)
    except Unfit:
        books.calls += calls
        raise


class Work(Protocol):
    """Points to be evaluated."""

    def run(self, calling: Calling, books: Books) -> Values:
        """f at these points; `books` tell what it has cost if that does not end."""


@dataclass(eq=False, repr=False)
class Points:
    """Points one by one: (N, n)."""

    points: NDArray[Any]

    def __len__(self) -> int:
        return len(self.points)

    def run(self, calling: Calling, books: Books) -> Values:
        """f at each point, handed that row of the array."""
        call = calling.keeping(calling.call)
        found: list[Any] = []
        failure: Exception | None = None
        refused = 0
        try:
            with np.errstate(all="ignore"):
                for argument in calling.layout.arguments(self.points):
                    try:
                        found.append(call(argument))
                    except NotCalled:
                        refused += 1
                        found.append(NAN)
                    except Exception as error:
                        if is_interrupt(error):
                            raise
                        failure = failure or error
                        found.append(NAN)
        except BaseException:
            books.calls += len(found) + 1 - refused
            raise
        return _answers(calling, found, len(found) - refused, failure, books)


@dataclass(eq=False, repr=False)
class InRows:
    """Points, (N, n), handed over all at once to an f that takes rows."""

    points: NDArray[Any]

    def run(self, calling: Calling, books: Books) -> Values:
        """As `Points.run`, which takes over where f, given rows, raises or answers otherwise than for the last alone."""
        single = Points(self.points[-1:].copy()).run(calling, books)
        with np.errstate(all="ignore"):
            values = by_rows(calling, self.points.copy())
        if values is None or not close(values[-1:], single.values):
            return replace(Points(self.points).run(calling, books), no_rows=True)
        return Values(values, len(values) + 1)


@dataclass(eq=False, repr=False)
class Steps:
    """Points that differ from x in one entry each: the n-th is x with entry columns[n] set to moved[n].

    x: (n,).
    columns, moved: (N,).
    """

    x: NDArray[Any]
    columns: NDArray[np.intp]
    moved: Array

    def __len__(self) -> int:
        return len(self.columns)

    def part(self, low: int, high: int) -> Steps:
        """Those from `low` to `high`."""
        return Steps(self.x, self.columns[low:high], self.moved[low:high])

    def points(self) -> Iterator[NDArray[Any]]:
        """One array (n,), changed for each point in turn."""
        point = self.x.copy()
        for i, moved in zip(self.columns.tolist(), self.moved.tolist(), strict=True):
            point[i] = moved
            yield point
            point[i] = self.x[i]

    def run(self, calling: Calling, books: Books) -> Values:
        """One point at a time: one scratch array is changed and restored, so that a point costs no copy of x."""
        scratch, layout = self.x.copy(), calling.layout
        argument: Any = None
        if layout.fixed and calling.in_place:
            argument, call = layout.argument(scratch), calling.keeping(calling.call)
        else:
            lend = layout.lending(scratch)
            if layout.shares and not calling.in_place:

                def lend() -> Any:
                    return layout.argument(scratch.copy())

            call = calling.keeping(lambda _: calling.call(lend()))
        found: list[Any] = []
        append = found.append
        failure: Exception | None = None
        refused = 0
        try:
            with np.errstate(all="ignore"):
                for i, kept, moved in zip(
                    self.columns.tolist(), self.x[self.columns].tolist(), self.moved.tolist(), strict=True
                ):
                    scratch[i] = moved
                    try:
                        append(call(argument))
                    except NotCalled:
                        refused += 1
                        append(NAN)
                    except Exception as error:
                        if is_interrupt(error):
                            raise
                        failure = failure or error
                        append(NAN)
                    scratch[i] = kept
        except BaseException:
            books.calls += len(found) + 1 - refused
            raise
        return _answers(calling, found, len(found) - refused, failure, books)


@dataclass(eq=False, repr=False)
class Batches:
    """The points of `steps`, evaluated many at a time by an f that takes rows."""

    steps: Steps

    def __len__(self) -> int:
        return len(self.steps)

    def run(self, calling: Calling, books: Books) -> Values:
        """As `Steps.run`, which takes over where f, given rows, raises or answers otherwise than for each alone.

        The first value of the first batch and the last of the last are compared with what f says of these points alone.
        """
        steps, count = self.steps, len(self.steps)
        most = batch_size(steps.x)
        rows = np.tile(steps.x, (min(most, count), 1))
        numbers, firsts, kept = rows.reshape(-1), np.arange(len(rows)) * steps.x.size, steps.x[steps.columns]
        answers: list[Values] = []
        no_rows = False
        with np.errstate(all="ignore"):
            for low in range(0, count, most):
                part = steps.part(low, low + most)
                batch, where = rows[: len(part)], firsts[: len(part)] + part.columns
                numbers[where] = part.moved
                alone = [n for n, at_end in ((0, low == 0), (len(part) - 1, low + most >= count)) if at_end]
                single = Points(batch[alone]).run(calling, books) if alone else None
                values = by_rows(calling, batch if calling.in_place else batch.copy())
                numbers[where] = kept[low : low + most]
                if values is None or (single is not None and not close(values[alone], single.values)):
                    no_rows = True
                    answers.append(part.run(calling, books))
                else:
                    answers.append(Values(values, len(part) + len(alone)))
        return Values(
            np.concatenate([answer.values for answer in answers]),
            sum(answer.calls for answer in answers),
            next((answer.failure for answer in answers if answer.failure), None),
            no_rows,
        )


@dataclass(eq=False, repr=False)
class InLoop:
    """The points of `steps`, evaluated by a loop that was compiled for f."""

    steps: Steps
    loop: Callable[..., None]

    def run(self, calling: Calling, books: Books) -> Values:
        """As `Steps.run`, which takes over where f raises."""
        steps = self.steps
        scratch = steps.x.copy()
        done = np.zeros(1, np.intp)
        out = np.empty((len(steps), calling.size) if calling.value_shape else len(steps))
        values = out.reshape(len(steps), calling.size)
        try:
            self.loop(calling.layout.argument(scratch), scratch, steps.columns, steps.moved, out, done)
        except Exception:  # f raised: from there on one at a time, where an exception is a value
            first = int(done[0])
            books.calls += first + 1
            rest = steps.part(first, len(steps)).run(calling, books)
            return Values(np.concatenate([values[:first], rest.values]), first + 1 + rest.calls, rest.failure)
        return Values(values, len(steps))


def batch_size(x: NDArray[Any]) -> int:
    """How many points make a batch: it depends on x alone, for f's values may depend on it in the last bit."""
    return max(1, BATCH_BYTES // x.nbytes)


def by_rows(calling: Calling, rows: NDArray[Any]) -> Array | None:
    """f of an array of points (k, n) at once: (k, m); None if it raises or has another shape than one answer for each."""
    assert calling.rows is not None
    try:
        answer = calling.rows(calling.layout.stacked(rows))
        value = calling.read(answer)
    except Exception as error:
        if is_interrupt(error):
            raise
        return None
    if value.shape != (len(rows), *calling.value_shape) or value.dtype.kind not in "fiub" or is_masked(answer):
        return None
    return value.astype(np.float64).reshape(len(rows), calling.size)


def close(batch: Array, single: Array) -> bool:
    """Whether values found in a batch are those found one at a time, but for the order in which sums are taken."""
    if (batch == single).all():
        return True
    finite = np.isfinite(single)
    if not np.array_equal(finite, np.isfinite(batch)):
        return False
    return bool((np.abs(batch - single)[finite] <= ULPS * np.spacing(np.abs(single[finite]))).all())


def is_compiled(call: Callable[..., Any]) -> bool:
    """Whether `call` was compiled by Numba; does not import it."""
    if "numba" not in sys.modules:
        return False
    from gradcheck.numerics import kernels

    return kernels.is_compiled(call)


def loop_for(calling: Calling, x: NDArray[Any], evaluations: int) -> Callable[..., None] | None:
    """A compiled loop for an f that was compiled by Numba, or None if that does not save time."""
    if not (calling.in_place and isinstance(calling.layout, ArrayLayout)) or not is_compiled(calling.call):
        return None
    from gradcheck.numerics import kernels

    return kernels.loop_over_columns(
        calling.call, calling.layout.argument(x), evaluations, vector=bool(calling.value_shape)
    )
