"""Colourings are valid, groups give what single columns give, and what lies outside of a pattern is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck import check_hessian, check_jacobian
from gradcheck.errors import UserCodeError
from gradcheck.evaluation import Function
from gradcheck.matrices import Matrix
from gradcheck.model import Verdict
from gradcheck.sparsity import Compressed, Pattern
from gradcheck.survey import Block

RNG = np.random.default_rng(5)
A = RNG.normal(size=(4, 6)) * (RNG.random((4, 6)) < 0.6)


def pattern_of(mask):
    return Pattern.of_values(Matrix(mask, *mask.shape, "jac"))


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
    pattern = Pattern.of_values(Matrix(made, 4, 6, "jac"))
    assert sorted(zip(pattern.of_column.tolist(), pattern.indices.tolist(), strict=True)) == [
        (i, j) for i in range(6) for j in range(4) if A[j, i]
    ]


def test_what_the_claim_has_is_compared_though_the_pattern_does_not_know_it():
    given_pattern = np.zeros((4, 6), bool)
    given_pattern[0, 0] = True
    pattern = Pattern.of(given_pattern, Matrix(A, 4, 6, "jac"))
    assert pattern.indices.size == np.count_nonzero(given_pattern | (A != 0))


def test_a_pattern_of_another_shape_gets_one_line():
    with pytest.raises(
        UserCodeError, match=r"^the sparsity pattern has shape \(6, 4\), expected \(4, 6\); it looks tr"
    ):
        Pattern.of((A != 0).T, Matrix(A, 4, 6, "jac"))


@pytest.mark.parametrize("bounds", [None, (np.full(6, -0.5), np.full(6, np.inf))], ids=["free", "at the bounds"])
def test_groups_give_what_single_columns_give(bounds):
    function = Function(lambda x: np.sin(A @ x), np.zeros(6), scalar=False, bounds=bounds)
    x = np.linspace(-0.5, 0.5, 6)
    function.at(x)
    compressed = Compressed(function, pattern_of(A), x)
    blocks = list(compressed.blocks(Matrix(A, 4, 6, "jac")))
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
    compressed = Compressed(function, pattern_of(np.eye(6)), x)
    before = function.calls
    line = np.arange(6)
    compressed.evaluate(Block(line, np.zeros((6, 1)), line[:, None]), np.full(6, 1e-5), lambda done: None)
    assert function.calls - before == 2


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
    assert (report.verdict, report.checked, report.nfev >= 2 * N) == (Verdict.PASS, N * N, True)


@pytest.mark.parametrize("size", [1e-9, 1e-5, 1.0])
@pytest.mark.parametrize("place", [(3, 90), (149, 0)])
def test_what_the_zeros_hide_is_found_and_named(place, size):
    def grad(x):
        g = chain_grad(x)
        g[place[0]] += size * 400 * np.sin(x[place[1]])
        return g

    report = check_jacobian(grad, chain_hess, x150, throw=False)
    assert (report.verdict, report.failed) == (Verdict.FAIL, 1)
    assert report.entries[0].index == place


def test_a_missing_off_diagonal_is_found_entry_by_entry():
    report = check_hessian(chain, lambda x: np.diag(np.diag(chain_hess(x))), x150, grad=chain_grad, throw=False)
    assert (report.verdict, report.failed) == (Verdict.FAIL, 2 * (N - 1))
