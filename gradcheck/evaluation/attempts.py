"""Calls of user code that may well fail, to learn whether it can be called at all."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradcheck.errors import is_interrupt


class Attempt(NamedTuple):
    """What came of a call: its value, or in a few words what it raised; '' if nothing."""

    value: Any
    error: str


def attempt(function: Callable[..., Any], *args: Any) -> Attempt:
    """Call a function, silent about warnings, and with copies of arrays, which it may write into."""
    given = [value.copy() if isinstance(value, np.ndarray) else value for value in args]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return Attempt(function(*given), "")
    except BaseException as error:
        if is_interrupt(error) or isinstance(error, (KeyboardInterrupt, MemoryError)):
            raise
        return Attempt(None, f"{type(error).__name__}: {error}".split("\n")[0].removesuffix(": "))
