"""What a watch has seen, as lines of text: one line where all is well, and a paragraph for each derivative that is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from gradcheck.model import Report, Verdict
from gradcheck.reporting.numbers import short
from gradcheck.watch.outcome import Class, Outcome
from gradcheck.wording import counted

LISTED = 15  # pairs that could not be judged, by name
COORDINATES = 6  # of a point
DIFF_LINES = 12


def reports(outcomes: Sequence[Outcome]) -> tuple[Report, ...]:
    """The worst report of each pair, wrong ones first."""
    order = list(Class)
    ranked = sorted(outcomes, key=lambda outcome: (outcome.category is not Class.WRONG, order.index(outcome.category)))
    return tuple(worst for outcome in ranked if (worst := outcome.worst) is not None)


def headline(outcomes: Sequence[Outcome], excluded: int = 0) -> str:
    """``watched 235 pairs at 878 points: 9 wrong, 12 not judged``."""
    points = sum(outcome.points for outcome in outcomes)
    counts = {kind: sum(outcome.category is kind for outcome in outcomes) for kind in Class}
    told = [f"{counts[kind]} {kind.value}" for kind in Class if counts[kind] and kind is not Class.RIGHT]
    if counts[Class.DIFFERENCE] > 1:
        told = [text.replace("a difference or an approximation", "differences or approximations") for text in told]
    earlier = sum(outcome.earlier for outcome in outcomes)
    text = f"watched {counted(len(outcomes), 'pair')} of function and derivative at {counted(points, 'point')}: "
    text += ", ".join(told) or ("all are right" if outcomes else "none was handed to a solver that is known")
    more = [f"{earlier} known from earlier runs"] if earlier else []
    more += [f"{excluded} left out"] if excluded else []
    return text + (f" ({', '.join(more)})" if more else "")


def lines(
    outcomes: Sequence[Outcome],
    *,
    excluded: int = 0,
    inline: bool = False,
    budget: str = "",
) -> Iterator[str]:
    """The whole section.

    excluded: pairs that were left out on request.
    inline: checks were made in the process of the program itself.
    budget: how more time is given.
    """
    yield headline(outcomes, excluded)
    for kind in (Class.WRONG, Class.WRITES, Class.DIFFERENCE):
        for outcome in outcomes:
            if outcome.category is kind:
                yield ""
                yield from _paragraph(outcome)
    undecided = [outcome for outcome in outcomes if outcome.category is Class.OPEN]
    if undecided:
        yield ""
    for outcome in undecided[:LISTED]:
        yield f"not judged: {outcome.kind} {outcome.name} ({_place(outcome)}): {outcome.reason or _why(outcome)}"
    if len(undecided) > LISTED:
        yield f"and {len(undecided) - LISTED} more that could not be judged"
    unseen = sum(outcome.category is Class.UNSEEN for outcome in outcomes)
    if unseen and budget:
        yield f"{counted(unseen, 'pair')} not looked at for want of time; {budget}"
    if inline:
        yield "no process could be forked: these checks ran within the program itself, after its calls"


def _paragraph(outcome: Outcome) -> Iterator[str]:
    worst = outcome.worst
    assert worst is not None
    words = {Class.WRONG: "WRONG", Class.WRITES: "WRITES INTO x", Class.DIFFERENCE: "by design"}
    yield f"{words[outcome.category]}  {outcome.kind} {outcome.name}  {_place(outcome)}"
    yield f"  {_why(outcome) if outcome.category is Class.DIFFERENCE else worst.headline}"
    yield f"  of {outcome.function}, handed to {outcome.via} as {outcome.role} by {_relative(outcome.caller)}"
    if outcome.category is Class.DIFFERENCE:
        return
    values = ", ".join(short(value) for value in worst.point.values[:COORDINATES])
    values += ", …" if values and worst.point.size > COORDINATES else ""
    yield f"  at {worst.point.origin}" + (f": ({values})" if values else "")
    for fix in worst.fixes[:1]:
        yield "  fix that agrees with all that was measured:"
        yield from (f"    {line}" for line in fix.diff.splitlines()[:DIFF_LINES])
    if worst.replay:
        yield f"  repeat  {worst.replay}"


def _why(outcome: Outcome) -> str:
    """Why a derivative was not judged: what was found about it, before what that did to its entries."""
    worst = outcome.worst
    if worst is None:
        return ""
    return next((f.message for f in worst.findings if f.verdict is Verdict.INCONCLUSIVE), worst.headline)


def _place(outcome: Outcome) -> str:
    if outcome.file is None:
        return "no source"
    return f"{_relative(outcome.file)}:{outcome.line}" if outcome.line else _relative(outcome.file)


def _relative(path: str) -> str:
    """A path from where the reader stands, if it is below."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here) if path.startswith(here) else path
