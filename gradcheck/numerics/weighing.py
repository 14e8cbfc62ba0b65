"""A claim weighed against a numeric value and its uncertainty: the verdict, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.model import Status, Verdict
from gradcheck.numerics.first_step import RESOLVED, SMALL
from gradcheck.numerics.zero import NIL, ROUNDING

if TYPE_CHECKING:
    from gradcheck.model import Tolerance
    from gradcheck.numerics.extrapolation import Plateau
    from gradcheck.numerics.zero import Flat

TINY = 1e-2  # an entry below this share of what f's change over a natural step amounts to is small
SOLVED = 1e-8  # an entry below this share of what is ordinary may be the error of a solver, where 0 is claimed
COARSELY = 4096.0  # … of so many epsilon: in single precision an entry need not be known so well
COARSE = 1e-10  # a relative error of numbers above this is that of single precision, whose rounding is normal
MARGIN = 1.25  # a FAIL needs a gap larger than the tolerance by this multiple of the uncertainty, …
STATISTICAL = 3.2  # … or this, where that is a number of standard deviations, known from few samples
SHARPLY = 1e-4  # of a value: one known so well is no matter of statistics
ALMOST = 0.005  # of the way between two slopes


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


@dataclass(frozen=True, slots=True)
class Bar:
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


def weigh(
    claimed: float,
    best: Plateau,
    others: tuple[Plateau, ...],
    status: Status,
    bar: Bar,
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


def at_flat(claimed: float, flat: Flat, bar: Bar) -> Judgement:
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


def at_kink(claimed: float, right: Plateau, left: Plateau, bar: Bar) -> Judgement:
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
