"""What user code raises instead of answering."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.model import FindingKind
from gradcheck.wording import named


def raised(
    role: str,
    call: Callable[..., Any],
    error: BaseException,
    *,
    doing: str = "",
    where: str = " at the point",
    argument: Any = None,
) -> UserCodeError:
    """What is raised when user code raised `error`.

    doing: what it was asked for, if not its value.
    where: it was asked for that.
    argument: what it was handed.  Where it `seems_to_resize` that, it is called once more.
    """
    from gradcheck.evaluation.engines import is_compiled

    name, _, reason = named(error).partition(": ")
    if is_compiled(call) and isinstance(error, Exception):
        from gradcheck.numerics import kernels

        reason = kernels.reason(error)  # what would help
    if argument is not None and seems_to_resize(error) and _resizes(call, argument):
        message = f"{role} changes the size of its argument, which is the caller's; let it work on a copy"
        return UserCodeError(message, FindingKind.MUTATES_INPUT, role)
    remedy = "; give its further arguments with args (--args)" if _lacks_arguments(error, reason) else ""
    return UserCodeError(f"{role}{doing} raised {name}{where}: {reason}".rstrip(": ") + remedy, role=role)


def seems_to_resize(error: BaseException) -> bool:
    """Whether NumPy has refused to change the size of some array."""
    return isinstance(error, ValueError) and "cannot resize this array" in str(error)


def _resizes(call: Callable[..., Any], argument: Any) -> bool:
    """Whether it was the argument, as shows with one that NumPy lets it change."""
    if not isinstance(argument, np.ndarray):
        return False
    own = argument.copy()
    with contextlib.suppress(Exception):
        call(own)
    return own.size != argument.size


def _lacks_arguments(error: BaseException, reason: str) -> bool:
    """Whether user code was not even entered, for want of arguments."""
    if not isinstance(error, TypeError) or "missing" not in reason or "required" not in reason:
        return False
    from gradcheck.evaluation.tracebacks import pruned

    return pruned(error.__traceback__) is None
