"""Work in a child of this process: what it does to caches, counters, random states and the like, nobody else sees.

Results are told as they come, so that those of a child that hangs, crashes or runs out of time are not lost.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

BLOCK = 65536
GRACE = 0.5  # seconds beyond its time that a child may take to end by itself


def possible() -> bool:
    """Whether a child can be made that goes on as this process would: a GPU does not go along, nor do jax's threads."""
    if not hasattr(os, "fork") or sys.platform == "win32" or "jaxlib" in sys.modules:
        return False
    torch = sys.modules.get("torch")
    with contextlib.suppress(Exception):
        if torch is not None and torch.cuda.is_initialized():
            return False
    return True


def apart(work: Callable[[], Iterator[str]], seconds: float) -> tuple[list[str], str]:
    """The lines that `work` gives, done in a child, and how that ended: '' if well, else half a sentence.

    Raises what interrupts the wait; the child is ended then.
    """
    reading, writing = os.pipe()
    try:
        child = _fork()
    except OSError as error:
        os.close(reading)
        os.close(writing)
        return [], f"no process could be started: {error.strerror}"
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    ended = ""
    try:
        text, ended = _read(reading, time.monotonic() + seconds + GRACE)
    except BaseException:
        _kill(child)
        _wait(child)
        raise
    finally:
        os.close(reading)
    if ended:
        _kill(child)
    status = _wait(child)
    if not ended and status:
        ended = f"its process was ended by signal {-status}" if status < 0 else f"its process ended with code {status}"
    *lines, _ = text.decode("utf-8", "replace").split("\n")
    return lines, ended


def _fork() -> int:
    # Python warns of threads, of which the child needs none.  Not by catch_warnings: that makes Python forget which warnings
    # of the program it has shown already.
    filters: Any = warnings.filters
    ignored = ("ignore", None, DeprecationWarning, None, 0)
    filters.insert(0, ignored)
    try:
        return os.fork()
    finally:
        filters.remove(ignored)


def _work(work: Callable[[], Iterator[str]], writing: int) -> None:
    """In the child: nothing of it may reach what the parent shares with it, and it ends here."""
    code = 1
    try:
        gc.disable()
        for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(ValueError, OSError):
                signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
        with contextlib.suppress(Exception):
            signal.setitimer(signal.ITIMER_REAL, 0)
        if "faulthandler" in sys.modules:
            sys.modules["faulthandler"].disable()
        _silence()
        _end_with_parent()
        warnings.simplefilter("ignore")
        for line in work():
            data = line.replace("\n", " ").encode() + b"\n"
            while data:
                data = data[os.write(writing, data) :]
        code = 0
    except BaseException:
        code = 1
    finally:
        os._exit(code)


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.dup2(nowhere, descriptor)
    stream = open(os.devnull, "w")  # noqa: SIM115  # for as long as the child lives
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = stream  # type: ignore[misc]
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.disable(logging.CRITICAL)


def _end_with_parent() -> None:
    if sys.platform == "linux" and "ctypes" in sys.modules:
        with contextlib.suppress(Exception):
            sys.modules["ctypes"].CDLL(None).prctl(1, signal.SIGKILL)


def _read(reading: int, until: float) -> tuple[bytes, str]:
    """All that is told, until the other end is closed or the time is up."""
    found = b""
    poll = select.poll()
    poll.register(reading, select.POLLIN | select.POLLHUP)
    while True:
        left = until - time.monotonic()
        if left <= 0:
            return found, "it took too long"
        if not poll.poll(left * 1000):
            continue
        data = os.read(reading, BLOCK)
        if not data:
            return found, ""
        found += data


def _kill(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


def _wait(child: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError:  # the program has it that nobody waits for children
        return 0
