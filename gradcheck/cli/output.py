"""Where words go: results to stdout or files, all else to stderr; and how to survive that one of them is closed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from gradcheck.errors import OutputError

_results: TextIO | None = None  # what was stdout, once `take_stdout` has been called


def say(text: str) -> None:
    """Write a line to stderr, if that is still open."""
    _put(text if text.endswith("\n") else text + "\n")


def say_error(error: BaseException, prefix: str = "", *, all_frames: bool = False) -> None:
    """Write what is wrong in one line, then the user's own traceback where their code raised."""
    say(f"error: {prefix}{error}")
    if error.__cause__ is not None:
        from gradcheck.evaluation.tracebacks import formatted  # of use to failures only

        say(formatted(error.__cause__, all_frames=all_frames))


def folded(text: str) -> str:
    """Text with its lines broken for a terminal, those with an indent within it; whole for anything else."""
    from gradcheck.reporting.formats import Display

    width = Display().on(stdout()).width
    if width is None:
        return text
    import textwrap

    def fold(line: str) -> str:
        indent = line[: len(line) - len(line.lstrip())] * 2
        return textwrap.fill(line, width, subsequent_indent=indent, break_on_hyphens=False)

    return "".join(fold(line) + "\n" for line in text.splitlines())


def stdout() -> TextIO | None:
    """Where results go."""
    return sys.stdout if _results is None else _results


def emit(text: str | bytes) -> None:
    """Write results to stdout, the bytes of an image as they are.

    A reader that has gone away (``| head``) is no error: it does not get the rest.

    Raises `OutputError` if stdout cannot be written, for want of space, say.
    """
    if (stream := stdout()) is None:
        return
    try:
        if isinstance(text, bytes):
            stream.flush()
            stream.buffer.write(text)
        else:
            try:
                stream.write(text)
            except UnicodeEncodeError as error:
                stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        stream.flush()
    except BrokenPipeError:
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        raise OutputError(f"cannot write to stdout: {error.strerror or error}") from None


def abandon_stdout() -> None:
    """Let stdout lead nowhere, so that Python does not stumble over a closed pipe when it flushes at exit."""
    if (descriptor := _descriptor(stdout())) is not None:
        _lead(descriptor, None)


def take_stdout() -> None:
    """Keep stdout for results, from now until the process ends: whatever else writes there, threads of the user's included,
    reaches stderr.
    """
    global _results
    ours = sys.stdout
    if _results is not None or (descriptor := _descriptor(ours)) is None:
        return
    with contextlib.suppress(OSError, ValueError):
        ours.flush()
    _results = os.fdopen(os.dup(descriptor), "w", encoding=ours.encoding, errors=ours.errors)
    _lead(descriptor, _descriptor(sys.stderr))
    sys.stdout = sys.stderr


@contextlib.contextmanager
def diverted() -> Iterator[None]:
    """While user code runs: what it writes to stdout goes to stderr, for a program that reads our results must not meet it.

    That holds for `print`, and at the descriptor for what C libraries, subprocesses and ``sys.__stdout__`` write.
    """
    ours, errors = sys.stdout, sys.stderr
    descriptor = None if _results is not None else _descriptor(ours)
    kept = None if descriptor is None else os.dup(descriptor)
    try:
        if descriptor is not None:
            with contextlib.suppress(OSError, ValueError):
                ours.flush()
            _lead(descriptor, _descriptor(errors))
        with contextlib.redirect_stdout(errors):
            yield
    finally:
        sys.stderr = errors
        if descriptor is not None and kept is not None:
            _flush_all(ours)
            os.dup2(kept, descriptor)
            os.close(kept)


def give_up_stdout() -> None:
    """Let all that is still written to stdout go to stderr: what user code says when the process ends is no result."""
    if (descriptor := _descriptor(sys.stdout)) is not None:
        _lead(descriptor, _descriptor(sys.stderr))


def _descriptor(stream: TextIO | None) -> int | None:
    """The descriptor of a stream that has one."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _lead(descriptor: int, other: int | None) -> None:
    """Let a descriptor lead to where another one leads; nowhere, if that is not open."""
    with contextlib.suppress(OSError):
        if other is not None:
            os.dup2(other, descriptor)
            return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _flush_all(stream: TextIO) -> None:
    """Write what is still in buffers for this stream, those of C libraries included."""
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
    if "ctypes" in sys.modules:  # numpy imports it, and user code that needs no numpy has no C library either
        import ctypes

        with contextlib.suppress(OSError, AttributeError, TypeError):  # on Windows, there is no such handle
            ctypes.CDLL(None).fflush(None)


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
