"""Where in an array some entries lie, in words: a range, a stride, a row, a triangle."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.variables.places import Places

    Ints = NDArray[np.int64]

LISTED = 5  # entries named one by one in a sentence …
KEPT = 50  # … and in the parameters
PLACES = frozenset(
    (
        "indices",
        "range",
        "start",
        "stop",
        "stride",
        "row",
        "column",
        "rows",
        "columns",
        "part",
        "leaf",
        "leaves",
        "paths",
    )
)
"""The keys by which parameters say where: `locate` has what each of them means."""


@dataclass(frozen=True, slots=True)
class Region:
    """Some entries: in words ("entries [3] to [7]"), as plain values, and whether they form a pattern.

    name: 'range', 'stride', 'row', 'column', 'block', 'leaf'; of a square matrix 'diagonal', 'off-diagonal', 'lower triangle',
        'upper triangle', 'row and column'; '' if they form none.
    """

    text: str
    parameters: Mapping[str, Any]
    name: str = ""

    @property
    def is_one(self) -> bool:
        """Whether its words are those of one thing: the diagonal, row 3."""
        return self.name in ("diagonal", "lower triangle", "upper triangle", "row", "column")


def listed(entries: Ints, places: Places) -> str:
    """'entry [3]', 'entries [3], [5] and [9]', or the first few and how many more; 'the derivative' by a scalar."""
    if not places.shape:
        return places.owner or "the derivative"
    names = [places.name(int(k)) for k in entries[: LISTED if len(entries) > LISTED + 1 else LISTED + 1]]
    if len(entries) == 1:
        return f"entry {names[0]}"
    if len(names) < len(entries):
        return f"entries {', '.join(names)} and {len(entries) - len(names):,} more"
    return f"entries {', '.join(names[:-1])} and {names[-1]}"


def listing(entries: Ints, places: Places) -> dict[str, Any]:
    """The first few as parameters: their indices and, where these do not tell in which leaf they are, their names."""
    shown = [int(k) for k in entries[:KEPT]]
    found: dict[str, Any] = {"indices": [list(places.index(k)) for k in shown]}
    return found | {"paths": [places.name(k) for k in shown]} if places.layout.leaves else found


def locate(entries: Ints, places: Places, others: Ints, *, square: bool = False) -> Region:
    """Describe `entries` (flat, sorted) by the first pattern that holds none of `others`.

    The parameters of the region have one of these: ``indices``, the first KEPT as lists [i, j, …]; ``range``, [start, stop]
    of flat row-major indices, the stop not included; ``start``, ``stop`` and ``stride``, every stride-th of such a range;
    ``row``, ``column`` or both; ``rows`` and ``columns``, [start, stop] each, of a rectangle; ``part``, "diagonal",
    "off-diagonal", "lower triangle" or "upper triangle".

    square: the array is a matrix whose diagonal and triangles mean something.
    """
    for region, members in _patterns(entries, places, square):
        if members(entries).all() and not members(others).any():
            return region
    return Region(listed(entries, places), listing(entries, places))


def progression(terms: range, places: Places) -> Region:
    """The same words for the entries whose flat indices are these terms, at least two of them; '' is the name of all entries."""
    first, last, step = terms[0], terms[-1], terms.step
    if len(terms) == places.size:
        return Region(f"all {len(terms):,} entries", {})
    leaves = list(places.leaves())
    for leaf, where in leaves:
        if where.start <= first and last < where.stop:
            shift = where.start
            if len(terms) == leaf.size:
                return Region(f"all of {leaf.owner}", {"leaf": leaf.owner}, "leaf")
            inside = progression(range(first - shift, last - shift + step, step), leaf)
            return replace(inside, parameters={**inside.parameters, "leaf": leaf.owner})
    covered = [leaf.owner for leaf, where in leaves if first <= where.start and where.stop <= last + 1]
    if step == 1 and len(terms) == sum(leaf.size for leaf, _ in leaves if leaf.owner in covered):
        return Region(f"all of {', '.join(covered[:-1])} and {covered[-1]}", {"leaves": covered}, "leaf")
    if len(places.shape) == 2:
        rows, columns = places.shape
        of = f" of {places.owner}" if places.owner else ""
        if step == columns and len(terms) == rows:
            return Region(f"column {first}{of}", {"column": first}, "column")
        if step == 1 and first % columns == 0 and len(terms) == columns:
            return Region(f"row {first // columns}{of}", {"row": first // columns}, "row")
    return _stretch(first, last, step, places)


def _stretch(first: int, last: int, step: int, places: Places) -> Region:
    """The entries from `first` to `last`, or every step-th of them."""
    ends = f"{places.name(first)} to {places.name(last)}"
    if step == 1:
        return Region(f"entries {ends}", {"range": [first, last + 1]}, "range")
    words = f"every {step}{_ordinal(step)} entry from {ends}"
    return Region(words, {"start": first, "stop": last + 1, "stride": step}, "stride")


def _patterns(entries: Ints, places: Places, square: bool) -> Iterator[tuple[Region, Any]]:
    if len(entries) < 2:
        return
    shape = places.shape
    first, last = int(entries[0]), int(entries[-1])
    if len(shape) == 2:
        columns = shape[1]
        of = f" of {places.owner}" if places.owner else ""
        i, j = np.divmod(entries, columns)
        if square and shape[0] == columns:
            yield Region("the diagonal", {"part": "diagonal"}, "diagonal"), lambda e: e // columns == e % columns
            for name, side in ("lower triangle", np.greater), ("upper triangle", np.less):
                if len(entries) > 2:
                    yield (
                        Region(f"the {name}", {"part": name}, name),
                        lambda e, side=side: side(e // columns, e % columns),
                    )
            common = [k for k in (i[0], j[0]) if ((i == k) | (j == k)).all()]
            if common and len(set(i.tolist())) > 1 < len(set(j.tolist())):
                k = int(common[0])
                cross = Region(f"row and column {k}", {"row": k, "column": k}, "row and column")
                yield cross, lambda e: (e // columns == k) | (e % columns == k)
            off = Region("the off-diagonal entries", {"part": "off-diagonal"}, "off-diagonal")
            yield off, lambda e: e // columns != e % columns
        top, bottom, left, right = int(i.min()), int(i.max()), int(j.min()), int(j.max())
        if top == bottom and shape[0] > 1:
            yield Region(f"row {places.row(top)}{of}", {"row": top}, "row"), lambda e: e // columns == top
        if left == right and columns > 1:
            yield Region(f"column {places.column(left)}{of}", {"column": left}, "column"), lambda e: e % columns == left
    yield _stretch(first, last, 1, places), lambda e: (e >= first) & (e <= last)
    step = math.gcd(*np.diff(entries).tolist())
    if step > 1 and len(entries) > 2:
        yield (
            _stretch(first, last, step, places),
            lambda e: (e >= first) & (e <= last) & ((e - first) % step == 0),
        )
    if len(shape) == 2 and top < bottom and left < right:
        words = f"rows {places.row(top, bottom)}, columns {places.column(left, right)}{of}"
        yield (
            Region(words, {"rows": [top, bottom + 1], "columns": [left, right + 1]}, "block"),
            lambda e: (e // columns >= top) & (e // columns <= bottom) & (e % columns >= left) & (e % columns <= right),
        )


def _ordinal(n: int) -> str:
    return {1: "st", 2: "nd", 3: "rd"}.get(n % 10 if n % 100 not in (11, 12, 13) else 0, "th")
