"""One central difference an entry: what agrees with it passes, what does not, or cannot be told, is left open."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradcheck.model import Tolerance
from gradcheck.numerics.first_step import Ordinary, first_look


def looked(plus, minus, claimed, *, centre=0.0, noise=1e-16, truncation=1e-11, bent=False, scale=1.0, h=1e-5):
    """The first look at one entry, and the difference."""
    column = lambda value: np.array([[float(value)]])  # noqa: E731
    numeric = column((plus - minus) / (2 * h))
    look = first_look(
        numeric,
        column(2 * noise / h),
        column(claimed),
        column(scale),
        np.array([truncation]),
        Tolerance(rtol=6e-6, atol=0.0),
        column(abs(plus + minus - 2 * centre) / h) if bent else None,
    )
    return look, numeric


@pytest.mark.parametrize(
    ("claimed", "more", "agreed"),
    [
        (1.0, {}, True),
        (1 + 1e-5, {}, False),
        (-1.0, {}, False),
        (math.nan, {}, False),
        (math.inf, {}, False),
        (1.0, {"noise": 1e-6}, False),
        (1.0, {"bent": True, "centre": -1e-5}, False),
        (1.0, {"bent": True}, True),
    ],
    ids=["right", "1 + 1e-5", "sign", "nan", "inf", "noise hides it", "a kink at the point", "no kink"],
)
def test_the_first_look(claimed, more, agreed):
    look, _ = looked(1e-5, -1e-5, claimed, **more)
    assert bool(look.agreed[0, 0]) is agreed


def test_the_first_look_knows_its_uncertainty():
    look, numeric = looked(1e-5 + 1e-12, -1e-5, 1.0, noise=1e-12)
    assert abs(numeric[0, 0] - 1) <= look.uncertainty[0, 0] < 1e-5


def test_what_is_ordinary_is_learnt_in_the_units_of_each_variable():
    ordinary = Ordinary(np.array([1.0, 100.0]), np.zeros(1), np.ones(1))
    assert ordinary.of(np.array([[1.0]])).tolist() == [[0.0]]
    ordinary.learn(np.array([[3.0], [0.5]]), np.full((2, 1), 1e-9), np.array([[1.0], [100.0]]))
    assert ordinary.of(np.array([[1.0], [100.0]])).tolist() == [[3.0], [0.5]]
    ordinary.learn(np.array([[1e9]]), np.array([[1e9]]), np.array([[1.0]]))  # noise
    ordinary.learn(np.array([[np.nan], [np.inf]]), np.zeros((2, 1)), np.ones((2, 1)))
    assert ordinary.largest.tolist() == [3.0]


def test_single_entries_teach_their_own_output():
    ordinary = Ordinary(np.ones(3), np.zeros(2), np.ones(2))
    ordinary.learn(np.array([[7.0]]), np.zeros((1, 1)), np.ones((1, 1)), np.array([[1]]))
    assert ordinary.largest.tolist() == [0.0, 7.0]
