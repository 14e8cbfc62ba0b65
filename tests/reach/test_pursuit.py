"""Distances are followed down to 0, whatever the entries do to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.evaluation.branches import Distance
from gradcheck.reach.pursuit import pursue

X = np.array([0.3, -1.2, 0.7, 2.0, 0.4, 1.5])
W = np.array([1.0, -2.0, 0.5, 3.0, -0.1, 0.7])


def sought(excess: Callable[[Any], float], within: Callable[[Any], Any] = lambda x: x) -> tuple[Any, int]:
    """A point at which `excess` is at most 0, and how many looks it took."""
    looks = 0

    def look(x: Any) -> Distance:
        nonlocal looks
        looks += 1
        return Distance(max(0.0, excess(x)))

    found = pursue(X, look(X), look, within, 0)
    return found, looks


@pytest.mark.parametrize(
    "excess",
    [
        lambda x: 50 - W @ x,
        lambda x: np.linalg.norm(x) - 1e-3,
        lambda x: 1e4 - x @ x,
        lambda x: 60 - x[1] * x[3],
        lambda x: np.linalg.norm(x - 3 * W) - 0.01,
        lambda x: max(0, 5 - x[0]) + max(0, x[1] + 5) + max(0, 5 - x[2]),
        lambda x: 40 - np.exp(x[0]),
        lambda x: max(0.0, 7 - math.floor(x[2])),
    ],
    ids=["linear", "short", "long", "product", "ball", "corner", "exponential", "steps"],
)
def test_what_can_be_reached_is(excess: Callable[[Any], float]) -> None:
    found, looks = sought(excess)
    assert found is not None
    assert excess(found) <= 0
    assert looks < 300


def test_the_point_is_well_inside_where_there_is_room() -> None:
    found, _ = sought(lambda x: 50 - x.sum())
    assert found.sum() > 55


def test_what_cannot_be_reached_is_given_up() -> None:
    found, looks = sought(lambda x: 1 + abs(x[0]))
    assert found is None
    assert looks < 1000


def test_bounds_are_kept() -> None:
    seen = []

    def within(x: Any) -> Any:
        seen.append(np.clip(x, -3, 3))
        return seen[-1]

    found, _ = sought(lambda x: 8 - x.sum(), within)
    assert found is not None
    assert (np.abs(found) <= 3).all()


def test_a_point_where_the_decision_is_not_come_to_is_far() -> None:
    def look(x: Any) -> Distance:
        return Distance(math.inf if x[0] > 1 else max(0.0, 4 - x[1]))

    found = pursue(X, look(X), look, lambda x: x, 0)
    assert found is not None
    assert found[1] >= 4
