"""A report as text: plain for a pipe, coloured by Rich for a terminal, with the same lines in both.

Rich is imported only where there is something to colour: loading it takes longer than checking 100 entries.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gradcheck.reporting import layout, lines
from gradcheck.reporting.formats import DEFAULT

if TYPE_CHECKING:
    from gradcheck.model import Report
    from gradcheck.reporting.blocks import Block, Tone
    from gradcheck.reporting.formats import Color, Display

SCREEN = 24  # lines
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
    """The reports one after another, then a summary where there are several.

    What fills more than a screen says first what it comes to, and says it again at its end.
    """
    shown = layout.shown(reports, display)
    parts = []
    if display.quiet:
        several = len(reports) > 1
        parts = [[line for report in shown for line in _set([layout.verdict_line(report, named=several)], display)]]
    else:
        parts = [_report(report, display) for report in shown]
        if len(reports) > 1 or (reports and not shown):
            parts.append(_set(layout.summary(reports, display), display))
        if len(reports) > 1 and len(parts) > 1 and sum(map(len, parts)) > SCREEN:
            parts.insert(0, _set(layout.opening(reports), display))
    set_lines = [line for number, part in enumerate(parts) for line in ((), (), *part)[0 if number else 2 :]]
    return _plain(set_lines) if display.color == "never" else _coloured(set_lines, display.color)


def _report(report: Report, display: Display) -> list[lines.Line]:
    title, *content = layout.report_blocks(report, display)
    set_lines = _set([title, *content], display)
    if report.verdict and len(set_lines) > SCREEN:
        set_lines = _set([title, layout.verdict_line(report), *content], display)
    return set_lines


def _set(blocks: Iterable[Block], display: Display) -> list[lines.Line]:
    return list(lines.typeset(blocks, display.width, display.encoding))


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
