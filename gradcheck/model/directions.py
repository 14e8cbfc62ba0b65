"""What is known along single directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.model.vocabulary import Verdict

if TYPE_CHECKING:
    from gradcheck.model.estimates import DerivativeEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionCheck:
    """One random direction v: the claimed ⟨g, v⟩ beside the numeric directional derivative.

    number: counts directions from 0 within the check.
    point: which of the points of the check (0 is the first).
    """

    number: int
    point: int
    claimed: float
    estimate: DerivativeEstimate
    abs_error: float
    rel_error: float
    verdict: Verdict
    reason: str = ""
