"""Every entry of a derivative: a first look at all, a second at those that it left in doubt.

The same code serves a gradient (a Jacobian with one row), a Jacobian and a Hessian (the Jacobian of the gradient).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.claims import Block
from gradcheck.evaluation.engines import is_compiled
from gradcheck.methods.entries import KEPT, Columns, foremost, join, no_columns, status_code, worst_first
from gradcheck.methods.results import Comparison, Tally, digits_of
from gradcheck.model import Finding, FindingKind, Status, Verdict
from gradcheck.numerics.first_step import Ordinary, first_look
from gradcheck.numerics.stencils import steps_near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.problem import Problem, Watcher
    from gradcheck.numerics.first_step import FirstLook
    from gradcheck.numerics.noise import Calibration
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]


SHOWN = 20  # how many entries a finding lists
PLACES = {
    Status.KINK: (FindingKind.KINK, "has a kink at the point"),
    Status.JUMP: (FindingKind.JUMP, "jumps near the point"),
    Status.STEPS: (FindingKind.STEPS, "has steps near the point"),
    Status.ONE_SIDED: (FindingKind.DOMAIN_EDGE, "has values on one side of the point only"),
}


FIRST_STEP, NOT_EXAMINED = status_code(Status.FIRST_STEP), status_code(Status.NOT_EXAMINED)


Evaluate = Callable[[Block, "Array", Callable[[int], None]], "tuple[Array, Array]"]


class Surveyor:
    """Compares the columns of a claimed derivative of f: R^n → R^m with differences.

    step: asked for by the user, else chosen.
    evaluate: f on both sides of x for a block and its steps, in place of `function.pairs`.
    most: entries to keep.
    detail: what a number of entries compared so far comes to, for those who watch.
    calibration: how exactly f can be differenced, if that is not to be measured.
    seen: f on both sides of x for each column that was looked at, (n, 2), NaN for the others; not of a matrix.
    """

    def __init__(
        self,
        problem: Problem,
        watcher: Watcher,
        *,
        step: float | None = None,
        evaluate: Evaluate | None = None,
        most: int = KEPT,
        detail: Callable[[int], str] = lambda done: "",
        calibration: Calibration | None = None,
    ) -> None:
        self.detail, self.looked = detail, 0
        self.problem, self.watcher, self.evaluate = problem, watcher, evaluate or self._pairs
        self.preflight, self.tolerance = problem.preflight, problem.tolerance
        self.n, self.m, self.most = problem.n, problem.m, most
        self.calibration = calibration = calibration or self.preflight.calibration
        scales = self.preflight.scales
        wanted = scales * calibration.fraction if step is None else np.full(self.n, step)
        self.steps = steps_near(problem.x, wanted)
        self.ordinary = Ordinary(scales, calibration.slope / self.n**0.5, self.preflight.value)
        self.passed = Tally()
        self.parts = (
            [(part, Tally()) for part in problem.function.layout.parts] if problem.function.layout.leaves else []
        )
        self.seen = np.full((self.n if self.m == 1 else 0, 2), np.nan)
        self.kept: list[Columns] = []
        self.ignored: list[NDArray[np.intp]] = []
        self.checked = 0

    def survey(self, blocks: Iterable[Block]) -> Comparison:
        """Compare all entries, block by block."""
        with self.watcher.until_stopped():
            for block in blocks:
                self.watcher.require_time()
                self._look(block)
            self.watcher.tick("entries", self.n, self.n)
        columns = join(self.kept) if self.kept else no_columns()
        if self.passed.count < self.checked:
            self._look_again(columns)
        return self._summary(columns)

    # ---- the first look

    def _pairs(self, block: Block, steps: Array, tick: Callable[[int], None]) -> tuple[Array, Array]:
        return self.problem.function.pairs(self.problem.x, block.columns, steps, tick)

    def _tick(self, done: int) -> None:
        self.watcher.tick("entries", done, self.n, self.detail(done))

    def _look(self, block: Block) -> None:
        h = self.steps[block.columns]
        start = self.looked
        plus, minus = self.evaluate(block, h, lambda done: self._tick(start + done))
        self.looked += len(block.columns)
        if self.m == 1:
            self.seen[block.columns, 0], self.seen[block.columns, 1] = plus[:, 0], minus[:, 0]
        self.checked += block.claimed.size
        kernel = self._kernel(block)
        if kernel is None:
            self._compare(block, h, plus, minus, learn=True)
        else:
            self._pass_over(kernel, block, h, plus, minus)

    def _compare(self, block: Block, h: Array, plus: Array, minus: Array, *, learn: bool, agreed: bool = False) -> None:
        """Put entries on record: f on both sides of x against what is claimed.

        learn: these are news to `ordinary`.
        agreed: they are known to agree, and were counted.
        """
        calibration, rows, column = self.calibration, block.rows, h[:, None]
        which = slice(None) if rows is None else rows
        numeric = (plus - minus) / (2 * column)
        rounding = calibration.noise[which] * (2 / column)
        units = self.ordinary.scales[block.columns, None]
        if learn:
            self.ordinary.learn(numeric, rounding, units, rows)
        bend = _second(plus, minus, self.preflight.value[which]) / column if calibration.bent else None
        ordinary, truncation = self.ordinary.of(units, which), calibration.truncation[which]
        look = first_look(numeric, rounding, block.claimed, ordinary, truncation, self.tolerance, bend)
        evaluations: Any = 2
        whole = agreed or bool(look.agreed.all())
        if not whole:
            evaluations = self._settle_zeros(block, plus, minus, column, numeric, rounding, look)
            whole = bool(look.agreed.all())
        if not agreed:
            self._count(look, whole=whole)
            self._count_parts(look, block.columns)
            self._find_ignored(block, plus, minus)
        self._keep(self._recorded(block, h, numeric, look.uncertainty, None if whole else look.agreed, evaluations))

    def _settle_zeros(
        self,
        block: Block,
        plus: Array,
        minus: Array,
        step: Array,
        numeric: Array,
        rounding: Array,
        look: FirstLook,
    ) -> NDArray[np.intp]:
        """Have a closer look at the columns, or entries, in which not everything agreed; the evaluations spent on each entry."""
        from gradcheck.methods.zeros import FirstPair, settle_zeros  # most checks need none

        evaluations = np.full(numeric.shape, 2)
        open_ones: NDArray[np.bool_] = np.logical_not(look.agreed.all(axis=1))
        part = look.of(open_ones)
        value = self.preflight.value if block.rows is None else self.preflight.value[block.rows[open_ones]]
        bends = _second(plus[open_ones], minus[open_ones], value)
        pair = FirstPair(step[open_ones], numeric[open_ones], bends, rounding[open_ones])
        evaluations[open_ones] = settle_zeros(self.problem, self.ordinary, block.of(open_ones), pair, part)
        look.put(open_ones, part)
        return evaluations

    def _count(self, look: FirstLook, *, whole: bool) -> None:
        agreed, parts = look.agreed, (look.gap, look.size, look.large, look.uncertainty)
        if whole:
            self.passed.add(self.tolerance, *parts)
        elif agreed.any():
            self.passed.add(self.tolerance, *(part[agreed] for part in parts))

    def _count_parts(self, look: FirstLook, columns: NDArray[np.intp]) -> None:
        """The same for each leaf of x."""
        for part, tally in self.parts:
            there = look.agreed & ((columns >= part.where.start) & (columns < part.where.stop))[:, None]
            if there.any():
                tally.add(self.tolerance, look.gap[there], look.size[there], look.large[there], look.uncertainty[there])

    def _find_ignored(self, block: Block, plus: Array, minus: Array) -> None:
        """Columns along which neither f nor the claim changes."""
        if block.claimed.all():
            return
        value = self.preflight.value if block.rows is None else self.preflight.value[block.rows]
        still = ((block.claimed == 0) & (plus == value) & (minus == value)).all(axis=1)
        if still.any():
            columns = block.columns[still]
            self.ignored.append(
                columns if block.rows is None else np.setdiff1d(np.unique(columns), block.columns[~still])
            )

    def _recorded(
        self,
        block: Block,
        h: Array,
        numeric: Array,
        uncertainty: Array,
        agreed: NDArray[np.bool_] | None,
        evaluations: Any,
    ) -> Columns:
        """What was seen, as columns; agreed: which entries did, None if all."""
        size = numeric.size
        if self.m == 1:
            entry = block.columns
        else:
            rows = np.arange(self.m) if block.rows is None else block.rows
            entry = (rows * self.n + block.columns[:, None]).ravel()
            h = np.repeat(h, numeric.shape[1])
        verdict, status = np.zeros(size, np.int8), np.full(size, FIRST_STEP, np.int8)
        if agreed is not None:
            doubtful = ~agreed.ravel()
            verdict[doubtful], status[doubtful] = Verdict.INCONCLUSIVE, NOT_EXAMINED
            verdict[~np.isfinite(block.claimed).ravel()] = Verdict.ERROR
        return Columns(
            entry.astype(np.int64, copy=False),
            block.claimed.flatten(),
            numeric.ravel(),
            uncertainty.ravel(),
            h,
            np.full(size, evaluations) if isinstance(evaluations, int) else evaluations.ravel(),
            verdict,
            status,
        )

    def _keep(self, columns: Columns) -> None:
        self.kept.append(columns)
        if len(self.kept) > 1 and sum(len(part.entry) for part in self.kept) > 4 * self.most:
            count = 2 * self.most
            self.kept = [_worst(join([foremost(part, count) for part in self.kept]), count)]

    # ---- the first look, compiled

    def _kernel(self, block: Block) -> Callable[..., None] | None:
        """A compiled first look at whole columns, if f is compiled, and a number or with more entries than a report holds."""
        if (
            (self.m > 1 and self.m * self.n <= self.most)
            or self.parts
            or block.rows is not None
            or self.calibration.bent
            or not is_compiled(self.problem.function.call)
        ):
            return None
        from gradcheck.numerics.kernels import agreement_kernel

        return agreement_kernel(block.claimed.size)

    def _pass_over(self, kernel: Callable[..., None], block: Block, h: Array, plus: Array, minus: Array) -> None:
        """Count the columns in which everything agrees, keeping the worst entry of each; compare the others one by one.

        Of an f that is a number all entries are kept, or compared one by one.
        """
        from gradcheck.numerics.first_step import agreement

        found = agreement(
            kernel,
            plus,
            minus,
            h,
            block.claimed,
            block.columns,
            self.ordinary,
            self.calibration,
            self.tolerance,
        )
        rest = found.worst < 0
        if self.m == 1 and rest.any():
            self._compare(block, h, plus, minus, learn=False)
            return
        k = np.flatnonzero(~rest)
        if k.size:
            j = found.worst[k]
            worst = Block(block.columns[k], block.claimed[k, j, None], None if self.m == 1 else j[:, None])
            if self.ordinary.largest[j].all():
                numeric, uncertainty = found.numeric[k, j, None], found.uncertainty[k]
                self._keep(self._recorded(worst, h[k], numeric, uncertainty, None, 2))
            else:  # what is ordinary there is that of others
                self._compare(worst, h[k], plus[k, j, None], minus[k, j, None], learn=False, agreed=True)
            self.passed.include(k.size * self.m, found.relative, found.detectable, found.share)
        if rest.any():
            part = Block(block.columns[rest], block.claimed[rest])
            self._compare(part, h[rest], plus[rest], minus[rest], learn=False)

    # ---- the second look

    def _look_again(self, columns: Columns) -> None:
        """Judge what is in doubt from ladders of steps."""
        from gradcheck.methods.reexamination import Reexamination  # most checks need none

        doubtful = columns.status != FIRST_STEP
        if not doubtful.any():
            return
        complete = self.checked == len(columns.entry)
        second = Reexamination(self.problem, self.watcher, self.ordinary, self.steps, complete=complete, seen=self.seen)
        if not self.watcher.stopped:
            with self.watcher.until_stopped():
                second.examine(columns)
        second.first.decide(columns)
        passed = columns.take((columns.verdict == Verdict.PASS) & doubtful)
        if passed.entry.size:
            size = passed.size
            i, j = passed.entry % self.n, passed.entry // self.n
            large = np.maximum(size, self.ordinary.of(self.ordinary.scales[i], j))
            self.passed.add(self.tolerance, passed.gap, size, large, passed.uncertainty)
            for part, tally in self.parts:
                there = (i >= part.where.start) & (i < part.where.stop)
                if there.any():
                    rows = passed.take(there)
                    tally.add(self.tolerance, rows.gap, size[there], large[there], rows.uncertainty)

    def _summary(self, columns: Columns) -> Comparison:
        passed, failed, errors = self.passed, 0, 0
        if passed.count < self.checked:
            failed = int(np.count_nonzero(columns.verdict == Verdict.FAIL))
            errors = int(np.count_nonzero(columns.verdict == Verdict.ERROR))
        return Comparison(
            columns=columns if passed.count == len(columns.entry) <= self.most else worst_first(columns, self.most),
            checked=self.checked,
            failed=failed,
            inconclusive=self.checked - passed.count - failed - errors,
            digits=digits_of(passed.relative) if passed.count else None,
            detectable=passed.detectable,
            detectable_share=passed.share,
            ignored=np.concatenate([np.empty(0, np.int64), *self.ignored]) if self.ignored else np.empty(0, np.int64),
            errors=errors,
            detectable_parts=tuple((part.name, tally.detectable) for part, tally in self.parts if tally.count),
        )


def _second(plus: Array, minus: Array, value: Array) -> Array:
    """|f(x + h) + f(x − h) − 2 f(x)|."""
    return np.abs(plus + minus - 2 * value)


def _worst(columns: Columns, count: int) -> Columns:
    """The `count` rows that most deserve to be kept: open ones first, then the largest gaps."""
    order = np.lexsort((-columns.gap, columns.verdict == Verdict.PASS))[:count]
    return columns.take(order)


def observations(comparison: Comparison, problem: Problem) -> list[Finding]:
    """What the comparison showed of f itself: kinks, jumps, and inputs that it ignores."""
    columns, layout, n = comparison.columns, problem.function.layout, problem.n
    findings = []
    for status, (kind, what) in PLACES.items() if columns.status.any() else ():
        entries = columns.entry[columns.status == status_code(status)]
        if entries.size:
            variables = np.unique(entries % n)
            message = f"f {what} along {variables.size} of its variables ({_some(variables, layout)})"
            if kind is FindingKind.STEPS:
                message += ": an iteration or an adaptive solver in it stops early"
            findings.append(Finding(kind=kind, message=message, evidence={"entries": entries[:SHOWN].tolist()}))
    count = len(comparison.ignored)
    if count == n and not problem.preflight.calibration.quantum.any():
        message = "f does not depend on its input: its value never changed"
    elif count:
        message = f"f did not change with {count} of its {n} variables ({_some(comparison.ignored, layout)})"
    else:
        return findings
    evidence = {"variables": comparison.ignored[:SHOWN].tolist(), "count": count}
    return [*findings, Finding(kind=FindingKind.IGNORES_INPUT, message=message, evidence=evidence)]


def _some(entries: NDArray[np.int64], layout: Layout) -> str:
    return ", ".join(map(layout.name, entries[:5].tolist())) + (", …" if entries.size > 5 else "")
