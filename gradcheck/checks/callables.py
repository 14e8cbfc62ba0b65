"""The callables of a check: f, the claim, and what is made of them, with their counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gradcheck.checks.given import Given
from gradcheck.evaluation.claims import Claim, ComplexClaim, Counted, TangentClaim
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.unpacking import unpacked
from gradcheck.model import Kind
from gradcheck.wording import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.evaluation.journal import Journal, Ledger
    from gradcheck.evaluation.matrix_claims import MatrixClaim
    from gradcheck.methods.problem import Watcher
    from gradcheck.model import Report
    from gradcheck.options.keywords import Options
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]


class Callables(Given):
    """Makes every `Function` and `Claim` of a check, so that arguments, bounds, engine and counts reach all of them.

    watcher: says when they are to be called no more.
    notes: for the reader of the report.
    called: the functions as the user wrote them.
    journal: what keeps their values, once there is one.
    slopes: of an x on a set, the gradient beside a claimed Hessian, leaf by leaf.
    setting: what user code is told by an attribute that is set, for the journal.
    """

    def __init__(
        self,
        kind: Kind,
        f: Callable[..., Any],
        claim: Callable[..., Any],
        x0: ArrayLike,
        options: Options,
        watcher: Watcher,
    ) -> None:
        super().__init__(kind, f, claim, x0, options)
        self.watcher = watcher
        self.notes: list[str] = [self.layout.note] if self.layout.note else []
        self.called: list[Callable[..., Any]] = [f]
        self.claims: list[Counted] = []
        self.journal: Journal | None = None
        self.slopes: list[Array] | None = None
        self.setting: tuple[Any, ...] = ()
        self._resumed = False  # a callable is in the journal as it is
        self._functions: list[tuple[Function, str | None]] = []
        self._elsewhere = {"f": 0, "derivative": 0}  # calls in another check, made for this one

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
            self.called.append(f)
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
        self.claims.append(made)
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

    def _ledger(self, role: str, call: Callable[..., Any]) -> Ledger | None:
        """The pages of the journal for a callable, if there is a journal."""
        if self.options.journal is None:
            return None
        if self.journal is None:
            from gradcheck.evaluation.journal import Journal  # of use to long checks only

            self.journal = Journal(self.options.journal)
        args, fixed = self.options.args, (*self.layout.fixed_parts, *self.setting)
        more = (
            {**args, **{f" {k}": part for k, part in enumerate(fixed)}}
            if isinstance(args, Mapping)
            else (*args, *fixed)
        )
        ledger = self.journal.ledger(role, call, more)
        if ledger.resumed and not self._resumed:
            self._resumed = True
            held = counted(self.journal.held, "evaluation")
            self.watcher.tick("journal", 0, 0, f"goes on from {self.journal.path}, which holds {held}")
        if ledger.outdated:
            note = f"{role} has changed: {self.journal.path} holds evaluations of another version of it, which were not used"
            if note not in self.notes:
                self.notes.append(note)
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
        return self._elsewhere["derivative"] + called + sum(claim.calls for claim in self.claims)

    def close(self, *, at_once: bool = False) -> None:
        """Let go of processes and files; `at_once` does not wait for what they are at."""
        for function in self.functions:
            function.close(at_once=at_once)
            self.notes += function.notes
        if self.journal is not None:
            self.journal.close()
            if self.journal.note:
                self.notes.append(self.journal.note)
