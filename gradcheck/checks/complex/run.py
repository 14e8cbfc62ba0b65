"""A check by complex variables: the convention that the claim keeps to, settled and held to from end to end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.checks.complex import convention
from gradcheck.evaluation.claims import Block
from gradcheck.methods.entries import join
from gradcheck.model import Convention
from gradcheck.numerics.stencils import free_scales

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.checks.check import CheckRun
    from gradcheck.evaluation.claims import Claim
    from gradcheck.methods.problem import Problem

    Array = NDArray[np.float64]


def settle(run: CheckRun, problem: Problem, claim: Claim) -> Problem:
    """The problem with a claim by complex variables read in the convention that it keeps to, or that was demanded."""
    asked = run.options.convention
    chosen, problem, run.known = convention.settle(problem, claim, None if asked is None else str(asked))
    run.draft.conventions = (chosen,)
    if chosen is Convention.REAL_PART and run.layout.imaginary is not None:
        _hold(run, run.layout.imaginary)
        scales = free_scales(problem.x, run.bounds)
        problem = replace(problem, preflight=replace(problem.preflight, scales=scales))
    run.problem = problem
    return problem


def complete(run: CheckRun, problem: Problem, claimed: Array | None = None) -> None:
    """Put on record what the comparison of such a claim came to.

    claimed: the gradient; None of a matrix.
    """
    draft, imaginary = run.draft, run.layout.imaginary
    compared = draft.comparison
    held = draft.convention is Convention.REAL_PART
    if claimed is not None and imaginary is not None and not held and compared is not None and not run.watcher.stopped:
        missing = convention.missing_parts(compared.columns, imaginary)
        if missing.size:
            with run.watcher.until_stopped():
                more = run.surveyor(problem).survey([Block(missing, claimed[missing, None])])
                columns = join([compared.columns, more.columns])
                located = more.failed if draft.directions else 0  # else they were compared, and counted
                draft.comparison = replace(compared, columns=columns, failed=compared.failed + located)
    convention.record(draft, asked=run.options.convention is not None, claimed=claimed)


def _hold(run: CheckRun, held: NDArray[np.bool_]) -> None:
    """Vary these variables, (n,), no more, and compare nothing by them."""
    low, high = run.bounds or (np.full(held.size, -np.inf), np.full(held.size, np.inf))
    run.bounds = np.where(held, run.flat, low), np.where(held, run.flat, high)
    run.fixed = held if run.fixed is None else held | run.fixed
    run.held = held
    for function in run.functions:
        function.bounds = run.bounds


__all__ = ["complete", "settle"]
