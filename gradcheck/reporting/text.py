"""A report as text: plain for a pipe, coloured by Rich for a terminal, with the same lines in both.

Rich is imported only where there is something to colour: loading it takes longer than checking 100 entries.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from gradcheck.model import Report
from gradcheck.reporting import layout, lines
from gradcheck.reporting.blocks import Tone
from gradcheck.reporting.formats import DEFAULT, Color, Display

STYLES: dict[Tone, str] = {
    "title": "bold",
    "key": "dim",
    "faint": "dim",
    "pass": "bold green",
    "inconclusive": "bold yellow",
    "fail": "bold red",
    "error": "bold magenta",
}


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """The reports one after another, then a summary where there are several."""
    set_lines: list[lines.Line] = []
    for number, blocks in enumerate(layout.blocks(reports, display)):
        if number and not display.quiet:
            set_lines += [(), ()]
        set_lines += lines.typeset(blocks, display.width, display.encoding)
    return _plain(set_lines) if display.color == "never" else _coloured(set_lines, display.color)


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
