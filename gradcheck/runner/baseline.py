"""What a run reached, kept for later ones: a derivative that loses digits is noticed even while it still passes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from gradcheck.errors import ConfigError
from gradcheck.model import DirectionCheck, EntryCheck, Report, Verdict

SCHEMA = 1
LOST_DIGITS = 1.0  # a loss up to this is the luck of one run
MOST_DIGITS = 16.0  # what a float64 can show
ENTRIES_READ = 10_000

_KEYS: dict[str, type | tuple[type, ...]] = {
    "verdict": str,
    "digits": (int, float, type(None)),
    "agreement": (int, float, type(None)),
}


def save_baseline(reports: Sequence[Report], before: str | None = None, *, source: str = "the baseline") -> str:
    """The digits that each report reached, as JSON text for `compare`.

    What `before` knows of a check stays unless there is something better to know: a report of it that is neither an error
    nor stopped by Ctrl-C, and no FAIL of what once passed.

    Args:
        reports: of this run.
        before: the text of an earlier baseline, which this one adds to.
        source: what to call that in an error, such as its file.

    Raises:
        ConfigError: `before` is no such text.
    """
    checks = _parse(before, source, "choose another file") if before else {}
    for key, report in _keyed(reports):
        known = Verdict[checks[key]["verdict"]] if key in checks else Verdict.ERROR
        if (
            report.interrupted
            or report.verdict is Verdict.ERROR
            or (report.verdict is Verdict.FAIL and known < Verdict.FAIL)
        ):
            continue
        checks[key] = {
            "verdict": report.verdict.name,
            "digits": report.resolution.digits,
            "agreement": agreement(report),
        }
    return json.dumps({"schema": SCHEMA, "checks": checks}, indent=2, sort_keys=True, allow_nan=False) + "\n"


def compare(reports: Sequence[Report], baseline: str, *, source: str = "the baseline") -> list[str]:
    """One sentence for each report that got worse since `baseline` was saved; a check that is new is not judged.

    Args:
        reports: of this run.
        baseline: the text that `save_baseline` returned.
        source: what to call it in an error, such as its file.

    Raises:
        ConfigError: `baseline` is no such text.
    """
    checks = _parse(baseline, source)
    messages = []
    for key, report in _keyed(reports):
        if key not in checks:
            continue
        before = checks[key]
        if Verdict[before["verdict"]] < report.verdict:
            messages.append(f"{key} was {before['verdict']} in {source} and is {report.verdict.name} now")
            continue
        now = {"agrees": agreement(report), "is known": report.resolution.digits}
        then = {"agrees": before["agreement"], "is known": before["digits"]}
        for verb, digits in then.items():
            reached = now[verb]
            if digits is not None and reached is not None and digits - reached > LOST_DIGITS:
                messages.append(f"{key} {verb} to {reached:.3g} digits; it was {digits:.3g} in {source}")
                break
    return messages


def agreement(report: Report) -> float | None:
    """The decimal digits to which claimed and numeric values were shown to agree, relative to the largest of them.

    The larger of gap and uncertainty counts: two values that happen to be equal prove no more than their uncertainty.
    None where nothing was compared.
    """
    checks: list[EntryCheck | DirectionCheck] = [*islice(report.entries, ENTRIES_READ), *report.directions]
    scale = max((max(abs(c.claimed), abs(c.estimate.value)) for c in checks), default=0.0)
    gap = max((max(c.abs_error, abs(c.estimate.uncertainty)) for c in checks), default=0.0)
    if not checks or not 0 < scale < math.inf or not gap < math.inf:
        return None
    if gap == 0:
        return MOST_DIGITS
    return round(min(MOST_DIGITS, max(0.0, math.log10(scale) - math.log10(gap))), 2)


def _keyed(reports: Sequence[Report]) -> Iterator[tuple[str, Report]]:
    """Each report by a name that is the same in the next run; the second of two with one name gets a number."""
    seen: dict[str, int] = {}
    for report in reports:
        name = f"{report.kind.value} of {report.name}"
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name} #{seen[name]}"), report


def _parse(baseline: str, source: str, remedy: str = "save it again with --save-baseline") -> dict[str, dict[str, Any]]:
    try:
        data = json.loads(baseline)
    except (ValueError, RecursionError) as error:  # brackets within brackets have no end
        raise ConfigError(f"{source} is no JSON ({error}); {remedy}") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(data.get("checks"), dict):
        raise ConfigError(f"{source} is no baseline of schema {SCHEMA}; {remedy}")
    for key, check in data["checks"].items():
        for field, types in _KEYS.items():
            value = check.get(field) if isinstance(check, dict) else ...
            fits = isinstance(value, types) and not isinstance(value, bool)
            if isinstance(value, str):
                fits = fits and value in Verdict.__members__
            elif isinstance(value, (int, float)):
                fits = fits and 0 <= value <= MOST_DIGITS
            if not fits:
                raise ConfigError(f"{source}: {key!r} has no valid {field!r}; {remedy}")
    return dict(data["checks"])
