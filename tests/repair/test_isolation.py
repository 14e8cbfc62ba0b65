"""Work in a process of its own: what it sends comes, it is ended in time, and it leaves no trace."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from gradcheck.repair import isolation
from gradcheck.repair.isolation import can_isolate, isolated, watched
from gradcheck.repair.program import few

pytestmark = pytest.mark.skipif(not can_isolate(), reason="this system cannot give work a copy of the process")

state = {"value": 1}


def test_what_is_sent_comes_in_order() -> None:
    def work(send: Any) -> None:
        for k in range(3):
            send((k, np.arange(k)))

    assert [k for k, _ in isolated(work, 10.0)] == [0, 1, 2]


def test_much_data_comes_whole() -> None:
    array = np.arange(200_000.0)
    (found,) = isolated(lambda send: send(array), 10.0)
    np.testing.assert_array_equal(found, array)


def test_what_never_ends_is_ended_and_what_it_sent_is_kept() -> None:
    def work(send: Any) -> None:
        send("before")
        while True:
            pass

    assert list(isolated(work, 0.5)) == ["before"]


def test_what_sleeps_is_ended() -> None:
    assert list(isolated(lambda send: time.sleep(60), 0.2)) == []


def test_an_array_that_has_no_room_ends_nothing_but_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "MEMORY", 2**28)

    def work(send: Any) -> None:
        try:
            np.ones(2**30)
        except MemoryError:
            send("no room")

    assert list(isolated(work, 10.0)) == ["no room"]


def test_an_error_or_an_exit_ends_the_work_alone() -> None:
    def work(send: Any) -> None:
        send(1)
        raise SystemExit(3)

    assert list(isolated(work, 10.0)) == [1]


def test_nothing_of_ours_changes() -> None:
    def work(send: Any) -> None:
        state["value"] = 2
        print("never seen")
        send(state["value"])

    assert list(isolated(work, 10.0)) == [2]
    assert state["value"] == 1


def test_one_who_stops_listening_ends_the_work() -> None:
    def work(send: Any) -> None:
        while True:
            send(1)

    for _ in isolated(work, 60.0):
        break


def test_what_makes_no_progress_is_given_up() -> None:
    steps = 0

    def work(send: Any) -> None:
        nonlocal steps
        with watched(lambda: steps, 0.1):
            for _ in range(3):
                try:
                    while True:
                        pass
                except BaseException as error:
                    send(type(error).__name__)
                steps += 1

    assert list(isolated(work, 30.0)) == ["TooSlow"] * 3


@pytest.mark.parametrize(("count", "kept"), [(0, ()), (1, (0,)), (3, (0, 1, 2)), (9, (1, 4, 8))])
def test_few_of_many_passes(count: int, kept: tuple[int, ...]) -> None:
    assert few(count) == kept
