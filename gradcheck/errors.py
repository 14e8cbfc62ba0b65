"""The exceptions of gradcheck; each knows the exit code that the command line gives it.

Those that carry a report stand with it, in `gradcheck.model.raised`.
"""

from __future__ import annotations

import enum


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

    kind: the finding under which a report lists it, a `FindingKind` by its value.
    role: whose fault it is: 'f', 'grad', 'hess', …
    """

    exit_code = ExitCode.UNDECIDED

    def __init__(self, message: str, kind: str = "user_error", role: str = "f") -> None:
        super().__init__(message)
        self.kind = kind
        self.role = role


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
