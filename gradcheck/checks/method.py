"""Which method is worth its cost: every entry, or random directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck.model import Method

if TYPE_CHECKING:
    from gradcheck.evaluation.function import Function
    from gradcheck.methods.problem import Watcher
    from gradcheck.options.keywords import Options

PATIENCE = 5.0  # seconds that comparing every entry may be expected to take before random directions are preferred
FEW_ENTRIES = 1000  # up to this dimension every entry is compared whatever it takes, …
MANY_ENTRIES = 200_000  # … and above this one random directions are taken however fast f is
DIRECTIONS = 2  # how many random directions, unless asked for
SLOW = 0.1  # seconds a call of f from which it is said beforehand what the check will take


def worthwhile(options: Options, watcher: Watcher, function: Function, columns: int) -> Method:
    """The method asked for, or the one that is worth its cost for so many columns to be differenced."""
    asked = Method(str(options.method))
    if asked is not Method.AUTO:
        return asked
    if options.directions is not None:
        return Method.DIRECTIONS
    seconds, first = watcher.seconds / max(function.calls, 1), function.first_seconds
    expected = 2 * columns * (seconds if first is None else first)  # what a resumed check is to choose again
    patience = PATIENCE if options.budget is None else min(PATIENCE, options.budget / 2)
    many = columns > FEW_ENTRIES and (columns > MANY_ENTRIES or expected > patience)
    return Method.DIRECTIONS if many else Method.COORDINATES


def pressed(watcher: Watcher, function: Function, columns: int) -> bool:
    """Whether f is slow, and there is no time to compare so many columns."""
    left = watcher.left
    return left is not None and function.seconds > SLOW and 2 * columns * function.seconds / function.at_once > left


__all__ = ["DIRECTIONS", "FEW_ENTRIES", "SLOW", "pressed", "worthwhile"]
