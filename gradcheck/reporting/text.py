"""A report as text: plain for a pipe, coloured by Rich for a terminal, with the same lines in both.

Rich is imported only where there is something to colour: loading it takes longer than checking 100 entries.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gradcheck.reporting import layout, lines
from gradcheck.reporting.formats import DEFAULT

if TYPE_CHECKING:
    from gradcheck.model import Report
    from gradcheck.reporting.blocks import Block, Span, Tone
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
    # The sixteen colours of every terminal: styles alone do, and the rest of Rich takes four times as long to load.
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {tone: Style.parse(words) for tone, words in STYLES.items()}
    if color == "auto" and os.environ.get("NO_COLOR"):
        styles = {tone: style.without_color for tone, style in styles.items()}

    def painted(span: Span) -> str:
        style = styles.get(span.tone)
        return style.render(span.text, color_system=ColorSystem.STANDARD) if style else span.text

    return "".join("".join(map(painted, line)) + "\n" for line in set_lines)
