"""What user code raises instead of answering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.errors import UserCodeError


def raised(role: str, call: Callable[..., Any], error: Exception, doing: str = "") -> UserCodeError:
    """What is raised when user code raised `error` at the point itself; `doing`: what it was asked for, if not its value."""
    from gradcheck.evaluation.compilation import what_was_raised

    return UserCodeError(f"{role}{doing} raised {what_was_raised(call, error)}", role=role)
