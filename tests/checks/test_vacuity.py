"""Whether a check that passes has tested something: set-ups that test nothing are named, ordinary checks are left alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Report, Verdict
from gradcheck.model import FindingKind
from tests.checks.vacuous_setups import VACUOUS, X6, A, Setup, d_squares, ordinary, squares

SEEDS = range(20)


def made(setup: Setup, **more: Any) -> Report:
    check, f, claim, x0, options = setup
    return check(f, claim, x0, throw=False, **options, **more)


def flagged(report: Report) -> set[FindingKind]:
    return {f.kind for f in report.findings} & {FindingKind.VACUOUS, FindingKind.SPECIAL_POINT}


def test_nearly_all_vacuous_set_ups_are_flagged_or_not_green() -> None:
    assert len(VACUOUS) >= 40
    reports = {name: made(setup) for name, setup in VACUOUS.items()}
    missed = [name for name, report in reports.items() if not flagged(report) and report.verdict is Verdict.PASS]
    assert len(missed) <= 2, missed


def test_hardly_any_ordinary_check_is_flagged() -> None:
    cases = [(name, setup) for seed in SEEDS for name, setup in ordinary(seed)]
    assert len(cases) >= 500
    flags: Counter[str] = Counter()
    for name, setup in cases:
        report = made(setup)
        assert report.verdict < Verdict.FAIL, name
        flags[name] += bool(flagged(report))
    assert flags.total() <= len(cases) // 100, +flags


def test_strict_makes_a_vacuous_pass_inconclusive_and_leaves_others_alone() -> None:
    report = made(VACUOUS["a constant"], strict=True)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.headline == (
        "The gradient agrees, but not safely: 0 would pass as well: f did not change around the point; "
        "see whether f should depend on x, or choose a point where it does (--point, --seed)"
    )
    with pytest.raises(gradcheck.GradientUndecided):
        gradcheck.check_gradient(lambda x: 1.0, np.zeros_like, X6, strict=True)
    assert gradcheck.check_gradient(squares, d_squares, X6, strict=True).verdict is Verdict.PASS


def test_a_qualified_pass_says_so_in_its_headline() -> None:
    report = made(VACUOUS["atol 100"])
    assert report.verdict is Verdict.PASS
    assert report.headline.startswith(
        "The gradient agrees, but so would much else: 0 would pass as well: nothing compared"
    )
    assert report.headline.endswith("lower atol")


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("a constant", "0"),
        ("atol 100", "0"),
        ("rtol of 0.9", "half of the claim"),
        ("all equal", "a constant"),
    ],
)
def test_the_trivial_claim_that_would_pass_is_named(name: str, claim: str) -> None:
    (finding,) = [f for f in made(VACUOUS[name]).findings if f.kind is FindingKind.VACUOUS]
    assert finding.evidence["claim"] == claim
    assert finding.evidence["whole"]


def test_x_itself_is_named_where_it_agrees_at_the_point_alone() -> None:
    x = np.array([0.5, 1.5, 2.0])
    report = gradcheck.check_gradient(lambda y: float(x @ y + np.sum((y - x) ** 2)), lambda y: x + 2 * (y - x), x)
    (finding,) = [f for f in report.findings if f.kind is FindingKind.VACUOUS]
    assert finding.evidence["claim"] == "x itself"
    assert not flagged(gradcheck.check_gradient(lambda y: float(y @ y) / 2, lambda y: y.copy(), x))


def test_a_stale_claim_is_named_where_it_would_pass() -> None:
    def f(x: Any) -> float:
        return float(x @ x) / 2 + float(np.sum(50 * x))

    report = gradcheck.check_gradient(f, lambda x: x + 50, X6, atol=20.0)
    (finding,) = [found for found in report.findings if found.kind is FindingKind.VACUOUS]
    assert finding.evidence["claim"] in ("a constant", "the claim at another point")


def test_a_part_of_the_variables_is_named() -> None:
    (finding,) = [f for f in made(VACUOUS["most pixels are empty"]).findings if f.kind is FindingKind.VACUOUS]
    assert finding.message.startswith("0 would pass as well for entries [0] to [11]")
    assert finding.evidence == {"claim": "0", "whole": False, "part": "entries [0] to [11]", "entries": 12}
    assert made(VACUOUS["most pixels are empty"]).headline == "The gradient is right: 20 entries agree."


def test_other_points_make_a_special_one_ordinary() -> None:
    assert flagged(made(VACUOUS["a quadratic at 0"]))
    setup = VACUOUS["all equal"]
    assert not flagged(made(setup, points=3))


@pytest.mark.parametrize(
    ("name", "special"),
    [
        ("all zeros", "zeros"),
        ("all equal", "equal"),
        ("the identity", "identity"),
        ("twice the identity", "identity"),
        ("at the lower bound", "at a bound"),
        ("a batch of one", "batch of one"),
        ("an argument of zeros", "empty data"),
    ],
)
def test_special_points_are_named(name: str, special: str) -> None:
    (finding,) = [f for f in made(VACUOUS[name]).findings if f.kind is FindingKind.SPECIAL_POINT]
    assert finding.evidence["special"] == [special]


def test_wrong_claims_are_not_said_to_be_vacuous() -> None:
    report = gradcheck.check_gradient(squares, lambda x: 2 * d_squares(x), np.ones(6), throw=False)
    assert report.verdict is Verdict.FAIL
    assert not flagged(report)


def test_a_check_that_compared_nothing_is_not_let_pass() -> None:
    def slow(x: Any) -> float:
        return squares(x)

    with pytest.raises(gradcheck.GradientUndecided, match="could not be judged"):
        gradcheck.check_gradient(slow, d_squares, X6, budget=1e-9, allow_inconclusive=True)


def test_a_leaf_of_a_tree_is_named() -> None:
    def f(p: Any) -> float:
        return float(np.sum((A @ p["w"]) ** 2) + np.sum(np.maximum(p["far"] - 50, 0)))

    def grad(p: Any) -> Any:
        return {"w": 2 * A.T @ (A @ p["w"]), "far": np.zeros(2)}

    report = gradcheck.check_gradient(f, grad, {"w": X6, "far": np.array([0.5, 1.5])})
    (finding,) = [found for found in report.findings if found.kind is FindingKind.VACUOUS]
    assert finding.evidence["part"] == "far"
    assert "for far: the derivative by 2 variables is 0" in finding.message
