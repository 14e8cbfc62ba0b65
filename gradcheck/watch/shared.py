"""What the processes of a run share, and whose files are whose."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path


class Meeting:
    """A folder in which processes leave a word of the pairs that they have taken on.

    folder: of another process, which has made it; None if this one is alone, or may make one.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder, self._own = folder, False

    def place(self) -> str:
        """The folder, for other processes."""
        if self._folder is None:
            self._folder, self._own = tempfile.mkdtemp(prefix="gradcheck-watch-"), True
        return self._folder

    def first(self, key: str) -> bool:
        """Whether no other process has met a pair before."""
        if self._folder is None:
            return True
        try:
            os.close(os.open(os.path.join(self._folder, key), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        except OSError:
            return True  # the folder has gone: twice is better than never
        return True

    def close(self) -> None:
        """Remove the folder, if this process has made it."""
        if self._own and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder, self._own = None, False


INSTALLED = ("site-packages", "dist-packages")


def belongs(file: str, roots: Collection[str], also: Collection[str]) -> bool:
    """Whether a file is of one of the projects at `roots`, or of the packages named.

    What is installed below a root, in a virtual environment, is not the project's.
    """
    path = os.path.abspath(file)
    if "*" in also:
        return True
    for name in also:
        found = getattr(sys.modules.get(name), "__file__", None)
        if found is not None and path.startswith(os.path.dirname(found) + os.sep):
            return True
    for root in roots:
        if path.startswith(root.rstrip(os.sep) + os.sep):
            below = path[len(root) :].split(os.sep)
            if not set(INSTALLED) & set(below) and not path.startswith(sys.prefix + os.sep + "lib"):
                return True
            if set(INSTALLED) & set(root.split(os.sep)):
                return True
    return False


def not_installed(file: str) -> bool:
    """Whether a file is no part of Python or of an installed package."""
    parts = file.replace(os.sep, "/").split("/")
    return not (set(INSTALLED) & set(parts) or file.startswith(os.path.dirname(os.__file__)))


def package_of(folder: Path) -> str | None:
    """The topmost package that a folder of tests is part of, if it is installed; None for tests of a project."""
    if not set(INSTALLED) & set(folder.parts):
        return None
    top = folder
    with contextlib.suppress(OSError):
        while (top.parent / "__init__.py").exists():
            top = top.parent
        if (top / "__init__.py").exists():
            return str(top)
    return str(folder)
