"""The source of a callable as a syntax tree, and the callable made again from a changed one.  Nothing of the user's is called."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import linecache
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any

from gradcheck.evaluation.claims import Wrapper

MISSING: Any = type("Missing", (), {})()  # the value of a name that has none
MOST_TEXT = 2_000_000  # characters of a file that are read
INSTALLED = tuple(path for key in ("stdlib", "purelib", "platlib") if (path := sysconfig.get_path(key)))


class NoSource(Exception):  # no error: an answer
    """The source of a callable cannot be read, or is not what runs.  The message completes "it …"."""


@dataclass(frozen=True, eq=False)
class Definition:
    """A function as it is written.

    node: of its file's tree; its line numbers are those of the file.
    text: of the file, in lines.
    code: what runs.
    """

    function: FunctionType
    node: ast.FunctionDef | ast.Lambda
    file: str
    text: tuple[str, ...]
    is_method: bool

    @property
    def code(self) -> CodeType:
        """What runs."""
        return self.function.__code__

    @property
    def name(self) -> str:
        """As it was defined."""
        return self.function.__name__

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.node.lineno

    @property
    def editable(self) -> bool:
        """Whether it is the user's own, not that of an installed library."""
        return not self.file.startswith(INSTALLED)

    @property
    def parameters(self) -> list[str]:
        """The names of its parameters, in order."""
        a = self.node.args
        return [p.arg for p in (*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs)]

    @property
    def first_parameter(self) -> str | None:
        """The name of the first parameter: `self`, of a method."""
        return next(iter(self.parameters), None)

    def lookup(self, name: str) -> Any:
        """The value of a name that is not local: from the closure or the module; `MISSING` of purity if it is a builtin's."""
        if name in self.code.co_freevars:
            cell = (self.function.__closure__ or ())[self.code.co_freevars.index(name)]
            try:
                return cell.cell_contents
            except ValueError:
                return MISSING
        return self.function.__globals__.get(name, MISSING)


def definition_of(function: FunctionType) -> Definition:
    """Where and how a function is written.

    Raises:
        NoSource: it cannot be read, is not found, or has been changed since it was loaded.
    """
    code = function.__code__
    lines = tuple(linecache.getlines(code.co_filename, function.__globals__))
    if not lines:
        raise NoSource(f"has no source that could be read ({code.co_filename})")
    text = "".join(lines)
    if len(text) > MOST_TEXT:
        raise NoSource("stands in too large a file")
    _, parents = _parsed(text)
    found: list[ast.FunctionDef | ast.Lambda] = []
    for node in parents:
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == code.co_firstlineno:
                found.append(node)
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
            found.append(node)
    found = [node for node in found if _same(node, code)]
    if len(found) > 1:
        inner = [p for p in code.co_positions() if p[0] is not None and p[2] is not None and p[0] != 0]
        low = min((p[0], p[2]) for p in inner[1:] or inner)
        found = [node for node in found if _begin(node) <= low <= _end(node)] or found
        found.sort(key=lambda node: (_end(node)[0] - _begin(node)[0], _end(node)[1] - _begin(node)[1]))
    if not found:
        raise NoSource(
            "is not what its file says now: the file has changed since it was loaded, or the function was made"
        )
    node = found[0]
    method = isinstance(parents.get(node), ast.ClassDef)
    return Definition(function, node, code.co_filename, tuple(line.rstrip("\r\n") for line in lines), method)


def _begin(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _same(node: ast.FunctionDef | ast.Lambda, code: CodeType) -> bool:
    """Whether a node is the source of some code, as far as names tell (assertions may have been rewritten)."""
    inner = _compiled(node, code.co_freevars)
    if inner is None:
        return False
    if any(isinstance(part, ast.Assert) for part in ast.walk(node)):
        return inner.co_varnames[: inner.co_argcount] == code.co_varnames[: code.co_argcount]
    return (inner.co_names, inner.co_varnames) == (code.co_names, code.co_varnames) and _plain(inner) == _plain(code)


def _plain(code: CodeType) -> list[Any]:
    constants: list[Any] = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            constants.append(_plain(constant))
        elif not isinstance(constant, str) and constant is not None:
            constants.append(repr(constant))
    return constants


def _compiled(node: ast.FunctionDef | ast.Lambda, free: tuple[str, ...]) -> CodeType | None:
    try:
        return next(c for c in compiled(plain(node), free, "<patch>").co_consts if isinstance(c, CodeType))
    except (SyntaxError, ValueError, StopIteration):
        return None


def plain(node: ast.FunctionDef | ast.Lambda) -> ast.FunctionDef:
    """The function without decorators, annotations and defaults (it gets their values), as a definition."""
    if isinstance(node, ast.Lambda):
        body: list[ast.stmt] = [ast.copy_location(ast.Return(node.body), node.body)]
        name = "_lambda"
    else:
        body, name = node.body, node.name
    old = node.args

    def bare(p: ast.arg) -> ast.arg:
        made = ast.arg(p.arg)
        return ast.copy_location(made, p)

    arguments = ast.arguments(
        posonlyargs=[bare(p) for p in old.posonlyargs],
        args=[bare(p) for p in old.args],
        vararg=bare(old.vararg) if old.vararg else None,
        kwonlyargs=[bare(p) for p in old.kwonlyargs],
        kw_defaults=[None] * len(old.kwonlyargs),
        kwarg=bare(old.kwarg) if old.kwarg else None,
        defaults=[],
    )
    made = ast.FunctionDef(name=name, args=arguments, body=body, decorator_list=[], returns=None, type_comment=None)
    if "type_params" in ast.FunctionDef._fields:
        made.type_params = []  # type: ignore[attr-defined]
    return ast.copy_location(made, node)


def compiled(node: ast.FunctionDef, free: tuple[str, ...], file: str) -> CodeType:
    """A module that defines a function within one that has its free variables: the code of the maker is its first constant."""
    if not free:
        module = ast.Module(body=[node], type_ignores=[])
    else:
        arguments = ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])
        maker = ast.FunctionDef(
            name="_maker", args=arguments, body=[node], decorator_list=[], returns=None, type_comment=None
        )
        if "type_params" in ast.FunctionDef._fields:
            maker.type_params = []  # type: ignore[attr-defined]
        module = ast.Module(body=[ast.copy_location(maker, node)], type_ignores=[])
    if free:
        ast.fix_missing_locations(module)
    code = compile(module, file, "exec")
    return next(c for c in code.co_consts if isinstance(c, CodeType)) if free else code


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> tuple[ast.Module, dict[ast.AST, ast.AST]]:
    """The tree of a file, and the parent of each of its nodes.

    Raises:
        NoSource: it is no Python of this version.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        raise NoSource("stands in a file that is no Python") from None
    return tree, {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


# ---- callables made of functions


@dataclass(frozen=True)
class Wrapped:
    """A callable and the plain function at its heart; `rebuild` makes the same callable around another function."""

    function: FunctionType
    rebuild: Callable[[FunctionType], Callable[..., Any]]
    receiver: Any = None


def unwrap(call: Any) -> Wrapped:
    """The function at the heart of a callable: a partial, a method, a callable object, a compiled function.

    Raises:
        NoSource: there is none, or it is wrapped in a decorator that cannot be put around another.
    """
    if isinstance(call, functools.partial):
        inner, call_partial = unwrap(call.func), call
        return Wrapped(
            inner.function,
            lambda f: functools.partial(inner.rebuild(f), *call_partial.args, **call_partial.keywords),
            inner.receiver,
        )
    if isinstance(call, Wrapper):
        inner, wrapper = unwrap(call.inner), call
        return Wrapped(inner.function, lambda f: wrapper.around(inner.rebuild(f)), inner.receiver)
    if isinstance(call, MethodType) and isinstance(call.__func__, FunctionType):
        return Wrapped(call.__func__, lambda f: _Bound(f, call.__self__), call.__self__)
    if isinstance(call, FunctionType):
        if getattr(call, "__wrapped__", None) is not None:
            raise NoSource(f"is wrapped in a decorator ({call.__name__})")
        return Wrapped(call, lambda f: f)
    compiled_from = inspect.getattr_static(call, "py_func", None)
    if compiled_from is not None and isinstance(call.py_func, FunctionType):
        return Wrapped(call.py_func, lambda f: f)
    method = inspect.getattr_static(type(call), "__call__", None)
    if isinstance(method, FunctionType):
        return Wrapped(method, lambda f: _Bound(f, call), call)
    raise NoSource("is not written in Python")


class _Bound:
    """A function as a method of a copy of an object, a fresh one for each call."""

    def __init__(self, function: FunctionType, receiver: Any) -> None:
        self.function, self.receiver = function, receiver

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(copy.copy(self.receiver), *arguments, **keywords)
