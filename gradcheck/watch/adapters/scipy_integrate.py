"""scipy.integrate: the Jacobians that implicit methods are handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.model import Kind
from gradcheck.watch.adapters.conventions import (
    Converted,
    arguments,
    diagonals,
    from_bands,
    pair_up,
    pair_up_attribute,
    size_of,
    transposed,
)
from gradcheck.watch.hooks import Call, Hook
from gradcheck.watch.pairs import Check, Visit


def _second(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """y of a call with (t, y, …)."""
    return args[1] if len(args) > 1 else kwargs["y"]


def _by_y(
    fun: Callable[..., Any],
    jac: Callable[..., Any],
    y0: Any,
    *,
    bands: tuple[int, int] | None = None,
    columns: bool = False,
    y_first: bool = False,
    args: tuple[Any, ...] | None = None,
) -> dict[str, Any]:
    """Attributes of the pair of dy/dt = fun(t, y) and jac, its Jacobian by y.

    bands: how many diagonals below and above the main one a Jacobian has that is given by diagonals.
    columns: it is given by columns.
    y_first: fun(y, t).
    args: further arguments of fun, where they are not those of jac.
    """

    def at(visit: Visit) -> Check:
        given = list(visit.args)
        place = 0 if y_first else 1

        def words(y: Any, further: tuple[Any, ...]) -> tuple[Any, ...]:
            lead = [y, *given[1:2]] if y_first else [given[0], y]
            return (*lead, *further)

        own = tuple(given[2:])
        of_fun = own if args is None else args
        n = int(np.size(given[place]))

        def matrix(jac: Callable[..., Any], y: Any) -> Any:
            value = jac(*words(y, own))
            if hasattr(value, "tocsc"):
                return value
            value = np.asarray(value)
            if bands is not None and value.ndim == 2:
                value = value.T if columns else value
                return from_bands(value, *bands, n) if value.shape[0] != n or sum(bands) + 1 == n else value
            return transposed(lambda: value) if columns else np.atleast_2d(value)

        return Check(
            Converted(fun, lambda fun, y: np.atleast_1d(np.asarray(fun(*words(y, of_fun))))), Converted(jac, matrix), {}
        )

    return {"at": at, "point": None if y_first else _second, "size": size_of(y0)}


def _solve_ivp(call: Call) -> None:
    fun, jac = call.get("fun"), call.get("jac")
    if callable(fun) and callable(jac):
        bands = diagonals(call.get("lband"), call.get("uband"))
        pair_up(call, "jac", Kind.JACOBIAN, fun, **_by_y(fun, jac, call.get("y0"), bands=bands))


def _odeint(call: Call) -> None:
    fun, jac = call.get("func"), call.get("Dfun")
    if not callable(fun) or not callable(jac):
        return
    how = _by_y(
        fun,
        jac,
        call.get("y0"),
        bands=diagonals(call.get("ml"), call.get("mu")),
        columns=bool(call.get("col_deriv")),
        y_first=not call.get("tfirst"),
        args=arguments(call.get("args")),
    )
    pair_up(call, "Dfun", Kind.JACOBIAN, fun, **how)


def _ode(call: Call) -> None:
    """ode.integrate(self, t): f and jac are attributes."""
    solver = call.get("self")
    fun, jac = getattr(solver, "f", None), getattr(solver, "jac", None)
    if not callable(fun) or not callable(jac):
        return
    method = getattr(solver, "_integrator", None)
    bands = diagonals(getattr(method, "ml", None), getattr(method, "mu", None))
    how = _by_y(fun, jac, getattr(solver, "_y", ()), bands=bands, args=tuple(solver.f_params))
    pair_up_attribute(call, solver, "jac", Kind.JACOBIAN, fun, **how)


def _solve_bvp(call: Call) -> None:
    fun, jac = call.get("fun"), call.get("fun_jac")
    if not callable(fun) or not callable(jac):
        return

    def at(visit: Visit) -> Check:
        x, parameters = visit.args[0][:1], visit.args[2:]

        def column(fun: Callable[..., Any], y: Any) -> Any:
            return np.asarray(fun(x, y[:, None], *parameters))[:, 0]

        def matrix(jac: Callable[..., Any], y: Any) -> Any:
            value = jac(x, y[:, None], *parameters)
            return np.asarray(value[0] if isinstance(value, tuple) else value)[:, :, 0]

        return Check(Converted(fun, column), Converted(jac, matrix), {})

    size = size_of(np.asarray(call.get("y"))[:, 0])
    pair_up(call, "fun_jac", Kind.JACOBIAN, fun, at=at, point=lambda args, kwargs: np.array(args[1])[:, 0], size=size)


HOOKS = (
    Hook("scipy.integrate._ivp.ivp", "solve_ivp", "scipy.integrate.solve_ivp", _solve_ivp),
    Hook("scipy.integrate._odepack_py", "odeint", "scipy.integrate.odeint", _odeint),
    Hook("scipy.integrate._ode", "ode.integrate", "scipy.integrate.ode.integrate", _ode),
    Hook("scipy.integrate._bvp", "solve_bvp", "scipy.integrate.solve_bvp", _solve_bvp),
)
