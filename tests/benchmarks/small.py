"""What many small checks cost: `python tests/benchmarks/small.py` prints ratios, each beside its goal; about a minute.

Times are CPU times of this process.  Ours and what they are compared with are measured in turn, and the smallest of several
rounds counts, which other work on the machine disturbs least.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

import gradcheck
from gradcheck.model import Report

CHECKS = 120
ROUNDS = 7
BEFORE = 2  # calls before anything is measured


def logistic(rng: np.random.Generator, n: int) -> tuple[Callable, Callable, np.ndarray]:
    """A likelihood of n parameters that takes 20 to 500 microseconds, its gradient, and a point."""
    data = rng.standard_normal((int(rng.choice([1000, 4000, 10_000])), n))
    answers = rng.random(len(data)) < 0.5

    def value(x: np.ndarray) -> float:
        along = data @ x
        return float(np.sum(np.logaddexp(0.0, along) - answers * along))

    def gradient(x: np.ndarray) -> np.ndarray:
        return data.T @ (1.0 / (1.0 + np.exp(-(data @ x))) - answers)

    return value, gradient, 0.3 * rng.standard_normal(n)


def spent(*actions: Callable[[], object]) -> list[float]:
    """CPU seconds of each action, the smallest of some rounds in which they take turns."""
    for action in actions * BEFORE:
        action()
    least = [float("inf")] * len(actions)
    for _ in range(ROUNDS):
        for k, action in enumerate(actions):
            started = time.process_time()
            action()
            least[k] = min(least[k], time.process_time() - started)
    return least


def many() -> Iterator[tuple[str, float, str, float]]:
    """Checks of 1 to 50 entries against bare evaluations of f, and against a single direction with a fixed tolerance."""
    rng = np.random.default_rng(0)
    every, quick = [], []
    for _ in range(CHECKS):
        f, g, x = logistic(rng, int(rng.integers(1, 51)))
        v = rng.standard_normal(x.size)

        def bare(f: Callable = f, x: np.ndarray = x) -> None:
            for _ in range(2 * x.size):
                f(x)

        def one_direction(f: Callable = f, g: Callable = g, x: np.ndarray = x, v: np.ndarray = v) -> bool:
            return abs((f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6 - g(x) @ v) < 1e-4

        def whole(f: Callable = f, g: Callable = g, x: np.ndarray = x) -> Report:
            return gradcheck.check_gradient(f, g, x)

        def fast(f: Callable = f, g: Callable = g, x: np.ndarray = x) -> Report:
            return gradcheck.check_gradient(f, g, x, fast=True)

        ours, theirs, ours_fast, direction = spent(whole, bare, fast, one_direction)
        every.append(ours / theirs)
        quick.append(ours_fast / direction)
    yield f"{CHECKS} checks, every entry, against 2n evaluations of f", statistics.median(every), "×", 1.35
    yield f"{CHECKS} checks, fast, against one direction", statistics.median(quick), "×", 6.0


def fixed() -> Iterator[tuple[str, float, str, float]]:
    """What a check of ten entries costs beside the user's own code."""
    x, weights = np.linspace(-1.0, 1.0, 10) + 0.03, np.linspace(1.0, 2.0, 10)

    def f(x: np.ndarray) -> float:
        return float(np.sin(x) @ weights)

    def g(x: np.ndarray) -> np.ndarray:
        return np.cos(x) * weights

    report = gradcheck.check_gradient(f, g, x)
    times = 50

    def whole() -> None:
        for _ in range(times):
            gradcheck.check_gradient(f, g, x)

    def alone() -> None:
        for _ in range(times):
            for _ in range(report.nfev):
                f(x)
            for _ in range(report.ngev):
                g(x)

    ours, user = spent(whole, alone)
    yield "a check of 10 entries beside f and its gradient", (ours - user) / times * 1e3, "ms", 0.2


def evaluations() -> Iterator[tuple[str, float, str, float]]:
    """What claims that are wrong, and points that are special, cost in evaluations, against a right claim of as many entries."""
    n = 50
    x, weights = np.linspace(-1.0, 1.0, n) + 0.03, np.linspace(1.0, 2.0, n)

    def f(x: np.ndarray) -> float:
        return float(np.sin(x) @ weights)

    def g(x: np.ndarray) -> np.ndarray:
        return np.cos(x) * weights

    def flat(x: np.ndarray) -> float:
        return float(np.floor(x).sum())

    def single(x: np.ndarray) -> float:
        return float(np.float32(f(x)))

    def spread(f: Callable, g: Callable, x: np.ndarray) -> int:
        return gradcheck.check_gradient(f, g, x, throw=False, fix=False).nfev

    right = spread(f, g, x)
    rows = (
        ("twice the gradient", f, lambda x: 2 * g(x), x, 4.0),
        ("random numbers", f, lambda x: g(x) + np.random.default_rng(0).standard_normal(n), x, 4.0),
        ("one entry wrong", f, lambda x: g(x) + np.eye(n)[3], x, 4.0),
        ("f is flat", flat, np.zeros_like, x, 4.0),
        ("f is flat, 1 is claimed", flat, np.ones_like, x, 4.0),
        ("a minimum", lambda x: float(x @ x), lambda x: 2 * x, np.zeros(n), 4.0),
        ("f is in single precision", single, g, x, 0.0),
        ("a kink in every entry", lambda x: float(np.abs(x).sum()), np.sign, np.zeros(n), 0.0),
    )
    for name, function, claim, point, goal in rows:
        yield f"evaluations, n = {n}: {name}", spread(function, claim, point) / right, "×", goal


def main() -> int:
    """Print a line a figure, with a star where it misses its goal."""
    missed = 0
    for rows in (fixed, many, evaluations):
        for what, figure, unit, goal in rows():
            miss = bool(goal) and figure > goal
            missed += miss
            aim = f"≤ {goal:g}" if goal else ""
            print(f"{what:<62}{figure:>8.3g} {unit:<3} {aim:<8}{'*' if miss else ''}", flush=True)
    print(f"{missed} missed" if missed else "all goals met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
