"""An x that lives on a set: how it is laid out, in which form its derivative is claimed, and what is told of that.

A form that was not said is found: claims of k numbers are read as the derivative by the parameters that they agree with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.sets import Compared, explained
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Claim, TangentClaim
from gradcheck.evaluation.tangent_matrices import TangentMatrixClaim, curvature
from gradcheck.model import Diagnosis, DiagnosisKind, Finding, FindingKind, Kind, Verdict
from gradcheck.numerics.directions import direction
from gradcheck.variables.constrained import MANY, ConstrainedLayout, constrain
from gradcheck.variables.sets.matrices import Symmetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.check import CheckRun
    from gradcheck.evaluation.function import Function
    from gradcheck.evaluation.matrices import Matrix
    from gradcheck.methods.problem import Problem
    from gradcheck.options.keywords import Options
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]

APART = ("bounds", "elementwise", "reach", "suspects", "knob")
SEEN = 5e-3  # of a claim, a part orthogonal to the set that is worth a note
TANGENT = 1e-6  # … and of one that must be tangent, a part that is none of rounding
LOOKS = 3  # directions along which forms are told apart
AGREES = 1e-3  # of what f changes by along these, a gap that is agreement
FOUND_IN = (Kind.GRADIENT, Kind.JACOBIAN, Kind.HESSIAN)


def lay_out_on_sets(kind: Kind, options: Options, layout: Layout, flat: NDArray[Any]) -> ConstrainedLayout:
    """The layout of an x by coordinates of the tangent space of the set on which it lives.

    Raises:
        UsageError: x is off the set, or an option does not go with it.
    """
    if options.on is None:
        name = "riemannian" if options.riemannian else "claimed"
        raise UsageError(f"{name} is for an x on a set; say on which (on='sphere', --on sphere), or leave it out")
    for name in APART:
        if getattr(options, name) not in (None, False, {}):
            raise UsageError(f"on and {name} do not go together; leave one of them out")
    if layout.imaginary is not None:
        raise UsageError("x0 is complex, and on is for real variables; give real and imaginary parts")
    if options.riemannian and options.claimed is not None:
        raise UsageError("riemannian and claimed both say what is claimed; leave one of them out")
    claimed = "riemannian" if options.riemannian else options.claimed
    return constrain(layout, flat, options.on, claimed, found=kind in FOUND_IN)


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
    for told in _rows(claim, raw):
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
        run.draft.findings.append(
            Finding(
                kind=FindingKind.NOT_TANGENT,
                target=claim.role,
                verdict=Verdict.FAIL,
                message=f"{claim.role} is claimed to be Riemannian, and {off:.2g} of its norm is not tangent to the set",
                evidence={"share": off},
            )
        )


def _rows(claim: TangentClaim | TangentMatrixClaim, raw: Any) -> list[list[Array]]:
    """What was claimed, leaf by leaf, of each output."""
    if isinstance(claim, TangentClaim):
        return [claim.told]
    whole = claim.whole(raw)
    if claim.role == "hess":
        layout = claim.layout
        units = np.eye(layout.size)
        vectors = [
            [layout.told(piece, unit[piece.coordinates]).reshape(-1) for piece in layout.pieces] for unit in units
        ]
        return [claim.parts(whole.times(np.concatenate(vector))) for vector in vectors]
    return [claim.parts(row) for row in whole.block(np.arange(whole.columns, dtype=np.intp)).T]


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
    return any(
        piece.on is not None and not piece.on.flat and piece.coordinates.stop - piece.coordinates.start > MANY
        for piece in layout.pieces
    )


# ---- what is wrong


def explain_on_set(run: CheckRun, problem: Problem, claim: Claim) -> tuple[list[Diagnosis], frozenset[int]]:
    """The diagnoses of a claim with entries that FAIL, leaf by leaf, and which entries they explain; none if one is not told."""
    comparison = run.draft.comparison
    assert comparison is not None
    columns = comparison.columns
    wrong = columns.verdict == Verdict.FAIL
    compared = Compared(columns.entry, columns.numeric, columns.uncertainty, wrong)
    if run.draft.kind is Kind.HESSIAN:
        diagnosis = _without_curvature(run, columns.claimed, compared)
        return ([diagnosis] if diagnosis else []), frozenset(columns.entry[wrong].tolist() if diagnosis else ())
    if not isinstance(claim, (TangentClaim, TangentMatrixClaim)):
        return [], frozenset()
    layout, rows = claim.layout, _rows(claim, problem.preflight.raw)
    found: list[Diagnosis] = []
    for k, piece in enumerate(layout.pieces):
        column = columns.entry % layout.size
        ours = wrong & (column >= piece.coordinates.start) & (column < piece.coordinates.stop)
        if not ours.any():
            continue
        if piece.on is None:
            return [], frozenset()
        triangle = layout.triangle(rows[0]) if len(rows) == 1 else ""
        diagnosis = explained([row[k] for row in rows], piece, compared, layout.size, triangle, run.tolerance)
        if diagnosis is None:
            return [], frozenset()
        found.append(diagnosis)
    return found, frozenset(columns.entry[wrong].tolist())


def _without_curvature(run: CheckRun, claimed: Array, compared: Compared) -> Diagnosis | None:
    """Whether a Hessian lacks what the gradient gains where the set bends."""
    layout = run.layout
    if run.slopes is None or not isinstance(layout, ConstrainedLayout):
        return None
    more = np.zeros((layout.size, layout.size))
    for piece, g in zip(layout.pieces, run.slopes, strict=True):
        if piece.on is not None and piece.on.curved:
            more[piece.coordinates, piece.coordinates] = piece.on.curvature(piece.x, g)
    known = claimed + more.reshape(-1)[compared.entry]
    size = np.maximum(np.abs(known), np.abs(compared.numeric))
    allowed = compared.uncertainty + run.tolerance.atol + run.tolerance.rtol * size
    if not more.any() or (np.abs(known - compared.numeric) > allowed).any():
        return None
    return Diagnosis(
        kind=DiagnosisKind.MISSING_TERM,
        message="the claim lacks the curvature term, ⟨gradient, bend of the set⟩, which a Hessian on a set has wherever the "
        "gradient is not tangent to it: projecting the second derivative by entries is not enough",
        parameters={
            "entries": int(np.count_nonzero(compared.wrong)),
            "term": "curvature of the set",
            "coefficient": 1.0,
        },
    )


def tell_what_is_not_tangent(run: CheckRun) -> None:
    """Name what makes a claim that must be tangent to the set none, where its entries along the set are right."""
    draft, layout = run.draft, run.layout
    assert isinstance(layout, ConstrainedLayout)
    found = next((finding for finding in draft.findings if finding.kind is FindingKind.NOT_TANGENT), None)
    if found is None or draft.diagnoses or (draft.comparison is not None and draft.comparison.failed):
        return
    symmetric = all(piece.on is None or isinstance(piece.on, Symmetric) for piece in layout.pieces)
    share = found.evidence["share"]
    if symmetric:
        message = f"the claim is not symmetric: its symmetric part is right, and {share:.2g} of its norm is beside it; take (S + Sᵀ)/2"
        diagnosis = Diagnosis(kind=DiagnosisKind.NOT_SYMMETRIZED, message=message, parameters={"entries": 0})
        draft.diagnoses.append(diagnosis)
        return
    message = (
        f"the claim is not projected onto the tangent space: its tangent part is right, and {share:.2g} of its norm is normal to "
        "the set; project it, or claim the derivative by entries (leave riemannian out)"
    )
    draft.diagnoses.append(
        Diagnosis(kind=DiagnosisKind.NOT_PROJECTED, message=message, parameters={"entries": 0, "form": "ambient"})
    )
