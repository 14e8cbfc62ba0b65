"""Matrices as trees of blocks, and products claimed by operators."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import UsageError, check_hessian, check_hvp, check_jacobian, check_jvp, check_vjp
from gradcheck.model import Verdict

RNG = np.random.default_rng(2)
X0 = {"W": RNG.normal(size=(2, 3)), "b": RNG.normal(size=2)}


def values(p):
    return {"y": np.sin(p["W"]).sum(axis=1) * p["b"], "z": p["b"] ** 2}


def blocks(p):
    by_w = np.zeros((2, 2, 3))
    for i in range(2):
        by_w[i, i] = np.cos(p["W"][i]) * p["b"][i]
    return {
        "y": {"W": by_w, "b": np.diag(np.sin(p["W"]).sum(axis=1))},
        "z": {"W": np.zeros((2, 2, 3)), "b": np.diag(2 * p["b"])},
    }


def test_a_jacobian_may_be_a_tree_of_trees_of_blocks():
    report = check_jacobian(values, blocks, X0)
    assert (report.verdict, report.shape) == (Verdict.PASS, (4, 8))


def test_a_wrong_entry_of_a_block_is_named_by_both_its_leaves():
    def wrong(p):
        found = blocks(p)
        found["y"]["W"][1, 1, 2] *= 2
        return found

    report = check_jacobian(values, wrong, X0, throw=False)
    assert [e.path for e in report.entries if e.verdict is Verdict.FAIL] == ["[y[1], W[1, 2]]"]


def test_one_side_may_be_an_array():
    assert check_jacobian(lambda p: values(p)["y"], lambda p: blocks(p)["y"], X0).verdict is Verdict.PASS
    only_b = check_jacobian(
        lambda b: {"u": b**2, "v": b[:1]}, lambda b: {"u": np.diag(2 * b), "v": np.eye(2)[:1]}, X0["b"]
    )
    assert only_b.verdict is Verdict.PASS


def test_a_hessian_may_be_a_tree_of_trees_of_blocks():
    def f(p):
        return np.sum(p["a"] ** 2) * p["b"][0] + p["b"][1] ** 3

    def grad(p):
        return {"a": 2 * p["a"] * p["b"][0], "b": np.array([np.sum(p["a"] ** 2), 3 * p["b"][1] ** 2])}

    def hess(p):
        cross = np.stack([2 * p["a"], np.zeros(3)], axis=1)
        return {
            "a": {"a": 2 * p["b"][0] * np.eye(3), "b": cross},
            "b": {"a": cross.T, "b": np.diag([0, 6 * p["b"][1]])},
        }

    x0 = {"a": RNG.normal(size=3), "b": RNG.normal(size=2)}
    assert check_hessian(f, hess, x0, grad=grad).verdict is Verdict.PASS

    def wrong(p):
        found = hess(p)
        found["b"]["a"] = found["b"]["a"] * 2
        return found

    assert check_hessian(f, wrong, x0, grad=grad, throw=False).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda j: j["y"].pop("b"), "jac returned nothing for b"),
        (lambda j: j.pop("z"), "jac returned nothing for z"),
        (lambda j: j["y"].update(b=np.ones(3)), "jac returned shape (3,) for the block y by b, expected (2, 2)"),
        (lambda j: j["y"].update(b="no"), "jac returned str"),
    ],
)
def test_a_block_that_is_missing_or_of_another_shape_is_named(change, message):
    def wrong(p):
        found = blocks(p)
        change(found)
        return found

    report = check_jacobian(values, wrong, X0, throw=False)
    assert report.verdict is Verdict.ERROR
    assert message in report.findings[0].message


def test_what_jax_returns_is_such_a_tree():
    jnp = pytest.importorskip("jax.numpy", reason="jax is not installed")
    import jax

    x0 = {name: jnp.asarray(value, "float32") for name, value in X0.items()}

    def f(p):
        return {"o": jnp.tanh(p["W"]).sum(axis=1) * p["b"] ** 2}

    def total(p):
        return jnp.sum(f(p)["o"])

    assert check_jacobian(f, jax.jacobian(f), x0).verdict is Verdict.PASS
    assert check_hessian(total, jax.hessian(total), x0, grad=jax.grad(total)).verdict is Verdict.PASS


# ---- operators

A = RNG.normal(size=(5, 5))
H = A @ A.T
POINT = RNG.normal(size=5)


class Operator:
    """What SciPy calls a LinearOperator, by hand."""

    def __init__(self, matrix):
        self.matrix, self.shape = matrix, matrix.shape

    def matvec(self, v):
        return self.matrix @ v

    def rmatvec(self, u):
        return self.matrix.T @ u


class WithAt:
    """Multiplies by ``@``, and knows its transpose."""

    def __init__(self, matrix):
        self.matrix = matrix

    def __matmul__(self, v):
        return self.matrix @ v

    @property
    def T(self):  # noqa: N802  # the name that NumPy has
        return WithAt(self.matrix.T)


def joined(p):
    return np.concatenate([p["a"], p["b"]])


POINTS = {"vector": (POINT, lambda x: x), "tree": ({"a": POINT[:2], "b": POINT[2:]}, joined)}


@pytest.mark.parametrize("form", [Operator, WithAt, np.asarray])
@pytest.mark.parametrize(("x0", "vector"), POINTS.values(), ids=POINTS)
def test_an_operator_is_a_product_with_it(form, x0, vector):
    def f(x):
        return 0.5 * vector(x) @ H @ vector(x)

    def func(x):
        return A @ np.sin(vector(x))

    J = A * np.cos(POINT)
    assert check_hvp(f, form(H), x0).verdict is Verdict.PASS
    assert check_hvp(f, form(2 * H), x0, throw=False).verdict is Verdict.FAIL
    right = check_jvp(func, form(J), x0, vjp=form(J))
    assert right.verdict is Verdict.PASS
    assert right.claim.name == type(form(J)).__name__
    assert check_jvp(func, form(J.T), x0, throw=False).verdict is Verdict.FAIL
    assert check_vjp(func, form(J), x0).verdict is Verdict.PASS
    assert check_vjp(func, form(J.T), x0, throw=False).verdict is Verdict.FAIL


def test_a_jvp_and_a_vjp_of_different_operators_do_not_belong_together():
    J = A * np.cos(POINT)
    report = check_jvp(lambda x: A @ np.sin(x), Operator(J), POINT, vjp=Operator(J.T), throw=False)
    assert "not_adjoint" in [finding.kind for finding in report.findings]


def test_what_multiplies_nothing_is_refused():
    with pytest.raises(UsageError, match="hvp is 3, which is no function"):
        check_hvp(lambda x: x @ x, 3, POINT)
    with pytest.raises(UsageError, match=r"vjp is .*Operator.*, which is no function"):
        check_vjp(lambda x: x, type("Operator", (), {"matvec": None})(), POINT)
