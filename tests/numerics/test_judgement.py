"""A verdict for each entry: right claims pass, wrong ones fail, and what f cannot show is left open with a reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.model import Status, Tolerance, Verdict
from gradcheck.numerics.judgement import judge
from gradcheck.numerics.noise import Precision
from tests.ladders import hashed, judged, known

FACTORS = [1.1, 1.001, 1 + 1e-4, -1.0, 0.0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("f", "slope", "x"),
    [(np.sin, math.cos(0.7), 0.7), (np.exp, math.exp(-1.3), -1.3), (lambda x: x**3 - x, 3 * 1.7**2 - 1, 1.7)],
    ids=["sine", "exponential", "cubic"],
)
def test_right_passes_and_wrong_fails(f, slope, x, dtype):
    assert judged(f, x, slope, dtype=dtype).verdict is Verdict.PASS
    for factor in FACTORS[:3] if dtype is np.float64 else FACTORS[:2]:
        assert judged(f, x, slope * factor, dtype=dtype).verdict is Verdict.FAIL


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize(
    "f",
    [
        lambda x: 1e6 + np.sin(x),
        lambda x: np.sin(x) + 1e-9 * hashed(x),
        lambda x: np.round(np.sin(x), 9),
        lambda x: 1e-300 * np.sin(x),
        lambda x: 1e300 * np.sin(x),
        lambda x: math.log(x) if x > 0.6999 else math.nan,
    ],
    ids=["offset", "noisy", "quantised", "tiny", "huge", "edge of the domain"],
)
def test_what_f_can_show_is_judged(f, factor):
    size = abs(f(0.7))
    slope = (
        1 / 0.7
        if size < 1 and math.isnan(f(0.5))
        else math.cos(0.7) * (size / math.sin(0.7) if not 0.1 < size < 1e7 else 1)
    )
    assert judged(f, 0.7, slope).verdict is Verdict.PASS
    assert judged(f, 0.7, slope * factor).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("f", "claimed", "status"),
    [
        (lambda x: 1e14 + 0.05 * x, 0.05, Status.BELOW_RESOLUTION),
        (lambda x: np.sin(x) + hashed(x), math.cos(0.7), Status.BELOW_RESOLUTION),
        (lambda x: 1.0 if x == 0.7 else math.nan, 0.0, Status.NON_FINITE),
        (lambda x: abs(x - 0.7), 0.3, Status.KINK),
    ],
    ids=["a large constant", "nothing but noise", "no values around", "a kink at the point"],
)
def test_what_f_cannot_show_is_left_open(f, claimed, status):
    judgement = judged(f, 0.7, claimed)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.status is status
    assert judgement.reason


def test_a_kink_tells_both_slopes():
    judgement = judged(lambda x: max(x, 2 * x), 0.0, 5.0)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.status is Status.KINK
    assert (judgement.left, judgement.right) == (pytest.approx(1.0), pytest.approx(2.0))
    assert "outside" in judgement.reason


@pytest.mark.parametrize("distance", [1e-2, 1e-5, 1e-9])
@pytest.mark.parametrize("inner", [-1.0, 1.0])
def test_a_kink_nearby_does_not_move_the_slope_at_the_point(distance, inner):
    f = lambda x: abs(x - (0.7 + inner * distance)) + np.sin(x)  # noqa: E731
    right = math.cos(0.7) - inner
    assert judged(f, 0.7, right).verdict is Verdict.PASS
    assert judged(f, 0.7, right + 2 * inner).verdict is Verdict.FAIL
    if distance < 1e-3:
        assert judged(f, 0.7, right + inner).verdict is Verdict.FAIL


@pytest.mark.parametrize("side", [-1, 1])
def test_one_side_is_enough(side):
    f = lambda x: np.exp(x) if side * (x - 0.7) >= 0 else math.nan  # noqa: E731
    judgement = judged(f, 0.7, math.exp(0.7))
    assert (judgement.verdict, judgement.status) == (Verdict.PASS, Status.ONE_SIDED)
    assert judged(f, 0.7, math.exp(0.7) * 1.001).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("claimed", "verdict"), [(0.0, Verdict.PASS), (1.0, Verdict.FAIL), (1e-9, Verdict.FAIL), (1e-13, Verdict.PASS)]
)
def test_a_constant_has_the_derivative_zero(claimed, verdict):
    assert judged(lambda x: 3.0, 0.7, claimed, scale=0.0).verdict is verdict


@pytest.mark.parametrize("decimals", [4, 6, 9])
def test_between_two_quanta_of_many_flatness_says_nothing(decimals):
    quantised = lambda x: np.round(x, decimals)  # noqa: E731
    assert judged(quantised, 0.7, 0.0).verdict is Verdict.FAIL
    found = judged(quantised, 0.7, 1.0)
    assert found.verdict is Verdict.PASS
    assert abs(found.value - 1) <= found.uncertainty < 0.01


def test_where_the_quanta_are_few_the_trend_is_no_mistake():
    quantised = lambda x: np.round(x, 2)  # noqa: E731
    assert judged(quantised, 0.7, 0.0).verdict is Verdict.PASS
    assert judged(quantised, 0.7, 1.0).status is Status.CONTRADICTORY
    assert judged(quantised, 0.7, 0.3).verdict is Verdict.FAIL


@pytest.mark.parametrize(("rtol", "verdict"), [(1e-8, Verdict.FAIL), (1e-3, Verdict.PASS)])
def test_the_tolerance_is_the_users(rtol, verdict):
    assert judged(np.sin, 0.7, math.cos(0.7) * (1 + 1e-5), rtol=rtol).verdict is verdict


@given(st.integers(-250, 250), st.sampled_from([1.0, 1.01, -1.0]), st.floats(0.1, 3))
def test_powers_of_two_change_no_verdict(binades, factor, x):
    power = 2.0**binades
    plain = judged(np.exp, x, math.exp(x) * factor)
    scaled = judged(lambda x: np.exp(x) * power, x, math.exp(x) * factor * power)
    assert (scaled.verdict, scaled.status) == (plain.verdict, plain.status)
    assert scaled.value == plain.value * power


@given(st.integers(-30, 30), st.sampled_from([1.0, 1.01, -1.0]))
def test_the_unit_of_the_variable_changes_no_verdict(binades, factor):
    power = 2.0**binades
    plain = judged(np.sin, 0.7, math.cos(0.7) * factor)
    scaled = judged(lambda x: np.sin(x / power), 0.7 * power, math.cos(0.7) / power * factor)
    assert (scaled.verdict, scaled.value) == (plain.verdict, plain.value / power)


@given(st.integers(0, 40), st.sampled_from([1.0, 1.01, -1.0]))
def test_constants_that_cost_no_digits_change_no_verdict(quarters, factor):
    steps = 2.0 ** -np.arange(0.0, 20.0, 2.0)
    values = lambda sign, constant: constant + (sign * steps) ** 2 + 3 * sign * steps  # noqa: E731

    def verdict(constant):
        return judge(
            3 * factor,
            values(1, constant),
            values(-1, constant),
            constant,
            steps,
            precision=Precision(2.0**-45, 0.0),
            scale=3.0,
            tolerance=Tolerance(rtol=1e-6, atol=0.0),
        )

    assert verdict(quarters / 4) == verdict(0.0)


def test_right_claims_never_fail_and_wrong_ones_never_pass():
    """Over families of clean, single, offset, noisy and cancelling functions, whatever their precision."""
    for case in known(count=6, seed=3):
        true = float(case.slope(case.x))
        assert judged(case.f, case.x, true, dtype=case.dtype).verdict is not Verdict.FAIL, case
        wrong = judged(case.f, case.x, 1.5 * true + 1e-3, dtype=case.dtype)
        assert wrong.verdict is not Verdict.PASS, case
