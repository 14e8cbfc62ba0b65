"""Variables that f and the claim have under one name, and that disagree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradcheck import check_gradient
from gradcheck.repair.intermediates import disagreements
from gradcheck.repair.purity import Impure

A = np.random.default_rng(0).normal(size=(5, 5))
X = np.linspace(-1, 1, 5)


def f(w):
    h = np.tanh(A @ w)
    s = A.T @ h
    return h @ np.sin(s) + 0.1 * w @ w


def claim(w):
    h = np.tanh(A.T @ w)
    s = A.T @ np.tanh(A @ w)
    return A.T @ ((1 - h) * (np.sin(s) + A @ (np.cos(s) * h))) + 0.1 * w


def claim_with_other_shapes(w):
    h = float(w @ w)
    s = "no number"
    return h * w if s else w


def claim_that_sets_it_twice(w):
    h = A.T @ w
    h = h * 2
    return h + w


def look(function, claim):
    return disagreements(function, claim, X, lambda call, x: call(x))


def test_the_one_that_differs_is_found_and_the_one_that_does_not_is_not():
    (found,) = look(f, claim)
    assert (found.name, found.theirs, found.ours) == ("h", "np.tanh(A @ w)", "np.tanh(A.T @ w)")
    assert found.in_f.line == f.__code__.co_firstlineno + 1
    assert found.in_claim.text == "h = np.tanh(A.T @ w)"
    expected = np.abs(np.tanh(A.T @ X) - np.tanh(A @ X)).max()
    assert found.by == pytest.approx(expected / max(np.abs(np.tanh(A.T @ X)).max(), np.abs(np.tanh(A @ X)).max()))


@pytest.mark.parametrize("other", [claim_with_other_shapes, claim_that_sets_it_twice, lambda w: w, f])
def test_what_cannot_be_compared_is_not(other):
    assert look(f, other) == []


def writes(w):
    h = len(open("there", "w").name)  # noqa: SIM115
    return h * w


def test_nothing_is_run_that_does_more_than_compute():
    with pytest.raises(Impure):
        look(f, writes)


def test_the_report_says_it_where_no_patch_is_found():
    report = check_gradient(f, claim, X, throw=False, fix=0.2)
    assert report.fixes == ()
    (note,) = [note for note in report.notes if note.startswith("h is ")]
    assert "np.tanh(A @ w) in f (test_intermediates.py:" in note
    assert "np.tanh(A.T @ w) in the claim (test_intermediates.py:" in note
    assert report.diagnoses[0].where is not None


def test_complex_variables_are_compared_as_such(recwarn):
    def spectrum(w):
        z = np.fft.fft(w)
        return float(np.abs(z[1]) ** 2)

    def conjugate(w):
        z = np.conj(np.fft.fft(w))
        return w * np.abs(z[1])

    (found,) = look(spectrum, conjugate)
    assert (found.name, found.is_telling) == ("z", True)
    assert found.by > 0.1
    assert not recwarn.list


@pytest.mark.parametrize(("ours", "telling"), [("np.tanh(A.T @ w)", True), ("w - y", False)])
def test_one_name_for_two_things_tells_little(ours, telling):
    (found,) = look(f, claim)
    assert replace(found, ours=ours).is_telling == telling
