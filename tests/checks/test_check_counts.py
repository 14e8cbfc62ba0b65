"""What a report says of its cost is what the callables saw, for every kind of derivative, however the check ended."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import CheckInterrupted, Report

A = np.random.default_rng(0).normal(size=(4, 4))
B = np.random.default_rng(1).normal(size=(3, 4))
X = np.array([0.3, -1.2, 0.7, 2.0])


class Seen:
    """A callable that counts its calls, and may interrupt the user at one of them."""

    def __init__(self, call: Callable[..., Any], interrupt_at: int = 0) -> None:
        self.call, self.calls, self.interrupt_at = call, 0, interrupt_at

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        if self.calls == self.interrupt_at:
            raise KeyboardInterrupt
        return self.call(*arguments)


def f(x: Any) -> float:
    return float(np.sin(x @ A @ x))


def g(x: Any) -> Any:
    return np.cos(x @ A @ x) * (A + A.T) @ x


def h(x: Any) -> Any:
    v = (A + A.T) @ x
    return np.cos(x @ A @ x) * (A + A.T) - np.sin(x @ A @ x) * np.outer(v, v)


def both(x: Any) -> Any:
    return f(x), g(x)


def func(x: Any) -> Any:
    return np.sin(B @ x)


def jac(x: Any) -> Any:
    return np.cos(B @ x)[:, None] * B


KINDS: dict[str, tuple[Callable[..., Report], list[Callable[..., Any]]]] = {
    "gradient": (lambda f, g, **o: gradcheck.check_gradient(f, g, X, **o), [f, g]),
    "gradient at points": (lambda f, g, **o: gradcheck.check_gradient(f, g, X, points=3, **o), [f, g]),
    "gradient by directions": (
        lambda f, g, **o: gradcheck.check_gradient(f, g, X, method="directions", **o),
        [f, lambda x: 2 * g(x)],
    ),
    "value beside": (
        lambda f, g, **o: gradcheck.check_gradient(f, g, X, value_and_grad=True, **o),
        [f, both],
    ),
    "wrong gradient": (lambda f, g, **o: gradcheck.check_gradient(f, g, X, **o), [f, lambda x: g(x) + x]),
    "jacobian": (lambda f, j, **o: gradcheck.check_jacobian(f, j, X, **o), [func, jac]),
    "jacobian by directions": (
        lambda f, j, **o: gradcheck.check_jacobian(f, j, X, method="directions", **o),
        [func, lambda x: jac(x) + 1],
    ),
    "hessian": (lambda f, h, g, **o: gradcheck.check_hessian(f, h, X, grad=g, **o), [f, h, g]),
    "hessian of a wrong gradient": (
        lambda f, h, g, **o: gradcheck.check_hessian(f, h, X, grad=g, **o),
        [f, h, lambda x: g(x) + 1e-3],
    ),
    "hessian without gradient": (lambda f, h, **o: gradcheck.check_hessian(f, h, X, **o), [f, h]),
    "hvp": (lambda f, p, g, **o: gradcheck.check_hvp(f, p, X, grad=g, **o), [f, lambda x, v: h(x) @ v, g]),
    "hvp without gradient": (lambda f, p, **o: gradcheck.check_hvp(f, p, X, **o), [f, lambda x, v: h(x) @ v]),
    "hvp in bounds": (
        lambda f, p, g, **o: gradcheck.check_hvp(f, p, X, grad=g, bounds=(X - 1e-3, X + 1e-3), **o),
        [f, lambda x, v: h(x) @ v, g],
    ),
    "jvp": (
        lambda f, p, q, **o: gradcheck.check_jvp(f, p, X, vjp=q, **o),
        [func, lambda x, v: jac(x) @ v, lambda x, u: jac(x).T @ u],
    ),
    "vjp": (lambda f, q, **o: gradcheck.check_vjp(f, q, X, **o), [func, lambda x, u: jac(x).T @ u]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_counts_are_what_the_callables_saw(kind: str) -> None:
    check, callables = KINDS[kind]
    seen = [Seen(call) for call in callables]
    report = check(*seen, throw=False)
    assert report.nfev == seen[0].calls
    assert report.ngev == sum(one.calls for one in seen[1:])


@pytest.mark.parametrize("at", [1, 2, 20, 31, 33])
@pytest.mark.parametrize("kind", KINDS)
def test_the_counts_of_an_interrupted_check_are_true(kind: str, at: int) -> None:
    check, callables = KINDS[kind]
    seen = [Seen(callables[0], at), *map(Seen, callables[1:])]
    try:
        report = check(*seen, throw=False)
    except CheckInterrupted as stop:
        report = stop.report
    assert report.nfev == seen[0].calls
    assert report.ngev == sum(one.calls for one in seen[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_an_executor_reaches_every_kind(kind: str) -> None:
    check, callables = KINDS[kind]

    class Watched(ThreadPoolExecutor):
        submits = 0

        def submit(self, *arguments: Any, **keywords: Any) -> Any:
            Watched.submits += 1
            return super().submit(*arguments, **keywords)

    with Watched(2) as executor, pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradcheck.evaluation.workers.WORTHWHILE", 0.0)
        report = check(*callables, executor=executor, throw=False)
    assert Watched.submits
    assert "Watched" in report.engine
