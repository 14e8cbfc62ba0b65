"""Sets on which x may live: how far a point is off, a basis of the tangent space, and curves that stay on the set.

All sets lie in a space of arrays, whose inner product Σ aᵢ bᵢ they inherit.  A curve `move(x, t c)` stays on the set for every
t and leaves x along the tangent Σ cᵢ bᵢ, so that f along it is a function of one variable: its central difference has an error
of O(t²) whatever the curve.  It leaves without tangential acceleration, too (Absil, Mahony & Sepulchre, Optimization Algorithms
on Matrix Manifolds, 2008, §5.5), so that its second derivative is that of the Riemannian Hessian.
It is long because the sets stand side by side, each of some forty lines.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.wording import by, place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROOT2 = math.sqrt(2.0)
LEAST = 1e-12  # an eigenvalue, or an entry, of a smaller share of the largest is on the edge of what is positive
SPREAD = 1.5  # logarithm of how far the entries of a random positive point are from 1, at the most


class Set(ABC):
    """A set of arrays.  Points are float64 arrays; coordinates are vectors (k,) in the basis of the tangent space at a point.

    name: as `on` gives it.
    basis: the tangent vectors that coordinates belong to, for the reader of a report.
    needed: the shape of its points, for messages.
    shape: the only one, if there is only one.
    flat: the tangents bᵢ are the same at all points, and `move` goes straight along them.
    """

    name: str
    basis: str
    needed: str = "any shape"
    shape: tuple[int, ...] | None = None
    flat: bool = False

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

    def origin(self, x: Array) -> Array:
        """Numbers that stand for x among coordinates, (k,): of the length over which these are expected to matter."""
        return np.zeros(self.size(x.shape))

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """What coordinate i is called."""
        return f".tangent[{i}]"


# ---- vectors


class Sphere(Set):
    """Arrays of norm 1."""

    name = "sphere"
    basis = "e₂ … eₙ, reflected by the plane that takes e₁ to ±x (Householder)"
    needed = "at least two entries"

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
        return _reflected(x.ravel(), np.concatenate([[0.0], c])).reshape(x.shape)

    def coordinates(self, x: Array, g: Array) -> Array:
        """All but the first entry of the reflection of g."""
        return _reflected(x.ravel(), g.ravel())[1:]

    def move(self, x: Array, c: Array) -> Array:
        """Along a great circle."""
        v = self.tangent(x, c)
        angle = float(np.linalg.norm(v))
        return unit(math.cos(angle) * x + np.sinc(angle / math.pi) * v)


class Quaternion(Sphere):
    """Unit quaternions (w, x, y, z)."""

    name = "quaternion"
    basis = "q∘(0, eᵢ): the body turns about its axis i, by an angle of 2 for a coordinate of 1; w comes first"
    needed = "shape 4"
    shape = (4,)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Four entries."""
        return shape == self.shape

    def draw(self, z: Array) -> Array:
        """A turn of half a radian to two and a half."""
        axis, angle = _turn(z)
        return np.concatenate([[math.cos(angle / 2)], math.sin(angle / 2) * axis])

    def tangent(self, x: Array, c: Array) -> Array:
        """q∘(0, c)."""
        turned: Array = _quaternion_basis(x) @ c
        return turned

    def coordinates(self, x: Array, g: Array) -> Array:
        """⟨g, q∘(0, eᵢ)⟩."""
        along: Array = g @ _quaternion_basis(x)
        return along

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """By the axis."""
        return f".half_turn[{i}]"


class Simplex(Set):
    """Positive numbers with the sum 1."""

    name = "simplex"
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
        return _not_positive(x)

    def draw(self, z: Array) -> Array:
        """Shares of some size each."""
        return self.project(np.exp(SPREAD * _squashed(z)))

    def tangent(self, x: Array, c: Array) -> Array:
        """The reflection of (0, c)."""
        return _reflected(np.ones(x.size), np.concatenate([[0.0], c])).reshape(x.shape)

    def coordinates(self, x: Array, g: Array) -> Array:
        """All but the first entry of the reflection of g."""
        return _reflected(np.ones(x.size), g.ravel())[1:]

    def move(self, x: Array, c: Array) -> Array:
        """Each entry by a factor that keeps it positive; their sum stays 1 but for O(|c|³), which is divided out."""
        moved = x * positive_factor(self.tangent(x, c - self.origin(x)) / x)
        scaled: Array = moved / moved.sum()
        return scaled

    def origin(self, x: Array) -> Array:
        """The size of an ordinary entry."""
        return np.full(x.size - 1, float(np.median(x)))


class Positive(Set):
    """Positive numbers."""

    name = "positive"
    basis = "the entries of x"

    def size(self, shape: tuple[int, ...]) -> int:
        """n."""
        return math.prod(shape)

    def project(self, x: Array) -> Array:
        """0 in place of what is negative."""
        return np.maximum(x, 0.0)

    def edge(self, x: Array) -> str:
        """An entry that is 0."""
        return _not_positive(x)

    def draw(self, z: Array) -> Array:
        """Around 1."""
        return np.exp(SPREAD * _squashed(z))

    def tangent(self, x: Array, c: Array) -> Array:
        """c."""
        return c.reshape(x.shape)

    def coordinates(self, x: Array, g: Array) -> Array:
        """g."""
        return g.reshape(-1)

    def move(self, x: Array, c: Array) -> Array:
        """Each entry by a factor that keeps it positive."""
        return x * positive_factor(c.reshape(x.shape) / x - 1.0)

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
        return self.period * (0.5 + 0.45 * _squashed(z))

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

    def _low(self, x: Array) -> float:
        return -self.period / 2 if (x < 0).any() else 0.0


# ---- matrices


class Square(Set):
    """Square matrices of some kind."""

    needed = "a square matrix"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """n × n."""
        return len(shape) == 2 and shape[0] == shape[1]


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
        factor = _squashed(z)
        return self.project(factor @ factor.T) + np.diag(np.linspace(0.5, 1.5, len(z)))

    def move(self, x: Array, c: Array) -> Array:
        """By a factor for each eigenvalue of the tangent as seen from x, which keeps all of them positive."""
        v = self.tangent(x, c - self.origin(x))
        values, vectors = np.linalg.eigh(x)
        root = vectors * np.sqrt(values)
        seen = root.T @ v @ root / np.outer(values, values)
        along, across = np.linalg.eigh((seen + seen.T) / 2)
        return _symmetric_of(root @ across, positive_factor(along))

    def origin(self, x: Array) -> Array:
        """The size of an ordinary eigenvalue."""
        return np.full(self.size(x.shape), float(np.median(np.linalg.eigvalsh(x))))


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

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """As the entry."""
        return place((i, i))


class Orthogonal(Set):
    """Matrices n × p with orthonormal columns (Stiefel)."""

    name = "orthogonal"
    basis = "X (Eᵢⱼ − Eⱼᵢ)/√2 for i < j, then Y Eᵢⱼ, where Y completes X to an orthogonal matrix (QR)"
    needed = "a matrix with no more columns than rows, and more than one row"

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
        return polar(_squashed(z) + np.cos(1.0 + np.arange(z.size)).reshape(z.shape) / 2)

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


class Rotation(Set):
    """Rotations of the plane or of space, as matrices."""

    def __init__(self, dimension: int) -> None:
        self.dimension, self.name = dimension, f"SO{dimension}"
        self.shape, self.needed = (dimension, dimension), f"shape {by((dimension, dimension))}"
        self.basis = "R [eᵢ]×: the body turns about its own axis i, R exp([ω]×)"
        if dimension == 2:
            self.basis = "R (0 −1; 1 0): the angle of the turn"

    def size(self, shape: tuple[int, ...]) -> int:
        """1 or 3."""
        return self.dimension * (self.dimension - 1) // 2

    def project(self, x: Array) -> Array:
        """The polar factor, with a determinant of 1."""
        left, _, right = np.linalg.svd(x)
        left[:, -1] *= np.sign(np.linalg.det(left @ right))
        turned: Array = left @ right
        return turned

    def draw(self, z: Array) -> Array:
        """A turn of half a radian to two and a half, about a slanted axis."""
        axis, angle = _turn(z)
        return rotation(angle * axis[: self.size(z.shape)] if self.dimension == 3 else np.array([angle]))

    def tangent(self, x: Array, c: Array) -> Array:
        """R [c]×."""
        turned: Array = x @ cross_matrix(c)
        return turned

    def coordinates(self, x: Array, g: Array) -> Array:
        """⟨g, R [eᵢ]×⟩."""
        turn = x.T @ g
        skew = turn - turn.T
        return np.array([skew[1, 0]]) if self.dimension == 2 else np.array([skew[2, 1], skew[0, 2], skew[1, 0]])

    def normal(self, x: Array, g: Array) -> Array:
        """The basis is orthonormal for ½ ⟨A, B⟩, so that a coordinate of 1 is an angle of 1."""
        normal: Array = g - self.tangent(x, self.coordinates(x, g) / 2)
        return normal

    def move(self, x: Array, c: Array) -> Array:
        """R exp([c]×)."""
        turned: Array = x @ rotation(c)
        return turned

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """By the axis."""
        return f".omega[{i}]" if self.dimension == 3 else ".angle"


class Pose(Set):
    """Rigid motions, as homogeneous matrices: R and t, and a last row (0, …, 0, 1)."""

    def __init__(self, dimension: int) -> None:
        self.turn, self.name = Rotation(dimension), f"SE{dimension}"
        self.shape = (dimension + 1, dimension + 1)
        self.needed = f"shape {by(self.shape)}, with the last row (0, …, 0, 1)"
        self.basis = f"t along the axes of the body, R ρ, then its turns, {self.turn.basis}"

    def size(self, shape: tuple[int, ...]) -> int:
        """3 or 6."""
        return self.turn.dimension + self.turn.size(())

    def project(self, x: Array) -> Array:
        """A rotation beside t, and the last row."""
        return self._made(self.turn.project(x[:-1, :-1]), x[:-1, -1])

    def draw(self, z: Array) -> Array:
        """A turn and a way."""
        return self._made(self.turn.draw(z[:-1, :-1]), z[:-1, -1] + np.linspace(0.3, 0.6, len(z) - 1))

    def tangent(self, x: Array, c: Array) -> Array:
        """R ρ beside R [ω]×."""
        d, out = self.turn.dimension, np.zeros(x.shape)
        out[:-1, :-1], out[:-1, -1] = self.turn.tangent(x[:-1, :-1], c[d:]), x[:-1, :-1] @ c[:d]
        return out

    def coordinates(self, x: Array, g: Array) -> Array:
        """Rᵀ of what belongs to t, and those of the rotation."""
        return np.concatenate([x[:-1, :-1].T @ g[:-1, -1], self.turn.coordinates(x[:-1, :-1], g[:-1, :-1])])

    def normal(self, x: Array, g: Array) -> Array:
        """That of the rotation, and the last row."""
        out = g.copy()
        out[:-1, :-1], out[:-1, -1] = self.turn.normal(x[:-1, :-1], g[:-1, :-1]), 0.0
        return out

    def move(self, x: Array, c: Array) -> Array:
        """R exp([ω]×) and t + R ρ."""
        d = self.turn.dimension
        return self._made(self.turn.move(x[:-1, :-1], c[d:]), x[:-1, -1] + x[:-1, :-1] @ c[:d])

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """Of the way, or of the turn."""
        d = self.turn.dimension
        return f".rho[{i}]" if i < d else self.turn.label((), i - d)

    def _made(self, turn: Array, way: Array) -> Array:
        out = np.eye(len(turn) + 1)
        out[:-1, :-1], out[:-1, -1] = turn, way
        return out


# ---- of others


class Foreign(Set):
    """A set of another library, with `projection(x, v)` onto the tangent space and `retraction(x, v)`, as pymanopt's have."""

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

    def origin(self, x: Array) -> Array:
        """0 for each column."""
        return np.zeros(self._basis(x).shape[1])


SETS: dict[str, Set] = {
    known.name: known
    for known in (
        Sphere(),
        Simplex(),
        Symmetric(),
        PositiveDefinite(),
        Diagonal(),
        Orthogonal(),
        Rotation(2),
        Rotation(3),
        Pose(2),
        Pose(3),
        Quaternion(),
        Positive(),
    )
}
"""The sets that have a name alone; `periodic:PERIOD` has a number with it."""


def set_named(on: Any) -> Set:
    """The set that an `on` stands for, be it valid already.  Raises ValueError that says what it must be."""
    if isinstance(on, Set):
        return on
    if not isinstance(on, str):
        return Foreign(on)
    name, colon, period = on.partition(":")
    return Periodic(float(period)) if colon and name == "periodic" else SETS[name]


# ---- mathematics


def positive_factor(u: Array) -> Array:
    """φ(u) = 1 + u + O(u³), positive for every u: exp(asinh u − u²/(2 + 2u²)), as exp(asinh u) = 1 + u + u²/2 + O(u⁴)."""
    with np.errstate(over="ignore"):
        half = 0.5 / (1.0 + np.where(np.abs(u) > 1e-150, u, 1.0) ** -2.0)
    factor: Array = np.exp(np.arcsinh(u) - np.where(np.abs(u) > 1e-150, half, 0.0))
    return factor


def unit(x: Array) -> Array:
    """x / |x|; a vector along the first axis for 0."""
    largest = float(np.abs(x).max())
    if not largest:
        out = np.zeros(x.shape)
        out.flat[0] = 1.0
        return out
    scaled: Array = x / largest
    return scaled / np.linalg.norm(scaled)


def polar(x: Array) -> Array:
    """The matrix with orthonormal columns that is nearest to x."""
    left, _, right = np.linalg.svd(x, full_matrices=False)
    factor: Array = left @ right
    return factor


def cross_matrix(omega: Array) -> Array:
    """[ω]×, the matrix of the cross product with ω; of one number that of a turn in the plane."""
    if omega.size == 1:
        return np.array([[0.0, -omega[0]], [omega[0], 0.0]])
    a, b, c = omega
    return np.array([[0.0, -c, b], [c, 0.0, -a], [-b, a, 0.0]])


def rotation(omega: Array) -> Array:
    """exp([ω]×), by the formula of Rodrigues, which for a turn in the plane is that of cosine and sine."""
    angle, cross = float(np.linalg.norm(omega)), cross_matrix(omega)
    half = np.sinc(angle / (2 * math.pi))
    turned: Array = np.eye(len(cross)) + np.sinc(angle / math.pi) * cross + (half * half / 2) * (cross @ cross)
    return turned


def _reflected(u: Array, v: Array) -> Array:
    """The reflection of v that takes the first axis to ±u/|u|."""
    w = u / np.linalg.norm(u)
    w[0] += 1.0 if w[0] >= 0 else -1.0
    reflected: Array = v - (2 * (w @ v) / (w @ w)) * w
    return reflected


def _quaternion_basis(q: Array) -> Array:
    """q∘(0, eᵢ) as columns, (4, 3)."""
    w, x, y, z = q
    return np.array([[-x, -y, -z], [w, -z, y], [z, w, -x], [-y, x, w]])


def _complement(x: Array) -> Array:
    """Orthonormal columns that are orthogonal to those of x, (n, n − p)."""
    full: Array = np.linalg.qr(x, mode="complete")[0]
    return full[:, x.shape[1] :]


def _symmetric_of(vectors: Array, values: Array) -> Array:
    """Σ λᵢ vᵢ vᵢᵀ, symmetric to the last bit."""
    product = (vectors * values) @ vectors.T
    symmetric: Array = (product + product.T) / 2
    return symmetric


def _squashed(z: Array) -> Array:
    """Numbers of any size within (−1, 1), in their order."""
    squashed: Array = z / (1.0 + np.abs(z))
    return squashed


def _turn(z: Array) -> tuple[Array, float]:
    """An axis that is slanted towards all three, and an angle of half a radian to two and a half."""
    z = _squashed(z.reshape(-1))
    axis = unit(np.array([0.3, 0.5, 0.7]) + 0.9 * z[:3] * np.array([0.3, 0.5, 0.7]))
    return axis, 1.5 + float(z[3])


def _not_positive(x: Array) -> str:
    """The first entry that is 0 beside the others."""
    small = np.flatnonzero(x.reshape(-1) <= 0)
    if not small.size:
        return ""
    where = place(tuple(map(int, np.unravel_index(int(small[0]), x.shape)))) if x.shape else "it"
    return f"{where} is {float(x.reshape(-1)[small[0]]):g}"


# ---- random points


def drawn_on(on: Any, z: NDArray[Any], what: str = "x0") -> NDArray[Any]:
    """A point of a set, of the shape and dtype of an array of random numbers, of which it is made.

    Raises:
        UsageError: the set has no points of that shape.
    """
    chosen = set_named(on)
    require_fit(chosen, z.shape, what)
    point = chosen.draw(z.astype(np.float64))
    if point.shape != z.shape:
        raise UsageError(
            f"{what} has shape {by(z.shape)}, and the random points of {chosen.name} have {by(point.shape)}"
        )
    return point.astype(z.dtype)


def require_fit(on: Set, shape: tuple[int, ...], what: str) -> None:
    """Raises `UsageError` if points of the set have no such shape."""
    if not on.fits(shape):
        raise UsageError(f"{what} has shape {by(shape) if shape else '()'}, and a point of {on.name} {on.needed}")
