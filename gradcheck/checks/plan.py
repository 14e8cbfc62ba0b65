"""What of a check is worth its cost, and what it will take, told before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck.checks.method import DIRECTIONS, worthwhile
from gradcheck.errors import OutOfTime
from gradcheck.evaluation.line import LADDER
from gradcheck.methods.oracle import OUTSET
from gradcheck.methods.plain import FEW, MOST
from gradcheck.model import Kind, Method, Plan, Stop
from gradcheck.numerics.tolerance_law import DIRECTIONS as DIRECTIONS_OF_LAW
from gradcheck.numerics.tolerance_law import LEAST
from gradcheck.wording import counted

if TYPE_CHECKING:
    from gradcheck.checks.draft import Draft
    from gradcheck.evaluation.function import Function
    from gradcheck.methods.problem import Watcher
    from gradcheck.options.keywords import Options

SETUP = 3  # evaluations: at the point, at another, and at the point again …
MEASURING = 2 * len(LADDER)  # … and along a line, where f has to be measured
CLAIMS = 4  # calls of the claim, one of them elsewhere
DIRECTION = 2 * len(OUTSET)
MINUTE, HOUR = 60.0, 3600.0


def tell(draft: Draft, options: Options, watcher: Watcher, function: Function, columns: int, claim: float) -> None:
    """Put on record and say what the check will take, and end it there if that was all that was asked for.

    columns: how many variables vary.
    claim: what a call of that takes, in seconds.
    """
    directions = options.directions or DIRECTIONS
    if options.knob is not None:
        directions = options.directions or DIRECTIONS_OF_LAW
    by_entries = options.knob is None and worthwhile(options, watcher, function, columns) is not Method.DIRECTIONS
    draft.plan = planned(
        function,
        options,
        columns,
        None if by_entries else directions,
        claim,
        of_matrix=draft.kind is not Kind.GRADIENT,
    )
    watcher.tick("plan", 0, 0, draft.plan.sentence)
    if options.plan:
        watcher.stopped = Stop.PLAN
        raise OutOfTime


def planned(
    function: Function,
    options: Options,
    columns: int,
    directions: int | None,
    claim: float,
    *,
    of_matrix: bool = False,
) -> Plan:
    """What the check of a right derivative takes.

    function: has been called once.
    claim: what a call of that takes, in seconds.
    columns: how many variables vary.
    directions: how many random directions are compared; None for every entry.
    of_matrix: the noise of inner products must be learnt beside that of f, where there is a knob.
    """
    levels = 1 if options.knob is None else LEAST
    compared = 2 * columns if directions is None else directions * DIRECTION
    asked = options.eps is not None or options.budget is not None
    plain = directions is None and not of_matrix and columns <= MOST and not asked
    setup = SETUP + (2 if columns < FEW else 0) if plain else SETUP + MEASURING
    total = levels * (setup + compared) + (setup if of_matrix and options.knob is not None else 0)
    seconds = total * function.seconds / function.at_once + levels * CLAIMS * claim
    parts = f"{setup} of them to set up" if plain else f"{setup} of them to learn the noise of f"
    if options.knob is not None:
        parts = f"at {levels} values of {options.knob.name}"
    elif directions is None:
        parts += f", {2 * columns} would see an error of 1 % of any entry"
        parts += f", {DIRECTION} one of the whole" if 2 * columns > DIRECTION else ""
    else:
        parts += f", {compared} along random directions would see an error of 1 % of the whole"
    sentence = f"{counted(total, 'evaluation')} of f, about {duration(seconds)}; {parts}"
    budget = options.budget
    if budget is not None and budget < seconds:
        sentence += f"; the budget of {duration(budget)} allows {max(1, int(budget / function.seconds)):,} of them"
    return Plan(
        evaluations=total,
        setup=setup,
        any_entry=2 * columns,
        whole=DIRECTION,
        claims=levels * CLAIMS,
        seconds=seconds,
        sentence=sentence,
    )


def duration(seconds: float) -> str:
    """A time as a person says it: ``9 minutes``."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} minutes" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} hours"


__all__ = ["duration", "planned", "tell"]
