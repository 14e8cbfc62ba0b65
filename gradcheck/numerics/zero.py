"""What 0 means for a derivative: how large an entry ordinarily is, how far f is flat, how much of a claim is rounding.

An entry that is 0 has no size of its own to compare an error with.  It has a scale nevertheless, and that is measured: by how much f
changes over a natural step of the variable, and how large other entries of the same derivative are.  Where f does not change at all
up to some distance its derivative is 0 there and known exactly, unless f is so coarse that it could not have changed.
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
STRETCH = 1e-4  # f is flat if it does not change for steps up to this share of the natural scale, …
SHORTEST = 3  # … and so many rungs of the ladder
QUANTA = 300  # f is quantised, and flat between two quanta only, if it passes more than so many within a natural scale
COUNTED = 20  # … and may be, from so many
MULTIPLES = 8  # the smallest change seen may be so many quanta
COARSE = 8.0  # changes below so many spacings of f's values are their rounding
TELLING = 4  # so many changes are not whole numbers of one quantum by chance
WHOLE = 0.02  # how far a whole number of quanta may be from one


@dataclass(frozen=True, slots=True)
class Flat:
    """φ does not change for steps up to `distance`; it does at `end` (signed as the side on which it does first, inf if nowhere).

    uncertainty: what the derivative may be nevertheless: the spacing of f's values over the distance.
    trend, spread: the slope over steps beyond, and how well it is known, if f may be quantised; else None.
    """

    distance: float
    end: float
    uncertainty: float
    trend: tuple[float, float] | None = None

    @property
    def sentence(self) -> str:
        """How far f was seen to be flat, in words."""
        if not np.isfinite(self.end):
            return f"f does not change for steps up to {self.distance:.2g}"
        side = "ahead" if self.end > 0 else "behind"
        return f"f does not change for steps up to {self.distance:.2g}; it first does {side}, before {abs(self.end):.2g}"


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
    if within.size > 1 and change[within[1]] > SEEN * noise:
        finer = int(within[1])
        size = min(size, REGULAR * float(change[finer] / steps[finer]))
    return size


def flat_stretch(
    plus: Array, minus: Array, centre: float, steps: Array, scale: float, resolution: float
) -> Flat | None:
    """The stretch around the point on which φ is exactly flat, or None if there is none that says anything.

    Args:
        plus, minus, centre, steps: as for `natural_size`.
        scale: the natural scale of the variable; 0 if f must be flat throughout.
        resolution: the spacing of representable values of f around φ(0).
    """
    missing = np.isnan(plus) & np.isnan(minus)
    moved = ((plus != centre) & ~np.isnan(plus)) | ((minus != centre) & ~np.isnan(minus)) | missing
    beyond = np.flatnonzero(moved)
    first = int(beyond[-1]) + 1 if beyond.size else 0  # the largest rung of the stretch
    if steps.size - first < SHORTEST or steps[first] < STRETCH * scale or (first and not scale):
        return None
    distance = float(steps[first])
    uncertainty = resolution / distance
    changes = np.concatenate([(plus - centre)[:first], (minus - centre)[:first]])
    changes = np.abs(changes[np.isfinite(changes) & (changes != 0)])
    if not changes.size:
        return Flat(distance, np.inf, uncertainty) if first == 0 else None
    last = first - 1
    end = float(steps[last]) if plus[last] != centre and not np.isnan(plus[last]) else -float(steps[last])
    passed = _quanta(changes)
    if passed > QUANTA or changes.min() < COARSE * resolution:
        return None
    trend = None
    if passed > COUNTED:
        top = int(np.flatnonzero(np.isfinite(plus - minus))[0])
        slope = float(plus[top] - minus[top]) / (2 * float(steps[top]))
        trend = (slope, 2 * float(changes.min()) / float(steps[top]) + 0.1 * abs(slope))
    return Flat(distance, end, uncertainty, trend)


def _quanta(changes: Array) -> float:
    """How many quanta the largest of some changes of f has, if all are whole numbers of one; else 0."""
    least, most = float(changes.min()), float(changes.max())
    if most > COUNTED * least and np.unique(changes).size < TELLING:
        return 0.0  # a few numbers are multiples of one by chance
    for k in range(1, MULTIPLES + 1):
        counts = changes * (k / least)
        if (np.abs(counts - np.rint(counts)) < WHOLE).all():
            return most * k / least
    return 0.0
