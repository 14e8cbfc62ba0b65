"""The tables of a report: entries and directions, the worst first, and what is said below them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from gradcheck.model import EntryCheck, Status, Verdict
from gradcheck.reporting import numbers
from gradcheck.reporting.blocks import Column, Paragraph, Span, Table
from gradcheck.wording import counted, short

if TYPE_CHECKING:
    from gradcheck.model import DirectionCheck, Mistake, MutatedLine, Report
    from gradcheck.reporting.blocks import Block, Tone
    from gradcheck.reporting.formats import Display

GROUPS_SHOWN = 6  # distinct reasons for which entries could not be judged
DIGITS_SHOWN = 10  # significant digits of a value, unless its gap needs more or the reader wants all
CODE_SHOWN = 48  # characters of a line of source
NAMES_SHOWN = 4  # entries named beside each reason

_VERDICT_TONES: dict[Verdict, Tone] = {
    Verdict.PASS: "pass",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.FAIL: "fail",
    Verdict.ERROR: "error",
}
_LIMITED = {Status.NOISY, Status.BELOW_RESOLUTION, Status.ONE_SIDED, Status.KINK, Status.JUMP}
_LIMITED |= {Status.STEPS, Status.ORDER_DEPENDENT, Status.CONTRADICTORY, Status.NON_FINITE, Status.NOT_EXAMINED}


def verdict_span(verdict: Verdict) -> Span:
    """The word for a verdict."""
    return Span(verdict.name, _VERDICT_TONES[verdict])


def of(report: Report, display: Display) -> Iterator[Block]:
    """The tables of a report, each with its notes."""
    if report.directions:
        yield from _direction_table(report, display)
    shown = chosen(report.entries, display)
    if shown:
        yield from _entry_table(report, shown, display)
    if report.mistakes:
        yield from _self_test(report.mistakes)
    if report.mutations:
        yield from _mutations(report.mutations, display)


def chosen(entries: Sequence[EntryCheck], display: Display) -> list[EntryCheck]:
    """The entries to show, in the order wanted.  `entries` come worst first; by index means the worst, sorted."""
    limit = len(entries) if display.all_rows else display.rows
    if display.sort == "relative":
        from heapq import nsmallest  # not for the reports that do not ask for it

        return nsmallest(
            limit, entries, key=lambda e: (-e.verdict, -e.rel_error if e.rel_error == e.rel_error else -1e400)
        )
    worst = list(islice(entries, limit))
    return sorted(worst, key=lambda e: e.index) if display.sort == "index" else worst


_MEASURED = (
    Column("claimed", "point"),
    Column("numeric", "point"),
    Column("±", joins=True),
    Column("error", "point"),
    Column("relative", "point", joins=True),
)
_DETAIL = (Column("step"), Column("calls", joins=True), Column("status", "left", joins=True))


def _measured(check: EntryCheck | DirectionCheck, dtype: str, verbose: bool) -> Iterator[Span]:
    """The cells of an entry or a direction, from the claimed value on."""
    measured = check.estimate
    yield from map(
        Span,
        numbers.compared(
            check.claimed,
            measured.value,
            measured.uncertainty,
            show_gap=check.verdict is Verdict.FAIL,
            digits=None if verbose else DIGITS_SHOWN,
            dtype=dtype,
        ),
    )
    yield Span(numbers.short(check.abs_error))
    yield Span(numbers.short(check.rel_error))
    if verbose:
        yield Span(numbers.short(measured.step))
        yield Span(f"{measured.evaluations:,}")
        yield Span(measured.status.value)
    span = verdict_span(check.verdict)
    yield span._replace(text=f"{span.text} *") if getattr(check, "explained", False) else span


def _direction_table(report: Report, display: Display) -> Iterator[Block]:
    shown = report.directions if display.all_rows else sorted_directions(report.directions, display)
    several = len({d.point for d in report.directions}) > 1
    first = (Column("direction", "left"), *((Column("point"),) if several else ()))
    rows = tuple(
        (
            Span(str(d.number)),
            *((Span(str(d.point)),) if several else ()),
            *_measured(d, report.point.dtype, display.verbose),
        )
        for d in shown
    )
    yield Table((*first, *_MEASURED, *(_DETAIL if display.verbose else ()), Column("verdict", "left")), rows)
    yield from _omission(len(shown), len(report.directions), len(report.directions), "direction", display.flags)
    yield from reasons(report.directions, display.verbose)


def sorted_directions(directions: Sequence[DirectionCheck], display: Display) -> list[DirectionCheck]:
    """The worst directions, up to the number wanted, in their own order."""
    worst = sorted(directions, key=lambda d: (-d.verdict, d.number, d.point))[: display.rows]
    return sorted(worst, key=lambda d: (d.number, d.point))


def _entry_table(report: Report, shown: Sequence[EntryCheck], display: Display) -> Iterator[Block]:
    rows = tuple((Span(e.path), *_measured(e, report.point.dtype, display.verbose)) for e in shown)
    columns = (Column("entry", "left"), *_MEASURED, *(_DETAIL if display.verbose else ()), Column("verdict", "left"))
    yield Table(columns, rows)
    if any(e.explained for e in shown):
        yield Paragraph((Span("* explained by the diagnosis", "faint"),), note=True)
    total = len(report.entries) if report.directions else max(report.checked, len(report.entries))
    yield from _omission(len(shown), len(report.entries), total, "entry", display.flags)
    if report.inconclusive or display.verbose:
        yield from reasons(takewhile(lambda e: e.verdict > Verdict.PASS, report.entries), display.verbose)
    yield from _sides(e for e in shown if display.verbose or not e.reason)


def _self_test(mistakes: Sequence[Mistake]) -> Iterator[Block]:
    """What the check says of deliberate mistakes: those that it would miss come first."""
    rows = tuple(
        (Span(m.name), Span("no" if m.verdict is Verdict.PASS else "yes"), verdict_span(m.verdict))
        for m in sorted(mistakes, key=lambda m: m.verdict)
    )
    yield Table((Column("mistake", "left"), Column("caught", "left", joins=True), Column("verdict", "left")), rows)


def _mutations(lines: Sequence[MutatedLine], display: Display) -> Iterator[Block]:
    """The lines of the claim that were broken, as they stand in the source; of many, those that could be broken unseen."""
    told = [line for line in lines if line.made]
    limit = len(told) if display.all_rows else display.rows
    chosen = told if len(told) <= limit else [line for line in told if line.noticed < line.made][:limit]
    rows = tuple(
        (
            Span(f"{os.path.basename(line.where.file)}:{line.where.line}"),
            Span(short(line.where.text, CODE_SHOWN)),
            Span(short(line.survivor, CODE_SHOWN) if line.survivor else "-"),
            Span(f"{line.noticed} of {line.made}", "pass" if line.noticed == line.made else "inconclusive"),
        )
        for line in chosen
    )
    yield Table(
        (
            Column("line", "left"),
            Column("as it stands", "left"),
            Column("a mutant that passes", "left"),
            Column("noticed", "left"),
        ),
        rows,
    )
    yield from _omission(len(chosen), len(told), len(told), "line", display.flags)


def _omission(shown: int, recorded: int, total: int, noun: str, flags: bool) -> Iterator[Paragraph]:
    if shown < total:
        more = "them" if recorded == total else f"the worst {recorded:,}"
        hint = f"; --all shows {more}" if flags and shown < recorded else ""
        yield Paragraph((Span(f"{shown:,} of {counted(total, noun)} shown{hint}", "faint"),), note=True)


def reasons(checks: Iterable[EntryCheck | DirectionCheck], verbose: bool = False) -> Iterator[Paragraph]:
    """Why verdicts are not PASS and what to try, each reason once with the names of its entries."""
    groups: dict[tuple[str, Tone, str], list[str]] = {}
    for check in checks:
        if check.verdict is Verdict.PASS:
            continue
        if check.verdict is Verdict.FAIL and not (verbose and check.reason):
            continue
        status = check.estimate.status
        advice = status.advice if check.verdict is Verdict.INCONCLUSIVE and status in _LIMITED else ""
        reasons = [check.reason] if advice in check.reason else [check.reason, advice]
        span = verdict_span(check.verdict)
        key = span.text, span.tone, "; ".join(filter(None, reasons)) or "no reason was recorded"
        groups.setdefault(key, []).append(check.path if isinstance(check, EntryCheck) else f"direction {check.number}")
    for (word, tone, reason), names in islice(groups.items(), GROUPS_SHOWN):
        more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
        yield Paragraph(
            (Span(word, tone), Span(f"  {', '.join(names[:NAMES_SHOWN])}{more}: {reason}.".replace("..", "."))),
            note=True,
        )
    if len(groups) > GROUPS_SHOWN:
        rest = sum(map(len, islice(groups.values(), GROUPS_SHOWN, None)))
        more = f"{rest:,} more for {counted(len(groups) - GROUPS_SHOWN, 'other reason')}"
        yield Paragraph((Span(more, "faint"),), note=True)


def _sides(shown: Iterable[EntryCheck]) -> Iterator[Paragraph]:
    """The one-sided derivatives where they differ; a reason, where there is one, tells of them already."""
    for e in shown:
        left, right, kink = e.estimate.left, e.estimate.right, e.estimate.kink
        if left is None and right is None:
            continue
        sides = [f"{v:.6g} from the {side}" for v, side in ((left, "left"), (right, "right")) if v is not None]
        where = f", with a kink at a distance of {numbers.short(kink)}" if kink is not None else ""
        yield Paragraph((Span(f"{e.path}: derivative {' and '.join(sides)}{where}"),), note=True)
