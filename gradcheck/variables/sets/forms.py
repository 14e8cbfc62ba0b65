"""The forms in which a derivative on a set is claimed: by the entries of x, as a tangent in a metric, or by parameters.

A form tells, at any point of the set, which array of the shape of x a claim stands for, whose inner products with tangents are
derivatives (`covector`); and what a tangent is called in it (`seen`), for the vectors that products take and the columns of a
matrix.  Second derivatives are those of f along the curves of the form, whose acceleration is `bend`: a straight line where x
moves entry by entry, a geodesic of the metric, or the curve of the parameters.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.variables.sets.base import Set, products_with_bend
from gradcheck.variables.sets.curves import acceleration, velocities
from gradcheck.variables.sets.metrics import INHERITED, Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.variables.sets.curves import Path

    Array = NDArray[np.float64]


class Form(ABC):
    """One form of a claim.

    name: as it is named in an option.
    text: what a claim is, for the reader.
    """

    name: str
    text: str

    @abstractmethod
    def shape(self, on: Set, x: Array) -> tuple[int, ...]:
        """That of a gradient."""

    def numbers(self, on: Set, x: Array, claimed: Array) -> Array | None:
        """The numbers of a claim, in `shape`, of an array that may be laid out otherwise; None if it does not fit."""
        shape = self.shape(on, x)
        return claimed.reshape(shape) if claimed.size == math.prod(shape) else None

    @abstractmethod
    def covector(self, on: Set, x: Array, claimed: Array) -> Array:
        """An array of the shape of x whose inner products with tangents at x are what is claimed of these."""

    @abstractmethod
    def seen(self, on: Set, x: Array, v: Array) -> Array:
        """A tangent at x as vectors are told in this form, in `shape`."""

    @abstractmethod
    def bend(self, on: Set, x: Array, v: Array, w: Array) -> Array:
        """The acceleration of the curves of this form, bilinear in the tangents along which they leave."""

    def bends_otherwise(self, on: Set) -> bool:
        """Whether `bend` is not that of the set."""
        return True

    def curvature(self, on: Set, x: Array, g: Array) -> Array:
        """⟨g, bend(bᵢ, bⱼ)⟩, (k, k), for an array of the shape of x."""
        if not self.bends_otherwise(on):
            return on.curvature(x, g)
        return products_with_bend(on, lambda x, v, w: self.bend(on, x, v, w), x, g)

    def off(self, on: Set, x: Array, claimed: Array) -> float:
        """The norm of what a claim has that a claim of this form must not have."""
        return 0.0


class Ambient(Form):
    """By the entries of x; what is orthogonal to the set is free."""

    name = "ambient"
    text = "the derivative by the entries of x, whose part orthogonal to the set is free"

    def shape(self, on: Set, x: Array) -> tuple[int, ...]:
        """That of x."""
        return x.shape

    def covector(self, on: Set, x: Array, claimed: Array) -> Array:
        """The claim."""
        return claimed

    def seen(self, on: Set, x: Array, v: Array) -> Array:
        """The tangent."""
        return v

    def bend(self, on: Set, x: Array, v: Array, w: Array) -> Array:
        """Straight lines."""
        return np.zeros(x.shape)

    def bends_otherwise(self, on: Set) -> bool:
        """On a curved set."""
        return on.curved

    def curvature(self, on: Set, x: Array, g: Array) -> Array:
        """None."""
        return np.zeros((on.size_at(x),) * 2)


AMBIENT = Ambient()


class Riemannian(Ambient):
    """A tangent, in a metric."""

    def __init__(self, metric: Metric = INHERITED) -> None:
        self.metric = metric
        self.name = "riemannian" if metric is INHERITED else f"riemannian:{metric.name}"
        self.text = (
            f"the Riemannian derivative, which is tangent to the set, in the metric {metric.name}, {metric.text}"
        )

    def covector(self, on: Set, x: Array, claimed: Array) -> Array:
        """What has the same inner products as the claim has in the metric."""
        return self.metric.lower(x, claimed)

    def bend(self, on: Set, x: Array, v: Array, w: Array) -> Array:
        """Geodesics."""
        return on.bend(x, v, w) if self.metric.bend is None else self.metric.bend(x, v, w)

    def bends_otherwise(self, on: Set) -> bool:
        """In some metrics."""
        return self.metric.bend is not None

    def curvature(self, on: Set, x: Array, g: Array) -> Array:
        """As of any form."""
        return Form.curvature(self, on, x, g)

    def off(self, on: Set, x: Array, claimed: Array) -> float:
        """The part that is no tangent."""
        return float(np.linalg.norm(on.normal(x, claimed)))


class Parameters(Form):
    """By k parameters that are 0 at x.

    path: (x, d) ↦ the point of the set with these parameters.
    reach: x ↦ the length over which the parameters matter, if not that over which coordinates do.
    """

    def __init__(self, name: str, text: str, path: Path, reach: Callable[[Array], float] | None = None) -> None:
        self.name, self.text, self.path, self.reach = name, text, path, reach

    def shape(self, on: Set, x: Array) -> tuple[int, ...]:
        """(k,)."""
        return (on.size_at(x),)

    def velocities(self, on: Set, x: Array) -> Array:
        """The tangents along which the parameters lead, as columns, (n, k); by differences of our own smooth curves."""
        return velocities(self._points, x, np.zeros(on.size_at(x)), self._reach(on, x)).T

    def _points(self, x: Array, many: Array) -> Array:
        return np.stack([self.path(x, d) for d in many])

    def covector(self, on: Set, x: Array, claimed: Array) -> Array:
        """The combination of tangents that has these inner products with the velocities."""
        found: Array = np.linalg.pinv(self.velocities(on, x)).T @ claimed
        return found.reshape(x.shape)

    def seen(self, on: Set, x: Array, v: Array) -> Array:
        """The parameters of the tangent."""
        found: Array = np.linalg.pinv(self.velocities(on, x)) @ v.reshape(-1)
        return found

    def bend(self, on: Set, x: Array, v: Array, w: Array) -> Array:
        """Of the curve of the parameters, by second differences of v + w and of v − w."""
        a, b = self.seen(on, x, v), self.seen(on, x, w)
        reach = self._reach(on, x)
        ahead, apart = (acceleration(self.path, x, d, reach) for d in (a + b, a - b))
        bent: Array = (ahead - apart) / 4
        return bent

    def _reach(self, on: Set, x: Array) -> float:
        return on.reach(x) if self.reach is None else self.reach(x)


class Linear(Parameters):
    """By parameters that are coordinates of the basis, mixed: d stands for the coordinates A d.

    matrix: x ↦ A, (k, k).
    """

    def __init__(self, on: Set, name: str, text: str, matrix: Callable[[Array], Array]) -> None:
        super().__init__(name, text, lambda x, d: on.move(x, on.origin(x) + matrix(x) @ d))
        self.matrix = matrix

    def velocities(self, on: Set, x: Array) -> Array:
        """Of tangents, exactly."""
        return np.stack([on.tangent(x, column).reshape(-1) for column in self.matrix(x).T], axis=1)

    def bend(self, on: Set, x: Array, v: Array, w: Array) -> Array:
        """That of the curves of the set."""
        return on.bend(x, v, w)

    def bends_otherwise(self, on: Set) -> bool:
        """It is that of the set."""
        return False


class Triangle(Linear):
    """By one triangle of a symmetric matrix: as many numbers, or a matrix that is filled there.

    rows, columns: of n ↦ where the numbers stand, in their order.
    """

    def __init__(
        self,
        on: Set,
        name: str,
        text: str,
        order: Callable[[int], tuple[NDArray[np.intp], NDArray[np.intp]]],
        weight: float,
    ) -> None:
        def matrix(x: Array) -> Array:
            rows, columns = order(len(x))
            place = {
                pair: k for k, pair in enumerate(zip(*(part.tolist() for part in np.triu_indices(len(x))), strict=True))
            }
            out = np.zeros((rows.size, rows.size))
            for a, (i, j) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
                out[place[min(i, j), max(i, j)], a] = 1.0 if i == j else weight
            return out

        super().__init__(on, name, text, matrix)
        self.order = order

    def numbers(self, on: Set, x: Array, claimed: Array) -> Array | None:
        """Those of the triangle, where a matrix is claimed that has nothing in the other."""
        if claimed.shape != x.shape:
            return super().numbers(on, x, claimed)
        rows, columns = self.order(len(x))
        left = claimed.copy()
        left[rows, columns] = 0.0
        return None if left.any() else claimed[rows, columns]
