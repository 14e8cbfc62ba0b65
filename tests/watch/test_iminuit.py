"""Gradients and Hessians of iminuit's cost functions, of an array and of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcheck
from tests.watch.cases import right_and_wrong

iminuit: Any = pytest.importorskip("iminuit", reason="iminuit is not installed")


def cost(x: Any) -> float:
    return float((x[0] - 1) ** 2 + (x[1] - 2) ** 4 + x[0] * x[1])


def slope(x: Any) -> Any:
    return np.array([2 * (x[0] - 1) + x[1], 4 * (x[1] - 2) ** 3 + x[0]])


def curvature(x: Any) -> Any:
    return np.array([[2.0, 1.0], [1.0, 12 * (x[1] - 2) ** 2]])


class WithGradient:
    """A cost function that has its gradient itself."""

    def __init__(self, c: float) -> None:
        self.c = c

    def __call__(self, a: float, b: float) -> float:
        return cost([a, b])

    def grad(self, a: float, b: float) -> Any:
        return self.c * slope([a, b])


def values(minuit: Any) -> Any:
    return list(minuit.values)


CASES: dict[str, Callable[[float], Any]] = {
    "of an array": lambda c: values(iminuit.Minuit(cost, [0.5, 0.7], grad=lambda x: c * slope(x)).migrad()),
    "of numbers": lambda c: values(
        iminuit.Minuit(lambda a, b: cost([a, b]), a=0.5, b=0.7, grad=lambda a, b: c * slope([a, b])).migrad()
    ),
    "of numbers by place": lambda c: values(
        iminuit.Minuit(lambda a, b: cost([a, b]), 0.5, 0.7, grad=lambda a, b: c * slope([a, b])).migrad()
    ),
    "of the function itself": lambda c: values(iminuit.Minuit(WithGradient(c), 0.5, 0.7).migrad()),
    "by scipy": lambda c: values(iminuit.Minuit(cost, [0.5, 0.7], grad=lambda x: c * slope(x)).scipy()),
    "as scipy.optimize.minimize": lambda c: iminuit.minimize(cost, [0.5, 0.7], jac=lambda x: c * slope(x)).x,
}


@pytest.mark.parametrize("case", CASES)
def test_right_is_right_and_wrong_is_wrong(case: str) -> None:
    if case == "by scipy":
        pytest.importorskip("scipy", reason="it calls SciPy")
    right_and_wrong(CASES[case])


def test_a_hessian() -> None:
    exact = gradcheck.not_a_derivative("only the Hessian counts here")(lambda x: slope(x))

    def case(c: float) -> Any:
        minuit = iminuit.Minuit(cost, [0.5, 0.7], grad=exact, hessian=lambda x: c * curvature(x))
        return values(minuit.migrad())

    right_and_wrong(case)
