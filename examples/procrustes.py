"""f(X) = ½ |AX − B|² for X with orthonormal columns: the rotation that takes one cloud of points to another.

The derivative by the entries of X is G = Aᵀ(AX − B), the Riemannian gradient G − X sym(XᵀG), and the Riemannian Hessian takes
a tangent V to the projection of AᵀA V − V sym(XᵀG): its second term is there because the set bends.

    gradcheck examples/procrustes.py:f --grad examples/procrustes.py:grad --shape 5x2 --on orthogonal # exit 0
    gradcheck examples/procrustes.py:f --grad examples/procrustes.py:grad_tangent --hess examples/procrustes.py:hess --shape 5x2 --on orthogonal --riemannian # exit 0

The classic mistakes: no projection at all; one that loses the rotation of the columns among themselves; and a Hessian that is
projected, but lacks the term of the bend:

    gradcheck examples/procrustes.py:f --grad examples/procrustes.py:grad --shape 5x2 --on orthogonal --riemannian # exit 1
    gradcheck examples/procrustes.py:f --grad examples/procrustes.py:grad_without_turns --shape 5x2 --on orthogonal --riemannian # exit 1
    gradcheck examples/procrustes.py:f --grad examples/procrustes.py:grad_tangent --hess examples/procrustes.py:hess_without_bend --shape 5x2 --on orthogonal --riemannian # exit 1
"""
# ruff: noqa: E501

from __future__ import annotations

import numpy as np


def clouds(n, p):
    """A, (8, n), and B, (8, p)."""
    random = np.random.default_rng(n)
    return random.standard_normal((8, n)), random.standard_normal((8, p))


def f(X):
    A, B = clouds(*X.shape)
    return 0.5 * np.sum((A @ X - B) ** 2)


def grad(X):
    A, B = clouds(*X.shape)
    return A.T @ (A @ X - B)


def symmetric(M):
    return (M + M.T) / 2


def projected(X, V):
    return V - X @ symmetric(X.T @ V)


def grad_tangent(X):
    return projected(X, grad(X))


def grad_without_turns(X):
    return grad(X) - X @ (X.T @ grad(X))


def operator(X, product):
    """The matrix, (n p, n p), of a product with tangents."""
    units = np.eye(X.size).reshape(-1, *X.shape)
    return np.stack([projected(X, product(projected(X, unit))).ravel() for unit in units], axis=1)


def hess(X):
    A, _ = clouds(*X.shape)
    return operator(X, lambda V: A.T @ A @ V - V @ symmetric(X.T @ grad(X)))


def hess_without_bend(X):
    A, _ = clouds(*X.shape)
    return operator(X, lambda V: A.T @ A @ V)
