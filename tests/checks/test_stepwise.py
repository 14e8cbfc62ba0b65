"""A function that runs elsewhere is asked for its values a batch at a time, and the report is that of one that runs here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck import Report, UsageError, Verdict, ask_and_tell, check_gradient, check_hessian, check_jacobian
from gradcheck.checks.stepwise import Asked

X = np.array([[0.3, -1.2, 0.7], [1.5, 0.2, -0.4]])


def f(x: Any) -> float:
    return float(np.sum(x**4) + np.sin(np.sum(x)))


def g(x: Any) -> Any:
    return 4 * x**3 + np.cos(np.sum(x))


def wrong(x: Any) -> Any:
    return g(x) + (np.arange(6).reshape(2, 3) == 4)


def answered(engine: Any, grad: Any = g, rounds: list[Asked] | None = None, most: int = 10**6) -> Report | None:
    """What comes of an engine whose questions are answered, `most` of them."""
    asked = next(engine)
    for _ in range(most):
        if rounds is not None:
            rounds.append(asked)
        call = f if asked.role == "f" else grad
        try:
            asked = engine.send([call(x) for x in asked.points])
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
    engine.close()
    return None


def facts(report: Report) -> Any:
    (check,) = json.loads(report.to_json())["checks"]
    return {key: check[key] for key in ("verdict", "entries", "directions", "findings", "nfev", "ngev", "noise")}


@pytest.mark.parametrize("claim", [g, wrong])
def test_the_report_is_that_of_a_function_that_runs_here(claim: Any) -> None:
    rounds: list[Asked] = []
    report = answered(ask_and_tell(X, name="simulation"), claim, rounds)
    assert report is not None
    assert facts(report) == facts(check_gradient(f, claim, X, throw=False, fix=False))
    assert report.target.name == report.name == "simulation"
    assert {asked.role for asked in rounds} == {"f", "grad"}
    assert all(asked.points.shape[1:] == X.shape for asked in rounds)


def test_batches_are_whole_rounds_of_entries_and_whole_lines() -> None:
    rounds: list[Asked] = []
    answered(ask_and_tell(X, grad=g), rounds=rounds)
    assert {asked.role for asked in rounds} == {"f"}
    assert [len(asked.points) for asked in rounds] == [1, 1, 1, 12]
    rounds.clear()
    answered(ask_and_tell(X, grad=lambda x: 2 * g(x)), rounds=rounds)
    assert sorted(len(asked.points) for asked in rounds)[-2:] == [12, 26]


def test_all_entries_are_asked_for_at_once_however_many() -> None:
    rounds: list[Asked] = []
    report = answered(ask_and_tell(np.linspace(-1, 2, 100), grad=g), rounds=rounds)
    assert report is not None
    assert report.verdict is Verdict.PASS
    assert max(len(asked.points) for asked in rounds) == 200


def test_directions_are_asked_for_a_ladder_at_a_time() -> None:
    rounds: list[Asked] = []
    report = answered(ask_and_tell(X, grad=g, method="directions"), rounds=rounds)
    assert report is not None
    assert report.verdict is Verdict.PASS
    assert len(rounds) < 16
    assert facts(report) == facts(check_gradient(f, g, X, method="directions"))


def test_with_a_journal_a_later_engine_goes_on(tmp_path: Path) -> None:
    rounds: list[Asked] = []
    assert answered(ask_and_tell(X, journal=tmp_path / "run.db"), rounds=rounds, most=4) is None
    later: list[Asked] = []
    assert answered(ask_and_tell(X, journal=tmp_path / "run.db"), rounds=later) is not None
    whole: list[Asked] = []
    answered(ask_and_tell(X), rounds=whole)
    assert len(rounds) + len(later) == len(whole)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.0], "1 value of f was asked for, one number each; an array of shape \\(2,\\) came"),
        (["a"], "what is no array of numbers came"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(values: Any, message: str) -> None:
    engine = ask_and_tell(X, grad=g)
    next(engine)
    with pytest.raises(UsageError, match=message):
        engine.send(values)


def test_options_that_make_no_sense_elsewhere_are_refused() -> None:
    with pytest.raises(UsageError, match="jobs is of no use where f runs elsewhere"):
        next(ask_and_tell(X, jobs=4))


TREE = {"W": X, "b": np.array([0.5, -1.0])}


def of_tree(p: Any) -> float:
    return float(np.sum(np.tanh(p["W"].sum(axis=1) + p["b"])))


def by_tree(p: Any, factor: float = 1.0) -> Any:
    d = 1 - np.tanh(p["W"].sum(axis=1) + p["b"]) ** 2
    return {"W": np.outer(d, np.ones(3)), "b": factor * d}


def driven(engine: Any, **calls: Any) -> Report:
    """What comes of an engine whose questions are answered by what runs for each role."""
    asked = next(engine)
    while True:
        try:
            asked = engine.send([calls[asked.role](x) for x in asked.points])
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


@pytest.mark.parametrize("factor", [1.0, 1.1])
@pytest.mark.parametrize("wrt", [None, ("b",)])
def test_a_tree_is_asked_for_as_trees(factor: float, wrt: Any) -> None:
    def claim(p: Any) -> Any:
        return by_tree(p, factor)

    report = driven(ask_and_tell(TREE, wrt=wrt), f=of_tree, grad=claim)
    assert facts(report) == facts(check_gradient(of_tree, claim, TREE, wrt=wrt, throw=False, fix=False))
    assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL)


def arrays(x: Any) -> Any:
    return np.array([x[0] * x[1], np.sin(x[2]), x[0] ** 3, x[1]])


def jacobian(x: Any) -> Any:
    return np.array([[x[1], x[0], 0], [0, 0, np.cos(x[2])], [3 * x[0] ** 2, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("error", [0.0, 1.0])
@pytest.mark.parametrize("told", [True, False])
def test_a_jacobian_is_told_or_called_here(error: float, told: bool) -> None:
    def claim(x: Any) -> Any:
        return jacobian(x) + error * np.eye(4, 3)

    report = driven(ask_and_tell(X[0], jac="told" if told else claim), func=arrays, jac=claim)
    assert facts(report) == facts(check_jacobian(arrays, claim, X[0], throw=False, fix=False))
    assert report.verdict is (Verdict.FAIL if error else Verdict.PASS)


@pytest.mark.parametrize(("factor", "grad"), [(1.0, None), (1.0, "told"), (1.01, "told"), (1.01, g)])
def test_a_hessian_is_told_with_its_gradient_or_without(factor: float, grad: Any) -> None:
    def claim(x: Any) -> Any:
        return factor * (np.diag(12 * x**2) - np.sin(np.sum(x)))

    report = driven(ask_and_tell(X[0], hess="told", grad=grad), f=f, grad=g, hess=claim)
    here = check_hessian(f, claim, X[0], grad=None if grad is None else g, throw=False, fix=False)
    assert facts(report) == facts(here)
    assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jac": "told", "grad": "told"}, "leave one of them out"),
        ({"jac": 3}, "jac is 3; give a function that can be called here, or 'told'"),
        ({"grad": "autograd"}, "or 'told'"),
        ({"hvp": g}, "unknown keyword 'hvp'"),
        ({"on": "sphere"}, "on is of no use where f runs elsewhere"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(given: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        next(ask_and_tell(X[0], **given))


def test_a_tree_that_is_none_is_refused_in_a_line() -> None:
    engine = ask_and_tell(TREE, grad="told")
    next(engine)
    engine.send([1.0])
    with pytest.raises(UsageError, match="a tree like x0 each"):
        engine.send([{"W": X}])


def test_a_tree_goes_through_files_leaf_by_leaf(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gradcheck", "sim", "--var", "W=2x3", "--var", "b=2", "--journal", "run.db"]
    command += ["--ask", "points.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    for _ in range(20):
        if done.returncode != 3:
            break
        with np.load(tmp_path / "points.npz") as held:
            role, parts = str(held["role"]), (held["points.W"], held["points.b"])
        points = [{"W": w, "b": b} for w, b in zip(*parts, strict=True)]
        if role == "f":
            np.savez(tmp_path / "values.npz", values=np.array([of_tree(p) for p in points]))
        else:
            values = [by_tree(p) for p in points]
            told = {f"values.{name}": np.array([value[name] for value in values]) for name in ("W", "b")}
            np.savez(tmp_path / "values.npz", **told)
        more = [*command, "--tell", "values.npz"]
        done = subprocess.run(more, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "PASS  The gradient is right: 8 entries agree." in done.stdout
    assert "W[0, 2]" in done.stdout


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "gradcheck",
        "simulation",
        "--point",
        "0.3,-1.2,0.7",
        "--journal",
        "run.db",
        *words,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_files_go_back_and_forth_until_the_verdict(tmp_path: Path, suffix: str) -> None:
    asked, told = tmp_path / f"points{suffix}", tmp_path / f"values{suffix}"
    done = run(tmp_path, "--ask", asked.name)
    for _ in range(20):
        if done.returncode != 3:
            break
        assert "--tell FILE takes them" in done.stderr
        if suffix == ".npz":
            with np.load(asked) as held:
                role, points = str(held["role"]), held["points"]
        else:
            held = json.loads(asked.read_text())
            role, points = held["role"], np.array(held["points"])
        values = np.array([f(x) if role == "f" else g(x) for x in points])
        if suffix == ".npz":
            np.savez(told, values=values)
        else:
            told.write_text(json.dumps({"values": values.tolist()}))
        done = run(tmp_path, "--ask", asked.name, "--tell", told.name)
    assert done.returncode == 0, done.stderr
    assert "PASS  The gradient is right: 3 entries agree." in done.stdout
    assert "gradient of simulation" in done.stdout


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gradcheck", "--dim", "3", "--ask", "points.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "what was told is kept in a journal; add --journal FILE, the same each time" in done.stderr
    (tmp_path / "bad.json").write_text("[1, 2]")
    done = run(tmp_path, "--ask", "points.npz", "--tell", "bad.json")
    assert done.returncode == 2
    assert 'it must hold the values by the name "values"' in done.stderr
