"""What is measured: numeric derivatives and how surely they are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.model.vocabulary import Status

if TYPE_CHECKING:
    from gradcheck.model.pictured import Ladder


@dataclass(frozen=True, slots=True, kw_only=True, init=False, repr=False, eq=False)
class Estimate:
    """What estimates have in common, be they of real derivatives or of complex ones."""

    value: complex
    uncertainty: complex
    step: float
    evaluations: int
    status: Status
    left: float | None = None
    right: float | None = None
    kink: float | None = None
    ladder: Ladder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivativeEstimate(Estimate):
    """A numeric derivative, never without its error.

    value: the numeric derivative.
    uncertainty: a bound on |value - true derivative|, in the units of `value`.
    step: the step in x at which it was taken (the displacement is ±step).
    evaluations: calls of f spent on it.
    status: how it was reached and what limits it.
    left, right: the one-sided derivatives where they differ (a kink or an edge), else None.
    kink: the signed distance from x to the kink or jump along this coordinate, where it was found.
    ladder: the differences it was made of, kept for the worst entry and the worst direction of a check.
    """

    value: float
    uncertainty: float
