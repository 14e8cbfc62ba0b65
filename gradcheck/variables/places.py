"""The entries of a derivative: where they are, and what they are called."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gradcheck.variables.layout import ArrayLayout, Layout
from gradcheck.wording import place


class Places:
    """The entries of a derivative, those of each output by each variable: where they are, and what they are called.

    outputs: the shape of what is differentiated, () for one number; or how that is laid out, if it is no plain array.
    layout: of the variables.
    shape: of the derivative as one array, that of the outputs before that of x.
    """

    def __init__(self, outputs: tuple[int, ...] | Layout, layout: Layout) -> None:
        self.outputs = ArrayLayout(outputs, np.float64) if isinstance(outputs, tuple) else outputs
        self.layout = layout
        self.shape = self.outputs.shape + layout.shape

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    @property
    def given(self) -> tuple[int, ...]:
        """The shape of the derivative as user code has it."""
        return self.outputs.given + self.layout.given

    @property
    def owner(self) -> str:
        """What the variables are called, where they are a part of x and there is one output; else ''."""
        return "" if self.outputs.shape else self.layout.owner

    def index(self, entry: int) -> tuple[int, ...]:
        """Where a flat entry (in C order) is."""
        output, variable = divmod(entry, self.layout.size)
        return self.outputs.index(output) + self.layout.index(variable)

    def name(self, entry: int) -> str:
        """A flat entry as a person would write it: ``[3]``, ``W2[3, 1]``; of a matrix ``[2, 5]``, ``[2, W2[3, 1]]``."""
        output, variable = divmod(entry, self.layout.size)
        if not self.outputs.shape:
            return self.layout.name(variable)
        inside = (self.outputs, output), (self.layout, variable)
        return f"[{', '.join(filter(None, (_inside(layout, entry) for layout, entry in inside)))}]"

    def whole(self, entry: int) -> str:
        """The same of the complex number that an entry is a part of."""
        output, variable = divmod(entry, self.layout.size)
        if not self.outputs.given:
            return self.layout.whole(variable)
        inside = (self.outputs, output), (self.layout, variable)
        return f"[{', '.join(filter(None, (_inside(layout, entry, whole=True) for layout, entry in inside)))}]"

    def row(self, first: int, last: int | None = None) -> str:
        """A row of a matrix, or several: its number, or what its output is called."""
        return _span(self.outputs if self.outputs.shape else ArrayLayout(self.shape[:1], float), first, last)

    def column(self, first: int, last: int | None = None) -> str:
        """The same for columns, and what their variables are called."""
        return _span(self.layout if self.outputs.shape else ArrayLayout(self.shape[1:], float), first, last)

    def leaves(self) -> Iterator[tuple[Places, slice]]:
        """The arrays that the variables of a gradient are made of, each with its entries; none if they are one array."""
        if not self.outputs.shape:
            for leaf, where in self.layout.leaves:
                yield Places((), leaf), where


def _span(layout: Layout, first: int, last: int | None) -> str:
    """The entries from one to another: ``3``, ``3 to 5``, ``of W1`` where they are just those of a leaf."""
    if last is None:
        return _inside(layout, first)
    whole = next((leaf.owner for leaf, where in layout.leaves if (where.start, where.stop) == (first, last + 1)), None)
    return f"of {whole}" if whole else f"{_inside(layout, first)} to {_inside(layout, last)}"


def _inside(layout: Layout, entry: int, *, whole: bool = False) -> str:
    """An entry as it is written within brackets; whole: the complex number that it is a part of."""
    if layout.leaves or layout.owner:
        return layout.whole(entry) if whole else layout.name(entry)
    part = "" if whole or layout.imaginary is None else layout.name(entry).rpartition(".")[2]
    index = place(layout.index(entry))[1:-1]
    return ".".join(filter(None, (index, part)))
