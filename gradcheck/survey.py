"""Every entry of a derivative, column by column: a first look at all, a ladder of steps for those that need it.

The same code serves a gradient (a Jacobian with one row), a Jacobian and a Hessian (the Jacobian of the gradient).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.engines import is_compiled
from gradcheck.entries import KEPT, Columns, join, status_code, worst_first
from gradcheck.model import Status, Tolerance, Verdict
from gradcheck.numerics.agreement import CLEAR, agreement
from gradcheck.numerics.comparison import RESOLVED, SMALL, FirstLook, Judgement, first_look, judge
from gradcheck.numerics.extrapolation import RATIO, ladder_steps
from gradcheck.numerics.jumps import Trend, excuse
from gradcheck.numerics.stencils import smallest_step, steps_near
from gradcheck.records import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation import Function
    from gradcheck.preflight import Preflight

    Array = NDArray[np.float64]

ENOUGH = 16  # columns that get a whole ladder even if all of them are plainly wrong
FULL_LADDERS = 64  # the evaluations of this many whole ladders may be spent without asking what it costs
SPENDING = 12  # evaluations a column, on average, that re-examination may cost beyond that
BLOCK_VALUES = 2**20  # values of f held at a time
REACH = 1.37  # the largest step of a ladder in natural scales; no round number, lest x ± h fall on a grid that f rounds x to
USUAL = 0.1  # steps up to this many natural scales leave f at its usual size
DEPTH = 60  # … and the smallest this many binades below, where x = 0 sets no limit
NEARBY = (0.03, 0.1, 0.3)  # how far f is searched for jumps, in natural scales
MODEST = 0.3  # gaps below this share of the entry are doubted if f jumps nearby
EXTENSION = 4  # rungs that a ladder grows upward at a time, while noise limits it at its top …
HIGHEST = 12  # … until it has grown by this many
SHARP = 1e-7  # an uncertainty below this share of the value is good enough to stop
FARTHEST = 1.0  # a ladder grows to this many natural scales, or to 1: what f does near x is lost in its noise beyond
UNEXAMINED = 10.0  # an entry that was not re-examined fails if its gap is this many times what is allowed and uncertain

FIRST_STEP, NOT_EXAMINED = status_code(Status.FIRST_STEP), status_code(Status.NOT_EXAMINED)

Tick = Callable[[str, int, int, str], None]
Pairs = Callable[..., "tuple[Array, Array]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found: the columns kept, worst first, and counts over all entries compared.

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


class Surveyor:
    """Compares the columns of a claimed derivative of f: R^n → R^m with differences.

    x: the point, flat, (n,).  step: asked for by the user, else chosen.  tick: told about progress (phase, done, total,
    detail).  expired: asked whether the budget is spent.  pairs: evaluates columns in place of `function.pairs`.
    """

    def __init__(
        self,
        function: Function,
        x: NDArray[Any],
        preflight: Preflight,
        tolerance: Tolerance,
        *,
        step: float | None,
        tick: Tick,
        expired: Callable[[], bool],
        pairs: Pairs | None = None,
    ) -> None:
        self.pairs = pairs or function.pairs
        self.function, self.x, self.preflight, self.tolerance = function, x, preflight, tolerance
        self.tick, self.expired = tick, expired
        self.n, self.m = x.size, preflight.value.size
        self.scales = preflight.scales
        wanted = self.scales * preflight.calibration.fraction if step is None else np.full(self.n, step)
        self.steps = steps_near(x, wanted)
        self.seen = preflight.calibration.slope / np.sqrt(self.n)  # change of f per natural scale of an ordinary entry
        self.largest = np.zeros(self.m)
        self.passed = Tally()
        self.kept: list[Columns] = []
        self.ignored: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        self.checked = 0

    def survey(self, blocks: Iterable[tuple[NDArray[np.intp], Array]]) -> Survey:
        """Compare blocks of columns: pairs of column indices (N,) and the claimed derivative there, (N, m)."""
        stopped = ""
        try:
            for chosen, claimed in blocks:
                if self.expired():
                    stopped = "budget"
                    break
                self._look(chosen, claimed)
            self.tick("entries", self.n, self.n, "")
        except KeyboardInterrupt:
            stopped = "interrupt"
        columns = join(self.kept) if self.kept else _no_columns()
        doubtful = columns.status != FIRST_STEP
        if doubtful.any():
            if not stopped:
                try:
                    if not self._re_examine(columns):
                        stopped = "budget"
                except KeyboardInterrupt:
                    stopped = "interrupt"
            self._by_first_look(columns)
            self._tally(columns, (columns.verdict == Verdict.PASS) & doubtful)
        return self._summary(columns, stopped)

    # ---- the first look

    def _look(self, chosen: NDArray[np.intp], claimed: Array) -> None:
        calibration = self.preflight.calibration
        h = self.steps[chosen]
        plus, minus = self.pairs(
            self.x, chosen, h, lambda done: self.tick("entries", int(chosen[0]) + done, self.n, "")
        )
        self.checked += claimed.size
        kernel = self._kernel(claimed.size)
        if kernel is None:
            self._see(chosen, h, plus, minus)
        else:
            rest = self._pass_over(kernel, chosen, h, plus, minus, claimed)
            if not rest.any():
                return
            chosen, h = chosen[rest], h[rest]
            plus, minus, claimed = plus[rest], minus[rest], claimed[rest]
        look = first_look(
            plus,
            minus,
            self.preflight.value,
            h,
            claimed,
            self._ordinary(chosen[:, None], np.arange(self.m)[None, :]),
            calibration.noise,
            calibration.truncation,
            calibration.bent,
            self.tolerance,
        )
        still = (claimed == 0).all(axis=1)
        if still.any():
            still &= ((plus == self.preflight.value) & (minus == self.preflight.value)).all(axis=1)
            self.ignored.append(chosen[still].astype(np.int64))
        columns = self._columns(look, chosen, claimed, h)
        self._tally(columns, columns.verdict == Verdict.PASS)
        self._keep(columns)

    def _keep(self, columns: Columns) -> None:
        self.kept.append(columns)
        if sum(len(part.entry) for part in self.kept) > 4 * KEPT:
            self.kept = [_worst(join(self.kept), 2 * KEPT)]

    def _kernel(self, entries: int) -> Callable[..., None] | None:
        """A compiled first look at whole columns, if f is compiled and there are more entries than a report holds."""
        if (
            self.m == 1
            or self.m * self.n <= KEPT
            or self.preflight.calibration.bent
            or not is_compiled(self.function.call)
        ):
            return None
        from gradcheck.numerics.kernels import agreement_kernel

        return agreement_kernel(entries)

    def _pass_over(
        self, kernel: Callable[..., None], chosen: NDArray[np.intp], h: Array, plus: Array, minus: Array, claimed: Array
    ) -> NDArray[np.bool_]:
        """Count the columns in which everything agrees, keeping the worst entry of each; a mask of the other columns."""
        calibration = self.preflight.calibration
        found = agreement(
            kernel, plus, minus, h, claimed, self.scales[chosen], self.seen, self.largest, calibration, self.tolerance
        )
        rest = found.worst < 0
        k = np.flatnonzero(~rest)
        if k.size:
            self.passed.add(k.size * self.m, found.relative, found.detectable, found.share)
            j = found.worst[k]
            look = first_look(
                plus[k, j, None],
                minus[k, j, None],
                self.preflight.value[j],
                h[k],
                claimed[k, j, None],
                self._ordinary(chosen[k, None], j[:, None]),
                calibration.noise[j, None],
                calibration.truncation[j, None],
                False,
                self.tolerance,
            )
            self._keep(self._columns(look, chosen[k], claimed[k, j, None], h[k], j[:, None]))
        return rest

    def _see(self, chosen: NDArray[np.intp], h: Array, plus: Array, minus: Array) -> None:
        """Learn from differences how large an entry is here, by itself and as a change of f per natural scale."""
        with np.errstate(invalid="ignore", over="ignore"):
            slope = np.abs(plus - minus) / (2 * h[:, None])
            clear = np.isfinite(slope) & (slope > CLEAR * self.preflight.calibration.noise / h[:, None])
        slope[~clear] = 0.0
        self.largest = np.maximum(self.largest, slope.max(axis=0))
        self.seen = np.maximum(self.seen, (slope * self.scales[chosen, None]).max(axis=0))

    def _ordinary(self, i: NDArray[Any], j: NDArray[Any]) -> Array:
        """The size of an ordinary entry at columns i and outputs j: what is small against it need not be resolved in itself.

        Variables may have very different units; an entry is small only if it is so in its own unit and in f's change.
        """
        return np.minimum(self.seen[j] / self.scales[i], np.where(self.largest[j] > 0, self.largest[j], np.inf))

    def _columns(
        self,
        look: FirstLook,
        chosen: NDArray[np.intp],
        claimed: Array,
        h: Array,
        outputs: NDArray[np.int64] | None = None,
    ) -> Columns:
        """What was seen, as columns; outputs: the outputs compared, for each of `chosen`, if that is not all of them."""
        agreed = look.agreed.ravel()
        j = np.arange(self.m)[None, :] if outputs is None else outputs
        verdict = np.where(agreed, np.int8(Verdict.PASS), np.int8(Verdict.INCONCLUSIVE))
        verdict[~np.isfinite(claimed).ravel()] = Verdict.ERROR
        return Columns(
            entry=(j * self.n + chosen[:, None]).ravel(),
            claimed=claimed.ravel(),
            numeric=look.numeric.ravel(),
            uncertainty=look.uncertainty.ravel(),
            step=np.repeat(h, claimed.shape[1]),
            evaluations=np.full(agreed.size, 2, np.int64),
            verdict=verdict,
            status=np.where(agreed, np.int8(FIRST_STEP), np.int8(NOT_EXAMINED)),
        )

    # ---- the second look

    def _re_examine(self, columns: Columns) -> bool:
        """Judge what did not agree from ladders of steps; returns whether the budget sufficed."""
        open_rows = np.flatnonzero(columns.verdict == Verdict.INCONCLUSIVE)
        by_column = self._grouped(columns, open_rows)
        spent_before = self.function.calls
        allowance = max(FULL_LADDERS * 2 * DEPTH // 2, SPENDING * self.n)
        complete, wholly_wrong = True, True
        short: list[int] = []
        for done, (i, rows) in enumerate(by_column):
            self.tick("re-examined", done, len(by_column), "")
            if self.expired():
                complete = False
                break
            spent = self.function.calls - spent_before
            if done < ENOUGH or (spent < allowance and not wholly_wrong):
                self._climb(columns, i, rows, self._ladder(i), extend=True)
                wholly_wrong &= all(columns.verdict[row] == Verdict.FAIL for row in rows)
            elif spent < allowance:
                self._climb(columns, i, rows, self._short_ladder(i))
                self._hesitate(columns, rows)
                if any(columns.verdict[row] == Verdict.INCONCLUSIVE for row in rows):
                    short.append(done)
            else:
                break
        for done in short:
            if self.function.calls - spent_before > allowance or self.expired():
                break
            i, rows = by_column[done]
            self._climb(columns, i, rows, self._ladder(i), extend=True)
        self._look_for_jumps(columns)
        self._reconsider(columns)
        return complete

    def _reconsider(self, columns: Columns) -> None:
        """Take back what passed as small, if nothing turned out to be as large as the first differences made believe."""
        if self.checked > len(columns.entry):
            return
        i, j = columns.entry % self.n, columns.entry // self.n
        size = np.maximum(np.abs(columns.claimed), np.abs(columns.numeric))
        known = np.where(np.isfinite(size) & (columns.uncertainty < size), size, 0.0)
        seen, largest = np.zeros(self.m), np.zeros(self.m)
        np.maximum.at(seen, j, known * self.scales[i])
        np.maximum.at(largest, j, known)
        with np.errstate(divide="ignore", over="ignore"):
            ordinary = np.minimum(seen[j] / self.scales[i], largest[j])
        weak = (columns.verdict == Verdict.PASS) & (columns.status == status_code(Status.CONVERGED))
        weak &= columns.uncertainty > np.maximum(RESOLVED * size + SMALL * ordinary, self.tolerance.atol)
        weak &= columns.claimed != 0
        columns.verdict[weak], columns.status[weak] = Verdict.INCONCLUSIVE, status_code(Status.BELOW_RESOLUTION)
        for entry in columns.entry[weak].tolist():
            columns.detail[entry] = {"reason": Status.BELOW_RESOLUTION.advice}

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

    def _grouped(self, columns: Columns, rows: NDArray[np.intp]) -> list[tuple[int, list[int]]]:
        """Open rows by the column of the derivative, the column with the most suspicious entry first."""
        i = columns.entry[rows] % self.n
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            scale = self._ordinary(i, columns.entry[rows] // self.n)
            suspicion = columns.gap[rows] / (
                np.maximum(np.abs(columns.claimed[rows]), np.abs(columns.numeric[rows])) + scale
            )
        suspicion = np.nan_to_num(suspicion, nan=np.inf, posinf=np.inf)
        groups: dict[int, list[int]] = {}
        for k in np.argsort(-suspicion, kind="stable").tolist():
            groups.setdefault(int(i[k]), []).append(int(rows[k]))
        return list(groups.items())

    def _ladder(self, i: int) -> Array:
        scale = float(self.scales[i])
        bottom = max(float(smallest_step(self.x[i : i + 1])[0]), scale * 2.0**-DEPTH)
        return ladder_steps(REACH * scale, bottom)

    def _short_ladder(self, i: int) -> Array:
        h = float(self.steps[i])
        return h * RATIO ** np.array([1.0, 0.0, -1.0])

    def _climb(self, columns: Columns, i: int, rows: list[int], wanted: Array, *, extend: bool = False) -> None:
        """Judge the open entries of column i from a ladder; with `extend`, climb on while larger steps might see more."""
        steps, plus, minus = self._rungs(i, wanted)
        longest = steps.size + HIGHEST
        judgements = [self._judge(columns, row, i, plus, minus, steps) for row in rows]
        far = FARTHEST * max(float(self.scales[i]), 1.0)
        while extend and steps.size < longest and steps[0] < far and any(_limited(j, steps) for j in judgements):
            higher, more_plus, more_minus = self._rungs(i, float(steps[0]) * RATIO ** np.arange(EXTENSION, 0, -1.0))
            if not (np.isfinite(more_plus) & np.isfinite(more_minus)).any():
                break
            moved = bool((plus != minus).any())
            steps = np.concatenate([higher, steps])
            plus, minus = np.concatenate([more_plus, plus]), np.concatenate([more_minus, minus])
            finer = judgements
            judgements = [self._judge(columns, row, i, plus, minus, steps) for row in rows]
            if moved and not all(_refines(new, old) for new, old in zip(judgements, finer, strict=True)):
                judgements = finer  # at such steps f is another function
                break
        for row, judgement in zip(rows, judgements, strict=True):
            self._write(columns, row, judgement, 2 * steps.size)

    def _rungs(self, i: int, wanted: Array) -> tuple[Array, Array, Array]:
        """Realised steps, and f on both sides of x at them, for column i."""
        steps = steps_near(self.x[i : i + 1], wanted)
        return (steps, *self.function.pairs(self.x, np.full(steps.size, i, np.intp), steps))

    def _judge(self, columns: Columns, row: int, i: int, plus: Array, minus: Array, steps: Array) -> Judgement:
        j = int(columns.entry[row]) // self.n
        calibration = self.preflight.calibration
        return judge(
            float(columns.claimed[row]),
            plus[:, j],
            minus[:, j],
            float(self.preflight.value[j]),
            steps,
            resolution=float(calibration.resolution[j]),
            quantum=float(calibration.quantum[j]),
            scale=float(self._ordinary(np.array(i), np.array(j))),
            reach=float(self.scales[i]) * USUAL,
            tolerance=self.tolerance,
        )

    @staticmethod
    def _write(columns: Columns, row: int, judgement: Judgement, evaluations: int) -> None:
        columns.numeric[row] = judgement.value
        gap = abs(float(columns.claimed[row]) - judgement.value)
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

    def _by_first_look(self, columns: Columns) -> None:
        """The verdict on entries that the bound on re-examination left out, from their first difference alone."""
        left = columns.status == status_code(Status.NOT_EXAMINED)
        if not left.any():
            return
        gap, size = columns.gap, np.maximum(np.abs(columns.claimed), np.abs(columns.numeric))
        allowed = self.tolerance.atol + self.tolerance.rtol * size
        i, j = columns.entry % self.n, columns.entry // self.n
        calibration = self.preflight.calibration
        rounding = 2 * calibration.noise[j] / columns.step
        scale = self._ordinary(i, j)
        u = rounding + 4 * calibration.truncation[j] * np.maximum(size, scale)
        columns.uncertainty[left] = u[left]
        fails = left & (gap > UNEXAMINED * (allowed + u))
        passes = left & (gap <= allowed + u) & (u <= RESOLVED * size + SMALL * scale)
        columns.verdict[fails] = Verdict.FAIL
        columns.verdict[passes] = Verdict.PASS

    def _look_for_jumps(self, columns: Columns) -> None:
        """Before small gaps are called wrong: if f jumps nearby, its differences cannot refute a claim that far apart.

        The value of an adaptive solver is right to its tolerance only, and its derivative is one of the discretisation.
        """
        failed = np.flatnonzero(columns.verdict == Verdict.FAIL)
        size = np.maximum(np.abs(columns.claimed[failed]), np.abs(columns.numeric[failed]))
        if not failed.size or (columns.gap[failed] > MODEST * size).any():
            return
        for row in failed[np.argsort(-columns.gap[failed] / size, kind="stable")].tolist():
            i, j = int(columns.entry[row]) % self.n, int(columns.entry[row]) // self.n
            trend = self._excuse(columns, row, i, j)
            if trend is None or self.expired():
                return  # one entry that nothing excuses decides
            off = abs(trend.slope - float(columns.numeric[row]))
            columns.verdict[row] = Verdict.INCONCLUSIVE
            columns.status[row] = status_code(Status.JUMP)
            columns.uncertainty[row] = max(float(columns.uncertainty[row]), off + trend.uncertainty)
            columns.detail[int(columns.entry[row])] = {
                "reason": f"f jumps by {trend.jump.size:.2g} at a distance of {abs(trend.jump.distance):.2g}, "
                f"as the result of an adaptive solver does: small steps say {columns.numeric[row]:.6g}, "
                f"the trend over many pieces is {trend.slope:.6g} ± {trend.uncertainty:.1g}, as claimed. "
                "Tighten the solver's tolerance",
                "kink": trend.jump.distance,
            }

    def _excuse(self, columns: Columns, row: int, i: int, j: int) -> Trend | None:
        """The first trend, from near to far, that supports the claim in a row."""
        noise = float(columns.uncertainty[row] * columns.step[row])
        for nearby in NEARBY:
            trend = excuse(
                lambda t: self.function.ray(self.x, i, t)[:, j],
                float(columns.claimed[row]),
                float(columns.numeric[row]),
                float(self.scales[i]) * nearby,
                noise,
            )
            if trend is not None:
                return trend
        return None

    # ---- counting

    def _tally(self, columns: Columns, mask: NDArray[np.bool_]) -> None:
        count = int(np.count_nonzero(mask))
        if not count:
            return
        if count < mask.size:
            columns = columns.take(mask)
        i, j = columns.entry % self.n, columns.entry // self.n
        size = np.maximum(np.abs(columns.claimed), np.abs(columns.numeric))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ordinary = np.maximum(size, self._ordinary(i, j))
            visible = ordinary > 0
            relative = np.where(visible, columns.gap / ordinary, 0.0)
            detectable = self.tolerance.atol + self.tolerance.rtol * size + columns.uncertainty
            share = np.where(visible, detectable / ordinary, 0.0)
        self.passed.add(count, float(relative.max()), float(detectable.max()), float(share.max()))

    def _summary(self, columns: Columns, stopped: str) -> Survey:
        failed = int(np.count_nonzero(columns.verdict == Verdict.FAIL))
        errors = int(np.count_nonzero(columns.verdict == Verdict.ERROR))
        inconclusive = self.checked - self.passed.count - failed - errors
        digits = None
        if self.passed.count:
            digits = 16.0 if self.passed.relative <= 1e-16 else -float(np.log10(self.passed.relative))
        return Survey(
            columns=worst_first(columns),
            checked=self.checked,
            failed=failed,
            inconclusive=inconclusive,
            digits=digits,
            detectable=self.passed.detectable,
            detectable_share=self.passed.share,
            ignored=np.concatenate(self.ignored),
            errors=errors,
            stopped=stopped,
        )


def _limited(judgement: Judgement, steps: Array) -> bool:
    """Whether noise limits the value, and the best step is among the largest tried: a larger one might see more."""
    size = abs(judgement.value)
    return not judgement.uncertainty <= SHARP * size and not judgement.step < steps[min(3, steps.size - 1)]


def _refines(new: Judgement, old: Judgement) -> bool:
    """Whether a value found with larger steps is much sharper, and lies within what was known before."""
    if not np.isfinite(old.uncertainty):
        return True
    return (
        new.uncertainty <= old.uncertainty / 2 and abs(new.value - old.value) <= new.uncertainty + 2 * old.uncertainty
    )


class Tally:
    """Running figures over the entries that passed."""

    def __init__(self) -> None:
        self.count, self.relative, self.detectable, self.share = 0, 0.0, 0.0, 0.0

    def add(self, count: int, relative: float, detectable: float, share: float) -> None:
        """Count `count` more, with the largest of their gaps and of their detection limits, absolute and relative."""
        self.count += count
        self.relative = max(self.relative, relative)
        self.detectable = max(self.detectable, detectable)
        self.share = max(self.share, share)


def _worst(columns: Columns, count: int) -> Columns:
    """The `count` rows that most deserve to be kept: open ones first, then the largest gaps."""
    order = np.lexsort((-columns.gap, columns.verdict == Verdict.PASS))[:count]
    return columns.take(order)


def _no_columns() -> Columns:
    nothing, ints = np.empty(0), np.empty(0, np.int64)
    return Columns(ints, nothing, nothing, nothing, nothing, ints, np.empty(0, np.int8), np.empty(0, np.int8))


def gradient_blocks(claimed: Array) -> Iterator[tuple[NDArray[np.intp], Array]]:
    """The columns of a claimed gradient (n,) in blocks, as `Surveyor.survey` wants them."""
    for start in range(0, claimed.size, BLOCK_VALUES):
        chosen = np.arange(start, min(start + BLOCK_VALUES, claimed.size), dtype=np.intp)
        yield chosen, claimed[chosen, None]


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
