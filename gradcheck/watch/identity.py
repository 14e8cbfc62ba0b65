"""What makes two callables the same to a watch: their code, what it closes over, and the class of what it is bound to.

A program makes the same lambda thousands of times, around other data each time; and one method serves classes whose derivatives
have nothing in common.  Numbers that may be sizes or switches are looked at, data are not: small integers, flags, short texts.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
from collections.abc import Hashable, Iterable
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

SMALL = 8  # integers up to this size are options, not data
SHORT = 40  # characters of a text that is one
DEEP = 4  # callables around callables that are looked through
MOST = 30  # attributes of an object that are looked at


def identity(thing: Any, depth: int = DEEP) -> Hashable:
    """A nested tuple of texts and numbers, the same in every run of the same program."""
    if depth < 0:
        return "…"
    if isinstance(thing, functools.partial):
        named = tuple((key, identity(value, depth - 1)) for key, value in sorted(thing.keywords.items()))
        return "partial", identity(thing.func, depth), *(identity(value, depth - 1) for value in thing.args), named
    if isinstance(thing, MethodType):
        return "method", identity(thing.__func__, depth), _object(thing.__self__, depth - 1)
    if isinstance(thing, FunctionType):
        cells = tuple(identity(value, depth - 1) for value in _contents(thing))
        more = tuple(identity(value, depth - 1) for value in thing.__defaults__ or ())
        wrapped = thing.__dict__.get("__wrapped__")
        return (
            "function",
            thing.__module__,
            _code(thing.__code__),
            cells,
            more,
            None if wrapped is None else identity(wrapped, depth - 1),
        )
    if thing is None or isinstance(thing, (bool, str, int)):
        return _option(thing)
    if isinstance(thing, type):
        return "class", thing.__module__, thing.__qualname__
    if isinstance(thing, ModuleType):
        return "module", thing.__name__
    if isinstance(thing, (tuple, list)):
        return type(thing).__name__, *(identity(value, depth - 1) for value in thing[:SMALL])
    if isinstance(thing, dict):
        return "dict", *((str(key)[:SHORT], identity(value, depth - 1)) for key, value in list(thing.items())[:SMALL])
    return _object(thing, depth - 1)


def _contents(function: FunctionType) -> Iterable[Any]:
    """What a function closes over."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not yet assigned
            yield None


@functools.lru_cache(maxsize=4096)
def _code(code: CodeType) -> Hashable:
    inner = hashlib.sha1(code.co_code, usedforsecurity=False)
    for constant in code.co_consts:
        inner.update(repr(_code(constant) if isinstance(constant, CodeType) else constant).encode("utf-8", "replace"))
    inner.update(repr(code.co_names).encode("utf-8", "replace"))
    return code.co_filename, code.co_firstlineno, code.co_qualname, inner.hexdigest()


def _object(thing: Any, depth: int) -> Hashable:
    """An object by its class, and by the options among its attributes."""
    kind = type(thing)
    named = "object", kind.__module__, kind.__qualname__
    if isinstance(thing, type):
        return "class", thing.__module__, thing.__qualname__
    ndim = getattr(thing, "ndim", None) if kind.__module__.split(".")[0] in ("numpy", "scipy", "torch", "jax") else None
    if ndim is not None:
        return *named, str(ndim)
    own = vars(thing) if "__dict__" in dir(kind) else {}
    options = []
    for name in sorted(own)[:MOST]:
        value = own[name]
        if isinstance(value, (bool, str)) or (isinstance(value, int) and abs(value) <= SMALL):
            options.append((name, _option(value)))
        elif depth >= 0 and isinstance(value, (FunctionType, MethodType, functools.partial)):
            if getattr(value, "__self__", None) is not thing:
                options.append((name, identity(value, depth - 1)))
        elif not isinstance(value, (int, float, complex)):
            options.append((name, f"{type(value).__module__}.{type(value).__qualname__}"))
    return *named, tuple(options)


def _option(value: Any) -> Hashable:
    if isinstance(value, str):
        return value if len(value) <= SHORT else f"text of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > SMALL:
        return "int"
    return value


def digest(*parts: Hashable) -> str:
    """A short text for what several identities make together."""
    return hashlib.sha1(repr(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def sources(*parts: Hashable) -> str:
    """A short text for the contents of all files that identities name: what was right holds until one of them changes."""
    files: set[str] = set()
    modules: set[str] = set()

    def collect(part: Any) -> None:
        if isinstance(part, tuple):
            for inner in part:
                collect(inner)
        elif isinstance(part, str):
            (files if part.endswith(".py") else modules).add(part)

    collect(parts)
    files |= {str(getattr(sys.modules[name], "__file__", "")) for name in modules & sys.modules.keys()}
    return digest(*sorted(_content(file) for file in files if file.endswith(".py")))


@functools.lru_cache(maxsize=4096)
def _content(file: str) -> str:
    try:
        with open(file, "rb") as stream:
            return file + hashlib.sha1(stream.read(), usedforsecurity=False).hexdigest()
    except OSError:
        return file


def reason_against(derivative: Any) -> str | None:
    """Why a callable is no derivative, as `not_a_derivative` was told; None if nobody has said so."""
    for _ in range(DEEP * 5):
        reason = inspect.getattr_static(derivative, MARK, None)
        if isinstance(reason, str):
            return reason
        if isinstance(derivative, functools.partial):
            derivative = derivative.func
        elif isinstance(derivative, MethodType):
            derivative = derivative.__func__
        elif (inner := inspect.getattr_static(derivative, "__wrapped__", None)) is not None:
            derivative = inner
        else:
            break
    return None


MARK = "__gradcheck_not_a_derivative__"
