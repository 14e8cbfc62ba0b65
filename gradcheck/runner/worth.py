"""What a check is worth: what it says of deliberate mistakes, and of the claim broken line by line, beside its report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.errors import GradcheckError
from gradcheck.evaluation.claims import AUTOGRAD, Item
from gradcheck.model import CheckInterrupted, Kind, Mistake, Report, Verdict
from gradcheck.runner.targets import Loaded


@dataclass(frozen=True, eq=False)
class Worth:
    """A check that has been made, as it can be made again.

    options: keywords of the check.
    check: (target, claim, **keywords) ↦ the report of the check of another claim.
    both: the claimed gradient comes with the diagonal of the Hessian.
    """

    target: Loaded
    claim: Loaded
    x0: Any
    options: Mapping[str, Any]
    check: Callable[..., Report]
    both: bool

    @property
    def apart(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """f and the claim, of a function that returns both as well."""
        f, claim = self.target.value, self.claim.value
        return (Item(f, 0), Item(f, 1)) if self.claim is self.target else (f, claim)

    def self_tested(self, report: Report) -> Report:
        """A report with what the self-test says beside it."""
        if report.kind is not Kind.GRADIENT or self.both or self.claim.spec == AUTOGRAD:
            return _noted(report, "self-test: there is none of this derivative, only of a gradient written by hand")
        if report.verdict is Verdict.ERROR:
            return report
        from gradcheck.checks.worth.mistakes import put_right
        from gradcheck.checks.worth.self_test import self_test

        f, grad = self.apart
        broken: Any = grad
        if report.verdict is Verdict.FAIL:
            broken = put_right(grad, report) if isinstance(self.x0, np.ndarray) else None
            if broken is None:
                said = (
                    "of a wrong gradient, all wrong entries must be known (--method coordinates), of one array of NumPy"
                )
                return _noted(report, f"self-test: {said}")
        try:
            tried = self_test(f, broken, self.x0, **self.options)
        except CheckInterrupted:  # its report is of a mistake of ours
            raise CheckInterrupted(report) from None
        except GradcheckError as error:
            return _noted(report, f"self-test: {error}")
        mistakes = tuple(Mistake(name=name, verdict=verdict) for name, verdict in tried.verdicts.items())
        told = tried.sentence + ("" if broken is grad else "; they were made in the gradient as it should be")
        return replace(_noted(report, told), mistakes=mistakes)

    def mutated(self, report: Report) -> Report:
        """A report with what the check says of the claim, broken line by line, beside it."""
        if self.claim.spec == AUTOGRAD:
            return _noted(
                report, "mutation: there is none of what a framework says, only of a derivative written by hand"
            )
        if report.verdict is Verdict.ERROR or self.options.get("plan"):
            return report
        from gradcheck.checks.worth.mutation import broken

        def again(f: Any, call: Any, **given: Any) -> Report:
            return self.check(replace(self.target, value=f), replace(self.claim, value=call), **given)

        try:
            found = broken(again, report.kind, *self.apart, self.x0, self.options)
        except (CheckInterrupted, KeyboardInterrupt):
            raise CheckInterrupted(report) from None
        except GradcheckError as error:
            return _noted(report, f"mutation: {error}")
        return replace(_noted(report, found.sentence), mutations=found.lines)


def _noted(report: Report, note: str) -> Report:
    return replace(report, notes=(*report.notes, note))
