"""What user code raises instead of answering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.errors import UserCodeError


def raised(
    role: str, call: Callable[..., Any], error: BaseException, *, doing: str = "", where: str = " at the point"
) -> UserCodeError:
    """What is raised when user code raised `error`.

    doing: what it was asked for, if not its value.
    where: it was asked for that.
    """
    from gradcheck.evaluation.compilation import what_was_raised

    remedy = "; give its further arguments with args (--args)" if _lacks_arguments(error) else ""
    return UserCodeError(f"{role}{doing} raised {what_was_raised(call, error, where)}{remedy}", role=role)


def _lacks_arguments(error: BaseException) -> bool:
    """Whether user code was not even entered, for want of arguments."""
    if not isinstance(error, TypeError) or "missing" not in str(error) or "required" not in str(error):
        return False
    from gradcheck.evaluation.tracebacks import pruned

    return pruned(error.__traceback__) is None
