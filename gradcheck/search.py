"""A gradient of many variables: checked along random directions, and searched for the wrong entries where they disagree.

A direction costs a ladder of a few steps whatever the dimension.  It is compared as an entry is, by the same code; what counts
as agreement is the error that all entries together may have within tolerance.  Whatever exceeds the uncertainty is searched
for, even within that allowance: one entry far off hides among a million that are right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.entries import Columns, join, status_code
from gradcheck.model import DerivativeEstimate, Diagnosis, DiagnosisKind, DirectionCheck, Status, Tolerance, Verdict
from gradcheck.numerics.comparison import RESOLVED, SMALL, Judgement, judge
from gradcheck.numerics.extrapolation import RATIO, richardson
from gradcheck.numerics.localization import Located, Locator, Reading, Trial
from gradcheck.numerics.stencils import steps_near
from gradcheck.probe import Meter, Probe, Stopped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation import Function
    from gradcheck.preflight import Preflight

    Array = NDArray[np.float64]

REACH = 1.37  # in natural scales, as for single entries
GRID = REACH * RATIO ** -np.arange(-1.0, 15.0)  # the steps that may be taken along a direction
OUTSET = range(2, 10)  # rungs of the first ladder: 0.34 … 2e-5
ABOVE, BELOW = 4, 2  # rungs around the best of the first ladder that later ones take
ENTRY_RUNGS, MORE_RUNGS = 8, 6  # of the ladder for one entry, and how it goes on if that does not do
RANDOM = 3.0  # a direction may be off by this multiple of the root of the sum of squares of what its entries may be off by
EXAMPLES = 3  # entries judged one by one when all are wrong by a factor
LISTED = 20  # indices that a diagnosis spells out
EDGE = 0.9  # of the way to a bound is used

Tick = Callable[[str, int, int, str], None]


@dataclass(frozen=True, slots=True)
class Limit:
    """How large an error of a single entry would have been seen in a part of the variables.

    certain: an error above this in any one entry of the part (inf if f cannot be asked there); likely: above this with
    `probability`.  usual: the same as `certain` for an entry of ordinary scale.  size: root mean square of the claim there.
    """

    name: str
    certain: float
    likely: float
    probability: float
    usual: float
    size: float


@dataclass(frozen=True, slots=True)
class Searched:
    """What the search came to.

    columns: wrong entries, each confirmed on its own.  failed, inconclusive: numbers of directions.
    threshold: a change of f per natural scale of a variable that would have been noticed; limits: what that means for parts.
    wrong: how many entries are known, or estimated, to be wrong.
    complete: the budget sufficed and nobody interrupted; stopped: 'budget', 'interrupt' or ''.
    """

    columns: Columns
    directions: tuple[DirectionCheck, ...]
    diagnoses: tuple[Diagnosis, ...]
    failed: int
    inconclusive: int
    threshold: float
    limits: tuple[Limit, ...]
    wrong: int
    complete: bool
    stopped: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of directions and entries."""
        if self.failed or (self.columns.verdict == Verdict.FAIL).any():
            return Verdict.FAIL
        return Verdict.INCONCLUSIVE if self.inconclusive or not self.directions else Verdict.PASS

    @property
    def sentence(self) -> str:
        """The limit of detection in plain words."""
        if not self.limits or not math.isfinite(self.limits[0].usual):
            return "No error of a single entry can be excluded."
        one = self.limits[0]
        return (
            f"An error above {one.usual:.2g} in any one entry of ordinary scale would have been seen, one above {one.usual / 2:.2g} "
            f"with probability {one.probability:.2g}; entries are of size {one.size:.2g}."
        )


def search(
    function: Function,
    claimed: Array,
    x: NDArray[Any],
    preflight: Preflight,
    tolerance: Tolerance,
    *,
    directions: int = 2,
    seed: int = 0,
    tick: Tick = lambda phase, done, total, detail: None,
    expired: Callable[[], bool] = lambda: False,
    locate: bool = True,
    row: int = 0,
    parts: Sequence[tuple[str, int, int]] = (),
    point: int = 0,
) -> Searched:
    """Check a claimed gradient (n,) at x (flat, (n,)) along random directions; where they disagree, find the wrong entries.

    Args:
        directions: how many, at least 1; seed: of them.
        tick: told about progress (phase, done, total, detail); expired: asked whether the budget is spent.
        locate: search for the wrong entries.
        row: which value of f the claim is the gradient of (a row of a Jacobian or Hessian).
        parts: (name, start, stop) of the variables that belong together, to state limits for each.
        point: number of the point, for the record.
    """
    searcher = _Searcher(function, claimed, x, preflight, tolerance, seed=seed, row=row, tick=tick, expired=expired)
    stopped = ""
    try:
        searcher.look(max(directions, 1))
        if locate and searcher.disagree:
            searcher.explain()
    except Stopped:
        stopped = "budget"
    except KeyboardInterrupt:
        stopped = "interrupt"
    return searcher.result(parts, point, stopped)


class _Ladder:
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

    @property
    def reading(self) -> Reading:
        """Claim minus derivative along the direction."""
        j = self.judgement
        if j is None or not math.isfinite(j.uncertainty):
            return Reading(0.0, math.inf)
        return Reading(self.ideal - j.value, j.uncertainty)


class _Searcher:
    """The state of one search; it is the probe of the `Locator`."""

    def __init__(
        self,
        function: Function,
        claimed: Array,
        x: NDArray[Any],
        preflight: Preflight,
        tolerance: Tolerance,
        *,
        seed: int,
        row: int,
        tick: Tick,
        expired: Callable[[], bool],
    ) -> None:
        self.function, self.claimed, self.x, self.row, self.tick = function, claimed, x, row, tick
        self.preflight, self.tolerance, self.expired = preflight, tolerance, expired
        self.centre = float(preflight.value[row])
        finite = np.isfinite(claimed)
        scales = np.where(finite, _within_bounds(preflight.scales, x, function.bounds), 0.0)
        self.probe = Probe(function, x, np.where(finite, claimed, 0.0), scales, row=row, seed=seed, expired=expired)
        calibration = preflight.calibration
        self.resolution, self.quantum = float(calibration.resolution[row]), float(calibration.quantum[row])
        self.meter = Meter(max(float(calibration.noise[row]), self.resolution), GRID, x.size)
        self.ladders: list[_Ladder] = []
        self.next = 0
        self.highest = 0 if function.bounds is None else OUTSET[0]
        self.rows: dict[int, Columns] = {}
        self.diagnoses: list[Diagnosis] = []
        self.located: Located | None = None
        self.locator: Locator | None = None
        self.fresh: list[Reading] = []
        self.factor: float | None = None

    # ---- directions

    def look(self, count: int) -> None:
        """Judge so many random directions."""
        for k in range(count):
            self.tick("directions", k, count, "")
            self._judge(self._direction())
        self.tick("directions", count, count, "")

    @property
    def disagree(self) -> bool:
        """Whether a direction is off by more than its uncertainty."""
        return any(ladder.reading.dirty for ladder in self.ladders)

    def _direction(self) -> _Ladder:
        """A ladder along the next direction: around the steps that suited the last one, and on while larger or smaller ones may."""
        ladder = _Ladder(self.next)
        self.next += 1
        last = self.ladders[-1] if self.ladders else None
        wanted: Sequence[int] = OUTSET
        if last is not None and last.judgement is not None and math.isfinite(last.judgement.uncertainty):
            best = int(np.argmin(np.abs(np.log(GRID / last.judgement.step))))
            wanted = range(max(best - ABOVE, int(last.measured[0])), min(best + BELOW + 1, GRID.size))
        self.ladders.append(ladder)
        up = down = 0
        while wanted:
            for rung in wanted:
                self._rung(ladder, rung)
            ladder.judgement = j = self._judgement(ladder)
            first, end = int(ladder.measured[0]), int(ladder.measured[-1]) + 1
            found = math.isfinite(j.uncertainty)
            wanted = range(0)
            if (not found or j.step < 1.5 * GRID[end - 2]) and end < GRID.size and down < 2:
                wanted, down = range(end, min(end + 4, GRID.size)), down + 1
            elif found and j.step > 0.7 * GRID[min(first + 3, GRID.size - 1)] and first > self.highest and up < 1:
                wanted, up = range(max(self.highest, first - 2), first), up + 1
        if ladder.judgement is not None and math.isfinite(ladder.judgement.uncertainty):
            self.meter.learn(ladder.residuals, ladder.reading.value)
        return ladder

    def _rung(self, ladder: _Ladder, rung: int) -> None:
        pair = self.probe.pair(range(self.x.size), ladder.number, float(GRID[rung]))
        ladder.plus[rung], ladder.minus[rung], ladder.change[rung] = pair.plus, pair.minus, pair.change
        ladder.ideal, ladder.square = pair.ideal, pair.square
        ladder.calls += 2

    def _judgement(self, ladder: _Ladder) -> Judgement:
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
            resolution=self.resolution,
            quantum=self.quantum,
            scale=self._visible(ladder) / SMALL,
            tolerance=Tolerance(rtol=0.0, atol=self._allowed(ladder)),
        )

    def _allowed(self, ladder: _Ladder) -> float:
        """How far a direction may be off when every entry is within tolerance."""
        absolute = self.tolerance.atol * float(np.linalg.norm(self.probe.scales)) if self.tolerance.atol else 0.0
        return RANDOM * (self.tolerance.rtol * math.sqrt(ladder.square) + absolute)

    def _visible(self, ladder: _Ladder) -> float:
        """The uncertainty with which a direction can be called right: one ordinary entry that is missing would have shown."""
        size = math.sqrt(ladder.square)
        one = size / (4 * math.sqrt(self.x.size))
        with np.errstate(invalid="ignore"):
            bend = np.abs(ladder.plus + ladder.minus - 2 * self.centre) / GRID
        swing = float(np.nanmax(bend[: OUTSET.stop], initial=0.0))
        return max(SMALL * size, min(RESOLVED * size, one), 1e-9 * swing)

    def _judge(self, ladder: _Ladder) -> None:
        j = ladder.judgement
        if j is not None and j.verdict is Verdict.PASS and j.uncertainty > self._visible(ladder):
            ladder.judgement = replace(j, verdict=Verdict.INCONCLUSIVE, status=Status.NOISY, reason=Status.NOISY.advice)

    # ---- what the locator asks

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(self.x.size)

    def residual(self, where: range, number: int, *, ramp: bool = False, wanted: float = 0.0) -> Reading:
        """The claim minus the derivative along `number` restricted to `where`."""
        plan = self.meter.plan(len(where), wanted)
        values = np.empty(plan.steps.size)
        for k, h in enumerate(plan.steps.tolist()):
            pair = self.probe.pair(where, number, h, ramp=ramp)
            values[k] = (pair.change - (pair.plus - pair.minus) / 2) / h
        found = self.located
        if found is not None:
            names = len(found.wrong) + len(found.patterns)
            self.tick("located", names, names + found.open_sets, f"{names} found, {found.open_sets} blocks left")
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
        if scale == 0 or self.expired():
            if scale:
                raise Stopped
            return Trial(False, 0.0)
        j, calls = self._entry(index, scale)
        claimed = float(self.claimed[index])
        self.rows[index] = _one_row(index, claimed, j, calls)
        gap = abs(claimed - j.value)
        if j.verdict is Verdict.FAIL or (j.verdict is Verdict.PASS and gap > 2 * j.uncertainty):
            shift = (float(self.probe.slopes[index]) - j.value) * scale
            self.probe.slopes[index] = j.value
            return Trial(j.verdict is Verdict.FAIL, shift)
        return Trial(False, 0.0)

    def _entry(self, index: int, scale: float) -> tuple[Judgement, int]:
        ordinary = math.sqrt(max(ladder.square for ladder in self.ladders) / self.x.size) / scale
        steps, plus, minus = np.empty(0), np.empty(0), np.empty(0)
        for rungs in (range(ENTRY_RUNGS), range(ENTRY_RUNGS, ENTRY_RUNGS + MORE_RUNGS)):
            more = np.unique(steps_near(self.x[index : index + 1], scale * REACH * RATIO ** -np.array(rungs, float)))[::-1]
            ahead, behind = self.probe.column(index, more)
            steps, plus, minus = (np.concatenate(pair) for pair in ((steps, more), (plus, ahead), (minus, behind)))
            j = judge(
                float(self.claimed[index]),
                plus,
                minus,
                self.centre,
                steps,
                resolution=self.resolution,
                quantum=self.quantum,
                scale=ordinary,
                tolerance=self.tolerance,
            )
            gap = abs(float(self.claimed[index]) - j.value)
            if j.verdict is not Verdict.INCONCLUSIVE and (j.uncertainty < gap / 8 or j.step > 2 * steps[-3]):
                break
        return j, 2 * steps.size

    # ---- explanations

    def explain(self) -> None:
        """Find what is wrong: a factor that all entries share, else the entries."""
        if len(self.ladders) < 2:
            self._judge(self._direction())
        if self._scaled():
            return
        known = {ladder.number: ladder.reading for ladder in self.ladders}
        self.locator = Locator(self, self.next, known)
        self.located = self.locator.found
        self.locator.locate()

    def _scaled(self) -> bool:
        """Whether the claim is the derivative times one factor, as far as the directions can tell."""
        clear = [ladder for ladder in self.ladders if math.isfinite(ladder.reading.uncertainty)]
        if len(clear) < 2:
            return False
        values = {ladder.number: ladder.ideal - ladder.reading.value for ladder in clear}
        best = max(clear, key=lambda ladder: abs(values[ladder.number]) / (ladder.reading.uncertainty or 1e-300))
        value, u = values[best.number], best.reading.uncertainty
        if abs(value) < 100 * u:
            return False
        factor = best.ideal / value
        spread = max(abs(factor), 1.0) * u / abs(value)
        for ladder in clear:
            gap = abs(ladder.ideal - factor * values[ladder.number])
            if gap > max(1.0, abs(factor)) * ladder.reading.uncertainty + spread * abs(values[ladder.number]):
                return False
        if factor == 0:
            if self.claimed.any():
                return False
        else:
            kept = self.probe.slopes
            self.probe.slopes = kept / factor
            fresh = self.residual(range(self.size), self.next)
            self.next += 1
            if fresh.dirty:
                self.probe.slopes = kept
                return False
            self.fresh = [fresh]
        if abs(factor - 1) <= self.tolerance.rtol + spread:
            return True  # off by a factor, but within tolerance
        self.factor = factor
        worst = np.abs(self.probe.slopes * self.probe.scales) if factor else self.probe.scales
        for index in np.argsort(-worst, kind="stable")[:EXAMPLES].tolist():
            self.confirm(index)
        kind = DiagnosisKind.SCALE
        message = f"every entry is {_number(factor)} times what it should be."
        if factor == 0:
            kind, message = DiagnosisKind.ZERO_BLOCK, "every entry is 0."
        elif abs(factor + 1) <= max(self.tolerance.rtol, 2 * spread):
            kind, message = DiagnosisKind.SIGN, "every entry has the wrong sign."
        self.diagnoses.append(Diagnosis(kind=kind, message=message, parameters={"factor": factor, "uncertainty": spread}))
        return True

    # ---- the record

    def result(self, parts: Sequence[tuple[str, int, int]], point: int, stopped: str) -> Searched:
        """What is known by now."""
        found = self.located or Located()
        if self.locator is not None and found.clean:
            self.fresh = self.locator.fresh
        self._diagnose(found)
        wrong = {i: row for i, row in self.rows.items() if row.verdict[0] == Verdict.FAIL}
        explained = bool(found.wrong or found.patterns or found.dense or self.factor is not None)
        checks = tuple(self._record(ladder, point, explained and bool(wrong)) for ladder in self.ladders if ladder.judgement)
        threshold = self._threshold(found)
        total = self.size if self.factor is not None else len(found.wrong) + sum(len(p) for p in found.patterns)
        return Searched(
            columns=join(list(wrong.values())) if wrong else _no_rows(),
            directions=checks,
            diagnoses=tuple(self.diagnoses),
            failed=sum(check.verdict is Verdict.FAIL for check in checks),
            inconclusive=sum(check.verdict is Verdict.INCONCLUSIVE for check in checks),
            threshold=threshold,
            limits=tuple(self._limit(*part, threshold) for part in (("", 0, self.size), *parts)),
            wrong=max(total, found.dense.count if found.dense else 0),
            complete=not stopped,
            stopped=stopped,
        )

    def _record(self, ladder: _Ladder, point: int, refuted: bool) -> DirectionCheck:
        j = ladder.judgement
        assert j is not None
        gap = abs(ladder.ideal - j.value)
        size = max(abs(ladder.ideal), abs(j.value))
        verdict, reason = j.verdict, j.reason
        if refuted and ladder.reading.dirty:
            verdict, reason = Verdict.FAIL, "entries that it contains are wrong"
        estimate = DerivativeEstimate(
            value=j.value,
            uncertainty=j.uncertainty,
            step=j.step,
            evaluations=ladder.calls,
            status=j.status,
            left=j.left,
            right=j.right,
        )
        return DirectionCheck(
            number=ladder.number,
            point=point,
            claimed=ladder.ideal,
            estimate=estimate,
            abs_error=gap,
            rel_error=gap / size if size else 0.0,
            verdict=verdict,
            reason=reason,
        )

    def _threshold(self, found: Located) -> float:
        """The least that a lone error can change along a direction, per unit of weight, without being noticed."""
        readings = self.fresh or [ladder.reading for ladder in self.ladders]
        if not readings or found.dense is not None:
            return math.inf
        return min(abs(r.value) + r.uncertainty for r in readings)

    def _limit(self, name: str, start: int, stop: int, threshold: float) -> Limit:
        scales = self.probe.scales[start:stop]
        positive = scales[scales > 0]
        least = float(scales.min()) if scales.size else 0.0
        certain = 2 * threshold / least if least > 0 else math.inf
        usual = 2 * threshold / float(np.median(positive)) if positive.size else math.inf
        size = float(np.sqrt(np.mean(np.square(self.claimed[start:stop])))) if scales.size else 0.0
        seen = len(self.fresh or self.ladders)
        return Limit(name, certain, certain / 2, 1 - 0.5**seen, usual, size)

    def _diagnose(self, found: Located) -> None:
        """Put into words what the locator found."""
        for rule in found.patterns:
            self.diagnoses.append(self._rule(rule))
        if found.dense is not None:
            d = found.dense
            few = {"entries": self._paths(found.wrong)} if found.wrong else {}
            self.diagnoses.append(
                Diagnosis(
                    kind=DiagnosisKind.ENTRIES,
                    message=f"about {d.count:,} of {self.size:,} entries are wrong ({d.low:,} to {d.high:,}), spread over all of them.",
                    parameters={"estimate": d.count, "low": d.low, "high": d.high, "of": self.size, **few},
                )
            )
        elif found.wrong:
            paths = self._paths(sorted(found.wrong))
            one = len(found.wrong) == 1
            some = ", ".join(paths[:5]) + (" …" if len(found.wrong) > 5 else "")
            self.diagnoses.append(
                Diagnosis(
                    kind=DiagnosisKind.SINGLE_ENTRY if one else DiagnosisKind.ENTRIES,
                    message=f"entry {paths[0]} is wrong, the others agree."
                    if one and found.clean
                    else f"{len(found.wrong):,} entries are wrong: {some}.",
                    parameters={"entries": paths, "count": len(found.wrong)},
                )
            )
        failed = any(ladder.judgement and ladder.judgement.verdict is Verdict.FAIL for ladder in self.ladders)
        if not self.diagnoses and failed:
            self.diagnoses.append(
                Diagnosis(
                    kind=DiagnosisKind.UNEXPLAINED,
                    message="directions disagree; no single entry could be shown to be wrong.",
                    explained=0.0,
                )
            )

    def _rule(self, rule: range) -> Diagnosis:
        chosen = slice(rule.start, rule.stop, rule.step)
        known = [row for i, row in self.rows.items() if i in rule and row.verdict[0] == Verdict.FAIL]
        ratios = [float(row.claimed[0] / row.numeric[0]) for row in known if row.numeric[0]]
        parameters: dict[str, Any] = {"start": rule[0], "stop": rule[-1] + 1, "step": rule.step, "count": len(rule)}
        if len(ratios) > 1 and max(ratios) - min(ratios) <= 1e-4 * max(abs(r) for r in ratios):
            parameters["factor"] = ratios[0]
        first, last = self._paths([rule[0], rule[-1]])
        which = f"all {len(rule):,} entries" if rule.step == 1 else f"every {_ordinal(rule.step)} entry"
        zero = not self.claimed[chosen].any()
        wrong = "0, but should not be" if zero else "wrong"
        if not zero and "factor" in parameters:
            wrong = f"{_number(parameters['factor'])} times what it should be"
        return Diagnosis(
            kind=DiagnosisKind.ZERO_BLOCK if zero else DiagnosisKind.BLOCK,
            message=f"{which} from {first} to {last} {'are' if rule.step == 1 else 'is'} {wrong}.",
            parameters=parameters,
        )

    def _paths(self, indices: Sequence[int]) -> list[str]:
        """Entries as a person would write them, a limited number."""
        shape = self.function.argument_shape
        return [f"[{', '.join(str(int(i)) for i in np.unravel_index(k, shape))}]" for k in indices[:LISTED]] if shape else ["[]"]


def _within_bounds(scales: Array, x: NDArray[Any], bounds: tuple[Array, Array] | None) -> Array:
    """Scales so short that the largest step along any direction stays within the bounds."""
    if bounds is None:
        return scales
    room = np.minimum(x - bounds[0], bounds[1] - x).astype(np.float64)
    return np.minimum(scales, np.maximum(room, 0.0) * EDGE / (1.5 * float(GRID[OUTSET[0]])))


def _one_row(index: int, claimed: float, j: Judgement, calls: int) -> Columns:
    number = lambda value: np.array([value], np.float64)
    extra = {"reason": j.reason, "left": j.left, "right": j.right}
    return Columns(
        entry=np.array([index], np.int64),
        claimed=number(claimed),
        numeric=number(j.value),
        uncertainty=number(j.uncertainty),
        step=number(j.step),
        evaluations=np.array([calls], np.int64),
        verdict=np.array([j.verdict], np.int8),
        status=np.array([status_code(j.status)], np.int8),
        detail={index: {k: v for k, v in extra.items() if v}},
    )


def _no_rows() -> Columns:
    return _one_row(0, 0.0, Judgement(Verdict.PASS, Status.CONVERGED, 0.0, 0.0, 1.0), 0).take(np.zeros(0, np.intp))


def _number(value: float) -> str:
    return f"{value:.6g}"


def _ordinal(k: int) -> str:
    ending = "th" if k % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th")
    return f"{k}{ending}"


__all__ = ["Limit", "Searched", "search"]
