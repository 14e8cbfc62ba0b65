"""What the values along a ladder of steps say of f beside its slope: whether it jumps, bends or has a kink, and where.

φ(h) is f along a line through the point; a ladder has φ(h) and φ(−h) at falling steps h.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.numerics.extrapolation import CREDIBLE, extrapolate
from gradcheck.numerics.stencils import RATIO
from gradcheck.numerics.zero import REGULAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.numerics.extrapolation import Extrapolation, Plateau

    Array = NDArray[np.float64]

STAYS = 0.7  # a bend that keeps this share from one step to the next smaller one is a kink …
BEYOND_NOISE = 10.0  # … if it is this many times the noise
MAY_STAY, MAYBE_NOISE = 0.5, 5.0  # the same for a bend that casts doubt only
SAME = 0.2  # the disagreement at a kink is the same from rung to rung to within this share, …
ALIKE = 2 * SAME / (1 - SAME)  # … so that one is off the next by less than this
ONCE_MORE = 1.5  # … and does not grow by more than this, as the rounding of f over smaller steps does
BELOW = 3  # rungs below a bend that show what noise there is
SMALLEST = 6  # how many of the smallest steps show whether φ jumps at 0, …
SETTLED = 1e-2  # … being this share of the jump apart
LEAP = 100.0  # spacings of f's values: less is rounding
UNEVEN = 0.3  # of what f changes by: by more its two sides do not differ where it is smooth and the step small


def jump_at(ahead: Array, behind: Array, resolution: float) -> float:
    """By how much φ jumps at 0, or 0: at the smallest steps one side keeps its distance, and the other its own or none."""
    sides = [side[-SMALLEST:] for side in (ahead, behind) if side.size >= 2 * SMALLEST and np.isfinite(side).all()]
    if len(sides) < 2:
        return 0.0
    near, far = sorted(sides, key=lambda side: abs(float(side[-1])))
    distance = abs(float(far[-1]))

    def settled(side: Array) -> bool:
        return bool((np.abs(side - side[-1]) < SETTLED * distance).all())

    return distance if distance > LEAP * resolution and settled(far) and settled(near) else 0.0


def one_sided(
    plus: Array, minus: Array, centre: float, steps: Array, floor: Array, amplitude: Array
) -> tuple[Extrapolation, Extrapolation]:
    """The derivative on the right and on the left."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        ahead, behind = (plus - centre) / steps, (centre - minus) / steps
        return (
            extrapolate(ahead, steps, 2 * np.where(plus == centre, 2 * floor, floor), RATIO, amplitude),
            extrapolate(behind, steps, 2 * np.where(minus == centre, 2 * floor, floor), RATIO, amplitude),
        )


def differ(right: Plateau, left: Plateau) -> bool:
    """Whether the one-sided derivatives contradict each other: a kink, or a jump, at the point itself."""
    gap = abs(right.value - left.value)
    return (
        bool(gap > 3 * (right.uncertainty + left.uncertainty))
        and max(right.uncertainty, left.uncertainty) < CREDIBLE * gap
    )


def may_persist(second: Array, steps: Array) -> bool:
    """Whether one-sided differences disagree alike at four rungs in a row: else they need not be extrapolated to see it."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        bend = second / steps
        alike = np.abs(bend[1:] / bend[:-1] - 1.0) < ALIKE
    return bool((alike[:-2] & alike[1:-1] & alike[2:]).any())


def persists(second: Array, steps: Array, sides: tuple[Plateau, Plateau]) -> bool:
    """Whether the one-sided differences disagree by the same amount at four rungs in a row (noise would not)."""
    gap = sides[0].value - sides[1].value
    with np.errstate(invalid="ignore"):
        same = np.abs(second / steps - gap) < SAME * abs(gap)
    return bool((same[:-3] & same[1:-2] & same[2:-1] & same[3:]).any())


def bends(
    second: Array, moves: NDArray[np.bool_], steps: Array, largest: float, resolution: float, known: float
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """By how much kinks near the step `largest` may have moved the slope: half of what one-sided differences disagree.

    (φ(h) + φ(−h) − 2φ(0)) / h falls by the ratio of the steps where φ is smooth; where it stays, φ bends between two steps.
    Where it grows as the steps fall, it is the rounding of f, and where smaller steps at which φ moves show as much; where these
    are few, the noise of f that is known of says what rounding is.

    Returns:
        A sure one and a possible one, each with the smallest step at which it shows, or None: for kinks seen between steps up to
        `largest`, and for those that may be seen at it and from the next larger step as well.
    """
    with np.errstate(invalid="ignore"):
        bend = np.abs(second) / steps
        change = bend[1:] * steps[1:]
        noise = np.full(change.size, np.inf)  # at the smallest rungs nothing can be told from it
        seen = np.fmax.accumulate(np.where(moves, np.abs(second), 0.0)[::-1])[::-1]
        enough = np.cumsum(moves[::-1])[::-1] >= BELOW
        noise[: max(0, change.size - BELOW)] = np.where(enough, np.fmax(seen, resolution), np.fmax(seen, 4 * known))[
            BELOW + 1 :
        ]
        once = bend[1:] < ONCE_MORE * bend[:-1]
        below = (bend[1:] > STAYS * bend[:-1]) & once & (change > BEYOND_NOISE * noise) & (steps[:-1] <= 1.01 * largest)
        at = (bend[1:] > MAY_STAY * bend[:-1]) & once & (change > MAYBE_NOISE * noise) & (steps[1:] <= 1.01 * largest)

    def worst(where: NDArray[np.bool_]) -> tuple[float, float] | None:
        rungs = np.flatnonzero(where)
        return (float(bend[1:][rungs].max()) / 2, float(steps[1:][rungs[-1]])) if rungs.size else None

    return worst(below), worst(at)


def unbent(seen: Plateau, second: Array, steps: Array) -> Plateau:
    """What is seen closer to the point than a bend, which may show there still, half of what one-sided differences disagree."""
    k = int(np.argmin(np.abs(steps - seen.step)))
    bend, above = np.abs(second[[k, max(k - 1, 0)]]) / steps[[k, max(k - 1, 0)]]
    return replace(seen, uncertainty=seen.uncertainty + bend / 2) if bend > MAY_STAY * above else seen


def roughest_below(change: Array, second: Array, steps: Array, chosen: float, resolution: float) -> float:
    """The smallest step, below the one chosen, at which f is no smooth function of the step; 0 if there is none.

    There the two sides differ by a good part of what they change, and by more than rounding.
    """
    uneven = np.abs(second) > UNEVEN * np.maximum(np.abs(change), LEAP * resolution)
    rungs = np.flatnonzero(uneven & (steps < chosen))
    return float(steps[rungs[-1]]) if rungs.size else 0.0


def unmoved(plus: Array, minus: Array, centre: float, resolution: float, quantum: float) -> float:
    """What f may have changed by where it did not: the smallest change seen of it, and no less than its resolution."""
    changes = np.abs(np.concatenate([plus - minus, plus - centre, minus - centre]))
    changes = changes[(changes > 0) & np.isfinite(changes)]
    return max(resolution, min([c for c in (quantum, float(changes.min(initial=np.inf))) if c > 0], default=0.0))


def amplitude_of(plus: Array, minus: Array, centre: float, steps: Array, reach: float) -> Array:
    """How large f is at each step, in units of its size up to the step `reach`: (R,), at least 1, as errors of rounding grow."""
    size = np.fmax(np.fmax(np.abs(plus), np.abs(minus)), abs(centre))
    size = np.maximum.accumulate(np.where(np.isfinite(size), size, 0.0)[::-1])[::-1]
    usual = float(size[steps <= reach].max(initial=abs(centre)))
    return np.maximum(size / usual, 1.0) if usual > 0 else np.ones(steps.size)


def most_own_scale(best: Plateau, ahead: Array, behind: Array, steps: Array, natural: float) -> float:
    """The most that the own scale of a derivative may be, given the step it is seen at.

    What f does far from the point is no scale of a derivative that is seen near it.  Where it is not seen but from afar, what f
    does nearer to the point is its noise.
    """
    near = int(np.argmin(np.abs(steps - best.step)))
    change, second = float(np.fmax(abs(ahead[near]), abs(behind[near]))), abs(float(ahead[near] + behind[near]))
    most = np.inf
    if abs(best.value) > best.uncertainty:
        most = REGULAR * (second / float(steps[near])) * (natural / float(steps[near]))  # the step squared may be 0
    elif best.step > natural:
        most = change / float(steps[near])
    return most if np.isfinite(most) else np.inf
