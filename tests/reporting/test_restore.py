"""A report that went through JSON and came back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gradcheck.model import Report, Resolution
from gradcheck.reporting import html, junit, markdown, text
from gradcheck.reporting import json as as_json
from gradcheck.reporting.formats import Display
from gradcheck.reporting.restore import restore
from tests.reports import EVERY, build


def travelled(report: Report) -> Report:
    (check,) = json.loads(as_json.render([report]))["checks"]
    return restore(check)


@pytest.mark.parametrize("name", EVERY)
def test_every_format_says_the_same_of_it(name: str) -> None:
    report = EVERY[name]()
    came_back = travelled(report)
    for render in (as_json.render, junit.render, markdown.render, html.render):
        assert render([came_back]) == render([report])
    assert text.render([came_back], Display(verbose=True)) == text.render([report], Display(verbose=True))


@pytest.mark.parametrize("name", EVERY)
def test_types_are_those_of_the_model(name: str) -> None:
    report = EVERY[name]()
    plain = replace(report, entries=tuple(report.entries), options={}, versions={}, findings=(), diagnoses=())
    assert repr(travelled(plain)) == repr(plain)  # repr: NaN is not equal to itself


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 1e-320])
def test_numbers_that_json_cannot_write(value: float) -> None:
    report = build(noise=value, resolution=Resolution(absolute=value, digits=None, sentence="", parts=(("a", value),)))
    came_back = travelled(report)
    for got in (came_back.noise, came_back.resolution.absolute, came_back.resolution.parts[0][1]):
        assert repr(got) == repr(value)


def test_a_field_that_an_older_json_lacks_keeps_its_default() -> None:
    check: dict[str, Any] = as_json.to_dict([build()])["checks"][0]
    del check["notes"], check["entries"][0]["reason"]
    assert restore(check).notes == ()
