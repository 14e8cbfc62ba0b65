"""What is said of an f that costs much, or that solves: the plan of its check, and the law of its tolerance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a check of a right derivative costs, told from one call of f and of the claim.

    evaluations: of f, `setup` of them before anything is compared.
    any_entry: how many of them see an error of any entry; `whole`, how many a random direction takes, which sees one of the
        whole.
    claims: calls of the claim.
    seconds: what all that takes.
    sentence: the same in words.
    """

    evaluations: int
    setup: int
    any_entry: int
    whole: int
    claims: int
    seconds: float
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToleranceLaw:
    """How the gap between claim and f changes with the tolerance of a solver, or with its mesh.

    knob: what was turned, such as 'tol'.
    levels: its values, from the coarsest on.
    gaps: the gap along directions at each, relative to the size of the derivative.
    noise: how well each gap is known.
    exponent: p, where the gap falls like the tolerance to that power, or like the inverse of a count; None if none was seen.
    spread: the standard error of p; None if unknown.
    limit: the gap that is left when the solver is exact, and `error`, how well that is known.
    sentence: what that comes to.
    """

    knob: str
    levels: tuple[float, ...]
    gaps: tuple[float, ...]
    noise: tuple[float, ...]
    exponent: float | None
    spread: float | None
    limit: float
    error: float
    sentence: str
