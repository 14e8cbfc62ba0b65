"""Where the answer is linear in the value of an expression, many candidates are told apart by one matrix product.

The derivative of the answer by that value is found by changing one number of it at a time, at every pass of a loop.  Then a
candidate is a change of the value, what it does to the answer is a product, and a coefficient in front of it is a fit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.repair import trees
from gradcheck.repair.donors import Donor
from gradcheck.repair.machine import HOLE, Machine, scope_of, wrapped
from gradcheck.repair.program import Line, Spot
from gradcheck.repair.values import kind_of, remade
from gradcheck.variables.arrays import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.repair.trees import Node

    Array = NDArray[np.float64]

MOST_NUMBERS = 600  # of a value, over all passes
LINEAR = 1e-7  # how exactly the answer must follow, relative to how it moves


@dataclass(eq=False)
class Head:
    """An expression whose value the answer is linear in.

    values, scopes: what it came to and the variables in reach, at every pass.
    matrix: (n, M), of the answer by its M numbers.
    """

    spot: Spot
    values: list[Array]
    scopes: list[dict[str, Any]]
    matrix: Array

    @property
    def flat(self) -> Array:
        """Its numbers, (M,)."""
        return np.concatenate([v.reshape(-1) for v in self.values])


def heads(line: Line) -> Iterator[Spot]:
    """The outermost expressions of a line that are numbers."""
    inside: set[ast.AST] = set()
    for spot in line.spots:
        if spot.values and not any(p in inside for p in spot.parents) and kind_of(spot.values[0]) in ("f", "c"):
            inside.add(spot.node)
            yield spot


def examine(machine: Machine, spot: Spot, x: Any, base: Array, most: int) -> Head | None:
    """The derivative of the answer by the value of an expression; None if it is not linear, or takes more than `most` runs."""
    values: list[Any] = []
    scopes: list[dict[str, Any]] = []

    def look(value: Any, frame: Any) -> Any:
        values.append(np.array(as_numpy(value), dtype=np.float64) if kind_of(value) in ("f", "i") else None)
        scopes.append(scope_of(frame))
        return value

    machine.run_with((spot,), look, x)
    if not values or any(v is None or not np.isfinite(v).all() for v in values):
        return None
    count = sum(v.size for v in values)
    if not 0 < count <= min(MOST_NUMBERS, most):
        return None
    size = max(float(np.sqrt(np.mean(np.concatenate([v.reshape(-1) for v in values]) ** 2))), 1e-3)
    changed = _Changed(machine, spot, x, values)
    random = np.random.default_rng(5)
    trial = [size * random.choice([-0.7, 0.4, 1.3], v.shape) for v in values]
    moved = changed(trial)
    if moved is None or not changed.open:
        return None
    columns = np.empty((base.size, count))
    k = 0
    for which, value in enumerate(values):
        for place in np.ndindex(value.shape):
            step = [None] * len(values)
            unit = np.zeros(value.shape)
            unit[place] = size
            step[which] = unit  # type: ignore[call-overload]
            out = changed(step)
            if out is None:
                return None
            columns[:, k] = (out - base) / size
            k += 1
    change = moved - base
    expected = columns @ np.concatenate([t.reshape(-1) for t in trial])
    reach = max(float(np.abs(change).max()), 1e-9 * float(np.abs(base).max(initial=0)))
    if not (np.abs(change - expected) <= LINEAR * reach).all():
        return None
    return Head(spot, values, scopes, columns)


class _Changed:
    """The answer where a value is changed by given amounts, one for each pass; `open`: later passes computed the same value."""

    def __init__(self, machine: Machine, spot: Spot, x: Any, values: Sequence[Array]) -> None:
        self.machine, self.spot, self.x, self.values = machine, spot, x, values
        self.open = True

    def __call__(self, steps: Sequence[Array | None]) -> Array | None:
        number = 0

        def act(value: Any, frame: Any) -> Any:
            nonlocal number
            k = number
            number += 1
            if k >= len(steps):
                return value
            if self.open and not np.allclose(as_numpy(value), self.values[k], rtol=1e-9, atol=1e-12):
                self.open = False
            step = steps[k]
            return value if step is None else value + remade(value, step)

        out = self.machine.run_with((self.spot,), act, self.x)
        if out is None or number != len(self.values) or not np.isfinite(out).all():
            return None
        return out


class Inner:
    """Expressions within a head, and how its value follows theirs."""

    def __init__(self, head: Head) -> None:
        self.head = head
        line = head.spot.line
        self.numbers: dict[ast.AST, int] = {s.node: s.number for s in line.spots}
        self.code = compile(ast.Expression(wrapped(head.spot.node, self.numbers)), "<patch>", "eval")
        self.namespaces = [{**line.routine.namespace, **scope} for scope in head.scopes]
        self._active, self._act = -1, _same
        for namespace in self.namespaces:
            namespace[HOLE] = self._hole

    def _hole(self, number: int, value: Any) -> Any:
        return self._act(value) if number == self._active else value

    def spots(self) -> Iterator[Spot]:
        """The head itself and what is in it, but for what is in a function or comprehension."""
        for spot in self.head.spot.line.spots:
            if spot is self.head.spot or (self.head.spot.node in spot.parents and not spot.nested):
                yield spot

    def matrix(self, spot: Spot, values: Sequence[Array]) -> Array | None:
        """(n, m) of the answer by the m numbers of an expression within the head; None if the head is not linear in it."""
        if spot is self.head.spot:
            return self.head.matrix
        parts, column = [], 0
        for k, (whole, value) in enumerate(zip(self.head.values, values, strict=True)):
            block = self.head.matrix[:, column : column + whole.size]
            column += whole.size
            inner = self._one(spot, k, whole, value)
            if inner is None:
                return None
            parts.append(block @ inner)
        return np.concatenate(parts, axis=1)

    def _one(self, spot: Spot, k: int, whole: Array, value: Array) -> Array | None:
        size = max(float(np.abs(value).max(initial=0.0)), 1e-3)
        random = np.random.default_rng(7)
        trial = size * random.choice([-0.7, 0.4, 1.3], value.shape)
        moved = self._at(spot, k, trial)
        if moved is None:
            return None
        columns = np.empty((whole.size, value.size))
        for j, place in enumerate(np.ndindex(value.shape)):
            unit = np.zeros(value.shape)
            unit[place] = size
            out = self._at(spot, k, unit)
            if out is None:
                return None
            columns[:, j] = (out - whole.reshape(-1)) / size
        change = moved - whole.reshape(-1)
        reach = max(float(np.abs(change).max(initial=0)), 1e-9 * float(np.abs(whole).max(initial=0)))
        return columns if (np.abs(change - columns @ trial.reshape(-1)) <= LINEAR * reach).all() else None

    def _at(self, spot: Spot, k: int, step: Array) -> Array | None:
        self._active, self._act = spot.number, lambda value: value + remade(value, step)
        try:
            out = np.asarray(as_numpy(eval(self.code, self.namespaces[k])), dtype=np.float64)
        except Exception:
            return None
        finally:
            self._active, self._act = -1, _same
        return out.reshape(-1) if out.shape == self.head.values[k].shape and np.isfinite(out).all() else None

    def values(self, spot: Spot) -> list[Array] | None:
        """What an expression within the head came to at each pass."""
        if spot is self.head.spot:
            return self.head.values
        found: list[Array] = []

        def look(value: Any) -> Any:
            found.append(value)
            return value

        self._active, self._act = spot.number, look
        try:
            for namespace in self.namespaces:
                eval(self.code, namespace)
        except Exception:
            return None
        finally:
            self._active, self._act = -1, _same
        if len(found) != len(self.namespaces) or any(kind_of(v) != "f" for v in found):
            return None
        return [np.asarray(as_numpy(v), dtype=np.float64) for v in found]


def _same(value: Any) -> Any:
    return value


class Products:
    """Donors, alone and two by two multiplied and divided, at every pass: one row of `table`, (K, M), each.

    donors: with their values at every pass.
    shapes: of the value that they are to stand beside.
    most: numbers in products.
    """

    def __init__(self, donors: Sequence[tuple[Donor, list[Any]]], shapes: Sequence[tuple[int, ...]], most: int) -> None:
        self.donors: list[Donor] = []
        rows: list[Array] = []
        for donor, values in donors:
            try:
                parts = [
                    np.broadcast_to(np.asarray(as_numpy(v), np.float64), s) for v, s in zip(values, shapes, strict=True)
                ]
            except (ValueError, TypeError):
                continue
            self.donors.append(donor)
            rows.append(np.concatenate([part.reshape(-1) for part in parts]))
        single = np.array(rows).reshape(len(rows), -1)
        self.single = len(rows)
        n = min(len(rows), max(4, int(np.sqrt(most / max(1.5 * single.shape[1], 1)))))
        first, second = np.triu_indices(n)
        over, under = np.nonzero(~np.eye(n, dtype=bool))
        costs = np.array([0.5 * d.cost for d in self.donors])
        with np.errstate(all="ignore"):
            table = np.concatenate([single, single[first] * single[second], single[over] / single[under]])
        good = np.isfinite(table).all(axis=1)
        none = np.full(self.single, -1)
        self._first = np.concatenate([np.arange(self.single), first, over])[good]
        self._times = np.concatenate([none, second, np.full(len(over), -1)])[good]
        self._by = np.concatenate([none, np.full(len(first), -1), under])[good]
        base = np.concatenate([costs, 0.6 + costs[first] + costs[second], 0.7 + costs[over] + costs[under]])
        self.costs, self.table = base[good], table[good]
        self.alone = np.flatnonzero((self._times < 0) & (self._by < 0))

    def node(self, k: int) -> Node:
        """The expression of a row."""
        made = self.donors[self._first[k]].node
        if self._times[k] >= 0:
            other = self.donors[self._times[k]].node
            same = self._times[k] == self._first[k]
            return trees.binary(made, ast.Pow, ast.Constant(2)) if same else trees.times(made, other)
        return trees.binary(made, ast.Div, self.donors[self._by[k]].node) if self._by[k] >= 0 else made


def fits(products: Array, wanted: Array, scale: Array) -> Iterator[tuple[int, float, float]]:
    """Which rows p of products (K, n) make c p = wanted, within scale: (row, c, relative precision of c)."""
    p, t = products / scale, wanted / scale
    lengths = np.einsum("ij,ij->i", p, p)
    along = p @ t
    with np.errstate(all="ignore"):
        c = along / lengths
    good = np.isfinite(c) & (c != 0) & (lengths > 1.0)
    for k in np.flatnonzero(good & (np.abs(along) >= 0.999 * np.sqrt(lengths) * np.linalg.norm(t))):
        if (np.abs(t - c[k] * p[k]) <= 1.0).all():
            yield int(k), float(c[k]), float(1 / (abs(c[k]) * np.sqrt(lengths[k])))


__all__ = ["Head", "Inner", "Products", "examine", "fits", "heads"]
