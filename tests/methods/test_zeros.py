"""Where the derivative is 0: right claims pass at the cost of a few evaluations, wrong ones fail."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Verdict, check_gradient, check_jacobian

RNG = np.random.default_rng(31)
A, B = RNG.normal(size=(12, 4)), RNG.normal(size=12)
BEST = np.linalg.lstsq(A, B, rcond=None)[0]
FLAT = {
    "a minimum": (lambda x: float(np.sum((A @ x - B) ** 2)), lambda x: 2 * A.T @ (A @ x - B), BEST),
    "a saddle": (lambda x: 3 + x[0] ** 2 - x[1] ** 2, lambda x: np.array([2 * x[0], -2 * x[1]]), np.zeros(2)),
    "floor": (lambda x: float(np.sum(np.floor(x))), np.zeros_like, np.array([0.3, -1.6, 2.4])),
    "dead units": (lambda x: float(np.sum(np.maximum(x, 0))), lambda x: (x > 0) * 1.0, np.array([-0.4, -3.0])),
    "an inactive penalty": (lambda x: float(np.sum(np.maximum(x - 4, 0) ** 2)), np.zeros_like, np.array([0.2, 1.0])),
    "a constant": (lambda x: 2.5, np.zeros_like, np.array([0.7, -1.1])),
}


@pytest.mark.parametrize(("f", "grad", "x"), FLAT.values(), ids=FLAT)
def test_a_derivative_of_0_passes_and_another_fails(f, grad, x):
    right = check_gradient(f, grad, x)
    assert right.verdict is Verdict.PASS
    assert right.nfev <= 40 + 6 * x.size
    for error in (0.3, -0.01):
        wrong = check_gradient(f, lambda x, e=error: grad(x) + e * (np.arange(x.size) == 0), x, throw=False)
        assert (wrong.verdict, wrong.failed) == (Verdict.FAIL, 1)


def test_what_is_0_but_for_rounding_is_compared_with_the_other_rows():
    func, x = (lambda x: np.append(A @ x, np.sum(x / x))), RNG.normal(size=4)
    jac = np.vstack([A, np.zeros(4)])
    assert check_jacobian(func, lambda x: jac + 1e-16, x).verdict is Verdict.PASS
    assert check_jacobian(func, lambda x: jac + 1e-3 * (jac == 0), x, throw=False).failed == 4


@pytest.mark.parametrize("tiny", [5e-14, 1e-12, 1e-10, 0.0])
def test_a_parameter_that_is_nearly_0_beside_others_is_moved_visibly(tiny):
    matrix, p = np.array([[1.0, 961.0], [1.0, 31.0], [1.0, 1.0]]), np.array([tiny, 8.0])
    func = lambda p: matrix @ p - matrix @ np.array([0, 8.0])  # noqa: E731
    assert check_jacobian(func, lambda p: matrix, p).verdict is Verdict.PASS
    assert check_jacobian(func, lambda p: matrix * [0.5, 1], p, throw=False).verdict is Verdict.FAIL
