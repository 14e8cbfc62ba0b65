"""check_hessian, and what a Hessian is differenced from: a gradient that is that of f, or one made of differences of f."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from gradcheck.checks.check import CheckRun, require_callables
from gradcheck.checks.elementwise import Summed, compared_diagonal, is_alone
from gradcheck.checks.glance import hastened
from gradcheck.checks.gradient import check_gradient
from gradcheck.checks.matrix import check_matrix
from gradcheck.checks.reaching import reachable
from gradcheck.checks.stated import Stated
from gradcheck.errors import PointError, UsageError
from gradcheck.evaluation.claims import is_autograd
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.matrices import Diagonal
from gradcheck.model import CheckInterrupted, Convention, Finding, FindingKind, Kind, Method, Report, Verdict
from gradcheck.numerics.directions import Stream, direction
from gradcheck.numerics.noise import Calibration, calibrate, ladder
from gradcheck.numerics.stencils import CENTRAL, free_scales, steps_near
from gradcheck.options.keywords import Keywords, Options
from gradcheck.variables.layout import VectorLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    from numpy.typing import ArrayLike

WIDER = 8.0  # order 4 bears a larger step than the one that suits order 2
AGREED = 1e-7  # of the length of the terms of ⟨g, v⟩: a gap this small is plain agreement …
PLAIN = 1e-5  # … unless noise allows for more than this
USUAL_STEPS = np.array([1e-5, 3e-6])  # in natural scales: the cube root of the precision of f, more or less
LEAST_BUDGET = 1e-9  # seconds


@dataclass(frozen=True, slots=True)
class Line:
    """f along a random direction v: values on both sides, (R, 1), at the displacements `steps`, (R,), and what they tell."""

    scales: Array
    v: Array
    plus: Array
    minus: Array
    steps: Array
    calibration: Calibration


def _line(function: Function, flat: NDArray[Any], seed: int) -> Line:
    scales = free_scales(flat, function.bounds)
    centre, v = function.at(flat), scales * direction(flat.size, seed, Stream.STEP)
    plus, minus, steps = function.line(flat, v, ladder())
    calibration = calibrate(plus, minus, centre, steps, flat.size, float(np.finfo(flat.dtype).eps))
    return Line(scales, v, plus, minus, steps, calibration)


def agrees_along_line(function: Function, flat: NDArray[Any], claimed: Array, seed: int) -> bool:
    """Whether a claimed gradient (n,) plainly agrees with f along one random direction; False leaves it open.

    Four evaluations of f where it is plain at two steps that suit most functions, else as many as it takes to find one.
    """
    if _agrees_at_usual_steps(function, flat, claimed, seed):
        return True
    line = _line(function, flat, seed)
    k = int(np.argmin(np.abs(line.steps - line.calibration.fraction)))
    step, terms = float(line.steps[k]), claimed * line.v
    with np.errstate(all="ignore"):
        gap = abs(float(line.plus[k, 0] - line.minus[k, 0]) / (2 * step) - float(terms.sum()))
        size = float(np.sqrt(terms @ terms))
    allowed = AGREED * size + float(line.calibration.noise[0]) / step
    return gap <= allowed <= PLAIN * size


def _agrees_at_usual_steps(function: Function, flat: NDArray[Any], claimed: Array, seed: int) -> bool:
    if flat.dtype != np.float64:
        return False  # rounding is more than the gap may be
    v = free_scales(flat, function.bounds) * direction(flat.size, seed, Stream.STEP)
    plus, minus, steps = function.line(flat, v, USUAL_STEPS)
    with np.errstate(all="ignore"):
        terms = claimed * v
        gap = np.abs((plus - minus)[:, 0] / (2 * steps) - terms.sum())
        return bool((gap <= AGREED * np.sqrt(terms @ terms)).all() and terms.any())


class DifferencedGradient:
    """x ↦ the gradient of f by central differences of order 4, for differencing once more: 4n evaluations a call.

    x is flat, and so is the gradient.  The step is measured at x0 and then fixed, so that its truncation error is a smooth
    function that differencing shrinks along with everything else, and its noise is measured like that of any other function.

    Raises `PointError` if x0 is too near the bounds of f.
    """

    def __init__(self, function: Function, flat: NDArray[Any], seed: int) -> None:
        self.function = function
        line = _line(function, flat, seed)
        self.steps = line.scales * min(WIDER * line.calibration.fraction, 0.05)
        self.columns = np.arange(flat.size, dtype=np.intp)
        if function.bounds is not None:
            reach, (low, high) = max(CENTRAL) // 2 * self.steps, function.bounds
            lost = np.flatnonzero((flat - reach < low) | (flat + reach > high))
            if lost.size:
                raise PointError(
                    f"without a gradient f is differenced twice, and entry {function.layout.name(int(lost[0]))} is too near "
                    "its bounds for that; give grad, or a point farther inside"
                )

    def __call__(self, flat: NDArray[Any]) -> Array:
        total = np.zeros(flat.size)
        for node, weight in enumerate(CENTRAL[4], 1):
            h = steps_near(flat, node * self.steps)
            plus, minus = self.function.pairs(flat, self.columns, h)
            total += weight * node * (plus[:, 0] - minus[:, 0]) / h
        return total


class DifferencedValues(DifferencedGradient):
    """x ↦ the derivative of each value of f by its own entry, by central differences of order 4: four evaluations a call.

    summed, values: the sum of the values of f, and the values.
    """

    def __init__(self, summed: Function, values: Function, flat: NDArray[Any], seed: int) -> None:
        super().__init__(summed, flat, seed)
        self.values = values

    def __call__(self, flat: NDArray[Any]) -> Array:
        total = np.zeros(flat.size)
        for node, weight in enumerate(CENTRAL[4], 1):
            h = steps_near(flat, node * self.steps)
            ahead, behind = ((flat + side * h).astype(flat.dtype) for side in (1, -1))
            total += weight * node * (self.values.near(ahead) - self.values.near(behind)) / h
        return total


@hastened(Kind.HESSIAN)
@reachable(Kind.HESSIAN)
def check_hessian(
    f: Callable[..., Any],
    hess: Callable[..., Any],
    x0: ArrayLike,
    *,
    grad: Callable[..., Any] | str | None = None,
    sparsity: Any = None,
    **options: Unpack[Keywords],
) -> Report:
    """Compare a claimed Hessian with differences of the gradient, or with second differences of f.

    Args:
        f: x ↦ number, for x of the shape and dtype of `x0`.
        hess: x ↦ n × n array (or shape of x twice), a sparse array, or an operator with ``@`` or ``matvec``; by a tree also
            a tree of trees of blocks, as ``jax.hessian`` returns it.
        x0: the point, any shape, float64 or float32.
        grad: the gradient, or 'autograd'; it is checked along random directions first, and 2n evaluations check the Hessian.
            Without it, f is differenced twice, at 8n² evaluations and with less precision, which the report states.
        sparsity: as for `check_jacobian`.
        **options: see `Options`.  With ``elementwise=True`` hess returns the diagonal alone, in the shape of x0; f may
            return a value for each entry then.

    Returns, raises: as `check_gradient`.
    """
    require_callables(f=f, hess=hess, **({} if grad is None or is_autograd(grad) else {"grad": grad}))
    run = CheckRun(Kind.HESSIAN, f, hess, x0, Options.of(options))
    if run.options.elementwise:
        if sparsity is not None:
            raise UsageError("elementwise says that the Hessian is a diagonal; leave sparsity out")
        return _check_diagonal(run, f, hess, grad)
    stated = Stated(
        lambda turned: gradient_of(run, turned(f), turned(grad)),
        lambda turned: run.counted(turned(hess), "hess"),
        "hess",
    )
    return check_matrix(run, stated, sparsity=sparsity)


def _check_diagonal(
    run: CheckRun, f: Callable[..., Any], hess: Callable[..., Any], grad: Callable[..., Any] | str | None
) -> Report:
    """A claimed diagonal of the Hessian of f, which returns a value for each entry of x or one number.

    grad: the gradient, in the shape of x, to difference; without it f is differenced twice.
    """
    values = run.function(f, scalar=False)
    curvature = run.vector_claim(hess, "hess")

    def compare() -> None:
        alone = is_alone(values, run, needed=False)
        if alone and grad is None:
            slopes = DifferencedValues(run.function(Summed(f)), values, run.flat, run.options.seed)
            vector = VectorLayout(run.layout)
            function = run.function(slopes, scalar=False, calls=None, at=vector, values=vector)
            run.draft.notes.append("without a gradient f was differenced twice; give grad for a sharper check")
        else:
            function = gradient_of(run, Summed(f) if alone else f, grad)
        problem = run.examine(function, curvature)
        run.accept(problem, compared_diagonal(run, problem, Diagonal(problem.preflight.claimed, "hess"), alone=alone))
        run.size = problem.n
        run.draft.notes.append("the claim is the diagonal of the Hessian")
        run.explain(problem, curvature, None, kind=Kind.GRADIENT)

    return run.carry_out(compare)


def gradient_of(run: CheckRun, f: Callable[..., Any], grad: Callable[..., Any] | str | None) -> Function:
    """The gradient to difference: the one given, checked against f first, or one made of differences of f."""
    if isinstance(grad, str):
        claim = run.draft.claim
        grad = run.autograd(f, "grad")
        run.draft.claim = claim
    if run.knob is not None and grad is not None:
        note = "the gradient that was differenced was not compared with f by this check of the Hessian"
        run.draft.notes += [] if note in run.draft.notes else [note]
        return run.function(grad, role="grad", scalar=False, calls="derivative", values=run.values)
    if grad is not None and _is_gradient(run, f, grad):
        if run.on_set:
            from gradcheck.checks.forms import Slopes, too_many  # of use to few

            if not too_many(run):
                vector = VectorLayout(run.layout)
                slopes = Slopes(run.vector_claim(grad))  # type: ignore[arg-type]
                return run.function(slopes, scalar=False, calls=None, at=vector, values=vector)
            return _differenced(run, f, "on so many coordinates of a set")
        return run.function(grad, role="grad", scalar=False, calls="derivative", values=run.values)
    run.draft.conventions = ()
    return _differenced(run, f, "without a gradient," if grad is None else "grad is not the gradient of f, so")


def _differenced(run: CheckRun, f: Callable[..., Any], why: str) -> Function:
    """The gradient made of differences of f."""
    inner = run.function(f)
    remedy = "" if run.on_set and why.startswith("on ") else "; give grad for a sharper and cheaper check"
    note = f"{why} f was differenced twice{remedy}"
    run.draft.notes += [] if note in run.draft.notes else [note]
    differenced = DifferencedGradient(inner, run.flat, run.options.seed)
    vector = VectorLayout(run.layout)
    return run.function(differenced, scalar=False, calls=None, at=vector, values=vector)


def _is_gradient(run: CheckRun, f: Callable[..., Any], grad: Callable[..., Any]) -> bool:
    """Whether the gradient that a Hessian is to be differenced from may be that of f; a finding says if it is not."""
    options = run.options
    if run.on_set:
        from gradcheck.checks.forms import claimed_slopes  # of use to few

        claimed = claimed_slopes(run, f, grad).at(run.flat)
    else:
        claimed = run.vector_claim(grad).at(run.flat)
    if agrees_along_line(run.function(f), run.flat, claimed, options.seed):
        run.draft.notes.append("grad agrees with f along a random direction")
        if run.layout.imaginary is not None:
            run.draft.conventions = (Convention.STEEPEST,)
        return True
    try:
        report = check_gradient(
            f,
            grad,
            run.x0,
            method=Method.DIRECTIONS,
            args=options.args,
            unpack=options.unpack,
            wrt=options.wrt,
            on=options.on,
            claimed=options.claimed,
            riemannian=options.riemannian,
            seed=options.seed,
            bounds=options.bounds,
            budget=None if (left := run.watcher.deadline.left) is None else max(left, LEAST_BUDGET),
            executor=options.executor,
            jobs=options.jobs,
            throw=False,
        )
    except CheckInterrupted as stop:
        run.include(stop.report)
        raise
    run.include(report)
    if report.convention is Convention.REAL_PART:
        run.draft.notes.append("grad is by the real parts alone, which do not tell how it changes")
        return False
    run.draft.conventions = report.conventions[:1]
    run.draft.notes.append(f"grad against f along {len(report.directions)} random directions: {report.verdict.name}")
    if report.verdict >= Verdict.FAIL:
        run.draft.findings.append(
            Finding(
                kind=FindingKind.VALUE_MISMATCH,
                target="grad",
                verdict=Verdict.INCONCLUSIVE,
                message="grad is not the gradient of f; check it first (the Hessian was compared with f itself)",
            )
        )
    return report.verdict < Verdict.FAIL
