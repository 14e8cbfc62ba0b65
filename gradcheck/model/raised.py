"""What is raised of a report, and carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck.errors import ExitCode, UserCodeError
from gradcheck.model.vocabulary import Verdict

if TYPE_CHECKING:
    from gradcheck.model.report import Report


class GradientMismatch(AssertionError):
    """A claimed derivative is wrong; `report` says where and why."""

    __module__ = "gradcheck"  # what a traceback calls it by
    exit_code = ExitCode.FAIL

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.args[0], self.report)


class GradientUndecided(GradientMismatch):
    """The claim could be neither confirmed nor refuted; `report` says why and what to try."""

    __module__ = "gradcheck"
    exit_code = ExitCode.UNDECIDED


class CheckInterrupted(KeyboardInterrupt):
    """Ctrl-C during a check; `report` holds what was known by then."""

    __module__ = "gradcheck"
    exit_code = ExitCode.INTERRUPTED

    def __init__(self, report: Report) -> None:
        super().__init__("the check was interrupted")
        self.report = report


def raise_for(report: Report, *, allow_inconclusive: bool = False) -> None:
    """Raise what the verdict of a report asks for.

    Raises:
        GradientMismatch: the derivative is wrong.
        GradientUndecided: it could not be judged, unless `allow_inconclusive` and something was compared.
        UserCodeError: user code failed.
    """
    if not report.verdict:  # PASS
        return
    if report.verdict is Verdict.FAIL:
        raise GradientMismatch(report.headline, report)
    if report.verdict is Verdict.INCONCLUSIVE and not (allow_inconclusive and report.checked):
        raise GradientUndecided(report.headline, report)
    if report.verdict is Verdict.ERROR:
        kinds = (finding.kind for finding in report.findings if finding.verdict is Verdict.ERROR)
        raise UserCodeError(report.headline, next(kinds, "user_error"))
