"""L(W₁, b₁, W₂, b₂) = ½ ‖W₂ tanh(W₁X + b₁) + b₂ − T‖², a network of two layers, with its parameters as a dict.

With H = tanh(W₁X + b₁), the residual R = W₂H + b₂ − T and D = W₂ᵀR ∘ (1 − H²), the gradient is DXᵀ by W₁, the row sums of D
by b₁, RHᵀ by W₂ and the row sums of R by b₂.  Every entry is named as it is written here: W2[1, 3].

    gradcheck examples/network.py:loss --grad examples/network.py:grad --point examples/network.py:p0 # exit 0
    gradcheck examples/network.py:loss --grad examples/network.py:grad --var W1=5x3 --var b1=5 --var W2=2x5 --var b2=2 # exit 0
    gradcheck examples/network.py:loss --grad examples/network.py:grad_without_slope --point examples/network.py:p0 # exit 1
    gradcheck examples/network.py:loss --grad examples/network.py:grad_of_mean --point examples/network.py:p0 --wrt b2 # exit 1

The same as a function of four arguments:

    gradcheck examples/network.py:loss4 --grad examples/network.py:grad4 --point examples/network.py:p0 --unpack # exit 0
"""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(0)
INPUTS, TARGETS = RNG.normal(size=(3, 10)), RNG.normal(size=(2, 10))


def p0():
    """A point: new arrays each time, lest anybody write into shared ones."""
    rng = np.random.default_rng(1)
    shapes = {"W1": (5, 3), "b1": (5,), "W2": (2, 5), "b2": (2,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def hidden(p):
    return np.tanh(p["W1"] @ INPUTS + p["b1"][:, None])


def residual(p):
    return p["W2"] @ hidden(p) + p["b2"][:, None] - TARGETS


def loss(p):
    return 0.5 * np.sum(residual(p) ** 2)


def grad(p):
    H, R = hidden(p), residual(p)
    D = (p["W2"].T @ R) * (1 - H**2)
    return {"W1": D @ INPUTS.T, "b1": D.sum(axis=1), "W2": R @ H.T, "b2": R.sum(axis=1)}


def loss4(W1, b1, W2, b2):
    return loss({"W1": W1, "b1": b1, "W2": W2, "b2": b2})


def grad4(W1, b1, W2, b2):
    return tuple(grad({"W1": W1, "b1": b1, "W2": W2, "b2": b2}).values())


# The classic mistakes.


def grad_without_slope(p):
    D = p["W2"].T @ residual(p)
    return grad(p) | {"W1": D @ INPUTS.T, "b1": D.sum(axis=1)}


def grad_of_mean(p):
    return grad(p) | {"b2": residual(p).mean(axis=1)}
