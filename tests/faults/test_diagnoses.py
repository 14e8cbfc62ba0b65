"""Wrong derivatives whose explanation was untrue, or missing where there is one."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check_gradient, check_hessian, check_jacobian
from gradcheck.errors import UsageError
from tests.diagnosis.documented import assert_documented

X = np.array([0.3, -0.7, 1.2, 0.1])


def failed(report):
    assert report.verdict.name == "FAIL"
    for diagnosis in report.diagnoses:
        assert_documented(diagnosis)
    return report.diagnoses


def gradient(f, grad, x, **options):
    return failed(check_gradient(f, grad, np.asarray(x, float), throw=False, fix=False, **options))


# ---- two or three equal gaps are one observation, or chance


@pytest.mark.parametrize("twice", [2.0, 0.8])
def test_gaps_equal_because_variables_are_equal_are_no_ridge_term(twice):
    def f(x):
        return np.sum(x**4 / 4) + np.sum(np.cosh(x / 3))

    def grad(x):
        g = x**3 + np.sinh(x / 3) / 3
        g[[1, 2, 4, 5]] = x[[1, 2, 4, 5]] ** 3
        return g

    found = gradient(f, grad, [0.7, twice, twice, 1.3, 0.4, 1.1])
    assert found[0].kind in ("entries", "unexplained", "block")
    assert all(d.kind != "missing_term" for d in found)


def test_gaps_equal_because_the_numbers_are_round_are_no_l1_term():
    def grad(x):
        return np.trunc(2.5 * x)

    found = gradient(lambda x: 1.25 * np.sum(x**2), grad, X)
    assert [d.kind for d in found] == ["entries"]


def test_forces_equal_by_symmetry_are_no_l1_term():
    place = np.array([[1.5, 1.5, 3.0], [0.0, 0, 0], [0.5, 0.9, 1.0], [-0.5, 0.3, 1.0]])

    def pairs(p):
        i, j = np.triu_indices(len(p), 1)
        return i, j, p[i] - p[j], np.linalg.norm(p[i] - p[j], axis=1)

    def grad(p, wrong=True):
        i, j, d, r = pairs(p)
        slope = -1 / r**2 + (np.where(r < 2.0, 0.1, 0.0) if wrong else 0.0)
        g = np.zeros_like(p)
        np.add.at(g, i, (slope / r)[:, None] * d)
        np.add.at(g, j, -(slope / r)[:, None] * d)
        return g

    assert (
        check_gradient(lambda p: np.sum(1 / pairs(p)[3]), lambda p: grad(p, wrong=False), place).verdict.name == "PASS"
    )
    found = gradient(lambda p: np.sum(1 / pairs(p)[3]), grad, place)
    assert all(d.kind != "missing_term" for d in found)


def test_one_wrong_value_that_stands_twice_in_a_symmetric_matrix_is_no_term_too_many():
    x = np.array([[0.1], [0.5], [1.2], [2.0], [2.7]])

    def f(t):
        return (x @ x.T * np.exp(t[0]) + 1) ** 3

    def jac(t):
        made = (3 * (x @ x.T * np.exp(t[0]) + 1) ** 2 * (x @ x.T) * np.exp(t[0]))[:, :, None]
        made[0, 4] *= 1.001
        made[4, 0] *= 1.001
        return made

    found = failed(check_jacobian(f, jac, np.array([0.2]), throw=False, fix=False))
    assert found[0].kind in ("entries", "unexplained")


def test_a_ridge_term_is_still_seen_among_equal_entries():
    x = np.array([0.5, 0.5, -0.5, 1.5, 0.25, 0.75])
    found = gradient(lambda x: np.sum(np.sin(x)) + 0.3 * x @ x, np.cos, x)
    assert found[0].kind == "missing_term"
    assert found[0].parameters["term"] == "x"
    assert found[0].parameters["coefficient"] == pytest.approx(0.6)


# ---- as many as there are


def test_each_of_many_columns_with_a_factor_of_its_own_is_named():
    factors = np.array([1.3, 1.7, 0.6, 2.2, 0.45, 1.25, 3.0])
    weights = np.arange(1.0, 8)
    x = np.random.default_rng(1).normal(size=(6, 7))
    found = gradient(lambda x: np.sum(np.sin(x) * weights), lambda x: np.cos(x) * weights * factors, x)
    named = {d.parameters["column"]: d.parameters["factor"] for d in found}
    assert named == pytest.approx({k: 1 / factor for k, factor in enumerate(factors)})


# ---- places


@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (0, 2)])
def test_exchanged_columns_of_a_jacobian_are_swapped(pair):
    t = np.linspace(0, 1, 8)

    def func(p):
        return p[0] * np.exp(-p[1] * t) + p[2] * t**2

    def jac(p):
        decay = np.exp(-p[1] * t)
        made = np.column_stack([decay, -p[0] * t * decay, t**2])
        made[:, list(pair)] = made[:, list(pair[::-1])]
        return made

    [found] = failed(check_jacobian(func, jac, np.array([2.0, 0.7, 0.3]), throw=False, fix=False))
    assert found.kind == "swapped"
    assert found.parameters["axis"] == 1
    assert found.parameters["lines"] == [[pair[0], pair[1]], [pair[1], pair[0]]]
    assert f"columns {pair[0]} and {pair[1]} are swapped" in found.message


def test_rows_of_a_jacobian_in_another_order():
    a = np.random.default_rng(2).normal(size=(5, 4))
    order = [0, 3, 1, 2, 4]

    def jac(x):
        return (np.cos(a @ x)[:, None] * a)[order]

    [found] = failed(check_jacobian(lambda x: np.sin(a @ x), jac, X, throw=False, fix=False))
    assert found.kind == "permuted"
    assert found.parameters["axis"] == 0
    assert sorted(k for k, _ in found.parameters["lines"]) == [1, 2, 3]


# ---- the derivative by another variable


CHAIN = {
    "exp(x)": lambda x: np.exp(x),
    "exp(−x)": lambda x: np.exp(-x),
    "σ(x)(1 − σ(x))": lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
    "(1 − tanh²(x))": lambda x: 1 - np.tanh(x) ** 2,
    "σ(x)": lambda x: 1 / (1 + np.exp(-x)),
    "1/(σ(x)(1 − σ(x)))": lambda x: (1 + np.exp(-x)) ** 2 / np.exp(-x),
}


@pytest.mark.parametrize("term", CHAIN)
def test_a_derivative_by_a_function_of_x_lacks_its_derivative(term):
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    found = gradient(
        lambda x: np.sum(weights * np.sin(x)), lambda x: weights * np.cos(x) / CHAIN[term](x), X
    )  # fmt: skip
    assert found[0].kind == "chain_factor"
    assert found[0].parameters["term"] == term


def test_a_symmetric_claim_where_f_reads_one_triangle():
    x = np.array([[2.0, 0.5, 0.1], [0.5, 1.5, -0.3], [0.1, -0.3, 1.0]])

    def f(a):
        return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(a))))

    [found] = gradient(f, np.linalg.inv, x)
    assert found.kind == "reads_triangle"
    assert found.parameters["triangle"] == "lower"
    [upper] = gradient(lambda a: f(a.T), np.linalg.inv, x)
    assert upper.parameters["triangle"] == "upper"


# ---- suspects


C = np.array([1.0, 2, 3, 4])


def quadratic(x):
    return 0.5 * x @ x + 0.5 * (x @ C) ** 2


def test_a_suspect_as_large_as_a_hessian_is_used_for_the_hessian():
    report = check_hessian(
        quadratic, lambda x: np.eye(4), X, grad=lambda x: x + C * (C @ x), throw=False, fix=False,
        suspects={"outer": np.outer(C, C), "of a gradient": C},
    )  # fmt: skip
    [found] = failed(report)
    assert found.parameters["term"] == "outer"
    assert found.parameters["coefficient"] == 1


def test_a_suspect_as_large_as_a_hessian_is_left_aside_by_the_gradient():
    found = gradient(quadratic, lambda x: x + 2 * C * (C @ x), X, suspects={"outer": lambda x: np.outer(C, C)})
    assert all(d.parameters.get("term") != "outer" for d in found)


@pytest.mark.parametrize("check", [check_gradient, check_hessian])
@pytest.mark.parametrize("suspect", [np.zeros((2, 3)), 1.0, lambda x: "nothing"])
def test_a_suspect_of_another_shape_is_refused_before_anything_is_evaluated(check, suspect):
    called = []

    def f(x):
        called.append(x)
        return x @ x

    with pytest.raises(UsageError, match="suspect odd"):
        check(f, lambda x: 2 * x, X, suspects={"odd": suspect})
    assert not called


# ---- words


def text(f, grad, x, **options):
    return " ".join(d.message for d in gradient(f, grad, x, **options))


def test_each_is_off_by_a_range_where_the_shares_differ():
    x = np.array([0.9, -0.2, 0.4, 1.7, -1.1])
    share = np.array([0.75, 0.82, 0.78, 0.8, 0.77])
    said = text(lambda x: np.sum(np.exp(x)), lambda x: np.exp(x) / (1 - share), x)
    assert "each is off by 0.75 to 0.82 of itself" in said


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1.1, "1.1 times too large"), (2.2, "2.2 times too large"), (1 / 1.5, "a missing factor 1.5")],
)
def test_a_factor_is_said_of_the_claim_as_it_was_written(factor, words):
    said = text(lambda x: np.sum(np.sin(x)), lambda x: factor * np.cos(x), X)
    assert words in said
    assert "10/11" not in said


@pytest.mark.parametrize(("shape", "factor"), [((3, 12), 6.0), ((5,), 0.8)])
def test_a_plain_fraction_is_not_laid_at_the_door_of_a_length(shape, factor):
    x = np.random.default_rng(3).normal(size=shape)
    said = text(lambda x: np.sum(np.sin(x)), lambda x: factor * np.cos(x), x)
    assert "being the number" not in said


def test_nothing_is_minus_zero_times_a_claim():
    said = text(lambda x: np.sum(np.sin(x[1:])), lambda x: np.append(-0.3, np.cos(x[1:])), X)
    assert "-0.3 is claimed, 0 measured" in said
    said = text(
        lambda x: np.sum(np.sin(x[2:])), lambda x: np.concatenate([[-0.3, 0.2], 1.1 ** x[2:] * np.cos(x[2:])]), X
    )
    assert "-0 " not in said


def test_the_diagonal_is_wrong_in_the_singular():
    a = np.random.default_rng(4).normal(size=(7, 7))
    a = a + a.T
    spoiled = a + np.diag([0.3, -0.2, 0.7, 0.11, 0.9, -0.4, 0.05])
    report = check_hessian(
        lambda x: x @ a @ x / 2, lambda x: spoiled, np.linspace(-1, 1, 7), grad=lambda x: a @ x, throw=False, fix=False
    )
    said = " ".join(d.message for d in failed(report))
    assert "the diagonal is wrong" in said
