"""Difference formulae satisfy their moment equations, and steps are those that happen in floating point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.numerics.stencils import CENTRAL, natural_scales, realised_steps, smallest_step, steps_near

POINTS = st.floats(-1e12, 1e12, allow_subnormal=False)


@pytest.mark.parametrize("order", CENTRAL)
def test_central_formulae_are_exact_up_to_their_order(order):
    for power in range(1, order + 1):
        total = sum(c * (k**power - (-k) ** power) for k, c in enumerate(CENTRAL[order], 1))
        assert total == pytest.approx(1.0 if power == 1 else 0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("x", "scales"),
    [
        ([0.0, 0.0], [1.0, 1.0]),
        ([2.0, 0.0], [2.0, 2.0]),
        ([1e-9, 1.0, 2.0], [1e-9, 1.0, 2.0]),
        ([0.01, 1.0, 2.0], [1.0, 1.0, 2.0]),
        ([-3e7, 5.0, 4.0], [3e7, 5.0, 5.0]),
    ],
    ids=["origin", "zero", "tiny", "near zero", "huge"],
)
def test_natural_scales(x, scales):
    assert natural_scales(np.array(x)).tolist() == scales


@given(POINTS, st.floats(1e-30, 1e6), st.sampled_from([np.float32, np.float64]))
def test_steps_are_displacements_that_happen(x, wanted, dtype):
    point = np.array([x], dtype)
    step = steps_near(point, np.array([wanted]))
    assert step[0] > 0
    assert step[0] >= smallest_step(point)[0] / 2
    ahead, behind = (point + step).astype(dtype), (point - step).astype(dtype)
    assert (ahead.astype(float) - behind.astype(float))[0] == pytest.approx(2 * step[0], rel=0.51)


def test_a_displacement_is_not_the_step_asked_for():
    x, h = np.array([1e4]), np.array([1e-8])
    realised = realised_steps(x, h)[0]
    assert realised != h[0]
    slope = ((x + h) - (x - h))[0] / (2 * realised)
    assert slope == 1.0
    assert abs(((x + h) - (x - h))[0] / (2 * h[0]) - 1) > 1e-6


@given(st.lists(POINTS, min_size=1, max_size=6), st.integers(-20, 20))
def test_scales_grow_with_the_point(values, binades):
    x = np.array(values)
    if not x.any():
        return
    assert np.array_equal(natural_scales(x * 2.0**binades), natural_scales(x) * 2.0**binades)
