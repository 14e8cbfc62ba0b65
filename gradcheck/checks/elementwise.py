"""Functions that return a value for each entry of x, and second derivatives that are a diagonal: claims of the shape of x.

The derivative of such a function is a diagonal matrix.  All its entries are differenced at once, and one product with a random
vector shows whether a value depends on other entries after all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.check import CheckRun
from gradcheck.errors import UserCodeError
from gradcheck.evaluation.claims import Block, Claim, Wrapper, gradient_blocks
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.matrices import Diagonal
from gradcheck.methods.coordinates import Evaluate
from gradcheck.methods.entries import Columns, join, worst_first
from gradcheck.methods.problem import Problem
from gradcheck.methods.results import Comparison
from gradcheck.methods.sparsity import Compressed, Pattern, look_outside, outside_pattern
from gradcheck.model import Finding, FindingKind, Kind, Method, Report
from gradcheck.variables.flat import lay_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COARSE = 32.0  # a value that moves by no more spacings of its numbers tells nothing of other entries
LEAVES = ("grad", "hess")
"""What a claim of both is called, entry by entry: ``grad[3]``, ``hess[3]``."""


def check_diagonal(
    run: CheckRun, f: Callable[..., Any], claim: Callable[..., Any], role: str, hess: Callable[..., Any] | None = None
) -> Report:
    """A claimed first derivative of f, entry by entry, and with `hess` the claimed diagonal of the second one.

    f: one value for each entry of x; or one number, where `hess` is given.
    claim: (n,) values in the shape of x.
    hess: the same; it is differenced from `claim`.
    """
    first = run.function(f, scalar=False)
    slope = run.vector_claim(claim, role)

    def compare() -> None:
        alone = is_alone(first, run, needed=hess is None)
        function = first if alone else run.function(f)
        problem = run.examine(function, slope)
        claimed = problem.preflight.claimed
        if alone:
            found = compared_diagonal(run, problem, Diagonal(claimed, role), alone=True)
        else:
            run.draft.method = Method.COORDINATES
            found = run.surveyor(problem).survey(gradient_blocks(claimed))
        if run.options.points > 1:
            run.draft.notes.append(f"only 1 of {run.options.points} points was checked: a diagonal is compared at one")
        if hess is None:
            run.accept(problem, found)
            run.size = problem.n
            run.explain(problem, slope, None)
            return
        second, at = _second(run, claim, hess, alone=alone, known=found)
        _accept_both(run, problem, found, second, at)

    return run.carry_out(compare)


class Summed(Wrapper):
    """The sum of the values of a function, whose gradient is that of each value by its own entry."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.inner = f

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.inner(*arguments, **named).sum()

    def around(self, inner: Callable[..., Any]) -> Summed:
        return Summed(inner)


def is_alone(function: Function, run: CheckRun, *, needed: bool) -> bool:
    """Whether a function returns a value for each entry of x.  Raises `UserCodeError` if it must and does not."""
    count, n = function.at(run.flat).size, run.flat.size
    if count == n and not (n == 1 and not needed):
        return True
    if count == 1 and not needed:
        return False
    shape, wanted = function.shape, run.layout.shape
    what = "f must return one for each entry of x with elementwise" + ("" if needed else ", or one number")
    raise UserCodeError(
        f"f returned values of shape {shape} where x has {wanted}; {what}", FindingKind.WRONG_SHAPE, "f"
    )


def compared_diagonal(run: CheckRun, problem: Problem, matrix: Diagonal, *, alone: bool) -> Comparison:
    """The diagonal of a derivative compared; its entries are numbered as those of x are.

    alone: each value depends on its own entry of x alone, which is looked at.
    """
    pattern = Pattern.of_values(matrix)
    compressed = Compressed(problem, pattern)
    surveyor = run.surveyor(problem, compressed.evaluate if alone else _by_columns(problem))
    run.draft.method = Method.COORDINATES
    compared = surveyor.survey(compressed.blocks(matrix))
    if alone and problem.n > 1 and not run.watcher.stopped:
        with run.watcher.until_stopped():
            outside = look_outside(problem, matrix, pattern, surveyor.ordinary).but_for(compared, pattern)
            coarse = COARSE * _spacing(problem) / problem.preflight.calibration.fraction
            outside = replace(outside, certain=np.maximum(outside.certain, coarse))
            run.draft.findings += [_not_alone(problem, finding) for finding in outside_pattern(matrix, outside)]
    return replace(compared, columns=_renumbered(compared.columns, problem.n))


def _spacing(problem: Problem) -> Array:
    """The spacing of representable values around each value of f; of single precision if all of them are such numbers.

    A single one that hardly moves may be such a number by chance, so that all of them are asked.
    """
    value = problem.preflight.value
    single = value.astype(np.float32)
    spacing = np.spacing(np.abs(single)).astype(np.float64) if np.array_equal(single, value) else np.zeros(value.size)
    return np.maximum(problem.preflight.calibration.resolution, spacing)


def _by_columns(problem: Problem) -> Evaluate:
    """f on both sides of x, a column at a time, of which one row counts."""

    def evaluate(block: Block, steps: Array, tick: Callable[[int], None]) -> tuple[Array, Array]:
        assert block.rows is not None
        plus, minus = problem.function.pairs(problem.x, block.columns, steps, tick)
        line = np.arange(len(block.columns))[:, None]
        return plus[line, block.rows], minus[line, block.rows]

    return evaluate


def _not_alone(problem: Problem, finding: Finding) -> Finding:
    """That values depend on other entries, by the names of theirs."""
    rows = finding.evidence["rows"]
    names = ", ".join(map(problem.function.layout.name, rows[:5])) + (", …" if len(rows) > 5 else "")
    message = f"{problem.function.role} is not elementwise: its values at {names} depend on other entries of x as well"
    return replace(finding, message=message)


def _renumbered(columns: Columns, n: int) -> Columns:
    """Entries of the diagonal of an n × n matrix by their place on it."""
    detail = {entry // (n + 1): what for entry, what in columns.detail.items()}
    return replace(columns, entry=columns.entry // (n + 1), detail=detail)


# ---- first and second derivative in one report


def _second(
    run: CheckRun, grad: Callable[..., Any], hess: Callable[..., Any], *, alone: bool, known: Comparison
) -> tuple[Comparison, Claim]:
    """The claimed diagonal of the second derivative, differenced from the gradient where that is right."""
    function = run.function(grad, role="grad", scalar=False, calls="derivative", values=run.values)
    curvature = run.vector_claim(hess, "hess")
    problem = run.examine(function, curvature)
    found = compared_diagonal(run, problem, Diagonal(problem.preflight.claimed, "hess"), alone=alone)
    wrong = known.columns.doubtful
    lost = np.isin(found.columns.entry, wrong)
    if not wrong.size or not lost.any():
        return found, curvature
    run.draft.notes.append(
        f"{int(lost.sum())} entries of hess were left out: they are differenced from grad, which is not right there"
    )
    kept = found.columns.take(~lost)
    counts = {int(code): int(count) for code, count in zip(*np.unique(kept.verdict, return_counts=True), strict=True)}
    failed, open_entries, errors = (counts.get(code, 0) for code in (2, 1, 3))
    left_out = int(lost.sum())
    return (
        replace(
            found,
            columns=kept,
            checked=found.checked - left_out,
            failed=failed,
            inconclusive=open_entries,
            errors=errors,
        ),
        curvature,
    )


def _accept_both(run: CheckRun, problem: Problem, first: Comparison, second: Comparison, claim: Claim) -> None:
    """Put both on record, as the leaves ``grad`` and ``hess`` of one derivative, and name the mistakes."""
    n = problem.n
    x, leaves = problem.x.astype(np.float64), run.layout.leaves
    shape = leaves[0][0].derivative(x) if len(leaves) == 1 else run.layout.derivative(x)
    run.draft.layout, _ = lay_out(dict.fromkeys(LEAVES, shape))
    moved = replace(
        second.columns,
        entry=second.columns.entry + n,
        detail={entry + n: what for entry, what in second.columns.detail.items()},
    )
    digits = [one.digits for one in (first, second) if one.digits is not None]
    both = Comparison(
        columns=worst_first(join([first.columns, moved])),
        checked=first.checked + second.checked,
        failed=first.failed + second.failed,
        inconclusive=first.inconclusive + second.inconclusive,
        errors=first.errors + second.errors,
        digits=min(digits, default=None),
        detectable=max(first.detectable, second.detectable),
        detectable_share=max(first.detectable_share, second.detectable_share),
        detectable_parts=tuple(
            (name, one.detectable) for name, one in zip(LEAVES, (first, second), strict=True) if one.digits is not None
        ),
        ignored=first.ignored,
    )
    run.accept(problem, both)
    run.size = 2 * n
    run.explain(replace(problem, x=np.concatenate([problem.x, problem.x])), claim, None, kind=Kind.GRADIENT)
