"""The price of dimension: steps and evaluations until a fixed accuracy, against the number n of variables.

With a step 1/L, gradient descent needs as many steps in 256 dimensions as in 16. Finite differences do too, but spend
2n evaluations on each. The two-point estimator spends 2, but must make its step an n-th as long, and takes n times as many.
Both pay the factor n; theory has it in the rates

                      ‖∇f‖², f smooth    f − f*, f convex    ‖x − x*‖², f strongly convex
    gradient          O(1/k)             O(1/k)              O((1 − μ/L)ᵏ)
    two-point         O(n/k)             O(n/k)              O((1 − μ/(nL))ᵏ)

which this experiment measures, one problem a column. Each f is a sum over coordinates, which spares us a matrix and loses
nothing: neither gradient descent nor the two-point estimator would notice a rotation of space.

    gradcheck examples/curse_of_dimensionality.py:strongly_convex --grad examples/curse_of_dimensionality.py:grad_strongly_convex --dim 100 # exit 0
    gradcheck examples/curse_of_dimensionality.py:convex --grad examples/curse_of_dimensionality.py:grad_convex --dim 100         # exit 0
    gradcheck examples/curse_of_dimensionality.py:non_convex --grad examples/curse_of_dimensionality.py:grad_non_convex --dim 100 # exit 0
"""  # noqa: E501

from __future__ import annotations

import numpy as np
from descents import METHODS, descend
from numba import njit
from showing import LINES, options, picture, table

WIDTH = 1.5  # every coordinate starts within ±1.5


@njit
def strongly_convex(x):
    """½ Σ λᵢ xᵢ² with λ from μ = 0.1 to L = 1."""
    total = 0.0
    for i in range(x.size):
        total += (0.1 + 0.9 * (i + 0.5) / x.size) * x[i] ** 2 / 2
    return total


@njit
def grad_strongly_convex(x):
    return (0.1 + 0.9 * (np.arange(x.size) + 0.5) / x.size) * x


@njit
def convex(x):
    """Σ xᵢ⁴/4: flat at the minimum."""
    total = 0.0
    for i in range(x.size):
        total += x[i] ** 4 / 4
    return total


@njit
def grad_convex(x):
    return x**3


@njit
def non_convex(x):
    """Σ (xᵢ² − 1)²/4: 2ⁿ minima, and a maximum in between."""
    total = 0.0
    for i in range(x.size):
        total += (x[i] ** 2 - 1) ** 2 / 4
    return total


@njit
def grad_non_convex(x):
    return (x**2 - 1) * x


# What theory bounds is what decides when to stop: it must fall to a share of its value at the start.

PROBLEMS = {  # name: f, ∇f, L = the largest curvature within the start's cube, the measure of accuracy, the share
    "non-convex": (non_convex, grad_non_convex, 3 * WIDTH**2 - 1, lambda x: (grad_non_convex(x) ** 2).sum(), 1e-2),
    "convex": (convex, grad_convex, 3 * WIDTH**2, convex, 1e-2),
    "strongly convex": (strongly_convex, grad_strongly_convex, 1.0, lambda x: (x**2).sum(), 1e-2),
}
PREDICTED = {
    "steps": {"gradient": 0, "finite differences": 0, "two-point": 1},
    "evaluations": {"gradient": 0, "finite differences": 1, "two-point": 1},
}


def run(problem, method, n, seed=0):
    """The steps and the evaluations in which `method` brings the problem in n variables to its accuracy."""
    f, grad, smoothness, error, share = PROBLEMS[problem]
    start = WIDTH * (2 * np.arange(n) + 1 - n) / n
    goal = share * error(start)
    way = enumerate(descend(method, f, grad, start, 1 / smoothness, seed))
    return next((steps, evaluations) for steps, (evaluations, x) in way if error(x) <= goal)


def exponent(dimensions, numbers):
    """The p of the best fit numbers ≈ C nᵖ."""
    return np.polyfit(np.log(dimensions), np.log(numbers), 1)[0]


def draw(file, dimensions, measured, exponents):
    with picture(file, 2, 3, (10, 6)) as drawing:
        if drawing is None:
            return
        for (problem, method), numbers in measured.items():
            for row, name in enumerate(PREDICTED):
                axes = drawing[1][row, list(PROBLEMS).index(problem)]
                p = exponents[problem, method][:, row].mean()
                label = f"{method}: {p:.2f} ({PREDICTED[name][method]})"
                axes.loglog(dimensions, numbers[:, :, row].mean(axis=0), marker=".", **LINES[method], label=label)
                axes.set(title=None if row else problem, xlabel="n" if row else None, ylabel=name)
                axes.set_xticks(dimensions, dimensions, minor=False)
                axes.minorticks_off()
        for axes in drawing[1].flat:
            axes.set_ylim(top=30 * axes.get_ylim()[1])
            axes.legend(title="exponent (predicted)", fontsize=8, title_fontsize=8, loc="upper left", alignment="left")


def main():
    chosen = options("Steps and evaluations to a fixed accuracy, against the number of variables.")
    dimensions = [16, 32, 64, 128] if chosen.short else [16, 32, 64, 128, 256]
    seeds = range(3 if chosen.short else 5)

    measured = {  # seeds × dimensions × (steps, evaluations); without chance in the method one seed is enough
        (problem, method): np.array(
            [[run(problem, method, n, seed) for n in dimensions] for seed in (seeds if method == "two-point" else [0])]
        )
        for problem in PROBLEMS
        for method in METHODS
    }
    exponents = {  # seeds × (steps, evaluations)
        key: np.array([[exponent(dimensions, numbers[seed, :, row]) for row in (0, 1)] for seed in range(len(numbers))])
        for key, numbers in measured.items()
    }
    for problem in PROBLEMS:
        columns = [[f"{a:.0f}, {b:.0f}" for a, b in measured[problem, method].mean(axis=0)] for method in METHODS]
        powers = ["{:.2f}, {:.2f}".format(*exponents[problem, method].mean(axis=0)) for method in METHODS]
        theory = [f"{PREDICTED['steps'][method]}, {PREDICTED['evaluations'][method]}" for method in METHODS]
        table(
            f"{problem.capitalize()}: steps, evaluations",
            ["n", *METHODS],
            [*zip(dimensions, *columns, strict=True), ("exponent of n", *powers), ("predicted", *theory)],
        )
    for (problem, method), p in exponents.items():
        off = p - [PREDICTED[name][method] for name in PREDICTED]
        found = f"{problem}, {method}: n to the power {p}"
        assert np.abs(off.mean(axis=0)).max() < (0.25 if chosen.short else 0.15), found
        assert np.abs(off).max() < (0.5 if chosen.short else 0.3), found
    draw(chosen.picture("curse_of_dimensionality"), dimensions, measured, exponents)


if __name__ == "__main__":
    main()
