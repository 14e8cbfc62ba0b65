"""Pictures in block characters, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from gradcheck.reporting.pictures import Grid, Picture, Plot, Series, coarser, levelled, levels_named

HIGH, WIDE = 14, 60  # the area of a plot, in characters
CELLS_DOWN, CELLS_ACROSS = 24, 40  # at most, of a map
BLOCKS = {"0": "█", "1": "▓", "2": "▒", "3": "░", ".": "·"}
MARKS = {"dots": "·", "crosses": "x", "squares": "□", "line": "●", "dashes": "╌", "band": "░"}
NOISE = "·"  # a dashed line of another kind

Canvas = list[list[str]]


def drawn(picture: Picture, width: int) -> Iterator[str]:
    """The lines of a picture, none longer than `width` where that is at least 30."""
    lines = _plot(picture, width) if isinstance(picture, Plot) else _grid(picture, width)
    return (line.rstrip() for line in lines)


def _plot(plot: Plot, width: int) -> Iterator[str]:
    labels = {_row(plot, value): text for value, text in plot.y.ticks()}
    margin = max(map(len, labels.values()), default=0)
    wide = max(min(WIDE, width - margin - 2), 8)
    canvas = [[" "] * wide for _ in range(HIGH)]
    for series in plot.series:
        _draw(canvas, plot, series)
    for row, line in enumerate(canvas):
        yield f"{labels.get(row, ''):>{margin}} │{''.join(line)}"
    yield f"{'':>{margin}} └{'─' * wide}"
    ticks = [" "] * (wide + margin + 2)
    for value, text in plot.x.ticks():
        start = min(margin + 2 + round(plot.x.at(value) * (wide - 1)), len(ticks) - len(text))
        if all(c == " " for c in ticks[max(start - 1, 0) : start + len(text)]):
            ticks[start : start + len(text)] = text
    yield "".join(ticks)
    yield f"{'':>{margin}}  {plot.y.label} against {plot.x.label}"
    yield from _flowed([f"{_mark(series)} {series.name}" for series in plot.series], margin + 2, width)


def _row(plot: Plot, value: float) -> int:
    return HIGH - 1 - round(plot.y.at(value) * (HIGH - 1))


def _mark(series: Series) -> str:
    return NOISE if series.role == "noise" else MARKS[series.mark]


def _draw(canvas: Canvas, plot: Plot, series: Series) -> None:
    wide = len(canvas[0])
    places = [(round(plot.x.at(x) * (wide - 1)), _row(plot, y)) for x, y in series.points]
    if series.mark == "band":
        low, high = max(row for _, row in places), min(row for _, row in places)
        places = [(column, row) for row in range(high, low + 1) for column in range(wide)]
    elif series.mark == "dashes":
        places = [place for ends in pairwise(sorted(places)) for place in _between(*ends)]
    for column, row in places:
        canvas[row][column] = _mark(series)


def _between(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """A place in each column from one to another."""
    (left, first), (right, last) = start, end
    for column in range(left, right + 1):
        share = (column - left) / (right - left) if right > left else 0.0
        yield column, round(first + share * (last - first))


def _grid(grid: Grid, width: int) -> Iterator[str]:
    cells = levelled(grid.map.cells)
    margin = len(f"{grid.map.shape[0] - 1:,}") + 1
    most = max(min(CELLS_ACROSS, (width - margin - 2) // 2), 8)
    factor = max(-(-len(cells) // CELLS_DOWN), -(-len(cells[0]) // most))
    shown = coarser(cells, factor, factor)
    ends = {0: "0", len(shown) - 1: f"{grid.map.shape[0] - 1:,}"}
    for row, line in enumerate(shown):
        blocks = "".join(2 * BLOCKS.get(character, character) for character in line)
        yield f"{ends.get(row, ''):>{margin}} │{blocks}"
    wide = 2 * len(shown[0])
    yield f"{'':>{margin}} └{'─' * wide}"
    last = f"{grid.map.shape[1] - 1:,}"
    yield f"{'':>{margin}}  0{last:>{wide - 1}}" if wide > len(last) + 1 else ""
    key = [f"{BLOCKS.get(character, character)} {name}" for character, name in levels_named(shown, grid.map.largest)]
    yield from _flowed(key, margin + 2, width)


def _flowed(words: Sequence[str], indent: int, width: int) -> Iterator[str]:
    """Words on as many lines as they need."""
    line = ""
    for word in words:
        if line and indent + len(line) + 3 + len(word) > width:
            yield " " * indent + line
            line = ""
        line += f"{'   ' if line else ''}{word}"
    yield " " * indent + line
