"""What a comparison came to, whichever method made it; and running figures over all entries that were compared."""

from __future__ import annotations

import math
from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.entries import no_columns, worst_first
from gradcheck.model import Verdict
from gradcheck.records import record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.entries import Columns
    from gradcheck.model import Diagnosis, DirectionCheck, Tolerance

    Array = NDArray[np.float64]


@record
class Limit:
    """How large an error of a single entry would have been seen in a part of the variables.

    name: of the part, '' for all.
    certain: an error above this in any one entry of the part (inf if f cannot be asked there).
    probability: with which one above half of that would have been seen.
    usual: the same as `certain` for an entry of ordinary scale.
    size: root mean square of the claim there.
    """

    name: str
    certain: float
    probability: float
    usual: float
    size: float


@record
class Comparison:
    """What was found, by coordinates, by directions, or by both.

    columns: the entries kept, worst first unless all passed.
    checked, failed, inconclusive, errors: numbers of entries, whether kept or not; errors are claims that are no numbers.
        All 0 where only directions were compared.
    digits: every passed entry agrees to this many digits of what is ordinary there; None if none passed.
    detectable: a larger error of any passed entry would have been caught.
    detectable_share: the same relative to what is ordinary there.
    detectable_parts: the same as `detectable` for each leaf of x that has entries that passed, by its name.
    ignored: columns along which f did not change at all at the first step, and the claim is 0.
    directions: one record for each.
    diagnoses: what the search for wrong entries came to.
    limits: how large an error would have been seen along the directions, of all entries and of parts.
    sentence: the same in words.
    notes: for the reader.
    """

    columns: Columns = field(default_factory=no_columns)
    checked: int = 0
    failed: int = 0
    inconclusive: int = 0
    errors: int = 0
    digits: float | None = None
    detectable: float = math.inf
    detectable_share: float = math.inf
    detectable_parts: tuple[tuple[str, float], ...] = ()
    ignored: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    directions: tuple[DirectionCheck, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    limits: tuple[Limit, ...] = ()
    sentence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of entries and directions; INCONCLUSIVE if there are none."""
        verdicts = [d.verdict for d in self.directions]
        verdicts += [Verdict.ERROR] if self.errors else [Verdict.FAIL] if self.failed else []
        verdicts += [Verdict.INCONCLUSIVE] if self.inconclusive or not (self.checked or verdicts) else []
        return max(verdicts, default=Verdict.PASS)

    @property
    def clean(self) -> bool:
        """Whether every entry that was compared passed."""
        return not (self.failed or self.inconclusive or self.errors)


def of_located(columns: Columns, size: int, wrong: int = 0) -> Comparison:
    """Entries that a search singled out of `size`, as a comparison of them all.

    wrong: how many are known or estimated to be.
    """
    return Comparison(
        columns=worst_first(columns),
        checked=size,
        failed=max(wrong, int((columns.verdict == Verdict.FAIL).sum())),
        inconclusive=int((columns.verdict == Verdict.INCONCLUSIVE).sum()),
    )


class Tally:
    """Running figures over the entries that passed.

    count: how many.
    relative: the largest gap, relative to what is ordinary there.
    detectable, share: the largest error that might have been missed, absolute and relative.
    """

    def __init__(self) -> None:
        self.count, self.relative, self.detectable, self.share = 0, 0.0, 0.0, 0.0

    def add(self, tolerance: Tolerance, gap: Array, size: Array, large: Array, uncertainty: Array) -> None:
        """Count entries: arrays of one shape, as in `FirstLook`."""
        detectable = tolerance.atol + tolerance.rtol * size + uncertainty
        visible = large if large.all() else np.where(large > 0, large, np.inf)
        relative, share, most = map(_largest, (gap / visible, detectable / visible, detectable))
        self.include(gap.size, relative, most, share)

    def include(self, count: int, relative: float, detectable: float, share: float) -> None:
        """Count `count` entries, with the largest of their figures."""
        self.count += count
        self.relative = max(self.relative, relative)
        self.detectable = max(self.detectable, detectable)
        self.share = max(self.share, share)


def _largest(array: Array) -> float:
    return float(np.maximum.reduce(array, axis=None))


def digits_of(relative: float) -> float:
    """How many digits agree where the gap is this share."""
    return 16.0 if relative <= 1e-16 else -math.log10(relative)
