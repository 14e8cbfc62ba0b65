"""Colourings are valid, groups give what single columns give, and what lies outside of a pattern is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck import check_hessian, check_jacobian
from gradcheck.errors import UserCodeError
from gradcheck.evaluation.claims import Block
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.matrices import as_matrix
from gradcheck.evaluation.matrix_claims import MatrixClaim
from gradcheck.evaluation.preflight import examine
from gradcheck.methods.problem import Problem
from gradcheck.methods.sparsity import Compressed, Pattern
from gradcheck.model import CheckInterrupted, Status, Tolerance, Verdict

RNG = np.random.default_rng(5)
A = RNG.normal(size=(4, 6)) * (RNG.random((4, 6)) < 0.6)


def pattern_of(mask):
    return Pattern.of_values(as_matrix(mask, *mask.shape, "jac"))


@given(st.integers(1, 8), st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_columns_of_one_colour_share_no_row(rows, columns, seed, density):
    mask = np.random.default_rng(seed).random((rows, columns)) < density
    pattern = pattern_of(mask)
    colours = pattern.colours
    assert set(colours.tolist()) == set(range(pattern.colour_count))
    assert all(mask[:, colours == colour].sum(axis=1).max() <= 1 for colour in range(pattern.colour_count))


def test_a_band_needs_as_many_groups_as_it_is_wide():
    i = np.arange(50)
    assert pattern_of(abs(i[:, None] - i) <= 1).colour_count == 3


@pytest.mark.parametrize("name", ["array", "csr_array", "csc_array", "coo_array"])
def test_a_pattern_is_where_the_values_are(name):
    made = A if name == "array" else getattr(pytest.importorskip("scipy.sparse"), name)(A)
    pattern = Pattern.of_values(as_matrix(made, 4, 6, "jac"))
    assert sorted(zip(pattern.of_column.tolist(), pattern.indices.tolist(), strict=True)) == [
        (i, j) for i in range(6) for j in range(4) if A[j, i]
    ]


def test_what_the_claim_has_is_compared_though_the_pattern_does_not_know_it():
    given_pattern = np.zeros((4, 6), bool)
    given_pattern[0, 0] = True
    pattern = Pattern.of(given_pattern, as_matrix(A, 4, 6, "jac"))
    assert pattern.indices.size == np.count_nonzero(given_pattern | (A != 0))


def test_a_pattern_of_another_shape_gets_one_line():
    with pytest.raises(
        UserCodeError, match=r"^the sparsity pattern has shape \(6, 4\), expected \(4, 6\); it looks tr"
    ):
        Pattern.of((A != 0).T, as_matrix(A, 4, 6, "jac"))


def problem_at(function, x):
    claim = MatrixClaim(lambda x: np.zeros((function.size, x.size)), x, function.size, role="jac")
    return Problem(
        function=function, x=x, preflight=examine(function, claim, x, 0), tolerance=Tolerance(rtol=6e-6, atol=0.0)
    )


@pytest.mark.parametrize("most", [1, 2, 9])
@pytest.mark.parametrize("bounds", [None, (np.full(6, -0.5), np.full(6, np.inf))], ids=["free", "at the bounds"])
def test_groups_give_what_single_columns_give(bounds, most):
    function = Function(lambda x: np.sin(A @ x), np.zeros(6), scalar=False, bounds=bounds)
    x = np.linspace(-0.5, 0.5, 6)
    function.at(x)
    compressed = Compressed(problem_at(function, x), pattern_of(A))
    blocks = list(compressed.blocks(as_matrix(A, 4, 6, "jac"), most))
    groups = pattern_of(A).colour_count
    assert len(blocks) == -(-groups // most)
    assert sum(len(block.columns) for block in blocks) == np.count_nonzero(A)
    for block in blocks:
        steps = np.full(len(block.columns), 2.0**-10)
        rows = block.rows[:, 0]
        assert block.claimed[:, 0].tolist() == A[rows, block.columns].tolist()
        alone = function.pairs(x, block.columns, steps)
        for together, columns in zip(compressed.evaluate(block, steps, lambda done: None), alone, strict=True):
            np.testing.assert_allclose(together[:, 0], columns[np.arange(rows.size), rows], rtol=0, atol=1e-15)


def test_a_group_costs_two_evaluations():
    function = Function(lambda x: x**2, np.zeros(6), scalar=False)
    x = np.ones(6)
    function.at(x)
    compressed = Compressed(problem_at(function, x), pattern_of(np.eye(6)))
    before = function.calls
    line = np.arange(6)
    compressed.evaluate(Block(line, np.zeros((6, 1)), line[:, None]), np.full(6, 1e-5), lambda done: None)
    assert function.calls - before == 2


def test_groups_that_are_compared_together_learn_from_each_other_what_is_ordinary():
    """The second group of each row is large, and the first would not be resolved beside nothing else."""

    def func(x):
        return np.array([1e-8 * np.sin(x[0]) + np.exp(x[1]), np.exp(x[2]) + 1e-8 * np.sin(x[3])])

    def jac(x):
        sparse = pytest.importorskip("scipy.sparse")
        return sparse.csr_array([[1e-8 * np.cos(x[0]), np.exp(x[1]), 0, 0], [0, 0, np.exp(x[2]), 1e-8 * np.cos(x[3])]])

    report = check_jacobian(func, jac, np.array([0.3, 0.1, 0.2, 0.4]))
    assert report.verdict is Verdict.PASS
    assert {entry.estimate.status for entry in report.entries} == {Status.FIRST_STEP}


# ---- dense claims that are zero nearly everywhere

N = 150
x150 = np.random.default_rng(2).uniform(-1, 1, N)


def chain(x):
    return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


def chain_grad(x):
    e = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[:-1] -= 400 * x[:-1] * e + 2 * (1 - x[:-1])
    g[1:] += 200 * e
    return g


def chain_hess(x):
    h = np.diag(-400 * x[:-1], 1)
    h = h + h.T
    i = np.arange(N - 1)
    h[i, i] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    h[i + 1, i + 1] += 200
    return h


def test_zeros_are_compared_at_once_if_all_is_right():
    report = check_hessian(chain, chain_hess, x150, grad=chain_grad)
    assert (report.verdict, report.checked, report.nfev < 60) == (Verdict.PASS, N * N, True)
    assert "differenced in 3 groups" in " ".join(report.notes)
    assert report.resolution.digits is not None
    assert report.resolution.digits >= 5


def test_every_entry_is_compared_on_request():
    report = check_hessian(chain, chain_hess, x150, grad=chain_grad, method="coordinates")
    assert (report.verdict, report.checked, report.ngev >= 2 * N) == (Verdict.PASS, N * N, True)


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1.0])
@pytest.mark.parametrize("place", [(3, 90), (149, 0)])
def test_what_the_zeros_hide_is_found_and_named(place, size):
    def grad(x):
        g = chain_grad(x)
        g[place[0]] += size * 400 * np.sin(x[place[1]])
        return g

    report = check_jacobian(grad, chain_hess, x150, throw=False)
    assert (report.verdict, report.failed) == (Verdict.FAIL, 1)
    assert report.entries[0].index == place


def test_a_zero_beside_what_may_be_the_error_of_a_solver_is_left_open():
    def grad(x):
        g = chain_grad(x)
        g[3] += 4e-7 * np.sin(x[90])
        return g

    report = check_jacobian(grad, chain_hess, x150, throw=False)
    assert (report.verdict, report.inconclusive) == (Verdict.INCONCLUSIVE, 1)
    assert report.entries[0].index == (3, 90)
    assert "atol" in report.entries[0].reason
    assert check_jacobian(grad, chain_hess, x150, atol=1e-6).verdict is Verdict.PASS


def test_a_missing_off_diagonal_is_found_entry_by_entry():
    report = check_hessian(chain, lambda x: np.diag(np.diag(chain_hess(x))), x150, grad=chain_grad, throw=False)
    assert (report.verdict, report.failed) == (Verdict.FAIL, 2 * (N - 1))


# ---- sparse claims: what is outside of the pattern

sparse = pytest.importorskip("scipy.sparse")
RING = np.roll(np.eye(N), 1, axis=0)
POSITIVE = np.random.default_rng(3).uniform(0.2, 1, N)


def ring(x):
    return x**2 + np.roll(x, 1)


def ring_jac(x):
    return np.diag(2 * x) + RING


def ring_jac_without(row, column):
    def jac(x):
        values = ring_jac(x)
        values[row, column] = 0
        return sparse.csr_array(values)

    return jac


@pytest.mark.parametrize("claimed", ["all", "all but one"])
def test_at_the_bounds_the_rest_is_compared_along_a_direction_that_stays_inside(claimed):
    x = np.where(np.arange(N) % 3 == 0, 0.1, POSITIVE)
    jac = (lambda x: sparse.csr_array(ring_jac(x))) if claimed == "all" else ring_jac_without(5, 4)
    report = check_jacobian(ring, jac, x, bounds=(0.1, 2.0), throw=False)
    assert report.verdict is (Verdict.PASS if claimed == "all" else Verdict.FAIL)


@pytest.mark.parametrize(("missing", "verdict"), [(False, Verdict.PASS), (True, Verdict.FAIL)])
def test_where_a_direction_has_no_value_every_entry_is_compared(missing, verdict):
    def func(x):
        return np.append(ring(x), np.sqrt(x[3] - 0.1 + 1e-9) + x[7])

    def jac(x):
        last = np.zeros(N)
        last[3], last[7] = 0.5 / np.sqrt(x[3] - 0.1 + 1e-9), 0 if missing else 1
        return sparse.csr_array(np.vstack([ring_jac(x), last]))

    x = POSITIVE.copy()
    x[3] = 0.1
    report = check_jacobian(func, jac, x, throw=False)
    assert (report.verdict, report.checked) == (verdict, (N + 1) * N)
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [(N, 7)] * missing


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(3))
def test_variables_of_very_different_sensitivity_are_no_reason_to_blame_the_pattern(seed, dtype):
    rng = np.random.default_rng([9, 19, 33][seed])
    rng.uniform(-8, 8, 40)
    units = 10.0 ** rng.uniform(-3, 3, 60)
    values = (rng.normal(size=(40, 60)) * (rng.random((40, 60)) < 0.08) / units).astype(dtype)
    x = (rng.normal(size=60) * units).astype(dtype)
    report = check_jacobian(
        lambda x: np.sin(values @ x),
        lambda x: sparse.csr_array(np.cos(values @ x)[:, None] * values),
        x,
        seed=seed,
        throw=False,
    )
    assert report.failed == 0
    assert not [finding for finding in report.findings if finding.verdict is Verdict.FAIL]


def test_a_claim_that_stores_nothing_is_compared():
    empty = sparse.csr_array((N, N))
    assert check_jacobian(lambda x: np.ones(N), lambda x: empty, POSITIVE).verdict is Verdict.PASS
    assert check_jacobian(ring, lambda x: empty, POSITIVE, throw=False).verdict is Verdict.FAIL


def test_an_entry_stored_in_parts_counts_once():
    def jac(x):
        once = sparse.csc_array(ring_jac(x))
        return sparse.csc_array((once.data.repeat(2) / 2, once.indices.repeat(2), once.indptr * 2), shape=(N, N))

    report = check_jacobian(ring, lambda x: 2 * jac(x), POSITIVE, throw=False)
    assert report.failed == 2 * N
    assert report.checked == N * N


@pytest.mark.parametrize("place", [(5, 4), (5, 90)])
def test_an_operator_may_not_have_or_lack_what_the_pattern_does_not_say(place):
    linalg = pytest.importorskip("scipy.sparse.linalg")
    pattern = ring_jac(POSITIVE) != 0
    pattern[5, 4] = False
    extra = np.zeros((N, N))
    extra[place] = place != (5, 4)
    report = check_jacobian(
        ring, lambda x: linalg.aslinearoperator(ring_jac(x) + extra), POSITIVE, sparsity=pattern, throw=False
    )
    assert report.findings[0].evidence["rows"] == [5]


def test_more_wrong_entries_than_a_report_holds_are_not_blamed_on_the_pattern():
    x = np.linspace(0.5, 1.5, 20_000)
    report = check_jacobian(lambda x: x**2, lambda x: sparse.diags_array(4 * x), x, method="coordinates", throw=False)
    assert (report.failed, report.findings) == (x.size, ())


def test_an_entry_that_is_wrong_does_not_count_against_the_resolution_of_others():
    def jac(x):
        values = ring_jac(x)
        values[3, 90] = 1
        return sparse.csr_array(values)

    report = check_jacobian(ring, jac, POSITIVE, throw=False)
    assert report.failed == 1
    assert report.resolution.digits >= 6


def test_ctrl_c_at_the_last_direction_loses_nothing():
    calls = 0

    def func(x):
        nonlocal calls
        calls += 1
        if calls == stop:
            raise KeyboardInterrupt
        return ring(x)

    stop = 0
    check_jacobian(func, lambda x: sparse.csr_array(ring_jac(x)), POSITIVE)
    stop, calls = calls - 1, 0
    with pytest.raises(CheckInterrupted) as caught:
        check_jacobian(func, lambda x: sparse.csr_array(ring_jac(x)), POSITIVE)
    assert caught.value.report.checked == 2 * N


def test_many_columns_in_few_groups_are_compared_one_by_one():
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is in the test extra only")
    n = 250_000  # more than are compared one by one where each takes two evaluations
    x = np.random.default_rng(4).uniform(1, 2, n)

    def jac(x):
        return sparse.diags_array([2 * x, np.cos(x[1:])], offsets=[0, 1], format="csr")

    def wrong(x):
        matrix = jac(x).tolil()
        matrix[777, 778] *= 1.01
        return matrix

    def func(x):
        return x**2 + np.append(np.sin(x[1:]), 0.0)

    right = check_jacobian(func, jac, x)
    assert (right.verdict, right.method, right.checked, right.nfev < 60) == (Verdict.PASS, "coordinates", n * n, True)
    report = check_jacobian(func, wrong, x, throw=False)
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [(777, 778)]
