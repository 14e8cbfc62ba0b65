"""iminuit: the gradient and the Hessian of a cost function, of one array or of several numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from gradcheck.model import Kind
from gradcheck.watch.adapters.conventions import Converted, pair_up, size_of
from gradcheck.watch.adapters.scipy_optimize import of_scalar
from gradcheck.watch.hooks import Call, Hook
from gradcheck.watch.pairs import Check


def _minuit(call: Call) -> None:
    """Minuit(fcn, *start, grad=…, hessian=…): nothing is called before migrad is."""
    owner, fcn, *start = call.args if len(call.args) > 1 else (call.get("self"), call.get("fcn"))
    one_array = len(start) == 1 and isinstance(start[0], Iterable)

    def spread(function: Callable[..., Any], x: Any) -> Any:
        return function(x) if one_array else function(*x)

    def point(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return np.array(args[0] if one_array else args, float)

    if not callable(fcn):
        return
    size = size_of(start[0]) if one_array else min(len(start), 5)
    grad = _given(call, fcn, "grad")
    hessian = _given(call, fcn, "hessian")
    f = Converted(fcn, lambda fcn, x: float(spread(fcn, x)))
    if grad is not None:
        check = Check(f, Converted(grad, lambda grad, x: np.asarray(spread(grad, x), float)), {})
        pair_up(call, "grad", Kind.GRADIENT, fcn, derivative=grad, at=lambda visit: check, point=point, size=size)
    if hessian is not None:
        known = {} if grad is None else {"grad": lambda x: np.asarray(spread(grad, x), float)}
        second = Check(f, Converted(hessian, lambda hessian, x: np.asarray(spread(hessian, x), float)), known)
        pair_up(call, "hessian", Kind.HESSIAN, fcn, derivative=hessian, at=lambda visit: second, point=point, size=size)
    call.keep_for(owner)


def _given(call: Call, fcn: Any, name: str) -> Callable[..., Any] | None:
    """A derivative that was given, or that the cost function has itself."""
    value = call.get(name)
    if value is None or value is True:
        value = getattr(fcn, name, None)
        if not getattr(fcn, f"has_{name}", True):  # a cost function that could have one
            return None
    return value if callable(value) else None


def _runs(call: Call) -> None:
    call.take_from(call.get("self"))


def _minimize(call: Call) -> None:
    of_scalar(
        call,
        call.get("fun"),
        call.get("x0"),
        grad="jac" if callable(call.get("jac")) else None,
        bounds=call.get("bounds"),
    )


RUNS = ("migrad", "scipy", "hesse", "minos")

HOOKS = (
    Hook("iminuit.minuit", "Minuit.__init__", "iminuit.Minuit", _minuit),
    *(Hook("iminuit.minuit", f"Minuit.{name}", f"iminuit.Minuit.{name}", _runs) for name in RUNS),
    Hook("iminuit.minimize", "minimize", "iminuit.minimize", _minimize),
)
