"""Edits of signs, operators, numbers, powers and parentheses, and elementary functions in place of values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradcheck.repair import trees
from gradcheck.repair.places import HERE, ONE, TWO, Edits, Place

if TYPE_CHECKING:
    from gradcheck.repair.trees import Node

OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.MatMult, ast.Add),
    ast.Div: (ast.Mult, ast.Sub),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.FloorDiv: (ast.Div,),
}
ELEMENTARY = ("exp", "log", "sqrt", "tanh", "sin", "cos", "sign", "abs", "square", "log1p", "cosh")


def sign(p: Place) -> Edits:
    """The opposite."""
    subtracted = (
        isinstance(p.parent, ast.BinOp) and isinstance(p.parent.op, (ast.Add, ast.Sub)) and p.parent.right is p.node
    )
    if p.kind in ("f", "c") and not p.index and not isinstance(p.node, ast.UnaryOp) and not subtracted:
        inside = isinstance(p.parent, ast.BinOp) and isinstance(p.parent.op, (ast.Mult, ast.Div, ast.MatMult))
        yield trees.minus(HERE), 0.5 if inside else 0.0


def operator(p: Place) -> Edits:
    """Another operator, or the operands exchanged."""
    if isinstance(p.node, ast.BinOp):
        for k, other in enumerate(OPERATORS.get(type(p.node.op), ())):
            yield trees.binary(p.node.left, other, p.node.right), 0.6 * k
        if isinstance(p.node.op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow)):
            yield trees.binary(p.node.right, type(p.node.op), p.node.left), 0.5


def number(p: Place) -> Edits:
    """A number near by."""
    c = trees.value_of(p.node)
    if c is None:
        return
    others = {c + 1, c - 1, -c} | ({2 * c, c + 2} if p.index else {2 * c, c / 2, c + 2, c - 2, c * c, 3 * c, -2 * c})
    others |= set() if p.index or c == 0 else {1 / c, 0, 1}
    for other in sorted(others - {c}, key=lambda v: (abs(v - c), v)):
        yield trees.number(other), 0.1 * min(abs(other - c), 5)


def exponent(p: Place) -> Edits:
    """A power missing, too many, or another one."""
    if isinstance(p.node, ast.BinOp) and isinstance(p.node.op, ast.Pow):
        base, power = p.node.left, p.node.right
        for change in (ast.Sub, ast.Add):
            yield trees.binary(base, ast.Pow, trees.binary(power, change, ONE)), 0.0
        yield trees.binary(base, ast.Pow, trees.minus(power)), 0.3
        return
    if p.index or p.kind not in ("f", "c") or isinstance(p.node, ast.Constant):
        return
    yield trees.binary(HERE, ast.Pow, TWO), 0.3
    for root in p.function("sqrt", HERE):
        yield root, 0.4
    yield trees.binary(HERE, ast.Pow, ast.Constant(3)), 1.0
    yield trees.binary(ONE, ast.Div, HERE), 0.8


def nearby(p: Place) -> Edits:
    """A whole number that is one off."""
    whole = (p.kind == "i" and p.ndim(0)) or (p.index and not p.values)
    if whole and not isinstance(p.node, ast.Constant):
        yield trees.binary(HERE, ast.Add, ONE), 0.0
        yield trees.binary(HERE, ast.Sub, ONE), 0.0


def drop(p: Place) -> Edits:
    """One operand, or the argument alone."""
    node = p.node
    if isinstance(node, ast.BinOp):
        yield node.left, 0.0
        right = node.right
        yield (trees.minus(right) if isinstance(node.op, ast.Sub) else right), 0.0
        if isinstance(node.op, ast.Div):
            yield trees.binary(ONE, ast.Div, right), 0.3
    elif isinstance(node, ast.UnaryOp):
        yield node.operand, 0.0
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not node.args and not _is_module(node.func.value, p):
            yield node.func.value, 0.3
        elif node.args and not isinstance(node.args[0], ast.Starred):
            yield node.args[0], 0.3
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value, 0.0
    elif isinstance(node, ast.Subscript) and not (
        isinstance(node.value, ast.Attribute) and _is_module(node.value.value, p)
    ):
        yield node.value, 0.6  # but not np.r_ for np.r_[a, b]: an array of it never ends


def _is_module(node: Node, p: Place) -> bool:
    return isinstance(node, ast.Name) and node.id == p.numpy


def symmetric(p: Place) -> Edits:
    """A matrix and its transpose."""
    node = p.node
    square = not p.values or (p.shape is not None and len(p.shape) == 2 and p.shape[0] == p.shape[1])
    if not square or isinstance(node, ast.Constant) or p.index:
        return
    both = trees.binary(HERE, ast.Add, trees.transposed(HERE))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and trees.text(node.left) in ("2", "2.0"):
        yield trees.binary(node.right, ast.Add, trees.transposed(node.right)), -0.2
    yield both, 0.0
    yield trees.binary(both, ast.Div, TWO), 0.3
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.left, ast.BinOp):
        yield node.left, 0.0


def parenthesis(p: Place) -> Edits:
    """The same operations, otherwise grouped."""
    node = p.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.BinOp):
        inner = node.operand
        if isinstance(inner.op, (ast.Add, ast.Sub)):
            yield trees.binary(trees.minus(inner.left), type(inner.op), inner.right), 0.0
    if not isinstance(node, ast.BinOp):
        return
    a, b, op = node.left, node.right, type(node.op)
    additive, multiplicative = (ast.Add, ast.Sub), (ast.Mult, ast.Div, ast.MatMult)
    if op in additive:
        for first, rest, times in _prefixes(a):  # a * b + c: a * (b + c)
            yield trees.binary(first, times, trees.binary(rest, op, b)), 0.0
        for rest, last, times in _suffixes(b):  # a + b * c: (a + b) * c
            yield trees.binary(trees.binary(a, op, rest), times, last), 0.0
        if isinstance(b, ast.BinOp) and isinstance(b.op, additive):  # a - (b + c): a - b + c
            yield trees.binary(trees.binary(a, op, b.left), type(b.op), b.right), 0.0
        if isinstance(a, ast.BinOp) and isinstance(a.op, additive):  # a - b + c: a - (b + c)
            yield trees.binary(a.left, type(a.op), trees.binary(a.right, op, b)), 0.0
        if isinstance(a, ast.UnaryOp) and isinstance(a.op, ast.USub):
            yield trees.minus(trees.binary(a.operand, op, b)), 0.0
    if op in multiplicative:
        if isinstance(b, ast.BinOp) and isinstance(b.op, additive):  # a * (b + c): a * b + c
            yield trees.binary(trees.binary(a, op, b.left), type(b.op), b.right), 0.0
        if isinstance(a, ast.BinOp) and isinstance(a.op, additive):  # (a + b) * c: a + b * c
            yield trees.binary(a.left, type(a.op), trees.binary(a.right, op, b)), 0.0
        if isinstance(b, ast.BinOp) and isinstance(b.op, multiplicative):  # a / (b * c): a / b * c
            yield trees.binary(trees.binary(a, op, b.left), type(b.op), b.right), 0.0
        if isinstance(a, ast.BinOp) and isinstance(a.op, multiplicative):  # a / b * c: a / (b * c)
            yield trees.binary(a.left, type(a.op), trees.binary(a.right, op, b)), 0.0
        if isinstance(b, ast.BinOp) and isinstance(b.op, ast.Pow):  # a * b ** c: (a * b) ** c
            yield trees.binary(trees.binary(a, op, b.left), ast.Pow, b.right), 0.2
    if op is ast.Pow and isinstance(a, ast.BinOp) and isinstance(a.op, multiplicative):
        yield trees.binary(a.left, type(a.op), trees.binary(a.right, ast.Pow, b)), 0.2


def _prefixes(node: Node) -> Iterator[tuple[Node, Node, type[ast.operator]]]:
    """A product a * b * c as a and b * c, and as a * b and c."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.MatMult)):
        yield node.left, node.right, type(node.op)
        for first, rest, op in _prefixes(node.left):
            yield first, trees.binary(rest, type(node.op), node.right), op


def _suffixes(node: Node) -> Iterator[tuple[Node, Node, type[ast.operator]]]:
    """A product a * b / c as a * b and / c, and as a and * b / c cannot be said: the last alone."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.MatMult, ast.Div)):
        yield node.left, node.right, type(node.op)


def elementary(p: Place) -> Edits:
    """The derivative of an elementary function for its value, or a function left out."""
    if p.index or p.kind != "f" or isinstance(p.node, ast.Constant):
        return
    one_minus = trees.binary(ONE, ast.Sub, HERE)
    yield trees.binary(ONE, ast.Sub, trees.binary(HERE, ast.Pow, TWO)), 0.0
    yield trees.times(HERE, one_minus), 0.0
    yield one_minus, 0.0
    yield trees.binary(ONE, ast.Add, HERE), 0.5
    yield trees.binary(HERE, ast.Sub, ONE), 0.5
    for which in ELEMENTARY:
        for f in p.function(which, HERE):
            yield f, 0.5
    for f in p.function("exp", trees.minus(HERE)):
        yield trees.binary(ONE, ast.Div, trees.binary(ONE, ast.Add, f)), 0.8
    for f in p.function("sqrt", HERE):
        yield trees.binary(ONE, ast.Div, f), 0.6
    node = p.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):  # 1 - tanh(Y) ** 2: tanh(Y)
        inner = node.right
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Pow):
            yield inner.left, 0.3


def limited(p: Place) -> Edits:
    """Kept within limits, or to one side of 0."""
    if p.index or p.kind != "f" or isinstance(p.node, ast.Constant):
        return
    scalars = [d for d in p.names if d.shape == () and d.kind in ("f", "i")]
    for d in scalars:
        for f in p.function("clip", HERE, trees.minus(d.node), d.node):
            yield f, d.cost
        for which in ("minimum", "maximum"):
            for f in p.function(which, HERE, d.node):
                yield f, 0.3 + d.cost
    for f in p.function("maximum", HERE, ast.Constant(0)):
        yield f, 0.0
    yield trees.times(HERE, ast.Compare(HERE, [ast.Gt()], [ast.Constant(0)])), 0.2
