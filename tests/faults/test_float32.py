"""Single precision: ± bounds the error, is not many times too large, and calls nothing right wrong."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check_gradient

SINGLE = np.float32

ELEMENTWISE = {
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "softplus": (lambda x: np.log1p(np.exp(-abs(x))) + np.maximum(x, 0), lambda x: 1 / (1 + np.exp(-x))),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x)),
    "bell": (lambda x: np.exp(-x * x / 2), lambda x: -x * np.exp(-x * x / 2)),
    "root": (lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x)),
    "cubic": (lambda x: (x - 1) * (x + 2) * (x - 3), lambda x: (x + 2) * (x - 3) + (x - 1) * (x - 3) + (x - 1) * (x + 2)),
}  # fmt: skip


def elementwise(name, seed, n):
    phi, slope = ELEMENTWISE[name]
    rng = np.random.default_rng([seed, n])
    x, w = (rng.normal(size=n).astype(SINGLE) for _ in range(2))
    return x, lambda x: (w * phi(x)).sum(dtype=SINGLE), lambda x: w.astype(float) * slope(x.astype(float))


def quadratic(_, seed, n):
    rng = np.random.default_rng([seed, n, 1])
    a, b, x = (rng.normal(size=size).astype(SINGLE) for size in ((n + 3, n), n + 3, n))
    wide, right = a.astype(float), b.astype(float)
    return x, lambda x: ((a @ x - b) ** 2).sum(dtype=SINGLE), lambda x: 2 * wide.T @ (wide @ x.astype(float) - right)


def saturating(_, seed, n):
    """Entries of very different size: some of them are saturated."""
    rng = np.random.default_rng([seed, n, 2])
    x, w = rng.uniform(-9, 9, n).astype(SINGLE), rng.uniform(0.5, 1.5, n).astype(SINGLE)
    return x, lambda x: w @ np.tanh(x), lambda x: w.astype(float) / np.cosh(x.astype(float)) ** 2


MAKERS = [*((elementwise, name) for name in ELEMENTWISE), (quadratic, ""), (saturating, "")]


def test_the_bound_holds_is_no_more_than_a_few_times_an_error_and_nothing_right_fails():
    outside, ratios = 0, []
    for make, name in MAKERS:
        for seed in range(4):
            for n in (3, 20):
                x, f, slope = make(name, seed, n)
                true = slope(x)
                report = check_gradient(f, lambda x, slope=slope: slope(x).astype(SINGLE), x, throw=False, fix=False)
                assert report.verdict.name in ("PASS", "INCONCLUSIVE"), (name, seed, n, report.headline)
                for entry in report.entries:
                    error = abs(entry.estimate.value - true[entry.index[0]])
                    outside += error > entry.estimate.uncertainty * 1.0001
                    ratios.append(entry.estimate.uncertainty / max(error, 1e-30))
    assert len(ratios) > 800
    assert outside <= 1  # of 828
    assert np.median(ratios) < 10  # 99.9 % of normal errors are covered by no less than 4.9 times their median


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_a_mistake_of_a_percent_of_an_ordinary_entry_is_seen(make, name):
    for seed in range(3):
        x, f, slope = make(name, seed, 12)
        worst = int(np.abs(slope(x)).argmax())

        def wrong(x, slope=slope, worst=worst):
            g = slope(x).astype(SINGLE)
            g[worst] *= SINGLE(1.01)
            return g

        assert check_gradient(f, wrong, x, throw=False, fix=False).verdict.name == "FAIL"


LEVEL = {
    "bell": (lambda x: np.exp(-x * x / 2), lambda x: -x * np.exp(-x * x / 2)),
    "Lorentz": (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "sech": (lambda x: 1 / np.cosh(x), lambda x: -np.tanh(x) / np.cosh(x)),
}


@pytest.mark.parametrize("name", LEVEL)
@pytest.mark.parametrize("offset", [0, 1, 20])
def test_a_function_that_levels_off_alike_on_both_sides_is_not_taken_for_flat(name, offset):
    phi, slope = LEVEL[name]
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x = (rng.normal(size=3) * [10 ** rng.uniform(-4, -1), 1, 1]).astype(SINGLE)
        w = rng.normal(size=3).astype(SINGLE)
        report = check_gradient(
            lambda x, w=w: (w * phi(x)).sum(dtype=SINGLE) + SINGLE(offset),
            lambda x, w=w: (w.astype(float) * slope(x.astype(float))).astype(SINGLE),
            x, throw=False, fix=False,
        )  # fmt: skip
        assert report.verdict.name in ("PASS", "INCONCLUSIVE"), (seed, report.headline)


@pytest.mark.parametrize("seed", range(8))
def test_what_a_sum_is_rounded_to_before_a_constant_is_taken_off_is_no_flat_stretch(seed):
    x = (1e-3 * np.random.default_rng(seed).normal(size=40)).astype(SINGLE)
    report = check_gradient(lambda x: np.cos(x).sum() - SINGLE(40), lambda x: -np.sin(x), x, throw=False, fix=False)
    assert report.verdict.name in ("PASS", "INCONCLUSIVE"), report.headline


@pytest.mark.parametrize("seed", [0, 4])
def test_a_plateau_between_many_kinks_does_not_refute_what_smaller_steps_say(seed):
    rng = np.random.default_rng(seed)
    x, w = (rng.normal(size=300).astype(SINGLE) for _ in range(2))

    def slope(x):
        return w[np.argsort(np.argsort(x))]

    report = check_gradient(lambda x: np.sort(x) @ w, slope, x, throw=False, fix=False)
    assert report.verdict.name in ("PASS", "INCONCLUSIVE"), report.headline
