"""The check of a gradient whose f is a solver, at one value of its tolerance after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.entrywise import survey
from gradcheck.checks.further import moved
from gradcheck.checks.method import FEW_ENTRIES
from gradcheck.checks.solvers.law import LawCheck
from gradcheck.evaluation.claims import Claim, Item, gradient_blocks
from gradcheck.methods.directions import search
from gradcheck.model import Method, Tolerance

if TYPE_CHECKING:
    from gradcheck.checks.check import CheckRun
    from gradcheck.checks.solvers.knob import Knob
    from gradcheck.methods.problem import Problem
    from gradcheck.methods.results import Comparison


class GradientLaw(LawCheck):
    """The law of a gradient.

    f, claim: as the user gave them.
    both: f, or the claim, returns (value, gradient).
    autograd: the framework is the claim.
    """

    def __init__(self, run: CheckRun, knob: Knob, f: Any, claim: Any, *, both: bool, autograd: bool) -> None:
        super().__init__(run, knob)
        self.f, self.claim, self.both, self.autograd = f, claim, both, autograd
        self.first: Problem | None = None
        self.last: tuple[Problem, Claim] | None = None

    def measure(self, level: float) -> Comparison | None:
        """Directions of the gradient."""
        run, f = self.run, self.knob.turned(self.f, level)
        function = run.function(Item(f, 0) if self.both and self.claim is self.f else f)
        claim = run.vector_claim(self._claim(f, level))
        if self.first is None:
            problem = self.first = run.examine(function, claim)
        else:
            there = moved(self.first, function, claim, run.flat, run.options.seed)
            if there is None:
                self.refuse(level)
                return None
            problem = there
        self.tick(level)
        claimed, scales = problem.preflight.claimed, problem.preflight.scales
        self.size, self.scale = float(np.linalg.norm(claimed * scales)), float(np.linalg.norm(scales))
        self.last = problem, claim
        return search(problem, run.watcher, claimed, directions=self.directions, locate=False)

    def _claim(self, f: Any, level: float) -> Any:
        if self.autograd:
            return self.run.autograd(f, "grad")
        claim = self.knob.turned(self.claim, level)
        return Item(claim, 1) if self.both else claim

    def locate(self, tolerance: Tolerance) -> None:
        """Among few entries by a look at each, else by directions."""
        assert self.last is not None
        run, (problem, claim) = self.run, self.last
        problem = run.problem = replace(problem, tolerance=tolerance)
        if problem.n <= FEW_ENTRIES:
            run.draft.method = Method.COORDINATES
            survey(run, problem, gradient_blocks(problem.preflight.claimed))
        else:
            run.search(problem, problem.preflight.claimed)
        run.explain(problem, claim, claim.at)


__all__ = ["GradientLaw"]
