"""Decisions in source code: where they are, and how far a run is from deciding otherwise."""

from __future__ import annotations

import linecache
import textwrap
from typing import Any

import numpy as np
import pytest

from gradcheck.evaluation.branches import Decision, decisions_of


def decisions(code: str) -> list[Decision]:
    """The decisions in a text, in their order."""
    file = f"<decisions {hash(code)}>"
    text = textwrap.dedent(code)
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    found = decisions_of(file)
    return [decision for line in sorted(found) for decision in found[line]]


def far(condition: str, **names: Any) -> tuple[float, float]:
    """How far it is to true and to false."""
    (decision,) = decisions(f"def f(x):\n    if {condition}:\n        pass")
    ways = decision.ways({"np": np}, names)
    assert ways is not None
    return ways[0].far, ways[1].far


X = np.array([0.5, 2.0, -3.0])


@pytest.mark.parametrize(
    ("condition", "true", "false"),
    [
        ("x[0] > 4", 3.5, 0),
        ("x[0] < 4", 0, 3.5),
        ("4 > x[0] > 1", 0.5, 0),
        ("x[0] == 0.75", 0.25, 0),
        ("not x[0] > 4", 0, 3.5),
        ("x[0] > 4 and x[1] > 5", 6.5, 0),
        ("x[0] > 4 or x[1] > 5", 3, 0),
        ("np.all(x > 0)", 3, 0),
        ("(x > 0).all()", 3, 0),
        ("np.any(x > 9)", 7, 0),
        ("not np.any(x < 0)", 3, 0),
        ("any(t > 9 for t in x)", 7, 0),
        ("x.sum() > 0", 0.5, 0),
        ("np.linalg.norm(x) < 1", np.sqrt(0.25 + 4 + 9) - 1, 0),
        ("(x > 0).all() & (x.size < 3)", 3, 0),
        ("np.isclose(x[0], x[1])", 1.5, 0),
        ("x[0]", 0, 0.5),
    ],
)
def test_distances(condition: str, true: float, false: float) -> None:
    assert far(condition, x=X) == pytest.approx((true, false), abs=1e-300)


def test_equal_operands_are_as_near_as_can_be() -> None:
    true, false = far("x[0] > 0.5", x=X)
    assert 0 < true < 1e-300
    assert false == 0


@pytest.mark.parametrize("condition", ["helper(x) > 3", "np.random.rand() < x[0]", "x.pop() > 3", "next(x) > 1"])
def test_what_may_do_more_than_compute_is_not_evaluated(condition: str) -> None:
    assert decisions(f"def f(x):\n    if {condition}:\n        pass") == []


def test_a_part_that_cannot_be_evaluated_leaves_the_others() -> None:
    assert far("helper(x) and x[0] > 4", x=X) == (3.5, 0)


def test_names_that_are_not_there_tell_nothing() -> None:
    (decision,) = decisions("def f(x):\n    if y > 3:\n        pass")
    assert decision.ways({}, {}) is None


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        ("np.where(x > 8, x, 0)", ["x > 8"]),
        ("np.maximum(x, 0)", ["np.maximum(x, 0)"]),
        ("np.clip(x, -1, 1)", ["np.clip(x, -1, 1)", "np.clip(x, -1, 1)"]),
        ("x.clip(-1, 1)", ["x.clip(-1, 1)", "x.clip(-1, 1)"]),
        ("abs(x)", ["abs(x)"]),
        ("1 if x > 2 else 3", ["x > 2"]),
        ("np.sin(x)", []),
        ("max(x)", ["max(x)"] * 0),
    ],
)
def test_values_that_are_chosen_are_decisions(expression: str, texts: list[str]) -> None:
    assert [decision.text for decision in decisions(f"def f(x):\n    return {expression}")] == texts


def test_each_element_is_a_side_of_its_own_where_values_are_chosen() -> None:
    (decision,) = decisions("def f(x):\n    return np.where(x > 1, x, 0)")
    ways = decision.ways({"np": np}, {"x": X})
    assert ways is not None
    assert (ways[0].far, ways[1].far) == (0, 0)
    (high,) = decisions("def f(x):\n    return np.where(x > 7, x, 0)")
    ways = high.ways({"np": np}, {"x": X})
    assert ways is not None
    assert ways[0].far == 5
    (wish,) = ways[0].wishes
    assert wish.relation == ">"
    assert not wish.everywhere


def test_only_if_and_conditional_expressions_branch() -> None:
    found = decisions("def f(x):\n    if x > 3:\n        return np.where(x > 4, x, 1 if x > 5 else 2)")
    assert [(decision.text, decision.branches) for decision in found] == [
        ("x > 3", True),
        ("x > 4", False),
        ("x > 5", True),
    ]


def test_a_file_that_cannot_be_read_has_none() -> None:
    assert decisions_of("<nowhere at all>") == {}
