"""The steps of a check of a whole matrix, a Jacobian or a Hessian: what every check does, and what zeros and symmetry add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.check import DIRECTIONS, Check
from gradcheck.checks.options import Options
from gradcheck.evaluation.claims import Claim
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.matrices import Matrix, MatrixClaim
from gradcheck.evaluation.preflight import Preflight, examine
from gradcheck.methods.results import Survey, searched_survey
from gradcheck.methods.sparsity import Compressed, Outside, Pattern, look_outside, outside_pattern
from gradcheck.model import Finding, FindingKind, Kind, Method, Report, Tolerance, Verdict
from gradcheck.numerics.first_step import SMALL, Ordinary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


ROUNDING = 1e3  # units in the last place that two computed entries of a symmetric matrix may differ by

AFFORDABLE = 2**24  # entries of a sparse matrix that are compared one by one if its zeros are in doubt


class MatrixCheck(Check):
    """One check of a claimed m × n matrix in the making."""

    def matrix(
        self,
        make: Callable[[], Function],
        claim: Callable[..., Any],
        role: str,
        *,
        at: NDArray[Any] | None = None,
        sparsity: Any = None,
        identities: Callable[[Function], list[Finding]] | None = None,
    ) -> Report:
        """The whole sequence for a claimed m × n matrix: the derivative of the function that `make` returns.

        at: where, if not at the point of the check.  identities: what else must hold of the claim, as findings.
        """
        x = self.x if at is None else at
        self.function, self.claim = Function(make, x), Claim(claim, x, x.shape)  # until the real ones are made

        def compare() -> None:
            self.function = make()
            value = self.function.at(x.reshape(-1))
            self.draft.shape = self.function.shape + x.shape
            self.claim = MatrixClaim(claim, x, value.size, args=self.options.args, role=role)
            self._compare_matrix(self.claim, x.reshape(-1), sparsity, identities, may_search=at is None)

        return self._carry_out(compare)

    def _compare_matrix(
        self,
        claim: MatrixClaim,
        flat: NDArray[Any],
        sparsity: Any,
        identities: Callable[[Function], list[Finding]] | None,
        *,
        may_search: bool,
    ) -> None:
        draft, options, function = self.draft, self.options, self.function
        preflight = examine(function, claim, flat, options.seed)
        matrix = claim.matrix(preflight.raw)
        if identities is not None:
            draft.findings += identities(function)
        self._take(preflight)
        pattern = self._pattern(matrix, sparsity)
        promised = matrix.sparse or sparsity is not None
        draft.method = self._method(function, pattern.colour_count if pattern is not None and promised else flat.size)
        if draft.kind is Kind.HESSIAN:
            places = None if pattern is None else (pattern.indices, pattern.of_column)
            draft.findings += asymmetry(matrix, options.tolerance, places)
        if draft.method is Method.DIRECTIONS and may_search:
            self._rows(flat, preflight, matrix)
        elif pattern is None:
            self._survey(flat, preflight, matrix.blocks())
        else:
            self._survey_groups(flat, preflight, matrix, pattern, promised=promised)
        self._explain(flat, preflight, None)
        if options.points > 1:
            draft.notes.append(f"only 1 of {options.points} points was checked: further points are for gradients")

    def _pattern(self, matrix: Matrix, sparsity: Any) -> Pattern | None:
        """Where the claim may be non-zero: as the user says, as it is stored, or as it is seen to be if that saves much."""
        if sparsity is not None:
            return Pattern.of(sparsity, matrix)
        if matrix.sparse:
            return Pattern.of_values(matrix)
        free = str(self.options.method) == Method.AUTO and self.options.eps is None
        return Pattern.worth_having(matrix) if free else None

    def _survey_groups(
        self, x: NDArray[Any], preflight: Preflight, matrix: Matrix, pattern: Pattern, *, promised: bool
    ) -> None:
        """Compare the entries of a pattern, columns that share no row together, and the rest along one random direction.

        promised: func is said to have nothing else; what it has is a finding.  Otherwise, and where one direction does not tell,
        all entries are compared, if that can be afforded.
        """
        survey, outside, ordinary = self._looked_at(x, preflight, matrix, pattern)
        self.draft.notes.append(f"{matrix.columns} columns were differenced in {pattern.colour_count} groups")
        if outside is None:
            self._accept(survey, preflight)
            return
        outside = outside.but_for(survey, pattern)
        findings = outside_pattern(matrix, outside) if promised else []
        right = not (survey.failed or survey.inconclusive or survey.errors) and outside.missed(ordinary) <= SMALL
        if findings:
            self._accept(survey, preflight)
            self.draft.findings += findings
        elif outside.clear and (promised or right):
            self._accept(outside.added_to(survey, pattern, ordinary), preflight)
        elif matrix.rows * matrix.columns <= AFFORDABLE:
            self.draft.notes.append("then every entry was compared: one random direction did not settle the zeros")
            self._survey(x, preflight, matrix.blocks())
        else:
            unclear = int(np.count_nonzero(~(outside.gap <= outside.allowed)))
            self._accept(replace(survey, inconclusive=survey.inconclusive + unclear), preflight)
            self.draft.notes.append(f"what {unclear} rows have outside of the pattern did not show along one direction")

    def _looked_at(
        self, x: NDArray[Any], preflight: Preflight, matrix: Matrix, pattern: Pattern
    ) -> tuple[Survey, Outside | None, Ordinary]:
        """A survey of the entries of a pattern, and what is outside of it, unless time is up or Ctrl-C comes."""
        compressed = Compressed(self.function, pattern, x)
        surveyor = self._surveyor(x, preflight, compressed.evaluate)
        survey = surveyor.survey(compressed.blocks(matrix))
        if survey.stopped:
            return survey, None, surveyor.ordinary
        try:
            outside = look_outside(self.function, matrix, pattern, preflight, surveyor.ordinary, x, self.options.seed)
        except KeyboardInterrupt:
            return replace(survey, stopped="interrupt"), None, surveyor.ordinary
        return survey, outside, surveyor.ordinary

    def _rows(self, x: NDArray[Any], preflight: Preflight, matrix: Matrix) -> None:
        """Compare products with random directions, and look for the wrong entries of wrong rows."""
        from gradcheck.methods.matrix_directions import (
            compare_products,  # only for what is too large to compare entry by entry
        )

        options, draft = self.options, self.draft
        found = compare_products(
            self.function,
            matrix,
            x,
            preflight,
            options.tolerance,
            directions=options.directions or DIRECTIONS,
            seed=options.seed,
            tick=self._tick,
            expired=self._expired,
        )
        draft.directions += found.directions
        draft.stopped = found.stopped
        if found.columns is not None:
            draft.survey = searched_survey(found.columns, matrix.rows * matrix.columns)
        if found.wrong_rows:
            shown = ", ".join(map(str, found.wrong_rows[:10])) + (", …" if len(found.wrong_rows) > 10 else "")
            rest = "" if found.complete else "; the columns of only some of them were searched for"
            draft.notes.append(f"wrong rows, from products with random directions: {shown}{rest}")


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


def _vector_valued(func: Callable[..., Any], check: MatrixCheck, settings: Options) -> Function:
    return Function(
        func, check.x, args=settings.args, bounds=check.bounds, role="func", scalar=False, **settings.engine
    )
