"""Pictures as SVG: well-formed, small, and nothing of the user's in it but as text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.model import ErrorMap, Verdict
from gradcheck.reporting.pictures import GRAVITY, Plot, coarser, pictures
from gradcheck.reporting.svg import LARGEST, inline, render
from tests.reports import EVERY, build, entry, failing, mapped, oddly_named, passing

NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.tag in ("svg", f"{NAMESPACE}svg")
    return root


@pytest.mark.parametrize("kind", EVERY)
def test_well_formed_and_within_the_frame(kind: str) -> None:
    root = drawn(render([EVERY[kind]()]))
    width, height = float(root.get("width")), float(root.get("height"))
    for path in root.iter(f"{NAMESPACE}path"):
        for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", path.get("d")):
            assert -4 <= float(x) <= width
            assert -4 <= float(y) <= height


def test_those_that_did_not_pass_come_first() -> None:
    words = [text.text for text in drawn(render([passing(), failing()])).iter(f"{NAMESPACE}text")]
    assert next(w for w in words if w.startswith(("PASS", "FAIL"))).startswith("FAIL")
    assert any(
        "and 4 more checks" in word for word in (t.text for t in drawn(render([passing()] * 10)).iter() if t.text)
    )


def test_a_picture_in_a_page_can_be_read_aloud() -> None:
    for number, picture in enumerate(pictures(mapped())):
        root = drawn(inline(picture, f"p{number}"))
        assert root.get("role") == "img"
        told = {element.get("id"): element.text for element in root if element.get("id")}
        assert [told[name] for name in root.get("aria-labelledby").split()] == [picture.title, picture.story]


def test_names_are_text() -> None:
    name = "<script>alert(1)</script>&\x07"
    report = oddly_named(
        name=name, entries=(entry(0, 1.0, 2.0, 1e-9, Verdict.FAIL, path=name), entry(1, 1.0, 1.0, 0.0))
    )
    text = render([report]) + "".join(inline(p, "i") for p in pictures(report))
    assert "<script" not in text
    assert "\x07" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;\\x07" in text


def test_each_verdict_has_a_mark_of_its_own() -> None:
    report = build(
        entries=(
            entry(0, 1.0, 2.0, 1e-9, Verdict.FAIL),
            entry(1, 1.0, 1.5, 1.0, Verdict.INCONCLUSIVE),
            entry(2, 1.0, 1.0, 0.0),
        )
    )
    (plot,) = (p for p in pictures(report) if isinstance(p, Plot))
    classes = {path.get("class") for path in drawn(inline(plot, "p")).iter("path")}
    assert {"fail crosses", "inconclusive squares", "pass dots", "inconclusive bars"} <= classes


def test_a_map_with_noise_in_every_cell_stays_small() -> None:
    rng = np.random.default_rng(0)
    cells = tuple("".join(rng.choice(list(".0123?"), 200)) for _ in range(200))
    text = render([mapped(error_map=ErrorMap(shape=(10**4, 10**4), block=(50, 50), cells=cells, largest=1.0))])
    assert len(text) < LARGEST + 10_000
    drawn(text)


@given(st.lists(st.text(GRAVITY, min_size=9, max_size=9), min_size=1, max_size=9), st.integers(1, 4), st.integers(1, 4))
def test_coarser_cells_show_the_gravest_of_those_within(cells: list[str], down: int, across: int) -> None:
    found = coarser(cells, down, across)
    for i, row in enumerate(cells):
        for j, character in enumerate(row):
            assert GRAVITY.index(found[i // down][j // across]) >= GRAVITY.index(character)
    assert set("".join(found)) <= set("".join(cells))
