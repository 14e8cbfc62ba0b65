"""The search for an edit of a claim that agrees with what was measured: which lines, and candidates by cost."""

from __future__ import annotations

import ast
import contextlib
import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import perf_counter as clock
from typing import Any

import numpy as np

from gradcheck.repair import trees
from gradcheck.repair.bulk import Bulk
from gradcheck.repair.candidates import Candidate, Change
from gradcheck.repair.catalogue import EXPRESSIONS, STATEMENTS, Row, StatementRow
from gradcheck.repair.donors import MOST_OTHERS, passes
from gradcheck.repair.edits.statements import Block
from gradcheck.repair.linear import heads
from gradcheck.repair.machine import TooSlow
from gradcheck.repair.places import Place
from gradcheck.repair.program import Line, Spot, replaced
from gradcheck.repair.trials import CLOSER, INFINITE, Trials
from gradcheck.repair.values import kind_of, remade

PLAIN, LINES = 2.0, 3.2  # edits up to this cost come before the linear fits, and before those of missing lines
MARGIN = 0.8  # after the first survivor, candidates that cost so much more are still looked at …
LONGER = 0.25  # … for so many seconds
SPOILS = 0.8  # what a line costs more that moves right entries as well
REPEATED = (
    0.3  # … and an edit in all places of a line where the same stands, or of a line that cannot mend all by its value
)
KNOWN = 0.5  # … and a line whose right-hand side f has as well
CANNOT = 0.3  # what speaks against a line of which no value removes the gap, …
FEW, SCALED = 0.4, 0.5  # … for one where a single number does, and one where a factor does
FIT = 1.05  # the cost of a fitted factor
Work = Callable[[float], None]  # what is done when it is the cheapest thing left, given its cost


class Search:
    """One search.

    foreign: statements of f that the claim has not.
    weights: what each line costs more; infinite where no edit of it can mend all.
    free: what each line's value could do, as `freed` tells.
    """

    def __init__(self, trials: Trials, foreign: Sequence[ast.stmt] = ()) -> None:
        self.trials, self.foreign = trials, foreign
        self.weights: dict[Line, float] = {}
        self.free: dict[Line, float] = {}
        self._heap: list[tuple[float, int, Work]] = []
        self._order = itertools.count()

    def run(self) -> None:
        """Look until time is up, or until no cheaper rival of a survivor can come."""
        trials, bulk = self.trials, Bulk(self.trials)
        self.weights = self.influences()
        for line, weight in self.weights.items():
            self._plan(line, weight)
        self._push(PLAIN, lambda cost: bulk.run(self.weights))
        self._push(LINES, lambda cost: bulk.run_slots())
        limit = INFINITE
        while self._heap and not trials.expired():
            cost, _, work = heapq.heappop(self._heap)
            if cost > limit:
                break
            with contextlib.suppress(TooSlow):
                work(cost)
            if trials.survivors and limit == INFINITE:
                limit = cost + MARGIN
                trials.deadline = min(trials.deadline, clock() + LONGER)

    # ---- what there is to do

    def _push(self, cost: float, work: Work) -> None:
        heapq.heappush(self._heap, (cost, next(self._order), work))

    def _plan(self, line: Line, weight: float) -> None:
        """Everything that may be done to a line; rows are opened when their turn comes."""
        if weight < INFINITE:
            for spots, place in self.places(line):
                more = weight + (REPEATED if len(spots) > 1 else 0.0)
                for row in EXPRESSIONS:
                    self._push(row.cost + more, partial(self._open, row, spots, place))
                if place.kind in ("f", "i") and not place.index:
                    self._push(FIT + more, partial(self.trials.fit_factor, spots, place))
        block = self.block(line)
        for row_of_statements in STATEMENTS:
            more = 0.0 if weight < INFINITE else REPEATED
            self._push(row_of_statements.cost + more, partial(self._open_statements, row_of_statements, block))

    def _open(self, row: Row, spots: Sequence[Spot], place: Place, cost: float) -> None:
        for node, extra in row.edits(place):
            self._push(cost + extra, partial(self.trials.attempt, spots, place, row.name, node))

    def _open_statements(self, row: StatementRow, block: Block, cost: float) -> None:
        for table, extra in row.edits(block):
            changes = tuple(Change(block.line, old, new) for old, new in table.items())
            self._push(cost + extra, partial(self._attempt_statements, changes, row.name))

    def _attempt_statements(self, changes: tuple[Change, ...], row: str, cost: float) -> None:
        self.trials.attempt_tree(Candidate(changes, row, cost))

    # ---- which lines

    def influences(self) -> dict[Line, float]:
        """What each line is worth looking at: inf where a change of its value leaves a wrong entry as it is."""
        weights: dict[Line, float] = {}
        for routine in self.trials.machine.routines:
            for line in routine.lines:
                weights[line] = self._influence(line)
        return weights

    def _influence(self, line: Line) -> float:
        """What moves, and whether f has the same."""
        value = getattr(line.node, "value", None)
        known = value is not None and trees.text(value) in self.trials.pool.foreign
        return self._moves(line) + (KNOWN if known else 0.0)

    def _moves(self, line: Line) -> float:
        if line.spots and line.visits == 0:
            return INFINITE
        if any(kind_of(v) == "b" for spot in line.spots for v in spot.values[:1]):
            return 0.0
        value = getattr(line.node, "value", None)
        if any(spot.node is value and kind_of(v) == "i" for spot in line.spots for v in spot.values[:1]):
            return 0.0  # whole numbers do not move a little
        moved = np.zeros(self.trials.residual.size, bool)
        found = list(heads(line))
        random = np.random.default_rng(1)

        def act(value: Any, frame: Any) -> Any:
            shape = np.shape(value)
            factor, term = 1 + 0.01 * random.uniform(-1, 1, shape), 1e-3 * random.uniform(-1, 1, shape)
            return value * remade(value, factor) + remade(value, term)

        for head in found:
            out = self.trials.machine.run_with((head,), act, self.trials.x)
            if out is None or out.shape != self.trials.base.shape or not np.isfinite(out).all():
                return 0.0
            moved |= np.abs(out - self.trials.base) > 1e-13 * np.abs(self.trials.base).max()
        if not found:
            return 0.0
        wrong = self.trials.target.wrong
        if not moved[wrong].all():
            return INFINITE
        return SPOILS * float(moved[~wrong].mean()) if (~wrong).any() else 0.0

    def suspects(self) -> list[tuple[Line, float]]:
        """The lines that may be wrong, and what speaks against each: the less the likelier."""
        found = []
        for line, weight in self.weights.items():
            if weight < INFINITE and line.spots and not isinstance(line.node, (ast.For, ast.While)):
                against = self.trials.near.get(line, 1.0) + 0.2 * weight - SCALED * (line in self.trials.scaled)
                found.append((line, against + self._freedom(line)))
        return found

    def _freedom(self, line: Line) -> float:
        """What speaks against a line for what its value could do, or for it, below 0."""
        share = self.free.get(line, 1.0)
        return CANNOT if share == INFINITE else FEW * (share - 1.0)

    def seeds(self, most: int) -> list[Candidate]:
        """Edits that mend something: those that mend whole entries and spoil none, those that come nearest, by turns."""
        found = list(self.trials.partial.values())
        mending = sorted((p for p in found if p.mended), key=lambda p: (-p.mended, p.candidate.cost))
        nearest = sorted((p for p in found if p.left < CLOSER), key=lambda p: (round(p.left, 2), p.candidate.cost))
        chosen: list[Candidate] = []
        for pair in itertools.zip_longest(mending, nearest):
            chosen += [p.candidate for p in pair if p is not None and p.candidate not in chosen]
        return chosen[:most]

    def alternatives(self, survivor: Candidate) -> list[Candidate]:
        """Other ways to write what survived, of the same values at the points that were looked at."""
        found: list[Candidate] = []
        for known in self.trials.same.values():
            if survivor in known:
                found += [c for c in known if c is not survivor]
        change = survivor.changes[0]
        if isinstance(change.new, ast.expr):
            donors = {id(d.node): d for d in self.trials.pool.at(change.line) if d.others}
            for part in ast.walk(change.new):
                for other in donors[id(part)].others if id(part) in donors else ():
                    new = replaced(change.new, part, other.node)
                    changes = tuple(Change(c.line, c.old, new) for c in survivor.changes)
                    cost = survivor.cost + 0.5 * (other.cost - donors[id(part)].cost)
                    found.append(Candidate(changes, survivor.row, cost))
        return [c for c in found[:MOST_OTHERS] if self.trials.confirmed(c)]

    def places(self, line: Line) -> Iterator[tuple[tuple[Spot, ...], Place]]:
        groups: dict[str, list[Spot]] = defaultdict(list)
        for spot in line.spots:
            if spot.visits:
                yield (spot,), self.trials.place(spot)
                if not isinstance(spot.node, ast.Constant):
                    groups[trees.text(spot.node)].append(spot)
        for same in groups.values():
            if len(same) > 1 and len(same[0].values) == len(same[1].values):
                yield tuple(same), self.trials.place(same[0])

    def block(self, line: Line) -> Block:
        body = line.body
        k = next(i for i, node in enumerate(body) if node is line.node)
        scopes = passes(line)
        named = {d.text: d for d in self.trials.pool.names(line)} if scopes else {}
        own = {n: d for n, d in named.items() if n in line.routine.locals}
        alike = {n: [m for m, e in own.items() if m != n and e.shape == d.shape] for n, d in own.items()}
        return Block(
            line,
            body[k - 1] if k else None,
            body[k + 1] if k + 1 < len(body) else None,
            list(scopes[0]) if scopes else [],
            alike,
            self.trials.pool.indices,
            self.foreign,
        )
