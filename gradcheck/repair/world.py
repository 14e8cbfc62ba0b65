"""Private copies of functions and of all that they use, so that nothing of the user's is ever changed."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from gradcheck.repair.program import Routine
from gradcheck.repair.purity import Purity, global_names
from gradcheck.repair.source import MISSING, compiled, plain, unwrap
from gradcheck.repair.values import kept
from gradcheck.variables.arrays import framework_of


class World:
    """Private copies of functions and of the values that they use; data are read-only."""

    def __init__(self, purity: Purity) -> None:
        self.purity = purity
        self.routines: dict[int, Routine] = {}
        self._values: dict[int, tuple[Any, Any]] = {}

    def call(self, user_call: Any) -> tuple[Callable[..., Any], Routine]:
        """A callable of the user's around a private copy of the function at its heart, and that copy."""
        wrapped = unwrap(user_call)
        self.purity.admit(wrapped.function, wrapped.receiver)
        routine = self.routine(wrapped.function)
        return wrapped.rebuild(routine.made), routine

    def routine(self, function: FunctionType) -> Routine:
        """The private copy of a function that has passed."""
        known = self.routines.get(id(function))
        if known is not None:
            return known
        definition = self.purity.definitions[id(function)]
        tree = plain(definition.node)
        namespace: dict[str, Any] = {"__builtins__": __builtins__, "__name__": "patch"}
        code = next(c for c in compiled(tree, (), definition.file).co_consts if isinstance(c, CodeType))
        made = FunctionType(code, namespace, definition.name)
        routine = self.routines[id(function)] = Routine(definition, tree, made, namespace, code)
        made.__defaults__ = self.value(function.__defaults__)
        made.__kwdefaults__ = self.value(function.__kwdefaults__)
        for name in sorted(global_names(definition.code) | set(definition.code.co_freevars)):
            value = definition.lookup(name)
            if value is not MISSING:
                namespace[name] = self.value(value)
        return routine

    def value(self, value: Any) -> Any:
        """A private copy of a value."""
        known = self._values.get(id(value))
        if known is not None:
            return known[1]
        made = self._copied(value)
        self._values[id(value)] = (value, made)
        return made

    def _copied(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, np.ndarray):
            made = np.array(value, subok=True)
            made.flags.writeable = False
            return made
        if framework_of(value) is not None:
            return kept(value)
        if kind is list or kind is tuple or kind is set or kind is frozenset:
            return kind(self.value(item) for item in value)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return kind(*(self.value(item) for item in value))
        if kind is dict:
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, FunctionType):
            return self.routine(value).made if id(value) in self.purity.definitions else value
        compiled_from = getattr(value, "py_func", None) if "numba" in kind.__module__ else None
        if isinstance(compiled_from, FunctionType) and id(compiled_from) in self.purity.definitions:
            return self.routine(compiled_from).made
        if isinstance(value, functools.partial):
            keywords = {key: self.value(item) for key, item in value.keywords.items()}
            return functools.partial(self.value(value.func), *map(self.value, value.args), **keywords)
        if isinstance(value, np.vectorize):
            another: Any = copy.copy(value)
            another.pyfunc = self.value(value.pyfunc)
            return another
        if isinstance(value, MethodType):
            return MethodType(self.value(value.__func__), self.value(value.__self__))
        if isinstance(value, ModuleType) or (callable(value) and not hasattr(value, "__dict__")):
            return value
        if id(kind) in self.purity.classes:
            return copy.deepcopy(value)
        return value

    def share_names(self, *others: FunctionType) -> None:
        """Let each routine reach what the others of its module reach: data, helpers and modules.

        others: functions that have not passed, whose numbers and arrays may be named as well.
        """
        shared: dict[int, dict[str, Any]] = {}
        for function in others:
            values = {name: function.__globals__.get(name) for name in global_names(function.__code__)}
            data = {name: self.value(v) for name, v in values.items() if _is_data(v)}
            shared.setdefault(id(function.__globals__), {}).update(data)
        for routine in self.routines.values():
            free = set(routine.definition.code.co_freevars)
            own = shared.setdefault(id(routine.definition.function.__globals__), {})
            own.update((k, v) for k, v in routine.namespace.items() if not k.startswith("__") and k not in free)
        for routine in self.routines.values():
            for name, value in shared[id(routine.definition.function.__globals__)].items():
                if name not in routine.locals:
                    routine.namespace.setdefault(name, value)

    def numbers(self) -> list[tuple[list[dict[str, Any]], str, float]]:
        """The numbers with a point that routines reach by name: (namespaces, name, value)."""
        found: dict[tuple[int, str], tuple[list[dict[str, Any]], str, float]] = {}
        for routine in self.routines.values():
            free = routine.definition.code.co_freevars
            for name, value in routine.namespace.items():
                if isinstance(value, (float, np.floating)):
                    place = (
                        id(routine.definition.function) if name in free else id(routine.definition.function.__globals__)
                    )
                    found.setdefault((place, name), ([], name, float(value)))[0].append(routine.namespace)
        return list(found.values())


def _is_data(value: Any) -> bool:
    return type(value) in (int, float, np.ndarray) or framework_of(value) is not None
