"""The edits of the catalogue the other way round: a claim that is right is broken, in a few ways for each line of its source."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from gradcheck.model import Where
from gradcheck.repair.candidates import Candidate, Change
from gradcheck.repair.catalogue import EXPRESSIONS, STATEMENTS, Row, StatementRow
from gradcheck.repair.donors import numpy_name
from gradcheck.repair.edits.statements import Block
from gradcheck.repair.machine import Machine
from gradcheck.repair.patch import fix_of
from gradcheck.repair.places import Place, is_index
from gradcheck.repair.program import Line, Spot

T = TypeVar("T")

BREAKING = (  # the rows of the catalogue that break what is right as well: what is particular to a line before what any line has
    "statement too many",
    "number",
    "operator",
    "drop",
    "sign",
    "index",
    "condition",
    "transpose",
    "function",
    "axis",
    "nearby",
    "exponent",
    "accumulate",
)
LEFT_OUT = "(left out)"
_ROWS = {row.name: row for row in (*EXPRESSIONS, *STATEMENTS)}


@dataclass(eq=False)
class Site:
    """A line of text, and what of a routine begins there.

    line: the statement, or the one that goes on there.
    spots: the expressions, the outer before the inner.
    heads: whether the statement begins there.
    """

    line: Line
    spots: list[Spot]
    heads: bool
    number: int

    @property
    def where(self) -> Where:
        """Its place in the file."""
        definition = self.line.routine.definition
        return Where(file=definition.file, line=self.number, text=definition.text[self.number - 1].strip())

    @property
    def ran(self) -> bool:
        """Whether anything of it was computed where the machine has recorded; a statement without expressions counts as run."""
        return any(spot.visits for spot in self.spots) or not self.spots

    def mutants(self) -> Iterator[Candidate]:
        """Ways to break it, of each row of the catalogue one in turn; none twice."""
        seen: set[str] = set()
        for candidate in _in_turn(self._of(_ROWS[name]) for name in BREAKING):
            text = candidate.text
            if text not in seen:
                seen.add(text)
                yield candidate

    def _of(self, row: Row | StatementRow) -> Iterator[Candidate]:
        if isinstance(row, StatementRow):
            if self.heads and not _is_text(self.line.node):
                for table, cost in row.edits(Block(self.line, None, None)):
                    yield Candidate(tuple(Change(self.line, old, new) for old, new in table.items()), row.name, cost)
            return
        yield from _in_turn(self._at(spot, row) for spot in self.spots)

    def _at(self, spot: Spot, row: Row) -> Iterator[Candidate]:
        for node, cost in row.edits(_place(spot)):
            yield Candidate((Change(self.line, spot.node, node),), row.name, cost)


def sites(machine: Machine) -> list[Site]:
    """The lines of the routines of a machine that can be broken, in the order of the source.

    The machine has recorded a run, so that the values of expressions, which decide what fits, are known.
    """
    found: dict[tuple[str, int], Site] = {}
    for routine in machine.routines:
        for line in routine.lines:
            beginning: dict[int, list[Spot]] = {line.node.lineno: []}
            for spot in line.spots:
                beginning.setdefault(spot.node.lineno, []).append(spot)
            for number, spots in beginning.items():
                site = Site(line, spots, number == line.node.lineno, number)
                if next(site.mutants(), None) is not None:
                    found.setdefault((routine.definition.file, number), site)
    return [found[key] for key in sorted(found)]


def written(mutant: Candidate) -> str:
    """What stands in the source in place of the line."""
    if mutant.changes[0].new == []:
        return LEFT_OUT
    changed = mutant.trees()
    try:
        fix = fix_of(
            {routine.definition: tree for routine, tree in changed.items()},
            {routine.definition: routine.tree for routine in changed},
            certain=False,
        )
    except ValueError:  # it cannot be written as a change of the text
        return mutant.text.partition(": ")[2]
    return " ".join(line.strip() for line in fix.after.splitlines())


def _place(spot: Spot) -> Place:
    return Place(
        node=spot.node,
        parent=spot.parents[-1],
        values=spot.sample,
        numpy=numpy_name(spot.line.routine),
        index=is_index(spot),
    )


def _in_turn(queues: Iterable[Iterator[T]]) -> Iterator[T]:
    """One of each, then the next of each."""
    for some in itertools.zip_longest(*queues):
        yield from (one for one in some if one is not None)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
