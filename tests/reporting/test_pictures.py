"""What pictures show: where values stand on their axes, which points are drawn, and what is said of them."""

from __future__ import annotations

import dataclasses
import itertools
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.model import ErrorMap, Verdict
from gradcheck.reporting.axes import Axis, fitted, logarithmic
from gradcheck.reporting.pictures import POINTS, Grid, Plot, pictures, wrong_regions
from tests.reports import EVERY, build, directional, entry, extreme, failing, many, mapped, passing

VALUES = st.floats(-1e300, 1e300)


def axis_holds(axis: Axis, values: list[float]) -> None:
    ends = sorted(values)
    places = [axis.at(value) for value in ends]
    assert all(0 <= place <= 1 for place in places)
    assert all(a <= b for a, b in itertools.pairwise(places)), "a larger value stands no lower"
    ticks = axis.ticks()
    assert len(ticks) <= 12
    assert all(axis.low <= value <= axis.high for value, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


@given(st.lists(VALUES, min_size=1, max_size=30))
def test_an_axis_holds_what_it_was_made_for(values: list[float]) -> None:
    axis = fitted("x", values)
    assert axis.low <= min(values) <= max(values) <= axis.high
    axis_holds(axis, values)


@given(st.lists(st.floats(0, 1e308), min_size=1, max_size=30))
def test_a_logarithmic_axis_holds_what_it_was_made_for(values: list[float]) -> None:
    axis_holds(logarithmic("h", values), values)


@pytest.mark.parametrize(
    "values", [[], [0.0], [math.nan, math.inf], [sys.float_info.max, -sys.float_info.max], [5e-324], [1e-290, 3.0]]
)
def test_an_axis_of_odd_values(values: list[float]) -> None:
    axis_holds(fitted("x", values), [value for value in values if math.isfinite(value)])
    axis_holds(logarithmic("x", values), [value for value in values if math.isfinite(value)])


def test_ticks_are_round() -> None:
    assert [text for _, text in Axis("x", -1.2, 2.3).ticks()] == ["-1", "0", "1", "2"]
    assert [text for _, text in Axis("x", 1e-7, 2.0, "log").ticks()] == ["1e-7", "1e-5", "1e-3", "1e-1"]
    assert [text for _, text in Axis("x", -2e3, 2e3, "symlog", 1e-3).ticks()] == ["0", "-1e3", "-1e0", "1e0", "1e3"]


@pytest.mark.parametrize("kind", EVERY)
def test_every_picture_has_a_title_and_a_story_of_its_own(kind: str) -> None:
    found = list(pictures(EVERY[kind]()))
    assert len({picture.title for picture in found}) == len(found)
    for picture in found:
        assert picture.story.endswith((".", ")"))
        for series in picture.series if isinstance(picture, Plot) else ():
            assert series.points
            assert len(series.bars) in (0, len(series.points))


def scatter(report) -> Plot:
    return next(p for p in pictures(report) if isinstance(p, Plot) and p.title.startswith("Claimed"))


def test_the_scatter_names_what_is_wrong() -> None:
    drawn = scatter(failing())
    assert {s.name: len(s.points) for s in drawn.series if s.bars} == {"wrong": 3, "agrees": 1}
    assert "3 of 4 entries are off it ([17], [4], [8])" in drawn.story
    assert "none of 3 entries is off it" in scatter(passing()).story
    assert "1 of 3 directions is off it (direction 0)" in scatter(directional()).story


def test_the_scatter_leaves_out_what_cannot_be_drawn() -> None:
    assert "3 of 5 entries" in scatter(extreme()).story, "one claim is NaN, another infinite"
    assert len(scatter(many(3 * POINTS)).series[-1].points) == POINTS
    assert list(pictures(build(entries=(entry(0, 1.0, 1.0, 0.0),)))) == [], "one point is no picture"


def test_the_band_is_what_tolerance_allows() -> None:
    report = build(
        entries=(entry(0, 1.0, 1.0, 0.0), entry(1, -3.0, -3.0, 0.0)),
        tolerance=dataclasses.replace(passing().tolerance, rtol=0.1, atol=0.5),
    )
    (band,) = (series for series in scatter(report).series if series.mark == "band")
    for x, y in band.points:
        assert abs(x - y) == pytest.approx(0.5 + 0.1 * abs(x))


def test_the_curve_shows_claim_plateau_and_rungs() -> None:
    (curve,) = (p for p in pictures(mapped()) if p.title.startswith("Error of"))
    assert curve.title == "Error of [1, 1] against the step"
    drawn = {series.role: series for series in curve.series}
    assert len(drawn["difference"].points) == 16
    assert {y for _, y in drawn["claim"].points} == {1.0}
    assert drawn["claim"].name == "claim, off by 1.0"
    assert "The claim, 3, is 1.0 away from it." in curve.story


def test_a_linear_function_has_no_curve() -> None:
    worst, *rest = mapped().entries
    ladder = dataclasses.replace(worst.estimate.ladder, values=(2.0,) * 16)
    same = dataclasses.replace(worst, estimate=dataclasses.replace(worst.estimate, ladder=ladder))
    assert not [p for p in pictures(mapped(entries=(same, *rest))) if p.title.startswith("Error of")]


def test_the_map_tells_where_it_is_wrong() -> None:
    grid = next(pictures(mapped()))
    assert isinstance(grid, Grid)
    assert grid.regions == ((1, 1, 3, 3),)
    assert grid.story == (
        "4 × 4 entries. 3 entries are wrong, by up to 1.0: rows 1 to 2, columns 1 to 2. 1 entry could not be judged."
    )


def test_a_coarse_map_counts_cells_and_names_entries() -> None:
    found = ErrorMap(
        shape=(999, 600), block=(5, 3), cells=("." * 200, "..00" + " " * 196, *("." * 200,) * 198), largest=3.0
    )
    grid = next(pictures(mapped(error_map=found)))
    assert "5 × 3 entries to a cell" in grid.story
    assert "2 cells are wrong, by up to 3.0: rows 5 to 9, columns 6 to 11." in grid.story
    assert "Nothing is on record where it is blank." in grid.story


@given(st.lists(st.text(".?0!7 ", min_size=7, max_size=7), min_size=1, max_size=12))
def test_every_wrong_cell_is_within_a_region_and_every_region_holds_one(cells: list[str]) -> None:
    regions = wrong_regions(ErrorMap(shape=(len(cells), 7), block=(1, 1), cells=tuple(cells), largest=1.0))
    wrong = {(i, j) for i, row in enumerate(cells) for j, character in enumerate(row) if character.isdigit()}
    covered = {(i, j) for top, left, bottom, right in regions for i in range(top, bottom) for j in range(left, right)}
    assert wrong <= covered
    for top, left, bottom, right in regions:
        assert any(top <= i < bottom and left <= j < right for i, j in wrong)


def test_what_is_undecided_is_no_agreement() -> None:
    report = build(entries=(entry(0, 1.0, 2.0, 5.0, Verdict.INCONCLUSIVE), entry(1, 1.0, 1.0, 0.0)))
    assert [s.mark for s in scatter(report).series if s.bars] == ["dots", "squares"]
