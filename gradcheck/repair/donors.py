"""Expressions that may stand where something wrong or nothing stands: from f, from the claim, and made of what is in reach."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.repair import trees
from gradcheck.repair.derivatives import of_parts
from gradcheck.repair.machine import Machine, TooSlow
from gradcheck.repair.program import Line, Routine, few
from gradcheck.repair.values import kind_of, size_of
from gradcheck.variables.arrays import as_numpy

if TYPE_CHECKING:
    from gradcheck.repair.trees import Node

MOST = 360  # expressions tried at a line: more lose cases to time
MOST_NODES = 14  # of an expression that is taken over
MOST_VALUES = 20_000  # entries of an array that is looked at
MOST_OTHERS = 6  # expressions of the same values that are kept beside one
UNREAD = -0.6  # what a variable that is assigned and never read takes off the cost
Offer = tuple[float, str]  # a cost and an expression


class Donor:
    """An expression and what it comes to at a line, at a few passes.

    cost: how unusual it is.
    values: one for each pass.
    others: expressions of the same values.
    """

    def __init__(self, text: str, cost: float, values: list[Any], code: Any) -> None:
        self.text, self.cost, self.values, self.code = text, cost, values, code
        self.others: list[Donor] = []
        self.shape: tuple[int, ...] = np.shape(values[0])
        self.kind = kind_of(values[0])

    @functools.cached_property
    def node(self) -> Node:
        """The expression as a tree."""
        return trees.parse(self.text)

    @property
    def is_name(self) -> bool:
        """Whether it is a name alone."""
        return self.text.isidentifier()


def fingerprint(values: Iterable[Any]) -> Any:
    """A key that is the same for the same values up to rounding; None for what is no number."""
    key: list[Any] = []
    for value in values:
        kind = kind_of(value)
        if not kind:
            return None
        array = as_numpy(value)
        key.append((array.shape, array.tobytes() if kind in "bi" else _rounded(array)))
    return tuple(key)


def _rounded(array: Any) -> bytes:
    flat = np.ascontiguousarray(array)
    flat = flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat
    mantissa, exponent = np.frexp(flat)
    return np.round(mantissa * 2.0**30).tobytes() + exponent.tobytes()


class Pool:
    """The expressions of a claim and of f, and what they come to at each line of the claim."""

    def __init__(self, machine: Machine, others: Sequence[Routine]) -> None:
        self.machine, self._others = machine, others
        self.static = _static(machine.routines, others)
        self.indices = list({trees.text(i): i for r in machine.routines for i in _indices_in(r)}.values())
        self.foreign_indices = list({trees.text(i): i for r in others for i in _indices_in(r)}.values())
        self.foreign = _texts(others, machine.routines)
        self.unread = frozenset().union(*(_unread(r.tree) for r in machine.routines))
        self._of_line: dict[Line, list[Donor]] = {}
        self._names: dict[Line, list[Donor]] = {}

    def on(self, machine: Machine) -> Pool:
        """The same for a claim that was changed."""
        return Pool(machine, self._others)

    def names(self, line: Line) -> list[Donor]:
        """The numbers and arrays in reach by name at a line."""
        if line not in self._names:
            self._names[line] = self._named(line)
        return self._names[line]

    def at(self, line: Line) -> list[Donor]:
        """The donors of a line, the usual before the unusual, no two of the same values."""
        if line not in self._of_line:
            self._of_line[line] = self._evaluated(line)
        return self._of_line[line]

    def _named(self, line: Line) -> list[Donor]:
        scopes = passes(line)
        if not scopes:
            return []
        routine = line.routine
        reach = {n for n in scopes[0] if all(n in scope for scope in scopes)}
        reach |= {n for n, v in routine.namespace.items() if n not in routine.locals and not n.startswith("__")}
        found = []
        for name in sorted(reach):
            values: list[Any] = [scope.get(name, routine.namespace.get(name)) for scope in scopes]
            if all(kind_of(v) for v in values) and all(size_of(v) <= MOST_VALUES for v in values):
                cost = UNREAD if name in self.unread else 0.0 if name in scopes[0] else 0.3
                found.append(Donor(name, cost, values, trees.compiled(name)))
        return found

    def _evaluated(self, line: Line) -> list[Donor]:
        named = self.names(line)
        found: dict[Any, Donor] = {}

        def add(donor: Donor) -> None:
            key = fingerprint(donor.values)
            if key not in found:
                found[key] = donor
            elif len(found[key].others) < MOST_OTHERS:
                found[key].others.append(donor)

        for donor in named:
            add(donor)
        offers = [*self.static, *_made(named, numpy_name(line.routine)), *self._indexed(named), *self._analogies(named)]
        if self.unread:
            offers = [(cost + UNREAD * bool(self.unread & _words(text)), text) for cost, text in offers]
        namespaces = [{**line.routine.namespace, **scope} for scope in passes(line)]
        for cost, text in sorted(offers):
            if len(found) >= MOST:
                break
            self.machine.steps += 1
            try:
                code = trees.compiled(text)
                values = [eval(code, namespace) for namespace in namespaces]
                if values and all(
                    kind_of(v) and size_of(v) <= MOST_VALUES and np.isfinite(as_numpy(v)).all() for v in values
                ):
                    add(Donor(text, cost, values, code))
            except (Exception, TooSlow):  # what is not in reach, or does not fit
                continue
        return sorted(found.values(), key=lambda d: d.cost)

    def _indexed(self, named: Sequence[Donor]) -> Iterator[Offer]:
        """The arrays in reach under the indices that the claim uses."""
        texts = [(trees.text(trees.subscript(trees.name("_"), i))[1:], 0.1 * trees.size(i)) for i in self.indices]
        for d in named:
            if d.shape:
                for index, more in texts:
                    yield 0.9 + d.cost + more, d.text + index

    def _analogies(self, named: Sequence[Donor]) -> Iterator[Offer]:
        """What the claim does with some variables, done with others that are called alike: Uz.T @ dz, Ur.T @ dr."""
        pairs = [
            (a.text, b.text)
            for a in named
            for b in named
            if a is not b and a.shape == b.shape and alike(a.text, b.text)
        ]
        count = 0
        for cost, text in self.static:
            words = _words(text)
            swaps = [(a, b) for a, b in pairs if a in words]
            for a, b in swaps:
                yield cost + 0.3, _renamed(text, {a: b})
                for c, d in swaps:
                    if c > a and d != b:
                        yield cost + 0.4, _renamed(text, {a: b, c: d})
                        count += 1
            if count > MOST:
                return


@functools.lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return trees.names(trees.parse(text))


@functools.lru_cache(maxsize=4096)
def _renamed_cached(text: str, table: tuple[tuple[str, str], ...]) -> str:
    return trees.text(trees.substituted(trees.parse(text), {a: trees.name(b) for a, b in table}))


def _renamed(text: str, table: Mapping[str, str]) -> str:
    return _renamed_cached(text, tuple(table.items()))


def alike(a: str, b: str) -> bool:
    """Whether two names differ in one letter or digit; names of one letter, whether they are neighbours."""
    if len(a) != len(b):
        return False
    return abs(ord(a) - ord(b)) == 1 if len(a) == 1 else sum(x != y for x, y in zip(a, b, strict=True)) == 1


def passes(line: Line) -> list[dict[str, Any]]:
    """The variables in reach at a few passes of a line, and at another point."""
    spot = line.spots[0] if line.spots else None
    scopes, beside = (line.scopes, line.beside) if line.scopes or spot is None else (spot.scopes, spot.beside_scopes)
    return [*(scopes[k] for k in few(len(scopes))), *beside]


def _indices_in(routine: Routine) -> Iterator[Node]:
    for part in ast.walk(routine.tree):
        if isinstance(part, ast.Subscript):
            yield part.slice


def _unread(tree: ast.FunctionDef) -> frozenset[str]:
    """The variables of a function that are assigned and never read."""
    stored = {p.id for p in ast.walk(tree) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}
    read = {p.id for p in ast.walk(tree) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Load)}
    return frozenset(n for n in stored - read if not n.startswith("_"))


def numpy_name(routine: Routine) -> str | None:
    """By which name NumPy is in reach, or a framework that has its functions; the one that the function uses comes first."""
    found = [
        name
        for name, value in routine.namespace.items()
        if isinstance(value, ModuleType) and value.__name__ in ("numpy", "torch", "jax.numpy")
    ]
    used = [name for name in found if name in routine.definition.code.co_names]
    found.sort(key=lambda name: routine.namespace[name].__name__ != "numpy")
    return next(iter(used or found), None)


# ---- what is taken over


def _static(own: Sequence[Routine], others: Sequence[Routine]) -> list[Offer]:
    """Expressions as they stand in f and in the claim; those of f with the claim's names, also with its variables written out."""
    seen: dict[str, float] = {}

    def add(node: Node, base: float, slope: float, most: int = MOST_NODES) -> None:
        size = trees.size(node)
        if 1 < size <= most:
            text = trees.text(node)
            seen[text] = min(seen.get(text, 9.0), base + slope * size)

    for routine in own:
        for part in ast.walk(routine.tree):
            for node in _whole(part):
                add(node, 0.6, 0.12)
    for routine in others:
        parameters = dict(zip(routine.definition.parameters, own[0].definition.parameters, strict=False)) if own else {}
        renaming: dict[str, Node] = {k: trees.name(v) for k, v in parameters.items() if k != v}
        written_out = {**renaming, **_inlined(routine.tree, renaming)}
        for part in ast.walk(routine.tree):
            for node in _whole(part):
                add(trees.substituted(node, renaming), 0.4, 0.12)
                add(trees.substituted(node, written_out), 0.6, 0.12)
        for part in ast.walk(routine.tree):
            if isinstance(part, (ast.Assign, ast.AugAssign, ast.Return)) and part.value is not None:
                for node in of_parts(trees.substituted(part.value, renaming)):
                    add(node, 0.6, 0.1, 2 * MOST_NODES)
    return sorted((cost, text) for text, cost in seen.items())


def _texts(others: Sequence[Routine], own: Sequence[Routine]) -> frozenset[str]:
    """The expressions of f, with the claim's names for its parameters."""
    found: set[str] = set()
    for routine in others:
        mine = own[0].definition.parameters if own else []
        renaming: dict[str, Node] = {
            a: trees.name(b) for a, b in zip(routine.definition.parameters, mine, strict=False) if a != b
        }
        for part in ast.walk(routine.tree):
            found |= {trees.text(trees.substituted(node, renaming)) for node in _whole(part)}
    return frozenset(found)


def _whole(node: ast.AST) -> Iterator[Node]:
    """The node if it can stand alone as a value; a target that could be read as well."""
    if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare, ast.BoolOp)) or (
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    ):
        yield node
    elif isinstance(node, ast.Subscript):
        yield ast.Subscript(node.value, node.slice, ast.Load())


def _inlined(tree: ast.FunctionDef, renaming: Mapping[str, Node]) -> dict[str, Node]:
    """The variables of a function that are assigned once, written out in terms of its parameters."""
    counts: dict[str, int] = {}
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            counts[part.id] = counts.get(part.id, 0) + 1
    table: dict[str, Node] = {}
    for statement in tree.body:
        if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1):
            continue
        target, value = statement.targets[0], statement.value
        pairs: list[tuple[Node, Node]] = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            pairs = list(zip(target.elts, value.elts, strict=True))
        for left, right in pairs:
            if isinstance(left, ast.Name) and counts.get(left.id) == 1 and left.id not in renaming:
                full = trees.substituted(right, {**renaming, **table})
                if trees.size(full) <= MOST_NODES:
                    table[left.id] = full
    return table


# ---- what is made


def _made(named: Sequence[Donor], numpy: str | None) -> Iterator[Offer]:
    """Sizes, sums, products of matrices and vectors, and elementary functions of what is in reach by name."""
    for d in named:
        if d.shape:
            yield 0.8 + d.cost, f"len({d.text})"
        if len(d.shape) > 1:
            yield 1.2 + d.cost, f"{d.text}.size"
            for k in range(len(d.shape)):
                yield 0.9 + d.cost, f"{d.text}.shape[{k}]"
    arrays = [d for d in named if d.kind in ("f", "c") and d.shape]
    for d in arrays:
        a = d.text
        yield 1.0 + d.cost, f"{a}.sum()"
        yield 1.0 + d.cost, f"1 - {a}"
        yield 1.2 + d.cost, f"{a} * (1 - {a})"
        yield 1.2 + d.cost, f"1 - {a} ** 2"
        yield 1.1 + d.cost, f"{a} ** 2"
        if len(d.shape) == 1:
            yield 1.3 + d.cost, f"{a}[:, None]"
        if len(d.shape) == 2:
            yield 0.8 + d.cost, f"{a}.T"
            for axis in (0, 1):
                yield 1.4 + d.cost, f"{a}.sum(axis={axis})"
                yield 1.5 + d.cost, f"{a}.sum(axis={axis}, keepdims=True)"
    for d in arrays:
        for e in arrays:
            cost = 1.4 + d.cost + e.cost
            if len(d.shape) <= 2 and len(e.shape) <= 2 and d.shape[-1] == e.shape[0]:
                yield cost, f"{d.text} @ {e.text}"
            if len(d.shape) == 2 and len(e.shape) <= 2 and d.shape[0] == e.shape[0]:
                yield cost, f"{d.text}.T @ {e.text}"
            if d.shape == e.shape and d is not e:
                if len(d.shape) == 1:
                    yield cost + 1.0, f"{d.text} * ({e.text} - {d.text} @ {e.text})"
                if len(d.shape) == 2:
                    yield cost + 0.4, f"({d.text} * {e.text}).sum(axis=1, keepdims=True)"
                    yield cost + 0.4, f"({d.text} * {e.text}).sum(axis=0)"
                    yield cost + 1.0, f"{d.text} * ({e.text} - ({d.text} * {e.text}).sum(axis=1, keepdims=True))"
    if numpy is not None:
        for d in named:
            if d.kind == "f":
                for function in ("exp", "sign", "tanh", "log", "sqrt"):
                    yield 1.8 + d.cost + (0.3 if d.shape else 0.0), f"{numpy}.{function}({d.text})"
        for d in arrays:
            for e in arrays:
                if len(d.shape) == len(e.shape) == 1:
                    yield 1.8 + d.cost + e.cost, f"{numpy}.outer({d.text}, {e.text})"


__all__ = ["Donor", "Pool", "alike", "fingerprint", "numpy_name", "passes"]
