"""A failing point is made as simple as can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.reach.shrink import TRIALS, shrunk

X = np.array([0.337, -1.2194, 1234.5678, 2.00013, -77.123])


def test_what_does_not_matter_becomes_0_and_what_does_short() -> None:
    x = shrunk(X, lambda x: bool(x[2] > 1000))
    assert np.count_nonzero(x) == 1
    assert x[2] > 1000
    assert len(repr(float(x[2]))) <= len("1100.0")


def test_one_entry_may_take_over_what_many_did() -> None:
    x = shrunk(X, lambda x: bool(x.sum() > 1100))
    assert np.count_nonzero(x) == 1


def test_entries_that_must_not_be_0_become_1() -> None:
    x = shrunk(np.abs(X), lambda x: bool((x > 0).all() and x[2] > 1000))
    assert sorted(x.tolist())[:-1] == [1.0] * 4


def test_a_point_that_only_fails_as_it_is_stays() -> None:
    assert shrunk(X, lambda x: False) is X


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12), st.integers(0, 11), st.floats(-10, 10))
@settings(max_examples=50, deadline=None)
def test_whatever_comes_of_it_fails_within_the_trials(x: list[float], entry: int, level: float) -> None:
    point, entry, asked = np.array(x), entry % len(x), 0

    def fails(x: Any) -> bool:
        nonlocal asked
        asked += 1
        return bool(x[entry] > level)

    if not fails(point):
        return
    asked = 0
    assert fails(shrunk(point, fails))
    assert asked <= TRIALS + 1


@pytest.mark.parametrize("value", [5e-324, 1e308, -1e-300])
def test_numbers_at_the_ends_are_no_trouble(value: float) -> None:
    with np.errstate(all="ignore"):
        x = shrunk(np.array([value, value]), lambda x: bool(x[0] == value))
    assert x.tolist() == [value, 0.0]
