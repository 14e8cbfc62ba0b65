"""Functions of torch and jax, evaluated at many points at once by vmap where that gives the same values."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check_gradient
from gradcheck.evaluation.dispatch import ENGINES, Vmapped
from gradcheck.model import Verdict
from gradcheck.variables.arrays import FRAMEWORKS

X = np.linspace(-1, 1, 60)
VMAPPED, ONE_BY_ONE = "batches by vmap", "one point at a time"


@pytest.fixture(params=["torch", "jax"])
def framework(request, monkeypatch):
    """The mathematics of a framework and x0, with batches that are always worth their cost."""
    name = request.param
    pytest.importorskip(name, reason=f"{name} is not installed")
    monkeypatch.setattr(FRAMEWORKS[name], "batching", 0.0)
    if name == "torch":
        import torch

        return torch, torch.tensor(X)
    import jax.numpy as jnp

    return jnp, jnp.asarray(X, "float32")


def test_vmap_is_an_engine_of_the_table():
    assert [type(engine) for engine in ENGINES].count(Vmapped) == 1


def test_a_function_of_a_framework_is_mapped_and_judged_alike(framework):
    xp, x0 = framework

    def f(x):
        return xp.sum(xp.sin(x) * x)

    def grad(x):
        return xp.cos(x) * x + xp.sin(x)

    def wrong(x):
        return xp.cos(x) * x + 2 * xp.sin(x)

    for claim, verdict in ((grad, Verdict.PASS), (wrong, Verdict.FAIL)):
        mapped = check_gradient(f, claim, x0, throw=False)
        single = check_gradient(f, claim, x0, throw=False, vectorized=False)
        assert (mapped.engine, single.engine) == (VMAPPED, ONE_BY_ONE)
        assert mapped.verdict is single.verdict is verdict
        assert {e.index for e in mapped.entries if e.verdict is Verdict.FAIL} == {
            e.index for e in single.entries if e.verdict is Verdict.FAIL
        }


def test_a_tree_is_mapped_and_what_is_no_variable_stays_as_it_is(framework):
    xp, x0 = framework

    def f(p):
        return xp.sum(p["a"] ** 2 * p["c"]) * p["k"] + xp.sum(p["b"] ** 3)

    tree = {"a": x0, "b": x0[:10], "c": x0 + 2, "k": 3}

    def grad(p):
        return {"a": 2 * p["a"] * p["c"] * p["k"], "b": 3 * p["b"] ** 2}

    report = check_gradient(f, grad, tree, wrt=("a", "b"))
    assert (report.verdict, report.engine) == (Verdict.PASS, VMAPPED)


def test_what_cannot_be_mapped_is_called_one_point_at_a_time(framework):
    xp, x0 = framework

    def f(x):
        return float(xp.sum(x**2))  # a number of Python's: vmap has none to give

    report = check_gradient(f, lambda x: 2 * x, x0)
    assert (report.verdict, report.engine) == (Verdict.PASS, ONE_BY_ONE)


def test_what_remembers_is_not_called_out_of_turn(framework):
    xp, x0 = framework
    seen = []

    def f(x):
        seen.append(tuple(x.shape))
        return xp.sum(x**2)

    report = check_gradient(f, lambda x: 2 * x, x0)
    assert report.engine == ONE_BY_ONE
    assert set(seen) == {(60,)}


def test_cheap_functions_are_not_worth_it():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    report = check_gradient(lambda x: torch.sum(x**2), lambda x: 2 * x, torch.tensor(X))
    assert report.engine == ONE_BY_ONE
