"""A matrix too large to compare entry by entry: products with random directions show the wrong rows, a search their columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.methods.directions import search
from gradcheck.methods.entries import Columns, join, kept_ladder
from gradcheck.model import DerivativeEstimate, DirectionCheck, Tolerance, Verdict
from gradcheck.numerics.directions import direction
from gradcheck.numerics.judgement import USUAL, judge
from gradcheck.numerics.stencils import RATIO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.function import Function
    from gradcheck.evaluation.matrices import Matrix
    from gradcheck.evaluation.preflight import Preflight
    from gradcheck.methods.problem import Tick

    Array = NDArray[np.float64]

LADDER = RATIO ** np.arange(3.0, -5.0, -1)  # steps along a direction, in units of the calibrated one
JUDGED = 64  # rows of a product that are judged from the ladder: the largest gaps
SEARCHED = 4  # wrong rows whose columns are searched for


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """What products with random directions showed.

    directions: one record each, for the row that agreed least.  wrong_rows: indices of rows that FAIL.
    columns: wrong entries that were found in some of these rows.  complete: all wrong rows were searched.
    """

    directions: tuple[DirectionCheck, ...]
    wrong_rows: tuple[int, ...]
    columns: Columns | None
    complete: bool
    stopped: str = ""


def compare_products(
    function: Function,
    matrix: Matrix,
    x: NDArray[Any],
    preflight: Preflight,
    tolerance: Tolerance,
    *,
    directions: int,
    seed: int,
    tick: Tick,
    expired: Callable[[], bool],
) -> Products:
    """Compare J(x)v with differences of f along random v, and search the rows that differ.

    Args:
        x: the point, flat, (n,).  directions: how many v.  Others: as for `search`.
    """
    checks: list[DirectionCheck] = []
    wrong: dict[int, None] = {}
    found: list[Columns] = []
    stopped = ""
    searched = 0
    try:
        for number in range(directions):
            tick("directions", number, directions, "")
            check, rows = _one_direction(function, matrix, x, preflight, tolerance, seed, number)
            checks.append(check)
            wrong |= dict.fromkeys(rows)
            if expired():
                stopped = "budget"
                break
        for row in list(wrong)[:SEARCHED]:
            claimed = None if stopped else matrix.row(row)
            if claimed is None:
                break
            result = search(function, claimed, x, preflight, tolerance, seed=seed, row=row, tick=tick, expired=expired)
            searched += 1
            stopped = result.stopped
            if result.columns.entry.size:
                found.append(_in_row(result.columns, row, x.size))
    except KeyboardInterrupt:
        stopped = "interrupt"
    return Products(
        directions=tuple(checks),
        wrong_rows=tuple(wrong),
        columns=join(found) if found else None,
        complete=searched == len(wrong),
        stopped=stopped,
    )


def _one_direction(
    function: Function,
    matrix: Matrix,
    x: NDArray[Any],
    preflight: Preflight,
    tolerance: Tolerance,
    seed: int,
    number: int,
) -> tuple[DirectionCheck, list[int]]:
    """The record of one direction, and the rows that are wrong along it, the worst first."""
    calibration = preflight.calibration
    v = preflight.scales * direction(x.size, seed, number)
    claimed = matrix.times(v)
    plus, minus, steps = function.line(x, v, calibration.fraction * LADDER)
    middle = int(np.argmin(np.abs(LADDER - 1)))
    with np.errstate(invalid="ignore", over="ignore"):
        first = (plus[middle] - minus[middle]) / (2 * steps[middle])
        gap = np.abs(claimed - first)
        scale = np.maximum(np.abs(first), calibration.slope)
        suspicion = np.nan_to_num(gap / np.where(scale > 0, scale, 1.0), nan=np.inf)
    judged = []
    for row in np.argsort(-suspicion, kind="stable")[:JUDGED].tolist():
        judgement = judge(
            float(claimed[row]),
            plus[:, row],
            minus[:, row],
            float(preflight.value[row]),
            steps,
            resolution=float(calibration.resolution[row]),
            quantum=float(calibration.quantum[row]),
            scale=float(scale[row]),
            tolerance=tolerance,
            reach=USUAL,
        )
        judged.append((row, judgement))
    row, worst = max(judged, key=lambda pair: (pair[1].verdict, suspicion[pair[0]]))
    size = max(abs(float(claimed[row])), abs(worst.value))
    error = abs(float(claimed[row]) - worst.value)
    check = DirectionCheck(
        number=number,
        point=0,
        claimed=float(claimed[row]),
        estimate=DerivativeEstimate(
            value=worst.value,
            uncertainty=worst.uncertainty,
            step=worst.step,
            evaluations=2 * steps.size,
            status=worst.status,
            ladder=kept_ladder(steps, (plus[:, row] - minus[:, row]) / (2 * steps), float(calibration.noise[row])),
        ),
        abs_error=error,
        rel_error=error / size if size else 0.0,
        verdict=worst.verdict,
        reason=f"row {row}: {worst.reason}" if worst.reason else f"row {row} agrees least",
    )
    return check, [row for row, judgement in judged if judgement.verdict is Verdict.FAIL]


def _in_row(columns: Columns, row: int, n: int) -> Columns:
    """Entries of one row, numbered within the whole matrix."""
    shift = row * n
    return replace(
        columns, entry=columns.entry + shift, detail={entry + shift: extra for entry, extra in columns.detail.items()}
    )
