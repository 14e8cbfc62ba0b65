"""check_hessian, check_jacobian and the products: what each claim means, put to the one procedure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks import check_gradient
from gradcheck.evaluation import Claim, Function
from gradcheck.hessian import DifferencedGradient, agrees_along_line
from gradcheck.matrix_procedure import MatrixCheck
from gradcheck.model import Finding, FindingKind, Kind, Method, Report, Verdict
from gradcheck.numerics.stencils import natural_scales
from gradcheck.procedure import Options
from gradcheck.products import (
    AlongDirections,
    Contracted,
    adjointness,
    asked,
    columns_of,
    linearity,
    random_vector,
    rows_of,
    symmetry,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

VECTORS = 3  # how many random vectors a claimed product is checked with, unless `directions` says


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
    check = MatrixCheck(Kind.JACOBIAN, func, jac, x0, settings)
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
    check = MatrixCheck(Kind.HESSIAN, f, hess, x0, settings)
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
    settings = Options(**options)
    check = MatrixCheck(Kind.HVP, f, hvp, x0, settings)
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
    settings = Options(**options)
    check = MatrixCheck(Kind.JVP, func, jvp, x0, settings)
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
    settings = Options(**options)
    check = MatrixCheck(Kind.VJP, func, vjp, x0, settings)
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
    check: MatrixCheck,
    function: Callable[[], Function],
    product: Callable[..., Any],
    role: str,
    settings: Options,
    identities: Callable[[Function], list[Finding]],
) -> Report:
    """Check products of a derivative with random vectors, each scaled like x, as the columns of a Jacobian."""
    x, count = check.x, settings.directions or VECTORS
    scales = natural_scales(check.flat).reshape(x.shape).astype(x.dtype)
    vectors = [scales * random_vector(x.shape, x.dtype, settings.seed, k) for k in range(count)]
    origin = np.zeros(count, x.dtype)

    def restricted() -> Function:
        inner = function()
        along = AlongDirections(inner.call, x, vectors, check.bounds)
        return Function(along, origin, role=inner.role, scalar=False)

    return check.matrix(restricted, columns_of(product, x, vectors), role, at=origin, identities=identities)


def _vector_valued(func: Callable[..., Any], check: MatrixCheck, settings: Options) -> Function:
    return Function(
        func, check.x, args=settings.args, bounds=check.bounds, role="func", scalar=False, **settings.engine
    )


def _gradient_of(
    f: Callable[..., Any], grad: Callable[..., Any] | None, check: MatrixCheck, settings: Options
) -> Function:
    """The gradient to difference: the one given, checked against f first, or one made of differences of f."""
    if grad is not None:
        _require_gradient(f, grad, check, settings)
        engine = {**settings.engine, "vectorized": None}  # which is said of f
        return Function(grad, check.x, args=settings.args, bounds=check.bounds, role="grad", scalar=False, **engine)
    check.inner = Function(f, check.x, args=settings.args, bounds=check.bounds, **settings.engine)
    check.draft.notes.append("without a gradient, f was differenced twice; give grad for a sharper and cheaper check")
    return Function(DifferencedGradient(check.inner, check.x, settings.seed), check.x, role="f", scalar=False)


def _require_gradient(f: Callable[..., Any], grad: Callable[..., Any], check: MatrixCheck, settings: Options) -> None:
    """See whether the gradient that a Hessian is differenced from is that of f; a finding says if it is not."""
    function = Function(f, check.x, args=settings.args, bounds=check.bounds)
    claimed = Claim(grad, check.x, check.x.shape, args=settings.args).at(check.flat)
    if agrees_along_line(function, check.flat, claimed, settings.seed):
        check.draft.notes.append("grad agrees with f along a random direction")
        return
    report = check_gradient(
        f,
        grad,
        check.x,
        method=Method.DIRECTIONS,
        args=settings.args,
        seed=settings.seed,
        bounds=settings.bounds,
        budget=settings.budget,
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
