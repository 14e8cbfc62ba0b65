"""The rules of custom_vjp and custom_jvp, checked where the functions are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.watch.outcome import Class
from tests.watch.cases import right_and_wrong

jax: Any = pytest.importorskip("jax", reason="jax is not installed", exc_type=ImportError)
X = np.linspace(0.3, 1.7, 6, dtype=np.float32).reshape(2, 3)


def backward(c: float) -> Any:
    @jax.custom_vjp
    def f(x: Any, y: Any) -> Any:
        return jax.numpy.sin(x) * y, x.sum()

    f.defvjp(
        lambda x, y: (f(x, y), (x, y)),
        lambda kept, slopes: (
            slopes[0] * jax.numpy.cos(kept[0]) * kept[1] * c + slopes[1],
            (slopes[0] * jax.numpy.sin(kept[0])),
        ),
    )
    return f


def forward(c: float) -> Any:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jax.numpy.log1p(x**2)

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x,), (v,) = primals, tangents
        return f(x), c * 2 * x / (1 + x**2) * v

    return f


def with_options(c: float) -> Any:
    from functools import partial

    @partial(jax.custom_vjp, nondiff_argnums=(0,))
    def f(power: int, x: Any) -> Any:
        return x**power

    f.defvjp(lambda power, x: (x**power, x), lambda power, x, slope: (c * slope * power * x ** (power - 1),))
    return f


CASES: dict[str, Callable[[float], Any]] = {
    "custom_vjp, called": lambda c: backward(c)(X, 2 * X)[0],
    "custom_vjp, differentiated": lambda c: jax.grad(lambda x: backward(c)(x, 2 * x)[0].sum())(X),
    "custom_vjp of a batch": lambda c: jax.vmap(jax.grad(lambda x: backward(c)(x, x)[0].sum()))(X),
    "custom_jvp, called": lambda c: forward(c)(X),
    "custom_jvp, differentiated": lambda c: jax.grad(lambda x: forward(c)(x).sum())(X),
    "nondiff_argnums": lambda c: jax.grad(lambda x: with_options(c)(3, x).sum())(X),
}


@pytest.mark.parametrize("case", CASES)
def test_right_is_right_and_wrong_is_wrong(case: str) -> None:
    right_and_wrong(CASES[case])


def test_what_jit_traces_has_no_values_and_that_is_said() -> None:
    with gradcheck.watching(budget=None) as seen:
        f = backward(1.01)
        jax.jit(jax.grad(lambda x: f(x, x)[0].sum()))(X)
    assert [outcome.category for outcome in seen.outcomes] == [Class.OPEN]
    assert "JAX_DISABLE_JIT=1" in str(seen)


def test_rules_of_jax_itself_are_none_of_ours() -> None:
    with gradcheck.watching(budget=None) as seen:
        jax.grad(lambda x: jax.nn.relu(x).sum())(X)
    assert not seen.outcomes
