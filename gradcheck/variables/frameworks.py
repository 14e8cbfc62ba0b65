"""x as one array of a framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcheck.variables.arrays import Framework, Like, framework_of
from gradcheck.variables.layout import ArrayLayout, Layout, Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class FrameworkLayout(Layout):
    """x is one array of a framework.

    inner: how its numbers are laid out.
    like: what else it is.
    """

    def __init__(self, inner: Layout, framework: Framework, like: Like) -> None:
        self.inner, self.like = inner, like
        self.framework: Framework = framework
        self.shape, self.dtype, self.owner = inner.shape, inner.dtype, inner.owner
        self.shares = inner.shares and framework.shares(like)
        self.imaginary = inner.imaginary

    @property
    def given(self) -> tuple[int, ...]:
        """As for an array of NumPy."""
        return self.inner.given

    def argument(self, flat: NDArray[Any]) -> Any:
        """An array of that framework, new at every call."""
        return self.framework.make([self.inner.argument(flat)], [self.like])[0]

    def lending(self, flat: NDArray[Any]) -> Callable[[], Any]:
        """The same; it may share memory with the vector."""
        if not self.inner.fixed:
            return super().lending(flat)
        make, host, like = self.framework.make, [self.inner.argument(flat)], [self.like]
        return lambda: make(host, like)[0]

    def stacked(self, rows: NDArray[Any]) -> Any:
        """An array with one more axis before the others."""
        return self.framework.make([self.inner.stacked(rows)], [self.like])[0]

    def altered(self, argument: Any, flat: NDArray[Any]) -> str:
        """Whether the array holds other numbers now."""
        return self.inner.altered(self.framework.numpy(argument), flat)

    def collected(self, argument: Any) -> Any:
        """What backward() has left."""
        return self.framework.collected(argument)

    def numbers(self, value: Any, role: str) -> Array:
        """The entries of an array of any framework."""
        return self.inner.numbers(value, role)

    def misfit(self, value: Any) -> str:
        """As for an array of NumPy."""
        return self.inner.misfit(value)

    def derivative(self, flat: Array) -> Any:
        """The entries as NumPy's array, which is an answer, too."""
        return self.inner.derivative(flat)

    def spread(self, value: Any) -> Array:
        """As for an array of NumPy."""
        return self.inner.spread(value)

    def index(self, entry: int) -> tuple[int, ...]:
        """The place of an entry in the array."""
        return self.inner.index(entry)

    def name(self, entry: int) -> str:
        """As for an array of NumPy."""
        return self.inner.name(entry)

    def whole(self, entry: int) -> str:
        """As for an array of NumPy."""
        return self.inner.whole(entry)

    @property
    def parts(self) -> list[Part]:
        """As for an array of NumPy."""
        return self.inner.parts


def like_array(value: Any, shape: tuple[int, ...], dtype: Any) -> Layout:
    """The layout of arrays of a shape and dtype that belong to the framework, and live on the device, of an array."""
    layout, framework = ArrayLayout(shape, dtype), framework_of(value)
    return layout if framework is None else FrameworkLayout(layout, framework, Like(framework.like(value).device))
