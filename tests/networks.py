"""A two-layer network with its parameters as a dict: loss and gradient, and the same of one flat vector."""

from __future__ import annotations

from typing import Any

import numpy as np

RNG = np.random.default_rng(0)
INPUTS, TARGETS = RNG.normal(size=(3, 10)), RNG.normal(size=(2, 10))
PARAMS = {
    "W1": RNG.normal(size=(5, 3)),
    "b1": RNG.normal(size=5),
    "out": {"W2": RNG.normal(size=(2, 5)), "b2": RNG.normal(size=2)},
}
SHAPES = {"W1": (5, 3), "b1": (5,), "out.W2": (2, 5), "out.b2": (2,)}


def loss(params: Any) -> float:
    out = params["out"]
    hidden = np.tanh(params["W1"] @ INPUTS + params["b1"][:, None])
    return float(0.5 * np.sum((out["W2"] @ hidden + out["b2"][:, None] - TARGETS) ** 2))


def grad(params: Any) -> dict[str, Any]:
    out = params["out"]
    hidden = np.tanh(params["W1"] @ INPUTS + params["b1"][:, None])
    residual = out["W2"] @ hidden + out["b2"][:, None] - TARGETS
    back = (out["W2"].T @ residual) * (1 - hidden**2)
    return {
        "W1": back @ INPUTS.T,
        "b1": back.sum(axis=1),
        "out": {"W2": residual @ hidden.T, "b2": residual.sum(axis=1)},
    }


def flat(params: Any) -> np.ndarray:
    out = params["out"]
    return np.concatenate([np.ravel(one) for one in (params["W1"], params["b1"], out["W2"], out["b2"])])


def unflat(x: np.ndarray) -> dict[str, Any]:
    parts, start = {}, 0
    for name, shape in SHAPES.items():
        size = int(np.prod(shape))
        parts[name], start = x[start : start + size].reshape(shape), start + size
    return {"W1": parts["W1"], "b1": parts["b1"], "out": {"W2": parts["out.W2"], "b2": parts["out.b2"]}}


LAYER = """
import numpy as np

X = np.random.default_rng(0).normal(size=(3, 10))

def loss(p):
    return float(np.sum(np.log1p(np.exp(p["W"] @ X + p["b"][:, None]))))

def grad(p):
    s = 1 / (1 + np.exp(-(p["W"] @ X + p["b"][:, None])))
    return {"W": s @ X.T, "b": s.sum(axis=1)}

def wrong(p):
    return {**grad(p), "b": 2 * grad(p)["b"]}

def apart(W, b):
    return loss({"W": W, "b": b})

"""
"""One layer as the text of a module, to which a test adds what it needs."""
