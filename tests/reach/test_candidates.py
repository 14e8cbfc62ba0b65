"""Candidates: what stood in the way is put right by the entries of x that it was made of."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.evaluation.branches import Wish
from gradcheck.reach.candidates import asked_for, usual

RELATIONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
NUMBERS = st.floats(-1e6, 1e6).filter(lambda t: abs(t) > 1e-3)


@pytest.mark.parametrize("relation", RELATIONS)
@given(x=st.lists(NUMBERS, min_size=1, max_size=5, unique_by=abs), bound=NUMBERS, entry=st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_an_operand_that_is_an_entry_is_put_where_it_is_wished(
    relation: str, x: list[float], bound: float, entry: int
) -> None:
    point, entry = np.array(x), entry % len(x)
    holds = RELATIONS[relation]
    wish = Wish(point[entry : entry + 1], np.array([bound]), relation, everywhere=False)
    assert any(holds(candidate[entry], bound) for candidate in asked_for(point, [wish]))
    turned = Wish(np.array([bound]), point[entry : entry + 1], relation, everywhere=False)
    assert any(holds(bound, candidate[entry]) for candidate in asked_for(point, [turned]))


def test_several_wishes_are_met_at_once() -> None:
    x = np.array([0.1, 0.2, 0.3])
    wishes = [
        Wish(x[:1], np.array([5.0]), ">", everywhere=False),
        Wish(x[2:], np.array([-7.0]), "<", everywhere=False),
    ]
    first = next(asked_for(x, wishes))
    assert first[0] > 5
    assert first[2] < -7
    assert first[1] == 0.2


def test_all_entries_are_moved_where_all_must_hold() -> None:
    x = np.array([0.1, -0.2, 0.3])
    wish = Wish(x, np.zeros(3), ">", everywhere=True)
    assert (next(asked_for(x, [wish])) > 0).all()


def test_sizes_and_squares_of_entries_are_recognised() -> None:
    x = np.array([0.5, -3.0])
    assert any(abs(c[1]) < 1e-4 for c in asked_for(x, [Wish(np.array([3.0]), np.array([1e-4]), "<", everywhere=False)]))
    assert any(c[1] ** 2 > 90 for c in asked_for(x, [Wish(np.array([9.0]), np.array([90.0]), ">", everywhere=False)]))


def test_usual_points_have_other_scales_signs_zeros_and_equal_entries() -> None:
    x = np.array([0.5, -3.0, 1.0])
    points = list(usual(x))
    assert len(points) <= 40
    for expected in (0 * x, -x, x * 1e6, x * 1e-6, np.ones(3), np.abs(x), -np.abs(x)):
        assert any(np.allclose(point, expected, rtol=1e-12) for point in points)
    assert all(point.shape == x.shape for point in points)
    assert all(point.shape == (1,) for point in usual(np.array([2.0])))
