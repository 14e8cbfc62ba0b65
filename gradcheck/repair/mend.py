"""From a wrong claim to patches of it: prepared here, searched for in a process of its own, verified with the checker."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Fix, Where
from gradcheck.repair.candidates import Candidate
from gradcheck.repair.case import Case
from gradcheck.repair.constants import agreement
from gradcheck.repair.freed import freed
from gradcheck.repair.isolation import Send, can_isolate, isolated, watched
from gradcheck.repair.machine import Machine
from gradcheck.repair.patch import fix_of
from gradcheck.repair.search import Search
from gradcheck.repair.setting import Setting, prepare
from gradcheck.repair.trials import Trials

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PAIRING = 0.1  # of the time, for two edits whose effects add up
FREEING = 0.1  # of the time, for what each value could do
FIRST = 0.6  # of the time, for one edit; the rest is for two
SEEDS = 4  # edits that mend a part on which a second one is tried
MOST_SENT, MOST_OFFERED = 8, 3  # survivors that are told apart, and of different meaning that are offered
SLOW = 0.5  # seconds of computing after which one candidate is given up
GRACE = 1.0  # seconds after which the search is ended from outside, besides twice its time


@dataclass(frozen=True)
class Survivor:
    """An edit that agrees with all that was measured, as it is sent.

    trees: the changed definitions, by the number of the routine.
    meaning: equal numbers, equal answers elsewhere.
    steady: it holds when the numbers that f and the claim use are others.
    """

    trees: dict[int, ast.FunctionDef]
    row: str
    cost: float
    meaning: int
    steady: bool


@dataclass(eq=False)
class Outcome:
    """What a search came to: fixes, best first, and the lines that the evidence points to, most likely first."""

    fixes: tuple[Fix, ...] = ()
    lines: tuple[Where, ...] = ()
    notes: list[str] = field(default_factory=list)


def mend(case: Case) -> Outcome:
    """Search for patches of a claim that failed.

    Raises:
        Impure, NoSource: its source cannot be read, or does more than compute.
    """
    setting = prepare(case.claim, case.function, case.evaluate)
    outcome = Outcome()
    survivors: list[Survivor] = []
    for message in _searched(case, setting):
        if isinstance(message, Survivor):
            survivors.append(message)
        elif isinstance(message, str):
            outcome.notes.append(message)
        else:
            outcome.lines = tuple(_where(setting, number, node_line) for number, node_line in message)
    outcome.fixes = tuple(_offered(case, setting, survivors))
    return outcome


def _where(setting: Setting, number: int, line: int) -> Where:
    definition = setting.own[number].definition
    return Where(file=definition.file, line=line, text=definition.text[line - 1].strip())


def _searched(case: Case, setting: Setting) -> Iterator[Any]:
    if can_isolate():
        yield from isolated(lambda send: _work(case, setting, send), 2 * case.seconds + GRACE)
    else:
        found: list[Any] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _look(case, setting, found.append)
        yield from found


def _work(case: Case, setting: Setting, send: Send) -> None:
    try:
        with watched(lambda: setting.machine.steps, SLOW):
            _look(case, setting, send)
    except Exception as error:  # of ours: it must not take the check along
        send(f"the search for a patch failed: {type(error).__name__}: {error}")


def _look(case: Case, setting: Setting, send: Send) -> None:
    """The search itself: one edit, then two."""
    deadline = clock() + case.seconds
    with np.errstate(all="ignore"):
        trials = Trials(setting.machine, setting.pool, case.measured, clock() + FIRST * case.seconds)
        if not trials.start():
            return
        search = Search(trials, setting.foreign)
        try:
            search.run()
            if not trials.survivors:
                trials.deadline = clock() + PAIRING * case.seconds
                trials.pairs()
            if not trials.survivors:
                search.free = freed(trials, search.weights, clock() + FREEING * case.seconds)
            found = [({}, search)] if trials.survivors else list(_second(case, setting, search, deadline))
            _tell(case, setting, found, send)
        finally:
            lines = sorted(search.suspects(), key=lambda pair: pair[1])
            send([(setting.own.index(line.routine), line.node.lineno) for line, _ in lines])


def _second(case: Case, setting: Setting, first: Search, deadline: float) -> Iterator[tuple[dict[Any, Any], Search]]:
    """Searches on top of edits that mend a part."""
    seeds = first.seeds(SEEDS)
    for k, seed in enumerate(seeds):
        now = clock()
        if now >= deadline:
            return
        trees = seed.trees()
        try:
            routines = [r.changed(trees[r]) if r in trees else r.changed(r.tree) for r in setting.machine.routines]
        except (SyntaxError, ValueError):
            continue
        for routine in routines:
            routine.become(None)
        machine = Machine(setting.machine.call, routines, case.evaluate)
        setting.machine.steps += 1
        until = now + (deadline - now) / (len(seeds) - k)
        trials = Trials(machine, setting.pool.on(machine), case.measured, until)
        search = Search(trials, setting.foreign)
        if trials.start():
            search.run()
        setting.machine.steps += machine.steps
        for routine in setting.machine.routines:
            routine.become(None)
        if trials.survivors:
            yield trees, search
            return


def _tell(case: Case, setting: Setting, found: Sequence[tuple[dict[Any, Any], Search]], send: Send) -> None:
    """Send what survived, told apart by what it answers elsewhere."""
    own = setting.own
    candidates: list[tuple[Candidate, dict[int, ast.FunctionDef]]] = []
    for before, search in found:
        places = {r.definition: k for k, r in enumerate(own)}
        base = {places[r.definition]: tree for r, tree in before.items()}
        survivors = list(search.trials.survivors[:MOST_SENT])
        for survivor in search.trials.survivors[:2]:
            survivors += search.alternatives(survivor)
        candidates += [
            (c, base | {places[r.definition]: tree for r, tree in c.trees().items()})
            for c in sorted(survivors, key=lambda c: c.cost)[: 2 * MOST_SENT]
        ]
    answers: list[list[Any]] = []
    judged = []
    for candidate, trees in candidates:
        with applied(setting, trees):
            there = [setting.machine.run(x) for x in case.fresh]
            steady = agreement(case, setting)
        alike = (k for k, known in enumerate(answers) if all(map(_alike, there, known)))
        meaning = next(alike, len(answers))
        if meaning == len(answers):
            answers.append(there)
        judged.append((candidate, trees, meaning, steady))
    most = max((steady for *_, steady in judged), default=0)
    for candidate, trees, meaning, steady in judged:
        send(Survivor(trees, candidate.row, candidate.cost, meaning, steady == most))


def _alike(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    size = np.abs(a).max(initial=0.0)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=1e-9 * size, equal_nan=True))


class applied:  # noqa: N801  # reads as what it is: with applied(…)
    """While this lasts, some routines have other trees."""

    def __init__(self, setting: Setting, trees: dict[int, ast.FunctionDef]) -> None:
        self.setting, self.trees = setting, trees

    def __enter__(self) -> None:
        for k, tree in self.trees.items():
            self.setting.own[k].become(tree)

    def __exit__(self, *error: object) -> None:
        for k in self.trees:
            self.setting.own[k].become(None)


def _offered(case: Case, setting: Setting, survivors: Sequence[Survivor]) -> Iterator[Fix]:
    """The fixes: of each meaning the most usual that passes the checker and can be written."""
    chosen: list[Survivor] = []
    for survivor in sorted(survivors, key=lambda s: (not s.steady, s.cost)):
        if survivor.meaning in [c.meaning for c in chosen] or len(chosen) == MOST_OFFERED:
            continue
        with applied(setting, survivor.trees):
            if case.verify(setting.machine.call):
                chosen.append(survivor)
    steady = [c for c in chosen if c.steady]
    certain = len(chosen) == 1 or len(steady) == 1
    for k, survivor in enumerate(steady if len(steady) == 1 else chosen):
        changes = {setting.own[i].definition: tree for i, tree in survivor.trees.items()}
        originals = {setting.own[i].definition: setting.own[i].tree for i in survivor.trees}
        try:
            yield fix_of(changes, originals, certain and k == 0)
        except ValueError:
            continue
