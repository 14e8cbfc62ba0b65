"""Claimed matrices of every kind answer alike; colourings are valid; misfits get one line."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.checks.matrix import asymmetry
from gradcheck.errors import UserCodeError
from gradcheck.evaluation import matrices
from gradcheck.evaluation.matrices import as_matrix
from gradcheck.model import FindingKind, Tolerance, Verdict

TIGHT = Tolerance(rtol=0.0, atol=0.0)
RNG = np.random.default_rng(5)
A = RNG.normal(size=(4, 6)) * (RNG.random((4, 6)) < 0.6)
SQUARE = RNG.normal(size=(5, 5))


class WithAt:
    """An operator that has only ``@``."""

    def __init__(self, matrix):
        self.matrix = matrix

    def __matmul__(self, v):
        return self.matrix @ v


class WithMatvec:
    """An operator that has only a ``matvec``."""

    def __init__(self, matrix):
        self.matvec = lambda v: matrix @ v


class WithRows(WithMatvec):
    """An operator that can be asked for rows, too."""

    def __init__(self, matrix):
        super().__init__(matrix)
        self.rmatvec = lambda v: matrix.T @ v


class WithTranspose(WithAt):
    """The same by its transpose."""

    @property
    def T(self):  # noqa: N802
        return WithAt(self.matrix.T)


def scipy_kind(name):
    def make(matrix):
        sparse = pytest.importorskip("scipy.sparse", reason="SciPy is in the test extra only")
        return getattr(sparse, name)(matrix)

    return make


def linear_operator(matrix):
    return pytest.importorskip("scipy.sparse.linalg", reason="SciPy is in the test extra only").aslinearoperator(matrix)


DENSE = {
    "array": lambda a: a,
    "columns first": np.asfortranarray,
    "nested list": lambda a: a.tolist(),
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
}
SPARSE = {name: scipy_kind(name) for name in ("csc_array", "csr_array", "coo_array", "csc_matrix", "lil_array")}
OPERATORS = {"@": WithAt, "matvec": WithMatvec, "rmatvec": WithRows, "@ and T": WithTranspose, "scipy": linear_operator}
ALL = DENSE | SPARSE | OPERATORS


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_every_kind_of_matrix_answers_alike(make):
    matrix = as_matrix(make(A), 4, 6, "jac")
    v = np.arange(6.0)
    np.testing.assert_allclose(matrix.times(v), A @ v, rtol=1e-14)
    np.testing.assert_array_equal(matrix.block(np.array([4, 1])), A.T[[4, 1]])
    np.testing.assert_array_equal(np.concatenate([block.claimed for block in matrix.blocks()]), A.T)
    row = matrix.row(2)
    if make in (WithAt, WithMatvec):
        assert row is None
    else:
        np.testing.assert_array_equal(row, A[2])


@pytest.mark.parametrize("make", [DENSE["array"], SPARSE["csr_array"]], ids=["dense", "sparse"])
def test_blocks_of_any_width_are_the_whole(make, monkeypatch):
    monkeypatch.setattr(matrices, "BLOCK_ENTRIES", 9)
    blocks = list(as_matrix(make(A), 4, 6, "jac").blocks())
    assert [block.columns.tolist() for block in blocks] == [[0, 1], [2, 3], [4, 5]]
    np.testing.assert_array_equal(np.concatenate([block.claimed for block in blocks]), A.T)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_other_numbers_than_float64_are_multiplied_in_double_precision(dtype):
    a = (RNG.normal(size=(4, 6)) * 3).astype(dtype)
    np.testing.assert_allclose(
        as_matrix(a, 4, 6, "jac").times(np.arange(6.0)), a.astype(float) @ np.arange(6.0), rtol=1e-14
    )


def test_a_matrix_variable_gives_an_array_of_four_axes():
    np.testing.assert_array_equal(as_matrix(A.reshape(2, 2, 2, 3), 4, 6, "jac").block(np.arange(6)), A.T)


@pytest.mark.parametrize(
    ("value", "message", "kind"),
    [
        (np.ones((3, 6)), "jac has shape (3, 6), expected (4, 6)", "wrong_shape"),
        (np.ones((6, 4)), "jac has shape (6, 4), expected (4, 6); it looks transposed", "wrong_shape"),
        (None, "jac returned None: does it end without a return statement?", "wrong_dtype"),
        (np.ones((4, 6)) + 0j, "jac returned ndarray (dtype complex128); give an array, or an operator with @ or matvec",
         "wrong_dtype"),
        ("text", "jac returned str (dtype <U4); give an array, or an operator with @ or matvec", "wrong_dtype"),
        (object(), "jac returned object (dtype object); give an array, or an operator with @ or matvec", "wrong_dtype"),
        ([[1.0], [1.0, 2.0]], "jac returned list, which is no array of numbers", "wrong_dtype"),
    ],
)  # fmt: skip
def test_what_is_no_matrix_that_fits_gets_one_line(value, message, kind):
    with pytest.raises(UserCodeError) as caught:
        as_matrix(value, 4, 6, "jac")
    assert (str(caught.value), caught.value.kind) == (message, kind)


@pytest.mark.parametrize("make", [linear_operator, SPARSE["csr_array"]], ids=["operator", "sparse"])
def test_an_operator_that_has_a_shape_must_have_the_right_one(make):
    with pytest.raises(UserCodeError, match=r"jac has shape \(3, 6\), expected \(4, 6\)"):
        as_matrix(make(A[:3]), 4, 6, "jac")


@pytest.mark.parametrize(
    ("make", "matrix", "message"),
    [
        (WithAt, A[:3], "jac gives products of 3 entries by @, expected 4"),
        (WithMatvec, A[:3], "jac gives products of 3 entries by matvec, expected 4"),
        (WithMatvec, A[:, :5], "jac, asked for a product by matvec, raised ValueError"),
        (WithAt, A + 0j, "jac returned ndarray (dtype complex128)"),
    ],
)
def test_an_operator_that_gives_no_right_product_gets_one_line(make, matrix, message):
    with pytest.raises(UserCodeError) as caught:
        as_matrix(make(matrix), 4, 6, "jac").times(np.ones(6))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_an_operator_cannot_change_the_vector_of_others():
    class Writes:
        def matvec(self, v):
            v *= 2
            return v

    v = np.ones(3)
    as_matrix(Writes(), 3, 3, "hess").times(v)
    np.testing.assert_array_equal(v, np.ones(3))


# ---- symmetry


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_asymmetry_is_found_whatever_the_storage(make):
    symmetric = SQUARE + SQUARE.T
    assert asymmetry(as_matrix(make(symmetric), 5, 5, "hess"), TIGHT) == []
    wrong = symmetric.copy()
    wrong[1, 3] += 1e-3
    (finding,) = asymmetry(as_matrix(make(wrong), 5, 5, "hess"), TIGHT)
    assert (finding.kind, finding.verdict, finding.target) == (FindingKind.NOT_SYMMETRIC, Verdict.FAIL, "hess")
    if make not in OPERATORS.values():
        assert (finding.evidence["row"], finding.evidence["column"]) == (1, 3)
        assert finding.evidence["difference"] == pytest.approx(1e-3)


def test_the_asymmetric_entries_are_found_in_any_block(monkeypatch):
    monkeypatch.setattr(matrices, "TILE", 2)
    wrong = SQUARE + SQUARE.T
    wrong[4, 2] += 1.0
    assert {"row": 2, "column": 4}.items() <= asymmetry(as_matrix(wrong, 5, 5, "hess"), TIGHT)[0].evidence.items()


def test_blocks_of_a_matrix_that_equals_its_transpose_are_its_columns_and_copies():
    symmetric = SQUARE + SQUARE.T
    matrix = as_matrix(symmetric, 5, 5, "hess")
    assert asymmetry(matrix, TIGHT) == []
    assert matrix.symmetric
    (block,) = matrix.blocks()
    np.testing.assert_array_equal(block.claimed, symmetric.T)
    assert not np.shares_memory(block.claimed, symmetric)


@pytest.mark.parametrize("entry", [1e-300, np.nan, np.inf])
def test_a_matrix_that_differs_from_its_transpose_anywhere_is_read_by_columns(entry):
    matrix = as_matrix(np.diag(np.ones(5)), 5, 5, "hess")
    matrix.value[4, 2] = entry
    matrix.asymmetry()
    assert not matrix.symmetric
    np.testing.assert_array_equal(matrix.block(np.arange(5)), matrix.value.T)


# ---- zeros


@pytest.mark.parametrize("count", [0, 7, 40, 41, 2000])
def test_the_entries_of_a_scattered_matrix_are_found_and_multiplied(count, monkeypatch):
    monkeypatch.setattr(matrices, "LARGE", 100)
    monkeypatch.setattr(matrices, "BLOCK_ENTRIES", 90)
    flat = np.zeros(800)
    flat[np.random.default_rng(count).permutation(800)[:count]] = 1.5
    matrix = as_matrix(flat.reshape(20, 40), 20, 40, "jac")
    places = matrix.scattered
    assert (places is None) == (count > 40)
    if places is not None:
        np.testing.assert_array_equal(places, np.flatnonzero(flat))
    v = np.arange(40.0)
    product = matrix.product(v)
    assert product.dtype == np.float64
    np.testing.assert_allclose(product, flat.reshape(20, 40) @ v, rtol=1e-14)


def test_an_operator_with_one_row_and_many_columns_is_asked_a_column_at_a_time():
    n = 30_000
    matrix = as_matrix(WithAt(np.ones((1, n))), 1, n, "jac")
    np.testing.assert_array_equal(matrix.block(np.array([0, n - 1])), np.ones((2, 1)))
