"""A single entry: claimed, measured, how surely, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.model.vocabulary import Verdict

if TYPE_CHECKING:
    from gradcheck.model.complex import ComplexEstimate
    from gradcheck.model.estimates import DerivativeEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """A gap up to ``atol + rtol * max(|claimed|, |numeric|)`` is accepted."""

    rtol: float
    atol: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCheck:
    """One entry of the claimed derivative beside its numeric value; both are complex where the variable is.

    index: into x0 for a gradient; (row…, column…) for a Jacobian or Hessian.
    path: the entry as a person would write it, such as ``[3]``, ``[0, 2]`` or ``W[0, 2]``.
    rel_error: abs_error / max(|claimed|, |numeric|), 0 where both are 0.
    reason: why the verdict is not PASS, else ''.
    explained: a diagnosis accounts for the gap.
    """

    index: tuple[int, ...]
    path: str
    claimed: float | complex
    estimate: DerivativeEstimate | ComplexEstimate
    abs_error: float
    rel_error: float
    verdict: Verdict
    reason: str = ""
    explained: bool = False
