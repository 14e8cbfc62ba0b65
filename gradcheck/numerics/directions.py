"""Random directions that depend on a seed and a counter alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def direction(size: int, seed: int, number: int) -> NDArray[np.float64]:
    """Direction `number` of the stream `seed`: entries sign · U(0.5, 1.5), shape (size,).

    Signs alone are blind to two equal errors half of the time; no weight is near 0, so that no entry is hidden.
    The generator is counter-based (Philox), so that direction 7 is the same whether or not 0 … 6 were drawn.
    """
    bits = np.random.Generator(np.random.Philox(key=[seed % 2**64, number]))
    uniform = bits.random(size)
    return np.where(uniform < 0.5, -0.5 - 2 * uniform, 2 * uniform - 0.5)


def unit_direction(size: int, seed: int, number: int) -> NDArray[np.float64]:
    """A direction uniform on the unit sphere, shape (size,): a normalised Gaussian vector."""
    bits = np.random.Generator(np.random.Philox(key=[seed % 2**64, number]))
    v = bits.standard_normal(size)
    length = float(np.sqrt(v @ v))
    return v / length if length > 0 else np.ones(size) / np.sqrt(size)
