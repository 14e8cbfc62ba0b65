"""A report as text: plain for a pipe, coloured by Rich for a terminal, with the same lines in both.

Rich is imported only where there is something to colour: loading it takes longer than checking 100 entries.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from typing import Literal, TextIO, TypedDict

from gradcheck.model import Report
from gradcheck.reporting import layout, lines
from gradcheck.reporting.blocks import Tone

STYLES: dict[Tone, str] = {
    "title": "bold",
    "key": "dim",
    "faint": "dim",
    "pass": "bold green",
    "inconclusive": "bold yellow",
    "fail": "bold red",
    "error": "bold magenta",
}

Color = Literal["auto", "always", "never"]


class Surface(TypedDict):
    """What a stream can show, as keywords for `render`."""

    width: int | None
    encoding: str
    color: Color


def surface(stream: TextIO | None, color: Color = "auto") -> Surface:
    """What `stream` can show.  A pipe has no width: its lines are not broken.

    With `color` 'auto', a terminal is coloured unless TERM is 'dumb'; NO_COLOR takes the colours away.
    """
    terminal = stream is not None and not stream.closed and stream.isatty()
    if color == "auto" and (not terminal or os.environ.get("TERM") == "dumb"):
        color = "never"
    width = None
    if terminal:
        import shutil

        width = shutil.get_terminal_size().columns
    return Surface(
        width=width,
        encoding=getattr(stream, "encoding", None) or "utf-8",
        color=color,
    )


def render(
    reports: Sequence[Report],
    *,
    top: int = 10,
    all_rows: bool = False,
    sort: str = "worst",
    verbose: bool = False,
    quiet: bool = False,
    width: int | None = None,
    encoding: str = "utf-8",
    color: Color = "never",
) -> str:
    """The reports one after another, then a summary where there are several.

    Args:
        reports: what to tell.
        top, all_rows, sort, verbose, quiet: see `layout.Options`.
        width: columns to break lines at; None leaves them whole.
        encoding: of the stream; what it cannot express is written in other characters.
        color: 'never' gives plain text, 'always' colours, 'auto' colours unless NO_COLOR is set.
    """
    options = layout.Options(top=top, all_rows=all_rows, sort=sort, verbose=verbose, quiet=quiet)
    set_lines: list[lines.Line] = []
    for number, blocks in enumerate(layout.blocks(reports, options)):
        if number and not quiet:
            set_lines += [(), ()]
        set_lines += lines.typeset(blocks, width, encoding)
    return _plain(set_lines) if color == "never" else _coloured(set_lines, color)


def _plain(set_lines: Iterable[lines.Line]) -> str:
    return "".join("".join(span.text for span in line) + "\n" for line in set_lines)


def _coloured(set_lines: Iterable[lines.Line], color: Color) -> str:
    from rich.console import Console
    from rich.text import Text

    painted = io.StringIO()
    console = Console(
        file=painted,
        force_terminal=True,
        color_system="standard" if color == "always" else "auto",
        no_color=False if color == "always" else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for line in set_lines:
        text = Text.assemble(*((span.text, STYLES.get(span.tone, "")) for span in line))
        console.print(text, soft_wrap=True)
    return painted.getvalue()
