"""f(w) = −Σᵢ ln Σₖ wₖ pᵢₖ, the likelihood of the weights w of a mixture, where component k has the density pᵢₖ at sample i.

The weights are positive, and their sum is 1.  The derivative by them is −Σᵢ pᵢₖ / Σⱼ wⱼ pᵢⱼ.

    gradcheck examples/mixture_weights.py:f --grad examples/mixture_weights.py:grad --dim 4 --on simplex # exit 0
    gradcheck examples/mixture_weights.py:f --grad examples/mixture_weights.py:grad_tangent --dim 4 --on simplex --riemannian # exit 0

Two classic mistakes: the derivative by logits, of w = softmax(z), in place of that by w; and that by the first weights, with the
last held fixed, which follows from the others:

    gradcheck examples/mixture_weights.py:f --grad examples/mixture_weights.py:grad_by_logits --dim 4 --on simplex # exit 1
    gradcheck examples/mixture_weights.py:f --grad examples/mixture_weights.py:grad_of_first --dim 4 --on simplex --claimed minimal # exit 1
"""
# ruff: noqa: E501

from __future__ import annotations

import numpy as np


def densities(n):
    """p, (20, n)."""
    random = np.random.default_rng(n)
    samples, centres = random.normal(0, 2, (20, 1)), np.linspace(-2, 2, n)
    return np.exp(-((samples - centres) ** 2) / 2)


def f(w):
    return -np.log(densities(w.size) @ w).sum()


def grad(w):
    p = densities(w.size)
    return -(p / (p @ w)[:, None]).sum(axis=0)


def grad_tangent(w):
    return grad(w) - grad(w).mean()


def grad_by_logits(w):
    return w * (grad(w) - w @ grad(w))


def grad_of_first(w):
    return grad(w)[:-1]
