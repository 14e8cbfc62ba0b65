"""What several sets are made of: factors, reflections, and numbers of moderate size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck.wording import place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NEAR = 1e-6  # as near as this a special place is taken to be meant
SPREAD = 1.5  # logarithm of how far the entries of a random positive point are from 1, at the most


def positive_factor(u: Array) -> Array:
    """φ(u) = 1 + u + O(u³), positive for every u: exp(asinh u − u²/(2 + 2u²)), as exp(asinh u) = 1 + u + u²/2 + O(u⁴)."""
    with np.errstate(over="ignore"):
        half = 0.5 / (1.0 + np.where(np.abs(u) > 1e-150, u, 1.0) ** -2.0)
    factor: Array = np.exp(np.arcsinh(u) - np.where(np.abs(u) > 1e-150, half, 0.0))
    return factor


def positive_slope(u: Array) -> Array:
    """φ'(u) = φ(u) (1/√(1 + u²) − u/(1 + u²)²)."""
    square = 1.0 + u * u
    slope: Array = positive_factor(u) * (1.0 / np.sqrt(square) - u / square**2)
    return slope


def unit(x: Array) -> Array:
    """x / |x|; a vector along the first axis for 0."""
    largest = float(np.abs(x).max())
    if not largest:
        out = np.zeros(x.shape)
        out.flat[0] = 1.0
        return out
    scaled: Array = x / largest
    return scaled / np.linalg.norm(scaled)


def reflected(u: Array, v: Array) -> Array:
    """The reflection of v that takes the first axis to ±u/|u|."""
    w = u / np.linalg.norm(u)
    w[0] += 1.0 if w[0] >= 0 else -1.0
    reflected: Array = v - (2 * (w @ v) / (w @ w)) * w
    return reflected


def squashed(z: Array) -> Array:
    """Numbers of any size within (−1, 1), in their order."""
    squashed: Array = z / (1.0 + np.abs(z))
    return squashed


def not_positive(x: Array) -> str:
    """The first entry that is 0 beside the others."""
    small = np.flatnonzero(x.reshape(-1) <= 0)
    if not small.size:
        return ""
    where = place(tuple(map(int, np.unravel_index(int(small[0]), x.shape)))) if x.shape else "it"
    return f"{where} is {float(x.reshape(-1)[small[0]]):g}"
