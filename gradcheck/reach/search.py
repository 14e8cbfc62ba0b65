"""The search for points that run lines that never ran: usual suspects first, then one undecided decision after another."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.branches import Distance
from gradcheck.evaluation.recording import Way, Witness
from gradcheck.model import Report, Verdict
from gradcheck.numerics.directions import direction
from gradcheck.reach.candidates import usual
from gradcheck.reach.pursuit import Spent, pursue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CALLS = 300  # of the claim, checks included
LOOKS = 6000  # calls of f that only see where it goes
ATTEMPTS = 2  # at one outcome
RETRIES = 3  # points beside one at which a check could not tell
ASIDE = 1e-3  # how far beside, relative to x
UNREACHED = Distance(math.inf)


@dataclass(slots=True, eq=False)
class Found:
    """What a search came to.

    failed: the point at which the check fails, and its report; None if none was found.
    passed, open: points that go another way than all before at which the check passed, or could not tell.
    nfev, ngev: calls of f and of the claim.
    spent: the search ended because its calls were used up.
    """

    failed: tuple[Array, Report] | None = None
    passed: list[Array] = field(default_factory=list)
    open: list[Array] = field(default_factory=list)
    nfev: int = 0
    ngev: int = 0
    spent: bool = False


class Search:
    """Looks for points around `x`, (n,), at which f or the claim goes another way.

    witness: calls 'f' and 'claim'.
    within: the nearest point that is allowed.
    check: a whole check at a point; None where it cannot be made.
    expired: whether time is up.
    """

    def __init__(
        self,
        witness: Witness,
        x: Array,
        *,
        within: Callable[[Array], Array],
        check: Callable[[Array], Report | None],
        expired: Callable[[], bool],
        seed: int,
    ) -> None:
        self.witness, self.x, self.within, self.check, self.expired, self.seed = (
            witness, x, within, check, expired, seed,
        )  # fmt: skip
        self.found = Found()
        self.seen: set[Any] = set()  # instructions and ways
        self.settled: set[Any] = set()  # … at typical points
        self.best: dict[Way, tuple[Distance, Array]] = {}
        self.roles: dict[Way, str] = {}
        self.attempts: dict[Way, int] = {}

    def run(self) -> Found:
        """Search until a check fails, nothing is left to be reached, or the calls are used up."""
        try:
            self._learn(self.x)
            self._try_usual()
            while not self._done() and (way := self._next()) is not None:
                self._pursue(way)
        except Spent:
            self.found.spent = True
        self.found.nfev += self.witness.made["f"]
        self.found.ngev += self.witness.made["claim"]
        return self.found

    # ---- what is left

    def _done(self) -> bool:
        if self.found.failed is not None:
            return True
        return not self._open_ways() and not any(routine.missed for routine in self.witness.recorder.routines)

    def _open_ways(self) -> list[Way]:
        return [way for way in self.best if way not in self.settled and self.attempts.get(way, 0) < ATTEMPTS]

    def _next(self) -> Way | None:
        """The outcome to go for: of branches before those of values, of f before those of the claim, the untried, the near."""

        def order(way: Way) -> tuple[bool, int, bool, bool, float]:
            decision, _ = way
            equality = any(wish.relation == "==" for wish in self.best[way][0].wishes)
            return (
                not decision.branches,
                self.attempts.get(way, 0),
                equality,
                self.roles[way] != "f",
                self.best[way][0].far,
            )

        return min(self._open_ways(), key=order, default=None)

    def _require_calls(self) -> None:
        if self.found.ngev + self.witness.made["claim"] >= CALLS or self.witness.made["f"] >= LOOKS or self.expired():
            raise Spent

    # ---- looking

    def _learn(self, x: Array) -> bool:
        """Look at a point; whether something goes another way there than ever before, and all is sound.

        Where all entries are equal much cancels, so that what happens there must happen elsewhere, too, to count.
        """
        self._require_calls()
        if not np.isfinite(x).all():
            return False
        new, typical = False, x.size == 1 or np.ptp(x) > 0
        for role in ("f", "claim"):
            sight = self.witness.look(x, role)
            for way, distance in sight.nearest.items():
                self.roles.setdefault(way, role)
                if typical and (way not in self.best or distance.far < self.best[way][0].far):
                    self.best[way] = distance, x
            if not sight.sound:
                return False
            seen: set[Any] = {*sight.places, *sight.taken}
            new |= not seen <= self.seen
            self.seen |= seen
            if typical:
                new |= not seen <= self.settled
                self.settled |= seen
        return new

    def _visit(self, x: Array) -> bool:
        """Look at a point, and check there if it is worth it; whether it was."""
        if not self._learn(x):
            return False
        self._judge(x)
        return True

    def _judge(self, x: Array) -> None:
        """Check at a point; beside it, where the check cannot tell."""
        for number in range(RETRIES + 1):
            self._require_calls()
            aside = x * (1 + ASIDE * direction(x.size, self.seed, number)) if number else x
            report = self.check(self.within(aside))
            if report is None:
                continue
            self.found.nfev += report.nfev
            self.found.ngev += report.ngev
            if report.verdict is Verdict.FAIL:
                self.found.failed = self.within(aside), report
                return
            if report.verdict is Verdict.PASS:
                self.found.passed.append(aside)
                return
        self.found.open.append(x)

    def _try_usual(self) -> None:
        for candidate in usual(self.x):
            self._visit(self.within(candidate))
            if self.found.failed is not None:
                return

    def _pursue(self, way: Way) -> None:
        attempt = self.attempts[way] = self.attempts.get(way, 0) + 1
        distance, x = self.best[way]
        role = self.roles[way]

        def look(there: Array) -> Distance:
            self._require_calls()
            if not np.isfinite(there).all():
                return UNREACHED
            return self.witness.look(there, role).nearest.get(way, UNREACHED)

        if attempt > 1:
            x = self.within(x * (1 + 0.3 * direction(x.size, self.seed, attempt)))
            distance = look(x)
        there = pursue(x, distance, look, self.within, self.seed + attempt)
        if there is not None:
            self._visit(there)
            self.settled.add(way)
