"""The kinds of containers that a tree is made of: how each is taken apart, put together again, and found in an answer."""

from __future__ import annotations

import copy
import dataclasses
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Make = Callable[[Sequence[Any]], Any]
"""Puts a part of a tree together, of all leaves of the tree."""


class Container(ABC):
    """A kind of container: its children have keys, and it can be made anew of others.

    noun: for messages.
    """

    noun: str

    @abstractmethod
    def keys(self, value: Any) -> tuple[Any, ...]:
        """The keys of the children."""

    @abstractmethod
    def child(self, value: Any, key: Any) -> Any:
        """One child."""

    def path(self, owner: str, key: Any) -> str:
        """What a child is called, in a container that is called `owner`."""
        return f"{owner}.{key}" if owner else str(key)

    @abstractmethod
    def maker(self, template: Any, keys: tuple[Any, ...], children: tuple[Make, ...]) -> Make:
        """What puts a container like `template` together, from all leaves of the tree."""

    @abstractmethod
    def answered(self, value: Any, keys: tuple[Any, ...]) -> Mapping[Any, Any] | None:
        """The children of an answer that stands for such a container, by key; None if it is none."""


class Dictionary(Container):
    """A dict, or what is derived of it."""

    noun = "a dict"

    def keys(self, value: Any) -> tuple[Any, ...]:
        return tuple(value)

    def child(self, value: Any, key: Any) -> Any:
        return value[key]

    def path(self, owner: str, key: Any) -> str:
        name = isinstance(key, str) and all(part.isalnum() for part in key.replace("_", "a").split("."))
        return super().path(owner, key) if name else f"{owner}[{key!r}]"

    def maker(self, template: Any, keys: tuple[Any, ...], children: tuple[Make, ...]) -> Make:
        pairs = tuple(zip(keys, children, strict=True))
        if type(template) is dict:
            return lambda leaves: {key: child(leaves) for key, child in pairs}

        def make(leaves: Sequence[Any]) -> Any:
            new = copy.copy(template)
            for key, child in pairs:
                new[key] = child(leaves)
            return new

        return make

    def answered(self, value: Any, keys: tuple[Any, ...]) -> Mapping[Any, Any] | None:
        return value if isinstance(value, Mapping) else None


class Row(Container):
    """A list or a tuple; either may stand for the other in an answer."""

    def __init__(self, kind: type) -> None:
        self.noun = "a list" if issubclass(kind, list) else "a tuple"

    def keys(self, value: Any) -> tuple[Any, ...]:
        return tuple(range(len(value)))

    def child(self, value: Any, key: Any) -> Any:
        return value[key]

    def path(self, owner: str, key: Any) -> str:
        return f"{owner}[{key}]"

    def maker(self, template: Any, keys: tuple[Any, ...], children: tuple[Make, ...]) -> Make:
        kind = type(template)
        if kind is tuple:
            return lambda leaves: tuple([child(leaves) for child in children])
        return lambda leaves: kind([child(leaves) for child in children])

    def answered(self, value: Any, keys: tuple[Any, ...]) -> Mapping[Any, Any] | None:
        return dict(enumerate(value)) if isinstance(value, (list, tuple)) else None


class Record(Container):
    """An object with named fields: a NamedTuple or a dataclass."""

    def __init__(self, kind: type) -> None:
        self.noun = f"a {kind.__name__}"

    def keys(self, value: Any) -> tuple[Any, ...]:
        return tuple(getattr(value, "_fields", None) or (field.name for field in dataclasses.fields(value)))

    def child(self, value: Any, key: Any) -> Any:
        return getattr(value, key)

    def maker(self, template: Any, keys: tuple[Any, ...], children: tuple[Make, ...]) -> Make:
        if isinstance(template, tuple):
            new_tuple = type(template)._make  # type: ignore[attr-defined]  # of a NamedTuple
            return lambda leaves: new_tuple([child(leaves) for child in children])
        pairs, put = tuple(zip(keys, children, strict=True)), object.__setattr__  # a frozen one, too

        def make(leaves: Sequence[Any]) -> Any:
            new = copy.copy(template)
            for key, child in pairs:
                put(new, key, child(leaves))
            return new

        return make

    def answered(self, value: Any, keys: tuple[Any, ...]) -> Mapping[Any, Any] | None:
        if isinstance(value, Mapping):
            return value
        if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
            return dict(zip(keys, value, strict=False)) if len(value) == len(keys) else None
        known = {key: getattr(value, key) for key in keys if hasattr(value, key)}
        return known or None


class Registered(Container):
    """A class that optree or jax was told how to take apart; whoever told them has imported them.

    parts: of a value, its children by key, and what makes a value of new children.
    """

    def __init__(self, kind: type, parts: Callable[[Any], tuple[dict[Any, Any], Make]]) -> None:
        self.noun, self.parts = f"a {kind.__name__}", parts

    def keys(self, value: Any) -> tuple[Any, ...]:
        return tuple(self.parts(value)[0])

    def child(self, value: Any, key: Any) -> Any:
        return self.parts(value)[0][key]

    def path(self, owner: str, key: Any) -> str:
        return super().path(owner, key) if isinstance(key, str) else f"{owner}[{key!r}]"

    def maker(self, template: Any, keys: tuple[Any, ...], children: tuple[Make, ...]) -> Make:
        new = self.parts(template)[1]
        return lambda leaves: new([child(leaves) for child in children])

    def answered(self, value: Any, keys: tuple[Any, ...]) -> Mapping[Any, Any] | None:
        return value if isinstance(value, Mapping) else self.parts(value)[0] or None


def _parts_by_optree(value: Any) -> tuple[dict[Any, Any], Make]:
    paths, children, spec = sys.modules["optree"].tree_flatten_with_path(
        value, is_leaf=lambda part: part is not value, none_is_leaf=True
    )
    return {path[0]: child for path, child in zip(paths, children, strict=True) if path}, spec.unflatten


def _parts_by_jax(value: Any) -> tuple[dict[Any, Any], Make]:
    found, spec = sys.modules["jax"].tree_util.tree_flatten_with_path(value, is_leaf=lambda part: part is not value)
    names = ("name", "key", "idx")
    keys = [next(getattr(path[0], name) for name in names if hasattr(path[0], name)) for path, _ in found if path]
    return dict(zip(keys, [child for path, child in found if path], strict=True)), spec.unflatten


REGISTRIES = {"optree": _parts_by_optree, "jax": _parts_by_jax}


def container_of(value: Any) -> Container | None:
    """The kind of container that a value is; None for a leaf."""
    kind = type(value)
    if isinstance(value, dict):
        return Dictionary()
    if isinstance(value, tuple):
        return Record(kind) if hasattr(kind, "_make") else Row(kind)
    if isinstance(value, list):
        return Row(kind)
    if dataclasses.is_dataclass(kind):
        return Record(kind)
    if kind.__module__ not in ("builtins", "numpy"):
        for library, parts in REGISTRIES.items():
            if library in sys.modules and parts(value)[0]:
                return Registered(kind, parts)
    return None
