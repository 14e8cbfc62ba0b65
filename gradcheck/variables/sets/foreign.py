"""Sets of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.curves import acceleration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Foreign(Set):
    """A set of another library, with `projection(x, v)` onto the tangent space and `retraction(x, v)`, as pymanopt's have."""

    curved = True

    def __init__(self, other: Any) -> None:
        self.other, self.name = other, type(other).__name__
        self.basis = f"the left singular vectors of {self.name}.projection, orthonormal"
        self._known: tuple[bytes, Array] | None = None

    def size(self, shape: tuple[int, ...]) -> int:
        """Is known only where there is a point."""
        return int(self.other.dim)

    def project(self, x: Array) -> Array:
        """Where the retraction of no movement leads."""
        return np.asarray(self.other.retraction(x, np.zeros_like(x)), np.float64)

    def draw(self, z: Array) -> Array:
        """The random point that the set itself draws."""
        return np.asarray(self.other.random_point(), np.float64)

    def _basis(self, x: Array) -> Array:
        """The tangents as columns, (n, k)."""
        key = x.tobytes()
        if self._known is None or self._known[0] != key:
            units = np.eye(x.size).reshape(-1, *x.shape)
            columns = [np.asarray(self.other.projection(x, unit), np.float64).reshape(-1) for unit in units]
            left, size, _ = np.linalg.svd(np.stack(columns, axis=1))
            self._known = key, left[:, : int(np.count_nonzero(size > 1e-6 * size[0]))]
        return self._known[1]

    def tangent(self, x: Array, c: Array) -> Array:
        """The sum of the columns."""
        out: Array = (self._basis(x) @ c).reshape(x.shape)
        return out

    def coordinates(self, x: Array, g: Array) -> Array:
        """Products with the columns."""
        out: Array = g.reshape(-1) @ self._basis(x)
        return out

    def move(self, x: Array, c: Array) -> Array:
        """The retraction."""
        return np.asarray(self.other.retraction(x, self.tangent(x, c)), np.float64)

    def size_at(self, x: Array) -> int:
        """The number of columns."""
        return self._basis(x).shape[1]

    def bend(self, x: Array, v: Array, w: Array) -> Array:
        """By second differences of retractions along v + w and v − w; right for retractions of second order."""
        ahead, apart = (acceleration(self.other.retraction, x, u, 1.0) for u in (v + w, v - w))
        bent: Array = (ahead - apart) / 4
        return bent

    def origin(self, x: Array) -> Array:
        """0 for each column."""
        return np.zeros(self._basis(x).shape[1])
