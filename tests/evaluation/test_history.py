"""An f that starts from where it was called last is told from one that is random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import check_gradient
from gradcheck.model import FindingKind, Status, Verdict

X = np.array([0.4, -0.8, 1.1])
W = np.array([[0.2, 0.3, -0.1], [-0.1, 0.25, 0.2], [0.3, 0.1, 0.2]])


class WarmStart:
    """z = tanh(W z + x), from the last z on, until it moves by less than tol; at least one step if `eager`."""

    def __init__(self, tol: float, *, eager: bool) -> None:
        self.tol, self.eager, self.z = tol, eager, np.zeros(3)

    def __call__(self, x: Any) -> float:
        new = np.tanh(W @ self.z + x)
        while self.eager or np.abs(new - self.z).max() > self.tol:
            moved, self.z = np.abs(new - self.z).max(), new
            if moved <= self.tol:
                break
            new = np.tanh(W @ self.z + x)
        return float(np.sum(self.z**3))


def exact(x: Any) -> Any:
    z = np.zeros(3)
    for _ in range(100):
        z = np.tanh(W @ z + x)
    d = 1 - np.tanh(W @ z + x) ** 2
    return d * np.linalg.solve(np.eye(3) - W.T * d, 3 * z**2)


def kinds(f: Any, grad: Any) -> set[FindingKind]:
    return {finding.kind for finding in check_gradient(f, grad, X, throw=False, fix=False).findings}


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-6])
def test_a_warm_start_is_named(tol: float, *, eager: bool) -> None:
    found = kinds(WarmStart(tol, eager=eager), exact)
    assert FindingKind.ORDER_DEPENDENT in found
    assert FindingKind.NON_DETERMINISTIC not in found


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_no_warm_start(seed: int) -> None:
    noise = np.random.default_rng(seed)
    found = kinds(lambda x: float(x @ x + 1e-5 * noise.normal()), lambda x: 2 * x)
    assert FindingKind.NON_DETERMINISTIC in found
    assert FindingKind.ORDER_DEPENDENT not in found


SIZE = 9
RNG = np.random.default_rng(0)
SLOW = RNG.normal(size=(12, 12))
SLOW *= 0.9 / np.linalg.norm(SLOW, 2)
INTO, BIAS, COST = RNG.normal(size=(12, SIZE)) / 3, RNG.normal(size=12) / 3, RNG.normal(size=12)
AT = RNG.normal(size=SIZE)


def settled(x: Any, tol: float, z: Any = None) -> Any:
    """A fixed point that is approached slowly, until it moves by less than tol."""
    z, moved = np.zeros(12) if z is None else z, np.inf
    while moved > tol:
        new = np.tanh(SLOW @ z + INTO @ x + BIAS)
        moved, z = float(np.linalg.norm(new - z)), new
    return z


def slope(x: Any) -> Any:
    z = settled(x, 1e-13)
    d = 1 - np.tanh(SLOW @ z + INTO @ x + BIAS) ** 2
    return INTO.T @ (d * np.linalg.solve(np.eye(12) - SLOW.T * d, COST))


def statuses(report: Any) -> set[Status]:
    return {entry.estimate.status for entry in report.entries if entry.verdict is Verdict.INCONCLUSIVE}


@pytest.mark.parametrize("tol", [1e-4, 1e-8])
def test_a_warm_start_is_named_in_every_entry_that_it_leaves_open(tol: float) -> None:
    kept = [np.zeros(12)]

    def warm(x: Any) -> float:
        kept[0] = settled(x, tol, kept[0])
        return float(COST @ kept[0])

    report = check_gradient(warm, slope, AT, throw=False, fix=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert statuses(report) == {Status.ORDER_DEPENDENT}
    (finding,) = [one for one in report.findings if one.kind is FindingKind.ORDER_DEPENDENT]
    assert "no warm start" in finding.message
    assert not {FindingKind.JUMP, FindingKind.NON_DETERMINISTIC} & {one.kind for one in report.findings}


@pytest.mark.parametrize("tol", [1e-3, 1e-6])
def test_an_iteration_that_stops_early_is_named_in_every_entry_that_it_leaves_open(tol: float) -> None:
    report = check_gradient(lambda x: float(COST @ settled(x, tol)), slope, AT, throw=False, fix=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert statuses(report) == {Status.STEPS}
    assert len({entry.reason for entry in report.entries if entry.verdict is Verdict.INCONCLUSIVE}) == 1
    (finding,) = [one for one in report.findings if one.kind is FindingKind.STEPS]
    assert "stops early" in finding.message
    assert "maxiter" in str(report)


def test_a_real_mistake_fails_although_f_has_steps_or_a_history() -> None:
    kept = [np.zeros(12)]

    def warm(x: Any) -> float:
        kept[0] = settled(x, 1e-8, kept[0])
        return float(COST @ kept[0])

    def off(x: Any) -> Any:
        return slope(x) * np.where(np.arange(SIZE) == 6, 1.5, 1.0)

    for f in (warm, lambda x: float(COST @ settled(x, 1e-6))):
        assert check_gradient(f, off, AT, throw=False, fix=False).verdict is not Verdict.PASS
    assert check_gradient(lambda x: float(COST @ settled(x, 1e-6)), off, AT, throw=False).verdict is Verdict.FAIL
