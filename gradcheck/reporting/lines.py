"""Blocks to lines of a given width, in which numbers and names are never cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from gradcheck.reporting.blocks import Block, Column, Facts, Figure, Paragraph, Span, Table, Title, Verbatim

Line = tuple[Span, ...]

INDENT = "  "
GAP = "  "
KEY_WIDTH = 10  # the longest of the usual keys
WIDEST_POINT = 30  # cells: beyond, lining points up would cost more room than it is worth
READABLE = 100  # running text is not set wider on a terminal

_PLAIN = str.maketrans(
    {"±": "+/-", "─": "-", "−": "-", "–": "-", "—": "-", "×": "x", "·": "*", "…": "...", "→": "->", "⟨": "<", "⟩": ">"}
    | {"≤": "<=", "≥": ">=", "≈": "~", "∇": "grad ", "²": "^2", "ᵀ": "^T", "‘": "'", "’": "'", "“": '"', "”": '"'}
    | {"█": "#", "▓": "%", "▒": "+", "░": ":", "●": "o", "□": "@", "╌": "-", "│": "|", "└": "+"}
)


def typeset(blocks: Iterable[Block], width: int | None = None, encoding: str = "utf-8") -> Iterator[Line]:
    """The lines of a report; `width` None sets no limit, as for a pipe.

    What `encoding` cannot express is replaced by what it can.
    """
    previous: Block | None = None
    for block in blocks:
        if previous is not None and not (_is_note(block) and _is_note(previous)):
            yield ()
        yield from _block(block, width, encoding)
        previous = block


def _is_note(block: Block) -> bool:
    return isinstance(block, Paragraph) and block.note


def cells(text: str) -> int:
    """The columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_cell_width(character) for character in text)


def printable(text: str, encoding: str = "utf-8") -> str:
    """`text` without control characters, in characters that `encoding` has."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def align_points(texts: Sequence[str]) -> list[str]:
    """Numbers padded on both sides so that their decimal points stand below each other, where there is room."""
    heads = [text.replace("e", ".").partition(".")[0] if text[-1:].isdigit() else None for text in texts]
    before = max((len(head) for head in heads if head is not None), default=0)
    padded = [
        text if head is None else " " * (before - len(head)) + text for head, text in zip(heads, texts, strict=True)
    ]
    full = max(map(len, padded), default=0)
    longest = max(map(len, texts), default=0)
    if full > max(WIDEST_POINT, longest):
        return [text.rjust(longest) for text in texts]
    return [text.ljust(full) for text in padded]


def wrap(spans: Iterable[Span], width: int | None, first: str = "", rest: str = "") -> Iterator[Line]:
    """Break running text at spaces.  A word wider than a line stays whole."""
    if width is None:
        yield _tidy([Span(first), *spans])
        return
    limit = min(width, READABLE)
    line, used, empty = [Span(first)], cells(first), True
    for word in _words(spans):
        size = sum(cells(piece.text) for piece in word)
        blank = cells(word[0].text) - cells(word[0].text.lstrip(" "))
        if not empty and used + size > limit:
            yield _tidy(line)
            line, used = [Span(rest)], cells(rest)
            word = [word[0]._replace(text=word[0].text.lstrip(" ")), *word[1:]]
            size -= blank
        line.extend(word)
        used, empty = used + size, False
    yield _tidy(line)


def _block(block: Block, width: int | None, encoding: str) -> Iterator[Line]:
    def clean(span: Span) -> Span:
        return span._replace(text=printable(span.text, encoding))

    match block:
        case Title():
            yield from wrap([Span(printable(block.text, encoding), "title")], width, rest=INDENT)
        case Paragraph():
            indent = INDENT if block.note else ""
            yield from wrap(map(clean, block.spans), width, indent, indent + INDENT)
        case Facts():
            margin = max(KEY_WIDTH, *(cells(key) for key, _ in block.rows)) + len(INDENT + GAP)
            for key, value in block.rows:
                first = Span(INDENT + key + " " * (margin - len(INDENT) - cells(key)), "key")
                for position, line in enumerate(wrap(map(clean, value), width, " " * margin, " " * margin)):
                    yield _tidy([first, *line[1:]]) if position == 0 else line
        case Verbatim(key=key, text=text):
            texts = [printable(line, encoding) for line in text.expandtabs(4).split("\n")]
            if len(texts) == 1 and (width is None or cells(INDENT + key + GAP + texts[0]) <= width):
                yield Span(INDENT + key + GAP, "key"), Span(texts[0])
            else:
                yield (Span(INDENT + key, "key"),)
                # The terminal breaks what is too long; from the margin, it can be copied as it was.
                indent = INDENT * 2
                if width is not None and max(map(cells, texts)) + len(indent) > width:
                    indent = ""
                yield from ((Span(indent + line),) for line in texts)
        case Figure():
            from gradcheck.reporting.characters import drawn  # not for the reports that show none

            yield (Span(INDENT + printable(block.picture.title, encoding), "key"),)
            room = min(width or READABLE, READABLE) - len(INDENT)
            yield from ((Span(INDENT + printable(line, encoding)),) for line in drawn(block.picture, room))
        case Table():
            rows = [tuple(map(clean, row)) for row in block.rows]
            columns = [column._replace(title=printable(column.title, encoding)) for column in block.columns]
            for aligned in (True, False):
                heading, rule, *lines = _table(columns, rows, aligned, printable("─", encoding))
                if width is None or cells(rule[0].text) <= width:
                    yield from (heading, rule, *lines)
                    return
            yield from _stacked(columns, rows, width or 0)


def _table(columns: Sequence[Column], rows: Sequence[Line], aligned: bool, rule: str) -> Iterator[Line]:
    """A heading, a rule as long as the widest line, and a line for each row; decimal points line up if `aligned`."""
    texts = [[row[k].text for row in rows] for k in range(len(columns))]
    if aligned:
        texts = [align_points(column) if columns[k].align == "point" else column for k, column in enumerate(texts)]
    widths = [max(map(cells, [column.title, *texts[k]])) for k, column in enumerate(columns)]
    heading = GAP.join(_pad(column.title, widths[k], column.align) for k, column in enumerate(columns))
    yield _tidy([Span(INDENT), Span(heading, "key")])
    yield (Span(INDENT + rule * (sum(widths) + len(GAP) * (len(columns) - 1)), "faint"),)
    for number, row in enumerate(rows):
        line = [Span(INDENT)]
        for k, column in enumerate(columns):
            line += [Span(_pad(texts[k][number], widths[k], column.align), row[k].tone), Span(GAP)]
        yield _tidy(line)


def _stacked(columns: Sequence[Column], rows: Sequence[Line], width: int) -> Iterator[Line]:
    """Each row as a few short lines: its name and verdict, then its values below each other."""
    inner = range(1, len(columns) - 1)
    margin = max((cells(columns[k].title) for k in inner if not columns[k].joins), default=0)
    for number, row in enumerate(rows):
        if number:
            yield ()
        name = f"{columns[0].title} {row[0].text}" if row[0].text.isdigit() else row[0].text
        yield from wrap([row[0]._replace(text=name), Span(GAP), row[-1]], width, INDENT, INDENT * 2)
        points = [k for k in takewhile(lambda k: not columns[k].joins, inner) if columns[k].align == "point"]
        values = {k: row[k].text for k in inner}
        values |= zip(points, (text.rstrip() for text in align_points([row[k].text for k in points])), strict=True)
        line: list[Span] = []
        for k in inner:
            joined = Span(f"{GAP}{columns[k].title} {values[k].strip()}")
            if columns[k].joins and line and sum(cells(span.text) for span in (*line, joined)) <= width:
                line.append(joined)
                continue
            if line:
                yield _tidy(line)
            title = columns[k].title
            line = [
                Span(INDENT * 2 + title + " " * max(0, margin - cells(title)) + GAP, "key"),
                Span(values[k], row[k].tone),
            ]
        if line:
            yield _tidy(line)


def _pad(text: str, width: int, align: str) -> str:
    padding = " " * (width - cells(text))
    return text + padding if align == "left" else padding + text


def _words(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """The words of a text, each with the blanks before it; one may change its tone within."""
    word: list[Span] = []
    for span in spans:
        start = 0
        for position, character in enumerate(span.text):
            blank_before = position == 0 or span.text[position - 1] == " "
            if character == " " and not blank_before:
                word.append(span._replace(text=span.text[start:position]))
                yield word
                word, start = [], position
            elif character == " " and position == 0 and any(piece.text.strip(" ") for piece in word):
                yield word
                word = []
        word.append(span._replace(text=span.text[start:]))
    if word:
        yield word


def _tidy(spans: Iterable[Span]) -> Line:
    """Without blanks at the end."""
    line = [span for span in spans if span.text]
    while line and not (text := line[-1].text.rstrip(" ")):
        line.pop()
    return (*line[:-1], line[-1]._replace(text=text)) if line else ()


def _cell_width(character: str) -> int:
    if character < "\u0300":  # nothing before the first combining mark is wide, and most reports end here
        return 1
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


__all__ = ["Line", "align_points", "cells", "printable", "typeset", "wrap"]
