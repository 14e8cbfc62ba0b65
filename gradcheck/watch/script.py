"""A program run as Python would run it, with a watch on."""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from collections.abc import Callable, Sequence

from gradcheck.errors import TargetError, UsageError
from gradcheck.evaluation.tracebacks import PACKAGE, pruned
from gradcheck.watch.session import Session
from gradcheck.watch.shared import not_installed

INTERRUPTED = 130


def run(words: Sequence[str], again: str, share: float) -> tuple[Session, int]:
    """Run ``SCRIPT ARGS`` or ``-m MODULE ARGS``; the session that has watched it, and the exit code of the program itself.

    again: the command that repeats this.
    share: of the program's time that checks may take.

    Raises:
        UsageError: there is nothing to run.
        TargetError: there is no such script or module.
    """
    if not words or words == ["-m"]:
        raise UsageError("--watch needs a program, as in gradcheck --watch fit.py --data x.csv")
    start = _module(words[1:]) if words[0] == "-m" else _script(words)
    session = Session(share=share, mine=not_installed, again=lambda pair: again)
    session.begin()
    try:
        code = _guarded(start)
    finally:
        session.end()
    return session, code


def _script(words: Sequence[str]) -> Callable[[], object]:
    path = words[0]
    if not os.path.isfile(path):
        raise TargetError(f"--watch: there is no file {path}")
    sys.argv = list(words)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    return lambda: runpy.run_path(path, run_name="__main__")


def _module(words: Sequence[str]) -> Callable[[], object]:
    name = words[0]
    sys.argv = list(words)
    sys.path.insert(0, os.getcwd())
    try:
        runpy._get_module_details(name)  # type: ignore[attr-defined]
    except ImportError as error:
        raise TargetError(f"--watch -m {name}: {error}") from None
    return lambda: runpy.run_module(name, run_name="__main__", alter_sys=True)


def _guarded(start: Callable[[], object]) -> int:
    """The exit code that Python would give the program; what it would print of an exception is printed."""
    try:
        start()
    except SystemExit as end:
        if end.code is None:
            return 0
        if isinstance(end.code, int):
            return end.code
        print(end.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("KeyboardInterrupt", file=sys.stderr)
        return INTERRUPTED
    except BaseException as error:
        error.__traceback__ = pruned(error.__traceback__)
        shown = traceback.TracebackException.from_exception(error)
        shown.stack = traceback.StackSummary.from_list(
            [frame for frame in shown.stack if not frame.filename.startswith((PACKAGE, "<frozen runpy", "<gradcheck"))]
        )
        print("".join(shown.format()), end="", file=sys.stderr)
        return 1
    return 0
