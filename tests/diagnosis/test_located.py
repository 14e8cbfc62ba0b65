"""A mistake has one name, one set of parameters and much the same words, whichever method found it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.diagnosis.regions import PLACES, locate, progression
from gradcheck.model import Diagnosis, DiagnosisKind
from gradcheck.variables.layout import ArrayLayout
from gradcheck.variables.places import Places
from tests.diagnosis.documented import assert_documented

SIZE = 400
X = np.random.default_rng(3).normal(size=SIZE)


def log_cosh(x: Any) -> Any:
    x = x.reshape(-1)
    return np.sum(np.logaddexp(x, -x))


def changed(where: Any, how: Any) -> Any:
    def wrong(x: Any) -> Any:
        g = np.tanh(x).reshape(-1)
        g[where] = how(g[where])
        return g.reshape(x.shape)

    return wrong


EVERY = slice(None)
MISTAKES = {  # claim, shape, kind, and the parameters that are the same to the last digit
    "minus": (changed(EVERY, lambda g: -g), (SIZE,), "sign", {"factor": -1.0, "entries": SIZE}),
    "half": (changed(EVERY, lambda g: g / 2), (SIZE,), "scale", {"factor": 2.0, "recognised": "2", "entries": SIZE}),
    "no known number": (changed(EVERY, lambda g: g * 1.2345678912), (SIZE,), "scale", {"entries": SIZE}),
    "all zero": (changed(EVERY, lambda g: 0 * g), (SIZE,), "zero_block", {"entries": SIZE}),
    "one entry": (changed(317, lambda g: g + 0.1), (SIZE,), "single_entry", {"indices": [[317]], "entries": 1}),
    "one entry of a matrix": (
        changed(317, lambda g: g + 0.1), (20, 20), "single_entry", {"indices": [[15, 17]], "entries": 1}),
    "two entries": (
        changed([317, 20], lambda g: g * [2, 3]), (SIZE,), "entries", {"indices": [[20], [317]], "entries": 2}),
    "a range": (
        changed(slice(100, 300), lambda g: g / 2), (SIZE,), "block",
        {"range": [100, 300], "factor": 2.0, "recognised": "2", "entries": 200}),
    "a range by no known number": (
        changed(slice(100, 300), lambda g: g * 1.2345678912), (SIZE,), "block", {"range": [100, 300], "entries": 200}),
    "a range of zeros": (
        changed(slice(100, 300), lambda g: 0 * g), (SIZE,), "zero_block", {"range": [100, 300], "entries": 200}),
    "a range negative": (
        changed(slice(100, 300), lambda g: -g), (SIZE,), "block", {"range": [100, 300], "factor": -1.0, "entries": 200}),
    "every fourth": (
        changed(slice(1, SIZE, 4), lambda g: g / 2), (SIZE,), "block",
        {"start": 1, "stop": 398, "stride": 4, "factor": 2.0, "recognised": "2", "entries": 100}),
    "a column": (
        changed(slice(3, SIZE, 8), lambda g: g / 2), (50, 8), "block",
        {"column": 3, "factor": 2.0, "recognised": "2", "entries": 50}),
    "a row": (
        changed(slice(50, 100), lambda g: g / 2), (8, 50), "block",
        {"row": 1, "factor": 2.0, "recognised": "2", "entries": 50}),
}  # fmt: skip


def found(name: str, method: str) -> Diagnosis:
    claim, shape, _, _ = MISTAKES[name]
    report = gradcheck.check_gradient(log_cosh, claim, X.reshape(shape), method=method, throw=False)
    assert report.verdict.name == "FAIL"
    return report.diagnoses[0]


@pytest.mark.parametrize("name", MISTAKES)
def test_both_methods_give_the_same_kind_and_the_same_parameters(name: str) -> None:
    *_, kind, parameters = MISTAKES[name]
    one, other = found(name, "coordinates"), found(name, "directions")
    assert one.kind == other.kind == kind, (one.message, other.message)
    assert set(one.parameters) == set(other.parameters)
    for diagnosis in (one, other):
        assert_documented(diagnosis)
        assert {key: diagnosis.parameters[key] for key in parameters} == parameters, diagnosis.message
    if "factor" in one.parameters:
        assert one.parameters["factor"] == pytest.approx(other.parameters["factor"], rel=1e-5)


@pytest.mark.parametrize("name", ["minus", "half", "a row", "a range of zeros", "all zero"])
def test_both_methods_say_the_same_before_they_say_where(name: str) -> None:
    one, other = (found(name, method) for method in ("coordinates", "directions"))
    assert one.message.split(" on ")[0] == other.message.split(" on ")[0]
    assert one.advice == other.advice or one.kind is DiagnosisKind.BLOCK


def test_what_is_not_explained_has_the_same_figures() -> None:
    def wrong(x: Any) -> Any:
        return np.tanh(x) + 1e-4 * np.random.default_rng(5).normal(size=SIZE)

    reports = [
        gradcheck.check_gradient(log_cosh, wrong, X, method=method, throw=False)
        for method in ("coordinates", "directions")
    ]
    by_entries, by_directions = ([d for d in r.diagnoses if d.kind is DiagnosisKind.UNEXPLAINED] for r in reports)
    assert by_entries
    for diagnosis in by_directions:
        assert set(diagnosis.parameters) == set(by_entries[0].parameters)


@pytest.mark.parametrize("shape", [(24,), (4, 6), (6, 4), (2, 3, 4)])
def test_a_progression_is_called_as_its_entries_are(shape: tuple[int, ...]) -> None:
    for start in range(6):
        for step in (1, 2, 4, 6, 8):
            terms = range(24)[start::step]
            if not 2 < len(terms) < 24:
                continue
            others = np.setdiff1d(np.arange(24), terms)
            places = Places((), ArrayLayout(shape, float))
            by_entries, by_terms = locate(np.array(terms), places, others), progression(terms, places)
            if by_entries.name != "block":  # several rows of a matrix are a range of its entries
                assert by_terms == by_entries
            assert set(by_terms.parameters) <= PLACES
