"""What a test runner shows of a report."""

from __future__ import annotations

import pytest

from gradcheck.reporting.brief import failure, table
from tests.reports import EVERY, failing, passing, undecided


@pytest.mark.parametrize("name", EVERY)
def test_a_failure_begins_with_the_headline_and_ends_with_the_replay(name: str) -> None:
    report = EVERY[name]()
    first, *rest = failure(report).split("\n")
    assert first.startswith(report.headline[:20])
    assert sum("--all" in line for line in rest) == 0
    assert "cost" not in "\n".join(rest)
    if report.replay:
        assert any(line.strip().startswith("replay") for line in rest[-3:])


def test_how_to_accept_is_said_of_the_undecided_alone() -> None:
    assert "do this" in failure(undecided(), "do this")
    assert "do this" not in failure(failing(), "do this")


@pytest.mark.parametrize("width", [None, 40, 200])
def test_a_line_for_each_report(width: int | None) -> None:
    text = "\n".join(table([passing(), failing()], width, "ascii"))
    assert text.count("quadratic:f") == 2
    assert text.isascii()
    for word in ("PASS", "FAIL", "gradient"):
        assert word in text
    if width is not None:
        assert max(map(len, text.split("\n"))) <= width
