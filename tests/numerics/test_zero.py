"""What 0 means: flat stretches are known for what they are, quanta for what they are, and the scale of an entry is measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.numerics.extrapolation import ladder_steps
from gradcheck.numerics.zero import (
    Pairs,
    farthest,
    flat_but_for_rounding,
    flat_nearby,
    flat_stretch,
    may_be_nothing,
    natural_size,
    nothing,
)

STEPS = ladder_steps(1.37, 1e-13)
EPSILON = float(np.finfo(np.float64).eps)


def around(f, steps=STEPS):
    """φ(h), φ(−h), φ(0)."""
    return np.array([f(h) for h in steps]), np.array([f(-h) for h in steps]), f(0.0)


def stretch(f, scale=1.0, resolution=EPSILON):
    plus, minus, centre = around(f)
    return flat_stretch(plus, minus, centre, STEPS, scale, resolution, resolution)


@pytest.mark.parametrize(
    ("f", "end"),
    [
        (lambda t: np.floor(0.3 + t), -1),
        (lambda t: np.floor(0.7 + t), 1),
        (lambda t: max(t - 0.02, 0.0), 1),
        (lambda t: max(-t - 0.4, 0.0) ** 2, -1),
        (lambda t: 3.0 + np.sign(t - 0.9), 1),
        (lambda t: np.clip(2 + t, -1, 1.0), -1),
    ],
    ids=["floor, below", "floor, above", "relu", "squared hinge", "sign", "clip"],
)
def test_a_flat_stretch_is_known_with_its_end(f, end):
    found = stretch(f)
    assert found is not None
    assert np.sign(found.end) == end
    assert found.distance < abs(found.end)
    assert f(found.distance) == f(-found.distance) == f(0.0)
    assert f(found.end) != f(0.0)
    assert found.uncertainty == EPSILON / found.distance
    assert "does not change for steps up to" in found.sentence


@pytest.mark.parametrize(
    "f",
    [
        np.sin,
        lambda t: t * t,
        lambda t: np.float32(np.sin(1 + t)),
        lambda t: np.round(np.sin(1 + t), 5),
        lambda t: (1 + 1e-9 * t) - 1,
        lambda t: max(t - 1e-6, 0.0),
    ],
    ids=["smooth", "a minimum", "float32", "five decimals", "cancellation", "a kink too near"],
)
def test_what_moves_or_could_not_have_is_not_flat(f):
    assert stretch(f) is None


def test_a_constant_is_flat_throughout_and_needs_no_scale():
    found = stretch(lambda t: 2.5, scale=0.0)
    assert found is not None
    assert (found.distance, found.end) == (STEPS[0], np.inf)
    assert stretch(lambda t: np.floor(0.3 + t), scale=0.0) is None


def test_few_quanta_leave_it_open_whether_there_is_a_slope():
    found = stretch(lambda t: np.round(3 * t, 1))
    assert found is not None
    assert any(abs(slope - 3) <= spread for slope, spread in found.trends)
    assert not stretch(lambda t: np.floor(0.3 + t)).trends


def test_rounding_over_a_natural_step_is_flat_but_for_rounding():
    f = lambda t: 1.0 + EPSILON * (int(1e9 * t) % 3 - 1)  # noqa: E731
    plus, minus, centre = around(f)
    found = flat_but_for_rounding(plus, minus, centre, STEPS, 1.0, EPSILON)
    assert found is not None
    assert found.uncertainty < 1e-14
    plus, minus, centre = around(lambda t: 1 + 1e-12 * t)
    assert flat_but_for_rounding(plus, minus, centre, STEPS, 1.0, EPSILON) is None


@pytest.mark.parametrize(
    ("f", "size"),
    [(lambda t: 5 + t * t, 0.3), (lambda t: 2 * t, 2.0), (lambda t: max(t, 0.0), 1.0), (lambda t: 4.0, 0.0)],
    ids=["a minimum", "a slope", "a kink", "a constant"],
)
def test_the_natural_size_is_the_change_over_a_natural_step(f, size):
    plus, minus, centre = around(f)
    assert natural_size(plus, minus, centre, STEPS, 0.35, EPSILON) == pytest.approx(size, rel=0.2)


def test_the_natural_size_does_not_explode_with_the_function():
    plus, minus, centre = around(lambda t: np.exp(200 * t))
    assert natural_size(plus, minus, centre, STEPS, 0.35, EPSILON) < 1e12


@given(st.integers(-200, 200))
def test_powers_of_two_scale_the_natural_size(binades):
    f = lambda t: np.cosh(t)  # noqa: E731
    plain = natural_size(*around(f), STEPS, 0.35, EPSILON)
    power = 2.0**binades
    assert natural_size(*around(lambda t: power * f(t)), STEPS, 0.35, EPSILON * power) == plain * power


def test_along_a_line_each_output_is_flat_or_not():
    t = 0.125 * 4.0 ** -np.arange(11.0, -1, -1)
    f = lambda t: np.array([np.floor(0.49 + 4 * t), t, 1.0, np.round(t, 6)])  # noqa: E731
    plus, minus = np.array([f(h) for h in t]), np.array([f(-h) for h in t])
    assert flat_nearby(plus, minus, f(0.0), t, np.full(4, EPSILON)).tolist() == [True, False, False, False]


def test_a_variable_that_is_nearly_0_may_be_moved_as_far_as_the_others():
    assert farthest(np.array([5e-14, 8.0, 20.0])).tolist() == [8.0, 8.0, 20.0]
    assert farthest(np.array([1e-3])).tolist() == [1.0]


def settled(f, claimed, *, h=6e-6, noise=1e-16, ordinary=0.0, tolerance=6e-6):
    """Whether a claimed derivative of f at 0 counts as nothing."""
    natural, line = 0.137, lambda value: np.array([[float(value)]])
    pairs = Pairs(
        line((f(h) - f(-h)) / (2 * h)),
        line(abs(f(h) + f(-h) - 2 * f(0.0))),
        line(h),
        line(max(abs(f(natural) - f(0.0)), abs(f(-natural) - f(0.0)))),
        line(natural),
        line(1.0),
        line((f(natural) - f(-natural)) / (2 * natural)),
    )
    found = nothing(
        pairs,
        line(claimed),
        centre=line(f(0.0)),
        ordinary=line(ordinary),
        noise=line(noise),
        resolution=line(np.spacing(abs(f(0.0)))),
        truncation=line(1e-11),
        epsilon=EPSILON,
        rtol=tolerance,
        atol=0.0,
    )
    return bool(found.agreed[0, 0])


@pytest.mark.parametrize(
    ("f", "right"),
    [
        (lambda t: 3 * t * t, True),
        (lambda t: 1 - np.cos(t), True),
        (lambda t: t**4, False),
        (lambda t: 7.0, True),
        (lambda t: max(t - 0.1, 0.0), True),
        (np.floor, False),
        (abs, False),
        (lambda t: max(t, 0.0), False),
        (np.sin, False),
    ],
    ids=["parabola", "cosine", "quartic", "constant", "dead", "a jump", "a kink", "a corner", "a slope"],
)
def test_a_claim_of_0_is_settled_where_the_derivative_is_0(f, right):
    assert settled(f, 0.0) is right
    for wrong in (1e-3, -0.3, 1.0):
        assert settled(f, wrong) is False


def test_rounding_is_nothing_beside_ordinary_entries():
    assert settled(lambda t: 0.0, 1e-16, ordinary=1.0)
    assert settled(lambda t: 0.0, 1e-13, ordinary=1.0, noise=1e-20) is False
    assert settled(lambda t: 0.0, 1e-3, ordinary=1.0) is False


def test_noise_that_hides_the_small_step_settles_nothing():
    assert settled(lambda t: 3 * t * t, 0.0, noise=1e-8) is False


def test_only_small_entries_may_be_nothing():
    sizes = np.array([0.0, 1e-9, 0.5])
    may = may_be_nothing(sizes, np.zeros(3), np.ones(3), np.full(3, 1e-10), np.ones(3))
    assert may.tolist() == [True, True, False]
