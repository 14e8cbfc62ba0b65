"""A second look at the entries that the first difference left in doubt: a ladder of steps for each, at a bounded cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.methods.entries import Columns, kept_ladder, status_code
from gradcheck.methods.first_verdicts import UNEXAMINED, FirstVerdicts
from gradcheck.methods.iterations import Iterations
from gradcheck.model import Status, Verdict
from gradcheck.numerics.extrapolation import ladder_steps
from gradcheck.numerics.first_step import RESOLVED, SMALL, Ordinary
from gradcheck.numerics.judgement import USUAL, judge
from gradcheck.numerics.stencils import RATIO, smallest_step, steps_near
from gradcheck.numerics.weighing import Judgement
from gradcheck.numerics.zero import SEEN, farthest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.problem import Problem, Watcher

    Array = NDArray[np.float64]

ENOUGH = 4  # columns that get a whole ladder even if all of them are plainly wrong
FREE = 64 * 60  # evaluations, of some 64 whole ladders, that may be spent without asking what it costs
SPENDING = 12  # evaluations a column, on average, that re-examination may cost beyond that
REACH = 1.37  # the largest step of a ladder in natural scales; no round number, lest x ± h fall on a grid that f rounds x to …
DEPTH = 60  # … and the smallest this many binades below, where x = 0 sets no limit
UNSEEN = 1e-8  # a change of f below this share of what all variables do is none that its steps were made for
LEVEL = 2.0  # over steps four times as large the bend of a function grows by more, unless the function levels off
BELOW = 2.0**-8  # of the first step: smaller ones are looked at where those down to this do not settle the matter
NOISY = 1e-4  # of an entry: where the rounding of the first difference is more, it is noise that leaves it in doubt
PROBED = (1, 3)  # rungs below those that settle a matter, at which f must not say another thing
FIRST, PIECE = 6, 3  # rungs that are looked at at first, and then at a time
STILL = 4  # where f does not change at so many rungs, it will not at smaller steps
EXTENSION = 4  # rungs that a ladder grows upward at a time, while noise limits it at its top
MOST_RUNGS = 256  # of a ladder
SHARP = 1e-7  # an uncertainty below this share of the value is good enough to stop
EXACTLY = 1e-10  # … and below this to be compared with what makes a wrong claim wrong
SURE = 12  # once so many entries that looked plainly wrong turned out to be so, others that do need no ladder
ROUNDED = 64.0  # spacings of f's values, over the step: more is not uncertain for their rounding


class Reexamination:
    """Judges entries of a derivative of f: R^n → R^m that were left in doubt.

    ordinary: what the first look learnt.
    steps: those of the first look, (n,).
    complete: the columns handed over hold all entries, not the worst alone.
    seen: f at x ± these steps, (n, 2), where that is known; NaN elsewhere, and empty for a matrix.
    own: by row, the scale that the entry showed on its ladder.
    """

    def __init__(
        self,
        problem: Problem,
        watcher: Watcher,
        ordinary: Ordinary,
        steps: Array,
        *,
        complete: bool,
        seen: Array,
    ) -> None:
        self.function, self.x, self.preflight, self.tolerance = (
            problem.function,
            problem.x,
            problem.preflight,
            problem.tolerance,
        )
        self.ordinary, self.scales, self.steps = ordinary, problem.preflight.scales, steps
        self.seen = seen
        self.problem, self.watcher, self.complete = problem, watcher, complete
        self.first = FirstVerdicts(problem, ordinary, seen)
        self.n, self.m = problem.n, problem.m
        self.own: dict[int, float] = {}
        self.far = farthest(self.scales)  # beyond is not near x

    def examine(self, columns: Columns) -> None:
        """Judge what did not agree from ladders of steps, as far as the time allows."""
        open_rows = np.flatnonzero(columns.verdict == Verdict.INCONCLUSIVE)
        by_column = self._grouped(columns, open_rows)
        spent_before = self.function.calls
        allowance = max(FREE, SPENDING * self.n)
        wholly_wrong = True
        short: list[int] = []
        plain, confirmed, misjudged = self.first.plainly_wrong(columns), 0, False
        for done, (i, all_rows) in enumerate(by_column):
            self.watcher.tick("re-examined", done, len(by_column))
            if self.watcher.expired():
                break
            spent = self.function.calls - spent_before
            rows = [row for row in all_rows if not plain[row]] if confirmed >= SURE and not misjudged else all_rows
            if not rows:
                continue
            still = not any(columns.numeric[row] for row in rows)  # a short ladder would not see f change either
            if done < ENOUGH or (spent < allowance and (still or not wholly_wrong)):
                self._climb(columns, i, rows)
                wholly_wrong &= all(columns.verdict[row] == Verdict.FAIL for row in rows)
            elif spent < allowance:
                self._record(columns, i, rows, *self._short_ladder(i))
                self._hesitate(columns, rows)
                if any(columns.verdict[row] == Verdict.INCONCLUSIVE for row in rows):
                    short.append(done)
            else:
                break
            were_wrong = [columns.verdict[row] == Verdict.FAIL for row in rows if plain[row]]
            confirmed, misjudged = confirmed + len(were_wrong), misjudged or not all(were_wrong)
        for done in short:
            if self.function.calls - spent_before > allowance or self.watcher.expired():
                break
            i, rows = by_column[done]
            self._climb(columns, i, rows)
        Iterations(self.problem, self.watcher).reconsider(columns)
        self._reconsider(columns)

    def _reconsider(self, columns: Columns) -> None:
        """Take back what passed as small, if nothing turned out to be as large as the first differences made believe."""
        if not self.complete:
            return
        i, j = columns.entry % self.n, columns.entry // self.n
        size = columns.size
        known = np.where(np.isfinite(size) & (columns.uncertainty < size), size, 0.0)
        learnt = Ordinary(self.scales, np.zeros(self.m), self.preflight.value)
        np.maximum.at(learnt.seen, j, known * self.scales[i])
        np.maximum.at(learnt.largest, j, known)
        with np.errstate(divide="ignore", over="ignore"):
            ordinary = learnt.of(self.scales[i], j, shared=True)
        for row, own in self.own.items():
            ordinary[row] = max(ordinary[row], own)
        weak = (columns.verdict == Verdict.PASS) & (columns.status == status_code(Status.CONVERGED))
        weak &= columns.uncertainty > np.maximum(RESOLVED * size + SMALL * ordinary, self.tolerance.atol)
        weak &= columns.claimed != 0
        columns.verdict[weak], columns.status[weak] = Verdict.INCONCLUSIVE, status_code(Status.BELOW_RESOLUTION)
        for entry in columns.entry[weak].tolist():
            columns.detail.setdefault(entry, {})["reason"] = Status.BELOW_RESOLUTION.advice

    def _hesitate(self, columns: Columns, rows: list[int]) -> None:
        """Take back what a short ladder calls wrong, unless the gap is many times what is allowed and uncertain."""
        for row in rows:
            size = max(abs(float(columns.claimed[row])), abs(float(columns.numeric[row])))
            allowed = self.tolerance.atol + self.tolerance.rtol * size
            j = int(columns.entry[row]) // self.n
            noise = 2 * float(self.preflight.calibration.noise[j]) / float(columns.step[row])
            columns.uncertainty[row] += noise
            if columns.verdict[row] == Verdict.FAIL and not columns.gap[row] > UNEXAMINED * (
                allowed + columns.uncertainty[row]
            ):
                columns.verdict[row], columns.status[row] = Verdict.INCONCLUSIVE, status_code(Status.NOT_EXAMINED)

    def _ordinary(self, i: Any, j: Any) -> Array:
        """The size of an ordinary entry at columns i and outputs j."""
        return self.ordinary.of(self.scales[i], j)

    def _grouped(self, columns: Columns, rows: NDArray[np.intp]) -> list[tuple[int, list[int]]]:
        """Open rows by the column of the derivative, the column with the most suspicious entry first."""
        i = columns.entry[rows] % self.n
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            scale = self._ordinary(i, columns.entry[rows] // self.n)
            suspicion = columns.gap[rows] / (columns.size[rows] + scale)
        suspicion = np.nan_to_num(suspicion, nan=np.inf, posinf=np.inf)
        groups: dict[int, list[int]] = {}
        for k in np.argsort(-suspicion, kind="stable").tolist():
            groups.setdefault(int(i[k]), []).append(int(rows[k]))
        return list(groups.items())

    def _ladder(self, i: int) -> Array:
        scale = float(self.scales[i])
        bottom = max(float(smallest_step(self.x[i : i + 1])[0]), scale * 2.0**-DEPTH)
        return ladder_steps(REACH * scale, bottom)

    def _short_ladder(self, i: int) -> tuple[Array, Array, Array]:
        """The step of the first look between a larger and a smaller one: realised steps, f on both sides."""
        h = float(self.steps[i])
        if not (self.m == 1 and np.isfinite(self.seen[i]).all()):
            return self._rungs(i, h * RATIO ** np.array([1.0, 0.0, -1.0]))
        steps, plus, minus = self._rungs(i, h * RATIO ** np.array([1.0, -1.0]))
        return (
            np.insert(steps, 1, h),
            np.insert(plus, 1, self.seen[i, 0], axis=0),
            np.insert(minus, 1, self.seen[i, 1], axis=0),
        )

    def _climb(self, columns: Columns, i: int, rows: list[int]) -> None:
        """Judge the open entries of column i from a whole ladder, climbing on while larger steps might see more."""
        steps, plus, minus = self._descend(columns, i, rows, self._ladder(i))
        lent = np.zeros(self.m)
        if steps[0] < self.far[i]:
            unseen, still = self._unseen(columns, rows, plus, minus)
            if still:
                steps, plus, minus = self._higher(i, steps, plus, minus, RATIO * float(self.far[i]))
            elif unseen:
                lent = self._lent(i)
        judgements = [self._judge(columns, row, i, plus, minus, steps, lent) for row in rows]
        while steps[0] < self.far[i] and any(_limited(j, steps) for j in judgements):
            top = float(steps[0]) * RATIO**EXTENSION
            moved, finite = bool((plus != minus).any()), np.count_nonzero(np.isfinite(plus + minus))
            steps, plus, minus = self._higher(i, steps, plus, minus, top)
            if np.count_nonzero(np.isfinite(plus + minus)) == finite:
                break
            finer = judgements
            judgements = [self._judge(columns, row, i, plus, minus, steps, lent) for row in rows]
            same = all(_refines(new, old) for new, old in zip(judgements, finer, strict=True))
            if moved and not (same and self._goes_on(columns, rows, plus, minus)):
                judgements = finer  # at such steps f is another function
                break
        for row, judgement in zip(rows, judgements, strict=True):
            self._write(columns, row, judgement, 2 * steps.size)
        worst = max(rows, key=lambda row: (int(columns.verdict[row]), float(columns.gap[row])))
        entry = int(columns.entry[worst])
        j = entry // self.n
        with np.errstate(invalid="ignore", over="ignore"):
            values = (plus[:, j] - minus[:, j]) / (2 * steps)
        noise = float(self.preflight.calibration.noise[j])
        columns.detail[entry]["ladder"] = kept_ladder(steps, values, noise)

    def _record(self, columns: Columns, i: int, rows: list[int], steps: Array, plus: Array, minus: Array) -> None:
        """Judge the open entries of column i from the few rungs of a short ladder."""
        nothing = np.zeros(self.m)
        for row in rows:
            self._write(columns, row, self._judge(columns, row, i, plus, minus, steps, nothing), 2 * steps.size)

    def _descend(self, columns: Columns, i: int, rows: list[int], wanted: Array) -> tuple[Array, Array, Array]:
        """A ladder from its largest rung down to where smaller ones would tell no more: realised steps, f on both sides."""
        enough = (
            int(np.count_nonzero(wanted >= self.steps[i] * BELOW)) if self._noisy(columns, rows, i) else wanted.size
        )
        outputs = np.unique(columns.entry[rows] // self.n)
        lent, wrong = np.zeros(self.m), True
        known = self._rungs(i, wanted[:FIRST])
        while (count := known[0].size) < wanted.size:
            steps, plus, minus = known
            if _bottomed(plus[:, outputs], minus[:, outputs], self.preflight.value[outputs]):
                break
            if count >= enough:
                judgements = [self._judge(columns, row, i, plus, minus, steps, lent) for row in rows]
                if all(_settles(j, steps, float(self.far[i])) for j in judgements):
                    if not self._shows_more(columns, i, rows, judgements, wanted[count:]):
                        break
                    enough = wanted.size
            elif count > FIRST and wrong:
                judgements = [self._judge(columns, row, i, plus, minus, steps, lent) for row in rows]
                wrong = all(j.verdict is Verdict.FAIL for j in judgements)
                if wrong and all(j.uncertainty <= EXACTLY * abs(j.value) for j in judgements):
                    if not self._shows_more(columns, i, rows, judgements, wanted[count:]):
                        break
                    wrong = False
            more = self._rungs(i, wanted[count : count + PIECE])
            steps, plus, minus = (np.concatenate(two) for two in zip(known, more, strict=True))
            known = steps, plus, minus
        return known

    def _shows_more(self, columns: Columns, i: int, rows: list[int], judgements: list[Judgement], below: Array) -> bool:
        """Whether f may say more at smaller steps than at those looked at, or another thing: what is narrow shows there alone.

        It does not where the rounding of its values is what makes the judgements uncertain, and explains what is seen there.
        """
        resolution = self.preflight.calibration.resolution
        for row, judgement in zip(rows, judgements, strict=True):
            rounding = ROUNDED * float(resolution[int(columns.entry[row]) // self.n]) / judgement.step
            if judgement.uncertainty > max(rounding, SHARP * abs(judgement.value)):
                return True
        wanted = below[[k for k in PROBED if k < below.size]]
        if not wanted.size:
            return False
        steps, plus, minus = self._rungs(i, wanted)
        for row, judgement in zip(rows, judgements, strict=True):
            j = int(columns.entry[row]) // self.n
            hidden = SEEN * float(resolution[j]) / steps
            off = np.abs((plus[:, j] - minus[:, j]) / (2 * steps) - judgement.value)
            if (off > judgement.uncertainty + hidden).any():
                return True
        return False

    def _noisy(self, columns: Columns, rows: list[int], i: int) -> bool:
        """Whether it is the noise of f that left all of some entries of column i in doubt."""
        rounding = 2 * self.preflight.calibration.noise[columns.entry[rows] // self.n] / self.steps[i]
        return bool((rounding > NOISY * columns.size[rows]).all())

    def _unseen(self, columns: Columns, rows: list[int], plus: Array, minus: Array) -> tuple[bool, bool]:
        """Whether an output hardly changes over steps made for so small a variable, and one by but noise or few quanta."""
        calibration, unseen, still = self.preflight.calibration, False, False
        for j in {int(columns.entry[row]) // self.n for row in rows}:
            values = np.concatenate([plus[:, j], minus[:, j]])
            changes = np.abs(values - self.preflight.value[j])
            change = float(np.nanmax(changes, initial=0.0))
            quantum = float(changes[changes > 0].min(initial=np.inf))
            unseen |= change <= UNSEEN * float(calibration.change[j])
            still |= change <= SEEN * max(float(calibration.noise[j]), quantum)
        return unseen, still

    def _goes_on(self, columns: Columns, rows: list[int], plus: Array, minus: Array) -> bool:
        """Whether the outputs of some entries bend on as they do at smaller steps: one that levels off on both sides does not."""
        outputs = np.unique(columns.entry[rows] // self.n)
        bend = np.abs(plus[:, outputs] + minus[:, outputs] - 2 * self.preflight.value[outputs])
        visible = bend > SEEN * self.preflight.calibration.noise[outputs]
        visible &= bend > np.abs(plus[:, outputs] - minus[:, outputs])
        level = bend[:EXTENSION] < LEVEL * bend[1 : EXTENSION + 1]
        return not (level & visible[:EXTENSION] & visible[1 : EXTENSION + 1]).any()

    def _lent(self, i: int) -> Array:
        """What the outputs change by, per step, over a step that suits the other variables: (m,)."""
        steps, plus, minus = self._rungs(i, np.array([float(self.far[i]) / RATIO]))
        change = np.fmax(np.abs(plus[0] - self.preflight.value), np.abs(minus[0] - self.preflight.value))
        return np.where(np.isfinite(change), change, 0.0) / float(steps[0])

    def _higher(self, i: int, steps: Array, plus: Array, minus: Array, top: float) -> tuple[Array, Array, Array]:
        """A ladder with more rungs, up to `top`."""
        octaves = np.log2(top) - np.log2(float(steps[0]))  # the ratio itself overflows where x is next to 0
        count = min(max(1, int(octaves / np.log2(RATIO) + 1e-9)), MOST_RUNGS)
        higher, more_plus, more_minus = self._rungs(i, float(steps[0]) * RATIO ** np.arange(count, 0, -1.0))
        return (
            np.concatenate([higher, steps]),
            np.concatenate([more_plus, plus]),
            np.concatenate([more_minus, minus]),
        )

    def _rungs(self, i: int, wanted: Array) -> tuple[Array, Array, Array]:
        """Realised steps, and f on both sides of x at them, for column i."""
        steps = steps_near(self.x[i : i + 1], wanted)
        return (steps, *self.function.pairs(self.x, np.full(steps.size, i, np.intp), steps))

    def _judge(
        self, columns: Columns, row: int, i: int, plus: Array, minus: Array, steps: Array, lent: Array
    ) -> Judgement:
        j = int(columns.entry[row]) // self.n
        natural = max(float(self.scales[i]), float(steps[0]) / REACH) if steps.size > 3 else float(self.scales[i])
        return judge(
            float(columns.claimed[row]),
            plus[:, j],
            minus[:, j],
            float(self.preflight.value[j]),
            steps,
            precision=self.preflight.calibration.of(j),
            scale=float(self.ordinary.of(self.scales[i], j, shared=True)),
            reach=min(natural, float(self.far[i])) * USUAL,
            natural=natural,
            epsilon=self.preflight.epsilon,
            lent=float(lent[j]),
            tolerance=self.tolerance,
        )

    def _write(self, columns: Columns, row: int, judgement: Judgement, evaluations: int) -> None:
        self.own[row] = judgement.own
        columns.numeric[row] = judgement.value
        claimed = float(columns.claimed[row])
        gap = abs(claimed - judgement.value) + self.preflight.epsilon * abs(claimed)
        # A claim that was not refuted is a measurement, too: the truth may lie where it says.
        columns.uncertainty[row] = (
            judgement.uncertainty if judgement.verdict is Verdict.FAIL else max(judgement.uncertainty, gap)
        )
        columns.step[row] = judgement.step
        columns.evaluations[row] += evaluations
        columns.verdict[row] = judgement.verdict
        columns.status[row] = status_code(judgement.status)
        extra = {"reason": judgement.reason or None, "left": judgement.left, "right": judgement.right}
        if judgement.status in (Status.KINK, Status.JUMP):
            extra["kink"] = 0.0  # at the point itself
        columns.detail[int(columns.entry[row])] = {k: v for k, v in extra.items() if v is not None}


def _bottomed(plus: Array, minus: Array, value: Array) -> bool:
    """Whether outputs of f, (R, m) at falling steps, do not change any more."""
    return len(plus) >= STILL and bool(((plus[-STILL:] == value) & (minus[-STILL:] == value)).all())


def _settles(judgement: Judgement, steps: Array, far: float) -> bool:
    """Whether an entry passes as it is, not as small, and no larger steps could see more."""
    passes = judgement.verdict is Verdict.PASS and not judgement.own
    return passes and (RATIO * float(steps[0]) >= far or not _limited(judgement, steps))


def _limited(judgement: Judgement, steps: Array) -> bool:
    """Whether noise limits the value, and the best step is among the largest tried: a larger one might see more.

    Beyond a stretch on which f is flat it would see another function.
    """
    if judgement.own == np.inf:
        return False
    size = abs(judgement.value)
    return not judgement.uncertainty <= SHARP * size and not judgement.step < steps[min(3, steps.size - 1)]


def _refines(new: Judgement, old: Judgement) -> bool:
    """Whether a value found with larger steps is much sharper, and lies within what was known before."""
    if not np.isfinite(old.uncertainty):
        return True
    return (
        new.uncertainty <= old.uncertainty / 2 and abs(new.value - old.value) <= new.uncertainty + 2 * old.uncertainty
    )
