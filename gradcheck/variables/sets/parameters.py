"""The parameters by which derivatives on each set are claimed: perturbations from the left and right, triangles, minimal vectors.

Perturbations of a rotation R turn the body (right, R exp([ω]×)) or the world (left, exp([ω]×) R); those of a pose T are
T exp(ρ, ω) and exp(ρ, ω) T; those of a quaternion q∘exp(ω/2) and exp(ω/2)∘q (Solà, Deray & Atchuthan, A micro Lie theory for
state estimation in robotics, arXiv 1812.01537).  Voigt's order is the diagonal, then 23, 13, 12.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.forms import AMBIENT, Form, Linear, Parameters, Riemannian, Triangle
from gradcheck.variables.sets.matrices import ROOT2, Diagonal, Symmetric
from gradcheck.variables.sets.metrics import metrics_of
from gradcheck.variables.sets.rotations import (
    Pose,
    Quaternion,
    Rotation,
    multiplied,
    pose_exponential,
    quaternion,
    rotation,
    rotation_vector,
)
from gradcheck.variables.sets.vectors import Positive, Simplex, Sphere

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def forms_of(on: Set) -> dict[str, Form]:
    """The forms in which a derivative on a set may be claimed, by their names; `ambient` first, then by how usual they are."""
    known: list[Form] = [AMBIENT, *map(Riemannian, metrics_of(on)), *_parameters(on)]
    known.append(Linear(on, "tangent", "the derivative by the coordinates that entries are named by", _identity(on)))
    return {form.name: form for form in known}


def _identity(on: Set) -> Any:
    return lambda x: np.eye(on.size_at(x))


def _parameters(on: Set) -> list[Form]:
    if isinstance(on, Rotation):
        return _of_rotation(on)
    if isinstance(on, Pose):
        return _of_pose(on)
    if isinstance(on, Quaternion):
        return _of_quaternion(on)
    if isinstance(on, Symmetric):
        return _of_triangles(on)
    if isinstance(on, Sphere):
        text = "the derivative by all entries but the last, which follows from the norm"
        return [Parameters("minimal", text, _but_last, lambda x: float(x.flat[-1]) ** 2 or 1.0)]
    if isinstance(on, Simplex):
        text = "the derivative by all entries but the last, which follows from the sum"
        return [Linear(on, "minimal", text, _first_entries(on))]
    if isinstance(on, Diagonal):
        return [Linear(on, "minimal", "the derivative by the diagonal", _identity(on))]
    if isinstance(on, Positive):
        return [Parameters("log", "the derivative by log x", lambda x, d: x * np.exp(d.reshape(x.shape)))]
    return []


# ---- Lie groups


def _of_rotation(on: Rotation) -> list[Form]:
    if on.dimension == 2:
        text = "the derivative by the angle"
        return [Linear(on, name, text, _identity(on)) for name in ("minimal", "right", "left")]
    return [
        Linear(on, "right", "the derivative by a perturbation from the right, R exp([ω]×)", _identity(on)),
        Linear(on, "left", "the derivative by a perturbation from the left, exp([ω]×) R", lambda x: x.T.copy()),
        Parameters(
            "minimal",
            "the derivative by the rotation vector ω of R = exp([ω]×)",
            lambda x, d: rotation(rotation_vector(x) + d),
        ),
    ]


def _of_pose(on: Pose) -> list[Form]:
    turned = "angle" if on.turn.dimension == 2 else "rotation vector"

    def by_vector(x: Array, d: Array) -> Array:
        size = on.turn.dimension
        out = x.copy()
        out[:-1, -1] += d[:size]
        out[:-1, :-1] = rotation(rotation_vector(x[:-1, :-1]) + d[size:])
        return out

    right, left = (
        "the derivative by a perturbation from the right, T exp(ρ, ω)",
        "the derivative by a perturbation from the left, ",
    )
    left = "the derivative by a perturbation from the left, exp(ρ, ω) T"
    return [
        Perturbation("right", right, on, right=True),
        Perturbation("left", left, on, right=False),
        Perturbation("right-turn-first", f"{right}, with ω before ρ", on, right=True, turn_first=True),
        Perturbation("left-turn-first", f"{left}, with ω before ρ", on, right=False, turn_first=True),
        Parameters("minimal", f"the derivative by t and the {turned}", by_vector),
    ]


class Perturbation(Parameters):
    """By a factor exp(ρ, ω) of a pose.

    right: the factor stands on the right.
    turn_first: the parameters are ω, then ρ.
    """

    def __init__(self, name: str, text: str, on: Pose, *, right: bool, turn_first: bool = False) -> None:
        super().__init__(name, text, self._moved)
        self.right, self.shift = right, on.turn.dimension if turn_first else 0
        units = np.roll(np.eye(on.size(())), self.shift, axis=1)
        self.generators = np.stack([on.tangent(np.eye(on.turn.dimension + 1), unit) for unit in units])

    def _moved(self, x: Array, d: Array) -> Array:
        factor = pose_exponential(np.roll(d, self.shift))
        moved: Array = x @ factor if self.right else factor @ x
        return moved

    def velocities(self, on: Set, x: Array) -> Array:
        """x times the generators, or these times x."""
        moved: Array = x @ self.generators if self.right else self.generators @ x
        return moved.reshape(len(self.generators), -1).T


def _of_quaternion(on: Quaternion) -> list[Form]:
    def left(x: Array) -> Array:
        columns = [on.coordinates(x, multiplied(np.concatenate([[0.0], unit]), x)) / 2 for unit in np.eye(3)]
        return np.stack(columns, axis=1)

    def by_vector(x: Array, d: Array) -> Array:
        axis = x[1:]
        sine, cosine = float(np.linalg.norm(axis)), float(x[0])
        angle = 2 * math.atan2(sine, cosine)
        here = axis * (angle / sine) if sine > 0 else np.zeros(3)
        return quaternion(here + d)

    return [
        Linear(on, "right", "the derivative by a perturbation from the right, q∘exp(ω/2)", lambda x: np.eye(3) / 2),
        Linear(on, "left", "the derivative by a perturbation from the left, exp(ω/2)∘q", left),
        Parameters("minimal", "the derivative by the rotation vector ω of q = exp(ω/2)", by_vector),
    ]


# ---- symmetric matrices


def _lower(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.tril_indices(n)


def _upper(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(n)


def _voigt(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    pairs = [(i, i) for i in range(n)] + [(i, j) for j in range(n - 1, 0, -1) for i in range(j - 1, -1, -1)]
    rows, columns = np.array(pairs, np.intp).T
    return rows, columns


def _of_triangles(on: Symmetric) -> list[Form]:
    orders = {
        "tril": ("the lower triangle, row by row", _lower),
        "triu": ("the upper triangle, row by row", _upper),
        "voigt": ("a vector in Voigt's order", _voigt),
    }
    forms: list[Form] = []
    for name, (text, order) in orders.items():
        counted = "what is beside the diagonal counts for both triangles"
        forms.append(Triangle(on, name, f"the derivative by {text}: {counted}", order, ROOT2))
        once = "what is beside the diagonal is the entry of the symmetric gradient, without the 2"
        forms.append(Triangle(on, f"{name}-half", f"the derivative by {text}: {once}", order, 1 / ROOT2))
    return forms


# ---- one entry follows from the others


def _but_last(x: Array, d: Array) -> Array:
    out = x.reshape(-1).copy()
    out[:-1] += d
    out[-1] = math.copysign(math.sqrt(max(0.0, 1.0 - float(out[:-1] @ out[:-1]))), out[-1])
    return out.reshape(x.shape)


def _first_entries(on: Simplex) -> Any:
    def matrix(x: Array) -> Array:
        steps = np.concatenate([np.eye(x.size - 1), -np.ones((1, x.size - 1))])
        return np.stack([on.coordinates(x, step.reshape(x.shape)) for step in steps.T], axis=1)

    return matrix
