"""Which single value, set free, would remove the gap: a line is named by it where no edit mends the claim."""

from __future__ import annotations

import time

import numpy as np
import pytest

from gradcheck import Verdict, check_gradient
from gradcheck.repair.freed import freed
from gradcheck.repair.judge import Measured
from gradcheck.repair.setting import prepare
from gradcheck.repair.trials import INFINITE, Trials

X = np.array([0.3, -0.7, 1.1, 0.4, -0.2])
A = np.random.default_rng(0).normal(size=(5, 2))


def f(x):
    t = np.tanh(A.T @ x)
    return 0.51234 * np.exp(np.sin(x).sum()) + x @ x + t @ t


def claim(x):
    c = 0.7771
    t = np.tanh(A.T @ x)
    s = c * np.exp(np.sin(x).sum())
    back = 2 * t * (1 - t**2)
    g = 2 * x + A @ back
    return g + s * np.cos(x)


def right(x):
    t = np.tanh(A.T @ x)
    return 2 * x + A @ (2 * t * (1 - t**2)) + 0.51234 * np.exp(np.sin(x).sum()) * np.cos(x)


def shares(call=claim, truth=right, seconds=5.0):
    setting = prepare(call, f, lambda call, x: call(x))
    values = truth(X)
    none = np.full(X.size, 1e-9)
    measured = Measured(X, values, none, none, np.abs(values - call(X)) > 1e-6)
    trials = Trials(setting.machine, setting.pool, [measured], time.perf_counter() + seconds)
    assert trials.start()
    found = freed(trials, dict.fromkeys(setting.own[0].lines, 0.0), time.perf_counter() + seconds)
    return {line.node.lineno - call.__code__.co_firstlineno: share for line, share in found.items()}


def test_one_number_that_removes_the_gap_tells_more_than_a_vector_that_can_be_anything():
    found = shares()
    assert found[1] == found[3] == pytest.approx(1 / 5), "c and s: a number each"
    assert found[5] == found[6] == 1.0, "g and what is returned can be anything"
    assert found[4] == INFINITE, "two numbers that move the answer in other directions"
    assert found[2] == INFINITE, "the answer is not linear in t: still no value of it does"


def test_what_the_answer_is_not_linear_in_is_found_in_steps():
    def curved(x):
        c = 0.9
        return 2 * x + A @ (2 * np.tanh(A.T @ x) * (1 - np.tanh(A.T @ x) ** 2)) + c**3 * np.cos(x)

    def truth(x):
        return curved(x) + (0.7**3 - 0.9**3) * np.cos(x)

    assert shares(curved, truth)[1] == pytest.approx(1 / 5)


def test_when_time_is_up_nothing_is_told():
    assert shares(seconds=-1.0) == {}


def test_the_line_is_named_where_there_is_no_patch():
    """The number that is missing stands nowhere: f has no source."""
    code = "lambda x: 0.51234 * np.exp(np.sin(x).sum()) + x @ x + np.tanh(A.T @ x) @ np.tanh(A.T @ x)"
    report = check_gradient(eval(code, {"np": np, "A": A}), claim, X, throw=False, fix=5.0)
    assert report.verdict is Verdict.FAIL
    assert not report.fixes
    where = report.diagnoses[0].where
    assert where is not None
    assert where.text.startswith(("c = ", "s = ")), "where a single number would do"
