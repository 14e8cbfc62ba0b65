"""Claimed against numeric → a verdict for one entry, from a ladder of steps on both sides of the point.

It is long because the cases of one decision stand together, in the order in which they are asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Status, Verdict
from gradcheck.numerics.extrapolation import CREDIBLE, Plateau, extrapolate
from gradcheck.numerics.first_step import RESOLVED, SMALL
from gradcheck.numerics.stencils import RATIO
from gradcheck.numerics.zero import (
    NIL,
    REGULAR,
    ROUNDING,
    flat_but_for_rounding,
    flat_stretch,
    grain,
    natural_size,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.model import Tolerance
    from gradcheck.numerics.extrapolation import Extrapolation
    from gradcheck.numerics.noise import Precision
    from gradcheck.numerics.zero import (
        Flat,
    )

    Array = NDArray[np.float64]

STAYS = 0.7  # a bend that keeps this share from one step to the next smaller one is a kink …
BEYOND_NOISE = 10.0  # … if it is this many times the noise
MAY_STAY, MAYBE_NOISE = 0.5, 5.0  # the same for a bend that casts doubt only
ALMOST = 0.005  # of the way between two slopes
SAME = 0.2  # the disagreement at a kink is the same from rung to rung to within this share, …
ALIKE = 2 * SAME / (1 - SAME)  # … so that one is off the next by less than this
ONCE_MORE = 1.5  # … and does not grow by more than this, as the rounding of f over smaller steps does
BELOW = 3  # rungs below a bend that show what noise there is
SMALLEST = 6  # how many of the smallest steps show whether φ jumps at 0, …
UNEVEN = 0.3  # of what f changes by: by more its two sides do not differ where it is smooth and the step small
LEAP = 100.0  # spacings of f's values: less is rounding …
HARDLY = 16.0  # spacings of f's values: an f that changes by no more is hardly moved
SETTLED = 1e-2  # … being this share of the jump apart
NATURAL = 0.35  # of the natural scale: a step over which f shows what is ordinary
LASTING = 1e-4  # of the natural scale: a plateau that lasts so far is no piece of a function that jumps about
CONTRADICTS = 4.0  # times the rounding of a difference: so far from a value it says another
TINY = 1e-2  # an entry below this share of what f's change over a natural step amounts to is small
USUAL = 0.1  # steps up to this many natural scales leave f at its usual size, so that its rounding errors do not grow
SOLVED = 1e-8  # an entry below this share of what is ordinary may be the error of a solver, where 0 is claimed
COARSELY = 4096.0  # … of so many epsilon: in single precision an entry need not be known so well
COARSE = 1e-10  # a relative error of numbers above this is that of single precision, whose rounding is normal
MARGIN = 1.25  # a FAIL needs a gap larger than the tolerance by this multiple of the uncertainty, …
STATISTICAL = 3.2  # … or this, where that is a number of standard deviations, known from few samples
SHARPLY = 1e-4  # of a value: one known so well is no matter of statistics


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one entry, the numeric value it rests on, and why.

    left, right: the one-sided derivatives where they differ.
    own: the scale that f's change over a natural step gives the entry; inf where f is flat and the derivative known exactly.
    """

    verdict: Verdict
    status: Status
    value: float
    uncertainty: float
    step: float
    reason: str = ""
    left: float | None = None
    right: float | None = None
    own: float = 0.0


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
        bar = _Bar(tolerance, scale, own, epsilon, lent)
        flat = (
            flat_stretch(plus, minus, centre, steps, natural, resolution, noise, quantum)
            if np.isfinite(centre)
            else None
        )
        if flat is not None:
            hardly = float(np.nanmax(np.abs(np.concatenate([plus, minus]) - centre))) <= HARDLY * resolution
            if natural and (hardly if np.isfinite(flat.end) else not bar.scale(0.0)):
                bar = replace(bar, ordinary=abs(centre) / natural)  # nothing moves f: its own size is all there is
            return _at_flat(claimed, flat, bar)
        resolution = max(resolution, grain(plus, minus, centre))
        unmoved = _unmoved(plus, minus, centre, resolution, quantum)
        amplitude = _amplitude(plus, minus, centre, steps, reach)
        floor = np.where(plus == minus, unmoved, resolution * amplitude) / (2 * steps)
        lasting = LASTING * natural if natural else np.inf
        known = (precision.sigma, precision.samples) if epsilon > COARSE and precision.samples else None
        central = extrapolate((plus - minus) / (2 * steps), steps, floor, RATIO**2, amplitude, lasting, known)
        rounded = flat_but_for_rounding(plus, minus, centre, steps, natural, resolution) if natural else None
        if rounded is not None and not bar.scale(0.0):  # as above: nothing but its rounding moves f
            return _at_flat(claimed, rounded, replace(bar, ordinary=abs(centre) / natural))

    jump = _jump(plus - centre, minus - centre, resolution)
    if jump:
        reason = f"f jumps by {jump:.3g} at the point itself"
        return Judgement(Verdict.INCONCLUSIVE, Status.JUMP, central.best.value, float("inf"), float(steps[-1]), reason)
    best = central.best
    second = plus + minus - 2 * centre
    bar = replace(bar, own=min(bar.own, _seen_from(best, plus - centre, minus - centre, steps, NATURAL * natural)))
    lone = not np.isfinite(best.uncertainty)  # central differences gave nothing: f may have values on one side only
    if lone or _may_persist(second, steps):
        forward, backward = _one_sided(plus, minus, centre, steps, floor, amplitude)
        if lone:
            side = min(forward, backward, key=lambda e: e.best.uncertainty)
            if np.isfinite(side.best.uncertainty):
                return _weigh(claimed, side.best, side.others, Status.ONE_SIDED, bar)
        elif _differ(forward.best, backward.best) and _persists(second, steps, (forward.best, backward.best)):
            return _at_kink(claimed, forward.best, backward.best, bar)
    if lone:
        return _weigh(claimed, best, central.others, Status.CONVERGED, bar)
    sure, possible = _bends(second, (plus != centre) | (minus != centre), steps, best.step, resolution, noise)
    if sure is not None:
        bent = Plateau(best.value, max(best.uncertainty, sure[0]), best.step, blurred=False)
        best = min(bent, central.below(sure[1]), key=lambda plateau: plateau.uncertainty)
    closer = _unbent(central.below(possible[1]), second, steps) if possible is not None else None
    judgement = _weigh(claimed, best, central.others, Status.CONVERGED, bar, possible and possible[0], closer)
    lost = judgement.status is Status.BELOW_RESOLUTION
    if lost and rounded is not None and abs(claimed) <= 2 * resolution / rounded.distance:
        return _at_flat(claimed, rounded, bar)
    if judgement.verdict is Verdict.FAIL:
        moved = np.where(plus == minus, np.nan, plus - minus) / (2 * steps)
        blur = 2 * max(noise, resolution) if known is None else max(known[0], resolution / 2)
        nearer = _nearer(claimed, best, moved, steps, blur * amplitude / steps, bar)
        if nearer is not None:
            return replace(judgement, verdict=Verdict.INCONCLUSIVE, **nearer)
        broken = _broken(plus - minus, second, steps, best.step, resolution)
        if broken:
            sides = zip(("right", "left"), _one_sided(plus, minus, centre, steps, floor, amplitude), strict=True)
            return _excused(judgement, claimed, [(name, side.best) for name, side in sides], broken, bar)
    return judgement


def _seen_from(best: Plateau, ahead: Array, behind: Array, steps: Array, natural: float) -> float:
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


def _unbent(seen: Plateau, second: Array, steps: Array) -> Plateau:
    """What is seen closer to the point than a bend, which may show there still, half of what one-sided differences disagree."""
    k = int(np.argmin(np.abs(steps - seen.step)))
    bend, above = np.abs(second[[k, max(k - 1, 0)]]) / steps[[k, max(k - 1, 0)]]
    return replace(seen, uncertainty=seen.uncertainty + bend / 2) if bend > MAY_STAY * above else seen


def _nearer(
    claimed: float, best: Plateau, central: Array, steps: Array, rounding: Array, bar: _Bar
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


def _broken(change: Array, second: Array, steps: Array, chosen: float, resolution: float) -> float:
    """The smallest step, below the one chosen, at which f is no smooth function of the step; 0 if there is none.

    There the two sides differ by a good part of what they change, and by more than rounding.
    """
    uneven = np.abs(second) > UNEVEN * np.maximum(np.abs(change), LEAP * resolution)
    rungs = np.flatnonzero(uneven & (steps < chosen))
    return float(steps[rungs[-1]]) if rungs.size else 0.0


def _excused(
    judgement: Judgement, claimed: float, sides: list[tuple[str, Plateau]], distance: float, bar: _Bar
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


def _unmoved(plus: Array, minus: Array, centre: float, resolution: float, quantum: float) -> float:
    """What f may have changed by where it did not: the smallest change seen of it, and no less than its resolution."""
    changes = np.abs(np.concatenate([plus - minus, plus - centre, minus - centre]))
    changes = changes[(changes > 0) & np.isfinite(changes)]
    return max(resolution, min([c for c in (quantum, float(changes.min(initial=np.inf))) if c > 0], default=0.0))


def _bends(
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


def _amplitude(plus: Array, minus: Array, centre: float, steps: Array, reach: float) -> Array:
    """How large f is at each step, in units of its size up to the step `reach`: (R,), at least 1, as errors of rounding grow."""
    size = np.fmax(np.fmax(np.abs(plus), np.abs(minus)), abs(centre))
    size = np.maximum.accumulate(np.where(np.isfinite(size), size, 0.0)[::-1])[::-1]
    usual = float(size[steps <= reach].max(initial=abs(centre)))
    return np.maximum(size / usual, 1.0) if usual > 0 else np.ones(steps.size)


def _jump(ahead: Array, behind: Array, resolution: float) -> float:
    """By how much φ jumps at 0, or 0: at the smallest steps one side keeps its distance, and the other its own or none."""
    sides = [side[-SMALLEST:] for side in (ahead, behind) if side.size >= 2 * SMALLEST and np.isfinite(side).all()]
    if len(sides) < 2:
        return 0.0
    near, far = sorted(sides, key=lambda side: abs(float(side[-1])))
    distance = abs(float(far[-1]))

    def settled(side: Array) -> bool:
        return bool((np.abs(side - side[-1]) < SETTLED * distance).all())

    return distance if distance > LEAP * resolution and settled(far) and settled(near) else 0.0


@dataclass(frozen=True, slots=True)
class _Bar:
    """What a claim is measured by: the tolerance, and the scale of an entry, which says what is nothing there.

    ordinary: the size of an ordinary entry of the derivative.
    own: what f's change over a natural step amounts to.
    """

    tolerance: Tolerance
    ordinary: float
    own: float
    epsilon: float
    lent: float

    def scale(self, size: float) -> float:
        """The scale of an entry of this size: its own if it is small against it."""
        return max(self.ordinary, self.own if size < TINY * self.own else 0.0)

    def allowed(self, claimed: float, value: float) -> float:
        """The gap that is accepted: the tolerance, and the rounding of the claim."""
        size = max(abs(claimed), abs(value))
        rounding = ROUNDING * self.epsilon * max(self.scale(size), self.lent)
        return self.tolerance.atol + max(self.tolerance.rtol * size, rounding)

    def margin(self, value: float, uncertainty: float) -> float:
        """By what multiple of its uncertainty a value has to be exceeded to refute a claim."""
        return STATISTICAL if self.epsilon > COARSE and uncertainty > SHARPLY * abs(value) else MARGIN

    def is_nothing(self, claimed: float, best: Plateau) -> bool:
        """Whether the derivative is 0 as far as f can tell, and the claim as far as its rounding can."""
        size = max(abs(claimed), abs(best.value))
        return abs(best.value) <= best.uncertainty and abs(claimed) <= self.epsilon**NIL * self.scale(size)

    def refutes(self, claimed: float, seen: Plateau) -> bool:
        """Whether a value excludes the claim."""
        return (
            abs(claimed - seen.value)
            > self.allowed(claimed, seen.value) + self.margin(seen.value, seen.uncertainty) * seen.uncertainty
        )

    def is_negligible(self, claimed: float, value: float) -> bool:
        """Whether 0 is claimed where f changes by what may well be the tolerance it is computed to."""
        nil = abs(claimed) <= self.epsilon**NIL * self.ordinary
        return nil and abs(value) <= SOLVED * self.ordinary

    def would_show(self, uncertainty: float, size: float) -> bool:
        """Whether an uncertainty is small enough to have seen a real mistake."""
        small = max(SMALL, COARSELY * self.epsilon)
        return uncertainty <= max(RESOLVED * size, small * self.scale(size), self.tolerance.atol)


def _at_flat(claimed: float, flat: Flat, bar: _Bar) -> Judgement:
    """f is the same up to some distance: its derivative is 0 to within its resolution over that."""
    size, scale = abs(claimed), bar.scale(abs(claimed))
    if size <= max(bar.epsilon**NIL * scale, flat.uncertainty) + bar.tolerance.atol:
        if bar.would_show(flat.uncertainty, size) or not scale:
            return Judgement(Verdict.PASS, Status.CONVERGED, 0.0, flat.uncertainty, flat.distance, own=np.inf)
        lost = Status.BELOW_RESOLUTION
        return Judgement(Verdict.INCONCLUSIVE, lost, 0.0, flat.uncertainty, flat.distance, lost.advice)
    for slope, spread in flat.trends:
        if abs(claimed - slope) <= spread:
            reason = f"{flat.sentence}; over many such changes its slope is {slope:.3g} ± {spread:.1g}, as claimed"
            return Judgement(Verdict.INCONCLUSIVE, Status.CONTRADICTORY, 0.0, size, flat.distance, reason, own=np.inf)
    return Judgement(Verdict.FAIL, Status.CONVERGED, 0.0, flat.uncertainty, flat.distance, flat.sentence, own=np.inf)


def _weigh(
    claimed: float,
    best: Plateau,
    others: tuple[Plateau, ...],
    status: Status,
    bar: _Bar,
    doubt: float | None = None,
    closer: Plateau | None = None,
) -> Judgement:
    """The verdict on a claim.

    doubt: an uncertainty that is no reason to let it pass, but one not to call it wrong, unless what is seen `closer` to the
        point does as well.
    """
    value, uncertainty = best.value, best.uncertainty
    if not np.isfinite(uncertainty):
        return Judgement(
            Verdict.INCONCLUSIVE, Status.NON_FINITE, value, uncertainty, best.step, Status.NON_FINITE.advice
        )
    gap = abs(claimed - value)
    allowed = bar.allowed(claimed, value)
    size = max(abs(claimed), abs(value))
    if gap <= allowed + uncertainty or bar.is_nothing(claimed, best):
        if bar.would_show(uncertainty, size):
            return Judgement(
                Verdict.PASS, status, value, uncertainty, best.step, own=bar.own if size < TINY * bar.own else 0.0
            )
        weak = Status.BELOW_RESOLUTION if uncertainty > size else Status.NOISY
        weak = weak if best.blurred else Status.UNSETTLED
        return Judgement(Verdict.INCONCLUSIVE, weak, value, uncertainty, best.step, weak.advice)
    for other in others:
        if abs(claimed - other.value) <= other.uncertainty + bar.allowed(claimed, other.value):
            reason = (
                f"steps near {best.step:.1g} say {value:.6g}, steps near {other.step:.1g} say {other.value:.6g} as claimed; "
                + Status.CONTRADICTORY.advice
            )
            wide = abs(other.value - value) + other.uncertainty
            return Judgement(Verdict.INCONCLUSIVE, Status.CONTRADICTORY, value, wide, best.step, reason)
    wide, weak = uncertainty, Status.NOISY if best.blurred else Status.UNSETTLED
    if doubt is not None and (closer is None or not bar.refutes(claimed, closer)):
        wide, weak = wide + doubt, Status.UNSETTLED
    if gap <= allowed + bar.margin(value, wide) * wide:
        return Judgement(Verdict.INCONCLUSIVE, weak, value, wide, best.step, weak.advice)
    if bar.is_negligible(claimed, value):
        reason = (
            f"0 is claimed, {value:.2g} measured: {abs(value) / bar.ordinary:.1g} of what is ordinary here. If that is the "
            f"tolerance of a solver, tighten it; else say with atol={2 * abs(value):.0e} that it is nothing"
        )
        return Judgement(Verdict.INCONCLUSIVE, Status.NEGLIGIBLE, value, wide, best.step, reason)
    return Judgement(Verdict.FAIL, status, value, uncertainty, best.step)


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


def _at_kink(claimed: float, right: Plateau, left: Plateau, bar: _Bar) -> Judgement:
    low, high = sorted((left, right), key=lambda side: side.value)
    middle, spread = (low.value + high.value) / 2, (high.value - low.value) / 2
    inside = (
        low.value - low.uncertainty - bar.allowed(claimed, low.value)
        <= claimed
        <= high.value + high.uncertainty + bar.allowed(claimed, high.value)
    )
    reason = (
        f"f has a kink here: the derivative is {left.value:.6g} on the left and {right.value:.6g} on the right; "
        f"the claim {_place(claimed, left, right) if inside else 'lies outside of both'}"
    )
    verdict = Verdict.INCONCLUSIVE if inside else Verdict.FAIL
    step = min(left.step, right.step)
    spread += low.uncertainty + high.uncertainty
    return Judgement(verdict, Status.KINK, middle, spread, step, reason, left=left.value, right=right.value)


def _place(claimed: float, left: Plateau, right: Plateau) -> str:
    """Where a claim lies between the one-sided derivatives, in words."""
    share = (claimed - left.value) / (right.value - left.value)
    for name, at in ("is the left one", 0.0), ("is the right one", 1.0), ("is their mean", 0.5):
        if abs(share - at) < ALMOST:
            return name
    return f"lies between them, {100 * share:.0f} % of the way from left to right"
