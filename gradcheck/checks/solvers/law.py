"""A derivative of a function that is a solver: how the gap between claim and f falls as the solver is made more exact.

The same random directions are measured at several values of its tolerance, or of the number of its cells or steps; what the
gaps come to is for `numerics.tolerance_law` to say.  Where a gap is left that is none of the solver's, the wrong entries are
looked for with the most exact solver.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.model import DirectionCheck, Finding, FindingKind, Kind, Method, Tolerance, ToleranceLaw, Verdict
from gradcheck.numerics.tolerance_law import DIRECTIONS, LEAST, Fit, fit
from gradcheck.wording import about

if TYPE_CHECKING:
    from gradcheck.checks.check import CheckRun
    from gradcheck.checks.solvers.knob import Knob
    from gradcheck.methods.results import Comparison

ALLOWED = 3.0  # tolerances that a direction may be off by, as errors of entries add up along it
SOLVERS = 10.0  # gaps of the solver that an entry may be off by where a mistake is looked for
NOUNS = {Kind.GRADIENT: "gradient", Kind.JACOBIAN: "Jacobian", Kind.HESSIAN: "Hessian"}


class LawCheck:
    """The check of a claim at the levels of a knob; `gradient_law` and `matrix_law` say how it is measured at one.

    found: the directions at each level so far.
    size, scale: what an ordinary derivative along a direction amounts to, and a tolerance of 1 for each entry, at the last.
    """

    def __init__(self, run: CheckRun, knob: Knob) -> None:
        self.run, self.knob = run, knob
        self.found: list[Comparison] = []
        self.size, self.scale = 0.0, 0.0
        self.allowed = ALLOWED * run.tolerance.rtol
        self.directions = run.options.directions or DIRECTIONS
        self.noun = NOUNS.get(run.draft.kind, "product")

    def measure(self, level: float) -> Comparison | None:
        """Directions at one level; None, and a note, if f or the claim has no value there."""
        raise NotImplementedError

    def locate(self, tolerance: Tolerance) -> None:
        """Look for the entries that are wrong, with the most exact solver that was measured.

        tolerance: what the solver may explain of an entry.
        """
        raise NotImplementedError

    def compare(self) -> None:
        """Measure at one level after another, and say what that comes to."""
        run, knob = self.run, self.knob
        run.draft.method = Method.DIRECTIONS
        law: Fit | None = None
        with knob.put_back():
            with run.watcher.until_stopped():
                for level in knob.levels:
                    run.watcher.require_time()
                    knob.set(level)
                    run.setting = (knob.name, level)
                    found = self.measure(level)
                    if found is None or len(found.directions) < self.directions:
                        break
                    self.found.append(found)
                    if len(self.found) == 1 and not run.heard:
                        run.draft.notes.append(f"the claim does not take {knob.name}: it is the same at every level")
                    law = self._fit()
                    if law.settled:
                        break
            if law is not None:
                knob.set(knob.levels[len(self.found) - 1])
                self._conclude(law)

    def tick(self, level: float) -> None:
        """Say which level is next, and how much of a gap would be seen by what was measured so far."""
        done = len(self.found)
        seen = f", a gap of {about(self._fit().error)} would show" if done >= LEAST else ""
        self.run.watcher.tick("levels", done, max(LEAST, done + 1), f"{self.knob.name} = {level:g}{seen}")

    def refuse(self, level: float) -> None:
        """Put on record that there is nothing to measure at a level."""
        self.run.draft.notes.append(f"f or the claim has no value at {self.knob.name} = {level:g}")

    def _fit(self) -> Fit:
        """What the levels so far come to."""
        checks = [comparison.directions for comparison in self.found]
        claimed = np.array([[one.claimed for one in level] for level in checks])
        values = np.array([[one.estimate.value for one in level] for level in checks])
        unknown = np.array([[one.estimate.uncertainty for one in level] for level in checks])
        size = max(self.size, float(np.sqrt(np.mean(np.square(values[-1])))))
        sizes = np.full(values.shape[1], size if size > 0 else 1.0)
        tolerances = np.array(self.knob.tolerances[: len(checks)])
        allowed = self.allowed + ALLOWED * self.run.tolerance.atol * self.scale / float(sizes[0])
        return fit(tolerances, claimed - values, unknown, sizes, allowed)

    # ---- the record

    def _conclude(self, law: Fit) -> None:
        run, knob = self.run, self.knob
        verdict, sentence = self._judged(law)
        run.draft.law = ToleranceLaw(
            knob=knob.name,
            levels=tuple(float(level) for level in knob.levels[: len(law.gaps)]),
            gaps=law.gaps,
            noise=law.noise,
            exponent=law.exponent,
            spread=law.spread if math.isfinite(law.spread) else None,
            limit=law.limit,
            error=law.error,
            sentence=sentence,
        )
        last = self.found[-1]
        judged = tuple(_judged(one, verdict, sentence) for one in last.directions)
        run.draft.take(replace(last, directions=judged, diagnoses=(), limits=(), sentence=""))
        if verdict is Verdict.PASS and law.exponent is not None and law.gaps[0] > law.allowed:
            run.draft.findings.append(
                Finding(
                    kind=FindingKind.DISCRETISATION_GAP,
                    target=run.draft.kind.key,
                    message=f"the {self.noun} differs from that of f by {about(law.gaps[0])} of itself at "
                    f"{knob.name} = {knob.levels[0]:g}, and by less as {knob.name} {'grows' if knob.count else 'falls'}",
                    evidence={"gap": law.gaps[0], "exponent": law.exponent},
                )
            )
        if verdict is Verdict.FAIL and not run.watcher.stopped:
            solvers = max(run.tolerance.rtol, min(SOLVERS * law.error, law.limit / ALLOWED))
            self.locate(Tolerance(rtol=solvers, atol=run.tolerance.atol))
            if run.draft.comparison is not None and not run.draft.comparison.failed:
                run.draft.notes.append("no entry by itself is off by more than the solver explains")

    def _judged(self, law: Fit) -> tuple[Verdict, str]:
        """The verdict and what speaks for it."""
        knob, levels = self.knob, self.knob.levels[: len(law.gaps)]
        between = f"from {knob.name} = {levels[0]:g} to {levels[-1]:g}"
        if len(levels) < LEAST:
            return Verdict.INCONCLUSIVE, f"only {len(levels)} of at least {LEAST} values of {knob.name} were measured"
        if law.persists:
            kept = f"a gap of {about(law.limit)} of the {self.noun} stays"
            falls = "" if law.constant else ", though it falls at first"
            return Verdict.FAIL, f"{kept}{falls}, {between}: it is the claim's, not the solver's"
        if law.noise[-1] > max(law.gaps[-1], law.allowed) and not law.resolved:
            known = f"differences of f are known to {about(law.noise[-1])} at {knob.name} = {levels[-1]:g}"
            return Verdict.INCONCLUSIVE, f"{known}, which hides the gap; {self._quieter(law)}"
        if not law.resolved:
            left = f"the gap is still {about(law.gaps[-1])} of the {self.noun} at {knob.name} = {levels[-1]:g}"
            return Verdict.INCONCLUSIVE, f"{left}, which would hide a mistake; begin with a more exact solver"
        if max(law.gaps) <= law.allowed:
            return Verdict.PASS, f"no gap beyond tolerance {between}"
        if law.exponent is None:
            hidden = f"no gap beyond f's own noise {between}"
            return Verdict.PASS, f"consistent: {hidden}, which is {about(law.noise[0])} and then {about(law.noise[-1])}"
        return Verdict.PASS, f"consistent: {self._consistent(law, law.exponent)}"

    def _consistent(self, law: Fit, exponent: float) -> str:
        knob, start = self.knob, self.knob.levels[0]
        whose = f"the {'mesh' if knob.count else 'solver'}'s, p = {exponent:.1f}"
        good = f"at {knob.name} = {start:g} the {self.noun} is good to {about(law.gaps[0])}"
        if law.gaps[0] <= law.allowed or exponent < 0.1:
            return f"the gap is {whose}; {good}"
        wanted = self.run.tolerance.rtol
        factor = (wanted / law.gaps[0]) ** (1 / exponent)
        better = f"{math.ceil(start / factor):,}" if knob.count else about(10 ** math.floor(math.log10(start * factor)))
        return f"the gap is {whose}; {good}; use {better} for {about(wanted)}"

    def _quieter(self, law: Fit) -> str:
        if law.noise[-1] < law.noise[0] / 2:
            return "it falls: begin with a more exact solver"
        return "let the solver take the same steps around the point: fixed steps, no warm start, a fixed number of iterations"


def _judged(one: DirectionCheck, verdict: Verdict, sentence: str) -> DirectionCheck:
    """A direction, with what the law says of it."""
    off = one.abs_error > one.estimate.uncertainty
    if verdict is Verdict.FAIL and not off:
        return replace(one, verdict=Verdict.INCONCLUSIVE, reason="this direction cannot tell")
    return replace(one, verdict=verdict, reason="" if verdict is Verdict.PASS else sentence)


__all__ = ["LawCheck"]
