"""Words that misled."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check_gradient, check_jacobian

WEIGHTS = np.append(1.0, np.full(9, 1e-7))


def weighted(x):
    return WEIGHTS @ np.sin(x) + 1e3


def test_what_passed_is_not_said_to_have_been_left_unjudged():
    """Entries that are small beside an ordinary one pass without being known to many digits."""
    x = np.linspace(-1, 1, 10)
    report = check_gradient(
        weighted, lambda x: WEIGHTS * np.cos(x) + 0.3 * (np.arange(10) == 0), x, throw=False, fix=False
    )
    assert (report.verdict.name, report.failed) == ("FAIL", 1)
    if not report.inconclusive:
        assert "could not be judged" not in str(report)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_no_error_above_several_times_an_entry_is_called_seen(scale):
    report = check_gradient(lambda x: scale * np.sum(np.exp(x)), lambda x: scale * np.exp(x), np.linspace(-1, 1, 6))
    sentence = report.resolution.sentence
    share = float(sentence.partition("an error above ")[2].partition(" of an entry")[0])
    assert 0 < share < 1e-3
    assert "of its size" not in sentence


def test_a_gap_of_one_step_is_not_said_to_persist():
    report = check_gradient(lambda x: np.abs(x).sum(), lambda x: np.zeros(1), np.zeros(1), throw=False)
    assert "persists" not in str(report)


def test_the_entries_shown_are_counted_of_those_there_are():
    a = np.random.default_rng(0).normal(size=(120, 120))
    report = check_jacobian(
        lambda x: np.sin(a @ x), lambda x: 2 * np.cos(a @ x)[:, None] * a, np.ones(120), throw=False, fix=False
    )
    said = str(report)
    assert "of 14,400 entries shown" in said


@pytest.mark.parametrize("name", ["relu", "maximum of two"])
def test_a_kink_is_given_one_reason_and_one_remedy(name):
    f = {"relu": lambda x: np.maximum(x, 0).sum(), "maximum of two": lambda x: max(x[0], -2 * x[0])}[name]
    report = check_gradient(f, lambda x: np.array([0.25]), np.zeros(1), throw=False)
    [entry] = report.entries
    assert entry.reason.count("choose another point") <= 1
    assert f"the derivative is {entry.estimate.left:.6g} on the left" in entry.reason


def test_a_jump_is_given_one_reason():
    report = check_gradient(lambda x: float(x[0] >= 1), lambda x: np.zeros(1), np.ones(1), throw=False)
    assert str(report).count("no gradient exists") == 1
