"""The progress line: silent for half a second, then complete, and gone at the end."""

from __future__ import annotations

import io

import pytest

from gradcheck.cli.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def shown(*, live: bool, seconds: list[float]) -> str:
    """What a check of 1000 entries writes, 100 of which are done between two of the given times."""
    clock, stream = Clock(), io.StringIO()
    progress = Progress(stream, live=live, clock=clock)
    progress.begin("m:f", 1, 1)
    for number, second in enumerate(seconds):
        clock.now = 100.0 + second
        progress("coordinates", 100 * number, 1000, 200 * number, "")
    progress.clear()
    return stream.getvalue()


@pytest.mark.parametrize("live", [True, False])
def test_a_quick_check_shows_nothing(live: bool) -> None:
    assert shown(live=live, seconds=[0.0, 0.2, 0.49]) == ""


def test_a_line_says_how_much_is_done_how_fast_and_how_long_it_takes() -> None:
    assert shown(live=False, seconds=[0.0, 1.0]) == "m:f  coordinates  100/1,000  200 evaluations  200/s  0:09 left\n"


def test_a_log_gets_a_line_every_few_seconds() -> None:
    assert len(shown(live=False, seconds=[0.0, 1.0, 2.0, 3.0, 4.0, 6.5, 7.0]).splitlines()) == 2


def test_a_terminal_gets_one_line_drawn_over_itself_and_wiped_at_the_end() -> None:
    text = shown(live=True, seconds=[0.0, 1.0, 2.0])
    assert "\n" not in text
    blank, wiped = text.rsplit("\r", 2)[1:]
    assert blank.isspace()
    assert wiped == ""


def test_a_run_of_many_says_which_one() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(stream, live=False, clock=clock)
    progress.begin("softplus", 3, 200)
    clock.now += 1
    progress("noise", 0, 0, 0)
    assert stream.getvalue() == "[3/200] softplus  noise\n"


def test_a_closed_stream_is_no_error() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(stream, live=True, clock=clock)
    stream.close()
    for _ in range(3):
        clock.now += 1
        progress("coordinates", 1, 2, 3)


def test_nowhere_is_a_place_to_write() -> None:
    clock = Clock()
    progress = Progress(None, live=True, clock=clock)
    clock.now += 10
    progress("coordinates", 1, 2, 3)
    progress.clear()
