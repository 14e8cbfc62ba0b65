"""Random directions that depend on a seed and a counter alone.

Entry i of direction `number` is a hash of i under a key made of (seed, number): the 32-bit mixer of two multiplications with the
least bias known (Wellons & "TheIronBorn", hash-prospector, 2018–2022), keyed before and between its rounds; SplitMix64 (Steele,
Lea & Flood, OOPSLA 2014) makes the keys.  So any piece of a direction can be made without the rest, and a compiled kernel makes
the same numbers eight at a time.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WORD = 2**64 - 1


class Stream(enum.IntEnum):
    """The numbers of directions and streams that serve a purpose of their own; those from 0 up are for comparisons.

    Each is the first of its kind: what needs several counts on from there.
    """

    POINT = 2**30  # a point, then further points; `normal` adds 2³¹ for its second half
    REACH = 2**32 - 17  # entries whose slopes are tried on the way to a branch
    MATRIX = 2**32 - 16  # what stands for a matrix: a fixed vector, and two for its symmetry
    IDENTITY = 2**32 - 12  # vectors that linearity, symmetry and adjointness are tried with
    OUTSIDE = 2**32 - 3  # looks beyond a sparsity pattern
    STEP = 2**32 - 2  # finds the step for a gradient made of differences
    SETUP = 2**32 - 1  # the set-up of every check


SHORT = 2**12  # entries
CHUNK = 2**14  # entries made at a time, so that what is between stays in the cache


def keys(seed: int, number: int) -> tuple[int, int]:
    """The two 32-bit keys of direction `number` of the stream `seed`."""
    key = _mix(_mix(seed & WORD) + 0x9E3779B97F4A7C15 * (number + 1) & WORD)
    return key & 0xFFFFFFFF, key >> 32


def direction(size: int, seed: int, number: int, start: int = 0, stride: int = 1) -> Array:
    """Entries start, start + stride, … of direction `number` of the stream `seed`: sign · U(0.5, 1.5), shape (size,).

    Signs alone are blind to two equal errors half of the time; no weight is near 0, so that no entry is hidden.
    Direction 7 is the same whether or not 0 … 6 were made, and entry 5 whether or not the others were.  The stream repeats
    after 2³² entries.  A short one is kept for those who ask again, and cannot be written to.
    """
    if size <= SHORT and start == 0 and stride == 1:
        return _kept(size, seed, number)
    return _made(size, seed, number, start, stride)


@lru_cache(maxsize=64)
def _kept(size: int, seed: int, number: int) -> Array:
    made = _made(size, seed, number, 0, 1)
    made.flags.writeable = False
    return made


def _made(size: int, seed: int, number: int, start: int, stride: int) -> Array:
    out = np.empty(size)
    spare = np.empty(min(size, CHUNK), np.uint32)
    before, between = (np.uint32(key) for key in keys(seed, number))
    for low in range(0, size, CHUNK):
        piece = out[low : low + CHUNK]
        work = spare[: piece.size]
        first, last = start + low * stride, start + (low + piece.size) * stride
        z = np.arange(first, last, stride, dtype=np.int64).astype(np.uint32)
        z += before
        z ^= np.right_shift(z, np.uint32(16), out=work)
        z *= np.uint32(0x21F0AAAD)
        z ^= between
        z ^= np.right_shift(z, np.uint32(15), out=work)
        z *= np.uint32(0xD35A2D97)
        z ^= np.right_shift(z, np.uint32(15), out=work)
        np.multiply(z.view(np.int32), 2.0**-31, out=piece)  # uniform on [-1, 1)
        piece += np.copysign(0.5, piece)
    return out


def uniform(size: int, seed: int, number: int) -> Array:
    """Random numbers of stream `number`, uniform on [0, 1), shape (size,)."""
    return np.abs(direction(size, seed, number)) - 0.5


def normal(size: int, seed: int, number: int) -> Array:
    """Random numbers of stream `number`, standard normal, shape (size,): Box & Muller, Ann. Math. Stat. 29 (1958)."""
    radius = np.sqrt(-2 * np.log1p(-uniform(size, seed, number)))
    return radius * np.cos(2 * np.pi * uniform(size, seed, number + 2**31))


def _mix(z: int) -> int:
    """The output function of SplitMix64."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
    return z ^ (z >> 31)


def unit_direction(size: int, seed: int, number: int) -> Array:
    """A direction uniform on the unit sphere, shape (size,): a normalised Gaussian vector."""
    v = normal(size, seed, number)
    length = float(np.sqrt(v @ v))
    return v / length if length > 0 else np.ones(size) / np.sqrt(size)
