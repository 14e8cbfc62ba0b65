"""Whole columns of a large derivative that agree clearly, found in compiled code: the common case, without an array an entry.

Numba is not imported here: the caller brings the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.numerics.first_look import AGREED, CLEAR, NEGLIGIBLE, RESOLVED, SMALL, Ordinary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.model import Tolerance
    from gradcheck.numerics.noise import Calibration

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was found.

    worst: for each column, the output that agreed least; −1 if not every entry agreed, or f and the claim are 0 throughout.
    relative, detectable, share: over the columns that agreed, as for `Tally.add`.
    """

    worst: NDArray[np.int64]
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
    limits = np.array(
        [tolerance.atol, tolerance.rtol, min(AGREED, tolerance.rtol), NEGLIGIBLE, RESOLVED, SMALL, 2 * CLEAR],
        np.float64,
    )
    noise, truncation = (np.ascontiguousarray(a, np.float64) for a in (calibration.noise, calibration.truncation))
    scales, seen, largest = ordinary.scales[columns], ordinary.seen, ordinary.largest
    kernel(plus, minus, claimed, steps, scales, noise, truncation, limits, seen, largest, worst, figures)
    return Agreement(worst, *figures.tolist())


__all__ = ["Agreement", "agreement"]
