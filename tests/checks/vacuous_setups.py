"""Set-ups in which a check is green and has tested nothing, or next to nothing: the claims are right, the place is not.

Each is (check, f, claim, x0, options); `ORDINARY` makes checks that do test something, by the hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import gradcheck

Setup = tuple[Callable[..., gradcheck.Report], Callable[..., Any], Callable[..., Any], Any, dict[str, Any]]

RNG = np.random.default_rng(22)
A = RNG.normal(size=(8, 6))
B = RNG.normal(size=8)
X6 = RNG.normal(size=6)
X20 = RNG.normal(size=20)
X3 = RNG.normal(size=(3, 3))
S = A.T @ A
BLANK = np.zeros((10, 6))
BORDER = np.concatenate([np.zeros((10, 12)), RNG.normal(size=(10, 8))], axis=1)  # the pixels at the rim are empty
LABELS = RNG.integers(0, 2, 10) * 2.0 - 1
SOLUTION = np.linalg.lstsq(A, B, rcond=None)[0]


def sigmoid(t: Any) -> Any:
    return 1 / (1 + np.exp(-t))


def squares(x: Any) -> float:
    return float(np.sum((A @ x - B) ** 2))


def d_squares(x: Any) -> Any:
    return 2 * A.T @ (A @ x - B)


def rosenbrock(x: Any) -> float:
    return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


def d_rosenbrock(x: Any) -> Any:
    g = np.zeros_like(x)
    t = x[1:] - x[:-1] ** 2
    g[:-1] = -400 * t * x[:-1] - 2 * (1 - x[:-1])
    g[1:] += 200 * t
    return g


def logistic(data: Any) -> tuple[Callable[..., float], Callable[..., Any]]:
    margins = LABELS[:, None] * data
    return (
        lambda w: float(np.sum(np.logaddexp(0, -margins @ w))),
        lambda w: -margins.T @ sigmoid(-margins @ w),
    )


def perceptron(shift: float) -> tuple[Callable[..., float], Callable[..., Any]]:
    """A layer of tanh units, shifted by so much."""
    return (
        lambda x: float(np.sum(np.tanh(A @ x + shift))),
        lambda x: A.T @ (1 - np.tanh(A @ x + shift) ** 2),
    )


def relus(shift: float) -> tuple[Callable[..., float], Callable[..., Any]]:
    return (
        lambda x: float(np.sum(np.maximum(A @ x + shift, 0) ** 2)),
        lambda x: 2 * A.T @ np.maximum(A @ x + shift, 0),
    )


def hinge(x: Any) -> float:
    return float(np.sum(np.maximum(0, 1 - (np.abs(x) + 5)) ** 2))


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max())
    return e / e.sum()


def d_softmax(x: Any) -> Any:
    p = softmax(x)
    return np.diag(p) - np.outer(p, p)


def of(pair: tuple[Callable[..., Any], Callable[..., Any]], x0: Any, **options: Any) -> Setup:
    return gradcheck.check_gradient, *pair, x0, options


gradient, jacobian, hessian = gradcheck.check_gradient, gradcheck.check_jacobian, gradcheck.check_hessian
ones, zeros = np.ones(6), np.zeros(6)

VACUOUS: dict[str, Setup] = {
    # no data
    "all images are empty": of(logistic(BLANK), X6),
    "an argument of zeros": (
        gradient,
        lambda w, data: float(np.sum(np.sin(data @ w))),
        lambda w, data: data.T @ np.cos(data @ w),
        X6,
        {"args": (BLANK,)},
    ),
    "most pixels are empty": of(logistic(BORDER), X20),
    "a sum over nothing": of((lambda x: float(sum(v @ x for v in [])), lambda x: np.zeros(6)), X6),
    "a mask that masks all": of(
        (lambda x: float(np.sum((np.zeros(8) * (A @ x - B)) ** 2)), lambda x: 0 * A.T @ (A @ x - B)), X6
    ),
    "dropout of all": of((lambda x: float(np.sum(np.tanh(0.0 * x))), lambda x: 0.0 * (1 - np.tanh(0.0 * x) ** 2)), X6),
    "a penalty with weight 0": of((lambda x: 1.0 + 0.0 * float(x @ x), lambda x: 0.0 * 2 * x), X6),
    "rows of a matrix without data": of(
        (lambda w: float(np.sum((BORDER @ w) ** 2)), lambda w: 2 * BORDER.T @ (BORDER @ w)), RNG.normal(size=(20, 4))
    ),
    # saturated, dead, clipped
    "sigmoids at 1": of(
        (lambda x: float(np.sum(sigmoid(x + 80))), lambda x: sigmoid(x + 80) * (1 - sigmoid(x + 80))), X6
    ),
    "sigmoids at 0": of(
        (lambda x: 1 + float(np.sum(sigmoid(x - 80))), lambda x: sigmoid(x - 80) * (1 - sigmoid(x - 80))), X6
    ),
    "tanh at 1": of(perceptron(200.0), X6),
    "tanh at -1": of(perceptron(-200.0), X6),
    "softmax at a corner": (jacobian, softmax, d_softmax, np.array([900.0, -3.0, 2.0, 1.0]), {}),
    "dead rectifiers": of(relus(-100.0), X6),
    "an inactive hinge": of((hinge, lambda x: np.zeros_like(x)), X6),
    "beyond the clip": of(
        (lambda x: float(np.sum(np.clip(x, -1, 1) ** 2)), lambda x: 2 * x * (np.abs(x) < 1)), X6 + 3 * np.sign(X6)
    ),
    "rounded to whole numbers": of((lambda x: float(np.sum(np.floor(x + 0.5))), np.zeros_like), np.arange(6) + 0.2),
    "a constant": of((lambda x: 3.0, np.zeros_like), X6),
    "an f of its own copy": of((lambda x: float(X6 @ X6), np.zeros_like), X6),
    "a minimum with a constant": of((lambda x: min(float(x @ x), 0.5), np.zeros_like), X6 + 2),
    # at the solution
    "least squares at its solution": of((squares, d_squares), SOLUTION),
    "rosenbrock at ones": of((rosenbrock, d_rosenbrock), ones),
    "a quadratic at 0": of((lambda x: float(x @ S @ x), lambda x: 2 * S @ x), zeros),
    "a quartic at 0": of((lambda x: 1 + float(np.sum(x**4)), lambda x: 4 * x**3), zeros),
    "a saddle": of((lambda x: float(x[0] * x[1] + x[2] * x[3] + x[4] ** 2 - x[5] ** 2), lambda x: 0 * x), zeros),
    # tolerances
    "atol 100": (gradient, squares, lambda x: d_squares(x) + 3, X6, {"atol": 100.0}),
    "atol above a small gradient": of((lambda x: 1e-6 * squares(x), lambda x: 1e-6 * d_squares(x)), X6, atol=1e-2),
    "atol above a small gradient, along directions": of(
        (lambda x: 1e-6 * squares(x), lambda x: 1e-6 * d_squares(x)), X6, atol=1e-1, method="directions"
    ),
    "rtol of 0.9": of((squares, d_squares), X6, rtol=0.9),
    "atol above a Jacobian": (jacobian, lambda x: 1e-5 * np.sin(A @ x), lambda x: np.zeros((8, 6)), X6, {"atol": 1e-2}),
    # a place where mistakes do not show
    "all equal": of((lambda x: float(np.sum(np.log(x))), lambda x: 1 / x), ones),
    "all zeros": of((lambda x: float(np.sum(np.exp(x) * (1 + x @ x))), lambda x: np.exp(x) + 12 * x), zeros),
    "the identity": of((lambda x: float(np.sum(X3 * (x @ x))), lambda x: X3 @ x.T + x.T @ X3), np.eye(3)),
    "twice the identity": of((lambda x: float(np.trace(x @ X3 @ x.T)), lambda x: x @ (X3 + X3.T)), 2 * np.eye(3)),
    "at the lower bound": of(
        (lambda x: float(np.sum(x**1.5)), lambda x: 1.5 * np.sqrt(x)), np.array([0.0, 1.0, 2.0]), bounds=(0, np.inf)
    ),
    "a batch of one": of(
        (lambda x: float(np.sum(np.mean(np.sin(x), axis=0))), lambda x: np.cos(x) / len(x)), X6.reshape(1, 6)
    ),
    # other derivatives
    "the Hessian of a linear f": (hessian, lambda x: float(B[:6] @ x), lambda x: np.zeros((6, 6)), X6, {}),
    "the Jacobian of a constant": (jacobian, lambda x: B + 0 * x[0], lambda x: np.zeros((8, 6)), X6, {}),
    "a Hessian beyond a kink": (
        hessian,
        lambda x: float(np.sum(np.maximum(x, 0) ** 2)),
        lambda x: np.diag(2.0 * (x > 0)),
        -1 - np.abs(X6),
        {"grad": lambda x: 2 * np.maximum(x, 0)},
    ),
    "products with 0": (
        gradcheck.check_jvp,
        lambda x: np.sin(BLANK @ x),
        lambda x, v: np.cos(BLANK @ x) * (BLANK @ v),
        X6,
        {},
    ),
}


# ---- ordinary checks


def ordinary(seed: int) -> Iterator[tuple[str, Setup]]:
    """Right checks at random points, which test what they say."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    x, c, M = rng.normal(size=n), rng.normal(size=n), rng.normal(size=(n + 2, n)) / np.sqrt(n)
    b, Q = rng.normal(size=n + 2), M.T @ M
    W, D = rng.normal(size=(4, n)), rng.normal(size=(12, 4))
    positive = np.exp(rng.normal(size=n))
    shift = float(rng.normal())

    def pairwise(x: Any) -> Any:
        return x[:, None] - x[None, :]

    gradients: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
        "linear": (lambda x: float(c @ x), lambda x: c.copy(), x),
        "sum": (lambda x: float(np.sum(x)), np.ones_like, x),
        "half a square": (lambda x: float(x @ x) / 2, lambda x: x.copy(), x),
        "quadratic": (lambda x: float(x @ Q @ x / 2 + c @ x), lambda x: Q @ x + c, x),
        "least squares": (lambda x: float(np.sum((M @ x - b) ** 2)), lambda x: 2 * M.T @ (M @ x - b), x),
        "logistic": (
            lambda x: float(np.sum(np.logaddexp(0, M @ x - b))),
            lambda x: M.T @ sigmoid(M @ x - b),
            x,
        ),
        "rectified": (
            lambda x: float(np.sum(np.maximum(x, 0) ** 2)),
            lambda x: 2 * np.maximum(x, 0),
            x,
        ),
        "rectified layer": (
            lambda x: float(np.sum(np.maximum(M @ x + shift, 0) ** 2)),
            lambda x: 2 * M.T @ np.maximum(M @ x + shift, 0),
            x,
        ),
        "entropy": (lambda x: float(np.sum(x * np.log(x))), lambda x: np.log(x) + 1, positive),
        "log-sum-exp": (lambda x: float(np.log(np.sum(np.exp(x)))), softmax, x),
        "rosenbrock": (rosenbrock, d_rosenbrock, x),
        "huber": (
            lambda x: float(np.sum(np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5))),
            lambda x: np.clip(x, -1, 1),
            x,
        ),
        "matrix": (
            lambda w: float(np.sum(np.tanh(D @ w) ** 2)),
            lambda w: D.T @ (2 * np.tanh(D @ w) * (1 - np.tanh(D @ w) ** 2)),
            W,
        ),
        "tiny": (lambda x: 1e-12 * float(np.sum(np.sin(x))), lambda x: 1e-12 * np.cos(x), x),
        "sparse": (lambda x: float(np.sum(x[::3] ** 3)), lambda x: np.where(np.arange(n) % 3, 0, 3 * x**2), x),
        "distances": (
            lambda x: float(np.sum(pairwise(x) ** 4)) / 8,
            lambda x: np.sum(pairwise(x) ** 3, axis=1),
            x,
        ),
    }
    for name, (f, g, x0) in gradients.items():
        yield name, (gradient, f, g, x0, {})
    yield "along directions", (gradient, *gradients["logistic"], {"method": "directions"})
    yield "at three points", (gradient, *gradients["quadratic"], {"points": 3})
    yield (
        "single precision",
        (
            gradient,
            lambda x: np.float32(np.sum(x**3)),
            lambda x: (3 * x**2).astype(np.float32),
            x.astype(np.float32),
            {},
        ),
    )
    yield "affine map", (jacobian, lambda x: M @ x - b, lambda x: M.copy(), x, {})
    yield "differences", (jacobian, np.diff, lambda x: np.diff(np.eye(n), axis=0), x, {})
    yield "layer", (jacobian, lambda x: np.tanh(M @ x), lambda x: (1 - np.tanh(M @ x) ** 2)[:, None] * M, x, {})
    yield "diagonal", (jacobian, np.sin, lambda x: np.diag(np.cos(x)), x, {})
    yield "Hessian", (hessian, gradients["quadratic"][0], lambda x: Q.copy(), x, {"grad": gradients["quadratic"][1]})
    yield (
        "diagonal Hessian",
        (
            hessian,
            lambda x: float(np.sum(np.cosh(x))),
            lambda x: np.diag(np.cosh(x)),
            x,
            {"grad": np.sinh},
        ),
    )
