"""Where a callable is written: its name, file and line, whatever it is wrapped in.  Nothing of the user's is called."""

from __future__ import annotations

import contextlib
import functools
import inspect
import linecache
import sys
from types import CodeType, FunctionType
from typing import Any

from gradcheck.model import Target


def describe(function: Any, name: str | None = None) -> Target:
    """Return the name, file and line of any callable.

    Looks through ``functools.partial``, ``functools.wraps``, bound methods, Numba dispatchers (by their ``py_func``),
    classes and callable objects.  `name` replaces the name that the callable has itself.  File and line are None for
    what no Python source defines, such as a ufunc, and for code typed at a prompt.
    """
    if type(function) is FunctionType and not function.__dict__:  # nothing that it could be wrapped around
        return _described(function.__code__, function.__code__.co_filename, name or _name(function, function))
    inner = _unwrapped(function)
    code = _static(inner, "__code__")
    name = name or _name(function, inner)
    return _described(code, code.co_filename, name) if isinstance(code, CodeType) else Target(name=name)


@functools.lru_cache(maxsize=256)
def _described(code: CodeType, file: str, name: str) -> Target:
    """The file is told beside the code: that of two files is equal if it reads alike."""
    return Target(name=name) if _is_made_up(file) else Target(name=name, file=file, line=_def_line(code))


def importable(function: Any) -> tuple[str, str] | None:
    """The module and the path in it under which a callable can be found again; None if it cannot."""
    name = getattr(function, "__qualname__", None)
    module = sys.modules.get(str(getattr(function, "__module__", None)))
    if module is None or module.__name__ == "__main__" or not isinstance(name, str):
        return None
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)  # <locals> and <lambda> are attributes of nothing
    return (module.__name__, name) if found is function else None


def _is_made_up(file: str) -> bool:
    return file.startswith("<") and file.endswith(">")  # <stdin>, <string>


def _unwrapped(function: Any) -> Any:
    """The innermost function; a chain that does not end (`__wrapped__` in a circle) is cut."""
    for _ in range(50):
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, (staticmethod, classmethod)) or inspect.ismethod(function):
            function = function.__func__
        elif callable(wrapped := _static(function, "py_func") or _static(function, "__wrapped__")):
            function = wrapped
        elif inspect.isfunction(function) or inspect.isroutine(function):
            break
        elif inspect.isclass(function):
            function = _static(function, "__init__")
        else:
            function = _static(type(function), "__call__")
    return function


def _static(thing: Any, attribute: str) -> Any:
    if isinstance(thing, FunctionType):
        return getattr(thing, attribute, None)
    with contextlib.suppress(AttributeError):
        own = object.__getattribute__(thing, "__dict__")
        if isinstance(own, dict) and attribute in own:
            return own[attribute]
    # Not getattr: an object with its own __getattr__ may answer to every name, or compute something.
    value = inspect.getattr_static(thing, attribute, None)
    return value.__get__(thing) if inspect.isgetsetdescriptor(value) or inspect.ismemberdescriptor(value) else value


def own(thing: Any, attribute: str) -> Any:
    """An attribute, None where the user's own code, asked for it, raises."""
    try:
        return getattr(thing, attribute, None)
    except Exception:
        return None


def _name(function: Any, inner: Any) -> str:
    if isinstance(function, functools.partial):
        return f"partial({_name(function.func, inner)})"
    given = own(function, "__qualname__") or own(function, "__name__")
    if not isinstance(given, str):
        given = getattr(inner, "__qualname__", None) if inspect.isfunction(inner) else None
    name = given if isinstance(given, str) else type(function).__qualname__
    return name.rpartition("<locals>.")[2]


def _def_line(code: CodeType) -> int:
    # The first line of a decorated function is that of its decorator; a reader wants the def.
    first = code.co_firstlineno
    if code.co_name == "<lambda>":
        return first
    for line in range(first, first + 50):
        words = linecache.getline(code.co_filename, line).split(maxsplit=2)
        if words[:1] == ["def"] or words[:2] == ["async", "def"]:
            return line
    return first
