"""A look at every entry before anything is measured: two evaluations each, which is all that most right claims need.

How exactly f can be differenced is presumed, and is then seen: where every entry of a claim agrees with one difference each to
six digits, the error of these differences is no larger than the gaps.  One entry that does not agree leaves all open, and f is
measured; the differences made by then are not made again where their step suits f.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.coordinates import Surveyor
from gradcheck.methods.entries import join, no_columns
from gradcheck.numerics.noise import Calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.claims import Block
    from gradcheck.methods.problem import Problem, Watcher
    from gradcheck.methods.results import Comparison
    from gradcheck.numerics.first_step import FirstLook

    Array = NDArray[np.float64]

STEP = (
    2.0**-15
)  # in natural scales: a rung of the ladder of the set-up, where truncation and rounding of most f are alike
SUITS = (1.0, 16.0)  # the step that suits f best is so many times that: truncation is known then, and noise is measured
MOST = 2**12  # entries; of more the few evaluations that are saved are none
FEW = 4  # fewer entries are few witnesses: a pair of evaluations at another step along all of them is one more …
AGREES = 1e-5  # … which has to agree to this share of its terms


def presumed(value: Array) -> Calibration:
    """What is taken for known of an f with one value, (1,): that it is exact to its last place, and may be anything else."""
    noise = np.spacing(np.abs(value))
    nothing = np.zeros(1)
    return Calibration(noise, noise, noise, STEP, nothing, nothing, nothing, bent=True)


class PlainLook(Surveyor):
    """Compares every entry of a claimed gradient with one difference, as long as all of them agree.

    known: f on both sides of x for the columns that were looked at, (n, 2); NaN for the others.
    """

    def __init__(self, problem: Problem, watcher: Watcher, detail: Callable[[int], str] = lambda done: "") -> None:
        super().__init__(problem, watcher, detail=detail, calibration=presumed(problem.preflight.value))
        self.known = np.full((self.n, 2), np.nan)

    def compared(self, blocks: Iterable[Block]) -> Comparison | None:
        """What the comparison came to, if it agrees throughout; None if f has to be measured."""
        with self.watcher.until_stopped():
            for block in blocks:
                self.watcher.require_time()
                self._look(block)
                if self.passed.count < self.checked:
                    return None
            if self.n < FEW and not self._agrees_along_all():
                return None
            self.watcher.tick("entries", self.n, self.n)
        return self._summary(join(self.kept) if self.kept else no_columns())

    def noise(self, comparison: Comparison) -> float:
        """The error of f that would explain the gaps of a comparison."""
        columns = comparison.columns
        return float(np.maximum.reduce(columns.gap * columns.step, initial=float(self.calibration.noise[0]) / 2))

    def suited(self) -> Surveyor:
        """What compares the entries once f is measured; at the same steps, where these suit f."""
        measured = self.preflight.calibration
        again = measured.fraction / STEP
        if not SUITS[0] <= again <= SUITS[1]:
            return Surveyor(self.problem, self.watcher, detail=self.detail)
        here = replace(measured, fraction=STEP, truncation=measured.truncation / again**2)
        return Surveyor(self.problem, self.watcher, evaluate=self._recalled, detail=self.detail, calibration=here)

    def _settle_zeros(
        self, block: Block, h: Array, plus: Array, minus: Array, rounding: Array, look: FirstLook
    ) -> NDArray[np.intp]:
        return np.full(look.gap.shape, 2)

    def _pairs(self, block: Block, steps: Array, tick: Callable[[int], None]) -> tuple[Array, Array]:
        plus, minus = super()._pairs(block, steps, tick)
        self.known[block.columns, 0], self.known[block.columns, 1] = plus[:, 0], minus[:, 0]
        return plus, minus

    def _recalled(self, block: Block, steps: Array, tick: Callable[[int], None]) -> tuple[Array, Array]:
        """As `_pairs`, from what is known."""
        known = self.known[block.columns]
        if np.isnan(known).any():  # not looked at yet, or without a value
            return super()._pairs(block, steps, tick)
        return known[:, :1], known[:, 1:]

    def _agrees_along_all(self) -> bool:
        v, claimed = self.preflight.line.direction, self.preflight.claimed
        plus, minus, step = self.problem.function.line(self.problem.x, v, np.array([4 * STEP]))
        terms = claimed * v
        gap = (plus[0, 0] - minus[0, 0]) / (2 * step[0]) - np.add.reduce(terms)
        return bool(gap * gap <= AGREES**2 * (terms @ terms))
