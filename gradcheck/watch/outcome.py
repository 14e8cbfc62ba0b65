"""What came of a watched pair: data, of which reports are made, in one process or sent from another."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from gradcheck.model import Finding, FindingKind, Report, Target, Verdict
from gradcheck.watch.doubt import undecided


class Class(enum.StrEnum):
    """What a pair turned out to be."""

    RIGHT = "right"
    WRONG = "wrong"
    DIFFERENCE = "a difference or an approximation"
    WRITES = "writes into x"
    OPEN = "not judged"
    UNSEEN = "not looked at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A pair, and what is known of it.

    key: the same for the same pair in all processes of a run; lasting: the same in later runs, until a source changes.
    name: of the derivative, with the class that it belongs to where that is known.
    via, role: which solver was handed it, and as what.
    caller: the test, or the line, that called the solver.
    points: at how many points it was looked at.
    reports: one a point, the worst first.
    reason: why it was not judged, where there is no report that says so; why it is no mistake, where it is none by design.
    earlier: it was right in an earlier run.
    """

    key: str
    kind: str
    name: str
    function: str
    file: str | None
    line: int | None
    via: str
    role: str
    caller: str
    points: int = 0
    reports: tuple[Report, ...] = ()
    reason: str = ""
    design: str = ""
    lasting: str = ""
    earlier: bool = False

    @property
    def verdict(self) -> Verdict:
        """The worst of all points; INCONCLUSIVE if there is none."""
        if self.earlier:
            return Verdict.PASS
        wrong = [report.verdict for report in self.reports if report.verdict is Verdict.FAIL]
        if wrong:
            return Verdict.FAIL
        return max((report.verdict for report in self.reports), default=Verdict.INCONCLUSIVE)

    @property
    def category(self) -> Class:
        """Under which heading it is told."""
        if self.earlier:
            return Class.RIGHT
        if not self.reports:
            return Class.OPEN if self.reason else Class.UNSEEN
        kinds = {finding.kind for report in self.reports for finding in report.findings}
        if self.design:
            return Class.DIFFERENCE
        if self.verdict is Verdict.FAIL:
            if FindingKind.CLAIM_IS_DIFFERENCE in kinds:
                return Class.DIFFERENCE
            return Class.WRITES if self._only(FindingKind.MUTATES_INPUT) else Class.WRONG
        if self._mutates():
            return Class.WRITES
        if (
            FindingKind.CLAIM_IS_DIFFERENCE in kinds and self.verdict
        ):  # one that is good to the last digit asked for is right
            return Class.DIFFERENCE
        # Where one point is right and another could not be judged, a solver has visited the edge of what f can do.
        if any(report.verdict is Verdict.PASS for report in self.reports):
            return Class.RIGHT
        return Class.OPEN

    def _mutates(self) -> bool:
        return any(
            f.kind is FindingKind.MUTATES_INPUT and f.verdict for report in self.reports for f in report.findings
        )

    def _only(self, kind: FindingKind) -> bool:
        failed = [report for report in self.reports if report.verdict is Verdict.FAIL]
        return all(
            not r.failed and not r.diagnoses and kind in {f.kind for f in r.findings if f.verdict} for r in failed
        )

    @property
    def worst(self) -> Report | None:
        """The report to show."""
        rank = {Verdict.FAIL: 3, Verdict.ERROR: 2, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 0}
        return max(self.reports, key=lambda report: rank[report.verdict], default=None)

    @property
    def command(self) -> str | None:
        """What repeats the check by itself, on the command line; None if nothing does."""
        replay = None if self.worst is None else self.worst.replay
        return replay if replay is not None and replay.startswith("gradcheck ") and "--watch" not in replay else None

    def to_json(self) -> str:
        """As text, which may travel from one process to another."""
        from gradcheck.reporting.json import to_dict

        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "reports"}
        return json.dumps(own | {"reports": to_dict(self.reports)["checks"]})


def from_json(text: str) -> Outcome:
    """What `Outcome.to_json` made."""
    data = json.loads(text)
    return Outcome(**{**data, "reports": restored(data["reports"])})


def restored(checks: Sequence[Mapping[str, Any]]) -> tuple[Report, ...]:
    """Reports of what JSON has of them."""
    from gradcheck.reporting.restore import restore

    return tuple(restore(check) for check in checks)


def placed(report: Report, origin: str, pair: Mapping[str, Any]) -> Report:
    """A report that tells where its point and its pair come from."""
    words = {"late": "the last point of the solver, moved aside", "start": "where the solver started"}
    origin = words.get(origin, "where the solver met the largest claim")
    note = f"handed to {pair['via']} as {pair['role']} by {pair['caller']}"
    claim = Target(name=pair["name"], file=pair["file"], line=pair["line"])
    name, file, line = pair["caller"], None, None
    if "::" not in name and ":" in name:
        file, _, number = name.partition(" ")[0].rpartition(":")
        line = int(number) if number.isdigit() else None
    return replace(
        report,
        name=pair["name"],
        claim=claim,
        point=replace(report.point, origin=origin),
        notes=(*report.notes, note),
        declared=Target(name=name, file=file, line=line),
    )


def no_mistake(report: Report, design: str) -> Report:
    """A report that found an approximation to be one: that it is not exact is no mistake.

    design: what it is, where no finding says so.
    """
    if report.verdict is not Verdict.FAIL:
        return report
    own = next((finding for finding in report.findings if finding.kind is FindingKind.CLAIM_IS_DIFFERENCE), None)
    if design:
        message = f"{report.kind.key} is {design}; there is no formula of the exact one to be right or wrong"
        own = Finding(kind=FindingKind.CLAIM_IS_DIFFERENCE, target=report.kind.key, message=message)
    return report if own is None else undecided(report, own)
