"""Work done in a process of its own: what it does to memory and files does not last, and it can be ended at any time."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import struct
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from gradcheck.repair.machine import TooSlow

TICKS = 4  # how often a second look is taken in the time that something may take
MEMORY = 2**30  # bytes that the work may take besides what is held already
Send = Callable[[Any], None]


def can_isolate() -> bool:
    """Whether this system can give some work a copy of this process."""
    return hasattr(os, "fork") and sys.platform != "darwin"  # the libraries of macOS do not survive a fork


def isolated(work: Callable[[Send], None], seconds: float) -> Iterator[Any]:
    """What the work sends, as it comes; after so many seconds the work is ended wherever it is.

    work: called in a copy of this process with a function that sends what can be pickled.
    """
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads of libraries do not matter: what hangs is ended
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
    if child == 0:
        os.close(reader)
        _work(work, writer)
    os.close(writer)
    try:
        yield from _received(reader, time.perf_counter() + seconds)
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _work(work: Callable[[Send], None], writer: int) -> None:
    """The life of the copy: it never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who waits
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        _limit_memory()

        def send(thing: Any) -> None:
            data = pickle.dumps(thing)
            data = struct.pack("<q", len(data)) + data
            while data:
                data = data[os.write(writer, data) :]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            work(send)
    finally:
        os._exit(0)


def _limit_memory() -> None:
    import resource

    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            held = int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _received(reader: int, deadline: float) -> Iterator[Any]:
    buffer, poll = b"", select.poll()
    poll.register(reader, select.POLLIN)
    while True:
        left = deadline - time.perf_counter()
        if left <= 0 or not poll.poll(1000 * left):
            return
        data = os.read(reader, 2**16)
        if not data:
            return
        buffer += data
        while len(buffer) >= 8 and len(buffer) >= 8 + struct.unpack("<q", buffer[:8])[0]:
            size = struct.unpack("<q", buffer[:8])[0]
            yield pickle.loads(buffer[8 : 8 + size])
            buffer = buffer[8 + size :]


@contextlib.contextmanager
def watched(progress: Callable[[], int], seconds: float) -> Iterator[None]:
    """While this lasts, what makes no progress in so many seconds of computing is ended by `TooSlow`; in the main thread only.

    progress: a number that changes whenever something was finished.
    """
    last, idle = progress(), 0

    def look(signum: int, frame: Any) -> None:
        nonlocal last, idle
        now = progress()
        last, idle = now, idle + 1 if now == last else 0
        if idle >= TICKS:
            idle = 0
            raise TooSlow

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, seconds / TICKS, seconds / TICKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
