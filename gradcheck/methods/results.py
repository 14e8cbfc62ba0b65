"""What a comparison came to: the entries kept, and running figures over all that were compared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.entries import Columns, worst_first
from gradcheck.model import Tolerance, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Survey:
    """What was found: the entries kept, worst first unless all passed, and counts over all entries compared.

    ignored: columns along which f did not change at all at the first step, and the claim is 0.
    errors: entries whose claim is no number.
    digits: every passed entry agrees to this many digits of what is ordinary there; None if none passed.
    detectable: a larger error of any passed entry would have been caught; `detectable_share`: the same relative to what is
        ordinary there.
    stopped: 'budget' or 'interrupt' if not every column was looked at or not every doubt was followed up, else ''.
    """

    columns: Columns
    checked: int
    failed: int
    inconclusive: int
    digits: float | None
    detectable: float
    detectable_share: float
    ignored: NDArray[np.int64]
    errors: int = 0
    stopped: str = ""


class Tally:
    """Running figures over the entries that passed.

    count: how many.  relative: the largest gap, relative to what is ordinary there.  detectable, share: the largest error that
    might have been missed, absolute and relative.
    """

    def __init__(self) -> None:
        self.count, self.relative, self.detectable, self.share = 0, 0.0, 0.0, 0.0

    def add(self, tolerance: Tolerance, gap: Array, size: Array, large: Array, uncertainty: Array) -> None:
        """Count entries: arrays of one shape, as in `FirstLook`."""
        detectable = tolerance.atol + tolerance.rtol * size + uncertainty
        visible = large if large.all() else np.where(large > 0, large, np.inf)
        relative, share = float((gap / visible).max()), float((detectable / visible).max())
        self.include(gap.size, relative, float(detectable.max()), share)

    def include(self, count: int, relative: float, detectable: float, share: float) -> None:
        """Count `count` entries, with the largest of their figures."""
        self.count += count
        self.relative = max(self.relative, relative)
        self.detectable = max(self.detectable, detectable)
        self.share = max(self.share, share)


def digits_of(relative: float) -> float:
    """How many digits agree where the gap is this share."""
    return 16.0 if relative <= 1e-16 else -math.log10(relative)


def searched_survey(columns: Columns, size: int, wrong: int = 0) -> Survey:
    """What a search has found, as a survey of all `size` entries; `wrong`: how many are known or estimated to be wrong."""
    return Survey(
        columns=worst_first(columns),
        checked=size,
        failed=max(wrong, int((columns.verdict == Verdict.FAIL).sum())),
        inconclusive=int((columns.verdict == Verdict.INCONCLUSIVE).sum()),
        digits=None,
        detectable=np.inf,
        detectable_share=np.inf,
        ignored=np.empty(0, np.int64),
    )
