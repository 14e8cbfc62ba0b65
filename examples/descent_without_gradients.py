"""Down a bent valley with ∇f, with finite differences in its place, and with the two-point estimator.

f(x, y) = ½(1 − x)² + (y − x²)² has its minimum, 0, at (1, 1). All three descend from one start, w ← w − αG. The finite
differences take the gradient's own path, at four evaluations a step. The two-point estimator spends two, but wanders,
and takes twice the steps, as n = 2.

    gradcheck examples/descent_without_gradients.py:f --grad examples/descent_without_gradients.py:grad --dim 2 # exit 0
"""

from __future__ import annotations

import numpy as np
from descents import METHODS, descend
from showing import LINES, options, picture, table

START = np.array([-1.2, 0.2])
STEP = 1 / 16
GOAL = 1e-4


def f(w):
    x, y = w
    return (1 - x) ** 2 / 2 + (y - x**2) ** 2


def grad(w):
    x, y = w
    return np.array([x - 1 - 4 * x * (y - x**2), 2 * (y - x**2)])


def run(method, seed=0):
    """The path (steps + 1 × 2) of `method` from the start until f is below the goal, and the evaluations it took."""
    path, used = [], []
    for evaluations, w in descend(method, f, grad, START, STEP, seed):
        path.append(w)
        used.append(evaluations)
        if f(w) < GOAL:
            break
    return np.array(path), used[-1]


def draw(file, runs):
    with picture(file, 1, 1, (6.4, 4.4)) as drawing:
        if drawing is None:
            return
        axes = drawing[1][0, 0]
        x, y = np.meshgrid(np.linspace(-1.5, 1.5, 200), np.linspace(-0.6, 1.6, 200))
        axes.contour(x, y, f((x, y)), levels=np.geomspace(0.01, 10, 16), colors="0.85", linewidths=0.8)
        for method, (path, used) in runs.items():
            axes.plot(*path.T, **LINES[method], label=f"{method}: {len(path) - 1} steps, {used} evaluations")
        axes.plot(*START, "o", color="black")
        axes.plot(1, 1, "*", color="black", markersize=12)
        axes.set(title="Descent with and without gradients", xlabel="x", ylabel="y")
        axes.legend(loc="lower left", fontsize=8)


def main():
    chosen = options("One descent, with the gradient and with two estimates of it.")
    runs = {method: run(method) for method in METHODS}
    path, others = runs["gradient"][0], [run("two-point", seed)[0] for seed in range(3 if chosen.short else 20)]

    table(
        f"Until f < {GOAL:g}",
        ["method", "steps", "evaluations", "f", "distance left"],
        [
            (method, len(path) - 1, used, f"{f(path[-1]):.2e}", f"{np.hypot(*(path[-1] - 1)):.3f}")
            for method, (path, used) in runs.items()
        ],
    )
    longest = max(len(path) for path, _ in runs.values()) - 1
    table(
        "The paths: x, y after so many steps",
        ["steps", *METHODS],
        [
            (k, *(f"{x:+.3f}, {y:+.3f}" for x, y in (path[min(k, len(path) - 1)] for path, _ in runs.values())))
            for k in (0, 1, 2, 5, 10, 20, 50, 100, 200, longest)
        ],
    )
    ratio = np.mean([(len(other) - 1) / (len(path) - 1) for other in others])
    print(f"steps of two-point for one of gradient: {ratio:.2f}, the mean of {len(others)} seeds (predicted: n = 2)")

    assert np.allclose(path, runs["finite differences"][0], atol=1e-6), "finite differences take the gradient's path"
    assert 1.5 < ratio < 2.5, "the two-point estimator takes n times the steps"
    draw(chosen.picture("descent_without_gradients"), runs)


if __name__ == "__main__":
    main()
