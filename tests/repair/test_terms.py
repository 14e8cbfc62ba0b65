"""Terms of f: found in its source, differenced apart, and how often a gradient counts them."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Verdict, check_gradient
from gradcheck.model import DiagnosisKind
from gradcheck.repair.purity import Impure
from gradcheck.repair.terms import Terms, miscounted

RNG = np.random.default_rng(0)
A, B, LAM, MU = RNG.normal(size=(9, 6)), RNG.normal(size=9), 0.3, 0.2
X = RNG.normal(size=6)


def smooth(w):
    return np.sum(np.diff(w) ** 2)


def loss(w):
    r = A @ w - B
    value = 0.5 * r @ r / len(B)
    value += 0.5 * LAM * np.sum(np.sqrt(w**2 + 0.01))
    value -= MU * smooth(w)
    return value


def data_part(w):
    return A.T @ (A @ w - B) / len(B)


def root_part(w):
    return 0.5 * LAM * w / np.sqrt(w**2 + 0.01)


def smooth_part(w):
    d = 2 * np.diff(w)
    return -MU * (np.append(0, d) - np.append(d, 0))


def terms_of(f, x=X):
    found = Terms(f, lambda call, x: float(call(x)))
    return found if found.find(x) else None


def test_terms_are_read_through_local_names():
    found = terms_of(loss)
    assert [(term.text, term.factor) for term in found.terms] == [
        ("0.5 * r @ r / len(B)", 1.0),
        ("0.5 * LAM * np.sum(np.sqrt(w ** 2 + 0.01))", 1.0),
        ("MU * smooth(w)", -1.0),
    ]
    slopes = found.gradients(X, np.full(6, 1e-5))
    assert np.allclose(slopes, [data_part(X), root_part(X), smooth_part(X)], rtol=1e-6, atol=1e-8)


def in_a_helper(w):
    return loss(w)


def in_a_loop(w):
    total = w @ w
    for k in range(3):
        total += np.sin(k * w[k])
        total -= w[k] ** 3
    return total


def within_a_sum(w):
    return np.sum(np.sin(w) + w**2 - np.cos(3 * w))


def within_a_mean(w):
    parts = np.sin(w) + 1.5
    return (parts - w**4).mean()


def scaled_by_a_number(w):
    return -(0.5 * (w @ w + np.sin(w[0])) + LAM * (np.cos(w).sum() - w[1])) / 4


@pytest.mark.parametrize(
    ("f", "count"),
    [(in_a_helper, 3), (in_a_loop, 3), (within_a_sum, 3), (within_a_mean, 3), (lambda w: w[0] - (w[1] - w[2]), 3)],
)
def test_terms_add_up_wherever_they_stand(f, count):
    found = terms_of(f)
    assert len(found.terms) == count
    total = found.gradients(X, np.full(6, 1e-5)).sum(axis=0)
    for i, e in enumerate(np.eye(6)):
        assert total[i] == pytest.approx((f(X + 1e-5 * e) - f(X - 1e-5 * e)) / 2e-5, rel=1e-6, abs=1e-8)


def test_factors_that_are_numbers_are_taken_into_the_terms():
    found = terms_of(scaled_by_a_number)
    assert [term.factor for term in found.terms] == pytest.approx([-0.125, -0.125, -0.075, 0.075])


def reused(w):
    s = w @ w
    t = s
    s += np.sin(w[0])
    return t


def twice_over(w):
    s = w @ w
    s = s * 2
    return s + 1.0


@pytest.mark.parametrize("f", [reused, lambda w: w @ w, lambda w: np.sum(np.sin(w)) * np.sum(w)])
def test_what_is_no_sum_has_no_terms(f):
    assert terms_of(f) is None


def test_a_name_that_is_set_twice_is_one_term():
    assert [term.text for term in terms_of(twice_over).terms] == ["s", "1.0"]


def writes_a_file(w):
    open("there", "w").close()
    return w @ w + w[0]


def test_a_function_that_does_more_than_compute_is_not_run():
    with pytest.raises(Impure):
        Terms(writes_a_file, lambda call, x: float(call(x)))


# ---- what is said of a wrong gradient

WRONG = {
    "has no part": (lambda w: data_part(w) + root_part(w), "MU * smooth(w)", 1.0),
    "is counted twice": (lambda w: data_part(w) + root_part(w) + 2 * smooth_part(w), "MU * smooth(w)", -1.0),
    "has the wrong sign": (lambda w: data_part(w) - root_part(w) + smooth_part(w), "0.5 * LAM", 2.0),
    "is counted 0.25 times": (lambda w: data_part(w) + 0.25 * root_part(w) + smooth_part(w), "0.5 * LAM", 0.75),
}


@pytest.mark.parametrize("how", WRONG)
def test_the_term_that_is_miscounted_is_named(how):
    grad, text, coefficient = WRONG[how]
    report = check_gradient(loss, grad, X, throw=False, fix=0.2)
    assert report.verdict is Verdict.FAIL
    (diagnosis,) = report.diagnoses
    assert diagnosis.kind is DiagnosisKind.MISSING_TERM
    assert f"{how} in the gradient" in diagnosis.message
    assert diagnosis.parameters["term"].startswith(text)
    assert diagnosis.parameters["coefficient"] == pytest.approx(coefficient, rel=1e-4)
    assert diagnosis.where is not None
    assert all(entry.explained for entry in report.entries if entry.verdict is Verdict.FAIL)


def test_two_terms_that_have_no_part_are_both_named():
    report = check_gradient(loss, data_part, X, throw=False, fix=0.2)
    assert report.diagnoses[0].message.count("has no part in the gradient") == 2


def test_a_gap_that_is_no_multiple_of_a_term_is_put_on_none():
    report = check_gradient(
        loss, lambda w: data_part(w) + root_part(w) * np.cos(w) + smooth_part(w), X, throw=False, fix=0.2
    )
    assert report.diagnoses[0].kind is DiagnosisKind.UNEXPLAINED


def test_terms_with_the_same_gradient_are_not_told_apart():
    found = terms_of(lambda w: w @ w + np.sum(w**2) + np.sin(w[0]))
    slopes = found.gradients(X, np.full(6, 1e-5))
    assert miscounted(found.terms, slopes, -slopes[0], np.full(6, 1e-9)) == []


def test_no_patch_means_no_look_at_the_source():
    report = check_gradient(loss, WRONG["has no part"][0], X, throw=False, fix=False)
    assert report.diagnoses[0].kind is DiagnosisKind.UNEXPLAINED
