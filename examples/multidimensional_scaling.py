"""L(W) = Σᵢⱼ (‖Wᵢ − Wⱼ‖² − Dᵢⱼ)²: points Wᵢ, the rows of a matrix W, recovered from their squared distances D.

Let R = D(W) − D be the residuals. For a symmetric D, ∂L/∂Wᵢ = 8 Σⱼ Rᵢⱼ (Wᵢ − Wⱼ): each pair stands twice in the sum, each
square gives a 2, each ‖Wᵢ − Wⱼ‖² another 2. For any other D, 8 Rᵢⱼ becomes 4 (Rᵢⱼ + Rⱼᵢ).

    gradcheck examples/multidimensional_scaling.py:f --grad examples/multidimensional_scaling.py:grad --shape 20x3 # exit 0
    gradcheck examples/multidimensional_scaling.py:f --grad examples/multidimensional_scaling.py:grad_counting_pairs_once --shape 20x3 # exit 1
    gradcheck examples/multidimensional_scaling.py:f --grad examples/multidimensional_scaling.py:grad_with_wrong_sign --shape 20x3 # exit 1
    gradcheck examples/multidimensional_scaling.py:f --grad examples/multidimensional_scaling.py:grad_transposed_layout --shape 20x3 # exit 1
    gradcheck examples/multidimensional_scaling.py:f_asymmetric --grad examples/multidimensional_scaling.py:grad_asymmetric --shape 20x3 # exit 0
    gradcheck examples/multidimensional_scaling.py:f_asymmetric --grad examples/multidimensional_scaling.py:grad_assuming_symmetric_targets --shape 20x3 # exit 1

Run as a program, it draws a map of Europe from distances alone: by gradient descent, by the two gradient-free descents, and
by classical scaling, which needs no descent at all.

Is this connected with PCA?  Let X be the centred points (N × d) and J = I − 𝟏𝟏ᵀ/N the matrix that centres. Since
Dᵢⱼ = ‖Xᵢ‖² + ‖Xⱼ‖² − 2⟨Xᵢ, Xⱼ⟩ and J𝟏 = 0, the first two terms vanish from JDJ, and −½ JDJ = XXᵀ. With X = UΣVᵀ this is
UΣ²Uᵀ: its leading eigenvectors times the roots of their eigenvalues are UΣ = XV, the scores of PCA. Classical scaling *is* PCA,
done from distances. It minimises another loss, though: since −½ J(·)J sends R to JWWᵀJ + ½JDJ, and cannot lengthen a matrix
by more than ½, its strain ‖JWWᵀJ + ½JDJ‖² is at most L(W)/4. Exact distances make both zero, at the same map; distances with
errors do not, and then each method wins by its own measure.
"""  # noqa: E501

from __future__ import annotations

from functools import lru_cache
from itertools import takewhile

import numpy as np
from descents import METHODS, descend
from showing import LINES, options, picture, table


def squared_distances(W):
    return ((W[:, None] - W[None, :]) ** 2).sum(axis=-1)


def loss(W, D):
    return ((squared_distances(W) - D) ** 2).sum()


def loss_gradient(W, D):
    R = squared_distances(W) - D
    S = 4 * (R + R.T)
    return S.sum(axis=1, keepdims=True) * W - S @ W  # Σⱼ Sᵢⱼ (Wᵢ − Wⱼ)


@lru_cache
def targets(shape: tuple[int, int]) -> np.ndarray:
    """D (N × N): the squared distances of hidden random points of this shape (N × d)."""
    return squared_distances(np.random.default_rng(shape).standard_normal(shape))


def f(W):
    return loss(W, targets(W.shape))


def grad(W):
    return loss_gradient(W, targets(W.shape))


# The classic mistakes.


def grad_counting_pairs_once(W):
    return grad(W) / 2  # 4 in place of 8


def grad_with_wrong_sign(W):
    return -grad(W)  # Wⱼ − Wᵢ in place of Wᵢ − Wⱼ


def grad_transposed_layout(W):
    return grad(W).T.reshape(W.shape)  # column by column, where rows are expected


# Targets that are not symmetric, as travel times are.


@lru_cache
def asymmetric_targets(n: int) -> np.ndarray:
    """D (n × n): random, with Dᵢⱼ ≠ Dⱼᵢ and a diagonal that is not zero."""
    return np.random.default_rng(n).uniform(0, 10, (n, n))


def f_asymmetric(W):
    return loss(W, asymmetric_targets(len(W)))


def grad_asymmetric(W):
    return loss_gradient(W, asymmetric_targets(len(W)))


def grad_assuming_symmetric_targets(W):
    R = squared_distances(W) - asymmetric_targets(len(W))
    return 8 * (R.sum(axis=1, keepdims=True) * W - R @ W)


# The experiment: a map from distances.

CITIES = {  # latitude and longitude in degrees
    "Lisbon": (38.7, -9.1), "Madrid": (40.4, -3.7), "Dublin": (53.3, -6.3), "London": (51.5, -0.1),
    "Paris": (48.9, 2.4), "Rome": (41.9, 12.5), "Berlin": (52.5, 13.4), "Vienna": (48.2, 16.4),
    "Oslo": (59.9, 10.8), "Stockholm": (59.3, 18.1), "Helsinki": (60.2, 24.9), "Warsaw": (52.2, 21.0),
    "Bucharest": (44.4, 26.1), "Athens": (38.0, 23.7),
}  # fmt: skip


def flat_map() -> np.ndarray:
    """The cities on a plane (N × 2), centred, in thousands of kilometres."""
    latitude, longitude = np.array(list(CITIES.values())).T
    points = 0.1112 * np.stack([longitude * np.cos(np.radians(50)), latitude], axis=1)
    return points - points.mean(axis=0)


def descent(method, D, start, budget, seed=0):
    """[(evaluations used, W), …] of `method` from `start` on, within a budget of evaluations.

    The step is one over the curvature of L along W itself at the solution, which D alone tells.
    """
    step = D.sum() / (2 * len(D)) / (8 * (D**2).sum())
    endless = descend(method, lambda W: loss(W, D), lambda W: loss_gradient(W, D), start, step, seed)
    return list(takewhile(lambda at: at[0] <= budget, endless))


def after(evaluations, path):
    """The last W that the path reached within so many evaluations."""
    return [W for used, W in path if used <= evaluations][-1]


def classical_scaling(D, dimension):
    """The points (N × dimension) from the leading eigenvectors of −½ JDJ."""
    J = np.eye(len(D)) - 1 / len(D)
    values, vectors = np.linalg.eigh(-J @ D @ J / 2)
    return (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :dimension]


def strain(W, D):
    J = np.eye(len(D)) - 1 / len(D)
    return ((J @ W @ W.T @ J + J @ D @ J / 2) ** 2).sum()


def aligned(W, onto):
    """W moved, turned and perhaps mirrored to lie best on the centred map `onto` (orthogonal Procrustes)."""
    W = W - W.mean(axis=0)
    U, _, Vt = np.linalg.svd(W.T @ onto)
    return W @ (U @ Vt)


def distance_off(W, onto):
    """How far the points of the aligned map lie from their places: the root of the mean square, in kilometres."""
    return 1000 * np.sqrt(((aligned(W, onto) - onto) ** 2).sum(axis=1).mean())


def scaling_and_descent(places):
    """Assert what the docstring says of PCA; return a table row for each method on distances with errors."""
    D = squared_distances(places)
    scores = places @ np.linalg.svd(places)[2].T
    assert np.allclose(np.abs(classical_scaling(D, 2)), np.abs(scores)), "classical scaling is PCA, but for signs"

    errors = np.random.default_rng(0).normal(1, 0.1, D.shape)
    D = D * (errors + errors.T) / 2
    scaled = classical_scaling(D, 2)
    descended = descent("gradient", D, scaled, 500)[-1][1]
    assert loss(descended, D) < loss(scaled, D), "descent wins by its own measure"
    assert strain(scaled, D) < strain(descended, D), "and classical scaling by its own"
    assert all(strain(W, D) <= loss(W, D) / 4 for W in (scaled, descended))
    return [
        (name, f"{loss(W, D):.2f}", f"{strain(W, D):.2f}", f"{distance_off(W, places):.0f}")
        for name, W in (("classical scaling", scaled), ("descent on L", descended))
    ]


def draw(file, places, D, paths):
    with picture(file, 1, 2, (10, 4.6)) as drawing:
        if drawing is None:
            return
        (on_map, on_curve) = drawing[1][0]
        on_map.plot(*places.T, "o", color="0.8", markersize=11, label="true place")
        classical = aligned(classical_scaling(D, 2), places)
        on_map.plot(*classical.T, "s", color="0.2", fillstyle="none", label="classical scaling")
        for method, marker in zip(METHODS, "+xv", strict=True):
            color = LINES[method]["color"]
            found = aligned(after(1000, paths[method]), places)
            on_map.plot(*found.T, marker, color=color, markersize=5, label=method)
            on_map.plot(*np.stack([places, found], axis=1).T, color=color, linewidth=0.6, alpha=0.6)
            used, losses = zip(*((1 + used, loss(W, D)) for used, W in paths[method]), strict=True)
            on_curve.loglog(used, losses, **LINES[method], label=method)
        for name, place in zip(CITIES, places, strict=True):
            on_map.annotate(name, place, (7, -3), textcoords="offset points", fontsize=7, color="0.35")
        on_map.set(title="The maps after 1000 evaluations", aspect="equal")
        on_map.axis("off")
        on_map.legend(loc="upper left", fontsize=8)
        on_curve.set(title="The way there", xlabel="1 + evaluations", ylabel="L(W)", ylim=(1e-14, 1e4))
        on_curve.legend(loc="lower left")


def main():
    chosen = options("A map of Europe from distances alone, with and without gradients.")
    places = flat_map()
    D = squared_distances(places)

    runs = []
    for seed in range(2 if chosen.short else 5):
        start = np.random.default_rng(seed).standard_normal(places.shape)
        budget = dict.fromkeys(METHODS, 20_000) | {"gradient": 1000}  # which is all that the gradient needs
        runs.append({method: descent(method, D, start, budget[method], seed) for method in METHODS})
    off = {
        (budget, method): max(distance_off(after(budget, paths[method]), places) for paths in runs)
        for budget in (100, 1000, 20_000)
        for method in METHODS
    }
    table(
        f"Kilometres off, the worst of {len(runs)} starts",
        ["evaluations", *METHODS],
        [(budget, *(f"{off[budget, method]:.2g}" for method in METHODS)) for budget in (100, 1000, 20_000)],
    )
    table(
        "Kilometres east and north of the centre, after 1000 evaluations",
        ["city", "true place", *METHODS],
        zip(
            CITIES,
            *(
                [f"{1000 * x:.0f}, {1000 * y:.0f}" for x, y in aligned(W, places)]
                for W in (places, *(after(1000, runs[0][method]) for method in METHODS))
            ),
            strict=True,
        ),
    )
    table(
        "Two measures of fit, to distances with errors",
        ["method", "L(W)", "strain", "kilometres off"],
        scaling_and_descent(places),
    )
    assert off[1000, "gradient"] < 1e-6, "the true gradient has recovered the map"
    for method in METHODS[1:]:
        assert off[1000, method] > 100, "without gradients there is no map yet"
        assert off[20_000, method] < 1, "twenty times as many evaluations recover it"
    assert distance_off(classical_scaling(D, 2), places) < 1e-6, "classical scaling needs none"
    draw(chosen.picture("multidimensional_scaling"), places, D, runs[0])


if __name__ == "__main__":
    main()
