"""Derivatives with a bound on their error: smooth, noisy and kinked functions whose derivatives are known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.numerics.extrapolation import COLUMNS, extrapolate, ladder_steps, richardson
from gradcheck.numerics.stencils import RATIO
from tests.ladders import hashed, judged, known

STEPS = ladder_steps(1.37, 1e-13)


def central(f, steps=STEPS):
    """What a ladder of central differences of φ tells of its derivative at 0."""
    with np.errstate(all="ignore"):
        differences = np.array([(f(h) - f(-h)) / (2 * h) for h in steps])
    return extrapolate(differences, steps, np.spacing(abs(f(0.0))) / (2 * steps), RATIO**2)


@given(st.floats(1e-8, 1e8), st.floats(1, 1e12))
def test_ladders_fall_by_the_ratio_down_to_the_bottom(top, span):
    steps = ladder_steps(top, top / span)
    assert steps[0] == top
    assert np.allclose(steps[:-1] / steps[1:], RATIO)
    assert steps[-1] >= top / span * (1 - 1e-6)
    assert steps[-1] / RATIO < top / span * (1 + 1e-6)


@pytest.mark.parametrize("column", range(COLUMNS))
def test_each_column_removes_one_power_of_the_step(column):
    steps = ladder_steps(1.0, 1e-3)
    table = richardson(np.ones(steps.size) + sum((steps ** (2 * p) for p in range(1, column + 1)), 0 * steps), RATIO**2)
    assert np.allclose(table[column, column:], 1.0, atol=1e-12)
    if column:
        assert abs(table[column - 1, column] - 1) > 1e-9


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda t: np.sin(1 + t), math.cos(1)),
        (lambda t: np.exp(t), 1.0),
        (lambda t: np.sin(1e3 * t), 1e3),
        (lambda t: 1e-300 * np.exp(t), 1e-300),
        (lambda t: 1e300 * np.sin(1 + t), 1e300 * math.cos(1)),
        (lambda t: np.log(1e-6 + t), 1e6),
        (lambda t: t + t**2, 1.0),
    ],
    ids=["sine", "exponential", "high frequency", "tiny", "huge", "edge of a domain", "polynomial"],
)
def test_smooth_functions_are_known_to_many_digits(f, slope):
    found = central(f).best
    assert abs(found.value - slope) <= found.uncertainty
    assert found.uncertainty < 1e-8 * slope


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-6, 1e-3])
def test_noise_limits_what_is_known(size):
    found = central(lambda t: np.sin(1 + t) + size * hashed(t))
    assert abs(found.best.value - math.cos(1)) <= found.best.uncertainty
    assert size / 30 < found.noise < 30 * size


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-9])
def test_before_a_kink_the_smaller_steps_are_right(distance):
    found = central(lambda t: np.abs(t - distance) + 0.3 * np.sin(t))
    assert abs(found.best.value + 0.7) <= found.best.uncertainty
    assert found.best.step < distance


def test_kinks_in_a_row_are_no_plateau():
    bends = 2.0 ** -np.arange(1, 40)
    slope = -float(np.sum(0.01 * np.sqrt(bends)))
    found = central(lambda t: float(np.sum(0.01 * np.sqrt(bends) * np.abs(t - bends))))
    assert abs(found.best.value - slope) <= found.best.uncertainty + 0.01 * np.sqrt(bends[-1]) * 2


def test_below_the_spacing_of_an_intermediate_the_slope_is_an_artefact():
    found = central(lambda t: (np.exp(1e-3 + t) - 1 - (1e-3 + t)) / (1e-3 + t))
    slope = 0.5 + 1e-3 / 3 + 1e-6 / 8 + 1e-9 / 30
    assert abs(found.best.value - slope) <= found.best.uncertainty


def test_differences_that_vanish_at_small_steps_are_no_derivative():
    judgement = judged(lambda x: np.float32(np.sin(x)), 1.0, math.cos(1))
    assert abs(judgement.value - math.cos(1)) <= judgement.uncertainty < 1e-3


def test_the_displacement_that_happened_is_used():
    judgement = judged(np.sin, 1e4, math.cos(1e4))
    assert abs(judgement.value - math.cos(1e4)) <= judgement.uncertainty < 1e-8


@pytest.mark.parametrize("missing", [slice(None), slice(0, -1)], ids=["all", "all but one"])
def test_without_values_the_uncertainty_is_infinite(missing):
    differences = np.ones(STEPS.size)
    differences[missing] = np.nan
    assert extrapolate(differences, STEPS, np.zeros(STEPS.size), RATIO).best.uncertainty == math.inf


@given(st.integers(-300, 300), st.sampled_from([np.sin, np.exp, lambda t: np.abs(t - 1e-4) + t]))
def test_powers_of_two_scale_value_and_uncertainty(binades, f):
    factor = 2.0**binades
    plain = central(lambda t: f(0.1 + t)).best
    scaled = central(lambda t: f(0.1 + t) * factor).best
    assert (scaled.value, scaled.uncertainty, scaled.step) == (
        plain.value * factor,
        plain.uncertainty * factor,
        plain.step,
    )


@given(st.integers(-60, 60))
def test_scaling_the_variable_scales_the_derivative(binades):
    factor = 2.0**binades
    plain, scaled = central(np.sinh).best, central(lambda t: np.sinh(t * factor), STEPS / factor).best
    assert (scaled.value, scaled.step) == (plain.value * factor, plain.step / factor)
    assert scaled.uncertainty == pytest.approx(plain.uncertainty * factor)


@given(st.floats(-1e3, 1e3))
def test_a_mirrored_function_has_the_opposite_derivative(a):
    f = lambda t: np.sin(a + t)  # noqa: E731
    assert central(lambda t: f(-t)).best.value == -central(f).best.value


def test_the_uncertainty_is_a_bound():
    """The true derivative lies within the uncertainty in at least 99.9 % of the entries."""
    missed, tried = [], 0
    for case in known(count=30, seed=7):
        true = float(case.slope(case.x))
        judgement = judged(case.f, case.x, -3 * true - 1, dtype=case.dtype)
        tried += 1
        if not abs(judgement.value - true) <= judgement.uncertainty + 4 * np.spacing(abs(true)):
            missed.append((case.name, case.x, judgement.value - true, judgement.uncertainty))
    assert tried > 1500
    assert len(missed) <= tried / 1000, missed
