"""How the user's x is laid out in a flat real vector.  All else knows the vector alone; only a layout reshapes and names."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.model import FindingKind
from gradcheck.variables.numbers import real_array, unchanged
from gradcheck.wording import place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.variables.arrays import Framework

    Array = NDArray[np.float64]

LISTED = 20  # parts of a matrix, its rows or columns, that are told apart at the most


class Part(NamedTuple):
    """A part of x: its name, and which entries of the vector it is."""

    name: str
    where: slice


class Layout(ABC):
    """One way to lay out x.

    dtype: of the flat vector, float64 or float32.
    shape: of a derivative by x, as one array; its entries are those of the vector in C order.
    fixed: `argument` need be called but once for a vector that changes: what it gives changes along.
    shares: what `argument` gives shares memory with the vector, so that user code may write into it.
    owner: what x is called, where it is a part of something; else ''.
    note: for the reader of a report.
    framework: whose arrays x is made of, if not NumPy's.
    imaginary: which entries are imaginary parts, each directly behind its real part, (n,); None if all of x is real.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fixed: bool = False
    shares: bool = False
    owner: str = ""
    note: str = ""
    framework: Framework | None = None
    imaginary: NDArray[np.bool_] | None = None

    @property
    def given(self) -> tuple[int, ...]:
        """The shape of a derivative by x as user code has it, with complex numbers for complex variables."""
        return self.shape

    @property
    def size(self) -> int:
        """n, the number of entries of the vector."""
        return math.prod(self.shape)

    # ---- what user code is handed

    @abstractmethod
    def argument(self, flat: NDArray[Any]) -> Any:
        """What user code is handed for a vector (n,)."""

    def lending(self, flat: NDArray[Any]) -> Callable[[], Any]:
        """The same, to be called again and again for a vector that changes between."""
        return lambda: self.argument(flat)

    def arguments(self, points: NDArray[Any]) -> Iterable[Any]:
        """What user code is handed for each row of an array (N, n)."""
        return map(self.argument, points)

    @abstractmethod
    def stacked(self, rows: NDArray[Any]) -> Any:
        """What an f that takes many points at once is handed for an array (N, n)."""

    @abstractmethod
    def altered(self, argument: Any, flat: NDArray[Any]) -> str:
        """What user code has changed of an argument that was made of a vector with these entries; '' if nothing."""

    @property
    def fixed_parts(self) -> tuple[Any, ...]:
        """What makes an argument beside the vector: what is no variable, and the names of what is one."""
        return ()

    def variables(self, argument: Any) -> list[Any]:
        """The arrays of an argument that are variables, in their order."""
        return [argument]

    def assembled(self, variables: Sequence[Any]) -> Any:
        """The inverse of `variables`: an argument that holds these, whatever they are."""
        return variables[0]

    # ---- what it answers

    def collected(self, argument: Any) -> Any:
        """The derivative that user code has left with its argument, as backward() does; None if there is none."""
        return None

    @abstractmethod
    def numbers(self, value: Any, role: str) -> Array:
        """A claimed derivative by x as a flat float64 copy.

        Raises:
            UserCodeError: it is no array of real numbers, or has another shape or structure than the derivative must have.
        """

    def misfit(self, value: Any) -> str:
        """What is wrong with the shape of an answer that `numbers` takes nevertheless; '' if nothing."""
        return ""

    def answer_for(self, start: int, value: Any, role: str) -> Any:
        """The part of a tree like x that stands for the leaf whose entries begin there; all of it if x is one array.

        Raises `UserCodeError` that names the first difference.
        """
        return value

    @abstractmethod
    def derivative(self, flat: Array) -> Any:
        """The inverse of `numbers`: what user code would return for these entries."""

    @abstractmethod
    def spread(self, value: Any) -> Array:
        """A number, or numbers for each part of x or for each entry, as a flat vector (n,).

        Raises ValueError that says what the value must be.
        """

    # ---- names

    @abstractmethod
    def index(self, entry: int) -> tuple[int, ...]:
        """Where an entry of the vector is in x, or in the leaf of x that holds it."""

    def name(self, entry: int) -> str:
        """An entry of the vector as its owner would write it."""
        return place(self.index(entry))

    def whole(self, entry: int) -> str:
        """The name of the number that an entry is, or of the complex number that it is a part of."""
        return self.name(entry)

    @property
    def leaves(self) -> tuple[tuple[Layout, slice], ...]:
        """The arrays that x is made of, each with the entries that it holds; none if it is one array."""
        return ()

    @property
    def parts(self) -> list[Part]:
        """The parts of x that a limit of detection is stated for; none if there is only one, or too many."""
        return []


class ArrayLayout(Layout):
    """x is one array, in C order, or a number.

    owner: as for any layout; it goes before the indices.
    """

    fixed = shares = True

    def __init__(self, shape: tuple[int, ...], dtype: Any, owner: str = "") -> None:
        self.shape, self.dtype, self.owner = shape, np.dtype(dtype), owner

    def argument(self, flat: NDArray[Any]) -> NDArray[Any]:
        """The vector in the shape of x."""
        return flat.reshape(self.shape)

    def lending(self, flat: NDArray[Any]) -> Callable[[], Any]:
        """The same array at every call."""
        made = self.argument(flat)
        return lambda: made

    def arguments(self, points: NDArray[Any]) -> NDArray[Any]:
        """The rows in the shape of x, as one array."""
        return points.reshape((-1, *self.shape))

    def stacked(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The same: an f that takes rows is handed them all."""
        return self.arguments(rows)

    def altered(self, argument: NDArray[Any], flat: NDArray[Any]) -> str:
        """Whether the array holds other numbers now, or was given another shape in place."""
        same = argument.shape == self.argument(flat).shape and unchanged(argument, flat)
        return "" if same else self.owner or "its argument"

    def numbers(self, value: Any, role: str) -> Array:
        """The entries of an array of the shape of x, or flat."""
        array = real_array(value, role, of_complex="complex numbers; a derivative of a real function is real")
        shape = self.shape
        if array.shape != shape and not fits(array.shape, shape):
            hint = "; it looks transposed" if array.shape == shape[::-1] and array.size == self.size else ""
            whose = f" for {self.owner}" if self.owner else ""
            raise UserCodeError(
                f"{role} returned shape {array.shape}{whose}, expected {shape}{hint}", FindingKind.WRONG_SHAPE, role
            )
        return array.astype(np.float64).reshape(-1)

    def misfit(self, value: Any) -> str:
        """An array must have the shape of x, or be flat: one of (n, 1) beside x of (n,) makes an n × n array of a step."""
        return odd_shape(value, self.shape, self.owner)

    def derivative(self, flat: Array) -> Any:
        """The entries in the shape of x."""
        return flat.reshape(self.shape)

    def spread(self, value: Any) -> Array:
        """A number, or an array that can be broadcast to the shape of x."""
        try:
            return np.broadcast_to(np.asarray(value, np.float64), self.shape).reshape(-1)
        except (TypeError, ValueError):
            raise ValueError(f"it must be a number, or an array of shape {self.shape}") from None

    def index(self, entry: int) -> tuple[int, ...]:
        """The place of an entry in the array."""
        return tuple(int(i) for i in np.unravel_index(entry, self.shape)) if self.shape else ()

    def name(self, entry: int) -> str:
        """``[3, 1]``, or ``W2[3, 1]``; a number that is a part of something goes by its name alone."""
        return self.owner + place(self.index(entry)) if self.shape or not self.owner else self.owner

    @property
    def parts(self) -> list[Part]:
        """Slices along the first axis, or the last if that is shorter; none of one axis, and none if there would be many."""
        shape = self.shape
        if len(shape) < 2:
            return []
        others, rows, columns = ", :" * (len(shape) - 1), shape[0], shape[-1]
        if not 1 < min(rows, columns) <= LISTED:
            return []
        if rows <= columns:
            width = math.prod(shape[1:])
            return [Part(f"[{k}{others}]", slice(k * width, (k + 1) * width)) for k in range(rows)]
        return [Part(f"[{others[2:]}, {k}]", slice(k, None, columns)) for k in range(columns)]


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array of any framework, or of what NumPy makes one of."""
    shape = getattr(value, "shape", None)
    return tuple(shape) if isinstance(shape, Iterable) else np.shape(value)


def odd_shape(value: Any, wanted: tuple[int, ...], owner: str) -> str:
    """What is wrong with the shape of an answer that was read as one of the wanted shape; '' if nothing."""
    shape = shape_of(value)
    if shape == wanted or len(shape) <= 1:
        return ""
    whose = f" for {owner}" if owner else ""
    return f"shape {shape}{whose}, expected {wanted}; its numbers were compared as that"


def fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether an array has the wanted shape but for axes of length 1, or is flat."""
    return [n for n in shape if n != 1] == [n for n in wanted if n != 1] or (
        len(shape) <= 1 and math.prod(shape) == math.prod(wanted)
    )


class VectorLayout(ArrayLayout):
    """The entries of x, by their names, handed over as the vector itself: to code of ours between user code and us."""

    def __init__(self, named: Layout) -> None:
        super().__init__(named.shape, named.dtype, named.owner)
        self.named, self.imaginary = named, named.imaginary

    @property
    def given(self) -> tuple[int, ...]:
        """That of x."""
        return self.named.given

    def argument(self, flat: NDArray[Any]) -> NDArray[Any]:
        """The vector."""
        return flat

    def arguments(self, points: NDArray[Any]) -> NDArray[Any]:
        """The rows."""
        return points

    def index(self, entry: int) -> tuple[int, ...]:
        """Where the entry is in x."""
        return self.named.index(entry)

    def name(self, entry: int) -> str:
        """What it is called there."""
        return self.named.name(entry)

    def whole(self, entry: int) -> str:
        """What the number is called there that it is a part of."""
        return self.named.whole(entry)

    def answer_for(self, start: int, value: Any, role: str) -> Any:
        """As for x."""
        return self.named.answer_for(start, value, role)

    @property
    def leaves(self) -> tuple[tuple[Layout, slice], ...]:
        """Those of x."""
        return self.named.leaves

    @property
    def parts(self) -> list[Part]:
        """Those of x."""
        return self.named.parts


def as_layout(x: NDArray[Any] | Layout) -> Layout:
    """A layout, or that of an array."""
    return ArrayLayout(x.shape, x.dtype) if isinstance(x, np.ndarray) else x
