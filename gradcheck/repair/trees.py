"""Small helpers for syntax trees: made, compared, measured, and written as text."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from types import CodeType

Node = ast.expr


def parse(text: str) -> Node:
    """An expression from text, a fresh tree."""
    return ast.parse(text, mode="eval").body


def name(identifier: str) -> ast.Name:
    """A name that is read."""
    return ast.Name(identifier, ast.Load())


def number(value: float) -> Node:
    """A literal; a negative one is a minus and a literal."""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e6:
        value = int(value)
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def value_of(node: ast.AST | None) -> float | None:
    """The number that a literal stands for; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return node.value
    return None


def binary(left: Node, operator: type[ast.operator], right: Node) -> ast.BinOp:
    """left ∘ right."""
    return ast.BinOp(left, operator(), right)


def times(left: Node, right: Node) -> ast.BinOp:
    """left * right."""
    return binary(left, ast.Mult, right)


def minus(node: Node) -> Node:
    """−node, without a double minus."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return node.operand
    return ast.UnaryOp(ast.USub(), node)


def attribute(node: Node, which: str) -> ast.Attribute:
    """node.which."""
    return ast.Attribute(node, which, ast.Load())


def transposed(node: Node) -> Node:
    """node.T, or without it."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return attribute(node, "T")


def call(function: Node, *arguments: Node, **keywords: Node) -> ast.Call:
    """function(arguments)."""
    return ast.Call(function, list(arguments), [ast.keyword(k, v) for k, v in keywords.items()])


def subscript(node: Node, index: Node) -> ast.Subscript:
    """node[index]."""
    return ast.Subscript(node, index, ast.Load())


def text(node: ast.AST) -> str:
    """A tree as text; equal text, equal meaning."""
    return ast.unparse(node)


def size(node: ast.AST) -> int:
    """How many names, numbers and operations a tree has."""
    return sum(
        isinstance(
            part, (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Call, ast.Subscript, ast.Attribute, ast.Compare)
        )
        for part in ast.walk(node)
    )


def names(node: ast.AST) -> frozenset[str]:
    """All names in a tree."""
    return frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def expressions(node: ast.AST) -> Iterator[Node]:
    """All expressions in a tree that are read."""
    for part in ast.walk(node):
        if isinstance(part, ast.expr) and isinstance(getattr(part, "ctx", None) or ast.Load(), ast.Load):
            yield part


class _Substitute(ast.NodeTransformer):
    def __init__(self, table: Mapping[str, Node]) -> None:
        self.table = table

    def visit_Name(self, node: ast.Name) -> Node:
        return self.table.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def substituted(node: Node, table: Mapping[str, Node]) -> Node:
    """A copy in which names stand for expressions."""
    fresh = parse(text(node))
    return _Substitute(table).visit(fresh) if table else fresh


@functools.lru_cache(maxsize=16384)
def compiled(source: str) -> CodeType:
    """An expression, compiled.

    Raises:
        SyntaxError, ValueError: it is none.
    """
    return compile(source, "<patch>", "eval")


def code_of(node: Node) -> CodeType:
    """A tree, compiled."""
    return compiled(ast.unparse(node))


def located(node: ast.AST, like: ast.AST) -> None:
    """Give the nodes of a new tree that have no place the place of another."""
    place = {k: getattr(like, k) for k in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    for part in ast.walk(node):
        if isinstance(part, (ast.expr, ast.stmt, ast.keyword, ast.arg)) and not hasattr(part, "lineno"):
            for key, value in place.items():
                setattr(part, key, value)
