"""Where source code decides between two ways, and how far a run was from deciding otherwise.

A comparison is watched from outside: its operands are evaluated once more, before the line that holds it runs, if they are
made of names, numbers, arithmetic and well-known functions alone; nothing else of the user's is called for it.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_VALUES = 4096  # of a comparison that are looked at
TOUCHING = 5e-324  # how far it is from `a > b` to a being greater where both are equal
MODULES = frozenset(
    ["np", "numpy", "math", "torch", "jnp", "xp", "la", "linalg"]
)  # names of modules whose functions compute and do no more
METHODS = frozenset(
    [
        "all",
        "any",
        "sum",
        "min",
        "max",
        "mean",
        "prod",
        "dot",
        "item",
        "ravel",
        "reshape",
        "copy",
        "transpose",
        "flatten",
        "norm",
        "trace",
        "astype",
        "std",
        "var",
    ]
)
FUNCTIONS = frozenset(["abs", "len", "min", "max", "sum", "float", "int", "round"])
CHOICES = {
    "maximum": 2,
    "minimum": 2,
    "fmax": 2,
    "fmin": 2,
    "max": 2,
    "min": 2,
    "abs": 1,
    "absolute": 1,
    "fabs": 1,
    "sign": 1,
}
"""Functions that decide by a comparison of their arguments, or of their one argument with 0."""
SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True, slots=True)
class Wish:
    """What would have to be otherwise: `left` is to stand in this relation to `right`, for all elements or for one.

    left, right: values, of one shape (N,).
    """

    left: Array
    right: Array
    relation: str
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Distance:
    """How far it is to one outcome of a decision: 0 if it was taken; what is in the way otherwise."""

    far: float
    wishes: tuple[Wish, ...] = ()


Ways = tuple[Distance, Distance]  # to true, to false
Names = dict[str, Any]


class Condition:
    """A part of a decision: it says from the names in a frame how far it is to true and to false; None if it cannot tell."""

    def ways(self, outer: Names, inner: Names) -> Ways | None:
        """How far it is."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Comparison(Condition):
    """left < right, and the like.

    how: 'all' or 'any' of the elements have to hold, or each by itself, 'each'.
    """

    left: CodeType
    right: CodeType
    relation: str
    how: str

    def ways(self, outer: Names, inner: Names) -> Ways | None:
        left, right = evaluated(self.left, outer, inner), evaluated(self.right, outer, inner)
        try:
            a, b = np.broadcast_arrays(np.asarray(left, np.float64), np.asarray(right, np.float64))
        except (TypeError, ValueError):
            return None
        if not 0 < a.size <= MOST_VALUES or (self.how == "" and a.size > 1):
            return None
        a, b = a.reshape(-1), b.reshape(-1)
        true, false = _far(a, b, self.relation), _far(a, b, OPPOSITE[self.relation])
        if not (np.isfinite(true).any() and np.isfinite(false).any()):
            return None
        return (
            Distance(*self._way(true, a, b, self.relation, everywhere=self.how == "all")),
            Distance(*self._way(false, a, b, OPPOSITE[self.relation], everywhere=self.how == "any")),
        )

    @staticmethod
    def _way(far: Array, a: Array, b: Array, relation: str, *, everywhere: bool) -> tuple[float, tuple[Wish, ...]]:
        total = float(far.sum() if everywhere else np.nanmin(far))
        return total, (Wish(a, b, relation, everywhere),) if total > 0 else ()


OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


def _far(a: Array, b: Array, relation: str) -> Array:
    """How far each a is from standing in a relation to b, (N,)."""
    with np.errstate(invalid="ignore", over="ignore"):
        gap = a - b
    if relation in ("==", "!="):
        return np.abs(gap) if relation == "==" else np.where(gap == 0, TOUCHING, 0.0)
    if relation in ("<", "<="):
        gap = -gap
    return np.where(gap > 0, 0.0, np.where((gap == 0), 0.0 if "=" in relation else TOUCHING, -gap))


@dataclass(frozen=True, slots=True)
class Both(Condition):
    """All parts hold, or one of them does."""

    parts: tuple[Condition, ...]
    every: bool

    def ways(self, outer: Names, inner: Names) -> Ways | None:
        found = [part.ways(outer, inner) for part in self.parts]
        known = [ways for ways in found if ways is not None]
        if not known:
            return None
        true, false = [ways[0] for ways in known], [ways[1] for ways in known]
        return (_sum(true), _nearest(false)) if self.every else (_nearest(true), _sum(false))


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """The part does not hold."""

    part: Condition

    def ways(self, outer: Names, inner: Names) -> Ways | None:
        found = self.part.ways(outer, inner)
        return None if found is None else (found[1], found[0])


def _sum(distances: Sequence[Distance]) -> Distance:
    return Distance(sum(d.far for d in distances), tuple(wish for d in distances for wish in d.wishes))


def _nearest(distances: Sequence[Distance]) -> Distance:
    return min(distances, key=lambda d: d.far)


@dataclass(frozen=True, slots=True)
class Decision:
    """A place in source code that goes one of two ways.

    line: of the statement that holds it.  number: within its file.
    text: as it is written.
    branches: it chooses which code runs, not which of two values is taken.
    """

    file: str
    line: int
    number: int
    text: str
    branches: bool
    condition: Condition

    def ways(self, outer: Names, inner: Names) -> Ways | None:
        """How far it is to true and to false, from the names in a frame that is about to run the line."""
        try:
            with np.errstate(all="ignore"):
                return self.condition.ways(outer, inner)
        except Exception:  # a name is not bound yet, an index is out of range: it cannot be told
            return None


def evaluated(code: CodeType, outer: Names, inner: Names) -> Any:
    """The value of an operand."""
    return eval(code, outer, inner)


# ---- reading source code


@lru_cache(maxsize=64)
def decisions_of(file: str) -> Mapping[int, tuple[Decision, ...]]:
    """The decisions in a file by the line of the statement that holds them; none if its source cannot be read."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[int, list[Decision]] = {}
    number = 0
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.stmt) or isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            continue
        for node, condition, branches in _decided(statement):
            decision = Decision(file, statement.lineno, number, ast.unparse(node), branches, condition)
            found.setdefault(statement.lineno, []).append(decision)
            number += 1
    return {line: tuple(decisions) for line, decisions in found.items()}


def _decided(statement: ast.stmt) -> Iterator[tuple[ast.expr, Condition, bool]]:
    """What a statement decides by itself, without the statements inside it: the expression, and whether it is a branch."""
    tests: set[ast.AST] = set()
    own = [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.expr)]
    own += [item for node in ast.iter_child_nodes(statement) for item in [getattr(node, "context_expr", None)] if item]
    if isinstance(statement, (ast.If, ast.While)):
        condition = _condition(statement.test)
        if condition is not None:
            tests |= set(ast.walk(statement.test))
            yield statement.test, condition, True
    for expression in own:
        for node in ast.walk(expression):
            if node in tests:
                continue
            if isinstance(node, ast.IfExp) and (condition := _condition(node.test)) is not None:
                tests |= set(ast.walk(node.test))
                yield node.test, condition, True
            elif isinstance(node, ast.Compare) and (condition := _compared(node, "each")) is not None:
                tests |= set(ast.walk(node))
                yield node, condition, False
            elif isinstance(node, ast.Call):
                yield from ((node, condition, False) for condition in _chosen(node))


def _condition(node: ast.expr, how: str = "") -> Condition | None:
    """The condition that an expression is."""
    if isinstance(node, ast.BoolOp):
        parts = [part for value in node.values if (part := _condition(value, how)) is not None]
        return Both(tuple(parts), isinstance(node.op, ast.And)) if parts else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        parts = [part for value in (node.left, node.right) if (part := _condition(value, how)) is not None]
        return Both(tuple(parts), isinstance(node.op, ast.BitAnd)) if parts else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
        part = _condition(node.operand, {"all": "any", "any": "all"}.get(how, how))
        return None if part is None else Not(part)
    if isinstance(node, ast.Compare):
        return _compared(node, how)
    if isinstance(node, ast.Call) and not how:
        reduced = _reduced(node)
        if reduced is not None:
            return _condition(*reduced)
        if _name(node.func) in ("isclose", "allclose") and len(node.args) >= 2:
            difference = ast.BinOp(node.args[0], ast.Sub(), node.args[1])
            return _of(difference, ast.Constant(0), "==", "all")
    return None if isinstance(node, ast.Constant) else _of(node, ast.Constant(0), "!=", how)


def _reduced(node: ast.Call) -> tuple[ast.expr, str] | None:
    """What np.all(…), (…).any() and the like are of, and which of the two."""
    name = _name(node.func)
    if name in ("all", "any"):
        if node.args:
            return _over_arrays(node.args[0]), name
        if isinstance(node.func, ast.Attribute) and not node.args:
            return node.func.value, name
    if name == "bool" and len(node.args) == 1:
        return node.args[0], ""
    return None


def _over_arrays(node: ast.expr) -> ast.expr:
    """``t > 5 for t in x`` as ``x > 5``, which is the same for an array of numbers; anything else as it is."""
    if not isinstance(node, (ast.GeneratorExp, ast.ListComp)) or len(node.generators) != 1:
        return node
    (loop,) = node.generators
    if loop.ifs or not isinstance(loop.target, ast.Name):
        return node
    name, values = loop.target.id, loop.iter

    class Replaced(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return values if node.id == name else node

    return Replaced().visit(ast.parse(ast.unparse(node.elt), mode="eval").body)


def _compared(node: ast.Compare, how: str) -> Condition | None:
    operands = [node.left, *node.comparators]
    parts = [
        part
        for left, op, right in zip(operands, node.ops, operands[1:], strict=False)
        if type(op) in SIGNS and (part := _of(left, right, SIGNS[type(op)], how)) is not None
    ]
    return None if not parts else parts[0] if len(parts) == 1 else Both(tuple(parts), every=True)


def _chosen(node: ast.Call) -> Iterator[Condition]:
    """What a call of maximum, clip, abs and the like decides by."""
    name, arguments = _name(node.func), node.args
    zero = ast.Constant(0)
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if name == "clip" and arguments:
        bounds = arguments if len(arguments) == 3 else [getattr(node.func, "value", zero), *arguments]
        pairs = [(bounds[0], bound) for bound in bounds[1:3]]
    elif CHOICES.get(name) == len(arguments) and not node.keywords:
        pairs = [(arguments[0], arguments[1] if len(arguments) > 1 else zero)]
    for left, right in pairs:
        condition = _of(left, right, ">", "each")
        if condition is not None:
            yield condition


def _of(left: ast.expr, right: ast.expr, relation: str, how: str) -> Comparison | None:
    """The comparison of two expressions; None if one of them is more than arithmetic."""
    if not (_computes(left) and _computes(right)):
        return None
    codes = [
        compile(ast.fix_missing_locations(ast.Expression(_bare(side))), "<operand>", "eval") for side in (left, right)
    ]
    return Comparison(codes[0], codes[1], relation, how)


def _bare(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _computes(node: ast.expr) -> bool:
    """Whether an expression is made of names, numbers, arithmetic and well-known functions."""
    return all(map(_known, ast.walk(node)))


_PLAIN = (
    ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.BinOp, ast.UnaryOp, ast.operator,
    ast.unaryop, ast.expr_context, ast.keyword, ast.Compare, ast.cmpop, ast.Starred,
)  # fmt: skip


def _known(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name):
            return function.id in FUNCTIONS
        if not isinstance(function, ast.Attribute):
            return False
        path = ast.unparse(function).split(".")
        return function.attr in METHODS or (path[0] in MODULES and "random" not in path)
    return isinstance(node, _PLAIN)


__all__ = ["Decision", "Distance", "Wish", "decisions_of"]
