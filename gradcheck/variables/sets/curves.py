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


def velocity(path: Path, x: Array, d: Array, reach: float, at: Array | None = None) -> Array:
    """∂ path(x, at + t d)/∂t at t = 0, in the shape of x.

    reach: the length over which parameters matter.
    at: 0, if not given.
    """
    here, total = np.zeros(d.shape) if at is None else at, np.zeros(x.shape)
    h = NEAR * reach / (float(np.linalg.norm(d)) or 1.0)
    for k, weight in enumerate(FIRST, 1):
        total += weight / h * (path(x, here + k * h * d) - path(x, here - k * h * d))
    return total


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
