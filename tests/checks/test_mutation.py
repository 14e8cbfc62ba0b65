"""Claims broken line by line: a good check notices every mutant, and a blind one is told by the lines that could be broken."""

from __future__ import annotations

import time

import numpy as np
import pytest

from gradcheck import UsageError, check_gradient, check_hessian, check_jacobian
from gradcheck.checks.worth import mutation
from gradcheck.repair.mutants import LEFT_OUT, sites, written
from gradcheck.repair.setting import prepare
from gradcheck.testing import MutationScore, mutate

A = np.random.default_rng(0).normal(size=(12, 4))
y = np.where(np.arange(12) % 3, 1.0, -1.0)
X = np.random.default_rng(1).normal(size=4)


def loss(w):
    return np.mean(np.logaddexp(0, -y * (A @ w))) + 0.05 * w @ w


def grad(w):
    """A line that is no code."""
    m = y * (A @ w)
    s = -y / (1 + np.exp(m))
    g = A.T @ s / len(y)
    g += 0.1 * w
    return g


def branchy(w):
    g = grad(w)
    if w[0] > 100:
        g = 2 * g
    return g


def of(line: str, score: MutationScore):
    return next(one for one in score.lines if one.where.text.startswith(line))


def test_a_good_check_notices_every_mutant_of_a_plain_gradient():
    score = mutate(loss, grad, X)
    assert score.complete
    first = grad.__code__.co_firstlineno
    lines = [one.where.line for one in score.lines]
    assert lines == list(range(first + 2, first + 7)), "every line of code, and no other"
    assert score.lines[0].where.text == "m = y * (A @ w)"
    assert all(one.made > 1 and one.noticed == one.made and not one.survivor for one in score.lines), score.lines
    assert (score.score, score.survivors) == (1.0, ())
    assert f"{score.made} of {score.made} mutants of 5 lines noticed" in score.sentence


def test_a_branch_that_never_runs_can_be_broken_unseen():
    score = mutate(loss, branchy, X)
    never = of("g = 2 * g", score)
    assert (never.noticed, never.ran, never.survivor) == (0, False, LEFT_OUT)
    assert never.made > 0
    assert of("g = A.T @ s", score).noticed == of("g = A.T @ s", score).made
    assert f"test_mutation.py:{never.where.line} (never ran at the point)" in score.sentence


def test_at_a_stationary_point_the_factor_of_what_vanishes_cannot_be_seen():
    score = mutate(lambda x: x @ A.T @ A @ x / 2, lambda x: A.T @ (A @ x), np.zeros(4))
    (line,) = score.survivors
    assert line.noticed < line.made
    assert line.survivor


def test_a_vacuous_tolerance_lets_every_line_be_broken():
    score = mutate(loss, grad, X, atol=100.0)
    assert len(score.survivors) == len(score.lines)
    assert score.score < 0.2


def test_a_term_hidden_below_the_tolerance_is_the_line_that_survives():
    def slope(x):
        g = 2 * x
        g += 1e-9 * np.cos(x)
        return g

    score = mutate(lambda x: x @ x + 1e-9 * np.sin(x).sum(), slope, X)
    assert [one.where.text for one in score.survivors] == ["g += 1e-9 * np.cos(x)"]
    assert score.survivors[0].survivor == LEFT_OUT


def test_what_changes_nothing_is_told_and_does_not_count():
    def slope(x):
        x = x.copy()
        return 2 * x

    score = mutate(lambda x: x @ x, slope, X)
    copied = of("x = x.copy()", score)
    assert copied.equivalent > 0
    assert copied.noticed == copied.made
    assert "more that change nothing do not count" in score.sentence


def test_every_kind_of_derivative_has_mutants():
    def residuals(w):
        return np.tanh(A @ w)

    def jacobian(w):
        return (1 - np.tanh(A @ w) ** 2)[:, None] * A

    def hessian(w):
        p = 1 / (1 + np.exp(-y * (A @ w)))
        return (A.T * (p * (1 - p))) @ A / len(y) + 0.1 * np.eye(4)

    def product(w, v):
        return hessian(w) @ v

    assert check_jacobian(residuals, jacobian, X).verdict == check_hessian(loss, hessian, X, grad=grad).verdict == 0
    for f, claim, kind in (
        (residuals, jacobian, "jacobian"),
        (loss, hessian, "hessian"),
        (loss, product, "hvp"),
        (residuals, lambda w, v: jacobian(w) @ v, "jvp"),
        (residuals, lambda w, u: jacobian(w).T @ u, "vjp"),
    ):
        score = mutate(f, claim, X, kind=kind)
        assert score.made > 4, kind
        assert score.score == 1, (kind, score.survivors)


def test_trees_and_further_arguments_reach_the_mutants():
    def total(p, c):
        return c * np.sum(p["W"] ** 2) + np.sum(np.sin(p["b"]))

    def slopes(p, c):
        return {"W": 2 * c * p["W"], "b": np.cos(p["b"])}

    score = mutate(total, slopes, {"W": A[:2, :3], "b": X}, args=(1.5,))
    assert score.made > 2
    assert score.score == 1


def test_lines_that_f_runs_as_well_are_not_broken():
    def inner(w):
        return A @ w

    score = mutate(lambda w: np.sum(inner(w) ** 2), lambda w: 2 * A.T @ inner(w), X)
    assert [one.where.text.startswith("score = mutate") for one in score.lines] == [True]


def cost(w):
    return loss(w)


def slope(w):
    return grad(w) / 2 + grad(w) / 2


def both(w):
    return cost(w), slope(w)


def test_of_a_function_that_returns_both_all_lines_that_the_gradient_needs_are_broken():
    score = mutate(both, None, X, value_and_grad=True)
    texts = [one.where.text for one in score.lines if one.made]
    assert "return cost(w), slope(w)" in texts
    assert "return grad(w) / 2 + grad(w) / 2" in texts
    assert "g = A.T @ s / len(y)" in texts
    assert "return loss(w)" not in texts
    assert score.score == 1.0
    with pytest.raises(UsageError, match="claim is None"):
        mutate(both, None, X)


calls = 0


def counts(w):
    global calls
    calls += 1
    return grad(w)


def writes(w):
    with open("trap.txt", "a") as file:
        file.write("called")
    return grad(w)


def prints(w):
    print(w)
    return grad(w)


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (writes, r"writes enters a context \(test_mutation\.py:\d+\)"),
        (counts, r"counts writes a global \(test_mutation\.py:\d+\)"),
        (prints, r"prints calls print \(test_mutation\.py:\d+\)"),
        (np.cos, "cos is not written in Python"),
        (lambda w: 2 * grad(w), "wrong as it stands"),
        (eval("lambda w: grad(w)", {"grad": grad}), "no source that could be read"),
    ],
    ids=["a file", "a global", "prints", "in C", "wrong", "no source"],
)
def test_what_cannot_be_broken_safely_says_why(claim, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    f = (lambda w: np.sum(np.sin(w))) if claim is np.cos else loss
    with pytest.raises(UsageError, match=said):
        mutate(f, claim, X)


@pytest.mark.parametrize("isolate", [True, False])
def test_what_is_not_pure_is_called_by_the_check_alone(isolate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mutation, "can_isolate", lambda: isolate)
    check_gradient(loss, writes, X)
    alone = (tmp_path / "trap.txt").read_text()
    with pytest.raises(UsageError):
        mutate(loss, writes, X)
    assert (tmp_path / "trap.txt").read_text() == 2 * alone
    kept: list[object] = []

    def keeps(w):
        kept.append(w)
        return grad(w)

    check_gradient(loss, keeps, X)
    alone = len(kept)
    assert mutate(loss, keeps, X).made > 0
    assert len(kept) == 2 * alone, "mutants have a list of their own"


def test_nothing_that_a_mutant_does_reaches_the_users_objects():
    before = A.copy(), grad.__code__, y.copy()
    mutate(loss, grad, X)
    assert np.array_equal(A, before[0])
    assert np.array_equal(y, before[2])
    assert grad.__code__ is before[1]


def test_a_mutant_that_never_ends_is_given_up():
    def slope(x):
        k, g = 0, 0 * x
        while k != 4:
            k += 1
            g = g + x / 2
        return g

    started = time.monotonic()
    score = mutate(lambda x: x @ x, slope, X, budget=10)
    assert time.monotonic() - started < 60  # not for ever
    assert of("g = g + x / 2", score).noticed > 0


def test_a_budget_ends_it():
    def slow(w):
        time.sleep(2e-3)
        return loss(w)

    score = mutate(slow, grad, X, budget=1e-3)
    assert (score.complete, score.lines) == (False, ())
    assert score.sentence == "mutation: time ended it before any mutant was tried (--budget gives more)"


def test_values_of_a_slow_function_are_kept():
    calls = []

    def slow(w):
        time.sleep(2e-3)
        calls.append(1)
        return loss(w)

    kept = mutation._Kept(slow)
    assert kept(X) == kept(X.copy()) == loss(X)
    assert len(calls) == 1
    assert kept(2 * X) != kept(X)
    kept.room = 0
    assert kept(3 * X) == kept(3 * X)
    assert len(calls) == 4, "no room is left"


def test_without_processes_the_same_is_done_here(monkeypatch):
    monkeypatch.setattr(mutation, "can_isolate", lambda: False)
    assert mutate(loss, grad, X).score == 1.0


@pytest.mark.parametrize("kind", ["gradients", 3])
def test_an_unknown_kind_is_a_usage_error(kind):
    with pytest.raises(UsageError, match="unknown kind"):
        mutate(loss, grad, X, kind=kind)


def test_mutants_are_python_and_each_breaks_its_own_line():
    setting = prepare(grad, loss, lambda call, x: call(x))
    setting.machine.record(X)
    found = sites(setting.machine)
    assert [site.number for site in found] == sorted(site.number for site in found)
    for site in found:
        rows = set()
        for mutant in site.mutants():
            rows.add(mutant.row)
            (tree,) = mutant.trees().values()
            compile_tree(setting, tree)
            assert mutant.changes[0].old.lineno == site.number
        assert len(rows) > 2, site.where


def compile_tree(setting, tree):
    setting.own[0].code_of(tree)


def test_a_mutant_is_written_as_the_line_would_be():
    setting = prepare(grad, loss, lambda call, x: call(x))
    setting.machine.record(X)
    site = next(one for one in sites(setting.machine) if one.where.text == "g += 0.1 * w")
    texts = [written(mutant) for mutant in site.mutants()]
    assert texts[0] == LEFT_OUT
    assert "g += 0.05 * w" in texts
