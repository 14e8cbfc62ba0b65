"""f(x) = ⟨x, Ax⟩ − ⟨b, x⟩ + c, where A is not symmetric.

From f(x + dx) − f(x) = ⟨dx, Ax⟩ + ⟨x, A dx⟩ − ⟨b, dx⟩ + … follow the gradient (A + Aᵀ)x − b and the Hessian A + Aᵀ.
Formulas that assume a symmetric A look right, and are right on every symmetric test case.

    gradcheck examples/quadratic.py:f --grad examples/quadratic.py:grad --dim 100                           # exit 0
    gradcheck examples/quadratic.py:f --grad examples/quadratic.py:grad_assuming_symmetric_matrix --dim 100 # exit 1
    gradcheck examples/quadratic.py:f --grad examples/quadratic.py:grad_without_linear_term --dim 100       # exit 1
    gradcheck examples/quadratic.py:f --grad examples/quadratic.py:grad --hess examples/quadratic.py:hess --dim 20  # exit 0
    gradcheck examples/quadratic.py:f --hess examples/quadratic.py:hess_not_symmetrized --dim 20            # exit 1
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache
def coefficients(n: int) -> tuple[np.ndarray, np.ndarray, float]:
    """A (n × n, not symmetric), b (n) and c: random, and the same for the same n."""
    rng = np.random.default_rng(n)
    return rng.standard_normal((n, n)), rng.standard_normal(n), 3.0


def f(x):
    A, b, c = coefficients(x.size)
    return x @ A @ x - b @ x + c


def grad(x):
    A, b, _ = coefficients(x.size)
    return (A + A.T) @ x - b


def hess(x):
    A, _, _ = coefficients(x.size)
    return A + A.T


# The classic mistakes.


def grad_assuming_symmetric_matrix(x):
    A, b, _ = coefficients(x.size)
    return 2 * A @ x - b


def grad_without_linear_term(x):
    A, _, _ = coefficients(x.size)
    return (A + A.T) @ x


def hess_not_symmetrized(x):
    A, _, _ = coefficients(x.size)
    return A.copy()
