"""What checks may take of a program's time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import gradcheck
from gradcheck.watch import budget
from gradcheck.watch.budget import Budget, share_of
from gradcheck.watch.look import Depth


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass."""
    now = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def test_there_is_time_at_the_start_and_a_share_of_what_passes(clock: Callable[[float], None]) -> None:
    own = Budget(0.1)
    assert own.available == pytest.approx(budget.START)
    clock(10)
    assert own.available == pytest.approx(budget.START + 1)
    own.pay(109.5)
    assert own.available == pytest.approx(budget.START + 0.95 - 0.5)  # what was paid is no time of the program


def test_slow_checks_leave_time_for_quick_looks(clock: Callable[[float], None]) -> None:
    own = Budget(0.1)
    assert own.depth is Depth.ALL
    clock(1.0)
    own.pay(100.0)  # more than half of what there is
    assert own.depth is Depth.GLANCE
    assert own.available > 0
    clock(30.0)
    assert own.depth is Depth.ALL
    own.pay(126.0, quick=True)
    assert own.depth is Depth.GLANCE  # ahead of their time, which will come
    own.pay(101.0, quick=True)
    assert own.depth is None


def test_no_share_is_no_limit() -> None:
    own = Budget(None)
    own.pay(-1e9)
    assert own.depth is Depth.ALL
    assert own.seconds == budget.MOST


@pytest.mark.parametrize(("text", "share"), [("8", 0.08), ("8%", 0.08), (" 0.5 ", 0.005), ("250", 2.5)])
def test_percentages(text: str, share: float) -> None:
    assert share_of(text, "here") == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "much", "0", "-3", "nan", "inf"])
def test_what_is_no_percentage(text: str) -> None:
    with pytest.raises(gradcheck.UsageError, match=r"^here is '.*'; give a percentage above 0, such as 7$"):
        share_of(text, "here")
