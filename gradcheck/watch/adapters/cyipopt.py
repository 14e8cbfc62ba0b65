"""cyipopt: objects with gradient, jacobian and hessian as Ipopt calls them, and `minimize_ipopt`, which is called as SciPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.model import Kind
from gradcheck.watch.adapters.conventions import Converted, limits, pair_up_attribute, size_of
from gradcheck.watch.adapters.scipy_optimize import minimize
from gradcheck.watch.hooks import Call, Hook
from gradcheck.watch.pairs import Check, Visit

INFINITE = 1e19  # to Ipopt


def _problem(call: Call) -> None:
    """Problem(n, m, problem_obj, lb, ub, cl, cu), which takes the methods of an object, or of itself; `solve` calls them."""
    owner, n, m = call.get("self"), int(call.get("n")), int(call.get("m"))
    given = call.get("problem_obj")
    problem = owner if given is None else given
    methods: list[Any] = [
        getattr(problem, name, None) for name in ("objective", "gradient", "constraints", "jacobian", "hessian")
    ]
    objective, gradient, constraints, jacobian, hessian = methods
    common: dict[str, Any] = {"bounds": _box(call, n), "size": size_of(np.zeros(n))}
    if not callable(objective) or not callable(gradient):
        return
    pair_up_attribute(call, problem, "gradient", Kind.GRADIENT, objective, **common)
    if m and callable(constraints) and callable(jacobian):
        where = _structure(problem, "jacobianstructure")

        def dense(jacobian: Callable[..., Any], x: Any) -> Any:
            return _filled(jacobian(x), where, (m, n))

        rows = Check(
            Converted(constraints, lambda g, x: np.asarray(g(x), float).ravel()), Converted(jacobian, dense), {}
        )
        pair_up_attribute(call, problem, "jacobian", Kind.JACOBIAN, constraints, at=lambda visit: rows, **common)
    if callable(hessian):
        lower = _structure(problem, "hessianstructure") or np.tril_indices(n)

        def at(visit: Visit) -> Check:
            _, multipliers, factor = visit.args

            def lagrangian(objective: Callable[..., Any], x: Any) -> float:
                total = factor * float(objective(x))
                return total + float(np.dot(multipliers, np.ravel(constraints(x)))) if m else total

            def slope(x: Any) -> Any:
                total = factor * np.asarray(gradient(x), float)
                if not m:
                    return total
                return total + np.asarray(multipliers) @ _filled(
                    jacobian(x), _structure(problem, "jacobianstructure"), (m, n)
                )

            def square(hessian: Callable[..., Any], x: Any) -> Any:
                half = _filled(hessian(x, multipliers, factor), lower, (n, n))
                return half + half.T - np.diag(half.diagonal())

            return Check(Converted(objective, lagrangian), Converted(hessian, square), {"grad": slope})

        pair_up_attribute(call, problem, "hessian", Kind.HESSIAN, objective, at=at, **common)
    call.keep_for(owner)


def _box(call: Call, n: int) -> Any:
    low, high = (call.get(name) for name in ("lb", "ub"))
    low = np.full(n, -np.inf) if low is None else np.asarray(low, float)
    high = np.full(n, np.inf) if high is None else np.asarray(high, float)
    ends = np.where(low <= -INFINITE, -np.inf, low), np.where(high >= INFINITE, np.inf, high)
    return limits(ends, n, low_high=True)


def _structure(problem: Any, name: str) -> Any:
    """Row and column of each value that is given; None if all are."""
    tell = getattr(problem, name, None)
    return tell() if callable(tell) else None


def _filled(values: Any, where: Any, shape: tuple[int, int]) -> Any:
    values = np.asarray(values, float)
    if where is None:
        return values.reshape(shape)
    full = np.zeros(shape)
    np.add.at(full, (np.asarray(where[0], int), np.asarray(where[1], int)), values.ravel())
    return full


def _solve(call: Call) -> None:
    call.take_from(call.get("self"))


HOOKS = (
    Hook(
        "cyipopt",
        "Problem.__init__",
        "cyipopt.Problem",
        _problem,
        ("self", "n", "m", "problem_obj", "lb", "ub", "cl", "cu"),
    ),
    Hook("cyipopt", "Problem.solve", "cyipopt.Problem.solve", _solve, ("self", "x", "lagrange", "zl", "zu")),
    Hook("cyipopt.scipy_interface", "minimize_ipopt", "cyipopt.minimize_ipopt", minimize),
)
