"""Evaluation on other threads, processes or machines, through any `concurrent.futures.Executor`.

The points are the same, in the same order and in the same batches, whatever the number of workers, and so are the values.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from asyncio import CancelledError as AsyncCancelledError
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from gradcheck.errors import OutOfTime, UsageError, UserCodeError
from gradcheck.evaluation.deadline import NO_END, Deadline, undisturbed
from gradcheck.evaluation.engines import Books, Calling, Values, Work
from gradcheck.evaluation.jobs import as_future
from gradcheck.wording import named, one_line

E = TypeVar("E", bound=BaseException)

WORTHWHILE = 2e-3  # seconds of work below which nothing is sent to workers …
START_WORTHWHILE = 0.3  # … and below which no processes are started
PIECE = 0.05  # seconds that a piece of work should take, at least …
LONGEST = 1.0  # … and at most, so that progress shows and a lost piece costs little
SHORTLY = 1.0  # seconds in which a process that has ended is known to have
KILLED = getattr(signal, "SIGKILL", None)  # what the system sends for want of memory
SHARE = 4  # pieces for each worker, if they are long enough

_resident: Calling | None = None  # in a worker process: how f is called


def _settle(calling: Calling) -> None:
    """Runs first in each process of ours: keep f, leave Ctrl-C to the parent, and end when that ends, however it does."""
    global _resident
    _resident = calling
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="gradcheck: does the parent live?", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _perform_here(work: Work) -> Values:
    """Runs in a process of ours, which has f."""
    assert _resident is not None
    return _perform(_resident, work)


def _perform(calling: Calling, work: Work) -> Values:
    """Runs in a worker; what f raises is part of the answer."""
    books = Books()
    try:
        values = work.run(calling, books)
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        return Values(np.empty((0, calling.size)), books.calls, ended=_portable(error))
    return values if values.failure is None else replace(values, failure=_portable(values.failure))


def _portable(error: E) -> E | RuntimeError:
    """An exception that survives being sent; many with arguments of their own do not."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(named(error))
    return error


@dataclass(slots=True)
class _Sent:
    """A piece of work, and where its values will come from."""

    work: Work
    future: Future[Values]


class Workers:
    """Evaluates pieces of work on a given executor, or on `jobs` processes of its own.

    notes: what went wrong and was mended is appended here.
    """

    def __init__(self, jobs: int, executor: Executor | None, notes: list[str]) -> None:
        if executor is not None and not callable(getattr(executor, "submit", None)):
            raise UsageError(
                f"executor is {type(executor).__name__}, without submit(); give a concurrent.futures.Executor"
            )
        self.executor, self.notes = executor, notes
        told = getattr(executor, "_max_workers", None)
        self.count = jobs if jobs > 1 else told if isinstance(told, int) and told > 0 else os.cpu_count() or 1
        self.pool: ProcessPoolExecutor | None = None
        self.known: Calling | None = None  # to the processes of the pool
        self.given_up = False

    @property
    def label(self) -> str:
        """For the report."""
        return f"{self.count} processes" if self.executor is None else type(self.executor).__name__

    def pays(self, seconds: float) -> bool:
        """Whether so much work is worth sending away."""
        ready = self.executor is not None or self.pool is not None
        return not self.given_up and seconds > (WORTHWHILE if ready else START_WORTHWHILE)

    def piece(self, count: int, seconds: float) -> int:
        """How many of `count` points, of `seconds` each, make a piece."""
        long_enough, short_enough = max(1, round(PIECE / seconds)), max(1, round(LONGEST / seconds))
        fair = -(-count // (SHARE * self.count))
        return min(max(fair, min(long_enough, -(-count // self.count))), short_enough)

    def results(self, calling: Calling, works: Iterable[Work], deadline: Deadline = NO_END) -> Iterator[Values]:
        """What each piece of work gives, in order.

        Raises:
            OutOfTime: the deadline has passed; work in processes of our own is ended.
            UsageError: f cannot be sent to the executor.
            UserCodeError: the executor failed twice on the same piece.
        """
        self._check_portable(calling)
        remaining = iter(works)
        sent: deque[_Sent] = deque()
        failures = 0
        try:
            while True:
                while len(sent) < 2 * self.count + 2 and (work := next(remaining, None)) is not None:
                    sent.append(_Sent(work, self._submit(calling, work)))
                if not sent:
                    return
                try:
                    values = sent[0].future.result(deadline.left)
                except (AsyncCancelledError, Exception) as error:  # of the executor: what f raises is in the values
                    if isinstance(error, TimeoutError) and not sent[0].future.done():
                        raise OutOfTime from None
                    failures += 1
                    self._mend(error, failures)
                    for piece in sent:
                        if not piece.future.done() or piece.future.cancelled() or piece.future.exception() is not None:
                            piece.future = self._submit(calling, piece.work)
                    continue
                failures = 0
                sent.popleft()
                yield values
        finally:
            if self.pool is None:
                for piece in sent:
                    piece.future.cancel()
            elif sent:
                self.close(at_once=True)

    def _submit(self, calling: Calling, work: Work) -> Future[Values]:
        """The work on its way to a worker; done here once workers are given up."""
        here: Future[Values] = Future()
        try:
            if self.given_up:
                here.set_result(work.run(calling, Books()))
                return here
            if self.executor is not None:
                return as_future(self.executor.submit(_perform, calling, work))
            with undisturbed():  # a process that starts meanwhile would be forgotten, and never end
                return self._processes(calling).submit(_perform_here, work)
        except Exception as error:
            here.set_exception(error)
            return here

    def _processes(self, calling: Calling) -> ProcessPoolExecutor:
        if self.pool is None or self.known is not calling:
            self.close()
            self.pool = ProcessPoolExecutor(self.count, initializer=_settle, initargs=(calling,))
            self.known = calling
        return self.pool

    def _check_portable(self, calling: Calling) -> None:
        """Before anything is sent: can f be sent?"""
        forked = self.executor is None and multiprocessing.get_start_method() == "fork"
        if self.given_up or forked or not (self.executor is None or isinstance(self.executor, ProcessPoolExecutor)):
            return
        try:
            pickle.dumps(calling)
        except Exception as error:
            message = f"f cannot be sent to another process ({one_line(error)})"
            if self.executor is not None:
                remedy = "define it at the top level of a module, or give an executor of loky or Dask"
                raise UsageError(f"{message}; {remedy}") from error
            self.given_up = True
            self.notes.append(f"{message}; it was evaluated in this one")

    def _mend(self, error: BaseException, failures: int) -> None:
        """After a failure of the executor: try again; then do the work here, unless it is f that ends our own processes."""
        if self.executor is not None:
            what = named(error)
            if failures > 1:
                raise UserCodeError(
                    f"the executor {self.label} failed ({what}); see to its workers, or leave it out"
                ) from error
            self.notes.append(f"the executor {self.label} failed ({what}); the evaluations were repeated")
            return
        how, own = self._how_a_process_ended()
        self.close(at_once=True)
        if failures == 1:
            self.notes.append(f"a worker process ended ({how}); its evaluations were repeated by another")
        elif own:
            raise UserCodeError(
                f"f ended its worker process again ({how}); see whether it does so without jobs (--jobs)"
            )
        else:
            self.given_up = True
            self.notes.append(f"worker processes ended again ({how}); f was evaluated in this process")

    def _how_a_process_ended(self) -> tuple[str, bool]:
        """The exit code or the signal, and whether it is of its own making."""
        processes = list((getattr(self.pool, "_processes", None) or {}).values())
        for process in processes:
            process.join(SHORTLY)
        # The others are ended by SIGTERM when one is missed.
        codes = [code for process in processes if (code := process.exitcode) not in (None, -signal.SIGTERM)]
        if not codes:
            return "by a signal", False
        code = codes[0]
        if code >= 0:
            return f"exit code {code}", True
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name, -code != KILLED
        return f"signal {-code}", True

    def close(self, *, at_once: bool = False) -> None:
        """End the processes of our own, if there are any; `at_once` does not wait for what they are at."""
        if self.pool is None:
            return
        if not at_once:
            self.pool.shutdown(cancel_futures=True)
            self.pool = None
            return
        # None of its futures was cancelled by hand: its thread would stumble over that when the processes are gone, and
        # what it sends them would then keep this process from ending.
        with undisturbed():
            pool, self.pool = self.pool, None
            thread = getattr(pool, "_executor_manager_thread", None)
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.kill()  # f may have its own way with SIGTERM
            pool.shutdown(wait=False, cancel_futures=True)
            if thread is not None:
                thread.join(SHORTLY)
