"""The nouns: frozen, keyword-only, ordered where an order means something, and a headline for every outcome."""

from __future__ import annotations

import dataclasses
import html
import json
import pickle
import re

import pytest

from gradcheck import check_gradient, model
from gradcheck.model import (
    Diagnosis,
    DiagnosisKind,
    Finding,
    FindingKind,
    Kind,
    Method,
    Point,
    Status,
    Tolerance,
    Verdict,
)
from gradcheck.reporting import text

RECORDS = [value for value in model.nouns().values() if dataclasses.is_dataclass(value) and isinstance(value, type)]


@pytest.fixture(scope="module")
def report():
    return check_gradient(lambda x: float(x @ x), lambda x: 2 * x, [1.0, 2.0])


def test_the_worst_verdict_is_the_largest():
    assert sorted(Verdict) == [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR]
    assert max([Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE]) is Verdict.FAIL


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_records_are_frozen_have_slots_and_take_keywords_only(record):
    assert record.__dataclass_params__.frozen
    assert not hasattr(record, "__dict__") or "__slots__" in vars(record)
    assert all(field.kw_only for field in dataclasses.fields(record))


@pytest.mark.parametrize("status", Status)
def test_every_status_has_advice_of_one_line(status):
    assert len(status.advice) > 20
    assert "\n" not in status.advice
    assert "--" not in status.advice, "it is read by callers of Python, too"


@pytest.mark.parametrize("kinds", [FindingKind, DiagnosisKind, Kind, Method, Status])
def test_identifiers_are_words_that_json_can_carry(kinds):
    assert all(str(kind) == kind.value == kind.value.lower() for kind in kinds)


@pytest.mark.parametrize(("shape", "size"), [((), 1), ((7,), 7), ((20, 3), 60)])
def test_the_size_of_a_point(shape, size):
    assert Point(shape=shape, dtype="float64", origin="given").size == size


def test_a_record_cannot_be_changed():
    tolerance = Tolerance(rtol=0.0, atol=0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        tolerance.rtol = 1.0


SIGN = Diagnosis(kind=DiagnosisKind.SIGN, message="numeric = −claimed.")
UNEXPLAINED = Diagnosis(kind=DiagnosisKind.UNEXPLAINED, message="nothing fits.")
MUTATES = Finding(kind=FindingKind.MUTATES_INPUT, message="grad writes into x", verdict=Verdict.FAIL)
BUFFER = Finding(kind=FindingKind.REUSES_BUFFER, message="the same array", verdict=Verdict.INCONCLUSIVE)
RAISED = Finding(kind=FindingKind.USER_ERROR, message="f raised ValueError", verdict=Verdict.ERROR)
REMARK = Finding(kind=FindingKind.IGNORES_INPUT, message="only a remark")


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({}, "The gradient is right: 2 entries agree."),
        ({"checked": 1}, "The gradient is right: 1 entry agrees."),
        ({"checked": 1234567}, "The gradient is right: 1,234,567 entries agree."),
        ({"kind": Kind.HVP}, "The HVP is right: 2 entries agree."),
        ({"method": Method.DIRECTIONS, "entries": ()}, "The gradient is right: 2 directions agree."),
        ({"findings": (REMARK,)}, "The gradient is right: 2 entries agree."),
        ({"verdict": Verdict.FAIL, "failed": 1, "diagnoses": (SIGN,)}, "The gradient is wrong: numeric = −claimed."),
        ({"verdict": Verdict.FAIL, "failed": 1, "diagnoses": (UNEXPLAINED,)},
         "The gradient is wrong: 1 of 2 entries disagree."),
        ({"verdict": Verdict.FAIL, "findings": (REMARK, MUTATES)}, "The gradient is wrong in use: grad writes into x"),
        ({"verdict": Verdict.FAIL}, "The gradient is wrong."),
        ({"verdict": Verdict.INCONCLUSIVE, "inconclusive": 1},
         "The gradient could not be judged: 1 of 2 entries inconclusive."),
        ({"verdict": Verdict.INCONCLUSIVE, "findings": (BUFFER,)}, "The gradient agrees, but not safely: the same array"),
        ({"verdict": Verdict.INCONCLUSIVE}, "The gradient could not be judged."),
        ({"verdict": Verdict.ERROR, "findings": (RAISED,)}, "The gradient could not be checked: f raised ValueError"),
        ({"verdict": Verdict.ERROR}, "The gradient could not be checked: user code failed."),
    ],
)  # fmt: skip
def test_the_headline_of_every_outcome(report, changes, headline):
    assert dataclasses.replace(report, **changes).headline == headline


def test_a_report_survives_pickling(report):
    again = pickle.loads(pickle.dumps(report))
    assert list(again.entries) == list(report.entries)
    assert dataclasses.replace(again, entries=()) == dataclasses.replace(report, entries=())


def test_a_report_shows_itself(report):
    wrong = check_gradient(lambda x: float(x @ x), lambda x: x, [1.0, 2.0], throw=False)
    for shown in (report, wrong):
        assert str(shown) == text.render([shown]).rstrip("\n")
        assert "\x1b" not in str(shown)
        assert len(repr(shown).splitlines()) == 1
        assert repr(shown) == f"<Report: {shown.verdict.name}, gradient of <lambda>, 2 entries compared>"
        assert json.loads(shown.to_json())["verdict"] == shown.verdict.name
        assert shown.to_html().startswith("<!doctype html>")
        assert shown.headline in html.unescape(shown.to_html())
        assert shown.to_markdown().startswith("### gradient of")


def test_in_a_notebook_a_report_is_part_of_a_page(report):
    fragment = report._repr_html_()
    assert fragment.startswith('<div class="gradcheck">')
    assert "<script" not in fragment, "a notebook need not be trusted to show it"
    assert not [tag for tag in ("<!doctype", "<html", "<body", "<head") if tag in fragment]
    identifiers = re.findall(r'\bid="([^"]+)"', fragment + dataclasses.replace(report)._repr_html_())
    assert len(identifiers) == len(set(identifiers)), "two reports in one notebook do not share them"
    style = fragment[fragment.index("<style>") + 7 : fragment.index("</style>")]
    top = re.sub(r"@media[^{]*\{", "{", re.sub(r"\{[^{}]*\}", "", style))
    assert not re.search(r"\bbody\b|:root", top), "what else is in the notebook looks as it did"
