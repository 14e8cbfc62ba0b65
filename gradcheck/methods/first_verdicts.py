"""What the first difference of an entry tells by itself: that it is plainly wrong, and a verdict where nothing more was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.entries import status_code
from gradcheck.model import Status, Verdict
from gradcheck.numerics.first_step import RESOLVED, SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.entries import Columns
    from gradcheck.methods.problem import Problem
    from gradcheck.numerics.first_step import Ordinary

    Array = NDArray[np.float64]

UNEXAMINED = 10.0  # an entry that was not re-examined fails if its gap is this many times what is allowed and uncertain


class FirstVerdicts:
    """Verdicts on entries of a derivative of f: R^n → R^m from their first differences.

    ordinary: what the first look learnt.
    seen: f at x ± its steps, (n, 2), where that is known; empty for a matrix.
    """

    def __init__(self, problem: Problem, ordinary: Ordinary, seen: Array) -> None:
        self.preflight, self.tolerance, self.n = problem.preflight, problem.tolerance, problem.n
        self.ordinary, self.seen = ordinary, seen

    def _known(self, columns: Columns) -> tuple[Array, Array, Array]:
        """What the first look knows of each entry: what gap is allowed, the uncertainty, and that which is good enough."""
        size = columns.size
        i, j = columns.entry % self.n, columns.entry // self.n
        calibration, scale = self.preflight.calibration, self.ordinary.of(self.ordinary.scales[i], j)
        uncertainty = 2 * calibration.noise[j] / columns.step + 4 * calibration.truncation[j] * np.maximum(size, scale)
        return self.tolerance.atol + self.tolerance.rtol * size, uncertainty, RESOLVED * size + SMALL * scale

    def plainly_wrong(self, columns: Columns) -> NDArray[np.bool_]:
        """Whether the gap at the first step is many times what is allowed and uncertain; not where f moves and may have kinks."""
        allowed, uncertainty, _ = self._known(columns)
        wrong = np.asarray(columns.gap > UNEXAMINED * (allowed + uncertainty))
        if not self.preflight.calibration.bent:
            return wrong
        if not self.seen.size:
            return np.zeros(wrong.size, bool)
        return wrong & (self.seen[columns.entry] == self.preflight.value).all(axis=1)

    def decide(self, columns: Columns) -> None:
        """The verdict on entries that the bound on re-examination left out, from their first difference alone.

        None is called wrong if others were examined, which looked worse, and none of them was.
        """
        left = columns.status == status_code(Status.NOT_EXAMINED)
        if not left.any():
            return
        allowed, u, enough = self._known(columns)
        columns.uncertainty[left] = u[left]
        examined = ~left & (columns.status != status_code(Status.FIRST_STEP))
        if not examined.any() or (columns.verdict[examined] == Verdict.FAIL).any():
            columns.verdict[left & (columns.gap > UNEXAMINED * (allowed + u))] = Verdict.FAIL
        columns.verdict[left & (columns.gap <= allowed + u) & (u <= enough)] = Verdict.PASS
        constant = self.preflight.calibration.quantum[columns.entry // self.n] == 0
        columns.verdict[left & constant & (columns.claimed == 0) & (columns.numeric == 0)] = Verdict.PASS
