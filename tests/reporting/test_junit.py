"""The JUnit report, read back by a parser."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from gradcheck.model import Finding, FindingKind, Verdict
from gradcheck.reporting.formats import Display
from gradcheck.reporting.junit import render
from tests.reports import EVERY, build, erroneous, failing, passing, undecided

# The attributes and children that the readers of CI services agree on.
GRAMMAR: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase"}),
    "testcase": ({"classname", "name", "time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


def parse(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = GRAMMAR[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
    return root


@pytest.mark.parametrize("name", EVERY)
def test_every_report_is_valid(name: str) -> None:
    report = EVERY[name]()
    (case,) = parse(render([report])).iter("testcase")
    assert case.get("name") == f"{report.name} ({report.claim.name})"


def test_counts_and_elements() -> None:
    reports = [passing(), failing(), undecided(), erroneous()]
    root = parse(render(reports))
    (suite,) = root
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "2",
        "skipped": "0",
    }
    assert [[child.tag for child in case] for case in suite] == [
        ["system-out"],
        ["failure", "system-out"],
        ["error", "system-out"],
        ["error", "system-out"],
    ]
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "The gradient is wrong: 2 of 3 wrong entries have the opposite sign."
    assert "125.3000110" in (failure.text or "")
    assert "--seed 7" in (failure.text or "")


def test_inconclusive_can_be_skipped() -> None:
    (suite,) = parse(render([undecided()], Display(allow_inconclusive=True)))
    assert (suite.get("errors"), suite.get("skipped")) == ("0", "1")
    assert suite.find("testcase/skipped") is not None


def test_no_run_is_an_empty_suite() -> None:
    (suite,) = parse(render([]))
    assert suite.get("tests") == "0"


def test_any_message_makes_valid_xml() -> None:
    everything = "".join(map(chr, range(0x20))) + "\x7f\x85]]> & < \" ' \ufffe\uffff\ud800 ok"
    finding = Finding(kind=FindingKind.USER_ERROR, message=everything, verdict=Verdict.ERROR)
    report = build(
        name=everything, entries=(), verdict=Verdict.ERROR, findings=(finding,), trouble=everything, replay=everything
    )
    error = parse(render([report])).find(".//error")
    assert error is not None
    assert (error.get("message") or "").endswith(" ok")
