"""The same functions of arrays of several frameworks, of a dict and of dataclasses: their reports are those of the flat twin."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import check_gradient
from gradcheck.model import Verdict

RNG = np.random.default_rng(3)
DATA = RNG.normal(size=(3, 5))
W0, B0 = RNG.normal(size=(2, 3)), RNG.normal(size=2)


@dataclasses.dataclass
class Shift:
    b: Any


@dataclasses.dataclass
class Layer:
    W: Any
    shift: Shift


# ---- the functions: of a matrix W (2, 3) and a vector b (2,), with the mathematics of a framework


def by_outputs(phi, slope):
    """Σ phi(W X + b), and its gradient."""

    def f(xp, W, b):
        return xp.sum(phi(xp, W @ data(xp, W) + b[:, None]))

    def grad(xp, W, b):
        X = data(xp, W)
        back = slope(xp, W @ X + b[:, None])
        return back @ X.T, xp.sum(back, axis=1)

    return f, grad


def data(xp, like):
    return xp.asarray(DATA, dtype=like.dtype)


def mass(xp, z):
    e = xp.exp(z)
    return e / xp.sum(e, axis=0)


def log_of_sums():
    def f(xp, W, b):
        return xp.sum(xp.log(xp.sum(xp.exp(W @ data(xp, W) + b[:, None]), axis=0)))

    def grad(xp, W, b):
        X = data(xp, W)
        back = mass(xp, W @ X + b[:, None])
        return back @ X.T, xp.sum(back, axis=1)

    return f, grad


def bilinear():
    def f(xp, W, b):
        return xp.sum((b @ W) ** 2) / 2

    def grad(xp, W, b):
        row = b @ W
        return b[:, None] * row[None, :], W @ row

    return f, grad


def coupled():
    def f(xp, W, b):
        return xp.sum(xp.exp(-(W**2)) * b[:, None]) + xp.sum(b**3)

    def grad(xp, W, b):
        e = xp.exp(-(W**2))
        return -2 * W * e * b[:, None], xp.sum(e, axis=1) + 3 * b**2

    return f, grad


FUNCTIONS = {
    "square": by_outputs(lambda xp, z: z**2 / 2, lambda xp, z: z),
    "softplus": by_outputs(lambda xp, z: xp.log(1 + xp.exp(z)), lambda xp, z: 1 / (1 + xp.exp(-z))),
    "tanh": by_outputs(lambda xp, z: xp.tanh(z), lambda xp, z: 1 - xp.tanh(z) ** 2),
    "bell": by_outputs(lambda xp, z: xp.exp(-(z**2)), lambda xp, z: -2 * z * xp.exp(-(z**2))),
    "sine": by_outputs(lambda xp, z: xp.sin(z), lambda xp, z: xp.cos(z)),
    "smooth absolute value": by_outputs(lambda xp, z: xp.sqrt(1 + z**2), lambda xp, z: z / xp.sqrt(1 + z**2)),
    "Cauchy": by_outputs(lambda xp, z: xp.log(1 + z**2), lambda xp, z: 2 * z / (1 + z**2)),
    "ratio": by_outputs(lambda xp, z: 1 / (1 + z**2), lambda xp, z: -2 * z / (1 + z**2) ** 2),
    "quartic": by_outputs(lambda xp, z: z**4 - z, lambda xp, z: 4 * z**3 - 1),
    "log of sums": log_of_sums(),
    "bilinear": bilinear(),
    "coupled": coupled(),
}


# ---- what holds W and b


def joined(xp, W, b):
    return xp.concat([W, b[:, None]], axis=1)


def in_framework(name: str, module: str, dtype: str = "float64") -> Any:
    """x0, f and grad of one array (2, 4) of a framework: its last column is b."""

    def make(f, grad):
        xp = importlib.import_module(module)
        x0 = xp.asarray(np.column_stack([W0, B0]), dtype=getattr(xp, dtype))
        return x0, lambda x: f(xp, x[:, :3], x[:, 3]), lambda x: joined(xp, *grad(xp, x[:, :3], x[:, 3]))

    return make


def in_a_dict(f, grad):
    x0 = {"W": W0, "b": B0}
    return x0, lambda p: f(np, p["W"], p["b"]), lambda p: dict(zip("Wb", grad(np, p["W"], p["b"]), strict=True))


def in_dataclasses(f, grad):
    def claim(layer):
        dW, db = grad(np, layer.W, layer.shift.b)
        return Layer(dW, Shift(db))

    return Layer(W0, Shift(B0)), lambda layer: f(np, layer.W, layer.shift.b), claim


def flat_twin(f, grad):
    def parts(x):
        return x[:6].reshape(2, 3), x[6:]

    def claim(x):
        return np.concatenate([part.reshape(-1) for part in grad(np, *parts(x))])

    return np.concatenate([W0.reshape(-1), B0]), lambda x: f(np, *parts(x)), claim


HOLDERS = {
    "NumPy": in_framework("NumPy", "numpy"),
    "torch": in_framework("torch", "torch"),
    "jax": in_framework("jax", "jax.numpy", "float32"),
    "array-api-strict": in_framework("array-api-strict", "array_api_strict"),
    "dict": in_a_dict,
    "nested dataclass": in_dataclasses,
}
FRAMEWORKS = {"torch": "torch", "jax": "jax", "array-api-strict": "array_api_strict"}


def name_in(holder: str, entry: int) -> str:
    """What an entry of the flat twin is called."""
    (part, place) = ("W", divmod(entry, 3)) if entry < 6 else ("b", (entry - 6,))
    if holder == "dict":
        return f"{part}[{', '.join(map(str, place))}]"
    if holder == "nested dataclass":
        return f"{'W' if part == 'W' else 'shift.b'}[{', '.join(map(str, place))}]"
    row, column = place if part == "W" else (place[0], 3)
    return f"[{row}, {column}]"


def spoiled(grad: Callable[..., Any], entry: int) -> Callable[..., Any]:
    """The gradient with one entry wrong: 1.5 times as large, and a little more, lest it be 0."""

    def wrong(xp, W, b):
        dW, db = grad(xp, W, b)
        offset = np.zeros(8)
        offset[entry] = 1.0
        dW = dW * (1 + xp.asarray(offset[:6].reshape(2, 3), dtype=W.dtype) / 2)
        db = db * (1 + xp.asarray(offset[6:], dtype=b.dtype) / 2)
        return dW + xp.asarray(offset[:6].reshape(2, 3) / 8, dtype=W.dtype), db + xp.asarray(
            offset[6:] / 8, dtype=b.dtype
        )

    return wrong


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_the_verdict_and_the_entry_are_those_of_the_flat_twin(holder, function):
    if holder in FRAMEWORKS:
        pytest.importorskip(FRAMEWORKS[holder], reason=f"{holder} is not installed")
    f, grad = FUNCTIONS[function]
    entry = 4 + list(FUNCTIONS).index(function) % 4  # two of W, two of b
    for claim, verdict, wrong in ((grad, Verdict.PASS, []), (spoiled(grad, entry), Verdict.FAIL, [entry])):
        x0, of_tree, of_claim = HOLDERS[holder](f, claim)
        report = check_gradient(of_tree, of_claim, x0, throw=False)
        x0, of_flat, of_claim = flat_twin(f, claim)
        twin = check_gradient(of_flat, of_claim, x0, throw=False)
        assert report.verdict is twin.verdict is verdict
        assert [e.index for e in twin.entries if e.verdict is Verdict.FAIL] == [(i,) for i in wrong]
        assert [e.path or str(list(e.index)) for e in report.entries if e.verdict is Verdict.FAIL] == [
            name_in(holder, i) for i in wrong
        ]
