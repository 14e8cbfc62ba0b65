"""What a report says, as blocks; how that looks is for the formats that take them.

Text, Markdown and HTML are made from the same blocks, so that they cannot tell different stories.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile

from gradcheck.model import (
    DiagnosisKind,
    DirectionCheck,
    EntryCheck,
    Finding,
    Kind,
    Report,
    Status,
    Target,
    Verdict,
)
from gradcheck.reporting import numbers
from gradcheck.reporting.blocks import Block, Column, Fact, Facts, Paragraph, Span, Table, Title, Tone, Verbatim
from gradcheck.reporting.formats import Display

GROUPS_SHOWN = 6  # distinct reasons for which entries could not be judged
DIGITS_SHOWN = 10  # significant digits of a value, unless its gap needs more or the reader wants all
NAMES_SHOWN = 4  # entries named beside each reason

_VERDICT_TONES: dict[Verdict, Tone] = {
    Verdict.PASS: "pass",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.FAIL: "fail",
    Verdict.ERROR: "error",
}
_LIMITED = {Status.NOISY, Status.BELOW_RESOLUTION, Status.ONE_SIDED, Status.KINK, Status.JUMP}
_LIMITED |= {Status.CONTRADICTORY, Status.NON_FINITE, Status.NOT_EXAMINED}


def blocks(reports: Sequence[Report], display: Display) -> list[list[Block]]:
    """The blocks of each report, then those of a summary where there is more than one report."""
    if display.quiet:
        return [[verdict_line(report, named=len(reports) > 1)] for report in reports]
    told = [list(report_blocks(report, display)) for report in reports]
    return [*told, summary(reports)] if len(reports) > 1 else told


def report_blocks(report: Report, display: Display) -> Iterator[Block]:
    """One report from what was checked to the verdict, which comes last: it is what a terminal shows."""
    yield Title(f"{report.kind.value} of {report.name}")
    yield Facts(tuple(_what(report, display.verbose)))
    if report.trouble:
        yield Verbatim("traceback", report.trouble.rstrip("\n"))
    if report.directions:
        yield from _direction_table(report, display)
    shown = chosen(report.entries, display)
    if shown:
        yield from _entry_table(report, shown, display)
    explanation = [
        *_findings(report.findings, display.verbose),
        *_diagnoses(report, display.verbose),
        *_closing(report, display),
    ]
    if explanation:
        yield Facts(tuple(explanation))
    yield verdict_line(report)
    if report.replay:
        yield Verbatim("replay", report.replay)


def verdict_line(report: Report, *, named: bool = False) -> Paragraph:
    """The verdict, then one plain sentence."""
    name = (Span(f"{report.name}: "),) if named else ()
    return Paragraph((verdict_span(report.verdict), Span("  "), *name, Span(report.headline)))


def verdict_span(verdict: Verdict) -> Span:
    """The word for a verdict."""
    return Span(verdict.name, _VERDICT_TONES[verdict])


def summary(reports: Sequence[Report]) -> list[Block]:
    """One line a report, and how many came to which verdict."""
    columns = (
        Column("check", "left"),
        Column("kind", "left", joins=True),
        Column("result", "left"),
        Column("digits", joins=True),
        Column("verdict", "left"),
    )
    rows = tuple(
        (
            Span(report.name),
            Span(report.kind.value),
            Span(_result(report)),
            Span("-" if report.resolution.digits is None else str(report.resolution.digits)),
            verdict_span(report.verdict),
        )
        for report in reports
    )
    return [Title(f"{len(reports)} checks"), Table(columns, rows), Paragraph(tuple(_verdict_counts(reports)))]


def _result(report: Report) -> str:
    if report.failed:
        return f"{report.failed:,} of {report.checked:,} failed"
    if report.inconclusive:
        return f"{report.inconclusive:,} of {report.checked:,} inconclusive"
    return f"{report.checked:,} agree" if report.checked else "nothing compared"


def _verdict_counts(reports: Sequence[Report]) -> Iterator[Span]:
    counts = Counter(report.verdict for report in reports)
    for position, verdict in enumerate(sorted(counts, reverse=True)):
        if position:
            yield Span(", ")
        yield Span(f"{counts[verdict]:,} ")
        yield verdict_span(verdict)


def location(target: Target) -> str:
    """file:line of a callable, relative to the working directory if it lies below it; '' if unknown."""
    if target.file is None:
        return ""
    return relative(target.file) + (f":{target.line}" if target.line is not None else "")


def relative(file: str) -> str:
    """A path below the working directory relative to it, with forward slashes; any other path as it is."""
    try:
        short = os.path.relpath(file)
    except ValueError:  # another drive
        return file
    return file if short.startswith(os.pardir) else short.replace(os.sep, "/")


def _what(report: Report, verbose: bool) -> Iterator[Fact]:
    for key, target in (("function", report.target), (report.kind.value, report.claim)):
        yield _fact(key, "  ".join(filter(None, (target.name, location(target)))))
    yield _fact("point", _point(report, verbose))
    yield _fact("method", report.method.value)
    yield _fact("engine", report.engine)
    calls = f"{_count(report.nfev, 'evaluation')} of the function, {report.ngev:,} of the {report.kind.value}"
    yield _fact("cost", f"{calls}, {numbers.duration(report.seconds)}")
    yield _fact("tolerance", f"relative {report.tolerance.rtol:g}, absolute {report.tolerance.atol:g}")
    if report.noise is not None:
        yield _fact("noise", f"{numbers.short(report.noise)} in the values of the function")
    if verbose:
        if report.options:
            yield _fact("options", ", ".join(f"{key} {value}" for key, value in report.options.items()))
        yield _fact("versions", ", ".join(f"{key} {value}" for key, value in report.versions.items()))


def _point(report: Report, verbose: bool) -> str:
    point = report.point
    if len(point.shape) == 1:
        parts = [_count(point.size, "entry")]
    else:
        parts = [f"shape {_times(point.shape)}" if point.shape else "a single number"]
    if report.kind in (Kind.JACOBIAN, Kind.HESSIAN):
        parts.append(f"{report.kind.value} {_times(report.shape)}")
    parts += [point.dtype, point.origin]
    if point.seed is not None and "seed" not in point.origin:
        parts.append(f"seed {point.seed}")
    if point.values and (verbose or len(point.values) <= 3):
        parts.append(f"at ({', '.join(numbers.exact(v, point.dtype) for v in point.values)})")
    return ", ".join(parts)


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "1"


def chosen(entries: Sequence[EntryCheck], display: Display) -> list[EntryCheck]:
    """The entries to show, in the order wanted.  `entries` come worst first; by index means the worst, sorted."""
    limit = len(entries) if display.all_rows else display.top
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
    yield from _omission(len(shown), len(report.directions), len(report.directions), "direction")
    yield from _reasons(report.directions, display.verbose)


def sorted_directions(directions: Sequence[DirectionCheck], display: Display) -> list[DirectionCheck]:
    """The worst directions, up to the number wanted, in their own order."""
    worst = sorted(directions, key=lambda d: (-d.verdict, d.number, d.point))[: display.top]
    return sorted(worst, key=lambda d: (d.number, d.point))


def _entry_table(report: Report, shown: Sequence[EntryCheck], display: Display) -> Iterator[Block]:
    rows = tuple((Span(e.path), *_measured(e, report.point.dtype, display.verbose)) for e in shown)
    columns = (Column("entry", "left"), *_MEASURED, *(_DETAIL if display.verbose else ()), Column("verdict", "left"))
    yield Table(columns, rows)
    if any(e.explained for e in shown):
        yield Paragraph((Span("* explained by the diagnosis below", "faint"),), note=True)
    total = len(report.entries) if report.directions else max(report.checked, len(report.entries))
    yield from _omission(len(shown), len(report.entries), total, "entry")
    if report.inconclusive or display.verbose:
        yield from _reasons(takewhile(lambda e: e.verdict > Verdict.PASS, report.entries), display.verbose)
    yield from _sides(e for e in shown if display.verbose or not e.reason)


def _omission(shown: int, recorded: int, total: int, noun: str) -> Iterator[Paragraph]:
    if shown < total:
        hint = (
            "; --all shows them"
            if shown < recorded == total
            else f"; --all shows {recorded:,}"
            if shown < recorded
            else ""
        )
        yield Paragraph((Span(f"{shown:,} of {_count(total, noun)} shown{hint}", "faint"),), note=True)


def _reasons(checks: Iterable[EntryCheck | DirectionCheck], verbose: bool) -> Iterator[Block]:
    """Why verdicts are not PASS and what to try, each reason once with the names of its entries."""
    groups: dict[tuple[str, Tone, str], list[str]] = {}
    for check in checks:
        if check.verdict is Verdict.PASS:
            continue
        if check.verdict is Verdict.FAIL and not (verbose and check.reason):
            continue
        status = check.estimate.status
        advice = status.advice if check.verdict is Verdict.INCONCLUSIVE and status in _LIMITED else ""
        said = [check.reason] if advice in check.reason else [check.reason, advice]
        span = verdict_span(check.verdict)
        key = span.text, span.tone, "; ".join(filter(None, said)) or "no reason was recorded"
        groups.setdefault(key, []).append(check.path if isinstance(check, EntryCheck) else f"direction {check.number}")
    for (word, tone, reason), names in islice(groups.items(), GROUPS_SHOWN):
        more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
        yield Paragraph(
            (Span(word, tone), Span(f"  {', '.join(names[:NAMES_SHOWN])}{more}: {reason}.".replace("..", "."))),
            note=True,
        )
    if len(groups) > GROUPS_SHOWN:
        rest = sum(map(len, islice(groups.values(), GROUPS_SHOWN, None)))
        yield Paragraph(
            (Span(f"{_count(rest, 'more')} for {len(groups) - GROUPS_SHOWN:,} other reasons", "faint"),), note=True
        )


def _sides(shown: Iterable[EntryCheck]) -> Iterator[Paragraph]:
    """The one-sided derivatives where they differ; a reason, where there is one, tells of them already."""
    for e in shown:
        left, right, kink = e.estimate.left, e.estimate.right, e.estimate.kink
        if left is None and right is None:
            continue
        sides = [f"{v:.6g} from the {side}" for v, side in ((left, "left"), (right, "right")) if v is not None]
        where = f", with a kink at a distance of {numbers.short(kink)}" if kink is not None else ""
        yield Paragraph((Span(f"{e.path}: derivative {' and '.join(sides)}{where}"),), note=True)


def _findings(findings: Iterable[Finding], verbose: bool) -> Iterator[Fact]:
    for finding in findings:
        word = (verdict_span(finding.verdict), Span(": ")) if finding.verdict > Verdict.PASS else ()
        evidence = f" ({_pairs(finding.evidence.items())})" if verbose and finding.evidence else ""
        yield "finding", (*word, Span(f"{finding.message}{evidence}"))


def _diagnoses(report: Report, verbose: bool) -> Iterator[Fact]:
    for diagnosis in report.diagnoses:
        parts = [diagnosis.message, diagnosis.advice]
        if verbose and diagnosis.kind is not DiagnosisKind.UNEXPLAINED:
            parts.append(f"Explains {diagnosis.explained:.0%} of the wrong entries.")
        if verbose and diagnosis.parameters:
            parts.append(f"({_pairs(diagnosis.parameters.items())})")
        yield _fact("diagnosis", " ".join(filter(None, parts)))


def _fact(key: str, text: str) -> Fact:
    return key, (Span(text),)


def _pairs(items: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{key} {value}" for key, value in items)


def _closing(report: Report, display: Display) -> Iterator[Fact]:
    yield _fact("counts", _tally(report))
    if report.resolution.sentence:
        yield _fact("resolution", report.resolution.sentence)
    for part, absolute in report.resolution.parts if display.verbose else ():
        yield _fact("", f"{part}: {numbers.short(absolute)}")
    for note in report.notes:
        yield _fact("note", note)
    if report.interrupted:
        yield _fact("stopped", "before the end: what is here is valid, but not everything was examined")


def _tally(report: Report) -> str:
    noun = "entry" if report.entries or not report.directions else "direction"
    checked = f"{_count(report.checked, noun)} compared"
    return f"{checked}, {report.failed:,} failed, {report.inconclusive:,} inconclusive"


def _count(number: int, noun: str) -> str:
    if noun == "more" or number == 1:
        return f"{number:,} {noun}"
    return f"{number:,} {'entries' if noun == 'entry' else noun + 's'}"
