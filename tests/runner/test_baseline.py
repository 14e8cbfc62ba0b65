"""Digits that were lost since a run that was kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gradcheck.errors import ConfigError
from gradcheck.model import Method, Report, Resolution
from gradcheck.runner.baseline import agreement, compare, save_baseline
from tests.reports import EVERY, build, direction, entry, failing, passing


def of_digits(digits: int | None, uncertainty: float = 1e-10, name: str = "m:f") -> Report:
    return build(
        name=name,
        entries=(entry(0, 1.0, 1.0, uncertainty),),
        resolution=Resolution(absolute=1e-9, digits=digits, sentence=""),
    )


@pytest.mark.parametrize("name", EVERY)
def test_a_run_is_no_worse_than_itself(name: str) -> None:
    reports = [EVERY[name](), EVERY[name]()]
    assert compare(reports, save_baseline(reports)) == []


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (of_digits(9), of_digits(8), []),
        (of_digits(9), of_digits(7), ["gradient of m:f is known to 7 digits; it was 9 in the baseline"]),
        (of_digits(7), of_digits(9), []),
        (of_digits(None), of_digits(9), []),
        (of_digits(9), of_digits(9, 1e-8), ["gradient of m:f agrees to 8 digits; it was 10 in the baseline"]),
        (of_digits(9), of_digits(5, 1e-8), ["gradient of m:f agrees to 8 digits; it was 10 in the baseline"]),
        (of_digits(9), of_digits(9, 5e-10), []),
        (passing(), failing(), ["gradient of quadratic:f was PASS in the baseline and is FAIL now"]),
        (failing(), passing(), []),
        (passing(), of_digits(1), []),
    ],
)
def test_compare(before: Report, now: Report, said: list[str]) -> None:
    assert compare([now], save_baseline([before])) == said


def test_checks_of_one_name_are_told_apart() -> None:
    before, now = [of_digits(9), of_digits(5)], [of_digits(9), of_digits(3)]
    assert compare(before, save_baseline(before)) == []
    assert compare(now, save_baseline(before)) == ["gradient of m:f #2 is known to 3 digits; it was 5 in the baseline"]


@pytest.mark.parametrize(
    ("report", "digits"),
    [
        (of_digits(9, 1e-10), 10.0),
        (of_digits(9, 0.0), 16.0),
        (of_digits(9, 10.0), 0.0),
        (build(entries=(entry(0, 1000.0, 1000.1, 1e-9),)), 4.0),
        (build(entries=(entry(0, 1e-300, 1e-300, 1e-312),)), 12.0),
        (build(entries=(), directions=(direction(0, 1.0, 1.0, 1e-7),), method=Method.DIRECTIONS), 7.0),
        (build(entries=()), None),
        (build(entries=(entry(0, 0.0, 0.0, 0.0),)), None),
        (build(entries=(entry(0, float("nan"), 1.0, 1e-9),)), None),
    ],
)
def test_agreement(report: Report, digits: float | None) -> None:
    assert agreement(report) == digits


def changed(**changes: Any) -> str:
    data = json.loads(save_baseline([passing()]))
    data["checks"]["gradient of quadratic:f"].update(changes)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "^runs.json is no JSON"),
        ("[]", "^runs.json is no baseline of schema 1"),
        ('{"schema": 2, "checks": {}}', "schema 1; save it again with --save-baseline"),
        ('{"schema": 1, "checks": []}', "no baseline"),
        ('{"schema": 1, "checks": {"a": 3}}', "'a' has no valid 'verdict'"),
        (changed(verdict="FINE"), "'gradient of quadratic:f' has no valid 'verdict'"),
        (changed(digits="9"), "valid 'digits'"),
        (changed(digits=True), "valid 'digits'"),
        (changed(agreement=[1]), "valid 'agreement'"),
    ],
)
def test_a_malformed_baseline(text: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match) as caught:
        compare([passing()], text, source="runs.json")
    assert "\n" not in str(caught.value)


def test_the_name_of_the_derivative_is_part_of_the_key() -> None:
    before = save_baseline([of_digits(9)])
    assert compare([replace(of_digits(3), name="other")], before) == []
