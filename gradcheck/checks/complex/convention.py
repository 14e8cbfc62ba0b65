"""The gradient by complex variables: which convention a claim keeps to, found by measurement, and what is put on record of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.complex.pairs import ComplexTable
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Block, Claim, ComplexClaim, Wrapper
from gradcheck.evaluation.complex_matrices import ComplexMatrixClaim
from gradcheck.model import Convention, Finding, FindingKind, Kind, Tolerance, Verdict
from gradcheck.numerics.stencils import steps_near
from gradcheck.variables.complex import PARTS, weights
from gradcheck.variables.points import neighbour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.draft import Draft
    from gradcheck.evaluation.function import Function
    from gradcheck.methods.entries import Columns
    from gradcheck.methods.problem import Problem
    from gradcheck.options.keywords import Options

    Array = NDArray[np.float64]
    ClaimedColumns = Callable[[NDArray[np.intp]], Array]

LOOKED_AT = 16  # complex variables that are differenced to find the convention, half of them where the claim is largest
AGREES = (
    1e-1,
    1e-2,
    1e-3,
    1e-4,
)  # conventions differ by a sign or a factor of 2, which is little where one part is small; …
SEEN = 4.0  # … so many roundings are no difference
MOST = 4096  # claims that are looked through for the largest
SURE = 10.0  # a part that is 0 where f is holomorphic is not where it exceeds so many times what may be error
FULL = (Convention.STEEPEST, Convention.CONJUGATE)  # whose real part is ∂f/∂x
FILLED_IN = 1000  # entries that passed of which the other part is compared as well, if only one was kept


class RealPart(Wrapper):
    """A real f of complex variables that returns complex numbers without an imaginary part, such as ``np.vdot(z, z)``."""

    def __init__(self, inner: Callable[..., Any]) -> None:
        self.inner = inner

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.inner(*arguments, **named).real

    def around(self, inner: Callable[..., Any]) -> RealPart:
        return RealPart(inner)


def refuse(kind: Kind, options: Options) -> None:
    """Raises `UsageError` for what complex variables do not go with."""
    if kind is Kind.HESSIAN:
        raise UsageError(
            "x0 is complex, and no complex n × n matrix holds all second derivatives; check products (--hvp), or f of real "
            "and imaginary parts"
        )
    for name in ("elementwise", "jit", "knob"):
        if getattr(options, name):
            raise UsageError(f"x0 is complex, and {name} is for real variables; leave it out")
    if options.on is not None:
        raise UsageError("x0 is complex, and on is for real variables; give real and imaginary parts")


def as_real(values: Function, f: Callable[..., Any], x: NDArray[Any], seed: int) -> Callable[..., Any] | None:
    """f, or its real part where it has no other at the point nor near it; None if its values are complex indeed.

    values: f as a function of whatever values.
    """
    value = values.at(x)
    if values.outputs.imaginary is None or value.size != 2:
        return f
    if _has_imaginary_part(value, x.dtype) or _has_imaginary_part(values.near(neighbour(x, 0, seed)), x.dtype):
        return None
    return RealPart(f)


def _has_imaginary_part(value: Array, dtype: Any) -> bool:
    return bool(abs(value[1]) > math.sqrt(float(np.finfo(dtype).eps)) * abs(value[0]))


# ---- which convention


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Known:
    """First differences that were taken to find the convention: f on both sides of x, (N, m), for columns and steps, (N,).

    noise: of f, (m,).
    """

    function: Function
    x: NDArray[Any]
    columns: NDArray[np.intp]
    steps: Array
    noise: Array
    plus: Array
    minus: Array

    def evaluate(self, block: Block, steps: Array, tick: Callable[[int], None]) -> tuple[Array, Array]:
        """f on both sides for a block, as `Surveyor` wants it; evaluated where it is not known."""
        place = np.minimum(np.searchsorted(self.columns, block.columns), len(self.columns) - 1)
        if (self.columns[place] == block.columns).all() and (self.steps[place] == steps).all():
            return self.plus[place], self.minus[place]
        return self.function.pairs(self.x, block.columns, steps, tick)


def settle(problem: Problem, claim: Claim, asked: str | None) -> tuple[Convention, Problem, Known | None]:
    """The convention that a claim keeps to, or that was demanded, the problem with the claim read in it, and what was measured.

    Of complex values the derivative must be that of a holomorphic function, unless the real part alone is demanded.

    Raises:
        UsageError: there is no such derivative of these values.
    """
    imaginary = problem.function.layout.imaginary
    assert imaginary is not None
    of_complex = isinstance(claim, ComplexMatrixClaim) and bool(claim.imaginary_outputs.any())
    told = (Convention.HOLOMORPHIC, Convention.REAL_PART) if of_complex else tuple(PARTS)
    if asked is not None and asked not in told:
        values = "complex" if of_complex else "real"
        raise UsageError(f"convention is {asked}, and of {values} values it can be {', '.join(told)}")
    known: Known | None = None
    if isinstance(claim, ComplexMatrixClaim):
        chosen = Convention(asked or told[0])
        if not of_complex and asked is None:
            known = _differenced(problem, claim.matrix(problem.preflight.raw).block, imaginary)
            chosen = _chosen(known, claim.matrix(problem.preflight.raw).block, imaginary)
        claim.convention = chosen
        return chosen, problem, known
    assert isinstance(claim, ComplexClaim)
    plain, preflight = problem.preflight.claimed, problem.preflight

    def block(columns: NDArray[np.intp]) -> Array:
        return plain[columns, None]

    if asked is not None:
        chosen = Convention(asked)
    else:
        known = _differenced(problem, block, imaginary)
        chosen = _chosen(known, block, imaginary)
    claim.weights = weights(chosen, imaginary)
    preflight = replace(preflight, claimed=plain * claim.weights)
    if preflight.elsewhere is not None:
        point, there = preflight.elsewhere
        preflight = replace(preflight, elsewhere=(point, there * claim.weights))
    return chosen, replace(problem, preflight=preflight), known


def _differenced(problem: Problem, block: ClaimedColumns, imaginary: NDArray[np.bool_]) -> Known:
    """First differences by some variables, or by all if they are few.

    block: columns of the claim as it was returned, by their numbers: (N, m).
    """
    every = np.flatnonzero(imaginary) - 1
    real = every if len(every) <= LOOKED_AT else _largest_and_others(block, every)
    columns = np.stack([real, real + 1], axis=1).reshape(-1).astype(np.intp)
    if len(every) == len(real):
        columns = np.arange(imaginary.size, dtype=np.intp)  # those of real variables are needed anyway
    steps = steps_near(problem.x, problem.preflight.scales * problem.preflight.calibration.fraction)[columns]
    pairs = problem.function.pairs(problem.x, columns, steps)
    return Known(problem.function, problem.x, columns, steps, problem.preflight.calibration.noise, *pairs)


def _chosen(known: Known, block: ClaimedColumns, imaginary: NDArray[np.bool_]) -> Convention:
    """The convention in which a claim agrees with first differences by most of the variables."""
    of_complex = imaginary | np.append(imaginary[1:], False)
    there = of_complex[known.columns]
    columns, steps = known.columns[there], known.steps[there, None]
    with np.errstate(all="ignore"):
        numeric = _by_parts((known.plus[there] - known.minus[there]) / (2 * steps))
        rounding = _by_parts(SEEN * 2 * known.noise / steps)
    claimed = _by_parts(block(columns))
    no_imaginary_part = not block(np.flatnonzero(imaginary)).any()
    candidates = [one for one in PARTS if no_imaginary_part or one is not Convention.REAL_PART]
    votes = {one: _agreeing(one, claimed, numeric, rounding) for one in candidates}
    return max(votes, key=lambda one: votes[one])  # the first of them where they are even


def _by_parts(columns: Array) -> Array:
    """Columns by real and imaginary parts in turn, (2N, m), as pairs, (N m, 2)."""
    paired: Array = columns.reshape(-1, 2, columns.shape[1]).transpose(0, 2, 1).reshape(-1, 2)
    return paired


def _largest_and_others(block: ClaimedColumns, real: NDArray[np.intp]) -> NDArray[np.intp]:
    """The variables to look at, by their real parts: those with the largest claims, and others evenly."""
    some = real if len(real) <= MOST else real[:: len(real) // MOST]
    size = np.hypot(np.abs(block(some)).max(axis=1), np.abs(block(some + 1)).max(axis=1))
    half = LOOKED_AT // 2
    largest = some[np.argpartition(-np.nan_to_num(size), half)[:half]]
    return np.union1d(largest, real[(2 * np.arange(half) + 1) * len(real) // (2 * half)])


def _agreeing(convention: Convention, claimed: Array, numeric: Array, rounding: Array) -> list[int]:
    """By how many variables a claim agrees in a convention, to each share in AGREES; all (N, 2)."""
    factors = np.array(PARTS[convention])
    with np.errstate(all="ignore"):
        implied = claimed * factors
        size = np.maximum(np.hypot(*implied.T), np.hypot(*numeric.T))[:, None]
        gap, seen = np.abs(implied - numeric) - rounding, size > rounding
        return [int(((gap <= share * size) & seen)[:, factors != 0].all(axis=1).sum()) for share in AGREES]


# ---- what is put on record


def record(draft: Draft, *, asked: bool, claimed: Array | None) -> None:
    """Put on record what else the claim can be where it passed, and that f is not holomorphic where that was claimed.

    asked: the convention was demanded.
    claimed: the gradient in R²ⁿ; None of a matrix.
    """
    chosen, imaginary = draft.convention, draft.places.layout.imaginary
    assert imaginary is not None
    if chosen is Convention.REAL_PART:
        draft.notes.append("the derivative by the imaginary parts is not claimed, and was not checked")
    if chosen is Convention.HOLOMORPHIC:
        _hold_to_holomorphy(draft)
    elif chosen is not None and claimed is not None and draft.verdict is Verdict.PASS and not asked:
        others = [one for one in PARTS if one is not chosen]
        draft.conventions += tuple(one for one in others if _same(chosen, one, claimed, imaginary, draft.tolerance))


def _hold_to_holomorphy(draft: Draft) -> None:
    comparison, tolerance = draft.comparison, draft.tolerance
    if comparison is None or not comparison.failed:
        return
    table = ComplexTable(comparison.columns, draft.places, Convention.HOLOMORPHIC)
    groups = [g for g in table.groups if table.is_whole(g) and table.variables[g.variable] and table.outputs[g.output]]
    worst, where, right = 0.0, "", True
    for group in groups:
        rest, bound = table.rest(group)
        numeric, claimed = (table.value(group, v) for v in (comparison.columns.numeric, comparison.columns.claimed))
        allowed = abs(bound) + tolerance.rtol * (abs(numeric) + abs(rest)) + tolerance.atol
        right &= abs(numeric - claimed) <= allowed
        if abs(rest) > max(worst, SURE * allowed):
            worst, where = abs(rest), draft.places.whole(table.flat(group))
    if not where:
        return
    f = "f" if draft.kind is Kind.GRADIENT else "func"
    so = " The claim is ∂f/∂z, which alone does not tell the derivative." if right else ""
    draft.findings.append(
        Finding(
            kind=FindingKind.NOT_HOLOMORPHIC,
            target=f,
            verdict=Verdict.FAIL,
            message=f"{f} is not holomorphic: ∂f/∂z̄ is {worst:.3g} at {where}, where it must be 0, so that no f′ "
            f"with df = f′ dz exists.{so} Check products (--jvp), or f of real and imaginary parts",
            evidence={"rest": worst, "entry": where, "wirtinger": bool(right)},
        )
    )


def _same(
    chosen: Convention, other: Convention, claimed: Array, imaginary: NDArray[np.bool_], tolerance: Tolerance
) -> bool:
    """Whether a claim that is right in one convention is so in another: they cannot be told apart at this point."""
    if chosen is Convention.REAL_PART:
        return False
    if other is Convention.REAL_PART:  # what says less than is known holds where there is nothing more to say
        return chosen in FULL and not claimed[imaginary].any()
    gap = claimed * (weights(other, imaginary) / weights(chosen, imaginary) - 1)
    places = np.flatnonzero(imaginary)
    size = np.hypot(claimed[places - 1], claimed[places])
    parts = np.hypot(gap[places - 1], gap[places])
    return bool((parts <= tolerance.rtol * size + tolerance.atol).all())


def missing_parts(columns: Columns, imaginary: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Of complex variables of which one part alone is on record, and matters, the other part."""
    entry = columns.entry
    of_complex = imaginary[entry] | np.append(imaginary, False)[entry + 1]
    mates = np.where(imaginary[entry], entry - 1, entry + 1)
    missing = np.flatnonzero(of_complex & ~np.isin(mates, entry))
    matters = missing[(columns.verdict[missing] != Verdict.PASS) | (missing < FILLED_IN)]
    return np.sort(mates[matters]).astype(np.intp)
