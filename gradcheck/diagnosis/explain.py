"""Which known mistake explains why a claim is wrong.

Laws that explain every wrong entry and spoil no right one come first, the simplest before the others; then laws for a part;
then the place of what is left.  What nothing explains is called `unexplained`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.diagnosis.evidence import CHANCE, Facts, Mismatch, Outcome, once, weigh
from gradcheck.diagnosis.laws import costly_laws, laws
from gradcheck.diagnosis.leaves import among, exchanged, inside, names, of_leaf
from gradcheck.diagnosis.statement import LEFT_OVER, WHOLE, Scope, region_of, state, state_place
from gradcheck.diagnosis.unexplained import solved_to
from gradcheck.model import Diagnosis, DiagnosisKind
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.diagnosis.leaves import Leaf

    Mask = NDArray[np.bool_]

ROUNDS = 16  # laws for parts, one after another
LEFT_OVER_FITTED = LEFT_OVER / 4  # wrong entries that such a law may leave if a parameter of it was fitted
FEWEST = 4  # gaps that a fitted term must account for in a part: two or three are equal by round numbers


@dataclass(frozen=True, slots=True)
class Explanation:
    """The diagnoses, and which wrong entries they predict the numeric values of, as flat indices (K,)."""

    diagnoses: tuple[Diagnosis, ...]
    entries: NDArray[np.int64]


def explain(mismatch: Mismatch) -> Explanation:
    """The mistakes that explain a failed claim, the simplest that explains most first; none only if no finite entry is wrong.

    The entries are those that a law explains, without those that are merely located.
    """
    with np.errstate(all="ignore"):
        facts = Facts(mismatch)
        if not facts.wrong.any():
            return Explanation((), np.empty(0, np.int64))
        leaves = list(mismatch.places.leaves())
        return _by_leaf(facts, leaves) if leaves else _explain(facts)


def _by_leaf(facts: Facts, leaves: Sequence[Leaf]) -> Explanation:
    """The same for the gradient by a tree: what holds for all that is wrong comes first, then each leaf by itself."""
    wrong = [leaf for leaf in leaves if facts.wrong[inside(facts.entry, leaf[1])].any()]
    if len(wrong) > 1 or int(facts.wrong.sum()) == 1:
        found = _together(facts, wrong, whole=len(wrong) == len(leaves))
        if found is not None:
            return found
    found_by_leaf: list[tuple[Leaf, Explanation]] = []
    nothing_right: list[Leaf] = []
    for places, where in wrong:
        there = inside(facts.entry, where)
        part = Facts(of_leaf(facts.mismatch, places, where))
        words = f"all of {places.owner} ({counted(len(part), 'entry')})"
        rest = not (facts.wrong | facts.blind)[~there].any()
        scope = Scope(words, {"leaf": places.owner}, part=len(leaves) > 1, rest=rest)
        explanation = _explain(part, scope, share=int(part.wrong.sum()) / int(facts.wrong.sum()))
        if len(leaves) > 1 and not explanation.entries.size and part.wrong.all() and len(part) > 1:
            nothing_right.append((places, where))
        else:
            found_by_leaf.append(((places, where), explanation))
    if len(nothing_right) == len(leaves):
        return _explain(facts)
    diagnoses = [diagnosis for _, explanation in found_by_leaf for diagnosis in explanation.diagnoses]
    if nothing_right:
        diagnoses.append(_nothing_right(facts, nothing_right))
    entries = [explanation.entries + where.start for (_, where), explanation in found_by_leaf]
    order = sorted(diagnoses, key=lambda diagnosis: -diagnosis.explained)
    return Explanation(tuple(order), np.sort(np.concatenate([np.empty(0, np.int64), *entries])))


def _together(facts: Facts, wrong: Sequence[Leaf], *, whole: bool) -> Explanation | None:
    """What explains all that is wrong, be it in several leaves; None if nothing does.

    whole: no leaf is right.
    """
    if int(facts.wrong.sum()) == 1:
        return _explain(facts)
    for law in exchanged(facts, wrong):
        outcome: Outcome | None = weigh(facts, law)
        if outcome and outcome.convincing and (outcome.explained == facts.wrong).all() and not outcome.spoiled.any():
            return Explanation((state(facts, outcome),), np.sort(facts.entry[facts.wrong]))
    outcome = _complete(facts, facts.wrong, [], _Second(facts.mismatch), costly=True)
    if outcome is not None:
        return Explanation((state(facts, outcome),), np.sort(facts.entry[facts.wrong]))
    if whole:
        return None
    there = np.logical_or.reduce([inside(facts.entry, where) for _, where in wrong])
    part = Facts(among(facts.mismatch, there))
    outcome = _complete(part, part.wrong, [], _Second(part.mismatch), costly=False)
    if outcome is None:
        return None
    scope = Scope(
        f"all of {names(wrong)} ({counted(len(part), 'entry')})",
        {"leaves": [places.owner for places, _ in wrong]},
        part=True,
        rest=not facts.blind[~there].any(),
    )
    return Explanation((state(part, outcome, scope),), np.sort(part.entry[part.wrong]))


def _nothing_right(facts: Facts, leaves: Sequence[Leaf]) -> Diagnosis:
    """Leaves that are wrong throughout, in no simple way."""
    there = np.logical_or.reduce([inside(facts.entry, where) for _, where in leaves])
    rest = "" if (facts.wrong | facts.blind)[~there].any() else ", all else is"
    owners = [places.owner for places, _ in leaves]
    return Diagnosis(
        kind=DiagnosisKind.BLOCK,
        message=f"nothing of {names(leaves)} is right{rest}.",
        parameters={"entries": int(there.sum())} | ({"leaf": owners[0]} if len(owners) == 1 else {"leaves": owners}),
        explained=int((there & facts.wrong).sum()) / int(facts.wrong.sum()),
        advice="Look at the formula for this array alone." if len(owners) == 1 else "Look at what these arrays share.",
    )


def _explain(facts: Facts, scope: Scope = WHOLE, *, share: float = 1.0) -> Explanation:
    """The explanation of facts about a scope, which holds this share of all that is wrong."""
    remaining = facts.wrong.copy()
    diagnoses: list[Diagnosis] = []
    second = _Second(facts.mismatch)
    for turn in range(ROUNDS):
        weighed: list[Outcome] = []
        outcome = _complete(facts, remaining, weighed, second, costly=turn == 0)
        if outcome is None:
            outcome = _partial(facts, remaining, weighed)
        if outcome is None:
            break
        diagnoses.append(state(facts, outcome, scope))
        remaining = remaining & ~outcome.explained
        if not remaining.any():
            break
    if remaining.any():
        located = state_place(facts, remaining, scope, first=not diagnoses)
        diagnoses.append(replace(located, advice=" ".join(filter(None, (located.advice, solved_to(facts, remaining))))))
    diagnoses = [replace(diagnosis, explained=share * diagnosis.explained) for diagnosis in diagnoses]
    return Explanation(tuple(diagnoses), np.sort(facts.entry[facts.wrong & ~remaining]))


class _Second:
    """The same facts at a second point, found out at most once."""

    def __init__(self, mismatch: Mismatch) -> None:
        self.find: Callable[[], Mismatch | None] | None = mismatch.elsewhere
        self.facts: Facts | None = None

    def __call__(self) -> Facts | None:
        if self.find is not None:
            find, self.find = self.find, None
            try:
                found = find()
            except Exception:  # it calls user code
                found = None
            if found is not None:
                self.facts = Facts(found)
        return self.facts


def _complete(
    facts: Facts, remaining: Mask, weighed: list[Outcome], second: _Second, *, costly: bool
) -> Outcome | None:
    """The first law that explains all that remains and spoils nothing; those tried are appended to `weighed`."""
    doubtful: list[Outcome] = []
    blunt: Outcome | None = None  # convincing, but only within the tolerance: a later law may be sharper
    whole = bool((remaining == facts.wrong).all())
    for law in laws(facts, remaining):
        outcome = weigh(facts, law, remaining)
        weighed.append(outcome)
        if (
            not (outcome.explained == remaining).all()
            or outcome.spoiled.any()
            or not _general(facts, outcome, remaining)
        ):
            continue
        if outcome.convincing and outcome.sharp:
            return outcome
        if outcome.convincing:
            blunt = blunt or outcome
        elif outcome.sharp:
            doubtful.append(outcome)
    if blunt is not None:
        return blunt
    if costly and np.sum(remaining) > 1:
        for law in costly_laws(facts):
            outcome = weigh(facts, law, remaining)
            if outcome.convincing and (outcome.explained == remaining).all() and not outcome.spoiled.any():
                return outcome
    if not (costly and whole):
        return None
    for outcome in doubtful:
        there = second()
        if there is None:
            break
        again = weigh(there, outcome.law, afresh=True)
        holds = (again.explained == there.wrong).all() and not again.spoiled.any() and there.wrong.any()
        # With the parameter known from the first point, the second has nothing to fit.
        if holds and min(outcome.chance, 0.0) + again.chance <= CHANCE:
            return outcome
    return None


def _general(facts: Facts, outcome: Outcome, remaining: Mask) -> bool:
    """Whether a factor may be said of all entries where one alone is known to be wrong.

    It may if the others are 0, or are off by it as well, or if nothing is known of them and the factor is a common one.
    """
    if not outcome.law.is_factor or np.sum(remaining) > 1 or outcome.confirmed:
        return True
    others = ~facts.wrong
    if (facts.blind | (facts.claimed == 0))[others].all():
        return not facts.blind.any() or outcome.law.is_simple
    return False


def _partial(facts: Facts, remaining: Mask, weighed: list[Outcome]) -> Outcome | None:
    """The law that explains most of what remains, if that part forms a pattern or is nearly all."""
    best: Outcome | None = None
    for outcome in weighed:
        count = int(np.sum(outcome.explained))
        if not outcome.convincing or count < 2 or (best is not None and count <= int(np.sum(best.explained))):
            continue
        left = int(np.sum(remaining)) - count
        simple = outcome.law.is_simple
        if outcome.law.is_uniform and count < 3 and not simple:
            continue
        if outcome.law.fitted and not outcome.law.is_factor and once(facts, outcome.explained).sum() < FEWEST:
            continue
        if left <= (LEFT_OVER if simple else LEFT_OVER_FITTED) * count or region_of(facts, outcome).name:
            best = outcome
    return best


__all__ = ["Explanation", "Mismatch", "explain"]
