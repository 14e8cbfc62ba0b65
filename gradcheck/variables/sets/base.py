"""What a set of arrays must answer.

All sets lie in a space of arrays, whose inner product Σ aᵢ bᵢ they inherit.  A curve `move(x, t c)` stays on the set for every
t and leaves x along the tangent Σ cᵢ bᵢ, so that f along it is a function of one variable: its central difference has an error
of O(t²) whatever the curve.  It leaves without tangential acceleration, too (Absil, Mahony & Sepulchre, Optimization Algorithms
on Matrix Manifolds, 2008, §5.5), so that its second derivative is that of the Riemannian Hessian.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Set(ABC):
    """A set of arrays.  Points are float64 arrays; coordinates are vectors (k,) in the basis of the tangent space at a point.

    name: as `on` gives it.
    basis: the tangent vectors that coordinates belong to, for the reader of a report.
    needed: the shape of its points, for messages.
    shape: the only one, if there is only one.
    flat: the tangents bᵢ are the same at all points, and `move` goes straight along them.
    exact: `pulled` has a formula.
    curved: no straight lines lie in it; `bend` is not 0.
    """

    name: str
    basis: str
    needed: str = "any shape"
    shape: tuple[int, ...] | None = None
    flat: bool = False
    curved: bool = False
    exact: bool = False

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether points may have a shape."""
        return self.shape is None or shape == self.shape

    @abstractmethod
    def size(self, shape: tuple[int, ...]) -> int:
        """k, the dimension of the set of points of a shape."""

    @abstractmethod
    def project(self, x: Array) -> Array:
        """A point of the set nearest to x, or near it."""

    def distance(self, x: Array) -> float:
        """How far x is from the set."""
        return float(np.linalg.norm(x - self.project(x)))

    def edge(self, x: Array) -> str:
        """What puts a point on the edge of the set, where it has no tangent space; '' if nothing."""
        return ""

    @abstractmethod
    def draw(self, z: Array) -> Array:
        """A point made of standard normal numbers, or any, away from the special places of the set; shape of z."""

    @abstractmethod
    def tangent(self, x: Array, c: Array) -> Array:
        """Σ cᵢ bᵢ, in the shape of x."""

    @abstractmethod
    def coordinates(self, x: Array, g: Array) -> Array:
        """⟨g, bᵢ⟩, (k,), for an array of the shape of x."""

    def normal(self, x: Array, g: Array) -> Array:
        """The part of g that is orthogonal to all tangents."""
        normal: Array = g - self.tangent(x, self.coordinates(x, g))
        return normal

    @abstractmethod
    def move(self, x: Array, c: Array) -> Array:
        """A point of the set: x + Σ cᵢ bᵢ, up to what is normal there, and to O(|c|³)."""

    def moves(self, x: Array, many: Array) -> Array:
        """`move` for each row of an array, (N, k): (N, …)."""
        return np.stack([self.move(x, c) for c in many])

    def pulled(self, x: Array, c: Array, g: Array) -> Array | None:
        """⟨g, ∂ move(x, c)/∂cᵢ⟩, (k,), for an array of the shape of x; None where there is no formula for it."""
        return None

    def bend(self, x: Array, v: Array, w: Array) -> Array:
        """The acceleration of the curves that leave along v, normal to the set, made bilinear in the tangents v and w."""
        return np.zeros(x.shape)

    def curvature(self, x: Array, g: Array) -> Array:
        """⟨g, bend(bᵢ, bⱼ)⟩, (k, k), for an array of the shape of x."""
        return products_with_bend(self, self.bend, x, g) if self.curved else np.zeros((self.size_at(x),) * 2)

    def origin(self, x: Array) -> Array:
        """Numbers that stand for x among coordinates, (k,): of the length over which these are expected to matter."""
        return np.zeros(self.size(x.shape))

    def size_at(self, x: Array) -> int:
        """k, at a point."""
        return self.size(x.shape)

    def reach(self, x: Array) -> float:
        """The shortest length over which coordinates matter."""
        return 1.0

    def special(self, x: Array) -> str:
        """What is special about a point, so that wrong derivatives may look right there; '' if nothing."""
        return ""

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """What coordinate i is called."""
        return f".tangent[{i}]"


class Square(Set):
    """Square matrices of some kind."""

    needed = "a square matrix"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """n × n."""
        return len(shape) == 2 and shape[0] == shape[1]


def products_with_bend(on: Set, bend: Callable[[Array, Array, Array], Array], x: Array, g: Array) -> Array:
    """⟨g, bend(x, bᵢ, bⱼ)⟩, (k, k), for curves of whatever kind."""
    tangents = [on.tangent(x, unit) for unit in np.eye(on.size_at(x))]
    out = np.empty((len(tangents),) * 2)
    for i, v in enumerate(tangents):
        for j in range(i + 1):
            out[i, j] = out[j, i] = float(np.vdot(g, bend(x, v, tangents[j])))
    return out
