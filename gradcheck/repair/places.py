"""Where an edit may be made: an expression, what is around it, what it came to, and what is in reach."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.repair import trees
from gradcheck.repair.donors import Donor
from gradcheck.repair.program import Spot
from gradcheck.repair.values import kind_of

if TYPE_CHECKING:
    from gradcheck.repair.trees import Node

HERE = trees.name("__here__")  # stands for the expression that was there
ONE, TWO = ast.Constant(1), ast.Constant(2)

Edits = Iterator[tuple["Node", float]]
"""New expressions, each with a cost on top of the row's."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where an edit may be made: the expression, what is around it, what it came to, and what is in reach.

    parent: the node around it.
    values: at a few passes; empty if it was never computed.
    numpy: the name of NumPy.
    index: the expression is part of an index, a range, or a shape.
    """

    node: Node
    parent: ast.AST | None = None
    values: Sequence[Any] = ()
    names: Sequence[Donor] = ()
    donors: Sequence[Donor] = ()
    numpy: str | None = "np"
    index: bool = False

    @property
    def kind(self) -> str:
        """Of its value: f, i, b, c or ''; 'f' if nothing is known."""
        return kind_of(self.values[0]) if self.values else "f"

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of its value; None if that is no array or number, or unknown."""
        return np.shape(self.values[0]) if self.values and self.kind else None

    def ndim(self, *wanted: int) -> bool:
        """Whether it has one of these numbers of dimensions, or may have."""
        return not self.values or (self.shape is not None and len(self.shape) in wanted)

    def function(self, which: str, *arguments: Node) -> Iterator[Node]:
        """A function of NumPy, if that is in reach."""
        if self.numpy is not None:
            yield trees.call(trees.attribute(trees.name(self.numpy), which), *arguments)


INDEXING = frozenset({"axis", "shape", "keepdims", "axes", "k", "shift"})
JOINING = frozenset({"r_", "c_"})  # what looks like an index of theirs is an array
SHAPING = frozenset({"range", "zeros", "ones", "empty", "full", "reshape", "eye", "arange", "roll", "diff"})


def is_index(spot: Spot) -> bool:
    """Whether an expression is part of an index, a range, a shape or an axis."""
    below: ast.AST = spot.node
    for parent in reversed(spot.parents):
        if isinstance(parent, ast.Slice):
            return True
        if isinstance(parent, ast.Subscript) and below is parent.slice:
            return not (isinstance(parent.value, ast.Attribute) and parent.value.attr in JOINING)
        if isinstance(parent, ast.keyword) and parent.arg in INDEXING:
            return True
        if isinstance(parent, ast.Call):
            name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
            if name in SHAPING and kind_of(spot.values[0] if spot.values else None) == "i":
                return True
        if isinstance(parent, ast.stmt):
            targets = parent.targets if isinstance(parent, ast.Assign) else [getattr(parent, "target", None)]
            return any(isinstance(t, ast.Subscript) and t.slice is below for t in targets)
        below = parent
    return False


class LazyList(Sequence[Donor]):
    """A list made when it is first looked at."""

    def __init__(self, make: Callable[[], list[Donor]]) -> None:
        self._make = make
        self._made: list[Donor] | None = None

    def _list(self) -> list[Donor]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __len__(self) -> int:
        return len(self._list())

    def __getitem__(self, k: Any) -> Any:
        return self._list()[k]

    def __iter__(self) -> Iterator[Donor]:
        return iter(self._list())
