"""The check of a claimed matrix, or of products with one, whose f is a solver, at one value of its tolerance after another.

Random u_k and v_k, scaled like x, make of a function F and a claim J the numbers ⟨u_k, J v_l⟩: the Jacobian at 0 of
t ↦ (⟨u_k, F(x + Σ t_l v_l)⟩)_k, of which each row is compared along a random direction as a gradient is.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.checks.entrywise import survey
from gradcheck.checks.further import remeasured
from gradcheck.checks.method import FEW_ENTRIES
from gradcheck.checks.restriction import AlongDirections, Contracted
from gradcheck.checks.solvers.law import LawCheck
from gradcheck.errors import UserCodeError
from gradcheck.methods.directions import search
from gradcheck.methods.results import Comparison
from gradcheck.model import Method, Tolerance
from gradcheck.numerics.directions import direction
from gradcheck.records import record
from gradcheck.variables.layout import ArrayLayout

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck.checks.check import CheckRun
    from gradcheck.checks.solvers.knob import Knob
    from gradcheck.checks.stated import Stated
    from gradcheck.evaluation.function import Function
    from gradcheck.evaluation.matrices import Matrix
    from gradcheck.evaluation.matrix_claims import MatrixClaim
    from gradcheck.methods.problem import Problem
    from gradcheck.model import Finding


@record
class _Level:
    problem: Problem
    claim: MatrixClaim
    matrix: Matrix


class MatrixLaw(LawCheck):
    """The law of a matrix.

    begun: is told of the function when both were looked at, and has findings.
    """

    def __init__(self, run: CheckRun, knob: Knob, stated: Stated, begun: Callable[[Function], list[Finding]]) -> None:
        super().__init__(run, knob)
        self.stated, self.begun = stated, begun
        self.first: Problem | None = None
        self.last: _Level | None = None

    def measure(self, level: float) -> Comparison | None:
        """One direction of each of some inner products."""
        made = self._level(level)
        if made is None:
            self.refuse(level)
            return None
        self.tick(level)
        self.last = made
        run, problem, count = self.run, made.problem, self.directions
        scales, seed = problem.preflight.scales, run.options.seed
        v = [scales * direction(problem.n, seed, k) for k in range(count)]
        u = [direction(problem.m, seed + 1, k) for k in range(count)]
        claimed = np.stack(u) @ np.stack([made.matrix.times(one) for one in v], axis=1)
        self.size = float(np.linalg.norm(claimed)) / count**0.5
        self.scale = float(np.linalg.norm(scales)) * problem.m**0.5
        restricted = self._restricted(problem, u, v, level)
        checks = []
        for k in range(count):
            found = search(
                replace(restricted, seed=seed + k), run.watcher, claimed[k], directions=1, locate=False, row=k
            )
            checks += [replace(one, number=k) for one in found.directions]
        return Comparison(directions=tuple(checks))

    def _level(self, level: float) -> _Level | None:
        """Function and claim at a level, looked at; None where one has no value there."""
        run, turned = self.run, partial(self.knob.turned, level=level)
        try:
            function, claim = self.stated.made(run, turned)
        except UserCodeError:
            if self.first is None:
                raise
            return None
        if self.first is None:
            self.stated.put_on_record(run, function)
            problem = self.first = run.examine(function, claim, self.stated.point(run))
            run.draft.findings += self.begun(function)
        else:
            there = self._there(self.first, function, claim)
            if there is None:
                return None
            problem = there
        return _Level(problem, claim, claim.matrix(problem.preflight.raw))

    def _there(self, first: Problem, function: Function, claim: MatrixClaim) -> Problem | None:
        """The problem at a further level, but for noise and steps, which are those of inner products; None without values."""
        point = self.stated.point(self.run)
        try:
            value, raw = function.at(point), claim.raw_at(point)
            claimed = claim.numbers(raw)
        except UserCodeError:
            return None
        if not np.isfinite(value).all() or not np.isfinite(claimed).all():
            return None
        preflight = replace(first.preflight, value=value, raw=raw, claimed=claimed, findings=())
        return replace(first, function=function, preflight=preflight)

    def _restricted(self, problem: Problem, u: list[np.ndarray], v: list[np.ndarray], level: float) -> Problem:
        """The function of few variables, measured at 0."""
        run, function = self.run, problem.function
        dtype = problem.x.dtype
        along = AlongDirections(
            function.call, function.layout, problem.x, [one.astype(dtype) for one in v], function.bounds
        )
        run.setting = (self.knob.name, level, "inner products")
        origin = ArrayLayout((len(v),), dtype)
        few = run.like(function, Contracted(along, function.outputs, u), origin, None)
        run.setting = (self.knob.name, level)
        zero = np.zeros(len(v), dtype)
        return remeasured(problem, few, zero, run.options.seed, few.at(zero))

    def locate(self, tolerance: Tolerance) -> None:
        """By a look at each entry, if they are few."""
        assert self.last is not None
        run, level = self.run, self.last
        known = level.problem
        measured = remeasured(known, known.function, known.x, known.seed, known.preflight.value)
        preflight = replace(measured.preflight, raw=known.preflight.raw)
        problem = run.problem = replace(measured, preflight=preflight, tolerance=tolerance)
        if level.matrix.rows * level.matrix.columns > FEW_ENTRIES**2:
            run.draft.notes.append("there are too many entries to look for the wrong ones")
            return
        run.draft.method = Method.COORDINATES
        survey(run, problem, level.matrix.blocks())
        run.explain(problem, level.claim, None)


__all__ = ["MatrixLaw"]
