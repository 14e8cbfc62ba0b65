"""Reports as JUnit XML, which every CI service reads: a test case for each claimed derivative."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from gradcheck.model import Report, Verdict
from gradcheck.reporting import text
from gradcheck.reporting.formats import DEFAULT, Display

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.INCONCLUSIVE: "error"}


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """One test suite.  A wrong derivative is a failure, and one that could not be judged an error.

    With `display.allow_inconclusive`, INCONCLUSIVE counts as skipped.
    """
    elements = dict(_ELEMENTS)
    if display.allow_inconclusive:
        elements[Verdict.INCONCLUSIVE] = "skipped"
    found = [elements.get(report.verdict, "") for report in reports]
    counts = {
        f"{kind}s".replace("skippeds", "skipped"): str(found.count(kind)) for kind in ("failure", "error", "skipped")
    }
    seconds = f"{sum(report.seconds for report in reports):.6f}"
    totals = {"name": "gradcheck", "tests": str(len(reports)), **counts, "time": seconds}
    root = ElementTree.Element("testsuites", {k: v for k, v in totals.items() if k != "skipped"})
    suite = ElementTree.SubElement(root, "testsuite", totals)
    for report, kind in zip(reports, found, strict=True):
        case = ElementTree.SubElement(
            suite,
            "testcase",
            {
                "classname": f"gradcheck.{report.kind.value}",
                "name": _clean(f"{report.name} ({report.claim.name})"),
                "time": f"{report.seconds:.6f}",
            },
        )
        story = _clean(text.render([report]))
        if kind:
            what = ElementTree.SubElement(case, kind, {"message": _clean(report.headline)})
            if kind != "skipped":
                what.set("type", report.verdict.name)
                what.text = story
        ElementTree.SubElement(case, "system-out").text = story
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _clean(value: str) -> str:
    """`value` without the characters that no XML document may hold, not even escaped."""
    return _NOT_XML.sub("", value)
