"""Coming closer to the other outcome of a decision: by what its operands are, entry by entry, along the slope.

What search-based testing calls branch distance (Korel, IEEE Trans. Softw. Eng. 16, 1990) is followed like a function to be made
zero: a secant for each entry, for the length and for the mean of x, then steps along the slope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.evaluation.branches import Distance
from gradcheck.numerics.directions import Stream, uniform
from gradcheck.reach.candidates import asked_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Look = Callable[["Array"], Distance]
"""How far a point is; inf where the decision is not come to.  It may raise `Spent`."""

TRIALS = (1e-3, 3.0)  # steps that show a slope, as shares of what they change; the larger ones where nothing moves
MOST_ENTRIES = 48  # entries whose slopes are tried, chosen at random where there are more
ROUNDS, SECANTS = 6, 6
OVERSHOOT = (1e-3, 1e-7)  # by how much a step goes beyond where the distance should be 0
INWARD = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3)  # how much further, in lengths of the last step, it is still inside


class Spent(Exception):
    """No more looks are to be had."""


def pursue(x: Array, distance: Distance, look: Look, within: Callable[[Array], Array], seed: int) -> Array | None:
    """A point at which the distance is 0, well inside if that can be; None if none is found.

    x, distance: where to start, and how far that is.
    look: as above.
    within: the nearest point that is allowed.
    """
    for candidate in asked_for(x, distance.wishes):
        candidate = within(candidate)
        if look(candidate).far == 0:
            return candidate
    here, far = x, distance.far
    for _ in range(ROUNDS):
        if not far < math.inf:
            return None
        slopes: list[tuple[_Move, float]] = []
        for trial in TRIALS:
            for move in () if slopes else _moves(here, seed):
                slope = _slope(here, far, move, trial, look, within)
                slopes += [(move, slope)] if slope else []
        slopes.sort(key=lambda pair: abs(far / pair[1]))
        before = far
        for move, slope in slopes[:SECANTS]:
            here, far, step = _secant(here, far, move, slope, look, within)
            if far == 0:
                return _inward(here, step, look, within)
        entries = [(move.entry, slope) for move, slope in slopes if move.entry >= 0]
        if len(entries) > 1:
            here, far, step = _along_slope(here, far, entries, look, within)
            if far == 0:
                return _inward(here, step, look, within)
        for candidate in asked_for(here, look(here).wishes):
            if look(within(candidate)).far == 0:
                return within(candidate)
        if not far < before:
            return None
    return None


class _Move:
    """One way to change a point by an amount: an entry, the length, or the mean."""

    def __init__(self, entry: int) -> None:
        self.entry = entry  # −1 the length, −2 the mean

    def of(self, x: Array, amount: float) -> Array:
        if self.entry == -1:
            return x * (1 + amount)
        moved = x.copy()
        if self.entry == -2:
            moved += amount
        else:
            moved[self.entry] += amount
        return moved

    def size(self, x: Array) -> float:
        """An amount that changes the point as a whole."""
        if self.entry == -1:
            return 1.0
        size = abs(float(x[self.entry])) if self.entry >= 0 else float(np.abs(x).mean())
        return size or 1.0


def _moves(x: Array, seed: int) -> Iterator[_Move]:
    yield _Move(-1)
    yield _Move(-2)
    entries = range(x.size)
    if x.size > MOST_ENTRIES:
        order = np.argsort(uniform(x.size, seed, Stream.REACH))
        entries = order[:MOST_ENTRIES].tolist()
    yield from map(_Move, entries)


def _slope(x: Array, far: float, move: _Move, trial: float, look: Look, within: Callable[[Array], Array]) -> float:
    """The change of the distance with the amount; 0 if it does not change."""
    size = move.size(x)
    for amount in (trial * size, -trial * size):
        moved = look(within(move.of(x, amount))).far
        if moved < math.inf and moved != far:
            return (moved - far) / amount
    return 0.0


def _secant(
    x: Array, far: float, move: _Move, slope: float, look: Look, within: Callable[[Array], Array]
) -> tuple[Array, float, Array]:
    """Follow one move to where the distance should be 0, and again from there while it falls; the last step as well."""
    step = np.zeros_like(x)
    for _ in range(SECANTS):
        for beyond in OVERSHOOT:
            amount = -far / slope * (1 + beyond)
            candidate = within(move.of(x, amount))
            reached = look(candidate).far
            if reached < far:
                break
        else:
            return x, far, step
        step, slope = candidate - x, (reached - far) / amount
        x, far = candidate, reached
        if far == 0 or slope == 0:
            break
    return x, far, step


def _along_slope(
    x: Array, far: float, entries: list[tuple[int, float]], look: Look, within: Callable[[Array], Array]
) -> tuple[Array, float, Array]:
    """A step along the slope over all entries, shortened until the distance falls."""
    slope = np.zeros_like(x)
    for entry, value in entries:
        slope[entry] = value
    whole = -far * slope / float(slope @ slope)
    for share in (1 + OVERSHOOT[0], 0.5, 0.1):
        candidate = within(x + share * whole)
        reached = look(candidate).far
        if reached < far:
            return candidate, reached, candidate - x
    return x, far, np.zeros_like(x)


def _inward(x: Array, step: Array, look: Look, within: Callable[[Array], Array]) -> Array:
    """Half-way to the farthest point tried in the direction of the last step at which the distance is still 0."""
    for share in INWARD:
        if look(within(x + share * step)).far == 0:
            middle = within(x + share / 2 * step)
            return middle if look(middle).far == 0 else x
    return x


__all__ = ["Spent", "pursue"]
