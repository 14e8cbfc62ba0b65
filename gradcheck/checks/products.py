"""Claimed products with a derivative, H(x)v, J(x)v and J(x)ᵀu, restated as Jacobians with few columns or few rows.

The products with v_1 … v_K are the columns of the Jacobian of t ↦ F(x + Σ t_k v_k) at t = 0; the products of the transpose
with u_1 … u_K are the rows of that of x ↦ (⟨u_k, F(x)⟩)_k.  So products are checked by the code that checks matrices, and by
the identities that hold for any derivative: linearity, ⟨u, Hv⟩ = ⟨Hu, v⟩, and ⟨u, Jv⟩ = ⟨Jᵀu, v⟩.
It is long because the three checks stand beside the identities that they share.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from gradcheck.checks.check import CheckRun, require_callables
from gradcheck.checks.hessian import gradient_of
from gradcheck.checks.matrix import Identities, check_matrix
from gradcheck.checks.reaching import reachable
from gradcheck.checks.restriction import AlongDirections, Contracted
from gradcheck.checks.stated import Stated
from gradcheck.errors import UsageError, is_interrupt
from gradcheck.evaluation.answers import raised
from gradcheck.evaluation.claims import is_autograd
from gradcheck.evaluation.engines import Arguments, with_arguments
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.preflight import odd_shape
from gradcheck.model import Finding, FindingKind, Kind, Report, Target, Tolerance, Verdict
from gradcheck.numerics.directions import Stream, direction
from gradcheck.numerics.stencils import natural_scales
from gradcheck.options.keywords import Keywords, Options
from gradcheck.records import record
from gradcheck.variables.layout import ArrayLayout, Layout, VectorLayout

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.checks.complex.products import InConvention

    Array = NDArray[np.float64]
    Turned = Callable[[Any], Any]


VECTORS = 3  # how many random vectors a claimed product is checked with, unless `directions` says

IDENTITY = (Stream.IDENTITY, Stream.IDENTITY + 1)
EXACT = 1e3  # identities between computed products hold to this many units in the last place


@record
class ProductClaim:
    """A claimed product (x, v, *args) ↦ array, asked for one vector after another.

    layout: of x, which is `at` unless something else is said.
    inner: how v is laid out.
    outer: how the product must be.
    misfits: what was wrong with the shapes of answers so far.
    """

    call: Callable[..., Any]
    layout: Layout
    at: NDArray[Any]
    inner: Layout
    outer: Layout
    role: str
    args: Arguments = ()
    misfits: list[str] = field(default_factory=list)

    def __call__(self, v: NDArray[Any], x: NDArray[Any] | None = None) -> Array:
        """The product with a vector, flat: a flat float64 array.

        Raises `UserCodeError` if user code raised, or returned no product.
        """
        point = self.at if x is None else x
        try:
            value = with_arguments(self.call, self.args)(
                self.layout.argument(point.copy()), self.inner.argument(v.copy())
            )
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise raised(self.role, self.call, error) from error
        if misfit := self.outer.misfit(value):
            self.misfits.append(misfit)
        return self.outer.numbers(value, self.role)


class OfOperator:
    """An operator with ``@``, `matvec` or `rmatvec`, as a claimed product (x, v) ↦ Av, or Aᵀv, of flat vectors.

    transposed: the product is with the transpose.
    """

    __signature__ = inspect.signature(lambda x, v: None)  # it hears of no knob

    def __init__(self, operator: Any, *, transposed: bool = False) -> None:
        self.operator, self.transposed = operator, transposed

    def __call__(self, x: Any, v: NDArray[Any], *args: Any, **named: Any) -> Any:
        operator = self.operator
        if not self.transposed:
            return operator @ v if hasattr(operator, "__matmul__") else operator.matvec(v)
        return operator.rmatvec(v) if hasattr(operator, "rmatvec") else operator.T @ v


def as_product(claim: Any, *, transposed: bool = False) -> Any:
    """A claimed product as a callable of x and a vector, an operator among them."""
    if callable(claim) or not is_operator(claim, transposed=transposed):
        return claim
    return OfOperator(claim, transposed=transposed)


def is_operator(value: Any, *, transposed: bool = False) -> bool:
    """Whether a value multiplies vectors, or its transpose does."""
    if isinstance(value, (str, int, float, list, tuple, dict)) or value is None or getattr(value, "ndim", 2) != 2:
        return False  # a vector is what a product returns
    if not transposed:
        return hasattr(value, "matvec") or hasattr(value, "__matmul__")
    return hasattr(value, "rmatvec") or hasattr(getattr(value, "T", None), "__matmul__")


def random_vector(layout: Layout, seed: int, number: int) -> NDArray[Any]:
    """Entries sign · U(0.5, 1.5), flat, in the dtype of a layout."""
    return direction(layout.size, seed, number).astype(layout.dtype)


def linearity(product: ProductClaim, seed: int, tolerance: Tolerance) -> list[Finding]:
    """Whether product(2u − 3v) = 2 product(u) − 3 product(v), as for every derivative; and whether it has the right shape."""
    inner, role = product.inner, product.role
    u, v = (random_vector(inner, seed, number) for number in IDENTITY)
    apart = 2 * product(u) - 3 * product(v)
    together = product(2 * u - 3 * v)
    gap = float(np.max(np.abs(apart - together), initial=0.0))
    size = float(np.max(np.abs(apart), initial=0.0))
    findings = [odd_shape(role, misfit) for misfit in product.misfits[:1]]
    if not gap > _allowed(size, inner.dtype, tolerance):
        return findings
    message = f"{role} is not linear in its vector: the product of a sum differs from the sum of products by {gap:.3g}"
    return [*findings, _wrong(FindingKind.NOT_LINEAR, role, message, gap)]


def symmetry(
    product: ProductClaim, seed: int, tolerance: Tolerance, read: Callable[..., Array] | None = None
) -> list[Finding]:
    """Whether ⟨u, Hv⟩ = ⟨Hu, v⟩, as for every Hessian.

    read: the product as one in R²ⁿ, if variables are complex.
    """
    inner, role, times = product.inner, product.role, read or product
    u, v = (random_vector(inner, seed, number) for number in IDENTITY)
    gap, size = _inner_gap(u, times(v), times(u), v)
    if not gap > _allowed(size, inner.dtype, tolerance):
        return []
    return [
        _wrong(
            FindingKind.NOT_SYMMETRIC, role, f"{role} is not symmetric: ⟨u, Hv⟩ and ⟨Hu, v⟩ differ by {gap:.3g}", gap
        )
    ]


def adjointness(
    jvp: ProductClaim, vjp: ProductClaim, seed: int, tolerance: Tolerance, readings: Sequence[Callable[..., Array]] = ()
) -> list[Finding]:
    """The dot-product test ⟨u, Jv⟩ = ⟨Jᵀu, v⟩ between a claimed jvp and a claimed vjp.

    readings: the latter as products in R²ⁿ, if there are complex numbers: one of them must pass.
    """
    v, u = random_vector(jvp.inner, seed, IDENTITY[0]), random_vector(vjp.inner, seed, IDENTITY[1])
    ahead = jvp(v)
    gap, size = min(_inner_gap(u, ahead, back(u), v) for back in readings or (vjp,))
    if not gap > _allowed(size, jvp.inner.dtype, tolerance):
        return []
    message = f"jvp and vjp do not belong together: ⟨u, Jv⟩ and ⟨Jᵀu, v⟩ differ by {gap:.3g}"
    return [_wrong(FindingKind.NOT_ADJOINT, "vjp", message, gap)]


def _inner_gap(u: NDArray[Any], jv: Array, ju: Array, v: NDArray[Any]) -> tuple[float, float]:
    left, right = u.astype(np.float64) * jv, ju * v.astype(np.float64)
    return abs(float(left.sum() - right.sum())), float(max(np.abs(left).sum(), np.abs(right).sum()))


def _allowed(size: float, dtype: Any, tolerance: Tolerance) -> float:
    return tolerance.atol + max(tolerance.rtol, EXACT * float(np.finfo(dtype).eps)) * size


def _wrong(kind: FindingKind, role: str, message: str, gap: float) -> Finding:
    return Finding(kind=kind, target=role, verdict=Verdict.FAIL, message=message, evidence={"difference": gap})


@reachable(Kind.HVP)
def check_hvp(
    f: Callable[..., Any],
    hvp: Any,
    x0: ArrayLike,
    *,
    grad: Callable[..., Any] | str | None = None,
    **options: Unpack[Keywords],
) -> Report:
    """Compare claimed Hessian–vector products with differences along random vectors; entries are [component, vector].

    Args:
        f: x ↦ number.
        hvp: (x, v) ↦ H(x)v, array like x, or an operator with ``@`` or `matvec`, which is H(x0) and takes flat vectors;
            that it is linear in v and symmetric is checked, too.
        x0: the point, any shape, float64 or float32, or a tree; v is one like it.
        grad, **options: as for `check_hessian`; ``directions`` is the number of vectors (default 3).

    Returns, raises: as `check_gradient`.
    """
    hvp = as_product(hvp)
    require_callables(f=f, hvp=hvp, **({} if grad is None or is_autograd(grad) else {"grad": grad}))
    run = CheckRun(Kind.HVP, f, hvp, x0, Options.of(options))
    product: list[ProductClaim] = []
    read: list[InConvention] = []

    def gradient(turned: Turned) -> Function:
        product[:] = [_product(run, run.counted(turned(hvp), "hvp", product=True), "hvp", run.vectors, run.vectors)]
        if run.layout.imaginary is None:
            return gradient_of(run, turned(f), turned(grad))
        from gradcheck.checks.complex.convention import as_real
        from gradcheck.checks.complex.products import read_hvp

        real = as_real(run.function(f, scalar=False), f, run.flat, run.options.seed)
        inner = gradient_of(run, f if real is None else real, grad)  # a complex f is refused there
        read.append(read_hvp(run.draft, inner, run.flat, product[0], run.layout, run.options))
        return inner

    def identities(function: Function) -> list[Finding]:
        seed, tolerance = run.options.seed, run.tolerance
        true = read[0].true if read else product[0]
        return [*linearity(product[0], seed, tolerance), *symmetry(product[0], seed, tolerance, true)]

    def claimed(_: Layout) -> Callable[[NDArray[Any]], Array]:
        if not run.on_set:
            return (read or product)[0]
        from gradcheck.checks.forms import Bent  # of use to few

        return Bent(product[0], run.layout, run)  # type: ignore[arg-type]

    return _along(run, gradient, claimed, "hvp", identities)


@reachable(Kind.JVP)
def check_jvp(
    func: Callable[..., Any],
    jvp: Any,
    x0: ArrayLike,
    *,
    vjp: Any = None,
    **options: Unpack[Keywords],
) -> Report:
    """Compare claimed products J(x)v of func: R^n → R^m with differences along random vectors; entries are [component, vector].

    Args:
        func: x ↦ array of any shape.
        jvp: (x, v) ↦ J(x)v, array like func(x), or an operator with ``@`` or `matvec`, which is J(x0) and takes flat vectors;
            that it is linear in v is checked, too.
        x0: the point, any shape, float64 or float32, or a tree; v is one like it.
        vjp: (x, u) ↦ J(x)ᵀu, or an operator with `rmatvec` or ``.T``; with it the dot-product test ⟨u, Jv⟩ = ⟨Jᵀu, v⟩ is made.
        **options: as for `check_jacobian`; ``directions`` is the number of vectors (default 3).

    Returns, raises: as `check_gradient`.
    """
    jvp, vjp = as_product(jvp), as_product(vjp, transposed=True)
    require_callables(func=func, jvp=jvp, **({} if vjp is None else {"vjp": vjp}))
    run = CheckRun(Kind.JVP, func, jvp, x0, Options.of(options))
    if run.options.convention is not None:
        raise UsageError("a jvp is the same in every convention; leave convention out")
    claimed: list[Callable[..., Any]] = []

    def function(turned: Turned) -> Function:
        claimed[:] = [run.counted(turned(jvp), "jvp", product=True)]
        if vjp is not None:
            claimed.append(run.counted(turned(vjp), "vjp", product=True))
        return run.function(turned(func), role="func", scalar=False)

    def ahead(outputs: Layout) -> ProductClaim:
        return _product(run, claimed[0], "jvp", run.vectors, outputs)

    def identities(function: Function) -> list[Finding]:
        seed, tolerance = run.options.seed, run.tolerance
        findings = linearity(ahead(function.outputs), seed, tolerance)
        for transposed in claimed[1:]:
            back = _product(run, transposed, "vjp", function.outputs, run.vectors)
            readings: Sequence[Callable[..., Array]] = ()
            if run.is_complex(function):
                from gradcheck.checks.complex.products import readings_of

                readings = readings_of(back, function.outputs, run.layout)
            findings += adjointness(ahead(function.outputs), back, seed, tolerance, readings)
        return findings

    return _along(run, function, ahead, "jvp", identities)


@reachable(Kind.VJP)
def check_vjp(func: Callable[..., Any], vjp: Any, x0: ArrayLike, **options: Unpack[Keywords]) -> Report:
    """Compare claimed products J(x)ᵀu of func: R^n → R^m with gradients of x ↦ ⟨u, func(x)⟩; entries are [vector, component].

    Args:
        func: x ↦ array of any shape.
        vjp: (x, u) ↦ J(x)ᵀu, array like x, or an operator with `rmatvec` or ``.T``, which is J(x0) and takes flat vectors;
            that it is linear in u is checked, too.
        x0: the point, any shape, float64 or float32, or a tree; u is one like func(x).
        **options: as for `check_jacobian`; ``directions`` is the number of vectors u (default 3).

    Returns, raises: as `check_gradient`.
    """
    vjp = as_product(vjp, transposed=True)
    require_callables(func=func, vjp=vjp)
    run = CheckRun(Kind.VJP, func, vjp, x0, Options.of(options))
    count = run.options.directions or VECTORS
    product: list[ProductClaim] = []
    read: list[InConvention] = []
    vectors: list[NDArray[Any]] = []

    def contracted(turned: Turned) -> Function:
        whole = run.function(turned(func), role="func", scalar=False)
        whole.at(run.flat)
        counted = run.counted(turned(vjp), "vjp", product=True)
        product[:] = [_product(run, counted, "vjp", whole.outputs, run.vectors)]
        vectors[:] = [random_vector(whole.outputs, run.options.seed, k) for k in range(count)]
        if run.is_complex(whole):
            from gradcheck.checks.complex.products import read_vjp

            read.append(read_vjp(run.draft, whole, run.flat, product[0], run.layout, vectors, run.options))
        inner = Contracted(run.whole(turned(func), "func"), whole.outputs, vectors)
        return run.function(inner, role="func", scalar=False)

    def rows(_: Turned) -> Callable[..., Any]:
        claimed = (read or product)[0]
        return lambda x, *_, **__: np.stack([claimed(u, x) for u in vectors])

    return check_matrix(
        run,
        Stated(contracted, rows, "vjp", lent=VectorLayout(run.layout)),
        identities=lambda function: linearity(product[0], run.options.seed, run.tolerance),
    )


def _product(run: CheckRun, call: Any, role: str, inner: Layout, outer: Layout) -> ProductClaim:
    """A claimed product at the point of a check, with its arguments."""
    if run.options.elementwise:
        raise UsageError("elementwise is for gradients, Jacobians and Hessians that are a diagonal, not for products")
    if isinstance(getattr(call, "call", None), OfOperator):  # which knows nothing of trees
        inner, outer = VectorLayout(inner), VectorLayout(outer)
        run.draft.claim = Target(name=type(call.call.operator).__name__)
    return ProductClaim(
        call=call, layout=run.layout, at=run.flat, inner=inner, outer=outer, role=role, args=run.options.args
    )


def _along(
    run: CheckRun,
    function: Callable[[Turned], Function],
    product: Callable[[Layout], Callable[[NDArray[Any]], Array]],
    role: str,
    identities: Identities,
) -> Report:
    """Check products of a derivative with random vectors, each scaled like x, as the columns of a Jacobian.

    product: the claim, for the layout of the values of the function.
    """
    count = run.options.directions or VECTORS
    scales = natural_scales(run.flat).astype(run.layout.dtype)
    vectors = [scales * random_vector(run.layout, run.options.seed, k) for k in range(count)]
    origin = ArrayLayout((count,), run.layout.dtype)
    made: list[Function] = []

    def restricted(turned: Turned) -> Function:
        inner = function(turned)
        along = AlongDirections(inner.call, inner.layout, run.flat, vectors, run.bounds)
        made[:] = [run.like(inner, along, origin, inner.values)]
        return made[0]

    def columns(_: Turned) -> Callable[..., Any]:
        claimed = product(made[0].outputs)
        return lambda t, *_, **__: np.stack([claimed(v) for v in vectors], axis=1)

    return check_matrix(run, Stated(restricted, columns, role, at=origin), identities=identities)
