"""The exceptions of gradcheck; each knows the exit code that the command line gives it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.model import FindingKind, Report


class ExitCode(enum.IntEnum):
    """What the process returns to its caller."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    UNDECIDED = 3
    INTERRUPTED = 130


class GradcheckError(Exception):
    """Base of every error that gradcheck raises about its input.

    The message is one line: it names the thing that is wrong and the remedy.
    """

    exit_code = ExitCode.USAGE


class UsageError(GradcheckError):
    """An argument or option that makes no sense, or two that contradict each other."""


class TargetError(GradcheckError):
    """A target such as ``module:attr`` that cannot be resolved to a callable."""


class PointError(GradcheckError):
    """A point that cannot be read, or that is no array of finite floats."""


class ConfigError(GradcheckError):
    """A declared check that is malformed; the message names file and key."""


class OutputError(GradcheckError):
    """A report that cannot be written where it was asked to go."""


class UserCodeError(GradcheckError):
    """Code of the user raised, or returned something that is no number, where a value was needed.

    When the user's code raised, ``__cause__`` is the original exception with its own traceback.

    kind: the finding under which a report lists it.
    role: whose fault it is: 'f', 'grad', 'hess', …
    """

    exit_code = ExitCode.UNDECIDED

    def __init__(self, message: str, kind: FindingKind | str = "user_error", role: str = "f") -> None:
        super().__init__(message)
        self.kind = kind
        self.role = role


class GradientMismatch(AssertionError):
    """A claimed derivative is wrong; `report` says where and why."""

    exit_code = ExitCode.FAIL

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.args[0], self.report)


class GradientUndecided(GradientMismatch):
    """The claim could be neither confirmed nor refuted; `report` says why and what to try."""

    exit_code = ExitCode.UNDECIDED


class CheckInterrupted(KeyboardInterrupt):
    """Ctrl-C during a check; `report` holds what was known by then."""

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
    from gradcheck.model import Verdict  # not above: `import gradcheck.errors` is to be light

    if report.verdict is Verdict.FAIL:
        raise GradientMismatch(report.headline, report)
    if report.verdict is Verdict.INCONCLUSIVE and not (allow_inconclusive and report.checked):
        raise GradientUndecided(report.headline, report)
    if report.verdict is Verdict.ERROR:
        kinds = (finding.kind for finding in report.findings if finding.verdict is Verdict.ERROR)
        raise UserCodeError(report.headline, next(kinds, "user_error"))


class OutOfTime(BaseException):
    """The budget is spent.  Like `KeyboardInterrupt`, it must not be taken for an error of the code that it ends.

    cut_short: a call of user code was.
    """

    exit_code = ExitCode.UNDECIDED

    def __init__(self, *, cut_short: bool = False) -> None:
        super().__init__("the budget is spent")
        self.cut_short = cut_short


_interrupts: tuple[type[BaseException], ...] = (KeyboardInterrupt, OutOfTime)


def is_interrupt(error: BaseException) -> bool:
    """Whether an exception that comes out of user code is not about that code: such are let through wherever it is called."""
    return isinstance(error, _interrupts)


def let_through(*kinds: type[BaseException]) -> None:
    """Let exceptions of these kinds end a check as Ctrl-C does, and reach its caller: those of a test framework, say."""
    global _interrupts
    _interrupts = tuple({**dict.fromkeys(_interrupts), **dict.fromkeys(kinds)})
