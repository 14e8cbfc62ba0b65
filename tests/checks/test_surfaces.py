"""Trees at every face: the fixture, the marker, declared checks as tests, journals, baselines, JSON, and what repeats a check."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck import check_gradient
from gradcheck.cli.command import command
from gradcheck.model import Verdict
from gradcheck.reporting.json import to_dict
from gradcheck.reporting.restore import restore
from tests.networks import LAYER, PARAMS, grad, loss

NETWORK = (
    LAYER
    + """
def wrong_apart(W, b):
    return wrong({"W": W, "b": b})

def params():
    return {"W": np.ones((2, 3)) / 4, "b": np.zeros(2) + 0.5}
"""
)
TESTS = """
import numpy as np
import pytest
from surface import apart, grad, loss, params, wrong, wrong_apart

def test_right(gradcheck):
    gradcheck(loss, grad, params())

def test_wrong(gradcheck):
    gradcheck(loss, wrong, params())

@pytest.mark.gradcheck(wrt="W")
def test_marked(gradcheck):
    gradcheck(loss, wrong, params())

def test_apart(gradcheck):
    gradcheck(apart, wrong_apart, params(), unpack=True)

@pytest.mark.gradcheck(elementwise=True)
def test_elementwise(gradcheck):
    gradcheck(np.sin, np.cos, np.ones(3) / 2)

def test_both(gradcheck):
    gradcheck(lambda z: np.logaddexp(0, z), lambda z: (1 / (1 + np.exp(-z)), np.exp(-z) / (1 + np.exp(-z)) ** 2), np.ones(3) / 2,
              grad_and_hess=True)

def test_products(gradcheck):
    gradcheck.jvp(lambda p: p["W"] @ np.ones(3) + p["b"], lambda p, v: v["W"] @ np.ones(3) + v["b"], params())
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A project with a network of a dict of parameters."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(surface=NETWORK)
    monkeypatch.chdir(pytester.path)
    monkeypatch.syspath_prepend(pytester.path)
    return pytester


def ran(project, *words):
    return project.runpytest_subprocess("-p", "gradcheck.pytest_plugin", "-p", "no:cacheprovider", *words)


def test_the_fixture_and_the_marker_take_trees(project):
    project.makepyfile(test_surface=TESTS)
    done = ran(project, "--gradcheck-report=r.json")
    done.assert_outcomes(passed=5, failed=2)
    text = done.stdout.str()
    assert "on all of b (2 entries)" in text
    checks = json.loads((project.path / "r.json").read_text())["checks"]
    assert {entry["path"] for check in checks for entry in check["entries"] if entry["verdict"] == "FAIL"} == {
        "b[0]",
        "b[1]",
    }


def test_a_small_tree_is_typed_again(project):
    project.makepyfile(test_surface=TESTS)
    text = ran(project).stdout.str()
    lines = [line.partition("gradcheck surface:")[2] for line in text.splitlines() if "gradcheck surface:" in line]
    commands = {shlex.split(line)[0]: shlex.split(f"surface:{line}") for line in lines if "--grad" in line}
    assert commands.keys() == {"loss", "apart"}
    for words in commands.values():
        assert any(word.startswith("W=[[0.25,") for word in words)
        done = CliRunner().invoke(command, words)
        assert done.exit_code == 1, done.output
        assert "on all of b (2 entries)" in done.output


def test_declared_checks_of_trees_are_tests(project):
    project.makepyfile(test_surface="def test_nothing(): ...")
    (project.path / "pyproject.toml").write_text(
        '[[tool.gradcheck.checks]]\nname = "network"\ntarget = "surface:loss"\ngrad = "surface:wrong"\n'
        '[tool.gradcheck.checks.vars]\nW = "2x3"\nb = 2\n'
        '[[tool.gradcheck.checks]]\nname = "some"\ntarget = "surface:apart"\ngrad = "surface:wrong_apart"\nwrt = "W"\n'
        'vars = {W = "2x3", b = 2}\n'
    )
    done = ran(project, "--gradcheck-declared")
    done.assert_outcomes(passed=2, failed=1)
    assert "on all of b (2 entries)" in done.stdout.str()


def test_a_baseline_of_a_tree_is_kept_and_compared(project):
    words = ["surface:loss", "--grad", "surface:grad", "--point", "surface:params"]
    assert CliRunner().invoke(command, [*words, "--save-baseline", "base.json"]).exit_code == 0
    again = CliRunner().invoke(command, [*words, "--baseline", "base.json"])
    assert again.exit_code == 0
    assert "digits" in (project.path / "base.json").read_text()


def test_a_journal_of_a_tree_is_taken_up_again(tmp_path):
    calls = []

    def f(p):
        calls.append(1)
        return loss(p)

    journal = str(tmp_path / "run.db")
    first = check_gradient(f, grad, PARAMS, journal=journal)
    made = len(calls)
    second = check_gradient(f, grad, PARAMS, journal=journal)
    assert first.verdict is second.verdict is Verdict.PASS
    assert [e.estimate for e in first.entries] == [e.estimate for e in second.entries]
    assert len(calls) - made < made / 4


def test_a_report_of_a_tree_survives_json():
    report = check_gradient(loss, lambda p: {**grad(p), "b1": 2 * grad(p)["b1"]}, PARAMS, throw=False)
    again = restore(json.loads(json.dumps(to_dict([report])["checks"][0])))
    assert [entry.path for entry in again.entries] == [entry.path for entry in report.entries]
    assert again.point.leaves == report.point.leaves
    assert str(again.diagnoses[0].message) == report.diagnoses[0].message


def test_processes_are_handed_trees():
    x0 = {"W": np.ones((2, 3)), "b": np.ones(2)}
    report = check_gradient(total, total_grad, x0, jobs=2)
    assert report.verdict is Verdict.PASS


def total(p):
    return float(np.sum(p["W"] ** 2) + np.sum(p["b"] ** 3))


def total_grad(p):
    return {"W": 2 * p["W"], "b": 3 * p["b"] ** 2}


def test_the_self_test_takes_trees():
    from gradcheck.testing import self_test

    tried = self_test(total, total_grad, {"W": np.ones((2, 3)), "b": np.ones(2)})
    assert tried.verdicts["factor 2"] is Verdict.FAIL
    assert tried.verdicts["one entry with the wrong sign"] is Verdict.FAIL
    apart = self_test(
        lambda W, b: total({"W": W, "b": b}), lambda W, b: (2 * W, 3 * b**2), (np.ones(2), np.ones(2)), unpack=True
    )
    assert apart.verdicts["sign"] is Verdict.FAIL


def rows_of_trees(p):
    return (p["W"] ** 2).sum(axis=(-1, -2)) + np.sin(p["b"]).sum(axis=-1) * p["k"] + p["s"] ** 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_function_of_rows_takes_trees_with_one_more_axis(jobs):
    x0 = {"W": np.full((20, 3), 0.3), "b": np.linspace(0, 1, 5), "s": 2.0, "k": 3}

    def grad(p):
        return {"W": 2 * p["W"], "b": p["k"] * np.cos(p["b"]), "s": 3 * p["s"] ** 2}

    report = check_gradient(rows_of_trees, grad, x0, vectorized=True, jobs=jobs)
    assert report.verdict is Verdict.PASS
    assert report.engine.startswith("batches of rows")
    wrong = check_gradient(
        rows_of_trees, lambda p: grad(p) | {"s": p["s"]}, x0, vectorized=True, jobs=jobs, throw=False
    )
    assert [entry.path for entry in wrong.entries if entry.verdict is Verdict.FAIL] == ["s"]


def test_a_function_that_raises_after_its_journal_was_kept_is_told(tmp_path):
    calls = []

    def f(p):
        calls.append(1)
        if len(calls) > limit[0]:
            raise KeyError("gone")
        return loss(p)

    limit = [10**6]
    journal = str(tmp_path / "run.db")
    check_gradient(f, grad, PARAMS, journal=journal)
    limit[0] = 0
    report = check_gradient(f, grad, PARAMS, journal=journal, throw=False)
    assert report.verdict is Verdict.ERROR
    assert "f raised KeyError" in report.findings[0].message


def test_a_journal_knows_what_is_no_variable(tmp_path):
    def f(p):
        return float(np.sum(p["a"] ** 2) * p["k"] + np.sum(p["b"] ** 3))

    journal, a = str(tmp_path / "run.db"), np.array([1.0, 2.0])
    for k in (2, 3):  # else the values of the first would be taken for those of the second
        report = check_gradient(
            f, lambda p: {"a": 2 * p["a"] * p["k"], "b": 3 * p["b"] ** 2}, {"a": a, "b": a, "k": k}, journal=journal
        )
        assert report.verdict is Verdict.PASS
    for wrt, claim in (("a", lambda p: 6 * p["a"]), ("b", lambda p: 3 * p["b"] ** 2)):
        assert check_gradient(f, claim, {"a": a, "b": a, "k": 3}, wrt=wrt, journal=journal).verdict is Verdict.PASS
