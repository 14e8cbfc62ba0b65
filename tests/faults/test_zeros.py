"""Zeros: minima, flat stretches, entries that are rounding, jumps near by, solvers.

Each kind with the right claim, which must pass or, at a true jump or kink, not be called wrong, and with a wrong one.
More of them stand in tests/methods/test_zeros.py and tests/numerics/test_zero.py.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.integrate import odeint, solve_ivp

from gradcheck import check_gradient, check_hessian, check_jacobian
from tests.faults.test_reasons import kinds


def verdict(report):
    return report.verdict.name


def gradient(f, grad, x, **options):
    return check_gradient(f, grad, np.asarray(x, float), throw=False, fix=False, **options)


# ---- minima


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_slope(x):
    g = np.zeros_like(x)
    g[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return g


def himmelblau(p):
    return (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2


def himmelblau_slope(p):
    a, b = p[0] ** 2 + p[1] - 11, p[0] + p[1] ** 2 - 7
    return np.array([4 * p[0] * a + 2 * b, 2 * a + 4 * p[1] * b])


A = np.random.default_rng(0).standard_normal((20, 5))
B = np.random.default_rng(1).standard_normal(20)
SOLUTION = np.linalg.lstsq(A, B, rcond=None)[0]
MINIMA = {
    "rosenbrock 2": (rosenbrock, rosenbrock_slope, np.ones(2)),
    "rosenbrock 10": (rosenbrock, rosenbrock_slope, np.ones(10)),
    "himmelblau": (himmelblau, himmelblau_slope, np.array([3.0, 2.0])),
    "sphere": (lambda x: x @ x, lambda x: 2 * x, np.zeros(5)),
    "least squares": (lambda x: ((A @ x - B) ** 2).sum(), lambda x: 2 * A.T @ (A @ x - B), SOLUTION),
    "no residual": (lambda x: ((A @ (x - 1)) ** 2).sum(), lambda x: 2 * A.T @ (A @ (x - 1)), np.ones(5)),
    "rastrigin": (
        lambda x: 10 * x.size + (x * x - 10 * np.cos(2 * np.pi * x)).sum(),
        lambda x: 2 * x + 20 * np.pi * np.sin(2 * np.pi * x),
        np.zeros(3),
    ),
    "cross entropy": (
        lambda z: np.log(np.exp(z).sum()) - z.mean(),
        lambda z: np.exp(z) / np.exp(z).sum() - 1 / z.size,
        np.zeros(4),
    ),
}


@pytest.mark.parametrize("name", MINIMA)
def test_at_a_minimum_the_right_gradient_passes_and_the_report_says_what_cannot_be_seen(name):
    f, grad, x = MINIMA[name]
    report = gradient(f, grad, x)
    assert verdict(report) == "PASS"
    assert report.nfev <= 40 + 6 * x.size
    [special] = [found for found in report.findings if found.kind == "special_point"]
    assert "the point is stationary: a wrong factor cannot be seen here; --points 3" in special.message
    assert "points=3" in special.message
    assert "stationary" in special.evidence["special"]
    size = np.abs(grad(x + np.linspace(0.2, 0.5, x.size))).max()
    assert all(entry.estimate.uncertainty < 1e-5 * size for entry in report.entries)
    assert verdict(gradient(f, lambda p: grad(p) + 1e-3 * size, x)) == "FAIL"
    assert verdict(gradient(f, lambda p: 2 * grad(p), x, points=3)) == "FAIL"  # as the sentence says


def test_a_stationary_point_of_a_matrix_does_not_speak_of_points_that_are_for_gradients():
    report = check_hessian(lambda x: (x**4).sum(), lambda x: np.diag(12 * x**2), np.zeros(2), grad=lambda x: 4 * x**3)
    said = " ".join(found.message for found in report.findings if found.kind == "special_point")
    assert "--points" not in said


# ---- flat


FLAT = {
    "floor": (lambda x: np.floor(x).sum(), np.array([0.13, 3.3, -2.6])),
    "dead relu": (lambda x: np.maximum(x, 0).sum(), np.array([-0.5, -2.0])),
    "inactive penalty": (lambda x: np.maximum(x @ x - 9, 0) ** 2, np.array([0.5, -1.0])),
    "clip": (lambda x: np.clip(x, -1, 1).sum(), np.array([2.0, -3.0])),
    "soft threshold": (lambda x: (np.sign(x) * np.maximum(np.abs(x) - 1, 0)).sum(), np.array([0.3, -0.6])),
    "one-hot of the largest": (lambda x: np.eye(3)[np.argmax(x)] @ [1.0, 5.0, 2.0], np.array([0.1, 0.9, 0.4])),
    "constant": (lambda x: 7.25, np.ones(48)),
}


@pytest.mark.parametrize("name", FLAT)
def test_where_f_is_flat_0_passes_in_a_few_evaluations_and_a_third_fails(name):
    f, x = FLAT[name]
    report = gradient(f, np.zeros_like, x)
    assert verdict(report) == "PASS"
    assert report.nfev <= 40 + 6 * x.size
    wrong = gradient(f, lambda p: np.zeros_like(p) + 0.3, x)
    assert verdict(wrong) == "FAIL"


def test_a_claim_that_is_wrong_on_a_flat_stretch_is_told_how_far_that_goes():
    f, x = FLAT["floor"]
    report = gradient(f, lambda p: np.full_like(p, 0.3), x)
    assert "f does not change for steps up to" in report.entries[0].reason


def test_hessians_of_functions_without_curvature():
    x = np.array([3.0, -0.5])
    zero = lambda x: np.zeros((2, 2))  # noqa: E731
    assert verdict(check_hessian(lambda x: np.abs(x).sum(), zero, x, grad=np.sign, throw=False)) == "PASS"

    def huber(x):
        r = np.abs(x)
        return np.sum(np.where(r <= 1, 0.5 * x * x, r - 0.5))

    report = check_hessian(huber, lambda x: np.diag(1.0 * (np.abs(x) <= 1)), x, grad=lambda x: np.clip(x, -1, 1))
    assert verdict(report) == "PASS"
    wrong = check_hessian(huber, lambda x: np.eye(2), x, grad=lambda x: np.clip(x, -1, 1), throw=False, fix=False)
    assert verdict(wrong) == "FAIL"


def test_an_output_that_is_locally_constant_beside_one_that_is_not():
    def func(x):
        return np.array([np.ceil(x[0]), x[0] * x[1]])

    x = np.array([3.3, 2.0])
    assert verdict(check_jacobian(func, lambda x: np.array([[0, 0], [x[1], x[0]]]), x)) == "PASS"
    wrong = check_jacobian(func, lambda x: np.array([[0.3, 0], [x[1], x[0]]]), x, throw=False, fix=False)
    assert (verdict(wrong), wrong.failed) == ("FAIL", 1)


# ---- rounding


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(6))
def test_entries_that_are_0_but_for_rounding_pass_and_a_hundredth_fails(dtype, seed):
    """Softmax under a shift: the derivative by a bias that all logits share is the rounding of 0."""
    rng = np.random.default_rng(seed)
    w, y = rng.normal(size=(8, 4)).astype(dtype), rng.integers(0, 4, 8)

    def logits(p):
        return w * p[0] + p[1]  # p[1] shifts all of a row

    def f(p):
        z = logits(p)
        m = z.max(axis=1, keepdims=True)
        return (np.log(np.exp(z - m).sum(axis=1)) + m[:, 0] - z[np.arange(8), y]).sum(dtype=dtype)

    def grad(p):
        z = logits(p)
        s = np.exp(z - z.max(axis=1, keepdims=True))
        s /= s.sum(axis=1, keepdims=True)
        s[np.arange(8), y] -= 1
        return np.array([(s * w).sum(), s.sum()], dtype)

    x = rng.normal(size=2).astype(dtype)
    assert verdict(check_gradient(f, grad, x, throw=False)) == "PASS"
    wrong = check_gradient(f, lambda p: grad(p) + np.array([0, 0.02], dtype), x, throw=False, fix=False)
    assert verdict(wrong) == "FAIL"


def test_the_rounding_of_a_claim_near_a_minimum_is_not_computed_in_float32():
    x = np.array([3 + 3e-12, 2 - 2e-12])
    report = gradient(himmelblau, himmelblau_slope, x)
    assert verdict(report) == "PASS"
    assert "low_precision" not in kinds(report)


@pytest.mark.parametrize("seed", range(4))
def test_a_saturated_loss_of_which_nothing_but_rounding_is_left(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(12, 3)) + np.repeat(np.eye(3) * 60, 4, axis=0)
    same = np.repeat(np.arange(3), 4)[:, None] == np.repeat(np.arange(3), 4)[None]

    def both(a):
        e = points @ a.reshape(3, 3).T
        d = ((e[:, None] - e[None]) ** 2).sum(-1)
        np.fill_diagonal(d, np.inf)
        p = np.exp(-(d - d.min(axis=1, keepdims=True)))
        p /= p.sum(axis=1, keepdims=True)
        m = p * same
        w = m - p * m.sum(axis=1, keepdims=True)
        s = w + w.T
        np.fill_diagonal(s, -w.sum(axis=0))
        return m.sum(), (2 * e.T @ s @ points).ravel()

    report = gradient(lambda a: both(a)[0], lambda a: both(a)[1], rng.normal(size=9))
    assert verdict(report) in ("PASS", "INCONCLUSIVE")


def chebyshev(x):
    """A series whose rounding errors are a few ulps."""
    total = np.polynomial.chebyshev.chebval(x[0] / 8, 1 / (1.0 + np.arange(30.0)) ** 2)
    return 1.137 * np.exp(x[0]) * total


def chebyshev_slope(x):
    series = np.polynomial.Chebyshev(1 / (1.0 + np.arange(30.0)) ** 2)
    return np.array([1.137 * np.exp(x[0]) * (series(x[0] / 8) + series.deriv()(x[0] / 8) / 8)])


@pytest.mark.parametrize("point", np.random.default_rng(2).uniform(-7, 7, 12))
@pytest.mark.parametrize("factor", [1.0001, 1.01, 2.0])
def test_a_few_ulps_are_no_kink(point, factor):
    x = np.array([point])
    assert verdict(gradient(chebyshev, chebyshev_slope, x)) == "PASS"
    assert verdict(gradient(chebyshev, lambda p: factor * chebyshev_slope(p), x)) == "FAIL"


def test_the_sine_of_the_report():
    f = lambda x: 3 * np.sin(0.558 + x[0]) - 3 * np.sin(0.558)  # noqa: E731
    assert verdict(gradient(f, lambda x: np.array([6 * np.cos(0.558 + x[0])]), [0.2])) == "FAIL"


# ---- jumps and kinks


@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_kinks_near_by_do_not_make_a_right_gradient_wrong(n, dtype):
    rng = np.random.default_rng(n)
    x = rng.permutation(n).astype(dtype)
    w = (rng.uniform(0.5, 1.5, n) * rng.choice([-1, 1], n)).astype(dtype)

    def grad(x):
        g = np.empty_like(x)
        g[np.argsort(x)] = w
        return g

    assert verdict(check_gradient(lambda x: w @ np.sort(x), grad, x, throw=False)) in ("PASS", "INCONCLUSIVE")


@pytest.mark.parametrize("wave", [lambda x: np.mod(x, 1), lambda x: x - np.floor(x), lambda x: np.mod(x, 0.1) * 3])
def test_the_plateau_at_small_steps_is_the_derivative_of_a_sawtooth(wave):
    for dtype in (np.float64, np.float32):
        x = np.array([0.313, 2.71, -1.234], dtype)
        h = dtype(1e-3)
        slope = np.rint((wave(x + h) - wave(x - h)) / (2 * h))
        report = check_gradient(
            lambda x: wave(x).sum(dtype=x.dtype), lambda x, s=slope: s.astype(x.dtype), x, throw=False
        )
        assert verdict(report) in ("PASS", "INCONCLUSIVE")


def test_a_jump_on_both_sides_is_no_noise():
    isolated = lambda y: float(np.sum(np.where(y == 1, [3.0, 2.0], 0.0)))  # noqa: E731
    one_sided = lambda y: float(np.sum(np.where(y >= 1, [3.0, 2.0], 0.0)))  # noqa: E731
    for f in (isolated, one_sided):
        report = gradient(f, np.zeros_like, [1.0, 1.0])
        assert verdict(report) == "INCONCLUSIVE"
        assert report.noise < 1e-12
        assert all("jumps by" in entry.reason and "noise" not in entry.reason for entry in report.entries)
        assert "jump" in kinds(report)


@pytest.mark.parametrize(
    ("claim", "words"),
    [(0.5, "is their mean"), (0.0, "is the left one"), (1.0, "is the right one"), (0.25, "25 % of the way")],
)
def test_at_a_kink_no_claim_passes_and_the_report_says_where_it_lies(claim, words):
    x = np.array([0.0, 1.0, -1.0])
    report = gradient(lambda x: np.maximum(x, 0).sum(), lambda x: np.heaviside(x, claim), x)
    assert verdict(report) == "INCONCLUSIVE"
    worst = report.entries[0]
    assert (worst.estimate.left, worst.estimate.right) == pytest.approx((0.0, 1.0))
    assert "0 on the left and 1 on the right" in worst.reason
    assert words in worst.reason


def test_a_claim_outside_of_both_sides_of_a_kink_fails():
    report = gradient(lambda x: np.maximum(x, 0).sum(), lambda x: np.heaviside(x, 1.5), [0.0, 1.0])
    assert verdict(report) == "FAIL"
    assert "lies outside of both" in report.entries[0].reason


# ---- a Hessian beside a wrong gradient


def test_a_right_hessian_beside_a_wrong_gradient_is_judged_against_f():
    x = np.array([0.5, -1.0, 2.0])
    quartic = lambda x: np.sum(x**4)  # noqa: E731
    report = check_hessian(quartic, lambda x: np.diag(12 * x**2), x, grad=lambda x: -4 * x**3, throw=False, fix=False)
    assert verdict(report) in ("PASS", "INCONCLUSIVE")
    assert report.failed == 0
    wrong = check_hessian(quartic, lambda x: np.diag(-12 * x**2), x, grad=lambda x: -4 * x**3, throw=False, fix=False)
    assert verdict(wrong) == "FAIL"


# ---- solvers


def decay(x):
    """f depends on x[1] through the steps of the solver alone."""
    solved = solve_ivp(
        lambda t, y: -x[0] * y, (0, 1), [1.0], rtol=1e-8, atol=1e-10, max_step=0.1 + 0.01 * np.tanh(x[1]) ** 2
    )
    return float(solved.y[0, -1])


@pytest.mark.parametrize("seed", range(4))
def test_a_claimed_0_against_the_tolerance_of_a_solver_is_no_fail(seed):
    x = np.random.default_rng(seed).uniform(0.5, 1.5, 2)
    report = gradient(decay, lambda x: np.array([-np.exp(-x[0]), 0.0]), x)
    assert verdict(report) in ("PASS", "INCONCLUSIVE")
    if verdict(report) == "INCONCLUSIVE":
        assert "atol" in str(report)
    assert verdict(gradient(decay, lambda x: np.array([-0.99 * np.exp(-x[0]), 0.0]), x)) == "FAIL"


def linear_system(p, tol=None):
    t = np.linspace(0.1, 0.5, 4)
    return odeint(lambda y, t: -np.sqrt(t) - y + p[3:] - np.mean(y**2), p[:3], t, rtol=tol, atol=tol)[1:].ravel()


def test_gaps_of_the_size_of_a_solvers_tolerance_name_atol_and_the_solver():
    """odeint is right to 1.5e-8 by default; the claim is right to 1e-9."""
    p = np.random.default_rng(0).standard_normal(6)

    @functools.cache
    def sharp():
        def difference(h):
            return np.array(
                [(linear_system(p + h * e, 1e-13) - linear_system(p - h * e, 1e-13)) / (2 * h) for e in np.eye(6)]
            ).T

        return (4 * difference(5e-4) - difference(1e-3)) / 3

    report = check_jacobian(linear_system, lambda q: sharp(), p, throw=False, fix=False)
    if verdict(report) != "PASS":
        assert "atol" in str(report)
        assert "solver" in str(report)


@pytest.mark.parametrize("size", [1e-4, 3e-8])
def test_small_gaps_that_no_law_explains_name_atol_and_large_ones_do_not(size):
    rng = np.random.default_rng(5)
    off = rng.uniform(0.5, 1, 6) * rng.choice([-1, 1], 6)
    x = rng.normal(size=6)
    report = gradient(lambda x: np.sin(x).sum(), lambda x: np.cos(x) + size * off, x, rtol=1e-12)
    assert verdict(report) == "FAIL"
    advice = report.diagnoses[-1].advice
    assert "solver's tolerance" in advice
    atol = float(advice.partition("atol=")[2].rstrip("."))
    accepted = gradient(lambda x: np.sin(x).sum(), lambda x: np.cos(x) + size * off, x, rtol=1e-12, atol=atol)
    assert verdict(accepted) == "PASS"
    report = gradient(lambda x: np.sin(x).sum(), lambda x: np.cos(x) + 0.1 * off, x)
    assert all("solver" not in diagnosis.advice for diagnosis in report.diagnoses)


# ---- steps over which f could have moved


@pytest.mark.parametrize("tiny", [5e-14, 1e-12, 0.0])
def test_a_parameter_at_0_beside_others_is_moved_visibly(tiny):
    rng = np.random.default_rng(3)
    a = rng.normal(size=(15, 6))
    p = np.append(tiny, rng.uniform(2, 8, 5))
    z = a @ p
    assert verdict(check_jacobian(lambda p: a @ p - z, lambda p: a.copy(), p, throw=False)) == "PASS"
    half = a * ([0.5] + [1] * 5)
    assert verdict(check_jacobian(lambda p: a @ p - z, lambda p: half.copy(), p, throw=False, fix=False)) == "FAIL"


# ---- cost


@pytest.mark.parametrize("n", [10, 40, 50])
def test_a_constant_component_costs_no_ladder(n):
    rng = np.random.default_rng(n)
    b, x = rng.standard_normal((n, n)), rng.standard_normal(n)
    report = check_jacobian(
        lambda x: np.append(np.sin(b @ x), 1.0), lambda x: np.vstack([np.cos(b @ x)[:, None] * b, np.zeros(n)]), x
    )
    assert report.nfev <= 40 + 3 * n


# ---- what is said of what was seen


@pytest.mark.parametrize("name", MINIMA)
def test_the_resolution_is_no_absurd_share_of_an_entry(name):
    f, grad, x = MINIMA[name]
    report = gradient(f, grad, x)
    assert "above 0 of an entry" not in report.resolution.sentence
    assert report.resolution.absolute < 1e-3 * np.abs(grad(x + np.linspace(0.2, 0.5, x.size))).max()


@pytest.mark.parametrize("size", [1e6, 1e9])
def test_what_a_steep_function_does_far_away_is_no_scale_of_a_derivative_near_by(size):
    """At x of 1e9 a natural step is 1e8, and there a quartic is of 1e32."""
    x = size + np.array([0.5, -1.0, 2.0])
    f = lambda x: np.sum(np.sin(x - size)) + 0.01 * np.sum((x - size) ** 4)  # noqa: E731
    grad = lambda x: np.cos(x - size) + 0.04 * (x - size) ** 3  # noqa: E731
    assert verdict(gradient(f, grad, x)) in ("PASS", "INCONCLUSIVE")
    assert verdict(gradient(f, lambda x: -grad(x), x)) == "FAIL"


# ---- zeros that are none


def double_log(x):
    return float(np.log(np.log(x)).sum())


def test_an_entry_that_a_natural_step_sees_is_not_nothing_beside_a_huge_one():
    x, steep = np.array([1.0001, 5.0]), lambda x: 1 / (x * np.log(x))
    assert verdict(gradient(double_log, steep, x)) == "PASS"
    assert verdict(gradient(double_log, lambda x: steep(x) * [1, 0], x)) == "FAIL"


@pytest.mark.parametrize("factor", [-1, 2, 0.5])
def test_differences_that_are_noise_make_nothing_small(factor):
    """The noise of (1 − cos x) / x² grows without bound towards x = 0: its differences say nothing of what is ordinary."""

    def f(x):
        return ((1 - np.cos(x)) / x**2).sum()

    report = gradient(f, lambda x: -factor * x / 12, [1e-5, 3e-5])
    assert verdict(report) in ("INCONCLUSIVE", "FAIL")


def test_steps_whose_square_underflows_are_judged():
    x = np.array([1e-200, 1e150, 1e-5])

    def f(x):
        return np.log(x).sum()

    assert verdict(gradient(f, lambda x: 1 / x, x)) == "PASS"
    assert verdict(gradient(f, lambda x: -1 / x, x)) == "FAIL"
