"""A gradient of many variables: checked along random directions, and searched for the wrong entries where they disagree.

A direction costs a ladder of a few steps whatever the dimension.  It is compared as an entry is, by the same code; what counts
as agreement is the error that all entries together may have within tolerance.  Whatever exceeds the uncertainty is searched
for, even within that allowance: one entry far off hides among a million that are right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.diagnosis import located
from gradcheck.methods.entries import join
from gradcheck.methods.factor import common_factor
from gradcheck.methods.oracle import GradientOracle, Ladder
from gradcheck.methods.problem import Problem, Watcher
from gradcheck.methods.results import Comparison, Limit, of_located
from gradcheck.model import DerivativeEstimate, Diagnosis, DirectionCheck, Verdict
from gradcheck.numerics.localization import TOLERATED, Locator
from gradcheck.numerics.readings import Located, Reading
from gradcheck.variables.layout import Part
from gradcheck.variables.places import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXAMPLES = 5  # entries of a block are judged before it is said to be off by one factor
LISTED = 20  # parts of a variable whose limits are stated


def limit_sentence(limits: Sequence[Limit]) -> str:
    """The limit of detection in plain words."""
    if not limits or not math.isfinite(limits[0].usual):
        return "No error of a single entry can be excluded."
    one = limits[0]
    apart = [limit for limit in limits[1:] if not one.usual / 2 < limit.usual < 2 * one.usual]
    return (
        f"An error beyond tolerance and above {one.usual:.2g} in any one entry of ordinary scale would have been seen, "
        f"one above {one.usual / 2:.2g} with probability {one.probability:.2g}; entries are of size {one.size:.2g}."
        + "".join(f" In {limit.name}: {limit.usual:.2g}, size {limit.size:.2g}." for limit in apart[:LISTED])
    )


def search(
    problem: Problem,
    watcher: Watcher,
    claimed: Array,
    *,
    directions: int = 2,
    locate: bool = True,
    row: int = 0,
    point: int = 0,
) -> Comparison:
    """Check a claimed gradient (n,) along random directions; where they disagree, find the wrong entries.

    Args:
        directions: how many, at least 1.
        locate: search for the wrong entries.
        row: which value of f the claim is the gradient of (a row of a Jacobian or Hessian).
        point: number of the point, for the record.
    """
    searcher = _Searcher(GradientOracle(problem, watcher, claimed, row=row), watcher)
    with watcher.until_stopped():
        searcher.look(max(directions, 1))
        if locate and searcher.oracle.disagree:
            searcher.explain()
    return searcher.result(problem.function.layout.parts, point)


class _Searcher:
    """The state of one search."""

    def __init__(self, oracle: GradientOracle, watcher: Watcher) -> None:
        self.oracle, self.tolerance, self.watcher = oracle, oracle.tolerance, watcher
        self.places = Places((), oracle.function.layout)
        self.diagnoses: list[Diagnosis] = []
        self.located: Located | None = None
        self.locator: Locator | None = None
        self.fresh: list[Reading] = []
        self.factor: float | None = None
        self.tolerable = False  # all entries are off by one factor, within tolerance

    def look(self, count: int) -> None:
        """Judge so many random directions."""
        for k in range(count):
            self.watcher.tick("directions", k, count)
            self.oracle.direction()
        self.watcher.tick("directions", count, count)

    # ---- explanations

    def explain(self) -> None:
        """Find what is wrong: a factor that all entries share, else the entries."""
        if len(self.oracle.ladders) < 2:
            self.oracle.direction()
        if self._scaled():
            return
        known = {} if self.oracle.corrected else {r.number: self.oracle.reading(r) for r in self.oracle.ladders}
        self.locator = Locator(self.oracle, known)
        self.located = self.locator.found
        self.located.wrong += [i for i in self.oracle.corrected if self.oracle.rows[i].verdict[0] == Verdict.FAIL]
        self.oracle.watch = self._watch
        self.locator.locate()
        for rule in self.located.patterns:
            factors = self._factors(rule)
            more = EXAMPLES - len(factors) if located.alike(factors) else 0  # two or three may be alike by chance
            for k in range(more):
                self.oracle.confirm(rule[(2 * k + 1) * len(rule) // (2 * more)])
        if self.unresolved:
            self._scaled(searched=True)

    def _watch(self) -> None:
        """Report how far the search is."""
        found = self.located
        if found is not None:
            names = len(found.wrong) + len(found.patterns)
            self.watcher.tick(
                "located", names, names + found.open_sets, f"{names} found, {found.open_sets} blocks left"
            )

    def _scaled(self, *, searched: bool = False) -> bool:
        """Whether the claim is the derivative times one factor."""
        found = common_factor(self.oracle, self.tolerance, searched=searched)
        if found is None:
            return False
        self.fresh = [found.fresh] if found.fresh else []
        if found.tolerable:
            self.tolerable = True
            return True
        self.factor = found.value
        factor = 1 / found.value if found.value else math.inf
        spread = found.spread / found.value**2 if found.value else 0.0
        self.diagnoses.append(located.all_off(factor, spread, self.tolerance.rtol, self.places))
        return True

    @property
    def unresolved(self) -> bool:
        """Whether a search was begun and neither found what is off nor saw that all entries are, by little."""
        found = self.located
        known = self.tolerable or found is None or found.clean or found.wrong or found.patterns
        return not known and found is not None and found.tolerated < TOLERATED

    # ---- the record

    def result(self, parts: Sequence[Part], point: int) -> Comparison:
        """What is known by now."""
        self.oracle.probe.release()
        self.oracle.reconsider()
        found = self.located or Located()
        if self.locator is not None and found.clean:
            self.fresh = self.locator.fresh
        self._diagnose(found)
        wrong = {i: row for i, row in self.oracle.rows.items() if row.verdict[0] == Verdict.FAIL}
        explained = bool(found.wrong or found.patterns or found.dense or self.factor is not None)
        checks = tuple(
            self._record(ladder, point, explained and bool(wrong)) for ladder in self.oracle.ladders if ladder.judgement
        )
        threshold = self._threshold(found)
        total = self.oracle.size if self.factor is not None else len(found.wrong) + sum(len(p) for p in found.patterns)
        limits = tuple(self._limit(*part, threshold) for part in (("", slice(None)), *parts))
        entries = Comparison()
        if wrong:
            columns = join(list(wrong.values()))
            entries = of_located(columns, self.oracle.size, max(total, found.dense.count if found.dense else 0))
        return replace(
            entries,
            directions=checks,
            diagnoses=tuple(self.diagnoses),
            limits=limits,
            sentence=limit_sentence(limits),
        )

    def _record(self, ladder: Ladder, point: int, refuted: bool) -> DirectionCheck:
        j = ladder.judgement
        assert j is not None
        gap = abs(ladder.ideal - j.value)
        size = max(abs(ladder.ideal), abs(j.value))
        verdict, reason = j.verdict, j.reason
        if self.oracle.reading(ladder).dirty:
            if refuted:
                verdict, reason = Verdict.FAIL, "entries that it contains are wrong"
            elif verdict is Verdict.PASS and self.unresolved:
                verdict, reason = (
                    Verdict.INCONCLUSIVE,
                    "it is off by more than noise explains; what is behind it was not found",
                )
        estimate = DerivativeEstimate(
            value=j.value,
            uncertainty=j.uncertainty,
            step=j.step,
            evaluations=ladder.calls,
            status=j.status,
            left=j.left,
            right=j.right,
            ladder=self.oracle.recorded(ladder),
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
        readings = self.fresh or [self.oracle.reading(ladder) for ladder in self.oracle.ladders]
        if not readings or found.dense is not None:
            return math.inf
        return min(abs(r.value) + r.uncertainty for r in readings)

    def _limit(self, name: str, part: slice, threshold: float) -> Limit:
        scales, claimed = self.oracle.probe.scales[part], self.oracle.claimed[part]
        least = float(scales.min()) if scales.size else 0.0
        positive = scales if least > 0 else scales[scales > 0]  # no copy where there need be none: they are large
        certain = 2 * threshold / least if least > 0 else math.inf
        usual = 2 * threshold / float(np.median(positive)) if positive.size else math.inf
        size = float(np.linalg.norm(claimed)) / math.sqrt(scales.size) if scales.size else 0.0
        seen = len(self.fresh or self.oracle.ladders)
        return Limit(name, certain, 1 - 0.5**seen, usual, size)

    def _diagnose(self, found: Located) -> None:
        """Put into words what the locator found."""
        places = self.places
        for rule in found.patterns:
            zero = not self.oracle.claimed[slice(rule.start, rule.stop, rule.step)].any()
            self.diagnoses.append(located.some_off(rule, places, self._factors(rule), zero=zero))
        if found.dense is not None:
            self.diagnoses.append(located.many(found.dense, found.wrong, places))
        elif found.wrong:
            first = self.oracle.rows[found.wrong[0]]
            values = float(first.claimed[0]), float(first.numeric[0])
            self.diagnoses.append(located.lone(found.wrong, values, places, others_agree=found.clean))
        if self.diagnoses:
            return
        failed = [r for r in self.oracle.ladders if r.judgement is not None and r.judgement.verdict is Verdict.FAIL]
        if failed:
            claimed = np.array([ladder.ideal for ladder in failed])
            numeric = np.array([ladder.judgement.value for ladder in failed if ladder.judgement is not None])
            self.diagnoses.append(located.nothing_located(claimed, numeric))

    def _factors(self, rule: range) -> list[tuple[float, float]]:
        """Derivative over claim, and its uncertainty, for the entries of a rule that were judged to be wrong."""
        known = [row for i, row in self.oracle.rows.items() if i in rule and row.verdict[0] == Verdict.FAIL]
        claims = [(row, float(row.claimed[0])) for row in known if row.claimed[0]]
        return [(float(row.numeric[0]) / c, float(row.uncertainty[0]) / abs(c)) for row, c in claims]


__all__ = ["search"]
