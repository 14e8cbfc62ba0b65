"""Values that come otherwise than before: than a journal has them, or than in a fresh process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck.model import Finding, FindingKind, Verdict
from gradcheck.variables.points import neighbour

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gradcheck.evaluation.claims import Claim
    from gradcheck.evaluation.function import Function

    Array = NDArray[np.float64]


def against_journal(function: Function, claim: Claim, x: NDArray[Any]) -> list[Finding]:
    """Whether f and the claim, asked once more, answer otherwise at x than the journal has it from before."""
    asked = ((function.role, function.contradicts_journal(x)), (claim.role, claim.contradicts_journal(x)))
    return [
        Finding(
            kind=FindingKind.NON_DETERMINISTIC,
            target=role,
            verdict=Verdict.INCONCLUSIVE,
            message=f"{role} gives another value at the point than the journal has from before; "
            "remove the journal, or fix the random seed",
        )
        for role, contradicts in asked
        if contradicts
    ]


def left_behind(function: Function, x: NDArray[Any], fresh: Array, seed: int) -> list[Finding]:
    """Whether f, called elsewhere before in the same process, gives another value than in a fresh one."""
    left = function.left_behind(x, neighbour(x, 1, seed), fresh)
    if left is None:
        return []
    said = (
        f"{function.role} gives another value where it was called elsewhere before in the same process ({left:.2g} apart): "
        "it keeps what it does not initialise again; without isolate that is part of each value"
    )
    kind, evidence = FindingKind.ORDER_DEPENDENT, {"difference": left}
    return [Finding(kind=kind, target=function.role, message=said, evidence=evidence)]


__all__ = ["against_journal", "left_behind"]
