"""A gradient made of differences is the gradient."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Verdict, check_hessian
from gradcheck.checks.hessian import DifferencedGradient, agrees_along_line
from gradcheck.evaluation.function import Function

x = np.random.default_rng(0).normal(size=5)
CASES = {
    "quadratic": (lambda x: float(x @ x), lambda x: 2 * x),
    "quartic": (lambda x: float(np.sum(x**4)), lambda x: 4 * x**3),
    "exponential": (lambda x: float(np.exp(x).sum()), np.exp),
    "coupled": (lambda x: float(np.sin(x.sum())), lambda x: np.full(x.shape, np.cos(x.sum()))),
    "with an offset": (lambda x: float(1e6 + np.sum(np.sin(x))), np.cos),
}


@pytest.mark.parametrize(("f", "grad"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_it_is_the_gradient_at_the_point_and_beside_it(f, grad, shift):
    differenced = DifferencedGradient(Function(f, x), x, seed=0)
    at = x + shift
    tolerance = 1e-8 * max(1, abs(f(at))) ** 0.5 if abs(f(at)) > 1e3 else 1e-9
    np.testing.assert_allclose(differenced(at), grad(at), atol=tolerance)


@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_flat_whatever_the_shape_of_the_variable(shape, dtype):
    point = np.linspace(1, 2, 6, dtype=dtype)
    differenced = DifferencedGradient(Function(lambda x: (x**2).sum(), point.reshape(shape)), point, seed=0)
    np.testing.assert_allclose(differenced(point), 2 * point, rtol=1e-9 if dtype == np.float64 else 2e-4)


@pytest.mark.parametrize(("factor", "agrees", "few"), [(1.0, True, True), (1 + 1e-3, False, False)])
def test_a_gradient_that_plainly_agrees_along_a_line_costs_four_evaluations(factor, agrees, few):
    function = Function(lambda x: float(np.sum(x**3)), x)
    assert agrees_along_line(function, x, factor * 3 * x**2, seed=0) == agrees
    assert (function.calls == 4) == few


def test_a_call_costs_four_evaluations_a_variable():
    function = Function(lambda x: float(x @ x), x)
    differenced = DifferencedGradient(function, x, seed=0)
    before = function.calls
    differenced(x)
    assert function.calls - before == 4 * x.size


def test_its_steps_are_fixed_so_that_it_is_smooth():
    differenced = DifferencedGradient(Function(lambda x: float(np.cos(x).sum()), x), x, seed=0)
    first = differenced(x)
    differenced(x + 1)
    np.testing.assert_array_equal(differenced(x), first)


@pytest.mark.parametrize("factor", [-1.0, 1.1])
def test_a_hessian_beside_a_wrong_gradient_is_judged_against_f(factor):
    f, x = (lambda x: float(np.sum(x**4))), np.array([0.5, -1.0, 2.0])
    grad, hess = (lambda x: factor * 4 * x**3), (lambda x: np.diag(12 * x**2))
    right = check_hessian(f, hess, x, grad=grad, throw=False)
    assert (right.verdict, right.failed, right.inconclusive) == (Verdict.INCONCLUSIVE, 0, 0)
    assert "grad is not the gradient of f" in right.headline
    assert check_hessian(f, lambda x: factor * hess(x), x, grad=grad, throw=False).failed
