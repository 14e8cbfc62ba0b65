"""Is a claimed gradient the derivative times one factor?  Directions suggest it; a few entries, or more directions, confirm it.

A lone error changes each direction by about as much, relative to it, and two or three directions may agree on that by chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.probe import PIECE
from gradcheck.model import Tolerance, Verdict
from gradcheck.numerics.readings import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.oracle import GradientOracle

    Array = NDArray[np.float64]

KNOWN = 100.0  # a direction whose value is this many times its uncertainty tells a factor
DISTINCT = 16.0  # … and one off by this many times its uncertainty tells a factor within tolerance from a lone error, …
FURTHER = 5  # … if so many others agree
EXAMPLES = 3  # entries judged one by one, the largest
ALIKE = 0.125  # … whose errors differ from what the factor makes them by less than this share


@dataclass(frozen=True, slots=True)
class Factor:
    """The claim is `value` ± `spread` times the derivative.

    tolerable: which is within tolerance.
    fresh: what a further direction reads when the factor is taken off, or None.
    """

    value: float
    spread: float
    tolerable: bool
    fresh: Reading | None


def common_factor(oracle: GradientOracle, tolerance: Tolerance, *, searched: bool = False) -> Factor | None:
    """The factor that all entries share, taken off the claim that `oracle` measures against; or None, and the claim is as it was.

    A factor beyond tolerance is confirmed by entries; one within it changes them too little for that, and more directions must
    agree on it.

    searched: no entry was found to be wrong, so that directions may be less distinct.
    """
    found = _suggested(oracle)
    if found is None:
        return None
    value, spread = found
    tolerable = abs(value - 1) <= tolerance.rtol + spread
    if not tolerable if searched else tolerable and max(oracle.reading(r).clarity for r in oracle.ladders) < DISTINCT:
        return None
    fresh = None
    if value:
        oracle.probe.divide(value)
        for _ in range(FURTHER if tolerable else 1):
            fresh = _fresh(oracle, value, spread)
            if fresh is None:
                oracle.take_back()
                return None
    if not (tolerable or _confirmed(oracle, value, spread)):
        oracle.take_back()
        return None
    return Factor(value, spread, tolerable, fresh)


def _fresh(oracle: GradientOracle, factor: float, spread: float) -> Reading | None:
    """What a further direction reads when the factor is taken off, if that is no more than what is not known of the factor."""
    fresh = oracle.residual(range(oracle.size), oracle.fresh())
    largest = math.sqrt(max(ladder.square for ladder in oracle.ladders)) / abs(factor)
    return fresh if abs(fresh.value) <= fresh.uncertainty + 4 * spread * largest else None


def _confirmed(oracle: GradientOracle, factor: float, spread: float) -> bool:
    """Whether most of a few entries, judged on their own, are off by that factor."""
    examples = _largest(oracle, EXAMPLES)
    against = 0
    for index in examples:
        oracle.confirm(index)
        against += not _follows(oracle, index, factor, spread)
        if 2 * against >= len(examples):
            return False
    return True


def _suggested(oracle: GradientOracle) -> tuple[float, float] | None:
    """A factor that explains all directions, and how uncertain it is."""
    readings = [(ladder.ideal, oracle.reading(ladder)) for ladder in oracle.ladders]
    clear = [(ideal, ideal - r.value, r.uncertainty) for ideal, r in readings if math.isfinite(r.uncertainty)]
    if len(clear) < 2:
        return None
    ideal, value, u = max(clear, key=lambda one: abs(one[1]) / (one[2] or 1e-300))
    if abs(value) < KNOWN * u:
        return None
    factor = ideal / value
    spread = max(abs(factor), 1.0) * u / abs(value)
    if factor == 0 and oracle.claimed.any():
        return None
    for ideal, value, u in clear:
        if abs(ideal - factor * value) > max(1.0, abs(factor)) * u + spread * abs(value):
            return None
    return factor, spread


def _follows(oracle: GradientOracle, index: int, factor: float, spread: float) -> bool:
    """Whether one entry, judged on its own, is off by that factor."""
    row = oracle.rows[index]
    claimed, value, u = float(row.claimed[0]), float(row.numeric[0]), float(row.uncertainty[0])
    gap = abs(claimed - value)
    alike = abs(claimed - factor * value) <= abs(factor) * u + 4 * spread * abs(value) + ALIKE * gap
    return alike and bool(row.verdict[0] == Verdict.FAIL)


def _largest(oracle: GradientOracle, count: int) -> list[int]:
    """The entries that f should change with most, for steps of their natural scale."""
    probe = oracle.probe
    best: list[tuple[float, int]] = []
    zero = not probe.slopes.any()
    for low in range(0, oracle.size, PIECE):
        part = slice(low, low + PIECE)
        size = probe.scales[part] if zero else np.abs(probe.slopes[part] * probe.scales[part])
        first = np.argpartition(-size, min(count, size.size) - 1)[:count]
        best = sorted([*best, *((float(size[k]), low + int(k)) for k in first)], reverse=True)[:count]
    return [index for _, index in best]


__all__ = ["Factor", "common_factor"]
