"""The rules for derivatives of expressions, each against differences."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.repair import trees
from gradcheck.repair.derivatives import NoRule, derivative, of_parts, terms

POINT = {
    "np": np,
    "x": np.array([0.3, 0.7, 1.1]),
    "y": np.array([1.2, 0.4, 0.9]),
    "A": np.array([[2.0, 1, 0.3], [0.5, 3, 1], [1, 0.2, 1.5]]),
    "lam": 0.7,
    "p": 2.5,
}
ENTRYWISE = (
    "x", "-x", "x + y", "y - x", "x * y", "x / y", "y / x", "x ** 3", "x ** p", "x ** -0.5", "x ** (1 - p)",
    "lam * x ** 2", "np.exp(2 * x)", "np.log(x)", "np.log1p(np.exp(x))", "np.expm1(x)", "np.sqrt(x ** 2 + lam)",
    "np.square(x)", "np.sin(x) * np.cos(x)", "np.tan(x)", "np.tanh(x * y)", "np.sinh(x)", "np.cosh(x)",
    "np.arctan(x)", "np.arcsin(x / 2)", "np.abs(x - 1)", "np.log2(x)", "np.log10(x)", "np.reciprocal(x)",
    "np.logaddexp(0, x)", "np.maximum(0, x - 0.5)", "np.where(x > 0.5, x ** 2, -x)", "x * (np.log(y / x) + 1)",
)  # fmt: skip
WHOLE = (
    "np.sum(x ** 2)", "x @ y", "y @ x", "x @ x", "0.5 * lam * x @ x", "x @ A @ x", "0.5 * x @ A @ x", "x @ A @ y",
    "y @ A @ x", "np.linalg.norm(x)", "np.linalg.norm(x - y)", "(x * y).sum()",
    "x @ y / (np.linalg.norm(x) * np.linalg.norm(y))", "np.dot(x, y)", "np.sum(np.log(x) * y)",
    "np.sum(x * y / (1 + x))",
)  # fmt: skip


def value(text: str, x: np.ndarray) -> np.ndarray:
    return np.asarray(eval(text, {**POINT, "x": x}))


@pytest.mark.parametrize("text", ENTRYWISE)
def test_an_entrywise_rule(text: str) -> None:
    x, h = POINT["x"], 1e-6
    found = eval(trees.text(derivative(trees.parse(text), "x")), dict(POINT))
    expected = (value(text, x + h) - value(text, x - h)) / (2 * h)
    np.testing.assert_allclose(np.broadcast_to(found, x.shape), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("text", WHOLE)
def test_a_rule_for_a_number(text: str) -> None:
    x, h = POINT["x"], 1e-6
    found = eval(trees.text(derivative(trees.parse(text), "x")), dict(POINT))
    expected = [(value(text, x + h * e) - value(text, x - h * e)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("text", ["np.unknown(x)", "x[0] ** 2", "y ** x", "f(x)", "lambda t: x"])
def test_without_a_rule_there_is_none(text: str) -> None:
    with pytest.raises(NoRule):
        derivative(trees.parse(text), "x")


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("0.5 * lam * x @ x", "lam * x"),
        ("np.log(x)", "1 / x"),
        ("np.sum(np.sqrt(x ** 2 + lam))", "x / np.sqrt(x ** 2 + lam)"),
        ("x ** (2 - p) / (2 - p)", "x ** (1 - p)"),
        ("x * np.log(x)", "np.log(x) + 1"),
        ("y", "0"),
        ("-x", "-1"),
    ],
)
def test_a_derivative_is_written_as_a_person_would(text: str, short: str) -> None:
    assert trees.text(derivative(trees.parse(text), "x")) == short


def test_the_terms_of_a_sum_have_their_signs() -> None:
    found = [(sign, trees.text(term)) for sign, term in terms(trees.parse("a - (b - c * d) + -e"))]
    assert found == [(1, "a"), (-1, "b"), (1, "c * d"), (-1, "e")]


def test_the_derivatives_of_all_parts() -> None:
    found = {trees.text(node) for node in of_parts(trees.parse("x ** 2 * y"))}
    assert found == {"2 * x * y", "x ** 2"}
