"""A look at every entry before anything is measured: two evaluations each, which is all that most right claims need.

How exactly f can be differenced is presumed, and is then seen: where every entry of a claim agrees with one difference each to
six digits, the error of these differences is no larger than the gaps.  One entry that does not agree leaves all open, and f is
measured; the differences made by then are not made again where their step suits f.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.coordinates import FIRST_STEP, Surveyor
from gradcheck.methods.entries import Columns, join, no_columns
from gradcheck.methods.results import Comparison, Tally, digits_of
from gradcheck.numerics.first_step import Ordinary, first_look
from gradcheck.numerics.stencils import steps_near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.claims import Block
    from gradcheck.methods.problem import Problem, Watcher

    Array = NDArray[np.float64]

STEP = (
    1.37 * 2.0**-15
)  # in natural scales: truncation and rounding of most f are alike; no round number, as f may round alike
NATURAL = 0.137  # in natural scales: where f ignores a variable it does so over such a step, too
SUITS = 1.5  # it suits an f for which the best step is up to so many times that: a larger one is one for noise …
EXACT = 1e-8  # … and truncation at it is below this share of an entry
MOST = 2**9  # entries; of more the few evaluations that are saved are a fortieth
FEW = 4  # fewer entries are few witnesses: a pair of evaluations at another step along all of them is one more …
AGREES = 1e-5  # … which has to agree to this share of its terms
UNKNOWN, NONE = np.zeros(1), np.empty(0, np.int64)


def fits(problem: Problem) -> bool:
    """Whether the claim looks as if it agreed plainly, is no difference itself, and few evaluations are worth saving."""
    preflight = problem.preflight
    return preflight.plain and preflight.difference is None and problem.n <= MOST and problem.x.dtype == np.float64


class PlainLook:
    """Compares every entry of a claimed gradient with one difference, as long as all of them agree."""

    def __init__(self, problem: Problem, watcher: Watcher) -> None:
        self.problem, self.watcher = problem, watcher
        preflight = problem.preflight
        self.value, self.noise = preflight.value, np.spacing(np.abs(preflight.value))
        self.scales, self.steps = preflight.scales, steps_near(problem.x, preflight.scales * STEP)
        self.ordinary = Ordinary(preflight.scales, np.zeros(1), preflight.value)
        self.passed = Tally()
        self.parts = (
            [(leaf, Tally()) for leaf in problem.function.layout.parts] if problem.function.layout.leaves else []
        )
        self.kept: list[Columns] = []
        self.ignored: list[NDArray[np.intp]] = []
        self.pairs: list[tuple[NDArray[np.intp], Array, Array]] = []

    def compared(self, blocks: Sequence[Block]) -> Comparison | None:
        """What the comparison came to, if it agrees throughout; None if f has to be measured."""
        watcher, n, done = self.watcher, self.problem.n, 0
        with watcher.until_stopped():
            for block in blocks:
                watcher.require_time()
                plus, minus = self.problem.function.pairs(
                    self.problem.x, block.columns, self.steps[block.columns], partial(self._tick, done)
                )
                done += len(block.columns)
                if not self._agree(block, plus[:, 0], minus[:, 0]):
                    return None
            if (n < FEW and not self._agrees_along_all()) or (self.ignored and not self._ignores()):
                return None
            watcher.tick("entries", n, n)
        passed = self.passed
        return Comparison(
            columns=join(self.kept) if self.kept else no_columns(),
            checked=passed.count,
            digits=digits_of(passed.relative) if passed.count else None,
            detectable=passed.detectable,
            detectable_share=passed.share,
            ignored=np.concatenate(self.ignored) if self.ignored else NONE,
            detectable_parts=tuple((leaf.name, tally.detectable) for leaf, tally in self.parts if tally.count),
        )

    def error(self) -> float:
        """The error of f that would explain the gaps that were seen; half of the spacing of its values at least."""
        gaps = [float(np.maximum.reduce(part.gap * part.step)) for part in self.kept if part.entry.size]
        return max([*gaps, float(self.noise[0]) / 2])

    def suited(self) -> Surveyor:
        """What compares the entries once f is measured; at the same steps, where these suit f."""
        measured = self.problem.preflight.calibration
        again = measured.fraction / STEP
        truncation = measured.truncation / again**2
        if again > SUITS or float(truncation[0]) > EXACT:
            return Surveyor(self.problem, self.watcher)
        here = replace(measured, fraction=STEP, truncation=truncation)
        return Surveyor(self.problem, self.watcher, evaluate=self._recalled, calibration=here)

    def _tick(self, before: int, done: int) -> None:
        self.watcher.tick("entries", before + done, self.problem.n)

    def _agree(self, block: Block, plus: Array, minus: Array) -> bool:
        """Whether the entries of a block agree with f on both sides of x, (N,) each; they are put on record then.

        Values that all are numbers of single precision are not those of an f that is exact to its last place.
        """
        columns, claimed = block.columns, block.claimed[:, 0]
        self.pairs.append((columns, plus, minus))
        whole = len(columns) == self.problem.n
        h, units = (self.steps, self.scales) if whole else (self.steps[columns], self.scales[columns])
        numeric, rounding = (plus - minus) / (2 * h), 2 * self.noise / h
        self.ordinary.learn(numeric, rounding, units)
        bend = np.abs(plus + minus - 2 * self.value) / h
        tolerance = self.problem.tolerance
        look = first_look(numeric, rounding, claimed, self.ordinary.of(units), UNKNOWN, tolerance, bend)
        if not np.logical_and.reduce(look.agreed) or np.logical_and.reduce(plus.astype(np.float32) == plus):
            return False
        self.passed.add(tolerance, look.gap, look.size, look.large, look.uncertainty)
        for leaf, tally in self.parts:
            there = (columns >= leaf.where.start) & (columns < leaf.where.stop)
            if there.any():
                tally.add(tolerance, look.gap[there], look.size[there], look.large[there], look.uncertainty[there])
        if not np.logical_and.reduce(claimed):
            still = columns[(claimed == 0) & (plus == self.value) & (minus == self.value)]
            self.ignored += [still] if still.size else []
        count = len(columns)
        verdict, status = np.zeros(count, np.int8), np.full(count, FIRST_STEP, np.int8)
        self.kept.append(Columns(columns, claimed, numeric, look.uncertainty, h, np.full(count, 2), verdict, status))
        return True

    def _recalled(self, block: Block, steps: Array, tick: Callable[[int], None]) -> tuple[Array, Array]:
        """f on both sides of x for a block, from what is known of it, if it is."""
        for columns, plus, minus in self.pairs:
            if columns is block.columns:
                return plus[:, None], minus[:, None]
        return self.problem.function.pairs(self.problem.x, block.columns, steps, tick)

    def _ignores(self) -> bool:
        """Whether f stays as it is where all variables move that it was not seen to depend on."""
        v = np.zeros(self.problem.n)
        ignored = np.concatenate(self.ignored)
        v[ignored] = self.problem.preflight.line.direction[ignored]
        plus, minus, _ = self.problem.function.line(self.problem.x, v, np.array([NATURAL]))
        return bool((plus == self.value).all() and (minus == self.value).all())

    def _agrees_along_all(self) -> bool:
        v, claimed = self.problem.preflight.line.direction, self.problem.preflight.claimed
        plus, minus, step = self.problem.function.line(self.problem.x, v, np.array([4 * STEP]))
        terms = claimed * v
        gap = (plus[0, 0] - minus[0, 0]) / (2 * step[0]) - np.add.reduce(terms)
        return bool(gap * gap <= AGREES**2 * (terms @ terms))
