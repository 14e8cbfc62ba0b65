"""Setting blocks in lines: nothing is cut, whatever the width."""

from __future__ import annotations

import pytest

from gradcheck.reporting.blocks import Column, Facts, Paragraph, Span, Table, Title, Verbatim
from gradcheck.reporting.lines import align_points, cells, printable, typeset, wrap


def lines(*blocks: Title | Paragraph | Verbatim | Facts | Table, width: int | None = None) -> list[str]:
    return ["".join(span.text for span in line) for line in typeset(blocks, width)]


@pytest.mark.parametrize(
    ("texts", "aligned"),
    [
        (["1.25", "-10.5", "3"], ["  1.25", "-10.5 ", "  3   "]),
        (["1.5e-08", "12", "-2e+300"], [" 1.5e-08", "12      ", "-2e+300 "]),
        (["nan", "1.5", "-inf"], ["nan ", "1.5 ", "-inf"]),
        # Too wide to be worth it: to the right instead.
        (["1234567890123456.5", "0.12345678901234567"], [" 1234567890123456.5", "0.12345678901234567"]),
        ([], []),
    ],
)
def test_align_points(texts: list[str], aligned: list[str]) -> None:
    assert align_points(texts) == aligned


@pytest.mark.parametrize(("text", "size"), [("abc", 3), ("模型", 4), ("é", 1), ("e\u0301", 1), ("∇f", 2)])
def test_cells(text: str, size: int) -> None:
    assert cells(text) == size


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("± ∇f ─", "utf-8", "± ∇f ─"),
        ("± ─ x²", "ascii", "+/- - x^2"),
        ("模", "ascii", "\\u6a21"),
        ("é", "latin-1", "é"),
        ("a\x1b[31mb\x07\n", "utf-8", "a\\x1b[31mb\\x07\\n"),
        ("\ud800", "utf-8", "\\ud800"),
    ],
)
def test_printable(text: str, encoding: str, shown: str) -> None:
    assert printable(text, encoding) == shown


def test_wrap_breaks_between_words_only_and_keeps_tones() -> None:
    spans = [Span("FAIL", "fail"), Span(": a-word-wider-than-the-line and more text")]
    found = list(wrap(spans, 12, "> ", "  "))
    assert ["".join(span.text for span in line) for line in found] == [
        "> FAIL:",
        "  a-word-wider-than-the-line",
        "  and more",
        "  text",
    ]
    assert Span("FAIL", "fail") in found[0]


def test_facts_hang_below_their_key() -> None:
    assert lines(Facts((("note", (Span("one two three"),)),)), width=22) == [
        "  note        one two",
        "              three",
    ]


def test_a_table_is_aligned_where_there_is_room_then_not_then_stacked() -> None:
    columns = (Column("entry", "left"), Column("claimed", "point"), Column("±", joins=True), Column("verdict", "left"))
    rows = (
        (Span("[0]"), Span("1.25"), Span("1e-9"), Span("PASS")),
        (Span("[1]"), Span("10.123456789"), Span("1e-9"), Span("FAIL")),
        (Span("[2]"), Span("1.5e-100"), Span("1e-9"), Span("FAIL")),
    )
    table = Table(columns, rows)
    assert lines(table) == [
        "  entry       claimed     ±  verdict",
        "  " + "─" * 34,
        "  [0]     1.25         1e-9  PASS",
        "  [1]    10.123456789  1e-9  FAIL",
        "  [2]     1.5e-100     1e-9  FAIL",
    ]
    assert lines(table, width=36) == lines(table)
    assert lines(table, width=35) == [
        "  [0]  PASS",
        "    claimed  1.25  ± 1e-9",
        "",
        "  [1]  FAIL",
        "    claimed  10.123456789  ± 1e-9",
        "",
        "  [2]  FAIL",
        "    claimed  1.5e-100  ± 1e-9",
    ]
    assert lines(table, width=20)[5:8] == ["    claimed  10.123456789", "    ±        1e-9", ""]


def test_points_give_way_before_the_table_does() -> None:
    table = Table(
        (Column("entry", "left"), Column("error", "point"), Column("verdict", "left")),
        ((Span("[0]"), Span("1000000.5"), Span("PASS")), (Span("[1]"), Span("0.1234567"), Span("PASS"))),
    )
    assert lines(table)[2:] == ["  [0]    1000000.5        PASS", "  [1]          0.1234567  PASS"]
    assert lines(table, width=28)[2:] == ["  [0]    1000000.5  PASS", "  [1]    0.1234567  PASS"]


def test_verbatim_is_never_broken() -> None:
    command = Verbatim("replay", "gradcheck m:f --grad m:g")
    assert lines(command) == ["  replay  gradcheck m:f --grad m:g"]
    assert lines(command, width=30) == ["  replay", "    gradcheck m:f --grad m:g"]
    assert lines(command, width=20) == ["  replay", "gradcheck m:f --grad m:g"]
    assert lines(Verbatim("traceback", "a\n\tb")) == ["  traceback", "    a", "        b"]
