"""The same energy for chains of many beads, compiled."""

import numba
import numpy as np


@numba.njit
def energy(x):
    total = 0.0
    for i in range(x.size):
        total += x[i] ** 4 / 4
        if i > 0:
            total += (x[i] - x[i - 1]) ** 2
    return total


@numba.njit
def force(x):
    g = np.empty_like(x)
    for i in range(x.size):
        g[i] = x[i] ** 3
        if i > 0:
            g[i] += 2 * (x[i] - x[i - 1])
        if i + 1 < x.size:
            g[i] -= 2 * (x[i + 1] - x[i])
    return g
