"""Deliberately wrong gradients: every one of them is wrong, and every one is caught."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Verdict, check_gradient
from gradcheck.testing import IN_USE, mistakes, self_test

A = np.random.default_rng(3).normal(size=(6, 6))
POINTS = {
    "vector": np.random.default_rng(4).normal(size=6),
    "matrix": np.random.default_rng(4).normal(size=(2, 3)),
    "single": np.random.default_rng(4).normal(size=6).astype(np.float32),
}


def f(x):
    y = x.reshape(-1)
    return float(y @ A @ y + np.sum(np.sin(y))) if x.dtype == np.float64 else np.float32(np.sum(y**3))


def grad(x):
    y = x.reshape(-1)
    g = (A + A.T) @ y + np.cos(y) if x.dtype == np.float64 else 3 * y**2
    return g.astype(x.dtype).reshape(x.shape)


@pytest.mark.parametrize("x0", POINTS.values(), ids=POINTS)
def test_the_right_gradient_passes(x0):
    assert check_gradient(f, grad, x0).verdict is Verdict.PASS


@pytest.mark.parametrize("x0", POINTS.values(), ids=POINTS)
def test_every_mistake_changes_the_gradient_or_breaks_its_contract(x0):
    right = grad(x0)
    for name, wrong in mistakes(grad, x0).items():
        point = x0.copy()
        answer = np.array(wrong(point), copy=True)
        if name == "writes into x":
            assert not np.array_equal(point, x0)
        elif name == "reused buffer":
            assert wrong(x0.copy()) is wrong(2 * x0)
        else:
            assert not np.array_equal(answer, right), name


@pytest.mark.parametrize("x0", [POINTS["vector"], POINTS["matrix"]], ids=["vector", "matrix"])
def test_every_mistake_is_caught(x0):
    for name, wrong in mistakes(grad, x0).items():
        report = check_gradient(f, wrong, x0, throw=False)
        if name == "rounded to float32":  # six digits are right, which the default tolerance accepts
            assert check_gradient(f, wrong, x0, rtol=1e-9, throw=False).verdict is Verdict.FAIL
        elif name in IN_USE:
            assert report.findings, name
            assert report.verdict is not Verdict.PASS, name
        else:
            assert report.verdict is Verdict.FAIL, name


def test_a_matrix_has_a_transposed_mistake_and_a_vector_has_none():
    assert "transposed layout" in mistakes(grad, POINTS["matrix"])
    assert "transposed layout" not in mistakes(grad, POINTS["vector"])


def test_mistakes_that_change_nothing_are_left_out():
    assert "reversed" not in mistakes(lambda x: np.ones_like(x), np.arange(1.0, 4.0))


def test_self_test_says_how_small_a_mistake_is_caught():
    found = self_test(f, grad, POINTS["vector"])
    assert set(found.missed) <= {"rounded to float32"}
    assert found.smallest is not None
    assert found.smallest <= 1e-5
    assert "1 + 1e-05 is told from 1" in found.sentence


def test_self_test_admits_that_a_noisy_function_hides_small_mistakes():
    found = self_test(lambda x: round(f(x), 1), grad, POINTS["vector"])
    sharp = self_test(f, grad, POINTS["vector"])
    assert found.smallest is None or found.smallest >= 100 * sharp.smallest
