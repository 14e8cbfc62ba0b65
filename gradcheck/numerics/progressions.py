"""Wrong entries that follow a rule: a block, or every k-th of all, recognised from the first one found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.numerics.readings import CLEAR

if TYPE_CHECKING:
    from gradcheck.numerics.readings import Reader

WINDOW = 64  # how far around the first found entry its neighbours are tested
NEXT = 3  # terms of a progression beyond one that are read with it
TERMS = 4  # a progression has at least this many wrong entries


class Progressions:
    """Looks for the rule that a found entry follows: one of a block, or of every k-th.

    random: which terms of a rule are tried.
    """

    def __init__(self, reader: Reader, random: np.random.Generator) -> None:
        self.reader, self.random = reader, random
        self.oracle, self.found = reader.oracle, reader.found

    def explain(self, index: int) -> bool:
        """Name the rule that a found entry follows, and leave its entries out from now on; False if there is none."""
        for reach in self._reaches(index):
            stride = self._stride(index, reach)
            if stride is None:
                continue
            terms = self._extent(index, stride)
            if len(terms) >= TERMS and self._follows(terms):
                self.found.patterns.append(terms)
                self.found.wrong = [i for i in self.found.wrong if i not in terms]
                self.oracle.exclude(terms)
                return True
        return False

    def _reaches(self, index: int) -> list[int]:
        """How far to look for the next wrong entry: a few entries, and what the differences of those found have in common."""
        found = self.found.wrong
        reaches = [min(WINDOW, self.oracle.size - 1)] if len(found) <= 2 else []
        if len(found) >= 3:
            common = math.gcd(*(i - index for i in found))
            if common > WINDOW and any(self.reader.is_wrong(i) for i in (index + common, index - common)):
                reaches.append(common)
        return reaches

    def _stride(self, index: int, reach: int) -> int | None:
        """The distance to the nearest wrong entry within reach, on the side where there is one."""
        if not self.reader.holds_error(range(max(0, index - reach), min(index + reach + 1, self.oracle.size)), index):
            return None
        for side in (1, -1):
            count = min(reach, self.oracle.size - 1 - index if side > 0 else index)
            if count < 1:
                continue

            def span(m: int, side: int = side) -> range:
                return range(index + 1, index + 1 + m) if side > 0 else range(index - m, index)

            if not self.reader.holds_error(span(count)):
                continue
            low, high = 0, count  # span(low) is clean, span(high) is not
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self.reader.holds_error(span(middle)) else (middle, high)
            return high
        return None

    def _extent(self, index: int, stride: int) -> range:
        """How far the terms index ± m · stride are wrong without a gap: by doubling m, then bisection, from coarse readings."""

        def clear(side: int, m: int) -> bool:
            most = (self.oracle.size - 1 - index if side > 0 else index) // stride
            ends = sorted(index + side * k * stride for k in (m, min(m + NEXT, most)))
            terms = range(ends[0], ends[1] + 1, stride)  # a few at a time: one may be off by little
            return (
                any(i in terms for i in self.found.wrong) or self.reader.read(terms, self.reader.coarse).clarity > CLEAR
            )

        def last(side: int) -> int:
            limit = (self.oracle.size - 1 - index if side > 0 else index) // stride
            good = 0
            while good < limit:
                base, m = good, 1
                while base + m <= limit and clear(side, base + m):
                    good, m = base + m, 2 * m
                bad = min(base + m, limit + 1)
                if bad > limit > good and clear(side, limit):
                    return limit
                while bad - good > 1:
                    middle = (good + bad) // 2
                    good, bad = (middle, bad) if clear(side, middle) else (good, middle)
                if good == limit or not self.reader.is_wrong(index + side * (good + 1) * stride):
                    return good
                good += 1  # that one was off by little
            return good

        return range(index - last(-1) * stride, index + last(1) * stride + 1, stride)

    def _follows(self, terms: range) -> bool:
        """Whether the terms are wrong indeed, and what lies between them is right."""
        drawn = self.random.choice(len(terms), size=min(TERMS, len(terms)), replace=False).tolist()
        if sum(self.reader.is_wrong(terms[k]) for k in drawn) < min(TERMS, len(terms)) - 1:
            return False
        if terms.step > 1:
            whole, alone = self.reader.read(range(terms[0], terms[-1] + 1)), self.reader.read(terms)
            if abs(whole.value - alone.value) > whole.uncertainty + alone.uncertainty + 1e-9 * abs(alone.value):
                return False
        ends = {terms[0], terms[-1]} - set(self.found.wrong)
        wrong = [i for i in sorted(ends) if self.oracle.confirm(i).wrong]
        self.found.wrong += wrong  # the claim was corrected there, whatever becomes of the rule
        return len(wrong) == len(ends)
