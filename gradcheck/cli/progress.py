"""One line on stderr that says how far a check has come; nothing at all for a check that is done in half a second."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import TextIO

from gradcheck.cli import supervision

PATIENCE = 0.5  # seconds of silence before the first line
LIVE_INTERVAL = 0.1  # seconds between two states of a line that is drawn over itself
PLAIN_INTERVAL = 5.0  # seconds between two lines of their own
SAID = ("plan", "journal")  # who waits for a slow check wants to know for how long, and what is known already
DISPENSABLE = (0, 4, 3, 1, 5)  # the name, the rate, evaluations, the phase, the time that is left


class Progress:
    """Shows the state of a run of checks; an instance is the ``progress=`` of each of them.

    stream: where to write, as a rule stderr; None for nowhere.
    said: where the plan of a slow check is said, shown or not.
    live: draw one line over itself, for a terminal; else write a line of its own every few seconds, for a log.
    clock: seconds as a float, for tests.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        live: bool,
        clock: Callable[[], float] = time.monotonic,
        said: TextIO | None = None,
    ) -> None:
        self._stream, self._said = stream, said
        self._live = live
        self._clock = clock
        self._start = self._check_start = self._phase_start = clock()
        self._next = math.inf if stream is None else self._start + PATIENCE
        self._phase = ""
        self._label = ""
        self._width = 0  # of the line now on the terminal

    def begin(self, name: str, number: int, total: int, within: float = math.inf) -> None:
        """Say which check of how many is next, and how many seconds its budget gives it."""
        self._label = f"[{number:,}/{total:,}] {name}" if total > 1 else name
        self._check_start = self._clock()
        self._phase = ""
        supervision.at(name, within)

    def __call__(self, phase: str, done: int, total: int, evaluations: int, detail: str = "") -> None:
        """Take the news of a check; `done` of `total` in this phase, `evaluations` of f in all, total 0 if unknown."""
        now = self._clock()
        if phase != self._phase:
            self._phase, self._phase_start = phase, now
        if phase in SAID:
            self._put(("\r" if self._width else "") + f"{self._label}: {detail}\n", self._said)
            return
        if now < self._next:
            return
        self._next = now + (LIVE_INTERVAL if self._live else PLAIN_INTERVAL)
        self._write(self._state(now, done, total, evaluations, detail))

    def clear(self) -> None:
        """Wipe the line, so that what is printed next starts on a clean one: all checks are over."""
        supervision.at("the reports")
        if self._live and self._width:
            self._put("\r" + " " * self._width + "\r")
            self._width = 0

    def _state(self, now: float, done: int, total: int, evaluations: int, detail: str) -> list[str]:
        """The parts of a line, of which a narrow terminal does without the first of `DISPENSABLE` first."""
        elapsed, in_phase = now - self._check_start, now - self._phase_start
        rate = f"{_rate(evaluations / elapsed)}/s" if evaluations and elapsed > 0 else ""
        left = f"{_clock_face(in_phase / done * (total - done))} left" if 0 < done < total and in_phase > 0 else ""
        counts = f"{done:,}/{total:,}" if total else ""
        return [
            self._label,
            self._phase,
            counts,
            f"{evaluations:,} evaluations" if evaluations else "",
            rate,
            left,
            detail,
        ]

    def _write(self, parts: list[str]) -> None:
        if not self._live or self._stream is None:
            self._put(_joined(parts) + "\n")
            return
        room = _columns(self._stream) - 1
        for place in DISPENSABLE:
            if len(_joined(parts)) <= room:
                break
            parts[place] = ""  # whole: numbers are never cut
        line = _joined(parts)[: max(room, 0)]
        self._put("\r" + line + " " * (self._width - len(line)))
        self._width = len(line)

    def _put(self, text: str, stream: TextIO | None = None) -> None:
        stream = stream or self._stream
        if stream is None:
            return
        try:
            stream.write(text)
            stream.flush()
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "replace").decode())
            stream.flush()
        except (OSError, ValueError):
            self._next = math.inf  # stderr is closed: a check goes on without it


def _joined(parts: list[str]) -> str:
    return "  ".join(part for part in parts if part)


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _clock_face(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
