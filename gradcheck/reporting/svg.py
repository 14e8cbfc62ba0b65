"""Pictures as SVG: inline in a page, whose colours they take, or as a file of its own.

Nothing is loaded and nothing runs.  Points of one kind are one path, so that hundreds of them take a few kilobytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from gradcheck.model import Report
from gradcheck.reporting.blocks import Span
from gradcheck.reporting.formats import DEFAULT, Display
from gradcheck.reporting.lines import printable, wrap
from gradcheck.reporting.pictures import Grid, Picture, Plot, Series, coarser, levelled, levels_named, pictures

WIDTH, HEIGHT = 420, 340  # of a picture, in its own units
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 12, 80  # around the axes: numbers, and a few lines of words below
DRAWN = 6  # reports in a file, those that did not pass first
LARGEST = 20_000  # bytes of the cells of a map; a larger one is drawn in coarser cells

STYLE = """\
svg.picture { --pass: #0072b2; --fail: #d55e00; --doubt: #9467bd; --ink: #24292f; --faint: #57606a; --line: #d0d7de;
  --paper: #fff; font: 12px system-ui, sans-serif; fill: var(--ink); }
@media (prefers-color-scheme: dark) { svg.picture { --pass: #56b4e9; --fail: #ff9248; --doubt: #c9a6f0; --ink: #e6edf3;
  --faint: #9aa4af; --line: #3d444d; --paper: #0d1117; } }
svg.picture path { fill: none; stroke: currentColor; stroke-width: 1.5; }
svg.picture .paper { fill: var(--paper); stroke: none; }
svg.picture .frame, svg.picture .tick { stroke: var(--line); stroke-width: 1; }
svg.picture .faint { fill: var(--faint); }
svg.picture .pass { color: var(--pass); } svg.picture .fail, svg.picture .claim { color: var(--fail); }
svg.picture .inconclusive { color: var(--doubt); } svg.picture .guide, svg.picture .noise { color: var(--faint); }
svg.picture .difference { color: var(--ink); }
svg.picture path.dots { stroke-linecap: round; stroke-width: 6; stroke-opacity: .7; }
svg.picture path.knots { stroke-linecap: round; stroke-width: 5; }
svg.picture path.bars { stroke-width: 1; stroke-opacity: .6; }
svg.picture path.dashes { stroke-dasharray: 5 4; }
svg.picture path.band { fill: currentColor; fill-opacity: .18; stroke: none; }
svg.picture .cells { stroke: none; fill: currentColor; }
svg.picture .outline { stroke: var(--ink); stroke-width: 1.5; }
"""


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """One image: the pictures of each report below its verdict, those that did not pass first."""
    parts: list[str] = []
    y, widest = 8, 0
    for report in sorted(reports, key=lambda r: -r.verdict)[:DRAWN]:
        title = f"{report.verdict.name}  {report.kind.value} of {report.name}.  {report.headline}"
        for line in wrap([Span(printable(title))], 100):
            y += 18
            parts.append(f'<text x="10" y="{y}">{_text("".join(span.text for span in line))}</text>')
        x = 0
        for picture in pictures(report):
            parts.append(f'<svg x="{x}" y="{y + 8}" width="{WIDTH}" height="{HEIGHT}">{"".join(_drawn(picture))}</svg>')
            x += WIDTH
        y += (HEIGHT if x else 0) + 24
        widest = max(widest, x, 2 * WIDTH)
    more = len(reports) - DRAWN
    if more > 0 or not reports:
        y += 18
        parts.append(f'<text x="10" y="{y}">{f"and {more:,} more checks" if reports else "no checks"}</text>')
    size = f'viewBox="0 0 {widest or WIDTH} {y + 12}" width="{widest or WIDTH}" height="{y + 12}"'
    paper = '<rect class="paper" width="100%" height="100%"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" {size}>'
    return "\n".join((head, f"<style>\n{STYLE}</style>", paper, *parts, "</svg>\n"))


def inline(picture: Picture, identifier: str) -> str:
    """A picture for a page that has STYLE, with its title and story for those who cannot see it.

    identifier: unique in the page.
    """
    named = f'role="img" aria-labelledby="{identifier}t {identifier}d"'
    return (
        f'<svg class="picture" viewBox="0 0 {WIDTH} {HEIGHT}" {named}>'
        f'<title id="{identifier}t">{_text(picture.title)}</title><desc id="{identifier}d">{_text(picture.story)}</desc>'
        f"{''.join(_drawn(picture))}</svg>"
    )


def _drawn(picture: Picture) -> Iterator[str]:
    yield from _plot(picture) if isinstance(picture, Plot) else _grid(picture)


# ---- plots


def _plot(plot: Plot) -> Iterator[str]:
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    foot = TOP + high

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + wide * plot.x.at(x), foot - high * plot.y.at(y)

    yield f'<path class="frame" d="M{LEFT} {TOP}h{wide}v{high}h-{wide}z"/>'
    for value, text in plot.x.ticks():
        x = LEFT + wide * plot.x.at(value)
        yield f'<path class="tick" d="M{_number(x)} {foot}v-{high}"/>{_label(text, x, foot + 15, "middle")}'
    for value, text in plot.y.ticks():
        y = foot - high * plot.y.at(value)
        yield f'<path class="tick" d="M{LEFT} {_number(y)}h{wide}"/>{_label(text, LEFT - 6, y + 4, "end")}'
    for series in plot.series:
        points = [place(*point) for point in series.points]
        yield from _series(series, points)
        if series.bars:
            yield from _bars(plot, series, points, high)
    yield f'<text x="{LEFT + wide / 2:g}" y="{foot + 32}" text-anchor="middle">{_text(plot.x.label)}</text>'
    yield f'<text transform="translate(12 {TOP + high / 2:g}) rotate(-90)" text-anchor="middle">{_text(plot.y.label)}</text>'
    yield from _legend(plot.series)


def _series(series: Series, points: Sequence[tuple[float, float]]) -> Iterator[str]:
    if series.mark in ("line", "dashes"):
        yield _path(f"{series.role} {series.mark}", _line(points))
        if series.mark == "line" and series.role == "difference":
            yield _path(f"{series.role} knots", "".join(map(_dot, points)))
    elif series.mark == "band":
        yield _path(f"{series.role} band", _line(points) + "z")
    else:
        yield _path(f"{series.role} {series.mark}", "".join(map(_MARKS[series.mark], points)))


def _dot(point: tuple[float, float]) -> str:
    return f"M{_number(point[0])} {_number(point[1])}h0"


def _cross(point: tuple[float, float]) -> str:
    return f"M{_number(point[0] - 3.5)} {_number(point[1] - 3.5)}l7 7m0-7l-7 7"


def _square(point: tuple[float, float]) -> str:
    return f"M{_number(point[0] - 3.5)} {_number(point[1] - 3.5)}h7v7h-7z"


_MARKS = {"dots": _dot, "crosses": _cross, "squares": _square}


def _line(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _bars(plot: Plot, series: Series, points: Sequence[tuple[float, float]], high: float) -> Iterator[str]:
    """Uncertainties that can be seen at this size."""
    bars = []
    for (_, value), bar, (x, _) in zip(series.points, series.bars, points, strict=True):
        if not bar < float("inf"):
            continue
        top, bottom = (TOP + high * (1 - plot.y.at(end)) for end in (value + bar, value - bar))
        if bottom - top > 2:
            bars.append(f"M{_number(x)} {_number(top)}V{_number(bottom)}")
    if bars:
        yield _path(f"{series.role} bars", "".join(bars))


def _flow(names: Iterable[str], blank: float) -> Iterator[tuple[float, float]]:
    """Where the words of a key begin, on one line or two; `blank` is the room before each for what it explains."""
    x, y = float(LEFT), HEIGHT - 26.0
    for name in names:
        width = blank + 6.6 * len(name)
        if x + width > WIDTH and x > LEFT:
            x, y = float(LEFT), y + 17
        yield x, y
        x += width + 12


def _legend(every: Sequence[Series]) -> Iterator[str]:
    for series, (x, y) in zip(every, _flow((series.name for series in every), 18), strict=True):
        sample = [(x + 1.0, y - 4), (x + 13.0, y - 4)]
        if series.mark == "band":
            sample = [(x, y - 8), (x + 14, y - 8), (x + 14, y), (x, y)]
        elif series.mark not in ("line", "dashes"):
            sample = [(x + 7.0, y - 4)]
        yield from _series(series, sample)
        yield _label(series.name, x + 18, y)


# ---- maps


def _grid(grid: Grid) -> Iterator[str]:
    cells, down, across = _small_enough(grid.map.cells)
    rows, columns = len(cells), len(cells[0])
    size = min((WIDTH - LEFT - RIGHT) / columns, (HEIGHT - TOP - BOTTOM) / rows)
    wide, high = _number(size * columns), _number(size * rows)
    yield f'<path class="frame" d="M{LEFT} {TOP}h{wide}v{high}h-{wide}z"/>'
    yield f'<g transform="translate({LEFT} {TOP}) scale({size:.4g})">'
    for character, (role, opacity) in LOOKS.items():
        runs = "".join(_runs(cells, character))
        if runs:
            yield f'<path class="cells {role}" fill-opacity="{opacity}" d="{runs}"/>'
    yield "</g>"
    for top, left, bottom, right in grid.regions:
        x, y = LEFT + size * left / across, TOP + size * top / down
        width, height = size * (right - left) / across, size * (bottom - top) / down
        yield f'<path class="outline" d="M{_number(x)} {_number(y)}h{_number(width)}v{_number(height)}h-{_number(width)}z"/>'
    most = grid.map.shape
    for text, x, y, anchor in (
        ("0", LEFT - 6.0, TOP + 10.0, "end"),
        (f"{most[0] - 1:,}", LEFT - 6.0, TOP + size * rows, "end"),
        ("row", LEFT - 6.0, TOP + size * rows / 2 + 4, "end"),
        ("0", float(LEFT), TOP + size * rows + 15, "start"),
        (f"{most[1] - 1:,}", LEFT + size * columns, TOP + size * rows + 15, "end"),
        ("column", LEFT + size * columns / 2, TOP + size * rows + 15, "middle"),
    ):
        yield _label(text, x, y, anchor)
    yield from _key(cells, grid.map.largest)


LOOKS = {
    "0": ("fail", "1"),
    "1": ("fail", ".65"),
    "2": ("fail", ".4"),
    "3": ("fail", ".22"),
    "!": ("difference", "1"),
    "?": ("inconclusive", ".8"),
    ".": ("pass", ".12"),
}
"""By level of an error: role and opacity."""


def _key(cells: Sequence[str], largest: float) -> Iterator[str]:
    named = levels_named(cells, largest)
    for (character, name), (x, y) in zip(named, _flow((name for _, name in named), 14), strict=True):
        role, opacity = LOOKS[character]
        yield f'<path class="cells {role}" fill-opacity="{opacity}" d="M{_number(x)} {y - 9:g}h10v10h-10z"/>'
        yield _label(name, x + 14, y)


def _runs(cells: Sequence[str], character: str) -> Iterator[str]:
    """The path of all cells with a character, neighbours in a row as one."""
    for i, row in enumerate(cells):
        j = 0
        for same, run in groupby(row):
            length = len(list(run))
            if same == character:
                yield f"M{j} {i}h{length}v1h-{length}z"
            j += length


def _small_enough(cells: Sequence[str]) -> tuple[list[str], int, int]:
    """The cells, levelled; coarser, by these factors down and across, where they would take too many bytes."""
    shown = levelled(cells)
    down = across = 1
    while sum(len(run) for character in LOOKS for run in _runs(shown, character)) > LARGEST:
        down, across = 2 * down, 2 * across
        shown = coarser(shown, 2, 2)
    return shown, down, across


def _path(classes: str, d: str) -> str:
    return f'<path class="{classes}" d="{d}"/>'


def _label(text: str, x: float, y: float, anchor: str = "start") -> str:
    return f'<text class="faint" x="{_number(x)}" y="{_number(y)}" text-anchor="{anchor}">{_text(text)}</text>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    return escape(printable(text))
