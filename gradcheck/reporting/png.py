"""Pictures through Matplotlib: as a figure to go on with, and as a PNG file.  The only importer of Matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradcheck.model import Report
from gradcheck.reporting.axes import Axis
from gradcheck.reporting.formats import DEFAULT, Display
from gradcheck.reporting.lines import printable
from gradcheck.reporting.pictures import Grid, Plot, Series, levelled, levels_named, pictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DRAWN = 6  # reports in a file, those that did not pass first
WIDTH, HEIGHT = 5.0, 4.0  # of a picture, in inches

# Okabe and Ito's colours, which those who are colour-blind tell apart; each role has a mark of its own as well.
COLORS = {
    "pass": "#0072b2",
    "fail": "#d55e00",
    "claim": "#d55e00",
    "inconclusive": "#9467bd",
    "guide": "#57606a",
    "noise": "#57606a",
    "difference": "#24292f",
}
MARKERS = {"dots": "o", "crosses": "x", "squares": "s"}
LOOKS = {"0": "fail", "1": "fail", "2": "fail", "3": "fail", "!": "difference", "?": "inconclusive", ".": "pass"}
OPACITY = {"0": 1.0, "1": 0.65, "2": 0.4, "3": 0.22, "!": 1.0, "?": 0.8, ".": 0.12}


def render(reports: Sequence[Report], display: Display = DEFAULT) -> bytes:
    """One image: a row of pictures for each report, those that did not pass first."""
    from matplotlib.figure import Figure  # not pyplot's: it would keep it

    shown = sorted(reports, key=lambda report: -report.verdict)[:DRAWN]
    figure = Figure(figsize=(3 * WIDTH, HEIGHT * max(len(shown), 1)), layout="constrained")
    for report, row in zip(shown, _rows(figure, len(shown)), strict=True):
        _draw(report, row)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=100)
    return image.getvalue()


def figure(report: Report) -> Figure:
    """A figure of pyplot with the pictures of a report side by side."""
    from matplotlib import pyplot

    count = max(sum(1 for _ in pictures(report)), 1)
    made: Figure = pyplot.figure(figsize=(WIDTH * count, HEIGHT), layout="constrained")
    _draw(report, made)
    return made


def _rows(figure: Any, count: int) -> list[Any]:
    return list(figure.subfigures(count, 1, squeeze=False)[:, 0]) if count else []


def _draw(report: Report, figure: Any) -> None:
    drawn = list(pictures(report))
    title = printable(f"{report.verdict.name}  {report.kind.value} of {report.name}")
    figure.suptitle(title, fontsize="medium", parse_math=False)
    if not drawn:
        figure.text(0.5, 0.5, printable(report.headline), ha="center", wrap=True, parse_math=False)
        return
    for axes, picture in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
        axes.set_title(printable(picture.title), fontsize="small", parse_math=False)
        if isinstance(picture, Plot):
            _plot(picture, axes)
        else:
            _grid(picture, axes)


def _plot(plot: Plot, axes: Axes) -> None:
    for axis, name in ((plot.x, "x"), (plot.y, "y")):
        _scale(axis, name, axes)
    for series in plot.series:
        _series(series, axes)
    axes.grid(color="#d0d7de", linewidth=0.5)
    axes.legend(fontsize="x-small", framealpha=0.7)


def _scale(axis: Axis, name: str, axes: Any) -> None:
    more = {"linthresh": axis.threshold} if axis.scale == "symlog" else {}
    getattr(axes, f"set_{name}scale")(axis.scale, **more)
    getattr(axes, f"set_{name}lim")(axis.low, axis.high)
    getattr(axes, f"set_{name}label")(axis.label)


def _series(series: Series, axes: Axes) -> None:
    color, (xs, ys) = COLORS[series.role], zip(*series.points, strict=True)
    if series.mark == "band":
        axes.fill(xs, ys, color=color, alpha=0.18, linewidth=0, label=series.name)
    elif series.mark in ("line", "dashes"):
        knots = "o" if series.role == "difference" else None
        style = "-" if series.mark == "line" else "--"
        axes.plot(xs, ys, style, color=color, marker=knots, markersize=3, linewidth=1, label=series.name)
    else:
        open_mark = series.mark == "squares"
        axes.errorbar(
            xs,
            ys,
            yerr=[bar if bar < float("inf") else 0.0 for bar in series.bars] or None,
            fmt=MARKERS[series.mark],
            color=color,
            markerfacecolor="none" if open_mark else color,
            markersize=5,
            elinewidth=0.8,
            label=series.name,
        )


def _grid(grid: Grid, axes: Axes) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch, Rectangle

    def color(level: str) -> tuple[float, float, float, float]:
        return to_rgba(COLORS[LOOKS[level]], OPACITY[level]) if level in LOOKS else (1.0, 1.0, 1.0, 0.0)

    cells = levelled(grid.map.cells)
    (rows, columns), (height, width) = grid.map.shape, grid.map.block
    edges = (-0.5, len(cells[0]) * width - 0.5, len(cells) * height - 0.5, -0.5)
    axes.imshow([[color(level) for level in row] for row in cells], extent=edges, interpolation="nearest")
    for top, left, bottom, right in grid.regions:
        corner = (left * width - 0.5, top * height - 0.5)
        size = (width * (right - left), height * (bottom - top))
        axes.add_patch(Rectangle(corner, *size, fill=False, linewidth=1, edgecolor="#24292f"))
    axes.set(xlabel="column", ylabel="row", xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    key = [Patch(facecolor=color(level), label=name) for level, name in levels_named(cells, grid.map.largest)]
    axes.legend(handles=key, fontsize="x-small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
