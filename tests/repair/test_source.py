"""The source of callables, found again, and callables made again around another function."""

from __future__ import annotations

import functools
import linecache
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from gradcheck.evaluation.claims import Item
from gradcheck.repair.source import NoSource, definition_of, unwrap

double = lambda x: 2 * x  # noqa: E731
pair = (lambda x: 2 * x, lambda x: 3 * x)


def plain(x: Any, scale: float = 2.0) -> Any:
    """Twice."""
    return scale * x


class Model:
    def __init__(self) -> None:
        self.scale = 2.0

    def grad(self, x: Any) -> Any:
        return self.scale * x

    def __call__(self, x: Any) -> Any:
        return self.scale * x


def outer(scale: float) -> Any:
    def inner(x: Any) -> Any:
        return scale * x

    return inner


@numba.njit
def compiled(x: Any) -> Any:
    return 2 * x


def wrapping(f: Any) -> Any:
    @functools.wraps(f)
    def wrapper(x: Any) -> Any:
        return f(x)

    return wrapper


@wrapping
def wrapped(x: Any) -> Any:
    return 2 * x


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (plain, "def plain(x: Any, scale: float = 2.0) -> Any:"),
        (double, "double = lambda x: 2 * x  # noqa: E731"),
        (functools.partial(plain, scale=3.0), "def plain(x: Any, scale: float = 2.0) -> Any:"),
        (Model().grad, "    def grad(self, x: Any) -> Any:"),
        (Model(), "    def __call__(self, x: Any) -> Any:"),
        (outer(2.0), "    def inner(x: Any) -> Any:"),
        (compiled, "def compiled(x: Any) -> Any:"),
        (Item(plain, 1), "def plain(x: Any, scale: float = 2.0) -> Any:"),
    ],
    ids=["function", "lambda", "partial", "method", "object", "closure", "compiled", "of a pair"],
)
def test_the_function_at_the_heart_of_a_callable(call: Any, line: str) -> None:
    definition = definition_of(unwrap(call).function)
    assert definition.file == __file__
    assert definition.text[definition.line - 1] == line


def test_two_lambdas_in_a_line_are_told_apart() -> None:
    columns = [definition_of(unwrap(call).function).node.col_offset for call in pair]
    assert columns[0] < columns[1]


@pytest.mark.parametrize("call", [functools.partial(plain, scale=3.0), Model().grad, Model(), plain])
def test_the_same_callable_around_another_function(call: Any) -> None:
    original = unwrap(call)
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(original.rebuild(original.function)(x), call(x))


def test_an_object_is_not_changed_by_its_method() -> None:
    class Counting:
        calls = 0

        def grad(self, x: Any) -> Any:
            self.calls += 1
            return x

    thing = Counting()
    again = unwrap(thing.grad)
    again.rebuild(again.function)(np.ones(2))
    assert thing.calls == 0


@pytest.mark.parametrize("call", [np.sin, len, wrapped], ids=["ufunc", "builtin", "decorated"])
def test_what_has_no_source_or_cannot_be_made_again(call: Any) -> None:
    with pytest.raises(NoSource):
        unwrap(call)


def test_a_file_that_has_changed_is_not_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "changing.py"
    file.write_text("def g(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    import changing  # type: ignore[import-not-found]

    assert definition_of(changing.g)
    file.write_text("def g(x):\n    return 3 * y\n")
    linecache.checkcache(str(file))
    with pytest.raises(NoSource, match="changed since it was loaded"):
        definition_of(changing.g)
