"""A watch that is on: which pairs are new, what there is time for, and what came of them.

Checks are made in a child process right after the solver has returned or raised, when all that the functions need is there.
Where there can be none, they are kept for `Session.settle`, which is called when nothing of the program is running.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatch
from types import FrameType
from typing import Any

from gradcheck.errors import is_interrupt
from gradcheck.evaluation.sources import describe
from gradcheck.evaluation.tracebacks import PACKAGE
from gradcheck.model import Kind
from gradcheck.watch import isolation
from gradcheck.watch.budget import SHARE, Budget
from gradcheck.watch.hooks import Call, Hooks, table
from gradcheck.watch.identity import reason_against, sources
from gradcheck.watch.look import Depth, look
from gradcheck.watch.outcome import Class, Outcome, no_mistake, placed, restored
from gradcheck.watch.owner import by_design, owned
from gradcheck.watch.pairs import Pair

FOREIGN = "not of this project"
TRIES = 3  # looks at a pair that could not be judged


class Session:
    """Sees the pairs that go to solvers, and has them checked.

    share: of the program's time that checks may take; None for no limit.
    mine: whether the file of a derivative is one to be looked at; None for all.
    ignore: patterns of names and files that are not.
    known: pairs that were right in earlier runs.
    first: of several processes, whether this one is the first to meet a pair.
    caller: who calls a solver; by default the line that does.
    again: what to type to have a pair of this moment looked at once more, where it cannot be called by itself.
    """

    def __init__(
        self,
        *,
        share: float | None = SHARE,
        mine: Callable[[str], bool] | None = None,
        ignore: tuple[str, ...] = (),
        known: frozenset[str] = frozenset(),
        first: Callable[[str], bool] = lambda key: True,
        caller: Callable[[], str | None] = lambda: None,
        again: Callable[[Pair], str | None] = lambda pair: None,
    ) -> None:
        self.budget = Budget(share)
        self.mine, self.ignore, self.known, self.first = mine, ignore, known, first
        self.caller, self.again = caller, again
        self.outcomes: dict[str, Outcome] = {}
        self.told: list[str] = []  # keys of what is new since somebody asked
        self.excluded: dict[str, str] = {}  # by the key of a pair, why it is none
        self.inline = False  # some checks were made without a child
        self.calls = 0
        self._tries: dict[str, int] = {}
        self._elsewhere: set[str] = set()  # pairs of other processes
        self._later: list[tuple[Pair, dict[str, Any]]] = []
        self._kept: dict[int, list[Pair]] = {}
        self._local = threading.local()
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._hooks: Hooks | None = None

    # ---- on and off

    def begin(self) -> None:
        """Look from now on."""
        _prepare()
        self._hooks = Hooks(table(), self)
        self._hooks.install()

    def end(self) -> None:
        """Look no longer; what was kept for later is checked."""
        if self._hooks is not None:
            self._hooks.remove()
            self._hooks = None
        self.settle()

    @property
    def left_out(self) -> int:
        """How many pairs were left out because somebody has said so."""
        return sum(reason != FOREIGN for reason in self.excluded.values())

    # ---- a call of a solver

    def entered(self, call: Call, read: Callable[[Call], None]) -> None:
        """A solver is about to run.  Never raises."""
        if os.getpid() != self._process:
            return
        self.calls += 1
        self._solvers.append(call.via)
        before = call.args, call.kwargs
        started = time.monotonic()
        try:
            read(call)
        except Exception:
            call.args, call.kwargs = before
            call.pairs.clear()
        self.budget.pay(started, quick=True)

    @property
    def _solvers(self) -> list[str]:
        """The solvers of this thread that are at work, each within the one before."""
        solvers: list[str] = self._local.__dict__.setdefault("solvers", [])
        return solvers

    def wants(self, pair: Pair) -> bool:
        """Whether there is anything to be learnt of a pair."""
        if pair.key in self._elsewhere or pair.key in self.excluded:
            return False
        tried = self._tries.get(pair.key)
        if tried is not None:
            outcome = self.outcomes[pair.key]
            return tried < TRIES and (not outcome.reports or bool(outcome.verdict)) and outcome.category != Class.WRONG
        if (reason := reason_against(pair.derivative) or self._ignored(pair)) is not None:
            self.excluded[pair.key] = reason
            return False
        if len(self._solvers) > 1 and _is_internal(pair, self._solvers):
            self.excluded[pair.key] = FOREIGN
            return False
        return True

    def _ignored(self, pair: Pair) -> str | None:
        """Why a pair is none of ours; None if it is."""
        target = owned(pair.derivative)
        if self.mine is not None:
            files = [file for file in (target.file, owned(pair.function).file) if file is not None]
            if not any(self.mine(file) for file in files[:1]):
                return FOREIGN
        for pattern in self.ignore:
            if fnmatch(target.name, pattern) or (target.file is not None and fnmatch(target.file, pattern)):
                return f"left out by {pattern}"
        return None

    def left(self, call: Call) -> None:
        """A solver has returned or raised."""
        if self._solvers:
            self._solvers.pop()
        error = sys.exc_info()[1]
        if not call.pairs or os.getpid() != self._process or (error is not None and not isinstance(error, Exception)):
            return
        pairs = [pair for pair in call.pairs if pair.visits.count or pair.hidden]
        with self._lock:
            for pair in pairs:
                self._meet(pair)

    def keep(self, owner: object, pairs: list[Pair]) -> None:
        """An object of a library has been given pairs, which methods of it will call."""
        if pairs:
            self._kept[id(owner)] = self.kept(owner) + pairs

    def kept(self, owner: object) -> list[Pair]:
        """Those of them that are still to be checked."""
        pairs = [pair for pair in self._kept.pop(id(owner), ()) if self.wants(pair)]
        if pairs:
            self._kept[id(owner)] = pairs
        return list(pairs)

    # ---- the checks

    def _meet(self, pair: Pair) -> None:
        if not self.wants(pair):
            return  # several calls of one solver were on their way
        if pair.key not in self.outcomes and not self.first(pair.key):
            self._elsewhere.add(pair.key)
            return
        started = time.monotonic()
        about = self._about(pair)
        lasting = sources(*pair.parts) + pair.key
        outcome = Outcome(key=pair.key, **about, lasting=lasting)
        self.outcomes.setdefault(pair.key, outcome)
        self._tell(pair.key)
        if lasting in self.known:
            self._tries[pair.key] = TRIES
            self.outcomes[pair.key] = replace(outcome, earlier=True)
            return
        if pair.hidden:
            self._tries.setdefault(pair.key, 0)
            self.outcomes[pair.key] = replace(outcome, reason=pair.hidden)
            return
        depth = self.budget.depth
        if depth is None:
            self._tries.setdefault(pair.key, 0)
            return
        if depth is not Depth.GLANCE:
            self._tries[pair.key] = self._tries.get(pair.key, 0) + 1
        if not isolation.possible():
            self._later.append((pair, about))
            return
        seconds = self.budget.seconds
        try:
            lines, ended = isolation.apart(lambda: self._lines(pair, seconds, depth), seconds)
        finally:
            self.budget.pay(started, quick=depth is Depth.GLANCE)
        if depth is Depth.GLANCE:
            self._tries[pair.key] = self._tries.get(pair.key, 0) + bool(lines)
            ended = ""
        if lines or ended or depth is not Depth.GLANCE:
            self._learnt(pair, about, lines, ended)

    def _about(self, pair: Pair) -> dict[str, Any]:
        target = owned(pair.derivative)
        return {
            "kind": pair.kind.value,
            "name": target.name,
            "function": owned(pair.function).name,
            "file": target.file,
            "line": target.line,
            "via": pair.via,
            "role": pair.role,
            "caller": self.caller() or calling_line(pair.via),
        }

    def _lines(self, pair: Pair, seconds: float, depth: Depth = Depth.ALL) -> Iterator[str]:
        """In a child: what is found, a line for each point."""
        import json

        from gradcheck.reporting.json import to_dict

        for origin, found in look(pair, seconds, depth):
            if isinstance(found, str):
                yield json.dumps([origin, found])
            else:
                yield json.dumps([origin, to_dict([replace(found, entries=tuple(found.entries[:20]))])["checks"][0]])

    def _learnt(self, pair: Pair, about: dict[str, Any], lines: list[str], ended: str) -> None:
        import json

        reports, reasons = [], [ended] if ended else []
        again = self.again(pair)
        for origin, found in map(json.loads, lines):
            if isinstance(found, str):
                reasons.append(found)
            else:
                report = placed(restored([found])[0], origin, about)
                reports.append(report if report.replay else replace(report, replay=again))
        before = self.outcomes[pair.key]
        outcome = replace(
            before,
            **about,
            points=before.points + len(reports),
            reports=tuple(reports) or before.reports,
            reason="" if reports else "; ".join(reasons),
        )
        if pair.kind is Kind.HESSIAN and outcome.category == Class.WRONG:
            outcome = replace(outcome, design=by_design(pair.derivative))
        if outcome.category == Class.DIFFERENCE:
            outcome = replace(outcome, reports=tuple(no_mistake(report, outcome.design) for report in outcome.reports))
        self.outcomes[pair.key] = outcome
        self._tell(pair.key)

    def _tell(self, key: str) -> None:
        if key not in self.told:
            self.told.append(key)

    def settle(self) -> None:
        """Make the checks that wait for the program to be at rest, in this very process."""
        waiting, self._later = self._later, []
        for pair, about in waiting:
            self.inline = True
            started = time.monotonic()
            seconds = self.budget.seconds
            lines: list[str] = []
            ended = ""
            try:
                with _undisturbed():
                    lines.extend(self._lines(pair, seconds))
            except BaseException as error:
                if is_interrupt(error):
                    raise
                ended = f"{type(error).__name__}: {error}"
            finally:
                self.budget.pay(started)
            self._learnt(pair, about, lines, ended)

    def news(self) -> list[Outcome]:
        """What has become known since this was last asked."""
        told, self.told = self.told, []
        return [self.outcomes[key] for key in told]


def _is_internal(pair: Pair, solvers: list[str]) -> bool:
    """Whether it is a library itself that hands a pair from one of its functions to another, or to another library."""
    file = describe(pair.derivative).file
    folders = {
        os.path.dirname(getattr(sys.modules.get(via.partition(".")[0]), "__file__", None) or "") for via in solvers
    }
    return file is not None and any(folder and file.startswith(folder + os.sep) for folder in folders)


def _prepare() -> None:
    """Import what checks need, so that no child has to."""
    from importlib import import_module

    for name in (
        "checks.glance",
        "checks.gradient",
        "checks.hessian",
        "checks.jacobian",
        "checks.products",
        "checks.explanation",
        "checks.mending",
        "diagnosis.explain",
        "methods.directions",
        "methods.matrix_directions",
        "methods.reexamination",
        "methods.sparsity",
        "reporting.json",
        "reporting.restore",
    ):
        import_module(f"gradcheck.{name}")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Give the program its random states, warnings and error state back."""
    import random
    import warnings

    import numpy as np

    states = random.getstate(), np.random.get_state()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def calling_line(via: str) -> str:
    """``file:line (function)`` of what called a solver, the library's own frames left out."""
    library = via.partition(".")[0]
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module, file = str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename
        own = file.startswith((PACKAGE, "<"))
        if not own and module.partition(".")[0] != library:
            return f"{file}:{frame.f_lineno} ({frame.f_code.co_qualname})"
        frame = frame.f_back
    return "an unknown caller"
