"""What a report tells its reader, and in which order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gradcheck.model import Method, Report, Status, Target, Verdict
from gradcheck.reporting.blocks import Table
from gradcheck.reporting.formats import Display
from gradcheck.reporting.layout import location, report_blocks
from gradcheck.reporting.tables import chosen, sorted_directions
from gradcheck.reporting.text import render
from tests.reports import build, direction, directional, entry, erroneous, failing, many, passing, undecided

FAIL, PASS, INCONCLUSIVE, ERROR = Verdict.FAIL, Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.ERROR


@pytest.mark.parametrize(
    ("display", "indices"),
    [
        (Display(), [3, 0, 2, 1]),
        (Display(top=2), [3, 0]),
        (Display(top=2, all_rows=True), [3, 0, 2, 1]),
        (Display(top=3, sort="index"), [0, 2, 3]),
        (Display(sort="relative"), [0, 3, 1, 2]),
        (Display(top=0), []),
    ],
)
def test_chosen(display: Display, indices: list[int]) -> None:
    entries = [
        entry(3, 1000.0, 900.0, 1e-9, FAIL),
        entry(0, 2.0, 1.0, 1e-9, FAIL),
        entry(2, 5.0, 5.001, 1e-9),
        entry(1, 0.02, 0.0201, 1e-9),
    ]
    assert [e.index[0] for e in chosen(entries, display)] == indices


def test_numbers_that_are_none_count_as_the_worst() -> None:
    entries = [entry(0, 2.0, 1.0, 1e-9, FAIL), entry(1, float("nan"), 1.0, 1e-9, FAIL)]
    assert [e.index[0] for e in chosen(entries, Display(sort="relative"))] == [1, 0]


def test_the_worst_directions_in_their_own_order() -> None:
    found = (direction(0, 1, 1, 0), direction(1, 1, 1, 0), direction(2, 1, 2, 0, FAIL))
    assert [d.number for d in sorted_directions(found, Display(top=2))] == [0, 2]


def test_location_is_relative_below_the_working_directory_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inside, outside = str(tmp_path / "src" / "m.py"), str(tmp_path.parent / "m.py")
    assert location(Target(name="f", file=inside, line=3)) == "src/m.py:3"
    assert location(Target(name="f", file=inside)) == "src/m.py"
    assert location(Target(name="f", file=outside, line=3)) == f"{outside}:3"
    assert location(Target(name="f")) == ""
    assert os.sep in outside


def test_a_reason_is_told_once() -> None:
    text = render([undecided()])
    assert text.count("the noise of f (about 1e-3)") == 1
    assert "INCONCLUSIVE  [1], [2]: the noise of f (about 1e-3) hides any error below 40 %; " in text
    assert Status.NOISY.advice in text


def test_one_sided_derivatives_are_told_where_no_reason_does() -> None:
    told = "[5]: derivative -1 from the left and 1 from the right, with a kink at a distance of 2.5e-07"
    assert told not in render([undecided()])
    assert told in render([undecided()], Display(verbose=True))
    entries = (entry(5, 0.0, 0.5, 0.5, INCONCLUSIVE, status=Status.KINK, left=-1.0, right=1.0, kink=2.5e-7),)
    assert told in render([build(entries=entries)])


def test_values_have_ten_digits_unless_the_gap_or_the_reader_asks_for_more() -> None:
    same = entry(0, 1.2345678901234567, 1.2345678901234561, 3e-15)
    near = entry(1, 1.2345678901234567, 1.2345678901234561, 1e-16, FAIL)
    report = build(entries=(near, same))
    brief, verbose = render([report]).splitlines(), render([report], Display(verbose=True)).splitlines()
    row = "  [0]    1.234567890 "
    assert any(line.startswith(row) for line in brief)
    assert any("1.2345678901234567" in line for line in brief if "[1]" in line)
    assert any("1.2345678901234567" in line for line in verbose if "[0]" in line)


def test_a_table_of_full_precision_fits_eighty_columns() -> None:
    entries = (
        entry((19, 19), -9.096216880919591, 3.812909951783104, 1.1e-13, FAIL),
        entry((2, 3), -18.96558826375721, -18.96558826375740, 9.3e-13),
        entry((2, 4), 0.050450326892591, 0.050450326892601, 9.3e-15),
    )
    assert "  entry  " in render([build(entries=entries)], Display(width=80))


def test_many_reasons_are_bounded() -> None:
    entries = tuple(
        entry(i, 1.0, 1.5, 1.0, INCONCLUSIVE, status=Status.NOISY, reason=f"reason {i // 6}") for i in range(60)
    )
    text = render([build(entries=entries)])
    assert text.count("INCONCLUSIVE  [") == 6
    assert "[0], [1], [2], [3] and 2 more: reason 0; " in text
    assert "24 more for 4 other reasons" in text


def test_reasons_of_failures_are_for_the_verbose() -> None:
    reason = "the gap persists when the step changes"
    assert reason not in render([failing()])
    assert f"FAIL  [8]: {reason}." in render([failing()], Display(verbose=True))


@pytest.mark.parametrize(
    ("report", "display", "said"),
    [
        (passing(), Display(), None),
        (many(40), Display(flags=True), "10 of 40 entries shown; --all shows them"),
        (many(40), Display(), "10 of 40 entries shown"),
        (many(40), Display(all_rows=True), None),
        (many(40, checked=1000), Display(flags=True), "10 of 1,000 entries shown; --all shows the worst 40"),
        (many(40, checked=1000), Display(all_rows=True), "40 of 1,000 entries shown"),
        (directional(), Display(top=1, flags=True), "1 of 3 directions shown; --all shows them"),
    ],
)
def test_what_is_not_shown_is_said(report: object, display: Display, said: str | None) -> None:
    text = render([report], display)  # type: ignore[arg-type, list-item]
    shown = [line.strip() for line in text.splitlines() if line.endswith(" shown") or "; --all" in line]
    assert shown == ([said] if said else [])


def test_the_verdict_and_the_command_come_last() -> None:
    lines = [line for line in render([failing()]).splitlines() if line]
    assert lines[-2].startswith("FAIL  The gradient is wrong: 2 of 3 wrong entries have the opposite sign.")
    assert lines[-1].strip().startswith("replay  gradcheck examples/quadratic.py:f")


def test_explained_entries_are_marked() -> None:
    text = render([failing()])
    assert text.count("FAIL *") == 2
    assert "* explained by the diagnosis" in text
    assert "* explained" not in render([passing()])


def test_one_point_needs_no_column() -> None:
    def titles(report: object) -> list[str]:
        (table,) = (b for b in report_blocks(report, Display()) if isinstance(b, Table))  # type: ignore[arg-type]
        return [column.title for column in table.columns]

    assert "point" in titles(directional())
    assert "point" not in titles(directional(directions=(direction(0, 1.0, 1.0, 1e-9),)))


def test_verbose_tells_more() -> None:
    brief, verbose = (
        render([undecided(options={"jobs": 2})]),
        render([undecided(options={"jobs": 2})], Display(verbose=True)),
    )
    for word in ("6.1e-06", "below", "kink", "numpy 2.4.0", "jobs 2", "digits 7"):
        assert word in verbose
    for word in ("6.1e-06", "numpy 2.4.0", "jobs 2", "digits 7"):
        assert word not in brief


def test_quiet_is_a_line_for_each_report() -> None:
    assert render([passing()], Display(quiet=True)) == "PASS  The gradient is right: 3 entries agree.\n"
    assert render([passing(), failing(name="other:f")], Display(quiet=True)).splitlines() == [
        "PASS  quadratic:f: The gradient is right: 3 entries agree.",
        "FAIL  other:f: The gradient is wrong: 2 of 3 wrong entries have the opposite sign.",
    ]


def test_several_reports_end_in_a_summary() -> None:
    text = render([passing(), failing(), undecided()])
    assert text.endswith("\n\n3 checks: 1 FAIL, 1 INCONCLUSIVE, 1 PASS\n")
    tail = text[text.rindex("  check  ") :]
    for words in ("3 agree", "3 of 100 wrong", "3 of 4 not judged", "FAIL  quadratic:f: The gradient is wrong"):
        assert words in tail
    assert render([]) == ""


def test_what_fills_more_than_a_screen_says_first_what_it_comes_to() -> None:
    report = many(40)
    short, long = (render([report], Display(top=top)).splitlines() for top in (1, 40))
    verdict = f"FAIL  {report.headline}"
    assert short.count(verdict) == 1
    assert long.count(verdict) == 2
    assert long[2] == verdict
    assert render([passing()], Display(verbose=True)).count("PASS  The gradient") == 1, "there is no cause to tell"
    assert render([passing(), report]).startswith(
        f"2 checks: 1 FAIL, 1 PASS\n\n  FAIL  quadratic:f: {report.headline}\n\n"
    )


def test_failures_alone() -> None:
    reports = [passing(name="good:f"), failing(name="bad:f"), undecided(name="open:f")]
    text = render(reports, Display(failures=True))
    assert "good:f" not in text
    assert "gradient of bad:f" in text
    assert "gradient of open:f" in text
    assert text.endswith("3 checks: 1 FAIL, 1 INCONCLUSIVE, 1 PASS\n")
    assert render([passing()] * 40, Display(failures=True)) == "40 checks: 40 PASS\n"
    assert render([passing()], Display(failures=True)) == "1 check: 1 PASS\n"
    assert render(reports, Display(failures=True, quiet=True)).splitlines() == [
        f"{r.verdict.name}  {r.name}: {r.headline}" for r in reports[1:]
    ]


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (passing(), "3 entries compared: 3 agree"),
        (failing(), "100 entries compared: 97 agree, 3 wrong"),
        (undecided(), "4 entries compared: 1 agrees, 3 not judged"),
        (erroneous(), "0 entries compared"),
        (directional(), "3 directions compared: 2 agree, 1 wrong"),
        (build(entries=(entry(0, float("nan"), 1.0, 0.0, ERROR), entry(1, 1.0, 1.0, 0.0))),
         "2 entries compared: 1 agrees, 1 claimed to be no number"),
        (failing(method=Method.DIRECTIONS, checked=10**6), "1,000,000 entries searched along random directions: 3 wrong"),
    ],
)  # fmt: skip
def test_the_counts_add_up(report: Report, said: str) -> None:
    assert f"  counts      {said}\n" in render([report])
