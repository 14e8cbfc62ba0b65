"""A framework's derivative goes through rules written by hand: whether they keep their contracts, and which is wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradcheck.model import FindingKind, Kind, Verdict

if TYPE_CHECKING:
    from gradcheck.checks.check import CheckRun
    from gradcheck.evaluation.autograd import Autograd

FEW_ENTRIES = 1000  # of the inputs of a rule that is checked by itself


def hold_to_contracts(run: CheckRun, autograd: Autograd | None) -> None:
    """See whether the rules that such a claim goes through keep their contracts, and name them."""
    if autograd is None:
        return
    rules = autograd.rules(run.flat, run.options.args)
    if len(rules) == 1:
        run.draft.claim = rules[0]
    if rules:
        names = ", ".join(rule.name for rule in rules)
        run.draft.notes.append(f"the derivative goes through rules written by hand: {names}")
    steady = all(finding.kind is not FindingKind.NON_DETERMINISTIC for finding in run.draft.findings)
    run.draft.findings += autograd.breaches(run.flat, run.options.args, run.options.seed, steady=steady)


def find_rule(run: CheckRun, autograd: Autograd | None) -> None:
    """Say which of several rules written by hand is wrong by itself, if entries failed."""
    comparison = run.draft.comparison
    if autograd is None or comparison is None or not comparison.failed or run.watcher.stopped:
        return
    calls = autograd.calls_of_rules(run.flat, run.options.args)
    if len(calls) < 2:
        return
    from gradcheck.checks.kinds import checker

    wrong = []
    for call in calls:
        if sum(math.prod(one.shape) for one in call.inputs) <= FEW_ENTRIES and run.watcher.left != 0:
            asked = {"directions": 1, "seed": run.options.seed, "budget": run.watcher.left, "throw": False}
            if checker(Kind.VJP)(call.function, call.pullback, call.inputs, **asked, fix=False).verdict is Verdict.FAIL:
                wrong.append(call.target)
    if wrong:
        names = " and ".join(target.name for target in wrong)
        verb = "is" if len(wrong) == 1 else "are"
        run.draft.notes.append(f"checked by itself against differences of its forward, {names} {verb} wrong")
    if len(wrong) == 1:
        run.draft.claim = wrong[0]
