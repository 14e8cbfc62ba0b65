"""Every error knows its exit code and survives the way to another process."""

from __future__ import annotations

import pickle

import pytest

from gradcheck import check_gradient, errors
from gradcheck.errors import ExitCode
from gradcheck.model import raised

CODES = {
    "GradcheckError": ExitCode.USAGE,
    "UsageError": ExitCode.USAGE,
    "TargetError": ExitCode.USAGE,
    "PointError": ExitCode.USAGE,
    "ConfigError": ExitCode.USAGE,
    "OutputError": ExitCode.USAGE,
    "UserCodeError": ExitCode.UNDECIDED,
    "GradientMismatch": ExitCode.FAIL,
    "GradientUndecided": ExitCode.UNDECIDED,
    "CheckInterrupted": ExitCode.INTERRUPTED,
    "OutOfTime": ExitCode.UNDECIDED,
}


@pytest.fixture
def report():
    return check_gradient(lambda x: float(x @ x), lambda x: x, [1.0, 2.0], throw=False)


def test_no_exception_is_without_an_exit_code():
    found = vars(errors) | vars(raised)
    names = {name for name, value in found.items() if isinstance(value, type) and issubclass(value, BaseException)}
    assert names == set(CODES)


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_an_error_knows_its_exit_code(name, code):
    assert (vars(errors) | vars(raised))[name].exit_code is code


def test_the_exit_codes_are_those_of_the_contract():
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 130]


def test_a_wrong_gradient_is_an_assertion_and_an_interrupt_is_no_exception(report):
    assert issubclass(raised.GradientUndecided, raised.GradientMismatch)
    assert isinstance(raised.GradientMismatch("wrong", report), AssertionError)
    assert not isinstance(raised.GradientMismatch("wrong", report), errors.GradcheckError)
    assert not isinstance(raised.CheckInterrupted(report), Exception)


@pytest.mark.parametrize("kind", [raised.GradientMismatch, raised.GradientUndecided])
def test_the_report_survives_pickling(kind, report):
    again = pickle.loads(pickle.dumps(kind("the gradient is wrong", report)))
    assert (type(again), str(again)) == (kind, "the gradient is wrong")
    assert again.report.verdict is report.verdict
    assert list(again.report.entries) == list(report.entries)


def test_an_interrupt_survives_pickling(report):
    again = pickle.loads(pickle.dumps(raised.CheckInterrupted(report)))
    assert again.report.failed == report.failed


def test_an_error_of_user_code_keeps_its_kind_when_pickled():
    again = pickle.loads(pickle.dumps(errors.UserCodeError("f is nan", "non_finite")))
    assert (str(again), again.kind) == ("f is nan", "non_finite")
