"""What a check will cost is said beforehand, and is what it costs; where time is short, what tells most comes first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck import Verdict, check_gradient, check_jacobian, check_jvp
from gradcheck.checks import check as check_module
from gradcheck.checks.plan import duration
from gradcheck.model import Stop
from tests.solvers import all_of_them

X = np.array([0.3, -1.2, 0.7, 2.0, 0.4, -0.9, 1.1])


def f(x: Any) -> float:
    return float(np.sum(x**3))


def g(x: Any) -> Any:
    return 3 * x**2


@pytest.mark.parametrize(
    "check",
    [
        lambda **o: check_gradient(f, g, X, **o),
        lambda **o: check_gradient(f, g, X, bounds=([0.3, *[-5.0] * 6], [0.3, *[5.0] * 6]), **o),
        lambda **o: check_jacobian(lambda x: x**3, lambda x: np.diag(3 * x**2) + 0.0, X, **o),
        lambda **o: check_jvp(lambda x: x**3, lambda x, v: 3 * x**2 * v, X, **o),
    ],
    ids=["gradient", "fixed variable", "jacobian", "jvp"],
)
def test_a_plan_tells_what_a_check_of_a_right_derivative_costs(check: Any) -> None:
    planned, made = check(plan=True), check()
    assert planned.plan is not None
    assert planned.plan.evaluations == pytest.approx(made.nfev, abs=16)
    assert planned.nfev <= 3, "a product is first asked for its shape"
    assert (planned.stopped, planned.checked) == (Stop.PLAN, 0)
    assert made.plan is None, "f is not slow"


def test_the_plan_of_directions_and_of_a_knob_is_near_what_they_cost() -> None:
    planned, made = (check_gradient(f, g, X, method="directions", plan=plan) for plan in (True, False))
    assert 0.5 < planned.plan.evaluations / made.nfev < 2  # type: ignore[union-attr]
    case = next(case for case in all_of_them() if case.name.startswith("layer"))
    planned = check_gradient(case.f, case.grad, case.x0, knob="tol", plan=True)
    assert planned.plan is not None
    assert "at 3 values of tol" in planned.plan.sentence


def test_a_slow_function_is_announced_before_it_is_differenced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "SLOW", 0.0)
    told = []

    def progress(phase: str, done: int, total: int, evaluations: int, detail: str) -> None:
        told.append((phase, evaluations, detail))

    report = check_gradient(f, g, X[:2], progress=progress)
    assert report.plan is not None
    assert told[0] == ("plan", 1, report.plan.sentence)
    assert report.plan.evaluations == report.nfev


@pytest.mark.parametrize("wrong", [False, True])
def test_with_little_time_a_direction_comes_first_and_then_the_entries_that_tell_most(
    monkeypatch: pytest.MonkeyPatch, *, wrong: bool
) -> None:
    monkeypatch.setattr("gradcheck.checks.gradient.pressed", lambda *_: True)
    monkeypatch.setattr("gradcheck.checks.entrywise.PIECE", 0.0)
    told, moved = [], []
    x = np.linspace(0.1, 3.0, 30)

    def counting(point: Any) -> float:
        if np.count_nonzero(point != x) == 1:
            moved.append(int(np.flatnonzero(point != x)[0]))
        return f(point)

    def claim(point: Any) -> Any:
        return 3.1 * point**2 if wrong else g(point)

    def progress(phase: str, done: int, total: int, evaluations: int, detail: str) -> None:
        told.append((phase, detail))

    report = check_gradient(counting, claim, x, throw=False, fix=False, progress=progress)
    assert report.directions
    assert report.checked == 30
    phases = [phase for phase, _ in told]
    assert phases.index("directions") < phases.index("entries")
    first = list(dict.fromkeys(moved))[:30]
    assert first == (list(range(29, -1, -1)) if wrong else list(range(30)))
    assert any(phase == "entries" and detail.startswith("shows ") for phase, detail in told)


OUT_OF_TIME = [
    ("right", 1.0, 0.0, Verdict.PASS),
    ("wrong in one entry", 1.05, 0.0, Verdict.FAIL),
    ("right, but f is noisy", 1.0, 0.1, Verdict.INCONCLUSIVE),
]


@pytest.mark.parametrize(("what", "factor", "noise", "verdict"), OUT_OF_TIME, ids=[case[0] for case in OUT_OF_TIME])
def test_when_time_is_up_there_is_a_verdict_if_a_real_mistake_would_have_shown(
    monkeypatch: pytest.MonkeyPatch, what: str, factor: float, noise: float, verdict: Verdict
) -> None:
    monkeypatch.setattr("gradcheck.checks.gradient.pressed", lambda *_: True)
    monkeypatch.setattr("gradcheck.checks.entrywise.PIECE", 0.0)
    calls = []
    monkeypatch.setattr("gradcheck.evaluation.deadline.Deadline.passed", lambda _: len(calls) > 100)
    x, rng = np.linspace(1.0, 2.0, 100), np.random.default_rng(0)

    def called(point: Any) -> float:
        calls.append(1)
        return f(point) * (1 + noise * rng.normal())

    def claim(point: Any) -> Any:
        return g(point) * np.where(np.arange(100) == 30, factor, 1.0)

    report = check_gradient(called, claim, x, throw=False, fix=False, budget=1e6)
    assert report.stopped is Stop.BUDGET
    assert 0 < report.checked < 100
    assert report.verdict is verdict
    if verdict is Verdict.PASS:
        assert "as far as the budget allowed to see: 1 random direction and" in report.headline
        assert "entries that were not compared one by one a lone error above" in report.resolution.sentence
        assert np.isfinite(report.resolution.absolute)


def test_a_jacobian_for_which_there_is_no_time_is_compared_by_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.checks.matrix.pressed", lambda *_: True)
    A = np.arange(1.0, 13.0).reshape(4, 3)
    report = check_jacobian(lambda x: A @ x**2, lambda x: 2 * A * x, np.array([0.5, 1.0, -2.0]))
    assert report.directions
    assert any("there was no time for every entry" in note for note in report.notes)
    wrong = check_jacobian(
        lambda x: A @ x**2, lambda x: 2.1 * A * x, np.array([0.5, 1.0, -2.0]), throw=False, fix=False
    )
    assert wrong.verdict is Verdict.FAIL


def test_a_plan_on_the_command_line_ends_with_0_and_calls_f_once(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "import pathlib\n"
        "def f(x):\n    with open('calls', 'a') as file:\n        file.write('f')\n    return float(x @ x)\n"
        "def g(x):\n    return 2 * x\n"
    )
    words = [sys.executable, "-m", "gradcheck", "m.py:f", "--grad", "m.py:g", "--dim", "7", "--plan"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "a plan alone was asked for: 17 evaluations of f" in done.stdout
    assert (tmp_path / "calls").read_text() == "f"
    done = subprocess.run([*words, "--format", "json"], cwd=tmp_path, capture_output=True, text=True)
    (check,) = json.loads(done.stdout)["checks"]
    assert check["plan"]["any_entry"] == 14
    assert check["stopped"] == "plan"


def test_a_plan_raises_nothing_and_judges_nothing() -> None:
    assert check_gradient(f, lambda x: -g(x), X, plan=True).verdict is Verdict.INCONCLUSIVE


def test_times_are_said_as_a_person_says_them() -> None:
    assert [duration(seconds) for seconds in (0.123, 34.4, 540.0, 9000.0)] == [
        "0.12 s",
        "34 s",
        "9 minutes",
        "2.5 hours",
    ]
