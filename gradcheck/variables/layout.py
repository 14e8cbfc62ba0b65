"""How the user's x is laid out in a flat real vector.  All else knows the vector alone; only a layout reshapes and names."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.wording import place

if TYPE_CHECKING:
    from numpy.typing import NDArray

LISTED = 20  # parts of a matrix, its rows or columns, that are told apart at the most


class Layout(ABC):
    """One way to lay out x.

    dtype: of the flat vector, float64 or float32.
    shape: of a derivative by x, as one array; its entries are those of the vector in C order.
    shares: `argument` gives what shares memory with the vector, so that changing one changes the other.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    shares: bool

    @property
    def size(self) -> int:
        """n, the number of entries of the vector."""
        return math.prod(self.shape)

    @abstractmethod
    def argument(self, flat: NDArray[Any]) -> Any:
        """What user code is handed for a vector (n,)."""

    def arguments(self, points: NDArray[Any]) -> Iterable[Any]:
        """What user code is handed for each row of an array (N, n)."""
        return map(self.argument, points)

    def stacked(self, rows: NDArray[Any]) -> Any:
        """What an f that takes many points at once is handed for an array (N, n); None if there is no such thing."""
        return None

    def index(self, entry: int) -> tuple[int, ...]:
        """Where an entry of the vector is in x."""
        return tuple(int(i) for i in np.unravel_index(entry, self.shape)) if self.shape else ()

    def name(self, entry: int) -> str:
        """An entry of the vector as its owner would write it."""
        return place(self.index(entry))

    @property
    def parts(self) -> list[tuple[str, slice]]:
        """The parts of x that a limit of detection is stated for, with their names; none if there is only one, or too many."""
        return []


class ArrayLayout(Layout):
    """x is one array, in C order, or a number."""

    shares = True

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)

    def argument(self, flat: NDArray[Any]) -> NDArray[Any]:
        """The vector in the shape of x."""
        return flat.reshape(self.shape)

    def arguments(self, points: NDArray[Any]) -> NDArray[Any]:
        """The rows in the shape of x, as one array."""
        return points.reshape((-1, *self.shape))

    def stacked(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The same: an f that takes rows is handed them all."""
        return self.arguments(rows)

    @property
    def parts(self) -> list[tuple[str, slice]]:
        """Slices along the first axis, or the last if that is shorter; none of one axis, and none if there would be many."""
        shape = self.shape
        if len(shape) < 2:
            return []
        others, rows, columns = ", :" * (len(shape) - 1), shape[0], shape[-1]
        if not 1 < min(rows, columns) <= LISTED:
            return []
        if rows <= columns:
            width = math.prod(shape[1:])
            return [(f"[{k}{others}]", slice(k * width, (k + 1) * width)) for k in range(rows)]
        return [(f"[{others[2:]}, {k}]", slice(k, None, columns)) for k in range(columns)]


def as_layout(x: NDArray[Any] | Layout) -> Layout:
    """A layout, or that of an array."""
    return x if isinstance(x, Layout) else ArrayLayout(x.shape, x.dtype)


class Places:
    """The entries of a derivative, those of each output by each variable: where they are, and what they are called.

    shape: of the derivative as one array, that of the outputs before that of x.
    """

    def __init__(self, outputs: tuple[int, ...], layout: Layout) -> None:
        self.outputs, self.layout = outputs, layout
        self.shape = outputs + layout.shape

    def index(self, entry: int) -> tuple[int, ...]:
        """Where a flat entry (in C order) is."""
        output, variable = divmod(entry, self.layout.size)
        return self._output(output) + self.layout.index(variable)

    def name(self, entry: int) -> str:
        """A flat entry as a person would write it."""
        return place(self.index(entry))

    def _output(self, output: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(output, self.outputs)) if self.outputs else ()
