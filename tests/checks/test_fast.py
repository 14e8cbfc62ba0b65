"""fast=True: one random direction for what is plainly right, and the check as without it for all else."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check_gradient, check_hessian, check_jacobian
from gradcheck.model import Method, Verdict

A = np.random.default_rng(1).normal(size=(12, 7))
X = np.random.default_rng(2).normal(size=7)


def loss(x):
    return float(np.logaddexp(0, A @ x).sum())


def slope(x):
    return A.T @ (1 / (1 + np.exp(-(A @ x))))


def curvature(x):
    p = 1 / (1 + np.exp(-(A @ x)))
    return (A.T * (p * (1 - p))) @ A


def test_what_is_right_costs_one_direction_and_says_what_it_would_have_seen():
    report = check_gradient(loss, slope, X, fast=True)
    assert (report.verdict, report.method) == (Verdict.PASS, Method.DIRECTIONS)
    assert (report.nfev, report.ngev) == (5, 1)
    assert "one random direction" in report.resolution.sentence
    assert 0 < report.resolution.absolute < 1e-3


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("factor", [-1.0, 1.001, 1 + 5e-5])
def test_what_is_wrong_gets_the_whole_check(seed, factor):
    weights = np.where(np.arange(7) == seed % 7, factor, 1.0)
    report = check_gradient(loss, lambda x: weights * slope(x), X, fast=True, seed=seed, throw=False, fix=False)
    assert report.verdict is Verdict.FAIL
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [(seed % 7,)]


def test_an_error_at_the_limit_that_is_stated_is_seen():
    limit = check_gradient(loss, slope, X, fast=True).resolution.absolute
    for k in range(7):
        off = np.where(np.arange(7) == k, limit, 0.0)
        report = check_gradient(loss, lambda x, off=off: slope(x) + off, X, fast=True, throw=False, fix=False)
        assert report.method is Method.COORDINATES, k


def test_jacobians_hessians_and_values_returned_beside():
    assert (
        check_jacobian(lambda x: np.tanh(A @ x), lambda x: (1 - np.tanh(A @ x) ** 2)[:, None] * A, X, fast=True).nfev
        == 5
    )
    assert check_hessian(loss, curvature, X, grad=slope, fast=True).verdict is Verdict.PASS
    both = check_gradient(lambda x: (loss(x), slope(x)), None, X, value_and_grad=True, fast=True)
    assert both.method is Method.DIRECTIONS


@pytest.mark.parametrize("more", [{"points": 2}, {"eps": 1e-5}, {"directions": 3}, {"elementwise": True}])
def test_what_asks_for_more_is_given_more(more):
    if "elementwise" in more:
        report = check_gradient(np.sin, np.cos, X, fast=True, **more)
    else:
        report = check_gradient(loss, slope, X, fast=True, **more)
    assert report.verdict is Verdict.PASS
    assert report.nfev > 5


def test_doubt_gets_the_whole_check():
    report = check_gradient(lambda x: float(np.abs(x).sum()), np.sign, np.zeros(3), fast=True, throw=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.method is Method.COORDINATES
