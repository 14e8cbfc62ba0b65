"""f(x) = ln⟨x, Ax⟩, defined where ⟨x, Ax⟩ > 0; A is not symmetric.

With q = ⟨x, Ax⟩ and s = (A + Aᵀ)x, the gradient of q, the gradient of f is s/q and its Hessian (A + Aᵀ)/q − ssᵀ/q².

Here A + Aᵀ is positive definite, so that f is defined everywhere but at 0:

    gradcheck examples/log_quadratic.py:f --grad examples/log_quadratic.py:grad --dim 100                           # exit 0
    gradcheck examples/log_quadratic.py:f --grad examples/log_quadratic.py:grad_assuming_symmetric_matrix --dim 100 # exit 1
    gradcheck examples/log_quadratic.py:f --grad examples/log_quadratic.py:grad_without_outer_derivative --dim 100  # exit 1
    gradcheck examples/log_quadratic.py:f --grad examples/log_quadratic.py:grad --hess examples/log_quadratic.py:hess --dim 20 # exit 0
    gradcheck examples/log_quadratic.py:f --hess examples/log_quadratic.py:hess_without_second_term --dim 20        # exit 1
    gradcheck examples/log_quadratic.py:f --hess examples/log_quadratic.py:hess_not_symmetrized --dim 20            # exit 1

With an indefinite A, here ⟨x, Ax⟩ = x₀² − x₁² + x₂² − …, f has a domain to leave, and is NaN outside:

    gradcheck examples/log_quadratic.py:f_indefinite --grad examples/log_quadratic.py:grad_indefinite --point 2.0,1.0 # exit 0
    gradcheck examples/log_quadratic.py:f_indefinite --grad examples/log_quadratic.py:grad_indefinite --point 1.0,2.0 # exit 3
"""  # noqa: E501

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache
def matrix(n: int) -> np.ndarray:
    """A (n × n): random, not symmetric, and with a positive definite symmetric part."""
    B, C = np.random.default_rng(n).standard_normal((2, n, n)) / np.sqrt(n)
    return np.eye(n) + B @ B.T + (C - C.T)


def f(x):
    return np.log(x @ matrix(x.size) @ x)


def grad(x):
    A = matrix(x.size)
    return (A + A.T) @ x / (x @ A @ x)


def hess(x):
    A = matrix(x.size)
    q, s = x @ A @ x, (A + A.T) @ x
    return (A + A.T) / q - np.outer(s, s) / q**2


# The classic mistakes.


def grad_assuming_symmetric_matrix(x):
    A = matrix(x.size)
    return 2 * A @ x / (x @ A @ x)


def grad_without_outer_derivative(x):
    A = matrix(x.size)
    return (A + A.T) @ x


def hess_without_second_term(x):
    A = matrix(x.size)
    return (A + A.T) / (x @ A @ x)


def hess_not_symmetrized(x):
    A = matrix(x.size)
    q, s = x @ A @ x, (A + A.T) @ x
    return A / q - np.outer(s, s) / q**2


# An indefinite A: ⟨x, Ax⟩ changes its sign, and f is NaN where it is not positive.


@lru_cache
def indefinite_matrix(n: int) -> np.ndarray:
    """A (n × n) with diagonal 1, −1, 1, … and an antisymmetric remainder, which ⟨x, Ax⟩ does not see."""
    C = np.random.default_rng(n).standard_normal((n, n))
    return np.diag((-1.0) ** np.arange(n)) + (C - C.T)


def f_indefinite(x):
    q = x @ indefinite_matrix(x.size) @ x
    return np.log(q) if q > 0 else np.nan


def grad_indefinite(x):
    A = indefinite_matrix(x.size)
    return (A + A.T) @ x / (x @ A @ x)
