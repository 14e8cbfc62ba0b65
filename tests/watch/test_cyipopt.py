"""What Ipopt is given: gradient, Jacobian and Hessian of the Lagrangian, dense and by their structure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.watch.outcome import Class
from tests.watch.cases import right_and_wrong

cyipopt: Any = pytest.importorskip("cyipopt", reason="cyipopt is not installed")


class Problem:
    """min x₀ x₃ (x₀ + x₁ + x₂) + x₂ with ∏ x ≥ 25 and ∑ x² = 40; each derivative times a factor of its own."""

    def __init__(self, gradient: float = 1.0, jacobian: float = 1.0, hessian: float = 1.0) -> None:
        self.factors = gradient, jacobian, hessian

    def objective(self, x: Any) -> float:
        return float(x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2])

    def gradient(self, x: Any) -> Any:
        s = x[0] + x[1] + x[2]
        return self.factors[0] * np.array([x[3] * (s + x[0]), x[0] * x[3], x[0] * x[3] + 1, x[0] * s])

    def constraints(self, x: Any) -> Any:
        return np.array([np.prod(x), x @ x])

    def jacobian(self, x: Any) -> Any:
        return self.factors[1] * np.concatenate([np.prod(x) / x, 2 * x])

    def hessian(self, x: Any, multipliers: Any, factor: float) -> Any:
        objective = np.zeros((4, 4))
        objective[0] = [2 * x[3], x[3], x[3], 2 * x[0] + x[1] + x[2]]
        objective[3, 1:3] = objective[1:3, 3] = x[0]
        objective[:, 0] = objective[0]
        products = np.prod(x) / np.outer(x, x)
        np.fill_diagonal(products, 0)
        full = factor * objective + multipliers[0] * products + multipliers[1] * 2 * np.eye(4)
        return self.factors[2] * full[np.tril_indices(4)]


class Sparse(Problem):
    """The same, with structures."""

    def jacobianstructure(self) -> Any:
        return np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 1, 2, 3] * 2)

    def hessianstructure(self) -> Any:
        return np.tril_indices(4)


def solved(problem: Any, *, own: Any = None) -> Any:
    sizes = {"n": 4, "m": 2, "lb": [1.0] * 4, "ub": [5.0] * 4, "cl": [25.0, 40.0], "cu": [2e19, 40.0]}
    solver = cyipopt.Problem(problem_obj=problem, **sizes) if own is None else own(**sizes)
    solver.add_option("print_level", 0)
    solver.add_option("sb", "yes")
    solver.add_option("max_iter", 8)
    return solver.solve(np.array([1.0, 5.0, 5.0, 1.0]))[0]


@pytest.mark.parametrize("kind", ["gradient", "jacobian", "hessian"])
@pytest.mark.parametrize("problem", [Problem, Sparse])
def test_each_is_judged_by_itself(kind: str, problem: type[Problem]) -> None:
    without = solved(problem())
    with gradcheck.watching(budget=None) as seen:
        np.testing.assert_array_equal(solved(problem()), without)
    assert [outcome.category for outcome in seen.outcomes] == [Class.RIGHT] * 3, str(seen)
    with gradcheck.watching(budget=None) as seen:
        solved(problem(**{kind: 1.01}))
    assert kind in {report.kind.value for report in seen.wrong}


def test_minimize_ipopt() -> None:
    def case(c: float) -> Any:
        cost, slope = lambda x: np.sum((x - 1) ** 4), lambda x: 4 * c * (x - 1) ** 3
        return cyipopt.minimize_ipopt(cost, [2.0, 3.0], jac=slope, options={"maxiter": 5}).x

    right_and_wrong(case)


def test_a_problem_that_inherits_the_class_of_cyipopt() -> None:
    before = cyipopt.Problem

    def case(c: float) -> Any:
        class Own(Problem, cyipopt.Problem):  # type: ignore[misc]
            def __init__(self, **sizes: Any) -> None:
                Problem.__init__(self, c)
                cyipopt.Problem.__init__(self, **sizes)

        return solved(None, own=Own)

    with gradcheck.watching(budget=None) as seen:
        case(1.01)
    assert [report.kind.value for report in seen.wrong] == ["gradient"], str(seen)
    assert cyipopt.Problem is before
