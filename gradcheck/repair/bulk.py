"""Terms, factors, replacements and lines made of one or two donors: many at once, where the answer is linear in a value."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.repair import trees
from gradcheck.repair.candidates import Candidate, Change
from gradcheck.repair.coefficients import plus, scaled
from gradcheck.repair.donors import Donor
from gradcheck.repair.linear import MOST_NUMBERS, Head, Inner, Products, examine, fits, heads
from gradcheck.repair.machine import with_hole
from gradcheck.repair.places import HERE, is_index
from gradcheck.repair.program import Line, Spot
from gradcheck.repair.trials import Trials
from gradcheck.repair.values import kind_of
from gradcheck.variables.arrays import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.repair.trees import Node

    Array = NDArray[np.float64]

MOST_PRODUCTS = 1_200_000  # numbers of donors that are multiplied with each other, two by two
SHARE = 0.3  # of the time that is left, for finding out what is linear
MOST = 24  # candidates of an expression that are run
MOST_FITS = 40  # … of those that fit
TERM, REPLACEMENT, FACTOR, LINE = 2.0, 2.2, 1.6, 2.6  # costs


class Bulk:
    """The fits of one trials."""

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self._everywhere: dict[Line, list[tuple[Donor, list[Any]]]] = {}
        self._products: dict[Any, Products] = {}
        self._slots: dict[Line, Line] = {}

    def run(self, weights: dict[Line, float]) -> None:
        """At every line that could mend all, until something survives."""
        trials = self.trials
        most = int(SHARE * trials.left() / trials.seconds / 4)
        lines = sorted(
            (line for line, weight in weights.items() if np.isfinite(weight)),
            key=lambda line: (weights[line], -line.node.lineno),
        )
        for line in lines:
            for spot in list(heads(line)):
                if trials.expired() or trials.survivors:
                    return
                if spot.nested:
                    continue
                head = examine(trials.machine, spot, trials.x, trials.base, most)
                if head is not None:
                    self.at_head(head)

    def run_slots(self) -> None:
        """At every place where a line could be missing."""
        trials = self.trials
        most = int(SHARE * trials.left() / trials.seconds / 4)
        for line, target in self.slots():
            if trials.expired() or trials.survivors:
                return
            self.at_slot(line, target, most)

    # ---- expressions

    def at_head(self, head: Head) -> None:
        """What may be done to a value and to the values that it is made of."""
        trials, line = self.trials, head.spot.line
        inner = Inner(head)
        for spot in inner.spots():
            trials.machine.steps += 1
            if trials.expired() or isinstance(spot.node, ast.Constant) or is_index(spot):
                continue
            values = inner.values(spot)
            if values is None or sum(v.size for v in values) > MOST_NUMBERS:
                continue
            matrix = inner.matrix(spot, values)
            if matrix is None:
                continue
            found = sorted(self.fitting(line, self.products(line, head, values), matrix, values), key=lambda f: f[0])
            place = trials.place(spot)
            for cost, new in found[:MOST]:
                trials.attempt((spot,), place, "linear fit", new, cost, sure=True)

    def fitting(
        self, line: Line, products: Products, matrix: Array, values: list[Array]
    ) -> Iterator[tuple[float, Node]]:
        """New expressions for one with these values, by which the answer goes with this matrix."""
        trials = self.trials
        flat = np.concatenate([v.reshape(-1) for v in values])
        effect, residual = products.table @ matrix.T, trials.residual
        without = residual + matrix @ flat
        for k, n, cost in self.named(line, effect, residual):
            yield TERM + products.costs[k] + cost, plus(n, products.node(k))
        for k, n, cost in self.named(line, effect, without):
            yield REPLACEMENT + products.costs[k] + cost, scaled(n, products.node(k))
        alone = products.table[products.alone]
        with np.errstate(all="ignore"):
            for op, rows in (ast.Mult, flat * alone), (ast.Div, flat / alone):
                good = np.flatnonzero(np.isfinite(rows).all(axis=1))
                for j, n, cost in self.named(line, rows[good] @ matrix.T, without):
                    k = int(products.alone[good[j]])
                    yield FACTOR + products.costs[k] + cost, trees.binary(scaled(n, HERE), op, products.node(k))

    def named(self, line: Line, effect: Array, wanted: Array) -> Iterator[tuple[int, Node, float]]:
        """Rows of `effect` that are `wanted` but for a coefficient, with that coefficient written out and its cost."""
        trials = self.trials
        for k, c, _ in itertools.islice(fits(effect, wanted, trials.allowed), MOST_FITS):
            precision = trials.precision(effect[k], c)
            if abs(abs(c) - 1) <= precision:
                yield k, trees.number(1 if c > 0 else -1), 0.0 if c > 0 else 0.1
            else:
                for node, cost in trials.spellings(line).of(c, precision)[:8]:
                    yield k, node, cost

    def everywhere(self, line: Line, head: Head) -> list[tuple[Donor, list[Any]]]:
        """The donors of a line, at every pass."""
        donors = [d for d in self.trials.pool.at(line) if d.kind in ("f", "i", "b")]
        known = self._everywhere.get(line)
        if known is not None:
            return known
        namespaces = [{**line.routine.namespace, **scope} for scope in head.scopes]
        found = []
        for d in donors:
            self.trials.machine.steps += 1
            try:
                values = [eval(d.code, namespace) for namespace in namespaces]
                if all(np.isfinite(as_numpy(v)).all() for v in values):
                    found.append((d, values))
            except Exception:  # not in reach at some pass
                continue
        self._everywhere[line] = found
        return found

    def products(self, line: Line, head: Head, values: list[Array]) -> Products:
        """The donors of a line and their products, for values of these shapes."""
        key = line, tuple(v.shape for v in values)
        if key not in self._products:
            self._products[key] = Products(self.everywhere(line, head), key[1], MOST_PRODUCTS)
        return self._products[key]

    # ---- missing lines

    def slots(self) -> Iterator[tuple[Line, ast.Name | ast.Subscript]]:
        """Lines after which something could be added to an array, and the array or the part of it."""
        for routine in self.trials.machine.routines:
            last: dict[tuple[int, str], Line] = {}
            for line in routine.lines:
                name = _changed_array(line.node)
                if name is not None and line.visits and not line.nested:
                    last[id(line.body), name] = line
            for (_, name), line in last.items():
                value: Any = (line.scopes or [{}])[0].get(name)
                if kind_of(value) != "f" or not np.shape(value):
                    continue
                yield line, trees.name(name)
                for index in (*self.trials.pool.indices, *self.trials.pool.foreign_indices):
                    yield line, ast.Subscript(trees.name(name), index, ast.Store())

    def at_slot(self, line: Line, target: ast.Name | ast.Subscript, most: int) -> None:
        """Whether a line that adds to the target after this one mends all."""
        trials = self.trials
        zero = trees.times(ast.Constant(0.0), trees.parse(trees.text(target)))
        store = ast.Name(target.id, ast.Store()) if isinstance(target, ast.Name) else target
        added = ast.AugAssign(store, ast.Add(), zero)
        trees.located(added, line.node)
        spot = Spot(-2, slot := Line(line.routine, added, line.parents, False), zero, (added,), False)
        slot.spots.append(spot)
        slot.variant = with_hole(line.routine, line.node, added, spot)
        head = examine(trials.machine, spot, trials.x, trials.base, most)
        if head is None:
            return
        slot.scopes = head.scopes
        slot = self._slots.setdefault(line, slot)  # the donors are the same for all lines at one place
        products = self.products(slot, head, head.values)
        found = []
        for k, n, cost in self.named(slot, products.table @ head.matrix.T, trials.residual):
            op: ast.operator = ast.Add()
            if isinstance(n, ast.UnaryOp):
                op, n = ast.Sub(), n.operand
            statement = ast.AugAssign(store, op, scaled(n, products.node(k)))
            found.append((LINE + float(products.costs[k]) + cost, statement))
        for cost, statement in sorted(found, key=lambda f: f[0])[:MOST]:
            trials.attempt_tree(Candidate((Change(line, line.node, [line.node, statement]),), "missing line", cost))


def _changed_array(node: ast.stmt) -> str | None:
    """The name of the array that a statement assigns, or changes in part."""
    target = (
        node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else getattr(node, "target", None)
    )
    if isinstance(node, (ast.For, ast.AnnAssign)):
        return None
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.id if isinstance(target, ast.Name) else None
