"""What a search along directions came to, as diagnoses: the words and the parameters are those of `explain`.

Few entries are compared one by one there, so that no law is weighed; what is known is a factor that all entries share,
progressions of wrong entries, lone ones, or how many there are about.  Entries are flat row-major indices, `places` says
what they are called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.constants import recognise
from gradcheck.diagnosis.factors import (
    SIGN_ADVICE,
    SIGN_SENTENCE,
    factor_advice,
    factor_parameters,
    factor_sentence,
    lengths,
)
from gradcheck.diagnosis.laws import ZERO_ADVICE, ZERO_SENTENCE
from gradcheck.diagnosis.regions import listed, listing, progression
from gradcheck.diagnosis.unexplained import figures, pair
from gradcheck.model import Diagnosis, DiagnosisKind, Kind
from gradcheck.variables.places import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.numerics.readings import Dense

    Array = NDArray[np.float64]

Factors = Sequence[tuple[float, float]]

ALIKE, SHARED = 1e-4, 0.1  # how far factors may be apart, relative to themselves and to their distance from 1
COINCIDENCE = 1e-3  # a number that would be recognised by chance more often than this is not


def alike(factors: Factors) -> bool:
    """Whether entries are off by one factor: by how much that is off 1 is the same, not only about 1.

    factors: the derivative over the claim and its uncertainty, for the entries that were compared one by one.
    """
    values = [value for value, _ in factors]
    if len(values) < 2:
        return False
    spread = max(values) - min(values)
    return spread <= ALIKE * max(map(abs, values)) and spread <= SHARED * min(abs(value - 1) for value in values)


def all_off(factor: float, uncertainty: float, rtol: float, places: Places) -> Diagnosis:
    """Every entry of the derivative is `factor` ± `uncertainty` times the claim; inf where every claim is 0.

    rtol: a factor this close to −1 is the sign.
    """
    size = places.size
    where = f"on all {size:,} entries"
    if math.isinf(factor):
        return _diagnosis(DiagnosisKind.ZERO_BLOCK, ZERO_SENTENCE, where, size, ZERO_ADVICE, {})
    if abs(factor + 1) <= max(rtol, 2 * uncertainty):
        factor = -1.0
    sentence, parameters, advice = _factor(factor, uncertainty, places)
    kind = DiagnosisKind.SIGN if factor == -1 else DiagnosisKind.SCALE
    return _diagnosis(kind, sentence, where, size, advice, parameters)


def some_off(terms: range, places: Places, factors: Factors, *, zero: bool) -> Diagnosis:
    """A progression of entries is wrong.

    factors: as `alike` takes them.
    zero: all of them are claimed to be 0.
    """
    region, count = progression(terms, places), len(terms)
    everywhere = not region.name
    where = f"on {region.text}" + ("" if everywhere else f" ({count:,} of {places.size:,} entries)")
    parameters = dict(region.parameters)
    if zero:
        return _diagnosis(DiagnosisKind.ZERO_BLOCK, ZERO_SENTENCE, where, count, ZERO_ADVICE, parameters)
    if alike(factors):
        low, high = min(value - u for value, u in factors), max(value + u for value, u in factors)
        sentence, more, advice = _factor((low + high) / 2, (high - low) / 2, places)
        kind = DiagnosisKind.SCALE if everywhere else DiagnosisKind.BLOCK
        return _diagnosis(kind, sentence, where, count, advice, parameters | more)
    if everywhere:
        parameters = {"indices": []}
    return _diagnosis(
        DiagnosisKind.ENTRIES if everywhere else DiagnosisKind.BLOCK,
        f"{region.text} {'is' if region.name in ('row', 'column', 'stride', 'leaf') else 'are'} wrong, in no simple way",
        "",
        count,
        "" if everywhere else "Look at the formula for this block alone.",
        parameters,
    )


def lone(entries: Sequence[int], first: tuple[float, float], places: Places, *, others_agree: bool) -> Diagnosis:
    """These entries are wrong, each found and compared by itself.

    first: what is claimed for the first of them, and what was measured.
    others_agree: further directions see nothing else.
    """
    count, flat = len(entries), np.sort(np.asarray(entries, np.int64))
    named = listed(flat, places)
    if count == 1:
        alone = "alone " if others_agree and places.size > 1 else ""
        sentence = f"{named} {alone}is wrong: {pair(*first)}"
        kind = DiagnosisKind.SINGLE_ENTRY
        advice = "Look for the line that sets this component."
    else:
        sentence, kind = f"{count:,} entries are wrong: {named.removeprefix('entries ')}", DiagnosisKind.ENTRIES
        advice = "Look for the lines that set these components."
    return _diagnosis(kind, sentence, "", count, advice, listing(flat, places))


def many(dense: Dense, entries: Sequence[int], places: Places) -> Diagnosis:
    """So many entries are wrong that they were counted by sample; `entries`: those that were compared one by one."""
    return _diagnosis(
        DiagnosisKind.ENTRIES,
        f"about {dense.count:,} of {places.size:,} entries are wrong ({dense.low:,} to {dense.high:,}), all over it",
        "",
        dense.count,
        "",
        listing(np.sort(np.asarray(entries, np.int64)), places) | {"low": dense.low, "high": dense.high},
    )


def nothing_located(claimed: Array, numeric: Array) -> Diagnosis:
    """Directions disagree, (K,) claimed slopes with K numeric ones, and no entry was found to be wrong."""
    with np.errstate(all="ignore"):
        parameters = figures(claimed, numeric)
    return Diagnosis(
        kind=DiagnosisKind.UNEXPLAINED,
        message="directions disagree; no single entry could be shown to be wrong.",
        parameters=parameters | {"entries": 0, "known": 0, "largest": []},
        explained=0.0,
    )


def _factor(factor: float, half: float, places: Places) -> tuple[str, dict[str, Any], str]:
    """What is said of factor ± half, its parameters and the advice; as a number that someone wrote, if that is no coincidence."""
    name = ""
    known = recognise(factor - half, factor + half, lengths(places.shape, Kind.GRADIENT))
    if known is not None and known[2] * 2 * half <= COINCIDENCE * abs(factor):
        factor, name, _ = known
    if factor == -1:
        return SIGN_SENTENCE, {"factor": -1.0}, SIGN_ADVICE
    return factor_sentence(factor, name, half), factor_parameters(factor, name, half), factor_advice(factor, name)


def _diagnosis(
    kind: DiagnosisKind, sentence: str, where: str, count: int, advice: str, parameters: Mapping[str, object]
) -> Diagnosis:
    message = sentence.replace("{where}", where).rstrip(".")
    return Diagnosis(kind=kind, message=message + ".", parameters={**parameters, "entries": count}, advice=advice)
