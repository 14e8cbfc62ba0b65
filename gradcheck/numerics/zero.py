"""What 0 means for a derivative: how large an entry ordinarily is, how far f is flat, how much of a claim is rounding.

An entry that is 0 has no size of its own to compare an error with.  It has a scale nevertheless, and that is measured: by how
much f changes over a natural step of the variable, and how large other entries of the same derivative are.  Where f does not
change at all up to some distance its derivative is 0 there and known exactly, unless f is so coarse that it could not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROUNDING = 32.0  # a claim is rounded, too: by so many epsilon of what is ordinary there, …
NIL = 2 / 3  # … and where f says 0, a claim below epsilon to this power of it is rounding
SEEN = 16.0  # f has changed visibly if it did by so many times its noise
REGULAR = 16.0  # over a step four times as small f changes by no less than this share of what a steep power would
FINER = 5  # so many rungs are looked at
STRETCH = 1e-4  # f is flat if it does not change for steps up to this share of the natural scale, …
SHORTEST = 3  # … and so many rungs of the ladder
QUANTA = 300  # f is quantised, and flat between two quanta only, if it passes more than so many within a natural scale
COUNTED = 10  # … and may be, from so many; …
LOOSE = 0.2  # … then its slope over many of them is known to this share
MULTIPLES = 8  # the smallest change seen may be so many quanta
COARSE = 8.0  # changes below so many spacings of f's values are their rounding
ROUNDED = 16.0  # changes up to so many are nothing but rounding …
WIDE = 0.1  # … if f does not change by more over this share of the natural scale
CLOSE = 1e-6  # of the natural scale: as STRETCH, along a line where any of many variables may move f
VISIBLE = 1e-3  # of what is ordinary: where rounding over a natural step is more, f could not have changed visibly
SPECK = 1e-5  # of what is ordinary: may be 0
STAYS = 0.7  # a bend that is this share of that over a natural step does not fall with the step: it is a kink
MOST = 0.5  # of what φ changes by over a natural step
SHARP = 1e-4  # an uncertainty, and a size, below this share of the scale is good enough
KINKED = (
    4.0  # the bend of a smooth function at a small step, in units of what its change over a natural one makes of it
)
SEVERAL = 3.0  # quanta that a function of this slope should have passed
TELLING = 4  # so many changes are not whole numbers of one quantum by chance
COUNTABLE = 1e6  # up to so many quanta a whole number of them can be told from another
WHOLE = 0.02  # how far a whole number of quanta may be from one


@dataclass(frozen=True, slots=True)
class Flat:
    """φ does not change for steps up to `distance`; it does at `end` (signed as the side on which it does first, inf if nowhere).

    uncertainty: what the derivative may be nevertheless: the spacing of f's values over the distance.
    trends: where f may be quantised, the slopes over steps beyond, each with what its quantum and curvature make uncertain.
    """

    distance: float
    end: float
    uncertainty: float
    trends: tuple[tuple[float, float], ...] = ()

    @property
    def sentence(self) -> str:
        """How far f was seen to be flat, in words."""
        if not np.isfinite(self.end):
            return f"f does not change for steps up to {self.distance:.2g}"
        side = "ahead" if self.end > 0 else "behind"
        return (
            f"f does not change for steps up to {self.distance:.2g}; it first does {side}, before {abs(self.end):.2g}"
        )


def farthest(scales: Array) -> Array:
    """How far from the point each variable may be moved to see f change, (n,): by its own natural scale, the usual one, or 1.

    A variable that happens to be nearly 0 beside others has no scale of its own.
    """
    return np.maximum(scales, max(float(np.median(scales)), 1.0))


def natural_size(plus: Array, minus: Array, centre: float, steps: Array, natural: float, noise: float) -> float:
    """What a derivative amounts to where f changes as it does over a natural step: |φ(h) − φ(0)| / h, 0 if that is but noise.

    At a minimum that is half the curvature times h.  Where f grows steeply with the step, the size follows smaller ones.

    Args:
        plus, minus: φ(±h), (R,), NaN where f has no value.
        centre: φ(0).
        steps: h, (R,), falling.
        natural: the step over which an ordinary entry shows, a share of the natural scale of the variable.
        noise: what f changes by without meaning it.
    """
    change = np.fmax(np.abs(plus - centre), np.abs(minus - centre))
    within = np.flatnonzero((steps <= natural) & np.isfinite(change))
    if not within.size or not change[within[0]] > SEEN * noise:
        return 0.0
    k = int(within[0])
    size = float(change[k] / steps[k])
    for order, finer in enumerate(within[1:FINER].tolist(), 1):
        if change[finer] > SEEN * noise:
            size = min(size, REGULAR**order * float(change[finer] / steps[finer]))
    return size


def flat_stretch(
    plus: Array,
    minus: Array,
    centre: float,
    steps: Array,
    scale: float,
    resolution: float,
    noise: float,
    quantum: float = 0.0,
) -> Flat | None:
    """The stretch around the point on which φ is flat, or None if there is none that says anything.

    Args:
        plus, minus, centre, steps: as for `natural_size`.
        scale: the natural scale of the variable; 0 if f must be flat throughout.
        resolution: the spacing of representable values of f around φ(0).
        noise: of f, no less than that.
        quantum: the smallest change of f seen elsewhere, 0 if there was none; well above its resolution it may be what a larger
            term is rounded to.
    """
    ahead, behind = plus - centre, minus - centre
    change = np.fmax(np.abs(ahead), np.abs(behind))  # NaN where f has no value on either side
    first = _largest_within(change, 0.0)
    if steps.size - first < SHORTEST or steps[first] < STRETCH * scale or (first and not scale):
        return None
    distance = float(steps[first])
    uncertainty = noise / distance
    changes = np.concatenate([ahead[:first], behind[:first]])
    changes = np.abs(changes[np.isfinite(changes) & (changes != 0)])
    if not changes.size:
        return Flat(distance, np.inf, uncertainty) if first == 0 else None
    passed = 0.0
    if not _stays_longer(ahead, behind, steps, first):
        hidden = COARSE * resolution < quantum < changes.min()
        passed = float(_quanta(changes)) or (float(_quanta(np.append(changes, quantum))) if hidden else 0.0)
    if passed > QUANTA or changes.min() < COARSE * resolution:
        return None
    last = first - 1
    end = float(steps[last]) if ahead[last] != 0 and not np.isnan(ahead[last]) else -float(steps[last])
    trends: tuple[tuple[float, float], ...] = ()
    if passed > COUNTED:
        quantum = float(changes.max()) / passed
        slopes, whole = (
            (ahead - behind)[:first] / (2 * steps[:first]),
            np.abs(ahead - behind)[:first] > 4 * quantum,
        )
        spread = quantum / steps[:first] + LOOSE * np.abs(slopes)
        trends = tuple(zip(slopes[whole].tolist(), spread[whole].tolist(), strict=True))
    return Flat(distance, end, uncertainty, trends)


def grain(plus: Array, minus: Array, centre: float) -> float:
    """The quantum that every change of φ is a multiple of, where the smallest steps do not move it; 0 if there is none.

    Changes at steps that all move φ may be multiples of the smallest one because φ is linear.
    """
    change = np.fmax(np.abs(plus - centre), np.abs(minus - centre))
    first = _largest_within(change, 0.0)
    if first in (0, change.size):
        return 0.0
    changes = np.abs(np.concatenate([plus[:first], minus[:first]]) - centre)
    changes = changes[np.isfinite(changes) & (changes > 0)]
    least = float(changes.min(initial=np.inf))
    near = changes[changes < COUNTABLE * least]
    passed = float(_quanta(near)) if near.size else 0.0
    return float(near.max()) / passed if passed > TELLING else 0.0


def flat_but_for_rounding(
    plus: Array, minus: Array, centre: float, steps: Array, scale: float, resolution: float
) -> Flat | None:
    """The stretch on which φ changes by no more than rounding does, if that is as wide as a natural step; see `flat_stretch`."""
    change = np.fmax(np.abs(plus - centre), np.abs(minus - centre))
    first = _largest_within(change, ROUNDED * resolution)
    if first == steps.size or not centre or not steps[first] > WIDE * scale:
        return None
    distance = float(steps[first])
    return Flat(distance, np.inf, 2 * max(float(np.nanmax(change[first:])), resolution) / distance)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """f around the point for some entries of its derivative: arrays of one shape, or what broadcasts.

    difference: (φ(h) − φ(−h)) / 2h.
    second: |φ(h) + φ(−h) − 2 φ(0)|.
    step: h.
    change: the larger of |φ(±H) − φ(0)|, NaN where φ has no value there.
    natural: H, a natural step or more.
    unit: the natural scale of the variable.  far: (φ(H) − φ(−H)) / 2H.
    """

    difference: Array
    second: Array
    step: Array
    change: Array
    natural: Array
    unit: Array
    far: Array


@dataclass(frozen=True, slots=True, eq=False)
class Nothing:
    """Which of some entries are 0, and are claimed to be; their scale, and what they may be nevertheless."""

    agreed: NDArray[np.bool_]
    scale: Array
    uncertainty: Array


def may_be_nothing(seen: Array, second: Array, step: Array, rounding: Array, ordinary: Array) -> NDArray[np.bool_]:
    """Whether entries of this size may be 0: small against curvature, against rounding, or against what is ordinary."""
    return seen <= second / step + SEEN * rounding + SPECK * ordinary


def nothing(
    pairs: Pairs,
    claimed: Array,
    *,
    centre: Array,
    ordinary: Array,
    noise: Array,
    resolution: Array,
    truncation: Array,
    epsilon: float,
    rtol: float,
    atol: float,
) -> Nothing:
    """Which claims agree with a derivative that is 0, or nothing but rounding, from a small step and a natural one.

    Where f is flat at both, or does but round over a natural step, its derivative is 0.  Elsewhere its change over a natural step
    gives the scale, and a kink at the point would show in the second difference at the small step.

    Args:
        claimed, centre, ordinary, noise, resolution, truncation: as for `first_step.first_look` and `judgement.judge`.
        epsilon: relative error of the numbers that the claim is computed with.
    """
    size = np.maximum(np.abs(claimed), np.abs(pairs.difference))
    gap = np.abs(claimed - pairs.difference)
    shrunk = np.minimum(1.0, pairs.unit / pairs.natural)  # a curved f changes by less over a smaller step
    own = np.where(pairs.change > SEEN * noise, pairs.change / pairs.natural * shrunk, 0.0)
    curved = REGULAR * (pairs.second / pairs.step) * (pairs.natural / pairs.step)
    own = np.where(pairs.second > 0, np.minimum(own, curved), own)
    scale = np.maximum(ordinary, np.where(np.isfinite(own), own, 0.0))
    blurred = np.fmax(noise, ROUNDED * epsilon * pairs.change)  # where f is 0 it does not show what it rounds to
    rounding = 2 * blurred / pairs.step
    allowed = atol + np.maximum(rtol * size, ROUNDING * epsilon * scale) + 2 * noise / pairs.step
    bends = pairs.second / pairs.step > KINKED * scale / shrunk * pairs.step / pairs.natural + 4 * rounding
    bends |= (pairs.second / pairs.step > STAYS * 2 * pairs.change / pairs.natural) & (pairs.second > SEEN * noise)
    small = (gap <= allowed) & (rounding <= SHARP * scale + atol) & (size <= SHARP * scale + allowed) & ~bends
    small &= ~_slope_or_spike(pairs, noise, rounding)
    flat = (claimed == 0) & (pairs.difference == 0) & (pairs.second == 0) & (pairs.change == 0)
    # The slope moves by so much over a natural step, and with its square; `truncation` says nothing where there is no slope.
    moved = np.abs(pairs.far - pairs.difference) * (pairs.step / pairs.natural)
    truncated = np.fmin(truncation * scale, moved)
    least = 2 * np.maximum(pairs.change, np.maximum(noise, resolution)) / pairs.natural
    rounded = (np.abs(claimed) <= 2 * resolution / pairs.natural) & (pairs.change <= ROUNDED * resolution)
    rounded &= (centre != 0) & (np.abs(pairs.difference) <= ROUNDED * resolution / pairs.step)
    rounded &= (pairs.second <= ROUNDED * resolution) & (least <= VISIBLE * ordinary)
    uncertainty = np.where(flat | rounded, np.maximum(least, 2 * gap), np.maximum(rounding + 4 * truncated, 2 * gap))
    return Nothing((small & (scale > 0)) | flat | rounded, scale, uncertainty)


def _slope_or_spike(pairs: Pairs, noise: Array, rounding: Array) -> NDArray[np.bool_]:
    """Where a natural step contradicts a 0 that is small against other entries alone.

    It sees a slope, nearly all that φ changes by, which a small step does not exclude; or φ changes over the small step by as
    much as over the natural one already, so that both are too large for it.
    """
    slope = (np.abs(pairs.far) > MOST * pairs.change / pairs.natural) & (pairs.change > SEEN * noise)
    slope &= np.abs(pairs.far - pairs.difference) <= rounding
    spike = (pairs.second > MOST * pairs.change) & (pairs.second > 4 * noise) & (pairs.step < pairs.natural / 4)
    return slope | spike


def flat_nearby(plus: Array, minus: Array, centre: Array, steps: Array, resolution: Array) -> NDArray[np.bool_]:
    """Which outputs of f are flat near the point and move beyond, as steps do: (m,).

    Args:
        plus, minus: φ(±t), (R, m).
        centre: φ(0), (m,).
        steps: t, (R,), rising, in natural scales.
        resolution: the spacing of representable values of each, (m,).
    """
    if not ((plus[0] == centre) & (minus[0] == centre)).any():  # as nearly always
        return np.zeros(centre.shape, np.bool_)
    still = np.logical_and.accumulate((plus == centre) & (minus == centre), axis=0)
    count = still.sum(axis=0)
    flat = (count >= SHORTEST) & (count < len(steps))
    flat &= steps[np.maximum(count, 1) - 1] > CLOSE
    which = np.flatnonzero(flat)
    if which.size:
        changes = np.abs(np.concatenate([plus[:, which], minus[:, which]]) - centre[which])
        changes = np.where((changes > 0) & np.isfinite(changes), changes, np.nan)
        flat[which] = (np.nanmin(changes, axis=0) >= COARSE * resolution[which]) & ~(_quanta(changes) > QUANTA)
    return flat


def _stays_longer(ahead: Array, behind: Array, steps: Array, first: int) -> bool:
    """Whether φ stays flat for longer than a quantised function does: it has one side only, or should have passed a quantum."""
    sides = [side[:first][np.isfinite(side[:first])] for side in (ahead, behind)]
    if any(side.size and not side.any() for side in sides):
        return True
    change = np.fmax(np.abs(ahead), np.abs(behind))[:first]
    quantum = float(np.nanmin(np.where(change > 0, change, np.nan)))
    several = np.flatnonzero(change > SEVERAL * quantum)
    if not several.size:
        return False
    k = int(several[-1])
    share = float(steps[first] / steps[k])
    if np.isfinite(ahead[k]) and np.isfinite(behind[k]):  # what is even in the step falls with its square
        odd, even = abs(float(ahead[k] - behind[k])) / 2, abs(float(ahead[k] + behind[k])) / 2
        return share * (odd + share * even) > SEVERAL * quantum
    return share * float(change[k]) > SEVERAL * quantum


def _largest_within(change: Array, limit: float) -> int:
    """The index of the largest rung up to which φ has changed by no more than `limit`; past the last one if there is none."""
    beyond = np.flatnonzero(~(change <= limit))
    return int(beyond[-1]) + 1 if beyond.size else 0


def _quanta(changes: Array) -> Array:
    """How many quanta the largest of some changes of f has, (N, …) → (…), if all are whole numbers of one; else 0.

    NaN stands for no change.
    """
    least, most = np.nanmin(changes, axis=0), np.nanmax(changes, axis=0)
    passed = np.zeros(np.shape(least))
    for k in range(MULTIPLES, 0, -1):
        counts = changes * (k / least)
        whole = ~(np.abs(counts - np.rint(counts)) >= WHOLE).any(axis=0)
        passed = np.where(whole, most * k / least, passed)
    few = np.count_nonzero(np.diff(np.sort(changes, axis=0), axis=0) > 0, axis=0) + 1 < TELLING
    return np.where(few & (passed > COUNTED), 0.0, passed)  # a few numbers are multiples of one by chance
