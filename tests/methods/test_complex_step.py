"""The complex step tells derivatives to all digits where f is analytic, and is refused with a reason where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import check_gradient, check_jacobian
from gradcheck.model import Method, Status, Verdict

X = np.linspace(-1, 1, 6)
A = np.random.default_rng(0).normal(size=(4, 6))


def offset(x: Any) -> Any:
    """Its constant takes half of the digits of a difference away."""
    return np.sum(np.exp(x) * np.sin(x)) + 1e8


def slope(x: Any) -> Any:
    return np.exp(x) * (np.sin(x) + np.cos(x))


def test_nothing_cancels() -> None:
    report = check_gradient(offset, slope, X, method="complex-step")
    assert report.method is Method.COMPLEX_STEP
    assert report.resolution.digits is not None
    assert report.resolution.digits >= 13
    assert all(entry.estimate.status is Status.COMPLEX_STEP for entry in report.entries)
    assert max(entry.estimate.uncertainty for entry in report.entries) < 1e-11
    differenced = check_gradient(offset, slope, X)
    assert differenced.resolution.digits is not None
    assert differenced.resolution.digits < 10


def test_a_small_error_is_seen_through_cancellation() -> None:
    for factor in (1e-5, 1e-3, 1.0):
        wrong = check_gradient(
            offset, lambda x, factor=factor: slope(x) * (1 + factor), X, method="complex-step", throw=False
        )
        assert (wrong.verdict, wrong.failed) == (Verdict.FAIL, 6)

    def one(x: Any) -> Any:
        g = slope(x)
        g[2] *= 1 + 1e-4
        return g

    wrong = check_gradient(offset, one, X, method="complex-step", throw=False)
    assert [entry.index for entry in wrong.entries if entry.verdict is Verdict.FAIL] == [(2,)]


def test_jacobians_are_compared_column_by_column() -> None:
    def jac(x: Any) -> Any:
        return (1 - np.tanh(A @ x) ** 2)[:, None] * A

    report = check_jacobian(lambda x: np.tanh(A @ x), jac, X, method="complex-step")
    assert (report.method, report.checked) == (Method.COMPLEX_STEP, 24)

    def wrong(x: Any) -> Any:
        found = jac(x)
        found[1, 3] *= 1.0001
        return found

    failed = check_jacobian(lambda x: np.tanh(A @ x), wrong, X, method="complex-step", throw=False)
    assert [entry.index for entry in failed.entries if entry.verdict is Verdict.FAIL] == [(1, 3)]


def test_a_matrix_and_further_arguments() -> None:
    x = X.reshape(2, 3)
    report = check_gradient(
        lambda x, c: np.sum(c * x**3), lambda x, c: 3 * c * x**2, x, args=(2.0,), method="complex-step"
    )
    assert report.method is Method.COMPLEX_STEP


@pytest.mark.parametrize(
    ("f", "grad", "said"),
    [
        (lambda x: np.sum(np.abs(x) ** 3), lambda x: 3 * x * np.abs(x), "no imaginary part"),
        (lambda x: np.sum(x * np.conj(x) * x), lambda x: 3 * x**2, "not analytic"),
        (lambda x: sum(float(one) ** 3 for one in x), lambda x: 3 * x**2, "takes no complex numbers"),
    ],
)
def test_where_it_is_no_derivative_every_entry_is_differenced(f: Any, grad: Any, said: str) -> None:
    report = check_gradient(f, grad, X, method="complex-step")
    assert report.method is Method.COORDINATES
    assert any(said in note for note in report.notes), report.notes
    assert check_gradient(f, lambda x: 1.01 * grad(x), X, method="complex-step", throw=False).verdict is Verdict.FAIL


def test_a_tree_is_differenced() -> None:
    report = check_gradient(
        lambda p: np.sum(p["a"] ** 3), lambda p: {"a": 3 * p["a"] ** 2}, {"a": X}, method="complex-step"
    )
    assert any("one array of real numbers" in note for note in report.notes)


def test_it_is_offered_where_noise_of_cancellation_hides_the_derivative() -> None:
    def f(x: Any) -> Any:
        return 1e-3 * np.sum(np.sin(x)) + 2e10

    report = check_gradient(f, lambda x: 1e-3 * np.cos(x), X, throw=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert any("--method complex-step" in note for note in report.notes)
    assert check_gradient(f, lambda x: 1e-3 * np.cos(x), X, method="complex-step").verdict is Verdict.PASS

    def of_moduli(x: Any) -> Any:
        return 1e-3 * np.sum(np.abs(np.sin(x))) + 2e10

    other = check_gradient(of_moduli, lambda x: 1e-3 * np.cos(x) * np.sign(x), X, throw=False)
    assert not any("complex-step" in note for note in other.notes)
