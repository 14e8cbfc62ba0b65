"""Classes of extension modules, whose methods have no code to exchange: one that inherits them stands in for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any


def is_compiled(function: Any) -> bool:
    """Whether something is a function, and none that Python compiled."""
    return callable(function) and not isinstance(function, (FunctionType, staticmethod, classmethod))


def inheriting(kind: type, names: Iterable[str]) -> type:
    """A class like `kind`, of the same name, whose methods of these names are Python's; they call those of `kind`."""
    own: dict[str, Any] = {name: _calling(kind, name) for name in names}
    own |= {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind)(kind.__name__, (kind,), own)


def _calling(kind: type, name: str) -> Callable[..., Any]:
    inner = getattr(kind, name)

    def method(self, *args, **kwargs):  # type: ignore[no-untyped-def]  # its code is exchanged for ours
        return inner(self, *args, **kwargs)

    method.__name__, method.__qualname__ = name, f"{kind.__qualname__}.{name}"
    return method


def replace_everywhere(old: type, new: type) -> None:
    """Let all names of modules that mean one class mean another."""
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType):
            for name, value in list(vars(module).items()):
                if value is old:
                    setattr(module, name, new)
