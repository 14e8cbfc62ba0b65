"""Numbers as a reader wants them: the digits that matter, all of them, and no others."""

from __future__ import annotations

import math
import struct

_FIXED = range(-4, 7)  # decimal exponents written without an exponent
_ROUND_TRIP = 17  # significant digits beyond which a float64 says nothing new


def short(value: float) -> str:
    """An error, an uncertainty or a tolerance: two significant digits."""
    if value == 0 or not math.isfinite(value):
        return _special(value)
    rounded = f"{value:.1e}"
    exponent = int(rounded.partition("e")[2])
    return f"{value:.{max(0, 1 - exponent)}f}" if -3 <= exponent <= 2 else _finite(rounded, value)


def exact(value: float, dtype: str = "float64") -> str:
    """The fewest digits that give back `value` in `dtype` ('float64' or 'float32')."""
    if value == 0 or not math.isfinite(value):
        return _special(value)
    if dtype == "float32":
        for digits in range(1, 10):
            text = f"{value:.{digits}g}"
            if _as_float32(float(text)) == value:
                return repr(float(text))
    return repr(float(value))


def to_place(value: float, place: int | None, dtype: str = "float64") -> str:
    """`value` rounded at 10**place, exact where `place` is None.

    A value that would round away keeps two digits of its own: no number other than zero is shown as zero.
    """
    if value == 0 or not math.isfinite(value):
        return _special(value)
    exponent = _exponent(value)
    if place is None or exponent - place + 1 >= _ROUND_TRIP:
        return exact(value, dtype)
    digits = exponent - place + 1
    if digits < 2:
        return short(value)
    decimals = digits - 1 - exponent
    if exponent in _FIXED and decimals >= 0:
        return f"{value:.{decimals}f}"
    return _finite(f"{value:.{digits - 1}e}", value)


def second_digit(size: float) -> int | None:
    """The decimal place of the second significant digit of an uncertainty or a gap; None where it has none."""
    return _exponent(size, 1) - 1 if math.isfinite(size) and size != 0 else None


def compared(
    claimed: complex,
    numeric: complex,
    uncertainty: complex,
    *,
    show_gap: bool = False,
    digits: int | None = None,
    dtype: str = "float64",
) -> tuple[str, str, str]:
    """The texts of a claimed value, of its numeric value and of the uncertainty of the latter; of complex numbers by parts."""
    if not any(isinstance(value, complex) for value in (claimed, numeric, uncertainty)):
        return _compared(claimed.real, numeric.real, uncertainty.real, show_gap=show_gap, digits=digits, dtype=dtype)
    dtype = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    pairs = [
        _compared(*parts, show_gap=show_gap, digits=digits, dtype=dtype)
        for parts in (
            (claimed.real, numeric.real, uncertainty.real),
            (claimed.imag, numeric.imag, uncertainty.imag),
        )
    ]
    (real, imaginary) = pairs
    return _joined(real[0], imaginary[0]), _joined(real[1], imaginary[1]), f"{real[2]}, {imaginary[2]}"


def _joined(real: str, imaginary: str) -> str:
    """The text of a complex number, of those of its parts."""
    sign = "" if imaginary.startswith("-") else "+"
    return f"{real}{sign}{imaginary}j"


def _compared(
    claimed: float, numeric: float, uncertainty: float, *, show_gap: bool, digits: int | None, dtype: str
) -> tuple[str, str, str]:
    """The same for real numbers.

    Both values end at the second digit of the uncertainty, or after `digits` significant digits of the larger one if
    that comes first; with `show_gap`, further on if their gap asks for it.
    """
    place = second_digit(uncertainty)
    largest = max((abs(v) for v in (claimed, numeric) if math.isfinite(v)), default=0.0)
    if digits is not None and largest > 0:
        last = _exponent(largest) - digits + 1
        if place is not None:
            place = max(place, last)
        elif not (_has_digits(claimed, digits) and _has_digits(numeric, digits)):
            place = last
    gap = second_digit(claimed - numeric)
    if show_gap and place is not None and gap is not None:
        place = min(place, gap)
    return to_place(claimed, place, dtype), to_place(numeric, place, dtype), short(uncertainty)


def duration(seconds: float) -> str:
    """A wall time, in the unit that suits it."""
    if not seconds < 60:
        minutes, rest = divmod(round(seconds), 60) if math.isfinite(seconds) else (0, 0)
        return f"{minutes} min {rest} s"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s"


def _special(value: float) -> str:
    return "0" if value == 0 else str(float(value))


def _finite(rounded: str, value: float) -> str:
    """The rounded text, unless rounding went beyond the largest float."""
    return rounded if math.isfinite(float(rounded)) else repr(float(value))


def _has_digits(value: float, digits: int) -> bool:
    """Whether `digits` significant digits say all of `value`."""
    return not math.isfinite(value) or float(f"{value:.{digits - 1}e}") == value


def _exponent(value: float, decimals: int = 16) -> int:
    return int(f"{value:.{decimals}e}".partition("e")[2])


def _as_float32(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.inf
