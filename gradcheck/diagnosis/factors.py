"""A claim that is the derivative times a number: the law, its sentence, and the line of code usually behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.constants import figure, recognise
from gradcheck.diagnosis.evidence import POORLY, Facts, Fit, Law, fit
from gradcheck.model import DiagnosisKind, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

SHORT = 4  # characters of a decimal that is easier to read than any fraction
SIGN_SENTENCE = "numeric = −claimed {where}: the sign is wrong"
SIGN_ADVICE = "Look for a subtraction written the wrong way round, or a gradient of −f (a maximisation) used for f."


def sign() -> Law:
    """numeric = −claimed."""
    return Law(
        kind=DiagnosisKind.SIGN,
        predict=lambda f: -f.claimed,
        sentence=SIGN_SENTENCE,
        parameters={"factor": -1.0},
        advice=SIGN_ADVICE,
        is_factor=True,
        is_uniform=True,
    )


def scales(facts: Facts, among: Mask) -> Iterator[Law]:
    """numeric = r · claimed, r recognised or fitted."""
    for found in fits(facts.claimed, facts.numeric, facts, among):
        known = recognise(found.low, found.high, lengths(facts.shape, facts.mismatch.kind))
        half = (found.high - found.low) / 2
        if abs(found.value - 1) * POORLY >= max(half, found.sharpest):
            if known is not None:
                yield _scale(known[0], known[1], half, tries=known[2])
            yield _scale(known[0] if known else found.value, known[1] if known else "", half, found=found)


def _scale(r: float, name: str, half: float, *, tries: float = 1.0, found: Fit | None = None) -> Law:
    return Law(
        kind=DiagnosisKind.SCALE,
        predict=lambda f: r * f.claimed,
        sentence=factor_sentence(r, name, half),
        parameters=factor_parameters(r, name, half),
        advice=factor_advice(r, name),
        fitted=0 if found is None else 1,
        tries=tries,
        slack=None if found is None else lambda f: found.sharpest * np.abs(f.claimed),
        is_factor=True,
        is_uniform=True,
        kind_of_few=DiagnosisKind.ENTRIES,
    )


def factor_parameters(r: float, name: str, half: float) -> dict[str, Any]:
    """What the claim must be multiplied by, how uncertain that is, and the number that it was recognised as."""
    return {"factor": r, "uncertainty": half} | ({"recognised": name} if name else {})


def factor_sentence(r: float, name: str, half: float) -> str:
    """The sentence for numeric = r × claimed, where r ± half is called `name` if it is a number that a person would write."""
    if 0 < r < 1 and "," not in name:
        known = recognise(1 / r * (1 - 1e-12), 1 / r * (1 + 1e-12)) if name else None
        inverse = known[1] if known and not known[1].startswith("1/") else figure(1 / r, half / r**2)
        inverse = _decimal(1 / r, inverse)
        meaning = f": the claim is {inverse} times too large"
    elif name:
        meaning = f": a missing factor {_decimal(r, name)}"
    elif r < 0:
        meaning = ". The sign is wrong too"
    else:
        meaning = f": the claim is {figure(r, half)} times too small"
    return f"numeric = {figure(r, half)} × claimed {{where}}{meaning}"


def _decimal(value: float, name: str) -> str:
    """A number as a decimal, if that is as short as the fraction that it was recognised as."""
    decimal = f"{value:.12g}"
    return decimal if "/" in name and "being" not in name and len(decimal) <= max(len(name), SHORT) else name


def factor_advice(r: float, name: str) -> str:
    """The line of code usually behind a factor."""
    if math.isclose(abs(r), 2):
        return "The derivative of ‖r‖² is 2 Jᵀr: the 2 is usually forgotten there."
    if math.isclose(abs(r), 0.5):
        return "The derivative of ½‖r‖² is Jᵀr, without a 2."
    if "being" in name or (name.startswith("1/") and name[2:].isdigit()):
        return "A mean differs from a sum by that factor: divide the gradient as f is divided."
    if "ln" in name:
        return "The derivative of log2(u) is u′/(u ln 2), that of log10(u) is u′/(u ln 10)."
    if "π" in name:
        return "Look for a normalising constant, or for degrees taken for radians."
    return "Compare the constants in front of f with those in front of its derivative."


def lengths(shape: tuple[int, ...], kind: Kind) -> list[tuple[str, int]]:
    """Lengths that a factor may come from, with what they are."""
    sizes = [("the number of entries", math.prod(shape))] if len(shape) < 2 or kind is Kind.GRADIENT else []
    if len(shape) > 1:
        words = ("the number of rows", "the number of columns") if len(shape) == 2 else ()
        sizes += [(words[k] if words else f"the length of axis {k}", n) for k, n in enumerate(shape)]
    return sizes


def fits(base: Array, target: Array, facts: Facts, among: Mask) -> Iterator[Fit]:
    """Parameters p with p · base = target on most of the wrong entries: with the tight windows, then with the tolerance."""
    seen = 0
    for window in (facts.strict, facts.loose):
        found = fit(base[among], target[among], window[among])
        if found is not None and found.count > seen:
            seen = found.count
            yield found
