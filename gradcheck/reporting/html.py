"""Reports as one HTML page that needs nothing else: no network, and no script to be read.

What did not pass comes first, with its verdict and cause on top and its pictures below; what passed is folded away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from gradcheck.model import Report, Verdict
from gradcheck.reporting import layout, page, svg, tables
from gradcheck.reporting.blocks import Block, Column, Fact, Paragraph, Span, Table, Verbatim
from gradcheck.reporting.formats import DEFAULT, Display
from gradcheck.reporting.lines import align_points, printable
from gradcheck.reporting.pictures import pictures

ROWS = 60  # of the table of a check that did not pass, unless told otherwise
_LOUD = ("pass", "inconclusive", "fail", "error")


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """A page: what it comes to, a summary with links where there are several reports, then each of them."""
    content = [
        (number, layout.story(report, _with_rows(report, display)), report)
        for number, report in enumerate(sorted(layout.shown(reports, display), key=lambda r: -r.verdict), 1)
    ]
    kinds = _Kinds()
    body = [_heading(reports)]
    if len(reports) > 1 and content:
        body += ["<h2>Summary</h2>", *_summary([report for *_, report in content], display)]
    for number, story, report in content:
        body += _check(f"c{number}", story, report, kinds, alone=len(content) == 1)
    verdict = max((report.verdict for report in reports), default=None)
    title = "gradcheck" if verdict is None else f"{verdict.name}: gradcheck of {', '.join(r.name for r in reports[:3])}"
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{page.STYLE}{kinds.style}</style>\n</head>\n"
        '<body class="gradcheck">\n<main>'
    )
    return "\n".join((head, *body, f"</main>\n<script>\n{page.SCRIPT}</script>\n</body>\n</html>\n"))


def fragment(report: Report) -> str:
    """One report, for a notebook: what a page has, without its script."""
    kinds = _Kinds()
    story = layout.story(report, _with_rows(report, DEFAULT))
    body = [_heading([report]), *_check(f"g{id(report):x}", story, report, kinds, alone=True)]
    return "\n".join(('<div class="gradcheck">', f"<style>\n{page.STYLE}{kinds.style}</style>", *body, "</div>"))


def _with_rows(report: Report, display: Display) -> Display:
    return display._replace(top=ROWS) if display.top is None and report.verdict else display


def _heading(reports: Sequence[Report]) -> str:
    if len(reports) == 1:
        return f"<h1>{_badge(reports[0].verdict)}{_text(f'{reports[0].kind.value} of {reports[0].name}')}</h1>"
    worst = max((report.verdict for report in reports), default=None)
    badge = _badge(worst) if worst is not None else ""
    return f"<h1>{badge}gradcheck</h1>\n<p>{''.join(map(_span, layout.counts(reports).spans))}</p>"


def _badge(verdict: Verdict) -> str:
    return f'<span class="badge {verdict.name.lower()}">{verdict.name}</span> '


def _summary(reports: Sequence[Report], display: Display) -> Iterator[str]:
    """A row for each check, which leads to it."""
    yield '<div class="wide"><table class="summary">\n<thead><tr><th class="l">verdict<th class="l">check<th class="l">kind'
    yield '<th class="l">result<th>digits</tr></thead>\n<tbody>'
    for number, report in enumerate(reports, 1):
        name, digits = _text(report.name), report.resolution.digits
        yield (
            f'<tr><td>{_span(tables.verdict_span(report.verdict))}<td><a href="#c{number}">{name}</a><td>{report.kind.value}'
            f"<td>{layout.result(report)}<td>{'-' if digits is None else digits}</tr>"
        )
    yield "</tbody></table></div>"


def _check(name: str, story: layout.Story, report: Report, kinds: _Kinds, *, alone: bool) -> Iterator[str]:
    look = "f" if report.verdict >= Verdict.FAIL else "i" if report.verdict else "p"
    if alone:
        yield f'<section class="check {look}">'
    else:
        folded = " open" if report.verdict else ""
        title = f"{_badge(report.verdict)}<h2>{_text(story.title.text)}</h2>"
        yield f'<details class="check {look}"{folded}><summary>{title}</summary>'
    yield f'<div id="{name}">\n<p class="verdict">{_text(report.headline)}</p>'
    if story.cause:
        yield f'<div class="cause">{_facts(story.cause)}</div>'
    yield from map(_verbatim, story.trouble)
    drawn = [
        f"<figure>{svg.inline(picture, f'{name}p{k}')}<figcaption><b>{_text(picture.title)}</b>{_text(picture.story)}"
        "</figcaption></figure>"
        for k, picture in enumerate(pictures(report))
    ]
    if drawn:
        yield "\n".join(('<div class="pictures">', *drawn, "</div>"))
    yield from _tables(story.tables, kinds)
    yield _facts(story.remarks)
    yield f'<details class="how"><summary>How it was measured</summary>{_facts(story.what)}</details>'
    yield from map(_verbatim, story.replay)
    yield f"</div>\n</{'section' if alone else 'details'}>"


def _facts(rows: Iterable[Fact]) -> str:
    content = (f"<dt>{_text(key)}<dd>{''.join(map(_span, value))}" for key, value in rows)
    return "\n".join(("<dl>", *content, "</dl>"))


def _verbatim(block: Verbatim) -> str:
    shown = "\n".join(_text(line) for line in block.text.expandtabs(4).split("\n"))
    return f'<p class="faint">{_text(block.key)}</p>\n<pre tabindex="0">{shown}</pre>'


# ---- tables


class _Kinds:
    """The columns that the tables of a page have, each told apart by a class, so that narrow screens show their titles."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], str] = {}

    def name(self, titles: tuple[str, ...]) -> str:
        """The class of tables with these columns."""
        return self._known.setdefault(titles, f"k{len(self._known)}")

    @property
    def style(self) -> str:
        """The titles, as contents before the cells where a row is no line."""
        rules = (
            f'  .{name} td:nth-child({k})::before {{ content: "{title}"; }}\n'
            for titles, name in self._known.items()
            for k, title in enumerate(titles, 1)
            if k > 2
        )
        return f"@media (max-width: 40rem) {{ .gradcheck {{\n{''.join(rules)}}} }}\n"


def _tables(content: Iterable[Block], kinds: _Kinds) -> Iterator[str]:
    for block in content:
        if isinstance(block, Table):
            yield _table(block, kinds)
        elif isinstance(block, Paragraph):
            yield f"<p>{''.join(map(_span, block.spans))}</p>"


def _table(block: Table, kinds: _Kinds) -> str:
    """A table with its verdicts next to the names, where a narrow screen shows them."""

    def turned(row: Sequence[str]) -> list[str]:
        return [row[0], row[-1], *row[1:-1]]

    texts = [_cells(column, [row[k].text for row in block.rows]) for k, column in enumerate(block.columns)]
    aligned = turned([' class="l"' if column.align == "left" else "" for column in block.columns])
    titles = turned([column.title for column in block.columns])
    heads = "".join(f"<th{kind}>{_text(title)}" for kind, title in zip(aligned, titles, strict=True))
    lines = (
        turned([_span(Span(texts[k][n], span.tone)) for k, span in enumerate(row)]) for n, row in enumerate(block.rows)
    )
    rows = ("".join(f"<td{kind}>{cell}" for kind, cell in zip(aligned, line, strict=True)) for line in lines)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    name = kinds.name(tuple(titles))
    table = f'<table class="entries {name}">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'
    return f'<div class="wide">{table}</div>'


def _cells(column: Column, texts: list[str]) -> list[str]:
    return align_points(texts) if column.align == "point" else texts


def _span(span: Span) -> str:
    text = _text(span.text)
    if span.tone in _LOUD:
        return f'<b class="{span.tone}">{text}</b>'
    return f'<span class="faint">{text}</span>' if span.tone == "faint" else text


def _text(text: str) -> str:
    return escape(printable(text))
