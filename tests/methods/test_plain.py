"""The plain look: what it saves where a claim is right, and that nothing passes by it that measuring would not let pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import CheckInterrupted, check_gradient
from gradcheck.methods.plain import FEW
from gradcheck.model import FindingKind, Report, Verdict

RNG = np.random.default_rng(5)
DATA, ANSWERS = RNG.standard_normal((60, 12)), RNG.random(60) < 0.5


def loss(x: Any) -> float:
    along = DATA[:, : x.size] @ x
    return float(np.sum(np.logaddexp(0.0, along) - ANSWERS * along))


def slope(x: Any) -> Any:
    data = DATA[:, : x.size]
    return data.T @ (1.0 / (1.0 + np.exp(-(data @ x))) - ANSWERS)


def point(n: int) -> Any:
    return 0.3 * np.random.default_rng(n).standard_normal(n)


def check(f: Any, grad: Any, x: Any, **options: Any) -> Report:
    return check_gradient(f, grad, x, throw=False, fix=False, **options)


@pytest.mark.parametrize("n", [1, 3, 4, 12])
def test_a_right_claim_takes_two_evaluations_an_entry_and_a_handful(n: int) -> None:
    report = check(loss, slope, point(n))
    assert (report.verdict, report.checked) == (Verdict.PASS, n)
    assert report.nfev == 2 * n + 3 + (2 if n < FEW else 0)


def test_what_it_states_holds_of_the_true_derivative() -> None:
    weights = 10.0 ** np.linspace(-2, 2, 40)
    x = np.random.default_rng(3).uniform(-1, 1, 40)
    report = check(lambda x: float(np.sin(x) @ weights), lambda x: np.cos(x) * weights, x)
    assert report.nfev <= 2 * 40 + 3 + 3, "it may be tried out whether f takes rows"
    for entry in report.entries:
        true = float(np.cos(x[entry.index]) * weights[entry.index])
        assert abs(entry.estimate.value - true) <= entry.estimate.uncertainty < 1e-5 * abs(true)
    assert report.noise is not None
    assert 0 < report.noise < 1e-8


def test_differences_serve_again_where_one_entry_does_not_agree() -> None:
    wrong = np.ones(12)
    wrong[7] = 1.001
    report = check(loss, lambda x: slope(x) * wrong, point(12))
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [(7,)]
    measured = check(loss, lambda x: slope(x) * wrong, point(12), eps=3e-5)
    assert report.nfev <= measured.nfev + 3, "they are not made anew"


@pytest.mark.parametrize("relative", [1e-3, 3e-5])
@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_a_mistake_in_one_entry_is_seen_whatever_its_size(relative: float, size: float) -> None:
    weights = np.ones(10)
    weights[4] = size

    def f(x: Any) -> float:
        return float(np.exp(0.3 * x) @ weights)

    def grad(x: Any) -> Any:
        claimed = 0.3 * np.exp(0.3 * x) * weights
        claimed[4] *= 1 + relative
        return claimed

    report = check(f, grad, point(10))
    assert report.verdict is Verdict.FAIL
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [(4,)]


@pytest.mark.parametrize("noise", [1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("n", [1, 2, 12])
def test_a_noisy_function_is_measured(n: int, noise: float) -> None:
    def noisy(x: Any) -> float:
        return loss(x) + noise * (hash(x.tobytes()) % 1000003 / 1000003 - 0.5)

    report = check(noisy, slope, point(n))
    assert report.verdict is not Verdict.FAIL
    assert report.nfev > 2 * n + 26
    assert report.noise == pytest.approx(noise / 2, rel=0.9)


def test_no_kink_passes_by_it() -> None:
    """At 0 a central difference of |x| is 0, whatever the step."""
    report = check(
        lambda x: float(np.abs(x).sum() + 2 * x[1:].sum()),
        lambda x: np.r_[0.0, 2 * np.ones(5)] + np.sign(x),
        np.r_[0.0, 1, 2, 3, 4, 5],
    )
    assert report.verdict is Verdict.INCONCLUSIVE
    assert [finding.kind for finding in report.findings if finding.kind is FindingKind.KINK]


def test_a_variable_that_f_ignores_is_told() -> None:
    report = check(lambda x: float(x[1:] @ x[1:]), lambda x: np.r_[0.0, 2 * x[1:]], np.arange(1.0, 8.0))
    assert (report.verdict, report.nfev) == (Verdict.PASS, 2 * 7 + 3 + 2), "which is seen over a natural step as well"
    assert FindingKind.IGNORES_INPUT in {finding.kind for finding in report.findings}


def test_ctrl_c_keeps_what_agreed_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.checks.entrywise.PIECE", 1e-12)  # one entry at a time
    calls = 0

    def interrupted(x: Any) -> float:
        nonlocal calls
        calls += 1
        if calls == 3 + 2 * 5 + 1:
            raise KeyboardInterrupt
        return loss(x)

    with pytest.raises(CheckInterrupted) as caught:
        check_gradient(interrupted, slope, point(12))
    assert (caught.value.report.checked, caught.value.report.failed) == (5, 0)


def test_single_precision_is_measured_at_once() -> None:
    x = point(12).astype(np.float32)
    report = check(loss, lambda x: slope(x.astype(np.float64)).astype(np.float32), x)
    assert report.nfev >= 2 * 12 + 29


COARSE: dict[str, tuple[Any, Any, Any]] = {
    "steps that f rounds alike": (lambda x: np.float32(x.sum() + 5e-4 * x @ x), np.ones_like, np.ones(4)),
    "a small term in single precision": (lambda x: np.float32(x.sum() + 2e-3 * x[3] + 8), np.ones_like, np.zeros(5)),
    "a part in single precision": (
        lambda x: x[:4] @ x[:4] + float(np.float32(1 + 1e-3 * np.sin(x[4]))),
        lambda x: np.r_[2 * x[:4], 0],
        np.array([0.3, -0.7, 1.1, 0.9, 0.5]),
    ),
    "a rounded part": (
        lambda x: 10 * x[:8] @ x[:8] + round(x[8] ** 2, 3),
        lambda x: np.r_[20 * x[:8], 0.0],
        np.r_[np.linspace(0.5, 1, 8), 0.33],
    ),
    "steps in one variable": (
        lambda x: x[:3] @ x[:3] + np.floor(0.073 * x[3] / 1.5e-5) * 1.5e-5,
        lambda x: np.r_[2 * x[:3], 0.0],
        np.array([0.4, -1.5, -0.5, 1.0]),
    ),
}


@pytest.mark.parametrize("name", COARSE)
def test_what_a_coarse_function_hides_over_a_small_step_does_not_pass(name: str) -> None:
    report = check(*COARSE[name])
    assert report.verdict is Verdict.FAIL


def test_a_difference_of_f_does_not_vouch_for_itself() -> None:
    w, h = 2 * np.pi * 1000, 2.0**-15

    def f(x: Any) -> float:
        return float(np.sum(3 * x + 0.2 * np.sin(w * x) / w))

    def difference(x: Any) -> Any:
        return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)])

    report = check(f, difference, np.ones(4))
    assert report.verdict is not Verdict.PASS
    assert FindingKind.CLAIM_IS_DIFFERENCE in {finding.kind for finding in report.findings}


def test_a_quantised_part_does_not_make_a_right_claim_wrong() -> None:
    """Where a larger step suits f, the differences of the plain look do not serve again."""
    q = 1.4059732760289536e-11

    def f(x: Any) -> float:
        return float(0.27 * np.sin(x[0]) - 0.035 * np.sin(x[1])) + round(0.028 * np.sin(x[1] + 0.3) / q) * q

    report = check(
        f, lambda x: np.array([0.27 * np.cos(x[0]), -0.035 * np.cos(x[1]) + 0.028 * np.cos(x[1] + 0.3)]), [0, 0.0]
    )
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("size", [1e-160, 1e160])
@pytest.mark.parametrize("factor", [1, 2])
def test_points_whose_square_is_no_number_are_judged(size: float, factor: int) -> None:
    report = check(
        lambda x: float(np.sum(np.sin(x / size))),
        lambda x: factor * np.cos(x / size) / size,
        np.array([2.0, 1.5]) * size,
    )
    assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL)
