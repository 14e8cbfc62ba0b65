"""A matrix too large to compare entry by entry: products with random directions show the wrong rows, a search their columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.directions import search
from gradcheck.methods.entries import Columns, join, kept_ladder
from gradcheck.methods.problem import Problem, Watcher
from gradcheck.methods.results import Comparison, of_located
from gradcheck.model import DerivativeEstimate, DirectionCheck, Verdict
from gradcheck.numerics.directions import direction
from gradcheck.numerics.judgement import USUAL, judge
from gradcheck.numerics.stencils import RATIO

if TYPE_CHECKING:
    from gradcheck.evaluation.matrices import Matrix

LADDER = RATIO ** np.arange(3.0, -5.0, -1)  # steps along a direction, in units of the calibrated one
JUDGED = 64  # rows of a product that are judged from the ladder: the largest gaps
LISTED = 10  # wrong rows that a note spells out
SEARCHED = 4  # wrong rows whose columns are searched for


def compare_products(problem: Problem, watcher: Watcher, matrix: Matrix, *, directions: int) -> Comparison:
    """Compare J(x)v with differences of f along random v, so many of them, and search the rows that differ."""
    checks: list[DirectionCheck] = []
    wrong: dict[int, None] = {}
    found: list[Columns] = []
    searched = 0
    with watcher.until_stopped():
        for number in range(directions):
            watcher.tick("directions", number, directions)
            check, rows = _one_direction(problem, matrix, number)
            checks.append(check)
            wrong |= dict.fromkeys(rows)
            watcher.require_time()
        for row in list(wrong)[:SEARCHED]:
            claimed = None if watcher.stopped else matrix.row(row)
            if claimed is None:
                break
            result = search(problem, watcher, claimed, row=row)
            searched += 1
            if result.columns.entry.size:
                found.append(_in_row(result.columns, row, problem.n))
    entries = of_located(join(found), matrix.rows * matrix.columns) if found else Comparison()
    notes = (_wrong_rows(list(wrong), complete=searched == len(wrong)),) if wrong else ()
    return replace(entries, directions=tuple(checks), notes=notes)


def _wrong_rows(rows: list[int], *, complete: bool) -> str:
    shown = ", ".join(map(str, rows[:LISTED])) + (", …" if len(rows) > LISTED else "")
    rest = "" if complete else "; the columns of only some of them were searched for"
    return f"wrong rows, from products with random directions: {shown}{rest}"


def _one_direction(problem: Problem, matrix: Matrix, number: int) -> tuple[DirectionCheck, list[int]]:
    """The record of one direction, and the rows that are wrong along it, the worst first."""
    preflight = problem.preflight
    calibration = preflight.calibration
    v = preflight.scales * direction(problem.n, problem.seed, number)
    claimed = matrix.times(v)
    plus, minus, steps = problem.function.line(problem.x, v, calibration.fraction * LADDER)
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
            precision=calibration.of(row)._replace(noise=0.0),
            scale=float(scale[row]),
            tolerance=problem.tolerance,
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
