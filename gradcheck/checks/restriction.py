"""A function of many variables with many values, as one of few: along directions, and in inner products with vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.engines import NotCalled
from gradcheck.variables.layout import Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class AlongDirections:
    """t ↦ F(x + Σ t_k v_k) for t of shape (K,), the products with v_k being the columns of its Jacobian at 0.

    layout: of x.
    directions: K vectors like x.
    bounds: (low, high), flat; outside of them f is not called.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        layout: Layout,
        x: NDArray[Any],
        directions: Sequence[NDArray[Any]],
        bounds: tuple[Array, Array] | None = None,
    ) -> None:
        self.function, self.layout, self.x, self.directions, self.bounds = function, layout, x, directions, bounds

    def __call__(self, t: NDArray[Any]) -> Any:
        shift = sum(float(t[k]) * v for k, v in enumerate(self.directions))
        point = (self.x + shift).astype(self.x.dtype)
        if self.bounds is not None and ((point < self.bounds[0]) | (point > self.bounds[1])).any():
            raise NotCalled("outside of the bounds")
        return self.function(self.layout.argument(point))


class Contracted:
    """x ↦ (⟨u_k, F(x)⟩)_k, the products of the transposed Jacobian with u_k being the rows of its Jacobian.

    outputs: how F(x) is laid out.
    vectors: (K, m).
    """

    of_whole = True

    def __init__(self, function: Callable[..., Any], outputs: Layout, vectors: Sequence[NDArray[Any]]) -> None:
        self.function, self.outputs = function, outputs
        self.vectors = np.stack(vectors).astype(np.float64)

    def __call__(self, x: Any, *args: Any, **named: Any) -> Array:
        products: Array = (self.vectors * self.outputs.numbers(self.function(x, *args, **named), "func")).sum(axis=1)
        return products


__all__ = ["AlongDirections", "Contracted"]
