"""The Jacobians that scipy.integrate is handed, in all its conventions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate

from tests.watch.cases import right_and_wrong

TIMES = np.linspace(0, 5, 4)


def flow(t: float, y: Any, a: float = 2.0) -> Any:
    return np.array([-a * y[0] + np.sin(t) * y[1] ** 2, y[0] * y[1] - y[1], -(y[2] ** 3)])


def flow_jac(t: float, y: Any, a: float = 2.0) -> Any:
    return np.array([[-a, 2 * np.sin(t) * y[1], 0], [y[1], y[0] - 1, 0], [0, 0, -3 * y[2] ** 2]])


def chain(t: float, y: Any) -> Any:
    """Each entry depends on itself and on the one before."""
    return -(y**2) + np.concatenate([[0.0], y[:-1]])


def chain_jac(t: float, y: Any) -> Any:
    return np.diag(-2 * y) + np.diag(np.ones(y.size - 1), -1)


def chain_bands(t: float, y: Any) -> Any:
    """Rows are diagonals: the main one, then the one below."""
    return np.stack([-2 * y, np.append(np.ones(y.size - 1), 0.0)])


def _ode(c: float, method: str = "vode") -> Any:
    solver = integrate.ode(flow, lambda t, y, a: c * flow_jac(t, y, a)).set_integrator(method, method="bdf")
    solver.set_f_params(1.5).set_jac_params(1.5).set_initial_value([1.0, 0.5, 0.3])
    jac = solver.jac
    solver.integrate(0.4)
    assert solver.jac is jac
    return solver.y


def _bvp(c: float) -> Any:
    return integrate.solve_bvp(
        lambda x, y: np.stack([y[1], -np.exp(y[0])]),
        lambda a, b: np.array([a[0], b[0]]),
        np.linspace(0, 1, 5),
        np.zeros((2, 5)),
        fun_jac=lambda x, y: c * np.array([[0 * x, 1 + 0 * x], [-np.exp(y[0]), 0 * x]]),
    ).y


Y0 = [1.0, 0.5, 0.3]
CASES: dict[str, Callable[[float], Any]] = {
    "solve_ivp": lambda c: (
        integrate.solve_ivp(flow, (0, 0.5), Y0, method="Radau", jac=lambda t, y: c * flow_jac(t, y)).y
    ),
    "solve_ivp with args": lambda c: (
        integrate.solve_ivp(flow, (0, 0.5), Y0, method="BDF", jac=lambda t, y, a: c * flow_jac(t, y, a), args=(3.0,)).y
    ),
    "solve_ivp by bands": lambda c: (
        integrate.solve_ivp(
            lambda t, y: 500 * chain(t, y),
            (0, 5),
            np.arange(1.0, 6.0),
            method="LSODA",
            jac=lambda t, y: c * 500 * chain_bands(t, y),
            lband=1,
            uband=0,
        ).y
    ),
    "odeint": lambda c: integrate.odeint(
        lambda y, t: 1000 * flow(t, y), Y0, TIMES, Dfun=lambda y, t: c * 1000 * flow_jac(t, y)
    ),
    "odeint, t first, by columns": lambda c: integrate.odeint(
        lambda t, y, a: 1000 * flow(t, y, a),
        Y0,
        TIMES,
        args=(1.5,),
        Dfun=lambda t, y, a: c * 1000 * flow_jac(t, y, a).T,
        tfirst=True,
        col_deriv=True,
    ),
    "odeint by bands": lambda c: integrate.odeint(
        lambda y, t: 1000 * chain(t, y),
        np.arange(1.0, 6.0),
        TIMES,
        Dfun=lambda y, t: c * 1000 * chain_bands(t, y),
        ml=1,
        mu=0,
    ),
    "ode": _ode,
    "solve_bvp": _bvp,
}


@pytest.mark.parametrize("case", CASES)
def test_right_is_right_and_wrong_is_wrong(case: str) -> None:
    right_and_wrong(CASES[case])
