"""Gradients of solvers: right up to the tolerance, they pass with its law; wrong ones fail, whatever the tolerance hides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import (
    UsageError,
    Verdict,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_jvp,
    check_vjp,
)
from gradcheck.model import FindingKind
from tests.solvers import Solver, all_of_them

CASES = {case.name: case for case in all_of_them()}
SOME = [  # one of each family, and those that are quick
    "lotka, continuous adjoint, seed 0",
    "lotka, discrete adjoint, seed 0",
    "layer, pull 0.48, seed 3",
    "program, seed 0",
    "conjugate gradients, seed 9",
    "bar, seed 1",
    "euler, lotka, seed 2",
    "field, seed 5",
]


def mistaken(case: Solver, factor: float = 1.005) -> Any:
    """The gradient with its largest entry off."""

    def wrong(x: Any, **knob: Any) -> Any:
        g = np.array(case.grad(x, **knob))
        g[np.argmax(np.abs(g))] *= factor
        return g

    return wrong


@pytest.mark.parametrize("name", SOME)
def test_a_right_adjoint_passes_with_the_exponent_of_its_solver(name: str) -> None:
    case = CASES[name]
    report = check_gradient(case.f, case.grad, case.x0, knob=case.knob)
    assert report.law is not None
    assert report.law.knob == case.knob
    assert report.law.exponent == pytest.approx(case.exponent, abs=0.4)
    assert report.law.sentence in report.headline


@pytest.mark.parametrize("name", SOME)
def test_a_mistake_of_half_a_percent_fails(name: str) -> None:
    case = CASES[name]
    report = check_gradient(case.f, mistaken(case), case.x0, knob=case.knob, throw=False, fix=False)
    assert report.verdict is Verdict.FAIL
    assert report.law is not None
    assert report.law.exponent is None


def test_the_wrong_entry_is_named() -> None:
    case = CASES["layer, pull 0.48, seed 3"]
    wrong = int(np.argmax(np.abs(case.grad(case.x0))))
    report = check_gradient(case.f, mistaken(case), case.x0, knob="tol", throw=False, fix=False)
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [(wrong,)]
    assert report.diagnoses[0].kind == "single_entry"


def test_a_gap_of_the_mesh_is_a_finding_and_the_message_says_which_mesh_would_do() -> None:
    case = CASES["bar, seed 1"]
    report = check_gradient(case.f, case.grad, case.x0, knob="cells")
    assert FindingKind.DISCRETISATION_GAP in {finding.kind for finding in report.findings}
    assert "the gap is the mesh's, p = 1.9" in report.headline or "p = 2.0" in report.headline
    assert "use " in report.headline


def test_an_exact_solver_has_no_gap_and_no_finding() -> None:
    report = check_gradient(lambda x, n=10: float(np.sum(x**3)), lambda x: 3 * x**2, np.array([0.5, 2.0]), knob="n")
    assert report.law is not None
    assert report.law.sentence == "no gap beyond tolerance from n = 10 to 40"
    assert not report.findings
    assert any("the claim does not take n" in note for note in report.notes)


def test_an_attribute_that_is_set_is_a_knob_and_is_put_back() -> None:
    case = CASES["layer, pull 0.48, seed 3"]
    settings = SimpleNamespace(tol=1e-3)
    seen = set()

    def f(x: Any) -> float:
        seen.add(settings.tol)
        return case.f(x, tol=settings.tol)

    report = check_gradient(f, lambda x: case.grad(x, tol=settings.tol), case.x0, knob=(settings, "tol"))
    assert {1e-3, 1e-4, 1e-5} <= seen
    assert settings.tol == 1e-3
    assert report.law is not None
    assert report.law.exponent == pytest.approx(1.0, abs=0.4)


def test_values_may_be_given_and_an_argument_by_name_says_where_to_begin() -> None:
    case = CASES["layer, pull 0.48, seed 3"]
    report = check_gradient(case.f, case.grad, case.x0, knob="tol=1e-3,1e-5,1e-7")
    assert report.law is not None
    assert report.law.levels == (1e-3, 1e-5, 1e-7)
    report = check_gradient(case.f, case.grad, case.x0, knob="tol", args={"tol": 1e-5})
    assert report.law is not None
    assert report.law.levels[0] == 1e-5


def test_noise_of_f_that_does_not_fall_is_said() -> None:
    rng = np.random.default_rng(0)

    def f(x: Any, tol: float = 1e-3) -> float:
        return float(np.sum(x**2) + 0.3 * rng.normal())

    report = check_gradient(f, lambda x: 2 * x, np.array([0.5, 2.0]), knob="tol", throw=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "which hides the gap" in report.headline


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ("toll", "f takes no keyword 'toll', which knob names; did you mean tol?"),
        ("tol=1e-6,1e-3,1e-1", "the coarsest first"),
        ("m:TOL", "give what holds it, as in knob="),
        ("tol=0", "with values above 0"),
        ("tol=1,2", "at least 3"),
        (3, "it must be the name of a keyword of f"),
        ("free", "say where knob begins, as in free=1e-6"),
    ],
)
def test_a_knob_that_cannot_be_turned_is_refused_in_a_line(knob: Any, message: str) -> None:
    with pytest.raises(UsageError, match=r"knob|f takes") as refused:
        check_gradient(lambda x, tol=1e-3, free=None: float(x @ x), lambda x: 2 * x, np.ones(2), knob=knob)
    assert message in str(refused.value)


RNG = np.random.default_rng(3)
W = RNG.normal(size=(8, 8))
W *= 0.6 / np.linalg.norm(W, 2)
B, B0, C = RNG.normal(size=(8, 4)) / 3, RNG.normal(size=8) / 3, RNG.normal(size=8)
X0 = RNG.normal(size=4) / 2


def layer(x: Any, tol: float = 1e-4) -> Any:
    """A fixed point, iterated until it moves by less than tol."""
    z, moved = np.zeros(8), 1.0
    while moved > tol:
        new = np.tanh(W @ z + B @ x + B0)
        moved, z = float(np.linalg.norm(new - z)), new
    return z


def layer_jacobian(x: Any, tol: float = 1e-4) -> Any:
    z = layer(x, tol)
    d = 1 - np.tanh(W @ z + B @ x + B0) ** 2
    return np.linalg.solve(np.eye(8) - d[:, None] * W, d[:, None] * B)


def loss(x: Any, tol: float = 1e-4) -> float:
    return float(C @ layer(x, tol))


def loss_gradient(x: Any, tol: float = 1e-4) -> Any:
    return layer_jacobian(x, tol).T @ C


def loss_hessian(x: Any, tol: float = 1e-4) -> Any:
    """Exact, of the fixed point that `layer` comes to."""
    z, J = layer(x, tol), layer_jacobian(x, tol)
    t = np.tanh(W @ z + B @ x + B0)
    d = 1 - t**2
    inner = W @ J + B
    weights = np.linalg.solve(np.eye(8) - (d[:, None] * W).T, C) * (-2 * t * d)
    return inner.T @ (weights[:, None] * inner)


def largest_off(call: Any, factor: float) -> Any:
    def wrong(*arguments: Any, **knob: Any) -> Any:
        answer = np.array(call(*arguments, **knob))
        answer.flat[np.argmax(np.abs(answer))] *= factor
        return answer

    return wrong


MATRICES = {
    "jac": lambda w, **o: check_jacobian(layer, w(layer_jacobian), X0, **o),
    "jvp": lambda w, **o: check_jvp(layer, w(lambda x, v, tol=1e-4: layer_jacobian(x, tol) @ v), X0, **o),
    "vjp": lambda w, **o: check_vjp(layer, w(lambda x, u, tol=1e-4: layer_jacobian(x, tol).T @ u), X0, **o),
    "hess": lambda w, **o: check_hessian(loss, w(loss_hessian), X0, grad=loss_gradient, **o),
    "hvp": lambda w, **o: check_hvp(
        loss, w(lambda x, v, tol=1e-4: loss_hessian(x, tol) @ v), X0, grad=loss_gradient, **o
    ),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_a_matrix_or_a_product_of_a_solver_passes_with_its_law(kind: str) -> None:
    report = MATRICES[kind](lambda claim: claim, knob="tol")
    assert report.law is not None
    assert report.law.levels[:3] == pytest.approx((1e-4, 1e-5, 1e-6))
    assert report.law.limit < 1e-3
    assert len(report.directions) == 3
    assert report.law.sentence in report.headline


@pytest.mark.parametrize("kind", MATRICES)
def test_a_mistake_in_a_matrix_or_a_product_fails_whatever_the_solver(kind: str) -> None:
    report = MATRICES[kind](lambda claim: largest_off(claim, 1.02), knob="tol", throw=False, fix=False)
    assert report.verdict is Verdict.FAIL
    assert report.law is not None
    assert "it is the claim's, not the solver's" in report.law.sentence


def test_the_wrong_entry_of_a_jacobian_is_named() -> None:
    report = check_jacobian(layer, largest_off(layer_jacobian, 1.02), X0, knob="tol", throw=False, fix=False)
    wrong = np.unravel_index(int(np.argmax(np.abs(layer_jacobian(X0)))), (8, 4))
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [wrong]


def test_the_gap_of_a_mesh_is_seen_in_a_jacobian() -> None:
    def heat(x: Any, cells: int = 20) -> Any:
        s = (np.arange(cells) + 0.5) / cells
        return np.array([np.mean(np.exp(x @ np.array([s, s**2])) * s**k) for k in range(3)])

    nodes, weights = np.polynomial.legendre.leggauss(30)
    s, weights = (nodes + 1) / 2, weights / 2

    def exact(x: Any) -> Any:
        e = np.exp(x @ np.array([s, s**2])) * weights
        return np.array([[np.sum(e * s**k * s), np.sum(e * s**k * s**2)] for k in range(3)])

    report = check_jacobian(heat, exact, np.array([0.7, -0.4]), knob="cells")
    assert report.law is not None
    assert report.law.exponent == pytest.approx(2.0, abs=0.2)
    (finding,) = [one for one in report.findings if one.kind is FindingKind.DISCRETISATION_GAP]
    assert finding.target == "jac"
    assert "the Jacobian differs from that of f" in finding.message
    assert any("the claim does not take cells" in note for note in report.notes)


def test_a_journal_keeps_what_a_product_was_at_each_level_apart(tmp_path: Path) -> None:
    calls = []

    def func(x: Any, tol: float = 1e-4) -> Any:
        calls.append(tol)
        return layer(x, tol)

    def product(x: Any, v: Any, tol: float = 1e-4) -> Any:
        return layer_jacobian(x, tol) @ v

    first = check_jvp(func, product, X0, knob="tol", journal=tmp_path / "run.db")
    assert first.law == check_jvp(func, product, X0, knob="tol").law
    calls.clear()
    assert check_jvp(func, product, X0, knob="tol", journal=tmp_path / "run.db").law == first.law
    assert len(calls) <= 2


def test_an_operator_hears_of_no_knob() -> None:
    J = layer_jacobian(X0, 1e-12)
    report = check_jvp(layer, SimpleNamespace(matvec=lambda v: J @ v, ndim=2), X0, knob="tol")
    assert any("the claim does not take tol" in note for note in report.notes)


@pytest.mark.parametrize("options", [{"points": 2}, {"elementwise": True}])
def test_a_knob_is_for_one_derivative_at_one_point(options: Any) -> None:
    with pytest.raises(UsageError, match="leave elementwise and points out"):
        check_jacobian(layer, layer_jacobian, X0, knob="tol", **options)


def test_a_journal_keeps_what_was_evaluated_at_each_level_apart(tmp_path: Path) -> None:
    case = CASES["layer, pull 0.48, seed 3"]
    calls = []

    def f(x: Any, tol: float = 1e-3) -> float:
        calls.append(tol)
        return case.f(x, tol=tol)

    first = check_gradient(f, case.grad, case.x0, knob="tol", journal=tmp_path / "run.db")
    assert len(set(calls)) == len(first.law.levels)  # type: ignore[union-attr]
    calls.clear()
    again = check_gradient(f, case.grad, case.x0, knob="tol", journal=tmp_path / "run.db")
    assert len(calls) <= 1
    assert again.law == first.law
    assert not again.notes


MODULE = """
import numpy as np
W = np.array([[0.2, 0.3], [-0.1, 0.25]])
TOL = 1e-4
def solve(x, tol):
    z, moved = np.zeros(2), 1.0
    while moved > tol:
        new = np.tanh(W @ z + x)
        moved, z = np.abs(new - z).max(), new
    return z
def f(x):
    return float(np.sum(solve(x, TOL) ** 3))
def g(x):
    z = solve(x, TOL)
    d = 1 - np.tanh(W @ z + x) ** 2
    return d * np.linalg.solve(np.eye(2) - W.T * d, 3 * z**2)
"""


def test_the_command_line_turns_what_a_target_names(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODULE)
    words = ["m.py:f", "--grad", "m.py:g", "--dim", "2", "--knob", "m.py:TOL", "--format", "json"]
    done = subprocess.run([sys.executable, "-m", "gradcheck", *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (check,) = json.loads(done.stdout)["checks"]
    assert check["law"]["knob"] == "TOL"
    assert check["law"]["levels"][:3] == pytest.approx([1e-4, 1e-5, 1e-6])
    assert "--knob m.py:TOL" in check["replay"]
    restored = gradcheck.Report  # the record that a report is restored to has the law as well
    assert "law" in restored.__dataclass_fields__
