"""From a wrong claim to its patch, through the checks as a user makes them."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.model import Report
from gradcheck.repair import mend

A = np.array([[2.0, 1, 0], [0, 3, 1], [1, 0, 1]])
X = np.arange(12.0).reshape(4, 3) / 7 - 0.6
y = np.array([1.0, 0, 1, 1])
lam = 0.3
x0 = np.array([0.4, -0.7, 1.1])
LONG = 60.0  # seconds: the machine may be busy, and the search ends when it has found something


def quadratic(x: Any) -> Any:
    return x @ A @ x


def not_symmetric(x: Any) -> Any:
    return 2 * A @ x


def logistic(w: Any) -> Any:
    z = X @ w
    return np.sum(np.log1p(np.exp(z)) - y * z) + 0.5 * lam * w @ w


def without_ridge(w: Any) -> Any:
    p = 1 / (1 + np.exp(-X @ w))
    return X.T @ (p - y)


def without_sigmoid(w: Any) -> Any:
    z = X @ w
    return X.T @ (z - y) + lam * w


def residuals(w: Any) -> Any:
    return np.tanh(X @ w) - y


def wrong_rows(w: Any) -> Any:
    t = np.tanh(X @ w)
    return (1 - t)[:, None] * X


def hessian_of_quadratic(x: Any) -> Any:
    return 2 * A


def product_of_quadratic(x: Any, v: Any) -> Any:
    return A @ v + A @ v


def value_and_wrong_gradient(w: Any) -> Any:
    z = X @ w
    p = 1 / (1 + np.exp(-z))
    return np.sum(np.log1p(np.exp(z)) - y * z), X.T @ (p + y)


def part(w: Any) -> Any:
    return 1 / (1 + np.exp(X @ w))


def by_a_helper(w: Any) -> Any:
    return X.T @ (part(w) - y) + lam * w


class Regression:
    def __init__(self) -> None:
        self.X, self.y, self.calls = X.copy(), y.copy(), 0

    def loss(self, w: Any) -> Any:
        return 0.5 * np.sum((self.X @ w - self.y) ** 2)

    def grad(self, w: Any) -> Any:
        self.calls += 1
        return self.X.T @ (self.X @ w + self.y)


def two_slips(w: Any) -> Any:
    z = X @ w
    p = 1 / (1 + np.exp(-z))
    g = X.T @ (p + y)
    return g - lam * w


def nothing_right(w: Any) -> Any:
    z = X @ w
    q = np.sin(z) * np.exp(-(z**2)) + np.cos(3 * z)
    h = np.cumsum(q[::-1]) / (1 + np.abs(z))
    return X.T @ h - np.sqrt(np.abs(w)) * 7.3


def fixed(report: Report, text: str) -> None:
    assert report.verdict.name == "FAIL"
    assert report.fixes, report.notes
    fix = report.fixes[0]
    assert fix.certain
    assert text in fix.after
    assert report.diagnoses[0].where is not None
    assert report.diagnoses[0].where.line == fix.line
    assert fix.before.split("\n")[0] == Path(fix.file).read_text().split("\n")[fix.line - 1]
    assert fix.diff.startswith("--- a/")


def gradient(f: Callable[..., Any], grad: Any, **more: Any) -> Report:
    return gradcheck.check_gradient(f, grad, x0, throw=False, fix=LONG, **more)


@pytest.mark.parametrize(
    ("f", "grad", "text"),
    [
        (quadratic, not_symmetric, "(A + A.T) @ x"),
        (logistic, without_ridge, "return X.T @ (p - y) + lam * w"),
        (logistic, by_a_helper, "part(-w)"),
        (quadratic, lambda x: A @ x + A.T @ A @ x, "A.T @ x"),
    ],
    ids=["symmetric", "term", "helper", "lambda"],
)
def test_a_gradient_is_mended(f: Any, grad: Any, text: str) -> None:
    fixed(gradient(f, grad), text)


def test_a_factor_of_the_chain_rule() -> None:
    report = gradient(logistic, without_sigmoid)
    fixed(report, "")
    mended: dict[str, Any] = {"X": X, "y": y, "lam": lam, "np": np, "Any": Any}
    exec("def g(w):\n    z = X @ w\n" + report.fixes[0].after, mended)
    right = gradcheck.check_gradient(logistic, mended["g"], 2 * x0, throw=False, fix=False)
    assert right.verdict.name == "PASS"


def test_other_derivatives_are_mended() -> None:
    jacobian = gradcheck.check_jacobian(residuals, wrong_rows, x0, throw=False, fix=LONG)
    fixed(jacobian, "1 - t ** 2")
    hessian = gradcheck.check_hessian(quadratic, hessian_of_quadratic, x0, throw=False, fix=LONG)
    fixed(hessian, "A + A.T")
    product = gradcheck.check_hvp(quadratic, product_of_quadratic, x0, throw=False, fix=LONG)
    fixed(product, "A.T @ v")


def test_methods_partials_and_pairs_are_mended() -> None:
    model = Regression()
    before = {**vars(model), "X": model.X.copy()}
    report = gradient(model.loss, model.grad)
    fixed(report, "self.X @ w - self.y")
    np.testing.assert_array_equal(model.X, before["X"])
    assert model.calls == report.ngev

    def scaled(k: float, w: Any) -> Any:
        return k * w * w

    fixed(gradient(lambda w: w @ w, functools.partial(scaled, 2.0)), "k * w")
    fixed(
        gradcheck.check_gradient(value_and_wrong_gradient, None, x0, value_and_grad=True, throw=False, fix=LONG),
        "p - y",
    )


def slope(w: Any) -> Any:
    z = X @ w
    return X.T @ (1 / (1 + np.exp(z)) - y) + lam * w


def value_and_gradient_of_helpers(w: Any) -> Any:
    return logistic(w), slope(w)


def test_a_helper_of_a_function_that_returns_both_is_mended() -> None:
    report = gradcheck.check_gradient(
        value_and_gradient_of_helpers, None, x0, value_and_grad=True, throw=False, fix=LONG
    )
    fixed(report, "-")
    assert slope.__code__.co_firstlineno < report.fixes[0].line < value_and_gradient_of_helpers.__code__.co_firstlineno


def into_integers(x: Any) -> Any:
    g = np.zeros(len(x), int)
    g[:] = (A + A.T) @ x
    return g


def test_an_array_of_whole_numbers_is_made_one_of_others() -> None:
    fixed(gradient(quadratic, into_integers), "g = np.zeros(len(x))")


def test_two_slips_are_found() -> None:
    report = gradient(logistic, two_slips)
    fixed(report, "")
    assert "p - y" in report.fixes[0].after
    assert "g + lam * w" in report.fixes[0].after


def test_a_design_that_is_wrong_gets_no_patch_but_lines() -> None:
    report = gradcheck.check_gradient(logistic, nothing_right, x0, throw=False, fix=3.0)
    assert not report.fixes
    where = report.diagnoses[0].where
    assert where is not None
    assert where.text in Path(where.file).read_text()
    assert f"line {where.line} of test_mend.py" in report.headline


def test_nothing_of_the_user_changes_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    table, code = X.copy(), without_ridge.__code__
    with np.errstate(all="raise"):
        gradient(logistic, without_ridge)
    np.testing.assert_array_equal(X, table)
    assert X.flags.writeable
    assert without_ridge.__code__ is code
    assert capfd.readouterr() == ("", "")


def test_false_looks_for_nothing_and_a_right_claim_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("gradcheck.checks.mending.mend", unexpected)
    report = gradcheck.check_gradient(logistic, without_ridge, x0, throw=False, fix=False)
    assert report.fixes == ()
    assert gradcheck.check_gradient(quadratic, lambda x: (A + A.T) @ x, x0, fix=True).fixes == ()


def slow(w: Any) -> Any:
    time.sleep(0.002)
    return logistic(w)


def test_what_is_not_cheap_is_left_alone_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.checks.mending.CHEAP", 0.0)
    report = gradcheck.check_gradient(slow, without_ridge, x0, throw=False)
    assert report.fixes == ()
    fixed(gradcheck.check_gradient(slow, without_ridge, x0, throw=False, fix=LONG), "0.3 * w")


def reads_a_file(w: Any) -> Any:
    return np.loadtxt(__file__) + w


def impure(w: Any) -> Any:
    return 3 * w if w is not None else reads_a_file(w)


def test_what_does_more_than_compute_is_not_run_and_the_report_says_why() -> None:
    report = gradient(lambda w: w @ w, impure)
    assert report.fixes == ()
    assert [note for note in report.notes if "loadtxt" in note and "no patch was looked for" in note]


@pytest.mark.parametrize("claim", [np.sin, functools.partial(np.multiply, 3.0)])
def test_what_has_no_source_is_left_alone(claim: Any) -> None:
    report = gradient(lambda w: w @ w, claim)
    assert report.verdict.name == "FAIL"
    assert report.fixes == ()


def test_without_processes_the_search_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mend, "can_isolate", lambda: False)
    fixed(gradient(logistic, without_ridge), "lam * w")
    assert without_ridge(x0).shape == (3,)


def test_an_exception_of_a_test_shows_the_fix() -> None:
    with pytest.raises(gradcheck.GradientMismatch) as raised:
        gradcheck.check_gradient(logistic, without_ridge, x0, fix=LONG)
    assert raised.value.report.fixes
