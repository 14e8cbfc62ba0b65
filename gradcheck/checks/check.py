"""One check in the making, from callables to a `Report`: the steps that every kind of derivative shares.

What is particular to a kind stands in the module of that name; it hands `CheckRun.carry_out` what to compare.
It is long because one object has to hold all that a check is made with, so that nothing of it can be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.doubts import doubt, tell_difference
from gradcheck.checks.draft import Draft
from gradcheck.checks.method import DIRECTIONS, SLOW, worthwhile
from gradcheck.errors import CheckInterrupted, UsageError, UserCodeError, raise_for
from gradcheck.evaluation.claims import Claim, ComplexClaim, Counted, TangentClaim
from gradcheck.evaluation.engines import is_compiled
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.preflight import examine, integer_answer
from gradcheck.evaluation.sources import describe
from gradcheck.evaluation.unpacking import argument_names, in_order, unpacked
from gradcheck.methods.coordinates import Surveyor, observations
from gradcheck.methods.problem import Problem, Watcher
from gradcheck.model import Convention, Finding, FindingKind, Kind, Stop, Target
from gradcheck.points import describe_point, flat_bounds, integer_dtype, lay_out, require_within
from gradcheck.variables.layout import ArrayLayout
from gradcheck.wording import counted, quoted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.checks.complex import Known
    from gradcheck.checks.knob import Knob
    from gradcheck.evaluation.autograd import Autograd
    from gradcheck.evaluation.journal import Journal, Ledger
    from gradcheck.evaluation.matrix_claims import MatrixClaim
    from gradcheck.methods.coordinates import Evaluate
    from gradcheck.methods.results import Comparison
    from gradcheck.model import Method, Point, Report
    from gradcheck.options.keywords import Options
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]


class CheckRun:
    """One check in the making: the point, the clock, the callables with their counts, and the draft of the report.

    It alone makes a `Function` or a `Claim`, so that arguments, bounds, engine and counts reach all of them.

    x0: the point as it was given.
    layout: how it is laid out.
    flat: the same as a vector, (n,); on a set, its coordinates.
    given: layout and vector of x0 as an array, on a set or not.
    knob: what makes f more exact, if it was named.
    bounds: (low, high), each (n,), or None.
    fixed: the variables whose bounds are equal, so that they do not vary, (n,); None if there is none.
    problem: what is compared at the point, once that is known.
    known, held: of a claim by complex variables, what was differenced to find its convention, and the parts that it leaves out.
    size: entries of the derivative, where they are not those of a whole matrix.
    may_mend: a patch may be looked for, if entries fail.
    """

    def __init__(
        self, kind: Kind, f: Callable[..., Any], claim: Callable[..., Any], x0: ArrayLike, options: Options
    ) -> None:
        self.watcher = Watcher(None if options.progress is None else self._progress, options.budget)
        self.knob: Knob | None = None
        if options.knob is not None:
            from gradcheck.checks.knob import knob_of  # of use to few

            self.knob, options = knob_of(f, options)
        self.options, self.tolerance = options, options.tolerance
        self.x0 = in_order(f, x0) if options.unpack and isinstance(x0, dict) else x0
        names = argument_names(f, len(self.x0)) if options.unpack and isinstance(self.x0, (list, tuple)) else ()
        self.layout, self.flat = lay_out(self.x0, wrt=options.wrt, unpack=options.unpack, names=names)
        self.given = self.layout, self.flat
        integers = "" if self.layout.leaves else integer_dtype(x0)
        if options.jit and self.layout.leaves:
            raise UsageError("jit compiles functions of one array, and x0 is a tree; leave it out")
        if options.convention is not None and self.layout.imaginary is None:
            raise UsageError("convention says what a derivative by complex variables is, and x0 is real; leave it out")
        if self.layout.imaginary is not None:
            from gradcheck.checks.complex import refuse  # of use to few

            refuse(kind, options)
        self.on_set = options.on is not None or options.claimed is not None or options.riemannian
        if self.on_set:
            from gradcheck.checks.on_sets import lay_out_on_sets  # of use to few

            made = lay_out_on_sets(kind, options, self.layout, self.flat)
            self.given = self.layout, made.ambient(made.origin)
            self.layout, self.flat = made, made.origin.copy()
        self.bounds = flat_bounds(options.bounds, self.layout)
        require_within(self.flat, self.bounds, self.layout)
        fixed = None if self.bounds is None else self.bounds[0] == self.bounds[1]
        self.fixed = None if fixed is None or not fixed.any() else fixed
        own = type(x0).__module__ in ("builtins", "numpy") or not isinstance(self.layout, ArrayLayout)
        self._wrapper = (
            "" if own else type(x0).__name__
        )  # such as a Series of pandas, for which f may have been written
        if options.eps is not None:
            _require_effect(self.flat, options.eps, self.layout)
        target = describe(f)
        self.draft = Draft(
            name=options.name or target.name,
            kind=kind,
            target=target,
            claim=describe(claim),
            point=self.described(self.flat, "given"),
            layout=self.layout,
            tolerance=self.tolerance,
            notes=[self.layout.note] if self.layout.note else [],
            options=options.in_force,
        )
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
        self.target, self._claim = f, claim
        self._journal: Journal | None = None
        self._resumed = False  # a callable is in the journal as it is
        self.problem: Problem | None = None
        self._called: list[Callable[..., Any]] = [f]
        self._suspects: dict[str, Array] = {}
        self.may_mend = self.layout.imaginary is None and options.on is None
        self.slopes: list[Array] | None = None  # of an x on a set: the gradient beside a claimed Hessian, leaf by leaf
        self.setting: tuple[Any, ...] = ()  # what user code is told by an attribute that is set, for the journal
        self.size: int | None = None
        self._functions: list[tuple[Function, str | None]] = []
        self._claims: list[Counted] = []
        self._elsewhere = {"f": 0, "derivative": 0}  # calls in another check, made for this one

    def described(self, x: NDArray[Any], origin: str) -> Point:
        """The record of a point of this check, by its vector."""
        if self.options.on is not None:
            x = self.layout.ambient(x)  # type: ignore[attr-defined]
        return describe_point(x, origin, layout=self.given[0])

    @property
    def vectors(self) -> Layout:
        """How vectors like x are laid out, that products take and give: on a set, they are tangents."""
        return self.layout.tangents if self.on_set else self.layout  # type: ignore[attr-defined]

    @property
    def values(self) -> Layout | None:
        """How a gradient is laid out, if that is a tree."""
        return self.layout if self.layout.leaves else None

    @property
    def heard(self) -> bool:
        """Whether the claim is told of the knob."""
        return self.knob is None or self.knob.takes(self._claim)

    # ---- the makers

    def function(
        self,
        f: Callable[..., Any],
        *,
        role: str = "f",
        scalar: bool = True,
        calls: str | None = "f",
        values: Layout | None = None,
        at: NDArray[Any] | Layout | None = None,
    ) -> Function:
        """What calls f, with the arguments, bounds and engine of this check.

        f: the user's, or made of it, and takes what x0 is; its parts with `unpack`.

        role: whose value it is, for messages.
        calls: whose calls these are, 'f' or 'derivative'; None if f calls no user code but through another `Function`.
        values: how the values are laid out, if they are a tree.
        at: where, if f is a function of something else than the user's variables; it has its arguments and bounds then.
        """
        options = self.options
        how: dict[str, Any] = {}
        if calls is not None:
            how |= options.engine
        if role not in ("f", "func") or at is not None:
            how["vectorized"] = None  # which is said of f
        if calls is not None and at is None:
            self._called.append(f)
            how |= {"args": options.args, "bounds": self.bounds}
            f = self.whole(f, role)
        if calls is not None:
            how["deadline"] = self.watcher.deadline
        ledger = self._ledger(role, f if at is None else self.target) if calls is not None else None
        if calls is not None and at is None and options.isolate:
            f = self._isolated(f)
        layout = self.layout if at is None else at
        made = Function(f, layout, role=role, scalar=scalar, values=values, ledger=ledger, **how)
        self._functions.append((made, calls))
        return made

    def whole(self, f: Callable[..., Any], role: str) -> Callable[..., Any]:
        """A callable of the user's, or made of it, as one of x as a whole."""
        if not self.options.unpack or getattr(f, "of_whole", False):
            return f
        return unpacked(f, self.x0, self.options.args, role)

    def like(
        self, inner: Function, f: Callable[..., Any], at: NDArray[Any] | Layout, values: Layout | None
    ) -> Function:
        """A `Function` of other variables, `at` them, that calls what `inner` calls, and nothing else.

        values: how its values are laid out, if they are a tree.
        """
        calls = next(calls for function, calls in self._functions if function is inner)
        return self.function(f, role=inner.role, scalar=inner.scalar, calls=calls, values=values, at=at)

    def counted(self, claim: Callable[..., Any], role: str, *, product: bool = False) -> Callable[..., Any]:
        """A claimed derivative of the user's, with its calls counted.

        product: it takes x and a vector like it, both as a whole.
        """
        called = claim if product else self.whole(claim, role)
        made = Counted(self._isolated(called) if self.options.isolate else called, self._ledger(role, claim))
        self._claims.append(made)
        return made

    def _isolated(self, call: Callable[..., Any]) -> Callable[..., Any]:
        from gradcheck.evaluation.isolated import Isolated  # of use to few

        return Isolated(call)

    def vector_claim(self, claim: Callable[..., Any], role: str = "grad") -> Claim:
        """A claimed gradient, with the arguments of this check."""
        counted, args, deadline = self.counted(claim, role), self.options.args, self.watcher.deadline
        kind = Claim if self.layout.imaginary is None else ComplexClaim
        kind = kind if self.options.on is None else TangentClaim
        return kind(counted, self.layout, self.layout, args=args, role=role, deadline=deadline)

    def matrix_claim(
        self, claim: Callable[..., Any], role: str, function: Function, at: NDArray[Any] | Layout | None = None
    ) -> MatrixClaim:
        """A claimed matrix, of counted callables, with the arguments of this check.

        function: what is differentiated; it has been called.
        at: as for `function`.
        """
        from gradcheck.evaluation.matrix_claims import MatrixClaim

        kind: type[MatrixClaim] = MatrixClaim
        if self.is_complex(function) and role in (Kind.GRADIENT.key, Kind.JACOBIAN.key):
            from gradcheck.evaluation.complex_matrices import ComplexMatrixClaim

            kind = ComplexMatrixClaim
        if self.on_set and at is None:
            from gradcheck.evaluation.tangent_matrices import TangentMatrixClaim

            kind = TangentMatrixClaim
        x, args, deadline = self.layout if at is None else at, self.options.args, self.watcher.deadline
        values = function.outputs
        made = kind(
            claim, x, function.size, outputs=function.shape, values=values, args=args, role=role, deadline=deadline
        )
        if self.slopes is not None and self.on_set:
            made.slopes = self.slopes  # type: ignore[attr-defined]
        return made

    def is_complex(self, function: Function) -> bool:
        """Whether complex numbers are a part of what is differentiated, or of what by."""
        return self.layout.imaginary is not None or function.outputs.imaginary is not None

    def autograd(self, f: Callable[..., Any], key: str) -> Autograd:
        """What the framework that x0 is made of says the derivative of f is.  Raises `UsageError` if there is none."""
        from gradcheck.evaluation.autograd import Autograd  # of use to functions of torch and jax only

        self.may_mend = False  # what would have to be patched is a rule somewhere within f
        made = Autograd(self.whole(f, "f"), self.layout, key, outputs=key == "jac")
        self.draft.claim = Target(name=f"autograd of {self.draft.target.name}")
        return made

    def _ledger(self, role: str, call: Callable[..., Any]) -> Ledger | None:
        """The pages of the journal for a callable, if there is a journal."""
        if self.options.journal is None:
            return None
        if self._journal is None:
            from gradcheck.evaluation.journal import Journal  # of use to long checks only

            self._journal = Journal(self.options.journal)
        args, fixed = self.options.args, (*self.layout.fixed_parts, *self.setting)
        more = (
            {**args, **{f" {k}": part for k, part in enumerate(fixed)}}
            if isinstance(args, Mapping)
            else (*args, *fixed)
        )
        ledger = self._journal.ledger(role, call, more)
        if ledger.resumed and not self._resumed:
            self._resumed = True
            held = counted(self._journal.held, "evaluation")
            self.watcher.tick("journal", 0, 0, f"goes on from {self._journal.path}, which holds {held}")
        if ledger.outdated:
            note = f"{role} has changed: {self._journal.path} holds evaluations of another version of it, which were not used"
            if note not in self.draft.notes:
                self.draft.notes.append(note)
                self.watcher.tick("journal", 0, 0, note)
        return ledger

    @property
    def functions(self) -> list[Function]:
        """All that were made."""
        return [function for function, _ in self._functions]

    def include(self, report: Report) -> None:
        """Count the calls of a check that was made for this one."""
        self._elsewhere["f"] += report.nfev
        self._elsewhere["derivative"] += report.ngev

    @property
    def nfev(self) -> int:
        """Calls of f so far."""
        return self._elsewhere["f"] + sum(function.calls for function, calls in self._functions if calls == "f")

    @property
    def ngev(self) -> int:
        """Calls of claimed derivatives so far."""
        called = sum(function.calls for function, calls in self._functions if calls == "derivative")
        return self._elsewhere["derivative"] + called + sum(claim.calls for claim in self._claims)

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
                self._close()
                raise
            return self._report()
        except BaseException:
            self._close(at_once=True)
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
            functions=tuple(self._called),
            begun=lambda: self._begun(function),
        )
        self.draft.findings += preflight.findings
        if self._journal is not None or self.options.isolate:
            from gradcheck.checks.repeats import against_journal, left_behind  # of use to slow functions only

            self.draft.findings += against_journal(function, claim, x)
            if self.options.isolate:
                self.draft.findings += left_behind(function, x, preflight.value, self.options.seed)
        self.draft.noise = float(preflight.calibration.noise.max())
        self.problem = Problem(
            function=function, x=x, preflight=preflight, tolerance=self.tolerance, seed=self.options.seed
        )
        return self.problem

    def _begun(self, function: Function) -> None:
        """Say what the check will take, where that is much or was asked for."""
        slow = function.seconds > SLOW and not is_compiled(function.call)  # whose first call compiles
        if self.options.plan or (slow and self.problem is None):
            from gradcheck.checks.plan import tell  # of use to slow functions only

            columns = function.layout.size if self.fixed is None else int(np.count_nonzero(~self.fixed))
            claim = sum(counted.seconds for counted in self._claims)
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

        claimed = self._claims[0]
        look_for_fixes(self.draft, self.options, self.watcher.left, problem, claim, claimed, self.target)

    def _progress(self, phase: str, done: int, total: int, detail: str) -> None:
        assert self.options.progress is not None
        self.options.progress(phase, done, total, self.nfev, detail)

    # ---- the end

    def _close(self, *, at_once: bool = False) -> None:
        for function in self.functions:
            function.close(at_once=at_once)
            self.draft.notes += function.notes
        if self._journal is not None:
            self._journal.close()
            if self._journal.note:
                self.draft.notes.append(self._journal.note)

    def _report(self) -> Report:
        self._close(at_once=self.watcher.stopped is not None)
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
            self._close(at_once=True)
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


def _require_effect(x: NDArray[Any], eps: float, layout: Layout) -> None:
    """Raises `UsageError` if x + eps is x for some entry."""
    with np.errstate(over="ignore"):
        lost = np.flatnonzero((x + x.dtype.type(eps) == x) | (x - x.dtype.type(eps) == x))
    if lost.size:
        i = int(lost[0])
        raise UsageError(
            f"eps {eps:g} is so small that x + eps is x at entry {layout.name(i)} ({x[i]:g}); "
            "leave eps out, or take a larger one"
        )
