"""The pictures of a report as data: what is drawn, in the units of the values; `svg`, `png` and `characters` draw it.

claimed against numeric values, which lie on the diagonal where they agree; the error of one entry against the step, a V
between truncation and noise with the claim beside it; and, for a matrix, a map of where it is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from gradcheck.model import ComplexEstimate, DerivativeEstimate, DirectionCheck, EntryCheck, ErrorMap, Report, Verdict
from gradcheck.reporting import numbers
from gradcheck.reporting.axes import Axis, fitted, logarithmic
from gradcheck.wording import counted

POINTS = 200  # of each verdict in a scatter: more would hide each other
NAMED = 4  # wrong entries that a description names
REGIONS = 40  # wrong blocks that get an outline

Mark = Literal["dots", "crosses", "squares", "line", "dashes", "band"]
Role = Literal["pass", "fail", "inconclusive", "guide", "difference", "noise", "claim"]

_MARKS: dict[Verdict, tuple[Role, Mark, str]] = {
    Verdict.PASS: ("pass", "dots", "agrees"),
    Verdict.INCONCLUSIVE: ("inconclusive", "squares", "not judged"),
    Verdict.FAIL: ("fail", "crosses", "wrong"),
}


class Series(NamedTuple):
    """Points that are drawn alike.  No meaning has colour alone: each role has a mark of its own.

    points: (x, y) pairs; of a band, its lower edge and then its upper one.
    bars: how far each y may be from the truth; () for none.
    """

    name: str
    role: Role
    mark: Mark
    points: tuple[tuple[float, float], ...]
    bars: tuple[float, ...] = ()


class Plot(NamedTuple):
    """Series on two axes.

    title: what is drawn.
    story: what there is to see, for a caption and for those who cannot see it.
    """

    title: str
    story: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]


class Grid(NamedTuple):
    """A map of errors.

    regions: first row, first column, and the row and column after the last, of each wrong block, in cells.
    """

    title: str
    story: str
    map: ErrorMap
    regions: tuple[tuple[int, int, int, int], ...]


Picture = Plot | Grid


def pictures(report: Report) -> Iterator[Picture]:
    """All that can be drawn of a report."""
    yield from filter(None, (grid(report), curve(report), scatter(report)))


# ---- claimed against numeric


def scatter(report: Report) -> Plot | None:
    """Entries, or directions where no entries are known, by what is claimed and what was measured."""
    checks: Sequence[EntryCheck | DirectionCheck] = report.entries or report.directions
    groups: dict[Verdict, list[EntryCheck | DirectionCheck]] = {}
    rest = max(1, (len(checks) - POINTS) // (3 * POINTS))  # of the others, a sample
    for check in (*checks[:POINTS], *checks[POINTS::rest]):
        if all(math.isfinite(value) for one in _values(check) for value in one[:2]):
            groups.setdefault(check.verdict, []).append(check)
    shown = {verdict: group[:POINTS] for verdict, group in groups.items() if verdict in _MARKS}
    drawn = [check for group in shown.values() for check in group]
    if len(drawn) < 2:
        return None
    axis = fitted("", [value for c in drawn for one in _values(c) for value in one[:2]])
    series = [_band(report, axis), Series("equal", "guide", "line", ((axis.low, axis.low), (axis.high, axis.high)))]
    for verdict in sorted(shown):
        role, mark, name = _MARKS[verdict]
        values = [one for c in shown[verdict] for one in _values(c)]
        points, bars = tuple(one[:2] for one in values), tuple(one[2] for one in values)
        series.append(Series(name, role, mark, points, bars))
    noun = "entry" if report.entries else "direction"
    x, y = axis._replace(label="claimed"), axis._replace(label="numeric")
    story = _scatter_story(report, drawn, noun)
    return Plot(f"Claimed against numeric, {counted(len(drawn), noun)}", story, x, y, tuple(series))


def _values(check: EntryCheck | DirectionCheck) -> list[tuple[float, float, float]]:
    """What is claimed, what was measured and its uncertainty; of a complex entry for both of its parts."""
    claimed, measured = check.claimed, check.estimate
    real = claimed.real, measured.value.real, measured.uncertainty.real
    if not isinstance(measured, ComplexEstimate):
        return [real]
    return [real, (claimed.imag, measured.value.imag, measured.uncertainty.imag)]


def _band(report: Report, axis: Axis) -> Series:
    """What the tolerance accepts on both sides of the diagonal, as a polygon."""

    def allowed(value: float) -> float:
        return report.tolerance.atol + report.tolerance.rtol * abs(value)

    ends = (axis.low, 0.0, axis.high) if axis.low < 0 < axis.high else (axis.low, axis.high)
    below = tuple((value, value - allowed(value)) for value in ends)
    above = tuple((value, value + allowed(value)) for value in reversed(ends))
    return Series("tolerance", "guide", "band", below + above)


def _scatter_story(report: Report, drawn: Sequence[EntryCheck | DirectionCheck], noun: str) -> str:
    wrong = [check for check in drawn if check.verdict is Verdict.FAIL]
    where = "Right values lie on the diagonal, within a tolerance of "
    where += f"{report.tolerance.rtol:g} of their size" + (
        f" plus {report.tolerance.atol:g}" if report.tolerance.atol else ""
    )
    if not wrong:
        return f"{where}: none of {counted(len(drawn), noun)} is off it by more than tolerance and uncertainty allow."
    names = ", ".join(name_of(check) for check in wrong[:NAMED]) + (", …" if len(wrong) > NAMED else "")
    return (
        f"{where}: {len(wrong):,} of {counted(len(drawn), noun)} {'is' if len(wrong) == 1 else 'are'} off it ({names})."
    )


def name_of(check: EntryCheck | DirectionCheck) -> str:
    """An entry or a direction as a person would write it."""
    return check.path if isinstance(check, EntryCheck) else f"direction {check.number}"


# ---- the error of one entry against the step


def curve(report: Report) -> Plot | None:
    """The worst entry or direction whose differences were kept, at each of their steps."""
    checks: tuple[EntryCheck | DirectionCheck, ...] = (*islice(report.entries, 1000), *report.directions)
    check = next((c for c in checks if c.estimate.ladder is not None and len(c.estimate.ladder.steps) > 2), None)
    if check is None or isinstance(check.estimate, ComplexEstimate) or check.estimate.ladder is None:
        return None
    measured, ladder = check.estimate, check.estimate.ladder
    if not math.isfinite(measured.value):
        return None
    errors = [abs(value - measured.value) for value in ladder.values]
    gap, known = abs(check.claimed - measured.value), math.isfinite(measured.uncertainty)
    if not max(errors) > 0:
        return None  # f is linear, or even about the point: there is no V
    x = logarithmic("step h", ladder.steps)
    y = logarithmic("distance from the numeric value", [*errors, gap, measured.uncertainty])
    ends = (x.low, x.high)
    series = [
        Series(
            "noise of f",
            "noise",
            "dashes",
            tuple((h, v) for h, v in zip(ladder.steps, ladder.noise, strict=True) if y.low <= v <= y.high),
        ),
        Series("difference at one step", "difference", "line", tuple(zip(ladder.steps, errors, strict=True))),
    ]
    if known:
        level = max(measured.uncertainty, y.low)
        edges = (*((end, y.low) for end in ends), *((end, level) for end in reversed(ends)))
        series.insert(0, Series(f"±{numbers.short(measured.uncertainty)}", "pass", "band", edges))
    if math.isfinite(gap) and gap > 0:
        series.append(
            Series(f"claim, off by {numbers.short(gap)}", "claim", "dashes", tuple((end, gap) for end in ends))
        )
    chosen = min(range(len(errors)), key=lambda k: abs(math.log(ladder.steps[k] / measured.step)))
    series.append(
        Series("step of the numeric value", "pass", "squares", ((ladder.steps[chosen], max(errors[chosen], y.low)),))
    )
    story = _curve_story(check, measured, gap)
    return Plot(f"Error of {name_of(check)} against the step", story, x, y, tuple(series))


def _curve_story(check: EntryCheck | DirectionCheck, measured: DerivativeEstimate, gap: float) -> str:
    what = (
        f"Differences of f at {len(measured.ladder.steps) if measured.ladder else 0} steps: too long a step leaves out the "
        f"curvature of f, too short a one drowns in its noise. The numeric value {measured.value:.6g} is known to "
        f"±{numbers.short(measured.uncertainty)}, near the step {numbers.short(measured.step)}."
    )
    if check.verdict is Verdict.FAIL:
        return f"{what} The claim, {check.claimed:.6g}, is {numbers.short(gap)} away from it."
    if check.verdict is Verdict.PASS:
        return f"{what} The claim, {check.claimed:.6g}, lies within."
    return f"{what} No step comes close enough to judge the claim, {check.claimed:.6g}, which is {numbers.short(gap)} away."


# ---- where a matrix is wrong


def grid(report: Report) -> Grid | None:
    """A map of a matrix that did not pass."""
    found = report.error_map
    if found is None:
        return None
    rows, columns = found.shape
    regions = wrong_regions(found)
    wrong = sum(character.isdigit() for row in found.cells for character in row)
    block = "" if found.block == (1, 1) else f", {found.block[0]} × {found.block[1]} entries to a cell"
    story = f"{rows:,} × {columns:,} entries{block}. "
    if wrong:
        cells = "cell" if found.block != (1, 1) else "entry"
        story += (
            f"{counted(wrong, cells)} {'is' if wrong == 1 else 'are'} wrong, by up to {numbers.short(found.largest)}"
        )
        story += f": {_places(found, regions)}." if regions else "."
    else:
        story += "None is wrong."
    undecided = sum(row.count("?") for row in found.cells)
    if undecided:
        story += f" {counted(undecided, 'entry' if found.block == (1, 1) else 'cell')} could not be judged."
    if any(" " in row for row in found.cells):
        story += " Nothing is on record where it is blank."
    return Grid(f"Where the {report.kind.value} is wrong", story, found, regions if len(regions) <= REGIONS else ())


def _places(found: ErrorMap, regions: Sequence[tuple[int, int, int, int]]) -> str:
    """Wrong blocks in words."""
    (height, width), (rows, columns) = found.block, found.shape

    def span(noun: str, first: int, end: int, size: int, most: int) -> str:
        low, high = first * size, min(end * size, most) - 1
        return f"{noun} {low:,}" if low == high else f"{noun}s {low:,} to {high:,}"

    named = [
        f"{span('row', top, bottom, height, rows)}, {span('column', left, right, width, columns)}"
        for top, left, bottom, right in regions[:NAMED]
    ]
    more = f"; and {len(regions) - NAMED:,} other places" if len(regions) > NAMED else ""
    return "; ".join(named) + more


def wrong_regions(found: ErrorMap) -> tuple[tuple[int, int, int, int], ...]:
    """The bounding boxes of wrong cells that touch each other, the largest first, in cells."""
    wrong = {(i, j) for i, row in enumerate(found.cells) for j, character in enumerate(row) if character.isdigit()}
    boxes = []
    while wrong:
        pending = [wrong.pop()]
        top, left = bottom, right = pending[0]
        while pending:
            i, j = pending.pop()
            top, left, bottom, right = min(top, i), min(left, j), max(bottom, i), max(right, j)
            near = {(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)} & wrong
            wrong -= near
            pending += near
        boxes.append((top, left, bottom + 1, right + 1))
    return tuple(sorted(boxes, key=lambda box: (-(box[2] - box[0]) * (box[3] - box[1]), box)))


GRAVITY = " .?9876543210!"
"""The characters of an `ErrorMap`, the gravest last."""
LEVELS = {
    "0": "error > {:.1g}",
    "1": "> {:.1g}",
    "2": "> {:.1g}",
    "3": "less",
    "!": "no number",
    "?": "not judged",
    ".": "agrees",
}
"""What the characters of a map are called in its key, once it is `levelled`."""


def levelled(cells: Sequence[str]) -> list[str]:
    """A map in which errors below a thousandth of the largest are alike."""
    return [row.translate(str.maketrans("456789", "333333")) for row in cells]


def levels_named(cells: Sequence[str], largest: float) -> list[tuple[str, str]]:
    """The levels that a map has, each with its name."""
    present = {character for row in cells for character in row}
    return [
        (character, name.format(largest / 10.0 ** (int(character) + 1) if character.isdigit() else 0))
        for character, name in LEVELS.items()
        if character in present
    ]


def coarser(cells: Sequence[str], down: int, across: int) -> list[str]:
    """Each down × across cells of a map as one, with the gravest of their characters."""
    return [
        "".join(
            max((c for row in cells[i : i + down] for c in row[j : j + across]), key=GRAVITY.index)
            for j in range(0, len(cells[0]), across)
        )
        for i in range(0, len(cells), down)
    ]
