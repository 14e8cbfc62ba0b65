"""What user code raises instead of answering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.errors import UserCodeError
from gradcheck.wording import named


def raised(
    role: str, call: Callable[..., Any], error: BaseException, *, doing: str = "", where: str = " at the point"
) -> UserCodeError:
    """What is raised when user code raised `error`.

    doing: what it was asked for, if not its value.
    where: it was asked for that.
    """
    from gradcheck.evaluation.engines import is_compiled

    name, _, reason = named(error).partition(": ")
    if is_compiled(call) and isinstance(error, Exception):
        from gradcheck.numerics import kernels

        reason = kernels.reason(error)  # what would help
    remedy = "; give its further arguments with args (--args)" if _lacks_arguments(error, reason) else ""
    return UserCodeError(f"{role}{doing} raised {name}{where}: {reason}".rstrip(": ") + remedy, role=role)


def _lacks_arguments(error: BaseException, reason: str) -> bool:
    """Whether user code was not even entered, for want of arguments."""
    if not isinstance(error, TypeError) or "missing" not in reason or "required" not in reason:
        return False
    from gradcheck.evaluation.tracebacks import pruned

    return pruned(error.__traceback__) is None
