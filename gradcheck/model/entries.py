"""What is known of single entries and directions: claimed, measured, how surely, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.model.vocabulary import Status, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """A gap up to ``atol + rtol * max(|claimed|, |numeric|)`` is accepted."""

    rtol: float
    atol: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Central differences of f at falling steps, of which a derivative was made.

    steps: h; the displacement is ±h.
    values: (f(x + h v) − f(x − h v)) / 2h at each.
    noise: by how much the noise of f may move each.
    """

    steps: tuple[float, ...]
    values: tuple[float, ...]
    noise: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, init=False, repr=False, eq=False)
class _Estimate:
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
class DerivativeEstimate(_Estimate):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexEstimate(_Estimate):
    """The numeric derivative by a complex variable, never without its error.

    value: in the convention of the claim.
    uncertainty: bounds on the errors of its real and of its imaginary part, as one complex number.
    step, evaluations, status: as for a real derivative, of the worse of its parts.
    left, right, kink, ladder: the same.
    """


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMap:
    """Where a matrix is wrong: the worst of its entries in each cell of a grid.

    shape: rows and columns of the matrix.
    block: rows and columns of a cell; (1, 1) where each entry has its own.
    cells: a string for each row of cells, a character for each cell: '.' agrees, '?' could not be judged, '!' is claimed
        to be no number, '0' to '9' is wrong by between 10^-k and 10^-(k+1) of `largest`, ' ' is not known.
    largest: the largest error of a wrong entry, 0 where there is none.
    """

    shape: tuple[int, int]
    block: tuple[int, int]
    cells: tuple[str, ...]
    largest: float
