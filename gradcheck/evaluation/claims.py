"""The claimed derivative: called on copies, counted, and looked at in blocks of columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError, UserCodeError, is_interrupt
from gradcheck.evaluation.answers import raised
from gradcheck.evaluation.deadline import NO_END
from gradcheck.evaluation.engines import with_arguments
from gradcheck.model import FindingKind
from gradcheck.variables.layout import ArrayLayout, as_layout
from gradcheck.variables.places import Places
from gradcheck.wording import quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.deadline import Deadline
    from gradcheck.evaluation.engines import Arguments
    from gradcheck.evaluation.journal import Ledger
    from gradcheck.variables.constrained import ConstrainedLayout
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]


BLOCK_VALUES = 2**20  # values of f held at a time
AUTOGRAD = "autograd"
"""What stands in the place of a claim where torch or jax are asked for the derivative: see `autograd`."""


def is_autograd(claim: Any) -> bool:
    """Whether a claim is asked of the framework.  Raises `UsageError` for any other text."""
    if not isinstance(claim, str):
        return False
    if claim != AUTOGRAD:
        raise UsageError(f"a claim is {quoted(claim)}; give the function itself, or {AUTOGRAD!r}")
    return True


class Wrapper:
    """A callable of ours around one of the user's, `inner`."""

    inner: Callable[..., Any]

    def around(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        """The same around another one."""
        raise NotImplementedError

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        raise NotImplementedError


class Item(Wrapper):
    """One of the values that a function returns, as a callable that can be sent to another process."""

    def __init__(self, both: Callable[..., Any], number: int) -> None:
        self.inner, self.number = both, number

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.inner(*arguments, **named)[self.number]

    def around(self, inner: Callable[..., Any]) -> Item:
        return Item(inner, self.number)


class Counted:
    """A user's claimed derivative, with its calls counted, and kept where there is a `ledger`.

    seconds: what all calls took by now.
    """

    def __init__(self, call: Callable[..., Any], ledger: Ledger | None = None) -> None:
        self.call, self.ledger, self.calls, self.seconds = call, ledger, 0, 0.0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        if self.ledger is not None:
            answer, seconds = self.ledger.asked_for(lambda: self.call(*arguments, **named), *arguments)
            self.seconds += seconds
            return answer
        started = time.perf_counter()
        answer = self.call(*arguments, **named)
        self.seconds += time.perf_counter() - started
        return answer


class Claim:
    """A user's claimed derivative, called on copies.

    answer: how the derivative is laid out, for a gradient as x0 is; or its shape.
    once: the answer is so large that it is not asked for again to see whether it changes.
    altered: what of its argument the last call has changed; '' if nothing.
    deadline: after which it is not called any more; `OutOfTime` says so.
    """

    once = False
    altered = ""

    def __init__(
        self,
        call: Callable[..., Any],
        x0: NDArray[Any] | Layout,
        answer: Layout | tuple[int, ...],
        *,
        args: Arguments = (),
        role: str = "grad",
        deadline: Deadline = NO_END,
    ) -> None:
        self.raw = call
        self.call: Callable[[NDArray[Any]], Any] = with_arguments(call, args)
        self.args = args
        self.layout = as_layout(x0)
        self.answer = ArrayLayout(answer, np.float64) if isinstance(answer, tuple) else answer
        self.role = role
        self.deadline = deadline
        self.epsilon = float(np.finfo(self.layout.dtype).eps)

    def raw_at(self, x: NDArray[Any]) -> Any:
        """What the claimed derivative returns at `x`, (n,), of which it is handed a copy; unconverted."""
        self.deadline.require()
        argument = self.layout.argument(x.copy())
        try:
            value = self.call(argument)
        except UserCodeError:  # what it is made of has told already
            raise
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise raised(self.role, self.call, error, argument=argument) from error
        self.altered = self.layout.altered(argument, x)
        return self.layout.collected(argument) if value is None else value

    def contradicts_journal(self, x: NDArray[Any]) -> bool:
        """Whether the claim, asked once more off the record, answers otherwise at x than a journal has it from before."""
        counted = self.raw
        if not isinstance(counted, Counted) or counted.ledger is None or not counted.ledger.resumed:
            return False
        call, further = with_arguments(counted.call, self.args), self.args if isinstance(self.args, tuple) else ()
        argument = self.layout.argument(x.copy())
        try:
            return counted.ledger.contradicted(lambda: call(argument), self.layout.argument(x), *further)
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise raised(self.role, self.call, error) from error

    def numbers(self, value: Any) -> Array:
        """`value` as a flat float64 copy.

        Raises:
            UserCodeError: it is no array of real numbers, or has another shape or structure than the derivative must have.
        """
        return self.answer.numbers(value, self.role)

    def misfit(self, value: Any) -> str:
        """What is wrong with the shape of an answer that can be compared nevertheless; '' if nothing."""
        return self.answer.misfit(value)

    @property
    def places(self) -> Places:
        """What the entries of the derivative are called."""
        return Places((), self.answer)

    def at(self, x: NDArray[Any]) -> Array:
        """The claimed derivative at `x`, as a flat float64 copy."""
        return self.numbers(self.raw_at(x))


class ComplexClaim(Claim):
    """A claimed gradient by complex variables, as one in R²ⁿ.

    weights: what the real and imaginary parts of an answer are multiplied by to be that, (n,): see `variables.complex`; None
        where they are that themselves.
    """

    weights: Array | None = None

    def numbers(self, value: Any) -> Array:
        """As for a real claim: the derivatives by real and imaginary parts in turn."""
        plain = super().numbers(value)
        return plain if self.weights is None else plain * self.weights


class TangentClaim(Claim):
    """A claimed gradient by an x on a set, in one of the forms of `variables.sets.forms`, as that by the coordinates."""

    layout: ConstrainedLayout
    told: list[Array]
    """What was claimed at the point of the check, leaf by leaf."""
    _misfit = ""

    def answer_at(self, x: NDArray[Any]) -> Any:
        """What the claimed derivative returns, unconverted."""
        return super().raw_at(x)

    def raw_at(self, x: NDArray[Any]) -> Any:
        """The derivative by the coordinates, (k,).

        Raises:
            UserCodeError: also where it is not known: away from the point of the check, in many dimensions.
        """
        raw = self.answer_at(x)
        told = self.layout.read(raw, self.role, x)
        self._misfit = self.layout.misfit(raw)
        if np.array_equal(x, self.layout.origin):
            self.told = told
        coordinates = self.layout.pulled(x, told)
        if coordinates is None:
            message = f"{self.role} by so many coordinates is known at the point itself alone"
            raise UserCodeError(message, FindingKind.USER_ERROR, self.role)
        return coordinates

    def rows_of(self, raw: Any) -> list[list[Array]]:
        """What was claimed at the point of the check, leaf by leaf, of the one output."""
        return [self.told]

    def numbers(self, value: Any) -> Array:
        """The coordinates, which are numbers already."""
        return np.array(value, np.float64)

    def misfit(self, value: Any) -> str:
        """What was wrong with the shape of the last answer."""
        return self._misfit


@dataclass(slots=True, eq=False, repr=False)
class Block:
    """Some entries of the claimed derivative: N columns, or N entries of different columns.

    columns: the column of each, (N,).
    claimed: (N, m); of single entries (N, 1), and then `rows` says in which row each is,
    (N, 1).
    """

    columns: NDArray[np.intp]
    claimed: Array
    rows: NDArray[np.intp] | None = None

    def of(self, chosen: NDArray[np.bool_]) -> Block:
        """Some of the columns or entries, by a mask."""
        rows = None if self.rows is None else self.rows[chosen]
        return Block(self.columns[chosen], self.claimed[chosen], rows)

    def part(self, low: int, high: int) -> Block:
        """The columns or entries from `low` to `high`."""
        rows = None if self.rows is None else self.rows[low:high]
        return Block(self.columns[low:high], self.claimed[low:high], rows)


def gradient_blocks(claimed: Array, width: int = BLOCK_VALUES) -> Iterator[Block]:
    """The columns of a claimed gradient (n,) in blocks of that width, as `Surveyor.survey` wants them."""
    for start in range(0, claimed.size, width):
        chosen = np.arange(start, min(start + width, claimed.size), dtype=np.intp)
        yield Block(chosen, claimed[start : start + width, None])
