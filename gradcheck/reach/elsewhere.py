"""A check that passed, made again at points that run lines that never ran; and which lines were not reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.recording import Recorder, Routine, Witness, ranges
from gradcheck.model import FOUND, CheckInterrupted, Finding, FindingKind, Report, Verdict
from gradcheck.reach.search import Found, Search
from gradcheck.reach.shrink import shrunk
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.options.keywords import Options

    Array = NDArray[np.float64]

SHOWN = 4  # functions whose lines are told
TYPED = 64  # entries of a point that was found are all told, if they are no more


class Elsewhere:
    """The same check at other points than `x`, (n,), where it passed.

    first: its report there.
    calls: 'f' and 'claim', of a flat vector.
    check: the check at another point, called as check(x), or check(x, trial=False) for all that can be said there; None if
        there can be none.
    test: the check at a point as a test to paste; None if it cannot be written down.
    started: when the first began.
    """

    def __init__(
        self,
        first: Report,
        recorder: Recorder,
        calls: Mapping[str, Callable[[Any], Any]],
        x: NDArray[Any],
        *,
        check: Callable[..., Report | None],
        test: Callable[[Array], str | None],
        bounds: Any,
        options: Options,
        started: float,
    ) -> None:
        self.first, self.recorder, self.calls, self.x = first, recorder, calls, x
        self.check, self.test, self.bounds, self.options, self.started = check, test, bounds, options, started
        self.nfev, self.ngev = first.nfev, first.ngev

    def report(self) -> Report:
        """The first report, if the check passes at all points that run other lines; else that of the simplest where it fails."""
        search = Search(
            Witness(self.recorder, self.calls),
            self.x,
            within=self._within,
            check=self.check,
            expired=self._expired,
            seed=self.options.seed,
        )
        try:
            with np.errstate(all="ignore"):
                found = search.run()
                self.nfev, self.ngev = self.nfev + found.nfev, self.ngev + found.ngev
                report = self._passed(found) if found.failed is None else self._failed(*found.failed)
        except KeyboardInterrupt:
            raise CheckInterrupted(_noted(self.first, "the search for further points was interrupted")) from None
        return replace(report, nfev=self.nfev, ngev=self.ngev, seconds=time.perf_counter() - self.started)

    def _within(self, x: Array) -> Array:
        """The nearest point that is allowed."""
        with np.errstate(over="ignore", invalid="ignore"):
            x = x.astype(self.x.dtype)
            return x if self.bounds is None else np.clip(x, *self.bounds).astype(x.dtype)

    def _expired(self) -> bool:
        budget = self.options.budget
        return budget is not None and time.perf_counter() - self.started > budget

    def _failed(self, x: Array, report: Report) -> Report:
        """The report of the simplest point at which the check fails."""
        simplest = report

        def fails(candidate: Array, *, trial: bool = True) -> bool:
            nonlocal simplest
            if self._expired() or not np.array_equal(self._within(candidate), candidate):
                return False
            tried = self.check(candidate, trial=trial)
            if tried is None:
                return False
            self.nfev, self.ngev = self.nfev + tried.nfev, self.ngev + tried.ngev
            if tried.verdict is Verdict.FAIL:
                simplest = tried
            return tried.verdict is Verdict.FAIL

        x = shrunk(x, fails)
        fails(x, trial=False)
        values = tuple(map(float, x)) if x.size <= TYPED else ()
        point = replace(simplest.point, origin=FOUND, values=values)
        note = f"right at the point given, where {counted(self.first.checked, 'entry')} agree; wrong at this one"
        return _noted(replace(simplest, point=point, test=self.test(x)), note)

    def _passed(self, found: Found) -> Report:
        """The first report, with what was seen elsewhere."""
        report = self.first
        missed = [routine for routine in self.recorder.routines if routine.missed]
        if found.passed:
            points = counted(len(found.passed), "other point")
            report = _noted(report, f"right as well at {points}, where other ways are taken")
        if found.open:
            report = _noted(report, f"{counted(len(found.open), 'such point')} could not be judged")
        if not self.recorder.routines:
            report = _noted(report, "no function in Python was seen to run, so that nothing is known of its lines")
        if not missed:
            return report
        verdict = Verdict.INCONCLUSIVE if self.options.strict else Verdict.PASS
        finding = _never_ran(missed, 1 + len(found.passed), verdict)
        return replace(report, verdict=max(report.verdict, verdict), findings=(*report.findings, finding))


def _never_ran(missed: list[Routine], points: int, verdict: Verdict) -> Finding:
    told = [f"{_lines(routine.missed)} of {routine.name}" for routine in missed[:SHOWN]]
    more = f" and of {counted(len(missed) - SHOWN, 'function')} more" if len(missed) > SHOWN else ""
    return Finding(
        kind=FindingKind.NEVER_RAN,
        verdict=verdict,
        message=f"{'; '.join(told)}{more} never ran, at {counted(points, 'point')}: what stands there is not tested",
        evidence={
            "points": points,
            "lines": [
                {"function": routine.name, "file": routine.code.co_filename, "lines": routine.missed}
                for routine in missed
            ],
        },
    )


def _lines(lines: list[int]) -> str:
    return f"line{'s' if len(lines) > 1 else ''} {ranges(lines)}"


def _noted(report: Report, note: str) -> Report:
    return replace(report, notes=(*report.notes, note))
