"""Products by complex variables: which inner product a claimed H(x)v or Jᵀ(x)u satisfies.

J is linear over the real numbers, so that J(x)v is the same in every convention.  The transpose is not: in R²ⁿ it is told by
Re⟨u, Jv⟩ = Re⟨w, v⟩ with the conjugate of the first vector, as in PyTorch, or by Re(uᵀJv) = Re(wᵀv) without, as in JAX; and
H(x)v is the derivative of a gradient, whatever that is taken to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.model import Convention
from gradcheck.numerics.directions import Stream, direction
from gradcheck.numerics.stencils import natural_scales
from gradcheck.variables.complex import weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.draft import Draft
    from gradcheck.evaluation.function import Function
    from gradcheck.options.keywords import Options
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]
    Product = Callable[..., Array]

READINGS = (
    Convention.STEEPEST,
    Convention.CONJUGATE,
    Convention.WIRTINGER,
    Convention.WIRTINGER_CONJUGATE,
)
TOLD = {
    Convention.STEEPEST: "Re⟨u, Jv⟩ = Re⟨vjp(u), v⟩ with ⟨a, b⟩ = āᵀb, as in PyTorch: Jᴴu where func is holomorphic",
    Convention.CONJUGATE: "Re(uᵀJv) = Re(vjp(u)ᵀv), as in JAX: Jᵀu where func is holomorphic",
    Convention.WIRTINGER: "½ Re(uᵀJv) = Re(vjp(u)ᵀv): half of what JAX returns",
    Convention.WIRTINGER_CONJUGATE: "½ Re⟨u, Jv⟩ = Re⟨vjp(u), v⟩ with ⟨a, b⟩ = āᵀb: half of what PyTorch returns",
}
"""The inner product that a vjp satisfies in each convention."""

AGREES = 0.1  # as large a share of a product as is no difference between conventions
TRIED = 2  # directions


class InConvention:
    """A claimed product w with the transposed Jacobian, or with the Hessian, read in a convention.

    product: (vector, x) ↦ w, flat, as it was returned.
    turn: what the entries of the vector are multiplied by, (k,), where the inner product has no conjugate; else None.
    true: what those of w are multiplied by to be the product in R²ⁿ, (n,).
    written: what these are in the convention of the gradient that is differenced, (n,); 1 if that is the one in R²ⁿ.
    """

    def __init__(self, product: Product, turn: Array | None, true: Array, written: Array | float = 1.0) -> None:
        self.product, self.turn, self.weights, self.written = product, turn, true, written

    def true(self, vector: NDArray[Any], x: NDArray[Any] | None = None) -> Array:
        """The product in R²ⁿ."""
        given = vector if self.turn is None else (vector * self.turn).astype(vector.dtype)
        return self.product(given, x) * self.weights

    def __call__(self, vector: NDArray[Any], x: NDArray[Any] | None = None) -> Array:
        """What must be equal to the derivative of what is differenced."""
        return self.true(vector, x) / self.written


def _demanded(options: Options, kind: str) -> Convention | None:
    """The convention asked for, if that can be one of products.  Raises `UsageError` for others."""
    asked = options.convention
    if asked is not None and asked not in READINGS:
        raise UsageError(f"convention is {asked}, and of a {kind} it can be {', '.join(READINGS)}")
    return None if asked is None else Convention(asked)


def _weights(convention: Convention, layout: Layout) -> Array:
    return np.ones(layout.size) if layout.imaginary is None else weights(convention, layout.imaginary)


def _transposed(product: Product, convention: Convention, inner: Layout, outer: Layout) -> InConvention:
    """A claimed vjp read in a convention.

    inner, outer: how its vector and its answer are laid out.
    """
    turned = convention in (Convention.CONJUGATE, Convention.WIRTINGER) and inner.imaginary is not None
    turn = np.where(inner.imaginary, -1.0, 1.0) if turned and inner.imaginary is not None else None
    return InConvention(product, turn, _weights(convention, outer))


def readings_of(product: Product, inner: Layout, outer: Layout) -> list[Product]:
    """A claimed vjp read in each convention, as products in R²ⁿ."""
    return [_transposed(product, one, inner, outer).true for one in READINGS]


def _differenced(function: Function, x: NDArray[Any], seed: int, number: int) -> tuple[Array, Array]:
    """A random direction v, (n,), scaled like x, and the derivative of a function along it by one central difference, (m,)."""
    v = (natural_scales(x) * direction(x.size, seed, Stream.STEP + number)).astype(x.dtype).astype(np.float64)
    step = float(np.finfo(x.dtype).eps) ** (1 / 3)
    plus, minus, realised = function.line(x, v, np.array([step]))
    return v, (plus[0] - minus[0]) / (2 * realised[0])


def read_vjp(
    draft: Draft,
    function: Function,
    x: NDArray[Any],
    product: Product,
    outer: Layout,
    vectors: Sequence[NDArray[Any]],
    options: Options,
) -> InConvention:
    """A claimed vjp in the convention whose inner product it satisfies, by random vectors, or that was demanded."""
    chosen = _demanded(options, "vjp")
    readings = {one: _transposed(product, one, function.outputs, outer) for one in READINGS}
    if chosen is None:
        votes = dict.fromkeys(READINGS, 0)
        for number in range(TRIED):
            v, along = _differenced(function, x, options.seed, number)
            for one, read in readings.items():
                for u in vectors:
                    left, right = float(u.astype(np.float64) @ along), float(read.true(u, x) @ v)
                    votes[one] += abs(left - right) <= AGREES * max(abs(left), abs(right))
        chosen = max(votes, key=lambda one: votes[one])
    draft.conventions = (chosen,)
    draft.notes.append(f"the inner product of vjp is {TOLD[chosen]}")
    return readings[chosen]


def read_hvp(
    draft: Draft, gradient: Function, x: NDArray[Any], product: Product, layout: Layout, options: Options
) -> InConvention:
    """Claimed Hessian–vector products in the convention in which they are derivatives of the gradient, or that was demanded.

    gradient: the user's, as it was returned, where the draft has the convention of that; else one of differences in R²ⁿ.
    """
    gradient.at(x)  # which shows how it is laid out
    written = _weights(draft.convention or Convention.STEEPEST, layout)
    chosen = _demanded(options, "hvp")
    if chosen is None:
        v, along = _differenced(gradient, x, options.seed, 0)
        claimed = product(v.astype(x.dtype), x)

        def misfit(one: Convention) -> float:
            gap = float(np.linalg.norm(claimed * _weights(one, layout) - along * written))
            return gap if np.isfinite(gap) else np.inf

        chosen = min(READINGS, key=misfit)
    draft.conventions = (chosen,)
    return InConvention(product, None, _weights(chosen, layout), written)
