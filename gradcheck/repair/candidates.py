"""An edit of a program as data: which nodes it replaces and by what, and the changed trees that come of it."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcheck.repair import trees
from gradcheck.repair.places import HERE
from gradcheck.repair.program import Line, Routine, changed

if TYPE_CHECKING:
    from gradcheck.repair.trees import Node


@dataclass(frozen=True, eq=False)
class Change:
    """A node of a routine's tree and what replaces it: an expression, in which HERE is the old one, or statements."""

    line: Line
    old: ast.AST
    new: Any

    @property
    def routine(self) -> Routine:
        """Whose node it is."""
        return self.line.routine

    def written_out(self) -> Any:
        """What stands in the changed tree."""
        if isinstance(self.new, list):
            for statement in self.new:
                trees.located(statement, self.old)
            return self.new
        assert isinstance(self.old, ast.expr)
        return insert(self.new, self.old)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One or more changes.

    row: of the catalogue.
    cost: how unusual it is.
    """

    changes: tuple[Change, ...]
    row: str
    cost: float

    @property
    def text(self) -> str:
        """For people who look into a search."""
        parts = []
        for change in self.changes:
            new = change.written_out()
            parts.append("; ".join(map(trees.text, new if isinstance(new, list) else [new])) or "(nothing)")
        return f"line {self.changes[0].line.node.lineno}: " + " | ".join(parts)

    def trees(self) -> dict[Routine, ast.FunctionDef]:
        """The changed definitions."""
        table: dict[Routine, dict[ast.AST, Any]] = {}
        for change in self.changes:
            table.setdefault(change.routine, {})[change.old] = change.written_out()
        return {routine: changed(routine, changes) for routine, changes in table.items()}


def insert(new: Node, old: Node) -> Node:
    """A copy of an expression in which HERE is `old` itself, at the place of `old`."""
    if new is old:
        return old
    made = _put(new, old)
    trees.located(made, old)
    return made


def _put(node: Any, old: Node) -> Any:
    if node is old:
        return old
    if isinstance(node, ast.Name) and node.id == HERE.id:
        return old
    made = copy.copy(node)
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            setattr(made, name, [_put(child, old) if isinstance(child, ast.AST) else child for child in value])
        elif isinstance(value, ast.AST):
            setattr(made, name, _put(value, old))
    return made


def joined(first: Candidate, second: Candidate) -> Candidate:
    """Two candidates as one."""
    return Candidate((*first.changes, *second.changes), f"{first.row} and {second.row}", first.cost + second.cost)


__all__ = ["Candidate", "Change", "insert", "joined"]
