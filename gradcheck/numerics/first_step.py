"""One central difference an entry, compared with the claim for all entries at once.

What does not agree there is judged from a ladder of steps, see `judgement`.

Whole columns of a large derivative that agree clearly are found
in compiled code, without an array an entry; Numba is not imported here: the caller brings the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.records import record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.model import Tolerance
    from gradcheck.numerics.noise import Calibration

    Array = NDArray[np.float64]

AGREED = 1e-6  # a claim this close to the first difference, relative to itself, needs no second look
NEGLIGIBLE = 1e-7  # … or this close relative to the largest entry, in comparable units, if noise hides the rest
RESOLVED = 1e-2  # an uncertainty below this share of the entry, or …
SMALL = 1e-4  # … below this share of the largest entry, would have shown a real mistake
BENT = 1e-3  # one-sided differences that disagree by this share of the largest entry deserve a second look
CLEAR = 4.0  # a difference counts as seen if it is this many times its rounding


class Ordinary:
    """How large an ordinary entry is: what is small against it need not be resolved in itself.

    Variables may have very different units; an entry is small only if it is so in its own unit and in f's change.  Outputs may as
    well: those of like size are taken to have like units, and one that never changed visibly to have that of the others.

    scales: the natural scale of each variable, (n,).
    value: f(x), (m,).
    seen: the largest change of each output per natural scale, (m,).
    largest: its largest entry, (m,); 0 if none was seen.
    """

    def __init__(self, scales: Array, seen: Array, value: Array) -> None:
        self.scales, self.seen, self.largest = scales, seen, np.zeros(seen.size)
        size = np.abs(value)
        self.value = np.maximum(size, median(size)) if size.size > 1 else size

    def learn(self, numeric: Array, rounding: Array, units: Array, outputs: NDArray[np.intp] | None = None) -> None:
        """Take note of differences (N, m), with their rounding errors and the scales (N, 1) of these variables.

        outputs: of single entries, (N, 1); the differences are (N, 1) then.
        """
        slope = np.abs(numeric)
        clear = (slope > CLEAR * rounding) & (slope < np.inf)
        if not np.logical_and.reduce(clear, axis=None):
            slope = np.where(clear, slope, 0.0)
        if outputs is not None:
            which, slope = outputs.ravel(), slope.ravel()
            np.maximum.at(self.largest, which, slope)
            np.maximum.at(self.seen, which, slope * units.ravel())
            return
        np.maximum(self.largest, np.maximum.reduce(slope), out=self.largest)
        slope *= units
        np.maximum(self.seen, np.maximum.reduce(slope), out=self.seen)

    def of(self, units: Array, outputs: Any = slice(None), *, shared: bool = False) -> Array:
        """The size of an ordinary entry of some outputs, at variables with these scales: shapes broadcast.

        shared: outputs with values of like size have like units, so that what is ordinary for one is so for all.
        """
        if self.largest.all() and not shared:
            return np.minimum(self.seen[outputs] / units, self.largest[outputs])
        seen, largest = self._lent(self.seen, outputs, shared), self._lent(self.largest, outputs, shared)
        return np.minimum(seen / units, np.where(largest > 0, largest, np.inf))

    def _lent(self, sizes: Array, outputs: Any, shared: bool) -> Array:
        """Sizes of some outputs: their own, and that of the others where nothing was seen of them."""
        own, most = sizes[outputs], float(sizes.max(initial=0.0))
        if sizes.size == 1 or not self.largest.any():
            return own
        own = np.where(self.largest[outputs] > 0, own, most)
        if not shared:
            return own
        with np.errstate(divide="ignore", invalid="ignore"):
            alike = np.nan_to_num(sizes / self.value, posinf=0.0).max() * self.value[outputs]
        return np.maximum(own, np.minimum(alike, most))


def median(sizes: Array) -> float:
    """The median of numbers (N,), none of them NaN, N > 0: what `np.median` says, without what it asks first."""
    half = sizes.size // 2
    if sizes.size % 2:
        return float(np.partition(sizes, half)[half])
    low, high = np.partition(sizes, (half - 1, half))[half - 1 : half + 1].tolist()
    return float(low + high) / 2


@dataclass(slots=True, eq=False, repr=False)
class FirstLook:
    """What the comparison showed: arrays of one shape (N, m).

    size: the larger of claimed and numeric.
    large: the larger of that and of an ordinary entry there.
    """

    gap: Array
    size: Array
    large: Array
    uncertainty: Array
    agreed: NDArray[np.bool_]

    def of(self, rows: NDArray[np.bool_]) -> FirstLook:
        """Some of the rows."""
        return FirstLook(self.gap[rows], self.size[rows], self.large[rows], self.uncertainty[rows], self.agreed[rows])

    def put(self, rows: NDArray[np.bool_], look: FirstLook) -> None:
        """Take over what was found of these rows since."""
        self.large[rows], self.uncertainty[rows], self.agreed[rows] = look.large, look.uncertainty, look.agreed


def first_look(
    numeric: Array,
    rounding: Array,
    claimed: Array,
    ordinary: Array,
    truncation: Array,
    tolerance: Tolerance,
    bend: Array | None = None,
) -> FirstLook:
    """Compare the claim with central differences.

    Args:
        numeric: (f(x+h) − f(x−h)) / 2h, (N, m).
        rounding: the error of each that is due to the noise of f: twice the noise over h, (N, m) or what broadcasts.
        claimed: the claimed derivative, (N, m).
        ordinary: the size that an ordinary entry has there, (N, m): what is small against it need not be resolved relative
            to itself.
        truncation: relative error of the difference at these steps, seen along a random direction, (m,).
        tolerance: a claim further off than this needs a second look, too.
        bend: |f(x+h) + f(x−h) − 2 f(x)| / h, if a kink was seen within a step of the point: it must be small as well.
    """
    atol = tolerance.atol
    gap = np.abs(claimed - numeric)
    size = np.maximum(np.abs(claimed), np.abs(numeric))
    large = np.maximum(size, ordinary)
    twice = 2 * rounding
    near = gap <= min(AGREED, tolerance.rtol) * size + np.minimum(NEGLIGIBLE * ordinary, twice) + atol
    near &= rounding <= RESOLVED * size + SMALL * ordinary + atol
    near &= (large > 0) & (gap < np.inf)
    if bend is not None:
        near &= bend <= BENT * large + 2 * twice
    uncertainty = np.maximum(rounding + 4 * truncation * large, 2 * gap)
    return FirstLook(gap, size, large, uncertainty, near)


@record
class Agreement:
    """What was found.

    numeric: the differences, (N, m).
    worst: for each column, the output that agreed least; −1 if not every entry agreed, or f and the claim are 0 throughout.
    uncertainty: of that entry, (N,).
    relative, detectable, share: over the columns that agreed, as for `Tally.add`.
    """

    numeric: Array
    worst: NDArray[np.int64]
    uncertainty: Array
    relative: float
    detectable: float
    share: float


def agreement(
    kernel: Callable[..., None],
    plus: Array,
    minus: Array,
    steps: Array,
    claimed: Array,
    columns: NDArray[np.intp],
    ordinary: Ordinary,
    calibration: Calibration,
    tolerance: Tolerance,
) -> Agreement:
    """The first look at columns, as `first_look` has it, by `kernels.agreement_kernel`.

    Args:
        plus, minus, steps, claimed: as for `first_look`; claimed is C-contiguous.
        columns: which columns they are, (N,).
        ordinary: what is known of the size of entries; it learns from these columns first.
        calibration: of f, which has no kink near the point.
    """
    worst, figures = np.empty(len(steps), np.int64), np.zeros(3)
    numeric, uncertain = np.empty(claimed.shape), np.empty(len(steps))
    limits = np.array(
        [tolerance.atol, tolerance.rtol, min(AGREED, tolerance.rtol), NEGLIGIBLE, RESOLVED, SMALL, 2 * CLEAR],
        np.float64,
    )
    noise, truncation = (np.ascontiguousarray(a, np.float64) for a in (calibration.noise, calibration.truncation))
    scales, seen, largest = ordinary.scales[columns], ordinary.seen, ordinary.largest
    kernel(
        plus,
        minus,
        claimed,
        steps,
        scales,
        noise,
        truncation,
        limits,
        seen,
        largest,
        numeric,
        uncertain,
        worst,
        figures,
    )
    return Agreement(numeric, worst, uncertain, *figures.tolist())


__all__ = [
    "AGREED",
    "CLEAR",
    "NEGLIGIBLE",
    "RESOLVED",
    "SMALL",
    "Agreement",
    "FirstLook",
    "Ordinary",
    "agreement",
    "first_look",
    "median",
]
