"""check_gradient, check_hessian, check_jacobian: from callables to a `Report`.

Each check is the same sequence: fit the callables with counters, examine them (`preflight`), compare entries (`survey`) or
random directions (`search`), name the mistake (`numerics.diagnosis`), and put it all on record (`summary`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import CheckInterrupted, GradientMismatch, GradientUndecided, UsageError, UserCodeError
from gradcheck.evaluation import Claim, Function
from gradcheck.hessian import DifferencedGradient, asymmetry
from gradcheck.matrices import Compressed, MatrixClaim, Pattern, outside_pattern
from gradcheck.model import Finding, FindingKind, Kind, Method, Report, Tolerance, Verdict
from gradcheck.points import as_bounds, as_point, check_within, describe_point
from gradcheck.preflight import Preflight, examine, observations
from gradcheck.sources import describe
from gradcheck.summary import Draft
from gradcheck.survey import Pairs, Surveyor, gradient_blocks

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

RTOL = 6e-6  # agreement to five digits; a factor of 1 + 1e-5 is an error
PATIENCE = 5.0  # seconds that comparing every entry may be expected to take before random directions are preferred
FEW_ENTRIES = 1000  # up to this dimension every entry is compared whatever it takes, …
MANY_ENTRIES = 200_000  # … and above this one random directions are taken however fast f is

Progress = Callable[[str, int, int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The keywords that all checks share; they bear the names of the command line's options.

    rtol: relative error that is accepted whatever the precision of f (default 6e-6).  atol: absolute error that is.
    method: 'coordinates' compares every entry, 'directions' random directions, 'auto' chooses by cost.
    directions: how many random directions (default 2).
    points: at how many points; the first gets the method, the others two random directions each.
    seed: of everything random.  bounds: (low, high), f is not called outside.  args: further arguments of f and claim.
    eps: the step, in the units of x; by default it is measured.  vectorized: f takes a batch of points, one a row.
    jit: compile f with Numba first.  jobs, executor: evaluate in parallel.  budget: seconds after which to stop.
    suspects: terms, by name, that may be missing in the claim.  progress: called as (phase, done, total, evaluations,
    detail).  throw: raise unless all is right.  allow_inconclusive: do not raise for INCONCLUSIVE.
    """

    rtol: float | None = None
    atol: float = 0.0
    method: str | Method = Method.AUTO
    directions: int | None = None
    points: int = 1
    seed: int = 0
    bounds: Any = None
    args: tuple[Any, ...] = ()
    eps: float | None = None
    vectorized: bool | None = None
    jit: bool = False
    jobs: int = 1
    executor: Executor | None = None
    budget: float | None = None
    suspects: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    progress: Progress | None = None
    throw: bool = True
    allow_inconclusive: bool = False

    def __post_init__(self) -> None:
        """Raises `UsageError` for values that make no sense."""
        if self.rtol is not None and not 0 <= self.rtol < 1:
            raise UsageError(f"rtol is {self.rtol}; it must be at least 0 and below 1")
        if not self.atol >= 0:
            raise UsageError(f"atol is {self.atol}; it must be at least 0")
        if self.eps is not None and not 0 < self.eps < np.inf:
            raise UsageError(f"eps is {self.eps}; it must be a positive number, or left out")
        if self.budget is not None and not self.budget > 0:
            raise UsageError(f"budget is {self.budget}; it must be a positive number of seconds")
        for key, value in (("points", self.points), ("jobs", self.jobs), ("directions", self.directions)):
            if value is not None and value < 1:
                raise UsageError(f"{key} is {value}; it must be at least 1")
        if str(self.method) not in tuple(Method):
            raise UsageError(f"method is {self.method!r}; it must be one of {', '.join(Method)}")

    @property
    def tolerance(self) -> Tolerance:
        """rtol and atol as one."""
        return Tolerance(rtol=RTOL if self.rtol is None else self.rtol, atol=self.atol)


def check_gradient(
    f: Callable[..., Any],
    grad: Callable[..., Any] | None,
    x0: ArrayLike,
    *,
    value_and_grad: bool = False,
    **options: Any,
) -> Report:
    """Compare a claimed gradient with differences of f, entry by entry.

    Args:
        f: x ↦ number, for x of the shape and dtype of `x0`.
        grad: x ↦ array of the shape of x0 (or flat); None with `value_and_grad`.
        x0: the point, any shape, float64 or float32.
        value_and_grad: f returns (value, gradient); with `grad` given, it is grad that returns both.
        **options: see `Options`.

    Returns:
        The `Report`; its `verdict` is PASS, INCONCLUSIVE, FAIL or ERROR.

    Raises:
        GradientMismatch: the gradient is wrong (unless ``throw=False``); the exception carries the report.
        GradientUndecided: it could not be judged (unless ``throw=False`` or ``allow_inconclusive=True``).
        UserCodeError: f or grad raised or returned no number at the point (unless ``throw=False``).
        PointError, UsageError: x0 or an option makes no sense.
        CheckInterrupted: Ctrl-C; carries the report of what was known.
    """
    settings = Options(**options)
    f_called, grad_called = f, grad
    value_beside: Callable[..., Any] | None = None
    if grad is None and not value_and_grad:
        raise UsageError("there is no gradient to check: give grad, or value_and_grad=True if f returns both")
    if value_and_grad:
        both = f if grad is None else grad
        grad_called = _second(both)
        if grad is None:
            f_called = _first(both)
        else:
            value_beside = _first(both)
    assert grad_called is not None
    check = _Check(Kind.GRADIENT, f, grad or f, x0, settings)
    return check.gradient(
        Function(f_called, check.x, args=settings.args, bounds=check.bounds),
        Claim(grad_called, check.x, check.x.shape, args=settings.args, role="grad"),
        None
        if value_beside is None
        else Function(value_beside, check.x, args=settings.args, role="the value beside the gradient"),
    )


def check_jacobian(func: Callable[..., Any], jac: Callable[..., Any], x0: ArrayLike, **options: Any) -> Report:
    """Compare a claimed Jacobian with differences of func: R^n → R^m.

    Args:
        func: x ↦ array of any shape (m entries in all), for x of the shape and dtype of `x0`.
        jac: x ↦ m × n array (or shape of func(x) + shape of x), a sparse array, or an operator with ``@`` or ``matvec``.
            The zeros of a sparse array save evaluations: columns that share no row are differenced together.
        x0: the point, any shape, float64 or float32.
        **options: see `Options`; and ``sparsity``, a boolean m × n array or sparse array of where `jac` may be non-zero.

    Returns, raises: as `check_gradient`.
    """
    pattern = options.pop("sparsity", None)
    settings = Options(**options)
    check = _Check(Kind.JACOBIAN, func, jac, x0, settings)
    function = Function(func, check.x, args=settings.args, bounds=check.bounds, role="func", scalar=False)
    return check.matrix(function, jac, "jac", pattern)


def check_hessian(
    f: Callable[..., Any],
    hess: Callable[..., Any],
    x0: ArrayLike,
    *,
    grad: Callable[..., Any] | None = None,
    **options: Any,
) -> Report:
    """Compare a claimed Hessian with differences of the gradient, or with second differences of f.

    Args:
        f: x ↦ number, for x of the shape and dtype of `x0`.
        hess: x ↦ n × n array (or shape of x twice), a sparse array, or an operator with ``@`` or ``matvec``.
        x0: the point, any shape, float64 or float32.
        grad: the gradient, which is checked along random directions first; 2n of its evaluations check the Hessian.
            Without it, f is differenced twice, at 8n² evaluations and with less precision, which the report states.
        **options: see `Options`; and ``sparsity``, as for `check_jacobian`.

    Returns, raises: as `check_gradient`.
    """
    pattern = options.pop("sparsity", None)
    settings = Options(**options)
    check = _Check(Kind.HESSIAN, f, hess, x0, settings)
    if grad is not None:
        check.require_gradient(f, grad)
        function = Function(grad, check.x, args=settings.args, bounds=check.bounds, role="grad", scalar=False)
    else:
        inner = Function(f, check.x, args=settings.args, bounds=check.bounds)
        differenced = DifferencedGradient(inner, check.x, settings.seed)
        function = Function(differenced, check.x, role="f", scalar=False)
        check.inner = inner
        check.draft.notes.append("without a gradient, f was differenced twice; give grad for a sharper and cheaper check")
    return check.matrix(function, hess, "hess", pattern)


def _first(both: Callable[..., Any]) -> Callable[..., Any]:
    def value(*arguments: Any) -> Any:
        return both(*arguments)[0]

    return value


def _second(both: Callable[..., Any]) -> Callable[..., Any]:
    def gradient(*arguments: Any) -> Any:
        return both(*arguments)[1]

    return gradient


class _Check:
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

    def gradient(self, function: Function, claim: Claim, value_beside: Function | None) -> Report:
        """The whole sequence for a claimed gradient."""
        self.function, self.claim = function, claim
        try:
            preflight = examine(function, claim, self.flat, self.options.seed, value_beside=value_beside)
        except UserCodeError as error:
            return self._broken(error)
        draft = self.draft
        draft.findings += preflight.findings
        draft.noise = float(preflight.calibration.noise.max())
        draft.method = self._method(function)
        if draft.method is Method.COORDINATES:
            draft.survey = self._surveyor(function, preflight).survey(gradient_blocks(preflight.claimed))
            draft.stopped = draft.survey.stopped
        else:
            self._search(preflight)
        if draft.survey is not None:
            draft.findings += observations(draft.survey, preflight)
        self._elsewhere(preflight)
        return self._finish()

    def matrix(self, function: Function, claim: Callable[..., Any], role: str, sparsity: Any) -> Report:
        """The whole sequence for a claimed Jacobian or Hessian of `function`."""
        draft, options = self.draft, self.options
        self.function = function
        try:
            value = function.at(self.flat)
            self.claim = matrix_claim = MatrixClaim(claim, self.x, value.size, args=options.args, role=role)
            draft.shape = function.shape + self.x.shape
            preflight = examine(function, matrix_claim, self.flat, options.seed)
            matrix = matrix_claim.matrix(preflight.raw)
            pattern = matrix.pattern() if sparsity is None else Pattern.of(sparsity, matrix.rows, matrix.columns)
        except UserCodeError as error:
            return self._broken(error)
        draft.findings += preflight.findings
        draft.noise = float(preflight.calibration.noise.max())
        draft.method = self._method(function)
        if draft.kind is Kind.HESSIAN:
            draft.findings += asymmetry(matrix, options.tolerance)
        if draft.method is Method.DIRECTIONS:
            self._rows(preflight, matrix)
        elif pattern is None:
            draft.survey = self._surveyor(function, preflight).survey(matrix.blocks())
        else:
            compressed = Compressed(function, pattern, preflight.value)
            draft.survey = self._surveyor(function, preflight, compressed.pairs).survey(compressed.blocks(matrix))
            draft.notes.append(f"{matrix.columns} columns were differenced in {len(pattern.groups())} groups")
            draft.findings += outside_pattern(function, matrix, preflight, self.flat, options.seed)
        if draft.survey is not None:
            draft.stopped = draft.survey.stopped
            draft.findings += observations(draft.survey, preflight)
        return self._finish()

    def require_gradient(self, f: Callable[..., Any], grad: Callable[..., Any]) -> None:
        """See whether the gradient that a Hessian is differenced from is that of f; a finding says if it is not."""
        report = check_gradient(f, grad, self.x, method=Method.DIRECTIONS, args=self.options.args, seed=self.options.seed,
                                bounds=self.options.bounds, throw=False)
        self.draft.notes.append(f"grad against f along {len(report.directions)} random directions: {report.verdict.name}")
        if report.verdict >= Verdict.FAIL:
            self.draft.findings.append(
                Finding(
                    kind=FindingKind.VALUE_MISMATCH,
                    target="grad",
                    verdict=Verdict.INCONCLUSIVE,
                    message="the gradient that the Hessian is compared with is not that of f; check it first",
                )
            )

    # ---- the steps

    def _method(self, function: Function) -> Method:
        """The method asked for, or the one that is worth its cost."""
        asked = Method(str(self.options.method))
        if asked is not Method.AUTO:
            return asked
        if self.options.directions is not None:
            return Method.DIRECTIONS
        n = self.flat.size
        spent = time.perf_counter() - self.started
        expected = 2 * n * spent / max(function.calls, 1)
        patience = PATIENCE if self.options.budget is None else min(PATIENCE, self.options.budget / 2)
        return Method.DIRECTIONS if n > FEW_ENTRIES and (n > MANY_ENTRIES or expected > patience) else Method.COORDINATES

    def _surveyor(self, function: Function, preflight: Preflight, pairs: Pairs | None = None) -> Surveyor:
        return Surveyor(
            function,
            self.flat,
            preflight,
            self.options.tolerance,
            step=self.options.eps,
            tick=self._tick,
            expired=self._expired,
            pairs=pairs,
        )

    def _search(self, preflight: Preflight) -> None: ...

    def _elsewhere(self, preflight: Preflight) -> None: ...

    def _tick(self, phase: str, done: int, total: int, detail: str = "") -> None:
        if self.options.progress is not None:
            self.options.progress(phase, done, total, self.function.calls, detail)

    def _expired(self) -> bool:
        budget = self.options.budget
        return budget is not None and time.perf_counter() - self.started > budget

    # ---- the end

    def _report(self) -> Report:
        return self.draft.report(
            engine=self.function.engine,
            nfev=(self.inner or self.function).calls,
            ngev=self.claim.calls,
            seconds=time.perf_counter() - self.started,
        )

    def _broken(self, error: UserCodeError) -> Report:
        """User code failed at the point itself: raise, or put it on record."""
        if self.options.throw:
            raise error
        self.draft.blame(error)
        return self._report()

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
        raise UsageError(f"eps {eps:g} is so small that x + eps is x at entry {i} ({x[i]:g}); leave eps out, or take a larger one")
