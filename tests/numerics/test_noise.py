"""The noise, the quantum and the step that suits a function are measured, whatever makes the noise."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.numerics.noise import calibrate, ladder

EPSILON = float(np.finfo(np.float64).eps)
STEPS = ladder()


def calibrated(f, dimension=1):
    """The calibration of φ: t ↦ f(t), one value or several."""
    values = lambda t: np.atleast_1d(np.asarray(f(t), dtype=np.float64))  # noqa: E731
    with np.errstate(all="ignore"):
        plus, minus = (np.array([values(sign * t) for t in STEPS]) for sign in (1, -1))
        return calibrate(plus, minus, values(0.0), STEPS, dimension, EPSILON)


def hashed(t):
    """A number in [-1, 1] that depends on t, and on nothing else."""
    return zlib.crc32(np.float64(t).tobytes()) / 2**31 - 1


def smooth(t):
    return np.exp(0.3 + t) * np.sin(1 + t)


@pytest.mark.parametrize(
    ("f", "noise"),
    [
        (smooth, 2e-16),
        (lambda t: smooth(t) + 1e-9 * hashed(t), 1e-9),
        (lambda t: smooth(t) + 1e-3 * hashed(t), 1e-3),
        (lambda t: 1e8 + smooth(t), 1.5e-8),
        (lambda t: np.float32(smooth(np.float32(t))), 1e-7),
        (lambda t: np.round(smooth(t), 5), 1e-5),
        (lambda t: (1e6 + smooth(t)) ** 2 - 1e12, 1.2e-4),
    ],
    ids=["clean", "hashed 1e-9", "hashed 1e-3", "offset", "float32 inside", "five decimals", "cancellation"],
)
def test_noise_is_measured(f, noise):
    found = calibrated(f)
    assert noise / 10 < found.noise[0] < 20 * noise


@pytest.mark.parametrize(
    ("f", "resolution"),
    [
        (smooth, np.spacing(smooth(0.0))),
        (lambda t: np.float32(smooth(t)), float(np.spacing(np.float32(smooth(0.0))))),
        (lambda t: 2.0 if t > 0 else 1.0, np.spacing(1.0)),
    ],
    ids=["double", "single", "a few round numbers prove nothing"],
)
def test_resolution_follows_the_values(f, resolution):
    assert calibrated(f).resolution[0] == resolution


def test_the_quantum_is_the_smallest_change():
    found = calibrated(lambda t: [np.round(smooth(t), 3), 7.0])
    assert found.quantum[0] == pytest.approx(1e-3)
    assert found.quantum[1] == 0.0


@pytest.mark.parametrize(
    ("f", "slope"),
    [(smooth, None), (lambda t: 1e6 + np.sin(1 + t), np.cos(1.0)), (lambda t: np.sin(1e4 * t), 1e4), (np.exp, 1.0)],
    ids=["smooth", "offset", "high frequency", "exponential"],
)
def test_the_step_suits_the_function(f, slope):
    found = calibrated(f)
    h = found.fraction
    numeric = (f(h) - f(-h)) / (2 * h)
    true = np.exp(0.3) * (np.sin(1.0) + np.cos(1.0)) if slope is None else slope
    assert abs(numeric - true) <= (4 * found.truncation[0] * abs(true) + 4 * found.noise[0] / h)
    assert abs(numeric - true) < 1e-5 * abs(true)
    assert found.slope[0] == pytest.approx(abs(true), rel=1e-3)


@pytest.mark.parametrize(
    ("f", "bent"),
    [
        (smooth, False),
        (lambda t: (0.2 + t) ** 2, False),
        (lambda t: smooth(t) + 1e-6 * hashed(t), False),
        (lambda t: abs(t) + smooth(t), True),
        (lambda t: max(t, 0.0) + 1e-3, True),
    ],
    ids=["smooth", "parabola", "noisy", "kink", "hinge"],
)
def test_a_kink_at_the_point_is_seen(f, bent):
    assert calibrated(f).bent is bent


@pytest.mark.parametrize("f", [lambda t: 3.0, lambda t: np.nan if t else 1.0], ids=["constant", "undefined"])
def test_without_a_usable_value_the_step_is_the_textbook_one(f):
    found = calibrated(f)
    assert found.fraction == pytest.approx(EPSILON ** (1 / 3))
    assert np.isfinite([found.noise[0], found.resolution[0], found.quantum[0], found.truncation[0]]).all()


def test_outputs_are_judged_apart():
    found = calibrated(lambda t: [smooth(t), smooth(t) + 1e-5 * hashed(t)])
    assert found.noise[0] < 1e-14
    assert 1e-6 < found.noise[1] < 1e-4


@given(st.integers(-300, 300), st.sampled_from([smooth, lambda t: np.round(smooth(t), 4)]))
def test_powers_of_two_scale_the_calibration(binades, f):
    plain, scaled = calibrated(f), calibrated(lambda t: f(t) * 2.0**binades)
    assert scaled.fraction == plain.fraction
    assert scaled.bent is plain.bent
    assert np.array_equal(scaled.truncation, plain.truncation)
    for name in ("noise", "quantum", "slope"):
        assert getattr(scaled, name)[0] == getattr(plain, name)[0] * 2.0**binades
