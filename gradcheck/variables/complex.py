"""Complex variables: Cⁿ as R²ⁿ, the real and the imaginary part of each entry side by side, and what a gradient means there.

NumPy stores a complex array in just this way, so that an array and its vector share memory.  What stands for the gradient of
a real f in R²ⁿ, (∂f/∂x, ∂f/∂y), is told by user code as one complex number, in one of several conventions: `Convention`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.model import Convention, FindingKind
from gradcheck.variables.arrays import Like, framework_of
from gradcheck.variables.frameworks import FrameworkLayout
from gradcheck.variables.layout import Layout, Part, fits, odd_shape, shape_of
from gradcheck.variables.numbers import real_array, unchanged
from gradcheck.wording import place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PARTS = {
    Convention.STEEPEST: (1.0, 1.0),
    Convention.CONJUGATE: (1.0, -1.0),
    Convention.WIRTINGER: (2.0, -2.0),
    Convention.WIRTINGER_CONJUGATE: (2.0, 2.0),
    Convention.REAL_PART: (1.0, 0.0),
}
"""(a, b) for which a claim g says that ∂f/∂x = a Re g and ∂f/∂y = b Im g; where b is 0, nothing is said of ∂f/∂y."""


def weights(convention: Convention, imaginary: NDArray[np.bool_]) -> Array:
    """What the entries of a claim, real and imaginary parts in turn, are multiplied by to be the gradient in R²ⁿ: (n,).

    imaginary: as in `Layout`; the derivative by a variable that is real is the same in every convention.
    """
    of_real, of_imaginary = PARTS[convention]
    found = np.ones(imaginary.size)
    found[imaginary] = of_imaginary
    found[np.flatnonzero(imaginary) - 1] = of_real
    return found


class ComplexLayout(Layout):
    """x is one complex array, in C order.

    The vector has its real and imaginary parts, so that `shape` has a last axis of length 2 more than x.
    """

    fixed = shares = True

    def __init__(self, shape: tuple[int, ...], dtype: Any, owner: str = "") -> None:
        self.number, self.owner = np.dtype(dtype), owner
        self.shape, self.dtype = (*shape, 2), np.dtype(np.float32 if self.number.itemsize == 8 else np.float64)
        self.imaginary = np.tile([False, True], math.prod(shape))

    @property
    def given(self) -> tuple[int, ...]:
        """The shape of x."""
        return self.shape[:-1]

    # ---- what user code is handed

    def argument(self, flat: NDArray[Any]) -> Any:
        """The vector as complex numbers, in the shape of x, in the same memory."""
        return flat.view(self.number).reshape(self.given)

    def lending(self, flat: NDArray[Any]) -> Callable[[], Any]:
        """The same array at every call."""
        made = self.argument(flat)
        return lambda: made

    def arguments(self, points: NDArray[Any]) -> NDArray[Any]:
        """The rows in the shape of x, as one array."""
        return np.ascontiguousarray(points).view(self.number).reshape((-1, *self.given))

    def stacked(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The same: an f that takes rows is handed them all."""
        return self.arguments(rows)

    def altered(self, argument: Any, flat: NDArray[Any]) -> str:
        """Whether the array holds other numbers now, or was given another shape in place."""
        same = argument.shape == self.given and unchanged(argument, np.ascontiguousarray(flat).view(self.number))
        return "" if same else self.owner or "its argument"

    # ---- what it answers

    def numbers(self, value: Any, role: str) -> Array:
        """The entries of an array of the shape of x, or flat: real and imaginary parts in turn."""
        array = real_array(value, role, kinds="fiubc")
        if array.shape != self.given and not fits(array.shape, self.given):
            whose = f" for {self.owner}" if self.owner else ""
            message = f"{role} returned shape {array.shape}{whose}, expected {self.given}"
            raise UserCodeError(message, FindingKind.WRONG_SHAPE, role)
        return array.astype(np.complex128).reshape(-1).view(np.float64)

    def misfit(self, value: Any) -> str:
        """As for a real array: an answer must have the shape of x, or be flat."""
        return odd_shape(value, self.given, self.owner)

    def derivative(self, flat: Array) -> Any:
        """The entries as complex numbers, in the shape of x."""
        return np.ascontiguousarray(flat).view(np.complex128).reshape(self.given)

    def spread(self, value: Any) -> Array:
        """Nothing can be spread but what says nothing: complex numbers have no order, so there is no bound on them."""
        if np.ndim(value) == 0 and not np.iscomplexobj(value) and np.isinf(value):
            return np.full(self.size, float(value))
        whose = self.owner or "x0"
        raise ValueError(f"{whose} is complex, and complex numbers have no order; bounds are for real variables")

    # ---- names

    def index(self, entry: int) -> tuple[int, ...]:
        """The place of the complex number in the array, whichever of its parts is asked for."""
        return tuple(int(i) for i in np.unravel_index(entry // 2, self.given)) if self.given else ()

    def name(self, entry: int) -> str:
        """``[3].real``, ``z[3].imag``."""
        return f"{self.whole(entry)}.{'imag' if entry % 2 else 'real'}"

    def whole(self, entry: int) -> str:
        """``[3]``, ``z[3]``: the complex number that an entry is a part of."""
        return self.owner + place(self.index(entry)) if self.given or not self.owner else self.owner

    @property
    def parts(self) -> list[Part]:
        """None: x is one array."""
        return []


def complex_like(value: Any) -> Layout:
    """The layout of complex values of f; of a precision that NumPy has not they are read in the next one."""
    single = "complex64" in str(getattr(value, "dtype", ""))
    layout = ComplexLayout(shape_of(value), np.complex64 if single else np.complex128)
    framework = framework_of(value)
    return layout if framework is None else FrameworkLayout(layout, framework, Like(framework.like(value).device))


class ComplexNumberLayout(ComplexLayout):
    """A complex number within a tree, handed over as a number of its own type."""

    fixed = shares = False

    def __init__(self, kind: type, dtype: Any, owner: str) -> None:
        super().__init__((), dtype, owner)
        self.kind = kind

    def argument(self, flat: NDArray[Any]) -> Any:
        """The only number."""
        return self.kind(complex(flat[0], flat[1]))

    def lending(self, flat: NDArray[Any]) -> Callable[[], Any]:
        """A new number at every call."""
        return lambda: self.argument(flat)

    def stacked(self, rows: NDArray[Any]) -> NDArray[Any]:
        """A vector of them."""
        return super().stacked(rows).reshape(-1)

    def altered(self, argument: Any, flat: NDArray[Any]) -> str:
        """A number cannot be written into, but replaced."""
        return "" if argument == self.argument(flat) else self.owner
