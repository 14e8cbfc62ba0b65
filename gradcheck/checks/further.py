"""Further points of a gradient: near the point, of other sizes, drawn anew; random directions alone are compared there.

A point where f or the claim is not defined, or where nothing can be told, says nothing of the claim: another one near the
first is taken for it, and that kind of points is not tried again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.check import CheckRun
from gradcheck.checks.method import DIRECTIONS
from gradcheck.errors import UserCodeError
from gradcheck.evaluation.claims import Claim, gradient_blocks
from gradcheck.evaluation.line import Line
from gradcheck.methods.directions import search
from gradcheck.methods.problem import Problem
from gradcheck.model import Method, Verdict
from gradcheck.numerics.stencils import free_scales
from gradcheck.variables.numbers import MaskedValues
from gradcheck.variables.points import draw, inside, neighbour
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

    from gradcheck.evaluation.function import Function

    Vectors = tuple[NDArray[Any], NDArray[Any]]
    Draw = Callable[[NDArray[Any], int, int, "Vectors | None"], NDArray[Any]]

REDRAWS = 3  # how often a point where f is not defined is drawn again


def _anew(x0: NDArray[Any], number: int, seed: int, bounds: Vectors | None) -> NDArray[Any]:
    """As a random point is drawn; of the typical size of x0 where there are no bounds, and of its sign if it has one alone."""
    x = draw(x0.shape, x0.dtype, seed + number, bounds)
    nonzero = np.abs(x0[x0 != 0]).astype(np.float64)
    typical = float(np.median(nonzero)) if nonzero.size else 1.0
    sign = 1 if (x0 >= 0).all() and nonzero.size else -1 if (x0 <= 0).all() and nonzero.size else 0
    free = np.ones(x.size, bool) if bounds is None else np.isinf(bounds[0]) & np.isinf(bounds[1])
    sized = typical * (sign * np.abs(x) if sign else x)
    return np.where(free, sized, x).astype(x0.dtype)


def _times(factor: float) -> Draw:
    """Near the point, and so many times as large; half-way to a bound that is in between."""

    def scaled(x0: NDArray[Any], number: int, seed: int, bounds: Vectors | None) -> NDArray[Any]:
        return inside(factor * neighbour(x0, number, seed).astype(np.float64), x0, bounds)

    return scaled


NEAR = "near the point"
KINDS: dict[str, Draw] = {
    NEAR: neighbour,
    "drawn anew": _anew,
    "10 times as large": _times(10.0),
    "1/10 as large": _times(0.1),
}
IN_TURN = list(KINDS)


def look_elsewhere(run: CheckRun, problem: Problem, claim: Claim) -> None:
    """Compare at as many points as are asked for, and put on record where they are."""
    wanted, number = run.options.points - 1, 0
    dropped: dict[str, Counter[str]] = {"is not defined": Counter(), "cannot be told": Counter()}
    tried = 0
    with run.watcher.until_stopped():
        while number < wanted and tried < wanted * (1 + REDRAWS) and not run.watcher.expired():
            kind = IN_TURN[number % len(IN_TURN)]
            if any(kind in reason for reason in dropped.values()):
                kind = NEAR
            x = KINDS[kind](run.flat, tried, problem.seed, run.bounds)
            tried += 1
            there = moved(problem, problem.function, claim, x, problem.seed + number + 1)
            if there is None:
                dropped["is not defined"][kind] += 1
                continue
            claimed = there.preflight.claimed
            found = search(
                there, run.watcher, claimed, directions=DIRECTIONS, locate=False, point=number + 1
            ).directions
            if not found:  # time is up
                break
            worst = max(one.verdict for one in found)
            untold = worst is Verdict.INCONCLUSIVE and kind != NEAR
            if untold or (worst is Verdict.FAIL and not _is_wrong(run, there)):
                dropped["cannot be told"][kind] += 1
                continue
            number += 1
            run.draft.directions += found
            run.draft.further.append(run.described(x, kind))
    for reason, kinds in dropped.items():
        if kinds:
            where = ", ".join(kind if count == 1 else f"{kind} ({count:,})" for kind, count in kinds.items())
            what = "f or the claim" if reason == "is not defined" else "which is right"
            points = counted(kinds.total(), "further point")
            run.draft.notes.append(f"{points} drawn again, {where}: {what} {reason} there")
    if number < wanted:
        verb = "were looked at" if run.watcher.stopped else "could be checked"
        run.draft.notes.append(f"only {number + 1:,} of {run.options.points:,} points {verb}")


def _is_wrong(run: CheckRun, there: Problem) -> bool:
    """Whether entries are wrong as well where directions are: f may vary faster than the steps of these can follow.

    Where entries were too many to be compared at the first point, they are here.
    """
    if run.draft.method is Method.DIRECTIONS:
        return True
    return bool(run.surveyor(there).survey(gradient_blocks(there.preflight.claimed)).failed)


def moved(problem: Problem, function: Function, claim: Claim, x: NDArray[Any], seed: int) -> Problem | None:
    """The problem of a function at a point, its noise and its steps measured there; None if it or the claim has no value."""
    try:
        value, raw = function.at(x), claim.raw_at(x)
        claimed = claim.numbers(raw)
        if not np.isfinite(value).all() or not np.isfinite(claimed).all():
            return None
        there = remeasured(problem, function, x, seed, value)
    except MaskedValues:
        raise
    except UserCodeError:
        return None
    return replace(there, preflight=replace(there.preflight, raw=raw, claimed=claimed))


def remeasured(problem: Problem, function: Function, x: NDArray[Any], seed: int, value: Array) -> Problem:
    """The problem of a function that has a value at a point, its noise and its steps measured there."""
    scales = free_scales(x, function.bounds)
    line = Line(function, x, value, scales, problem.seed)
    preflight = replace(problem.preflight, value=value, raw=None, scales=scales, line=line, findings=(), plain=False)
    return replace(problem, function=function, x=x, preflight=preflight, seed=seed)
