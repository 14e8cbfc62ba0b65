"""A gradient of a function that is a solver: how the gap between claim and f falls as the solver is made more exact.

The same random directions are measured at several values of its tolerance, or of the number of its cells or steps; what the
gaps come to is for `numerics.tolerance_law` to say.  Where a gap is left that is none of the solver's, the wrong entries are
looked for with the most exact solver.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.check import CheckRun
from gradcheck.checks.entrywise import survey
from gradcheck.checks.further import moved
from gradcheck.checks.method import FEW_ENTRIES
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Claim, Item, gradient_blocks
from gradcheck.methods.directions import search
from gradcheck.model import DirectionCheck, Finding, FindingKind, Method, Tolerance, ToleranceLaw, Verdict
from gradcheck.numerics.tolerance_law import DIRECTIONS, LEAST, MOST, Fit, fit
from gradcheck.wording import about, did_you_mean

if TYPE_CHECKING:
    from gradcheck.methods.problem import Problem
    from gradcheck.methods.results import Comparison
    from gradcheck.options.functions import Setting
    from gradcheck.options.keywords import Options

FINER = 10.0  # by this factor a tolerance falls from level to level, …
MORE = 2  # … and a count of cells or steps grows by this one
ALLOWED = 3.0  # tolerances that a direction may be off by, as errors of entries add up along it
SOLVERS = 10.0  # gaps of the solver that an entry may be off by where a mistake is looked for


class Knob:
    """What is turned, for a given f.

    name: for the reader.
    levels: its values, from the coarsest on.
    count: it is a number of cells or steps, which grows.

    Raises `UsageError` if f does not take it, or nobody says where to begin.
    """

    def __init__(self, setting: Setting, f: Callable[..., Any], options: Options) -> None:
        self.setting, self.name = setting, setting.name
        if ":" in self.name:
            owner, _, attribute = self.name.rpartition(":")
            remedy = f"give what holds it, as in knob=({owner.rpartition('.')[2]}, {attribute!r})"
            raise UsageError(f"knob is {self.name!r}, a target, which the command line loads; {remedy}")
        if setting.holder is not None and (options.jobs > 1 or options.executor is not None):
            raise UsageError(
                f"knob {self.name} is set in this process alone; leave jobs and executor out, or make it a keyword of f"
            )
        start = setting.values[0] if setting.values else self._start(f, options)
        self.count = start > 1 and float(start).is_integer()
        self.levels = list(setting.values) if len(setting.values) > 1 else list(islice(self._finer(start), MOST))
        falling = sorted(self.levels, reverse=not self.count)
        if falling != self.levels or len(set(falling)) < len(falling):
            raise UsageError(f"knob {self.name} must become more exact from value to value; put the coarsest first")

    def _start(self, f: Callable[..., Any], options: Options) -> Any:
        """The value that f has it at."""
        if self.setting.holder is not None:
            value = getattr(self.setting.holder, self.name, None)
            missing = f"there is no number {self.name} in what is given with it"
        elif isinstance(options.args, Mapping) and self.name in options.args:
            value, missing = options.args[self.name], f"args give {self.name}, but as no number"
        else:
            known = _keywords(f)
            parameter = known.get(self.name)
            if known and parameter is None and not _takes(f, self.name):
                near = did_you_mean(self.name, known)
                raise UsageError(f"f takes no keyword {self.name!r}, which knob names{near}")
            value = None if parameter is None else parameter.default
            missing = f"f has no number as default for {self.name}"
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
            raise UsageError(f"{missing}: say where knob begins, as in {self.name}=1e-6")
        return value

    def _finer(self, start: Any) -> Iterator[Any]:
        for k in range(MOST):
            yield int(start) * MORE**k if self.count else start / FINER**k

    @property
    def tolerances(self) -> list[float]:
        """The levels as what falls."""
        return [1 / level if self.count else float(level) for level in self.levels]

    def turned(self, call: Any, level: float) -> Any:
        """f or a claim, with the knob at a level; itself if it does not take it."""
        if self.setting.holder is not None or not callable(call) or not _takes(call, self.name):
            return call
        return functools.partial(call, **{self.name: level})

    def set(self, level: float) -> None:
        """Turn an attribute."""
        if self.setting.holder is not None:
            setattr(self.setting.holder, self.name, level)


def _keywords(call: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(call).parameters
    except (TypeError, ValueError):  # some that are written in C tell nothing
        return {}


def _takes(call: Callable[..., Any], name: str) -> bool:
    found = _keywords(call)
    any_other = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in found.values())
    return name in found or any_other or not found


def without(options: Options, knob: Setting) -> Options:
    """The options of a check whose knob is turned: it is no argument beside."""
    if not isinstance(options.args, Mapping) or knob.holder is not None or knob.name not in options.args:
        return options
    return replace(options, args={name: value for name, value in options.args.items() if name != knob.name})


class LawCheck:
    """The check of a gradient at the levels of a knob.

    f, claim: as the user gave them.
    values: which of the values that each returns is meant; None for all.
    """

    def __init__(self, run: CheckRun, knob: Knob, f: Any, claim: Any, *, both: bool, autograd: bool = False) -> None:
        self.run, self.knob, self.f, self.claim, self.both, self.autograd = run, knob, f, claim, both, autograd
        self.problems: list[Problem] = []
        self.claims: list[Claim] = []
        self.found: list[Comparison] = []
        self.allowed = ALLOWED * run.tolerance.rtol

    def compare(self) -> None:
        """Measure at one level after another, and say what that comes to."""
        run, knob = self.run, self.knob
        run.draft.method = Method.DIRECTIONS
        before = knob.levels[0] if knob.setting.holder is None else getattr(knob.setting.holder, knob.name, None)
        law: Fit | None = None
        try:
            with run.watcher.until_stopped():
                for level in knob.levels:
                    run.watcher.require_time()
                    if not self._measure(level):
                        break
                    law = self._fit()
                    if law.settled:
                        break
            if law is not None:
                self._conclude(law)
        finally:
            if knob.setting.holder is not None:
                setattr(knob.setting.holder, knob.name, before)

    def _measure(self, level: float) -> bool:
        """Directions at one level; False if f or the claim has no value there."""
        run, knob = self.run, self.knob
        knob.set(level)
        run.setting = (knob.name, level) if knob.setting.holder is not None else ()
        f = knob.turned(self.f, level)
        function = run.function(Item(f, 0) if self.both and self.claim is self.f else f)
        claim = run.vector_claim(self._claim(f, level))
        if not self.problems:
            problem = run.examine(function, claim)
            if knob.setting.holder is None and not _takes(self.claim, knob.name) and not self.autograd:
                run.draft.notes.append(f"the claim does not take {knob.name}: it is the same at every level")
        else:
            there = moved(self.problems[0], function, claim, run.flat, run.options.seed)
            if there is None:
                run.draft.notes.append(f"f or the claim has no value at {knob.name} = {level:g}")
                return False
            problem = there
        self._tick(level)
        directions = run.options.directions or DIRECTIONS
        comparison = search(problem, run.watcher, problem.preflight.claimed, directions=directions, locate=False)
        if len(comparison.directions) < directions:
            return False
        self.problems.append(problem)
        self.claims.append(claim)
        self.found.append(comparison)
        return True

    def _claim(self, f: Any, level: float) -> Any:
        if self.autograd:
            return self.run.autograd(f, "grad")
        claim = self.knob.turned(self.claim, level)
        return Item(claim, 1) if self.both else claim

    def _tick(self, level: float) -> None:
        done = len(self.problems)
        self.run.watcher.tick("levels", done, max(LEAST, done + 1), f"{self.knob.name} = {level:g}")

    def _fit(self) -> Fit:
        """What the levels so far come to."""
        checks = [comparison.directions for comparison in self.found]
        claimed = np.array([[one.claimed for one in level] for level in checks])
        values = np.array([[one.estimate.value for one in level] for level in checks])
        unknown = np.array([[one.estimate.uncertainty for one in level] for level in checks])
        preflight = self.problems[-1].preflight
        size = float(np.linalg.norm(preflight.claimed * preflight.scales))
        size = max(size, float(np.sqrt(np.mean(np.square(values[-1])))))
        atol = self.run.tolerance.atol * float(np.linalg.norm(preflight.scales))
        sizes = np.full(values.shape[1], size if size > 0 else 1.0)
        tolerances = np.array(self.knob.tolerances[: len(checks)])
        return fit(tolerances, claimed - values, unknown, sizes, self.allowed + ALLOWED * atol / float(sizes[0]))

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
                    target="grad",
                    message=f"the gradient differs from that of f by {about(law.gaps[0])} of itself at "
                    f"{knob.name} = {knob.levels[0]:g}, and by less as {knob.name} {'grows' if knob.count else 'falls'}",
                    evidence={"gap": law.gaps[0], "exponent": law.exponent},
                )
            )
        if verdict is Verdict.FAIL and not run.watcher.stopped:
            self._locate(law)

    def _locate(self, law: Fit) -> None:
        """Look for the entries that are wrong, with the most exact solver."""
        run, claim = self.run, self.claims[-1]
        solvers = max(run.tolerance.rtol, min(SOLVERS * law.error, law.limit / ALLOWED))
        tolerance = Tolerance(rtol=solvers, atol=run.tolerance.atol)
        problem = run.problem = replace(self.problems[-1], tolerance=tolerance)
        if problem.n <= FEW_ENTRIES:
            run.draft.method = Method.COORDINATES
            survey(run, problem, gradient_blocks(problem.preflight.claimed))
        else:
            run.search(problem, problem.preflight.claimed)
        if run.draft.comparison is not None and not run.draft.comparison.failed:
            run.draft.notes.append("no entry by itself is off by more than the solver explains")
        run.explain(problem, claim, claim.at)

    def _judged(self, law: Fit) -> tuple[Verdict, str]:
        """The verdict and what speaks for it."""
        knob, levels = self.knob, self.knob.levels[: len(law.gaps)]
        between = f"from {knob.name} = {levels[0]:g} to {levels[-1]:g}"
        if len(levels) < LEAST:
            return Verdict.INCONCLUSIVE, f"only {len(levels)} of at least {LEAST} values of {knob.name} were measured"
        if law.persists:
            kept = f"a gap of {about(law.limit)} of the gradient stays"
            falls = "" if law.constant else ", though it falls at first"
            return Verdict.FAIL, f"{kept}{falls}, {between}: it is the claim's, not the solver's"
        if law.noise[-1] > max(law.gaps[-1], law.allowed) and not law.resolved:
            known = f"differences of f are known to {about(law.noise[-1])} at {knob.name} = {levels[-1]:g}"
            return Verdict.INCONCLUSIVE, f"{known}, which hides the gap; {self._quieter(law)}"
        if not law.resolved:
            left = f"the gap is still {about(law.gaps[-1])} of the gradient at {knob.name} = {levels[-1]:g}"
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
        good = f"at {knob.name} = {start:g} the gradient is good to {about(law.gaps[0])}"
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


__all__ = ["Knob", "LawCheck", "without"]
