"""Mistakes with a matrix and its transpose: Hessians that are not symmetric, or filled in part; gradients of quadratic forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.diagnosis.evidence import Facts, Law, claimed_at
from gradcheck.model import DiagnosisKind, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

LARGEST_JACOBIAN = 256  # calls of the claim that a missing transpose may cost


def off_diagonal(facts: Facts) -> Mask:
    """The known entries beside the diagonal of a square matrix, (N,)."""
    return facts.entry // facts.shape[-1] != facts.entry % facts.shape[-1]


def _is_square(facts: Facts) -> bool:
    """Whether the derivative is a square matrix of more than one entry."""
    return len(facts.shape) == 2 and facts.shape[0] == facts.shape[1] and facts.size >= 4


def symmetric(facts: Facts) -> Iterator[Law]:
    """Laws of a square, symmetric derivative."""
    if facts.mismatch.kind is not Kind.HESSIAN or not _is_square(facts):
        return
    matrix = facts.full.reshape(facts.shape)
    if np.isnan(matrix).any():
        return
    lower, upper = np.tril(matrix, -1), np.triu(matrix, 1)
    if not lower.any() and not upper.any():
        yield Law(
            kind=DiagnosisKind.DIAGONAL_ONLY,
            predict=_nothing_beside_the_diagonal,
            sentence="the claim is 0 off the diagonal, and the second derivatives {where} are not",
            parameters={"part": "off-diagonal"},
            advice="np.diag(h) holds ∂²f/∂x_i² alone; the mixed derivatives ∂²f/∂x_i∂x_j belong beside it.",
        )
    elif not lower.any() or not upper.any():
        side = "upper" if upper.any() else "lower"
        yield Law(
            kind=DiagnosisKind.TRIANGLE_ONLY,
            predict=_from_matrix(lambda h: h + h.T - np.diag(np.diagonal(h))),
            sentence=f"only the {side} triangle is filled; its mirror image is right {{where}}",
            parameters={"triangle": side},
            advice="H + np.triu(H, 1).T fills the other half."
            if side == "upper"
            else "H + np.tril(H, -1).T fills the other half.",
        )
    if np.max(np.abs(matrix - matrix.T)) <= 64 * facts.mismatch.epsilon * np.max(np.abs(matrix)):
        return
    yield Law(
        kind=DiagnosisKind.NOT_SYMMETRIZED,
        predict=_from_matrix(lambda h: (h + h.T) / 2),
        sentence="numeric = (H + Hᵀ)/2 {where}, with H the claim: it is not symmetrised",
        advice="For f = ⟨x, Ax⟩ with A not symmetric the Hessian is A + Aᵀ, not 2A.",
    )
    yield Law(
        kind=DiagnosisKind.MISSING_TRANSPOSE,
        predict=_from_matrix(lambda h: h + h.T),
        sentence="numeric = H + Hᵀ {where}, with H the claim: the transposed part is missing",
        advice="For f = ⟨x, Ax⟩ with A not symmetric the Hessian is A + Aᵀ, not A.",
    )


def reads_triangle(facts: Facts) -> Iterator[Law]:
    """f of a symmetric matrix reads one triangle of it, as Cholesky factorisations do, and the claim is symmetric."""
    if facts.mismatch.kind is not Kind.GRADIENT or not _is_square(facts):
        return
    matrix = facts.full.reshape(facts.shape)
    if not np.abs(matrix - matrix.T).max() <= 64 * facts.mismatch.epsilon * np.abs(matrix).max():  # NaN: not known
        return
    for side, part, argument in ("lower", np.tril, "tril"), ("upper", np.triu, "triu"):
        right = part(matrix + matrix.T) - np.diag(np.diagonal(matrix))
        yield Law(
            kind=DiagnosisKind.READS_TRIANGLE,
            predict=fixed(right.reshape(-1)),
            sentence=f"the claim is symmetric, and f reads the {side} triangle of x alone: numeric = claimed + claimedᵀ "
            "there and 0 in the other {where}",
            parameters={"triangle": side},
            advice=f"Along symmetric changes of x the two agree. Claim np.{argument}(G + G.T) - np.diag(np.diag(G)), or check "
            "f of the symmetric part, f((x + x.T) / 2).",
            tries=2.0,
        )


def _from_matrix(new: Callable[[Array], Array]) -> Callable[[Facts], Array]:
    """The prediction that the derivative is a function of the claimed matrix."""
    return lambda f: new(f.full.reshape(f.shape)).reshape(-1)[f.entry]


def _nothing_beside_the_diagonal(f: Facts) -> Array:
    """The claim on the diagonal; beside it any value but 0 bears the diagnosis out."""
    return np.where(off_diagonal(f), np.where(np.abs(f.numeric) > f.loose, f.numeric, np.nan), f.claimed)


def fixed(right: Array) -> Callable[[Facts], Array]:
    """The prediction of a complete derivative, (size,)."""
    return lambda f: right[f.entry]


def transposed_factor(facts: Facts) -> Iterator[Law]:
    """A claim Jx + b that should be (J + Jᵀ)x/2 + b, or (J + Jᵀ)x + b: the Jacobian of a gradient is symmetric."""
    x, d = facts.x, facts.size
    if facts.mismatch.kind is not Kind.GRADIENT or d != x.size or not 2 <= d <= LARGEST_JACOBIAN or len(facts) < d:
        return
    order = np.argsort(facts.entry)
    claimed, numeric, window = facts.claimed[order], facts.numeric[order], facts.loose[order]
    origin, twice = claimed_at(facts.mismatch, np.zeros(d)), claimed_at(facts.mismatch, 2 * x)
    if origin is None or twice is None:
        return
    linear = claimed - origin
    rounding = 64 * facts.mismatch.epsilon * float(np.max(np.abs(claimed)) + np.max(np.abs(origin)))
    if not linear.any() or np.max(np.abs(twice - claimed - linear)) > rounding:
        return
    # ⟨x, Jᵀx⟩ = ⟨x, Jx⟩ tells before anything is spent whether it can be.
    along, room = float(x @ (numeric - claimed)), float(np.abs(x) @ (window + rounding))
    wanted = [
        (half, excess) for half, excess in ((True, 0.0), (False, float(x @ linear))) if abs(along - excess) <= room
    ]
    if not wanted:
        return
    size = float(np.max(np.abs(x))) or 1.0
    columns = [claimed_at(facts.mismatch, size * row) for row in np.eye(d)]
    if any(column is None for column in columns):
        return
    jacobian = np.stack([(column - origin) / size for column in columns if column is not None], axis=1)
    if (
        np.max(np.abs(jacobian @ x - linear)) > d * rounding
        or np.max(np.abs(jacobian - jacobian.T)) <= d * rounding / size
    ):
        return
    for half, _ in wanted:
        right = origin + (0.5 * (linear + jacobian.T @ x) if half else linear + jacobian.T @ x)
        yield Law(
            kind=DiagnosisKind.NOT_SYMMETRIZED if half else DiagnosisKind.MISSING_TRANSPOSE,
            predict=fixed(right),
            sentence="the claim is linear in x with a matrix M that is not symmetric, and numeric = "
            + ("(M + Mᵀ)x/2 {where}" if half else "(M + Mᵀ)x {where}")
            + (" up to the constant part" if origin.any() else ""),
            advice=f"For f = ⟨x, Ax⟩ with A not symmetric the gradient is (A + Aᵀ)x, not {'2Ax' if half else 'Ax'}.",
            tries=2.0,
        )
