"""Gradient descent, and the same with an estimate from values of f alone in place of the gradient: w ← w − αG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import numpy as np

import gradcheck

METHODS = ("gradient", "finite differences", "two-point")


def descend(
    method: str, f: Callable, grad: Callable, start: np.ndarray, step: float, seed: int = 0
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (evaluations used, w) from the start on, without end; a call of f and one of grad count alike.

    The two-point estimator is right on average only, and the square of its length is on average n times that of the
    gradient, n the number of variables. So its steps are an n-th as long.
    """
    w, n = start, start.size
    for k in count():
        if method == "gradient":
            yield k, w
            w = w - step * grad(w)
        elif method == "finite differences":
            yield k * 2 * n, w
            w = w - step * gradcheck.finite_difference_gradient(f, w)
        else:
            yield k * 2, w
            w = w - step / n * gradcheck.two_point_gradient(f, w, seed=1_000_000 * seed + k)
