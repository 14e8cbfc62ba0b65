"""Each call in a fresh process: nothing is left behind, what ends the process is told, and state shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck import UserCodeError, Verdict, check_gradient, check_jacobian
from gradcheck.evaluation.isolated import FORK, Isolated
from gradcheck.model import FindingKind

pytestmark = pytest.mark.skipif(FORK != "fork", reason="functions of a test cannot be sent to a spawned process")
X = np.array([0.3, -1.2, 0.7])


def f(x: Any, scale: float = 1.0) -> float:
    return float(scale * np.sum(x**4))


def g(x: Any, scale: float = 1.0) -> Any:
    return scale * 4 * x**3


def test_the_report_is_that_of_calls_in_this_process() -> None:
    here, isolated = (check_gradient(f, g, X, args=(2.0,), isolate=isolate) for isolate in (False, True))
    assert [e.estimate.value for e in here.entries] == [e.estimate.value for e in isolated.entries]
    assert not isolated.findings
    assert isolated.options["isolate"] is True


def test_a_matrix_and_a_wrong_gradient_are_judged_alike() -> None:
    assert check_jacobian(lambda x: x**2, lambda x: np.diag(2 * x), X, isolate=True).verdict is Verdict.PASS
    report = check_gradient(f, lambda x: -g(x), X, isolate=True, throw=False, fix=False)
    assert report.verdict is Verdict.FAIL
    assert report.diagnoses[0].kind == "sign"


def test_this_process_never_calls_the_function() -> None:
    pids = set()

    def where(x: Any) -> float:
        pids.add(os.getpid())
        return f(x)

    check_gradient(where, g, X, isolate=True)
    assert pids == set()


def test_state_that_is_not_initialised_again_is_a_finding() -> None:
    warm = {"start": 0.0}

    def stateful(x: Any) -> float:
        value = f(x) + 1e-3 * warm["start"]
        warm["start"] = value
        return value

    report = check_gradient(stateful, g, X, isolate=True)
    (finding,) = report.findings
    assert finding.kind is FindingKind.ORDER_DEPENDENT
    assert "called elsewhere before in the same process" in finding.message
    assert check_gradient(stateful, g, X, throw=False).verdict is not Verdict.PASS, "what isolate is for"


def test_a_process_that_ends_is_told() -> None:
    with pytest.raises(RuntimeError, match="its process ended with exit code 7"):
        Isolated(lambda x: os._exit(7))(X)
    with pytest.raises(RuntimeError, match="its process ended by SIGKILL"):
        Isolated(lambda x: os.kill(os.getpid(), signal.SIGKILL))(X)
    with pytest.raises(UserCodeError, match="its process ended by SIGKILL"):
        check_gradient(lambda x: os.kill(os.getpid(), signal.SIGKILL), g, X, isolate=True)


def test_what_it_raises_is_raised_here() -> None:
    class Odd(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(f"{one} and {two}")

    def raises(x: Any) -> None:
        raise Odd(1, 2)

    with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
        Isolated(raises)(X)
    with pytest.raises(ZeroDivisionError):
        Isolated(lambda x: 1 / 0)(X)
    with pytest.raises(UserCodeError, match="cannot be sent from another process"):
        check_gradient(f, lambda x: (value for value in x), X, isolate=True)


def test_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "import os\nimport numpy as np\nprint('imported')\n"
        "def f(x):\n    print('called')\n    return float(np.sum(x**3))\n"
        "def g(x):\n    return 3 * x**2\n"
    )
    words = [sys.executable, "-m", "gradcheck", "m.py:f", "--grad", "m.py:g", "--dim", "2", "--isolate", "--quiet"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PASS")
    assert "called" in done.stderr


def test_state_is_a_finding_with_a_journal_too_and_looked_for_once(tmp_path: Path) -> None:
    calls, state = tmp_path / "calls", {"n": 0}

    def counting(x: Any) -> float:
        with calls.open("a") as file:
            file.write("f")
        state["n"] += 1
        return f(x) + 1e-3 * state["n"]

    first, again = (check_gradient(counting, g, X, isolate=True, journal=tmp_path / "run.db") for _ in range(2))
    assert [one.kind for one in first.findings] == [FindingKind.ORDER_DEPENDENT]
    assert again.findings == first.findings
    assert len(calls.read_text()) == first.nfev + 1, "one point again"
