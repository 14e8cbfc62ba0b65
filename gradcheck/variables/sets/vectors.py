"""Sets of arrays whatever their shape: sphere, simplex, positive and periodic numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.elementary import (
    NEAR,
    SPREAD,
    not_positive,
    positive_factor,
    positive_slope,
    reflected,
    squashed,
    unit,
)
from gradcheck.wording import place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NEAR_ZERO = 1e-2  # an angle below which a quotient is taken by its series


class Sphere(Set):
    """Arrays of norm 1."""

    name = "sphere"
    exact = True
    basis = "e₂ … eₙ, reflected by the plane that takes e₁ to ±x (Householder)"
    needed = "at least two entries"

    curved = True

    def fits(self, shape: tuple[int, ...]) -> bool:
        """At least two entries."""
        return math.prod(shape) > 1

    def size(self, shape: tuple[int, ...]) -> int:
        """n − 1."""
        return math.prod(shape) - 1

    def project(self, x: Array) -> Array:
        """x / |x|."""
        return unit(x)

    def draw(self, z: Array) -> Array:
        """z / |z|."""
        return unit(z)

    def tangent(self, x: Array, c: Array) -> Array:
        """The reflection of (0, c)."""
        return reflected(x.ravel(), np.concatenate([[0.0], c])).reshape(x.shape)

    def coordinates(self, x: Array, g: Array) -> Array:
        """All but the first entry of the reflection of g."""
        return reflected(x.ravel(), g.ravel())[1:]

    def move(self, x: Array, c: Array) -> Array:
        """Along a great circle."""
        v = self.tangent(x, c)
        angle = float(np.linalg.norm(v))
        return unit(math.cos(angle) * x + np.sinc(angle / math.pi) * v)

    def bend(self, x: Array, v: Array, w: Array) -> Array:
        """Towards the centre."""
        inward: Array = -float(np.vdot(v, w)) * x
        return inward

    def pulled(self, x: Array, c: Array, g: Array) -> Array:
        """Of cos(a) x + sin(a)/a v, where a is the length of c, and of v."""
        v, a = self.tangent(x, c), float(np.linalg.norm(c))
        share = float(np.sinc(a / math.pi))
        bent = (math.cos(a) - share) / a**2 if a > NEAR_ZERO else -1 / 3 + a * a / 30
        along: Array = share * (self.coordinates(x, g) - float(np.vdot(g, x)) * c) + bent * float(np.vdot(g, v)) * c
        return along

    def curvature(self, x: Array, g: Array) -> Array:
        """The basis is orthonormal."""
        same: Array = -float(np.vdot(g, x)) * np.eye(self.size_at(x))
        return same

    def special(self, x: Array) -> str:
        """A pole."""
        return "it lies on an axis, where most entries are 0" if np.count_nonzero(x) == 1 else ""


class Simplex(Set):
    """Positive numbers with the sum 1."""

    name = "simplex"
    exact = True
    basis = "e₂ … eₙ, reflected by the plane that takes e₁ to (1, …, 1)/√n (Householder): sums of coordinates stay 0"
    needed = "at least two entries"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """At least two entries."""
        return math.prod(shape) > 1

    def size(self, shape: tuple[int, ...]) -> int:
        """n − 1."""
        return math.prod(shape) - 1

    def project(self, x: Array) -> Array:
        """The positive entries, scaled to the sum 1."""
        kept = np.maximum(x, 0.0)
        total = kept.sum()
        return kept / total if total > 0 else np.full(x.shape, 1 / x.size)

    def edge(self, x: Array) -> str:
        """An entry that is 0."""
        return not_positive(x)

    def draw(self, z: Array) -> Array:
        """Shares of some size each."""
        return self.project(np.exp(SPREAD * squashed(z)))

    def tangent(self, x: Array, c: Array) -> Array:
        """The reflection of (0, c)."""
        return reflected(np.ones(x.size), np.concatenate([[0.0], c])).reshape(x.shape)

    def coordinates(self, x: Array, g: Array) -> Array:
        """All but the first entry of the reflection of g."""
        return reflected(np.ones(x.size), g.ravel())[1:]

    def move(self, x: Array, c: Array) -> Array:
        """Each entry by a factor that keeps it positive; their sum stays 1 but for O(|c|³), which is divided out."""
        moved = x * positive_factor(self.tangent(x, c - self.origin(x)) / x)
        scaled: Array = moved / moved.sum()
        return scaled

    def pulled(self, x: Array, c: Array, g: Array) -> Array:
        """By the chain rule, last step first."""
        u = self.tangent(x, c - self.origin(x)) / x
        moved = x * positive_factor(u)
        total = moved.sum()
        return self.coordinates(x, (g - float(np.vdot(g, moved)) / total) / total * positive_slope(u))

    def origin(self, x: Array) -> Array:
        """The size of an ordinary entry."""
        return np.full(x.size - 1, float(np.median(x)))

    def reach(self, x: Array) -> float:
        """The size of the smallest entry."""
        return float(x.min())

    def special(self, x: Array) -> str:
        """The centre."""
        same = float(np.ptp(x)) <= NEAR * float(x.max())
        return "it is the uniform distribution, where all entries are equal" if same else ""


class Positive(Set):
    """Positive numbers."""

    name = "positive"
    exact = True
    basis = "the entries of x"

    def size(self, shape: tuple[int, ...]) -> int:
        """n."""
        return math.prod(shape)

    def project(self, x: Array) -> Array:
        """0 in place of what is negative."""
        return np.maximum(x, 0.0)

    def edge(self, x: Array) -> str:
        """An entry that is 0."""
        return not_positive(x)

    def draw(self, z: Array) -> Array:
        """Around 1."""
        return np.exp(SPREAD * squashed(z))

    def tangent(self, x: Array, c: Array) -> Array:
        """c."""
        return c.reshape(x.shape)

    def coordinates(self, x: Array, g: Array) -> Array:
        """g."""
        return g.reshape(-1)

    def move(self, x: Array, c: Array) -> Array:
        """Each entry by a factor that keeps it positive."""
        return x * positive_factor(c.reshape(x.shape) / x - 1.0)

    def pulled(self, x: Array, c: Array, g: Array) -> Array:
        """Entry by entry."""
        slopes: Array = g * positive_slope(c.reshape(x.shape) / x - 1.0)
        return slopes.reshape(-1)

    def reach(self, x: Array) -> float:
        """The size of the smallest entry."""
        return float(x.min())

    def special(self, x: Array) -> str:
        """All entries 1, where x, x² and 1/x are alike."""
        return "all its entries are 1, where x, 1/x and log-derivatives look alike" if (x == 1).all() else ""

    def origin(self, x: Array) -> Array:
        """The entries."""
        return x.reshape(-1)

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """As the entry."""
        return place(tuple(map(int, np.unravel_index(i, shape)))) if shape else place(())


class Periodic(Set):
    """Numbers that mean the same a period further on; f is handed those in [0, period), or [−period/2, period/2).

    The second is where x has negative entries.
    """

    basis = "the entries of x"
    flat = True

    def __init__(self, period: float) -> None:
        self.period, self.name = period, f"periodic:{period:g}"

    def size(self, shape: tuple[int, ...]) -> int:
        """n."""
        return math.prod(shape)

    def project(self, x: Array) -> Array:
        """The nearest number of the cell."""
        low = self._low(x)
        return np.clip(x, low, np.nextafter(low + self.period, -np.inf))

    def draw(self, z: Array) -> Array:
        """Off the ends of the cell."""
        return self.period * (0.5 + 0.45 * squashed(z))

    def tangent(self, x: Array, c: Array) -> Array:
        """c."""
        return c.reshape(x.shape)

    def coordinates(self, x: Array, g: Array) -> Array:
        """g."""
        return g.reshape(-1)

    def move(self, x: Array, c: Array) -> Array:
        """x + c, brought back into the cell."""
        low = self._low(x)
        moved = c.reshape(x.shape)
        inside = (moved >= low) & (moved < low + self.period)
        wrapped = low + np.mod(moved - low, self.period)
        wrapped = np.where(wrapped < low + self.period, wrapped, low)
        return np.where(inside, moved, wrapped)

    def origin(self, x: Array) -> Array:
        """The entries."""
        return x.reshape(-1)

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """As the entry."""
        return place(tuple(map(int, np.unravel_index(i, shape)))) if shape else place(())

    def reach(self, x: Array) -> float:
        """The period."""
        return self.period

    def special(self, x: Array) -> str:
        """An end or the middle of the cell, where what is odd vanishes."""
        share = np.mod(2 * x / self.period, 1.0)
        return "it is on the ends or in the middle of the cell" if (np.minimum(share, 1 - share) <= NEAR).all() else ""

    def _low(self, x: Array) -> float:
        return -self.period / 2 if (x < 0).any() else 0.0
