"""A slow function: what its check will take, and what is compared first where there is no time for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck.evaluation.claims import Block
from gradcheck.evaluation.preflight import LADDER
from gradcheck.methods.directions import search
from gradcheck.methods.oracle import OUTSET
from gradcheck.model import Method, Plan, Verdict
from gradcheck.wording import about, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck.checks.check import CheckRun
    from gradcheck.evaluation.function import Function
    from gradcheck.methods.problem import Problem

SETUP = 1 + 2 * len(LADDER) + 2  # evaluations: at the point, along a line, and at two points again
CLAIMS = 4  # calls of the claim, one of them elsewhere
DIRECTION = 2 * len(OUTSET)
MINUTE, HOUR = 60.0, 3600.0


def planned(run: CheckRun, function: Function) -> Plan:
    """What the check of a right derivative takes, of which f and the claim were called once."""
    from gradcheck.checks.check import DIRECTIONS

    columns = function.layout.size if run.fixed is None else int(np.count_nonzero(~run.fixed))
    levels = 1
    if run.options.knob is not None:
        from gradcheck.checks.tolerance_law import DIRECTIONS as COMMON
        from gradcheck.numerics.tolerance_law import LEAST

        compared, levels = (run.options.directions or COMMON) * DIRECTION, LEAST
    elif run.worthwhile(function, columns) is Method.DIRECTIONS:
        compared = (run.options.directions or DIRECTIONS) * DIRECTION
    else:
        compared = 2 * columns
    total = levels * (SETUP + compared)
    claim = max(run.watcher.seconds - function.seconds, 0.0)
    seconds = total * function.seconds / function.at_once + levels * CLAIMS * claim
    parts = f"{SETUP} of them to learn the noise of f"
    if run.options.knob is not None:
        parts = f"at {levels} values of {run.options.knob.name}"
    elif compared == 2 * columns:
        parts += f", {2 * columns} would see an error of 1 % of any entry, {DIRECTION} one of the whole"
    else:
        parts += f", {compared} along random directions would see an error of 1 % of the whole"
    sentence = f"{counted(total, 'evaluation')} of f, about {duration(seconds)}; {parts}"
    budget = run.options.budget
    if budget is not None and budget < seconds:
        sentence += f"; the budget of {duration(budget)} allows {max(1, int(budget / function.seconds)):,} of them"
    return Plan(
        evaluations=total,
        setup=SETUP,
        any_entry=2 * columns,
        whole=DIRECTION,
        claims=levels * CLAIMS,
        seconds=seconds,
        sentence=sentence,
    )


def duration(seconds: float) -> str:
    """A time as a person says it: ``9 minutes``."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} minutes" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} hours"


def survey_within_budget(run: CheckRun, problem: Problem) -> None:
    """Compare a random direction, and then entries while there is time.

    Where the direction agrees, entries come first in which a mistake would hide most, relative to their size; else those
    in which the largest mistakes are.
    """
    claimed, scales = problem.preflight.claimed, problem.preflight.scales
    found = search(problem, run.watcher, claimed, directions=1, locate=False)
    run.draft.take(found)
    weights = np.abs(claimed) * scales
    order = np.argsort(weights, kind="stable").astype(np.intp)
    if any(one.verdict is Verdict.FAIL for one in found.directions):
        order = order[::-1]
    seen = max((one.abs_error + one.estimate.uncertainty for one in found.directions), default=np.inf)

    def hidden(done: int) -> str:
        """What may hide in the entries that are still to be compared."""
        left = weights[order[done:]]
        least = 2 * seen / float(left.min(initial=np.inf)) if left.size and left.min() > 0 else np.inf
        least = max(least, run.tolerance.rtol)
        return f"a lone mistake above {about(least)} of any other entry would show" if np.isfinite(least) else ""

    def blocks() -> Iterator[Block]:
        yield Block(order, claimed[order, None])

    surveyor = run.surveyor(problem, detail=hidden)
    run.accept(problem, surveyor.survey(run.in_pieces(problem.function, blocks())))
    if surveyor.looked < problem.n and (left := hidden(surveyor.looked)):
        run.draft.notes.append(f"{problem.n - surveyor.looked:,} entries were not compared: {left}")


__all__ = ["duration", "planned", "survey_within_budget"]
