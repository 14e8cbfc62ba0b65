"""scipy.optimize: what its solvers are handed, and how they call it.

It is long because each solver has names and conventions of its own: a function below for each, and a row at the end.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

import numpy as np

from gradcheck.evaluation.claims import Item
from gradcheck.model import Kind
from gradcheck.watch.adapters.conventions import Converted, arguments, limits, pair_up, size_of, transposed
from gradcheck.watch.hooks import Call, Hook
from gradcheck.watch.pairs import Check, Pair, Visit


def minimize(call: Call) -> None:
    """minimize(fun, x0, args, jac=…, hess=…, hessp=…, bounds=…, constraints=…)."""
    fun, jac, x0 = call.get("fun"), call.get("jac"), call.get("x0")
    of_scalar(
        call,
        fun,
        x0,
        grad="fun" if jac is True else "jac" if callable(jac) else None,
        both=jac is True,
        hess="hess",
        hessp="hessp",
        bounds=call.get("bounds"),
    )
    constraints = call.get("constraints")
    if constraints is not None and constraints != ():
        call.put("constraints", _constraints(call, constraints, size_of(x0)))


def of_scalar(
    call: Call,
    fun: Any,
    x0: Any,
    *,
    grad: str | None,
    both: bool = False,
    hess: str | None = None,
    hessp: str | None = None,
    bounds: Any = None,
    args: Any = None,
) -> None:
    """A function of one value, its gradient, its Hessian and products with that.

    grad, hess, hessp: the arguments that hold them.
    both: the function returns its gradient, too, and `grad` is where it stands.
    """
    if not callable(fun):
        return
    further, size, box = arguments(call.get("args") if args is None else args), size_of(x0), limits(bounds, np.size(x0))
    options: dict[str, Any] = {"args": further}
    f: Callable[..., Any] = Item(fun, 0) if both else fun
    slope: Any = Item(fun, 1) if both else call.get(grad) if grad else None
    curvature, products = call.get(hess) if hess else None, call.get(hessp) if hessp else None
    if grad is not None and callable(slope):
        given = {"derivative": fun, "role": "jac=True", "part": 1} if both else {}
        own = options | ({"value_and_grad": True} if both else {})
        pair_up(call, grad, Kind.GRADIENT, fun, options=own, bounds=box, size=size, **given)
    known = options | ({"grad": slope} if callable(slope) else {})
    if hess and is_function(curvature):
        pair_up(call, hess, Kind.HESSIAN, f, options=known, bounds=box, size=size)
    if hessp and callable(products):
        pair_up(call, hessp, Kind.HVP, f, options=known, bounds=box, size=size)


def is_function(value: Any) -> TypeGuard[Callable[..., Any]]:
    """Whether a Hessian is given as a function; a strategy of updates is an object with methods."""
    return callable(value) and not hasattr(value, "initialize")


def _constraints(call: Call, given: Any, size: int) -> Any:
    if isinstance(given, Mapping):
        return _constraint(call, given, size)
    if isinstance(given, (list, tuple)):
        made = [_constraint(call, one, size) for one in given]
        return type(given)(made) if type(given) in (list, tuple) else given
    return _constraint(call, given, size)


def _constraint(call: Call, one: Any, size: int) -> Any:
    if isinstance(one, Mapping):
        fun, jac = one.get("fun"), one.get("jac")
        if not callable(fun) or not callable(jac):
            return one
        pair = _matrix_pair(call, fun, jac, "constraint jac", size, args=arguments(one.get("args")))
        return {**one, "jac": call.watched(pair)} if type(one) is dict else one
    fun, jac, hess = (getattr(one, name, None) for name in ("fun", "jac", "hess"))
    if not callable(fun) or type(one).__name__ != "NonlinearConstraint":
        return one
    changed = copy.copy(one)
    if callable(jac):
        changed.jac = call.watched(_matrix_pair(call, fun, jac, "constraint jac", size))
    if is_function(hess):
        changed.hess = call.watched(_of_multipliers(call, fun, jac, hess, size))
    return changed


def _of_multipliers(call: Call, fun: Callable[..., Any], jac: Any, hess: Callable[..., Any], size: int) -> Pair:
    """hess(x, v), the Hessian of ⟨v, fun(x)⟩."""

    def at(visit: Visit) -> Check:
        v = visit.args[1] if len(visit.args) > 1 else visit.kwargs["v"]

        def lagrangian(x: Any) -> float:
            return float(np.dot(np.atleast_1d(v), np.atleast_1d(fun(x))))

        def slope(x: Any) -> Any:
            matrix = jac(x)
            return np.asarray(
                np.atleast_1d(v) @ (matrix if hasattr(matrix, "tocsc") else np.atleast_2d(matrix))
            ).ravel()

        claim = Converted(hess, lambda hess, x: hess(x, v))
        return Check(lagrangian, claim, {"grad": slope} if callable(jac) else {})

    return Pair(
        kind=Kind.HESSIAN, via=call.via, role="constraint hess", function=fun, derivative=hess, at=at, size=size
    )


def _matrix_pair(
    call: Call,
    fun: Callable[..., Any],
    jac: Callable[..., Any],
    role: str,
    size: Any,
    *,
    args: tuple[Any, ...] = (),
    bounds: Any = None,
    both: bool = False,
    flip: bool = False,
) -> Pair:
    """func and its Jacobian.  both: func returns it, too.  flip: it is given by columns."""

    def at(visit: Visit) -> Check:
        f = Item(fun, 0) if both else fun
        claim: Callable[..., Any] = Item(jac, 1) if both else jac
        return Check(
            Converted(f, _flat_values),
            Converted(claim, _rows if not flip else transposed),
            {"args": args},
        )

    return Pair(
        kind=Kind.JACOBIAN,
        via=call.via,
        role=role,
        function=fun,
        derivative=jac,
        options={"args": args},
        bounds=bounds,
        at=at,
        part=1 if both else None,
        size=size,
    )


def _flat_values(fun: Callable[..., Any], *args: Any) -> Any:
    """Values as SciPy reads them: a number is a vector of one."""
    return np.atleast_1d(fun(*args))


def _rows(jac: Callable[..., Any], *args: Any) -> Any:
    """A Jacobian as SciPy reads it: a vector is a matrix of one row."""
    value = jac(*args)
    return value if hasattr(value, "tocsc") or hasattr(value, "matvec") else np.atleast_2d(value)


def _least_squares(call: Call) -> None:
    fun, jac = call.get("fun"), call.get("jac")
    if callable(fun) and callable(jac):
        named, x0 = call.get("kwargs") or {}, call.get("x0")
        f, claim = (functools.partial(each, **named) if named else each for each in (fun, jac))
        bounds = limits(call.get("bounds"), int(np.size(x0)), low_high=True)
        pair = _matrix_pair(call, f, claim, "jac", size_of(x0), args=arguments(call.get("args")), bounds=bounds)
        pair.derivative = jac
        call.put("jac", call.watched(pair))


def _matrix(call: Call, fun: str, jac: str, *, columns: bool = False, args: Any = None) -> None:
    """A solver of equations or of least squares that takes `fun` and `jac`."""
    function, claim = call.get(fun), call.get(jac)
    both = claim is True
    if not callable(function) or not (both or callable(claim)):
        return
    pair = _matrix_pair(
        call,
        function,
        function if both else claim,
        "jac=True" if both else jac,
        size_of(call.get("x0")),
        args=arguments(call.get("args") if args is None else args),
        both=both,
        flip=columns,
    )
    call.put(fun if both else jac, call.watched(pair))


def _root(call: Call) -> None:
    _matrix(call, "fun", "jac", columns=bool((call.get("options") or {}).get("col_deriv")))


def _fsolve(call: Call) -> None:
    _matrix(call, "func", "fprime", columns=bool(call.get("col_deriv")))


def _leastsq(call: Call) -> None:
    _matrix(call, "func", "Dfun", columns=bool(call.get("col_deriv")))


def _curve_fit(call: Call) -> None:
    f, jac, xdata = call.get("f"), call.get("jac"), call.get("xdata")
    if not callable(f) or not callable(jac):
        return

    def at(visit: Visit) -> Check:
        data = visit.args[0]
        return Check(Converted(f, lambda f, p: np.ravel(f(data, *p))), Converted(jac, lambda jac, p: jac(data, *p)), {})

    point = lambda args, kwargs: np.array(args[1:], float)  # noqa: E731
    pair_up(call, "jac", Kind.JACOBIAN, f, at=at, point=point, size=np.ndim(xdata))


def _newton(call: Call) -> None:
    _of_number(call, call.get("func"), call.get("x0"))


def _root_scalar(call: Call) -> None:
    _of_number(call, call.get("f"), call.get("x0"))


def _of_number(call: Call, f: Any, x0: Any) -> None:
    """A function of one number, or of several independent ones, with its first and second derivative."""
    first, second = call.get("fprime"), call.get("fprime2")
    if not callable(f) or np.iscomplexobj(x0):
        return
    options: dict[str, Any] = {"args": arguments(call.get("args"))}
    if np.ndim(x0):
        options["elementwise"] = True
    size = np.ndim(x0)
    if first is True:
        both = options | {"value_and_grad": True}
        at = lambda visit: Check(Item(f, 0), Item(f, 1), options)  # noqa: E731
        pair_up(call, "f", Kind.GRADIENT, f, role="fprime=True", options=both, at=at, part=1, size=size)
        return
    for role, function, claim in (("fprime2", first, second), ("fprime", f, first)):
        if callable(function) and callable(claim):
            pair_up(call, role, Kind.GRADIENT, function, options=options, size=size)


def _fmin(call: Call) -> None:
    fun = call.get("f")
    of_scalar(call, fun, call.get("x0"), grad="fprime", hess="fhess", hessp="fhess_p")


def _fmin_bounded(call: Call) -> None:
    given, plain = call.get("fprime"), not call.get("approx_grad")
    both = given is None and plain
    of_scalar(
        call,
        call.get("func"),
        call.get("x0"),
        grad="func" if both else "fprime" if callable(given) else None,
        both=both,
        bounds=call.get("bounds"),
    )


def _fmin_slsqp(call: Call) -> None:
    x0, args = call.get("x0"), arguments(call.get("args"))
    slope = "fprime" if callable(call.get("fprime")) else None
    of_scalar(call, call.get("func"), x0, grad=slope, bounds=call.get("bounds") or None)
    for fun, jac in (("f_eqcons", "fprime_eqcons"), ("f_ieqcons", "fprime_ieqcons")):
        if callable(call.get(fun)) and callable(call.get(jac)):
            call.put(jac, call.watched(_matrix_pair(call, call.get(fun), call.get(jac), jac, size_of(x0), args=args)))


def _check_grad(call: Call) -> None:
    further = call.args[3:]
    if not isinstance(call.get("direction", "all"), str) or call.get("direction", "all") != "all":
        return
    of_scalar(call, call.get("func"), call.get("x0"), grad="grad", args=further)


def _line_search(call: Call) -> None:
    of_scalar(call, call.get("f"), call.get("xk"), grad="myfprime")


def _row(module: str, name: str, read: Callable[[Call], None]) -> Hook:
    return Hook(f"scipy.optimize.{module}", name, f"scipy.optimize.{name}", read)


HOOKS = (
    _row("_minimize", "minimize", minimize),
    _row("_lsq.least_squares", "least_squares", _least_squares),
    _row("_root", "root", _root),
    _row("_root_scalar", "root_scalar", _root_scalar),
    _row("_zeros_py", "newton", _newton),
    _row("_minpack_py", "fsolve", _fsolve),
    _row("_minpack_py", "leastsq", _leastsq),
    _row("_minpack_py", "curve_fit", _curve_fit),
    _row("_optimize", "fmin_bfgs", _fmin),
    _row("_optimize", "fmin_cg", _fmin),
    _row("_optimize", "fmin_ncg", _fmin),
    _row("_optimize", "check_grad", _check_grad),
    _row("_linesearch", "line_search_wolfe2", _line_search),
    _row("_lbfgsb_py", "fmin_l_bfgs_b", _fmin_bounded),
    _row("_tnc", "fmin_tnc", _fmin_bounded),
    _row("_slsqp_py", "fmin_slsqp", _fmin_slsqp),
)
"""basinhopping, dual_annealing and shgo hand what they are given to `minimize`, where it is seen."""
