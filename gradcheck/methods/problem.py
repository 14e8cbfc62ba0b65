"""What every method is given: the problem, and the watcher who is told of progress and says when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcheck.errors import OutOfTime
from gradcheck.evaluation.deadline import Deadline
from gradcheck.model import Stop
from gradcheck.records import record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gradcheck.evaluation.function import Function
    from gradcheck.evaluation.preflight import Preflight
    from gradcheck.model import Tolerance

    Array = NDArray[np.float64]


@record
class Problem:
    """A function around a point, and how sharply a claim about its derivative is to be judged.

    function: f, R^n → R^m.
    x: the point, flat, (n,), in the dtype that f takes.
    preflight: what the set-up measured there.
    tolerance: which gap is accepted.
    seed: of all that is random.
    """

    function: Function
    x: NDArray[Any]
    preflight: Preflight
    tolerance: Tolerance
    seed: int = 0

    @property
    def n(self) -> int:
        """The number of variables."""
        return int(self.x.size)

    @property
    def m(self) -> int:
        """The number of values of f."""
        return int(self.preflight.value.size)


class Watcher:
    """Is told of progress, and knows when a check has to end.

    progress: called as (phase, done, total, detail), if anyone watches.
    budget: seconds from now after which to stop; None for no end.
    deadline: the end.
    stopped: why the check ended before its time, if it did.
    cut_short: a call of user code did not return in time, and was ended.
    """

    def __init__(
        self, progress: Callable[[str, int, int, str], None] | None = None, budget: float | None = None
    ) -> None:
        self.progress = progress
        self.started = time.perf_counter()
        self.deadline = Deadline(budget)
        self.stopped: Stop | None = None
        self.cut_short = False

    @property
    def seconds(self) -> float:
        """How long it has been."""
        return time.perf_counter() - self.started

    @property
    def left(self) -> float | None:
        """Seconds until the check must end; None for no end."""
        left = self.deadline.left
        return None if left is None else max(left, 0.0)

    def tick(self, phase: str, done: int, total: int, detail: str = "") -> None:
        """So much of a phase is done."""
        if self.progress is not None:
            self.progress(phase, done, total, detail)

    def expired(self) -> bool:
        """Whether the check must end here; asked only where something is left to be done."""
        if self.stopped is None and self.deadline.passed():
            self.stopped = Stop.BUDGET
        return self.stopped is not None

    def require_time(self) -> None:
        """Raises `OutOfTime` if the check must end here."""
        if self.expired():
            raise OutOfTime

    def until_stopped(self) -> _UntilStopped:
        """What runs within ends when time is up or Ctrl-C comes; `stopped` says so, and what is known by then stays."""
        return _UntilStopped(self)


class _UntilStopped:
    """A class, as a generator would cost a small check more than it does."""

    __slots__ = ("watcher",)

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        watcher = self.watcher
        if isinstance(error, OutOfTime):
            watcher.stopped = watcher.stopped or Stop.BUDGET
            watcher.cut_short = watcher.cut_short or error.cut_short
            return True
        if isinstance(error, KeyboardInterrupt):
            watcher.stopped = Stop.INTERRUPT
            return True
        return False
