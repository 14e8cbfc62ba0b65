"""nlopt: functions f(x, grad) that write their gradient into an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.model import Kind
from gradcheck.watch.adapters.conventions import Converted, limits, pair_up, size_of
from gradcheck.watch.hooks import Call, Hook
from gradcheck.watch.pairs import Check

NONE = np.empty(0)  # in the place of a gradient that is not asked for


def _objective(call: Call) -> None:
    """set_min_objective(f), add_equality_constraint(f, tol), …"""
    solver, f = call.get("self"), call.get("f")
    if not callable(f):
        return

    def value(f: Callable[..., Any], x: Any) -> float:
        return float(f(x, NONE))

    def slope(f: Callable[..., Any], x: Any) -> Any:
        gradient = np.zeros(np.size(x))
        f(x, gradient)
        return gradient

    check = Check(Converted(f, value), Converted(f, slope), {})
    size = size_of(np.zeros(solver.get_dimension()))
    pair_up(call, "f", Kind.GRADIENT, f, role="grad", at=lambda visit: check, point=_of(0, 1), written=1, size=size)
    call.keep_for(solver)


def _constraints(call: Call) -> None:
    """add_inequality_mconstraint(f, tol): f(result, x, grad) writes its values, too."""
    solver, f, count = call.get("self"), call.get("f"), np.size(call.get("tol"))
    if not callable(f):
        return

    def values(f: Callable[..., Any], x: Any) -> Any:
        result = np.zeros(count)
        f(result, x, NONE)
        return result

    def matrix(f: Callable[..., Any], x: Any) -> Any:
        jacobian = np.zeros((count, np.size(x)))
        f(np.zeros(count), x, jacobian)
        return jacobian

    check = Check(Converted(f, values), Converted(f, matrix), {})
    size = size_of(np.zeros(solver.get_dimension()))
    pair_up(call, "f", Kind.JACOBIAN, f, role="grad", at=lambda visit: check, point=_of(1, 2), written=2, size=size)
    call.keep_for(solver)


def _of(x: int, grad: int) -> Callable[[tuple[Any, ...], Mapping[str, Any]], Any]:
    """The point of a call in which a derivative is asked for; IndexError in any other."""

    def point(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        np.ravel(args[grad])[0]
        return np.array(args[x])

    return point


def _optimize(call: Call) -> None:
    solver = call.get("self")
    call.take_from(solver)
    ends = solver.get_lower_bounds(), solver.get_upper_bounds()
    box = limits(ends, solver.get_dimension(), low_high=True)
    for pair in call.pairs:
        pair.bounds = box


def _row(name: str, read: Callable[[Call], None], *names: str) -> Hook:
    return Hook("nlopt.nlopt", f"opt.{name}", f"nlopt.opt.{name}", read, ("self", *names))


HOOKS = (
    _row("set_min_objective", _objective, "f"),
    _row("set_max_objective", _objective, "f"),
    _row("add_inequality_constraint", _objective, "f", "tol"),
    _row("add_equality_constraint", _objective, "f", "tol"),
    _row("add_inequality_mconstraint", _constraints, "f", "tol"),
    _row("add_equality_mconstraint", _constraints, "f", "tol"),
    _row("optimize", _optimize, "x0"),
)
