"""The Markdown report: tables that hold, and names that stay names."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from gradcheck.model import Report, Verdict
from gradcheck.reporting.formats import Display
from gradcheck.reporting.markdown import MOST, render
from tests.reports import EVERY, build, entry, erroneous, failing, mapped, oddly_named, passing

BAR = re.compile(r"(?<!\\)\|")


@pytest.mark.parametrize("name", EVERY)
def test_every_row_of_a_table_has_as_many_cells(name: str) -> None:
    rows = [line for line in render([EVERY[name](), passing()]).splitlines() if line.startswith("|")]
    assert {len(BAR.findall(row)) for row in rows} <= {8, 9, 6}
    assert rows


def test_a_failing_report() -> None:
    text = render([failing()])
    assert text.startswith("### gradient of quadratic:f\n\n**FAIL**  The gradient is wrong: 2 of 3 wrong entries")
    assert "- function: f  examples/quadratic.py:12\n" in text
    assert "| `[8]` | `125.3000110` | `125.3000000` | `7.7e-08` | `1.1e-05` | `8.8e-08` | **FAIL** |" in text
    assert "**FAIL**  The gradient is wrong: 2 of 3 wrong entries have the opposite sign." in text
    assert "```text\ngradcheck examples/quadratic.py:f" in text


def test_names_are_no_markup() -> None:
    text = render([oddly_named()])
    assert "### gradient of mödel\\[bold\\]:f\\|‖Ax‖²" in text
    assert "Loss\\[red\\].\\<lambda\\>" in text
    assert "| `params[bold][0, 2]` |" in text
    assert "\\:smile:" in text
    assert "\x1b" not in text


def test_backticks_and_bars_in_cells() -> None:
    entries = (entry(0, 1.0, 2.0, 1e-9, Verdict.FAIL, path="a`|b"), entry(1, 1.0, 2.0, 1e-9, Verdict.FAIL, path="a|b"))
    text = render([build(entries=entries)])
    assert "| <code>a&#96;&#124;b</code> |" in text
    assert "| `a\\|b` |" in text


def test_a_fence_is_longer_than_those_within() -> None:
    text = render([erroneous(trouble="```\nno code\n```")])
    assert "````text\n```\nno code\n```\n````" in text


def test_several_reports_start_with_what_did_not_pass_and_fold_what_did() -> None:
    text = render([passing(name="a<b>"), failing()])
    assert text.startswith("2 checks: 1 **FAIL**, 1 **PASS**\n\n**FAIL**  quadratic\\:f: The gradient is wrong")
    assert text.count("<details>") == text.count("</details>") == 1
    assert text.index("### gradient of quadratic:f") < text.index("<summary>a&lt;b&gt;: PASS</summary>")
    assert text.rstrip().endswith("| **PASS** |") or text.rstrip().endswith("| **FAIL** |")


@pytest.mark.parametrize("make", [passing, failing, mapped])
def test_thousands_of_checks_stay_below_what_github_takes(make: Callable[..., Report]) -> None:
    reports = [make(name=f"package.module_{k}:function") for k in range(2000)]
    reports[1990] = failing(name="the:one")
    text = render(reports)
    assert len(text.encode()) < MOST
    assert "### gradient of the:one" in text or make is not passing
    assert "2,000 checks: " in text
    assert re.search(r"[\d,]+ more checks are too many to be told here", text) or "module\\_1999" in text


def test_failures_alone() -> None:
    text = render([passing(name="good:f"), failing(name="bad:f")], Display(failures=True))
    assert "good:f" not in text
    assert text.startswith("2 checks: 1 **FAIL**, 1 **PASS**")
    assert render([passing()], Display(failures=True)) == "1 check: 1 **PASS**\n"
