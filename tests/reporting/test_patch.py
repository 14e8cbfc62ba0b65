"""Fixes in words, as one diff, as suggestions, and where reports show them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.model import Diagnosis, DiagnosisKind, Fix, Report, Where
from gradcheck.reporting import brief, github, markdown, patch, text
from gradcheck.reporting.changes import in_words
from gradcheck.reporting.formats import FORMATS, format_of
from gradcheck.reporting.json import to_dict
from gradcheck.reporting.restore import restore
from tests.reports import failing

SOURCE = "def g(x):\n    y = 2 * x\n    z = y\n    return z\n"


def fix(before: str, after: str, line: int = 2, *, certain: bool = True) -> Fix:
    old = SOURCE.split("\n")
    count = before.count("\n") + 1
    assert old[line - 1 : line - 1 + count] == before.split("\n")
    new = [*old[: line - 1], *after.split("\n"), *old[line - 1 + count :]]
    import difflib

    lines = difflib.unified_diff([f"{x}\n" for x in old[:-1]], [f"{x}\n" for x in new[:-1]], "a/m.py", "b/m.py")
    return Fix(file="m.py", line=line, before=before, after=after, diff="".join(lines), certain=certain)


DOUBLED = fix("    y = 2 * x", "    y = 3 * x")
ADDED = fix("    z = y", "    z = y\n    z += x", 3)
LEFT_OUT = fix("    y = 2 * x\n    z = y", "    y = 2 * x", 2)


def report(*fixes: Fix) -> Report:
    where = Where(file="m.py", line=2, text="y = 2 * x")
    diagnosis = Diagnosis(kind=DiagnosisKind.UNEXPLAINED, message="nothing known.", where=where)
    return replace(failing(), fixes=fixes, diagnoses=(diagnosis,))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (DOUBLED, "y = 2 * x   →   y = 3 * x"),
        (ADDED, "z = y   →   z = y ⏎ z += x"),
        (LEFT_OUT, "z = y   →   (nothing)"),
        (fix("    y = 2 * x\n    z = y", "    z = y\n    y = 2 * x"), "y = 2 * x"),
    ],
)
def test_a_fix_in_words(given: Fix, words: str) -> None:
    assert words in in_words(given)


def test_what_is_shown_of_a_fix_everywhere() -> None:
    made = report(DOUBLED)
    line = "m.py:2   y = 2 * x   →   y = 3 * x"
    assert f"  fix         {line}\n" in text.render([made])
    assert line in brief.failure(made)
    assert "in line 2 of m.py" in made.headline
    assert github.render([made]).startswith("::error file=m.py,line=2,")
    assert "fix: m.py:2" in github.render([made])
    assert "\n```suggestion\n    y = 3 * x\n```\n" in markdown.render([made])


def test_what_is_not_certain_is_told_as_that() -> None:
    doubtful = [replace(f, certain=False) for f in (DOUBLED, ADDED)]
    told = text.render([report(*doubtful)])
    assert told.count("  fix?        m.py:") == 2
    assert "what they mean elsewhere differs" in told
    assert "suggestion" not in markdown.render([report(*doubtful)])
    diff = patch.render([report(*doubtful)])
    assert diff.count("not certain, ") == 2
    assert "+++" not in diff


def test_without_a_fix_the_line_is_shown() -> None:
    assert "  line        m.py:2   y = 2 * x\n" in text.render([report()])


def test_json_holds_fixes_and_gives_them_back() -> None:
    made = report(DOUBLED)
    (check,) = json.loads(json.dumps(to_dict([made])))["checks"]
    assert check["fixes"][0]["after"] == "    y = 3 * x"
    assert check["diagnoses"][0]["where"] == {"file": "m.py", "line": 2, "text": "y = 2 * x"}
    assert restore(check).fixes == (DOUBLED,)
    assert restore(check).diagnoses == made.diagnoses


def test_git_applies_what_is_rendered_of_several_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.py").write_text(SOURCE)
    subprocess.run(["git", "init", "-q"], check=True)
    diff = patch.render([report(DOUBLED), report(DOUBLED), report(replace(ADDED, certain=False)), report(ADDED)])
    subprocess.run(["git", "apply"], input=diff.encode(), check=True)
    assert (tmp_path / "m.py").read_text() == SOURCE.replace("2 * x", "3 * x").replace("z = y\n", "z = y\n    z += x\n")


def test_of_fixes_that_change_the_same_lines_the_first_is_applied() -> None:
    diff = patch.render([report(DOUBLED), report(LEFT_OUT)])
    assert diff.count("+++") == 1
    assert "changed by another fix, " in diff


def test_the_table_has_the_format() -> None:
    assert format_of("fix.patch") is format_of("fix.diff") is FORMATS["patch"]
    assert patch.render([]) == patch.render([report()]) == ""
