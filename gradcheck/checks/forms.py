"""The form in which a derivative by an x on a set is claimed: found where it was not said, told, and kept for second derivatives.

Claims of k numbers are read as the derivative by the parameters that they agree with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.claims import TangentClaim
from gradcheck.evaluation.tangent_matrices import TangentMatrixClaim, curvature
from gradcheck.model import Finding, FindingKind, Verdict
from gradcheck.numerics.directions import direction
from gradcheck.variables.constrained import ConstrainedLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.check import CheckRun
    from gradcheck.evaluation.function import Function
    from gradcheck.evaluation.matrices import Matrix

    Array = NDArray[np.float64]

SEEN = 5e-3  # of a claim, a part orthogonal to the set that is worth a note
TANGENT = 1e-6  # … and of one that must be tangent, a part that is none of rounding
LOOKS = 3  # directions along which forms are told apart
AGREES = 1e-3  # of what f changes by along these, a gap that is agreement


# ---- the form


def settle(run: CheckRun, claim: TangentClaim | TangentMatrixClaim, function: Function, raw: Any) -> None:
    """Find the form of a claim where several would do: the one that agrees with differences of f; and say in which it is read.

    raw: what the claim answered at the point.
    """
    layout = claim.layout
    whole = claim.whole(raw) if isinstance(claim, TangentMatrixClaim) else None
    told = [] if whole is not None else layout.read(raw, claim.role)
    for k, piece in enumerate(layout.pieces):
        if piece.on is None:
            continue
        forms, name = piece.forms, f"{piece.owner}: " if piece.owner else ""
        if len(forms) == 1:
            if piece.form.name != "ambient":
                _note(run, f"{name}{piece.form.text}")
            continue
        function.at(layout.origin)
        looks = [_look(function, layout, piece.coordinates, run.options.seed + n) for n in range(LOOKS)]
        gaps = []
        for form in forms:
            layout.settle(k, (form,))
            along = _along(claim, whole, told)
            gap = sum(float(np.abs(along(v) - seen).max()) for v, seen in looks)
            gaps.append(gap / (sum(float(np.abs(seen).max()) for _, seen in looks) or 1.0))
        best = int(np.argmin(gaps))
        layout.settle(k, (forms[best],))
        named = forms[best].name
        if gaps[best] <= AGREES:
            _note(run, f"{name}{forms[best].text} (found; claimed='{named}', --claimed {named}, demands it)")
        else:
            known = ", ".join(form.name for form in forms)
            _note(
                run, f"{name}it agrees with no form of a claim ({known}), and was read as {named}: {forms[best].text}"
            )
    if isinstance(claim, TangentClaim):
        claim.told = told


def _along(
    claim: TangentClaim | TangentMatrixClaim, whole: Matrix | None, told: Sequence[Array]
) -> Callable[[Array], Array]:
    """The product of a claim, read in the forms that are settled now, with a vector of coordinates."""
    if isinstance(claim, TangentMatrixClaim):
        assert whole is not None
        matrix = claim.by_coordinates(whole)
        return lambda v: np.asarray(matrix @ v, np.float64)
    gradient = claim.layout.pulled(claim.layout.origin, told)
    assert gradient is not None
    return lambda v: np.array([gradient @ v])


def _look(function: Function, layout: ConstrainedLayout, where: slice, seed: int) -> tuple[Array, Array]:
    """A vector of coordinates of one leaf, and the derivative of f along it, by differences of order 4."""
    v = np.zeros(layout.size)
    piece = next(piece for piece in layout.pieces if piece.coordinates == where)
    assert piece.on is not None
    v[where] = piece.on.reach(piece.x) * direction(where.stop - where.start, seed, 0)
    step = float(np.finfo(layout.dtype).eps) ** 0.2
    plus, minus, steps = function.line(layout.origin, v, np.array([step, 2 * step]))
    near, far = ((plus[i] - minus[i]) / (2 * steps[i]) for i in (0, 1))
    return v, (4 * near - far) / 3


def _note(run: CheckRun, text: str) -> None:
    note = f"claimed: {text}"
    if note not in run.draft.notes:
        run.draft.notes.append(note)


# ---- the normal part


def tell_normal_part(run: CheckRun, claim: TangentClaim | TangentMatrixClaim, raw: Any) -> None:
    """Say what a claim has that is orthogonal to the set: it is free by entries of x, and wrong of a tangent."""
    layout, size, free, off = claim.layout, 0.0, 0.0, 0.0
    for told in claim.rows_of(raw):
        length = float(sum(np.vdot(d, d) for d in told))
        size += length
        free += layout.normal_share(told) ** 2 * length
        off += layout.off(told) ** 2 * length
    if not size > 0:
        return
    free, off = (float(np.sqrt(part / size)) for part in (free, off))
    what = {"grad": "gradient", "jac": "Jacobian", "hess": "Hessian"}.get(claim.role, claim.role)
    if free > SEEN:
        run.draft.notes.append(
            f"{free:.0%} of the norm of the claimed {what} is orthogonal to the set: that part is free, and was not checked"
        )
    if off > max(TANGENT, 100 * float(np.finfo(layout.dtype).eps)):
        said = f"{claim.role} is claimed to be Riemannian, and {off:.2g} of its norm is not tangent to the set"
        kind, evidence = FindingKind.NOT_TANGENT, {"share": off}
        found = Finding(kind=kind, target=claim.role, verdict=Verdict.FAIL, message=said, evidence=evidence)
        run.draft.findings.append(found)


# ---- second derivatives


class Slopes:
    """c ↦ a claimed gradient by the coordinates, at the point that they stand for."""

    def __init__(self, claim: TangentClaim) -> None:
        self.claim = claim

    def __call__(self, flat: NDArray[Any]) -> Array:
        return self.claim.at(flat)


class Bent:
    """A claimed product with a Hessian, as that along the curves of the set, of vectors of coordinates.

    more: what these have more than the curves of the form, (k, k), once it is asked for.
    """

    def __init__(self, product: Callable[..., Array], layout: ConstrainedLayout, run: CheckRun) -> None:
        self.product, self.layout, self.run = product, layout, run
        self._more: Array | None = None

    def __call__(self, v: NDArray[Any]) -> Array:
        if self._more is None:
            self._more = curvature(self.layout, self.run.slopes)
        found: Array = self.product(v) + self._more @ v.astype(np.float64)
        return found


def claimed_slopes(run: CheckRun, f: Callable[..., Any], grad: Callable[..., Any]) -> TangentClaim:
    """A claimed gradient that a Hessian is differenced from: in the form that it is found in, and kept for its curvature term."""
    claim = run.vector_claim(grad)
    assert isinstance(claim, TangentClaim)
    settle(run, claim, run.function(f), claim.answer_at(run.flat))
    run.slopes = claim.layout.slopes(claim.told)
    return claim


def too_many(run: CheckRun) -> bool:
    """Whether a leaf has so many coordinates that a gradient by these is known at the point itself alone."""
    layout: Any = run.layout
    return any(piece.too_many for piece in layout.pieces)
