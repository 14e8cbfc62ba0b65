"""Reports as GitHub-flavoured Markdown, for summaries of CI jobs and comments on pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from gradcheck.model import Report
from gradcheck.reporting import layout
from gradcheck.reporting.blocks import Block, Facts, Paragraph, Span, Table, Title, Verbatim
from gradcheck.reporting.changes import suggestions
from gradcheck.reporting.formats import DEFAULT, Display
from gradcheck.reporting.lines import printable

MOST = 1_000_000  # bytes; GitHub refuses a step's summary above 1 MiB
# What would be markup anywhere, an emoji, a mention or a reference to an issue.
_SPECIAL = re.compile(r"[\\`*_{}\[\]|<>~&$]|:(?=\w+:)|@(?=\w)|#(?=\w)")
_NOT_PLAIN = re.compile(r"[^\w ]")
_LOUD = ("pass", "inconclusive", "fail", "error")


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """What did not pass first, in full; what passed folded away, after a table of all where there are several.

    No more than MOST bytes: where there is more to tell, the last reports are told in a line each, or counted.
    """
    several = len(reports) > 1
    worst_first = sorted(layout.shown(reports, display), key=lambda report: -report.verdict)
    parts = [_joined(layout.opening(reports))] if several or not worst_first else []
    room = MOST - sum(map(_bytes, parts))
    table = _joined(layout.summary(worst_first, display)[:1]) if several and worst_first else ""
    if _bytes(table) > MOST // 3:
        table = ""
    room -= _bytes(table)
    left = 0
    for report in worst_first:
        text = _report(report, display, folded=several)
        if _bytes(text) > room:
            text = _joined([layout.verdict_line(report, named=True)])
        if _bytes(text) > room - 200:
            left += 1
            continue
        room -= _bytes(text)
        parts.append(text)
    if left:
        parts.append(f"{left:,} more checks are too many to be told here.")
    if table:
        parts.append(table)
    return "\n\n".join(parts) + "\n"


def _bytes(text: str) -> int:
    """What a part takes, with the empty line after it."""
    return len(text.encode()) + 2


def _report(report: Report, display: Display, *, folded: bool) -> str:
    content = layout.story(report, display)
    cause: list[Block] = [Facts(content.cause)] if content.cause else []
    cause += (Verbatim("suggestion", lines) for lines in suggestions(report))
    facts = (Facts(content.remarks), Facts(content.what))
    text = _joined([content.title, content.verdict, *cause, *content.trouble, *content.tables, *facts, *content.replay])
    if folded and not report.verdict:
        summary = f"{escape(printable(report.name))}: {report.verdict.name}"
        return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"
    return text


def _joined(content: Iterable[Block]) -> str:
    return "\n\n".join(_blocks(content))


def _blocks(content: Iterable[Block]) -> Iterator[str]:
    for block in content:
        match block:
            case Title():
                yield f"### {_escape(block.text)}"
            case Paragraph():
                yield _inline(block.spans)
            case Facts():
                yield "\n".join(f"- {_escape(key) + ': ' if key else ''}{_inline(value)}" for key, value in block.rows)
            case Verbatim(key=key, text=text):
                yield _fenced(text, key) if key == "suggestion" else f"{_escape(key)}:\n\n{_fenced(text)}"
            case Table():
                yield _table(block)


def _table(block: Table) -> str:
    rows = [[_cell(span) for span in row] for row in block.rows]
    rules = [":--" if column.align == "left" else "--:" for column in block.columns]
    heading = [_escape(column.title) for column in block.columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, rules, *rows))


def _cell(span: Span) -> str:
    if span.tone in _LOUD:
        return f"**{_escape(span.text)}**"
    text = printable(span.text)
    if "`" in text or "\\" in text:  # neither can be escaped within backticks
        return f"<code>{_NOT_PLAIN.sub(lambda match: f'&#{ord(match[0])};', text)}</code>"
    return "`" + text.replace("|", r"\|") + "`" if text else ""


def _inline(spans: Sequence[Span]) -> str:
    return "".join(f"**{_escape(span.text)}**" if span.tone in _LOUD else _escape(span.text) for span in spans).strip()


def _escape(text: str) -> str:
    """`text` that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\g<0>", printable(text))


def _fenced(text: str, language: str = "text") -> str:
    """A code block whose fence is longer than any within."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n" + "\n".join(printable(line) for line in text.expandtabs(4).split("\n")) + f"\n{fence}"
