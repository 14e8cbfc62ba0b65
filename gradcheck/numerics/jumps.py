"""Does f jump near the point?  An adaptive solver or a look-up table makes f discontinuous, and its differences unfit to judge.

Values on a coarse grid around the point show where φ departs most from a smooth curve; bisection then tells a jump, which
stays however short the interval, from a bend, which does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INTERVALS = 32
SUSPECTS = 4  # the intervals that depart most are bisected
HALVINGS = 30
REMAINS = 0.2  # a jump keeps this share of what the interval showed


@dataclass(frozen=True, slots=True)
class Jump:
    """φ changes by `size` at `distance` (signed) from the point."""

    distance: float
    size: float


def find_jumps(line: Callable[[Array], Array], reach: float, noise: float) -> list[Jump]:
    """Discontinuities of φ within ±reach: the few that stand out most.

    Args:
        line: offsets t (N,) → φ(t) (N,), NaN where φ has no value.
        reach: how far to look.
        noise: the noise of φ: smaller jumps are not told from it.
    """
    t = np.linspace(-reach, reach, INTERVALS + 1)
    values = line(t)
    with np.errstate(invalid="ignore"):
        change = np.diff(values)
        expected = (4 * (change[1:-3] + change[3:-1]) - change[:-4] - change[4:]) / 6  # from the cubic through four neighbours
        departs = np.abs(change[2:-2] - expected)
    departs[~np.isfinite(departs)] = 0.0
    found: list[Jump] = []
    for k in np.argsort(-departs, kind="stable")[:SUSPECTS]:
        shown = float(departs[k])
        low, high = (float(t[k + 2]), float(values[k + 2])), (float(t[k + 3]), float(values[k + 3]))
        slope = float(expected[k]) / (high[0] - low[0])
        for _ in range(HALVINGS):
            middle = (low[0] + high[0]) / 2
            value = float(line(np.array([middle]))[0])
            if abs(value - low[1] - slope * (middle - low[0])) > abs(high[1] - value - slope * (high[0] - middle)):
                high = (middle, value)
            else:
                low = (middle, value)
        size = abs(high[1] - low[1])
        if size > REMAINS * shown and size > 30 * noise:
            found.append(Jump(low[0], size))
    return found
