"""What is known of derivatives by complex variables."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.model.estimates import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexEstimate(Estimate):
    """The numeric derivative by a complex variable, never without its error.

    value: in the convention of the claim.
    uncertainty: bounds on the errors of its real and of its imaginary part, as one complex number.
    step, evaluations, status: as for a real derivative, of the worse of its parts.
    left, right, kink, ladder: the same.
    """
