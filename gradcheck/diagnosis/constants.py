"""Numbers that a person would recognise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

NAMED = {
    "π": math.pi,
    "2π": 2 * math.pi,
    "4π": 4 * math.pi,
    "√π": math.sqrt(math.pi),
    "√(2π)": math.sqrt(2 * math.pi),
    "√2": math.sqrt(2),
    "√3": math.sqrt(3),
    "e": math.e,
    "ln 2": math.log(2),
    "ln 10": math.log(10),
    "180/π": 180 / math.pi,
}
LARGEST_INTEGER = 10**6
LARGEST_DENOMINATOR = 12
EXTREME = 1e15  # no one writes a number beyond this, or below its inverse
DIGITS = 6  # of the longest decimal that counts as a number someone wrote


def recognise(low: float, high: float, sizes: Iterable[tuple[str, int]] = ()) -> tuple[float, str, float] | None:
    """The simplest number in an interval that does not hold 0.

    Args:
        low, high: the interval.
        sizes: lengths that are present, with what they are: ("the number of entries", 100).

    Returns:
        The number, how it is written, and of how many equally simple numbers it is one; None if none is simple.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or low * high <= 0:
        return None
    negative = high < 0
    a, b = (-high, -low) if negative else (low, high)
    if not EXTREME > 1 / b >= 1 / EXTREME or not 1 / a < EXTREME:
        return None
    best: tuple[float, str, float] | None = None
    for value, text, tries in _simple(a, b, tuple(sizes)):
        if a <= value <= b and (best is None or tries < best[2]):
            best = value, text, tries
    if best is None or not negative:
        return best
    value, text, tries = best
    return -value, f"-{text}", 1.0 if text == "1" else 2 * tries


def _simple(a: float, b: float, sizes: tuple[tuple[str, int], ...]) -> Iterator[tuple[float, str, float]]:
    middle = a + (b - a) / 2
    yield 1.0, "1", 1.0
    yield 2.0, "2", 2.0
    yield 0.5, "1/2", 2.0
    for what, n in sizes:
        if n > 2:
            yield float(n), f"{n}, {what}", 10.0
            yield 1 / n, f"1/{n}, {n} being {what}", 10.0
            for p, q in ((2, n), (n, 2), (n, n - 1), (n - 1, n)):
                if (
                    max(p, q) // math.gcd(p, q) > LARGEST_DENOMINATOR
                ):  # else it is a fraction that anyone may have written
                    yield p / q, f"{p}/{q}, {n} being {what}", 20.0
    for name, value in NAMED.items():
        yield value, name, 40.0
        yield 1 / value, f"1/({name})" if len(name) > 1 else f"1/{name}", 40.0
    if middle < 2 * LARGEST_INTEGER:
        n = round(middle)
        yield float(n), str(n), 4.0 * max(n, 1)
    if 0 < 1 / middle < 2 * LARGEST_INTEGER:
        n = max(round(1 / middle), 1)
        yield 1 / n, f"1/{n}", 4.0 * n
    for q in range(2, LARGEST_DENOMINATOR + 1):
        p = round(middle * q)
        if 0 < p <= LARGEST_DENOMINATOR and math.gcd(p, q) == 1:
            yield p / q, f"{p}/{q}", 4.0 * max(p, q) ** 2
    for digits in range(1, DIGITS + 1):
        for value, text in (
            (float(f"{middle:.{digits - 1}e}"), "{}"),
            (1 / float(f"{1 / middle:.{digits - 1}e}"), "1/{}"),
        ):
            yield value, text.format(f"{value if text == '{}' else 1 / value:.{digits}g}"), 40.0 * 10.0**digits


def figure(value: float, uncertainty: float = 0.0) -> str:
    """A number with the digits that are known, at most 7: 2.000000."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    known = 7 if uncertainty <= 0 else math.floor(math.log10(abs(value) / uncertainty)) + 1
    digits = min(max(known, 2), 7)
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{places}f}" if 0 <= places <= 10 else f"{value:.{digits}g}"


def shortest(low: float, high: float) -> float:
    """The number with the fewest digits in an interval."""
    middle = low + (high - low) / 2
    return next((v for k in range(17) if low <= (v := float(f"{middle:.{k}e}")) <= high), middle)
