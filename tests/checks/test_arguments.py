"""What a check is called with: functions, their further arguments by place and by name, and what is said of anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import (
    PointError,
    Report,
    UsageError,
    UserCodeError,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_jvp,
    check_vjp,
)
from gradcheck.model import Verdict
from gradcheck.testing import self_test

X = np.array([0.5, -1.0, 2.0])


def f(x: Any, *, scale: float, weights: Any) -> float:
    return float(scale * (weights * x * x).sum())


def grad(x: Any, *, scale: float, weights: Any) -> Any:
    return 2 * scale * weights * x


def hess(x: Any, *, scale: float, weights: Any) -> Any:
    return np.diag(2 * scale * weights)


def hvp(x: Any, v: Any, *, scale: float, weights: Any) -> Any:
    return 2 * scale * weights * v


def func(x: Any, *, scale: float, weights: Any) -> Any:
    return scale * weights * x * x


def jac(x: Any, *, scale: float, weights: Any) -> Any:
    return np.diag(2 * scale * weights * x)


def product(x: Any, v: Any, *, scale: float, weights: Any) -> Any:
    return 2 * scale * weights * x * v


def both(x: Any, *, scale: float, weights: Any) -> tuple[float, Any]:
    return f(x, scale=scale, weights=weights), grad(x, scale=scale, weights=weights)


def wrong(claim: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **named: 1.01 * np.asarray(claim(*given, **named))


KINDS: list[tuple[Callable[..., Report], Any, Any, dict[str, Any]]] = [
    (check_gradient, f, grad, {}),
    (check_hessian, f, hess, {}),
    (check_hessian, f, hess, {"grad": grad}),
    (check_hvp, f, hvp, {"grad": grad}),
    (check_jacobian, func, jac, {}),
    (check_jvp, func, product, {"vjp": product}),
    (check_vjp, func, product, {}),
]
NAMED = {"scale": 1.5, "weights": np.array([1.0, 2.0, 3.0])}


@pytest.mark.parametrize(("check", "function", "claim", "more"), KINDS)
def test_arguments_by_name_reach_function_and_claim(
    check: Callable[..., Report], function: Any, claim: Any, more: dict[str, Any]
) -> None:
    assert check(function, claim, X, args=NAMED, **more).verdict is Verdict.PASS
    assert check(function, wrong(claim), X, args=NAMED, throw=False, **more).verdict is Verdict.FAIL


def test_arguments_by_name_reach_workers_values_beside_and_the_self_test() -> None:
    assert check_gradient(f, grad, X, args=NAMED, jobs=2).verdict is Verdict.PASS
    assert check_gradient(both, None, X, args=NAMED, value_and_grad=True).verdict is Verdict.PASS
    assert check_gradient(f, both, X, args=NAMED, value_and_grad=True).verdict is Verdict.PASS
    tried = self_test(f, grad, X, args=NAMED).verdicts
    assert tried
    assert Verdict.PASS not in tried.values()


def test_a_report_tells_the_arguments_and_the_options_in_force() -> None:
    report = check_gradient(f, grad, X, args=NAMED, rtol=1e-3, bounds=(-5, np.full(3, 5.0)))
    assert dict(report.options) == {
        "args": {"scale": 1.5, "weights": "array 3"},
        "bounds": [-5, "array 3"],
        "points": 1,
        "seed": 0,
        "method": "auto",
        "jobs": 1,
        "rtol": 1e-3,
        "atol": 0.0,
    }


@pytest.mark.parametrize(("check", "function", "claim", "more"), KINDS)
def test_a_value_in_place_of_a_function_is_named(
    check: Callable[..., Report], function: Any, claim: Any, more: dict[str, Any]
) -> None:
    first, second = ("func", "f")[function is f], check.__name__.removeprefix("check_")
    second = {"gradient": "grad", "hessian": "hess", "jacobian": "jac"}.get(second, second)
    remedy = "which is no function; give the function itself, not what it returns"
    with pytest.raises(UsageError) as caught:
        check(function, 2 * X, X, **more)
    assert str(caught.value) == f"{second} is array([ 1., -2., 4.]), {remedy}"
    with pytest.raises(UsageError) as caught:
        check("module:f", claim, X)
    assert str(caught.value) == f"{first} is 'module:f', {remedy}"
    for key in more:
        with pytest.raises(UsageError, match=rf"^{key} is 2\.5, {remedy}$"):
            check(function, claim, X, **{key: 2.5})


@pytest.mark.parametrize("claim", [None, 0, "", []])
def test_what_is_false_is_no_claim_either(claim: Any) -> None:
    with pytest.raises(UsageError, match="grad"):
        check_gradient(f, claim, X)


def test_a_point_in_place_of_the_claim() -> None:
    with pytest.raises((UsageError, PointError)):
        check_gradient(f, X, grad)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{}, {"args": {"scale": 1.0}}, {"args": {}}])
def test_arguments_that_are_missing_are_asked_for(options: dict[str, Any]) -> None:
    with pytest.raises(UserCodeError, match=r"missing .*'weights'; give its further arguments with args \(--args\)$"):
        check_gradient(f, grad, X, **options)


def test_a_missing_argument_deeper_in_user_code_is_theirs() -> None:
    def calls_badly(x: Any) -> float:
        return f(x)  # type: ignore[call-arg]

    with pytest.raises(UserCodeError) as caught:
        check_gradient(calls_badly, grad, X)
    assert "--args" not in str(caught.value)


class Series:
    """As one of pandas: numpy can make an array of it, and f is handed that."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return X

    def __getitem__(self, name: str) -> float:
        return 1.0


def test_what_a_library_wraps_around_the_point_is_missed_with_a_word() -> None:
    with pytest.raises(
        UserCodeError, match=r"; x0 is a Series, and the functions are handed a plain array of its numbers$"
    ):
        check_gradient(lambda x: x["a"] ** 2, lambda x: 2 * x, Series())  # type: ignore[arg-type]
