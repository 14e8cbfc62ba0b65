"""Points, bounds and claims of a kind that was refused, or not understood."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import gradcheck
from gradcheck import check_gradient, check_hessian, check_jacobian
from tests.faults.test_reasons import kinds

X = np.array([0.3, -0.7, 1.2, 0.1])


def finding(report, kind):
    [found] = [found for found in report.findings if found.kind == kind]
    return found


# ---- integers


@pytest.mark.parametrize("x0", [[1, 2, 3], np.array([1, 2, 3]), np.array([[1, 2], [3, 4]], np.int8), 3, np.uint16(7)])
def test_a_point_of_integers_is_taken_as_float64_with_a_finding(x0):
    seen = []

    def f(x):
        seen.append(np.asarray(x).dtype)
        return np.sum(x * x)

    report = check_gradient(f, lambda x: 2 * x, x0)
    assert report.verdict.name == "PASS"
    assert report.point.dtype == "float64"
    assert set(seen) == {np.dtype(float)}
    assert "taken as float64" in finding(report, "wrong_dtype").message


@pytest.mark.parametrize("x0", [[1.0, 2], np.ones(3), 2.5])
def test_a_point_of_floats_has_no_such_finding(x0):
    assert "wrong_dtype" not in kinds(check_gradient(lambda x: np.sum(x * x), lambda x: 2 * x, x0))


def test_truth_values_are_no_point():
    with pytest.raises(gradcheck.PointError, match="bool"):
        check_gradient(lambda x: 1.0, lambda x: x, np.array([True]))


def test_a_wrong_claim_that_is_an_array_of_integers_was_written_into_one():
    def grad(x):
        out = np.zeros(4, int)
        out[:] = 2.5 * x
        return out

    report = check_gradient(lambda x: 1.25 * x @ x, grad, X, throw=False, fix=False)
    assert report.verdict.name == "FAIL"
    assert "written into an integer array" in finding(report, "wrong_dtype").message
    assert finding(report, "wrong_dtype").target == "grad"


def test_a_wrong_claim_of_zeros_as_integers():
    report = check_gradient(lambda x: np.sum(np.sin(x)), lambda x: np.cos(x).astype(int) * 0, X, throw=False, fix=False)
    assert report.verdict.name == "FAIL"
    assert "wrong_dtype" in kinds(report)


def test_a_constant_derivative_may_be_of_integers():
    m = np.array([[1, 2, 0, 0], [0, 1, 3, 0]])
    report = check_jacobian(lambda x: m @ x, lambda x: m, X)
    assert report.verdict.name == "PASS"
    assert "wrong_dtype" not in kinds(report)


# ---- a fixed parameter

FIXED = np.array([0.0, -0.7, 0.0, 0.0]), np.array([4.0, -0.7, 4.0, 4.0])


def cubes(x):
    assert x[1] == -0.7
    return np.sum(x**3)


@pytest.mark.parametrize("method", ["coordinates", "directions"])
@pytest.mark.parametrize("points", [1, 3])
def test_bounds_with_low_equal_to_high_fix_a_parameter(method, points):
    report = check_gradient(cubes, lambda x: 3 * x**2, X, bounds=FIXED, method=method, points=points)
    assert report.verdict.name == "PASS"
    wrong = check_gradient(
        cubes, lambda x: 3 * x**2 * [1, 1, 1.1, 1], X, bounds=FIXED, method=method, throw=False, fix=False
    )
    assert wrong.verdict.name == "FAIL"


def test_what_is_fixed_is_not_compared_and_that_is_said():
    report = check_gradient(cubes, lambda x: 3 * x**2 * [1, 9, 1, 1], X, bounds=FIXED)
    assert report.verdict.name == "PASS"
    assert report.checked == 3
    assert any("1 variable fixed by bounds" in note and "[1]" in note for note in report.notes)
    matrix = check_jacobian(
        lambda x: x * x[0], lambda x: np.diag([x[0]] * 4) + np.outer(x, [1, 0, 0, 0]), X, bounds=FIXED
    )
    assert matrix.checked == 12
    hessian = check_hessian(cubes, lambda x: np.diag(6 * x), X, grad=lambda x: 3 * x**2, bounds=FIXED)
    assert (hessian.verdict.name, hessian.checked) == ("PASS", 12)


@pytest.mark.parametrize("bounds", [(1.0, 1.0), (np.ones(4), np.ones(4)), (np.ones(4), np.array([2.0, 2, 2, 0.5]))])
def test_bounds_that_leave_nothing_free_or_are_the_wrong_way_round_are_refused(bounds):
    with pytest.raises(gradcheck.UsageError, match="less than the upper"):
        check_gradient(lambda x: x @ x, lambda x: 2 * x, np.ones(4), bounds=bounds)


# ---- a component that is no number


@pytest.mark.parametrize("index", [0, 3])
def test_one_component_that_is_nan_is_named_by_its_index(index):
    def func(x):
        out = np.sin(x)
        out[index] = np.nan
        return out

    report = check_jacobian(func, lambda x: np.diag(np.cos(x)), X, throw=False)
    assert report.verdict.name == "ERROR"
    assert f"component [{index}]" in report.headline


# ---- a claim that is a difference of f itself

W = np.random.default_rng(0).normal(size=(4, 4))


def loss(x, w):
    return float(np.sum(np.sin(w @ x) * np.exp(x)))


def f(x):
    return loss(x, W)


def right(x):
    return W.T @ (np.cos(W @ x) * np.exp(x)) + np.sin(W @ x) * np.exp(x)


def forward(x, g=f, h=1e-7):
    base = g(x)
    return np.array([(g(x + h * e) - base) / h for e in np.eye(x.size)])


def central(x, h=1e-3):
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)])


def in_place(x):
    y, out, base = x.copy(), np.empty(x.size), f(x)
    for i in range(x.size):
        y[i] += 1e-7
        out[i] = (f(y) - base) / 1e-7
        y[i] = x[i]
    return out


class Model:
    def value(self, x):
        return loss(x, W)

    def __call__(self, x):
        return self.value(x)


MODEL = Model()
DIFFERENCES = {
    "forward": (f, forward),
    "central": (f, central),
    "in place": (f, in_place),
    "of what f is a wrapper of": (f, lambda x: forward(x, lambda x: loss(x, W))),
    "of a method": (MODEL.value, lambda x: forward(x, MODEL.value)),
    "of an object": (MODEL, lambda x: forward(x, MODEL)),
    "of a partial": (functools.partial(loss, w=W), lambda x: forward(x, functools.partial(loss, w=W))),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_claim_that_is_a_difference_of_f_is_told(name):
    function, claim = DIFFERENCES[name]
    report = check_gradient(function, claim, X, throw=False, fix=False)
    found = finding(report, "claim_is_difference")
    assert found.verdict.name == "PASS"  # a remark
    assert found.evidence["calls"] in (5, 8)
    assert 1e-8 < found.evidence["step"] < 1e-2
    assert "difference" in found.message


def test_the_verdict_on_a_difference_is_what_was_measured():
    good, bad = (check_gradient(f, lambda x, h=h: forward(x, h=h), X, throw=False, fix=False) for h in (1e-7, 1e-2))
    assert good.verdict.name == "PASS"
    assert bad.verdict.name == "FAIL"
    assert (
        finding(bad, "claim_is_difference").evidence["off"]
        > 1e-4
        > finding(good, "claim_is_difference").evidence["off"]
    )


def test_of_one_variable():
    def wave(t):
        return np.sin(t)

    report = check_gradient(wave, lambda t: (wave(t + 1e-6) - wave(t - 1e-6)) / 2e-6, 0.3)
    assert finding(report, "claim_is_difference").evidence["calls"] == 2


def test_a_hessian_that_is_a_difference_of_its_gradient():
    def hess(x):
        return np.array([(right(x + 1e-5 * e) - right(x - 1e-5 * e)) / 2e-5 for e in np.eye(4)])

    report = check_hessian(f, hess, X, grad=right, throw=False, fix=False)
    assert "hess calls f or its gradient 8 times" in finding(report, "claim_is_difference").message


def tilted(z):
    return np.sum(np.sin(W @ z) * np.exp(z))


FORMULAE = {
    "calls nothing": right,
    "calls f once": lambda x: (f(x), right(x))[1],
    "calls f again at x": lambda x: ([f(x) for _ in range(9)], right(x))[1],
    "calls f far away": lambda x: ([f(x + 5 * k + 5) for k in range(9)], right(x))[1],
    "complex step": lambda x: np.array([tilted(x + 1e-20j * e).imag / 1e-20 for e in np.eye(4)]),
}


@pytest.mark.parametrize("name", FORMULAE)
def test_a_formula_is_no_difference(name):
    report = check_gradient(f, FORMULAE[name], X)
    assert report.verdict.name == "PASS"
    assert "claim_is_difference" not in kinds(report)


def test_a_profiler_that_is_already_there_is_left_alone():
    import sys

    seen = []
    sys.setprofile(lambda frame, event, argument: seen.append(event))
    try:
        check_gradient(f, forward, X, throw=False, fix=False)
        assert sys.getprofile() is not None
    finally:
        sys.setprofile(None)
    assert seen
