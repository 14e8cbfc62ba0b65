"""What speaks against calling a disagreement a mistake: a claim that is uncertain itself, a point far out on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.evaluation.attempts import attempt
from gradcheck.model import Finding, FindingKind, Report, Verdict
from gradcheck.watch.pairs import LARGEST, Check, Pair
from gradcheck.wording import about

NEAR = 1e-9  # of max(1, |x|): so near, a claim that is exact to some digits is nearly the same
NEIGHBOURS = 4
PART = 0.1  # of a gap: a claim that varies by this much among neighbours does not show it


def undecided(report: Report, finding: Finding) -> Report:
    """A report of a disagreement that shows no mistake, and why."""
    return replace(
        report,
        verdict=Verdict.INCONCLUSIVE,
        entries=tuple(
            replace(entry, verdict=Verdict.INCONCLUSIVE, reason=finding.message)
            if entry.verdict is Verdict.FAIL
            else entry
            for entry in report.entries
        ),
        failed=0,
        inconclusive=report.failed + report.inconclusive,
        findings=(
            replace(finding, verdict=Verdict.INCONCLUSIVE),
            *(f for f in report.findings if f.kind is not finding.kind),
        ),
        diagnoses=(),
        fixes=(),
    )


def doubted(report: Report, pair: Pair, origin: str, before: Sequence[Report], check: Check, x: Any) -> Report:
    """The report of a wrong derivative, or one that says why it may not be wrong.

    before: what was found at other points of the pair.
    check, x: what was checked, and where.
    """
    finding = _far_out(report, pair, origin, before) or _along_some(report) or _uncertain(report, check, x)
    return report if finding is None else undecided(report, finding)


def _far_out(report: Report, pair: Pair, origin: str, before: Sequence[Report]) -> Finding | None:
    """Whether it is off only where a line search has overshot, at numbers that overflow or are clipped."""
    times = pair.visits.overshoot
    if origin != LARGEST or times is None or not before or any(other.verdict is not Verdict.PASS for other in before):
        return None
    name = report.kind.key
    message = f"{name} is right at the start and beside the last point, and off where a step went too far: "
    message += f"what is claimed there is {about(times)} times as large"
    return Finding(kind=FindingKind.SPECIAL_POINT, message=message, target=name)


def _along_some(report: Report) -> Finding | None:
    """Whether it agrees closely along a random direction, as what is wrong hardly ever does, and not along another."""
    directions = [] if report.entries else report.directions
    gaps = [d.abs_error for d in directions if d.verdict is Verdict.FAIL]
    seen = [d.abs_error + d.estimate.uncertainty for d in directions if d.verdict is Verdict.PASS]
    if not gaps or not seen or min(seen) > PART * min(gaps):
        return None
    agrees = f"{report.kind.key} agrees along {len(seen)} of {len(directions)} random directions to {about(min(seen))}"
    message = (
        f"{agrees} and is off by {about(max(gaps))} along another; what is wrong is off along nearly all of them, "
    )
    message += "so the function is likely to have kinks within these steps"
    return Finding(kind=FindingKind.KINK, message=message, target=report.kind.key)


def _uncertain(report: Report, check: Check, x: Any) -> Finding | None:
    """Whether the claim varies among points next to each other as much as it is off: rounding of its own."""
    failed = [entry for entry in report.entries if entry.verdict is Verdict.FAIL]
    if not failed:
        return None
    flat, found = np.ravel(x), list[NDArray[np.float64]]()
    step = NEAR * np.maximum(1.0, np.abs(flat))
    for signs in np.random.default_rng(0).choice([-1.0, 1.0], size=(NEIGHBOURS, flat.size)):
        value = _value(check, (flat + signs * step).reshape(np.shape(x)))
        if value is None or (found and value.shape != found[0].shape):
            return None
        found.append(value)
    spread = np.ptp(np.stack(found), axis=0)
    if spread.size == 1:
        spread = spread.reshape(())
    varies = [
        float(spread[entry.index if spread.ndim else ()]) for entry in failed if spread.ndim in (0, len(entry.index))
    ]
    if len(varies) < len(failed) or any(v <= PART * entry.abs_error for v, entry in zip(varies, failed, strict=True)):
        return None
    name = report.kind.key
    off = about(max(entry.abs_error for entry in failed))
    message = f"{name} is uncertain itself: among points {NEAR:g} apart it varies by {about(max(varies))}, and it is off by {off}"
    return Finding(kind=FindingKind.LOW_PRECISION, message=message, target=name)


def _value(check: Check, x: Any) -> NDArray[np.float64] | None:
    """What is claimed, as numbers; None if it is none."""
    value, error = attempt(check.claim, x, *check.options.get("args", ()))
    try:
        if not error:
            value = value[1] if check.options.get("value_and_grad") else value
            return np.asarray(value.toarray() if hasattr(value, "toarray") else value, np.float64)
    except (TypeError, ValueError):
        pass
    return None
