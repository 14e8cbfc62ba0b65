"""Edits of whole statements: = for +=, order, target, too many, one missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradcheck.repair import trees
from gradcheck.repair.edits.arrays import indices
from gradcheck.repair.program import Line

if TYPE_CHECKING:
    from gradcheck.repair.trees import Node

Edits = Iterator[tuple[dict[ast.AST, Any], float]]
"""What replaces which node, and the cost on top of the row's."""


@dataclass(frozen=True, eq=False)
class Block:
    """A statement and what is around it.

    line: the statement.
    before, after: its neighbours in the same body.
    names: those in reach.
    alike: for each variable, those of the same shape.
    indices: those that the claim uses.
    foreign: statements of f, in the claim's names.
    """

    line: Line
    before: ast.stmt | None
    after: ast.stmt | None
    names: Sequence[str] = ()
    alike: dict[str, list[str]] = field(default_factory=dict)
    indices: Sequence[Node] = ()
    foreign: Sequence[ast.stmt] = ()

    @property
    def node(self) -> ast.stmt:
        """The statement."""
        return self.line.node


def _simple(node: ast.AST | None) -> bool:
    return isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr, ast.AnnAssign))


def _read(target: Any) -> Node:
    """A target as an expression."""
    return trees.parse(trees.text(target))


def accumulate(b: Block) -> Edits:
    """= for +=, and the like."""
    node = b.node
    if (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], (ast.Name, ast.Subscript))
    ):
        target = node.targets[0]
        if isinstance(target, ast.Subscript) or b.line.nested or target.id in b.names:
            for k, op in enumerate((ast.Add(), ast.Sub(), ast.Mult(), ast.Div())):
                yield {node: [ast.AugAssign(target, op, node.value)]}, (0.0, 0.3, 1.2, 1.4)[k]
    if isinstance(node, ast.AugAssign):
        yield {node: [ast.Assign([node.target], node.value, None)]}, 0.3
        swapped = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}.get(type(node.op))
        if swapped is not None:
            yield {node: [ast.AugAssign(node.target, swapped(), node.value)]}, -0.2


def order(b: Block) -> Edits:
    """Two neighbours exchanged."""
    if b.after is not None and _simple(b.node) and _simple(b.after):
        yield {b.node: [b.after], b.after: [b.node]}, 0.0


def remove(b: Block) -> Edits:
    """Left out."""
    if _simple(b.node):
        yield {b.node: []}, 0.0
    if isinstance(b.node, ast.If) and not b.node.orelse:
        yield {b.node: b.node.body}, 0.3


def target(b: Block) -> Edits:
    """Another index at the target, or another name."""
    node = b.node
    old = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else getattr(node, "target", None)
    if isinstance(node, (ast.For, ast.AnnAssign)) or old is None:
        return

    def with_target(new: Any) -> list[ast.stmt]:
        if isinstance(node, ast.AugAssign):
            return [ast.AugAssign(new, node.op, node.value)]
        return [ast.Assign([new], node.value, None)]  # type: ignore[attr-defined]

    if isinstance(old, ast.Subscript):
        seen = {trees.text(old.slice)}
        for new, cost in [*indices(old.slice), *((i, 0.2) for i in b.indices), *_parts(old.slice, b)]:
            if trees.text(new) not in seen:
                seen.add(trees.text(new))
                yield {node: with_target(ast.Subscript(old.value, new, ast.Store()))}, cost
        if isinstance(old.value, ast.Name):
            for other in b.alike.get(old.value.id, []):
                new = ast.Subscript(trees.name(other), old.slice, ast.Store())
                yield {node: with_target(new)}, 0.2
    elif isinstance(old, ast.Name):
        for other in b.alike.get(old.id, []):
            yield {node: with_target(ast.Name(other, ast.Store()))}, 0.4


def _parts(old: Node, b: Block) -> Iterator[tuple[Node, float]]:
    """An index of several in which one is another: those that the claim uses, and whole numbers one off."""
    parts = list(old.elts) if isinstance(old, ast.Tuple) else [old]
    others = [i for i in b.indices if not isinstance(i, ast.Tuple)]
    inner = [e for i in b.indices if isinstance(i, ast.Tuple) for e in i.elts]
    for k, part in enumerate(parts):
        options = [(o, 0.3) for o in [*others, *inner]]
        if not isinstance(part, ast.Slice):
            one = ast.Constant(1)
            options += [(trees.binary(part, op, one), 0.2) for op in (ast.Add, ast.Sub)]
            if isinstance(part, ast.BinOp):
                options += [(part.left, 0.2), (part.right, 0.2)]
        for option, cost in options:
            changed = [*parts[:k], option, *parts[k + 1 :]]
            yield (ast.Tuple(changed, ast.Load()) if len(changed) > 1 else changed[0]), cost


def transformed(b: Block) -> Edits:
    """A line more for what was just assigned."""
    node = b.node
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        c = trees.name(node.targets[0].id)
        target = node.targets[0]
        yield {node: [node, ast.Assign([target], trees.binary(c, ast.Add, trees.transposed(c)), None)]}, 0.0


def foreign(b: Block) -> Edits:
    """A line that f has and the claim has not."""
    for statement in b.foreign:
        yield {b.node: [b.node, statement]}, 0.0


def moved(b: Block) -> Edits:
    """The last line of a loop after it, the line after a loop into it, a line to the begin or the end."""
    node = b.node
    if isinstance(node, (ast.For, ast.While)) and not node.orelse:
        if len(node.body) > 1 and _simple(node.body[-1]):
            last = node.body[-1]
            if b.after is not None:
                yield {last: [], b.after: [last, b.after]}, 0.0
        if b.after is not None and _simple(b.after):
            yield {node.body[-1]: [node.body[-1], b.after], b.after: []}, 0.2
        if b.before is not None and _simple(b.before):
            yield {node.body[0]: [b.before, node.body[0]], b.before: []}, 0.2
