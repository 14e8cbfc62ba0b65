"""One check in the making, from callables to a `Report`: the steps that every kind of derivative shares.

What is particular to a kind stands in the module of that name; it hands `CheckRun.carry_out` what to compare.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.callables import Callables
from gradcheck.checks.doubts import doubt, tell_difference
from gradcheck.checks.draft import Draft
from gradcheck.checks.method import DIRECTIONS, SLOW, worthwhile
from gradcheck.errors import UsageError, UserCodeError
from gradcheck.evaluation.claims import Claim
from gradcheck.evaluation.engines import is_compiled
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.preflight import examine, integer_answer
from gradcheck.evaluation.sources import describe
from gradcheck.methods.coordinates import Surveyor, observations
from gradcheck.methods.problem import Problem, Watcher
from gradcheck.model import CheckInterrupted, Convention, Finding, FindingKind, Kind, Stop, Target, raise_for
from gradcheck.variables.layout import ArrayLayout
from gradcheck.variables.points import integer_dtype
from gradcheck.wording import quoted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.checks.complex.convention import Known
    from gradcheck.evaluation.autograd import Autograd
    from gradcheck.evaluation.line import Line
    from gradcheck.methods.coordinates import Evaluate
    from gradcheck.methods.results import Comparison
    from gradcheck.model import Method, Report
    from gradcheck.options.keywords import Options

    Array = NDArray[np.float64]


class CheckRun(Callables):
    """One check in the making: what was given, the callables with their counts, the clock, and the draft of the report.

    problem: what is compared at the point, once that is known.
    known, held: of a claim by complex variables, what was differenced to find its convention, and the parts that it leaves out.
    size: entries of the derivative, where they are not those of a whole matrix.
    may_mend: a patch may be looked for, if entries fail.
    """

    def __init__(
        self, kind: Kind, f: Callable[..., Any], claim: Callable[..., Any], x0: ArrayLike, options: Options
    ) -> None:
        watcher = Watcher(None if options.progress is None else self._progress, options.budget)
        super().__init__(kind, f, claim, x0, options, watcher)
        own = type(x0).__module__ in ("builtins", "numpy") or not isinstance(self.layout, ArrayLayout)
        self._wrapper = (
            "" if own else type(x0).__name__
        )  # such as a Series of pandas, for which f may have been written
        target = describe(f)
        self.draft = Draft(
            name=options.name or target.name,
            kind=kind,
            target=target,
            claim=describe(claim),
            point=self.described(self.flat, "given"),
            layout=self.layout,
            tolerance=self.tolerance,
            notes=self.notes,
            options=self.options.in_force,
        )
        integers = "" if self.layout.leaves else integer_dtype(x0)
        if integers:
            self.draft.findings.append(
                Finding(
                    kind=FindingKind.WRONG_DTYPE,
                    target="x",
                    message=f"the point holds {integers} numbers, between which f has no derivative: it was taken as float64",
                    evidence={"dtype": integers},
                )
            )
        self.held: NDArray[np.bool_] | None = None
        self.known: Known | None = None
        self.problem: Problem | None = None
        self.size: int | None = None
        self.may_mend = self.layout.imaginary is None and self.options.on is None
        self._suspects: dict[str, Array] = {}

    def autograd(self, f: Callable[..., Any], key: str) -> Autograd:
        """What the framework that x0 is made of says the derivative of f is.  Raises `UsageError` if there is none."""
        from gradcheck.evaluation.autograd import Autograd  # of use to functions of torch and jax only

        self.may_mend = False  # what would have to be patched is a rule somewhere within f
        made = Autograd(self.whole(f, "f"), self.layout, key, outputs=key == "jac")
        self.draft.claim = Target(name=f"autograd of {self.draft.target.name}")
        return made

    # ---- the steps

    def carry_out(self, compare: Callable[[], None]) -> Report:
        """Compare, and make a report of whatever is known when that ends."""
        try:
            # User code may divide by zero; what comes of it is judged.
            with np.errstate(all="ignore"), self.watcher.until_stopped(), self.watcher.deadline.enforced():
                self._lay_out_suspects()
                compare()
            if self.problem is not None:
                self._judge_itself(self.problem)
        except UserCodeError as error:
            if self._wrapper and error.__cause__ is not None:
                message = f"{error}; x0 is a {self._wrapper}, and the functions are handed a plain array of its numbers"
                error.args = (message,)
            self.draft.blame(error)
            if self.options.throw:
                self.close()
                raise
            return self._report()
        except BaseException:
            self.close(at_once=True)
            raise
        return self._finish()

    def _judge_itself(self, problem: Problem) -> None:
        """Say what the check is worth."""
        if problem.preflight.difference is not None:
            tell_difference(self.draft, problem.preflight.difference)
        layout, flat = self.given
        of_set = {}
        if self.on_set:
            from gradcheck.checks.on_sets import special_on_sets

            of_set = special_on_sets(self.layout, self.options.seed)
        doubt(
            self.draft,
            problem,
            self.options,
            layout=layout,
            flat=flat,
            bounds=self.bounds,
            size=self.size,
            of_set=of_set,
        )

    def _lay_out_suspects(self) -> None:
        """Look at the terms that may be missing before anything is compared.

        One of the size of another derivative is left to the check of that.
        """
        if self.options.suspects:
            from gradcheck.checks.explanation import term_at

            for name, term in self.options.suspects.items():
                self._suspects[name] = term_at(name, term, self.flat, self.layout, self.draft.kind)

    def examine(
        self, function: Function, claim: Claim, at: NDArray[Any] | None = None, *, beside: Function | None = None
    ) -> Problem:
        """See whether the callables are fit to be checked; what is to be compared then.

        at: the point, flat, if it is not that of the check.
        beside: gives the value that the claimed derivative is returned with.
        """
        x = self.flat if at is None else at
        preflight = examine(
            function,
            claim,
            x,
            self.options.seed,
            value_beside=beside,
            functions=tuple(self.called),
            begun=lambda: self._begun(function),
            measured=self._measured,
        )
        self.draft.findings += preflight.findings
        if self.journal is not None or self.options.isolate:
            from gradcheck.checks.repeats import against_journal, left_behind  # of use to slow functions only

            self.draft.findings += against_journal(function, claim, x)
            if self.options.isolate:
                self.draft.findings += left_behind(function, x, preflight.value, self.options.seed)
        self.problem = Problem(
            function=function, x=x, preflight=preflight, tolerance=self.tolerance, seed=self.options.seed
        )
        return self.problem

    def _measured(self, line: Line) -> None:
        """Put on record how exactly f can be differenced."""
        self.draft.noise = float(line.calibration.noise.max())
        self.draft.findings += line.findings

    def _begun(self, function: Function) -> None:
        """Say what the check will take, where that is much or was asked for."""
        slow = function.seconds > SLOW and not is_compiled(function.call)  # whose first call compiles
        if self.options.plan or (slow and self.problem is None):
            from gradcheck.checks.plan import tell  # of use to slow functions only

            columns = function.layout.size if self.fixed is None else int(np.count_nonzero(~self.fixed))
            claim = sum(counted.seconds for counted in self.claims)
            tell(self.draft, self.options, self.watcher, function, columns, claim)

    # ---- comparing

    def choose_method(self, function: Function, columns: int) -> Method:
        """The method asked for, or the one that is worth its cost for so many columns to be differenced; put on record."""
        self.draft.method = worthwhile(self.options, self.watcher, function, columns)
        return self.draft.method

    def surveyor(self, problem: Problem, evaluate: Evaluate | None = None, **more: Any) -> Surveyor:
        """What compares every entry."""
        return Surveyor(problem, self.watcher, step=self.options.eps, evaluate=evaluate, **more)

    def accept(self, problem: Problem, comparison: Comparison) -> None:
        """Put on record what a comparison of entries came to."""
        self.draft.take(comparison)
        self.draft.findings += observations(comparison, problem)

    def search(self, problem: Problem, claimed: Array) -> None:
        """Compare random directions, and look for the wrong entries if they disagree."""
        from gradcheck.methods.directions import search  # only where it is needed: start-up counts

        directions = self.options.directions or DIRECTIONS
        self.draft.take(search(problem, self.watcher, claimed, directions=directions))

    def explain(
        self,
        problem: Problem,
        claim: Claim,
        claim_at: Callable[[Array], Array] | None,
        *,
        kind: Kind | None = None,
    ) -> None:
        """Name the mistake, if entries failed.

        claim_at: the whole claim, flat, at another point; None if it is too large to ask for again.
        kind: what the entries are laid out as, if not as those of the derivative that is checked.
        """
        comparison = self.draft.comparison
        if self.on_set and comparison is not None:
            from gradcheck.checks.on_sets import tell_what_is_not_tangent

            tell_what_is_not_tangent(self.draft, self.layout)
        if comparison is None or not comparison.failed or self.watcher.stopped or self.draft.diagnoses:
            return
        from gradcheck.checks.explanation import explain_failure

        written = integer_answer(problem.preflight.raw, claim.role)
        if not any(
            finding.kind is FindingKind.WRONG_DTYPE and finding.target == claim.role for finding in self.draft.findings
        ):
            self.draft.findings += written
        with self.watcher.until_stopped():
            if self.draft.of_complex:
                from gradcheck.checks.explanation import explain_complex

                self.draft.diagnoses, self.draft.explained = explain_complex(self.draft, problem)
                if self.draft.diagnoses or self.draft.convention is Convention.HOLOMORPHIC:
                    return
            if self.on_set:
                from gradcheck.checks.on_sets import explain_on_set

                self.draft.diagnoses, self.draft.explained = explain_on_set(
                    self.draft, self.layout, claim, problem.preflight.raw
                )
                if self.draft.diagnoses:
                    return
            diagnoses, self.draft.explained = explain_failure(
                problem,
                claim,
                comparison,
                places=self.draft.places,
                kind=kind or self.draft.kind,
                claim_at=claim_at,
                suspects=self._suspects,
            )
            self.draft.diagnoses += diagnoses

    def mend(self, problem: Problem, claim: Claim) -> None:
        """Look for a patch of the claim, the first that was counted, if entries failed."""
        comparison = self.draft.comparison
        if comparison is None or not comparison.failed or self.options.fix is False or self.watcher.stopped:
            return
        if not self.may_mend:
            return
        from gradcheck.checks.mending import look_for_fixes

        claimed = self.claims[0]
        look_for_fixes(self.draft, self.options, self.watcher.left, problem, claim, claimed, self.target)

    def _progress(self, phase: str, done: int, total: int, detail: str) -> None:
        assert self.options.progress is not None
        self.options.progress(phase, done, total, self.nfev, detail)

    # ---- the end

    def _report(self) -> Report:
        self.close(at_once=self.watcher.stopped is not None)
        if self.watcher.cut_short:
            self.draft.notes.append("a call that had not returned when the budget was spent was cut short")
        called = [function for function, calls in self._functions if calls is not None]
        most = max(called, key=attrgetter("calls"), default=None)
        return self.draft.report(
            engine="none" if most is None else most.engine,
            nfev=self.nfev,
            ngev=self.ngev,
            seconds=self.watcher.seconds,
            stopped=self.watcher.stopped,
        )

    def _finish(self) -> Report:
        try:
            report = self._report()
        except BaseException:  # Ctrl-C once more
            self.close(at_once=True)
            raise
        if report.stopped is Stop.INTERRUPT:
            raise CheckInterrupted(report)
        if self.options.throw and report.stopped is not Stop.PLAN:
            raise_for(report, allow_inconclusive=self.options.allow_inconclusive)
        return report


def require_callables(**given: Any) -> None:
    """Raises `UsageError` for what was given, by its name, in place of a function."""
    for name, value in given.items():
        if not callable(value):
            what = quoted(value)
            raise UsageError(f"{name} is {what}, which is no function; give the function itself, not what it returns")
