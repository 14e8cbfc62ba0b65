"""Every way in which scipy.optimize is handed a derivative: a right one is found right, a wrong one wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from scipy import optimize
from scipy.optimize import rosen, rosen_der, rosen_hess

import gradcheck
from gradcheck.watch.outcome import Class

X0 = [0.4, 1.1, 0.7]
DATA = np.linspace(0.0, 1.0, 12)


def rosen_hess_prod(x: Any, p: Any) -> Any:
    return rosen_hess(x) @ p


def scaled(function: Callable[..., Any], factor: float) -> Callable[..., Any]:
    """The derivative times a factor: 1 leaves it right."""

    def claim(*args: Any, **kwargs: Any) -> Any:
        value = function(*args, **kwargs)
        return (value[0], value[1] * factor) if isinstance(value, tuple) else value * factor

    return claim


def shifted(x: Any, a: float) -> Any:
    return np.sum((x - a) ** 2)


def shifted_der(x: Any, a: float) -> Any:
    return 2 * (x - a)


def residuals(x: Any) -> Any:
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0], x[0] * x[1] - 1])


def residuals_jac(x: Any) -> Any:
    return np.array([[-20 * x[0], 10.0], [-1.0, 0.0], [x[1], x[0]]])


def system(x: Any) -> Any:
    return np.array([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])


def system_jac(x: Any) -> Any:
    d = 1.5 * (x[0] - x[1]) ** 2
    return np.array([[1 + d, -d], [-d, 1 + d]])


def decay(t: Any, a: float, b: float) -> Any:
    return a * np.exp(-b * t)


def decay_jac(t: Any, a: float, b: float) -> Any:
    return np.stack([np.exp(-b * t), -a * t * np.exp(-b * t)], axis=1)


def _minimize(**given: Any) -> Callable[[float], Any]:
    names = [name for name in ("jac", "hess", "hessp") if name in given]
    worse = names[-1]
    return lambda c: optimize.minimize(rosen, X0, **{**given, worse: scaled(given[worse], c)})


def _with_constraint(c: float) -> Any:
    constraint = {"type": "ineq", "fun": lambda x, r: r - x @ x, "jac": scaled(lambda x, r: -2 * x, c), "args": (3.0,)}
    return optimize.minimize(rosen, X0, constraints=[constraint], method="SLSQP")


def _nonlinear(c: float) -> Any:
    constraint = optimize.NonlinearConstraint(lambda x: [x @ x, x[0]], -9, 9, jac=scaled(_ball, c), hess=_ball_hess)
    return optimize.minimize(rosen, X0, jac=rosen_der, constraints=constraint, method="trust-constr")


def _nonlinear_hess(c: float) -> Any:
    constraint = optimize.NonlinearConstraint(lambda x: [x @ x, x[0]], -9, 9, jac=_ball, hess=scaled(_ball_hess, c))
    return optimize.minimize(rosen, X0, jac=rosen_der, constraints=constraint, method="trust-constr")


def _ball(x: Any) -> Any:
    return np.array([2 * x, [1.0, 0.0, 0.0]])


def _ball_hess(x: Any, v: Any) -> Any:
    return 2 * v[0] * np.eye(3)


CASES: dict[str, Callable[[float], Any]] = {
    "jac": _minimize(jac=rosen_der),
    "jac with bounds": _minimize(jac=rosen_der, bounds=[(0, 2), (None, 1.2), (0.1, None)], method="L-BFGS-B"),
    "jac with args": lambda c: optimize.minimize(shifted, X0, args=1.5, jac=scaled(shifted_der, c)),
    "jac=True": lambda c: optimize.minimize(scaled(lambda x: (rosen(x), rosen_der(x)), c), X0, jac=True),
    "hess": _minimize(jac=rosen_der, hess=rosen_hess, method="trust-exact"),
    "sparse hess": _minimize(
        jac=rosen_der, hess=lambda x: scipy.sparse.csr_array(rosen_hess(x)), method="trust-constr"
    ),
    "hessp": _minimize(jac=rosen_der, hessp=rosen_hess_prod, method="Newton-CG"),
    "constraint": _with_constraint,
    "nonlinear constraint": _nonlinear,
    "hessian of a constraint": _nonlinear_hess,
    "least_squares": lambda c: optimize.least_squares(residuals, [0.5, 2.0], scaled(residuals_jac, c)),
    "least_squares with kwargs": lambda c: optimize.least_squares(
        lambda x, *, a: residuals(x) * a, [0.5, 2.0], scaled(lambda x, *, a: residuals_jac(x) * a, c), kwargs={"a": 2.0}
    ),
    "least_squares with bounds": lambda c: optimize.least_squares(
        residuals, [0.5, 2.0], scaled(residuals_jac, c), bounds=([0.0, 1.5], [2.0, np.inf])
    ),
    "root": lambda c: optimize.root(system, [0.2, 0.1], jac=scaled(system_jac, c)),
    "root by lm": lambda c: optimize.root(system, [0.2, 0.1], jac=scaled(system_jac, c), method="lm"),
    "root by columns": lambda c: optimize.root(
        residuals_square, [0.2, 0.7], jac=scaled(lambda x: residuals_square_jac(x).T, c), options={"col_deriv": True}
    ),
    "root jac=True": lambda c: optimize.root(scaled(lambda x: (system(x), system_jac(x)), c), [0.2, 0.1], jac=True),
    "fsolve": lambda c: optimize.fsolve(system, [0.2, 0.1], fprime=scaled(system_jac, c)),
    "leastsq": lambda c: optimize.leastsq(residuals, [0.5, 2.0], Dfun=scaled(residuals_jac, c)),
    "leastsq by columns": lambda c: optimize.leastsq(
        residuals, [0.5, 2.0], Dfun=scaled(lambda x: residuals_jac(x).T, c), col_deriv=True
    ),
    "curve_fit": lambda c: optimize.curve_fit(decay, DATA, decay(DATA, 2.0, 1.3), p0=[1, 1], jac=scaled(decay_jac, c)),
    "newton": lambda c: optimize.newton(lambda x: x**3 - 2, 1.5, fprime=scaled(lambda x: 3 * x**2, c)),
    "newton, several": lambda c: optimize.newton(
        lambda x, a: x**3 - a, np.array([1.5, 2.0]), scaled(lambda x, a: 3 * x**2, c), args=(np.array([2.0, 5.0]),)
    ),
    "newton, second": lambda c: optimize.newton(
        lambda x: x**3 - 2, 1.5, fprime=lambda x: 3 * x**2, fprime2=scaled(lambda x: 6 * x, c)
    ),
    "root_scalar": lambda c: optimize.root_scalar(
        lambda x: x**3 - 2, x0=1.5, fprime=scaled(lambda x: 3 * x**2, c), method="newton"
    ),
    "root_scalar fprime=True": lambda c: optimize.root_scalar(
        scaled(lambda x: (x**3 - 2, 3 * x**2), c), x0=1.5, fprime=True, method="newton"
    ),
    "fmin_bfgs": lambda c: optimize.fmin_bfgs(rosen, X0, scaled(rosen_der, c), disp=False),
    "fmin_cg": lambda c: optimize.fmin_cg(rosen, X0, scaled(rosen_der, c), disp=False),
    "fmin_ncg": lambda c: optimize.fmin_ncg(rosen, X0, rosen_der, fhess=scaled(rosen_hess, c), disp=False, maxiter=50),
    "fmin_l_bfgs_b": lambda c: optimize.fmin_l_bfgs_b(scaled(lambda x: (rosen(x), rosen_der(x)), c), X0),
    "fmin_tnc": lambda c: optimize.fmin_tnc(rosen, X0, scaled(rosen_der, c), disp=0),
    "fmin_slsqp": lambda c: optimize.fmin_slsqp(rosen, X0, fprime=scaled(rosen_der, c), iprint=0),
    "basinhopping": lambda c: optimize.basinhopping(
        rosen, X0, niter=2, rng=0, minimizer_kwargs={"jac": scaled(rosen_der, c)}
    ),
    "check_grad": lambda c: optimize.check_grad(shifted, scaled(shifted_der, c), np.array(X0), 1.5),
}


def residuals_square(x: Any) -> Any:
    return np.array([x[0] ** 2 + 2 * x[1] - 1.0, np.sin(x[0]) * 3 - x[1] ** 2])


def residuals_square_jac(x: Any) -> Any:
    return np.array([[2 * x[0], 2.0], [3 * np.cos(x[0]), -2 * x[1]]])


def quietly(call: Callable[[float], Any], factor: float) -> Any:
    """What a solver returns or raises; one that is misled may complain."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(factor)
        except RuntimeError as error:
            return str(error)


@pytest.mark.parametrize("case", CASES)
def test_a_right_derivative_is_right_and_the_solver_does_what_it_does_without(case: str) -> None:
    without = quietly(CASES[case], 1.0)
    with gradcheck.watching(budget=None) as seen:
        result = quietly(CASES[case], 1.0)
    assert seen.outcomes, "the pair was not seen"
    assert {outcome.category for outcome in seen.outcomes} == {Class.RIGHT}, str(seen)
    for one, other in zip(values(without), values(result), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_one_is_wrong(case: str) -> None:
    with gradcheck.watching(budget=None) as seen:
        quietly(CASES[case], 1.001)
    wrong = [outcome for outcome in seen.outcomes if outcome.category is Class.WRONG]
    assert len(wrong) == 1, str(seen)
    assert wrong[0].caller.startswith(__file__)
    assert len(seen.wrong) == 1


def values(result: Any) -> list[Any]:
    """The numbers of a result that a run decides."""
    if isinstance(result, (str, float, np.ndarray)):
        return [result]
    if isinstance(result, tuple):
        return [item for item in result if isinstance(item, (float, np.ndarray))]
    return [result[key] for key in ("x", "fun", "nfev", "njev", "nit", "root", "function_calls") if key in result]


def test_a_pair_without_a_claim_is_none() -> None:
    with gradcheck.watching(budget=None) as seen:
        optimize.minimize(rosen, X0)
        optimize.least_squares(residuals, [0.5, 2.0])
        optimize.minimize(rosen, X0, jac=rosen_der, hess=optimize.BFGS(), method="trust-constr", options={"maxiter": 3})
    assert [outcome.role for outcome in seen.outcomes] == ["jac"]


def test_bounds_are_kept_to() -> None:
    def f(x: Any) -> Any:
        assert (x >= 0).all(), "outside of the bounds"
        return np.sum(x**1.5) + x[0]

    def g(x: Any) -> Any:
        return 1.5 * np.sqrt(x) + np.array([1.0, 0.0])

    with gradcheck.watching(budget=None) as seen:
        optimize.minimize(f, [0.5, 0.8], jac=g, bounds=[(0, None)] * 2, method="L-BFGS-B")
    assert [outcome.category for outcome in seen.outcomes] == [Class.RIGHT], str(seen)
