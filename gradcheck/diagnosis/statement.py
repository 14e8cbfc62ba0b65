"""What explains wrong entries, as a diagnosis: in words, with the place where it holds and what to look for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.evidence import CHANCE, Facts, Law, Outcome, log_binomial
from gradcheck.diagnosis.regions import PLACES, Region, listed, listing, locate
from gradcheck.diagnosis.unexplained import doubts, figures_of, standing_out, values
from gradcheck.model import Diagnosis, DiagnosisKind, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

LEFT_OVER = 1 / 2  # a law for a part without a pattern may leave this many wrong entries for each that it explains
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


def state(facts: Facts, outcome: Outcome, scope: Scope = WHOLE) -> Diagnosis:
    """The diagnosis of a law that holds."""
    law = outcome.law
    count, known = int(np.sum(outcome.explained)), len(facts)
    others = int(np.sum(outcome.spoiled | (facts.wrong & ~outcome.explained)))
    kind, parameters, advice = law.kind, dict(law.parameters), law.advice
    limited = bool(outcome.spoiled.any()) or (law.silent is not None and count < known)
    if limited or others:
        region = region_of(facts, outcome)
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


def region_of(facts: Facts, outcome: Outcome) -> Region:
    """Where a law holds, apart from the entries that it would spoil and those that it leaves wrong."""
    others = outcome.spoiled | (facts.wrong & ~outcome.explained)
    if outcome.law.silent is not None:
        others |= outcome.law.silent(facts)
    square = facts.mismatch.kind is not Kind.GRADIENT
    return locate(np.sort(facts.entry[outcome.explained]), facts.places, np.sort(facts.entry[others]), square=square)


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


def state_place(facts: Facts, remaining: Mask, scope: Scope, *, first: bool) -> Diagnosis:
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
