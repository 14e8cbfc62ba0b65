"""A slow function, and no time for all of its derivative: what is compared first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck.checks.entrywise import in_pieces
from gradcheck.evaluation.claims import Block
from gradcheck.methods.directions import search
from gradcheck.model import Verdict
from gradcheck.wording import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck.checks.check import CheckRun
    from gradcheck.methods.problem import Problem


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
    run.accept(problem, surveyor.survey(in_pieces(run, problem.function, blocks())))
    if surveyor.looked < problem.n and (left := hidden(surveyor.looked)):
        run.draft.notes.append(f"{problem.n - surveyor.looked:,} entries were not compared: {left}")


__all__ = ["survey_within_budget"]
