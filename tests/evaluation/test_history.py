"""An f that starts from where it was called last is told from one that is random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import check_gradient
from gradcheck.model import FindingKind

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
