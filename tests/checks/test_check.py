"""The steps of a check: options, what is raised, interrupts, budgets, further points, and what never matters."""

from __future__ import annotations

import dataclasses
import itertools
import pickle
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck import (
    CheckInterrupted,
    GradientMismatch,
    GradientUndecided,
    PointError,
    UsageError,
    UserCodeError,
    check_gradient,
    check_hessian,
    check_jacobian,
)
from gradcheck.model import FindingKind, Method, Verdict
from gradcheck.options.keywords import RTOL, Options

A = np.random.default_rng(0).normal(size=(6, 6))
x0 = np.random.default_rng(1).normal(size=6)


def f(x):
    return float(x @ A @ x + np.sin(x).sum())


def grad(x):
    return (A + A.T) @ x + np.cos(x)


def hess(x):
    return A + A.T - np.diag(np.sin(x))


def wrong(x):
    return grad(x) * 1.001


def absolute(x):
    return float(np.abs(x).sum())


AT_KINK = np.array([1.0, 0.0])


# ---- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rtol": -1}, "rtol is -1; it must be a number of at least 0 and below 1"),
        ({"rtol": 1.0}, "rtol is 1.0; it must be a number of at least 0 and below 1"),
        ({"rtol": np.nan}, "rtol is nan; it must be a number of at least 0 and below 1"),
        ({"atol": -1e-3}, "atol is -0.001; it must be a finite number of at least 0"),
        ({"atol": np.nan}, "atol is nan; it must be a finite number of at least 0"),
        ({"eps": 0}, "eps is 0; it must be a finite number above 0"),
        ({"eps": np.inf}, "eps is inf; it must be a finite number above 0"),
        ({"budget": 0}, "budget is 0; it must be a finite number above 0"),
        ({"points": 0}, "points is 0; it must be a whole number of at least 1"),
        ({"points": 1.5}, "points is 1.5; it must be a whole number of at least 1"),
        ({"jobs": -1}, "jobs is -1; it must be a whole number of at least 1"),
        ({"directions": 0}, "directions is 0; it must be a whole number of at least 1"),
        ({"seed": -1}, "seed is -1; it must be a whole number of at least 0"),
        ({"args": 2.0}, "args is 2.0; it must be a tuple, with one argument (2.0,), or a dict of arguments by name"),
        ({"rtol": "x"}, "rtol is 'x'; it must be a number of at least 0 and below 1"),
        ({"rtol": True}, "rtol is True; it must be a number of at least 0 and below 1"),
        ({"eps": "1e-4"}, "eps is '1e-4'; it must be a finite number above 0"),
        ({"seed": None}, "seed is None; it must be a whole number of at least 0"),
        ({"method": ["auto"]}, "method is ['auto']; it must be one of auto, coordinates, directions, complex-step"),
        (
            {"method": "direction"},
            "method is 'direction'; it must be one of auto, coordinates, directions, complex-step; did you mean directions?",
        ),
        ({"throw": 1}, "throw is 1; it must be true or false"),
        ({"progress": 1}, "progress is 1; it must be a callable"),
        ({"suspects": [1]}, "suspects is [1]; it must be a dict of terms by name, as in {'ridge': lambda x: x}"),
        (
            {"bounds": (None, 5)},
            "bounds is (None, 5); it must be a pair (lower, upper) of numbers, or of arrays of the shape of the point; "
            "-inf and inf stand for none",
        ),
        ({"bounds": (2, 1)}, "bounds is (2, 1); the lower one must be less than the upper one"),
        ({"rtoll": 1}, "unknown keyword 'rtoll'; did you mean 'rtol'?"),
        ({"method": "forward"}, "method is 'forward'; it must be one of auto, coordinates, directions, complex-step"),
    ],
)
def test_an_option_that_makes_no_sense_gets_one_line(options, message):
    for build in (lambda: Options(**options), lambda: check_gradient(f, grad, x0, **options)):
        with pytest.raises(UsageError) as caught:
            build()
        assert str(caught.value) == message


def test_options_have_defaults_and_numpy_integers_are_whole_numbers():
    assert Options().tolerance.rtol == RTOL
    assert Options(rtol=0).tolerance.rtol == 0
    assert Options(points=np.int64(2), seed=np.uint8(3), method=Method.DIRECTIONS).points == 2


def test_an_unknown_keyword_is_no_silent_one():
    with pytest.raises(
        UsageError, match="unknown keyword 'tolerance'; the keywords are args, unpack, wrt, on, claimed, riemannian,"
    ):
        check_gradient(f, grad, x0, tolerance=1e-3)


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        ([1.0, np.nan], {}, PointError, "nan"),
        ([], {}, PointError, "no entries"),
        ([[1.0], [1.0, 2.0]], {}, PointError, "ragged"),
        ([1e20, 1.0], {"eps": 1e-3}, UsageError, r"so small that x \+ eps is x at entry \[0\]"),
        ([0.0, 1.0], {"bounds": (1, 2)}, PointError, "outside"),
        ([0.0, 1.0], {"bounds": (np.zeros(3), 1)}, PointError, "fit a point of shape 2"),
        ([0.0, 1.0], {"bounds": 3}, UsageError, "pair"),
    ],
)
def test_a_point_that_makes_no_sense_gets_one_line(x, options, error, message):
    with pytest.raises(error, match=message) as caught:
        check_gradient(f, grad, x, **options)
    assert "\n" not in str(caught.value)


def test_eps_is_the_step_of_the_first_look():
    steps = []

    def watched(x):
        steps.append(float(np.abs(x - x0).max()))
        return f(x)

    report = check_gradient(watched, grad, x0, eps=2.0**-20)
    assert steps[-12:] == pytest.approx([2.0**-20] * 12)
    assert {entry.estimate.step for entry in report.entries} == {2.0**-20}


def test_tolerances_excuse_a_gap():
    assert check_gradient(f, wrong, x0, rtol=2e-3).verdict is Verdict.PASS
    assert check_gradient(f, lambda x: grad(x) + 1e-3, x0, atol=2e-3).verdict is Verdict.PASS
    assert check_gradient(f, lambda x: grad(x) * (1 + 3e-6), x0, throw=False).verdict is Verdict.PASS
    assert check_gradient(f, lambda x: grad(x) * (1 + 3e-6), x0, rtol=1e-8, throw=False).verdict is Verdict.FAIL


def test_args_go_to_both():
    report = check_gradient(lambda x, k, m: k * f(x) + m, lambda x, k, m: k * grad(x), x0, args=(3.0, 1.0))
    assert report.verdict is Verdict.PASS


# ---- what is raised


def raising(x):
    raise ZeroDivisionError("deep inside")


@pytest.mark.parametrize(
    ("call", "claim", "x", "verdict", "error"),
    [
        (f, grad, x0, Verdict.PASS, None),
        (f, wrong, x0, Verdict.FAIL, GradientMismatch),
        (absolute, np.sign, AT_KINK, Verdict.INCONCLUSIVE, GradientUndecided),
        (f, lambda x: np.full(6, np.nan), x0, Verdict.ERROR, UserCodeError),
        (f, raising, x0, Verdict.ERROR, UserCodeError),
        (raising, grad, x0, Verdict.ERROR, UserCodeError),
        (f, lambda x: np.ones(5), x0, Verdict.ERROR, UserCodeError),
    ],
)
def test_throw_raises_what_the_verdict_asks_for_and_else_returns_it(call, claim, x, verdict, error):
    report = check_gradient(call, claim, x, throw=False)
    assert report.verdict is verdict
    if error is None:
        assert check_gradient(call, claim, x).verdict is verdict
        return
    with pytest.raises(error) as caught:
        check_gradient(call, claim, x)
    assert type(caught.value) is error
    if issubclass(error, GradientMismatch):
        assert caught.value.report.verdict is verdict
        assert str(caught.value) == report.headline


def test_inconclusive_can_be_allowed_and_wrong_cannot():
    assert check_gradient(absolute, np.sign, AT_KINK, allow_inconclusive=True).verdict is Verdict.INCONCLUSIVE
    with pytest.raises(GradientMismatch):
        check_gradient(f, wrong, x0, allow_inconclusive=True)


@pytest.mark.parametrize(("call", "claim", "role"), [(raising, grad, "f"), (f, raising, "grad")])
def test_the_users_own_exception_is_the_cause_or_in_the_report(call, claim, role):
    with pytest.raises(UserCodeError, match=f"^{role} raised ZeroDivisionError at the point: deep inside$") as caught:
        check_gradient(call, claim, x0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    report = check_gradient(call, claim, x0, throw=False)
    assert [(finding.kind, finding.target) for finding in report.findings] == [(FindingKind.USER_ERROR, role)]
    assert report.trouble.endswith("ZeroDivisionError: deep inside\n")
    assert "in raising" in report.trouble
    assert "evaluation.py" not in report.trouble


def test_f_may_raise_away_from_the_point():
    def edged(x):
        if x[0] > x0[0]:
            raise ValueError("outside")
        return f(x)

    assert check_gradient(edged, grad, x0).verdict is Verdict.PASS


# ---- stopped early


def interrupted(after, call=f):
    count = [0]

    def inner(x):
        count[0] += 1
        if count[0] == after:
            raise KeyboardInterrupt
        return call(x)

    return inner


@pytest.mark.parametrize("throw", [True, False])
@pytest.mark.parametrize("after", [1, 2, 10, 29, 32, 50])
def test_ctrl_c_ends_with_what_is_known(after, throw):
    with pytest.raises(CheckInterrupted) as caught:
        check_gradient(interrupted(after), wrong, x0, throw=throw)
    report = caught.value.report
    assert report.interrupted
    assert report.verdict in (Verdict.INCONCLUSIVE, Verdict.FAIL)
    assert 1 <= report.nfev <= after
    pickle.dumps(report)


@pytest.mark.parametrize("after", [1, 2, 4])
def test_ctrl_c_in_the_claim_is_the_same(after):
    with pytest.raises(CheckInterrupted) as caught:
        check_gradient(f, interrupted(after, grad), x0)
    assert caught.value.report.ngev == after


@pytest.mark.parametrize("options", [{"points": 3}, {"method": "directions"}])
@pytest.mark.parametrize("after", [1, 35, 45])
def test_ctrl_c_is_taken_wherever_it_comes(options, after):
    with pytest.raises(CheckInterrupted):
        check_gradient(interrupted(after), grad, x0, **options)


@pytest.mark.parametrize("options", [{"grad": grad}, {}])
def test_ctrl_c_while_a_gradient_is_made_is_taken_too(options):
    with pytest.raises(CheckInterrupted):
        check_hessian(interrupted(1), hess, x0, **options)


def test_what_was_compared_before_ctrl_c_is_kept(monkeypatch):
    monkeypatch.setattr("gradcheck.checks.entrywise.PIECE", 1e-12)  # one entry at a time
    with pytest.raises(CheckInterrupted) as caught:
        check_gradient(interrupted(3 + 8), grad, x0)
    assert 0 < caught.value.report.checked < 6


def test_a_budget_ends_a_slow_check_in_time_and_keeps_what_was_compared():
    def slow(x):
        time.sleep(2e-4)
        return float(np.sum(x**2))

    report = check_gradient(slow, lambda x: 2 * x, np.ones(2000), method="coordinates", budget=0.2, throw=False)
    assert (report.verdict, report.interrupted, report.failed) == (Verdict.INCONCLUSIVE, True, 0)
    assert 0 < report.checked < 2000


def test_progress_is_told():
    seen = []
    check_gradient(f, wrong, x0, throw=False, progress=lambda *told: seen.append(told))
    assert {phase for phase, *_ in seen} >= {"entries"}
    assert all(0 <= done <= total and calls > 0 for _, done, total, calls, _ in seen)


# ---- the method, and further points


@pytest.mark.parametrize(
    ("options", "method"),
    [({}, Method.COORDINATES), ({"directions": 3}, Method.DIRECTIONS), ({"method": "directions"}, Method.DIRECTIONS),
     ({"method": "coordinates", "directions": 3}, Method.COORDINATES)],
)  # fmt: skip
def test_the_method_is_the_one_asked_for_or_every_entry(options, method):
    report = check_gradient(f, grad, x0, **options)
    assert report.method is method
    if method is Method.DIRECTIONS:
        assert len(report.directions) == options.get("directions", 2)


def test_a_dimension_too_large_for_every_entry_gets_random_directions(monkeypatch):
    monkeypatch.setattr("gradcheck.checks.method.FEW_ENTRIES", 2)
    monkeypatch.setattr("gradcheck.checks.method.MANY_ENTRIES", 3)
    assert check_gradient(f, grad, x0).method is Method.DIRECTIONS


@pytest.mark.parametrize("points", [2, 4])
def test_further_points_get_two_directions_each(points):
    report = check_gradient(f, grad, x0, points=points)
    assert (report.verdict, report.checked) == (Verdict.PASS, 6)
    assert [direction.point for direction in report.directions] == [p for p in range(1, points) for _ in range(2)]


def test_a_gradient_that_is_right_at_one_place_only_fails_at_the_others():
    here = grad(x0)

    def right_here(x):
        return here.copy()

    assert check_gradient(f, right_here, x0).verdict is Verdict.PASS
    report = check_gradient(f, right_here, x0, points=3, throw=False)
    assert (report.verdict, report.failed) == (Verdict.FAIL, 0)
    assert {direction.verdict for direction in report.directions} == {Verdict.FAIL}
    assert report.headline == "The gradient is right at the first point and wrong at 2 other points."


def test_points_where_f_is_not_defined_are_left_with_a_word():
    x = np.linspace(1.0, 2.0, 3)

    def logs(x):
        return float(np.log(x).sum()) if x[0] < 3 else np.nan

    report = check_gradient(logs, lambda x: 1 / x, x, points=5)
    assert sorted({direction.point for direction in report.directions}) == [1, 2, 3, 4]
    kinds = [point.origin for point in report.further]
    assert kinds == ["near the point", "drawn anew", "near the point", "1/10 as large"]
    assert "1 further point drawn again, 10 times as large: f or the claim is not defined there" in report.notes


def powers(x):
    return float((x**4).sum())


def test_further_points_are_of_several_neighbourhoods_and_sizes():
    x = np.array([0.5, -2.0, 1.0])
    report = check_gradient(powers, lambda x: 4 * x**3, x, points=6)
    assert [point.origin for point in report.further] == [
        "near the point", "drawn anew", "10 times as large", "1/10 as large", "near the point",
    ]  # fmt: skip
    for point, low, high in zip(report.further, (0.5, 0, 5, 0.05, 0.5), (1.5, 99, 15, 0.15, 1.5), strict=True):
        share = np.abs(point.values) / np.abs(x)
        assert ((low <= share * (1 + 1e-9)) & (share <= high * (1 + 1e-9))).all()
    assert "5 more points: near the point (2), drawn anew, 10 times as large, 1/10 as large" in str(report)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_point_of_one_sign_keeps_it_elsewhere(sign):
    report = check_gradient(powers, lambda x: 4 * x**3, sign * np.array([0.5, 2.0, 1.0]), points=5)
    assert all((sign * np.array(point.values) > 0).all() for point in report.further)


def test_a_mistake_at_another_size_is_found_and_the_size_is_told():
    def wrong(x):
        return 4 * x**3 * np.where(np.abs(x) > 5, 1.1, 1.0)

    x = np.array([0.5, -1.0, 1.0])
    assert check_gradient(powers, wrong, x, points=3, throw=False).verdict is Verdict.PASS
    report = check_gradient(powers, wrong, x, points=4, throw=False)
    assert report.verdict is Verdict.FAIL
    assert "; wrong 10 times as large" in str(report)


def test_a_point_where_nothing_can_be_told_does_not_count():
    def saturated(x):
        return 1e9 + float(np.tanh(x).sum()) * 1e-3

    report = check_gradient(saturated, lambda x: 1e-3 / np.cosh(x) ** 2, np.array([0.1, -0.2]), points=8, throw=False)
    alone = check_gradient(saturated, lambda x: 1e-3 / np.cosh(x) ** 2, np.array([0.1, -0.2]), throw=False)
    assert len(report.further) == 7
    assert report.verdict is alone.verdict


def test_where_f_is_defined_at_the_point_alone_no_other_point_is_checked():
    def alone(x):
        return f(x) if np.abs(x - x0).max() < 1e-2 else np.nan

    report = check_gradient(alone, grad, x0, points=3, throw=False)
    assert report.directions == ()
    assert any("only 1 of 3 points could be checked" in note for note in report.notes)
    assert any("drawn again" in note for note in report.notes)


def test_a_matrix_is_not_silently_checked_at_one_point_only():
    report = check_hessian(f, hess, x0, grad=grad, points=3)
    assert "only 1 of 3 points was checked: further points are for gradients" in report.notes


@pytest.mark.parametrize("bounds", [(-3, 3), (x0 - 0.5, x0 + 0.5)])
def test_further_points_keep_to_the_bounds(bounds):
    def inside(x):
        assert (x >= bounds[0]).all()
        assert (x <= bounds[1]).all()
        return f(x)

    assert check_gradient(inside, grad, x0, points=3, bounds=bounds).verdict is Verdict.PASS


# ---- what never matters


def facts(report):
    """What a report says, but for the clock."""
    return [dataclasses.replace(report, seconds=0.0, entries=()), list(report.entries)]


@pytest.mark.parametrize("claim", [grad, wrong])
@pytest.mark.parametrize("options", [{}, {"points": 3}, {"method": "directions"}])
def test_a_seed_reproduces_every_bit(claim, options):
    once, again = (check_gradient(f, claim, x0, seed=5, throw=False, **options) for _ in range(2))
    assert facts(once) == facts(again)
    other = check_gradient(f, claim, x0, seed=6, throw=False, **options)
    assert other.verdict is once.verdict


@pytest.mark.parametrize("claim", [grad, wrong])
def test_a_report_survives_pickling(claim):
    report = check_gradient(f, claim, x0, points=2, throw=False)
    assert facts(pickle.loads(pickle.dumps(report))) == facts(report)


def test_the_point_of_the_caller_is_left_alone():
    x = x0.copy()

    def writes(x):
        value = f(x)
        x[:] = 0
        return value

    check_gradient(writes, grad, x, throw=False)
    np.testing.assert_array_equal(x, x0)


@given(st.permutations(range(6)), st.booleans())
@settings(max_examples=20, deadline=None)
def test_permuting_the_variables_permutes_the_entries(order, right):
    order = np.array(order)
    back = np.argsort(order)
    claim = grad if right else lambda x: grad(x) + np.where(np.arange(6) == 2, 0.1, 0)
    plain = check_gradient(f, claim, x0, throw=False)
    permuted = check_gradient(lambda y: f(y[back]), lambda y: claim(y[back])[order], x0[order], throw=False)
    assert permuted.verdict is plain.verdict
    failed = [
        [entry.index[0] for entry in report.entries if entry.verdict is Verdict.FAIL] for report in (plain, permuted)
    ]
    assert failed[0] == [int(order[i]) for i in failed[1]] == ([] if right else [2])


@given(st.integers(-300, 300), st.sampled_from([1.0, 1.01]))
@settings(max_examples=20, deadline=None)
def test_scaling_f_by_a_power_of_two_scales_the_values(power, factor):
    scale = 2.0**power

    def claim(x):
        return factor * grad(x)

    plain = check_gradient(f, claim, x0, throw=False)
    scaled = check_gradient(lambda x: scale * f(x), lambda x: scale * claim(x), x0, throw=False)
    assert (scaled.verdict, scaled.failed) == (plain.verdict, plain.failed)
    for one, two in zip(plain.entries, scaled.entries, strict=True):
        assert (one.index, one.verdict) == (two.index, two.verdict)
        assert two.claimed == scale * one.claimed
        assert two.estimate.value == scale * one.estimate.value


@pytest.mark.parametrize("factor", [1.0, 1.01])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("returned", ["C", "F"])
def test_the_memory_order_of_a_matrix_variable_does_not_matter(order, returned, factor):
    x = np.asarray(x0.reshape(2, 3), order=order)
    weights = np.arange(6.0).reshape(2, 3)
    report = check_gradient(
        lambda x: float(np.sum(weights * x**2)),
        lambda x: np.asarray(2 * weights * x * factor, order=returned),
        x,
        throw=False,
    )
    assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL)
    assert {entry.index: entry.claimed for entry in report.entries} == {
        index: 2 * weights[index] * x[index] * factor for index in np.ndindex(2, 3)
    }


@pytest.mark.parametrize("shape", [(), (6,), (2, 3), (1, 6), (6, 1), (1, 2, 3)])
def test_entries_have_the_index_of_the_variable(shape):
    x = x0.reshape(shape) if shape else np.array(0.5)
    report = check_gradient(lambda x: float(np.sum(np.sin(x))), np.cos, x)
    assert report.shape == shape
    assert {entry.index for entry in report.entries} == set(np.ndindex(shape))
    flat = check_gradient(lambda x: float(np.sum(np.sin(x))), lambda x: np.cos(x).reshape(-1), x)
    assert flat.verdict is Verdict.PASS


def test_a_gradient_is_a_jacobian_with_one_row():
    row = check_jacobian(lambda x: np.array([f(x)]), lambda x: wrong(x)[None], x0, throw=False)
    alone = check_gradient(f, wrong, x0, throw=False)
    assert (row.verdict, row.failed) == (alone.verdict, alone.failed) == (Verdict.FAIL, 6)
    assert [entry.index for entry in row.entries] == [(0, *entry.index) for entry in alone.entries]


@pytest.mark.parametrize(
    ("method", "size"), [("coordinates", 5), ("directions", 3000)], ids=["coordinates", "directions"]
)
def test_a_wrong_gradient_comes_with_the_ladder_of_its_worst_entry(method, size):
    """At some steps the differences are right to eight digits; whatever was claimed, they tell the true derivative."""
    report = check_gradient(
        lambda x: float(np.exp(x).sum()),
        lambda x: np.where(np.arange(x.size) == 3, 1.5, 1.0) * np.exp(x),
        np.linspace(0.1, 0.9, size),
        method=method,
        throw=False,
    )
    worst = report.entries[0]
    assert worst.index == (3,)
    ladder = worst.estimate.ladder
    assert len(ladder.steps) == len(ladder.values) == len(ladder.noise) >= 5
    assert all(larger > smaller for larger, smaller in itertools.pairwise(ladder.steps))
    truth = worst.claimed / 1.5
    assert min(abs(value - truth) for value in ladder.values) < 1e-8 * truth
    assert all(e.estimate.ladder is None for e in report.entries[1:])
