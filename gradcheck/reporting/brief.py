"""What a test runner has room for: one failure as the message of an exception, and a line for each check."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gradcheck.model import Report, Verdict
from gradcheck.reporting import layout, lines, numbers
from gradcheck.reporting.blocks import Block, Column, Facts, Paragraph, Span, Table
from gradcheck.reporting.formats import Display
from gradcheck.reporting.tables import verdict_span

WORST_SHOWN = 5


def failure(report: Report, accept: str = "") -> str:
    """The headline, then what was checked, the worst entries, what explains them, and the command that repeats it.

    accept: how to let an inconclusive check pass.
    """
    story = layout.story(report, Display(top=WORST_SHOWN))
    content: list[Block] = [Facts(story.what[:3]), *story.trouble]  # function, derivative, point
    content += story.tables
    content.append(Facts((*story.cause, *story.remarks)))
    if report.verdict is Verdict.INCONCLUSIVE and accept:
        content.append(Paragraph((Span(accept),)))
    content += story.replay
    text = "\n".join("".join(span.text for span in line) for line in lines.typeset(content))
    return f"{lines.printable(report.headline)}\n\n{text}"


def table(reports: Sequence[Report], width: int | None, encoding: str) -> Iterator[str]:
    """A line for each report: what was checked, how sharply, and the verdict.  `width` and `encoding` as for `typeset`."""
    names = ("check", "kind", "compared", "digits", "errors seen above", "verdict")
    columns = tuple(Column(name, "left" if name in ("check", "kind", "verdict") else "right") for name in names)
    rows = tuple(
        (
            Span(report.name),
            Span(report.kind.value),
            Span(f"{report.checked:,}"),
            Span("-" if report.resolution.digits is None else str(report.resolution.digits)),
            Span(numbers.short(report.resolution.absolute) if math.isfinite(report.resolution.absolute) else "-"),
            verdict_span(report.verdict),
        )
        for report in reports
    )
    for line in lines.typeset([Table(columns, rows)], width, encoding):
        yield "".join(span.text for span in line)
