"""What a process that makes checks imports before it runs any user code, and how: at the least cost."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder

NEEDED = ("numpy", "gradcheck.cli.selection", "gradcheck.checks.check", "gradcheck.reporting.text")
"""What nearly every check needs; numpy for itself, as below many others its imports nest so deep that the stack is enlarged and
cut back hundreds of times.
"""

TIMEOUT, TICKS = "OPENBLAS_THREAD_TIMEOUT", "20"
"""The variable by which OpenBLAS is told, when it is loaded, for how many ticks of the clock its idle threads spin before they
sleep, as a power of 2.  Its own 2^26 are 25 ms on each processor, half of what the import of numpy costs; 2^20 outlast what
is done in Python between two calls of a fast f.
"""


class _OwnPath:
    """Finds modules where they were found when the process began: what user code does to sys.path is no matter of ours."""

    def __init__(self) -> None:
        self.path = sys.path[:]

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """Asked where all others have found nothing."""
        return PathFinder.find_spec(name, self.path) if path is None else None


def import_for_good() -> None:
    """Import what checks need, numpy above all, and look for no garbage in it ever: it lives as long as the process.

    Else the search for garbage, meanwhile and when the process ends, would take a fifth of a short run.
    """
    sys.meta_path.append(_OwnPath())
    told = TIMEOUT in os.environ
    os.environ.setdefault(TIMEOUT, TICKS)
    try:
        for module in NEEDED:
            import_module(module)
    finally:
        if not told:
            del os.environ[TIMEOUT]  # it is no matter of user code, nor of other processes
    gc.freeze()
    gc.enable()  # there was none to find since the process began
