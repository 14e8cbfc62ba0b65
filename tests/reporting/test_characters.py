"""Pictures in block characters."""

from __future__ import annotations

import pytest

from gradcheck.model import ErrorMap
from gradcheck.reporting.characters import BLOCKS, CELLS_DOWN, HIGH, drawn
from gradcheck.reporting.formats import Display
from gradcheck.reporting.pictures import curve, grid, pictures
from gradcheck.reporting.text import render
from tests.reports import EVERY, mapped, passing


@pytest.mark.parametrize("width", [100, 60, 40, 30])
@pytest.mark.parametrize("name", EVERY)
def test_no_line_is_longer_than_there_is_room(name: str, width: int) -> None:
    for picture in pictures(EVERY[name]()):
        lines = list(drawn(picture, width))
        key = max((len(line.split("   ")[0]) for line in lines[-4:]), default=0)  # a name in the key is never cut
        assert max(map(len, lines)) <= max(width, key, len("distance from the numeric value against step h") + 8)


def test_a_map_shows_each_entry() -> None:
    lines = list(drawn(grid(mapped()), 80))  # type: ignore[arg-type]
    assert lines[:4] == [" 0 │??······", "   │··██▓▓··", "   │····▒▒··", " 3 │········"]
    assert lines[-1].strip() == "█ error > 0.1   ▓ > 0.01   ▒ > 0.001   ? not judged   · agrees"


def test_a_large_map_is_drawn_coarser_and_keeps_what_is_wrong() -> None:
    cells = ["." * 200] * 199 + ["." * 199 + "0"]
    report = mapped(error_map=ErrorMap(shape=(200, 200), block=(1, 1), cells=tuple(cells), largest=1.0))
    lines = list(drawn(grid(report), 80))  # type: ignore[arg-type]
    rows = [line for line in lines if "│" in line]
    assert len(rows) <= CELLS_DOWN
    assert rows[-1].endswith(BLOCKS["0"] * 2)
    assert "".join(lines[:-1]).count(BLOCKS["0"]) == 2


def test_a_curve_falls_and_rises_again() -> None:
    lines = [line for line in drawn(curve(mapped()), 80) if "│" in line]  # type: ignore[arg-type]
    assert len(lines) == HIGH
    rungs = sorted((line.index("●", k), row) for row, line in enumerate(lines) for k, c in enumerate(line) if c == "●")
    heights = [row for _, row in rungs]
    lowest = heights.index(max(heights))
    assert 0 < lowest < len(heights) - 1
    assert any(set(line.split("│")[1].strip()) <= {"╌", "●", "·"} and "╌╌╌" in line for line in lines), "the claim"


def test_they_are_for_the_verbose() -> None:
    words = ("Where the gradient is wrong", "Error of [1, 1] against the step")
    verbose = render([mapped()], Display(verbose=True))
    assert all(word in verbose for word in words)
    assert not any(word in render([mapped()]) for word in words)
    assert not any(word in render([passing()], Display(verbose=True)) for word in words)
    ascii_only = render([mapped()], Display(verbose=True, encoding="ascii"))
    assert ascii_only.isascii()
    assert "##%%" in ascii_only
