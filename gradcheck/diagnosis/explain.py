"""Which known mistake explains why a claim is wrong.

Laws that explain every wrong entry and spoil no right one come first, the simplest before the others; then laws for a part;
then the place of what is left.  What nothing explains is called `unexplained`.
It is long because it is one search, whose steps share what is still unexplained.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.evidence import CHANCE, Facts, Law, Mismatch, Outcome, log_binomial, once, weigh
from gradcheck.diagnosis.laws import costly_laws, laws
from gradcheck.diagnosis.leaves import among, exchanged, inside, names, of_leaf
from gradcheck.diagnosis.regions import PLACES, Region, listed, listing, locate
from gradcheck.diagnosis.unexplained import doubts, figures_of, solved_to, standing_out, values
from gradcheck.model import Diagnosis, DiagnosisKind, Kind
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.diagnosis.leaves import Leaf

    Mask = NDArray[np.bool_]

ROUNDS = 16  # laws for parts, one after another
LEFT_OVER = 1 / 2  # a law for a part without a pattern may leave this many wrong entries for each that it explains …
LEFT_OVER_FITTED = 1 / 8  # … or this many, if a parameter of it was fitted
FEWEST = 4  # gaps that a fitted term must account for in a part: two or three are equal by round numbers
FEW = 3  # entries that are called `entries` in any dimension
CLEARLY = 1e-2  # entries outside of a block are right to this share of the gaps inside
PART_ADVICE = {
    "diagonal": "H + Hᵀ doubles the diagonal; a triangle and its mirror image have it once.",
    "off-diagonal": "A mixed derivative belongs to [i, j] and to [j, i] once each: do not add both into both.",
    "none": "Look at what sets these entries apart from the others.",
}
OTHER_PART_ADVICE = (
    "Compare the line that sets this part with those for the rest; something is counted twice, or not at all."
)


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


@dataclass(frozen=True, slots=True)
class Scope:
    """What facts are about, if not about the whole derivative.

    words: for all its entries, such as "all of W1 (60 entries)".
    parameters: that say so.
    part: there is more than that.
    rest: what there is beside is right.
    """

    words: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    part: bool = False
    rest: bool = True


WHOLE = Scope()


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
            return Explanation((_report(facts, outcome),), np.sort(facts.entry[facts.wrong]))
    outcome = _complete(facts, facts.wrong, [], _Second(facts.mismatch), costly=True)
    if outcome is not None:
        return Explanation((_report(facts, outcome),), np.sort(facts.entry[facts.wrong]))
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
    return Explanation((_report(part, outcome, scope),), np.sort(part.entry[part.wrong]))


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
        diagnoses.append(_report(facts, outcome, scope))
        remaining = remaining & ~outcome.explained
        if not remaining.any():
            break
    if remaining.any():
        located = _place(facts, remaining, scope, first=not diagnoses)
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


# ---- laws


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
        if left <= (LEFT_OVER if simple else LEFT_OVER_FITTED) * count or _region(facts, outcome).name:
            best = outcome
    return best


def _region(facts: Facts, outcome: Outcome) -> Region:
    """Where a law holds, apart from the entries that it would spoil and those that it leaves wrong."""
    others = outcome.spoiled | (facts.wrong & ~outcome.explained)
    if outcome.law.silent is not None:
        others |= outcome.law.silent(facts)
    square = facts.mismatch.kind is not Kind.GRADIENT
    return locate(np.sort(facts.entry[outcome.explained]), facts.places, np.sort(facts.entry[others]), square=square)


def _report(facts: Facts, outcome: Outcome, scope: Scope = WHOLE) -> Diagnosis:
    law = outcome.law
    count, known = int(np.sum(outcome.explained)), len(facts)
    others = int(np.sum(outcome.spoiled | (facts.wrong & ~outcome.explained)))
    kind, parameters, advice = law.kind, dict(law.parameters), law.advice
    limited = bool(outcome.spoiled.any()) or (law.silent is not None and count < known)
    if limited or others:
        region = _region(facts, outcome)
        where = _on(region, count, facts.mismatch.places.size, int(np.sum(outcome.spoiled)), others)
        if not PLACES & parameters.keys():  # else the law has told its place itself
            parameters |= region.parameters
        if law.is_uniform:
            kind = _kind_of_part(law, region, count, others)
            advice = PART_ADVICE.get(region.name or "none", OTHER_PART_ADVICE)
    else:
        of = f" of {facts.places.owner}" if facts.places.owner else ""
        total = facts.mismatch.places.size
        looked_at = "" if known == total else f" looked at, of {total:,}"
        where = f"on {scope.words or f'all {known:,} entries{looked_at}'}"
        where = where if count == known else f"on all {count:,} entries{of} that differ"
        where = f"on {facts.places.owner or 'the only entry'}" if known == 1 else where
        if law.is_uniform and scope.part:
            kind, advice = DiagnosisKind.BLOCK, OTHER_PART_ADVICE
        where = (
            f"on {listed(facts.entry[outcome.explained], facts.places)}, the only one that differs"
            if count == 1 < known
            else where
        )
    message = law.sentence.replace("{where}", where).rstrip(".")
    return Diagnosis(
        kind=kind,
        message=message + ".",
        parameters={**parameters, **scope.parameters, "entries": count},
        explained=count / int(np.sum(facts.wrong)),
        advice=advice,
    )


def _on(region: Region, count: int, total: int, right: int, others: int) -> str:
    """The entries that a law holds on, of a `total`; of the `others` some are `right`."""
    if region.name in (
        "diagonal",
        "off-diagonal",
        "lower triangle",
        "upper triangle",
        "row",
        "column",
        "row and column",
    ):
        return f"on {region.text} ({count:,} of {total:,} entries)"
    if region.name:
        return f"on {region.text}"
    if others <= LEFT_OVER * count:
        return f"on {count:,} entries, all but {others:,}" + (f" ({right:,} of them right as claimed)" if right else "")
    return f"on {region.text}" if count <= 6 else f"on {count:,} of {total:,} entries"


def _kind_of_part(law: Law, region: Region, count: int, others: int) -> DiagnosisKind:
    """The name of one factor on a part: of a block if that is one, else of the entries that differ."""
    if region.name in ("diagonal", "off-diagonal") or (others <= LEFT_OVER * count and not region.name):
        return law.kind
    if region.name:
        return DiagnosisKind.BLOCK
    return law.kind if law.kind_of_few is None or count > FEW else law.kind_of_few


# ---- places


def _place(facts: Facts, remaining: Mask, scope: Scope, *, first: bool) -> Diagnosis:
    """Where the entries are that no law explains."""
    entries = np.sort(facts.entry[remaining])
    count, known, share = len(entries), len(facts), len(entries) / int(np.sum(facts.wrong))
    others = ~remaining & ~facts.wrong & ~facts.blind
    more = "" if first else "besides, "
    alone = scope.rest and not facts.blind.any() and not facts.visible.any()
    place = listing(entries, facts.places) | dict(scope.parameters)
    if count == 1 and (alone or not first):
        return Diagnosis(
            kind=DiagnosisKind.SINGLE_ENTRY,
            message=f"{more}{listed(entries, facts.places)} {'alone ' if first and known > 1 else ''}is wrong: "
            f"{values(facts, int(entries[0]))}.",
            parameters={**place, "entries": 1},
            explained=share,
            advice="" if known == 1 else "Look for the line that sets this component.",
        )
    square = facts.mismatch.kind is not Kind.GRADIENT
    region = locate(entries, facts.places, np.sort(facts.entry[~remaining]), square=square)
    outside = facts.gap[others]
    clear = bool(outside.size >= 2 and np.max(outside) <= CLEARLY * np.median(facts.gap[remaining]))
    unlikely = 2 * math.log(max(known, 2)) - log_binomial(known, count) <= CHANCE
    if first and region.name and count >= 4 and clear and unlikely and not facts.blind.any():
        return Diagnosis(
            kind=DiagnosisKind.BLOCK,
            message=f"{region.text} {'is' if region.is_one else 'are'} wrong, in no simple way; "
            f"the other {known - count:,} are right.",
            parameters={**region.parameters, **scope.parameters, "entries": count},
            explained=share,
            advice="Look at the formula for this block alone.",
        )
    if (count <= max(FEW, known // 4) and count < known) or not first:
        return Diagnosis(
            kind=DiagnosisKind.ENTRIES,
            message=f"{more}{listed(entries, facts.places)} {'is' if count == 1 else 'are'} wrong, in no simple way"
            + (f": {values(facts, int(entries[0]))}" if count == 1 else "")
            + (f"; {doubts(facts)}." if first and not alone else "."),
            parameters={**place, "entries": count},
            explained=share,
            advice="" if first and not alone else "Look for the lines that set these components.",
        )
    return Diagnosis(
        kind=DiagnosisKind.UNEXPLAINED,
        message=standing_out(facts, remaining),
        parameters=figures_of(facts, remaining) | dict(scope.parameters),
        explained=0.0,
    )


__all__ = ["Explanation", "Mismatch", "explain"]
