"""Readings of sets of entries: what they are, who gives them, and what is known of the wrong entries by them.

A reading of a set S is  r(S) = Σ_{i ∈ S} w_i e_i  with e the errors of the claim and w a random direction: 0 if no entry of S is
wrong, else something else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

CLEAR = 8.0  # a reading this many times its uncertainty is beyond doubt


@dataclass(frozen=True, slots=True)
class Reading:
    """r(S) and a bound on its error."""

    value: float
    uncertainty: float

    @property
    def dirty(self) -> bool:
        """Whether an entry of S must be wrong."""
        return abs(self.value) > self.uncertainty

    @property
    def clarity(self) -> float:
        """How many times its uncertainty the value is."""
        return abs(self.value) / (self.uncertainty or 1e-300)

    def minus(self, other: Reading) -> Reading:
        """What remains when a part is taken off."""
        return Reading(self.value - other.value, math.hypot(self.uncertainty, other.uncertainty))


@dataclass(frozen=True, slots=True)
class Trial:
    """The verdict on one entry.  shift: by how much its error counts from now on less in every reading, per unit of weight."""

    wrong: bool
    shift: float


class Oracle(Protocol):
    """What the search asks of its surroundings; `where` is a range of indices, with any positive stride."""

    @property
    def size(self) -> int:
        """The number of entries."""

    def fresh(self) -> int:
        """The number of a direction that was not used before."""

    def residual(self, where: range, number: int, *, ramp: bool = False, wanted: float = 0.0) -> Reading:
        """r(where) along direction `number`; with `ramp`, weights multiplied by numbers that rise evenly from 0.5 to 1.5.

        An uncertainty of `wanted` suffices; without it, the reading is as sharp as can be.
        """

    def weight(self, number: int, index: int) -> float:
        """w_i of direction `number`."""

    def confirm(self, index: int) -> Trial:
        """Judge one entry on its own; if it is off, replace the claim there."""

    def exclude(self, where: range) -> None:
        """These entries are explained: they have weight 0 from now on."""

    def doubt(self) -> None:
        """Readings contradicted each other: trust predictions of their error less."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Too many wrong entries to name: an estimate of how many, and an interval that holds it two times in three."""

    count: int
    low: int
    high: int


@dataclass(slots=True)
class Located:
    """What is known so far; filled in as the search goes on, so that an interrupted one leaves it.

    wrong: confirmed entries, in the order found.
    patterns: progressions whose terms are wrong.
    clean: fresh directions read 0.
    open_sets: sets that hold an error still.
    """

    wrong: list[int] = field(default_factory=list)
    patterns: list[range] = field(default_factory=list)
    dense: Dense | None = None
    tolerated: int = 0
    clean: bool = False
    open_sets: int = 0


class Reader:
    """Reads sets along the direction of a round, as sharply as is asked for.

    number: of that direction.
    coarse: a small part of what one found error changes.
    sharp: as sharp as the reading that started the round: smaller errors are below its limit.
    """

    def __init__(self, oracle: Oracle, found: Located) -> None:
        self.oracle, self.found = oracle, found
        self.number, self.coarse, self.sharp = -1, 0.0, 0.0

    def read(self, where: range, wanted: float = 0.0) -> Reading:
        """The reading of a set; an uncertainty of `wanted` suffices."""
        return self.oracle.residual(where, self.number, wanted=max(wanted, self.sharp))

    def holds_error(self, where: range, besides: int = -1) -> bool:
        """Whether another entry of the set is wrong: a coarse reading says so at once, or a sharp one has to."""
        if any(i in where and i != besides for i in self.found.wrong):
            return True
        coarse = self.read(where, self.coarse)
        if coarse.clarity > CLEAR or coarse.uncertainty <= 2 * self.sharp:
            return coarse.dirty
        return self.read(where).dirty

    def is_wrong(self, index: int) -> bool:
        """Whether one entry is off."""
        return 0 <= index < self.oracle.size and self.holds_error(range(index, index + 1))
