"""Mistakes that show in a derivative by complex variables only: what real and imaginary parts tell together.

A law predicts what the claim must be from what it is.  Each is one that anyone would think of
first, without a parameter, so that entries which it puts right to the last digit measured are no chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Convention, Diagnosis, DiagnosisKind, Tolerance
from gradcheck.records import record
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Complex = NDArray[np.complex128]
    Mask = NDArray[np.bool_]

SHARP = 0.1  # an entry tells of a law if what it may be off by is less than this share of the gap that the law closes
MOST = 1 / 2  # of the wrong entries must be explained
NAMED = 5  # entries in a message
LISTED = 50  # indices in the parameters
GRADIENTS = frozenset(Convention) - {Convention.HOLOMORPHIC, Convention.REAL_PART}


@record
class ComplexMismatch:
    """A claim by complex variables that has failed, as far as both parts of its entries are known.

    claimed, numeric: the claim as it was returned, and what it must be in its convention as measured, (N,).
    uncertainty: of both parts of the latter, (N,).
    wrong: one of the parts was judged FAIL, (N,).
    parts: the flat indices of the real entries that each is told by.
    names, indices: what each is called, and where it is.
    convention: that the claim was judged by; None where all variables are real.
    """

    claimed: Complex
    numeric: Complex
    uncertainty: Complex
    wrong: Mask
    parts: Sequence[Sequence[int]]
    names: Sequence[str]
    indices: Sequence[Sequence[int]]
    convention: Convention | None
    tolerance: Tolerance


@dataclass(frozen=True, slots=True)
class ComplexLaw:
    """A hypothesis: what the derivative is, given the claim."""

    kind: DiagnosisKind
    predict: Callable[[Any], Any]
    sentence: str
    advice: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


LAWS = (
    ComplexLaw(
        DiagnosisKind.CONJUGATED,
        np.conjugate,
        "the claim is the complex conjugate of what it must be {where}",
        "Look for a conj() that is missing, or one too many; frameworks differ in which of the two they call the gradient.",
    ),
    ComplexLaw(
        DiagnosisKind.HALF,
        lambda claimed: 2 * claimed,
        "the claim is half of what it must be {where}",
        "∂f/∂z̄ = ½(∂f/∂x + i ∂f/∂y) and ∂f/∂z have the ½ that the gradient ∂f/∂x ± i ∂f/∂y has not.",
        {"factor": 2.0},
    ),
    ComplexLaw(
        DiagnosisKind.HALF,
        lambda claimed: 2 * np.conjugate(claimed),
        "the claim is half of what it must be, and conjugated, {where}",
        "∂f/∂z = ½(∂f/∂x − i ∂f/∂y) is half of the conjugate of the gradient ∂f/∂x + i ∂f/∂y.",
        {"factor": 2.0},
    ),
    ComplexLaw(
        DiagnosisKind.SIGN,
        np.negative,
        "numeric = −claimed {where}",
        "Look for a sign that was lost, or for f where −f is meant.",
        {"factor": -1.0},
    ),
    ComplexLaw(
        DiagnosisKind.CONJUGATED,
        lambda claimed: -np.conjugate(claimed),
        "the claim is the complex conjugate of what it must be, with the sign turned, {where}",
        "Look for a conj() that is missing around a product with i.",
    ),
    ComplexLaw(
        DiagnosisKind.SCALE,
        lambda claimed: 1j * claimed,
        "numeric = i × claimed {where}: a factor i is missing",
        "Look for an i that was dropped from a product, an exponent, or a derivative by the phase.",
        {"factor": [0.0, 1.0], "uncertainty": 0.0},
    ),
    ComplexLaw(
        DiagnosisKind.SCALE,
        lambda claimed: -1j * claimed,
        "numeric = −i × claimed {where}: there is a factor i too many",
        "Look for an i where its conjugate −i belongs, or one too many.",
        {"factor": [0.0, -1.0], "uncertainty": 0.0},
    ),
    ComplexLaw(
        DiagnosisKind.SWAPPED_PARTS,
        lambda claimed: 1j * np.conjugate(claimed),
        "real and imaginary part of the claim stand in each other's place {where}",
        "Look for (∂f/∂y, ∂f/∂x) in place of (∂f/∂x, ∂f/∂y), or for a factor i with a conj().",
    ),
)
REAL_PART_ONLY = ComplexLaw(
    DiagnosisKind.REAL_PART_ONLY,
    lambda claimed: claimed,
    "the claim has the real part alone {where}: its imaginary part is 0, and must not be",
    "Look for .real, for an array made without dtype=complex, or for a cast that discards the imaginary part.",
)


def explain_parts(mismatch: ComplexMismatch) -> tuple[list[Diagnosis], frozenset[int]]:
    """The diagnoses that explain most of the wrong entries, and the flat real indices of those; none if they do not."""
    remaining, found = mismatch.wrong.copy(), list[Diagnosis]()
    with np.errstate(all="ignore"):
        for law, explained in _by_worth(mismatch):
            explained = explained & remaining
            if explained.any():
                found.append(_told(mismatch, law, explained))
                remaining = remaining & ~explained
    known = int(np.count_nonzero(mismatch.wrong & ~remaining))
    left = int(np.count_nonzero(remaining))
    if not found or known < MOST * (known + left):
        return [], frozenset()
    if left:
        found.append(_left(mismatch, remaining))
    told = np.flatnonzero(mismatch.wrong & ~remaining).tolist()
    return found, frozenset(entry for k in told for entry in mismatch.parts[k])


def _by_worth(mismatch: ComplexMismatch) -> Iterator[tuple[ComplexLaw, Mask]]:
    """The laws that some wrong entries follow, with these, the one that most of them follow first."""
    found = []
    for law in LAWS:
        explained = mismatch.wrong & _holds(mismatch, law.predict(mismatch.claimed), parts=(True, True))
        found.append((law, explained))
    dropped = (mismatch.claimed.imag == 0) & (mismatch.numeric.imag != 0)
    dropped &= mismatch.wrong & _holds(mismatch, mismatch.claimed, parts=(True, False))
    found.append((REAL_PART_ONLY, dropped))
    return iter(sorted(found, key=lambda one: -int(np.count_nonzero(one[1]))))


def _holds(mismatch: ComplexMismatch, predicted: Complex, *, parts: tuple[bool, bool]) -> Mask:
    """Where a prediction is what was measured, to a share of the gap that it closes: of both parts, or of one."""
    size = np.maximum(np.abs(predicted), np.abs(mismatch.numeric))
    gap = np.abs(mismatch.claimed - mismatch.numeric)
    holds = np.ones(size.shape, bool)
    for wanted, part in zip(parts, (np.real, np.imag), strict=True):
        if wanted:
            allowed = part(mismatch.uncertainty) + mismatch.tolerance.rtol * size + mismatch.tolerance.atol
            off = np.abs(part(predicted) - part(mismatch.numeric))
            holds &= (off <= allowed) & (allowed <= SHARP * gap)
    return holds


def _where(mismatch: ComplexMismatch, chosen: Mask) -> str:
    """The entries in words."""
    count, known = int(np.count_nonzero(chosen)), chosen.size
    if count == known:
        return f"on all {known:,} entries" if known > 1 else f"on {mismatch.names[0]}"
    names = [mismatch.names[k] for k in np.flatnonzero(chosen)[:NAMED].tolist()]
    more = f" and {count - NAMED:,} more" if count > NAMED else ""
    if count == int(np.count_nonzero(mismatch.wrong)):
        return f"on all {count:,} that differ, {', '.join(names)}{more}" if count > 1 else f"on {names[0]} alone"
    return f"on {', '.join(names)}{more}"


def _told(mismatch: ComplexMismatch, law: ComplexLaw, explained: Mask) -> Diagnosis:
    count = int(np.count_nonzero(explained))
    parameters = {**law.parameters, "entries": count}
    convention = mismatch.convention
    if convention is not None and law.kind not in (DiagnosisKind.SIGN, DiagnosisKind.SCALE):
        parameters["convention"] = convention.value
    whole = bool((explained == mismatch.wrong).all()) and count == explained.size
    sentence = law.sentence.replace("{where}", _where(mismatch, explained))
    advice = law.advice
    if not whole:
        parameters["indices"] = _listed(mismatch, explained)
        if convention in GRADIENTS and law.kind in (DiagnosisKind.CONJUGATED, DiagnosisKind.HALF):
            advice = f"Two conventions are mixed: the other entries are {convention}. {advice}"
    if "convention" in parameters and convention is not None:
        sentence = f"{sentence}; as {convention.value} it is {convention.formula}"
    return Diagnosis(
        kind=law.kind,
        message=f"{sentence}.",
        parameters=parameters,
        explained=count / max(1, int(np.count_nonzero(mismatch.wrong))),
        advice=advice,
    )


def _listed(mismatch: ComplexMismatch, chosen: Mask) -> list[list[int]]:
    """Where the first of these entries are."""
    return [list(mismatch.indices[k]) for k in np.flatnonzero(chosen)[:LISTED].tolist()]


def _left(mismatch: ComplexMismatch, remaining: Mask) -> Diagnosis:
    """What no law explains, by its place."""
    count = int(np.count_nonzero(remaining))
    names = [mismatch.names[k] for k in np.flatnonzero(remaining)[:NAMED].tolist()]
    return Diagnosis(
        kind=DiagnosisKind.ENTRIES if count > 1 else DiagnosisKind.SINGLE_ENTRY,
        message=f"{counted(count, 'entry')} differ{'' if count > 1 else 's'} in another way: {', '.join(names)}"
        + (f" and {count - NAMED:,} more." if count > NAMED else "."),
        parameters={"entries": count, "indices": _listed(mismatch, remaining)},
        explained=count / max(1, int(np.count_nonzero(mismatch.wrong))),
    )
