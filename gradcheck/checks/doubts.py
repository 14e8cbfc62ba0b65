"""What a check says of its own worth: trivial claims that pass as well, special points, a claim that is a difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.vacuity import Passed, special_point, vacuous
from gradcheck.methods.entries import no_columns
from gradcheck.model import Finding, FindingKind, Kind, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.draft import Draft
    from gradcheck.evaluation.nested import Difference
    from gradcheck.methods.problem import Problem
    from gradcheck.options.keywords import Options
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]


def tell_difference(draft: Draft, difference: Difference) -> None:
    """Put on record that the claim is a difference of f itself, and how far it is off."""
    comparison, off = draft.comparison, 0.0
    if comparison is not None and comparison.columns.entry.size:
        columns = comparison.columns
        gap, size = columns.gap, float(np.abs(columns.numeric).max(initial=0.0))
        off = float(gap.max()) / size if size > 0 and np.isfinite(gap).all() else 0.0
    role = draft.kind.key
    called = "f or its gradient" if draft.kind in (Kind.HESSIAN, Kind.HVP) else "f"
    amount = f"; it is off by up to {off:.1g} of the largest entry" if off else ""
    draft.findings.append(
        Finding(
            kind=FindingKind.CLAIM_IS_DIFFERENCE,
            target=role,
            message=f"{role} calls {called} {difference.calls} times, at points some {difference.step:.1g} apart: it is a "
            f"difference itself{amount}; there is no formula to be right or wrong",
            evidence={"calls": difference.calls, "step": difference.step, "off": off},
        )
    )


def doubt(
    draft: Draft,
    problem: Problem,
    options: Options,
    *,
    layout: Layout,
    flat: NDArray[Any],
    bounds: tuple[Array, Array] | None,
    size: int | None,
    of_set: Mapping[str, str],
) -> None:
    """Put on record what makes a check that found nothing wrong say little: trivial claims that pass, and special points.

    layout, flat: the point of the check.
    bounds: (low, high), flat.
    size: the number of entries of the derivative, where that is not m·n.
    of_set: what is special about the point among those of the set on which x lives.
    """
    if (verdict := draft.verdict) > Verdict.INCONCLUSIVE:
        return
    seen: Passed | None = None
    if verdict is Verdict.PASS:
        seen = _passed(draft, problem, size)
        draft.findings += vacuous(seen, Verdict.INCONCLUSIVE if options.strict else Verdict.PASS)
    if not (draft.directions and any(direction.point for direction in draft.directions)):
        draft.findings += special_point(layout, flat, bounds, options.args, seen, of_set)


def _passed(draft: Draft, problem: Problem, size: int | None) -> Passed:
    """What was compared, as one list of numbers."""
    columns = no_columns() if draft.comparison is None else draft.comparison.columns
    claimed, numeric, uncertainty = columns.claimed, columns.numeric, columns.uncertainty
    if draft.directions:
        along = np.array([(d.claimed, d.estimate.value, d.estimate.uncertainty) for d in draft.directions]).T
        claimed, numeric, uncertainty = np.concatenate([[claimed, numeric, uncertainty], along], axis=1)
    repeated = max(1, (size or 0) // problem.n)  # a derivative of two parts has each variable in both
    return Passed(
        kind=draft.kind,
        claimed=claimed,
        numeric=numeric,
        uncertainty=uncertainty,
        entry=columns.entry,
        size=size or problem.n * problem.m,
        layout=draft.layout,
        tolerance=draft.tolerance,
        moved=bool(numeric.any()) or bool(problem.preflight.calibration.quantum.any()),
        x=problem.x if repeated == 1 else np.tile(problem.x, repeated),
        elsewhere=problem.preflight.elsewhere if repeated == 1 else None,
    )
