"""The shape of what user code returns is looked at, and so is what it does to the shape of what it is handed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcheck as api
from gradcheck import Verdict
from gradcheck.model import FindingKind
from tests.hostile.harness import gradcheck, module

X = np.array([0.5, -1.0, 2.0])
A = np.arange(12.0).reshape(4, 3) + 1


def f(x: Any) -> float:
    return float((x**2).sum())


def func(x: Any) -> Any:
    return A @ np.sin(x)


def jac(x: Any) -> Any:
    return A * np.cos(x)


class Products:
    """A matrix by its products."""

    def __init__(self, matrix: Any) -> None:
        self.matrix, self.shape = matrix, matrix.shape

    def __matmul__(self, v: Any) -> Any:
        return self.matrix @ v

    @property
    def T(self) -> Products:  # noqa: N802
        return Products(self.matrix.T)


def shape_findings(report: api.Report) -> list[str]:
    return [finding.message for finding in report.findings if finding.kind is FindingKind.WRONG_SHAPE]


ODD = {
    "a column": lambda: api.check_gradient(f, lambda x: (2 * x)[:, None], X, throw=False),
    "a row": lambda: api.check_gradient(f, lambda x: (2 * x)[None], X, throw=False),
    "a row for a column": lambda: api.check_gradient(f, lambda x: (2 * x).T, X[:, None], throw=False),
    "a leaf": lambda: api.check_gradient(
        lambda p: f(p["W"]), lambda p: {"W": (2 * p["W"])[None]}, {"W": X}, throw=False
    ),
    "a flat Hessian": lambda: api.check_hessian(f, lambda x: 2 * np.eye(3).ravel(), X, throw=False),
    "a Hessian of three axes": lambda: api.check_hessian(f, lambda x: 2 * np.eye(3)[None], X, throw=False),
    "a flat Jacobian": lambda: api.check_jacobian(func, lambda x: jac(x).ravel(), X, throw=False),
    "a transposed Jacobian": lambda: api.check_jacobian(func, lambda x: jac(x).T, X, throw=False),
    "a transposed list": lambda: api.check_jacobian(func, lambda x: jac(x).T.tolist(), X, throw=False),
    "a transposed operator": lambda: api.check_jacobian(func, lambda x: Products(jac(x).T), X, throw=False),
    "a column for one row": lambda: api.check_jacobian(f, lambda x: (2 * x)[:, None], X, throw=False),
    "an hvp": lambda: api.check_hvp(f, lambda x, v: (2 * v)[:, None], X, throw=False),
    "a jvp": lambda: api.check_jvp(func, lambda x, v: (jac(x) @ v)[:, None], X, throw=False),
    "a vjp": lambda: api.check_vjp(func, lambda x, u: (jac(x).T @ u)[None], X, throw=False),
}


@pytest.mark.parametrize("case", ODD)
def test_another_shape_is_a_finding_beside_numbers_that_agree(case: str) -> None:
    report = ODD[case]()
    assert report.verdict is Verdict.FAIL
    assert report.checked > 0
    assert report.failed == report.inconclusive == 0
    (message,) = shape_findings(report)
    assert "returned shape (" in message
    assert "expected (" in message
    assert ("it looks transposed, and was compared so" in message) == ("transposed" in case or "one row" in case)
    assert message in report.headline


FINE = {
    "flat, as documented": lambda: api.check_gradient(f, lambda x: (2 * x).ravel(), X[:, None]),
    "a list": lambda: api.check_gradient(f, lambda x: list(2 * x), X),
    "a number for one entry": lambda: api.check_gradient(lambda x: float(x[0] ** 2), lambda x: 2 * float(x[0]), X[:1]),
    "one entry for a number": lambda: api.check_gradient(lambda x: x**2, lambda x: [2 * float(x)], 0.5),
    "shape of x twice": lambda: api.check_hessian(
        f, lambda x: 2 * np.eye(3).reshape(3, 1, 3, 1), X[:, None], allow_inconclusive=True
    ),
    "n × n for a column": lambda: api.check_hessian(f, lambda x: 2 * np.eye(3), X[:, None], allow_inconclusive=True),
    "a vector for one row": lambda: api.check_jacobian(f, lambda x: 2 * x, X),
    "an operator": lambda: api.check_jacobian(func, lambda x: Products(jac(x)), X),
}


@pytest.mark.parametrize("case", FINE)
def test_a_documented_shape_is_none(case: str) -> None:
    assert shape_findings(FINE[case]()) == []


def test_a_transposed_jacobian_that_is_wrong_is_told_both() -> None:
    report = api.check_jacobian(func, lambda x: -jac(x).T, X, throw=False)
    assert len(shape_findings(report)) == 1
    assert report.failed == A.size
    assert report.diagnoses[0].kind.value == "sign"


def test_a_pattern_must_not_be_transposed() -> None:
    with pytest.raises(api.UserCodeError, match=r"the sparsity pattern has shape \(3, 4\), expected \(4, 3\)"):
        api.check_jacobian(func, jac, X, sparsity=np.ones((3, 4), bool))


# ---- arguments that change their shape


def resizing(x: Any) -> float:
    x.resize(5, refcheck=False)
    return f(x[:3])


def reshaping(x: Any) -> float:
    x.shape = (3, 1)
    return f(x)


def resizing_its_own(x: Any) -> float:
    view = np.ones(3)[:]
    view.resize(5, refcheck=False)
    return f(x)


@pytest.mark.parametrize(
    ("body", "verdict"), [(resizing, Verdict.ERROR), (reshaping, Verdict.FAIL)], ids=["resize", "shape"]
)
@pytest.mark.parametrize("role", ["f", "grad"])
def test_who_changes_the_shape_of_its_argument_mutates_it(body: Any, verdict: Verdict, role: str) -> None:
    def g(x: Any) -> Any:
        body(x)
        return 2 * X

    report = api.check_gradient(body if role == "f" else f, g if role == "grad" else lambda x: 2 * x, X, throw=False)
    assert report.verdict is verdict
    assert [(f.kind, f.target) for f in report.findings if f.verdict is verdict] == [(FindingKind.MUTATES_INPUT, role)]


def test_who_resizes_an_array_of_its_own_has_raised() -> None:
    report = api.check_gradient(resizing_its_own, lambda x: 2 * x, X, throw=False)
    assert [finding.kind for finding in report.findings] == [FindingKind.USER_ERROR]
    assert "cannot resize this array" in report.headline


def test_both_on_the_command_line(tmp_path: Path) -> None:
    module(
        tmp_path, "def r(x):\n x.resize(5, refcheck=False)\n return (x[:3]**2).sum()\ndef c(x): return (2*x)[:, None]\n"
    )
    resized = gradcheck(tmp_path, "m:r", "--grad", "m:g", "--dim", "3")
    assert (resized.code, "gradcheck --explain mutates_input" in resized.out) == (3, True)
    column = gradcheck(tmp_path, "m:f", "--grad", "m:c", "--dim", "3")
    assert (column.code, "gradcheck --explain wrong_shape" in column.out) == (1, True)
