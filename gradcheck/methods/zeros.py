"""Entries that are 0: two more evaluations a column, a natural step away, settle most of them without a ladder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.numerics.stencils import steps_near
from gradcheck.numerics.zero import Pairs, farthest, may_be_nothing, nothing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.claims import Block
    from gradcheck.methods.problem import Problem
    from gradcheck.numerics.first_step import FirstLook, Ordinary

    Array = NDArray[np.float64]

NATURAL = 0.137  # a natural step, in natural scales; no round number …
FAR = 0.31  # … and where f is flat, a step in the largest scale that the variable may have


@dataclass(frozen=True, slots=True, eq=False)
class FirstPair:
    """What the first step showed of a block, (N, m) each but for the step, (N, 1).

    second: |f(x + h) + f(x − h) − 2 f(x)|.
    rounding: the error of `numeric` that is due to the noise of f.
    """

    step: Array
    numeric: Array
    second: Array
    rounding: Array


def settle_zeros(
    problem: Problem, ordinary: Ordinary, block: Block, first: FirstPair, look: FirstLook
) -> NDArray[np.intp]:
    """Let entries agree in `look` that are 0, and claimed to be, as far as f and the claim can tell: see `zero.nothing`.

    Returns:
        The evaluations spent on each entry, (N, m).
    """
    preflight, tolerance = problem.preflight, problem.tolerance
    evaluations = np.full(look.gap.shape, 2)
    every = block.rows is None
    outputs = slice(None) if block.rows is None else block.rows
    scale = ordinary.of(ordinary.scales[block.columns, None], outputs, shared=True)
    with np.errstate(invalid="ignore"):
        may = ~look.agreed & may_be_nothing(look.size, first.second, first.step, first.rounding, scale)
    rows = np.flatnonzero(may.any(axis=1))
    if not rows.size:
        return evaluations
    columns, place = np.unique(block.columns[rows], return_inverse=True)
    still = np.zeros(columns.size, bool)
    still[place[((first.numeric[rows] == 0) & (first.second[rows] == 0) & may[rows]).any(axis=1)]] = True
    scales = ordinary.scales
    wanted = np.where(still, FAR * farthest(scales)[columns], NATURAL * scales[columns])
    natural = steps_near(problem.x[columns], wanted)
    ahead, behind = problem.function.pairs(problem.x, columns, natural)
    if block.rows is not None:
        outputs = block.rows[rows]
    value, calibration = preflight.value[outputs], preflight.calibration
    with np.errstate(invalid="ignore", over="ignore"):
        seen = (place,) if every else (place[:, None], outputs)
        change = np.fmax(np.abs(ahead[seen] - value), np.abs(behind[seen] - value))
        far = (ahead[seen] - behind[seen]) / (2 * natural[place, None])
        found = nothing(
            Pairs(
                first.numeric[rows],
                first.second[rows],
                first.step[rows],
                change,
                natural[place, None],
                scales[block.columns[rows], None],
                far,
            ),
            block.claimed[rows],
            centre=value,
            ordinary=np.broadcast_to(scale, look.gap.shape)[rows],
            noise=calibration.noise[outputs],
            resolution=calibration.resolution[outputs],
            truncation=calibration.truncation[outputs],
            epsilon=preflight.epsilon,
            rtol=tolerance.rtol,
            atol=tolerance.atol,
        )
    settled = found.agreed & may[rows]
    for known, news in (look.agreed, settled), (look.uncertainty, found.uncertainty), (look.large, found.scale):
        known[rows] = np.where(settled, news, known[rows])
    evaluations[rows] = 4
    return evaluations


__all__ = ["FirstPair", "settle_zeros"]
