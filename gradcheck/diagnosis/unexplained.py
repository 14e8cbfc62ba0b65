"""What stands out of entries, or of directions, that are wrong in no known way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.diagnosis.evidence import Facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

SOLVED = 1e-3  # gaps below this share of the largest entry may be what a solver leaves
CLOSE, SEVERAL = 0.05, 4  # … and where all of so many entries are off by less than this, what one that ends early does
ALIKE, ONE_SIDED = 2.0, 6  # relative gaps this close to each other, and gaps of one sign from this many on, stand out


def doubts(facts: Facts) -> str:
    """What keeps the entries that were not judged wrong from being called right."""
    off, unseen = int(np.sum(facts.visible & ~facts.blind)), int(np.sum(facts.blind))
    parts = [f"{off:,} more {'is' if off == 1 else 'are'} off within the tolerance"] if off else []
    if unseen:  # they may have passed, being small beside what is ordinary
        parts.append(
            f"{unseen:,} {'is' if unseen == 1 else 'are'} not known to a hundredth of {'itself' if unseen == 1 else 'themselves'}"
        )
    return " and ".join(parts)


def values(facts: Facts, entry: int) -> str:
    """One entry, by its flat index: what is claimed and what was measured."""
    row = int(np.flatnonzero(facts.entry == entry)[0])
    return pair(float(facts.claimed[row]), float(facts.numeric[row]))


def pair(claimed: float, numeric: float) -> str:
    """What is claimed and what was measured, in words."""
    if claimed == 0:
        return f"0 is claimed, {numeric:.6g} measured"
    if numeric == 0:
        return f"{claimed:.6g} is claimed, 0 measured"
    return f"{claimed:.6g} is claimed, {numeric:.6g} measured, {numeric / claimed:.6g} times that"


def figures(claimed: Array, numeric: Array) -> dict[str, Any]:
    """What claimed and numeric values, (K,) each with K > 0, have in common, as plain values.

    cosine: of the angle between them.
    ratio: the range of numeric / claimed, [] where no claim is other than 0.
    relative_gap: the range of the gaps, each relative to the larger of its two values.
    one_sided: all numeric values are above their claims, or all below.
    """
    top = max(float(np.max(np.abs(claimed))), float(np.max(np.abs(numeric)))) or 1.0
    a, b = claimed / top, numeric / top
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    ratio = numeric[claimed != 0] / claimed[claimed != 0] + 0.0  # no −0
    relative = np.abs(claimed - numeric) / np.maximum(np.maximum(np.abs(claimed), np.abs(numeric)), 5e-324)
    return {
        "cosine": float(a @ b) / lengths if lengths > 0 else 0.0,
        "ratio": [float(v) for v in (ratio.min(), ratio.max()) if np.isfinite(v)] if ratio.size else [],
        "relative_gap": [float(relative.min()), float(relative.max())],
        "one_sided": bool((numeric > claimed).all() or (numeric < claimed).all()),
    }


def figures_of(facts: Facts, remaining: Mask) -> dict[str, Any]:
    """The same of some wrong entries, with how many they are, of how many known, and where the gap is largest."""
    rows = np.flatnonzero(remaining)
    return figures(facts.claimed[rows], facts.numeric[rows]) | {
        "entries": len(rows),
        "known": len(facts),
        "largest": list(facts.places.index(_largest(facts, remaining))),
    }


def solved_to(facts: Facts, remaining: Mask) -> str:
    """What to try where the gaps are of the size of a solver's tolerance, and do not depend on the step; else ''."""
    gap, size = float(facts.gap[remaining].max()), float(np.abs(facts.numeric).max())
    if not gap <= SOLVED * size:
        if gap <= CLOSE * size and len(facts) >= SEVERAL and bool(remaining.all()):
            return (
                "All are off, and none by much: if f is an iteration that ends early, let it go on for longer (maxiter) or lower "
                "its tolerance (tol); a knob shows whether the gap falls with it."
            )
        return ""
    return (
        f"No gap is larger than {gap:.1g}, {gap / size:.1g} of the largest entry, and none changes with the step: "
        f"the size of a solver's tolerance. If f, or the claim, is solved for (an ODE, a fixed point), tighten that (knob "
        f"shows whether the gap falls with it), or accept it with atol={up_to_one_digit(1.5 * gap)}."
    )


def up_to_one_digit(value: float) -> str:
    """A positive number as one digit and a power of ten, not below it."""
    exponent = math.floor(math.log10(value))
    return f"{math.ceil(value / 10.0**exponent) * 10.0**exponent:.0e}"


def _largest(facts: Facts, remaining: Mask) -> int:
    """The entry with the largest gap."""
    rows = np.flatnonzero(remaining)
    return int(facts.entry[rows[np.argmax(facts.gap[rows])]])


def standing_out(facts: Facts, remaining: Mask) -> str:
    """The sentence of `unexplained`."""
    known = figures_of(facts, remaining)
    count, (low, high) = known["entries"], known["relative_gap"]
    remarks = []
    if count == 1:
        remarks.append(values(facts, int(facts.entry[remaining][0])))
    elif high <= ALIKE * low:
        least, most = f"{low:.2g}", f"{high:.2g}"
        share = least if least == most else f"{least} to {most}"
        remarks.append(f"each is off by {share} of itself" + ("" if known["one_sided"] else ", up or down"))
    elif len(known["ratio"]) == 2:
        remarks.append("numeric / claimed runs from {:.4g} to {:.4g}".format(*known["ratio"]))
    if count > 1:
        remarks.append(f"the largest gap is at {facts.places.name(_largest(facts, remaining))}")
        if known["one_sided"] and count > ONE_SIDED:
            remarks.append("every numeric value is on the same side of the claim")
        remarks.append(f"the cosine between claimed and numeric is {known['cosine']:.4f}")
    if facts.blind.any():
        remarks.append(doubts(facts))
    wrong = "the wrong entry" if count == 1 else f"{'all' if count == len(facts) else 'the'} {count:,} wrong entries"
    return f"no known mistake explains {wrong}: {'; '.join(remarks)}."
