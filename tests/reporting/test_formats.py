"""The table of formats, and what a stream can show."""

from __future__ import annotations

import inspect
import io
from importlib import import_module

import pytest

from gradcheck.reporting.formats import FORMATS, SUFFIXES, Display, format_of
from tests.reports import EVERY


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_one_signature_and_takes_any_report(name: str) -> None:
    if (needed := FORMATS[name].needs) is not None:
        pytest.importorskip(needed[0], reason=f"{needed[1]} is not installed")
    render = import_module(f"gradcheck.reporting.{name}").render
    assert list(inspect.signature(render).parameters) == ["reports", "display"]
    reports = [make() for make in EVERY.values()]
    assert FORMATS[name].render(reports) == render(reports, Display())
    assert FORMATS[name].render([]) is not None


def test_a_suffix_tells_one_format() -> None:
    assert sum(len(form.suffixes) for form in FORMATS.values()) == len(SUFFIXES)
    assert all(SUFFIXES[form.suffixes[0]] is form for form in FORMATS.values() if form.beside)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("report.html", "html"),
        ("a.b/REPORT.JSON", "json"),
        ("report.txt", "text"),
        ("a.md/report", None),
        ("x.c", None),
    ],
)
def test_the_format_of_a_file(path: str, name: str | None) -> None:
    assert format_of(path) is (FORMATS[name] if name else None)


@pytest.mark.parametrize(
    ("terminal", "term", "color", "found"),
    [
        (False, "xterm", "auto", "never"),
        (True, "xterm", "auto", "auto"),
        (True, "dumb", "auto", "never"),
        (True, "unknown", "auto", "never"),
        (True, "xterm", "never", "never"),
        (False, "xterm", "always", "always"),
    ],
)
def test_what_a_stream_shows(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, term: str, color: str, found: str
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "66")
    stream = Terminal() if terminal else io.StringIO()
    shown = Display(top=3).on(stream, color)  # type: ignore[arg-type]
    assert shown == Display(top=3, width=66 if terminal else None, encoding="utf-8", color=found)  # type: ignore[arg-type]


def test_no_stream_shows_plain_text() -> None:
    closed = Terminal()
    closed.close()
    for stream in (None, closed):
        assert Display().on(stream) == Display()
