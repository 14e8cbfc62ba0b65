"""The right numbers in the wrong places: transposed, reversed, shifted, swapped, permuted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.diagnosis.evidence import Facts, Law
from gradcheck.model import DiagnosisKind, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

LARGEST_DISGUISE = 200_000  # entries of a vector that is tried as a matrix of every shape
LARGEST_TENSOR = 20_000  # entries of a Hessian whose variable is tried as a matrix of every shape
ORDERS = 50.0  # about so many are tried
MOST_LINES = 8  # columns, or rows, that may have been put in another order
MOST_AXES = 4  # of an array whose axes are permuted
LAYOUT_ADVICE = (
    "Compare the memory order: x.reshape(shape) reads rows first; use order='F' or .T on both sides or on neither."
)

Named = tuple[DiagnosisKind, "Ints", str]  # a kind, the order that puts the claim right, and its words


def permutations(facts: Facts, among: Mask) -> Iterator[Law]:
    """Laws that move claimed values to other places; of the whole array, and of the stretch that is wrong."""
    if np.sum(among) < 2:
        return
    full = facts.full
    yield from _swapped(facts, among)
    yield from _lines(facts, among)
    first, last = int(facts.entry[among].min()), int(facts.entry[among].max()) + 1
    stretches = [(0, facts.size)]
    for start, stop in ((first, last), (first - 1, last + 1)):  # the corners of a transposed matrix stay where they are
        if start >= 0 and stop <= facts.size and (start, stop) not in stretches:
            stretches.append((start, stop))
    for start, stop in stretches:
        whole = stop - start == facts.size
        rows = np.flatnonzero(among)[np.argsort(-facts.gap[among])[:16]]  # the widest gaps refute most orders at once
        for kind, order, words in _orders(facts, whole, stop - start):
            moved = full.copy()
            moved[start:stop] = np.where(order >= 0, full[start:stop][order], np.nan)
            there = facts.entry[rows]
            with np.errstate(invalid="ignore"):
                refuted = np.abs(moved[there] - facts.numeric[rows]) > 2 * facts.loose[rows]
            if refuted.sum() > 3 + len(rows) // 4 or (whole and _mirrors(facts, order, facts.entry[among])):
                continue
            within = "" if whole else f" within entries {facts.places.name(start)} to {facts.places.name(stop - 1)}"
            yield Law(
                kind=kind,
                predict=_mover(order, start, stop),
                sentence=f"the claim is right when it is {words}{within}: that gives the numeric values {{where}}",
                parameters={"order": words} | ({} if whole else {"range": [start, stop]}),
                advice=LAYOUT_ADVICE
                if kind is DiagnosisKind.TRANSPOSED
                else "Look at the indices on both sides of the assignment.",
                tries=ORDERS,
            )
    yield from _blocks(facts, among)
    yield from _permuted(facts, among)


def _mirrors(facts: Facts, order: Ints, wrong: Ints) -> bool:
    """Whether an order takes each wrong entry of a Hessian from its mirror image: that says only that it is symmetric."""
    if facts.mismatch.kind is not Kind.HESSIAN:
        return False
    n = math.isqrt(facts.size)
    return bool((order[wrong] == wrong % n * n + wrong // n).all())


def _mover(order: Ints, start: int, stop: int) -> Callable[[Facts], Array]:
    def predict(f: Facts) -> Array:
        moved = f.full.copy()
        moved[start:stop] = np.where(order >= 0, f.full[start:stop][order], np.nan)
        return moved[f.entry]

    return predict


def _orders(facts: Facts, whole: bool, n: int) -> Iterator[Named]:
    """Orders to read n values in; an index −1 marks a place whose value is lost."""
    every = np.arange(n, dtype=np.int64)
    shape = facts.shape if whole and len(facts.shape) > 1 else (n,)
    yield DiagnosisKind.REVERSED, every[::-1], "read backwards"
    yield DiagnosisKind.SHIFTED, np.roll(every, -1), "moved forward by one, the first to the end"
    yield DiagnosisKind.SHIFTED, np.roll(every, 1), "moved back by one, the last to the front"
    if len(shape) == 1 and n <= LARGEST_DISGUISE:
        yield from _readings(n)
    elif facts.mismatch.kind is Kind.HESSIAN and len(shape) == 2 and shape[0] == shape[1]:
        yield from _tensors(shape[0]) if n <= LARGEST_TENSOR else ()
    elif len(shape) <= MOST_AXES:
        yield from _axes(shape)
    if 1 < len(shape) <= MOST_AXES:
        grid = every.reshape(shape)
        for axis in (axis for axis, length in enumerate(shape) if length > 1):
            name = f"axis {axis}" if len(shape) > 2 else ("the rows", "the columns")[axis]
            yield DiagnosisKind.REVERSED, np.flip(grid, axis).ravel(), f"read backwards along {name}"
            for by in (-1, 1):
                yield DiagnosisKind.SHIFTED, np.roll(grid, by, axis).ravel(), f"moved by one along {name}"
    if n > 2:
        yield DiagnosisKind.SHIFTED, np.append(every[1:], -1), "moved forward by one"
        yield DiagnosisKind.SHIFTED, np.insert(every[:-1], 0, -1), "moved back by one"


def _readings(n: int) -> Iterator[Named]:
    """A vector that is a matrix in disguise, with its columns read for rows: every way to factor n."""
    for rows in sorted((r for r in range(2, n // 2 + 1) if n % r == 0), key=lambda r: abs(math.log(r * r / n))):
        columns = n // rows

        order = np.arange(n, dtype=np.int64).reshape(columns, rows).T.ravel()
        yield DiagnosisKind.TRANSPOSED, order, f"transposed as a {rows}×{columns} matrix"


def _axes(shape: tuple[int, ...]) -> Iterator[Named]:
    """An array whose axes were taken in another order, either way."""
    every = np.arange(math.prod(shape), dtype=np.int64)
    seen = {hash(every.tobytes())}
    for axes in itertools.permutations(range(len(shape))):
        back = every.reshape([shape[a] for a in axes]).transpose(np.argsort(axes)).ravel()
        for order in (back, every.reshape(shape).transpose(axes).ravel()):
            if hash(order.tobytes()) not in seen:
                seen.add(hash(order.tobytes()))
                words = f"read with its axes in the order {', '.join(map(str, axes))}"
                yield DiagnosisKind.TRANSPOSED, order, "transposed" if len(shape) == 2 else words


def _tensors(n: int) -> Iterator[Named]:
    """A Hessian by a matrix variable, r·c = n: its rows, columns or blocks laid out in the other order."""
    plain = np.arange(n * n, dtype=np.int64)
    seen = {hash(plain.tobytes())}
    for rows in (r for r in range(2, n // 2 + 1) if n % r == 0):
        columns = n // rows
        for shape in ((rows, columns, rows, columns), (rows, columns, columns, rows), (columns, rows, rows, columns)):
            for axes in itertools.permutations(range(4)):
                order = np.arange(n * n, dtype=np.int64).reshape(shape).transpose(axes).ravel()
                if hash(order.tobytes()) not in seen:
                    seen.add(hash(order.tobytes()))
                    how = f"axes {', '.join(map(str, axes))} of {'×'.join(map(str, shape))}"
                    words = f"laid out in the other order for a {rows}×{columns} variable ({how})"
                    yield DiagnosisKind.TRANSPOSED, order, words


def _swapped(facts: Facts, among: Mask) -> Iterator[Law]:
    """Two entries that took each other's place."""
    if np.sum(among) != 2:
        return
    i, j = (int(k) for k in facts.entry[among])
    order = np.arange(facts.size, dtype=np.int64)
    order[[i, j]] = j, i
    names = [facts.places.name(k) for k in (i, j)]
    yield Law(
        kind=DiagnosisKind.SWAPPED,
        predict=_mover(order, 0, facts.size),
        sentence=f"entries {names[0]} and {names[1]} are swapped: each has the other's value",
        parameters={"indices": [list(facts.places.index(k)) for k in (i, j)]},
        advice="Look at the order in which the components are put together.",
    )


def _lines(facts: Facts, among: Mask) -> Iterator[Law]:
    """Columns, or rows, of a matrix that took each other's place: two, or a few in another order."""
    if len(facts.shape) != 2 or min(facts.shape) < 2:
        return
    columns = facts.shape[1]
    grid = np.arange(facts.size, dtype=np.int64).reshape(facts.shape)
    for axis, name, name_at in (1, "column", facts.places.column), (0, "row", facts.places.row):
        place = facts.entry % columns if axis else facts.entry // columns
        lines = np.unique(place[among])
        if not 2 <= lines.size <= MOST_LINES:
            continue
        came_from = _sources(facts, grid, axis, lines)
        if came_from is None:
            continue
        order = grid.copy()
        if axis:
            order[:, lines] = grid[:, came_from]
        else:
            order[lines] = grid[came_from]
        names = [name_at(int(k)) for k in lines]
        two = lines.size == 2
        what = f"{name}s {', '.join(names[:-1])} and {names[-1]}"
        yield Law(
            kind=DiagnosisKind.SWAPPED if two else DiagnosisKind.PERMUTED,
            predict=_mover(order.ravel(), 0, facts.size),
            sentence=f"{what} are swapped: each has the other's values"
            if two
            else f"{what} are in another order: they have the values of {', '.join(name_at(int(k)) for k in came_from)}",
            parameters={"axis": axis, "lines": np.stack([lines, came_from], axis=1).tolist()},
            advice="Look at the order in which they are put together, and at the order of the variables."
            if axis
            else "Look at the order in which they are put together, and at the order of the outputs.",
            tries=float(math.factorial(lines.size)),
        )


def _sources(facts: Facts, grid: Ints, axis: int, lines: Ints) -> Ints | None:
    """For each of some lines, the other one whose claimed values are the numeric ones of this; None if there is none."""
    numeric, window = np.full(facts.size, np.nan), np.full(facts.size, np.inf)
    numeric[facts.entry], window[facts.entry] = facts.numeric, facts.loose
    sources = []
    for line in lines:
        own = np.take(grid, line, axis)
        known = np.isfinite(numeric[own])
        for other in lines:
            moved = facts.full[np.take(grid, other, axis)]
            if other != line and known.any() and (np.abs(moved - numeric[own]) <= window[own])[known].all():
                sources.append(int(other))
                break
    return np.array(sources, np.int64) if sorted(sources) == lines.tolist() else None


def _blocks(facts: Facts, among: Mask) -> Iterator[Law]:
    """A block of a matrix that was put in transposed."""
    if len(facts.shape) != 2 or facts.mismatch.kind is Kind.GRADIENT:
        return
    columns = facts.shape[1]
    i, j = np.divmod(facts.entry[among], columns)
    for part in (i >= 0, i > j, i < j):
        if np.sum(part) < 2:
            continue
        top, bottom = int(i[part].min()), int(i[part].max()) + 1
        left, right = int(j[part].min()), int(j[part].max()) + 1
        height, width = bottom - top, right - left
        if height * width in (facts.size, 0) or min(height, width) < 2:
            continue
        order = np.arange(facts.size, dtype=np.int64).reshape(facts.shape)
        order[top:bottom, left:right] = order[top:bottom, left:right].reshape(width, height).T
        yield Law(
            kind=DiagnosisKind.TRANSPOSED,
            predict=_mover(order.ravel(), 0, facts.size),
            sentence=f"the block of rows {top} to {bottom - 1} and columns {left} to {right - 1} belongs transposed: "
            "that gives the numeric values {where}",
            parameters={"order": "transposed", "rows": [top, bottom], "columns": [left, right]},
            advice="The block ∂²f/∂y∂x is the transpose of ∂²f/∂x∂y.",
            tries=4.0,
        )


def _permuted(facts: Facts, among: Mask) -> Iterator[Law]:
    """The wrong entries hold each other's values, in an order of no simple kind."""
    rows = np.flatnonzero(among)
    if len(rows) < 3:
        return
    by_claim, by_value = rows[np.argsort(facts.claimed[rows])], rows[np.argsort(facts.numeric[rows])]
    claimed, numeric = facts.claimed[by_claim], facts.numeric[by_value]
    window = facts.loose[by_value]
    if np.mean(np.abs(claimed - numeric) <= window) < 1:
        return
    # Any list of values near each other would agree when sorted: the windows must be narrow beside their distances.
    distance = np.diff(claimed)
    apart = distance > 2 * np.maximum(window[1:], window[:-1])
    narrow = np.log(np.clip(2 * window[1:][apart] / distance[apart], 1e-17, 1.0))
    if not apart.any():
        return
    predicted = np.full(len(facts), np.nan)
    predicted[by_value] = claimed
    order = [[int(facts.entry[a]), int(facts.entry[b])] for a, b in zip(by_value, by_claim, strict=True)][:50]
    likelihood = float(np.exp(max(np.sum(narrow), -600.0)))
    # The laws of places are weighed by their gaps; here a free order was fitted, and only the distances count.
    yield Law(
        kind=DiagnosisKind.PERMUTED,
        predict=lambda f: predicted if len(f) == len(predicted) else np.full(len(f), np.nan),
        sentence="the claimed values are the numeric ones in another order {where}",
        parameters={"moves": [pair for pair in order if pair[0] != pair[1]]},
        advice="Look for an argsort, a mask or an index array applied on one side only, or the wrong way round.",
        fitted=len(facts),
        tries=likelihood,
    )
