"""Which lines of user code run, and how far its decisions were from falling otherwise, while a recorder is on.

By ``sys.monitoring`` where Python has it (3.12): a line that has run is not looked at again, so that recording costs next to
nothing.  By ``sys.settrace`` before.
"""

from __future__ import annotations

import ast
import linecache
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.branches import Decision, Distance, decisions_of
from gradcheck.evaluation.tracebacks import PACKAGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

Way = tuple[Decision, bool]
"""One outcome of a decision."""

TOOL = "gradcheck"
IDS = (4, 3, 2)  # of tools of sys.monitoring, those first that nobody claims by custom
INSTALLED = tuple({path for key in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(key))})
_MONITORING: Any = getattr(sys, "monitoring", None)


@dataclass(slots=True, eq=False)
class Routine:
    """A function of the user's that was called.

    lines: that could run.  ran: those that did.
    steps: instructions that ran, by their offsets, while decisions were watched: a line may hold two ways.
    """

    code: CodeType
    name: str
    lines: frozenset[int]
    ran: set[int] = field(default_factory=set)
    steps: set[int] = field(default_factory=set)
    decisions: dict[int, tuple[Decision, ...]] = field(default_factory=dict)

    @property
    def missed(self) -> list[int]:
        """The lines that never ran, those aside that only raise."""
        return sorted(self.lines - self.ran - _only_raising(self.code.co_filename))


class Recorder:
    """Records while it is entered, as often as that is, and adds up.

    own: files that are looked into although they are installed ones, such as that of an f from a library.
    watching: note the distances of decisions as well; it costs more.
    nearest: by way, the least distance since all was forgotten; 0 if it was taken.
    """

    def __init__(self, own: Sequence[str | None] = ()) -> None:
        self._own = frozenset(file for file in own if file)
        self._known: dict[CodeType, Routine | None] = {}
        self.watching = False
        self.nearest: dict[Way, Distance] = {}
        self.refused = ""
        self._depth = 0
        self._tool, self._events = -1, 0

    @property
    def routines(self) -> list[Routine]:
        """The user's functions that were called."""
        return [routine for routine in self._known.values() if routine is not None]

    def forget(self) -> dict[CodeType, tuple[set[int], set[int]]]:
        """Begin anew; the lines and the instructions of each function that had run by then."""
        before = {routine.code: (routine.ran, routine.steps) for routine in self.routines}
        for routine in self.routines:
            routine.ran, routine.steps = set(), set()
        self.nearest = {}
        return before

    def recall(self, before: Mapping[CodeType, tuple[set[int], set[int]]]) -> None:
        """Add what had run earlier."""
        for routine in self.routines:
            ran, steps = before.get(routine.code, (set(), set()))
            routine.ran |= ran
            routine.steps |= steps

    def __enter__(self) -> Recorder:
        self._depth += 1
        if self._depth == 1:
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self._stop()

    def _routine(self, code: CodeType) -> Routine | None:
        """The record of a code object; None if it is not the user's."""
        if code not in self._known:
            file = code.co_filename
            theirs = file in self._own or not (file.startswith(("<frozen", *INSTALLED)) or _is_ours(file))
            lines = frozenset(line for _, _, line in code.co_lines() if line is not None and line > code.co_firstlineno)
            first = {code.co_firstlineno} if code.co_name in ("<lambda>", "<listcomp>", "<genexpr>") else set()
            name = code.co_qualname.rpartition("<locals>.")[2]
            self._known[code] = (
                Routine(code, name, lines | first, decisions=dict(decisions_of(file))) if theirs else None
            )
        return self._known[code]

    def _line(self, routine: Routine, line: int, frame: FrameType) -> bool:
        """A line is about to run; whether it is worth looking at again."""
        routine.ran.add(line)
        decisions = routine.decisions.get(line)
        if decisions is None:
            return False
        if self.watching:
            outer, inner = frame.f_globals, frame.f_locals
            for decision in decisions:
                for outcome, distance in zip((True, False), decision.ways(outer, inner) or (), strict=False):
                    before = self.nearest.get((decision, outcome))
                    if before is None or distance.far < before.far:
                        self.nearest[decision, outcome] = distance
        return True

    # ---- by sys.settrace

    def _start(self) -> None:
        if _MONITORING is not None:
            self._start_monitoring()
        elif sys.gettrace() is not None:
            self.refused = "a debugger or a measurement of coverage is tracing already"
        else:
            sys.settrace(self._called)

    def _stop(self) -> None:
        if self._tool >= 0:
            self._stop_monitoring()
        elif _MONITORING is None and not self.refused:
            sys.settrace(None)

    def _called(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        routine = self._routine(frame.f_code)
        if routine is None or (not self.watching and routine.lines <= routine.ran):
            return None
        frame.f_trace_opcodes = self.watching

        def local(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
            if event == "line":
                self._line(routine, frame.f_lineno, frame)
            elif event == "opcode":
                routine.steps.add(frame.f_lasti)
            return local

        return local

    # ---- by sys.monitoring

    def _start_monitoring(self) -> None:
        self._tool = next((tool for tool in IDS if _MONITORING.get_tool(tool) is None), -1)
        if self._tool < 0:
            self.refused = "other tools have taken all places of sys.monitoring"
            return
        events = _MONITORING.events
        self._events = events.LINE | (events.INSTRUCTION if self.watching else 0)
        _MONITORING.use_tool_id(self._tool, TOOL)
        _MONITORING.register_callback(self._tool, events.PY_START, self._began)
        _MONITORING.register_callback(self._tool, events.LINE, self._reached)
        _MONITORING.register_callback(self._tool, events.INSTRUCTION, self._stepped)
        _MONITORING.set_events(self._tool, events.PY_START)
        for routine in self.routines:
            _MONITORING.set_local_events(self._tool, routine.code, self._events)
        _MONITORING.restart_events()

    def _stop_monitoring(self) -> None:
        _MONITORING.set_events(self._tool, 0)
        for routine in self.routines:
            _MONITORING.set_local_events(self._tool, routine.code, 0)
        events = _MONITORING.events
        for event in (events.PY_START, events.LINE, events.INSTRUCTION):
            _MONITORING.register_callback(self._tool, event, None)
        _MONITORING.free_tool_id(self._tool)
        self._tool = -1

    def _began(self, code: CodeType, offset: int) -> Any:
        if code not in self._known and self._routine(code) is not None:
            _MONITORING.set_local_events(self._tool, code, self._events)
        return _MONITORING.DISABLE

    def _reached(self, code: CodeType, line: int) -> Any:
        routine = self._known.get(code)
        if routine is not None and self._line(routine, line, sys._getframe(1)) and self.watching:
            return None
        return _MONITORING.DISABLE

    def _stepped(self, code: CodeType, offset: int) -> Any:
        routine = self._known.get(code)
        if routine is not None:
            routine.steps.add(offset)
        return _MONITORING.DISABLE


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What one look at a point showed.

    places: the instructions that ran.
    nearest: the distance of each decision that was come to, to both outcomes.
    sound: all that was called answered with finite numbers.
    """

    places: frozenset[tuple[CodeType, int]]
    nearest: dict[Way, Distance]
    sound: bool

    @property
    def taken(self) -> set[Way]:
        """The outcomes that decisions had."""
        return {way for way, distance in self.nearest.items() if distance.far == 0}


class Witness:
    """Calls functions at points to see which way they go there.

    calls: by role, what takes the flat vector of a point.
    made: how often each was called.
    """

    def __init__(self, recorder: Recorder, calls: Mapping[str, Callable[[Any], Any]]) -> None:
        self.recorder, self.calls = recorder, calls
        self.made = dict.fromkeys(calls, 0)

    def look(self, x: NDArray[Any], *roles: str) -> Sight:
        """Call some of them, by default all; where one raises, or is not finite, its lines do not count as run."""
        recorder = self.recorder
        before = recorder.forget()
        recorder.watching, sound = True, True
        try:
            with recorder, np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for role in roles or self.calls:
                    self.made[role] += 1
                    sound &= _finite(self.calls[role](x.copy()))
        except Exception:
            sound = False
        finally:
            recorder.watching = False
            places = frozenset((routine.code, step) for routine in recorder.routines for step in routine.steps)
            nearest = recorder.nearest
            if not sound:
                recorder.forget()
            recorder.recall(before)
        return Sight(places, nearest, sound)


def _finite(value: Any) -> bool:
    """Whether a value is made of finite numbers, as far as NumPy can tell."""
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_finite, value))
    try:
        return bool(np.isfinite(np.asarray(value, dtype=np.float64)).all())
    except (TypeError, ValueError):
        return True


def _is_ours(file: str) -> bool:
    return file.startswith(PACKAGE)


@lru_cache(maxsize=64)
def _only_raising(file: str) -> frozenset[int]:
    """The lines of blocks that end by raising and hold nothing else but what leads to it: they refuse, and compute nothing."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    found: set[int] = set()
    for node in ast.walk(tree):
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if (
                isinstance(block, list)
                and block
                and isinstance(block[-1], ast.Raise)
                and not isinstance(node, ast.FunctionDef)
            ):
                found |= {line for statement in block for line in _lines(statement)}
        if isinstance(node, ast.Raise):
            found |= set(_lines(node))
    return frozenset(found)


def _lines(node: ast.stmt) -> Iterator[int]:
    yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def ranges(lines: Sequence[int]) -> str:
    """Lines as a person would write them: ``57–61, 70``."""
    starts = [k for k, (before, line) in enumerate(pairwise([-9, *lines])) if line != before + 1]
    runs = [lines[start:stop] for start, stop in pairwise([*starts, len(lines)])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


__all__ = ["Recorder", "Routine", "Sight", "Way", "Witness", "ranges"]
