"""Reports as files, and files read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck.errors import OutputError, UsageError

if TYPE_CHECKING:
    pass


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
