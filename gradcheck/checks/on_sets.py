"""An x that lives on a set: how it is laid out, and what is said of its point and of a wrong claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.sets import Compared, explained
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Claim, TangentClaim
from gradcheck.evaluation.tangent_matrices import TangentMatrixClaim
from gradcheck.model import Diagnosis, DiagnosisKind, FindingKind, Kind, Verdict
from gradcheck.variables.constrained import ConstrainedLayout, Piece
from gradcheck.variables.constraints import constrain
from gradcheck.variables.sets.matrices import Symmetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.draft import Draft
    from gradcheck.options.keywords import Options
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]

APART = ("bounds", "elementwise", "reach", "suspects", "knob")
SPARE = 3  # entries more than are fitted
SHORT = 16  # entries of a point that is typed
DIGITS = 10  # … and of these
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


# ---- what is wrong


def explain_on_set(draft: Draft, layout: Layout, claim: Claim, raw: Any) -> tuple[list[Diagnosis], frozenset[int]]:
    """The diagnoses of a claim with entries that FAIL, leaf by leaf, and which entries they explain; none if one is not told.

    raw: what the claim answered.
    """
    comparison = draft.comparison
    assert comparison is not None
    assert isinstance(layout, ConstrainedLayout)
    columns = comparison.columns
    wrong = columns.verdict == Verdict.FAIL
    compared = Compared(columns.entry, columns.numeric, columns.uncertainty, wrong)
    if draft.kind is Kind.HESSIAN:
        diagnosis = _without_curvature(draft, layout, columns.claimed, compared)
        return ([diagnosis] if diagnosis else []), frozenset(columns.entry[wrong].tolist() if diagnosis else ())
    if not isinstance(claim, (TangentClaim, TangentMatrixClaim)):
        return [], frozenset()
    rows = claim.rows_of(raw)
    found: list[Diagnosis] = []
    for k, piece in enumerate(layout.pieces):
        column = columns.entry % layout.size
        ours = wrong & (column >= piece.coordinates.start) & (column < piece.coordinates.stop)
        if not ours.any():
            continue
        if piece.on is None:
            return [], frozenset()
        triangle = layout.triangle(rows[0]) if len(rows) == 1 else ""
        diagnosis = explained([row[k] for row in rows], piece, compared, layout.size, triangle, draft.tolerance)
        if diagnosis is None:
            return [], frozenset()
        found.append(diagnosis)
    return found, frozenset(columns.entry[wrong].tolist())


def _without_curvature(draft: Draft, layout: ConstrainedLayout, claimed: Array, compared: Compared) -> Diagnosis | None:
    """Whether a Hessian lacks what the gradient gains where the set bends.

    That is ⟨g, bend(bᵢ, bⱼ)⟩ with some g normal to the set, of which the difference must be all; g is fitted.
    """
    if compared.entry.size != layout.size**2:
        return None
    terms = []
    for piece in layout.pieces:
        if piece.on is not None and piece.on.curved:
            for normal in _normals(piece):
                term = np.zeros((layout.size, layout.size))
                term[piece.coordinates, piece.coordinates] = piece.on.curvature(piece.x, normal)
                terms.append(term.reshape(-1)[compared.entry])
    if not terms or len(terms) + SPARE > layout.size * (layout.size + 1) // 2:
        return None
    basis, gap = np.stack(terms, axis=1), compared.numeric - claimed
    known = claimed + basis @ np.linalg.lstsq(basis, gap, rcond=None)[0]
    size = np.maximum(np.abs(known), np.abs(compared.numeric))
    allowed = compared.uncertainty + draft.tolerance.atol + draft.tolerance.rtol * size.max()
    if (np.abs(known - compared.numeric) > allowed).any():
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


def _normals(piece: Piece) -> list[Array]:
    """A basis of what is normal to the set."""
    assert piece.on is not None
    tangents = [piece.on.tangent(piece.x, unit).reshape(-1) for unit in np.eye(piece.on.size_at(piece.x))]
    left = np.linalg.svd(np.stack(tangents, axis=1))[0]
    return [column.reshape(piece.x.shape) for column in left[:, len(tangents) :].T]


def tell_what_is_not_tangent(draft: Draft, layout: Layout) -> None:
    """Name what makes a claim that must be tangent to the set none, where its entries along the set are right."""
    assert isinstance(layout, ConstrainedLayout)
    found = next((finding for finding in draft.findings if finding.kind is FindingKind.NOT_TANGENT), None)
    if found is None or draft.diagnoses or (draft.comparison is not None and draft.comparison.failed):
        return
    symmetric = all(piece.on is None or isinstance(piece.on, Symmetric) for piece in layout.pieces)
    share = found.evidence["share"]
    if symmetric:
        message = (
            f"the claim is not symmetric: its symmetric part is right, and {share:.2g} of it is beside; take (S + Sᵀ)/2"
        )
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


# ---- special points


def special_on_sets(layout: Layout, seed: int) -> dict[str, str]:
    """What is special about the point for the set of each leaf, with another point to try, by the set's name."""
    found = {}
    assert isinstance(layout, ConstrainedLayout)
    for piece in layout.pieces:
        special = "" if piece.on is None else piece.on.special(piece.x)
        if piece.on is not None and special:
            whose = f"{piece.owner} on {piece.on.name}" if piece.owner else f"on {piece.on.name}"
            found[whose] = f"{whose} {special}; try {_another(piece, seed)}"
    return found


def _another(piece: Piece, seed: int) -> str:
    """A point away from special places, as it is typed, where it is short."""
    assert piece.on is not None
    how = f"a random one (no --point, --on {piece.on.name}; in Python gradcheck.strategies.points)"
    if piece.x.size > SHORT:
        return how
    random = np.random.default_rng(seed).standard_normal(piece.x.shape)
    return str(np.round(piece.on.draw(random), DIGITS).tolist())
