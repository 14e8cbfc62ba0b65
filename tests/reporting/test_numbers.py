"""Numbers are shown to the digits that matter."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.reporting.numbers import compared, duration, exact, second_digit, short, to_place

NAN, INF = math.nan, math.inf
TENTH_AS_FLOAT32 = struct.unpack("f", struct.pack("f", 0.1))[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (NAN, "nan"),
        (-INF, "-inf"),
        (2.3456e-9, "2.3e-09"),
        (0.001, "0.0010"),
        (0.5, "0.50"),
        (2.0, "2.0"),
        (99.6, "100"),
        (123.4, "123"),
        (999.6, "1.0e+03"),
        (1e300, "1.0e+300"),
        (5e-324, "4.9e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),  # 1.8e+308 is no float
    ],
)
def test_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("claimed", "numeric", "uncertainty", "texts"),
    [
        # Both end at the second digit of the uncertainty.
        (1.23456789, 1.23456321, 2.3e-5, ("1.234568", "1.234563", "2.3e-05")),
        (-0.5, 0.5, 1e-10, ("-0.50000000000", "0.50000000000", "1.0e-10")),
        # Large and small values go over to an exponent.
        (1.5e12, 1.5e12 + 40, 2.0, ("1.5000000000000e+12", "1.5000000000400e+12", "2.0")),
        (1.2345e-300, 1.2346e-300, 1e-303, ("1.2345e-300", "1.2346e-300", "1.0e-303")),
        (123456.0, 123000.0, 1200.0, ("1.235e+05", "1.230e+05", "1.2e+03")),
        # What is smaller than the uncertainty keeps digits of its own, and is not shown as zero.
        (3.4e-9, 5.0, 1e-6, ("3.4e-09", "5.0000000", "1.0e-06")),
        (0.0, 1e-20, 0.5, ("0", "1.0e-20", "0.50")),
        # No uncertainty to round at: exact.
        (0.1, 0.30000000000000004, 0.0, ("0.1", "0.30000000000000004", "0")),
        (0.1, 1e300, INF, ("0.1", "1e+300", "inf")),
        (NAN, -INF, NAN, ("nan", "-inf", "nan")),
        # More digits than a float has.
        (1.0, 0.1, 1e-30, ("1.0", "0.1", "1.0e-30")),
        (5e-324, 1e-323, 5e-324, ("4.9e-324", "9.9e-324", "4.9e-324")),
    ],
)
def test_compared(claimed: float, numeric: float, uncertainty: float, texts: tuple[str, str, str]) -> None:
    assert compared(claimed, numeric, uncertainty) == texts


def test_a_gap_below_the_uncertainty_is_shown_on_request() -> None:
    assert compared(1.0001, 1.0, 0.5)[:2] == ("1.00", "1.00")
    assert compared(1.0001, 1.0, 0.5, show_gap=True)[:2] == ("1.00010", "1.00000")


@pytest.mark.parametrize(
    ("claimed", "numeric", "uncertainty", "show_gap", "texts"),
    [
        (1.23456789, 1.23456321, 1e-14, False, ("1.2346", "1.2346")),
        (1.23456789, 1.23456321, 1e-14, True, ("1.2345679", "1.2345632")),
        (1.23456789, 1.2, 0.5, False, ("1.23", "1.20")),
        (0.5, 3.0, 0.0, False, ("0.5", "3.0")),
        (0.123456789, 3.0, 0.0, False, ("0.1235", "3.0000")),
        (math.nan, 0.123456789, 0.0, False, ("nan", "0.12346")),
        (0.0, 0.0, 0.0, False, ("0", "0")),
    ],
)
def test_digits_can_be_bounded(
    claimed: float, numeric: float, uncertainty: float, show_gap: bool, texts: tuple[str, str]
) -> None:
    assert compared(claimed, numeric, uncertainty, show_gap=show_gap, digits=5)[:2] == texts


def test_float32_values_have_the_digits_of_float32() -> None:
    assert exact(TENTH_AS_FLOAT32) == "0.10000000149011612"
    assert exact(TENTH_AS_FLOAT32, "float32") == "0.1"
    assert exact(1e300, "float32") == "1e+300"
    assert to_place(TENTH_AS_FLOAT32, None, "float32") == "0.1"


@given(st.floats(allow_nan=False))
def test_exact_is_exact(value: float) -> None:
    assert float(exact(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(min_value=5e-324, allow_infinity=False))
def test_rounding_stays_within_the_uncertainty(value: float, uncertainty: float) -> None:
    text = to_place(value, second_digit(uncertainty))
    assert abs(float(text) - value) <= uncertainty
    assert (float(text) == 0) == (value == 0)
    assert len(text) <= 25


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00123456, "1.23 ms"), (2.5, "2.5 s"), (200.4, "3 min 20 s"), (59.96, "60 s")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
