"""Directions, sets of entries and single entries of one claimed gradient, each measured as sharply as its purpose needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck import model
from gradcheck.methods.entries import Columns, kept_ladder, status_code
from gradcheck.methods.probe import Meter, Probe
from gradcheck.model import Status, Tolerance, Verdict
from gradcheck.numerics.extrapolation import richardson
from gradcheck.numerics.first_step import RESOLVED, SMALL
from gradcheck.numerics.judgement import USUAL, judge
from gradcheck.numerics.readings import Reading, Trial
from gradcheck.numerics.stencils import RATIO, steps_near
from gradcheck.numerics.weighing import Judgement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.problem import Problem, Watcher

    Array = NDArray[np.float64]

REACH = 1.37  # in natural scales, as for single entries
GRID = REACH * RATIO ** -np.arange(-1.0, 15.0)  # the steps that may be taken along a direction
OUTSET = range(2, 10)  # rungs of the first ladder: 0.34 … 2e-5
ABOVE, BELOW = 4, 2  # rungs around the best of the first ladder that later ones take
OUTSET_ENTRY, FINER, COARSER = range(8), range(8, 14), range(-3, 0)  # rungs for one entry, and more if these do not do
RANDOM = (
    3.0  # a direction may be off by this multiple of the root of the sum of squares of what its entries may be off by
)
EDGE = 0.9  # of the way to a bound is used


class Ladder:
    """f along one whole direction at some rungs of GRID, and what it is compared with."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.plus, self.minus, self.change = (np.full(GRID.size, np.nan) for _ in range(3))
        self.ideal = self.square = 0.0
        self.calls = 0
        self.judgement: Judgement | None = None

    @property
    def measured(self) -> NDArray[np.intp]:
        """The rungs, from large steps to small ones."""
        return np.flatnonzero(~np.isnan(self.change))

    @property
    def residuals(self) -> Array:
        """Claim minus difference at each step of GRID, as it happened."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray((self.change - (self.plus - self.minus) / 2) / GRID)


class GradientOracle:
    """Directions and entries of one claimed gradient, judged; what a `Locator` asks is answered here.

    ladders: of the directions judged so far.
    rows: by index, the entries judged one by one.
    corrected: by index, what replaces the claim of the entries that are off.
    watch: called after each reading.
    """

    def __init__(self, problem: Problem, watcher: Watcher, claimed: Array, *, row: int = 0) -> None:
        preflight, function, x = problem.preflight, problem.function, problem.x
        self.function, self.claimed, self.x, self.row = function, claimed, x, row
        self.preflight, self.tolerance, self.watcher = preflight, problem.tolerance, watcher
        self.centre = float(preflight.value[row])
        slopes, scales = claimed, _within_bounds(preflight.scales, x, function.bounds)
        finite = np.isfinite(claimed)
        if not finite.all():
            slopes, scales = np.where(finite, claimed, 0.0), np.where(finite, scales, 0.0)
        self.probe = Probe(problem, watcher, slopes, scales, row=row)
        self.precision = preflight.calibration.of(row)
        self.meter = Meter(max(self.precision.noise, self.precision.resolution), GRID, x.size)
        self.ladders: list[Ladder] = []
        self._next = 0
        self.watch: Callable[[], None] = lambda: None
        self.highest = 0 if function.bounds is None else OUTSET[0]
        self.rows: dict[int, Columns] = {}
        self.corrected: dict[int, float] = {}

    # ---- directions

    def reading(self, ladder: Ladder) -> Reading:
        """Claim minus derivative along a direction, to within what its ladder shows and what can be expected of any."""
        j = ladder.judgement
        if j is None or not math.isfinite(j.uncertainty):
            return Reading(0.0, math.inf)
        return Reading(ladder.ideal - j.value, max(j.uncertainty, self.meter.plan(self.size, 0.0).uncertainty))

    def recorded(self, ladder: Ladder) -> model.Ladder:
        """The central differences along a direction, for the record."""
        rungs = ladder.measured
        return kept_ladder(GRID[rungs], ladder.ideal - ladder.residuals[rungs], self.meter.noise)

    def fresh(self) -> int:
        """The number of a direction that was not used before."""
        self._next += 1
        return self._next - 1

    @property
    def disagree(self) -> bool:
        """Whether a direction is off by more than its uncertainty."""
        return any(self.reading(ladder).dirty for ladder in self.ladders)

    def direction(self) -> Ladder:
        """A ladder along the next direction: around the steps that suited the last, and on while others may do better."""
        ladder = Ladder(self.fresh())
        last = self.ladders[-1] if self.ladders else None
        wanted: Sequence[int] = OUTSET
        if last is not None and last.judgement is not None and math.isfinite(last.judgement.uncertainty):
            best = int(np.argmin(np.abs(np.log(GRID / last.judgement.step))))
            wanted = range(max(best - ABOVE, int(last.measured[0])), min(best + BELOW + 1, GRID.size))
        self.ladders.append(ladder)
        up = down = 0
        while wanted:
            self._climb(ladder, list(wanted))
            ladder.judgement = j = self._judgement(ladder)
            first, end = int(ladder.measured[0]), int(ladder.measured[-1]) + 1
            found = math.isfinite(j.uncertainty)
            wanted = range(0)
            if (not found or j.step < 1.5 * GRID[end - 2]) and end < GRID.size and down < 2:
                wanted, down = range(end, min(end + 4, GRID.size)), down + 1
            elif found and j.step > 0.7 * GRID[min(first + 3, GRID.size - 1)] and first > self.highest and up < 1:
                wanted, up = range(max(self.highest, first - 2), first), up + 1
        if ladder.judgement is not None and math.isfinite(ladder.judgement.uncertainty):
            with np.errstate(invalid="ignore", over="ignore"):
                change = np.maximum(np.abs(ladder.plus - self.centre), np.abs(ladder.minus - self.centre))
            growth = change * (
                self.precision.resolution / abs(self.centre) if self.centre else float(np.finfo(np.float64).eps)
            )
            self.meter.learn(ladder.residuals, ladder.ideal - ladder.judgement.value, growth)
        self._demand(ladder)
        return ladder

    def _climb(self, ladder: Ladder, rungs: list[int]) -> None:
        """Measure at these rungs."""
        pairs = self.probe.ladder(range(self.x.size), ladder.number, GRID[rungs])
        for rung, pair in zip(rungs, pairs, strict=True):
            ladder.plus[rung], ladder.minus[rung], ladder.change[rung] = pair.plus, pair.minus, pair.change
            ladder.ideal, ladder.square = pair.ideal, pair.square
            ladder.calls += 2

    def _judgement(self, ladder: Ladder) -> Judgement:
        rungs = ladder.measured
        steps, plus, minus = GRID[rungs], ladder.plus[rungs] - self.centre, ladder.minus[rungs] - self.centre
        with np.errstate(invalid="ignore"):
            rounding = np.where(plus == minus, 0.0, ladder.change[rungs] - steps * ladder.ideal)
        return judge(
            ladder.ideal,
            plus - rounding,
            minus + rounding,
            0.0,
            steps,
            precision=self.precision._replace(noise=0.0),
            scale=self._visible(ladder) / SMALL,
            tolerance=Tolerance(rtol=0.0, atol=self._allowed(ladder)),
            reach=USUAL,
        )

    def _allowed(self, ladder: Ladder) -> float:
        """How far a direction may be off when every entry is within tolerance."""
        absolute = self.tolerance.atol * float(np.linalg.norm(self.probe.scales)) if self.tolerance.atol else 0.0
        return RANDOM * (self.tolerance.rtol * math.sqrt(ladder.square) + absolute)

    def _visible(self, ladder: Ladder) -> float:
        """The uncertainty with which a direction can be called right: one ordinary entry that is missing would have shown."""
        size = math.sqrt(ladder.square)
        one = size / (4 * math.sqrt(self.x.size))
        with np.errstate(invalid="ignore"):
            bend = np.abs(ladder.plus + ladder.minus - 2 * self.centre) / GRID
        swing = float(np.nanmax(bend[: OUTSET.stop], initial=0.0))
        return max(SMALL * size, min(RESOLVED * size, one), 1e-9 * swing)

    def reconsider(self) -> None:
        """Weigh each direction again, now that others showed what noise there is."""
        for ladder in self.ladders:
            self._demand(ladder)

    def _demand(self, ladder: Ladder) -> None:
        """Take back a PASS that proves too little, and a FAIL by less than the noise that other ladders saw.

        Nothing can be asked of a function that does not change.
        """
        j = ladder.judgement
        if j is None or (ladder.square == 0 and j.value == 0):
            return
        weak = j.verdict is Verdict.PASS and j.uncertainty > self._visible(ladder)
        if weak or (j.verdict is Verdict.FAIL and not self.reading(ladder).dirty):
            ladder.judgement = replace(j, verdict=Verdict.INCONCLUSIVE, status=Status.NOISY, reason=Status.NOISY.advice)

    # ---- what the locator asks

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(self.x.size)

    def residual(self, where: range, number: int, *, ramp: bool = False, wanted: float = 0.0) -> Reading:
        """The claim minus the derivative along `number` restricted to `where`."""
        plan = self.meter.plan(len(where), wanted, ramp=ramp)
        values = np.empty(plan.steps.size)
        for k, h in enumerate(plan.steps.tolist()):
            pair = self.probe.pair(where, number, h, ramp=ramp)
            values[k] = (pair.change - (pair.plus - pair.minus) / 2) / h
        self.watch()
        if not np.isfinite(values).all():
            return Reading(0.0, math.inf)
        table = richardson(values, RATIO**2)
        order = values.size - 1
        uncertainty = plan.uncertainty
        if order:  # what the last column took off should be what was expected of it
            surprise = abs(table[order, -1] - table[order - 1, -1]) / plan.coarser if plan.coarser > 0 else 0.0
            uncertainty *= max(1.0, float(surprise))
        return Reading(float(table[order, -1]), uncertainty)

    def weight(self, number: int, index: int) -> float:
        """Entry `index` of direction `number`."""
        return float(self.probe.weights(range(index, index + 1), number)[0])

    def exclude(self, where: range) -> None:
        """Give these entries the weight 0."""
        self.probe.excluded.append(where)

    def doubt(self) -> None:
        """Expect larger errors of truncation."""
        self.meter.doubt *= 10

    def confirm(self, index: int) -> Trial:
        """Judge one entry from a ladder of its own."""
        if index in self.rows:
            return Trial(bool(self.rows[index].verdict[0] == Verdict.FAIL), 0.0)
        scale = float(self.probe.scales[index])
        if scale == 0:
            return Trial(False, 0.0)
        self.watcher.require_time()
        j, tried = self._entry(index)
        claimed = float(self.claimed[index])
        self.rows[index] = _one_row(index, claimed, j, tried, self.meter.noise)
        gap = abs(claimed - j.value)
        if j.verdict is Verdict.FAIL or (j.verdict is Verdict.PASS and gap > 2 * j.uncertainty):
            shift = (float(self.probe.slopes[index]) - j.value) * scale
            self.probe.correct(index, j.value)
            self.corrected[index] = j.value
            return Trial(j.verdict is Verdict.FAIL, shift)
        return Trial(False, 0.0)

    def take_back(self) -> None:
        """Measure against the claim as it was, but for the entries that were judged on their own."""
        self.probe.restore(self.corrected)

    def _entry(self, index: int) -> tuple[Judgement, Array]:
        """The verdict on one entry, from a ladder that grows where that may help; and that: steps, f(x + h), f(x − h)."""
        scale = float(self.preflight.scales[index])
        column = self.x[index : index + 1]
        claimed = float(self.claimed[index])
        ordinary = math.sqrt(max(ladder.square for ladder in self.ladders) / self.x.size) / scale
        rungs, tried = OUTSET_ENTRY, np.empty((3, 0))
        more = [FINER, COARSER]
        while True:
            steps = np.unique(steps_near(column, scale * REACH * RATIO ** -np.array(rungs, float)))
            tried = np.hstack([tried, [steps, *self.probe.column(index, steps)]])
            tried = tried[:, np.argsort(-tried[0], kind="stable")]
            j = judge(
                claimed,
                tried[1],
                tried[2],
                self.centre,
                tried[0],
                precision=self.precision,
                scale=ordinary,
                tolerance=self.tolerance,
                reach=scale * USUAL,
                natural=scale,
                epsilon=self.preflight.epsilon,
            )
            clear = j.verdict is not Verdict.INCONCLUSIVE and j.uncertainty < abs(claimed - j.value) / 8
            if FINER in more and not clear and not j.step > 2 * tried[0, max(-3, -tried.shape[1])]:
                rungs = FINER
            elif COARSER in more and not clear and j.step >= tried[0, min(4, tried.shape[1] - 1)]:
                rungs = COARSER
            else:
                return j, tried
            more.remove(rungs)


def _within_bounds(scales: Array, x: NDArray[Any], bounds: tuple[Array, Array] | None) -> Array:
    """Scales so short that the largest step along any direction stays within the bounds."""
    if bounds is None:
        return scales
    room = np.minimum(x - bounds[0], bounds[1] - x).astype(np.float64)
    return np.asarray(np.minimum(scales, np.maximum(room, 0.0) * EDGE / (1.5 * float(GRID[OUTSET[0]]))))


def _one_row(index: int, claimed: float, j: Judgement, tried: Array, noise: float) -> Columns:
    def number(value: float) -> Array:
        return np.array([value], np.float64)

    with np.errstate(invalid="ignore", over="ignore"):
        values = (tried[1] - tried[2]) / (2 * tried[0])
    extra = {"reason": j.reason, "left": j.left, "right": j.right, "ladder": kept_ladder(tried[0], values, noise)}
    return Columns(
        entry=np.array([index], np.int64),
        claimed=number(claimed),
        numeric=number(j.value),
        uncertainty=number(j.uncertainty),
        step=number(j.step),
        evaluations=np.array([2 * tried.shape[1]], np.int64),
        verdict=np.array([j.verdict], np.int8),
        status=np.array([status_code(j.status)], np.int8),
        detail={index: {k: v for k, v in extra.items() if v}},
    )


__all__ = ["GradientOracle", "Ladder"]
