"""A slow function, and no time for all of its derivative: what is compared first, and what is known when time is up.

A lone mistake in any entry shows along a random direction, however few entries are compared one by one.  If nothing disagrees,
and a mistake of 1 % of an ordinary entry would have shown, that is a verdict, with the resolution stated; else it is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck.checks.entrywise import in_pieces
from gradcheck.evaluation.claims import Block
from gradcheck.methods.directions import search
from gradcheck.model import Verdict
from gradcheck.wording import about, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck.checks.check import CheckRun
    from gradcheck.methods.problem import Problem

REAL = 1e-2  # of an entry of ordinary size: a mistake that must have been visible


def survey_within_budget(run: CheckRun, problem: Problem) -> None:
    """Compare a random direction, and then entries while there is time.

    Where the direction agrees, entries come first in which a mistake would hide most, relative to their size; else those
    in which the largest mistakes are.
    """
    draft, rtol = run.draft, run.tolerance.rtol
    claimed, scales = problem.preflight.claimed, problem.preflight.scales
    found = search(problem, run.watcher, claimed, directions=1, locate=False)
    draft.take(found)
    weights = np.abs(claimed) * scales
    order = np.argsort(weights, kind="stable").astype(np.intp)
    if any(one.verdict is Verdict.FAIL for one in found.directions):
        order = order[::-1]
    seen = max((one.abs_error + one.estimate.uncertainty for one in found.directions), default=np.inf)
    ordinary = float(np.sqrt(np.mean(np.square(weights))))

    def visible(done: int) -> float:
        """The least lone mistake that shows in the entries still to be compared, as a share of an ordinary one of them."""
        left = weights[order[done:]]
        size = max(float(np.median(left)) if left.size else 0.0, REAL * ordinary)
        return max(2 * seen / size, rtol) if size > 0 else np.inf

    def told(done: int) -> str:
        share = visible(done)
        return f"shows {about(share)} of an entry" if np.isfinite(share) else ""

    def blocks() -> Iterator[Block]:
        yield Block(order, claimed[order, None])

    surveyor = run.surveyor(problem, detail=told)
    run.accept(problem, surveyor.survey(in_pieces(run, problem.function, blocks())))
    left = problem.n - surveyor.looked
    if not left or not found.directions:
        return
    share, others = (
        visible(surveyor.looked),
        f"in the {counted(left, 'entry')} that {'was' if left == 1 else 'were'} not",
    )
    if not np.isfinite(share):
        return
    smallest = float(scales[order[surveyor.looked :]].min())
    draft.unseen = (
        f"{others} compared one by one a lone error above {about(share)} of an ordinary one would have been seen"
    )
    draft.unseen_above = 2 * seen / smallest if smallest > 0 else np.inf
    draft.enough = 2 * seen <= REAL * ordinary
    if not draft.enough:
        hidden = about(2 * seen / ordinary)
        draft.notes.append(
            f"a lone mistake below {hidden} of an ordinary entry may hide in what was not compared: too much"
        )


__all__ = ["survey_within_budget"]
