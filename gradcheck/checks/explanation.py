"""From a failed comparison to the mistake behind it: collects what `diagnosis.explain` needs to know, and at what cost.

A diagnosis costs no evaluation of f unless a fitted hypothesis has to prove itself at a second point: then two for each of
at most SECOND_LOOK entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.evidence import Mismatch
from gradcheck.diagnosis.explain import explain
from gradcheck.errors import UsageError, UserCodeError
from gradcheck.evaluation.claims import Claim
from gradcheck.model import Convention, Diagnosis, Kind, Verdict
from gradcheck.numerics.first_step import first_look
from gradcheck.numerics.stencils import natural_scales, steps_near
from gradcheck.variables.numbers import real_array
from gradcheck.variables.points import neighbours
from gradcheck.wording import quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.draft import Draft
    from gradcheck.methods.problem import Problem
    from gradcheck.methods.results import Comparison
    from gradcheck.variables.layout import Layout
    from gradcheck.variables.places import Places

    Array = NDArray[np.float64]

SECOND_LOOK = 100  # entries compared at the second point
DISAGREE = 10.0  # … where a gap of this many uncertainties counts as wrong


def explain_failure(
    problem: Problem,
    claim: Claim,
    comparison: Comparison,
    *,
    places: Places,
    kind: Kind,
    claim_at: Callable[[Array], Array] | None,
    suspects: Mapping[str, Array],
) -> tuple[tuple[Diagnosis, ...], frozenset[int]]:
    """The diagnoses of a claim with entries that FAIL, and the flat indices of the entries that they explain.

    places: the entries of the derivative.
    claim_at: the whole claim, flat, at another point; None if it is too large to ask for again.
    suspects: terms, by name, that may be missing, flat; those of another size are of another derivative.
    """
    x = problem.x
    columns = comparison.columns
    mismatch = Mismatch(
        claimed=columns.claimed,
        numeric=columns.numeric,
        uncertainty=columns.uncertainty,
        entry=columns.entry,
        wrong=columns.verdict == Verdict.FAIL,
        places=places,
        x=x.astype(np.float64),
        kind=kind,
        epsilon=float(np.finfo(x.dtype).eps),
        tolerance=problem.tolerance,
        claim_at=claim_at,
        elsewhere=_second_point(problem, claim_at, columns.entry, places, kind)
        if kind is Kind.GRADIENT and claim_at is not None
        else None,
        suspects=suspects,
    )
    found = explain(mismatch)
    return found.diagnoses, frozenset(found.entries.tolist())


def explain_complex(draft: Draft, problem: Problem) -> tuple[list[Diagnosis], frozenset[int]]:
    """The diagnoses that real and imaginary parts tell together; none if they tell nothing."""
    from gradcheck.checks.complex.pairs import ComplexTable
    from gradcheck.diagnosis.complex import ComplexMismatch, explain_parts

    comparison, convention = draft.comparison, draft.convention
    assert comparison is not None
    if convention is Convention.REAL_PART:
        return [], frozenset()
    columns, places = comparison.columns, draft.places
    table = ComplexTable(columns, places, convention)
    groups = [group for group in table.groups if table.is_whole(group)]
    groups.sort(key=table.flat)
    mismatch = ComplexMismatch(
        claimed=np.array([table.value(group, columns.claimed) for group in groups], np.complex128),
        numeric=np.array([table.value(group, columns.numeric) for group in groups], np.complex128),
        uncertainty=np.array([table.value(group, columns.uncertainty, bound=True) for group in groups], np.complex128),
        wrong=np.array([table.verdict(group) is Verdict.FAIL for group in groups], bool),
        parts=[table.entries(group) for group in groups],
        names=[places.whole(table.flat(group)) for group in groups],
        indices=[list(places.index(table.flat(group))) for group in groups],
        convention=None if draft.kind is Kind.HVP else convention,
        tolerance=problem.tolerance,
    )
    return explain_parts(mismatch)


def term_at(name: str, term: Any, x: NDArray[Any], layout: Layout, kind: Kind) -> Array:
    """A term named by the user as a flat vector: like a gradient by x, or a matrix with a column for each variable.

    term: such an array, or the function of x that returns it.

    Raises:
        UsageError: it is neither.
        UserCodeError: the function raised.
    """
    role = f"suspect {name}"
    value = Claim(term, layout, layout, role=role).raw_at(x) if callable(term) else term
    try:
        return layout.numbers(value, role)
    except UserCodeError as error:
        if kind is Kind.GRADIENT and layout.leaves:
            raise UsageError(str(error)) from None
    try:
        found = real_array(value, role).astype(np.float64)
    except UserCodeError:
        raise UsageError(f"{role} is no array of numbers, but {quoted(value)}") from None
    rows, left = divmod(found.size, layout.size)
    if found.ndim < 2 or left or not (rows == layout.size or kind is Kind.JACOBIAN):
        n, rows_of = layout.size, "m" if kind is Kind.JACOBIAN else str(layout.size)
        raise UsageError(
            f"{role} has shape {found.shape}; a term of a gradient has shape {layout.shape}, "
            f"and one of a matrix ({rows_of}, {n})"
        )
    return found.reshape(-1)


def _second_point(
    problem: Problem,
    claim_at: Callable[[Array], Array],
    entries: NDArray[np.int64],
    places: Places,
    kind: Kind,
) -> Callable[[], Mismatch | None]:
    """What is known at another point, when it is asked for: a first difference for the entries that matter."""

    def look() -> Mismatch | None:
        function, x, tolerance = problem.function, problem.x, problem.tolerance
        other = next(neighbours(x, 1, problem.seed, function.bounds))
        chosen = np.sort(entries[:SECOND_LOOK]).astype(np.intp)
        try:
            claimed = claim_at(other)[chosen, None]
        except UserCodeError:
            return None
        calibration = problem.preflight.calibration
        steps = steps_near(other, natural_scales(other) * calibration.fraction)[chosen]
        plus, minus = function.pairs(other, chosen, steps)
        with np.errstate(all="ignore"):
            h = steps[:, None]
            numeric, rounding = (plus - minus) / (2 * h), 2 * calibration.noise / h
            ordinary = np.full(claimed.shape, float(np.abs(numeric).max(initial=0.0)))
            look = first_look(numeric, rounding, claimed, ordinary, calibration.truncation, tolerance)
        if not np.isfinite(numeric).all():
            return None
        own = rounding + 4 * calibration.truncation * np.maximum(look.size, 1e-3 * ordinary)
        return Mismatch(
            claimed=claimed[:, 0],
            numeric=numeric[:, 0],
            uncertainty=own[:, 0],
            entry=chosen.astype(np.int64),
            wrong=(look.gap > DISAGREE * own + tolerance.rtol * look.size)[:, 0],
            places=places,
            x=other.astype(np.float64),
            kind=kind,
            epsilon=float(np.finfo(x.dtype).eps),
            tolerance=tolerance,
        )

    return look
