"""A claimed matrix is asked for as often as its size allows, and told what would do where it finds no memory."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.errors import UserCodeError
from gradcheck.evaluation import memory
from gradcheck.evaluation.matrix_claims import MatrixClaim


class Twice:
    """An operator."""

    def __matmul__(self, v):
        return 2.0 * v


@pytest.mark.parametrize(("n", "at_once"), [(10, False), (800, True)])
def test_a_large_array_is_looked_at_once(n, at_once):
    claim = MatrixClaim(np.diag, np.ones(n), n, role="hess")
    raw = claim.raw_at(np.ones(n))
    assert claim.once == at_once
    assert (claim.matrix(raw) is claim.matrix(raw)) == at_once
    other = raw.copy()
    assert claim.matrix(other).value is other


@pytest.mark.parametrize("n", [10, 800])
def test_what_stands_for_a_matrix_is_its_product_with_a_vector(n):
    claim = MatrixClaim(np.diag, np.ones(n), n, role="hess")
    raw = claim.raw_at(np.linspace(1, 2, n))
    raw[3, 5] = -7.0
    first = claim.numbers(raw)
    np.testing.assert_allclose(first, claim.numbers(raw.astype(np.longdouble)), rtol=1e-12)
    raw[2, 1] = np.nan
    assert np.isfinite(first).all()
    assert np.flatnonzero(~np.isfinite(claim.numbers(raw.copy()))).tolist() == [2]


def test_a_claim_that_finds_no_memory_is_told_what_would_do(monkeypatch):
    def greedy(x):
        raise MemoryError("no")

    claim = MatrixClaim(greedy, np.ones(400_000), 400_000, role="hess")
    with pytest.raises(UserCodeError) as caught:
        claim.raw_at(np.ones(400_000))
    assert str(caught.value) == (
        "hess has 400,000 × 400,000 entries, which need 1.28 TB, and found no room for them; "
        "return a sparse array or an operator with @ or matvec, or check hvp instead"
    )
    assert isinstance(caught.value.__cause__, MemoryError)


def test_a_claim_that_is_no_dense_array_is_not_held_to_the_memory_of_one(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2**28)
    claim = MatrixClaim(lambda x: Twice(), np.ones(10**5), 10**5, role="hess")
    assert isinstance(claim.raw_at(np.ones(10**5)), Twice)
