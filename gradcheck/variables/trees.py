"""x as a tree: dicts, lists, tuples, records, nested, whose leaves are arrays or numbers.

A tree is taken apart once into nodes, which put it together again for each call.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.model import FindingKind
from gradcheck.variables.arrays import as_numpy
from gradcheck.variables.containers import Make, Row, container_of
from gradcheck.variables.layout import LISTED, ArrayLayout, Layout, Part
from gradcheck.variables.nodes import Branch, Leaf, Node, find, misfit_error, noun_of
from gradcheck.variables.numbers import SMALL_ENOUGH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.variables.arrays import Framework, Like

    Array = NDArray[np.float64]


class NumberLayout(ArrayLayout):
    """A number within a tree, handed over as a number of its own type: float, or one of NumPy's."""

    fixed = shares = False

    def __init__(self, kind: type, dtype: Any, owner: str) -> None:
        super().__init__((), dtype, owner)
        self.kind = kind

    def argument(self, flat: NDArray[Any]) -> Any:
        """The only entry of the vector."""
        return self.kind(flat[0])

    def lending(self, flat: NDArray[Any]) -> Callable[[], Any]:
        """A new number at every call."""
        return lambda: self.argument(flat)

    def stacked(self, rows: NDArray[Any]) -> NDArray[Any]:
        """A vector of them."""
        return rows[:, 0]

    def altered(self, argument: Any, flat: NDArray[Any]) -> str:
        """A number cannot be written into, but replaced."""
        return "" if argument == flat[0] else self.owner


class TreeLayout(Layout):
    """x is a tree, with some leaves that are variables; the others are handed on as they are.

    root: the tree.
    tree: all leaves.
    variables: the numbers of the leaves that are variables, each with its layout, whose owner is the path of the leaf.
    dtype: of the vector; leaves of another are converted.
    framework: that the variables are arrays of, if not NumPy.
    likes: what these are, beside shape and dtype, for each variable; None for one that is a number.
    alone: an answer may be a list of what belongs to the variables, in their order, or to the children of the root that hold any.
    """

    def __init__(
        self,
        root: Node,
        tree: Sequence[Leaf],
        variables: Sequence[tuple[int, Layout]],
        dtype: Any,
        *,
        framework: Framework | None = None,
        likes: Sequence[Like | None] = (),
        alone: bool = False,
    ) -> None:
        self.root, self.tree, self.alone = root, tuple(tree), alone
        self.numbers_of_leaves = tuple(number for number, _ in variables)
        self.wanted = frozenset(self.numbers_of_leaves)
        self.framework, self.dtype = framework, np.dtype(dtype)
        stops = list(itertools.accumulate(layout.size for _, layout in variables))
        starts = [0, *stops[:-1]]
        self._leaves = tuple(
            (layout, slice(start, stop)) for (_, layout), start, stop in zip(variables, starts, stops, strict=True)
        )
        self._starts = starts
        self.shape = (stops[-1],)
        parts = [layout.imaginary for _, layout in variables]
        if any(part is not None for part in parts):
            sizes = [layout.size for _, layout in variables]
            whole = [np.zeros(n, bool) if part is None else part for part, n in zip(parts, sizes, strict=True)]
            self.imaginary = np.concatenate(whole)
        self._foreign = [k for k, like in enumerate(likes) if like is not None]
        self._likes = [like for like in likes if like is not None]
        sharing = {k for k, (layout, _) in enumerate(self._leaves) if layout.shares and layout.dtype == self.dtype}
        if framework is not None:
            sharing = {
                k for k, like in zip(self._foreign, self._likes, strict=True) if framework.shares(like)
            } & sharing
        self.shares = bool(sharing)
        self._constants = {
            number: value.copy()
            for number, (_, value) in enumerate(self.tree)
            if number not in self.wanted and isinstance(value, np.ndarray) and value.size <= SMALL_ENOUGH
        }
        self._make: Make | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_make": None}  # made anew in another process

    @property
    def given(self) -> tuple[int, ...]:
        """One axis, on which a complex number is one entry."""
        return self.shape if self.imaginary is None else (int(np.count_nonzero(~self.imaginary)),)

    @property
    def make(self) -> Make:
        """What puts the tree together of its leaves."""
        if self._make is None:
            self._make = self.root.maker()
        return self._make

    def _put_in(self, made: Sequence[Any]) -> list[Any]:
        """All leaves, with these for the variables."""
        leaves = [leaf.value for leaf in self.tree]
        for number, value in zip(self.numbers_of_leaves, made, strict=True):
            leaves[number] = value
        return leaves

    def _in_framework(self, hosts: Sequence[Any]) -> Sequence[Any]:
        """Arrays of NumPy as those of the framework."""
        if self.framework is None:
            return hosts
        made = list(hosts)
        arrays = self.framework.make([made[k] for k in self._foreign], self._likes)
        for k, array in zip(self._foreign, arrays, strict=True):
            made[k] = array
        return made

    # ---- what user code is handed

    def argument(self, flat: NDArray[Any]) -> Any:
        """A new tree; its arrays share memory with the vector where they can."""
        return self.lending(flat)()

    def lending(self, flat: NDArray[Any]) -> Callable[[], Any]:
        """A new tree at every call; the arrays of NumPy in it are made once, and change with the vector."""
        make, hosts = self.make, list[Any]()
        moving: list[tuple[int, Callable[[], Any]]] = []
        for k, (layout, where) in enumerate(self._leaves):
            part, same = flat[where], layout.dtype == self.dtype
            lend = layout.lending(part) if same else _converted(layout, part)
            hosts.append(lend())
            if not (same and layout.fixed):
                moving.append((k, lend))
        if self.framework is None and not moving:
            leaves = self._put_in(hosts)
            return lambda: make(leaves)

        def again() -> Any:
            for k, lend in moving:
                hosts[k] = lend()
            return make(self._put_in(self._in_framework(hosts)))

        return again

    def stacked(self, rows: NDArray[Any]) -> Any:
        """A tree whose arrays have one more axis before the others."""
        made = [layout.stacked(np.ascontiguousarray(rows[:, where], layout.dtype)) for layout, where in self._leaves]
        return self.make(self._put_in(self._in_framework(made)))

    def altered(self, argument: Any, flat: NDArray[Any]) -> str:
        """What of the tree is not as it was handed over: a leaf, or the tree itself."""
        try:
            found = find(self.root, argument, self.root.numbers, "")
        except UserCodeError:
            return "the tree that it is given"
        for (layout, where), number in zip(self._leaves, self.numbers_of_leaves, strict=True):
            part = flat[where].astype(layout.dtype, copy=False)
            try:
                value = as_numpy(found[number])
            except (TypeError, ValueError):
                return layout.owner
            if value.shape != layout.given or layout.altered(value, part):
                return layout.owner
        for number, kept in self._constants.items():
            if not np.array_equal(found[number], kept):
                return self.tree[number].path
        return ""

    @property
    def fixed_parts(self) -> tuple[Any, ...]:
        """The leaves that are no variables, by their paths, and the paths of the others."""
        others = [leaf for number, leaf in enumerate(self.tree) if number not in self.wanted]
        names = ",".join(layout.owner for layout, _ in self._leaves)
        return (names, *(part for leaf in others for part in leaf))

    def variables(self, argument: Any) -> list[Any]:
        """The leaves that are variables."""
        found = find(self.root, argument, self.wanted, "")
        return [found[number] for number in self.numbers_of_leaves]

    def assembled(self, variables: Sequence[Any]) -> Any:
        """A new tree that holds these, and the others as they were."""
        return self.make(self._put_in(variables))

    # ---- what it answers

    def collected(self, argument: Any) -> Any:
        """What backward() has left with the leaves, as a tree."""
        if self.framework is None:
            return None
        found = find(self.root, argument, self.wanted, "")
        gradients = [self.framework.collected(found[number]) for number in self.numbers_of_leaves]
        return None if all(one is None for one in gradients) else self.make(self._put_in(gradients))

    def numbers(self, value: Any, role: str) -> Array:
        """The entries of a tree of the same structure, or of the leaves alone that are variables."""
        found = self._answers(value, role)
        flat = np.empty(self.size)
        for (layout, where), number in zip(self._leaves, self.numbers_of_leaves, strict=True):
            answer = found[number]
            if answer is None:
                raise misfit_error(
                    f"{role} returned None for {layout.owner}; return zeros where f does not depend on it", role
                )
            if isinstance(answer, dict):
                raise misfit_error(
                    f"{role} returned a dict for {layout.owner} where x0 has {noun_of(self.tree[number].value)}", role
                )
            flat[where] = layout.numbers(answer, role)
        return flat

    def misfit(self, value: Any) -> str:
        """The first leaf whose shape is odd."""
        found = self._answers(value, "")
        leaves = zip(self._leaves, self.numbers_of_leaves, strict=True)
        return next((text for (layout, _), number in leaves if (text := layout.misfit(found[number]))), "")

    def _answers(self, value: Any, role: str) -> dict[int, Any]:
        """The answers for the variables, by the numbers of their leaves."""
        if value is None:
            raise UserCodeError(
                f"{role} returned None: does it end without a return statement?", FindingKind.WRONG_DTYPE, role
            )
        numbers, root = self.numbers_of_leaves, self.root
        if isinstance(root, Branch):
            plain = type(value) in (list, tuple)
            if len(numbers) == 1 and container_of(value) is None:
                return {numbers[0]: value}
            all_there = isinstance(root.container, Row) and plain and len(value) == len(root.keys)
            if self.alone and plain and not all_there:
                place = {number: k for k, number in enumerate(numbers)}
                holding = [child for child in root.children if child.numbers & self.wanted]
                holding.sort(key=lambda child: min(place[number] for number in child.numbers & self.wanted))
                if len(value) == len(holding):
                    pairs = zip(holding, value, strict=True)
                    return {k: leaf for child, one in pairs for k, leaf in find(child, one, self.wanted, role).items()}
                if len(value) == len(root.children):  # an answer for each argument by name, in their order
                    all_pairs = zip(root.children, value, strict=True)
                    some = [(child, one) for child, one in all_pairs if child.numbers & self.wanted]
                    return {k: leaf for child, one in some for k, leaf in find(child, one, self.wanted, role).items()}
                if len(value) == len(numbers):
                    return dict(zip(numbers, value, strict=True))
        return find(root, value, self.wanted, role)

    def answer_for(self, start: int, value: Any, role: str) -> Any:
        """The part of a tree of the same structure that stands for a leaf, whatever that part is."""
        return self._answers(value, role)[self.numbers_of_leaves[bisect_right(self._starts, start) - 1]]

    def derivative(self, flat: Array) -> Any:
        """A tree of NumPy arrays, and None for what is no variable."""
        leaves: list[Any] = [None] * len(self.tree)
        for (layout, where), number in zip(self._leaves, self.numbers_of_leaves, strict=True):
            leaves[number] = layout.derivative(flat[where])
        return self.make(leaves)

    def spread(self, value: Any) -> Array:
        """A number for all entries; or a dict by the names of leaves, or a tree, of numbers and arrays."""
        if container_of(value) is None:
            return np.concatenate([layout.spread(value) for layout, _ in self._leaves])
        try:
            found = find(self.root, value, self.wanted, "")
        except UserCodeError:
            names = ", ".join(layout.owner for layout, _ in self._leaves)
            raise ValueError(f"it must be a number, or a tree like x0, with {names}") from None
        return np.concatenate(
            [layout.spread(found[k]) for (layout, _), k in zip(self._leaves, self.numbers_of_leaves, strict=True)]
        )

    # ---- names

    def _holder(self, entry: int) -> tuple[Layout, int]:
        """The leaf that an entry is in, and where in it."""
        k = bisect_right(self._starts, entry) - 1
        return self._leaves[k][0], entry - self._starts[k]

    def index(self, entry: int) -> tuple[int, ...]:
        """The place of an entry in its leaf."""
        layout, inside = self._holder(entry)
        return layout.index(inside)

    def name(self, entry: int) -> str:
        """``W1[3, 1]``, ``out.b[2]``; a number goes by its name alone."""
        layout, inside = self._holder(entry)
        return layout.name(inside)

    def whole(self, entry: int) -> str:
        """The name without that of a part of a complex number."""
        layout, inside = self._holder(entry)
        return layout.whole(inside)

    @property
    def leaves(self) -> tuple[tuple[Layout, slice], ...]:
        """The variables."""
        return self._leaves

    @property
    def parts(self) -> list[Part]:
        """The leaves, if they are several, and not too many."""
        return [Part(layout.owner, where) for layout, where in self._leaves] if 1 < len(self._leaves) <= LISTED else []


def _converted(layout: Layout, part: NDArray[Any]) -> Callable[[], Any]:
    """What makes a leaf of another dtype than the vector."""
    return lambda: layout.argument(part.astype(layout.dtype))
