"""What a check has found becomes a verdict, a resolution in plain words and a report."""

from __future__ import annotations

import dataclasses
import math
import pickle
import sys
import traceback

import numpy as np
import pytest

import gradcheck
from gradcheck import check_gradient
from gradcheck.checks.draft import Draft, versions
from gradcheck.errors import UserCodeError
from gradcheck.evaluation.tracebacks import formatted
from gradcheck.methods.entries import Columns, status_code
from gradcheck.methods.results import Comparison
from gradcheck.model import (
    DerivativeEstimate,
    DirectionCheck,
    Finding,
    FindingKind,
    Kind,
    Ladder,
    Method,
    Point,
    Status,
    Stop,
    Target,
    Tolerance,
    Verdict,
)
from gradcheck.variables.layout import ArrayLayout


def draft(**changes):
    return Draft(
        **{
            "name": "module:f",
            "kind": Kind.GRADIENT,
            "target": Target(name="f"),
            "claim": Target(name="grad"),
            "point": Point(shape=(9,), dtype="float64", origin="given"),
            "layout": ArrayLayout((9,), float),
            "tolerance": Tolerance(rtol=6e-6, atol=0.0),
            **changes,
        }
    )


def survey(*verdicts, digits=8.4, **changes):
    count = len(verdicts)
    columns = Columns(
        entry=np.arange(count),
        claimed=np.ones(count),
        numeric=np.ones(count),
        uncertainty=np.full(count, 1e-9),
        step=np.full(count, 1e-5),
        evaluations=np.full(count, 2),
        verdict=np.array(verdicts, np.int8),
        status=np.full(count, status_code(Status.CONVERGED), np.int8),
    )
    count_of = {verdict: sum(v is verdict for v in verdicts) for verdict in Verdict}
    values = {
        "columns": columns,
        "checked": count,
        "failed": count_of[Verdict.FAIL],
        "inconclusive": count_of[Verdict.INCONCLUSIVE],
        "errors": count_of[Verdict.ERROR],
        "digits": digits,
        "detectable": 3e-9,
        "detectable_share": 2e-7,
        "ignored": np.empty(0, np.int64),
    }
    return Comparison(**values | changes)


def direction(verdict, error=0.0):
    estimate = DerivativeEstimate(value=1.0, uncertainty=1e-8, step=1e-5, evaluations=2, status=Status.CONVERGED)
    return DirectionCheck(
        number=0, point=0, claimed=1.0 + error, estimate=estimate, abs_error=error, rel_error=error, verdict=verdict
    )


def finding(verdict):
    return Finding(kind=FindingKind.REUSES_BUFFER, message="a word", verdict=verdict)


def report_of(made, stopped=None):
    return made.report(engine="one point at a time", nfev=11, ngev=4, seconds=0.5, stopped=stopped)


OK, OPEN, BAD, LOST = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR


@pytest.mark.parametrize(
    ("changes", "verdict", "counts"),
    [
        ({"comparison": survey(OK, OK)}, OK, (2, 0, 0)),
        ({"comparison": survey(OK, OPEN)}, OPEN, (2, 0, 1)),
        ({"comparison": survey(OK, OPEN, BAD)}, BAD, (3, 1, 1)),
        ({"comparison": survey(OK, LOST, BAD)}, LOST, (3, 1, 0)),
        ({}, OPEN, (0, 0, 0)),
        ({"comparison": survey()}, OPEN, (0, 0, 0)),
        ({"directions": [direction(OK), direction(OK)]}, OK, (2, 0, 0)),
        ({"directions": [direction(OK), direction(BAD)]}, BAD, (2, 1, 0)),
        ({"directions": [direction(OK), direction(OPEN)]}, OPEN, (2, 0, 1)),
        ({"comparison": survey(OK, OK), "directions": [direction(BAD)]}, BAD, (2, 0, 0)),
        ({"comparison": survey(OK), "findings": [finding(OK)]}, OK, (1, 0, 0)),
        ({"comparison": survey(OK), "findings": [finding(OPEN)]}, OPEN, (1, 0, 0)),
        ({"comparison": survey(BAD), "findings": [finding(OPEN)]}, BAD, (1, 1, 0)),
        ({"comparison": survey(OK), "findings": [finding(LOST)]}, LOST, (1, 0, 0)),
        ({"comparison": survey(OK), "stopped": Stop.BUDGET}, OPEN, (1, 0, 0)),
        ({"comparison": survey(BAD), "stopped": Stop.INTERRUPT}, BAD, (1, 1, 0)),
    ],
)
def test_the_verdict_is_the_worst_of_all(changes, verdict, counts):
    changes = dict(changes)
    stopped = changes.pop("stopped", None)
    report = report_of(draft(**changes), stopped)
    assert report.verdict is verdict
    assert (report.checked, report.failed, report.inconclusive) == counts
    assert (report.interrupted, report.stopped) == (stopped is not None, stopped)
    assert (report.nfev, report.ngev, report.seconds, report.engine) == (11, 4, 0.5, "one point at a time")
    pickle.dumps(report)


@pytest.mark.parametrize(
    ("changes", "sentence", "digits", "absolute"),
    [
        ({"comparison": survey(OK, OK)},
         "Every entry agrees to at least 8 digits; an error above 2e-7 of an entry would have been seen, "
         "and any above 3e-9.", 8, 3e-9),
        ({"comparison": survey(OK, BAD, digits=1.2)},
         "Every entry that passed agrees to at least 1 digit; an error above 2e-7 of an entry would have been "
         "seen, and any above 3e-9.", 1, 3e-9),
        ({"comparison": survey(OK, digits=17.0)}, "Every entry agrees to at least 15 digits", 15, 3e-9),
        ({"comparison": survey(OK, digits=-0.5)}, "Every entry agrees to at least 0 digits", 0, 3e-9),
        ({"comparison": survey(BAD, digits=None)}, "Nothing passed, so there is no resolution to state.", None, math.inf),
        ({}, "Nothing passed, so there is no resolution to state.", None, math.inf),
        ({"directions": [direction(OK, 2e-8), direction(BAD, 1.0)]},
         "An error above 3e-8 along a direction would have been seen.", None, 3e-8),
        ({"limits": (("any", 1e-6), ("lone", 1e-3)), "limit_sentence": "As said."}, "As said.", None, 1e-3),
    ],
)  # fmt: skip
def test_the_resolution_is_said_in_plain_words(changes, sentence, digits, absolute):
    resolution = report_of(draft(**changes)).resolution
    assert resolution.sentence.startswith(sentence)
    assert (resolution.digits, resolution.absolute) == (digits, pytest.approx(absolute))


@pytest.mark.parametrize(
    ("changes", "cells"),
    [
        ({"layout": ArrayLayout((2, 2), float)}, ("..", "0?")),
        ({"layout": ArrayLayout((4,), float)}, None),
        ({"outputs": (4,), "layout": ArrayLayout((1,), float), "kind": Kind.JACOBIAN},
         (".", ".", "0", "?")),
        ({"layout": ArrayLayout((2, 3), float)}, ("   ", "   ")),
        ({"layout": ArrayLayout((2, 2), float), "method": Method.DIRECTIONS}, ("  ", "  ")),
    ],
)  # fmt: skip
def test_a_matrix_that_did_not_pass_has_a_map(changes, cells):
    """The two entries that did not pass are shown; the others only where each is known to agree."""
    found = report_of(draft(comparison=survey(OK, OK, BAD, OPEN), **changes)).error_map
    if cells is None:
        assert found is None
        return
    shown = [list(row) for row in cells]
    for flat, mark in enumerate("..0?"):
        shown[flat // len(cells[0])][flat % len(cells[0])] = mark
    assert found.cells == tuple("".join(row) for row in shown)
    assert report_of(draft(comparison=survey(OK, OK, OK, OK), **changes)).error_map is None


def test_the_worst_direction_alone_keeps_its_ladder():
    ladder = Ladder(steps=(0.1,), values=(1.0,), noise=(1e-9,))
    made = []
    for number, (verdict, error) in enumerate([(OK, 1e-9), (BAD, 1.0), (BAD, 2.0), (OPEN, 5.0)]):
        one = direction(verdict, error)
        made.append(dataclasses.replace(one, number=number, estimate=dataclasses.replace(one.estimate, ladder=ladder)))
    kept = report_of(draft(directions=made)).directions
    assert [d.number for d in kept if d.estimate.ladder is not None] == [2]


@pytest.mark.parametrize("kind", ["user_error", "wrong_shape", "non_finite"])
def test_the_error_of_user_code_becomes_a_finding(kind):
    made = draft()
    made.blame(UserCodeError("grad returned shape (3,), expected (4,)", kind, "grad"))
    report = report_of(made)
    assert report.verdict is Verdict.ERROR
    assert (report.findings[0].kind, report.findings[0].target) == (FindingKind(kind), "grad")
    assert report.trouble is None
    assert report.headline == "The gradient could not be checked: grad returned shape (3,), expected (4,)"


def test_a_traceback_is_that_of_the_user():
    def deep(x):
        raise ValueError("deep")

    def broken(x):
        return deep(x)

    report = check_gradient(broken, lambda x: x, [1.0], throw=False)
    trouble = report.trouble
    assert [(place.name, place.file) for place in report.raised] == [("broken", __file__), ("deep", __file__)]
    assert report.raised[1].line == report.raised[0].line - 3
    assert [line.split(" in ")[1] for line in trouble.splitlines() if line.startswith("  File")] == ["broken", "deep"]
    assert trouble.endswith("ValueError: deep\n")


def test_a_traceback_keeps_what_an_exception_says_in_full():
    with pytest.raises(ValueError, match="first") as caught:
        raise ValueError("first\nsecond")
    assert formatted(caught.value) == "".join(traceback.format_exception(caught.value))


def test_versions_name_numba_only_where_it_is_loaded(monkeypatch):
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    assert versions().keys() == {"python", "gradcheck", "numpy"}
    assert versions()["gradcheck"] == gradcheck.__version__
    monkeypatch.setitem(sys.modules, "numba", type(sys)("numba"))
    assert versions()["numba"] == "?"
