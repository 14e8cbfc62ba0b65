"""The forms that reports can take.  A new one is a module with ``render(reports, display)``, and a row of FORMATS.

The command line (``--format``, ``--output``, ``--json`` and its like), the pytest plugin (``--gradcheck-report``) and the
methods of `Report` all read this table.  A format's module is imported when it is first used.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TextIO

from gradcheck.errors import UsageError
from gradcheck.model import SHOWN_BY

if TYPE_CHECKING:
    from gradcheck.model import Report

ROWS = 10  # of a table, unless told otherwise
Color = Literal["auto", "always", "never"]


class Display(NamedTuple):
    """What a reader wants to see, and on what.  A format disregards what has no meaning for it.

    top: rows of a table, unless all_rows; None for as many as suit the format.
    sort: 'worst', 'relative' or 'index'; those that did not pass come first, but for 'index'.
    verbose: also steps, evaluations, reasons of failures, evidence and versions.
    quiet: the verdict alone.
    failures: only what did not pass.
    allow_inconclusive: a check that could not be judged is no failure.
    width: columns to break lines at; None leaves them whole.
    encoding: of where the text goes; what it cannot express is written in other characters.
    flags: it is the command line that prints, whose options can be named.
    color: 'never' gives plain text, 'always' colours, 'auto' colours unless NO_COLOR is set.
    """

    top: int | None = None
    all_rows: bool = False
    sort: str = "worst"
    verbose: bool = False
    quiet: bool = False
    failures: bool = False
    allow_inconclusive: bool = False
    width: int | None = None
    encoding: str = "utf-8"
    flags: bool = False
    color: Color = "never"

    @property
    def rows(self) -> int:
        """Rows of a table, unless all_rows."""
        return ROWS if self.top is None else self.top

    def on(self, stream: TextIO | None, color: Color = "auto") -> Display:
        """The same for what `stream` can show.  A pipe has no width: its lines are not broken.

        With `color` 'auto', a terminal is coloured unless TERM is 'dumb' or 'unknown'; NO_COLOR takes the colours away.
        """
        terminal = stream is not None and not stream.closed and stream.isatty()
        if color == "auto" and (not terminal or os.environ.get("TERM") in ("dumb", "unknown")):
            color = "never"
        width = None
        if terminal:
            import shutil

            own = (80, 24)
            with contextlib.suppress(OSError, ValueError, AttributeError):
                own = os.get_terminal_size(stream.fileno())  # type: ignore[union-attr]  # descriptor 1 may lead elsewhere by now
            width = shutil.get_terminal_size(own).columns
        return self._replace(width=width, encoding=getattr(stream, "encoding", None) or "utf-8", color=color)


DEFAULT = Display()


class Format(NamedTuple):
    """A form of reports.

    name: as ``--format`` takes it, and the module of this package that renders it.
    media: its media type.
    suffixes: of file names from which it is told, most usual first.
    beside: the help of an option ``--NAME FILE`` that writes it besides the main report; '' if there is none.
    needs: what has to be installed to draw it, as imported and as called.
    """

    name: str
    media: str
    suffixes: tuple[str, ...] = ()
    beside: str = ""
    needs: tuple[str, str] | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it shows the pictures alone."""
        return self.media.startswith("image/")

    @property
    def module(self) -> Any:
        """The module that renders it."""
        return import_module(f"gradcheck.reporting.{self.name}")

    def require(self) -> None:
        """Raises `UsageError` if what draws it is not installed."""
        if self.needs is not None and find_spec(self.needs[0]) is None:
            raise UsageError(
                f"a plot as .{self.name} or in Python needs {self.needs[1]}, which is not installed: "
                'python -m pip install "gradcheck[plot]"; .svg files and pages of HTML do without'
            )

    def render(self, reports: Sequence[Report], display: Display = DEFAULT) -> str | bytes:
        """The reports as one text, or as the bytes of an image.

        Raises:
            UsageError: what draws it is not installed.
        """
        self.require()
        rendered: str | bytes = self.module.render(reports, display)
        return rendered


FORMATS = {
    form.name: form
    for form in (
        Format("text", "text/plain", (".txt",)),
        Format("json", "application/json", (".json",), "Write JSON as well."),
        Format("junit", "application/xml", (".xml",), "Write JUnit XML as well."),
        Format("github", "text/plain"),
        Format("markdown", "text/markdown", (".md",), "Write Markdown as well."),
        Format("html", "text/html", (".html", ".htm"), "Write a page of HTML as well."),
        Format("svg", "image/svg+xml", (".svg",)),
        Format("png", "image/png", (".png",), needs=("matplotlib", "Matplotlib")),
        Format("patch", "text/x-diff", (".patch", ".diff")),
    )
}
SUFFIXES = {suffix: form for form in FORMATS.values() for suffix in form.suffixes}
PICTURES = {suffix: form for suffix, form in SUFFIXES.items() if form.is_picture}


def format_of(path: str) -> Format | None:
    """The format that the suffix of a file's name tells, or None."""
    return SUFFIXES.get(os.path.splitext(path)[1].lower())


def as_text(report: Report, name: str) -> str:
    """One report in a format that is text."""
    rendered = FORMATS[name].render([report])
    assert isinstance(rendered, str)
    return rendered


def as_fragment(report: Report) -> str:
    """One report as HTML that may stand within a page of others."""
    fragment: str = FORMATS["html"].module.fragment(report)
    return fragment


def as_figure(report: Report) -> Any:
    """The pictures of one report as a Matplotlib figure."""
    FORMATS["png"].require()
    return FORMATS["png"].module.figure(report)


SHOWN_BY.update(as_text=as_text, as_fragment=as_fragment, as_figure=as_figure)
