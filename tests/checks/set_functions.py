"""Functions on sets with their derivatives in every form, and the mistakes of conventions that are made in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.forms import AMBIENT, Form, Parameters, Riemannian
from gradcheck.variables.sets.named import set_named
from gradcheck.variables.sets.parameters import forms_of
from tests.variables.test_sets import SHAPES

NEAR = 1e-12  # how far f may be called off the set
RESOLVED = 1e-6  # of the largest entry


class Function(NamedTuple):
    """A value of y with weights w and a symmetric matrix A, its gradient by y, and its Hessian."""

    value: Callable[..., float]
    gradient: Callable[..., Any]
    hessian: Callable[..., Any]


def _weighted(y: Any, w: Any) -> float:
    return float(np.sum(w * y))


FUNCTIONS = {
    "sine": Function(
        lambda y, w, A: np.sum(w * np.sin(y + 0.2)),
        lambda y, w, A: w * np.cos(y + 0.2),
        lambda y, w, A: np.diag((-w * np.sin(y + 0.2)).ravel()),
    ),
    "cubic": Function(
        lambda y, w, A: y.ravel() @ A @ y.ravel() / 2 + np.sum(w * y**3),
        lambda y, w, A: (A @ y.ravel()).reshape(y.shape) + 3 * w * y**2,
        lambda y, w, A: A + np.diag((6 * w * y).ravel()),
    ),
    "exponential": Function(
        lambda y, w, A: np.exp(_weighted(y, w) / 4),
        lambda y, w, A: np.exp(_weighted(y, w) / 4) * w / 4,
        lambda y, w, A: np.exp(_weighted(y, w) / 4) * np.outer(w, w) / 16,
    ),
    "logarithm": Function(
        lambda y, w, A: np.log(3 + np.sum((w * y) ** 2)),
        lambda y, w, A: 2 * y * w * w / (3 + np.sum((w * y) ** 2)),
        lambda y, w, A: (
            2 * np.diag((w * w).ravel()) / (3 + np.sum((w * y) ** 2))
            - 4 * np.outer(y * w * w, y * w * w) / (3 + np.sum((w * y) ** 2)) ** 2
        ),
    ),
}


class Case:
    """One function on one set, at a point away from its special places.

    off: how far f was called off the set, at the most.
    """

    def __init__(self, name: str, function: str, seed: int = 7) -> None:
        self.name, self.function, self.on = name, FUNCTIONS[function], set_named(name)
        random = np.random.default_rng([seed, list(SHAPES).index(name), list(FUNCTIONS).index(function)])
        self.x = self.on.draw(random.standard_normal(SHAPES[name]))
        self.w = random.uniform(0.5, 1.5, self.x.shape) * random.choice([-1.0, 1.0], self.x.shape)
        half = random.standard_normal((self.x.size, self.x.size)) / 2
        self.A, self.off = half + half.T, 0.0
        self.forms = forms_of(self.on)

    def f(self, y: Any) -> float:
        self.off = max(self.off, self.on.distance(y))
        return float(self.function.value(y, self.w, self.A))

    def values(self, y: Any) -> Any:
        """Three values, of which the first is f."""
        return np.array([self.f(y), np.sum(np.cos(y)), np.sum(self.w * y)])

    def gradient(self, y: Any) -> Any:
        return self.function.gradient(y, self.w, self.A)

    def jacobian(self, y: Any) -> Any:
        return np.stack([self.gradient(y).ravel(), -np.sin(y).ravel(), self.w.ravel()])

    def hessian(self, y: Any) -> Any:
        return self.function.hessian(y, self.w, self.A)

    def claim(self, form: str) -> Callable[[Any], Any]:
        """The right gradient in a form."""
        return lambda y: in_form(self.on, self.forms[form], y, self.gradient(y))


def basis(on: Set, y: Any) -> Any:
    """The tangents as columns."""
    return np.stack([on.tangent(y, unit).ravel() for unit in np.eye(on.size_at(y))], axis=1)


def in_form(on: Set, form: Form, y: Any, g: Any) -> Any:
    """An ambient gradient in a form, by linear algebra of its own: that of the definitions, by least squares."""
    if form is AMBIENT:
        return g
    if isinstance(form, Parameters):
        return form.velocities(on, y).T @ g.ravel()
    assert isinstance(form, Riemannian)
    B = basis(on, y)
    lowered = np.stack([form.metric.lower(y, column.reshape(y.shape)).ravel() for column in B.T], axis=1)
    return (B @ np.linalg.solve(B.T @ lowered, B.T @ g.ravel())).reshape(y.shape)


def rights(case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Five right derivatives: what is checked, how, and with which keywords."""
    parameters = [name for name, form in case.forms.items() if isinstance(form, Parameters)]
    yield "gradient", "ambient", {}
    yield "gradient", "riemannian", {"riemannian": True}
    yield "gradient", parameters[0], {"claimed": parameters[0]}
    yield "jacobian", "ambient", {}
    yield "hessian", "ambient", {}


class Mistake(NamedTuple):
    """A claim that is wrong.

    claimed: what it is said to be.
    wrong: case ↦ what is claimed in its place.
    kinds: of diagnoses that name it.
    """

    claimed: str
    wrong: Callable[[Case], Callable[[Any], Any]]
    kinds: tuple[str, ...]


def other(form: str) -> Callable[[Case], Callable[[Any], Any]]:
    """The right claim of another form."""
    return lambda case: case.claim(form)


def changed(form: str, change: Callable[[Any], Any]) -> Callable[[Case], Callable[[Any], Any]]:
    """The right claim, changed."""
    return lambda case: lambda y: change(case.claim(form)(y))


def scaled(form: str, factor: float) -> Callable[[Case], Callable[[Any], Any]]:
    return changed(form, lambda g: factor * g)


def symmetric_part(case: Case) -> Callable[[Any], Any]:
    return lambda y: (case.gradient(y) + case.gradient(y).T) / 2


def doubled(case: Case) -> Callable[[Any], Any]:
    return lambda y: 2 * symmetric_part(case)(y) - np.diag(np.diag(case.gradient(y)))


def triangle(fill: Callable[[Any], Any]) -> Callable[[Case], Callable[[Any], Any]]:
    return lambda case: lambda y: fill(symmetric_part(case)(y))


def skew(case: Case) -> Callable[[Any], Any]:
    return lambda y: (y.T @ case.gradient(y) - case.gradient(y).T @ y) / 2


def without_rotation(case: Case) -> Callable[[Any], Any]:
    return lambda y: case.gradient(y) - y @ (y.T @ case.gradient(y))


def by_wrong_adjoint(form: str) -> Callable[[Case], Callable[[Any], Any]]:
    """A derivative from the right turned by the adjoint, which is not what makes it one from the left."""

    def wrong(case: Case) -> Callable[[Any], Any]:
        def claim(y: Any) -> Any:
            left, right = case.forms["left"].velocities(case.on, y), case.forms["right"].velocities(case.on, y)
            return np.linalg.pinv(right) @ left @ case.claim("right")(y)

        return claim

    return wrong


def turn_in_degrees(case: Case) -> Callable[[Any], Any]:
    def claim(y: Any) -> Any:
        g, size = case.claim("right")(y).copy(), len(y) - 1
        g[size:] *= np.pi / 180
        return g

    return claim


NOT_PROJECTED, OTHER = ("not_projected",), ("other_form",)
SCALED, SIDES = ("scaled_tangent",), ("left_for_right",)
POSE = [
    Mistake("right", other("left"), SIDES),
    Mistake("left", other("right"), SIDES),
    Mistake("left", by_wrong_adjoint("left"), SIDES),
    Mistake("right", other("right-turn-first"), OTHER),
    Mistake("right", turn_in_degrees, SCALED),
    Mistake("riemannian", other("ambient"), NOT_PROJECTED),
]
MISTAKES: dict[str, list[Mistake]] = {
    "sphere": [
        Mistake("riemannian", other("ambient"), NOT_PROJECTED),
        Mistake("riemannian", scaled("riemannian", 2), SCALED),
        Mistake("riemannian", scaled("riemannian", 0.5), SCALED),
        Mistake("minimal", changed("ambient", lambda g: g[:-1]), NOT_PROJECTED),
        Mistake("minimal", other("tangent"), OTHER),
        Mistake("riemannian", scaled("riemannian", -1), ("sign",)),
    ],
    "simplex": [
        Mistake("riemannian", other("ambient"), NOT_PROJECTED),
        Mistake("riemannian", other("riemannian:fisher"), OTHER),
        Mistake("ambient", other("riemannian:fisher"), OTHER),
        Mistake("minimal", changed("ambient", lambda g: g[:-1]), NOT_PROJECTED),
        Mistake("minimal", other("tangent"), OTHER),
        Mistake("riemannian", scaled("riemannian", 2), SCALED),
    ],
    "symmetric": [
        Mistake("ambient", doubled, ("doubled_off_diagonal",)),
        Mistake("ambient", triangle(np.tril), ("triangle_only",)),
        Mistake("riemannian", other("ambient"), ("not_symmetrized",)),
        Mistake("tril", other("tril-half"), ("triangle_only",)),
        Mistake("voigt-half", other("voigt"), ("doubled_off_diagonal",)),
        Mistake("voigt", other("tril"), OTHER),
    ],
    "spd": [
        Mistake("ambient", doubled, ("doubled_off_diagonal",)),
        Mistake("ambient", triangle(np.triu), ("triangle_only",)),
        Mistake("riemannian", other("ambient"), ("not_symmetrized",)),
        Mistake("ambient", other("riemannian:affine"), OTHER),
        Mistake("riemannian:affine", other("ambient"), NOT_PROJECTED),
        Mistake("voigt", other("triu"), OTHER),
    ],
    "diagonal": [
        Mistake("riemannian", changed("ambient", lambda g: g + np.ones(g.shape) - np.eye(len(g))), NOT_PROJECTED),
        Mistake("riemannian", scaled("riemannian", 2), SCALED),
        Mistake("minimal", scaled("minimal", 0.5), SCALED),
        Mistake("minimal", changed("minimal", lambda g: np.roll(g, 1)), ("shifted", "permuted")),
        Mistake("minimal", changed("minimal", lambda g: g[::-1]), ("reversed", "swapped")),
        Mistake("riemannian", scaled("riemannian", -1), ("sign",)),
    ],
    "orthogonal": [
        Mistake("riemannian", other("ambient"), NOT_PROJECTED),
        Mistake("riemannian", other("riemannian:canonical"), OTHER),
        Mistake("riemannian:canonical", other("ambient"), NOT_PROJECTED),
        Mistake("riemannian:canonical", other("riemannian"), OTHER),
        Mistake("riemannian", scaled("riemannian", 2), SCALED),
        Mistake("riemannian", without_rotation, ("zero_block", "single_entry", "block")),
    ],
    "SO2": [
        Mistake("riemannian", other("ambient"), NOT_PROJECTED),
        Mistake("right", scaled("right", np.pi / 180), SCALED),
        Mistake("right", scaled("right", -1), ("sign", "left_for_right", "transposed")),
        Mistake("riemannian", other("riemannian:half-trace"), OTHER),
        Mistake("ambient", changed("ambient", lambda g: g.T), ("transposed",)),
        Mistake("riemannian", skew, OTHER),
    ],
    "SO3": [
        Mistake("riemannian", other("ambient"), NOT_PROJECTED),
        Mistake("right", other("left"), SIDES),
        Mistake("left", other("right"), SIDES),
        Mistake("riemannian", skew, OTHER),
        Mistake("ambient", changed("ambient", lambda g: g.T), ("transposed",)),
        Mistake("riemannian", other("riemannian:half-trace"), OTHER),
    ],
    "SE2": POSE,
    "SE3": POSE,
    "quaternion": [
        Mistake("right", other("tangent"), SCALED),
        Mistake("right", other("left"), SIDES),
        Mistake("left", other("right"), SIDES),
        Mistake("riemannian", other("ambient"), NOT_PROJECTED),
        Mistake("ambient", changed("ambient", lambda g: np.roll(g, -1)), ("shifted",)),
        Mistake("minimal", other("right"), OTHER),
    ],
    "positive": [
        Mistake("ambient", changed("log", lambda g: g.reshape(2, 3)), (*OTHER, "chain_factor")),
        Mistake("log", changed("ambient", np.ravel), OTHER),
        Mistake("riemannian:logarithmic", other("ambient"), NOT_PROJECTED),
        Mistake("riemannian", other("riemannian:logarithmic"), OTHER),
        Mistake("riemannian", scaled("riemannian", 2), SCALED),
        Mistake("log", scaled("log", -1), ("sign",)),
    ],
    "periodic:2.5": [
        Mistake("ambient", scaled("ambient", np.pi / 180), SCALED),
        Mistake("ambient", scaled("ambient", 2.5), SCALED),
        Mistake("ambient", scaled("ambient", 2.5 / (2 * np.pi)), SCALED),
        Mistake("ambient", scaled("ambient", 0.5), SCALED),
        Mistake("ambient", scaled("ambient", 2), SCALED),
        Mistake("ambient", scaled("ambient", -1), ("sign",)),
    ],
}
