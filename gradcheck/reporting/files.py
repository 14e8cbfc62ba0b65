"""Reports as files, and files read back.

A file is written beside the old one and then takes its place: a full disk, or Ctrl-C, leaves the old one whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time

from gradcheck.errors import OutputError, UsageError
from gradcheck.wording import short

PATIENCE = 10.0  # seconds for which a FIFO is waited for that nobody reads
LONGEST = 200  # characters of a path that a message shows
DESCRIPTOR = r"/(?:dev|proc/self)/(?:fd/(\d+)|(stdout)|(stderr))"


def write_file(path: str, text: str | bytes) -> None:
    """Write a report, text in UTF-8.  What was at `path` before stays as it was unless all of `text` is written.

    A device, a FIFO or an open descriptor (/dev/stdout) is written to as it is; a link stays a link.

    Raises:
        OutputError: the text cannot be written; the message names the file.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
    try:
        if (named := re.fullmatch(DESCRIPTOR, path)) is not None:
            number, out, _ = named.groups()
            _write_all(int(number) if number else 1 if out else 2, data)
            return
        mode = _mode(path)
        if mode is None or stat.S_ISREG(mode):
            _replace(os.path.realpath(path), data, mode)
        else:
            _write_in_place(path, data, fifo=stat.S_ISFIFO(mode))
    except BrokenPipeError:
        pass  # who read the pipe has gone away, as `head` does: they wanted no more
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {short(path, LONGEST)}: {reason}; choose another file") from None


def require_regular(path: str | os.PathLike[str]) -> None:
    """Raise OSError for what is neither a file nor a folder: it might have no end, or nobody who writes it."""
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "no regular file")


def read_file(path: str, what: str) -> str:
    """Read a text file.  Raises `UsageError` that says what it was wanted for."""
    try:
        require_regular(path)
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a null character in the name
        reason = getattr(error, "strerror", None) or "no text"
        raise UsageError(f"cannot read the {what} {short(path, LONGEST)}: {reason}") from None


def _mode(path: str) -> int | None:
    """What kind of file is there, and who may do what with it; None if nothing is."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _replace(path: str, data: bytes, mode: int | None) -> None:
    """Write a file beside `path`, which has the mode `mode` or does not exist, and let it take the place of that."""
    if mode is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "it is there, and may not be written")
    beside = os.path.join(os.path.dirname(path), f".gradcheck.{os.urandom(6).hex()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # less what the umask forbids
    except PermissionError:
        if mode is None:
            raise
        _write_in_place(path, data)  # the file is ours to write, the folder is not
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        if mode is not None:
            with contextlib.suppress(OSError):  # not every file system knows modes
                os.chmod(beside, stat.S_IMODE(mode))
        try:
            os.replace(beside, path)
        except OSError:
            if mode is None:
                raise
            _write_in_place(path, data)  # a file that is mounted, as in a container, can be written but not replaced
    finally:
        with contextlib.suppress(OSError):
            os.unlink(beside)


def _write_in_place(path: str, data: bytes, *, fifo: bool = False) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | (os.O_NONBLOCK if fifo else 0))
            break
        except OSError as error:
            if not fifo or error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise OSError(errno.ENXIO, "nobody reads this FIFO") from None
            time.sleep(0.02)
    try:
        if fifo:
            os.set_blocking(descriptor, True)
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
