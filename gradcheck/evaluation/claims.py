"""The claimed derivative: called on copies, counted, and looked at in blocks of columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.evaluation.answers import raised, real_array
from gradcheck.evaluation.engines import WithArguments
from gradcheck.model import FindingKind
from gradcheck.variables.layout import Layout, as_layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.journal import Ledger

    Array = NDArray[np.float64]


BLOCK_VALUES = 2**20  # values of f held at a time


class Counted:
    """A user's claimed derivative, with its calls counted, and kept where there is a `ledger`."""

    def __init__(self, call: Callable[..., Any], ledger: Ledger | None = None) -> None:
        self.call, self.ledger, self.calls = call, ledger, 0

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        return self.call(*arguments) if self.ledger is None else self.ledger.called(self.call, *arguments)


class Claim:
    """A user's claimed derivative, called on copies.

    shape: what the derivative must have, such as the shape of x0 for a gradient.
    once: the answer is so large that it is not asked for again to see whether it changes.
    """

    once = False

    def __init__(
        self,
        call: Callable[..., Any],
        x0: NDArray[Any] | Layout,
        shape: tuple[int, ...],
        *,
        args: tuple[Any, ...] = (),
        role: str = "grad",
    ) -> None:
        self.raw = call
        self.call: Callable[[NDArray[Any]], Any] = WithArguments(call, args) if args else call
        self.layout = as_layout(x0)
        self.shape = shape
        self.role = role

    def raw_at(self, x: NDArray[Any]) -> Any:
        """What the claimed derivative returns at `x`, (n,), of which the caller hands over a copy; unconverted."""
        try:
            return self.call(self.layout.argument(x))
        except Exception as error:
            raise raised(self.role, self.call, error) from error

    def numbers(self, value: Any) -> Array:
        """`value` as a flat float64 copy.

        Raises:
            UserCodeError: it is no array of real numbers, or has another shape than the derivative must have.
        """
        role, shape = self.role, self.shape
        array = real_array(value, role, of_complex="complex numbers; a derivative of a real function is real")
        wanted = math.prod(shape)
        squeezed = tuple(n for n in array.shape if n != 1)
        if (
            array.shape != shape
            and squeezed != tuple(n for n in shape if n != 1)
            and not (array.ndim <= 1 and array.size == wanted)
        ):
            hint = "; it looks transposed" if array.shape == shape[::-1] and array.size == wanted else ""
            raise UserCodeError(
                f"{role} returned shape {array.shape}, expected {shape}{hint}", FindingKind.WRONG_SHAPE, role
            )
        return array.astype(np.float64).reshape(-1)

    def at(self, x: NDArray[Any]) -> Array:
        """The claimed derivative at `x`, as a flat float64 copy."""
        return self.numbers(self.raw_at(x.copy()))


@dataclass(slots=True, eq=False, repr=False)
class Block:
    """Some entries of the claimed derivative: N columns, or N entries of different columns.

    columns: the column of each, (N,).  claimed: (N, m); of single entries (N, 1), and then `rows` says in which row each is,
    (N, 1).
    """

    columns: NDArray[np.intp]
    claimed: Array
    rows: NDArray[np.intp] | None = None

    def part(self, low: int, high: int) -> Block:
        """The columns or entries from `low` to `high`."""
        rows = None if self.rows is None else self.rows[low:high]
        return Block(self.columns[low:high], self.claimed[low:high], rows)


def gradient_blocks(claimed: Array) -> Iterator[Block]:
    """The columns of a claimed gradient (n,) in blocks, as `Surveyor.survey` wants them."""
    for start in range(0, claimed.size, BLOCK_VALUES):
        chosen = np.arange(start, min(start + BLOCK_VALUES, claimed.size), dtype=np.intp)
        yield Block(chosen, claimed[start : start + BLOCK_VALUES, None])
