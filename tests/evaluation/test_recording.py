"""Lines that ran and lines that never did, by whatever way this Python records them."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

import numpy as np
import pytest

from gradcheck.evaluation.recording import Recorder, Witness, ranges


def helper(t: float) -> float:
    if t > 100:
        return 1.0  # line: large
    return t


def f(x: Any) -> float:
    if x[0] < -50:
        raise ValueError("too small")
    total = 0.0
    for t in x:
        total += helper(float(t))
    if total == 7:
        total = 8  # line: seven
    return total


def line(mark: str) -> int:
    with open(__file__, encoding="utf-8") as text:
        return next(number for number, written in enumerate(text, 1) if written.rstrip().endswith(f"# line: {mark}"))


def missed(recorder: Recorder) -> dict[str, list[int]]:
    return {routine.name: routine.missed for routine in recorder.routines if routine.missed}


@pytest.fixture
def recorder() -> Recorder:
    if sys.gettrace() is not None and not hasattr(sys, "monitoring"):
        pytest.skip("a measurement of coverage takes the place of the recorder")
    return Recorder()


def test_lines_that_never_ran_are_told_by_function_and_those_that_raise_are_not(recorder: Recorder) -> None:
    with recorder:
        f(np.ones(3))
    assert missed(recorder) == {"helper": [line("large")], "f": [line("seven")]}


def test_several_recordings_add_up(recorder: Recorder) -> None:
    for x in (np.ones(3), np.array([200.0, 1.0]), np.array([3.0, 4.0])):
        with recorder:
            f(x)
    assert missed(recorder) == {}


def test_only_what_runs_within_counts(recorder: Recorder) -> None:
    with recorder:
        f(np.ones(3))
    f(np.array([200.0, 1.0]))
    assert "helper" in missed(recorder)


def test_code_of_libraries_is_looked_at_only_if_it_is_asked_for() -> None:
    plain, asked = Recorder(), Recorder([textwrap.__file__])
    for recorder in (plain, asked):
        with recorder:
            textwrap.dedent("  a")
    assert not plain.routines
    assert [routine.name for routine in asked.routines] == ["dedent"]


def test_what_traced_before_is_left_alone() -> None:
    if hasattr(sys, "monitoring"):
        pytest.skip("sys.monitoring has room for several tools")
    if sys.gettrace() is not None:
        pytest.skip("a measurement of coverage is at work already")

    def trace(*_: Any) -> None:
        return None

    sys.settrace(trace)
    try:
        recorder = Recorder()
        with recorder:
            f(np.ones(3))
        kept = sys.gettrace()
    finally:
        sys.settrace(None)
    assert kept is trace
    assert "tracing already" in recorder.refused
    assert recorder.routines == []


def test_a_witness_says_how_far_decisions_were_from_the_other_way(recorder: Recorder) -> None:
    witness = Witness(recorder, {"f": f})
    sight = witness.look(np.array([1.0, 2.5]))
    assert sight.sound
    far = {(decision.text, outcome): distance.far for (decision, outcome), distance in sight.nearest.items()}
    assert far["t > 100", True] == 97.5  # of the two calls the nearer one
    assert far["t > 100", False] == 0
    assert far["x[0] < -50", True] == 51
    assert far["total == 7", True] == 3.5
    assert witness.made == {"f": 1}


def test_a_way_that_is_told_by_no_line_shows_in_the_instructions(recorder: Recorder) -> None:
    def g(x: Any) -> float:
        return 1.0 if hash(float(x[0])) == 0 else 2.0  # nothing can be evaluated here, but the two ways differ

    witness = Witness(recorder, {"g": g})
    one, same, other = (witness.look(np.array([value])) for value in (3.0, 4.0, 0.0))
    assert one.places == same.places
    assert one.places != other.places


def test_lines_that_ran_on_the_way_to_an_error_do_not_count(recorder: Recorder) -> None:
    witness = Witness(recorder, {"f": f})
    assert not witness.look(np.array([200.0, np.nan])).sound
    assert not witness.look(np.array([-60.0])).sound
    assert all(not routine.ran for routine in recorder.routines)


def test_recording_ends_when_user_code_raises(recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="too small"), recorder:
        f(np.array([-60.0]))
    before = {routine.name: set(routine.ran) for routine in recorder.routines}
    f(np.array([200.0, 1.0]))
    assert {routine.name: routine.ran for routine in recorder.routines} == before


@pytest.mark.parametrize(
    ("lines", "text"),
    [([], ""), ([3], "3"), ([3, 4], "3–4"), ([1, 3, 4, 5, 9], "1, 3–5, 9")],
)
def test_ranges_of_lines(lines: list[int], text: str) -> None:
    assert ranges(lines) == text
