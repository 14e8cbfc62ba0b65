"""Making a point at which a check fails as simple as can be: few entries that are not 0, and short numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TRIALS = 200  # checks that this may take
LARGEST = 3  # entries that are tried alone
DIGITS = (1, 2, 3, 5)
SIMPLE = (0.0, 1.0, -1.0)


def shrunk(x: Array, fails: Callable[[Array], bool]) -> Array:
    """A point as simple as can be at which the check still fails.

    fails: whether it does at a point; asked at most TRIALS times.
    """
    left = TRIALS

    def accepted(candidate: Array) -> bool:
        nonlocal left
        if left <= 0 or np.array_equal(candidate, x):
            return False
        left -= 1
        return fails(candidate)

    for lone in _lone(x):
        if accepted(lone):
            x = lone
            break
    for simple in SIMPLE:
        x = _simplified(x, simple, accepted)
    for digits in DIGITS:
        rounded = _rounded(x, digits)
        if accepted(rounded):
            x = rounded
            break
    for entry in np.flatnonzero(~np.isin(x, SIMPLE)).tolist():
        for shorter in _shorter(float(x[entry])):
            candidate = x.copy()
            candidate[entry] = shorter
            if accepted(candidate):
                x = candidate
                break
    return x


def _lone(x: Array) -> Iterator[Array]:
    """Points with one entry that is not 0: one of the largest, or one that has all that the others had."""
    if np.count_nonzero(x) < 2:
        return
    total, length = float(x.sum()), float(np.sqrt(x @ x))
    for entry in np.argsort(-np.abs(x), kind="stable")[:LARGEST].tolist():
        value = float(x[entry])
        for lone in (value, total, float(np.copysign(length, value)), -value):
            alone = np.zeros_like(x)
            alone[entry] = lone
            yield alone


def _simplified(x: Array, simple: float, accepted: Callable[[Array], bool]) -> Array:
    """Groups of entries replaced by a simple number, then smaller groups of what is left (Zeller's delta debugging, 1999)."""
    odd = np.flatnonzero(~np.isin(x, SIMPLE))
    size = odd.size
    while size:
        for low in range(0, odd.size, size):
            candidate = x.copy()
            candidate[odd[low : low + size]] = simple
            if accepted(candidate):
                x = candidate
        odd = np.flatnonzero(~np.isin(x, SIMPLE))
        size = min(size, odd.size) // 2 if size > 1 else 0
    return x


def _rounded(x: Array, digits: int) -> Array:
    return np.array([_round(value, digits) for value in x.tolist()])


def _round(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _shorter(value: float) -> Iterator[float]:
    """Numbers near a number that are written shorter, the shortest first."""
    for digits in DIGITS:
        near = _round(value, digits)
        unit = 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1) if value else 1.0
        for candidate in (
            near,
            _round(near + np.copysign(unit, value), digits),
            _round(near - np.copysign(unit, value), digits),
        ):
            if len(repr(candidate)) < len(repr(value)):
                yield candidate
