"""A fitted coefficient as it would be written: a small ratio times numbers that have a name."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.repair import trees
from gradcheck.repair.donors import Donor
from gradcheck.repair.places import HERE

if TYPE_CHECKING:
    from gradcheck.repair.trees import Node

RATIOS = sorted(
    {Fraction(p, q) for p in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24) for q in (1, 2, 3, 4, 6, 8, 10, 12, 16, 24)}
)
VALUES = np.array([float(r) for r in RATIOS])
MOST_NAMES, MOST_IN_THREES = 28, 10  # scalars that are combined, in pairs and in threes
UNITS = ("np.pi", "np.log(2)", "np.log(10)", "180")  # numbers that are forgotten
Spelling = tuple["Node", float]


class Spellings:
    """How numbers can be written at a line: all products and quotients of up to three named numbers.

    scalars: donors that are single numbers, the usual first.
    """

    def __init__(self, scalars: Sequence[Donor], numpy: str | None) -> None:
        named = [(d.node, abs(float(d.values[0])), float(d.values[0]) < 0, 0.4 + 0.5 * d.cost) for d in scalars]
        named = [n for n in named if 1e-60 < n[1] < 1e60][:MOST_NAMES]
        if numpy is not None:
            for text in UNITS:
                node = trees.parse(text.replace("np", numpy))
                named.append((node, float(eval(text, {"np": np})), False, 1.0))
        self._named = named
        self._parts: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), ())]
        values, costs = [1.0], [0.0]
        sizes, prices = [n[1] for n in named], [n[3] for n in named]
        for count, most in (1, len(named)), (2, len(named)), (3, min(MOST_IN_THREES, len(named))):
            for chosen in itertools.combinations_with_replacement(range(most), count):
                if count > 2 and len(set(chosen)) < 3:
                    continue
                for signs in itertools.product((1, -1), repeat=count):
                    if len(set(chosen)) < count and len(set(signs)) > 1:
                        continue
                    over = tuple(k for k, s in zip(chosen, signs, strict=True) if s > 0)
                    under = tuple(k for k, s in zip(chosen, signs, strict=True) if s < 0)
                    self._parts.append((over, under))
                    values.append(math.prod(sizes[k] for k in over) / math.prod(sizes[k] for k in under))
                    costs.append(sum(prices[k] for k in chosen) + 0.1 * len(under))
        self._values, self._costs = np.array(values), np.array(costs)

    def of(self, value: float, precision: float, most: int = 8) -> list[Spelling]:
        """Expressions for a number known to a relative precision, with a cost each, the simplest first."""
        if not math.isfinite(value) or value == 0 or precision > 1e-3:
            return []
        wanted = abs(value) / self._values
        k = np.clip(np.searchsorted(VALUES, wanted), 1, len(VALUES) - 1)
        k = np.where(np.abs(VALUES[k - 1] - wanted) < np.abs(VALUES[k] - wanted), k - 1, k)
        hits = np.flatnonzero(np.abs(VALUES[k] - wanted) <= precision * wanted)
        found: list[Spelling] = []
        for hit in hits:
            over, under = self._parts[hit]
            ratio = RATIOS[int(k[hit])]
            negative = (value < 0) ^ (sum(self._named[i][2] for i in (*over, *under)) % 2 == 1)
            node = _written(ratio, [self._named[i][0] for i in over], [self._named[i][0] for i in under])
            cost = 0.15 * (ratio.numerator + ratio.denominator - 2) + float(self._costs[hit])
            found.append((trees.minus(node) if negative else node, cost))
        found.sort(key=lambda s: s[1])
        return found[:most]


def _written(ratio: Fraction, over: list[Node], under: list[Node]) -> Node:
    node: Node | None = None
    if ratio.denominator == 10 or (ratio == Fraction(1, 2) and over):
        node = ast.Constant(float(ratio))
        ratio = Fraction(1)
    elif ratio.numerator != 1 or not over:
        node = trees.number(ratio.numerator)
    for part in over:
        node = part if node is None else trees.times(node, part)
    assert node is not None
    if ratio.denominator != 1:
        node = trees.binary(node, ast.Div, trees.number(ratio.denominator))
    for part in under:
        node = trees.binary(node, ast.Div, part)
    return node


def is_one(n: Node) -> bool:
    """Whether a node is the literal 1."""
    return isinstance(n, ast.Constant) and n.value == 1


def plus(n: Node, donor: Node) -> Node:
    """HERE + n * donor."""
    op: type[ast.operator] = ast.Add
    if isinstance(n, ast.UnaryOp):
        op, n = ast.Sub, n.operand
    return trees.binary(HERE, op, scaled(n, donor))


def scaled(n: Node, donor: Node) -> Node:
    """n * donor."""
    return donor if is_one(n) else trees.times(n, donor)


def multiplied_by(n: Node) -> Node:
    """HERE * a / b for a / b, HERE / b for 1 / b."""
    parts = []
    while isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div):
        parts.append(n.right)
        n = n.left
    node: Node = HERE if is_one(n) else trees.times(HERE, n)
    for part in reversed(parts):
        node = trees.binary(node, ast.Div, part)
    return node
