"""A function of the user's, each call of it in a fresh process: none finds what another has left behind.

The process is a fork of this one, in which the function is never called itself, where the system has forks; else it is spawned,
and the function must be one that can be sent.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.wording import named

FORK = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"


class Isolated:
    """Calls a function, each time in a process of its own.

    before: arguments with which it is called first in each process, to see what that leaves behind.
    """

    def __init__(self, call: Callable[..., Any], before: tuple[Any, ...] = ()) -> None:
        self.call, self.before, self.__wrapped__ = call, before, call
        self.of_whole = getattr(call, "of_whole", False)

    def after(self, *arguments: Any) -> Isolated:
        """The same, called in a process where the function was called with these before."""
        return Isolated(self.call, arguments)

    def __call__(self, *arguments: Any, **named_ones: Any) -> Any:
        """What the function returns.

        Raises what the function raised, RuntimeError if its process ended, `UsageError` if its answer cannot be sent.
        """
        context = multiprocessing.get_context(FORK)
        ours, theirs = context.Pipe(duplex=False)
        work = (theirs, self.call, self.before, arguments, named_ones)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks where there are threads, which wait
            process = context.Process(target=_answer, args=work)  # type: ignore[attr-defined]
            process.start()
        theirs.close()
        try:
            failed, answer = pickle.loads(ours.recv_bytes())
        except EOFError:
            process.join()
            raise RuntimeError(f"its process ended {_how(process.exitcode)}") from None
        finally:
            ours.close()
            if process.exitcode is None and sys.exc_info()[0] is not None:
                process.kill()
            process.join()
        if failed:
            raise answer
        return answer


def _answer(answers: Connection, call: Callable[..., Any], before: Any, arguments: Any, named_ones: Any) -> None:
    """In the process: call the function, and send what it returns or raises."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    try:
        for argument in before:
            call(argument, *arguments[1:], **named_ones)
        value = call(*arguments, **named_ones)
        if value is None:  # what it returned is in its argument, of which this process has a copy
            raise TypeError("it returns nothing, and what it writes is not seen in another process")
    except BaseException as error:
        answers.send_bytes(_sent((True, error), RuntimeError(named(error))))
    else:
        refusal = UsageError(f"isolate: a value of type {type(value).__name__} cannot be sent from another process")
        answers.send_bytes(_sent((False, value), refusal))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)  # what the user's code has registered to run at the end is the parent's


def _sent(answer: tuple[bool, Any], instead: BaseException) -> bytes:
    try:
        data = pickle.dumps(answer)
        pickle.loads(data)  # many exceptions with arguments of their own cannot be had back
    except Exception:
        return pickle.dumps((True, instead))
    return data


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"by {signal.Signals(-code).name}"
    return f"by signal {-code}"


__all__ = ["Isolated"]
