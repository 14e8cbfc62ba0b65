"""The energy of a chain of beads, Σ (|xᵢ₊₁ − xᵢ|² + xᵢ⁴ / 4), and its derivatives."""

import numpy as np

import gradcheck


def energy(x):
    return (np.diff(x) ** 2).sum() + (x**4).sum() / 4


@gradcheck.derivative_of(energy, dim=8)
def force(x):
    g = x**3
    g[1:] += 2 * np.diff(x)
    g[:-1] -= 2 * np.diff(x)
    return g


@gradcheck.derivative_of(energy, "hessian", dim=8, grad=force)
def stiffness(x):
    n = x.size
    h = np.diag(3 * x**2 + 4.0) - 2 * (np.eye(n, k=1) + np.eye(n, k=-1))
    h[0, 0] -= 2
    h[-1, -1] -= 2
    return h


def force_without_its_factor(x):
    g = x**3
    g[1:] += np.diff(x)
    g[:-1] -= np.diff(x)
    return g
