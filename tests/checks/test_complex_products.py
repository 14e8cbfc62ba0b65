"""Products by complex variables satisfy an inner product, and the report says which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import UsageError, check_hvp, check_jvp, check_vjp
from gradcheck.model import FindingKind, Verdict

random = np.random.default_rng(17)
A = random.normal(size=(7, 5)) + 1j * random.normal(size=(7, 5))
Z = random.normal(size=5) + 1j * random.normal(size=5)
READ = {
    "steepest": (lambda u: u, lambda w: w),
    "conjugate": (np.conj, np.conj),
    "wirtinger": (np.conj, lambda w: np.conj(w) / 2),
    "wirtinger_conjugate": (lambda u: u, lambda w: w / 2),
}


def func(z: Any) -> Any:
    """Neither holomorphic nor real."""
    return A @ (z**2 * np.conj(z))


def jvp(z: Any, v: Any) -> Any:
    return A @ (2 * z * np.conj(z) * v + z**2 * np.conj(v))


def vjp(z: Any, u: Any) -> Any:
    back = A.conj().T @ u
    return 2 * np.abs(z) ** 2 * back + z**2 * np.conj(back)


def f(z: Any) -> Any:
    return np.sum(np.abs(A @ z) ** 4) + np.sum(z**3).imag


def grad(z: Any) -> Any:
    inner = A @ z
    return A.conj().T @ (4 * np.abs(inner) ** 2 * inner) + 1j * np.conj(3 * z**2)


def hvp(z: Any, v: Any) -> Any:
    inner, along = A @ z, A @ v
    of_square = 2 * np.real(np.conj(inner) * along)
    return A.conj().T @ (4 * np.abs(inner) ** 2 * along + 4 * of_square * inner) + 1j * np.conj(6 * z * v)


def test_a_jvp_is_the_same_in_every_convention() -> None:
    report = check_jvp(func, jvp, Z)
    assert (report.verdict, report.convention) == (Verdict.PASS, None)
    for wrong in (
        lambda z, v: 2 * A @ (np.abs(z) ** 2 * v),
        lambda z, v: np.conj(jvp(z, v)),
        lambda z, v: jvp(z, v).real,
    ):
        assert check_jvp(func, wrong, Z, throw=False).verdict is Verdict.FAIL
    with pytest.raises(UsageError, match="the same in every convention"):
        check_jvp(func, jvp, Z, convention="steepest")


@pytest.mark.parametrize("convention", READ)
def test_the_inner_product_of_a_vjp_is_found_and_named(convention: str) -> None:
    turn, write = READ[convention]

    def claim(z: Any, u: Any) -> Any:
        return write(vjp(z, turn(u)))

    report = check_vjp(func, claim, Z)
    assert report.convention == convention
    assert any("inner product" in note for note in report.notes)
    assert check_vjp(func, claim, Z, convention=convention).verdict is Verdict.PASS
    assert check_jvp(func, jvp, Z, vjp=claim).verdict is Verdict.PASS or "wirtinger" in convention
    other = "steepest" if convention == "conjugate" else "conjugate"
    assert check_vjp(func, claim, Z, convention=other, throw=False).verdict is Verdict.FAIL
    wrong = check_vjp(func, lambda z, u: claim(z, u) + 0.01 * z, Z, throw=False)
    assert wrong.verdict is Verdict.FAIL


def test_a_vjp_without_its_second_term_is_wrong() -> None:
    report = check_vjp(func, lambda z, u: 2 * np.abs(z) ** 2 * (A.conj().T @ u), Z, throw=False)
    assert report.verdict is Verdict.FAIL
    report = check_jvp(func, jvp, Z, vjp=lambda z, u: 2 * np.abs(z) ** 2 * (A.conj().T @ u), throw=False)
    assert FindingKind.NOT_ADJOINT in [finding.kind for finding in report.findings]


@pytest.mark.parametrize("convention", READ)
def test_products_of_holomorphic_functions(convention: str) -> None:
    turn, write = READ[convention]
    report = check_vjp(lambda z: A @ z, lambda z, u: write(A.conj().T @ turn(u)), Z)
    assert report.convention == convention


def test_values_may_be_complex_and_variables_real() -> None:
    x = np.linspace(-1, 1, 5)
    phases = lambda x: A @ np.exp(1j * x)  # noqa: E731
    report = check_jvp(phases, lambda x, v: A @ (1j * np.exp(1j * x) * v), x)
    assert report.verdict is Verdict.PASS
    torch_like = check_vjp(phases, lambda x, u: ((A * 1j * np.exp(1j * x)).conj().T @ u).real, x)
    assert torch_like.convention == "steepest"
    jax_like = check_vjp(phases, lambda x, u: ((A * 1j * np.exp(1j * x)).T @ u).real, x)
    assert jax_like.convention == "conjugate"


def test_values_may_be_real_and_variables_complex() -> None:
    report = check_vjp(lambda z: np.abs(A @ z) ** 2, lambda z, u: 2 * A.conj().T @ (u * (A @ z)), Z)
    assert report.convention == "steepest"


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("convention", READ)
def test_the_convention_of_an_hvp_is_found_and_named(convention: str, given: bool) -> None:
    _, write = READ[convention]
    how = {"grad": lambda z: write(grad(z))} if given else {}
    report = check_hvp(f, lambda z, v: write(hvp(z, v)), Z, **how)
    assert (report.verdict, report.convention) == (Verdict.PASS, convention)
    assert not [finding for finding in report.findings if finding.kind is FindingKind.NOT_SYMMETRIC]
    wrong = check_hvp(f, lambda z, v: write(hvp(z, np.conj(v))), Z, throw=False, **how)
    assert wrong.verdict is Verdict.FAIL


def test_an_hvp_and_a_gradient_may_keep_to_different_conventions() -> None:
    report = check_hvp(f, lambda z, v: np.conj(hvp(z, v)), Z, grad=grad)
    assert report.convention == "conjugate"
    with pytest.raises(UsageError, match="of a hvp it can be steepest"):
        check_hvp(f, hvp, Z, convention="holomorphic")
