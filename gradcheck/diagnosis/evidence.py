"""What is known when a claim has failed, and how much of it a hypothesis explains.

A hypothesis predicts the numeric values from the claimed ones.  It is believed if its predictions lie within the
uncertainties where a wrong one would lie anywhere in the gap: the narrower the uncertainty beside the gap, and the more
entries, the less can that be chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import DiagnosisKind, Kind, Tolerance
from gradcheck.variables.places import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

CHANCE = math.log(1e-3)  # a hypothesis that would hold by chance more often than this is not believed
UNRESOLVED, SMALL = 1e-2, 1e-4  # an uncertainty above this share of the entry, and of the largest, says nothing of it
ROUNDINGS = 8  # roundings that claim and prediction may differ by, in units of epsilon
SIMPLE = 4.0  # of how many laws a simple one is one: sign, 2, 1/2
ALIKE = 1e-7  # entries that differ by less than this share are equal
POORLY = 0.1  # a fitted parameter is well determined if it is known to this share of its effect
WHOLE = 2**26  # entries of a derivative that laws may look at all at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A claim that has failed, as far as it is known.

    claimed, numeric, uncertainty: one value for each known entry, (N,), float64.
    entry: flat row-major index of each known entry into the derivative, (N,); not every entry need be known.
    wrong: the entries judged FAIL, (N,).
    places: the entries of the derivative; its shape is that of x for a gradient, (rows, columns) for a Jacobian or Hessian.
    x: the point, flat.
    epsilon: the machine epsilon of its dtype.
    claim_at: the claimed derivative, flat and complete, at another flat point; None if that is costly.
    elsewhere: the same facts at a second point; called once at most, and only to confirm a hypothesis that explains all.
    suspects: terms named by the user, as flat vectors of the derivative's size.
    """

    claimed: Array
    numeric: Array
    uncertainty: Array
    entry: NDArray[np.int64]
    wrong: Mask
    places: Places
    x: Array
    kind: Kind = Kind.GRADIENT
    epsilon: float = float(np.finfo(np.float64).eps)
    tolerance: Tolerance
    claim_at: Callable[[Array], Array] | None = None
    elsewhere: Callable[[], Mismatch | None] | None = None
    suspects: Mapping[str, Array] = field(default_factory=dict)


class Facts:
    """A mismatch with what follows from it: gaps, windows, and the complete claim.

    strict, loose: how far a right prediction may lie from the numeric value, without and with the tolerance, (N,).
    blind: entries that could be wrong for all that is known, (N,).
    mirrored: entries below the diagonal of a Hessian that repeat those above it: no evidence of their own, (N,).
    visible: entries that are off measurably, but were not judged wrong, (N,).
    """

    def __init__(self, mismatch: Mismatch) -> None:
        self.mismatch = mismatch
        known = np.isfinite(mismatch.claimed) & np.isfinite(mismatch.numeric) & np.isfinite(mismatch.uncertainty)
        self.claimed, self.numeric, self.uncertainty = (
            np.asarray(values, dtype=np.float64).reshape(-1)[known.reshape(-1)]
            for values in (mismatch.claimed, mismatch.numeric, mismatch.uncertainty)
        )
        self.entry = np.asarray(mismatch.entry, dtype=np.int64).reshape(-1)[known.reshape(-1)]
        self.wrong = np.asarray(mismatch.wrong, dtype=bool).reshape(-1)[known.reshape(-1)]
        self.places = mismatch.places
        self.shape = self.places.shape
        self.size = math.prod(self.shape)
        self.x = np.asarray(mismatch.x, dtype=np.float64).reshape(-1)
        self.gap = np.abs(self.claimed - self.numeric)
        size = np.maximum(np.abs(self.claimed), np.abs(self.numeric))
        self.strict = self.uncertainty + ROUNDINGS * mismatch.epsilon * size
        self.loose = self.strict + mismatch.tolerance.atol + mismatch.tolerance.rtol * size
        largest = float(np.max(np.abs(self.numeric), initial=0.0))
        zero = (self.claimed == 0) & (self.uncertainty <= SMALL * largest)
        self.blind = ~self.wrong & ((self.gap > self.loose) | (self.uncertainty > UNRESOLVED * size) & ~zero)
        self.visible = ~self.wrong & (self.gap > self.strict)
        self.mirrored = np.zeros(len(self.entry), bool)
        self._full: Array | None = None
        if mismatch.kind is Kind.HESSIAN and len(self.shape) == 2 and self.shape[0] == self.shape[1]:
            self._find_mirrored(self.shape[0])

    def _find_mirrored(self, n: int) -> None:
        i, j = np.divmod(self.entry, n)
        order = np.argsort(self.entry)
        place = order[np.minimum(np.searchsorted(self.entry[order], j * n + i), len(order) - 1)]  # of the mirror image
        self.mirrored = (i > j) & (self.entry[place] == j * n + i) & (self.claimed == self.claimed[place])

    @property
    def whole(self) -> bool:
        """Whether the derivative is small enough for laws that need all of it at once."""
        return self.size <= WHOLE

    def __len__(self) -> int:
        return len(self.entry)

    @property
    def full(self) -> Array:
        """The complete claim as a flat vector (size,), NaN where it is not known."""
        if self._full is None:
            self._full = np.full(self.size, np.nan)
            if len(self) < self.size and self.mismatch.claim_at is not None:
                answer = claimed_at(self.mismatch, self.x)
                if answer is not None:
                    self._full = answer
            self._full[self.entry] = self.claimed
        return self._full


def claimed_at(mismatch: Mismatch, point: Array) -> Array | None:
    """The complete claim at a point, (size,), or None if it cannot be had there."""
    if mismatch.claim_at is None:
        return None
    try:
        answer = np.array(mismatch.claim_at(point), dtype=np.float64).reshape(-1)
    except Exception:  # user code, perhaps outside of its domain
        return None
    return answer if answer.size == mismatch.places.size and np.isfinite(answer).all() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A hypothesis: what the numeric values are if it is true.

    predict: from facts to the predicted values, (N,), NaN where the hypothesis says nothing.
    sentence: the sentence behind it; ``{where}`` stands for the entries that it holds on.
    fitted: parameters fitted to the numeric values; `slack` is what their uncertainty does to the predictions, (N,):
        a function of facts as well.
    tries: of how many hypotheses, none likelier before the measurement, this is one.
    is_factor: it multiplies the claim, entry by entry, so that it is no feat where the derivative is small.
    is_uniform: it is one number for all entries, so that on a part of them it goes by the name of that part: a block …
    kind_of_few: … or this, where they are few and form no pattern; None: its own kind.
    silent: the entries that it says nothing about though they are right, from facts, (N,): the words for its place leave
        them out, and that place is always said.
    """

    kind: DiagnosisKind
    predict: Callable[[Facts], Array]
    sentence: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""
    fitted: int = 0
    tries: float = 1.0
    slack: Callable[[Facts], Array] | None = None
    is_factor: bool = False
    is_uniform: bool = False
    kind_of_few: DiagnosisKind | None = None
    silent: Callable[[Facts], Mask] | None = None

    @property
    def is_simple(self) -> bool:
        """Whether it is one of the few mistakes that anyone would think of first."""
        return self.is_uniform and self.fitted == 0 and self.tries <= SIMPLE


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a law fares.

    explained: wrong entries that it predicts, (N,).
    spoiled: right entries that it would make wrong, (N,).
    sharp: its predictions are right without any help from the tolerance.
    confirmed: it puts entries right that are off measurably, though they were not judged wrong.
    chance: logarithm of the probability that a false law fares as well.
    """

    law: Law
    explained: Mask
    spoiled: Mask
    chance: float
    sharp: bool = True
    confirmed: bool = False

    @property
    def convincing(self) -> bool:
        """Whether it is no chance."""
        return self.chance <= CHANCE and bool(self.explained.any())


def weigh(facts: Facts, law: Law, among: Mask | None = None, *, afresh: bool = False) -> Outcome:
    """Hold a law against the numeric values.

    among: the wrong entries that no other law has explained, (N,).
    afresh: the parameters of the law were fitted to other facts, so that every entry here confirms it.
    """
    wrong = facts.wrong if among is None else among
    with np.errstate(all="ignore"):
        predicted = law.predict(facts)
        residual = np.abs(predicted - facts.numeric)
        size = np.maximum(np.abs(predicted), np.abs(facts.numeric))
        tolerance = facts.mismatch.tolerance
        strict = facts.uncertainty + ROUNDINGS * facts.mismatch.epsilon * np.maximum(size, np.abs(facts.claimed))
        loose = strict + tolerance.atol + tolerance.rtol * size
        slack = np.zeros(len(facts)) if law.slack is None else law.slack(facts)
        if afresh:
            strict, loose = strict + slack, loose + slack
        holds = residual <= loose  # false where nothing is predicted
        window = np.where(residual <= strict, strict, loose) + (0.0 if afresh else slack)
        # Where the derivative is small, a factor is no feat, however wide the gap.
        room = np.minimum(facts.gap, size) if law.is_factor else facts.gap
        chances = np.log(np.clip(np.nan_to_num(window / room, nan=1.0), 1e-17, 1.0))
    explained = wrong & holds
    spoiled = ~facts.wrong & ~holds & np.isfinite(predicted)
    witness = (explained | (holds & ~facts.wrong & (facts.gap > 0))) & ~facts.mirrored
    if law.fitted and not law.is_factor:
        witness = once(facts, witness)
    evidence = np.sort(chances[witness])
    chance = float(np.sum(evidence[0 if afresh else law.fitted :])) + (0.0 if afresh else math.log(law.tries))
    chance += log_binomial(int(np.sum(wrong)), int(np.sum(explained)))
    sharp = bool((residual <= strict)[explained].all())
    return Outcome(law, explained, spoiled, chance, sharp, bool((facts.visible & (residual <= strict)).any()))


def once(facts: Facts, rows: Mask) -> Mask:
    """Of these rows, those that repeat no other one: entries equal by symmetry, but for the sign, are one observation."""
    chosen = np.flatnonzero(rows)
    size = np.maximum(np.abs(facts.claimed[chosen]), np.abs(facts.numeric[chosen]))
    grain = np.exp2(np.floor(np.log2(np.maximum(size, 1e-300)))) * ALIKE
    sign = np.where(facts.claimed[chosen] + facts.numeric[chosen] < 0, -1.0, 1.0)
    pairs = np.stack([np.rint(sign * values[chosen] / grain) * grain for values in (facts.claimed, facts.numeric)])
    _, first = np.unique(pairs, axis=1, return_index=True)
    once = np.zeros(rows.size, bool)
    once[chosen[first]] = True
    return once


def log_binomial(n: int, k: int) -> float:
    """Logarithm of the number of ways to choose k of n."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) if 0 <= k <= n else 0.0


@dataclass(frozen=True, slots=True)
class Fit:
    """A parameter that most entries agree on: its value, the interval that they all allow, and its sharpest uncertainty."""

    value: float
    low: float
    high: float
    sharpest: float
    count: int


def fit(base: Array, target: Array, window: Array) -> Fit | None:
    """The p with p · base = target within `window` on as many entries as possible; None if there is nothing to fit.

    Each entry allows an interval; where most of them overlap lies the parameter.
    """
    with np.errstate(all="ignore"):
        ratio, width = target / base, window / np.abs(base)
    good = np.isfinite(ratio) & np.isfinite(width) & (np.abs(ratio) > width)  # a parameter 0 explains nothing
    if not good.any():
        return None
    ratio, width = ratio[good], np.maximum(width[good], 1e-300)
    low, high = ratio - width, ratio + width
    starts, ends = np.sort(low), np.sort(high)
    overlap = np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="left")
    at = starts[int(np.argmax(overlap))]
    inside = (low <= at) & (at <= high)
    lowest, highest = float(low[inside].max()), float(high[inside].min())
    weight = (width[inside].min() / width[inside]) ** 2
    value = float(np.clip(np.sum(ratio[inside] * weight) / np.sum(weight), lowest, highest))
    return Fit(value, lowest, highest, float(width[inside].min()), int(inside.sum()))
