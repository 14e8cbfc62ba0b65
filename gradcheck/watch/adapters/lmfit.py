"""lmfit: residuals and their Jacobian as functions of `lmfit.Parameters`, by those that vary."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.model import Kind
from gradcheck.watch.adapters.conventions import Converted, pair_up
from gradcheck.watch.hooks import Call, Hook
from gradcheck.watch.pairs import Check, Visit


def _fit(call: Call) -> None:
    """Minimizer.leastsq(Dfun=…, col_deriv=…), .least_squares(jac=…), or the same among the keywords of the Minimizer."""
    fitter = call.get("self")
    residual = getattr(fitter, "userfcn", None)
    name = next((name for name in ("Dfun", "jac") if callable(_keyword(call, fitter, name))), None)
    if name is None or not callable(residual):
        return
    jac = _keyword(call, fitter, name)
    columns = bool(_keyword(call, fitter, "col_deriv")) and name == "Dfun" and call.via.endswith("leastsq")

    def at(visit: Visit) -> Check:
        parameters, *args = visit.args

        def values(residual: Callable[..., Any], x: Any) -> Any:
            return np.ravel(residual(_changed(parameters, x), *args, **visit.kwargs))

        def matrix(jac: Callable[..., Any], x: Any) -> Any:
            value = np.asarray(jac(_changed(parameters, x), *args, **visit.kwargs), float)
            return value.T if columns else value

        return Check(Converted(residual, values), Converted(jac, matrix), {})

    pair_up(call, name, Kind.JACOBIAN, residual, derivative=jac, at=at, point=_point, size=_names(fitter))


def _keyword(call: Call, fitter: Any, name: str) -> Any:
    return call.get(name, getattr(fitter, "kws", {}).get(name))


def _names(fitter: Any) -> tuple[str, ...]:
    return tuple(name for name, parameter in (getattr(fitter, "params", None) or {}).items() if parameter.vary)


def _point(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return np.array([parameter.value for parameter in args[0].values() if parameter.vary], float)


def _changed(parameters: Any, x: Any) -> Any:
    """The parameters with other values of those that vary; the others follow, where they are bound to them."""
    changed = copy.deepcopy(parameters)
    varying = [parameter for parameter in changed.values() if parameter.vary]
    for parameter, value in zip(varying, x, strict=True):
        parameter.value = float(value)
    changed.update_constraints()
    return changed


HOOKS = tuple(
    Hook("lmfit.minimizer", f"Minimizer.{name}", f"lmfit.Minimizer.{name}", _fit)
    for name in ("leastsq", "least_squares")
)
