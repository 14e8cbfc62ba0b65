"""What gaps at falling tolerances come to: the exponent, the limit, and what luck makes of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.numerics.tolerance_law import LEAST, MOST, Fit, fit

ALLOWED = 1.8e-5
NOISE = 1e-9


def fitted(constant: float, size: float, exponent: float, ratio: float, levels: int, luck: Any = None) -> Fit:
    """The law behind constant + size · τ^exponent along three directions, with luck in the size of each level."""
    tolerances = ratio ** -np.arange(levels, dtype=float)
    weights = np.array([1.0, -0.6, 0.8])
    gaps = size * tolerances**exponent * (1.0 if luck is None else luck[:levels])
    residuals = constant * np.array([1.0, 0.9, -0.8]) + gaps[:, None] * weights
    return fit(tolerances, residuals, np.full(residuals.shape, NOISE), np.ones(3), ALLOWED)


def until_settled(*law: float, luck: Any = None) -> Fit:
    for levels in range(LEAST, MOST + 1):
        found = fitted(*law, levels, luck=luck)
        if found.settled:
            return found
    return found


@given(st.floats(1e-4, 0.05), st.sampled_from([0.5, 1.0, 1.5, 2.0]))
def test_a_gap_that_falls_like_a_power_of_a_tolerance_has_its_exponent_and_no_limit(size: float, p: float) -> None:
    found = until_settled(0.0, size, p, 10.0)
    assert not found.persists
    assert found.exponent == pytest.approx(p, abs=0.05)


@given(st.floats(1e-3, 0.03), st.sampled_from([1.0, 2.0]))
def test_on_a_mesh_a_mistake_is_told_from_the_gap_that_covers_it(size: float, p: float) -> None:
    right, wrong = until_settled(0.0, size, p, 2.0), until_settled(5e-3, size, p, 2.0)
    assert not right.persists
    assert right.resolved
    assert right.exponent == pytest.approx(p, abs=0.1)
    assert wrong.persists
    assert wrong.limit == pytest.approx(5e-3, rel=0.5)
    assert wrong.exponent is None


@given(st.lists(st.floats(0.1, 1.0), min_size=MOST, max_size=MOST), st.floats(1e-4, 0.02))
def test_luck_makes_no_mistake_of_a_gap_that_falls(luck: list[float], size: float) -> None:
    found = until_settled(0.0, size, 1.0, 10.0, luck=np.array(luck))
    assert not found.persists
    assert found.resolved


@given(st.lists(st.floats(0.1, 1.0), min_size=MOST, max_size=MOST), st.floats(1e-5, 1e-3))
def test_luck_hides_no_mistake_either(luck: list[float], size: float) -> None:
    assert until_settled(5e-3, size, 1.0, 10.0, luck=np.array(luck)).persists


def test_noise_that_hides_the_gap_is_no_law() -> None:
    tolerances = 10.0 ** -np.arange(LEAST, dtype=float)
    residuals = np.array([[1e-2, -2e-2, 1e-2], [-2e-2, 1e-2, 1e-2], [1e-2, 1e-2, -1e-2]])
    found = fit(tolerances, residuals, np.full(residuals.shape, 3e-2), np.ones(3), ALLOWED)
    assert not found.persists
    assert not found.resolved
    assert found.exponent is None


def test_fewer_levels_than_a_law_needs_settle_nothing() -> None:
    assert not fitted(5e-3, 0.0, 1.0, 10.0, 2).settled
