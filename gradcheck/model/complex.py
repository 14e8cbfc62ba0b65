"""What is known of derivatives by complex variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.model.vocabulary import Status

if TYPE_CHECKING:
    from gradcheck.model.pictured import Ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexEstimate:
    """The numeric derivative by a complex variable, never without its error.

    value: in the convention of the claim.
    uncertainty: bounds on the errors of its real and of its imaginary part, as one complex number.
    step, evaluations, status: as for a real derivative, of the worse of its parts.
    left, right, kink, ladder: the same.
    """

    value: complex
    uncertainty: complex
    step: float
    evaluations: int
    status: Status
    left: float | None = None
    right: float | None = None
    kink: float | None = None
    ladder: Ladder | None = None
