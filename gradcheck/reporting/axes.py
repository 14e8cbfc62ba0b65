"""Axes of pictures: where a value stands between the ends, and which values get a tick."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

Scale = Literal["linear", "log", "symlog"]
FARTHEST = 1e300  # what is larger is drawn at the end of its axis; what is smaller than its inverse, as 0
WIDE = 1e3  # values whose sizes differ by more are drawn on a logarithmic axis
APART = 0.08  # of the axis, between two ticks
TICKS = 5  # about as many as an axis has


class Axis(NamedTuple):
    """One axis, from `low` to `high`.

    scale: 'symlog' is logarithmic in |value| beyond ±`threshold`, and linear between.
    """

    label: str
    low: float
    high: float
    scale: Scale = "linear"
    threshold: float = 1.0

    def at(self, value: float) -> float:
        """Where a value stands: 0 at the low end, 1 at the high one; values beyond stand at the ends."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return min(max((self._scaled(value) - low) / (high - low), 0.0), 1.0)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values along the axis, and how they are written."""
        if self.scale == "linear":
            return _linear_ticks(self.low, self.high)
        if self.scale == "log":
            return [(10.0**k, f"1e{k}") for k in _decades(self.low, self.high, TICKS)]
        most = max(abs(self.low), abs(self.high))
        powers = list(_decades(self.threshold, most, 2))
        positive = [(10.0**k, f"1e{k}") for k in powers if 10.0**k >= self.threshold]
        negative = [(-value, f"-{text}") for value, text in reversed(positive)]
        ticks = [(0.0, "0")]
        for tick in (*negative, *positive):  # none that would be written over another
            if self.low <= tick[0] <= self.high and all(abs(self.at(tick[0]) - self.at(v)) > APART for v, _ in ticks):
                ticks.append(tick)
        return ticks

    def _scaled(self, value: float) -> float:
        if self.scale == "linear":
            return min(max(value, self.low), self.high)
        if self.scale == "log":
            return math.log10(max(value, self.low))
        return math.copysign(math.log10(1.0 + abs(value) / self.threshold), value)


def fitted(label: str, values: Iterable[float]) -> Axis:
    """An axis that holds all finite values, logarithmic where their sizes differ much."""
    finite = [min(max(value, -FARTHEST), FARTHEST) for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    sizes = sorted(abs(value) for value in finite if abs(value) > 1 / FARTHEST)
    if sizes and sizes[-1] > WIDE * sizes[len(sizes) // 4]:
        if low > 1 / FARTHEST:
            return logarithmic(label, finite)
        threshold = max(sizes[len(sizes) // 10], 1e-12 * sizes[-1])
        return Axis(label, min(low, 0.0) * 1.5, max(high, 0.0) * 1.5, "symlog", threshold)
    margin = 0.06 * (high - low) or 0.1 * abs(high)
    margin = margin if margin > 1 / FARTHEST else 1.0
    return Axis(label, low - margin, high + margin)


def logarithmic(label: str, values: Iterable[float]) -> Axis:
    """A logarithmic axis from the decade below the least positive value to that above the largest."""
    positive = [min(value, FARTHEST) for value in values if 1 / FARTHEST < value < math.inf]
    low, high = math.log10(min(positive, default=0.1)), math.log10(max(positive, default=1.0))
    return Axis(label, 10.0 ** math.floor(low), 10.0 ** math.ceil(high + 0.1), "log")


def _linear_ticks(low: float, high: float) -> list[tuple[float, str]]:
    rough = (high - low) / TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next((m * unit for m in (1.0, 2.0, 5.0) if m * unit >= rough), 10 * unit)
    first = math.ceil(low / step)
    ticks = [k * step for k in range(first, math.floor(high / step) + 1)]
    digits = max(2, 1 + math.floor(math.log10(max(abs(low), abs(high)) / step)) + 1)
    return [(min(max(value, low), high), _plain(value, digits)) for value in ticks]


def _plain(value: float, digits: int) -> str:
    return f"{value:.{digits}g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def _decades(low: float, high: float, count: int) -> range:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return range(first, last + 1, max(1, math.ceil((last - first) / count)))
