"""Products with a derivative, restated as Jacobians, and the identities that hold for any."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.checks.products import (
    ProductClaim,
    adjointness,
    linearity,
    random_vector,
    symmetry,
)
from gradcheck.checks.restriction import AlongDirections, Contracted
from gradcheck.errors import UserCodeError
from gradcheck.model import FindingKind, Tolerance, Verdict
from gradcheck.variables.layout import ArrayLayout

RNG = np.random.default_rng(2)
B, S = RNG.normal(size=(4, 6)), RNG.normal(size=(6, 6))
H = S + S.T
TOLERANCE = Tolerance(rtol=6e-6, atol=0.0)
x = RNG.normal(size=6)


def vector(size, dtype=float):
    return ArrayLayout((size,), dtype)


def claim(product, inner=6, outer=6, role="hvp", dtype=float):
    """A claimed product that does not depend on x."""
    return ProductClaim(
        call=lambda x, v: product(v), layout=vector(6), at=x, inner=vector(inner, dtype), outer=vector(outer), role=role
    )


def kinds(findings):
    assert all(finding.verdict is Verdict.FAIL for finding in findings)
    return [finding.kind for finding in findings]


def test_the_restriction_to_directions_is_f_along_them():
    along = AlongDirections(lambda x: B @ x, vector(6), x, [np.eye(6)[0], np.eye(6)[3]])
    np.testing.assert_array_equal(along(np.zeros(2)), B @ x)
    np.testing.assert_allclose(along(np.array([1.0, -2.0])), B @ (x + np.array([1, 0, 0, -2, 0, 0])))


def test_the_restriction_keeps_to_the_bounds():
    along = AlongDirections(lambda x: x, vector(2), np.zeros(2), [np.ones(2)], (np.zeros(2), np.ones(2)))
    np.testing.assert_array_equal(along(np.array([0.5])), [0.5, 0.5])
    with pytest.raises(ValueError, match="bounds"):
        along(np.array([-0.5]))


def test_contracted_values_are_products_with_vectors():
    vectors = [random_vector(vector(4), 0, k) for k in range(2)]
    np.testing.assert_allclose(Contracted(lambda x: B @ x, vector(4), vectors)(x), np.stack(vectors) @ B @ x)


def test_a_product_must_have_the_shape_of_what_it_stands_for():
    assert claim(lambda v: B @ v, 6, 4, "jvp")(np.ones(6)).shape == (4,)
    with pytest.raises(UserCodeError, match=r"jvp returned shape \(3,\), expected \(4,\)"):
        claim(lambda v: (B @ v)[:3], 6, 4, "jvp")(np.ones(6))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_random_vectors_depend_on_the_seed_and_the_number_alone(dtype):
    again = [
        random_vector(ArrayLayout((2, 3), dtype), seed, number)
        for seed in (0, 1)
        for number in (0, 1)
        for _ in range(2)
    ]
    for one, two in zip(again[::2], again[1::2], strict=True):
        np.testing.assert_array_equal(one, two)
    assert len({vector.tobytes() for vector in again}) == 4
    assert again[0].dtype == dtype
    assert again[0].shape == (6,)
    assert all(0.5 <= abs(v) <= 1.5 for vector in again for v in vector)


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
    assert kinds(linearity(claim(product), 0, TOLERANCE)) == found


@pytest.mark.parametrize(
    ("matrix", "found"),
    [(H, []), (S, [FindingKind.NOT_SYMMETRIC]), (H + np.diag([1e-3] * 5, 1), [FindingKind.NOT_SYMMETRIC])],
)
def test_a_hessian_product_must_be_symmetric(matrix, found):
    assert kinds(symmetry(claim(lambda v: matrix @ v), 0, TOLERANCE)) == found


@pytest.mark.parametrize(
    ("back", "found"), [(B.T, []), (B[::-1].T, [FindingKind.NOT_ADJOINT]), (1.0001 * B.T, [FindingKind.NOT_ADJOINT])]
)
def test_jvp_and_vjp_must_belong_together(back, found):
    ahead, backward = claim(lambda v: B @ v, 6, 4, "jvp"), claim(lambda u: back @ u, 4, 6, "vjp")
    findings = adjointness(ahead, backward, 0, TOLERANCE)
    assert kinds(findings) == found


@pytest.mark.parametrize("identity", [linearity, symmetry])
def test_single_precision_is_allowed_its_rounding(identity):
    single = H.astype(np.float32)
    assert identity(claim(lambda v: single @ v, dtype=np.float32), 0, TOLERANCE) == []
