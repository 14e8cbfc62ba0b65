"""Whether a function provably computes, and nothing else: the only code that is ever edited and run out of turn.

A function passes if all that it names is of permitted kinds, by induction: numbers, text, arrays and containers of them;
functions of mathematics that neither read nor write anything; functions and classes written in Python that pass themselves.
What such values are combined to by operators, subscripts, known attributes and known methods is of a permitted kind again.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import dis
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from gradcheck.repair.source import INSTALLED, MISSING, Definition, NoSource, definition_of
from gradcheck.repair.vocabulary import (
    ATTRIBUTES,
    BUILTINS,
    CONTEXTS,
    DENIED,
    FORBIDDEN,
    MODULES,
    MOST_ITEMS,
    NEVER,
    ROOTS,
    SCIENCE,
)


class Impure(Exception):  # no error: an answer
    """Code that cannot be shown to compute only.  `reason` completes "it …"; `file` and `line` say where."""

    def __init__(self, reason: str, file: str = "", line: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.file, self.line = reason, file, line


@dataclass(eq=False)
class Purity:
    """The functions found on the way through some code that passes, each by the id of its function object."""

    definitions: dict[int, Definition] = field(default_factory=dict)
    classes: dict[int, type] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)  # attributes of the user's classes
    _used: list[tuple[str, Definition, int]] = field(default_factory=list)
    _seen: dict[int, Any] = field(default_factory=dict)

    def admit(self, function: FunctionType, receiver: Any = None) -> Definition:
        """The definition of a function that passes, with all that it calls.

        receiver: the object that it is a method of.

        Raises:
            Impure: it does not pass.
            NoSource: its source cannot be read.
        """
        definition = self._function(function)
        if receiver is not None:
            self._value(receiver, definition, definition.line, type(receiver).__name__)
        for name, user, line in self._used:
            if name not in ATTRIBUTES and name not in self.own:
                raise Impure(f"uses .{name}, of which nothing is known", user.file, line)
        self._used.clear()
        return definition

    # ---- code

    def _function(self, function: FunctionType) -> Definition:
        known = self.definitions.get(id(function))
        if known is not None:
            return known
        definition = definition_of(function)
        self.definitions[id(function)] = definition
        outer = global_names(definition.code) | set(definition.code.co_freevars)
        names = {name: definition.lookup(name) for name in sorted(outer)}
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._value(default, definition, definition.line, "a default")
        method = definition.first_parameter if definition.is_method else None
        _Walk(self, definition, names, method).visit_body()
        return definition

    def use(self, name: str, user: Definition, line: int) -> None:
        """An attribute of a value: to be looked at when all classes are known."""
        self._used.append((name, user, line))

    # ---- values

    def _value(self, value: Any, user: Definition, line: int, name: str) -> None:
        """Raises `Impure` unless a value is of a permitted kind."""
        if id(value) in self._seen:
            return
        self._seen[id(value)] = value
        kind = type(value)
        if value is None or value is Ellipsis or issubclass(kind, (int, float, complex, str, np.generic, np.dtype)):
            return
        if issubclass(kind, np.ndarray) and kind.__module__.partition(".")[0] == "numpy":
            if value.dtype.hasobject:
                raise Impure(f"uses {name}, an array of objects", user.file, line)
            if issubclass(kind, np.memmap):
                raise Impure(f"uses {name}, a file in memory", user.file, line)
            return
        if kind in (list, tuple, set, frozenset, dict, slice, range) or (
            kind.__bases__ == (tuple,) and hasattr(kind, "_fields")
        ):
            self.own |= set(getattr(kind, "_fields", ()))
            for item in _items(value):
                self._value(item, user, line, name)
            return
        if issubclass(kind, ModuleType):
            raise Impure(f"hands the module {value.__name__} on", user.file, line)
        if issubclass(kind, functools.partial):
            for item in (value.func, *value.args, *value.keywords.values()):
                self._value(item, user, line, name)
            return
        if issubclass(kind, np.vectorize):
            self._value(value.pyfunc, user, line, name)
            return
        if issubclass(kind, MethodType):
            self._value(value.__self__, user, line, name)
            self._value(value.__func__, user, line, name)
            return
        if issubclass(kind, FunctionType) and not mathematical(value):
            if is_installed(value):
                raise Impure(f"uses {name}", user.file, line)
            self._function(value)
            return
        compiled = getattr(value, "py_func", None) if "numba" in kind.__module__ else None
        if isinstance(compiled, FunctionType):
            self._function(compiled)
            return
        if mathematical(value) or (callable(value) and kind is BuiltinFunctionType and _pure_builtin(value)):
            return
        if issubclass(kind, type):
            if value.__module__ == "builtins" and value.__name__ in BUILTINS:
                return
            self._class(value, user, line)
            return
        if kind.__module__.partition(".")[0] in SCIENCE:
            if "random" in kind.__module__ or callable(value):  # what may be called has been let pass above
                raise Impure(f"uses {name}", user.file, line)
            return  # a sparse array, a tensor
        self._class(kind, user, line)
        own = getattr(value, "__dict__", {})
        self.own |= set(own)
        for item in list(own.values()):
            self._value(item, user, line, name)

    def _class(self, kind: type, user: Definition, line: int) -> None:
        """Raises `Impure` unless all that a class of the user's defines passes."""
        if id(kind) in self.classes:
            return
        self.classes[id(kind)] = kind
        if type(kind) is not type or any(
            base.__module__ != "builtins" and not base.__dict__ for base in kind.__bases__
        ):
            raise Impure(f"uses the class {kind.__name__}, which is no plain class", user.file, line)
        if kind.__module__ in ("builtins", *sys.stdlib_module_names):
            raise Impure(f"uses {kind.__name__}, of which nothing is known", user.file, line)
        for base in kind.__bases__:
            if base is not object:
                self._class(base, user, line)
        made = dataclasses.is_dataclass(kind)
        for name, value in list(vars(kind).items()):
            if name in (
                "__del__",
                "__getattribute__",
                "__setattr__",
                "__reduce__",
                "__reduce_ex__",
                "__deepcopy__",
                "__copy__",
            ):
                raise Impure(f"uses the class {kind.__name__}, which defines {name}", user.file, line)
            self.own.add(name)
            value = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
            for function in (value.fget, value.fset) if isinstance(value, property) else (value,):
                if isinstance(function, FunctionType):
                    if made and (function.__code__.co_filename == "<string>" or is_installed(function)):
                        continue  # what dataclass has written
                    self._function(function)
        self.own |= set(getattr(kind, "__annotations__", {}))


class _Walk(ast.NodeVisitor):
    """Goes through the syntax tree of one function."""

    def __init__(self, purity: Purity, definition: Definition, names: dict[str, Any], method: str | None) -> None:
        self.purity, self.definition, self.names, self.method = purity, definition, names, method

    def visit_body(self) -> None:
        node = self.definition.node
        for child in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(child)

    def impure(self, reason: str, node: ast.AST) -> Impure:
        return Impure(reason, self.definition.file, getattr(node, "lineno", self.definition.line))

    def generic_visit(self, node: ast.AST) -> None:
        for kind, reason in FORBIDDEN.items():
            if isinstance(node, kind):
                raise self.impure(reason, node)
        super().generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> None:
        for default in (*node.defaults, *(d for d in node.kw_defaults if d is not None)):
            self.visit(default)  # annotations are not evaluated in the copy that runs

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.decorator_list:
            raise self.impure(f"decorates {node.name} inside", node)
        self.visit(node.args)
        for child in node.body:
            self.visit(child)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            call = item.context_expr
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in CONTEXTS):
                raise self.impure("enters a context", node)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id not in self.names:
            return  # a local one
        value = self.names[node.id]
        if value is MISSING:
            if hasattr(builtins, node.id) and node.id not in BUILTINS:
                raise self.impure(f"calls {node.id}", node)
            return
        self.purity._value(value, self.definition, getattr(node, "lineno", 0), node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain = list(_chain(node))
        root = chain[-1]
        value = self.names.get(root.id, MISSING) if isinstance(root, ast.Name) else MISSING
        if isinstance(value, ModuleType):
            self._of_module(value, [a for a in reversed(chain[:-1]) if isinstance(a, ast.Attribute)])
            return
        if not isinstance(node.ctx, ast.Load) and not (
            isinstance(node.value, ast.Name) and node.value.id == self.method
        ):
            raise self.impure(f"writes the attribute .{node.attr}", node)
        if node.attr.startswith("__") or node.attr in NEVER:
            raise self.impure(f"uses .{node.attr}", node)
        if not isinstance(node.ctx, ast.Load):
            self.purity.own.add(node.attr)
        self.purity.use(node.attr, self.definition, node.lineno)
        self.visit(node.value)

    def _of_module(self, value: Any, attributes: list[ast.Attribute]) -> None:
        """A dotted name that begins with a module: what it stands for."""
        name = value.__name__
        for k, node in enumerate(attributes):
            if isinstance(value, ModuleType) and value.__name__ not in MODULES:
                helper = vars(value).get(node.attr)
                if isinstance(helper, (FunctionType, int, float, np.ndarray)) and not mathematical(helper):
                    if not isinstance(node.ctx, ast.Load):
                        raise self.impure(f"writes {name}.{node.attr}", node)
                    self.purity._value(helper, self.definition, node.lineno, f"{name}.{node.attr}")
                    for rest in attributes[k + 1 :]:
                        self.purity.use(rest.attr, self.definition, rest.lineno)
                    return
                raise self.impure(f"uses {name}.{node.attr}", node)
            name = f"{name}.{node.attr}"
            inner = not isinstance(value, ModuleType) and node.attr not in ATTRIBUTES
            if (
                inner
                or node.attr.startswith(("_", "set_"))
                or node.attr in DENIED
                or node.attr in NEVER
                or not isinstance(node.ctx, ast.Load)
            ):
                raise self.impure(f"uses {name}", node)
            try:
                value = getattr(value, node.attr)
            except AttributeError:
                raise self.impure(f"uses {name}, which does not exist", node) from None
            if not isinstance(value, ModuleType) and isinstance(value, FunctionType) and not mathematical(value):
                raise self.impure(f"uses {name}", node)
        if isinstance(value, ModuleType):
            raise self.impure(f"hands the module {name} on", attributes[-1])


def is_installed(function: FunctionType) -> bool:
    """Whether a function belongs to an installed library."""
    return function.__code__.co_filename.startswith(INSTALLED)


def mathematical(value: Any) -> bool:
    """Whether something belongs to a module of mathematics and may be called."""
    kind = type(value)
    own = kind.__module__.partition(".")[0]
    named = issubclass(kind, (FunctionType, BuiltinFunctionType, type))
    if not named and own not in SCIENCE:
        return False  # an object of anybody's is asked for nothing
    if kind is FunctionType and not is_installed(value):
        return False  # whatever it says of itself
    home = getattr(value, "__module__", None)
    if home is None:  # a ufunc, a method of one
        home = type(getattr(value, "__self__", value)).__module__
    return (
        str(home).partition(".")[0].lstrip("_") in ROOTS
        and callable(value)
        and getattr(value, "__name__", "") not in DENIED
        and "random" not in str(home)
    )


def _pure_builtin(value: Callable[..., Any]) -> bool:
    return value.__module__ == "builtins" and value.__name__ in BUILTINS


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, range):
        return
    if isinstance(value, slice):
        yield from (value.start, value.stop, value.step)
        return
    if len(value) > MOST_ITEMS and all(isinstance(item, (int, float)) for item in value):
        return
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    else:
        yield from value


def _chain(node: ast.expr) -> Iterator[ast.expr]:
    """a.b.c, a.b, a."""
    yield node
    while isinstance(node, ast.Attribute):
        node = node.value
        yield node


def global_names(code: CodeType) -> set[str]:
    """The names that some code, and the functions in it, load as globals."""
    names = {str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= global_names(constant)
    return names


__all__ = ["MISSING", "Impure", "NoSource", "Purity", "mathematical"]
