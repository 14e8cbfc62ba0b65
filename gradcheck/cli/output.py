"""Where words go: results to stdout or files, all else to stderr; and how to survive that one of them is closed."""

from __future__ import annotations

import os
import sys

from gradcheck.errors import OutputError


def say(text: str) -> None:
    """Write a line to stderr, if that is still open."""
    _put(text if text.endswith("\n") else text + "\n")


def say_error(error: BaseException, prefix: str = "", *, all_frames: bool = False) -> None:
    """Write what is wrong in one line, then the user's own traceback where their code raised."""
    say(f"error: {prefix}{error}")
    if error.__cause__ is not None:
        from gradcheck.evaluation.tracebacks import formatted  # of use to failures only

        say(formatted(error.__cause__, all_frames=all_frames))


def emit(text: str) -> None:
    """Write results to stdout.  A reader that has gone away (``| head``) is no error: it does not get the rest.

    Raises `OutputError` if stdout cannot be written, for want of space, say.
    """
    if sys.stdout is None:
        return
    try:
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError as error:
            sys.stdout.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        raise OutputError(f"cannot write to stdout: {error.strerror or error}") from None


def abandon_stdout() -> None:
    """Let stdout lead nowhere, so that Python does not stumble over a closed pipe when it flushes at exit."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _put(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        try:
            sys.stderr.write(text)
        except UnicodeEncodeError as error:
            sys.stderr.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # a closed stderr must not change the verdict
