"""Sets of rotations and rigid motions: matrices, and unit quaternions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.elementary import NEAR, squashed, unit
from gradcheck.variables.sets.vectors import Sphere
from gradcheck.wording import by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Rotation(Set):
    """Rotations of the plane or of space, as matrices."""

    curved = True

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

    def bend(self, x: Array, v: Array, w: Array) -> Array:
        """That of R exp(t Ω), made bilinear: R (Ω Ψ + Ψ Ω)/2 for v = R Ω and w = R Ψ."""
        bent: Array = (v @ x.T @ w + w @ x.T @ v) / 2
        return bent

    def special(self, x: Array) -> str:
        """The identity, or a turn by 180°."""
        angle = float(np.linalg.norm(rotation_vector(x)))
        if angle <= NEAR:
            return "it is the identity, where left and right perturbations, and x and its transpose, are alike"
        if math.pi - angle <= NEAR:
            return "it turns by 180°, where the rotation vector jumps and x is its own transpose"
        return ""

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """By the axis."""
        return f".omega[{i}]" if self.dimension == 3 else ".angle"


class Pose(Set):
    """Rigid motions, as homogeneous matrices: R and t, and a last row (0, …, 0, 1)."""

    curved = True

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

    def bend(self, x: Array, v: Array, w: Array) -> Array:
        """That of the turn."""
        out = np.zeros(x.shape)
        out[:-1, :-1] = self.turn.bend(x[:-1, :-1], v[:-1, :-1], w[:-1, :-1])
        return out

    def special(self, x: Array) -> str:
        """That of the turn, or no way."""
        turn = self.turn.special(x[:-1, :-1])
        if not turn and not x[:-1, -1].any():
            return "its translation is 0"
        return turn.replace("it ", "its turn ", 1)

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """Of the way, or of the turn."""
        d = self.turn.dimension
        return f".rho[{i}]" if i < d else self.turn.label((), i - d)

    def _made(self, turn: Array, way: Array) -> Array:
        out = np.eye(len(turn) + 1)
        out[:-1, :-1], out[:-1, -1] = turn, way
        return out


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

    def special(self, x: Array) -> str:
        """±1, or a turn by 180°."""
        if 1.0 - abs(float(x[0])) <= NEAR * NEAR:
            return "it is the identity, where left and right perturbations are alike"
        return "it turns by 180°, where its real part is 0" if abs(float(x[0])) <= NEAR else ""

    def label(self, shape: tuple[int, ...], i: int) -> str:
        """By the axis."""
        return f".half_turn[{i}]"


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


def rotation_vector(turn: Array) -> Array:
    """ω with exp([ω]×) = R and |ω| ≤ π: the angle by arctan2 of |2 sin| and 2 cos, which is exact at both ends."""
    if len(turn) == 2:
        return np.array([math.atan2(turn[1, 0], turn[0, 0])])
    skew = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    twice_sine, twice_cosine = float(np.linalg.norm(skew)), float(np.trace(turn)) - 1.0
    angle = math.atan2(twice_sine, twice_cosine)
    if twice_cosine > 0 or twice_sine > 1e-3:
        return skew / (2 * np.sinc(angle / math.pi))
    values, vectors = np.linalg.eigh((turn + turn.T) / 2)  # near 180° the axis is that of the eigenvalue 1
    axis = vectors[:, int(np.argmax(values))]
    turned: Array = angle * axis * (1.0 if axis @ skew >= 0 else -1.0)
    return turned


def multiplied(p: Array, q: Array) -> Array:
    """The product of two quaternions (w, x, y, z)."""
    (a, u), (b, v) = (p[0], p[1:]), (q[0], q[1:])
    return np.concatenate([[a * b - u @ v], a * v + b * u + np.cross(u, v)])


def quaternion(omega: Array) -> Array:
    """That of a turn by a rotation vector."""
    half = omega / 2
    angle = float(np.linalg.norm(half))
    return np.concatenate([[math.cos(angle)], np.sinc(angle / math.pi) * half])


def pose_exponential(xi: Array) -> Array:
    """exp of (ρ, ω): the turn exp([ω]×) and the way V ρ, with V = I + (1 − cos θ)/θ² [ω]× + (θ − sin θ)/θ³ [ω]×²."""
    size = 2 if xi.size == 3 else 3
    rho, omega = xi[:size], xi[size:]
    angle, cross = float(np.linalg.norm(omega)), cross_matrix(omega)
    half = float(np.sinc(angle / (2 * math.pi)))
    third = (
        (1.0 - float(np.sinc(angle / math.pi))) / angle**2 if angle > 1e-2 else 1 / 6 - angle**2 / 120 + angle**4 / 5040
    )
    out = np.eye(size + 1)
    out[:-1, :-1] = rotation(omega)
    out[:-1, -1] = rho + half * half / 2 * (cross @ rho) + third * (cross @ (cross @ rho))
    return out


def _quaternion_basis(q: Array) -> Array:
    """q∘(0, eᵢ) as columns, (4, 3)."""
    w, x, y, z = q
    return np.array([[-x, -y, -z], [w, -z, y], [z, w, -x], [-y, x, w]])


def _turn(z: Array) -> tuple[Array, float]:
    """An axis that is slanted towards all three, and an angle of half a radian to two and a half."""
    z = squashed(z.reshape(-1))
    axis = unit(np.array([0.3, 0.5, 0.7]) + 0.9 * z[:3] * np.array([0.3, 0.5, 0.7]))
    return axis, 1.5 + float(z[3])
