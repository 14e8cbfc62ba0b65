"""A function as it is searched: its tree, its statements and expressions, what they came to, and changed trees of it."""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from gradcheck.repair.source import Definition, compiled

FEW_VISITS = 3  # passes of a loop that are looked at to tell values apart: the first is often degenerate

Expression = ast.expr
Node = ast.AST
NESTING = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(eq=False)
class Spot:
    """An expression of a routine, and the values that it had.

    line: the statement that it belongs to.
    nested: it stands in a function or comprehension within the routine.
    values, scopes: what it came to and the variables in reach, at the passes that were recorded.
    beside, beside_scopes: the same at one pass at another point.
    """

    number: int
    line: Line
    node: Expression
    parents: tuple[Node, ...]  # from the statement down to the one around it
    nested: bool
    values: list[Any] = field(default_factory=list)
    scopes: list[dict[str, Any]] = field(default_factory=list)
    beside: list[Any] = field(default_factory=list)
    beside_scopes: list[dict[str, Any]] = field(default_factory=list)
    visits: int = 0

    @property
    def sample(self) -> list[Any]:
        """What it came to at a few passes, and at another point."""
        return [*(self.values[k] for k in few(len(self.values))), *self.beside]

    @property
    def sample_scopes(self) -> list[dict[str, Any]]:
        """The variables in reach then."""
        return [*(self.scopes[k] for k in few(len(self.scopes))), *self.beside_scopes]


@dataclass(eq=False)
class Line:
    """A statement of a routine."""

    routine: Routine
    node: ast.stmt
    parents: tuple[Node, ...]  # from the definition down to the statement around it
    nested: bool
    spots: list[Spot] = field(default_factory=list)
    scopes: list[dict[str, Any]] = field(default_factory=list)
    beside: list[dict[str, Any]] = field(default_factory=list)
    visits: int = 0
    variant: CodeType | None = None

    @functools.cached_property
    def keeper(self) -> Spot | None:
        """The expression at which the variables in reach are kept: one that is computed whenever the statement is."""
        return min((s for s in self.spots if not s.nested), key=lambda s: len(s.parents), default=None)

    @property
    def body(self) -> list[ast.stmt]:
        """The list of statements that it is one of."""
        for _, value in ast.iter_fields(self.parents[-1]):
            if isinstance(value, list) and any(v is self.node for v in value):
                return value
        raise AssertionError("a statement is in a body")


@dataclass(eq=False)
class Routine:
    """One function: its definition, the copy that runs, and what it reaches by name."""

    definition: Definition
    tree: ast.FunctionDef
    made: FunctionType
    namespace: dict[str, Any]
    code: CodeType
    lines: list[Line] = field(default_factory=list)

    @property
    def locals(self) -> frozenset[str]:
        """The names that it assigns itself."""
        return frozenset((*self.code.co_varnames, *self.code.co_cellvars))

    def become(self, tree: ast.FunctionDef | None) -> None:
        """Run another tree from now on; None: the original."""
        self.made.__code__ = self.code if tree is None else self.code_of(tree)

    def changed(self, tree: ast.FunctionDef) -> Routine:
        """The same function, which begins with another tree."""
        return Routine(self.definition, tree, self.made, self.namespace, self.code_of(tree))

    def code_of(self, tree: ast.FunctionDef) -> CodeType:
        """A definition, compiled.

        Raises:
            SyntaxError, ValueError: it is no Python.
        """
        module = compiled(tree, (), self.definition.file)
        return next(c for c in module.co_consts if isinstance(c, CodeType))


def read_lines(routine: Routine, first: int = 0) -> None:
    """Find the statements and expressions of a routine; spots are numbered from `first`."""
    number = first
    for node, parents, nested in _statements(routine.tree, (), False):
        line = Line(routine, node, parents, nested)
        for root in _roots(node):
            for expression, above, inside in _expressions(root, (node,), nested, routine.namespace):
                line.spots.append(Spot(number, line, expression, above, inside))
                number += 1
        routine.lines.append(line)


def _statements(
    node: Node, parents: tuple[Node, ...], nested: bool
) -> Iterator[tuple[ast.stmt, tuple[Node, ...], bool]]:
    below = (*parents, node)
    for _, value in ast.iter_fields(node):
        if isinstance(value, list):
            for child in value:
                if isinstance(child, ast.stmt):
                    yield child, below, nested
                    yield from _statements(child, below, nested or isinstance(child, ast.FunctionDef))
                elif isinstance(child, (ast.ExceptHandler,)):
                    yield from _statements(child, below, nested)


def _roots(node: ast.stmt) -> Iterator[Expression]:
    """The expressions of a statement that are computed, without those of the statements in it."""
    for name, value in ast.iter_fields(node):
        if name in ("body", "orelse", "finalbody", "handlers", "decorator_list", "annotation", "args", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.withitem):
                continue
            if isinstance(child, ast.expr):
                yield from _computed(child)


def _computed(node: Expression) -> Iterator[Expression]:
    """The node itself if it is computed; of a target, the subscripts in it."""
    if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
        if isinstance(node, ast.Subscript):
            yield node.slice
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and not (isinstance(node, ast.Subscript) and child is node.slice):
                yield from (() if isinstance(getattr(child, "ctx", None), ast.Load) else _computed(child))
    else:
        yield node


def _expressions(
    node: Node, parents: tuple[Node, ...], nested: bool, namespace: Mapping[str, Any]
) -> Iterator[tuple[Expression, tuple[Node, ...], bool]]:
    """The expressions below and with a node whose value can be replaced, the outer before the inner."""
    if isinstance(node, ast.expr) and _replaceable(node, parents[-1], namespace):
        yield node, parents, nested
    below = (*parents, node)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.expr, ast.keyword, ast.comprehension, ast.Slice, ast.Starred)):
            inside = nested or isinstance(node, NESTING)
            yield from _expressions(child, below, inside, namespace)


def _replaceable(node: Expression, parent: Node, namespace: Mapping[str, Any]) -> bool:
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return False
    if isinstance(node, (ast.Slice, ast.Starred, ast.Lambda, ast.JoinedStr, ast.FormattedValue, ast.GeneratorExp)):
        return False
    if isinstance(parent, ast.FormattedValue) or (isinstance(parent, ast.Call) and node is parent.func):
        return False
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float, complex)) and not isinstance(parent, ast.JoinedStr)
    if isinstance(node, ast.Name) and isinstance(namespace.get(node.id), (ModuleType, FunctionType)):
        return False
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return not isinstance(namespace.get(node.value.id), ModuleType) or not isinstance(parent, ast.Attribute)
    return not (isinstance(node, ast.Tuple) and any(isinstance(e, (ast.Slice, ast.Starred)) for e in node.elts))


def changed(routine: Routine, changes: Mapping[Node, Any]) -> ast.FunctionDef:
    """The definition with some nodes replaced: an expression by another, a statement by a list of statements."""
    return rebuilt(routine.tree, changes)


def rebuilt(node: Any, changes: Mapping[Node, Any]) -> Any:
    """A copy along the paths to the changed nodes; the rest is shared."""
    if node in changes:
        return changes[node]
    fresh: dict[str, Any] = {}
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            made: list[Any] = []
            for child in value:
                other = rebuilt(child, changes) if isinstance(child, ast.AST) else child
                made += other if isinstance(other, list) else [other]
            if len(made) != len(value) or any(a is not b for a, b in zip(made, value, strict=True)):
                fresh[name] = made or ([ast.copy_location(ast.Pass(), value[0])] if name == "body" else made)
        elif isinstance(value, ast.AST):
            other = rebuilt(value, changes)
            if other is not value:
                fresh[name] = other
    if not fresh:
        return node
    other = copy.copy(node)
    for name, value in fresh.items():
        setattr(other, name, value)
    return other


def replaced(root: Any, node: Node, new: Any) -> Any:
    """A tree with one node replaced."""
    return rebuilt(root, {node: new})


def few(count: int) -> tuple[int, ...]:
    """Some of so many passes that stand for all."""
    return tuple(range(count)) if count <= FEW_VISITS else (1, count // 2, count - 1)
