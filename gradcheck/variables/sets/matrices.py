"""Sets of matrices: symmetric, positive definite, diagonal, and with orthonormal columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.variables.sets.base import Set, Square
from gradcheck.variables.sets.elementary import NEAR, positive_factor, squashed
from gradcheck.wording import place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROOT2 = math.sqrt(2.0)
LEAST = 1e-12  # an eigenvalue, or an entry, of a smaller share of the largest is on the edge of what is positive


class Symmetric(Square):
    """Symmetric matrices."""

    name = "symmetric"
    basis = "Eᵢᵢ, and (Eᵢⱼ + Eⱼᵢ)/√2 for i < j"
    flat = True

    def size(self, shape: tuple[int, ...]) -> int:
        """n (n + 1)/2."""
        return shape[0] * (shape[0] + 1) // 2

    def project(self, x: Array) -> Array:
        """The symmetric part."""
        return (x + x.T) / 2

    def draw(self, z: Array) -> Array:
        """The symmetric part, with a diagonal of different entries."""
        return self.project(z) + np.diag(np.linspace(0.3, 0.6, len(z)))

    def tangent(self, x: Array, c: Array) -> Array:
        """Both triangles."""
        rows, columns = np.triu_indices(len(x))
        out = np.zeros(x.shape)
        out[rows, columns] = out[columns, rows] = c * np.where(rows == columns, 1.0, 1 / ROOT2)
        return out

    def coordinates(self, x: Array, g: Array) -> Array:
        """The sum of both triangles."""
        rows, columns = np.triu_indices(len(x))
        return (g[rows, columns] + g[columns, rows]) * np.where(rows == columns, 0.5, 1 / ROOT2)

    def move(self, x: Array, c: Array) -> Array:
        """Straight on."""
        return self.tangent(x, c)

    def origin(self, x: Array) -> Array:
        """The coordinates of the matrix itself."""
        return self.coordinates(x, x)

    def reach(self, x: Array) -> float:
        """The size of an ordinary eigenvalue."""
        return float(np.median(np.abs(np.linalg.eigvalsh(x)))) or 1.0

    def special(self, x: Array) -> str:
        """Equal eigenvalues, as of a multiple of the identity."""
        return _repeated(np.asarray(np.linalg.eigvalsh(x), np.float64))

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """As the entry in the upper triangle."""
        rows, columns = np.triu_indices(shape[0])
        return place((int(rows[i]), int(columns[i])))


class PositiveDefinite(Symmetric):
    """Symmetric matrices whose eigenvalues are positive."""

    name = "spd"
    flat = False

    def project(self, x: Array) -> Array:
        """The symmetric part, with 0 in place of negative eigenvalues."""
        symmetric = (x + x.T) / 2
        values, vectors = np.linalg.eigh(symmetric)
        return symmetric if values[0] >= 0 else _symmetric_of(vectors, np.maximum(values, 0.0))

    def edge(self, x: Array) -> str:
        """An eigenvalue that is 0."""
        values = np.linalg.eigvalsh(x)
        small = values[0] <= LEAST * values[-1]
        return f"its smallest eigenvalue is {values[0]:.2g}, of the largest {values[-1]:.2g}" if small else ""

    def draw(self, z: Array) -> Array:
        """A Gram matrix, and a diagonal that keeps its eigenvalues apart from 0 and from each other."""
        factor = squashed(z)
        return self.project(factor @ factor.T) + np.diag(np.linspace(0.5, 1.5, len(z)))

    def move(self, x: Array, c: Array) -> Array:
        """By a factor for each eigenvalue of the tangent as seen from x, which keeps all of them positive."""
        point: Array = self.moves(x, c[None])[0]
        return point

    def moves(self, x: Array, many: Array) -> Array:
        """All at once."""
        rows, columns = np.triu_indices(len(x))
        c = (many - self.origin(x)) * np.where(rows == columns, 1.0, 1 / ROOT2)
        v = np.empty((len(many), *x.shape))
        v[:, rows, columns] = v[:, columns, rows] = c
        values, vectors = np.linalg.eigh(x)
        root = vectors * np.sqrt(values)
        seen = root.T @ v @ root / np.outer(values, values)
        along, across = np.linalg.eigh((seen + seen.swapaxes(1, 2)) / 2)
        return _symmetric_of(root @ across, positive_factor(along)[:, None, :])

    def origin(self, x: Array) -> Array:
        """The size of an ordinary eigenvalue."""
        return np.full(self.size(x.shape), float(np.median(np.linalg.eigvalsh(x))))

    def reach(self, x: Array) -> float:
        """The smallest eigenvalue."""
        return float(np.linalg.eigvalsh(x)[0])


class Diagonal(Square):
    """Diagonal matrices."""

    name = "diagonal"
    basis = "Eᵢᵢ"
    flat = True

    def size(self, shape: tuple[int, ...]) -> int:
        """n."""
        return shape[0]

    def project(self, x: Array) -> Array:
        """0 off the diagonal."""
        return np.diag(np.diag(x))

    def draw(self, z: Array) -> Array:
        """Different entries."""
        return np.diag(np.diag(z) + np.linspace(0.3, 0.6, len(z)))

    def tangent(self, x: Array, c: Array) -> Array:
        """diag(c)."""
        return np.diag(c)

    def coordinates(self, x: Array, g: Array) -> Array:
        """The diagonal."""
        return np.diag(g).copy()

    def move(self, x: Array, c: Array) -> Array:
        """Straight on."""
        return np.diag(c)

    def origin(self, x: Array) -> Array:
        """The diagonal."""
        return np.diag(x).copy()

    def reach(self, x: Array) -> float:
        """The size of an ordinary entry."""
        return float(np.median(np.abs(np.diag(x)))) or 1.0

    def special(self, x: Array) -> str:
        """Equal entries."""
        return _repeated(np.sort(np.diag(x)))

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """As the entry."""
        return place((i, i))


class Orthogonal(Set):
    """Matrices n × p with orthonormal columns (Stiefel)."""

    name = "orthogonal"
    basis = "X (Eᵢⱼ − Eⱼᵢ)/√2 for i < j, then Y Eᵢⱼ, where Y completes X to an orthogonal matrix (QR)"
    needed = "a matrix with no more columns than rows, and more than one row"

    curved = True

    def fits(self, shape: tuple[int, ...]) -> bool:
        """n × p with n ≥ p, and n > 1: a single sign cannot move."""
        return len(shape) == 2 and shape[0] >= shape[1] and shape[0] > 1

    def size(self, shape: tuple[int, ...]) -> int:
        """p (p − 1)/2 + (n − p) p."""
        n, p = shape
        return p * (p - 1) // 2 + (n - p) * p

    def project(self, x: Array) -> Array:
        """The orthogonal factor of the polar decomposition."""
        return polar(x)

    def draw(self, z: Array) -> Array:
        """That of z, where z has rank p."""
        return polar(squashed(z) + np.cos(1.0 + np.arange(z.size)).reshape(z.shape) / 2)

    def tangent(self, x: Array, c: Array) -> Array:
        """X Ω + Y K."""
        n, p = x.shape
        rows, columns = np.triu_indices(p, 1)
        turn = np.zeros((p, p))
        turn[rows, columns] = c[: rows.size] / ROOT2
        out: Array = x @ (turn - turn.T) + _complement(x) @ c[rows.size :].reshape(n - p, p)
        return out

    def coordinates(self, x: Array, g: Array) -> Array:
        """The skew part of Xᵀg, and Yᵀg."""
        rows, columns = np.triu_indices(x.shape[1], 1)
        turn = x.T @ g
        inside = (turn[rows, columns] - turn[columns, rows]) / ROOT2
        return np.concatenate([inside, (_complement(x).T @ g).reshape(-1)])

    def move(self, x: Array, c: Array) -> Array:
        """The polar factor of x + v, which has full rank as (x + v)ᵀ(x + v) = I + vᵀv."""
        return polar(x + self.tangent(x, c))

    def moves(self, x: Array, many: Array) -> Array:
        """All at once."""
        n, p = x.shape
        rows, columns = np.triu_indices(p, 1)
        turns = np.zeros((len(many), p, p))
        turns[:, rows, columns] = many[:, : rows.size] / ROOT2
        away = many[:, rows.size :].reshape(len(many), n - p, p)
        return polar(x + x @ (turns - turns.swapaxes(1, 2)) + _complement(x) @ away)

    def bend(self, x: Array, v: Array, w: Array) -> Array:
        """That of x (I + vᵀv)^(−½): −x (vᵀw + wᵀv)/2."""
        across: Array = v.T @ w
        bent: Array = -x @ (across + across.T) / 2
        return bent

    def special(self, x: Array) -> str:
        """Columns along axes."""
        plain = np.abs(np.abs(x).max(axis=0) - 1.0).max() <= NEAR
        return "its columns lie along axes, as those of the identity do" if plain else ""


def polar(x: Array) -> Array:
    """The matrix with orthonormal columns that is nearest to x."""
    left, _, right = np.linalg.svd(x, full_matrices=False)
    factor: Array = left @ right
    return factor


def _complement(x: Array) -> Array:
    """Orthonormal columns that are orthogonal to those of x, (n, n − p)."""
    full: Array = np.linalg.qr(x, mode="complete")[0]
    return full[:, x.shape[1] :]


def _repeated(values: Array) -> str:
    """What is special about sorted eigenvalues."""
    near = np.diff(values) <= NEAR * max(1e-300, float(np.abs(values).max()))
    if not near.any():
        return ""
    same = "all its eigenvalues are equal" if near.all() else "two of its eigenvalues are equal"
    return f"{same}, where matrices that it does not commute with elsewhere may commute with it"


def _symmetric_of(vectors: Array, values: Array) -> Array:
    """Σ λᵢ vᵢ vᵢᵀ, symmetric to the last bit."""
    product = (vectors * values) @ vectors.swapaxes(-1, -2)
    symmetric: Array = (product + product.swapaxes(-1, -2)) / 2
    return symmetric
