"""The report of a check, with its target, its point and its resolution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradcheck.model.vocabulary import Convention, DiagnosisKind, FindingKind, Kind, Method, Stop, Verdict
from gradcheck.wording import counted

if TYPE_CHECKING:
    from gradcheck.model.costly import Plan, ToleranceLaw
    from gradcheck.model.diagnoses import Diagnosis, Fix, Where
    from gradcheck.model.directions import DirectionCheck
    from gradcheck.model.entries import EntryCheck, Tolerance
    from gradcheck.model.findings import Finding
    from gradcheck.model.mutations import Mistake, MutatedLine
    from gradcheck.model.pictured import ErrorMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A callable under examination: its name, and where it is written, if that is known."""

    name: str
    file: str | None = None
    line: int | None = None


FOUND = "found by reach"  # the origin of a point that was looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where the check was made.

    origin: how the point came about, such as 'random normal' or the file it was read from.
    seed: of a random point, else None.
    values: its entries in C order when there are few, else ().
    leaves: of a tree, the name and the shape of each array that is a variable.
    """

    shape: tuple[int, ...]
    dtype: str
    origin: str
    seed: int | None = None
    values: tuple[float, ...] = ()
    leaves: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def size(self) -> int:
        """Number of entries d."""
        size = 1
        for n in self.shape:
            size *= n
        return size


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the check could have seen.

    absolute: any entry off by more than this would have been caught.
    digits: every entry that passed agrees to at least this many significant digits (of the larger of itself and
        what is ordinary for its neighbours); None if nothing passed.
    sentence: both in plain words.
    parts: the same by named part or for special entries, as (name, absolute) pairs.
    """

    absolute: float
    digits: int | None
    sentence: str
    parts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """Everything one check found out.

    ``print(report)`` shows it as text, a notebook as a page; `to_json`, `to_html`, `to_markdown` and `plot` give it in
    other forms.  What it looks like is up to `gradcheck.reporting`.

    name: of the check, such as ``mymodule:f``.
    target, claim: the function and the claimed derivative.
    verdict: the worst of entries, directions and findings.
    shape: of the claimed derivative as an array, such as (20, 3) for a gradient with respect to a matrix.
    method, engine: how f was differenced and by which engine it was called.
    entries: every entry that did not PASS up to a bound, then the worst of the others; a sequence of `EntryCheck`,
        worst first.
    checked, failed, inconclusive: numbers of entries (or of directions, with the directions method) compared in all.
    directions: one record for each random direction.
    further: the points beside the first, in the order in which `directions` number them; their origin says of which kind.
    conventions: of a derivative by complex variables, what it can be: the convention that it was judged by, then others that
        cannot be told from it here; one that does not hold where the verdict is FAIL; empty where all is real.
    error_map: where a Jacobian, a Hessian or the gradient by a matrix did not pass; None for a vector, or if all passed.
    fixes: changes of the claim's source that make it right, best first.
    plan: what was expected of the check before it began; None where f is not slow, and no plan was asked for.
    law: how the gap changes with the solver's tolerance; None unless a knob was named.
    mistakes: what the self-test has tried; nothing unless it was asked for.
    mutations: the lines of the claim that were broken on purpose; nothing unless that was asked for.
    noise: the noise level of f, in the units of f: measured, or what explains the gaps where all entries agree plainly; None
        where it is not known.
    resolution: the smallest error that would have been caught.
    nfev, ngev: calls of f and of the claimed derivative, all included.
    seconds: wall time of the check.
    versions: of python, numpy, numba (if loaded) and gradcheck.
    replay: the command that repeats the check, or None.
    test: a test to paste that makes the check, of a point that was found by `reach`; else None.
    notes: remarks for the reader, such as points that were re-drawn.
    trouble: the traceback of user code, when the verdict is ERROR because it raised.
    raised: the places in that, of user code alone, the innermost last.
    declared: where the check is declared, a section of a file or a test; None if nowhere.
    interrupted: stopped by Ctrl-C or by the budget; what is here is valid, but not everything was examined.
    stopped: which of the two; None if everything was examined.
    """

    name: str
    kind: Kind
    target: Target
    claim: Target
    verdict: Verdict
    point: Point
    shape: tuple[int, ...]
    method: Method
    engine: str
    tolerance: Tolerance
    entries: Sequence[EntryCheck]
    checked: int
    failed: int
    inconclusive: int
    directions: tuple[DirectionCheck, ...] = ()
    further: tuple[Point, ...] = ()
    findings: tuple[Finding, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    fixes: tuple[Fix, ...] = ()
    conventions: tuple[Convention, ...] = ()
    error_map: ErrorMap | None = None
    plan: Plan | None = None
    law: ToleranceLaw | None = None
    mistakes: tuple[Mistake, ...] = ()
    mutations: tuple[MutatedLine, ...] = ()
    noise: float | None = None
    resolution: Resolution
    nfev: int
    ngev: int
    seconds: float
    versions: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    replay: str | None = None
    test: str | None = None
    notes: tuple[str, ...] = ()
    trouble: str | None = None
    raised: tuple[Target, ...] = ()
    declared: Target | None = None
    interrupted: bool = False
    stopped: Stop | None = None

    @property
    def headline(self) -> str:
        """The verdict in one plain sentence."""
        return headline(self)

    @property
    def convention(self) -> Convention | None:
        """What the derivative by complex variables was taken to mean; None where all is real."""
        return self.conventions[0] if self.conventions else None

    def __repr__(self) -> str:
        """One line, for lists of reports and for the prompt."""
        return f"<Report: {self.verdict.name}, {self.kind.value} of {self.name}, {counted(self.checked, 'entry')} compared>"

    def __str__(self) -> str:
        """The report as plain text."""
        return str(_shown_by("as_text", self, "text")).rstrip("\n")

    def _repr_html_(self) -> str:
        """The report as a notebook shows it."""
        return str(_shown_by("as_fragment", self))

    def to_json(self) -> str:
        """The report as strict JSON; its schema is `gradcheck/schemas/report.json`."""
        return str(_shown_by("as_text", self, "json"))

    def to_html(self) -> str:
        """The report as a page of HTML that needs nothing else."""
        return str(_shown_by("as_text", self, "html"))

    def to_markdown(self) -> str:
        """The report as GitHub-flavoured Markdown."""
        return str(_shown_by("as_text", self, "markdown"))

    def plot(self) -> Any:
        """The pictures of the report as a Matplotlib figure: errors, the worst entry against the step, all entries.

        Raises:
            UsageError: Matplotlib is not installed (``python -m pip install "gradcheck[plot]"``).
        """
        return _shown_by("as_figure", self)


SHOWN_BY: dict[str, Callable[..., Any]] = {}
"""What shows a report, by name: `reporting.formats` enters it, so that the nouns import nothing that stands above them."""


def _shown_by(function: str, *arguments: Any) -> Any:
    return SHOWN_BY[function](*arguments)


def _at(where: Where | None) -> str:
    return "" if where is None else f" in line {where.line} of {where.file.replace(chr(92), '/').rpartition('/')[2]}"


def headline(report: Report) -> str:
    """One plain sentence: the verdict, and the first diagnosis or finding behind it."""
    what = (
        report.kind.value if report.kind.value.islower() and len(report.kind.value) > 3 else report.kind.value.upper()
    )
    if report.point.origin == FOUND:
        what = f"{what}, at a point that was looked for,"
    noun = "direction" if report.method is Method.DIRECTIONS and not report.entries else "entry"
    blamed = next((f for f in report.findings if f.verdict is report.verdict and report.verdict > Verdict.PASS), None)
    if report.verdict is Verdict.PASS:
        empty = next((f for f in report.findings if f.kind is FindingKind.VACUOUS and f.evidence.get("whole")), None)
        if empty is not None:
            return f"The {what} agrees, but so would much else: {empty.message}"
        if report.law is not None:
            return f"The {what} is right: {report.law.sentence}."
        if report.interrupted:
            return f"The {what} is right, as far as the budget allowed to see: {_seen(report)} agree."
        return f"The {what} is right: {counted(report.checked, noun)} agree{'s' if report.checked == 1 else ''}."
    if report.verdict is Verdict.FAIL:
        if report.diagnoses and report.diagnoses[0].kind is not DiagnosisKind.UNEXPLAINED:
            return f"The {what} is wrong{_at(report.diagnoses[0].where)}: {report.diagnoses[0].message}"
        if blamed is not None and blamed.kind is FindingKind.NOT_HOLOMORPHIC:
            return f"The {what} is wrong: {blamed.message}"
        if report.law is not None:
            return f"The {what} is wrong: {report.law.sentence}."
        if report.failed:
            where = report.diagnoses[0].where if report.diagnoses else None
            return f"The {what} is wrong{_at(where)}: {report.failed:,} of {counted(report.checked, noun)} disagree."
        elsewhere = {d.point for d in report.directions if d.verdict is Verdict.FAIL and d.point}
        if elsewhere:
            return f"The {what} is right at the first point and wrong at {counted(len(elsewhere), 'other point')}."
        if blamed is not None:
            return f"The {what} is wrong in use: {blamed.message}"
        return f"The {what} is wrong."
    if report.verdict is Verdict.ERROR:
        return f"The {what} could not be checked: {blamed.message if blamed else 'user code failed.'}"
    if report.stopped is Stop.PLAN and report.plan is not None:
        return f"The {what} was not checked, as a plan alone was asked for: {report.plan.sentence}."
    if report.interrupted:
        return f"The {what} could not be judged: {ended_early(report)}."
    if report.law is not None and blamed is None:
        return f"The {what} could not be judged: {report.law.sentence}."
    if report.inconclusive:
        return (
            f"The {what} could not be judged: {report.inconclusive:,} of {counted(report.checked, noun)} inconclusive."
        )
    if blamed is not None:
        return f"The {what} agrees, but not safely: {blamed.message}"
    return f"The {what} could not be judged."


def _seen(report: Report) -> str:
    """What was compared of a derivative too large for its budget."""
    directions = counted(len(report.directions), "random direction")
    return (
        f"{directions} and {report.checked:,} of {counted(math.prod(report.shape), 'entry')}"
        if report.entries
        else directions
    )


def ended_early(report: Report) -> str:
    """What ended an interrupted check before its time, and what was not seen by then."""
    ended = f"{report.stopped.subject if report.stopped else 'something'} ended the check"
    if not report.checked:
        return f"{ended} before anything was compared"
    total = math.prod(report.shape)
    if report.method is Method.DIRECTIONS:
        return f"{ended} after {counted(report.checked, 'entry' if report.entries else 'direction')}"
    if report.checked < total and report.directions:
        return f"{ended} after {_seen(report)}"
    if report.checked < total:
        return f"{ended} after {report.checked:,} of {counted(total, 'entry')}; the others were not examined"
    return f"{ended} before all was examined"
