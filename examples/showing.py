"""What the experiments share: their options, their tables, and pictures for those who have matplotlib."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LINES = {  # how each method is drawn; two of them often share a path, so that one is wide and pale
    "gradient": {"color": "tab:blue", "linewidth": 1.5},
    "finite differences": {"color": "tab:orange", "linewidth": 5, "alpha": 0.5, "zorder": 1},
    "two-point": {"color": "tab:red", "linewidth": 1.2},
}


class Chosen(argparse.Namespace):
    """What was asked for."""

    short: bool
    save: Path | None

    def picture(self, name: str) -> Path | None:
        """Where the picture goes; None if none is wanted."""
        return None if self.save is None else self.save / f"{name}.png"


def options(description: str) -> Chosen:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--short", action="store_true", help="a smaller run, for a quick look and for tests")
    parser.add_argument("--save", type=Path, metavar="DIR", help="draw a picture into this folder")
    return parser.parse_args(namespace=Chosen())


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: its first column is text, the others are numbers."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=title, title_justify="left")
    for number, name in enumerate(header):
        drawn.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*map(str, row))
    Console().print(drawn, "")


@contextmanager
def picture(file: Path | None, rows: int, columns: int, size: tuple[float, float]) -> Iterator[tuple[Any, Any] | None]:
    """Hand out a figure with rows × columns axes, and save it in the end; None where it goes nowhere or matplotlib is missing."""
    if file is None:
        print("no picture: --save DIR draws one into that folder")
        yield None
        return
    try:
        import matplotlib
    except ImportError:
        print("no picture: matplotlib is not installed")
        yield None
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    style = {"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "font.size": 9}
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
        yield figure, axes
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=90)
        pyplot.close(figure)
    print(f"picture: {file}")
