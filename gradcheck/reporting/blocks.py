"""The few kinds of block that a report is made of.

They are named tuples, which are made ten times as fast as frozen dataclasses when a short run starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from gradcheck.reporting.pictures import Picture

Tone = Literal["", "title", "key", "faint", "pass", "inconclusive", "fail", "error"]
"""What a piece of text is; formats turn it into a style.  Never the only carrier of a meaning."""


class Span(NamedTuple):
    """A piece of text and what it is."""

    text: str
    tone: Tone = ""


class Title(NamedTuple):
    """The first line of a report."""

    text: str


class Paragraph(NamedTuple):
    """Running text; a note belongs to the table above it."""

    spans: tuple[Span, ...]
    note: bool = False


class Verbatim(NamedTuple):
    """Lines that must stay as they are: a traceback, a command."""

    key: str
    text: str


class Facts(NamedTuple):
    """Pairs of a key and running text."""

    rows: tuple[Fact, ...]


class Column(NamedTuple):
    """A column of a table.

    align: 'point' lines numbers up at their decimal point.
    joins: where there is no room for a table, the cell may stand on the line of the one before it.
    """

    title: str
    align: Literal["left", "right", "point"] = "right"
    joins: bool = False


class Table(NamedTuple):
    """Rows of cells; the first column names the row, the last one holds its verdict."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Span, ...], ...]


class Figure(NamedTuple):
    """A picture, which each format draws in its own way."""

    picture: Picture


Fact = tuple[str, tuple[Span, ...]]
Block = Title | Paragraph | Verbatim | Facts | Table | Figure
