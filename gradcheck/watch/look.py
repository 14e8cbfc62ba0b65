"""One pair looked at, at the points that its solver has visited: a quick look first, a whole check where that leaves doubt."""

from __future__ import annotations

import enum
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.checks.glance import glance
from gradcheck.checks.kinds import checker
from gradcheck.checks.replay import command
from gradcheck.errors import GradcheckError
from gradcheck.model import Report, Verdict
from gradcheck.watch.doubt import doubted
from gradcheck.watch.pairs import Pair

FEW = 30  # variables up to which every entry is compared
SLOW = 0.5  # seconds that comparing every entry may take
MEND = 0.3  # of the time left: what may be spent on a patch


class Depth(enum.IntEnum):
    """How much of a look there is time for."""

    GLANCE = 0  # a quick look at the last point, which may leave it open
    LATE = 1  # the last point
    ALL = 2


def look(pair: Pair, seconds: float, depth: Depth = Depth.ALL) -> Iterator[tuple[str, Report | str]]:
    """(which point, report), or an error in words in its place, for as many points as the time allows.

    The points after a wrong one are left out: one is enough.
    """
    ends = time.perf_counter() + seconds
    points = pair.points()
    before: list[Report] = []
    for origin, visit in points if depth is Depth.ALL else points[:1]:
        left = ends - time.perf_counter()
        if left <= 0:
            return
        try:
            report = _at(pair, visit, left, quick=depth is Depth.GLANCE)
            if report is not None and report.verdict is Verdict.FAIL:
                report = doubted(report, pair, origin, before, pair.check(visit), visit.x)
        except GradcheckError as error:
            yield origin, str(error)
            continue
        if report is None:
            return
        before.append(report)
        yield origin, report
        if report.verdict is Verdict.FAIL:
            return


def _at(pair: Pair, visit: Any, left: float, *, quick: bool) -> Report | None:
    """The report of one point; None if a quick look alone, where there is no time for more, leaves it open."""
    f, claim, options = pair.check(visit)
    options = {**options, "throw": False}
    x = np.array(visit.x, np.float64) if np.ndim(visit.x) else float(visit.x)
    started = time.perf_counter()
    glanced = glance(pair.kind, f, claim, x, **options)
    if glanced is not None:
        return replace(glanced, replay=_command(glanced, f, claim, options, x))
    if quick:
        return None
    spent = time.perf_counter() - started
    each = spent / 6 if spent > 1e-3 else 1e-4
    many = np.size(x) > FEW and 3 * np.size(x) * each > min(SLOW, left / 3)
    both = options.get("value_and_grad", False)
    if many:
        options |= {"method": "directions"}
    options |= {"budget": max(left - spent, 0.05), "fix": max(0.01, MEND * left)}
    report: Report = checker(pair.kind)(f, None if both else claim, x, **options)
    return replace(report, replay=_command(report, f, claim, options, x))


def _command(report: Report, f: Any, claim: Any, options: dict[str, Any], x: Any) -> str | None:
    """What repeats the check by itself; None if one of its functions cannot be named."""
    kept = {key: value for key, value in options.items() if key not in ("budget", "fix", "throw")}
    try:
        return command(report, f, claim, kept, x)
    except Exception:  # objects of the user that do not like to be looked at
        return None
