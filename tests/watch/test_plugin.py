"""``pytest --gradcheck-watch``, in projects that are made up for each test."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy  # what runs within this process must not be the first to import it
import pytest
import scipy.optimize

from tests import whole_package

whole_package.load()
assert numpy and scipy.optimize  # noqa: PT018

TESTS = """
import random

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der

def wrong(x):
    g = rosen_der(x)
    g[1] *= 2
    return g

def own(x):
    return rosen_der(x)

def test_right():
    assert minimize(rosen, [0.4, 1.1, 0.7], jac=own).success

def test_wrong():
    random.seed(3)
    before = random.getstate()
    minimize(rosen, [0.4, 1.1, 0.7], jac=wrong)
    assert random.getstate() == before

def test_right_once_more():
    assert minimize(rosen, [0.4, 1.1, 0.7], jac=own).success

def test_not_of_this_project():
    minimize(rosen, [0.4, 1.1, 0.7], jac=rosen_der)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(test_it=TESTS)
    return pytester


def test_it_tells_at_the_end_and_fails_nothing(project: pytest.Pytester) -> None:
    result = project.runpytest("--gradcheck-watch", "test_it.py")
    result.assert_outcomes(passed=4)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*= gradcheck watch =*",
            "watched 2 pairs of function and derivative at * points: 1 wrong",
            "WRONG  gradient wrong  test_it.py:6",
            "*entry [[]1[]] alone is wrong*0.5 times that*",
            "  of rosen, handed to scipy.optimize.minimize as jac by test_it.py::test_wrong",
            "  at the last point of the solver, moved aside: *",
            "  repeat  gradcheck *--grad test_it:wrong --point *",
        ]
    )


def test_without_the_flag_nothing_of_it_is_imported(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="import sys\ndef test():\n    assert not [name for name in sys.modules if name.startswith('gradcheck.watch')]"
    )
    result = project.runpytest_subprocess("--gradcheck-watch-budget=5")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*gradcheck watch*")


def test_error_fails_the_run(project: pytest.Pytester) -> None:
    result = project.runpytest("--gradcheck-watch=error")
    result.assert_outcomes(passed=4)
    assert result.ret == 1
    assert project.runpytest("--gradcheck-watch=error", "-k", "right").ret == 0


@pytest.mark.parametrize(("value", "code"), [("true", 0), ("error", 1), ("false", 0)])
def test_it_can_be_switched_on_in_the_ini_file(project: pytest.Pytester, value: str, code: int) -> None:
    project.makeini(f"[pytest]\ngradcheck_watch = {value}\n")
    result = project.runpytest()
    assert result.ret == code
    told = "gradcheck watch" in result.stdout.str()
    assert told == (value != "false")


@pytest.mark.parametrize(
    ("ini", "arguments", "message"),
    [
        ("gradcheck_watch = often", [], "*gradcheck_watch is 'often'; it is true, false or error"),
        (
            "",
            ["--gradcheck-watch", "--gradcheck-watch-budget=-1"],
            "*--gradcheck-watch-budget is '-1'; give a percentage*",
        ),
        ("gradcheck_watch_budget = x", ["--gradcheck-watch"], "*gradcheck_watch_budget is 'x'; give a percentage*"),
    ],
)
def test_what_makes_no_sense_is_refused(project: pytest.Pytester, ini: str, arguments: list[str], message: str) -> None:
    project.makeini(f"[pytest]\n{ini}\n")
    result = project.runpytest(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_workers_share_what_is_done(project: pytest.Pytester) -> None:
    pytest.importorskip("xdist", reason="runs in several processes")
    result = project.runpytest_subprocess("--gradcheck-watch=error", "-n", "2", "--dist", "each")
    result.stdout.fnmatch_lines(["watched 2 pairs of function and derivative at * points: 1 wrong"])
    assert result.ret == 1
    assert len(re.findall("WRONG  gradient wrong", result.stdout.str())) == 1


def test_what_was_right_is_remembered_until_a_source_changes(project: pytest.Pytester) -> None:
    project.runpytest("--gradcheck-watch")
    result = project.runpytest("--gradcheck-watch")
    result.stdout.fnmatch_lines(["watched 2 pairs * at 1 point: 1 wrong (1 known from earlier runs)"])
    (project.path / "test_it.py").write_text(TESTS + "\n# changed\n")
    result = project.runpytest("--gradcheck-watch")
    result.stdout.fnmatch_lines(["watched 2 pairs * at * points: 1 wrong"])


def test_installed_packages_are_watched_on_request(project: pytest.Pytester) -> None:
    result = project.runpytest("--gradcheck-watch", "--gradcheck-watch-also", "scipy")
    result.stdout.fnmatch_lines(["watched 3 pairs *: 1 wrong"])


def test_names_can_be_ignored(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\ngradcheck_watch_ignore =\n    wron?\n    nothing\n")
    result = project.runpytest("--gradcheck-watch=error")
    result.stdout.fnmatch_lines(["watched 1 pair *: all are right (1 left out)"])
    assert result.ret == 0


def test_files_of_reports_hold_them(project: pytest.Pytester) -> None:
    result = project.runpytest("--gradcheck-watch", "--gradcheck-report=r.json", "--gradcheck-report=r.html")
    assert result.ret == 0
    checks = json.loads(Path("r.json").read_text(encoding="utf-8"))["checks"]
    assert [(check["verdict"], check["claim"]["name"]) for check in checks] == [("FAIL", "wrong"), ("PASS", "own")]
    assert checks[0]["point"]["origin"] == "the last point of the solver, moved aside"
    assert "test_it.py::test_wrong" in checks[0]["declared"]["name"]


def test_pairs_are_written_as_tests(project: pytest.Pytester) -> None:
    result = project.runpytest("--gradcheck-watch", "--gradcheck-watch-write", "test_kept.py")
    result.stdout.fnmatch_lines(["wrote 2 tests to test_kept.py"])
    project.runpytest("test_kept.py").assert_outcomes(passed=1, failed=1)


def test_a_run_that_is_interrupted_tells_what_was_seen(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS + "\ndef test_zz():\n    raise KeyboardInterrupt\n")
    result = project.runpytest_subprocess("--gradcheck-watch")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["watched 2 pairs *: 1 wrong"])


def test_the_seed_of_a_failing_test_and_its_message_are_as_without(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="import numpy as np\nfrom scipy.optimize import minimize\n"
        "def bad(x): raise ValueError('mine')\n"
        "def test():\n    minimize(lambda x: x @ x, [1.0], jac=bad)\n"
    )
    result = project.runpytest("--gradcheck-watch", "--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E   ValueError: mine"])
    result.stdout.no_fnmatch_line("*importlib._bootstrap*")
    result.stdout.no_fnmatch_line("*gradcheck/watch*")
