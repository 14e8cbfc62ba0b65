"""The HTML report: one page, well formed, that loads nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from gradcheck.reporting.formats import Display
from gradcheck.reporting.html import render
from tests.reports import EVERY, directional, erroneous, failing, many, mapped, oddly_named, passing, undecided

VOID = {"meta", "path", "rect"}
LEFT_OPEN = {"td": {"td", "tr"}, "th": {"th", "tr"}, "dt": {"dd", "dl"}, "dd": {"dt", "dl"}}  # as HTML allows


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
        if self.open and tag in LEFT_OPEN.get(self.open[-1], ()):
            self.open.pop()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag in LEFT_OPEN.get(self.open[-1], ()):
            self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", EVERY)
def test_a_parser_that_forgives_nothing_has_no_complaint(name: str) -> None:
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed: pip install gradcheck[test]")
    strict = html5lib.HTMLParser(strict=True)
    strict.parse(render([EVERY[name](), passing()], Display(verbose=True)))
    strict.parseFragment(EVERY[name]()._repr_html_())


@pytest.mark.parametrize("name", EVERY)
def test_every_report_is_a_well_formed_page(name: str) -> None:
    report = EVERY[name]()
    page = Reader(render([report, passing()], Display(all_rows=True)))
    for word in (report.name, report.claim.name, report.headline, report.replay, *(e.path for e in report.entries)):
        assert word
        assert word in page.text
    names = [value for name, value in page.attributes if name == "id"]
    assert len(names) == len(set(names))
    assert {value for name, value in page.attributes if name == "href"} == {"#c1", "#c2"} <= {f"#{n}" for n in names}


def test_it_needs_nothing_else() -> None:
    page = render([make() for make in EVERY.values()])
    assert "src" not in {name for name, _ in Reader(page).attributes}
    assert all(word not in page for word in ("url(", "@import", "http:", "https:", "fetch("))


def test_verdict_and_cause_stand_before_all_else_and_what_failed_before_what_passed() -> None:
    text = Reader(render([passing(name="good:f"), undecided(name="open:f"), failing(name="bad:f")])).text
    places = [text.rindex(f"gradient of {name}") for name in ("bad:f", "open:f", "good:f")]
    assert places == sorted(places)
    told = text[places[0] :]
    cause, entries = told.index("Look for a subtraction"), told.index("-3.40123")
    assert told.index("The gradient is wrong") < cause < entries < told.index("How it was measured")
    page = render([passing(), failing()])
    assert page.count('<details class="check f" open>') == page.count('<details class="check p">') == 1


def test_failures_alone() -> None:
    page = render([passing(name="good:f"), failing(name="bad:f")], Display(failures=True))
    assert "good:f" not in Reader(page).text.split("main", 1)[-1].replace("FAIL: gradcheck of good:f", "")
    assert "1 <b" in page, "how many passed is still counted"


def test_a_page_is_small() -> None:
    """The script and the style are there once, whatever the number of checks."""
    alone = len(render([passing()]))
    assert alone < 20_000
    assert len(render([passing(), failing()])) < 30_000
    assert len(render([passing()] * 180 + [mapped()] * 20)) < 1_500_000


def test_a_failing_check_shows_more_rows_unless_told_how_many() -> None:
    def rows(display: Display) -> int:
        return render([many(100)], display).count("<tr><td")

    assert (rows(Display()), rows(Display(top=3)), rows(Display(all_rows=True))) == (60, 3, 100)


def test_pictures_are_drawn_and_told() -> None:
    page = render([mapped()])
    assert page.count("<svg") == page.count("</svg>") == page.count('role="img"') == 3
    for words in ("Where the gradient is wrong", "Error of [1, 1] against the step", "rows 1 to 2, columns 1 to 2"):
        assert words in Reader(page).text


def test_columns_of_every_table_are_named_where_rows_are_no_lines() -> None:
    page = render([failing(), directional()])
    for name, columns in (("k0", 7), ("k1", 8)):
        assert f'class="entries {name}"' in page
        assert page.count(f".{name} td:nth-child(") == columns - 2


def test_text_is_escaped() -> None:
    page = render([erroneous(), oddly_named()])
    assert "&lt;finite&gt;" in page
    assert "&lt;lambda&gt;" in page
    assert "\x1b" not in page


def test_the_title_tells_the_verdict() -> None:
    assert "<title>FAIL: gradcheck of quadratic:f, quadratic:f</title>" in render([passing(), failing()])
    assert "<title>gradcheck</title>" in render([])
