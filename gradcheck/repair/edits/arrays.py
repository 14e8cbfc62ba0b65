"""Edits of what is done to arrays: transposes, functions, axes, indices, masks, and of conditions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck.repair import trees
from gradcheck.repair.places import HERE, ONE, Edits, Place

if TYPE_CHECKING:
    from gradcheck.repair.trees import Node

FAMILIES = (
    ("sum", "mean", "max"),
    ("sin", "cos"),
    ("sinh", "cosh"),
    ("max", "min"),
    ("maximum", "minimum"),
    ("zeros_like", "ones_like"),
    ("zeros", "ones"),
    ("log", "log2", "log10", "log1p"),
    ("floor", "ceil", "round"),
    ("real", "imag", "abs"),
    ("triu", "tril"),
    ("argmax", "argmin"),
    ("vstack", "hstack", "column_stack"),
    ("exp", "expm1"),
    ("outer", "dot", "inner", "multiply"),
    ("var", "std"),
    ("rad2deg", "deg2rad"),
    ("fft", "ifft"),
    ("rfft", "irfft"),
    ("arcsin", "arccos"),
    ("any", "all"),
    ("cumsum", "sum"),
    ("eye", "ones"),
)
MADE = ("zeros", "ones", "empty", "array", "asarray", "zeros_like", "ones_like", "empty_like")
PADDING = ("edge", "wrap", "reflect", "symmetric", "constant")
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.Lt, ast.GtE, ast.LtE),
    ast.Lt: (ast.Gt, ast.LtE, ast.GtE),
    ast.GtE: (ast.LtE, ast.Gt, ast.Lt),
    ast.LtE: (ast.GtE, ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq, ast.GtE, ast.LtE),
    ast.NotEq: (ast.Eq,),
}


def transpose(p: Place) -> Edits:
    """Transposed, conjugated, or with the arguments exchanged."""
    node = p.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield trees.binary(trees.transposed(node.left), ast.MatMult, node.right), 0.1
        yield trees.binary(node.left, ast.MatMult, trees.transposed(node.right)), 0.1
        yield trees.binary(trees.transposed(node.right), ast.MatMult, node.left), 0.6
        yield trees.binary(node.right, ast.MatMult, trees.transposed(node.left)), 0.6
    elif p.ndim(2) and not isinstance(node, ast.Constant):
        yield trees.transposed(HERE), 0.0
    if isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        yield ast.Call(node.func, [node.args[1], node.args[0]], []), 0.2
    if p.kind == "c":
        for f in p.function("conj", HERE):
            yield f, 0.0
        yield trees.attribute(HERE, "real"), 0.4
        yield trees.attribute(HERE, "imag"), 0.4
    if p.shape and not p.index:
        yield trees.subscript(HERE, ast.Slice(None, None, trees.number(-1))), 1.2


def function(p: Place) -> Edits:
    """Another function of the same family."""
    node = p.node
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    for family in FAMILIES:
        if node.func.attr in family:
            for k, other in enumerate(o for o in family if o != node.func.attr):
                new = ast.Attribute(node.func.value, other, ast.Load())
                yield ast.Call(new, node.args, node.keywords), 0.2 * k


def dtype(p: Place) -> Edits:
    """In the precision that NumPy takes by itself: whole numbers cut off what is behind the point."""
    node = p.node
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    if node.func.attr == "astype":
        yield node.func.value, 0.0
    others = [k for k in node.keywords if k.arg != "dtype"]
    if len(others) < len(node.keywords):
        yield ast.Call(node.func, node.args, others), 0.0
    which = node.args[1] if len(node.args) == 2 and node.func.attr in MADE else None
    if isinstance(which, (ast.Name, ast.Attribute)) and trees.text(which).rpartition(".")[2].startswith(
        ("int", "float")
    ):
        yield ast.Call(node.func, node.args[:1], node.keywords), 0.0


def cumulated(p: Place) -> Edits:
    """A cumulative sum in the other direction."""
    node = p.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("cumsum", "cumprod"):
        back = ast.Slice(None, None, trees.number(-1))
        if node.args:
            inner = ast.Call(node.func, [trees.subscript(node.args[0], back), *node.args[1:]], node.keywords)
        else:
            function = ast.Attribute(trees.subscript(node.func.value, back), node.func.attr, ast.Load())
            inner = ast.Call(function, [], node.keywords)
        yield trees.subscript(inner, back), 0.0


def axis(p: Place) -> Edits:
    """Another axis, none, or one."""
    node = p.node
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    given = [k for k in node.keywords if k.arg in ("axis", "dim")]
    others = [k for k in node.keywords if k.arg not in ("axis", "dim")]
    if given:
        for other in (0, 1, 2, -1):
            yield ast.Call(node.func, node.args, [*others, ast.keyword(given[0].arg, trees.number(other))]), 0.0
        yield ast.Call(node.func, node.args, others), 0.3
        keeps = [k for k in others if k.arg != "keepdims"]
        keep = [] if len(keeps) < len(others) else [ast.keyword("keepdims", ast.Constant(True))]
        yield ast.Call(node.func, node.args, [*given, *keeps, *keep]), 0.3
    elif node.func.attr in ("sum", "mean", "max", "min", "prod", "cumsum", "norm", "argmax", "flip", "std", "var"):
        for other in (0, 1, -1):
            added = [ast.keyword("axis", trees.number(other))]
            yield ast.Call(node.func, node.args, [*others, *added]), 0.6
            yield ast.Call(node.func, node.args, [*others, *added, ast.keyword("keepdims", ast.Constant(True))]), 0.9


def boundary(p: Place) -> Edits:
    """Another value beyond the edge of an array."""
    node = p.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pad":
        others = [k for k in node.keywords if k.arg != "mode"]
        for k, mode in enumerate(PADDING):
            yield ast.Call(node.func, node.args[:2], [*others, ast.keyword("mode", ast.Constant(mode))]), 0.1 * k


def index(p: Place) -> Edits:
    """Another order of indices, a shorter or longer slice."""
    node = p.node
    if isinstance(node, ast.Subscript):
        for other, cost in indices(node.slice):
            yield ast.Subscript(node.value, other, ast.Load()), cost


def indices(old: Node) -> Edits:
    """Other indices in place of one: exchanged, moved to another axis, slices that begin or end elsewhere."""
    everything = ast.Slice(None, None, None)
    if isinstance(old, ast.Tuple):
        if len(old.elts) == 2:
            yield ast.Tuple([old.elts[1], old.elts[0]], ast.Load()), 0.0
        for k, part in enumerate(old.elts):
            if isinstance(part, ast.Slice):
                for other, cost in _slices(part):
                    yield ast.Tuple([*old.elts[:k], other, *old.elts[k + 1 :]], ast.Load()), cost
        return
    if isinstance(old, ast.Slice):
        for other, cost in _slices(old):
            yield other, cost
    yield ast.Tuple([everything, old], ast.Load()), 0.3


def _slices(old: ast.Slice) -> Edits:
    low, high, step = old.lower, old.upper, old.step
    ends: list[tuple[Node | None, float]] = [(None, 0.0), (trees.number(-1), 0.2)]
    starts: list[tuple[Node | None, float]] = [(None, 0.0), (ast.Constant(1), 0.2)]
    ends += [(trees.binary(high, change, ONE), 0.2) for change in (ast.Add, ast.Sub) if high is not None]
    starts += [(trees.binary(low, change, ONE), 0.2) for change in (ast.Add, ast.Sub) if low is not None]
    if low is not None and high is None:
        ends += [(low, 0.3)]
    if high is not None and low is None:
        starts += [(high, 0.3)]
    for start, cost in [(low, -0.1), *starts]:
        for end, more in [(high, -0.1), *ends]:
            if start is low and end is high:
                continue
            yield (
                ast.Slice(start, end, step),
                max(cost, 0) + max(more, 0) + (0.3 if start is not low and end is not high else 0),
            )
    if low is not None and high is None:
        yield ast.Slice(None, low, step), 0.3
    back = trees.number(-1)
    yield ast.Slice(low, high, back if step is None else None), 0.6


def mask(p: Place) -> Edits:
    """Some rows only."""
    if not p.shape or p.index:
        return
    for d in p.names:
        if d.kind == "b" and d.shape and d.shape == p.shape[: len(d.shape)]:
            yield trees.subscript(HERE, d.node), d.cost


def condition(p: Place) -> Edits:
    """Another comparison, or the opposite."""
    node = p.node
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for k, other in enumerate(COMPARISONS.get(type(node.ops[0]), ())):
            yield ast.Compare(node.left, [other()], node.comparators), 0.2 * k
    if p.kind == "b" and p.values:
        if p.shape:
            yield ast.UnaryOp(ast.Invert(), HERE), 0.5
        else:
            yield ast.UnaryOp(ast.Not(), HERE), 0.5
    if isinstance(node, ast.BoolOp) and len(node.values) == 2:
        yield node.values[0], 0.2
        yield node.values[1], 0.2
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value), 0.0
    if isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body), 0.2
        yield node.body, 0.4
        yield node.orelse, 0.4
