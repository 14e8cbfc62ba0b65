"""Velocity and acceleration of our own curves, which are smooth: by central differences of order 8.

Weights: Fornberg, Math. Comp. 51, 1988.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Path = Callable[[Array, Array], Array]
    """(x, d) ↦ the point of a curve that is x for d = 0."""

FIRST = (4 / 5, -1 / 5, 4 / 105, -1 / 280)  # of the values ahead; those behind have the other sign
SECOND = (8 / 5, -1 / 5, 8 / 315, -1 / 560)  # of the values on both sides …
CENTRE = -205 / 72  # … and at x
NEAR = 0.01  # the step of the first, by the length over which parameters matter, …
FAR = 0.04  # … and of the second, where more cancels


def velocities(paths: Path, x: Array, at: Array, reach: float) -> Array:
    """∂ path(x, d)/∂dᵢ at d = `at`, for each parameter: (k, n), flat.

    paths: (x, many d, (N, k)) ↦ the points, (N, …).
    reach: the length over which parameters matter.
    """
    k, h = at.size, NEAR * reach
    nodes = h * np.arange(1, len(FIRST) + 1)
    steps = (nodes[:, None, None] * np.eye(k)).reshape(-1, k)
    change = paths(x, np.concatenate([at + steps, at - steps])).reshape(2, len(FIRST), k, -1)
    moved: Array = np.einsum("j,jkn->kn", np.array(FIRST) / h, change[0] - change[1])
    return moved


def acceleration(path: Path, x: Array, d: Array, reach: float) -> Array:
    """∂² path(x, t d)/∂t² at t = 0, in the shape of x."""
    size = float(np.linalg.norm(d))
    if not size:
        return np.zeros(x.shape)
    h = FAR * reach / size
    total: Array = CENTRE * path(x, 0.0 * d)
    for k, weight in enumerate(SECOND, 1):
        total = total + weight * (path(x, k * h * d) + path(x, -k * h * d))
    return total / h**2
