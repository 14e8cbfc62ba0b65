"""A budget binds: before the first entry, between points, within a ladder, and against a call that does not return."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import gradcheck as api
from gradcheck.model import Stop, Verdict
from tests.hostile.harness import PATIENCE, ROOT, gradcheck, module

CHECK = ("--grad", "m:g", "--dim", "3")
X = np.array([0.5, -1.0, 2.0])


def g(x):
    return 2 * x


class Slow:
    """Takes its time at every call, and counts them."""

    def __init__(self, seconds, f):
        self.seconds, self.f, self.calls = seconds, f, 0

    def __call__(self, x, *more):
        self.calls += 1
        time.sleep(self.seconds)
        return self.f(x, *more)


def f(x):
    return float((x**2).sum())


@pytest.mark.parametrize("method", ["coordinates", "directions"])
@pytest.mark.parametrize("budget", [0.05, 0.5, 0.8])
def test_no_more_than_one_call_begins_after_the_end(method, budget):
    slow = Slow(0.1, f)
    report = api.check_gradient(slow, g, X, budget=budget, method=method, throw=False)
    assert report.stopped is Stop.BUDGET
    assert report.verdict is Verdict.INCONCLUSIVE
    assert slow.calls == report.nfev <= budget / 0.1 + 1
    assert "the budget ended the check" in str(report.headline)


@pytest.mark.parametrize("kind", ["gradient", "hessian", "jacobian", "hvp", "vjp"])
def test_the_budget_binds_for_every_kind_of_derivative(kind):
    eye = np.eye(3)
    claims = {
        "gradient": (f, g),
        "hessian": (f, lambda x: 2 * eye),
        "jacobian": (lambda x: 2 * x, lambda x: 2 * eye),
        "hvp": (f, lambda x, v: 2 * v),
        "vjp": (lambda x: 2 * x, lambda x, v: 2 * v),
    }
    slow = Slow(0.1, claims[kind][0])
    report = getattr(api, f"check_{kind}")(slow, claims[kind][1], X, budget=0.35, throw=False)
    assert (report.stopped, report.verdict) == (Stop.BUDGET, Verdict.INCONCLUSIVE)
    assert slow.calls == report.nfev <= 4


def test_a_slow_claim_counts_too():
    slow = Slow(0.1, g)
    report = api.check_gradient(f, slow, X, budget=0.15, throw=False)
    assert report.stopped is Stop.BUDGET
    assert slow.calls == report.ngev <= 2


def test_points_are_drawn_when_they_are_needed():
    report = api.check_gradient(f, g, X, points=10**15, budget=0.5, throw=False)
    assert report.stopped is Stop.BUDGET
    assert any(note.startswith("only ") and "of 1,000,000,000,000,000 points" in note for note in report.notes)


def test_what_was_not_seen_is_said(tmp_path: Path) -> None:
    module(tmp_path, "import time\ndef slow(x):\n time.sleep(.02)\n return (x**2).sum()")
    ended = gradcheck(tmp_path, "m:slow", "--grad", "m:g", "--dim", "500", "--budget", "1.5")
    assert ended.code == 3
    assert "the budget ended the check after " in ended.out
    assert "of 500 entries; the others were not examined" in ended.out


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import time; time.sleep(3600)",
        "import threading; threading.Event().wait()",
        "import subprocess; subprocess.run(['sleep', '3600'])",
        """
 while True:
  try:
   while True: pass
  except Exception: pass""",
    ],
)
def test_a_call_that_does_not_return_is_cut_short(tmp_path: Path, body: str) -> None:
    module(tmp_path, f"def hangs(x):\n {body}")
    (tmp_path / "setup.cfg").write_text(
        "".join(f"[gradcheck:{name}]\ntarget=m:{name}\ngrad=m:g\ndim=3\nbudget=0.5\n" for name in ("hangs", "f"))
    )
    ended = gradcheck(tmp_path)
    assert ended.code == 3
    assert "cut short" in ended.out
    assert "2 checks: 1 INCONCLUSIVE, 1 PASS" in ended.out


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody watches the process")
@pytest.mark.parametrize(
    "body",
    [
        "sum(__import__('itertools').repeat(1))",
        "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)\n while True: pass",
    ],
)
def test_a_call_that_no_signal_reaches_is_ended_with_its_process(tmp_path: Path, body: str) -> None:
    module(tmp_path, f"def hangs(x):\n {body}")
    (tmp_path / "r.json").write_text("old")
    (tmp_path / "early.py").write_text(
        "from gradcheck.cli import entry, supervision\nsupervision.OVERDUE = 2.0\nentry.main()\n"
    )
    line = ["m:hangs", "--grad", "m:g", "--dim", "3", "--budget", "0.3", "--json", "r.json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "early.py", *line]
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    late = "a call has not returned 2 s after the end of the budget, and cannot be cut short; its process was ended"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", f"error: m:hangs: {late}\n")
    assert (tmp_path / "r.json").read_text() == "old"


def test_a_claim_that_does_not_return_is_cut_short(tmp_path: Path) -> None:
    module(tmp_path, "def hangs(x):\n while True: pass")
    ended = gradcheck(tmp_path, "m:f", "--grad", "m:hangs", "--dim", "3", "--budget", "0.5")
    assert ended.code == 3
    assert "cut short" in ended.out


def test_a_worker_that_does_not_return_is_ended(tmp_path: Path) -> None:
    text = "import os, time\nmain = os.getpid()\ndef hangs(x):\n time.sleep(.01)\n"
    module(tmp_path, text + " while os.getpid() != main: pass\n return (x**2).sum()")
    ended = gradcheck(tmp_path, "m:hangs", "--grad", "m:g", "--dim", "60", "--jobs", "2", "--budget", "2")
    assert ended.code == 3
    assert "the budget ended the check" in ended.out


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_a_timer_of_the_callers_is_put_back():
    rings = []
    before = signal.signal(signal.SIGALRM, lambda *_: rings.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 1000.0)
        assert api.check_gradient(f, g, X, budget=0.5).verdict is Verdict.PASS
        assert 900 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1000
        assert callable(signal.getsignal(signal.SIGALRM))
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        api.check_gradient(Slow(0.02, f), g, X, budget=0.3, throw=False)
        assert rings == [1], "a timer that rings before ours does"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def test_in_another_thread_there_is_no_timer_and_the_budget_binds_between_calls():
    found = []
    thread = threading.Thread(
        target=lambda: found.append(api.check_gradient(Slow(0.1, f), g, X, budget=0.3, throw=False))
    )
    thread.start()
    thread.join()
    assert found[0].stopped is Stop.BUDGET


@pytest.mark.parametrize("budget", ["1e300", "1e-300", "1e12"])
def test_a_huge_or_tiny_budget_is_a_budget(tmp_path: Path, budget: str) -> None:
    module(tmp_path, "")
    ended = gradcheck(tmp_path, "m:f", *CHECK, "--budget", budget, "--points", "3")
    assert ended.code == (3 if budget == "1e-300" else 0)
