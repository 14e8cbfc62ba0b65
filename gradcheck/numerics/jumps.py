"""Does f jump near the point?  Then its differences at small steps are those of one smooth piece, and unfit to judge.

The value of an adaptive solver, of an iteration that stops at a tolerance, of a look-up table is right to that tolerance: f
jumps between smooth pieces, and the derivative of a piece is off by (size of the jumps) / (distance between them).  What
the pieces have in common is the trend, the slope at the point of a polynomial fitted over many of them; its error is
measured by what the fit leaves over.  A claim is excused if the trend supports it and can tell it from the piece.

Whether f jumps, and does not merely bend, is told by bisection: a jump stays however short the interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Line = Callable[[Array], Array]

NODES, DEGREE = 32, 8  # of the fit
LEFT_OVER = 6.0  # the error of the trend is up to this many times what the fit leaves over, per distance
FEATURE = 0.1  # jumps above this share of what φ varies belong to the function, and then …
DISCERNING = 4.0  # … a trend uncertain by more than this many gaps excuses nothing
SUSPECTS = 4  # the intervals that depart most are bisected
HALVINGS = 30
REMAINS = 0.2  # a jump keeps this share of what the interval showed
ROUNDING = 2.0**-42  # jumps below this share of the values are rounding


@dataclass(frozen=True, slots=True)
class Jump:
    """φ changes by `size` at `distance` (signed) from the point."""

    distance: float
    size: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The slope of φ at the point over many pieces: `slope` ± `uncertainty`; the largest jump that was found on the way."""

    slope: float
    uncertainty: float
    jump: Jump


def excuse(line: Line, claimed: float, numeric: float, reach: float, noise: float) -> Trend | None:
    """The trend within ±reach, if φ jumps there and the trend supports the claim rather than the numeric derivative; or None.

    Args:
        line: offsets t (N,) → φ(t) (N,), NaN where φ has no value.
        claimed, numeric: the claimed derivative, and the one seen at small steps.
        reach: how far to look.
        noise: the noise of φ: smaller jumps are not told from it.
    """
    from numpy.polynomial import chebyshev  # six modules that few checks need

    nodes = np.cos(np.pi * (np.arange(NODES)[::-1] + 0.5) / NODES)
    values = line(reach * nodes)
    if not np.isfinite(values).all():
        return None
    fits = [chebyshev.chebfit(nodes, values, degree) for degree in (DEGREE, DEGREE - 2)]
    slope, lower = (float(chebyshev.chebval(0.0, chebyshev.chebder(fit))) / reach for fit in fits)

    def smooth(t: Array) -> Array:
        return np.asarray(chebyshev.chebval(t / reach, fits[0]), dtype=np.float64)

    uncertainty = LEFT_OVER * float(np.abs(values - smooth(reach * nodes)).max()) / reach + abs(slope - lower)
    if abs(claimed - slope) > uncertainty:
        return None
    span = float(np.ptp(values))
    noise = max(noise, ROUNDING * float(np.abs(values).max()))
    jumps = find_jumps(line, reach * nodes, values, smooth, noise)
    if not jumps:
        return None
    largest = max(jumps, key=lambda jump: jump.size)
    if largest.size > FEATURE * span and uncertainty > DISCERNING * abs(claimed - numeric):
        return None
    return Trend(slope, uncertainty, largest)


def find_jumps(line: Line, t: Array, values: Array, smooth: Line, noise: float) -> list[Jump]:
    """Discontinuities of φ between the offsets t: the few that stand out most.

    Args:
        line: offsets (N,) → φ (N,), NaN where φ has no value.
        t, values: rising offsets, and φ there, (N,).
        smooth: a smooth curve through the values, offsets (N,) → (N,): where φ departs from it is looked at.
        noise: the noise of φ: smaller jumps are not told from it.
    """
    departures = values - smooth(t)
    found: list[Jump] = []
    for k in np.argsort(-np.abs(np.diff(departures)), kind="stable")[:SUSPECTS].tolist():
        low, high = (float(t[k]), float(departures[k])), (float(t[k + 1]), float(departures[k + 1]))
        shown = abs(high[1] - low[1])
        for _ in range(HALVINGS):
            at = np.array([(low[0] + high[0]) / 2])
            middle = (float(at[0]), float((line(at) - smooth(at))[0]))
            if abs(middle[1] - low[1]) > abs(high[1] - middle[1]):
                high = middle
            else:
                low = middle
        size = abs(high[1] - low[1])
        if size > REMAINS * shown and size > 30 * noise:
            found.append(Jump(low[0], size))
    return found
