"""What executors return that is like a future but none, such as the jobs of submitit, as futures."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

LOOK = 0.05, 2.0  # seconds between two looks at a job: at first, and later


def as_future(job: Any) -> Any:
    """A future: itself if it can do what is asked of one, else a `Job`."""
    return job if isinstance(job, Future) or hasattr(job, "cancelled") else Job(job)


class Job:
    """Asks a job with `result`, `done` and `exception`, which know of no time limit."""

    def __init__(self, job: Any) -> None:
        self.job, self._cancelled = job, False

    def done(self) -> bool:
        """Whether there is a result, or never will be."""
        return self._cancelled or bool(self.job.done())

    def result(self, timeout: float | None = None) -> Any:
        """What it returned.  Raises what it raised, and TimeoutError after so many seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        pause, longest = LOOK
        while not self.done():
            if end is not None and time.monotonic() >= end:
                raise TimeoutError
            time.sleep(pause)
            pause = min(1.5 * pause, longest)
        return self.job.result()

    def exception(self) -> BaseException | None:
        """What it raised."""
        found: BaseException | None = self.job.exception()
        return found

    def cancelled(self) -> bool:
        """Whether it was cancelled here."""
        return self._cancelled

    def cancel(self) -> None:
        """Give it up."""
        if not self.done():
            self._cancelled = True
            self.job.cancel()


__all__ = ["as_future"]
