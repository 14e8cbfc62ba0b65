"""f(x) = ln(1 + exp⟨a, x⟩), the logistic loss of one sample.

With t = ⟨a, x⟩ and σ(t) = 1 / (1 + exp(−t)), the gradient is σ(t) a and the Hessian σ(t) (1 − σ(t)) aaᵀ.
Written down literally, both f and σ overflow for large t; `np.logaddexp` is the same function without overflow.

    gradcheck examples/softplus.py:f --grad examples/softplus.py:grad --dim 100                              # exit 0
    gradcheck examples/softplus.py:f --grad examples/softplus.py:grad_with_sigma_of_minus_t --dim 100        # exit 1
    gradcheck examples/softplus.py:f --grad examples/softplus.py:grad_without_inner_derivative --dim 100     # exit 1
    gradcheck examples/softplus.py:f --grad examples/softplus.py:grad --hess examples/softplus.py:hess --dim 20 # exit 0
    gradcheck examples/softplus.py:f --hess examples/softplus.py:hess_sigma_for_sigma_times_one_minus_sigma --dim 20 # exit 1

Where t is in the thousands, the literal gradient is ∞/∞: right near 0, no number far away, and so no verdict:

    gradcheck examples/softplus.py:f --grad examples/softplus.py:grad --dim 100 --bounds 500:1500                 # exit 0
    gradcheck examples/softplus.py:f --grad examples/softplus.py:grad_overflowing --dim 100                       # exit 0
    gradcheck examples/softplus.py:f --grad examples/softplus.py:grad_overflowing --dim 100 --bounds 500:1500     # exit 3
    gradcheck examples/softplus.py:f_overflowing --grad examples/softplus.py:grad --dim 100 --bounds 500:1500     # exit 3
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache
def weights(n: int) -> np.ndarray:
    """The vector a (n): random, positive, of length about 1."""
    return np.random.default_rng(n).uniform(0.5, 1.5, n) / np.sqrt(n)


def sigma(t):
    return np.exp(-np.logaddexp(0, -t))


def f(x):
    return np.logaddexp(0, weights(x.size) @ x)


def grad(x):
    a = weights(x.size)
    return sigma(a @ x) * a


def hess(x):
    a = weights(x.size)
    t = a @ x
    return sigma(t) * sigma(-t) * np.outer(a, a)  # σ(−t) is 1 − σ(t), without cancellation


# The classic mistakes.


def f_overflowing(x):
    return np.log(1 + np.exp(weights(x.size) @ x))


def grad_overflowing(x):
    a = weights(x.size)
    return np.exp(a @ x) / (1 + np.exp(a @ x)) * a


def grad_with_sigma_of_minus_t(x):
    a = weights(x.size)
    return sigma(-a @ x) * a


def grad_without_inner_derivative(x):
    return np.full(x.size, sigma(weights(x.size) @ x))


def hess_sigma_for_sigma_times_one_minus_sigma(x):
    a = weights(x.size)
    return sigma(a @ x) * np.outer(a, a)
