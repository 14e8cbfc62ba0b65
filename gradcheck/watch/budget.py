"""The time that checks may take beside the program: a share of its own, of which a part is kept for quick looks at new pairs."""

from __future__ import annotations

import contextlib
import time

from gradcheck.errors import UsageError
from gradcheck.watch.look import Depth

SHARE = 0.07  # of the time that the program itself takes
START = 1.5  # seconds that are there from the beginning
WHOLE = 0.5  # of that time: what whole checks may take
DEBT = 3.0  # seconds that quick looks may be ahead of their time: new pairs come in bursts
QUICK = 0.05  # seconds of a check that count as those of a quick look
AMPLE = 0.5  # seconds for whole checks with which there is time for more points than the last
LEAST, MOST = 0.2, 10.0  # seconds for one pair


class Budget:
    """What checks may take and have taken; the clock runs from when it is made.

    share: of the program's time; None for no limit.
    """

    def __init__(self, share: float | None = SHARE) -> None:
        self.share = share
        self.spent = 0.0
        self._on_whole_checks = 0.0  # of these seconds: those beyond quick looks
        self._started = time.monotonic()

    def _allowed(self, part: float) -> float:
        """Seconds that checks may have taken by now; part: of all that there are."""
        if self.share is None:
            return float("inf")
        return part * (START + self.share * (time.monotonic() - self._started - self.spent))

    @property
    def available(self) -> float:
        """Seconds that checks may take now."""
        return self._allowed(1.0) - self.spent

    @property
    def _for_whole_checks(self) -> float:
        return min(self.available, self._allowed(WHOLE) - self._on_whole_checks)

    @property
    def seconds(self) -> float:
        """What there is for one pair."""
        return max(LEAST, min(MOST, self._for_whole_checks / 2))

    @property
    def depth(self) -> Depth | None:
        """How closely a new pair can be looked at now; None for not at all."""
        if self._for_whole_checks > AMPLE:
            return Depth.ALL
        if self._for_whole_checks > 0:
            return Depth.LATE
        return Depth.GLANCE if self.available > -DEBT else None

    def pay(self, since: float, *, quick: bool = False) -> None:
        """Take off what has passed since a moment of `time.monotonic`; quick: it was no whole check."""
        took = time.monotonic() - since
        self.spent += took
        self._on_whole_checks += 0.0 if quick else max(0.0, took - QUICK)


def share_of(text: str, source: str) -> float:
    """A share that was given in percent.  Raises `UsageError`; source: where it was given."""
    with contextlib.suppress(ValueError):
        if 0 < (percent := float(text.strip().removesuffix("%"))) < float("inf"):
            return percent / 100
    raise UsageError(f"{source} is {text!r}; give a percentage above 0, such as {100 * SHARE:.0f}")
