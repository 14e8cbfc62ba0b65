"""``gradcheck --watch SCRIPT ARGS``: the program runs as it would without, and what it hands to solvers is told on stderr."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys

import numpy as np
from scipy.optimize import curve_fit, least_squares, minimize, newton, root


def wrong(x):
    return 3 * (x - 1)


def cube(x):
    return np.array([x[0] ** 3 - 1, x[1] - x[0]])


def cube_jac(x):
    return np.array([[3 * x[0] ** 2, 0], [-1, 1.0]])


def line(x):
    return np.array([2 * x[0] - 1 + x[1] ** 2, x[1] - x[0]])


def line_jac(x):
    return np.array([[2, 2 * x[1]], [-1, 1.0]])


def main():
    t = np.linspace(0, 1, 9)
    minimize(lambda x: np.sum((x - 1) ** 2), np.zeros(3), jac=wrong)
    least_squares(cube, [0.5, 0.5], jac=cube_jac)
    root(line, [0.5, 0.5], jac=line_jac)
    newton(lambda x: x**3 - 2, 1.5, fprime=lambda x: 3 * x * x)
    curve_fit(lambda t, a, b: a * t + b**2, t, 2 * t + 1, p0=[1, 1], jac=lambda t, a, b: np.stack([t, 2 * b + 0 * t], 1))
    print(__name__, sys.argv)


if __name__ == "__main__":
    main()
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gradcheck", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fit.py").write_text(SCRIPT, encoding="utf-8")
    return tmp_path


def test_five_solvers_of_which_one_is_handed_a_wrong_derivative(folder: Path) -> None:
    done = run(folder, "--json", "watched.json", "--watch", "fit.py", "--data", "x.csv", "-q")
    assert done.returncode == 1
    assert done.stdout == "__main__ ['fit.py', '--data', 'x.csv', '-q']\n"
    assert "watched 5 pairs of function and derivative" in done.stderr
    assert ": 1 wrong" in done.stderr
    assert "WRONG  gradient wrong  fit.py:8" in done.stderr
    assert "handed to scipy.optimize.minimize as jac by fit.py:" in done.stderr
    assert "repeat  gradcheck --watch fit.py --data x.csv -q" in done.stderr
    checks = json.loads((folder / "watched.json").read_text(encoding="utf-8"))["checks"]
    assert sorted(check["verdict"] for check in checks) == ["FAIL", *["PASS"] * 4]


def test_a_module_and_an_own_exit_code(folder: Path) -> None:
    (folder / "other.py").write_text("import fit, sys\nfit.main()\nsys.exit(7)\n", encoding="utf-8")
    done = run(folder, "--watch", "-m", "other")
    assert done.returncode == 7
    assert done.stdout.startswith("fit ")
    assert "1 wrong" in done.stderr


def test_all_is_well(folder: Path) -> None:
    (folder / "fit.py").write_text(SCRIPT.replace("3 * (x - 1)", "2 * (x - 1)"), encoding="utf-8")
    done = run(folder, "--watch", "fit.py")
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("gradcheck: watched 5 pairs")
    assert run(folder, "-q", "--watch", "fit.py").stderr == ""


def test_what_a_program_raises_is_shown_as_python_shows_it(folder: Path) -> None:
    (folder / "fit.py").write_text("def f():\n    raise ValueError('mine')\nf()\n", encoding="utf-8")
    done = run(folder, "--watch", "fit.py")
    plain = subprocess.run([sys.executable, "fit.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == plain.returncode == 1
    assert done.stderr.splitlines()[-2:-1] == plain.stderr.splitlines()[-1:]
    assert "runpy" not in done.stderr
    assert "gradcheck/" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--watch"], "--watch needs a program"),
        (["--watch", "nothing.py"], "--watch: there is no file nothing.py"),
        (["--watch", "-m", "no_such_module"], "--watch -m no_such_module: No module named"),
        (["m:f", "--watch", "fit.py"], "'m:f' before it is none of its arguments"),
        (["--watch-budget", "0", "--watch", "fit.py"], "--watch-budget is '0'; give a percentage above 0, such as 7"),
        (["--watch-budget", "9", "m:f"], "--watch-budget belongs to --watch"),
    ],
)
def test_what_cannot_be_run(folder: Path, words: list[str], message: str) -> None:
    done = run(folder, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_a_budget_can_be_given(folder: Path) -> None:
    done = run(folder, "--watch-budget", "20%", "--watch", "fit.py")
    assert done.returncode == 1
    assert "1 wrong" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_a_program_that_is_interrupted_tells_what_was_seen(folder: Path) -> None:
    waits = "    print('ready', flush=True)\n    import time\n    time.sleep(60)\n    print(__name__"
    text = SCRIPT.replace("    print(__name__", waits)
    (folder / "fit.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "gradcheck", "--watch", "fit.py"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "WRONG  gradient wrong" in errors
    assert "Traceback" not in errors
