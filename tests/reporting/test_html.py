"""The HTML report: one page, well formed, that loads nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from gradcheck.reporting.formats import Display
from gradcheck.reporting.html import render
from tests.reports import EVERY, erroneous, failing, oddly_named, passing

VOID = {"meta"}


class Reader(HTMLParser):
    """Collects text and attributes, and holds that every element is closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", EVERY)
def test_every_report_is_a_well_formed_page(name: str) -> None:
    report = EVERY[name]()
    page = Reader(render([report, passing()], Display(all_rows=True)))
    for word in (report.name, report.claim.name, report.headline, report.replay, *(e.path for e in report.entries)):
        assert word
        assert word in page.text


def test_it_needs_nothing_else() -> None:
    page = render([make() for make in EVERY.values()])
    assert not {"src", "href"} & {name for name, _ in Reader(page).attributes}
    assert "<script" not in page
    assert "url(" not in page
    assert len(render([passing()])) < 10_000


def test_text_is_escaped() -> None:
    page = render([erroneous(), oddly_named()])
    assert "&lt;finite&gt;" in page
    assert "&lt;lambda&gt;" in page
    assert "\x1b" not in page


def test_the_title_tells_the_verdict() -> None:
    assert "<title>FAIL: gradcheck of quadratic:f, quadratic:f</title>" in render([passing(), failing()])
    assert "<title>gradcheck</title>" in render([])
