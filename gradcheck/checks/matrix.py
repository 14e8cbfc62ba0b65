"""A claimed matrix, a Jacobian or a Hessian, compared: what its zeros save, and what symmetry demands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.check import CheckRun
from gradcheck.checks.entrywise import pairs_at_once, survey
from gradcheck.checks.invariance import hold_to_orbit
from gradcheck.checks.method import DIRECTIONS, pressed
from gradcheck.checks.stated import Stated
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.matrices import Matrix
from gradcheck.methods.problem import Problem
from gradcheck.methods.sparsity import Compressed, Outside, Pattern, look_outside, outside_pattern
from gradcheck.model import Finding, FindingKind, Kind, Method, Report, Tolerance, Verdict
from gradcheck.numerics.first_step import SMALL, Ordinary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.results import Comparison

ROUNDING = 1e3  # units in the last place that two computed entries of a symmetric matrix may differ by
AFFORDABLE = 2**24  # entries of a sparse matrix that are compared one by one if its zeros are in doubt

Identities = Callable[[Function], list[Finding]]
"""What else must hold of a claim, given the function whose derivative it is: findings if it does not."""

Step = Callable[[], None]


def check_matrix(
    run: CheckRun,
    stated: Stated,
    *,
    sparsity: Any = None,
    identities: Identities = lambda function: [],
    contracts: Step = lambda: None,
    rule: Step = lambda: None,
) -> Report:
    """The whole sequence for a claimed matrix.

    identities: what else must hold of the claim.
    contracts, rule: what else is looked at before entries are compared, and after they failed.
    """
    if run.knob is not None:
        from gradcheck.checks.solvers.matrix import MatrixLaw  # of use to few

        return run.carry_out(MatrixLaw(run, run.knob, stated, identities).compare)
    how: dict[str, Any] = {"sparsity": sparsity, "identities": identities, "contracts": contracts, "rule": rule}
    return run.carry_out(lambda: compare_matrix(run, stated, **how))


def compare_matrix(
    run: CheckRun,
    stated: Stated,
    *,
    sparsity: Any = None,
    identities: Identities = lambda function: [],
    contracts: Step = lambda: None,
    rule: Step = lambda: None,
) -> None:
    """The same within a check that is being carried out."""
    function, claimed = stated.made(run)
    stated.put_on_record(run, function)
    run.may_mend = run.may_mend and not run.is_complex(function)
    problem = run.examine(function, claimed, stated.point(run))
    at = stated.at
    of_complex = run.layout.imaginary is not None and at is None and stated.lent is None
    if of_complex:
        from gradcheck.checks.complex.run import complete, settle  # of use to few

        problem = settle(run, problem, claimed)
    hold_to_orbit(run)
    if run.on_set and at is None and stated.lent is None:
        from gradcheck.checks import forms  # of use to few

        forms.settle(run, claimed, function, problem.preflight.raw)  # type: ignore[arg-type]
        forms.tell_normal_part(run, claimed, problem.preflight.raw)  # type: ignore[arg-type]
    matrix = claimed.matrix(problem.preflight.raw)
    run.draft.findings += identities(function)
    contracts()
    _compare(run, problem, matrix, sparsity, may_search=at is None)
    if of_complex:
        complete(run, problem)
    run.explain(problem, claimed, None)
    rule()
    run.mend(problem, claimed)
    if run.options.points > 1:
        run.draft.notes.append(f"only 1 of {run.options.points} points was checked: further points are for gradients")


def _compare(run: CheckRun, problem: Problem, matrix: Matrix, sparsity: Any, *, may_search: bool) -> None:
    pattern = _pattern(run, matrix, sparsity)
    promised = matrix.sparse or sparsity is not None
    columns = pattern.colour_count if pattern is not None and promised else problem.n
    method = run.choose_method(problem.function, columns)
    if method is not Method.DIRECTIONS and may_search and pressed(run.watcher, problem.function, columns):
        method = run.draft.method = Method.DIRECTIONS
        run.draft.notes.append("there was no time for every entry: products with random directions were compared")
    if run.draft.kind is Kind.HESSIAN:
        places = None if pattern is None else (pattern.indices, pattern.of_column)
        run.draft.findings += asymmetry(matrix, problem.tolerance, places)
    if method is Method.DIRECTIONS and may_search:
        from gradcheck.methods.matrix_directions import (
            compare_products,  # only for what is too large for entry by entry
        )

        directions = run.options.directions or DIRECTIONS
        run.draft.take(compare_products(problem, run.watcher, matrix, directions=directions))
    elif pattern is None:
        survey(run, problem, matrix.blocks())
    else:
        _survey_groups(run, problem, matrix, pattern, promised=promised)


def _pattern(run: CheckRun, matrix: Matrix, sparsity: Any) -> Pattern | None:
    """Where the claim may be non-zero: as the user says, as it is stored, or as it is seen to be if that saves much."""
    if sparsity is not None:
        return Pattern.of(sparsity, matrix)
    if matrix.sparse:
        return Pattern.of_values(matrix)
    if run.fixed is not None:
        return None  # columns that are not varied would be compared with others of their group
    free = str(run.options.method) == Method.AUTO and run.options.eps is None
    return Pattern.worth_having(matrix) if free else None


def _survey_groups(run: CheckRun, problem: Problem, matrix: Matrix, pattern: Pattern, *, promised: bool) -> None:
    """Compare the entries of a pattern, columns that share no row together, and the rest along one random direction.

    promised: func is said to have nothing else; what it has is a finding.  Otherwise, and where one direction does not tell,
    all entries are compared, if that can be afforded.
    """
    notes = run.draft.notes
    compared, outside, ordinary = _look(run, problem, matrix, pattern)
    notes.append(f"{matrix.columns} columns were differenced in {pattern.colour_count} groups")
    if outside is None:
        run.accept(problem, compared)
        return
    outside = outside.but_for(compared, pattern)
    findings = outside_pattern(matrix, outside) if promised else []
    right = compared.clean and outside.missed(ordinary) <= SMALL
    if findings:
        run.accept(problem, compared)
        run.draft.findings += findings
    elif outside.clear and (promised or right):
        run.accept(problem, outside.added_to(compared, pattern, ordinary))
    elif matrix.rows * matrix.columns <= AFFORDABLE:
        notes.append("then every entry was compared: one random direction did not settle the zeros")
        survey(run, problem, matrix.blocks())
    else:
        unclear = int(np.count_nonzero(~(outside.gap <= outside.allowed)))
        run.accept(problem, replace(compared, inconclusive=compared.inconclusive + unclear))
        notes.append(f"what {unclear} rows have outside of the pattern did not show along one direction")


def _look(
    run: CheckRun, problem: Problem, matrix: Matrix, pattern: Pattern
) -> tuple[Comparison, Outside | None, Ordinary]:
    """The entries of a pattern compared, and what is outside of it, unless time is up or Ctrl-C comes."""
    compressed = Compressed(problem, pattern)
    surveyor = run.surveyor(problem, compressed.evaluate)
    compared = surveyor.survey(compressed.blocks(matrix, pairs_at_once(run, problem.function)))
    outside: Outside | None = None
    if not run.watcher.stopped:
        with run.watcher.until_stopped():
            outside = look_outside(problem, matrix, pattern, surveyor.ordinary)
    return compared, outside, surveyor.ordinary


def asymmetry(
    matrix: Matrix, tolerance: Tolerance, places: tuple[NDArray[Any], NDArray[Any]] | None = None
) -> list[Finding]:
    """Whether a claimed Hessian differs from its transpose by more than rounding and tolerance.

    places: as for `Matrix.asymmetry`.
    """
    worst, (i, j), size = matrix.asymmetry(places)
    if worst <= max(tolerance.rtol, ROUNDING * np.finfo(np.float64).eps) * size + tolerance.atol:
        return []
    where = f"entries [{i}, {j}] and [{j}, {i}]" if matrix.dense or matrix.sparse else "⟨u, Hv⟩ and ⟨Hu, v⟩"
    return [
        Finding(
            kind=FindingKind.NOT_SYMMETRIC,
            target=matrix.role,
            verdict=Verdict.FAIL,
            message=f"{matrix.role} is not symmetric: {where} differ by {worst:.3g}",
            evidence={"difference": worst, "row": i, "column": j},
        )
    ]
