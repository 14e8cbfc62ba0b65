"""Reports as one small HTML page that needs nothing else: no script, no picture, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from gradcheck.model import Report
from gradcheck.reporting.blocks import Block, Facts, Paragraph, Span, Table, Title, Verbatim
from gradcheck.reporting.formats import DEFAULT, Display
from gradcheck.reporting.layout import blocks
from gradcheck.reporting.lines import align_points, printable

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{
  color-scheme: light dark; --faint: #6a737d; --line: #8884; --pass: #1a7f37;
  --fail: #c62828; --doubt: #9a6700;
}}
@media (prefers-color-scheme: dark) {{
  :root {{ --faint: #9aa4af; --pass: #56c271; --fail: #ff7b72; --doubt: #e3b341; }}
}}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
section {{ margin: 0 0 3rem; }}
h2 {{ font-size: 1.2rem; margin: 0 0 1rem; overflow-wrap: anywhere; }}
dl {{ display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .1rem 1.2rem; margin: 1rem 0; }}
dt, th, .faint {{ color: var(--faint); font-weight: normal; }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
.note {{ margin: .3rem 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .15rem .8rem .15rem 0; text-align: right; white-space: pre; }}
th {{ border-bottom: 1px solid var(--line); }}
td {{ font-family: ui-monospace, monospace; font-size: .9rem; }}
.left {{ text-align: left; }}
pre {{ overflow-x: auto; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: .4rem; font-size: .9rem; }}
b.pass {{ color: var(--pass); }} b.fail, b.error {{ color: var(--fail); }} b.inconclusive {{ color: var(--doubt); }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
_LOUD = ("pass", "inconclusive", "fail", "error")


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """A page with the summary first where there are several reports, then each of them."""
    told = blocks(reports, display)
    if len(reports) > 1:
        told.insert(0, told.pop())
    sections = ("\n".join(("<section>", *_blocks(its_blocks), "</section>")) for its_blocks in told)
    verdict = max((report.verdict for report in reports), default=None)
    title = "gradcheck" if verdict is None else f"{verdict.name}: gradcheck of {', '.join(r.name for r in reports[:3])}"
    return _PAGE.format(title=_text(title), body="\n".join(sections))


def _blocks(told: Sequence[Block]) -> Iterator[str]:
    for block in told:
        match block:
            case Title():
                yield f"<h2>{_text(block.text)}</h2>"
            case Paragraph():
                yield f"<p{' class=note' if block.note else ''}>{''.join(map(_span, block.spans))}</p>"
            case Facts():
                rows = (f"<dt>{_text(key)}</dt><dd>{''.join(map(_span, value))}</dd>" for key, value in block.rows)
                yield "\n".join(("<dl>", *rows, "</dl>"))
            case Verbatim(key=key, text=text):
                shown = "\n".join(_text(line) for line in text.expandtabs(4).split("\n"))
                yield f'<p class="faint">{_text(key)}</p>\n<pre>{shown}</pre>'
            case Table():
                yield _table(block)


def _table(block: Table) -> str:
    columns = [[span.text for span in cells] for cells in zip(*block.rows, strict=True)]
    texts = [align_points(c) if block.columns[k].align == "point" else c for k, c in enumerate(columns)]
    kinds = [' class="left"' if column.align == "left" else "" for column in block.columns]
    heads = "".join(f"<th{kinds[k]}>{_text(column.title)}</th>" for k, column in enumerate(block.columns))
    lines = (
        "".join(f"<td{kinds[k]}>{_span(Span(texts[k][n], span.tone))}</td>" for k, span in enumerate(row))
        for n, row in enumerate(block.rows)
    )
    rows = (f"<tr>{line}</tr>" for line in (heads, *lines))
    return "\n".join(('<div class="wide"><table>', *rows, "</table></div>"))


def _span(span: Span) -> str:
    text = _text(span.text)
    if span.tone in _LOUD:
        return f'<b class="{span.tone}">{text}</b>'
    return f'<span class="faint">{text}</span>' if span.tone == "faint" else text


def _text(text: str) -> str:
    return escape(printable(text))
