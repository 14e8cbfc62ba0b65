"""Reports as GitHub-flavoured Markdown, for summaries of CI jobs and comments on pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from gradcheck.model import Report
from gradcheck.reporting.blocks import Block, Facts, Paragraph, Span, Table, Title, Verbatim
from gradcheck.reporting.formats import DEFAULT, Display
from gradcheck.reporting.layout import blocks
from gradcheck.reporting.lines import printable

# What would be markup anywhere, an emoji, a mention or a reference to an issue.
_SPECIAL = re.compile(r"[\\`*_{}\[\]|<>~&$]|:(?=\w+:)|@(?=\w)|#(?=\w)")
_NOT_PLAIN = re.compile(r"[^\w ]")
_LOUD = ("pass", "inconclusive", "fail", "error")


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """The summary first where there are several reports, then each of them, the passing ones folded away."""
    told = blocks(reports, display)
    parts = ["\n\n".join(_blocks(told[-1]))] if len(reports) > 1 else []
    for report, its_blocks in zip(reports, told, strict=False):
        text = "\n\n".join(_blocks(its_blocks))
        if len(reports) > 1 and not report.verdict:
            summary = f"{escape(printable(report.name))}: {report.verdict.name}"
            text = f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"
        parts.append(text)
    return "\n\n".join(parts) + "\n"


def _blocks(told: Sequence[Block]) -> Iterator[str]:
    for block in told:
        match block:
            case Title():
                yield f"### {_escape(block.text)}"
            case Paragraph():
                yield _inline(block.spans)
            case Facts():
                yield "\n".join(f"- {_escape(key) + ': ' if key else ''}{_inline(value)}" for key, value in block.rows)
            case Verbatim(key=key, text=text):
                yield f"{_escape(key)}:\n\n{_fenced(text)}"
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


def _fenced(text: str) -> str:
    """A code block whose fence is longer than any within."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n" + "\n".join(printable(line) for line in text.expandtabs(4).split("\n")) + f"\n{fence}"
