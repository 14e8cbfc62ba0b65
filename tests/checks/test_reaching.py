"""The keyword ``reach``: of every check, with what is said of lines that never ran."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Report, Verdict
from gradcheck.model import FOUND, FindingKind

X = np.array([0.3, -1.2, 0.7])


def f(x: Any) -> float:
    if x[1] > 40:
        return float(3 * x[1] + x[0] * x[2])
    return float(x @ x)


def grad(x: Any) -> Any:
    if x[1] > 40:
        return np.array([x[2], 3.0, x[0]])
    return 2 * x


def hess(x: Any) -> Any:
    if x[1] > 40:
        return np.array([[0, 0, 1.0], [0, 0, 0], [1, 0, 0]])
    return 2 * np.eye(3)


def func(x: Any) -> Any:
    return grad(x)


def wrong(kind: str) -> tuple[Any, Any, dict[str, Any]]:
    """f, a claim that is wrong in the branch alone, and further keywords."""

    def twice(x: Any) -> float:
        return 2.0 if x[1] > 40 else 1.0

    return {
        "gradient": (f, lambda x: twice(x) * grad(x), {}),
        "hessian": (f, lambda x: twice(x) * hess(x), {"grad": grad}),
        "jacobian": (func, lambda x: twice(x) * hess(x), {}),
        "hvp": (f, lambda x, v: twice(x) * hess(x) @ v, {"grad": grad}),
        "jvp": (func, lambda x, v: twice(x) * hess(x) @ v, {}),
        "vjp": (func, lambda x, u: twice(x) * hess(x).T @ u, {}),
    }[kind]


@pytest.mark.parametrize("kind", ["gradient", "hessian", "jacobian", "hvp", "jvp", "vjp"])
def test_every_check_reaches(kind: str) -> None:
    function, claim, more = wrong(kind)
    check = getattr(gradcheck, f"check_{kind}")
    assert check(function, claim, X, throw=False, **more).verdict is Verdict.PASS
    report = check(function, claim, X, throw=False, reach=True, **more)
    assert report.verdict is Verdict.FAIL
    assert report.point.origin == FOUND
    assert report.point.values[1] > 40
    assert "at a point that was looked for" in report.headline
    with pytest.raises(gradcheck.GradientMismatch):
        check(function, claim, X, reach=True, **more)


def test_what_was_counted_is_what_was_called() -> None:
    calls = {"f": 0, "grad": 0}

    def counted_f(x: Any) -> float:
        calls["f"] += 1
        return f(x)

    def counted_grad(x: Any) -> Any:
        calls["grad"] += 1
        return grad(x) * (2 if x[1] > 40 else 1)

    report = gradcheck.check_gradient(counted_f, counted_grad, X, throw=False, reach=True)
    assert (report.nfev, report.ngev) == (calls["f"], calls["grad"])


def never_ran(report: Report) -> list[Any]:
    return [finding for finding in report.findings if finding.kind is FindingKind.NEVER_RAN]


def test_lines_that_cannot_be_reached_are_told() -> None:
    def dead(x: Any) -> Any:
        if x.size > 1000:
            x = 3 * x
            x = x + 1
        return 2 * x

    report = gradcheck.check_gradient(lambda x: float(x @ x), dead, X, reach=True)
    (finding,) = never_ran(report)
    start = dead.__code__.co_firstlineno
    assert finding.evidence["lines"][0]["lines"] == [start + 2, start + 3]
    assert finding.message.startswith(f"lines {start + 2}–{start + 3} of dead never ran, at ")
    assert report.verdict is Verdict.PASS
    strict = gradcheck.check_gradient(lambda x: float(x @ x), dead, X, reach=True, strict=True, throw=False)
    assert strict.verdict is Verdict.INCONCLUSIVE


def test_lines_that_were_reached_are_not_told() -> None:
    report = gradcheck.check_gradient(f, grad, X, reach=True)
    assert report.verdict is Verdict.PASS
    assert not never_ran(report)
    assert any("where other ways are taken" in note for note in report.notes)


def test_without_reach_nothing_is_recorded_or_looked_for() -> None:
    report = gradcheck.check_gradient(f, grad, X)
    assert not never_ran(report)
    assert report.ngev < 10


def test_bounds_are_kept() -> None:
    seen: list[float] = []

    def watched(x: Any) -> float:
        seen.append(float(np.abs(x).max()))
        return float(x @ x)

    gradcheck.check_gradient(watched, lambda x: 2 * x if x[0] < 9 else 3 * x, X, bounds=(-2, 2), reach=True)
    assert max(seen) <= 2


def test_a_tree_is_searched_leaf_by_leaf() -> None:
    def loss(p: Any) -> float:
        return float(p["b"] * 3 if p["b"] > 50 else p["b"] ** 2) + float(p["w"] @ p["w"])

    def slope(p: Any) -> Any:
        return {"b": 4.0 if p["b"] > 50 else 2 * p["b"], "w": 2 * p["w"]}

    report = gradcheck.check_gradient(loss, slope, {"b": 0.5, "w": X}, throw=False, reach=True)
    assert report.verdict is Verdict.FAIL
    assert report.entries[0].path == "b"


def test_value_and_gradient_of_one_function() -> None:
    def both(x: Any) -> Any:
        return f(x), grad(x) * (2 if x[1] > 40 else 1)

    report = gradcheck.check_gradient(both, None, X, value_and_grad=True, throw=False, reach=True)
    assert report.verdict is Verdict.FAIL


def test_a_journal_and_reach_contradict_each_other(tmp_path: Any) -> None:
    with pytest.raises(gradcheck.UsageError, match="reach watches f while it runs"):
        gradcheck.check_gradient(f, grad, X, reach=True, journal=str(tmp_path / "j.db"))


def test_a_budget_ends_the_search() -> None:
    report = gradcheck.check_gradient(
        f, lambda x: 2 * x, X, reach=True, budget=1e-4, allow_inconclusive=True, throw=False
    )
    assert report.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE)
    assert report.ngev < 20


def test_ctrl_c_during_the_search_keeps_the_first_report() -> None:
    calls = 0

    def slope(x: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise KeyboardInterrupt
        return 2 * x

    with pytest.raises(gradcheck.CheckInterrupted) as stop:
        gradcheck.check_gradient(lambda x: float(x @ x), slope, X, reach=True)
    assert stop.value.report.verdict is Verdict.PASS


def test_a_wrong_claim_is_not_looked_at_elsewhere() -> None:
    report = gradcheck.check_gradient(f, lambda x: 3 * x, X, throw=False, reach=True)
    assert report.verdict is Verdict.FAIL
    assert report.point.origin != FOUND
