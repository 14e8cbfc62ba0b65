"""Jumps are found, bends and noise are not taken for them, and the trend over the pieces supports or refutes a claim."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.numerics.jumps import excuse, find_jumps

GRID = np.linspace(-1, 1, 33)


def jumps_of(line, noise):
    values = line(GRID)
    return find_jumps(line, GRID, values, np.polynomial.Polynomial.fit(GRID, values, 8), noise)


def pieces(spacing, size):
    """sin with a slope that is wrong on every piece: f returns to sin within `size` at each jump, as a solver does."""

    def line(t):
        place = np.floor((t + 0.4 * spacing) / spacing)
        return np.sin(t) + size * ((t + 0.4 * spacing) / spacing - place - 0.5) * (1 + 0.3 * np.cos(7 * place))

    return line


@pytest.mark.parametrize("size", [1e-7, 1e-4, 0.1])
@pytest.mark.parametrize("where", [-0.7123, 0.2345])
def test_a_jump_is_found_where_it_is(where, size):
    line = lambda t: np.exp(t) + size * (t > where)  # noqa: E731
    jump = max(jumps_of(line, 1e-15), key=lambda found: found.size)
    assert jump.distance == pytest.approx(where, abs=1e-6)
    assert jump.size == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize(
    "line",
    [np.sin, lambda t: np.abs(t - 0.3), lambda t: np.maximum(t, 0.1) ** 2, lambda t: np.exp(8 * t), np.zeros_like],
    ids=["smooth", "kink", "curvature jumps", "steep", "constant"],
)
def test_what_does_not_jump_has_no_jumps(line):
    assert jumps_of(line, 1e-14) == []


def test_noise_is_no_jump():
    line = lambda t: np.sin(t) + 1e-6 * np.sin(1e9 * t)  # noqa: E731
    assert jumps_of(line, 1e-6) == []


@pytest.mark.parametrize(("spacing", "size"), [(0.05, 1e-3), (0.02, 1e-5), (0.01, 1e-4)])
def test_the_trend_excuses_a_claim_that_a_piece_denies(spacing, size):
    line = pieces(spacing, size)
    local = float(line(np.array([1e-7]))[0] - line(np.array([-1e-7]))[0]) / 2e-7
    assert abs(local - 1) > 1e-5
    trend = excuse(line, 1.0, local, 0.5, 1e-15)
    assert trend is not None
    assert abs(trend.slope - 1) <= trend.uncertainty
    assert trend.jump.size == pytest.approx(size, rel=0.5)


@pytest.mark.parametrize("claimed", [0.5, -1.0, 1.3])
def test_the_trend_refutes_a_wrong_claim(claimed):
    assert excuse(pieces(0.01, 1e-4), claimed, 1.01, 0.5, 1e-15) is None


@pytest.mark.parametrize(
    "line",
    [np.sin, lambda t: np.sin(t) + 0.3 * (t > 1e-3), lambda t: np.log(t + 0.1)],
    ids=["smooth", "a jump as large as the function", "edge of the domain"],
)
def test_a_feature_of_f_excuses_nothing(line):
    with np.errstate(invalid="ignore", divide="ignore"):
        assert excuse(line, 1.001, 1.0, 0.5, 1e-15) is None
