"""Reasons, findings and remarks that were untrue, or missing where one was called for."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check_gradient


def kinds(report):
    return {finding.kind.value for finding in report.findings}


def batch_norm(x):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


ROUNDING_ONLY = {
    "batch norm": lambda x: batch_norm(x.reshape(8, 3)).sum(),
    "centred": lambda x: (x - x.mean()).sum() / x.std(),
    "softmax less one": lambda x: (np.exp(x) / np.exp(x).sum()).sum() - 1,
}


@pytest.mark.parametrize("name", ROUNDING_ONLY)
@pytest.mark.parametrize("seed", range(3))
def test_values_that_are_the_rounding_of_float64_are_not_computed_in_float32(name, seed):
    x = np.random.default_rng(seed).normal(1, 2, 24)
    report = check_gradient(ROUNDING_ONLY[name], np.zeros_like, x, throw=False)
    assert "low_precision" not in kinds(report)
    assert report.verdict.name in ("PASS", "INCONCLUSIVE")


@pytest.mark.parametrize("seed", range(3))
def test_float32_inside_of_a_float64_function_is_still_told(seed):
    x = np.random.default_rng(seed).normal(1, 2, 24)
    report = check_gradient(lambda x: np.sum(np.sin(x.astype(np.float32))), np.cos, x, throw=False)
    assert "low_precision" in kinds(report)


def test_a_sum_in_single_precision_that_hardly_moves_is_rounding_and_no_flat_stretch():
    for seed in range(8):
        x = (np.random.default_rng(seed).normal(size=40) * 1e-3).astype(np.float32)
        report = check_gradient(lambda x: np.cos(x).sum(), lambda x: -np.sin(x), x, throw=False, fix=False)
        assert report.failed == 0
        assert report.noise > 1e-7
