"""Claimed products with a derivative, H(x)v, J(x)v and J(x)ᵀu, restated as Jacobians with few columns or few rows.

The products with v_1 … v_K are the columns of the Jacobian of t ↦ F(x + Σ t_k v_k) at t = 0; the products of the transpose
with u_1 … u_K are the rows of that of x ↦ (⟨u_k, F(x)⟩)_k.  So products are checked by the code that checks matrices, and by
the identities that hold for any derivative: linearity, ⟨u, Hv⟩ = ⟨Hu, v⟩, and ⟨u, Jv⟩ = ⟨Jᵀu, v⟩.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.check import CheckRun
from gradcheck.checks.hessian import gradient_of
from gradcheck.checks.matrix import Identities, check_matrix
from gradcheck.checks.options import Options
from gradcheck.evaluation.claims import Claim
from gradcheck.evaluation.engines import NotCalled
from gradcheck.evaluation.function import Function
from gradcheck.model import Finding, FindingKind, Kind, Report, Tolerance, Verdict
from gradcheck.numerics.directions import Stream, direction
from gradcheck.numerics.stencils import natural_scales

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    from numpy.typing import ArrayLike


VECTORS = 3  # how many random vectors a claimed product is checked with, unless `directions` says

Product = Callable[[Any], "Array"]

IDENTITY = (Stream.IDENTITY, Stream.IDENTITY + 1)
EXACT = 1e3  # identities between computed products hold to this many units in the last place


class AlongDirections:
    """t ↦ F(x + Σ t_k v_k) for t of shape (K,), the products with v_k being the columns of its Jacobian at 0.

    directions: K arrays of the shape of x.  bounds: (low, high), flat; outside of them f is not called.
    """

    def __init__(
        self,
        function: Callable[[NDArray[Any]], Any],
        x: NDArray[Any],
        directions: Sequence[NDArray[Any]],
        bounds: tuple[Array, Array] | None = None,
    ) -> None:
        self.function, self.x, self.directions, self.bounds = function, x, directions, bounds

    def __call__(self, t: NDArray[Any]) -> Any:
        shift = sum(float(t[k]) * v for k, v in enumerate(self.directions))
        point = (self.x + shift).astype(self.x.dtype)
        if self.bounds is not None:
            flat = point.reshape(-1)
            if (flat < self.bounds[0]).any() or (flat > self.bounds[1]).any():
                raise NotCalled("outside of the bounds")
        return self.function(point)


def columns_of(
    product: Callable[..., Any], x: NDArray[Any], directions: Sequence[NDArray[Any]]
) -> Callable[..., NDArray[Any]]:
    """The Jacobian at t = 0 that claimed products (x, v, *args) ↦ array amount to."""
    return lambda t, *args: np.stack(
        [np.asarray(product(x.copy(), v.copy(), *args)).reshape(-1) for v in directions], axis=1
    )


class Contracted:
    """x ↦ (⟨u_k, F(x)⟩)_k, the products of the transposed Jacobian with u_k being the rows of its Jacobian."""

    def __init__(self, function: Callable[..., Any], vectors: Sequence[NDArray[Any]]) -> None:
        self.function, self.vectors = function, vectors
        self.flat = np.stack([u.reshape(-1) for u in vectors]).astype(np.float64)

    def __call__(self, x: NDArray[Any], *args: Any) -> Array:
        value = np.asarray(self.function(x, *args), dtype=np.float64).reshape(-1)
        products: Array = (self.flat * value).sum(axis=1)
        return products


def rows_of(product: Callable[..., Any], vectors: Sequence[NDArray[Any]]) -> Callable[..., NDArray[Any]]:
    """The Jacobian that claimed products of the transpose (x, u, *args) ↦ array amount to."""
    return lambda x, *args: np.stack([np.asarray(product(x, u.copy(), *args)).reshape(-1) for u in vectors])


def asked(
    product: Callable[..., Any],
    x: NDArray[Any],
    inner: tuple[int, ...],
    outer: tuple[int, ...],
    args: tuple[Any, ...],
    role: str,
) -> Product:
    """v ↦ product(x, v, *args) as a flat float64 array; v has shape `inner`, the product must have shape `outer`."""
    return Claim(lambda v: product(x.copy(), v, *args), np.empty(inner, x.dtype), outer, role=role).at


def random_vector(shape: tuple[int, ...], dtype: Any, seed: int, number: int) -> NDArray[Any]:
    """Entries sign · U(0.5, 1.5) of the shape and dtype given."""
    return direction(int(np.prod(shape, dtype=np.int64)), seed, number).astype(dtype).reshape(shape)


def linearity(
    product: Product, shape: tuple[int, ...], dtype: Any, seed: int, tolerance: Tolerance, role: str
) -> list[Finding]:
    """Whether product(2u − 3v) = 2 product(u) − 3 product(v), as for every derivative."""
    u, v = (random_vector(shape, dtype, seed, number) for number in IDENTITY)
    apart = 2 * product(u) - 3 * product(v)
    together = product(2 * u - 3 * v)
    gap = float(np.max(np.abs(apart - together), initial=0.0))
    size = float(np.max(np.abs(apart), initial=0.0))
    if not gap > _allowed(size, dtype, tolerance):
        return []
    message = f"{role} is not linear in its vector: the product of a sum differs from the sum of products by {gap:.3g}"
    return [_wrong(FindingKind.NOT_LINEAR, role, message, gap)]


def symmetry(
    product: Product, shape: tuple[int, ...], dtype: Any, seed: int, tolerance: Tolerance, role: str
) -> list[Finding]:
    """Whether ⟨u, Hv⟩ = ⟨Hu, v⟩, as for every Hessian."""
    u, v = (random_vector(shape, dtype, seed, number) for number in IDENTITY)
    gap, size = _inner_gap(u, product(v), product(u), v)
    if not gap > _allowed(size, dtype, tolerance):
        return []
    return [
        _wrong(
            FindingKind.NOT_SYMMETRIC, role, f"{role} is not symmetric: ⟨u, Hv⟩ and ⟨Hu, v⟩ differ by {gap:.3g}", gap
        )
    ]


def adjointness(
    jvp: Product,
    vjp: Product,
    inner: tuple[int, ...],
    outer: tuple[int, ...],
    dtype: Any,
    seed: int,
    tolerance: Tolerance,
) -> list[Finding]:
    """The dot-product test ⟨u, Jv⟩ = ⟨Jᵀu, v⟩ between a claimed jvp and a claimed vjp."""
    v, u = random_vector(inner, dtype, seed, IDENTITY[0]), random_vector(outer, dtype, seed, IDENTITY[1])
    gap, size = _inner_gap(u, jvp(v), vjp(u), v)
    if not gap > _allowed(size, dtype, tolerance):
        return []
    message = f"jvp and vjp do not belong together: ⟨u, Jv⟩ and ⟨Jᵀu, v⟩ differ by {gap:.3g}"
    return [_wrong(FindingKind.NOT_ADJOINT, "vjp", message, gap)]


def _inner_gap(u: NDArray[Any], jv: Array, ju: Array, v: NDArray[Any]) -> tuple[float, float]:
    left, right = u.reshape(-1).astype(np.float64) * jv, ju * v.reshape(-1).astype(np.float64)
    return abs(float(left.sum() - right.sum())), float(max(np.abs(left).sum(), np.abs(right).sum()))


def _allowed(size: float, dtype: Any, tolerance: Tolerance) -> float:
    return tolerance.atol + max(tolerance.rtol, EXACT * float(np.finfo(dtype).eps)) * size


def _wrong(kind: FindingKind, role: str, message: str, gap: float) -> Finding:
    return Finding(kind=kind, target=role, verdict=Verdict.FAIL, message=message, evidence={"difference": gap})


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
    run = CheckRun(Kind.HVP, f, hvp, x0, Options(**options))
    x, seed, tolerance = run.x, run.options.seed, run.options.tolerance
    claimed = run.counted(hvp, "hvp")

    def identities(function: Function) -> list[Finding]:
        product = asked(claimed, x, x.shape, x.shape, run.options.args, "hvp")
        return [
            *linearity(product, x.shape, x.dtype, seed, tolerance, "hvp"),
            *symmetry(product, x.shape, x.dtype, seed, tolerance, "hvp"),
        ]

    return _along(run, lambda: gradient_of(run, f, grad), claimed, "hvp", identities)


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
    run = CheckRun(Kind.JVP, func, jvp, x0, Options(**options))
    x, seed, tolerance = run.x, run.options.seed, run.options.tolerance
    claimed, transposed = run.counted(jvp, "jvp"), None if vjp is None else run.counted(vjp, "vjp")

    def identities(function: Function) -> list[Finding]:
        ahead = asked(claimed, x, x.shape, function.shape, run.options.args, "jvp")
        findings = linearity(ahead, x.shape, x.dtype, seed, tolerance, "jvp")
        if transposed is not None:
            back = asked(transposed, x, function.shape, x.shape, run.options.args, "vjp")
            findings += adjointness(ahead, back, x.shape, function.shape, x.dtype, seed, tolerance)
        return findings

    return _along(run, lambda: run.function(func, role="func", scalar=False), claimed, "jvp", identities)


def check_vjp(func: Callable[..., Any], vjp: Callable[..., Any], x0: ArrayLike, **options: Any) -> Report:
    """Compare claimed products J(x)ᵀu of func: R^n → R^m with gradients of x ↦ ⟨u, func(x)⟩; entries are [vector, component].

    Args:
        func: x ↦ array of any shape.
        vjp: (x, u) ↦ J(x)ᵀu, array like x; that it is linear in u is checked, too.
        x0: the point, any shape, float64 or float32.
        **options: as for `check_jacobian`; ``directions`` is the number of vectors u (default 3).

    Returns, raises: as `check_gradient`.
    """
    run = CheckRun(Kind.VJP, func, vjp, x0, Options(**options))
    x, seed = run.x, run.options.seed
    claimed = run.counted(vjp, "vjp")
    vectors: list[NDArray[Any]] = []

    def contracted() -> Function:
        whole = run.function(func, role="func", scalar=False)
        whole.at(run.flat)
        count = run.options.directions or VECTORS
        vectors.extend(random_vector(whole.shape, x.dtype, seed, k) for k in range(count))
        return run.function(Contracted(func, vectors), role="func", scalar=False)

    def identities(function: Function) -> list[Finding]:
        outer = vectors[0].shape
        product = asked(claimed, x, outer, x.shape, run.options.args, "vjp")
        return linearity(product, outer, x.dtype, seed, run.options.tolerance, "vjp")

    return check_matrix(
        run, contracted, lambda x, *args: rows_of(claimed, vectors)(x, *args), "vjp", identities=identities
    )


def _along(
    run: CheckRun, function: Callable[[], Function], product: Callable[..., Any], role: str, identities: Identities
) -> Report:
    """Check products of a derivative with random vectors, each scaled like x, as the columns of a Jacobian."""
    x, count = run.x, run.options.directions or VECTORS
    scales = natural_scales(run.flat).reshape(x.shape).astype(x.dtype)
    vectors = [scales * random_vector(x.shape, x.dtype, run.options.seed, k) for k in range(count)]
    origin = np.zeros(count, x.dtype)

    def restricted() -> Function:
        inner = function()
        return run.like(inner, AlongDirections(inner.call, x, vectors, run.bounds), origin)

    return check_matrix(run, restricted, columns_of(product, x, vectors), role, at=origin, identities=identities)
