"""Gradients that nlopt has functions write into an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.watch.outcome import Class
from tests.watch.cases import right_and_wrong

nlopt: Any = pytest.importorskip("nlopt", reason="nlopt is not installed")


def objective(x: Any, grad: Any) -> float:
    if grad.size:
        grad[:] = 2 * (x - 1) + 4 * (x - 2) ** 3
    return float(np.sum((x - 1) ** 2 + (x - 2) ** 4))


def cos_sum(c: float) -> Any:
    def f(x: Any, grad: Any) -> float:
        if grad.size:
            grad[:] = -c * np.sin(x)
        return float(np.sum(np.cos(x)))

    return f


def solver(f: Any = None, algorithm: str = "LD_MMA") -> Any:
    opt = nlopt.opt(getattr(nlopt, algorithm), 2)
    opt.set_lower_bounds([-3.0, -3.0])
    opt.set_upper_bounds([3.0, 3.0])
    opt.set_maxeval(15)
    if f is not None:
        opt.set_min_objective(f)
    return opt


def of_a_constraint(c: float) -> Any:
    opt = solver(_not_a_derivative)
    opt.add_inequality_constraint(cos_sum(c), 1e-8)
    return opt.optimize([0.4, 0.3])


@gradcheck.not_a_derivative("only the constraint counts here")
def _not_a_derivative(x: Any, grad: Any) -> float:
    return objective(x, grad)


def of_several_constraints(c: float) -> Any:
    def g(result: Any, x: Any, grad: Any) -> None:
        result[:] = [x[0] * x[1] - 2, x[0] - x[1] ** 2, np.sin(x[0])]
        if grad.size:
            grad[:] = c * np.array([[x[1], x[0]], [1, -2 * x[1]], [np.cos(x[0]), 0]])

    opt = solver(_not_a_derivative)
    opt.add_inequality_mconstraint(g, [1e-8] * 3)
    return opt.optimize([0.4, 0.3])


def maximised(c: float) -> Any:
    opt = solver()
    opt.set_max_objective(cos_sum(c))
    return opt.optimize([0.4, 0.3])


CASES: dict[str, Callable[[float], Any]] = {
    "an objective": lambda c: solver(cos_sum(c)).optimize([0.4, 0.3]),
    "an objective that is maximised": maximised,
    "a constraint": of_a_constraint,
    "several constraints in one": of_several_constraints,
}


@pytest.mark.parametrize("case", CASES)
def test_right_is_right_and_wrong_is_wrong(case: str) -> None:
    right_and_wrong(CASES[case])


def test_a_solver_that_asks_for_no_gradient_is_handed_none() -> None:
    with gradcheck.watching(budget=None) as seen:
        solver(cos_sum(3.0), "LN_COBYLA").optimize([0.4, 0.3])
    assert not seen.outcomes


def test_points_stay_within_the_bounds() -> None:
    visited = []

    def f(x: Any, grad: Any) -> float:
        visited.append(x.copy())
        return cos_sum(1.0)(x, grad)

    with gradcheck.watching(budget=None) as seen:
        solver(f).optimize([0.4, 0.3])
    (report,) = seen.reports
    assert np.max(np.abs(report.point.values)) <= 3
    assert seen.outcomes[0].category is Class.RIGHT
