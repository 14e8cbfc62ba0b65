"""Patches of claims that are written in torch: their slips are those of NumPy, in other words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck import Verdict, check_gradient
from gradcheck.repair.values import kept, kind_of, remade, size_of
from gradcheck.testing import mutate

torch = pytest.importorskip("torch", reason="torch is not installed")

torch.manual_seed(0)
A, X, W = (torch.randn(shape, dtype=torch.float64) for shape in ((5, 5), (20, 5), (4, 5)))
y, w, b, x0 = (torch.randn(n, dtype=torch.float64) for n in (20, 5, 4, 5))
lam = 0.3


def quadratic(x):
    return x @ A @ x


def not_symmetric(x):
    return 2 * A @ x


def squares(x):
    r = X @ x - y
    return (r**2).mean()


def without_mean(x):
    r = X @ x - y
    return 2 * X.T @ r


def ridge(x):
    return 0.5 * ((X @ x - y) ** 2).sum() + 0.5 * lam * (x @ x)


def without_ridge(x):
    r = X @ x - y
    return X.T @ r


def squashed(x):
    return torch.sigmoid(W @ x + b).sum()


def without_factor(x):
    s = torch.sigmoid(W @ x + b)
    return W.T @ s


def logarithm(x):
    return torch.logsumexp(W @ x, dim=0)


def not_normalised(x):
    e = torch.exp(W @ x)
    return W.T @ e


def weighted(x):
    return (torch.sin(x) * w).sum()


def without_weights(x):
    return torch.cos(x)


def decaying(x):
    return torch.exp(-x).sum() + (w * x).sum()


def wrong_sign(x):
    return torch.exp(-x) + w


def differences(x):
    return ((x[1:] - x[:-1]) ** 2).sum()


def one_sided(x):
    g = torch.zeros_like(x)
    d = x[1:] - x[:-1]
    g[1:] += 2 * d
    g[1:] -= 2 * d
    return g


@pytest.mark.parametrize(
    ("f", "claim"),
    [
        (quadratic, not_symmetric),
        (squares, without_mean),
        (ridge, without_ridge),
        (squashed, without_factor),
        (logarithm, not_normalised),
        (weighted, without_weights),
        (decaying, wrong_sign),
        (differences, one_sided),
    ],
    ids=lambda one: one.__name__,
)
def test_a_slip_in_torch_is_mended(f, claim):
    report = check_gradient(f, claim, x0, throw=False, fix=20.0)
    assert report.verdict is Verdict.FAIL
    fix = report.fixes[0]
    assert fix.certain
    lines = Path(__file__).read_text(encoding="utf-8").split("\n")
    first = claim.__code__.co_firstlineno - 1
    end = lines.index("", first)
    lines[fix.line - 1 : fix.line + fix.before.count("\n")] = fix.after.split("\n")
    end += fix.after.count("\n") - fix.before.count("\n")
    scope = dict(globals())
    exec("\n".join(lines[first:end]), scope)
    x = x0 + 0.3
    x.requires_grad_(True)
    (truth,) = torch.autograd.grad(f(x), x)
    assert torch.allclose(scope[claim.__name__](x.detach()), truth, rtol=1e-9, atol=1e-12)


def test_tensors_of_the_user_are_never_changed():
    before = [t.clone() for t in (A, X, W, y, w, b)]

    def adds(x):
        s = torch.sigmoid(W @ x + b)
        s += 0.0
        return W.T @ s

    check_gradient(squashed, adds, x0, throw=False, fix=2.0)
    assert all(torch.equal(t, old) for t, old in zip((A, X, W, y, w, b), before, strict=True))


def test_a_claim_in_torch_has_mutants():
    score = mutate(quadratic, lambda x: (A + A.T) @ x, x0)
    assert score.made > 2
    assert score.score == 1.0


@pytest.mark.parametrize(
    ("dtype", "kind"), [("float32", "f"), ("bfloat16", "f"), ("int64", "i"), ("bool", "b"), ("complex128", "c")]
)
def test_what_a_tensor_holds_is_known(dtype, kind):
    value = torch.ones((2, 3), dtype=getattr(torch, dtype))
    assert kind_of(value) == kind
    assert size_of(value) == 6
    copy = kept(value)
    value[0, 0] = 0
    assert copy[0, 0] == 1


def test_numbers_are_remade_as_a_tensor_of_the_same_kind():
    like = torch.ones((2, 2), dtype=torch.float32, requires_grad=True)
    made = remade(like, (like.detach() * 3).numpy().reshape(-1))
    assert (made.dtype, made.shape, made.requires_grad) == (torch.float32, like.shape, False)
    assert torch.equal(made, 3 * torch.ones(2, 2))
