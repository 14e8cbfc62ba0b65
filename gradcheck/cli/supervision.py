"""The checks in a process of their own, watched by one that runs no user code.

Code that ends its process, be it by ``os._exit``, a crash, or the system for want of memory, ends the checks without a word
from them, and perhaps with exit code 0.  The parent says so, and exits with 3.  It also ends a child that no signal reaches
any more long after its budget, as in a call of compiled code that does not return.  It passes signals on, and ends as its
child does.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from gradcheck.cli import output
from gradcheck.errors import ExitCode

POSSIBLE = sys.platform == "linux"  # elsewhere, who sent a signal is not told
PASSED_ON = frozenset({"SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"})
CRASHES = frozenset({"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"})
NOT_SAID = 255
PR_SET_PDEATHSIG = 1
LOOK = 1.0  # seconds between two looks at the child
OVERDUE = 60.0  # seconds beyond the end of its budget that the child may be in user code
LINGER = 10.0  # seconds that the child may take to end once all is written
ONE_CTRL_C = 0.5  # seconds within which a second one is the same: it may come from the terminal and from the parent

_board: mmap.mmap | None = None
"""Seen by both: the exit code, once the child knows it; until when it may be busy; and what it is at, ended by a null byte."""

_UNTIL = struct.Struct("d")  # of the system's monotonic clock, which both share
_TEXT = 1 + _UNTIL.size  # where it begins


def supervised(work: Callable[[], int]) -> int:
    """The exit code of `work`, done in a child process; where that ends without giving one, 3 and a line on stderr."""
    global _board
    if not POSSIBLE:
        return work()
    try:
        _board = mmap.mmap(-1, mmap.PAGESIZE)
        _board[0] = NOT_SAID
    except OSError:
        return work()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else nobody would learn how the child ended
    watched = {signal.SIGCHLD, *(signal.Signals[name] for name in PASSED_ON)}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError:  # no further process is allowed
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return work()
    if child:
        status, overdue = _wait(child, watched)
        if _board[0] == NOT_SAID:
            _as_it_ended(status, overdue=overdue)
            _board[0] = ExitCode.UNDECIDED
        _leave(_board[0])
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    _end_with(parent)
    _hear_ctrl_c_once()
    code = work()
    _board[0] = code
    return code


def at(what: str, within: float = math.inf) -> None:
    """Put on record what is being done, such as the name of a check, lest it is the last thing.

    within: seconds that it may take, by its budget.
    """
    if _board is not None:
        text = what.encode("utf-8", "replace")[: mmap.PAGESIZE - _TEXT - 1] + b"\0"
        _board[1 : _TEXT + len(text)] = _UNTIL.pack(time.monotonic() + within) + text


def _overdue() -> bool:
    """Whether the child should have ended what it is at long ago."""
    return _board is not None and time.monotonic() > _UNTIL.unpack(_board[1:_TEXT])[0] + OVERDUE


def _end_with(parent: int) -> None:
    """In the child: let it be killed when its parent is."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(ExitCode.UNDECIDED)


def _wait(child: int, watched: set[signal.Signals]) -> tuple[int, bool]:
    """Pass signals on until the child ends; its exit code, or minus the signal that ended it, and whether it was overdue."""
    known = math.inf  # since when the exit code is
    overdue = False
    while True:
        seen = signal.sigtimedwait(watched, LOOK)
        if not overdue and _overdue():
            overdue = True
            os.kill(child, signal.SIGKILL)
        if _board is not None and _board[0] != NOT_SAID:
            known = min(known, time.monotonic())
            if time.monotonic() - known > LINGER:  # a thread that does not end, a lock that a dead worker held
                os.kill(child, signal.SIGKILL)
        if seen is None:
            continue
        if seen.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status), overdue
        elif seen.si_code <= 0:  # sent by a process, to this one; what a terminal sends has reached the child as well
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, seen.si_signo)


def _hear_ctrl_c_once() -> None:
    """In the child: take a second SIGINT that follows at once for the first, lest it disturb the writing of reports."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    last = -math.inf

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before > ONE_CTRL_C:
            signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)


def _as_it_ended(status: int, *, overdue: bool) -> None:
    """Say how the child ended; or end in the same way, if it was told to by a signal that anybody may send."""
    assert _board is not None
    what = bytes(_board[_TEXT:]).partition(b"\0")[0].decode("utf-8", "replace") or "the checks"
    if overdue and status == -signal.SIGKILL:
        late = f"a call has not returned {OVERDUE:g} s after the end of the budget, and cannot be cut short"
        output.say(f"error: {what}: {late}; its process was ended")
        return
    if status >= 0:
        output.say(f"error: {what}: its process ended with exit code {status}; does it call os._exit?")
        return
    with contextlib.suppress(ValueError):
        name = signal.Signals(-status).name
        if name in PASSED_ON:
            signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {-status})
        hint = {"SIGKILL": "; was there too little memory?"}.get(name, "")
        hint = "; compiled code crashed (PYTHONFAULTHANDLER=1 shows where)" if name in CRASHES else hint
        output.say(f"error: {what}: its process was ended by {name}{hint}")
        return
    output.say(f"error: {what}: its process was ended by signal {-status}")


def _leave(code: int) -> NoReturn:
    """Exit without what Python would tidy up: the child has done it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    os._exit(code)
