"""When a check has to end: asked between calls of user code, and enforced upon a call that does not return."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

from gradcheck.errors import OutOfTime

GRACE = 1.0  # seconds that a call may last beyond the end
AGAIN = 0.5  # seconds after which a call is told once more that it is over
LONGEST = 1e7  # seconds that a timer takes
DISTURBING = [getattr(signal, name) for name in ("SIGINT", "SIGALRM") if hasattr(signal, name)]
HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Deadline:
    """The end of a check, `budget` seconds from now; None for no end."""

    def __init__(self, budget: float | None = None) -> None:
        self.end = math.inf if budget is None else time.perf_counter() + budget

    @property
    def left(self) -> float | None:
        """Seconds until the end, negative after it; None if there is none."""
        return None if self.end == math.inf else self.end - time.perf_counter()

    def passed(self) -> bool:
        """Whether it is over."""
        return self.end != math.inf and time.perf_counter() > self.end

    def require(self) -> None:
        """Raises `OutOfTime` if it is over."""
        if self.end != math.inf and self.passed():
            raise OutOfTime

    def enforced(self) -> contextlib.AbstractContextManager[None]:
        """Within, a call of user code that lasts longer than `GRACE` beyond the end is cut short by `OutOfTime`.

        That takes a timer of the system, which the main thread of a process on Unix can have; elsewhere, and for a call
        that never returns to Python, there is none.  A timer of the caller's is put back afterwards, and left alone if it
        rings first.
        """
        left = self.left
        return NOTHING if left is None or not _have_timers() else self._timed(left)

    @contextlib.contextmanager
    def _timed(self, left: float) -> Iterator[None]:
        wanted = min(max(left, 0.0) + GRACE, LONGEST)
        before, interval = signal.getitimer(signal.ITIMER_REAL)
        if 0 < before < wanted:
            yield
            return
        handler = signal.signal(signal.SIGALRM, self._ring)
        started = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, wanted, AGAIN)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
            if before:
                rest = max(before - (time.perf_counter() - started), 1e-6)
                signal.setitimer(signal.ITIMER_REAL, rest, interval)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        """Raise within user code only, which is called from the modules of this package and from nowhere else."""
        while frame is not None and self.passed():
            if frame.f_code.co_filename.startswith(HERE) and frame.f_code.co_filename != __file__:
                raise OutOfTime(cut_short=True)
            frame = frame.f_back


NO_END = Deadline()
NOTHING = contextlib.nullcontext()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Within, Ctrl-C and our own timer wait: what they would cut short could not be mended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = {number: signal.getsignal(number) for number in DISTURBING}
    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, lambda number, frame: waiting.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
        for number in dict.fromkeys(waiting):
            signal.raise_signal(number)


def _have_timers() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
