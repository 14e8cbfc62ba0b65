"""Reports as annotations of GitHub Actions, on the line of the claimed derivative, and as the summary of a job."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from gradcheck.errors import OutputError
from gradcheck.model import Report, Target, Verdict, Where
from gradcheck.reporting import layout, lines, markdown, tables
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
    properties = _place(report)
    properties["title"] = f"{report.verdict.name}: {report.kind.value} of {report.name}"
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level} {written}::{_data(_message(report))}\n"


def _place(report: Report) -> dict[str, str]:
    """The file and the line where a reader of the repository should look, as properties of an annotation.

    That is where user code raised, else the line that is wrong, if it is known, else the claimed derivative, else the
    function; where all of them are installed packages, the declaration of the check. Files are relative to the
    repository, where the workflow tells its folder.
    """
    raised = reversed(report.raised) if report.verdict is Verdict.ERROR else ()
    wrong = (diagnosis.where for diagnosis in report.diagnoses)
    places = (*raised, *wrong, report.claim, report.target, report.declared)
    known = [place for place in places if place is not None and place.file is not None]
    if not known:
        return {}
    place = next(filter(_within, known), known[0])
    found = {"file": _relative(place.file or "")}
    return found | ({"line": str(place.line)} if place.line is not None else {})


def _within(place: Target | Where) -> bool:
    """Whether a file is one of the repository's own."""
    file = _relative(place.file or "")
    return not os.path.isabs(file) and not {"site-packages", "dist-packages"} & set(file.split("/"))


def _relative(file: str) -> str:
    """A path within the repository, from its root; any other as it is."""
    root = os.environ.get("GITHUB_WORKSPACE") or os.curdir
    return layout.relative(file, root)


def _message(report: Report) -> str:
    story = layout.story(report, Display(top=WORST_SHOWN))
    content = [lines.printable(report.headline)]
    content += (lines.printable(f"{'fix' if fix.certain else 'perhaps'}: {layout.change(fix)}") for fix in report.fixes)
    for block in story.tables:
        if isinstance(block, Table):
            content += (_row(block, row) for row in block.rows)
    open_first = takewhile(lambda check: check.verdict > Verdict.PASS, report.entries)
    for note in tables.reasons((*open_first, *report.directions)):
        content.append(lines.printable("".join(span.text for span in note.spans)))
    if report.replay:
        content.append(f"replay: {lines.printable(report.replay)}")
    return "\n".join(content)


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
