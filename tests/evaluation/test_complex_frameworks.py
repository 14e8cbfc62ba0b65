"""The complex derivatives of torch and jax pass as they are, each in its convention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gradcheck import check_gradient, check_hvp, check_jacobian, check_jvp, check_vjp
from gradcheck.model import Verdict

random = np.random.default_rng(5)
A = random.normal(size=(6, 4)) + 1j * random.normal(size=(6, 4))
Z = random.normal(size=4) + 1j * random.normal(size=4)
X = random.normal(size=4)


class Kit:
    """What is asked of a framework: its functions of the same names, and its conventions."""

    def __init__(self, name: str) -> None:
        self.name = name
        if name == "torch":
            self.torch = pytest.importorskip("torch", reason="torch is not installed")
            self.xp: Any = self.torch
            self.array: Any = lambda value: self.torch.tensor(value)
            self.convention = "steepest"
        else:
            self.jax = pytest.importorskip("jax", reason="jax is not installed")
            self.xp = self.jax.numpy
            self.array = self.xp.asarray
            self.convention = "conjugate"
        self.A = self.array(A)

    def f(self, z: Any) -> Any:
        return self.xp.sum(self.xp.abs(self.A @ z) ** 4)

    def holomorphic(self, z: Any) -> Any:
        return self.A @ (z**2)

    def func(self, z: Any) -> Any:
        return self.A @ (z**2 * self.xp.conj(z))

    def grad(self, z: Any) -> Any:
        if self.name == "jax":
            return self.jax.grad(self.f)(z)
        z = z.detach().clone().requires_grad_()
        self.f(z).backward()
        return z.grad

    def jvp(self, z: Any, v: Any) -> Any:
        if self.name == "jax":
            return self.jax.jvp(self.func, (z,), (v,))[1]
        return self.torch.autograd.functional.jvp(self.func, z, v)[1]

    def vjp(self, z: Any, u: Any) -> Any:
        if self.name == "jax":
            return self.jax.vjp(self.func, z)[1](u)[0]
        return self.torch.autograd.functional.vjp(self.func, z, u)[1]

    def hvp(self, z: Any, v: Any) -> Any:
        if self.name == "jax":
            return self.jax.jvp(self.jax.grad(self.f), (z,), (v,))[1]
        return self.torch.autograd.functional.hvp(self.f, z, v)[1]


@pytest.fixture(params=["torch", "jax"])
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    """The framework, with double precision switched on where that is not the default."""
    if request.param == "torch":
        yield Kit("torch")
        return
    config = pytest.importorskip("jax", reason="jax is not installed").config
    before = config.jax_enable_x64
    config.update("jax_enable_x64", True)
    yield Kit("jax")
    config.update("jax_enable_x64", before)


def test_gradients_pass_in_the_convention_of_the_framework(kit: Kit) -> None:
    z = kit.array(Z)
    for claim in (kit.grad, "autograd"):
        report = check_gradient(kit.f, claim, z)
        assert (report.convention, report.point.dtype) == (kit.convention, "complex128")
    single = check_gradient(lambda z: kit.xp.sum(kit.xp.abs(z) ** 2), "autograd", kit.array(Z.astype(np.complex64)))
    assert (single.convention, single.point.dtype) == (kit.convention, "complex64")
    wrong = check_gradient(kit.f, lambda z: kit.grad(z) * 1.01, z, throw=False)
    assert wrong.verdict is Verdict.FAIL


def test_jacobians_pass(kit: Kit) -> None:
    z, x = kit.array(Z), kit.array(X)
    assert check_jacobian(kit.holomorphic, "autograd", z).convention == "holomorphic"
    assert check_jacobian(lambda z: kit.xp.abs(kit.A @ z) ** 2, "autograd", z).convention == kit.convention
    assert check_jacobian(lambda x: kit.A @ kit.xp.exp(1j * x), "autograd", x).verdict is Verdict.PASS
    assert check_gradient(lambda z: kit.xp.sum(kit.xp.exp(z)), "autograd", z).convention == "holomorphic"


def test_products_pass_with_the_inner_product_of_the_framework(kit: Kit) -> None:
    z = kit.array(Z)
    assert check_jvp(kit.func, kit.jvp, z, vjp=kit.vjp).verdict is Verdict.PASS
    assert check_vjp(kit.func, kit.vjp, z).convention == kit.convention
    assert check_hvp(kit.f, kit.hvp, z).convention == kit.convention


def test_trees_of_real_and_complex_leaves_pass(kit: Kit) -> None:
    tree = {"z": kit.array(Z), "t": kit.array(X)}
    report = check_gradient(lambda p: kit.f(p["z"]) * kit.xp.sum(p["t"] ** 2), "autograd", tree)
    assert (report.convention, report.checked) == (kit.convention, 8)
