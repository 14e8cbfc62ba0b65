"""What a report says, as blocks; how that looks is for the formats that take them.

Text, Markdown and HTML are made from the same blocks, so that they cannot tell different stories.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from gradcheck.model import (
    DiagnosisKind,
    Kind,
    Method,
    Stop,
    Verdict,
    ended_early,
)
from gradcheck.reporting import numbers, tables
from gradcheck.reporting.blocks import Column, Facts, Figure, Paragraph, Span, Table, Title, Verbatim
from gradcheck.wording import counted

if TYPE_CHECKING:
    from gradcheck.model import (
        Finding,
        Fix,
        Report,
        Target,
        ToleranceLaw,
    )
    from gradcheck.reporting.blocks import Block, Fact
    from gradcheck.reporting.formats import Display

NAMED = 10  # reports that did not pass and are named before and after all others
LEAVES_SHOWN = 8  # arrays of a tree that are named with their shapes
KINDS_SHOWN = 3  # diagnoses or findings whose explanation is offered


class Story(NamedTuple):
    """A report in the parts that formats put in their own order.

    verdict: the word, then one plain sentence.
    what: function, derivative and point, then how they were compared.
    trouble: the traceback of user code.
    tables: of directions and entries, each with the notes below it.
    cause: what explains the verdict: diagnoses, and what the examination of the callables showed.
    remarks: what else was noticed, counts and resolution.
    replay: the command that repeats the check, and a test that does.
    """

    title: Title
    verdict: Paragraph
    what: tuple[Fact, ...]
    trouble: tuple[Verbatim, ...]
    tables: tuple[Block, ...]
    cause: tuple[Fact, ...]
    remarks: tuple[Fact, ...]
    replay: tuple[Verbatim, ...]


def story(report: Report, display: Display) -> Story:
    """All that is told of a report."""
    blamed = [finding for finding in report.findings if finding.verdict > Verdict.PASS]
    others = [finding for finding in report.findings if finding.verdict is Verdict.PASS]
    causes = [kind.value for kind in (*(d.kind for d in report.diagnoses), *(f.kind for f in blamed))]
    noticed = [finding.kind.value for finding in others if finding.kind.value not in causes]
    return Story(
        title=Title(f"{report.kind.value} of {report.name}"),
        verdict=verdict_line(report),
        what=tuple(_what(report, display.verbose)),
        trouble=(Verbatim("traceback", report.trouble.rstrip("\n")),) if report.trouble else (),
        tables=tuple(tables.of(report, display)),
        cause=(
            *_findings(blamed, display.verbose),
            *_diagnoses(report, display.verbose),
            *_fixes(report),
            *_explained(causes),
        ),
        remarks=(*_findings(others, display.verbose), *_explained(noticed), *_closing(report, display)),
        replay=tuple(Verbatim(key, text) for key, text in (("replay", report.replay), ("test", report.test)) if text),
    )


def shown(reports: Sequence[Report], display: Display) -> list[Report]:
    """Those to tell of, one after another."""
    return [report for report in reports if report.verdict or not display.failures]


def report_blocks(report: Report, display: Display) -> Iterator[Block]:
    """One report from what was checked to the verdict, which comes last: it is what a terminal shows."""
    content = story(report, display)
    yield content.title
    yield Facts(content.what)
    yield from content.trouble
    yield from content.tables
    if display.verbose:
        from gradcheck.reporting.pictures import curve, grid  # not for the reports that show none

        yield from (Figure(picture) for picture in (grid(report), curve(report)) if picture is not None)
    yield Facts((*content.cause, *content.remarks))
    yield content.verdict
    yield from content.replay


def verdict_line(report: Report, *, named: bool = False) -> Paragraph:
    """The verdict, then one plain sentence."""
    name = (Span(f"{report.name}: "),) if named else ()
    return Paragraph((tables.verdict_span(report.verdict), Span("  "), *name, Span(report.headline)))


def opening(reports: Sequence[Report]) -> list[Block]:
    """How many came to which verdict, then a sentence for each of those that did not pass, the worst first."""
    bad = sorted((report for report in reports if report.verdict), key=lambda report: -report.verdict)
    content: list[Block] = [counts(reports)]
    content += (verdict_line(report, named=True)._replace(note=True) for report in bad[:NAMED])
    if len(bad) > NAMED:
        content.append(Paragraph((Span(f"and {len(bad) - NAMED:,} more", "faint"),), note=True))
    return content


def summary(reports: Sequence[Report], display: Display) -> list[Block]:
    """One line a report, the same sentences, and last how many came to which verdict."""
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
            Span(result(report)),
            Span("-" if report.resolution.digits is None else str(report.resolution.digits)),
            tables.verdict_span(report.verdict),
        )
        for report in shown(reports, display)
    )
    first, *rest = opening(reports)
    return [Table(columns, rows), *rest, first] if rows else [first]


def result(report: Report) -> str:
    """What the comparison came to, in a few words."""
    if report.failed:
        return f"{report.failed:,} of {report.checked:,} wrong"
    if report.inconclusive:
        return f"{report.inconclusive:,} of {report.checked:,} not judged"
    return f"{report.checked:,} agree" if report.checked else "nothing compared"


def counts(reports: Sequence[Report]) -> Paragraph:
    """How many came to which verdict."""
    spans = [Span(f"{counted(len(reports), 'check')}: " if reports else "no checks")]
    found = Counter(report.verdict for report in reports)
    for position, verdict in enumerate(sorted(found, reverse=True)):
        spans += [Span(", ")] if position else []
        spans += [Span(f"{found[verdict]:,} "), tables.verdict_span(verdict)]
    return Paragraph(tuple(spans))


def location(target: Target) -> str:
    """file:line of a callable, relative to the working directory if it lies below it; '' if unknown."""
    if target.file is None:
        return ""
    return relative(target.file) + (f":{target.line}" if target.line is not None else "")


def relative(file: str, folder: str = os.curdir) -> str:
    """A path below a folder, by default the working directory, relative to it, with forward slashes; any other as it is."""
    try:
        short = os.path.relpath(file, folder)
    except ValueError:  # another drive
        return file
    return file if short.startswith(os.pardir) else short.replace(os.sep, "/")


def _what(report: Report, verbose: bool) -> Iterator[Fact]:
    for key, target in (("function", report.target), (report.kind.value, report.claim)):
        yield _fact(key, "  ".join(filter(None, (target.name, location(target)))))
    yield _fact("point", _point(report, verbose))
    if report.further:
        yield _fact("elsewhere", _elsewhere(report))
    if report.convention is not None:
        yield _fact("convention", _convention(report))
    yield _fact("method", report.method.value)
    yield _fact("engine", report.engine)
    calls = f"{counted(report.nfev, 'evaluation')} of the function, {report.ngev:,} of the {report.kind.value}"
    yield _fact("cost", f"{calls}, {numbers.duration(report.seconds)}")
    yield _fact("tolerance", f"relative {report.tolerance.rtol:g}, absolute {report.tolerance.atol:g}")
    if report.plan is not None and report.stopped is not Stop.PLAN:
        yield _fact("plan", report.plan.sentence)
    if report.law is not None:
        yield _fact("law", _law(report.law))
    if report.noise is not None:
        yield _fact("noise", f"{numbers.short(report.noise)} in the values of the function")
    if verbose:
        if report.options:
            yield _fact("options", ", ".join(f"{key} {value}" for key, value in report.options.items()))
        yield _fact("versions", ", ".join(f"{key} {value}" for key, value in report.versions.items()))


def _law(law: ToleranceLaw) -> str:
    """The gap at each level."""
    parts = [
        f"{level:g}: {numbers.short(gap)}" + (f" ± {numbers.short(noise)}" if noise > gap / 10 else "")
        for level, gap, noise in zip(law.levels, law.gaps, law.noise, strict=True)
    ]
    return f"gap, relative, at {law.knob} {', '.join(parts)}"


def _convention(report: Report) -> str:
    """What a derivative by complex variables was taken to mean, and what else it could be."""
    one, *others = report.conventions
    demanded = "convention" in report.options
    what = f"{one.value}: {one.formula}, as in {one.used_by}"
    if demanded:
        return f"{what}, as demanded"
    if report.verdict is Verdict.FAIL:
        return f"{what}: the one that fits best, and it does not hold"
    if others:
        return f"{what}; or {', '.join(other.value for other in others)}: they cannot be told apart here"
    return what


def _point(report: Report, verbose: bool) -> str:
    point = report.point
    if point.leaves:
        shown = [f"{name} {_times(shape)}" if shape else name for name, shape in point.leaves[:LEAVES_SHOWN]]
        more = ["…"] if len(point.leaves) > LEAVES_SHOWN else []
        parts = [f"{counted(point.size, 'entry')} ({', '.join(shown + more)})"]
    elif len(point.shape) == 1:
        parts = [counted(point.size, "entry")]
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


def _elsewhere(report: Report) -> str:
    """Of which kinds the further points are, and where the derivative is not right."""
    found: dict[str, list[Verdict]] = {}
    for number, point in enumerate(report.further, 1):
        found.setdefault(point.origin, []).append(max(d.verdict for d in report.directions if d.point == number))
    parts = [kind + (f" ({len(verdicts):,})" if len(verdicts) > 1 else "") for kind, verdicts in found.items()]
    wrong = [kind for kind, verdicts in found.items() if max(verdicts) is Verdict.FAIL]
    return f"{counted(len(report.further), 'more point')}: {', '.join(parts)}" + (
        f"; wrong {', '.join(wrong)}" if wrong else ""
    )


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "1"


def _findings(findings: Iterable[Finding], verbose: bool) -> Iterator[Fact]:
    for finding in findings:
        word = (tables.verdict_span(finding.verdict), Span(": ")) if finding.verdict > Verdict.PASS else ()
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


def _fixes(report: Report) -> Iterator[Fact]:
    """Changes of the source, or the line that the evidence points to."""
    if report.fixes:
        yield from (_fact("fix" if fix.certain else "fix?", change(fix)) for fix in report.fixes)
        if not report.fixes[0].certain:
            yield _fact("", "each agrees with all that was measured; what they mean elsewhere differs")
        return
    where = next((d.where for d in report.diagnoses if d.where is not None), None)
    if where is not None:
        yield _fact("line", f"{relative(where.file)}:{where.line}   {where.text}")


def change(fix: Fix) -> str:
    """A fix in one line: where, what stands there, and what should."""
    from gradcheck.reporting.changes import in_words  # of use to fixes only

    return f"{relative(fix.file)}:{fix.line}   {in_words(fix)}"


def _explained(kinds: Iterable[str]) -> Iterator[Fact]:
    """The commands that explain these diagnoses or findings."""
    if named := list(dict.fromkeys(kinds))[:KINDS_SHOWN]:
        yield _fact("explain", ", ".join(f"gradcheck --explain {kind}" for kind in named))


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
    if report.interrupted and report.stopped is not Stop.PLAN:
        yield _fact("stopped", f"{ended_early(report)}. What is here is valid.")


def _tally(report: Report) -> str:
    """Counts that add up to what was compared."""
    searched = bool(report.entries) and report.method is Method.DIRECTIONS
    noun = "entry" if report.entries or not report.directions else "direction"
    lost = sum(1 for _ in takewhile(lambda e: e.verdict is Verdict.ERROR, report.entries))
    agree = report.checked - report.failed - report.inconclusive - lost
    parts = (
        (0 if searched else agree, "agrees" if agree == 1 else "agree"),
        (report.failed, "wrong"),
        (report.inconclusive, "not judged"),
        (lost, "claimed to be no number"),
    )
    figures = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    done = "searched along random directions" if searched else "compared"
    return f"{counted(report.checked, noun)} {done}" + (f": {figures}" if figures else "")
