"""Claimed against numeric → a verdict for one entry, from a ladder of steps on both sides of the point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.model import Status, Tolerance, Verdict
from gradcheck.numerics.extrapolation import CREDIBLE, Extrapolation, Plateau, extrapolate
from gradcheck.numerics.first_step import RESOLVED, SMALL
from gradcheck.numerics.stencils import RATIO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STAYS = 0.7  # a bend that keeps this share from one step to the next smaller one is a kink …
BEYOND_NOISE = 10.0  # … if it is this many times the noise
MAY_STAY, MAYBE_NOISE = 0.5, 5.0  # the same for a bend that casts doubt only
SAME = 0.2  # the disagreement at a kink is the same from rung to rung to within this share, …
ALIKE = 2 * SAME / (1 - SAME)  # … so that one is off the next by less than this
SMALLEST = 6  # how many of the smallest steps show whether φ jumps at 0, …
SETTLED = 1e-2  # … being this share of the jump apart
USUAL = 0.1  # steps up to this many natural scales leave f at its usual size, so that its rounding errors do not grow
MARGIN = 1.25  # a FAIL needs a gap larger than the tolerance by this multiple of the uncertainty


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one entry, the numeric value it rests on, and why."""

    verdict: Verdict
    status: Status
    value: float
    uncertainty: float
    step: float
    reason: str = ""
    left: float | None = None
    right: float | None = None


def judge(
    claimed: float,
    plus: Array,
    minus: Array,
    centre: float,
    steps: Array,
    *,
    resolution: float,
    quantum: float,
    scale: float,
    tolerance: Tolerance,
    reach: float = np.inf,
) -> Judgement:
    """Judge one entry from a ladder of steps.

    Args:
        claimed: the claimed derivative.
        plus, minus: φ(±h), (R,), NaN where f has no value.
        centre: φ(0).
        steps: h, (R,), falling by the ratio of the ladder.
        resolution: the spacing of representable values of f around φ(0).
        quantum: the smallest change of f ever seen, 0 if it never changed.
        scale: the size an ordinary entry has here.
        tolerance: what gap is accepted whatever the precision of f.
        reach: the step up to which f is taken to keep its usual size; its rounding errors grow beyond.
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        changes = np.abs(np.concatenate([plus - minus, plus - centre, minus - centre]))
        changes = changes[(changes > 0) & np.isfinite(changes)]
        if not changes.size and np.isfinite(plus).any():
            return _unchanged(claimed, resolution, float(steps[0]), scale, tolerance)
        unmoved = max(resolution, min([c for c in (quantum, float(changes.min(initial=np.inf))) if c > 0], default=0.0))
        amplitude = _amplitude(plus, minus, centre, steps, reach)
        floor = np.where(plus == minus, unmoved, resolution * amplitude) / (2 * steps)
        central = extrapolate((plus - minus) / (2 * steps), steps, floor, RATIO**2, amplitude)

    jump = _jump(plus - centre, minus - centre)
    if jump:
        reason = f"f jumps by {jump:.3g} at the point itself; {Status.JUMP.advice}"
        return Judgement(Verdict.INCONCLUSIVE, Status.JUMP, central.best.value, float("inf"), float(steps[-1]), reason)
    best, doubt = central.best, 0.0
    second = plus + minus - 2 * centre
    lone = not np.isfinite(best.uncertainty)  # central differences gave nothing: f may have values on one side only
    if lone or _may_persist(second, steps):
        forward, backward = _one_sided(plus, minus, centre, steps, floor, amplitude)
        if lone:
            side = min(forward, backward, key=lambda e: e.best.uncertainty)
            if np.isfinite(side.best.uncertainty):
                return _weigh(claimed, side.best, side.others, Status.ONE_SIDED, scale, tolerance)
        elif _differ(forward.best, backward.best) and _persists(second, steps, (forward.best, backward.best)):
            return _at_kink(claimed, forward.best, backward.best, tolerance)
    if not lone:
        sure, possible = _bends(second, steps, best.step, max(central.noise, resolution))
        doubt = best.uncertainty + possible
        best = Plateau(best.value, max(best.uncertainty, sure), best.step)
    return _weigh(claimed, best, central.others, Status.CONVERGED, scale, tolerance, doubt)


def _bends(second: Array, steps: Array, largest: float, noise: float) -> tuple[float, float]:
    """By how much kinks near the step `largest` may have moved the slope: half of what one-sided differences disagree.

    (φ(h) + φ(−h) − 2φ(0)) / h falls by the ratio of the steps where φ is smooth; where it stays, φ bends between two steps.

    Returns:
        A sure and a possible one: for kinks seen between steps up to `largest`, and for those that may be seen at it and from the
        next larger step as well.
    """
    with np.errstate(invalid="ignore"):
        bend = np.abs(second) / steps
        change = bend[1:] * steps[1:]
        below = (bend[1:] > STAYS * bend[:-1]) & (change > BEYOND_NOISE * noise) & (steps[:-1] <= 1.01 * largest)
        at = (bend[1:] > MAY_STAY * bend[:-1]) & (change > MAYBE_NOISE * noise) & (steps[1:] <= 1.01 * largest)
    return float(bend[1:][below].max(initial=0.0)) / 2, float(bend[1:][at].max(initial=0.0)) / 2


def _amplitude(plus: Array, minus: Array, centre: float, steps: Array, reach: float) -> Array:
    """How large f is at each step, in units of its size up to the step `reach`: (R,), at least 1, as errors of rounding grow."""
    size = np.fmax(np.fmax(np.abs(plus), np.abs(minus)), abs(centre))
    size = np.maximum.accumulate(np.where(np.isfinite(size), size, 0.0)[::-1])[::-1]
    usual = float(size[steps <= reach].max(initial=abs(centre)))
    return np.maximum(size / usual, 1.0) if usual > 0 else np.ones(steps.size)


def _jump(ahead: Array, behind: Array) -> float:
    """By how much φ jumps at 0, or 0: at the smallest steps one side keeps its distance from φ(0) and the other does not."""
    sides = [side[-SMALLEST:] for side in (ahead, behind) if side.size >= 2 * SMALLEST and np.isfinite(side).all()]
    if len(sides) < 2:
        return 0.0
    near, far = sorted(sides, key=lambda side: float(np.abs(side).max()))
    distance = abs(float(far[-1]))
    settled = distance > 0 and bool((np.abs(far - far[-1]) < SETTLED * distance).all())
    return distance if settled and float(np.abs(near).max()) < SETTLED * distance else 0.0


def _unchanged(claimed: float, resolution: float, step: float, scale: float, tolerance: Tolerance) -> Judgement:
    """f is the same at every step: its derivative is 0 to within its resolution over the largest one."""
    flat = Plateau(0.0, resolution / step, step)
    if claimed == 0:
        return Judgement(Verdict.PASS, Status.CONVERGED, flat.value, flat.uncertainty, step)
    return _weigh(claimed, flat, (), Status.CONVERGED, scale, tolerance)


def _allowed(claimed: float, value: float, tolerance: Tolerance) -> float:
    return tolerance.atol + tolerance.rtol * max(abs(claimed), abs(value))


def _weigh(
    claimed: float,
    best: Plateau,
    others: tuple[Plateau, ...],
    status: Status,
    scale: float,
    tolerance: Tolerance,
    doubt: float = 0.0,
) -> Judgement:
    """The verdict on a claim; doubt: an uncertainty that is no reason to let it pass, but one not to call it wrong."""
    value, uncertainty = best.value, best.uncertainty
    if not np.isfinite(uncertainty):
        return Judgement(
            Verdict.INCONCLUSIVE, Status.NON_FINITE, value, uncertainty, best.step, Status.NON_FINITE.advice
        )
    gap = abs(claimed - value)
    allowed = _allowed(claimed, value, tolerance)
    size = max(abs(claimed), abs(value))
    if gap <= allowed + uncertainty:
        if uncertainty <= max(RESOLVED * size, SMALL * scale, tolerance.atol):
            return Judgement(Verdict.PASS, status, value, uncertainty, best.step)
        weak = Status.BELOW_RESOLUTION if uncertainty > size else Status.NOISY
        return Judgement(Verdict.INCONCLUSIVE, weak, value, uncertainty, best.step, weak.advice)
    for other in others:
        if abs(claimed - other.value) <= other.uncertainty + _allowed(claimed, other.value, tolerance):
            reason = (
                f"steps near {best.step:.1g} say {value:.6g}, steps near {other.step:.1g} say {other.value:.6g} as claimed; "
                + Status.CONTRADICTORY.advice
            )
            wide = abs(other.value - value) + other.uncertainty
            return Judgement(Verdict.INCONCLUSIVE, Status.CONTRADICTORY, value, wide, best.step, reason)
    wide = max(uncertainty, doubt)
    if gap <= allowed + MARGIN * wide:
        return Judgement(Verdict.INCONCLUSIVE, Status.NOISY, value, wide, best.step, Status.NOISY.advice)
    return Judgement(Verdict.FAIL, status, value, uncertainty, best.step, "the gap persists when the step changes")


def _one_sided(
    plus: Array, minus: Array, centre: float, steps: Array, floor: Array, amplitude: Array
) -> tuple[Extrapolation, Extrapolation]:
    """The derivative on the right and on the left."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        ahead, behind = (plus - centre) / steps, (centre - minus) / steps
        return (
            extrapolate(ahead, steps, 2 * np.where(plus == centre, 2 * floor, floor), RATIO, amplitude),
            extrapolate(behind, steps, 2 * np.where(minus == centre, 2 * floor, floor), RATIO, amplitude),
        )


def _differ(right: Plateau, left: Plateau) -> bool:
    """Whether the one-sided derivatives contradict each other: a kink, or a jump, at the point itself."""
    gap = abs(right.value - left.value)
    return (
        bool(gap > 3 * (right.uncertainty + left.uncertainty))
        and max(right.uncertainty, left.uncertainty) < CREDIBLE * gap
    )


def _may_persist(second: Array, steps: Array) -> bool:
    """Whether one-sided differences disagree alike at four rungs in a row: else they need not be extrapolated to see it."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        bend = second / steps
        alike = np.abs(bend[1:] / bend[:-1] - 1.0) < ALIKE
    return bool((alike[:-2] & alike[1:-1] & alike[2:]).any())


def _persists(second: Array, steps: Array, sides: tuple[Plateau, Plateau]) -> bool:
    """Whether the one-sided differences disagree by the same amount at four rungs in a row (noise would not)."""
    gap = sides[0].value - sides[1].value
    with np.errstate(invalid="ignore"):
        same = np.abs(second / steps - gap) < SAME * abs(gap)
    return bool((same[:-3] & same[1:-2] & same[2:-1] & same[3:]).any())


def _at_kink(claimed: float, right: Plateau, left: Plateau, tolerance: Tolerance) -> Judgement:
    low, high = sorted((left, right), key=lambda side: side.value)
    middle, spread = (low.value + high.value) / 2, (high.value - low.value) / 2
    inside = (
        low.value - low.uncertainty - _allowed(claimed, low.value, tolerance)
        <= claimed
        <= high.value + high.uncertainty + _allowed(claimed, high.value, tolerance)
    )
    reason = (
        f"f has a kink here: the derivative is {left.value:.6g} on the left and {right.value:.6g} on the right; the claim "
        + ("lies between them" if inside else "lies outside of both")
    )
    verdict = Verdict.INCONCLUSIVE if inside else Verdict.FAIL
    step = min(left.step, right.step)
    spread += low.uncertainty + high.uncertainty
    return Judgement(verdict, Status.KINK, middle, spread, step, reason, left=left.value, right=right.value)
