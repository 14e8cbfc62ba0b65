"""f(P) = ln det P + tr(P⁻¹ S), the likelihood of a covariance matrix P of normal data whose sample covariance is S.

Its gradient by the entries of P is P⁻¹ − P⁻¹ S P⁻¹; in the affine-invariant metric it is P − S.

    gradcheck examples/covariance_fit.py:f --grad examples/covariance_fit.py:grad --shape 4x4 --on spd # exit 0
    gradcheck examples/covariance_fit.py:f --grad examples/covariance_fit.py:grad_affine --shape 4x4 --on spd --claimed riemannian:affine # exit 0

The classic mistake is the formula G + Gᵀ − diag(G) of tables of matrix derivatives, which counts each entry beside the
diagonal for both triangles.  It is right as the derivative by one triangle, and as nothing else:

    gradcheck examples/covariance_fit.py:f --grad examples/covariance_fit.py:grad_doubled --shape 4x4 --on spd # exit 1
    gradcheck examples/covariance_fit.py:f --grad examples/covariance_fit.py:grad_of_triangle --shape 4x4 --on spd --claimed tril # exit 0
"""
# ruff: noqa: E501

from __future__ import annotations

import numpy as np


def sample(n):
    """S, (n, n)."""
    data = np.random.default_rng(n).standard_normal((3 * n, n))
    return data.T @ data / len(data)


def f(P):
    return np.linalg.slogdet(P)[1] + np.trace(np.linalg.solve(P, sample(len(P))))


def grad(P):
    inverse = np.linalg.inv(P)
    return inverse - inverse @ sample(len(P)) @ inverse


def grad_affine(P):
    return P - sample(len(P))


def grad_doubled(P):
    G = grad(P)
    return G + G.T - np.diag(np.diag(G))


def grad_of_triangle(P):
    return np.tril(grad_doubled(P))
