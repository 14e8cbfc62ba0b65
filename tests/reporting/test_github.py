"""Annotations of GitHub Actions, and the summary of a job."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradcheck.errors import OutputError
from gradcheck.model import Status, Target
from gradcheck.reporting.github import append_summary, render
from tests.reports import EVERY, erroneous, failing, oddly_named, passing, undecided

# ::name key=value,key=value::message
COMMAND = re.compile(
    r"::(?P<level>error|warning) (?P<properties>[a-z]+=[^,:\r\n]+(?:,[a-z]+=[^,:\r\n]+)*)::(?P<text>.*)"
)


def unescape(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def annotations(text: str) -> list[tuple[str, dict[str, str], str]]:
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        pairs = (pair.partition("=") for pair in match["properties"].split(","))
        found.append((match["level"], {key: unescape(value) for key, _, value in pairs}, unescape(match["text"])))
    return found


@pytest.fixture(autouse=True)
def _no_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if these tests did not run in a workflow themselves."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


@pytest.mark.parametrize("name", EVERY)
def test_every_report_is_at_most_one_command(name: str) -> None:
    report = EVERY[name]()
    assert len(annotations(render([report]))) == (1 if report.verdict else 0)


def test_a_wrong_derivative_is_an_error_on_its_line() -> None:
    ((level, properties, text),) = annotations(render([passing(), failing()]))
    assert level == "error"
    assert properties == {"file": "examples/quadratic.py", "line": "31", "title": "FAIL: gradient of quadratic:f"}
    first, *rest = text.splitlines()
    assert first == "The gradient is wrong: 2 of 3 wrong entries have the opposite sign."
    assert (
        rest[2] == "FAIL entry [8]: claimed 125.3000110, numeric 125.3000000 ± 7.7e-08, error 1.1e-05, relative 8.8e-08"
    )
    assert rest[-1].startswith("replay: gradcheck examples/quadratic.py:f")


def test_inconclusive_warns_and_trouble_is_an_error() -> None:
    assert [level for level, _, _ in annotations(render([undecided(), erroneous()]))] == ["warning", "error"]


def test_names_are_escaped() -> None:
    report = oddly_named(name="a,b:c%d\r\n::error::e", claim=Target(name="g", file="a,b:c.py", line=1))
    ((_, properties, _),) = annotations(render([report]))
    assert properties["file"] == "a,b:c.py"
    assert properties["title"] == "FAIL: gradient of a,b:c%d\r\n::error::e"


@pytest.mark.parametrize(
    ("claim", "place"),
    [
        (Target(name="g", file="m.py"), {"file": "m.py"}),
        (Target(name="g"), {"file": "examples/quadratic.py", "line": "12"}),
    ],
)
def test_what_is_not_known_is_left_out(claim: Target, place: dict[str, str]) -> None:
    ((_, properties, _),) = annotations(render([failing(claim=claim)]))
    del properties["title"]
    assert properties == place


def test_no_place_at_all() -> None:
    nowhere = Target(name="g")
    ((_, properties, _),) = annotations(render([failing(claim=nowhere, target=nowhere)]))
    assert properties == {"title": "FAIL: gradient of quadratic:f"}


def test_files_are_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    claim = Target(name="g", file=str(tmp_path / "src" / "m.py"), line=4)
    ((_, properties, _),) = annotations(render([failing(claim=claim)]))
    assert properties["file"] == "src/m.py"


def test_files_are_those_of_the_repository_where_the_workflow_tells_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "part").mkdir()
    monkeypatch.chdir(tmp_path / "part")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    ((_, properties, _),) = annotations(render([failing(claim=Target(name="g", file="m.py", line=4))]))
    assert properties["file"] == "part/m.py"


DECLARED = Target(name="[gradcheck:one]", file="setup.cfg", line=7)
OUTSIDE = (
    Target(name="g", file="/usr/lib/python3/g.py", line=4),
    Target(name="g", file="venv/lib/python3.11/site-packages/pack/g.py", line=4),
)


@pytest.mark.parametrize("claim", OUTSIDE)
def test_what_is_installed_is_annotated_where_the_check_is_declared(claim: Target) -> None:
    report = failing(claim=claim, target=claim, declared=DECLARED)
    ((_, properties, _),) = annotations(render([report]))
    assert (properties["file"], properties["line"]) == ("setup.cfg", "7")
    ((_, properties, _),) = annotations(render([failing(claim=claim, target=DECLARED)]))
    assert properties["file"] == "setup.cfg", "the function is in the repository"
    ((_, properties, _),) = annotations(render([failing(claim=claim, target=claim)]))
    assert properties["file"] == claim.file, "nothing better is known"


def test_an_error_stands_where_it_was_raised() -> None:
    places = (Target(name="f", file="m.py", line=3), Target(name="helper", file="n.py", line=9), OUTSIDE[0])
    ((_, properties, _),) = annotations(render([erroneous(raised=places)]))
    assert (properties["file"], properties["line"]) == ("n.py", "9"), "the innermost of the repository's own"
    ((_, properties, _),) = annotations(render([failing(raised=places)]))
    assert properties["file"] == "examples/quadratic.py"


def test_what_could_not_be_judged_says_why() -> None:
    ((_, _, text),) = annotations(render([undecided()]))
    assert "INCONCLUSIVE  [1], [2]: the noise of f (about 1e-3) hides any error below 40 %; " in text
    assert Status.NOISY.advice in text
    ((_, _, text),) = annotations(render([failing()]))
    assert "the gap persists" not in text


def test_the_summary_is_appended(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    append_summary(str(summary), [passing(), failing()])
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n2 checks: 1 **FAIL**, 1 **PASS**")


def test_a_summary_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no/summary\.md: .*GITHUB_STEP_SUMMARY"):
        append_summary(str(tmp_path / "no" / "summary.md"), [passing()])
