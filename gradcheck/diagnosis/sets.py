"""Mistakes in a gradient by a symmetric matrix on its set: what entries beside the diagonal count for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Diagnosis, DiagnosisKind, Tolerance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def explain_off_diagonal(
    *,
    entry: NDArray[np.int64],
    claimed: Array,
    numeric: Array,
    uncertainty: Array,
    wrong: NDArray[np.bool_],
    beside: NDArray[np.bool_],
    triangle: str,
    tolerance: Tolerance,
) -> tuple[list[Diagnosis], frozenset[int]]:
    """The diagnosis of a claim that is off by a factor of 2 beside the diagonal, and which entries it explains.

    entry: the coordinate of each compared entry, (N,); claimed, numeric, uncertainty: its values.
    wrong: which of them failed, (N,).
    beside: which coordinates are of two entries of x, beside the diagonal of a symmetric matrix, (k,).
    triangle: 'lower' or 'upper', if the claim is 0 in the other one; else ''.
    """
    off = beside[entry]
    if not wrong.any() or (wrong & ~off).any():
        return [], frozenset()
    claimed, numeric, uncertainty = claimed[off], numeric[off], uncertainty[off]
    for factor, kind in ((0.5, DiagnosisKind.DOUBLED_OFF_DIAGONAL), (2.0, DiagnosisKind.TRIANGLE_ONLY)):
        allowed = uncertainty + tolerance.atol + tolerance.rtol * np.maximum(np.abs(numeric), np.abs(factor * claimed))
        if (kind is DiagnosisKind.TRIANGLE_ONLY and not triangle) or (
            np.abs(factor * claimed - numeric) > allowed
        ).any():
            continue
        entries = entry[wrong].tolist()
        count = f"{len(entries)} wrong {'entry' if len(entries) == 1 else 'entries'}"
        if kind is DiagnosisKind.DOUBLED_OFF_DIAGONAL:
            message = (
                f"the claim counts what is beside the diagonal double, as S + Sᵀ − diag(S) does; that explains the {count}. "
                "The gradient by entries of x, S, has each of x[i, j] and x[j, i] once"
            )
            parameters: dict[str, Any] = {"entries": len(entries), "factor": factor}
        else:
            message = (
                f"the claim is filled in its {triangle} triangle alone, so that what is beside the diagonal counts for half; "
                f"that explains the {count}. Fill the other triangle as well"
            )
            parameters = {"entries": len(entries), "triangle": triangle}
        return [Diagnosis(kind=kind, message=message, parameters=parameters)], frozenset(entries)
    return [], frozenset()
