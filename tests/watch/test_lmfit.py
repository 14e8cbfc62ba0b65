"""Jacobians by those of lmfit's parameters that vary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.watch.cases import right_and_wrong

lmfit: Any = pytest.importorskip("lmfit", reason="lmfit is not installed")

T = np.linspace(0, 2, 12)
DATA = 3 * np.exp(-0.7 * T) + 0.01 * np.cos(9 * T)


def parameters() -> Any:
    made = lmfit.Parameters()
    made.add("a", value=2.0, min=0, max=10)
    made.add("fixed", value=1.0, vary=False)
    made.add("k", value=0.5)
    made.add("double", expr="2 * a")
    return made


def residual(p: Any, t: Any, data: Any = DATA) -> Any:
    return p["double"].value / 2 * p["fixed"].value * np.exp(-p["k"].value * t) - data


def jacobian(c: float, *, columns: bool = False) -> Callable[..., Any]:
    def jac(p: Any, t: Any, data: Any = DATA) -> Any:
        e = np.exp(-p["k"].value * t)
        rows = c * np.stack([e, -p["a"].value * t * e])
        return rows if columns else rows.T

    return jac


def fitted(result: Any) -> Any:
    return [result.params["a"].value, result.params["k"].value]


CASES: dict[str, Callable[[float], Any]] = {
    "leastsq": lambda c: fitted(lmfit.minimize(residual, parameters(), args=(T,), Dfun=jacobian(c))),
    "leastsq by columns": lambda c: fitted(
        lmfit.minimize(residual, parameters(), args=(T,), Dfun=jacobian(c, columns=True), col_deriv=1)
    ),
    "leastsq of a Minimizer": lambda c: fitted(
        lmfit.Minimizer(residual, parameters(), fcn_args=(T,), fcn_kws={"data": DATA}, Dfun=jacobian(c)).leastsq()
    ),
    "least_squares": lambda c: fitted(
        lmfit.minimize(residual, parameters(), args=(T,), method="least_squares", jac=jacobian(c))
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_right_is_right_and_wrong_is_wrong(case: str) -> None:
    right_and_wrong(CASES[case])
