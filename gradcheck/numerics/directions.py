"""Random directions that depend on a seed and a counter alone.

Entry i of direction `number` is a hash of (seed, number, i): the SplitMix64 sequence (Steele, Lea & Flood, OOPSLA 2014) entered
at any place.  So any piece of a direction can be made without the rest, and a compiled kernel makes the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

GAMMA, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # of SplitMix64
WORD = 2**64 - 1
CHUNK = 2**14  # entries made at a time, so that what is between stays in the cache


def stream(seed: int, number: int) -> int:
    """Where the sequence of direction `number` begins: a 64-bit integer."""
    return _mix(_mix(seed & WORD) + GAMMA * (number + 1) & WORD)


def direction(size: int, seed: int, number: int, start: int = 0) -> Array:
    """Entries start … start + size − 1 of direction `number` of the stream `seed`: sign · U(0.5, 1.5), shape (size,).

    Signs alone are blind to two equal errors half of the time; no weight is near 0, so that no entry is hidden.
    Direction 7 is the same whether or not 0 … 6 were made, and entry 5 whether or not the others were.
    """
    out = np.empty(size)
    spare = np.empty(min(size, CHUNK), np.uint64)
    begin = stream(seed, number)
    for low in range(0, size, CHUNK):
        piece = out[low : low + CHUNK]
        z = np.arange(start + low + 1, start + low + 1 + piece.size, dtype=np.uint64)
        z *= np.uint64(GAMMA)
        z += np.uint64(begin)
        for shift, factor in ((30, FIRST), (27, SECOND)):
            z ^= np.right_shift(z, np.uint64(shift), out=spare[: z.size])
            z *= np.uint64(factor)
        z ^= np.right_shift(z, np.uint64(31), out=spare[: z.size])
        signed = z.view(np.int64)
        signed >>= 10
        np.multiply(signed, 2.0**-53, out=piece)  # uniform on [-1, 1)
        piece += np.copysign(0.5, piece)
    return out


def _mix(z: int) -> int:
    """The output function of SplitMix64 on one integer."""
    z = (z ^ (z >> 30)) * FIRST & WORD
    z = (z ^ (z >> 27)) * SECOND & WORD
    return z ^ (z >> 31)


def unit_direction(size: int, seed: int, number: int) -> Array:
    """A direction uniform on the unit sphere, shape (size,): a normalised Gaussian vector."""
    bits = np.random.Generator(np.random.Philox(key=[seed % 2**64, number]))
    v = bits.standard_normal(size)
    length = float(np.sqrt(v @ v))
    return v / length if length > 0 else np.ones(size) / np.sqrt(size)
