"""Reports as annotations of GitHub Actions, on the line of the claimed derivative, and as the summary of a job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gradcheck.errors import OutputError
from gradcheck.model import Report, Verdict
from gradcheck.reporting import layout, lines, markdown
from gradcheck.reporting.blocks import Span, Table
from gradcheck.reporting.formats import DEFAULT, Display

WORST_SHOWN = 5  # entries in an annotation


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """A workflow command for each report that did not pass: an error, or a warning where it is inconclusive."""
    return "".join(_annotation(report) for report in reports if report.verdict > Verdict.PASS)


def append_summary(path: str, reports: Sequence[Report]) -> None:
    """Append Markdown to the file that $GITHUB_STEP_SUMMARY names.  Raises `OutputError` if it cannot be written."""
    try:
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(markdown.render(reports))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}; check $GITHUB_STEP_SUMMARY") from None


def _annotation(report: Report) -> str:
    level = "warning" if report.verdict is Verdict.INCONCLUSIVE else "error"
    place = report.claim if report.claim.file is not None else report.target
    properties = {} if place.file is None else {"file": layout.relative(place.file)}
    if place.file is not None and place.line is not None:
        properties["line"] = str(place.line)
    properties["title"] = f"{report.verdict.name}: {report.kind.value} of {report.name}"
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level} {written}::{_data(_message(report))}\n"


def _message(report: Report) -> str:
    told = [lines.printable(report.headline)]
    for block in layout.story(report, Display(top=WORST_SHOWN)).tables:
        if isinstance(block, Table):
            told += (_row(block, row) for row in block.rows)
    if report.replay:
        told.append(f"replay: {lines.printable(report.replay)}")
    return "\n".join(told)


def _row(table: Table, row: tuple[Span, ...]) -> str:
    """A row as a sentence: annotations are shown in a proportional font."""
    titled = [f"{c.title} {cell.text}" for c, cell in zip(table.columns[1:-1], row[1:-1], strict=True)]
    values = ", ".join(titled).replace(", ±", " ±")
    return lines.printable(f"{row[-1].text} {table.columns[0].title} {row[0].text}: {values}")


def _data(text: str) -> str:
    """The message of a workflow command, escaped."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """The value of a property of a workflow command, escaped."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
