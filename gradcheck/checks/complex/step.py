"""f at complex points: whether its derivative can be had by the complex step, and when that is worth a word."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.complex_step import complexified, obstacle, survey
from gradcheck.methods.entries import status_code
from gradcheck.model import Method, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gradcheck.checks.draft import Draft
    from gradcheck.evaluation.claims import Block
    from gradcheck.evaluation.function import Function
    from gradcheck.methods.problem import Problem, Watcher
    from gradcheck.methods.results import Comparison
    from gradcheck.variables.layout import Layout

    Make = Callable[[Layout], Function]

LIMITED_BY_NOISE = [status_code(status) for status in (Status.NOISY, Status.BELOW_RESOLUTION)]
QUICK = 0.1  # seconds that f may take to be asked what nobody has asked for


def surveyed(draft: Draft, problem: Problem, watcher: Watcher, pieces: Iterable[Block], make: Make) -> bool:
    """Compare every entry by the complex step; False, and a note why, where that does not tell the derivative of f.

    make: f at points that are laid out so.
    """
    layout, turned, reason = complexified(problem.function.layout), None, ""
    if layout is not None:
        turned = make(layout)
        reason = obstacle(problem, turned)
    else:
        reason = "x0 is not one array of real numbers, off any set"
    if turned is not None and not reason:
        draft.take(survey(problem, watcher, turned, pieces))
        return True
    draft.method = Method.COORDINATES
    draft.notes.append(f"no complex step was taken, and every entry was differenced: {reason}")
    return False


def offer(draft: Draft, problem: Problem, compared: Comparison, make: Make) -> None:
    """Say that the complex step would tell what noise hides from differences, where it would."""
    limited = np.isin(compared.columns.status, LIMITED_BY_NOISE) & (compared.columns.verdict == Verdict.INCONCLUSIVE)
    if not limited.any() or problem.function.seconds > QUICK:
        return
    layout = complexified(problem.function.layout)
    if layout is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of code that drops imaginary parts
        hidden = obstacle(problem, make(layout))
    if not hidden:
        draft.notes.append(
            "f takes complex numbers, and the complex step, in which nothing cancels, is not limited by this noise: "
            "--method complex-step (in Python method='complex-step')"
        )


__all__ = ["offer", "surveyed"]
