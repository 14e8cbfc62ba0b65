"""One check in the making, from callables to a `Report`: the steps that every kind of derivative shares.

What is particular to a kind stands in the module of that name; it hands `CheckRun.carry_out` what to compare.
It is long because one object has to hold all that a check is made with, so that nothing of it can be lost.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.doubts import doubt, tell_difference
from gradcheck.checks.draft import Draft
from gradcheck.errors import CheckInterrupted, OutOfTime, UsageError, UserCodeError, raise_for
from gradcheck.evaluation.claims import Block, Claim, ComplexClaim, Counted, TangentClaim
from gradcheck.evaluation.engines import is_compiled
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.preflight import examine, integer_answer
from gradcheck.evaluation.sources import describe
from gradcheck.evaluation.unpacking import argument_names, in_order, unpacked
from gradcheck.methods.coordinates import Evaluate, Surveyor, observations
from gradcheck.methods.entries import join, status_code
from gradcheck.methods.problem import Problem, Watcher
from gradcheck.model import Convention, Finding, FindingKind, Kind, Method, Point, Report, Status, Stop, Target, Verdict
from gradcheck.numerics.stencils import free_scales
from gradcheck.options.keywords import Options
from gradcheck.points import describe_point, flat_bounds, integer_dtype, lay_out, neighbour, require_within
from gradcheck.variables.layout import ArrayLayout, Layout
from gradcheck.wording import counted, quoted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.checks.complex import Known
    from gradcheck.evaluation.autograd import Autograd
    from gradcheck.evaluation.journal import Journal, Ledger
    from gradcheck.evaluation.matrices import MatrixClaim
    from gradcheck.methods.results import Comparison

    Array = NDArray[np.float64]

PATIENCE = 5.0  # seconds that comparing every entry may be expected to take before random directions are preferred
FEW_ENTRIES = 1000  # up to this dimension every entry is compared whatever it takes, …
MANY_ENTRIES = 200_000  # … and above this one random directions are taken however fast f is
DIRECTIONS = 2  # how many random directions, unless asked for
SHOWN = 5  # fixed variables named in a note
SLOW = 0.1  # seconds a call of f from which it is said beforehand what the check will take
LIMITED_BY_NOISE = [status_code(status) for status in (Status.NOISY, Status.BELOW_RESOLUTION)]
QUICK = 0.1  # seconds that f may take to be asked what nobody has asked for
RESUMED = 16  # columns compared at a time where there is a journal, however quick f is
PIECE = 1.0  # seconds of comparing after which what is known is put on record


class CheckRun:
    """One check in the making: the point, the clock, the callables with their counts, and the draft of the report.

    It alone makes a `Function` or a `Claim`, so that arguments, bounds, engine and counts reach all of them.

    x0: the point as it was given.
    layout: how it is laid out.
    flat: the same as a vector, (n,); on a set, its coordinates.
    given: layout and vector of x0 as an array, on a set or not.
    bounds: (low, high), each (n,), or None.
    fixed: the variables whose bounds are equal, so that they do not vary, (n,); None if there is none.
    problem: what is compared at the point, once that is known.
    size: entries of the derivative, where they are not those of a whole matrix.
    may_mend: a patch may be looked for, if entries fail.
    """

    def __init__(
        self, kind: Kind, f: Callable[..., Any], claim: Callable[..., Any], x0: ArrayLike, options: Options
    ) -> None:
        self.watcher = Watcher(None if options.progress is None else self._progress, options.budget)
        self.options, self.tolerance = options, options.tolerance
        if options.knob is not None and kind is not Kind.GRADIENT:
            raise UsageError(
                f"knob is for gradients, not for {kind.key}; check that of a number, such as a sum of squares of it"
            )
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
            _refuse_of_complex(kind, options)
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
        self._held: NDArray[np.bool_] | None = None
        self._known: Known | None = None
        self.target = f
        self._journal: Journal | None = None
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

    def like(self, inner: Function, f: Callable[..., Any], at: NDArray[Any] | Layout) -> Function:
        """A `Function` of other variables, `at` them, that calls what `inner` calls, and nothing else."""
        calls = next(calls for function, calls in self._functions if function is inner)
        return self.function(f, role=inner.role, scalar=inner.scalar, calls=calls, values=inner.values, at=at)

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
        from gradcheck.evaluation.matrices import MatrixClaim

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
        if ledger.outdated:
            note = f"{self._journal.path} also holds evaluations of another version of {role}, which were not used"
            if note not in self.draft.notes:
                self.draft.notes.append(note)
        return ledger

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
            begun=lambda: self._plan(function),
        )
        self.draft.findings += preflight.findings
        doubted = [(function.role, function.contradicts_journal(x)), (claim.role, claim.contradicts_journal(x))]
        for role in (role for role, contradicts in doubted if contradicts):
            self.draft.findings.append(
                Finding(
                    kind=FindingKind.NON_DETERMINISTIC,
                    target=role,
                    verdict=Verdict.INCONCLUSIVE,
                    message=f"{role} gives another value at the point than the journal has from before; "
                    "remove the journal, or fix the random seed",
                )
            )
        if self.options.isolate and self.options.journal is None:
            self._see_what_is_left(function, x, preflight.value)
        self.draft.noise = float(preflight.calibration.noise.max())
        self.problem = Problem(
            function=function, x=x, preflight=preflight, tolerance=self.tolerance, seed=self.options.seed
        )
        return self.problem

    def _see_what_is_left(self, function: Function, x: NDArray[Any], fresh: Array) -> None:
        """Whether f, called elsewhere before in the same process, gives another value than in a fresh one."""
        if (left := function.left_behind(x, neighbour(x, 1, self.options.seed), fresh)) is not None:
            self.draft.findings.append(
                Finding(
                    kind=FindingKind.ORDER_DEPENDENT,
                    target=function.role,
                    message=f"{function.role} gives another value where it was called elsewhere before in the same process "
                    f"({left:.2g} apart): it keeps what it does not initialise again; without isolate that is part of each value",
                    evidence={"difference": left},
                )
            )

    def _plan(self, function: Function) -> None:
        """Say what the check will cost, where that is much or was asked for."""
        slow = function.seconds > SLOW and not is_compiled(
            function.call
        )  # the first call of a compiled one compiles it
        if self.options.plan or (slow and self.problem is None):
            from gradcheck.checks.plan import planned  # of use to slow functions only
            from gradcheck.numerics.tolerance_law import DIRECTIONS as DIRECTIONS_OF_LAW

            columns = function.layout.size if self.fixed is None else int(np.count_nonzero(~self.fixed))
            asked = self.options.directions
            directions = asked or DIRECTIONS if self.worthwhile(function, columns) is Method.DIRECTIONS else None
            if self.options.knob is not None:
                directions = asked or DIRECTIONS_OF_LAW
            self.draft.plan = planned(function, self.options, columns, directions, self.watcher.seconds)
            self.watcher.tick("plan", 0, 0, self.draft.plan.sentence)
            if self.options.plan:
                self.watcher.stopped = Stop.PLAN
                raise OutOfTime

    # ---- complex variables

    def settle(self, problem: Problem, claim: Claim) -> Problem:
        """The problem with a claim by complex variables read in the convention that it keeps to, or that was demanded."""
        from gradcheck.checks.complex import settle  # of use to few

        asked = self.options.convention
        chosen, problem, self._known = settle(problem, claim, None if asked is None else str(asked))
        self.draft.conventions = (chosen,)
        if chosen is Convention.REAL_PART and self.layout.imaginary is not None:
            self._hold(self.layout.imaginary)
            scales = free_scales(problem.x, self.bounds)
            problem = replace(problem, preflight=replace(problem.preflight, scales=scales))
        self.problem = problem
        return problem

    def complete(self, problem: Problem, claimed: Array | None = None) -> None:
        """Put on record what the comparison of such a claim came to.

        claimed: the gradient; None of a matrix.
        """
        from gradcheck.checks.complex import missing_parts, record

        draft, imaginary = self.draft, self.layout.imaginary
        compared = draft.comparison
        held = draft.convention is Convention.REAL_PART
        if (
            claimed is not None
            and imaginary is not None
            and not held
            and compared is not None
            and not self.watcher.stopped
        ):
            missing = missing_parts(compared.columns, imaginary)
            if missing.size:
                with self.watcher.until_stopped():
                    more = self.surveyor(problem).survey([Block(missing, claimed[missing, None])])
                    columns = join([compared.columns, more.columns])
                    located = more.failed if draft.directions else 0  # else they were compared, and counted
                    draft.comparison = replace(compared, columns=columns, failed=compared.failed + located)
        record(draft, asked=self.options.convention is not None, claimed=claimed)

    def _hold(self, held: NDArray[np.bool_]) -> None:
        """Vary these variables, (n,), no more, and compare nothing by them."""
        low, high = self.bounds or (np.full(held.size, -np.inf), np.full(held.size, np.inf))
        low, high = np.where(held, self.flat, low), np.where(held, self.flat, high)
        self.bounds, self.fixed = (low, high), held if self.fixed is None else held | self.fixed
        self._held = held
        for function, _ in self._functions:
            function.bounds = self.bounds

    # ---- comparing

    def choose_method(self, function: Function, columns: int) -> Method:
        """The method asked for, or the one that is worth its cost for so many columns to be differenced."""
        self.draft.method = self.worthwhile(function, columns)
        return self.draft.method

    def worthwhile(self, function: Function, columns: int) -> Method:
        """The same, without a word on record."""
        asked = Method(str(self.options.method))
        if asked is not Method.AUTO:
            return asked
        if self.options.directions is not None:
            return Method.DIRECTIONS
        seconds, first = self.watcher.seconds / max(function.calls, 1), function.first_seconds
        expected = 2 * columns * (seconds if first is None else first)  # what a resumed check is to choose again
        patience = PATIENCE if self.options.budget is None else min(PATIENCE, self.options.budget / 2)
        many = columns > FEW_ENTRIES and (columns > MANY_ENTRIES or expected > patience)
        return Method.DIRECTIONS if many else Method.COORDINATES

    def pressed(self, function: Function, columns: int) -> bool:
        """Whether f is slow, and there is no time to compare so many columns."""
        left = self.watcher.left
        return left is not None and function.seconds > SLOW and 2 * columns * function.seconds / function.at_once > left

    def surveyor(self, problem: Problem, evaluate: Evaluate | None = None, **more: Any) -> Surveyor:
        """What compares every entry."""
        return Surveyor(problem, self.watcher, step=self.options.eps, evaluate=evaluate, **more)

    def survey(self, problem: Problem, blocks: Iterable[Block]) -> None:
        """Compare every entry."""
        if self.draft.method is Method.COMPLEX_STEP and (turned := self._turned(problem)) is not None:
            from gradcheck.methods.complex_step import survey

            blocks = self.in_pieces(problem.function, blocks)
            self.draft.take(survey(problem, self.watcher, turned, blocks))
            return
        surveyor = self.surveyor(problem, None if self._known is None else self._known.evaluate)
        compared = surveyor.survey(self.in_pieces(problem.function, blocks))
        self.accept(problem, compared)
        if compared.inconclusive:
            self._offer_complex_step(problem, compared)

    def _offer_complex_step(self, problem: Problem, compared: Comparison) -> None:
        """Say that the complex step would tell what noise hides from differences, where it would."""
        limited = np.isin(compared.columns.status, LIMITED_BY_NOISE) & (
            compared.columns.verdict == Verdict.INCONCLUSIVE
        )
        function = problem.function
        if not limited.any() or self.watcher.stopped or function.layout is not self.layout or function.seconds > QUICK:
            return
        from gradcheck.methods.complex_step import complexified, obstacle

        layout = complexified(self.layout)
        if layout is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of code that drops imaginary parts
            hidden = obstacle(problem, self.function(function.call, role=function.role, scalar=False, at=layout))
        if not hidden:
            self.draft.notes.append(
                "f takes complex numbers, and the complex step, in which nothing cancels, is not limited by this noise: "
                "--method complex-step (in Python method='complex-step')"
            )

    def _turned(self, problem: Problem) -> Function | None:
        """f at complex points; None, and a note why, where that does not tell its derivative."""
        from gradcheck.methods.complex_step import complexified, obstacle

        function = problem.function
        layout, turned, reason = complexified(function.layout), None, "x0 is not one array of real numbers, off any set"
        if layout is not None:
            turned = self.function(function.call, role=function.role, scalar=False, at=layout)
            reason = obstacle(problem, turned)
        if not reason:
            return turned
        self.draft.method = Method.COORDINATES
        self.draft.notes.append(f"no complex step was taken, and every entry was differenced: {reason}")
        return None

    def accept(self, problem: Problem, comparison: Comparison) -> None:
        """Put on record what a comparison of entries came to."""
        self.draft.take(comparison)
        self.draft.findings += observations(comparison, problem)

    def in_pieces(self, function: Function, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks, cut so that not much is lost when the budget ends or Ctrl-C comes."""
        blocks = self._but_for_fixed(blocks)
        budget = self.options.budget
        patience = PIECE if budget is None else min(PIECE, budget / 10)
        width = function.at_once * max(1, int(patience / max(2 * function.seconds, 1e-9)))
        if self.options.journal is not None and function.seconds > 0:
            # A journal loses nothing; what is ordinary is learnt piece by piece, and a resumed check must learn it alike.
            width = function.at_once * RESUMED
        for block in blocks:
            count = len(block.columns)
            if width >= count:
                yield block
            else:
                yield from (block.part(low, low + width) for low in range(0, count, width))

    def _but_for_fixed(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks without the columns of variables that their bounds fix."""
        if self.fixed is None:
            yield from blocks
            return
        bound = self.fixed if self._held is None else self.fixed & ~self._held
        names = [self.layout.name(int(i)) for i in np.flatnonzero(bound)[:SHOWN]]
        if names:
            count = int(np.count_nonzero(bound))
            listed = ", ".join(names) + (", …" if count > SHOWN else "")
            note = f"{counted(count, 'variable')} fixed by bounds, not varied and not compared: {listed}"
            self.draft.notes.append(note)
        for block in blocks:
            free = ~self.fixed[block.columns]
            if free.any():
                yield block if free.all() else block.of(free)

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
        for function, _ in self._functions:
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


def _refuse_of_complex(kind: Kind, options: Options) -> None:
    """Raises `UsageError` for what complex variables do not go with."""
    if kind is Kind.HESSIAN:
        raise UsageError(
            "x0 is complex, and no complex n × n matrix holds all second derivatives; check products (--hvp), or f of real "
            "and imaginary parts"
        )
    for name in ("elementwise", "jit"):
        if getattr(options, name):
            raise UsageError(f"x0 is complex, and {name} is for real variables; leave it out")


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
