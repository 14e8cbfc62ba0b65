"""Claimed against numeric → a verdict for one entry, from a ladder of steps on both sides of the point."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Status, Verdict
from gradcheck.numerics.extrapolation import CREDIBLE, Plateau, extrapolate
from gradcheck.numerics.smoothness import (
    amplitude_of,
    bends,
    differ,
    jump_at,
    may_persist,
    most_own_scale,
    one_sided,
    persists,
    roughest_below,
    unbent,
    unmoved,
)
from gradcheck.numerics.stencils import RATIO
from gradcheck.numerics.weighing import COARSE, Bar, Judgement, at_flat, at_kink, weigh
from gradcheck.numerics.zero import flat_but_for_rounding, flat_stretch, grain, natural_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.model import Tolerance
    from gradcheck.numerics.noise import Precision

    Array = NDArray[np.float64]

HARDLY = 16.0  # spacings of f's values: an f that changes by no more is hardly moved
NATURAL = 0.35  # of the natural scale: a step over which f shows what is ordinary
LASTING = 1e-4  # of the natural scale: a plateau that lasts so far is no piece of a function that jumps about
CONTRADICTS = 4.0  # times the rounding of a difference: so far from a value it says another
USUAL = 0.1  # steps up to this many natural scales leave f at its usual size, so that its rounding errors do not grow


def judge(
    claimed: float,
    plus: Array,
    minus: Array,
    centre: float,
    steps: Array,
    *,
    precision: Precision,
    scale: float,
    tolerance: Tolerance,
    reach: float = np.inf,
    natural: float = 0.0,
    epsilon: float = 0.0,
    lent: float = 0.0,
) -> Judgement:
    """Judge one entry from a ladder of steps.

    Args:
        claimed: the claimed derivative.
        plus, minus: φ(±h), (R,), NaN where f has no value.
        centre: φ(0).
        steps: h, (R,), falling by the ratio of the ladder.
        precision: of f, as measured around φ(0).
        scale: the size an ordinary entry has here.
        tolerance: what gap is accepted whatever the precision of f.
        reach: the step up to which f is taken to keep its usual size; its rounding errors grow beyond.
        natural: the natural scale of the variable, over which f shows what an ordinary entry is; 0 for `scale` alone.
        epsilon: relative error of the numbers that the claim is computed with.
        lent: what f changes by, per step, over steps that suit other variables: what is rounding against that is no mistake.
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        resolution, quantum = precision.resolution, precision.quantum
        noise = max(precision.noise, resolution)
        own = natural_size(plus, minus, centre, steps, NATURAL * natural, noise) if natural else 0.0
        bar = Bar(tolerance, scale, own, epsilon, lent)
        flat = (
            flat_stretch(plus, minus, centre, steps, natural, resolution, noise, quantum)
            if np.isfinite(centre)
            else None
        )
        if flat is not None:
            hardly = float(np.nanmax(np.abs(np.concatenate([plus, minus]) - centre))) <= HARDLY * resolution
            if natural and (hardly if np.isfinite(flat.end) else not bar.scale(0.0)):
                bar = replace(bar, ordinary=abs(centre) / natural)  # nothing moves f: its own size is all there is
            return at_flat(claimed, flat, bar)
        resolution = max(resolution, grain(plus, minus, centre))
        still = unmoved(plus, minus, centre, resolution, quantum)
        amplitude = amplitude_of(plus, minus, centre, steps, reach)
        floor = np.where(plus == minus, still, resolution * amplitude) / (2 * steps)
        lasting = LASTING * natural if natural else np.inf
        known = (precision.sigma, precision.samples) if epsilon > COARSE and precision.samples else None
        central = extrapolate((plus - minus) / (2 * steps), steps, floor, RATIO**2, amplitude, lasting, known)
        rounded = flat_but_for_rounding(plus, minus, centre, steps, natural, resolution) if natural else None
        if rounded is not None and not bar.scale(0.0):  # as above: nothing but its rounding moves f
            return at_flat(claimed, rounded, replace(bar, ordinary=abs(centre) / natural))

    jump = jump_at(plus - centre, minus - centre, resolution)
    if jump:
        reason = f"f jumps by {jump:.3g} at the point itself"
        return Judgement(Verdict.INCONCLUSIVE, Status.JUMP, central.best.value, float("inf"), float(steps[-1]), reason)
    best = central.best
    second = plus + minus - 2 * centre
    bar = replace(bar, own=min(bar.own, most_own_scale(best, plus - centre, minus - centre, steps, NATURAL * natural)))
    lone = not np.isfinite(best.uncertainty)  # central differences gave nothing: f may have values on one side only
    if lone or may_persist(second, steps):
        forward, backward = one_sided(plus, minus, centre, steps, floor, amplitude)
        if lone:
            side = min(forward, backward, key=lambda e: e.best.uncertainty)
            if np.isfinite(side.best.uncertainty):
                return weigh(claimed, side.best, side.others, Status.ONE_SIDED, bar)
        elif differ(forward.best, backward.best) and persists(second, steps, (forward.best, backward.best)):
            return at_kink(claimed, forward.best, backward.best, bar)
    if lone:
        return weigh(claimed, best, central.others, Status.CONVERGED, bar)
    sure, possible = bends(second, (plus != centre) | (minus != centre), steps, best.step, resolution, noise)
    if sure is not None:
        bent = Plateau(best.value, max(best.uncertainty, sure[0]), best.step, blurred=False)
        best = min(bent, central.below(sure[1]), key=lambda plateau: plateau.uncertainty)
    closer = unbent(central.below(possible[1]), second, steps) if possible is not None else None
    judgement = weigh(claimed, best, central.others, Status.CONVERGED, bar, possible and possible[0], closer)
    lost = judgement.status is Status.BELOW_RESOLUTION
    if lost and rounded is not None and abs(claimed) <= 2 * resolution / rounded.distance:
        return at_flat(claimed, rounded, bar)
    if judgement.verdict is Verdict.FAIL:
        moved = np.where(plus == minus, np.nan, plus - minus) / (2 * steps)
        blur = 2 * max(noise, resolution) if known is None else max(known[0], resolution / 2)
        nearer = _nearer(claimed, best, moved, steps, blur * amplitude / steps, bar)
        if nearer is not None:
            return replace(judgement, verdict=Verdict.INCONCLUSIVE, **nearer)
        broken = roughest_below(plus - minus, second, steps, best.step, resolution)
        if broken:
            sides = zip(("right", "left"), one_sided(plus, minus, centre, steps, floor, amplitude), strict=True)
            return _excused(judgement, claimed, [(name, side.best) for name, side in sides], broken, bar)
    return judgement


def _nearer(
    claimed: float, best: Plateau, central: Array, steps: Array, rounding: Array, bar: Bar
) -> dict[str, Any] | None:
    """What keeps a claim from being wrong if smaller steps contradict the value by more than their rounding, and it agrees there.

    Where f bends or jumps at many places a plateau may be an accident of two of them.
    """
    blurred = CONTRADICTS * rounding
    apart = np.abs(central - best.value) - best.uncertainty > blurred
    rungs = np.flatnonzero(apart & (steps < best.step) & (2 * blurred < abs(claimed - best.value)))
    if not rungs.size:
        return None
    k = int(rungs[-1])
    value, spread = float(central[k]), float(blurred[k])
    if bar.refutes(claimed, Plateau(value, spread, float(steps[k]))):
        return None
    reason = (
        f"steps near {best.step:.1g} say {best.value:.6g}, steps near {steps[k]:.1g} say {value:.3g} ± {spread:.1g} as claimed; "
        + Status.CONTRADICTORY.advice
    )
    wide = abs(value - best.value) + spread
    return {"status": Status.CONTRADICTORY, "uncertainty": wide, "reason": reason}


def _excused(
    judgement: Judgement, claimed: float, sides: list[tuple[str, Plateau]], distance: float, bar: Bar
) -> Judgement:
    """No claim is wrong that has the derivative on one side of a jump or bend which is as near as f can show."""
    for name, side in sides:
        credible = side.uncertainty < CREDIBLE * abs(side.value - judgement.value)
        if credible and abs(claimed - side.value) <= side.uncertainty + bar.allowed(claimed, side.value):
            reason = (
                f"f jumps or bends within {distance:.1g} of the point, and smaller steps are lost in its noise; "
                f"the derivative on the {name} is {side.value:.6g}, as claimed"
            )
            wide = abs(side.value - judgement.value) + side.uncertainty
            return replace(
                judgement, verdict=Verdict.INCONCLUSIVE, status=Status.UNSETTLED, uncertainty=wide, reason=reason
            )
    return judgement
