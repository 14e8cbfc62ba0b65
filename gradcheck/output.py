"""Where words go: results to stdout or files, all else to stderr; and how to survive that one of them is closed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gradcheck.errors import OutputError, UsageError

if TYPE_CHECKING:
    from traceback import TracebackException


def say(text: str) -> None:
    """Write a line to stderr, if that is still open."""
    _put(text if text.endswith("\n") else text + "\n")


def say_error(error: BaseException, prefix: str = "", *, all_frames: bool = False) -> None:
    """Write what is wrong in one line, then the user's own traceback where their code raised."""
    say(f"error: {prefix}{error}")
    if error.__cause__ is not None:
        own = () if all_frames else (os.path.dirname(__file__) + os.sep, "<frozen ")
        say("".join(_without(own, error.__cause__).format()))


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


def write_file(path: str, text: str) -> None:
    """Write a report.  Raises `OutputError` that names the file."""
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}; choose another file") from None


def read_file(path: str, what: str) -> str:
    """Read a text file.  Raises `UsageError` that says what it was wanted for."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the {what} {path}: {getattr(error, 'strerror', None) or 'no text'}") from None


def _without(files: tuple[str, ...], error: BaseException) -> TracebackException:
    """The traceback of an exception without the frames of files that begin so: the user has no use for them."""
    from traceback import StackSummary, TracebackException

    shown = TracebackException.from_exception(error)
    part: TracebackException | None = shown
    while part is not None:
        part.stack = StackSummary.from_list([f for f in part.stack if not f.filename.startswith(files)])
        part = part.__cause__ or part.__context__
    return shown


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
