from __future__ import annotations

import functools
import math
from pathlib import Path

import numba
import numpy as np
import pytest

from gradcheck.evaluation.sources import describe


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def plain(x):  # line: plain
    return x


@decorated
@functools.lru_cache
def wrapped(x):  # line: wrapped
    return x


jitted = numba.njit(plain)


class Model:
    def __init__(self, scale=1.0):  # line: __init__
        self.scale = scale

    def value(self, x):  # line: value
        return self.scale * x

    @staticmethod
    def static(x):  # line: static
        return x

    def __call__(self, x):  # line: __call__
        return self.value(x)


class AnswersToAll:
    def __getattr__(self, name):
        return lambda *args: name

    def __call__(self, x):  # line: answers
        return x


short = lambda x: x  # noqa: E731  # line: short


def line_of(mark):
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# line: {mark}"))


@pytest.mark.parametrize(
    ("function", "mark", "name"),
    [
        (plain, "plain", "plain"),
        (wrapped, "wrapped", "wrapped"),
        (jitted, "plain", "plain"),
        (short, "short", "<lambda>"),
        (Model().value, "value", "Model.value"),
        (Model.static, "static", "Model.static"),
        (Model(), "__call__", "Model.__call__"),
        (Model, "__init__", "Model"),
        (functools.partial(Model().value), "value", "partial(Model.value)"),
        (functools.partial(jitted), "plain", "partial(plain)"),
        (AnswersToAll(), "answers", "AnswersToAll.__call__"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_name_file_and_line_are_those_of_the_definition(function, mark, name):
    target = describe(function)
    assert (target.name, target.file, target.line) == (name, __file__, line_of(mark))


def test_a_given_name_replaces_the_own_one():
    assert describe(plain, "module:plain").name == "module:plain"


def test_the_name_of_a_nested_function_is_short():
    def inner(x):
        return x

    assert describe(inner).name == "inner"


@pytest.mark.parametrize("function", [math.sin, np.add, functools.partial(np.add, 1.0), eval("lambda x: x")])
def test_what_no_file_defines_has_a_name_only(function):
    target = describe(function)
    assert target.name
    assert (target.file, target.line) == (None, None)


def test_a_circle_of_wrappers_ends():
    def first(x):
        return x

    first.__wrapped__ = first
    assert describe(first).name == "first"


def test_nothing_is_called():
    def explosive(x):
        raise AssertionError

    class Explosive:
        @property
        def py_func(self):
            raise AssertionError

        __call__ = explosive

    assert describe(Explosive()).line == explosive.__code__.co_firstlineno
