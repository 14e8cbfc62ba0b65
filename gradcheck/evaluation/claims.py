"""The claimed derivative: called on copies, counted, and looked at in blocks of columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.evaluation import engines
from gradcheck.evaluation.function import raised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


BLOCK_VALUES = 2**20  # values of f held at a time


class Claim:
    """A user's claimed derivative, called on copies; `calls` counts.

    shape: what the derivative must have, such as the shape of x0 for a gradient.
    once: the answer is so large that it is not asked for again to see whether it changes.
    """

    once = False

    def __init__(
        self,
        call: Callable[..., Any],
        x0: NDArray[Any],
        shape: tuple[int, ...],
        *,
        args: tuple[Any, ...] = (),
        role: str = "grad",
    ) -> None:
        self.raw = call
        self.call: Callable[[NDArray[Any]], Any] = engines.WithArguments(call, args) if args else call
        self.argument_shape = x0.shape
        self.shape = shape
        self.role = role
        self.calls = 0

    def raw_at(self, x: NDArray[Any]) -> Any:
        """What the claimed derivative returns for `x` itself (the caller hands over a copy), unconverted."""
        self.calls += 1
        try:
            return self.call(x)
        except Exception as error:
            raise raised(self.role, self.call, error) from error

    def numbers(self, value: Any) -> Array:
        """`value` as a flat float64 copy.

        Raises:
            UserCodeError: it is no array of real numbers, or has another shape than the derivative must have.
        """
        role, shape = self.role, self.shape
        if value is None:
            raise UserCodeError(f"{role} returned None: does it end without a return statement?", "wrong_dtype")
        try:
            array = np.asarray(value)
        except Exception as error:
            message = f"{role} returned {type(value).__name__}, which is no array of numbers"
            raise UserCodeError(message, "wrong_dtype") from error
        if array.dtype.kind == "c":
            raise UserCodeError(
                f"{role} returned complex numbers; a derivative of a real function is real", "wrong_dtype"
            )
        if array.dtype.kind not in "fiub":
            raise UserCodeError(
                f"{role} returned {type(value).__name__} (dtype {array.dtype}), which is no array of numbers",
                "wrong_dtype",
            )
        wanted = math.prod(shape)
        squeezed = tuple(n for n in array.shape if n != 1)
        if (
            array.shape != shape
            and squeezed != tuple(n for n in shape if n != 1)
            and not (array.ndim <= 1 and array.size == wanted)
        ):
            hint = "; it looks transposed" if array.shape == shape[::-1] and array.size == wanted else ""
            raise UserCodeError(f"{role} returned shape {array.shape}, expected {shape}{hint}", "wrong_shape")
        return array.astype(np.float64).reshape(-1)

    def at(self, x: NDArray[Any]) -> Array:
        """The claimed derivative at `x`, as a flat float64 copy."""
        return self.numbers(self.raw_at(x.reshape(self.argument_shape).copy()))


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
