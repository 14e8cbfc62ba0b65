"""The steps of a check, from callables to a `Report`: examine them, choose a method, compare, look elsewhere, sum up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.draft import Draft
from gradcheck.checks.options import Options
from gradcheck.errors import CheckInterrupted, GradientMismatch, GradientUndecided, UsageError, UserCodeError
from gradcheck.evaluation.claims import Block, Claim, gradient_blocks
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.preflight import Preflight, examine
from gradcheck.evaluation.sources import describe
from gradcheck.methods.coordinates import Evaluate, Surveyor, observations
from gradcheck.methods.results import Survey, searched_survey
from gradcheck.model import Kind, Method, Report, Verdict
from gradcheck.numerics.stencils import natural_scales
from gradcheck.points import as_bounds, as_point, check_within, describe_point, neighbours

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.methods.directions import Searched

    Array = NDArray[np.float64]

PATIENCE = 5.0  # seconds that comparing every entry may be expected to take before random directions are preferred
FEW_ENTRIES = 1000  # up to this dimension every entry is compared whatever it takes, …
DIRECTIONS = 2  # how many random directions, unless asked for
REDRAWS = 3  # how often a further point where f is not defined is drawn again, on average
MANY_ENTRIES = 200_000  # … and above this one random directions are taken however fast f is
PIECE = 1.0  # seconds of comparing after which what is known is put on record, …
MANY_WORKERS = 16  # … on an executor of unknown size


class Check:
    """One check in the making: the point, the clock, the counters and the draft of the report."""

    def __init__(
        self, kind: Kind, f: Callable[..., Any], claim: Callable[..., Any], x0: ArrayLike, options: Options
    ) -> None:
        self.started = time.perf_counter()
        self.inner: Function | None = None  # what is called in the end, where `function` is made of its differences
        self.options = options
        self.x = as_point(x0)
        self.flat = self.x.reshape(-1)
        check_within(self.x, as_bounds(options.bounds, self.x.shape))
        if options.eps is not None:
            _require_effect(self.flat, options.eps)
        self.bounds = _flat_bounds(options.bounds, self.x)
        target = describe(f)
        self.draft = Draft(
            name=options.name or target.name,
            kind=kind,
            target=target,
            claim=describe(claim),
            point=describe_point(self.x, "given", None),
            shape=self.x.shape,
            tolerance=options.tolerance,
        )
        self.function: Function
        self.claim: Claim

    def gradient(self, function: Function, claim: Claim, value_beside: Function | None) -> Report:
        """The whole sequence for a claimed gradient."""
        self.function, self.claim = function, claim
        return self._carry_out(lambda: self._compare_gradient(value_beside))

    # ---- the steps

    def _carry_out(self, compare: Callable[[], None]) -> Report:
        """Compare, and make a report of whatever is known when that ends."""
        try:
            with np.errstate(all="ignore"):  # user code may divide by zero; what comes of it is judged
                compare()
        except UserCodeError as error:
            if self.options.throw:
                raise
            self.draft.blame(error, self._culprit(error))
            return self._report()
        except KeyboardInterrupt:
            self.draft.stopped = "interrupt"
        return self._finish()

    def _compare_gradient(self, value_beside: Function | None) -> None:
        preflight = examine(self.function, self.claim, self.flat, self.options.seed, value_beside=value_beside)
        self._take(preflight)
        self.draft.method = self._method(self.function, self.flat.size)
        if self.draft.method is Method.COORDINATES:
            self._survey(self.flat, preflight, gradient_blocks(preflight.claimed))
        else:
            self._search(preflight)
        self._explain(self.flat, preflight, self.claim.at)
        self._elsewhere(preflight)

    def _take(self, preflight: Preflight) -> None:
        self.draft.findings += preflight.findings
        self.draft.noise = float(preflight.calibration.noise.max())

    def _method(self, function: Function, n: int) -> Method:
        """The method asked for, or the one that is worth its cost."""
        asked = Method(str(self.options.method))
        if asked is not Method.AUTO:
            return asked
        if self.options.directions is not None:
            return Method.DIRECTIONS
        spent = time.perf_counter() - self.started
        expected = 2 * n * spent / max(function.calls, 1)
        patience = PATIENCE if self.options.budget is None else min(PATIENCE, self.options.budget / 2)
        return (
            Method.DIRECTIONS if n > FEW_ENTRIES and (n > MANY_ENTRIES or expected > patience) else Method.COORDINATES
        )

    def _surveyor(self, x: NDArray[Any], preflight: Preflight, evaluate: Evaluate | None = None) -> Surveyor:
        options = self.options
        return Surveyor(
            self.function,
            x,
            preflight,
            options.tolerance,
            step=options.eps,
            tick=self._tick,
            expired=self._expired,
            evaluate=evaluate,
        )

    def _accept(self, survey: Survey, preflight: Preflight) -> None:
        """Put on record what a survey found."""
        self.draft.survey, self.draft.stopped = survey, survey.stopped
        self.draft.findings += observations(survey, preflight)

    def _survey(self, x: NDArray[Any], preflight: Preflight, blocks: Iterable[Block]) -> None:
        """Compare every entry."""
        self._accept(self._surveyor(x, preflight).survey(self._in_pieces(blocks)), preflight)

    def _in_pieces(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks, cut so that not much is lost when the budget ends or Ctrl-C comes."""
        options = self.options
        patience = PIECE if options.budget is None else min(PIECE, options.budget / 10)
        workers = options.jobs if options.executor is None else MANY_WORKERS
        for block in blocks:
            count, width = len(block.columns), workers * max(1, int(patience / max(2 * self.function.seconds, 1e-9)))
            if width >= count:
                yield block
            else:
                yield from (block.part(low, low + width) for low in range(0, count, width))

    def _search(self, preflight: Preflight) -> None:
        """Compare random directions, and look for the wrong entries if they disagree."""
        from gradcheck.methods.directions import search  # only where it is needed: start-up counts

        options = self.options
        found = search(
            self.function,
            preflight.claimed,
            self.flat,
            preflight,
            options.tolerance,
            directions=options.directions or DIRECTIONS,
            seed=options.seed,
            tick=self._tick,
            expired=self._expired,
        )
        self._record(found)

    def _elsewhere(self, preflight: Preflight) -> None:
        """At further points, random directions only: a gradient that is right at one place alone is found out."""
        wanted = self.options.points - 1
        if not wanted or self.draft.stopped:
            return
        from gradcheck.methods.directions import search

        seed, redrawn, number = self.options.seed, 0, 0
        for candidate in neighbours(self.x, wanted * (1 + REDRAWS), seed, self.options.bounds):
            if number == wanted or self._expired():
                break
            try:
                at = candidate.reshape(-1)
                value, claimed = self.function.at(at), self.claim.at(at)
                if not np.isfinite(value).all() or not np.isfinite(claimed).all():
                    raise UserCodeError("not finite")
            except UserCodeError:
                redrawn += 1
                continue
            number += 1
            there = replace(preflight, value=value, raw=None, claimed=claimed, scales=natural_scales(at), findings=())
            found = search(
                self.function,
                claimed,
                at,
                there,
                self.options.tolerance,
                directions=DIRECTIONS,
                seed=seed + number,
                tick=self._tick,
                expired=self._expired,
                locate=False,
                point=number,
            )
            self.draft.directions += found.directions
            self.draft.stopped = self.draft.stopped or found.stopped
        if redrawn:
            self.draft.notes.append(f"{redrawn} further points were drawn again: f or the claim is not defined there")
        if number < wanted and not self.draft.stopped:
            self.draft.notes.append(f"only {number + 1} of {self.options.points} points could be checked")

    def _record(self, found: Searched) -> None:
        """Take what a search came to."""
        draft = self.draft
        draft.directions += found.directions
        draft.stopped = draft.stopped or found.stopped
        if found.columns.entry.size:
            draft.survey = searched_survey(found.columns, self.flat.size, found.wrong)
        draft.diagnoses += found.diagnoses
        if draft.method is Method.DIRECTIONS and not draft.limits:
            draft.limits = tuple((limit.name, limit.usual) for limit in found.limits)
            draft.limit_sentence = found.sentence

    def _explain(self, x: NDArray[Any], preflight: Preflight, claim_at: Callable[[Array], Array] | None) -> None:
        """Name the mistake, if entries failed."""
        survey = self.draft.survey
        if survey is None or not survey.failed or self.draft.stopped or self.draft.diagnoses:
            return
        from gradcheck.checks.explanation import explain_failure

        diagnoses, self.draft.explained = explain_failure(
            self.function,
            self.claim,
            x,
            preflight,
            survey,
            shape=self.draft.shape,
            kind=self.draft.kind,
            tolerance=self.options.tolerance,
            seed=self.options.seed,
            claim_at=claim_at,
            suspects=self.options.suspects,
        )
        self.draft.diagnoses += diagnoses

    def _tick(self, phase: str, done: int, total: int, detail: str = "") -> None:
        if self.options.progress is not None:
            self.options.progress(phase, done, total, self.function.calls, detail)

    def _expired(self) -> bool:
        budget = self.options.budget
        return budget is not None and time.perf_counter() - self.started > budget

    # ---- the end

    def _report(self) -> Report:
        called = self.inner or self.function
        called.close()
        self.draft.notes += called.notes
        return self.draft.report(
            engine=called.engine,
            nfev=called.calls,
            ngev=self.claim.calls,
            seconds=time.perf_counter() - self.started,
        )

    def _culprit(self, error: UserCodeError) -> str:
        """Whose error it is: messages begin with the role of the callable."""
        claimed, called = self.claim.role, self.function.role
        roles = {claimed: claimed, "the sparsity pattern": claimed, "the value beside": "grad", called: called}
        return next((role for start, role in roles.items() if str(error).startswith(start)), "f")

    def _finish(self) -> Report:
        report = self._report()
        if self.draft.stopped == "interrupt":
            raise CheckInterrupted(report)
        if not self.options.throw or report.verdict is Verdict.PASS:
            return report
        if report.verdict is Verdict.INCONCLUSIVE:
            if self.options.allow_inconclusive:
                return report
            raise GradientUndecided(report.headline, report)
        if report.verdict is Verdict.ERROR:
            raise UserCodeError(report.headline, next(f.kind for f in report.findings if f.verdict is Verdict.ERROR))
        raise GradientMismatch(report.headline, report)


def _flat_bounds(bounds: Any, x: NDArray[Any]) -> tuple[Array, Array] | None:
    if bounds is None:
        return None
    low, high = as_bounds(bounds, x.shape) or (-np.inf, np.inf)
    wide = [np.broadcast_to(np.asarray(bound, np.float64), x.shape).reshape(-1) for bound in (low, high)]
    return wide[0], wide[1]


def _require_effect(x: NDArray[Any], eps: float) -> None:
    """Raises `UsageError` if x + eps is x for some entry."""
    with np.errstate(over="ignore"):
        lost = np.flatnonzero((x + x.dtype.type(eps) == x) | (x - x.dtype.type(eps) == x))
    if lost.size:
        i = int(lost[0])
        raise UsageError(
            f"eps {eps:g} is so small that x + eps is x at entry {i} ({x[i]:g}); leave eps out, or take a larger one"
        )
