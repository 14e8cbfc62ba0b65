"""What a check has found, put on record: the verdict, the resolution in plain words, and the `Report`."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gradcheck.methods.entries import EntryTable, error_map
from gradcheck.model import (
    Finding,
    FindingKind,
    Kind,
    Method,
    Report,
    Resolution,
    Stop,
    Verdict,
)
from gradcheck.reporting import formats as formats  # a report shows itself by it
from gradcheck.variables.places import Places
from gradcheck.version import __version__
from gradcheck.wording import about

if TYPE_CHECKING:
    from gradcheck.errors import UserCodeError
    from gradcheck.methods.results import Comparison
    from gradcheck.model import (
        Convention,
        Diagnosis,
        DirectionCheck,
        EntryCheck,
        ErrorMap,
        Fix,
        Plan,
        Point,
        Target,
        Tolerance,
        ToleranceLaw,
    )
    from gradcheck.variables.layout import Layout

MOST_DIGITS = 15


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Draft:
    """A report in the making: a check fills it in as it learns; `report` freezes it.

    layout: of the variables.
    outputs: how what they are differentiated of is laid out; or its shape, () for a gradient.
    unseen, unseen_above: what would have been seen of the entries that there was no time to compare; and as a size.
    enough: that is a real mistake, so that there is a verdict although time was up.
    """

    name: str
    kind: Kind
    target: Target
    claim: Target
    point: Point
    layout: Layout
    tolerance: Tolerance
    outputs: tuple[int, ...] | Layout = ()
    method: Method = Method.AUTO
    options: Mapping[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None
    directions: list[DirectionCheck] = field(default_factory=list)
    further: list[Point] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    fixes: tuple[Fix, ...] = ()
    plan: Plan | None = None
    law: ToleranceLaw | None = None
    explained: frozenset[int] = frozenset()
    conventions: tuple[Convention, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()
    limit_sentence: str = ""
    unseen: str = ""
    unseen_above: float = 0.0
    enough: bool = False
    notes: list[str] = field(default_factory=list)
    noise: float | None = None
    trouble: str | None = None
    raised: tuple[Target, ...] = ()

    @property
    def places(self) -> Places:
        """The entries of the derivative."""
        return Places(self.outputs, self.layout)

    @property
    def convention(self) -> Convention | None:
        """What a derivative by complex variables is taken to mean; None where all variables are real."""
        return self.conventions[0] if self.conventions else None

    @property
    def of_complex(self) -> bool:
        """Whether complex numbers are a part of what is differentiated, or of what by, and are told as such."""
        places = self.places
        return places.layout.imaginary is not None or places.outputs.imaginary is not None

    def take(self, comparison: Comparison) -> None:
        """Take what a comparison came to; one of directions alone leaves the entries as they are."""
        if self.comparison is None or comparison.checked:
            self.comparison = comparison
        self.directions += comparison.directions
        self.diagnoses += comparison.diagnoses
        self.notes += comparison.notes
        if self.method is Method.DIRECTIONS and not self.limits:
            self.limits = tuple((limit.name, limit.usual) for limit in comparison.limits)
            self.limit_sentence = comparison.sentence

    def blame(self, error: UserCodeError) -> None:
        """Take the error of user code that ended the check."""
        self.findings.append(
            Finding(kind=FindingKind(error.kind), message=str(error), target=error.role, verdict=Verdict.ERROR)
        )
        if error.__cause__ is not None:
            from gradcheck.evaluation.tracebacks import formatted, places  # of use to failures only

            self.trouble, self.raised = formatted(error.__cause__), places(error.__cause__)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many entries, or directions where only those were, have been compared, failed, and could not be judged."""
        comparison, directions = self.comparison, self.directions
        if comparison is not None and (comparison.checked > 0 or not directions):
            return comparison.checked, comparison.failed, comparison.inconclusive
        failed = sum(d.verdict is Verdict.FAIL for d in directions)
        return len(directions), failed, sum(d.verdict is Verdict.INCONCLUSIVE for d in directions)

    @property
    def verdict(self) -> Verdict:
        """The worst of entries, directions and findings; INCONCLUSIVE if nothing was compared."""
        checked, failed, inconclusive = self.counts
        verdicts = [Verdict.PASS, *(f.verdict for f in self.findings), *(d.verdict for d in self.directions)]
        if failed or (self.comparison is not None and self.comparison.failed):
            verdicts.append(Verdict.FAIL)
        if inconclusive or not checked:
            verdicts.append(Verdict.INCONCLUSIVE)
        if self.comparison is not None and self.comparison.errors:
            verdicts.append(Verdict.ERROR)
        return max(verdicts)

    def report(self, *, engine: str, nfev: int, ngev: int, seconds: float, stopped: Stop | None) -> Report:
        """Everything as a frozen `Report`."""
        comparison, directions, places = self.comparison, tuple(self.directions), self.places
        checked, failed, inconclusive = self.counts
        known = stopped is Stop.BUDGET and self.enough
        entries: Sequence[EntryCheck] = ()
        if comparison is not None and self.of_complex:
            from gradcheck.checks.complex.pairs import ComplexTable  # of use to few

            entries = table = ComplexTable(comparison.columns, places, self.convention, self.explained)
            if comparison.checked or not directions:
                checked, failed, inconclusive = table.counts(comparison)
        elif comparison is not None:
            entries = EntryTable(comparison.columns, places, explained=self.explained)
        return Report(
            name=self.name,
            kind=self.kind,
            target=self.target,
            claim=self.claim,
            verdict=max(self.verdict, Verdict.INCONCLUSIVE if stopped and not known else Verdict.PASS),
            point=self.point,
            shape=places.given,
            method=self.method,
            engine=engine,
            tolerance=self.tolerance,
            entries=entries,
            checked=checked,
            failed=failed,
            inconclusive=inconclusive,
            directions=_with_one_ladder(directions),
            further=tuple(self.further),
            conventions=self.conventions,
            error_map=self._error_map(),
            findings=tuple(self.findings),
            diagnoses=tuple(self.diagnoses),
            fixes=self.fixes,
            plan=self.plan,
            law=self.law,
            noise=self.noise,
            resolution=self._resolution(),
            nfev=nfev,
            ngev=ngev,
            seconds=seconds,
            versions=versions(),
            options=self.options,
            notes=tuple(self.notes),
            trouble=self.trouble,
            raised=self.raised,
            interrupted=stopped is not None,
            stopped=stopped,
        )

    def _error_map(self) -> ErrorMap | None:
        """Where a matrix is wrong, or could not be judged."""
        compared = self.comparison
        if compared is None or compared.clean or self.of_complex:
            return None
        shape = self.places.shape
        if self.kind in (Kind.JACOBIAN, Kind.HESSIAN):
            width = self.layout.size
        elif self.kind is Kind.GRADIENT and len(shape) > 1:
            width = shape[-1]
        else:
            return None
        size = math.prod(shape)
        open_entries = compared.failed + compared.inconclusive + compared.errors
        complete = compared.checked == size and len(compared.columns.doubtful) == open_entries
        complete &= self.method is not Method.DIRECTIONS
        return error_map(compared.columns, size // width, width, complete=complete)

    def _resolution(self) -> Resolution:
        comparison = self.comparison
        if comparison is not None and comparison.checked and comparison.digits is not None:
            digits = max(0, min(MOST_DIGITS, math.floor(comparison.digits)))
            which = (
                "every entry"
                if not (comparison.failed or comparison.inconclusive or comparison.errors or self.unseen)
                else f"every entry that {'was compared' if self.enough else 'passed'}"
            )
            agrees = f"{which} agrees to at least {digits} digit{'' if digits == 1 else 's'}"
            share, largest = about(comparison.detectable_share), about(comparison.detectable)
            sentence = f"{agrees}; an error above {share} of an entry would have been seen, and any above {largest}"
            by_leaf = sorted(comparison.detectable_parts, key=lambda part: -part[1])
            if by_leaf:
                limits = ", ".join(f"of {name} above {about(limit)}" for name, limit in by_leaf)
                sentence += f"; an error of a single entry {limits} would have been seen"
            sentence = f"{sentence}; {self.unseen}" if self.unseen else sentence
            return Resolution(
                absolute=max(comparison.detectable, self.unseen_above),
                digits=digits,
                sentence=_capital(sentence) + ".",
                parts=self.limits or comparison.detectable_parts,
            )
        if self.limits:
            absolute = max(limit for _, limit in self.limits)
            return Resolution(absolute=absolute, digits=None, sentence=self.limit_sentence, parts=self.limits)
        passed = [d for d in self.directions if d.verdict is Verdict.PASS]
        if passed:
            absolute = max(d.estimate.uncertainty + d.abs_error for d in passed)
            sentence = f"An error above {about(absolute)} along a direction would have been seen."
            return Resolution(absolute=absolute, digits=None, sentence=sentence)
        return Resolution(
            absolute=math.inf, digits=None, sentence="Nothing passed, so there is no resolution to state."
        )


def _with_one_ladder(directions: tuple[DirectionCheck, ...]) -> tuple[DirectionCheck, ...]:
    """The same records, of which the worst alone keeps its ladder."""
    worst = max(directions, key=lambda d: (d.verdict, d.abs_error / (d.estimate.uncertainty or 1.0)), default=None)
    return tuple(d if d is worst else replace(d, estimate=replace(d.estimate, ladder=None)) for d in directions)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def versions() -> dict[str, str]:
    """Versions of python, gradcheck, numpy, and of numba if it is loaded."""
    import numpy as np

    found = {"python": sys.version.split()[0], "gradcheck": __version__, "numpy": np.__version__}
    if "numba" in sys.modules:
        found["numba"] = str(getattr(sys.modules["numba"], "__version__", "?"))
    return found
