"""How much memory there is, and a call that is refused more than that instead of being granted what is not there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
PAGES = "/proc/self/statm"  # sizes of this process in pages, the address space first


@contextlib.contextmanager
def limited(needed: int) -> Iterator[None]:
    """If `needed` bytes are more than is free, an allocation of that size raises `MemoryError` inside.

    Some systems grant memory that they do not have and end the process when it is used.  Nothing is limited where
    `needed` is there, or where the system has no such limit.
    """
    free = available()
    if free is None or needed <= free or not os.path.exists(PAGES):
        yield
        return
    import resource  # not on every system

    with open(PAGES, encoding="ascii") as pages:
        used = int(pages.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + free
    if soft != resource.RLIM_INFINITY:
        wanted = min(wanted, soft)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def available() -> int | None:
    """Bytes that are free for use, or None if the system does not say."""
    with contextlib.suppress(OSError, ValueError), open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def readable(size: float) -> str:
    """A number of bytes as a person would write it: '1.3 TB'."""
    for unit in UNITS[:-1]:
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} {UNITS[-1]}"
