"""What was evaluated is not evaluated again, whenever the check was killed, and the report is the same."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import UsageError, Verdict, check_gradient, check_hessian, check_jvp
from gradcheck.evaluation.journal import Journal

MODULE = """
import pathlib, time
import numpy as np
HERE = pathlib.Path(__file__).parent
def note(what, x):
    with open(HERE / "calls", "a") as file:
        file.write(what + " " + x.tobytes().hex() + "\\n")
def f(x):
    time.sleep(0.004)
    value = float(np.sum(x**4) + np.sin(x @ x))
    note("f", x)
    return value
def g(x):
    note("g", x)
    return 4 * x**3 + 2 * np.cos(x @ x) * x
def wrong(x):
    return g(x) + (np.arange(x.size) == 3)
"""
COMMAND = (sys.executable, "-m", "gradcheck", "m.py:f", "--grad", "m.py:g", "--dim", "12", "--format", "json")


class Seen:
    def __init__(self, call: Any) -> None:
        self.call, self.calls = call, 0

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        return self.call(*arguments)


def f(x: Any) -> float:
    return float(np.sum(x**4))


def g(x: Any) -> Any:
    return 4 * x**3


def h(x: Any) -> Any:
    return np.diag(12 * x**2)


X = np.array([0.3, -1.2, 0.7])


def facts(report: gradcheck.Report) -> dict[str, Any]:
    found = json.loads(report.to_json()) if hasattr(report, "to_json") else {}
    for check in found.get("checks", []):
        check.pop("seconds")
    return found


@pytest.mark.parametrize(
    ("check", "callables"),
    [
        (lambda f, g, **o: check_gradient(f, g, X, points=2, **o), [f, g]),
        (lambda f, g, **o: check_gradient(f, g, X, throw=False, fix=False, **o), [f, lambda x: 2 * g(x)]),
        (lambda f, g, **o: check_gradient(f, g, X, method="directions", **o), [f, g]),
        (lambda f, h, g, **o: check_hessian(f, h, X, grad=g, **o), [f, h, g]),
        (lambda f, h, **o: check_hessian(f, h, X, **o), [f, h]),
        (lambda f, p, **o: check_jvp(f, p, X, **o), [lambda x: x**2, lambda x, v: 2 * x * v]),
    ],
    ids=["gradient", "wrong", "directions", "hessian", "hessian without gradient", "jvp"],
)
def test_a_second_run_evaluates_nothing_but_one_point_again(tmp_path: Path, check: Any, callables: list[Any]) -> None:
    first = [Seen(call) for call in callables]
    report = check(*first, journal=tmp_path / "run.db")
    assert report.nfev == first[0].calls
    second = [Seen(call) for call in callables]
    again = check(*second, journal=tmp_path / "run.db")
    assert second[0].calls <= 1  # to see that f still gives the values that are kept
    assert sum(one.calls for one in second) <= 2
    assert facts(again) == facts(report)
    assert (again.nfev, again.ngev, again.verdict) == (report.nfev, report.ngev, report.verdict)


def test_the_answer_is_the_same_as_without_a_journal(tmp_path: Path) -> None:
    with_one = check_gradient(f, g, X, journal=str(tmp_path / "run.db"))
    without = check_gradient(f, g, X)
    assert [entry.estimate.value for entry in with_one.entries] == [entry.estimate.value for entry in without.entries]
    assert (with_one.nfev, with_one.ngev) == (without.nfev, without.ngev)


def test_what_the_set_up_looks_for_is_found_with_a_journal_too(tmp_path: Path) -> None:
    buffer = np.zeros(3)

    def one_buffer(x: Any) -> Any:
        buffer[:] = 4 * x**3
        return buffer

    def writes(x: Any) -> float:
        value = f(x)
        x[0] = 9.0
        return value

    noise = np.random.default_rng(0)
    for name, call, claim in (
        ("buffer", f, one_buffer),
        ("writes", writes, g),
        ("random", lambda x: f(x) + 1e-6 * noise.normal(), g),
    ):
        path = tmp_path / f"{name}.db"
        kinds = [
            {finding.kind for finding in check_gradient(call, claim, X, throw=False, **how).findings}
            for how in ({}, {"journal": path}, {"journal": path})
        ]
        assert kinds[0], name
        assert kinds[0] <= kinds[1], name
        assert kinds[0] <= kinds[2], name


def test_a_changed_source_starts_afresh_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODULE)
    command = (*COMMAND, "--journal", "run.db")
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "calls").unlink()
    (tmp_path / "m.py").write_text(MODULE + "# another version\n")
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    (check,) = json.loads(done.stdout)["checks"]
    assert len((tmp_path / "calls").read_text().splitlines()) == check["nfev"] + check["ngev"]
    assert any(note.startswith("f has changed: run.db holds") for note in check["notes"])


def test_a_value_that_changed_since_is_a_finding(tmp_path: Path) -> None:
    shift = [0.0]

    def moving(x: Any) -> float:
        return f(x) + shift[0]

    check_gradient(moving, g, X, journal=tmp_path / "run.db")
    shift[0] = 1e-3
    report = check_gradient(moving, g, X, journal=tmp_path / "run.db", throw=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert any("than the journal has from before" in finding.message for finding in report.findings)


@pytest.mark.skipif(not hasattr(os, "kill") or sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_at_random_moments_it_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODULE)
    whole = subprocess.run(COMMAND, cwd=tmp_path, check=True, capture_output=True, text=True)
    (tmp_path / "calls").unlink()
    moments, kills = random.Random(0), 0
    for _ in range(40):
        process = subprocess.Popen((*COMMAND, "--journal", "run.db"), cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        wait_for_calls(tmp_path / "calls", moments.randrange(1, 12), process)
        if process.poll() is not None:
            break
        process.kill()
        process.communicate()
        kills += 1
    else:
        pytest.fail("it never came to its end")
    stdout, _ = process.communicate()
    assert kills > 2
    assert stripped(stdout) == stripped(whole.stdout)
    calls = Counter((tmp_path / "calls").read_text().splitlines())
    expected = Counter({line: count for line, count in calls.items() if line.startswith("g")})
    assert sum(expected.values()) <= 4 + 2 * kills  # the claim once more a start at the most, where it was under way
    most = max(count for line, count in calls.items() if line.startswith("f"))
    assert most <= 3 + kills
    # each start repeats at most the evaluation that was under way, and one to see that f gives what is kept
    (check,) = json.loads(whole.stdout)["checks"]
    assert sum(count for line, count in calls.items() if line.startswith("f")) <= check["nfev"] + 2 * (kills + 1)


def wait_for_calls(file: Path, more: int, process: subprocess.Popen[str]) -> None:
    """Until so many more calls were noted, or the process has ended."""
    before = len(file.read_text().splitlines()) if file.exists() else 0
    while process.poll() is None:
        if file.exists() and len(file.read_text().splitlines()) >= before + more:
            return
        time.sleep(0.001)


def stripped(text: str) -> Any:
    (check,) = json.loads(text)["checks"]
    for key in ("seconds", "replay", "options"):
        check.pop(key)
    return check


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    with pytest.raises(UsageError, match="it is the database of something else"):
        check_gradient(f, g, X, journal=path)
    text = tmp_path / "text"
    text.write_text("not a database, but some text that is long enough to be looked at, line after line\n" * 20)
    with pytest.raises(UsageError, match="name another file"):
        check_gradient(f, g, X, journal=text)
    assert text.read_text().startswith("not a database")


def test_points_that_differ_in_the_last_digits_of_a_tree_are_two(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.db")
    ledger = journal.ledger("grad", lambda tree: None, ())
    trees = [{"W": np.full(2000, 1.0 + delta), "n": 3} for delta in (0.0, 1e-14)]
    assert ledger.key(trees[0]) != ledger.key(trees[1])
    journal.close()


def test_a_claim_that_answers_otherwise_than_the_journal_has_it_is_doubted(tmp_path: Path) -> None:
    class Claim:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def __call__(self, x: Any) -> Any:
            return self.factor * g(x)

    assert check_gradient(f, Claim(1.0), X, journal=tmp_path / "run.db").verdict is Verdict.PASS
    report = check_gradient(f, Claim(2.0), X, journal=tmp_path / "run.db", throw=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "grad gives another value at the point than the journal has from before" in report.headline


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODULE)
    command = (*COMMAND, "--journal", "run.db")
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_calls(tmp_path / "calls", 5, process)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert "the same command again goes on from run.db, and repeats no evaluation" in stderr


def test_which_method_is_taken_does_not_depend_on_how_quickly_the_journal_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.linspace(0.5, 1.5, 30)
    monkeypatch.setattr("gradcheck.checks.method.FEW_ENTRIES", 10)
    monkeypatch.setattr("gradcheck.checks.method.PATIENCE", 0.06)

    def slow(x: Any) -> float:
        time.sleep(0.005)
        return f(x)

    first, again = (check_gradient(slow, g, x, journal=tmp_path / "run.db") for _ in range(2))
    assert first.method == again.method == "directions"
    assert facts(first) == facts(again)
