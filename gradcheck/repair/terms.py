"""The terms that f is a sum of, found in its source and differenced apart, and how often a claimed gradient counts each.

If f = Σ t_k, a claim that counts the term k wrongly is off by c_k ∇t_k, with c_k = −1 where it has no part in the gradient,
1 where it is counted twice, −2 where it has the wrong sign.  The gap is known from the check, the ∇t_k from two runs of f a
variable.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Where
from gradcheck.repair import trees
from gradcheck.repair.machine import HOLE, wrapped
from gradcheck.repair.program import Routine
from gradcheck.repair.purity import Purity
from gradcheck.repair.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_TERMS = 12
CLOSE = 1e-9  # the terms must add up to f, relative to the largest of them
DIFFERENCED = 1e-5  # error of a first difference of a term, relative to the largest entry of its gradient
CLEAR = 100.0  # an entry counts if the term makes it off by so many times what is allowed
SIMPLE = 1e-3  # a fitted coefficient this close to a simple one is that
COUNTED = {-1.0: "has no part", 1.0: "is counted twice", -2.0: "has the wrong sign"}
REDUCTIONS: dict[str, Callable[[Any], Any]] = {"sum": np.sum, "mean": np.mean}


@dataclass(frozen=True, eq=False)
class Term:
    """One of the terms that f is a sum of.

    factor: what the value of its expression is multiplied with.
    reduce: makes the term of that value.
    """

    node: ast.expr
    routine: Routine
    factor: float
    reduce: Callable[[Any], Any]

    @property
    def text(self) -> str:
        """As it is written."""
        return trees.text(self.node)

    @property
    def where(self) -> Where:
        """The line where it stands."""
        definition = self.routine.definition
        line = self.node.lineno
        return Where(file=definition.file, line=line, text=definition.text[line - 1].strip())


@dataclass(frozen=True)
class Miscounted:
    """A term that the gradient counts wrongly: `excess` times too often."""

    term: Term
    excess: float


class Terms:
    """The terms of a function.

    evaluate: (function, x) ↦ its value.

    Raises:
        Impure, NoSource: the source of the function cannot be read, or does more than compute.
    """

    def __init__(self, function: Any, evaluate: Callable[[Callable[..., Any], Array], float]) -> None:
        world = World(Purity())
        self.call, self.entry = world.call(function)
        self.evaluate = evaluate
        self._routines = {id(routine.made): routine for routine in world.routines.values()}
        self._found: Array = np.empty(0)
        self.terms: list[Term] = []

    def find(self, x: Array) -> bool:
        """Find two terms or more that add up to f at x; whether there are."""
        for reductions in (True, False):
            found = list(_Reader(self._routines, reductions).returned(self.entry))
            if not 2 <= len(found) <= MOST_TERMS:
                continue
            self._watch(found)
            value, parts = self._run(x)
            if abs(parts.sum() - value) <= CLOSE * np.abs(parts).max():
                return True
        return False

    def _watch(self, terms: list[Term]) -> None:
        """Let the value of each term be noted when f is called."""
        self.terms = terms
        for routine in {term.routine for term in terms}:
            numbers: dict[ast.AST, int] = {term.node: k for k, term in enumerate(terms) if term.routine is routine}
            routine.made.__code__ = routine.code_of(wrapped(routine.tree, numbers))
            routine.namespace[HOLE] = self._note

    def _note(self, number: int, value: Any) -> Any:
        term = self.terms[number]
        self._found[number] += term.factor * float(term.reduce(value))
        return value

    def _run(self, x: Array) -> tuple[float, Array]:
        """The value of f, and that of each term, (K,)."""
        self._found = np.zeros(len(self.terms))
        return self.evaluate(self.call, x), self._found

    def gradients(self, x: Array, steps: Array) -> Array:
        """First differences of the terms, (K, n)."""
        found = np.empty((len(self.terms), x.size))
        for i, h in enumerate(steps.tolist()):
            ahead, behind = x.copy(), x.copy()
            ahead[i] += h
            behind[i] -= h
            found[:, i] = (self._run(ahead)[1] - self._run(behind)[1]) / (ahead[i] - behind[i])
        return found


class _Reader:
    """Reads the terms of an expression, through local names, loops, helpers, and factors that are numbers."""

    def __init__(self, routines: dict[int, Routine], reductions: bool) -> None:
        self.routines, self.reductions = routines, reductions
        self.within: list[Routine] = []

    def returned(self, routine: Routine) -> Iterator[Term]:
        """The terms of what a function returns, if it returns in one place."""
        returns = [node for node in ast.walk(routine.tree) if isinstance(node, ast.Return)]
        if len(returns) == 1 and returns[0] is routine.tree.body[-1] and returns[0].value is not None:
            self.within.append(routine)
            yield from self.terms(returns[0].value, routine, 1.0, float)
            self.within.pop()

    def terms(self, node: ast.expr, routine: Routine, factor: float, reduce: Callable[[Any], Any]) -> Iterator[Term]:
        """The terms of an expression."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            yield from self.terms(node.left, routine, factor, reduce)
            yield from self.terms(node.right, routine, -factor if isinstance(node.op, ast.Sub) else factor, reduce)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield from self.terms(node.operand, routine, -factor, reduce)
        elif (scaled := _scaled(node, routine)) is not None:
            yield from self.terms(scaled[0], routine, factor * scaled[1], reduce)
        elif isinstance(node, ast.Name) and (parts := _assigned(node.id, routine)):
            for value, sign in parts:
                yield from self.terms(value, routine, factor * sign, reduce)
        elif isinstance(node, ast.Call) and (inner := self._inner(node, routine, reduce)) is not None:
            yield from inner(factor)
        else:
            yield Term(node, routine, factor, reduce)

    def _inner(
        self, node: ast.Call, routine: Routine, reduce: Callable[[Any], Any]
    ) -> Callable[[float], Iterator[Term]] | None:
        """How to read on within a call: of a helper, of float, of a sum or a mean over all entries."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        helper = self.routines.get(id(routine.namespace.get(name)))
        if helper is not None and helper not in self.within and reduce is float:
            return lambda factor: (
                Term(term.node, term.routine, factor * term.factor, term.reduce) for term in self.returned(helper)
            )
        if name == "float" and len(node.args) == 1:
            return lambda factor: self.terms(node.args[0], routine, factor, reduce)
        if not (self.reductions and reduce is float and isinstance(node.func, ast.Attribute) and not node.keywords):
            return None
        over = REDUCTIONS.get(node.func.attr)
        if over is None or len(node.args) > 1:
            return None
        inside = node.args[0] if node.args else node.func.value
        if not isinstance(inside, (ast.BinOp, ast.Name)) or (
            isinstance(inside, ast.BinOp) and not isinstance(inside.op, (ast.Add, ast.Sub))
        ):
            return None
        return lambda factor: self.terms(inside, routine, factor, over)


def _scaled(node: ast.expr, routine: Routine) -> tuple[ast.expr, float] | None:
    """A sum in parentheses times, or divided by, a number or a name of one: the sum, and the factor."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, (ast.Mult, ast.Div)):
        return None
    pairs = [(node.left, node.right)] + ([(node.right, node.left)] if isinstance(node.op, ast.Mult) else [])
    for sum_, scale in pairs:
        value = _number(scale, routine)
        inner = sum_.operand if isinstance(sum_, ast.UnaryOp) and isinstance(sum_.op, ast.USub) else sum_
        if value and isinstance(inner, ast.BinOp) and isinstance(inner.op, (ast.Add, ast.Sub)):
            return sum_, value if isinstance(node.op, ast.Mult) else 1 / value
    return None


def _number(node: ast.expr, routine: Routine) -> float | None:
    value: Any = None
    if isinstance(node, ast.Constant):
        value = node.value
    elif isinstance(node, ast.Name) and node.id not in routine.locals:
        value = routine.namespace.get(node.id)
    return float(value) if isinstance(value, (int, float)) else None


def _assigned(name: str, routine: Routine) -> list[tuple[ast.expr, float]]:
    """What is added up in a local variable: (expression, sign); nothing if anything else is done to it."""
    if name in routine.definition.parameters or name not in routine.locals:
        return []
    found: list[tuple[ast.expr, float]] = []
    stores = sum(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, (ast.Store, ast.Del))
        for node in ast.walk(routine.tree)
    )
    for node in ast.walk(routine.tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and _is_name(node.targets[0], name):
            found.append((node.value, 1.0))
        elif (
            isinstance(node, ast.AugAssign) and _is_name(node.target, name) and isinstance(node.op, (ast.Add, ast.Sub))
        ):
            found.append((node.value, -1.0 if isinstance(node.op, ast.Sub) else 1.0))
    firsts = sum(isinstance(node, ast.Assign) and _is_name(node.targets[0], name) for node in ast.walk(routine.tree))
    return found if len(found) == stores and firsts == 1 else []


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def miscounted(terms: list[Term], gradients: Array, gap: Array, uncertainty: Array) -> list[Miscounted]:
    """The terms that explain a gap, claimed − numeric, (n,); none if the explanation is not unique, or there is none.

    gradients: of the terms, (K, n).
    uncertainty: of the gap, (n,).
    """
    ordinary = np.abs(gradients).max(axis=1, initial=0.0)
    allowed = 10 * uncertainty + DIFFERENCED * ordinary.max()
    single = [
        Miscounted(term, excess)
        for term, slope in zip(terms, gradients, strict=True)
        for excess in COUNTED
        if (np.abs(gap - excess * slope) <= allowed).all() and (np.abs(excess * slope) > CLEAR * allowed).any()
    ]
    if single:
        return single if len(single) == 1 else []
    clear = int((np.abs(gap) > CLEAR * allowed).sum())
    if clear < len(terms) + 2 or np.linalg.matrix_rank(gradients, tol=DIFFERENCED * ordinary.max()) < len(terms):
        return []
    excess = np.linalg.lstsq(gradients.T, gap, rcond=None)[0]
    simple = np.array([0.0, *COUNTED])
    rounded = simple[np.abs(excess[:, None] - simple).argmin(axis=1)]
    alone = np.abs(excess) > SIMPLE
    if alone.sum() == 1:
        rounded[alone] = excess[alone]  # any multiple of one term
    if not (np.abs(gap - rounded @ gradients) <= allowed).all() or (np.abs(excess - rounded) > SIMPLE).any():
        return []
    return [Miscounted(term, float(c)) for term, c in zip(terms, rounded, strict=True) if c]
