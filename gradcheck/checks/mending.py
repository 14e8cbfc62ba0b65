"""From a check that failed to the search for a patch: what was measured, what more is measured, and how a patch is verified."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.claims import Block, Claim, Counted, Wrapper, gradient_blocks
from gradcheck.evaluation.matrix_claims import MatrixClaim
from gradcheck.methods.coordinates import Surveyor
from gradcheck.methods.problem import Problem, Watcher
from gradcheck.model import Diagnosis, DiagnosisKind, Kind, Verdict, Where
from gradcheck.numerics.first_step import first_look
from gradcheck.numerics.stencils import natural_scales, steps_near
from gradcheck.repair.case import Case
from gradcheck.repair.intermediates import disagreements
from gradcheck.repair.judge import Measured
from gradcheck.repair.mend import Outcome, mend
from gradcheck.repair.purity import Impure
from gradcheck.repair.source import NoSource
from gradcheck.repair.terms import COUNTED, Miscounted, Terms, miscounted
from gradcheck.variables.points import neighbours
from gradcheck.wording import short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.draft import Draft
    from gradcheck.options.keywords import Options

    Array = NDArray[np.float64]

SECONDS, THOROUGH = 2.0, 10.0  # for the search: unless told otherwise, and where it is asked for
CHEAP = 0.5  # seconds that all that is measured for it may take, unless it is asked for
QUICK = 0.02  # … and one call of the claim
MOST_ENTRIES = 20_000  # of a derivative
ENOUGH = 12  # numbers measured in all: in few dimensions at so many more points
MOST_POINTS = 5
MOST_VARIABLES = 3  # that are told to differ
FRESH = 2  # points where candidates are told apart
NEAR = 0.2  # of the way to a neighbour: where a kink or an edge is less likely


def look_for_fixes(
    draft: Draft, options: Options, left: float | None, problem: Problem, claim: Claim, counted: Counted, function: Any
) -> None:
    """Put on record patches of the claim and the lines that it may be wrong in; a note says why, if none was looked for.

    left: seconds that the check has left; None for no end.
    counted: through which the claim calls what the user gave.
    function: as the user gave it.
    """
    fix = options.fix
    attempt = _Attempt(draft, options, problem, claim, counted, function)
    seconds = SECONDS if fix is None else THOROUGH if fix is True else float(fix)
    seconds = seconds if left is None else min(seconds, left / 2)
    reason = attempt.too_much(asked=fix is not None)
    if not reason:
        try:
            outcome = mend(attempt.case(seconds))
        except (Impure, NoSource) as answer:
            reason = str(answer)
        else:
            _record(draft, outcome)
        attempt.name_terms()
        if not draft.fixes:
            attempt.compare_variables()
        if not reason:
            return
    if fix is not None or reason.endswith("."):
        draft.notes.append(f"no patch was looked for: {reason.rstrip('.')}")


def _record(draft: Draft, outcome: Outcome) -> None:
    draft.fixes = outcome.fixes
    draft.notes += outcome.notes
    lines = outcome.lines
    if outcome.fixes:
        first = outcome.fixes[0]
        lines = (Where(file=first.file, line=first.line, text=first.before.split("\n")[0].strip()),)
    if draft.diagnoses and lines:
        draft.diagnoses[0] = replace(draft.diagnoses[0], where=lines[0])


def _place(where: Where) -> str:
    return f"{os.path.basename(where.file)}:{where.line}"


def _of_terms(found: Sequence[Miscounted], wrong: int) -> Diagnosis:
    """The diagnosis that the gradient miscounts terms of f."""
    parts = []
    for one in found:
        how = COUNTED.get(one.excess, f"is counted {1 + one.excess:.6g} times")
        parts.append(f"the term {short(one.term.text)} ({_place(one.term.where)}) {how} in the gradient")
    first = found[0]
    return Diagnosis(
        kind=DiagnosisKind.MISSING_TERM,
        message="; ".join(parts) + ".",
        parameters={"term": first.term.text, "coefficient": -first.excess, "entries": wrong},
        where=first.term.where,
    )


class _Attempt:
    """What one search is given."""

    def __init__(
        self, draft: Draft, options: Options, problem: Problem, claim: Claim, counted: Counted, function: Any
    ) -> None:
        self.draft, self.options = draft, options
        self.problem, self.claim, self.counted, self.function = problem, claim, counted, function
        self.size = problem.n * (1 if not isinstance(claim, MatrixClaim) else claim.rows)
        self.points = min(MOST_POINTS, max(1, -(-ENOUGH // max(self.size, 1))))
        if draft.kind in (Kind.HVP, Kind.JVP):
            self.points = 0  # the claim is asked at one point, along directions

    def neighbours(self, count: int) -> list[NDArray[Any]]:
        """Other points."""
        return list(neighbours(self.problem.x, count, self.options.seed, self.problem.function.bounds))

    def too_much(self, *, asked: bool) -> str:
        """Why it is not worth while, or ''."""
        if self.size > MOST_ENTRIES:
            return f"the derivative has {self.size:,} entries"
        if asked:
            return ""
        measuring = 2 * self.problem.n * (self.points + 2) * self.problem.function.seconds
        if measuring > CHEAP:
            return f"f takes {self.problem.function.seconds:.2g} s; ask for it with fix=True (--fix)"
        started = time.perf_counter()
        self.answer(self.counted.call, self.problem.x)
        if time.perf_counter() - started > QUICK:
            return f"the claim takes {time.perf_counter() - started:.2g} s; ask for it with fix=True (--fix)"
        return ""

    def case(self, seconds: float) -> Case:
        """Everything, as the search wants it."""
        flat = self.problem.x
        others = self.neighbours(self.points + FRESH) if self.points else []
        near = [(flat + NEAR * (other - flat)).astype(flat.dtype) for other in others]
        measured = [self.here()]
        measured += [m for x in near[: self.points] if (m := self.there(x)) is not None]
        kinds = (Kind.GRADIENT, Kind.JACOBIAN)
        return Case(
            claim=self.counted.call,
            function=self.function,
            evaluate=self.answer,
            value=self.value if self.draft.kind in kinds else None,
            measured=measured,
            fresh=near[self.points :],
            verify=self.verify,
            seconds=seconds,
        )

    def name_terms(self) -> None:
        """Say of a gradient whose gap nothing explained which terms of f it miscounts, if that is so."""
        draft, comparison, x = self.draft, self.draft.comparison, self.problem.x
        if draft.kind is not Kind.GRADIENT or comparison is None or not draft.diagnoses:
            return
        if draft.diagnoses[0].kind is not DiagnosisKind.UNEXPLAINED or len(comparison.columns.entry) < x.size:
            return
        try:
            terms = Terms(self.function, lambda call, x: float(self.value(call, x)[0]))
            if not terms.find(x):
                return
            steps = steps_near(x, natural_scales(x) * self.problem.preflight.calibration.fraction)
            slopes = terms.gradients(x, steps)
        except Exception:  # user code, at points that nobody has asked for; or no source that can be read
            return
        here = self.here()
        gap = self.answer(self.counted.call, x) - here.values
        found = miscounted(terms.terms, slopes, gap, here.uncertainty)
        if found:
            where = draft.diagnoses[0].where
            draft.diagnoses[0] = _of_terms(found, comparison.failed)
            if where is not None:
                draft.diagnoses[0] = replace(draft.diagnoses[0], where=where)
            draft.explained = frozenset(comparison.columns.entry[comparison.columns.verdict == Verdict.FAIL].tolist())

    def compare_variables(self) -> None:
        """Note the variables that f and the claim have under one name, and that disagree."""
        try:
            found = disagreements(self.function, self.counted.call, self.problem.x, self._any)
        except Exception:  # user code, or no source that can be read
            return
        for one in found[:MOST_VARIABLES]:
            self.draft.notes.append(
                f"{one.name} is {short(one.theirs)} in f ({_place(one.in_f)}) and {short(one.ours)} in the claim "
                f"({_place(one.in_claim)}), which differ by {one.by:.1g} of their size"
            )
        first = self.draft.diagnoses[0] if self.draft.diagnoses else None
        if found and first is not None and (first.where is None or found[0].is_telling):
            self.draft.diagnoses[0] = replace(first, where=found[0].in_claim)

    def _any(self, call: Callable[..., Any], x: Array) -> Any:
        return call(self.draft.layout.argument(x.copy()), *self.options.args)

    # ---- the claim

    def answer(self, call: Callable[..., Any], x: Array) -> Array:
        """The whole derivative that another claim gives at x, flat."""
        return self._numbers(self._raw(call, x))

    def _raw(self, call: Callable[..., Any], x: Array) -> Any:
        counted = self.counted
        if call is counted.call:
            return self.claim.raw_at(x.copy())
        before = counted.call, counted.ledger, counted.calls
        counted.call, counted.ledger = call, None
        try:
            return self.claim.raw_at(x.copy())
        finally:
            counted.call, counted.ledger, counted.calls = before

    def _numbers(self, raw: Any) -> Array:
        if not isinstance(self.claim, MatrixClaim):
            return self.claim.numbers(raw)
        columns: Array = self.claim.matrix(raw).block(np.arange(self.problem.n, dtype=np.intp))
        return columns.T.reshape(-1)

    def value(self, call: Callable[..., Any], x: Array) -> Array:
        """The values of another function at x, flat."""
        layout = self.draft.layout
        return np.asarray(call(layout.argument(x), *self.options.args), dtype=np.float64).reshape(-1)

    # ---- what is measured

    def here(self) -> Measured:
        """What the check has measured."""
        columns = self.draft.comparison.columns  # type: ignore[union-attr]
        claimed = self.answer(self.counted.call, self.problem.x)
        values, wrong = claimed.copy(), np.zeros(claimed.size, bool)
        rtol, atol = self.problem.tolerance.rtol, self.problem.tolerance.atol
        uncertainty = rtol * np.abs(claimed)
        values[columns.entry] = columns.numeric
        uncertainty[columns.entry] = columns.uncertainty
        wrong[columns.entry] = columns.verdict == Verdict.FAIL
        tolerance = rtol * np.maximum(np.abs(values), 1e-6 * np.abs(values).max(initial=0.0)) + atol
        return Measured(self.problem.x.copy(), values, uncertainty, tolerance, wrong)

    def there(self, x: Array) -> Measured | None:
        """A first difference of every entry at another point; None if f is not defined around it."""
        problem = self.problem
        calibration, tolerance = problem.preflight.calibration, problem.tolerance
        steps = steps_near(x, natural_scales(x) * calibration.fraction)
        chosen = np.arange(problem.n, dtype=np.intp)
        try:
            plus, minus = problem.function.pairs(x, chosen, steps)
            claimed = self.answer(self.counted.call, x)
        except Exception:  # user code, at a point that nobody has asked for
            return None
        h = steps[:, None]
        numeric, rounding = (plus - minus) / (2 * h), 2 * calibration.noise / h
        if not np.isfinite(numeric).all() or not np.isfinite(claimed).all():
            return None
        beside = claimed.reshape(-1, problem.n).T
        ordinary = np.full(numeric.shape, float(np.abs(numeric).max(initial=0.0)))
        look = first_look(numeric, rounding, beside, ordinary, calibration.truncation, tolerance)
        own = rounding + 4 * calibration.truncation * np.maximum(look.size, 1e-3 * ordinary)
        values, uncertainty = numeric.T.reshape(-1), np.broadcast_to(own, numeric.shape).T.reshape(-1)
        allowed = tolerance.rtol * np.abs(values) + tolerance.atol
        return Measured(x, values, uncertainty, allowed, np.abs(values - claimed) > 10 * uncertainty + allowed)

    # ---- verification

    def verify(self, call: Callable[..., Any]) -> bool:
        """Whether a claim passes the checker, here and at another point."""
        try:
            if not self._passes(call, self.problem.x, here=True):
                return False
            return not self.points or self._passes(call, self.neighbours(self.points + FRESH + 1)[-1], here=False)
        except Exception:  # user code, at a point that nobody has asked for
            return False

    def _passes(self, call: Callable[..., Any], x: NDArray[Any], *, here: bool) -> bool:
        raw = self._raw(call, x)
        problem = self.problem
        if isinstance(call, Wrapper) and self.of_value(call):
            value = np.asarray(
                call.inner(self.draft.layout.argument(x.copy()), *self.options.args)[0], dtype=np.float64
            )
            if not np.allclose(value, problem.function.at(x), rtol=1e-9):
                return False  # the value that is returned beside has changed
        if not here:
            value = problem.function.at(x)
            preflight = replace(
                problem.preflight,
                value=value,
                raw=None,
                claimed=self.claim.numbers(raw),
                scales=natural_scales(x),
                findings=(),
            )
            problem = replace(problem, x=x, preflight=preflight)
        compared = Surveyor(problem, Watcher()).survey(self._blocks(raw))
        return not compared.failed and (compared.clean or not here)

    def of_value(self, call: Wrapper) -> bool:
        """Whether what is wrapped gives the value of f as well."""
        given: Any = self.counted.call
        return given.inner is self.function

    def _blocks(self, raw: Any) -> Iterable[Block] | Iterator[Block]:
        if isinstance(self.claim, MatrixClaim):
            return self.claim.matrix(raw).blocks()
        return gradient_blocks(self.claim.numbers(raw))
