"""Products with a derivative, restated as Jacobians, and the identities that hold for any."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.checks.products import (
    AlongDirections,
    Contracted,
    adjointness,
    asked,
    columns_of,
    linearity,
    random_vector,
    rows_of,
    symmetry,
)
from gradcheck.errors import UserCodeError
from gradcheck.model import FindingKind, Tolerance, Verdict

RNG = np.random.default_rng(2)
B, S = RNG.normal(size=(4, 6)), RNG.normal(size=(6, 6))
H = S + S.T
TOLERANCE = Tolerance(rtol=6e-6, atol=0.0)
x = RNG.normal(size=6)


def kinds(findings):
    assert all(finding.verdict is Verdict.FAIL for finding in findings)
    return [finding.kind for finding in findings]


def test_the_restriction_to_directions_is_f_along_them():
    along = AlongDirections(lambda x: B @ x, x, [np.eye(6)[0], np.eye(6)[3]])
    np.testing.assert_array_equal(along(np.zeros(2)), B @ x)
    np.testing.assert_allclose(along(np.array([1.0, -2.0])), B @ (x + np.array([1, 0, 0, -2, 0, 0])))


def test_the_restriction_keeps_to_the_bounds():
    along = AlongDirections(lambda x: x, np.zeros(2), [np.ones(2)], (np.zeros(2), np.ones(2)))
    np.testing.assert_array_equal(along(np.array([0.5])), [0.5, 0.5])
    with pytest.raises(ValueError, match="bounds"):
        along(np.array([-0.5]))


def test_the_columns_are_products_and_the_rows_are_products_of_the_transpose():
    vectors = [random_vector((6,), float, 0, k) for k in range(3)]
    np.testing.assert_allclose(columns_of(lambda x, v: B @ v, x, vectors)(np.zeros(3)), B @ np.stack(vectors, axis=1))
    others = [random_vector((4,), float, 0, k) for k in range(2)]
    np.testing.assert_allclose(rows_of(lambda x, u: u @ B, others)(x), np.stack(others) @ B)
    np.testing.assert_allclose(Contracted(lambda x: B @ x, others)(x), np.stack(others) @ B @ x)


def test_a_product_must_have_the_shape_of_what_it_stands_for():
    assert asked(lambda x, v: B @ v, x, (6,), (4,), (), "jvp")(np.ones(6)).shape == (4,)
    with pytest.raises(UserCodeError, match=r"jvp returned shape \(3,\), expected \(4,\)"):
        asked(lambda x, v: (B @ v)[:3], x, (6,), (4,), (), "jvp")(np.ones(6))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_random_vectors_depend_on_the_seed_and_the_number_alone(dtype):
    again = [random_vector((2, 3), dtype, seed, number) for seed in (0, 1) for number in (0, 1) for _ in range(2)]
    for one, two in zip(again[::2], again[1::2], strict=True):
        np.testing.assert_array_equal(one, two)
    assert len({vector.tobytes() for vector in again}) == 4
    assert again[0].dtype == dtype
    assert again[0].shape == (2, 3)
    assert all(0.5 <= abs(v) <= 1.5 for vector in again for v in vector.flat)


@pytest.mark.parametrize(
    ("product", "found"),
    [
        (lambda v: H @ v, []),
        (lambda v: 0 * v, []),
        (lambda v: H @ v + 1e-3, [FindingKind.NOT_LINEAR]),
        (lambda v: H @ np.abs(v), [FindingKind.NOT_LINEAR]),
        (lambda v: H @ v + 1e-4 * v**2, [FindingKind.NOT_LINEAR]),
        (lambda v: np.full(6, np.nan), []),  # that is for the comparison to say
    ],
)
def test_a_product_must_be_linear(product, found):
    assert kinds(linearity(product, (6,), np.float64, 0, TOLERANCE, "hvp")) == found


@pytest.mark.parametrize(
    ("matrix", "found"),
    [(H, []), (S, [FindingKind.NOT_SYMMETRIC]), (H + np.diag([1e-3] * 5, 1), [FindingKind.NOT_SYMMETRIC])],
)
def test_a_hessian_product_must_be_symmetric(matrix, found):
    assert kinds(symmetry(lambda v: matrix @ v, (6,), np.float64, 0, TOLERANCE, "hvp")) == found


@pytest.mark.parametrize(
    ("back", "found"), [(B.T, []), (B[::-1].T, [FindingKind.NOT_ADJOINT]), (1.0001 * B.T, [FindingKind.NOT_ADJOINT])]
)
def test_jvp_and_vjp_must_belong_together(back, found):
    findings = adjointness(lambda v: B @ v, lambda u: back @ u, (6,), (4,), np.float64, 0, TOLERANCE)
    assert kinds(findings) == found


@pytest.mark.parametrize("identity", [linearity, symmetry])
def test_single_precision_is_allowed_its_rounding(identity):
    single = H.astype(np.float32)
    assert (
        identity(lambda v: (single @ v.astype(np.float32)).astype(float), (6,), np.float32, 0, TOLERANCE, "hvp") == []
    )
