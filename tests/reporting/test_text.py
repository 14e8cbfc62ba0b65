"""The text report at every width, in a pipe and on a terminal: complete, and never cut."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck.model import Report, Verdict
from gradcheck.reporting.formats import Display
from gradcheck.reporting.lines import cells
from gradcheck.reporting.numbers import compared, short
from gradcheck.reporting.tables import DIGITS_SHOWN
from gradcheck.reporting.text import render
from tests.reports import EVERY, failing, oddly_named, passing

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
WIDTHS = [None, 120, 80, 60, 40]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def names_of(report: Report) -> list[str]:
    names = [report.name, report.target.name, report.claim.name, f"{report.target.file}:{report.target.line}"]
    names += [entry.path for entry in report.entries]
    return [*names, report.verdict.name, report.replay or "", *(report.trouble or "").split()]


def numbers_of(report: Report) -> set[str]:
    numbers: set[str] = set()
    for check in (*report.entries, *report.directions):
        e, failed = check.estimate, check.verdict is Verdict.FAIL
        numbers |= {*compared(check.claimed, e.value, e.uncertainty, show_gap=failed, digits=DIGITS_SHOWN)}
        numbers |= {short(check.abs_error), short(check.rel_error)}
    return numbers


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", EVERY)
def test_nothing_is_cut_at_any_width(kind: str, width: int | None) -> None:
    report = EVERY[kind]()
    text = render([report], Display(all_rows=True, width=width))
    for name in names_of(report):
        assert name in text
    assert numbers_of(report) <= set(text.split())
    for sentence in (report.headline, report.resolution.sentence, *(d.message for d in report.diagnoses)):
        assert sentence in " ".join(text.split())


@pytest.mark.parametrize("width", [120, 80, 60, 40])
@pytest.mark.parametrize("name", sorted(set(EVERY) - {"erroneous"}))
def test_lines_keep_to_the_width(name: str, width: int) -> None:
    """All but the command to copy, which a terminal folds."""
    text = render([EVERY[name](replay=None)], Display(all_rows=True, width=width))
    assert max(cells(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize("name", EVERY)
def test_a_terminal_shows_the_same_text_as_a_pipe(name: str, width: int) -> None:
    reports = [EVERY[name](), passing()]
    coloured = render(reports, Display(width=width, color="always"))
    assert "\x1b[" in coloured
    assert ESCAPE.sub("", coloured) == render(reports, Display(width=width))


def test_plain_lines_have_no_blanks_at_their_end() -> None:
    text = render([make() for make in EVERY.values()], Display(all_rows=True, verbose=True))
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("width", [None, 80, 40])
@pytest.mark.parametrize("color", ["never", "always"])
def test_ascii_is_enough(width: int | None, color: str) -> None:
    text = render([make() for make in EVERY.values()], Display(width=width, encoding="ascii", color=color))  # type: ignore[arg-type]
    assert text.isascii()
    assert "+/-" in text
    assert "3.401234570" in text
    assert "\\u6a21" in text


def test_names_are_no_markup() -> None:
    report = oddly_named()
    for color in ("never", "always"):
        text = ESCAPE.sub("", render([report], Display(color=color)))  # type: ignore[arg-type]
        for name in ("mödel[bold]:f|‖Ax‖²", "[/bold]∇f", "params[bold][0, 2]", ":smile:"):
            assert name in text
        assert "An escape \\x1b[31m and a bell \\x07" in text


def test_no_color_keeps_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = render([failing()], Display(color="auto"))
    assert re.search(r"\x1b\[[0-9;]*3[1-7]m", text) is None
    assert "FAIL" in text
    asked_for = render([failing()], Display(color="always"))
    assert re.search(r"\x1b\[[0-9;]*31m", asked_for)


def test_a_pipe_does_not_load_rich() -> None:
    code = (
        "import sys; from tests.reports import failing; from gradcheck.reporting.text import render\n"
        "from gradcheck.reporting.formats import Display\n"
        "assert 'FAIL' in render([failing()]); assert 'rich' not in sys.modules\n"
        "assert 'FAIL' in render([failing()], Display(color='always')); assert 'rich' in sys.modules"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
