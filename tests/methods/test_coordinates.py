"""Every entry is judged by what f can show: exact derivatives pass, wrong ones fail, and the price is bounded."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradcheck import check_gradient, check_jacobian
from gradcheck.checks.check import CheckRun
from gradcheck.evaluation.claims import gradient_blocks
from gradcheck.methods.coordinates import Surveyor
from gradcheck.methods.entries import status_code
from gradcheck.model import FindingKind, Kind, Status, Verdict
from gradcheck.options.keywords import Options

RNG = np.random.default_rng(8)
A = RNG.normal(size=(8, 8))
x8 = RNG.normal(size=8)
SCALES = 10.0 ** np.arange(-4, 4)


CASES = {  # f, gradient, point
    "quadratic": (lambda x: float(x @ A @ x), lambda x: (A + A.T) @ x, x8),
    "sines": (lambda x: float(np.sin(x).sum()), np.cos, x8),
    "exponential of 30": (lambda x: float(np.exp(30 * x).sum()), lambda x: 30 * np.exp(30 * x), x8 / 10),
    "variables of all sizes": (
        lambda x: float(np.sum((x / SCALES) ** 3)),
        lambda x: 3 * (x / SCALES) ** 2 / SCALES,
        x8 * SCALES,
    ),
    "a large offset": (lambda x: float(1e6 + np.sin(x).sum()), np.cos, x8),
    "at zero": (lambda x: float(np.sum(np.expm1(x))), np.exp, np.zeros(8)),
    "tiny values": (lambda x: float(1e-290 * np.sum(x**2)), lambda x: 2e-290 * x, x8),
    "huge values": (lambda x: float(1e290 * np.sum(x**2)), lambda x: 2e290 * x, x8),
    "a high frequency": (lambda x: float(np.sin(300 * x).sum()), lambda x: 300 * np.cos(300 * x), x8),
    "far from zero": (lambda x: float(np.sum((x - 1e4) ** 2)), lambda x: 2 * (x - 1e4), 1e4 + x8),
    "the logarithm near 0": (lambda x: float(np.log(x).sum()), lambda x: 1 / x, 1e-6 * (1 + abs(x8))),
    "float32": (lambda x: np.float32(np.sum(x**2)), lambda x: 2 * x, x8.astype(np.float32)),
    "float32 inside": (lambda x: float(np.sum(np.sin(x.astype(np.float32)))), np.cos, x8),
    "rounded": (lambda x: round(float(np.sin(x).sum()), 9), np.cos, x8),
    "a single number": (lambda x: float(x**3), lambda x: 3 * x**2, np.array(1.5)),
    "a matrix": (lambda x: float(np.sum(x[0] * x[1])), lambda x: x[::-1].copy(), x8.reshape(2, 4)),
}


@pytest.mark.parametrize(("f", "grad", "x"), CASES.values(), ids=CASES)
def test_an_exact_gradient_passes(f, grad, x):
    report = check_gradient(f, grad, x)
    assert (report.verdict, report.checked, report.failed, report.inconclusive) == (Verdict.PASS, x.size, 0, 0)


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"float32", "float32 inside", "rounded"}))
@pytest.mark.parametrize("error", [1e-5, 1e-3, 1.0, -2.0])
def test_a_wrong_entry_fails_and_is_named_first(name, error):
    f, grad, x = CASES[name]
    worst = int(np.argmax(np.abs(np.asarray(grad(x)))))

    def wrong(x):
        g = np.array(grad(x), copy=True)
        g.reshape(-1)[worst] *= 1 + error
        return g

    report = check_gradient(f, wrong, x, throw=False)
    assert (report.verdict, report.failed) == (Verdict.FAIL, 1)
    assert report.entries[0].index == tuple(int(i) for i in np.unravel_index(worst, x.shape))


@pytest.mark.parametrize("name", ["float32", "float32 inside", "rounded"])
def test_with_few_digits_a_gross_error_fails_and_a_fine_one_never_passes_as_wrong(name):
    f, grad, x = CASES[name]
    assert check_gradient(f, lambda x: grad(x) * x.dtype.type(1.01), x, throw=False).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("f", "grad", "x"),
    [*(CASES[name] for name in ("quadratic", "sines", "a large offset", "float32 inside", "rounded")),
     CASES["float32"]],
)  # fmt: skip
def test_the_uncertainty_bounds_the_error(f, grad, x):
    wrong = check_gradient(f, lambda x: grad(x) + x.dtype.type(1), x, throw=False)
    assert wrong.failed == x.size
    for entry in wrong.entries:
        exact = float(np.asarray(grad(x), np.float64)[entry.index])
        assert abs(entry.estimate.value - exact) <= entry.estimate.uncertainty + 1e-15 * abs(exact)


# ---- cost


def test_an_entry_that_agrees_costs_two_evaluations():
    costs = {
        d: check_gradient(lambda x: float(np.sum(x**2)), lambda x: 2 * x, np.linspace(1, 2, d)).nfev for d in (20, 120)
    }
    assert costs[20] <= 30 + 2 * 20
    assert 200 <= costs[120] - costs[20] <= 220


def test_a_wholly_wrong_gradient_costs_no_twenty_times_a_right_one():
    x = np.linspace(1, 2, 1000)
    right = check_gradient(lambda x: float(np.sum(np.sin(x))), np.cos, x)
    wrong = check_gradient(lambda x: float(np.sum(np.sin(x))), lambda x: 1.1 * np.cos(x), x, throw=False)
    assert (wrong.verdict, wrong.failed) == (Verdict.FAIL, 1000)
    assert wrong.nfev < 20 * right.nfev


# ---- where there is no derivative, or only one side of it


def absolute(x):
    return float(np.abs(x).sum())


@pytest.mark.parametrize(
    ("claimed", "verdict", "word"),
    [(0.0, Verdict.INCONCLUSIVE, "is their mean"), (0.9, Verdict.INCONCLUSIVE, "95 % of the way"),
     (1.0, Verdict.INCONCLUSIVE, "is the right one"), (-1.0, Verdict.INCONCLUSIVE, "is the left one"),
     (1.1, Verdict.FAIL, "outside"), (-3.0, Verdict.FAIL, "outside")],
)  # fmt: skip
def test_at_a_kink_both_derivatives_are_given_and_where_the_claim_lies(claimed, verdict, word):
    report = check_gradient(
        absolute, lambda x: np.where(x == 0, claimed, np.sign(x)), np.array([1.0, 0.0, -2.0]), throw=False
    )
    entry = report.entries[0]
    assert (entry.index, entry.verdict, entry.estimate.status) == ((1,), verdict, Status.KINK)
    assert (entry.estimate.left, entry.estimate.right) == pytest.approx((-1.0, 1.0))
    assert word in entry.reason
    assert [finding.kind for finding in report.findings] == [FindingKind.KINK]


def test_a_kink_beside_the_point_does_no_harm():
    x = np.array([1.0, 1e-7, -2.0])
    assert check_gradient(absolute, np.sign, x).verdict is Verdict.PASS
    assert check_gradient(absolute, lambda x: -np.sign(x), x, throw=False).failed == 3


@pytest.mark.parametrize(("x", "bounds"), [([0.0, 1.0, 2.0], (0, 2)), ([0.0, 1.0, 2.0], (0, None))])
@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_at_the_bounds_differences_are_one_sided_and_f_is_not_called_outside(x, bounds, factor):
    bounds = tuple(np.inf if b is None else b for b in bounds)

    def inside(x):
        assert (x >= bounds[0]).all()
        assert (x <= bounds[1]).all()
        return float(np.exp(x).sum())

    report = check_gradient(inside, lambda x: factor * np.exp(x), np.array(x), bounds=bounds, throw=False)
    assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL)
    assert FindingKind.DOMAIN_EDGE in [finding.kind for finding in report.findings]
    assert report.trouble is None


@pytest.mark.parametrize("outside", [math.nan, math.inf, ValueError], ids=str)
def test_the_edge_of_the_domain_is_no_failure(outside):
    def edged(x):
        if (x < 0).any():
            if outside is ValueError:
                raise ValueError("outside")
            return outside
        return float(np.sum(x**2 + x))

    x = np.array([0.0, 1.0])
    assert check_gradient(edged, lambda x: 2 * x + 1, x).verdict is Verdict.PASS
    assert check_gradient(edged, lambda x: 2 * x + 1.01, x, throw=False).failed == 2


def test_where_f_has_no_value_on_either_side_nothing_is_said():
    report = check_gradient(lambda x: 0.0 if (x == 1).all() else math.nan, np.zeros_like, np.ones(2), throw=False)
    assert (report.verdict, report.inconclusive) == (Verdict.INCONCLUSIVE, 2)
    assert {entry.estimate.status for entry in report.entries} == {Status.NON_FINITE}


def test_a_jump_is_no_derivative():
    report = check_gradient(lambda x: float(x.sum() + (x[0] >= 1)), np.ones_like, np.array([1.0, 0.5]), throw=False)
    entry = next(entry for entry in report.entries if entry.index == (0,))
    assert entry.estimate.status in (Status.JUMP, Status.KINK, Status.ONE_SIDED)


def test_a_function_that_jumps_everywhere_is_not_called_wrong_for_a_gap_that_its_jumps_explain():
    def stairs(x):
        return float(np.floor(np.sum(x**2) * 300) / 300)

    report = check_gradient(stairs, lambda x: 2 * x, np.linspace(0.5, 1, 4), throw=False)
    assert report.verdict is not Verdict.FAIL


# ---- what is said


def test_claims_that_are_no_numbers_are_errors_of_their_entries():
    report = check_gradient(CASES["sines"][0], lambda x: np.where(x == x8[3], np.nan, np.cos(x)), x8, throw=False)
    assert (report.verdict, report.checked, report.failed, report.inconclusive) == (Verdict.ERROR, 8, 0, 0)
    assert (report.entries[0].index, report.entries[0].verdict) == ((3,), Verdict.ERROR)


def test_the_resolution_is_what_would_have_been_caught():
    f, grad, x = CASES["quadratic"]
    resolution = check_gradient(f, grad, x).resolution
    assert resolution.digits >= 10
    assert "digits" in resolution.sentence
    for sign in (2, -2):
        off = np.zeros(8)
        off[2] = sign * resolution.absolute
        assert check_gradient(f, lambda x, off=off: grad(x) + off, x, throw=False).verdict is Verdict.FAIL


def test_noise_costs_resolution():
    clean, noisy = (
        check_gradient(lambda x, d=digits: round(float(np.sin(x).sum()), d), np.cos, x8).resolution
        for digits in (15, 8)
    )
    assert noisy.absolute > clean.absolute
    assert noisy.digits < clean.digits


def test_the_rows_of_a_jacobian_are_judged_each_in_its_own_size():
    sizes = 10.0 ** np.array([-9, 0, 9])

    def f(x):
        return sizes * np.sin(x[:3])

    def jac(x):
        return np.hstack([np.diag(sizes * np.cos(x[:3])), np.zeros((3, 5))])

    assert check_jacobian(f, jac, x8).verdict is Verdict.PASS

    def wrong(x):
        return jac(x) * np.array([1.001, 1, 1])[:, None]

    report = check_jacobian(f, wrong, x8, throw=False)
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [(0, 0)]


def test_blocks_of_a_gradient_are_its_columns():
    blocks = list(gradient_blocks(np.arange(7.0), width=3))
    assert [block.columns.tolist() for block in blocks] == [[0, 1, 2], [3, 4, 5], [6]]
    assert np.concatenate([block.claimed for block in blocks]).tolist() == [[float(i)] for i in range(7)]


def test_many_entries_are_counted_though_few_are_kept():
    wrong = np.zeros(100)
    wrong[[17, 83]] = 1.0

    def f(x):
        return float(np.sum(np.sin(x)))

    def g(x):
        return np.cos(x) + wrong

    run = CheckRun(Kind.GRADIENT, f, g, np.linspace(1, 2, 100), Options())
    problem = run.examine(run.function(f), run.vector_claim(g))
    found = Surveyor(problem, run.watcher, most=5).survey(gradient_blocks(problem.preflight.claimed, width=10))
    assert (found.checked, found.failed, len(found.columns.entry)) == (100, 2, 5)
    assert set(found.columns.entry[:2].tolist()) == {17, 83}
    assert status_code(Status.FIRST_STEP) == 0


def test_the_gap_that_passes_is_part_of_the_uncertainty():
    report = check_gradient(lambda x: float(np.sin(x).sum()), lambda x: np.cos(x) * (1 + 4e-6), np.array([0.7, 1.1]))
    for entry in report.entries:
        assert entry.abs_error > 1e-6
        assert entry.estimate.uncertainty >= entry.abs_error


def test_outputs_that_are_constant_pass_whatever_their_number():
    x = np.random.default_rng(2).uniform(0.2, 1, 150)
    report = check_jacobian(
        lambda x: np.append(np.sin(x), 3.0), lambda x: np.vstack([np.diag(np.cos(x)), 0 * x]), x, method="coordinates"
    )
    assert (report.verdict, report.checked) == (Verdict.PASS, 151 * 150)


def test_nothing_is_called_wrong_unexamined_if_nothing_that_looked_worse_was():
    rng = np.random.default_rng(2)
    rows, units = 10.0 ** rng.uniform(-8, 8, 60), 10.0 ** rng.uniform(-6, 6, 400)
    draw = np.random.default_rng(2)
    values = draw.normal(size=(60, 400)) * (draw.random((60, 400)) < 0.02) / units
    values[5], values[:, 7] = 0, 0
    for _ in range(3):
        rng.normal(size=400)
    x = rng.normal(size=400) * units
    report = check_jacobian(
        lambda x: rows * np.sin(values @ x), lambda x: (rows * np.cos(values @ x))[:, None] * values, x, throw=False
    )
    assert report.failed == 0


N = 50
POINT, WEIGHT = np.linspace(-1, 1, N) + 0.03, np.linspace(1, 2, N)


def sines(x):
    return float(np.sin(x) @ WEIGHT)


def sines_slope(x):
    return np.cos(x) * WEIGHT


def cost(f, grad):
    return check_gradient(f, grad, POINT, throw=False, fix=False).nfev


@pytest.mark.parametrize("factor", [-1, 2, 1.01])
def test_a_wholly_wrong_claim_costs_few_whole_ladders(factor):
    assert cost(sines, lambda x: factor * sines_slope(x)) < 5 * cost(sines, sines_slope)


def test_a_wrong_claim_where_f_is_flat_needs_no_steps_at_which_it_does_not_move():
    def steps(x):
        return float(np.floor(x).sum())

    assert cost(steps, np.ones_like) < 4 * cost(steps, np.zeros_like)


def test_what_the_upper_rungs_settle_in_single_precision_needs_no_lower_ones():
    assert cost(lambda x: float(np.float32(sines(x))), sines_slope) < 40 * N
