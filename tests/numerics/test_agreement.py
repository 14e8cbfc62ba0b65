"""A compiled first look says what the first look in NumPy says, of matrices that are right and of those that are not."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from gradcheck import check_gradient, check_jacobian
from gradcheck.methods.plain import MOST
from gradcheck.model import Verdict
from gradcheck.numerics import kernels

N = 120  # more entries than a report holds
B = np.random.default_rng(3).normal(size=(N, N))


@numba.njit
def func(x):
    return np.sin(x) + B @ (x * x)


def jac(x):
    return np.diag(np.cos(x)) + 2 * B * x


def wrong(entries, factor):
    def claimed(x):
        matrix = jac(x)
        for entry in entries:
            matrix[entry] *= factor
        return matrix

    return claimed


@pytest.mark.parametrize("rtol", [6e-6, 1e-12])
@pytest.mark.parametrize(
    "claimed",
    [jac, wrong([(3, 5)], 1.001), wrong([(0, 0), (7, 0), (9, 119)], -1.0), wrong([(2, 2)], np.nan)],
    ids=["right", "one wrong", "signs", "no number"],
)
def test_with_and_without_the_kernel_the_report_says_the_same(monkeypatch, claimed, rtol):
    x = np.random.default_rng(4).normal(size=N)
    reports = []
    for kernel in (kernels.agreement_kernel(10**9), None):
        monkeypatch.setattr(kernels, "agreement_kernel", lambda entries, kernel=kernel: kernel)
        reports.append(check_jacobian(func, claimed, x, rtol=rtol, throw=False))
    fast, slow = reports
    assert (fast.verdict, fast.checked, fast.failed, fast.inconclusive) == (
        slow.verdict,
        slow.checked,
        slow.failed,
        slow.inconclusive,
    )
    assert fast.resolution.digits == slow.resolution.digits
    assert fast.resolution.absolute == pytest.approx(slow.resolution.absolute, rel=1e-6)
    assert fast.entries[0].index == slow.entries[0].index
    assert fast.entries[0].abs_error == pytest.approx(slow.entries[0].abs_error, nan_ok=True)
    doubtful = [{entry.index for entry in report.entries if entry.verdict is not Verdict.PASS} for report in reports]
    assert doubtful[0] == doubtful[1]
    assert [found.kind for found in fast.findings] == [found.kind for found in slow.findings]


@numba.njit
def number(x):
    return np.sum(np.sin(x) + x**3)


@pytest.mark.parametrize("factor", [1.0, 1.001], ids=["right", "one wrong"])
def test_of_a_number_the_kernel_says_the_same_to_the_last_bit(monkeypatch, factor):
    x = np.random.default_rng(5).normal(size=2 * MOST)
    used, reports = [], []
    ready = kernels.agreement_kernel(10**9)

    def counted(*arguments):
        used.append(len(arguments))
        ready(*arguments)

    def grad(x):
        claimed = np.cos(x) + 3 * x * x
        claimed[7] *= factor
        return claimed

    for kernel in (counted, None):
        monkeypatch.setattr(kernels, "agreement_kernel", lambda entries, kernel=kernel: kernel)
        reports.append(check_gradient(number, grad, x, method="coordinates", throw=False))
    assert used
    fast, slow = reports
    assert list(fast.entries) == list(slow.entries)
    assert fast.resolution == slow.resolution
    assert (fast.verdict, fast.failed) == (slow.verdict, slow.failed)
