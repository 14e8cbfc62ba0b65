"""check_gradient, check_hessian, check_jacobian and the products: what each claim means, put to the one procedure.

What a gradient does without is imported where it is needed: most checks are of gradients, and a run of one is short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.evaluation import Claim, Function
from gradcheck.model import Finding, FindingKind, Kind, Method, Report, Verdict
from gradcheck.numerics.stencils import natural_scales
from gradcheck.procedure import Check, Options

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

VECTORS = 3  # how many random vectors a claimed product is checked with, unless `directions` says


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
    check = Check(Kind.GRADIENT, f, grad or f, x0, settings)
    return check.gradient(
        Function(f_called, check.x, args=settings.args, bounds=check.bounds, **settings.engine),
        Claim(grad_called, check.x, check.x.shape, args=settings.args, role="grad"),
        None
        if value_beside is None
        else Function(value_beside, check.x, args=settings.args, role="the value beside the gradient"),
    )


def check_jacobian(
    func: Callable[..., Any], jac: Callable[..., Any], x0: ArrayLike, *, sparsity: Any = None, **options: Any
) -> Report:
    """Compare a claimed Jacobian with differences of func: R^n → R^m.

    Args:
        func: x ↦ array of any shape (m entries in all), for x of the shape and dtype of `x0`.
        jac: x ↦ m × n array (or shape of func(x) + shape of x), a sparse array, or an operator with ``@`` or ``matvec``.
            The zeros of a sparse array save evaluations: columns that share no row are differenced together.
        x0: the point, any shape, float64 or float32.
        sparsity: where `jac` may be non-zero, as a boolean m × n array or a sparse array.
        **options: see `Options`.

    Returns, raises: as `check_gradient`.
    """
    settings = Options(**options)
    check = Check(Kind.JACOBIAN, func, jac, x0, settings)
    return check.matrix(lambda: _vector_valued(func, check, settings), jac, "jac", sparsity=sparsity)


def check_hessian(
    f: Callable[..., Any],
    hess: Callable[..., Any],
    x0: ArrayLike,
    *,
    grad: Callable[..., Any] | None = None,
    sparsity: Any = None,
    **options: Any,
) -> Report:
    """Compare a claimed Hessian with differences of the gradient, or with second differences of f.

    Args:
        f: x ↦ number, for x of the shape and dtype of `x0`.
        hess: x ↦ n × n array (or shape of x twice), a sparse array, or an operator with ``@`` or ``matvec``.
        x0: the point, any shape, float64 or float32.
        grad: the gradient, which is checked along random directions first; 2n of its evaluations check the Hessian.
            Without it, f is differenced twice, at 8n² evaluations and with less precision, which the report states.
        sparsity: as for `check_jacobian`.
        **options: see `Options`.

    Returns, raises: as `check_gradient`.
    """
    settings = Options(**options)
    check = Check(Kind.HESSIAN, f, hess, x0, settings)
    return check.matrix(lambda: _gradient_of(f, grad, check, settings), hess, "hess", sparsity=sparsity)


def check_hvp(
    f: Callable[..., Any],
    hvp: Callable[..., Any],
    x0: ArrayLike,
    *,
    grad: Callable[..., Any] | None = None,
    **options: Any,
) -> Report:
    """Compare claimed Hessian–vector products with differences along random vectors; entries are [component, vector].

    Args:
        f: x ↦ number.
        hvp: (x, v) ↦ H(x)v, array like x; that it is linear in v and symmetric is checked, too.
        x0: the point, any shape, float64 or float32.
        grad, **options: as for `check_hessian`; ``directions`` is the number of vectors (default 3).

    Returns, raises: as `check_gradient`.
    """
    from gradcheck.products import asked, linearity, symmetry

    settings = Options(**options)
    check = Check(Kind.HVP, f, hvp, x0, settings)
    x, seed, tolerance = check.x, settings.seed, settings.tolerance

    def identities(function: Function) -> list[Finding]:
        product = asked(hvp, x, x.shape, x.shape, settings.args, "hvp")
        return [
            *linearity(product, x.shape, x.dtype, seed, tolerance, "hvp"),
            *symmetry(product, x.shape, x.dtype, seed, tolerance, "hvp"),
        ]

    return _along(check, lambda: _gradient_of(f, grad, check, settings), hvp, "hvp", settings, identities)


def check_jvp(
    func: Callable[..., Any],
    jvp: Callable[..., Any],
    x0: ArrayLike,
    *,
    vjp: Callable[..., Any] | None = None,
    **options: Any,
) -> Report:
    """Compare claimed products J(x)v of func: R^n → R^m with differences along random vectors; entries are [component, vector].

    Args:
        func: x ↦ array of any shape.
        jvp: (x, v) ↦ J(x)v, array like func(x); that it is linear in v is checked, too.
        x0: the point, any shape, float64 or float32.
        vjp: (x, u) ↦ J(x)ᵀu; with it the dot-product test ⟨u, Jv⟩ = ⟨Jᵀu, v⟩ is made.
        **options: as for `check_jacobian`; ``directions`` is the number of vectors (default 3).

    Returns, raises: as `check_gradient`.
    """
    from gradcheck.products import adjointness, asked, linearity

    settings = Options(**options)
    check = Check(Kind.JVP, func, jvp, x0, settings)
    x, seed, tolerance = check.x, settings.seed, settings.tolerance

    def identities(function: Function) -> list[Finding]:
        ahead = asked(jvp, x, x.shape, function.shape, settings.args, "jvp")
        findings = linearity(ahead, x.shape, x.dtype, seed, tolerance, "jvp")
        if vjp is not None:
            back = asked(vjp, x, function.shape, x.shape, settings.args, "vjp")
            findings += adjointness(ahead, back, x.shape, function.shape, x.dtype, seed, tolerance)
        return findings

    return _along(check, lambda: _vector_valued(func, check, settings), jvp, "jvp", settings, identities)


def check_vjp(func: Callable[..., Any], vjp: Callable[..., Any], x0: ArrayLike, **options: Any) -> Report:
    """Compare claimed products J(x)ᵀu of func: R^n → R^m with gradients of x ↦ ⟨u, func(x)⟩; entries are [vector, component].

    Args:
        func: x ↦ array of any shape.
        vjp: (x, u) ↦ J(x)ᵀu, array like x; that it is linear in u is checked, too.
        x0: the point, any shape, float64 or float32.
        **options: as for `check_jacobian`; ``directions`` is the number of vectors u (default 3).

    Returns, raises: as `check_gradient`.
    """
    from gradcheck.products import Contracted, asked, linearity, random_vector, rows_of

    settings = Options(**options)
    check = Check(Kind.VJP, func, vjp, x0, settings)
    x, seed = check.x, settings.seed
    vectors: list[NDArray[Any]] = []
    outer: list[tuple[int, ...]] = []

    def contracted() -> Function:
        whole = _vector_valued(func, check, settings)
        whole.at(check.flat)
        outer.append(whole.shape)
        vectors.extend(random_vector(whole.shape, x.dtype, seed, k) for k in range(settings.directions or VECTORS))
        return _vector_valued(Contracted(func, vectors), check, settings)

    def identities(function: Function) -> list[Finding]:
        product = asked(vjp, x, outer[0], x.shape, settings.args, "vjp")
        return linearity(product, outer[0], x.dtype, seed, settings.tolerance, "vjp")

    return check.matrix(contracted, lambda x, *args: rows_of(vjp, vectors)(x, *args), "vjp", identities=identities)


def _along(
    check: Check,
    function: Callable[[], Function],
    product: Callable[..., Any],
    role: str,
    settings: Options,
    identities: Callable[[Function], list[Finding]],
) -> Report:
    """Check products of a derivative with random vectors, each scaled like x, as the columns of a Jacobian."""
    from gradcheck.products import AlongDirections, columns_of, random_vector

    x, count = check.x, settings.directions or VECTORS
    scales = natural_scales(check.flat).reshape(x.shape).astype(x.dtype)
    vectors = [scales * random_vector(x.shape, x.dtype, settings.seed, k) for k in range(count)]
    origin = np.zeros(count, x.dtype)

    def restricted() -> Function:
        inner = function()
        along = AlongDirections(inner.call, x, vectors, check.bounds)
        return Function(along, origin, role=inner.role, scalar=False)

    return check.matrix(restricted, columns_of(product, x, vectors), role, at=origin, identities=identities)


def _vector_valued(func: Callable[..., Any], check: Check, settings: Options) -> Function:
    return Function(
        func, check.x, args=settings.args, bounds=check.bounds, role="func", scalar=False, **settings.engine
    )


def _gradient_of(f: Callable[..., Any], grad: Callable[..., Any] | None, check: Check, settings: Options) -> Function:
    """The gradient to difference: the one given, checked against f first, or one made of differences of f."""
    if grad is not None:
        Claim(grad, check.x, check.x.shape, args=settings.args).at(check.flat)  # its shape is not left to the Hessian's
        _require_gradient(f, grad, check, settings)
        engine = {**settings.engine, "vectorized": None}  # which is said of f
        return Function(grad, check.x, args=settings.args, bounds=check.bounds, role="grad", scalar=False, **engine)
    from gradcheck.hessian import DifferencedGradient

    check.inner = Function(f, check.x, args=settings.args, bounds=check.bounds, **settings.engine)
    check.draft.notes.append("without a gradient, f was differenced twice; give grad for a sharper and cheaper check")
    return Function(DifferencedGradient(check.inner, check.x, settings.seed), check.x, role="f", scalar=False)


def _require_gradient(f: Callable[..., Any], grad: Callable[..., Any], check: Check, settings: Options) -> None:
    """See whether the gradient that a Hessian is differenced from is that of f; a finding says if it is not."""
    report = check_gradient(
        f,
        grad,
        check.x,
        method=Method.DIRECTIONS,
        args=settings.args,
        seed=settings.seed,
        bounds=settings.bounds,
        throw=False,
    )
    check.draft.notes.append(f"grad against f along {len(report.directions)} random directions: {report.verdict.name}")
    if report.verdict >= Verdict.FAIL:
        check.draft.findings.append(
            Finding(
                kind=FindingKind.VALUE_MISMATCH,
                target="grad",
                verdict=Verdict.INCONCLUSIVE,
                message="the gradient that the claim is compared with is not that of f; check it first",
            )
        )


def _first(both: Callable[..., Any]) -> Callable[..., Any]:
    return _Item(both, 0)


def _second(both: Callable[..., Any]) -> Callable[..., Any]:
    return _Item(both, 1)


class _Item:
    """One of the values that a function returns, as a callable that can be sent to another process."""

    def __init__(self, both: Callable[..., Any], number: int) -> None:
        self.both, self.number = both, number

    def __call__(self, *arguments: Any) -> Any:
        return self.both(*arguments)[self.number]
