"""Three slips or more, or a design that is wrong, are no matter for a patch: none is offered that is not right as a whole.

Right as a whole may be a line that is derived anew from f, or two edits of which one undoes two slips.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from gradcheck import Verdict, check_gradient

RNG = np.random.default_rng(3)
A, X = RNG.normal(size=(5, 5)), RNG.normal(size=(12, 5))
Y, W = (RNG.random(12) < 0.5).astype(float), RNG.normal(size=5)
LAM, EPS = 0.3, 0.05


def logistic(w):
    z = X @ w
    return np.mean(np.log1p(np.exp(z)) - Y * z) + 0.5 * LAM * w @ w


def huber(w):
    r = X @ w - Y
    return np.sum(np.sqrt(r**2 + EPS)) + LAM * np.sum(w**4)


def chain(w):
    h = np.tanh(A @ w)
    return h @ np.sin(A.T @ h) + 0.1 * w @ w


def bell(w):
    d = w - A[0]
    return -np.prod(np.exp(-0.5 * d**2)) + np.log1p(w @ w)


# The right ones, for reference: X.T @ (s(z) − Y) / 12 + LAM w;  X.T @ (r / sqrt(r² + EPS)) + 4 LAM w³;
# A.T @ ((1 − h²) (sin(Aᵀh) + A cos(Aᵀh) h)) + 0.2 w;  d exp(−d·d/2) + 2 w / (1 + w·w).


def logistic_1(w):
    z = X @ w
    return X.T @ (z + Y) + 0.5 * LAM * w**2


def logistic_2(w):
    p = 1 / (1 + np.exp(X @ w))
    return X.T @ (p + Y) / 5 + LAM * np.abs(w)


def logistic_3(w):
    p = np.tanh(X @ w)
    return X.T @ (p * Y) + LAM


def logistic_4(w):
    p = np.exp(X @ w)
    return (p - Y) @ X * LAM - w[::-1]


def logistic_5(w):
    z = X @ w
    p = z / (1 + z**2)
    return X.T @ (Y - p**2) + 2 * LAM * w


def huber_1(w):
    r = X @ w + Y
    return X.T @ (r * np.sqrt(r**2 - EPS**2 + 1)) + 4 * LAM * w**2


def huber_2(w):
    r = X @ w * Y
    return X.T @ np.sign(r) + LAM * w**4


def huber_3(w):
    r = X @ w - Y
    return X.T @ (r / (r**2 + EPS)) - 2 * LAM * w


def huber_4(w):
    r = X @ (w - 1)
    return X.T @ (r / np.sqrt(r**2 + LAM)) * 2 + EPS * w**3


def huber_5(w):
    r = Y - X @ w
    return X.T @ np.abs(r) / 12 + 4 * EPS * np.sin(w)


def chain_1(w):
    h = np.sin(A @ w)
    return A @ ((1 - h) * np.cos(A @ h)) + w


def chain_2(w):
    h = np.tanh(A.T @ w)
    return A.T @ (h**2 * np.sin(A @ h)) + 0.1 * w


def chain_3(w):
    h = np.tanh(w)
    return (1 + h**2) * np.sin(A @ h) + A @ h - 0.2


def chain_4(w):
    h = A @ w
    return A.T @ (np.sin(h) + h * np.cos(h)) - 0.2 * w


def chain_5(w):
    h = np.tanh(A @ w)
    return A.T @ (h * (np.cos(A.T @ h) + A.T @ np.sin(h))) + 0.4 * w**2


def bell_1(w):
    d = w + A[0]
    return np.exp(-d @ d) + w / (1 + w @ w)


def bell_2(w):
    d = w - A[1]
    return -d * np.exp(-0.5 * d @ d) + 2 * w / (2 + w @ w)


def bell_3(w):
    d = w * A[0]
    return d * np.exp(0.5 * d @ d) + 2 / (1 + w**2)


def bell_4(w):
    d = np.abs(w - A[0])
    return 2 * d * np.exp(-d) + w * np.log1p(w @ w)


def bell_5(w):
    d = w - A[:, 0]
    return d**2 * np.exp(-0.5 * d @ d) - 2 * w / np.sqrt(1 + w @ w)


FUNCTIONS = {"logistic": logistic, "huber": huber, "chain": chain, "bell": bell}
CLAIMS = [(f, globals()[f"{name}_{k}"]) for name, f in FUNCTIONS.items() for k in range(1, 6)]


def patched(claim, fix):
    """The claim with the first line of the patch in place of its own."""
    lines, first = inspect.getsourcelines(claim)
    lines[fix.line - first] = fix.after.rstrip("\n") + "\n"
    made = {}
    exec("".join(lines), globals(), made)
    return made[claim.__name__]


@pytest.mark.parametrize(("f", "claim"), CLAIMS, ids=lambda function: function.__name__)
def test_no_patch_is_offered_that_is_not_right(f, claim):
    report = check_gradient(f, claim, W, throw=False, fix=1.0)
    assert report.verdict is Verdict.FAIL
    assert len(report.fixes) <= 1
    for fix in report.fixes:
        assert check_gradient(f, patched(claim, fix), W[::-1] / 2).verdict is Verdict.PASS


def test_hardly_any_gets_one():
    offered = [check_gradient(f, claim, W, throw=False, fix=0.5).fixes for f, claim in CLAIMS]
    assert sum(map(bool, offered)) <= 3
