"""What has names that pair up: modules, and objects of classes, found, taken from fixtures, or made without arguments."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from gradcheck.errors import GradcheckError
from gradcheck.evaluation.attempts import attempt
from gradcheck.runner.targets import load_object

CONFTESTS = ("conftest.py", "tests/conftest.py", "test/conftest.py")
FIXTURE = "FixtureFunctionDefinition"  # the class of what @pytest.fixture makes


class Holder(NamedTuple):
    """A module or an object: what it is called, and its callables by name; or why there is no such object.

    hints: other things that it has, which may tell where its functions can be called.
    """

    name: str
    callables: Mapping[str, Callable[..., Any]]
    hints: Mapping[str, Any]
    missing: str = ""


def of_module(module: Any) -> Holder:
    """The functions that a module defines."""
    own = {
        name: value
        for name, value in vars(module).items()
        if inspect.isroutine(value) and getattr(value, "__module__", None) == module.__name__
    }
    return Holder(module.__name__, own, vars(module))


def classes_of(module: Any) -> Iterator[type]:
    """The classes that a module defines."""
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield value


def names_of(kind: type) -> list[str]:
    """The methods of a class, by their names, the inherited ones among them."""
    return [name for name in dir(kind) if callable(inspect.getattr_static(kind, name, None)) or _is_method(kind, name)]


def _is_method(kind: type, name: str) -> bool:
    return isinstance(inspect.getattr_static(kind, name, None), (staticmethod, classmethod))


def of_class(kind: type, found: Mapping[type, Any]) -> Holder:
    """An object of a class: one that was found, or one made without arguments."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    made = found.get(kind)
    if made is None:
        if inspect.isabstract(kind):
            return Holder(name, {}, {}, "the class is abstract")
        if needed := required(kind):
            return Holder(name, {}, {}, f"to make one takes {', '.join(needed)}")
        made, error = attempt(kind)
        if error:
            return Holder(name, {}, {}, f"to make one raised {error}")
    methods = {word: attempt(getattr, made, word).value for word in names_of(kind)}
    own = {**vars(kind), **getattr(made, "__dict__", {})}
    return Holder(name, {word: method for word, method in methods.items() if callable(method)}, own)


def required(function: Callable[..., Any]) -> list[str]:
    """The parameters that a call has to give; [] if that cannot be told."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in parameters if p.kind in kinds and p.default is p.empty]


def objects(modules: list[Any]) -> dict[type, Any]:
    """Objects by their class that modules hold by a name, or that fixtures make which take no argument."""
    found: dict[type, Any] = {}
    for space in [*(vars(module) for module in modules), *_conftests()]:
        for value in list(space.values()):
            if type(value).__name__ == FIXTURE:
                value = _of_fixture(value)
            if value is not None and not isinstance(value, type) and not inspect.isroutine(value):
                found.setdefault(type(value), value)
    return found


def _conftests() -> Iterator[Mapping[str, Any]]:
    for path in CONFTESTS:
        if os.path.isfile(path):
            try:
                yield load_object(f"{path}:__dict__")
            except GradcheckError:
                continue  # it is pytest's to tell


def _of_fixture(fixture: Any) -> Any:
    function = getattr(fixture, "__wrapped__", None) or getattr(fixture, "_fixture_function", None)
    if not callable(function) or required(function):
        return None
    value = attempt(function).value
    return attempt(next, value).value if inspect.isgenerator(value) else value
