"""Objects of the user's own, odd in every way: one line of ours, or an ERROR of that check; never a traceback of ours."""

from __future__ import annotations

import concurrent.futures
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

import gradcheck as api
from gradcheck import Verdict
from gradcheck.model import Report

X = np.array([0.5, -1.0, 2.0])


def f(x: Any) -> float:
    return float((x**2).sum())


def g(x: Any) -> Any:
    return 2 * x


class Nameless:
    """Its name raises."""

    def __call__(self, x: Any) -> Any:
        return f(x)

    @property
    def __name__(self) -> str:
        raise RuntimeError("no name")


class Refusing:
    """Every attribute that it lacks raises something else than AttributeError."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def __call__(self, x: Any) -> Any:
        return self.call(x)

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)

    def __repr__(self) -> str:
        raise RuntimeError("no words")


class Raising:
    """An array that raises when it is asked for its numbers."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no numbers")


def nested(depth: int, key: str | None = None) -> Any:
    value: Any = X
    for _ in range(depth):
        value = [value] if key is None else {key: value}
    return value


def itself() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "how", [{}, {"jobs": 2}, {"method": "directions"}, {"journal": "j.db"}, {"points": 3}], ids=str
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_callable_that_answers_no_questions_is_called(
    how: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert api.check_gradient(Nameless(), g, X, **how).verdict is Verdict.PASS
    assert api.check_gradient(Refusing(f), Refusing(g), X, **how).verdict is Verdict.PASS
    wrong = api.check_gradient(Refusing(f), Refusing(lambda x: 2.2 * x), X, throw=False, **how)
    # What makes two objects of a class differ is not told by the source: then the journal is doubted, not the claim.
    assert wrong.verdict is (Verdict.INCONCLUSIVE if "journal" in how else Verdict.FAIL)
    assert "Refusing" in str(wrong)


ANSWERS = {
    "a Mock": mock.Mock(),
    "a MagicMock": mock.MagicMock(),
    "raises": Raising(),
    "itself": itself(),
    "deep": nested(3000),
    "refuses": Refusing(f),
    "text": "1.0",
    "bytes": b"1",
    "a date": np.datetime64("2020-01-01"),
    "a type": float,
}


def checked(call: Any, claim: Any) -> Report:
    return api.check_gradient(call, claim, X, throw=False)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_no_number_is_an_error(answer: str) -> None:
    for report in (checked(lambda x: ANSWERS[answer], g), checked(f, lambda x: ANSWERS[answer])):
        assert report.verdict is Verdict.ERROR
        assert " returned " in report.headline or " raised " in report.headline
        assert str(report)


@pytest.mark.parametrize(
    ("x0", "said"),
    [
        (Raising(), "the point, of type Raising, raised RuntimeError: no numbers when asked for its numbers"),
        (nested(3000), "nested too deeply, or holds itself"),
        (nested(3000, "a"), "nested too deeply, or holds itself"),
        (itself(), "nested too deeply, or holds itself"),
        ("x.npy", "the point has dtype <U5, not numbers"),
        ({1.0, 2.0}, "the point is a set"),
    ],
    ids=["raises", "list", "dict", "itself", "text", "set"],
)
def test_what_can_be_no_point_is_refused_in_a_line(x0: Any, said: str) -> None:
    with pytest.raises(api.PointError) as caught:
        api.check_gradient(f, g, x0)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-200, 1e150])
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_points_at_the_ends_of_the_range_of_floats_get_an_answer(size: float, factor: float) -> None:
    report = api.check_gradient(f, lambda x: factor * 2 * x, np.full(3, size), throw=False)
    assert report.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)
    if factor == 1.0:
        assert report.verdict is not Verdict.FAIL


class ShapeRaises:
    """An operator that will not say how large it is."""

    @property
    def shape(self) -> tuple[int, int]:
        raise ValueError("no shape")

    def matvec(self, v: Any) -> Any:
        return 2 * v


class NoColumns:
    """A sparse array that cannot be converted."""

    shape = (3, 3)

    def tocsc(self) -> Any:
        raise RuntimeError("no columns")


class Executor(mock.Mock):
    """Whose number of workers is no number."""

    def submit(self, call: Any, *arguments: Any) -> Any:
        done: Any = concurrent.futures.Future()
        done.set_result(call(*arguments))
        return done


MATRICES = {
    "no shape": ShapeRaises(),
    "no columns": NoColumns(),
    "a Mock": mock.Mock(),
    "no numbers": Raising(),
    "three axes": np.zeros((3, 3, 3)),
    "complex": 1j * np.eye(3),
    "ragged": [[1.0], [1.0, 2.0]],
    "masked": np.ma.array(np.eye(3), mask=True),
    "objects": np.array([["1"] * 3] * 3),
}


def square(x: Any) -> Any:
    return x**2


@pytest.mark.parametrize("matrix", MATRICES)
def test_what_is_no_matrix_is_an_error_of_its_check(matrix: str) -> None:
    value = MATRICES[matrix]
    reports = [
        api.check_hessian(f, lambda x: value, X, throw=False),
        api.check_hessian(f, lambda x: value, X, grad=g, throw=False),
        api.check_jacobian(square, lambda x: value, X, throw=False),
        api.check_jacobian(lambda x: value, lambda x: 2 * np.eye(3), X, throw=False),
        api.check_hvp(f, lambda x, v: value, X, throw=False),
        api.check_vjp(square, lambda x, u: value, X, throw=False),
    ]
    if matrix == "three axes":  # of other sizes than a function's values may have
        del reports[3]
    assert {report.verdict for report in reports} == {Verdict.ERROR}
    assert all("\n" not in report.headline for report in reports)


@pytest.mark.parametrize("matrix", ["no shape", "no columns", "a Mock", "three axes"])
def test_what_is_no_pattern_is_refused(matrix: str) -> None:
    with pytest.raises(api.GradcheckError) as caught:
        api.check_jacobian(square, lambda x: np.diag(2 * x), X, sparsity=MATRICES[matrix])
    assert "the sparsity pattern" in str(caught.value)


@pytest.mark.parametrize("matrix", ["complex", "no numbers", "a Mock", "ragged", "masked", "objects"])
def test_what_is_no_term_is_refused(matrix: str) -> None:
    for term in (MATRICES[matrix], lambda x: MATRICES[matrix]):
        if callable(term) and isinstance(term, mock.Mock):
            continue
        with pytest.raises(api.UsageError, match="suspect ridge"):
            api.check_gradient(f, lambda x: 3 * x, X, suspects={"ridge": term})


def test_what_refuses_its_numbers_away_from_the_point_is_no_value_there() -> None:
    report = api.check_gradient(lambda x: f(x) if x[0] == 0.5 else Raising(), g, X, throw=False)
    assert report.verdict is Verdict.INCONCLUSIVE


def test_an_executor_that_does_not_say_how_many_it_has_is_used() -> None:
    assert api.check_gradient(f, g, X, executor=Executor()).verdict is Verdict.PASS
