"""Which of many entries are wrong, by adaptive group testing (Dorfman, Ann. Math. Stat. 14, 1943; Du & Hwang, 2000).

A reading of a set S is  r(S) = Σ_{i ∈ S} w_i e_i  with e the errors of the claim and w a random direction: 0 if no entry of S is
wrong, else something else.  Readings add up, so that of two halves one is read and the other inferred.  A second reading with
weights that rise along S, divided by the first, points at a lone error directly.  Found errors are taken out of the claim and
the search goes on until fresh directions read 0.  Errors that follow a rule (a block, every k-th entry) are recognised from the
first one found; errors too many to name are counted by sampling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.numerics.progressions import Progressions
from gradcheck.numerics.readings import Dense, Located, Oracle, Reader, Reading

VISIBLE = 4.0  # a reading this many times its uncertainty is worth others with rising weights, …
FAINT = 16.0  # … while one below this leaves no room for others that can be seen
MORE = 2  # further directions that are tried where one is not
HOPEFUL = 0.4  # … which are taken to be this share of their uncertainty off
SPREAD = 8  # more sets than this where all errors together are hardly visible: they will not be found one by one
CROWD = 64  # more sets than this, each with an error in it, raise the question how many errors there are
MANY = 120  # more wrong entries than this are reported as dense, not one by one
SAMPLE = 48  # sets read for each size when errors are counted; …
ENOUGH = 8  # … if the first so many all hold one, the size is too large
FUTILE = 3  # rounds that find nothing although the reading says otherwise, until the search gives up
TOLERATED = 3  # entries that are off but within tolerance, until the rest is taken to be alike
FRESH = 2  # directions that must read 0 at the end


@dataclass(frozen=True, slots=True)
class _Set:
    where: range
    reading: Reading
    lone: bool = True  # may hold one error only


def _around(where: range, ratio: float, spread: float) -> range:
    """The part of a set in which a lone error is, whose reading with rising weights is ratio ± spread of that without."""
    n = len(where)
    centre, margin = (ratio - 0.5) * n - 0.5, 0.01 + spread * n
    return where[max(0, math.ceil(max(centre - margin, 0))) : max(0, math.floor(min(centre + margin, n - 1)) + 1)]


class Locator:
    """Searches the entries behind `oracle`; `found` is up to date at any moment.

    known: readings of everything along earlier directions.
    fresh: readings since the last one that showed an error.
    """

    def __init__(self, oracle: Oracle, known: dict[int, Reading] | None = None) -> None:
        self.oracle, self.known = oracle, dict(known or {})
        self.found = Located()
        self.reader = Reader(oracle, self.found)
        self.lone_size = oracle.size
        self.sharp_size = oracle.size  # rising weights did not tell more than half a set of four times that size
        self.queue: list[_Set] = []
        self.tried: set[int] = set()
        self.vain = 0  # entries of this round that were judged, and are right
        self.fresh: list[Reading] = []
        self.random = np.random.Generator(np.random.Philox(key=[len(self.known), oracle.size]))
        self.rules = Progressions(self.reader, self.random)

    def locate(self) -> Located:
        """Rounds of search, each along another direction, until fresh directions are clean or nothing more can be found."""
        clean = futile = 0
        while clean < FRESH and futile < FUTILE and self.found.tolerated < TOLERATED:
            everything = range(self.oracle.size)
            if self.known:
                self.reader.number, reading = max(self.known.items(), key=lambda item: item[1].clarity)
                self.known.clear()
            else:
                self.reader.number = self.oracle.fresh()
                reading = self.oracle.residual(everything, self.reader.number)
            if not reading.dirty:
                clean += 1
                self.fresh.append(reading)
                continue
            clean, self.fresh = 0, []
            reading = self._clearer(reading)
            self.reader.sharp = reading.uncertainty / 2
            before = len(self.found.wrong) + len(self.found.patterns) + self.found.tolerated
            self.queue = [_Set(everything, reading)]
            self.tried, self.vain, self.sharp_size = set(), 0, self.oracle.size
            if not self._round():
                return self.found
            if len(self.found.wrong) + len(self.found.patterns) + self.found.tolerated == before:
                futile += 1
                self.oracle.doubt()
        self.found.clean = clean >= FRESH and not futile
        self.found.open_sets = 0
        return self.found

    def _clearer(self, reading: Reading) -> Reading:
        """The reading along the best of a few directions, if the first shows hardly more than that something is wrong."""
        for _ in range(MORE):
            if reading.clarity >= VISIBLE:
                break
            number = self.oracle.fresh()
            another = self.oracle.residual(range(self.oracle.size), number)
            if another.clarity > reading.clarity:
                self.reader.number, reading = number, another
        return reading

    # ---- one round

    def _round(self) -> bool:
        """Open sets until none is left; False if the errors are too many, or too small for their number."""
        counted, faint = False, self.queue[0].reading.clarity < FAINT
        while self.queue:
            self.found.open_sets = len(self.queue)
            if not counted and len(self.queue) > CROWD:
                counted = True
                if self._too_many():
                    return False
            if len(self.found.wrong) > MANY:
                self.found.dense = count(self.reader, self.oracle.size, self.random)
                return False
            if faint and (len(self.queue) > SPREAD or self.vain > 1):
                return False
            if self.found.tolerated >= TOLERATED:
                return True
            if len(self.found.wrong) < 3:  # straight down to the first few, then evenly
                item = self.queue.pop()
            else:
                item = self.queue.pop(max(range(len(self.queue)), key=lambda k: len(self.queue[k].where)))
            if len(item.where) == 1:
                self._settle(item, item.where[0])
            elif not self._alone(item):
                self._split(item)
        return True

    def _too_many(self) -> bool:
        dense = count(self.reader, self.oracle.size, self.random)
        if dense.count > MANY:
            self.found.dense = dense
        return self.found.dense is not None

    def _push(self, *items: _Set) -> None:
        """Keep the sets that hold an error; the clearest is opened first."""
        dirty = [item for item in items if item.where and item.reading.dirty]
        self.queue += sorted(dirty, key=lambda item: abs(item.reading.value))

    def _split(self, item: _Set) -> None:
        where, reading = item.where, item.reading
        middle = len(where) // 2
        self._divide(where[:middle], where[middle:], reading)

    def _divide(self, first: range, second: range, reading: Reading) -> None:
        """Read the first of two sets and infer the second, or read it too where inference is not sharp enough.

        Near the limit of what can be seen, one error is all that is looked for: it is where the first is not.
        """
        if not first or not second:
            self._push(_Set(first or second, reading))
            return
        one = self.reader.read(first, abs(reading.value) / 16)
        two = reading.minus(one)
        limit = reading.clarity < FAINT and one.uncertainty > reading.uncertainty / 4
        if limit and abs(one.value) < abs(reading.value) / 4:
            one, two = replace(one, value=0.0), reading
        elif limit and not two.dirty:
            two = two if one.dirty else self.reader.read(second, one.uncertainty)
        elif two.clarity < 4 and one.uncertainty < two.uncertainty / 2:
            two = self.reader.read(second, one.uncertainty)
        self._push(_Set(first, one), _Set(second, two))

    def _alone(self, item: _Set) -> bool:
        """Treat the set as if it held one error: rising weights say where.  False if that is not so, or was not tried.

        Each reading narrows the place to a window, and the next one, over the window alone, is 0 if the error is not there.
        Uncertainties are bounds that are rarely reached: the window is taken narrower than they ask for, until one misses.
        """
        reading, window = item.reading, item.where
        if not item.lone or len(window) > min(self.lone_size, self.sharp_size) or reading.clarity < VISIBLE:
            return False
        share, wider = HOPEFUL, window
        while len(window) > 1:
            n = len(window)
            rising = self.oracle.residual(window, self.reader.number, ramp=True, wanted=abs(reading.value) / 256)
            ratio = rising.value / reading.value
            spread = (rising.uncertainty + abs(ratio) * reading.uncertainty) / abs(reading.value)
            present = abs(ratio - 1) <= 0.5 + spread
            if not present and share < 1 and n < len(item.where):
                share, window = 1.0, wider
                reading = self.reader.read(wider, self.reader.sharp)
                if reading.clarity >= VISIBLE:
                    continue
            widest = _around(window, ratio, spread)
            if not present or not widest:
                self.lone_size = min(self.lone_size, len(item.where) // 2)
                return False
            inner = _around(window, ratio, spread * HOPEFUL)
            if len(inner) <= 1:
                inner = widest
            if len(inner) > max(1, n // 2):
                self.sharp_size = n // 4
                self._split(_Set(window, reading))
                return True
            share, wider, window = HOPEFUL, widest, inner
        self._settle(item, window[0])
        return True

    def _settle(self, item: _Set, index: int) -> None:
        """Judge one entry; what the set reads without it decides whether the set stays open."""
        if index in self.tried:
            if len(item.where) > 1:
                self._split(item)
            return
        self.tried.add(index)
        trial = self.oracle.confirm(index)
        if trial.shift == 0:
            self.vain += 1
            if len(item.where) > 1:
                self.lone_size = min(self.lone_size, len(item.where) // 2)
                self._split(item)
            return
        moved = trial.shift * self.oracle.weight(self.reader.number, index)
        rest = Reading(item.reading.value - moved, item.reading.uncertainty + 1e-9 * abs(moved))
        if len(item.where) > 1 and rest.dirty:
            self._push(_Set(item.where, rest, lone=abs(rest.value) < 0.5 * abs(item.reading.value)))
        if trial.wrong:
            self.found.wrong.append(index)
            self.reader.coarse = abs(trial.shift) / 64
            if len(self.found.wrong) <= 5 and self.rules.explain(index):
                self.queue.clear()
        else:
            self.found.tolerated += 1


def count(reader: Reader, size: int, random: np.random.Generator) -> Dense:
    """How many entries are wrong, from the share of random sets of one size that hold an error."""
    n = max(1, size // 128)
    while True:
        count = min(SAMPLE, size // n)
        starts = random.choice(size // n, size=count, replace=False) * n
        held: list[bool] = []
        for start in starts.tolist():
            held.append(reader.holds_error(range(start, start + n)))
            if len(held) == ENOUGH and all(held) and n > 1:
                break
        share = sum(held) / len(held)
        if share <= 0.8 or n == 1:
            break
        n = max(1, n // 8)
    error = math.sqrt(max(share * (1 - share), 1 / count) / count)

    def number(p: float) -> int:
        p = min(max(p, 0.0), 1.0)
        return round(p * size) if n == 1 else round(-math.log1p(-min(p, 1 - 1 / (2 * count))) * size / n)

    return Dense(max(number(share), 1), number(share - error), number(share + error))
