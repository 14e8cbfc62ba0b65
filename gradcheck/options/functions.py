"""Values of options that are said of functions: where they are, what they are called with, what of them is turned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from gradcheck.options.values import Number, Text, Values
from gradcheck.wording import by


class Target(Text):
    """A target such as ``module:attr``; in a check that code declares, the callable itself."""

    def __init__(self) -> None:
        super().__init__("a target such as 'module:attr'")

    def check(self, value: Any) -> Any:
        return value if callable(value) else super().check(value)


class Executor(Target):
    """An executor; declared, a target that is one or returns one."""

    def declared(self, value: Any) -> Any:
        return Text.check(self, value)

    def check(self, value: Any) -> Any:
        if isinstance(value, type) or not callable(getattr(value, "submit", None)):
            raise ValueError("it must be an executor, such as those of concurrent.futures, with a method submit")
        return value

    def plain(self, value: Any) -> Any:
        return type(value).__name__


class Suspects(Values):
    """Terms by name, as arrays or as callables; declared, a list of targets."""

    def read(self, text: str) -> Any:
        return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]

    def declared(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) and item.strip() for item in value):
            raise ValueError("it must be a list of targets such as 'module:attr'")
        return tuple(value)

    def check(self, value: Any) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise ValueError("it must be a dict of terms by name, as in {'ridge': lambda x: x}")
        return dict(value)

    def plain(self, value: Any) -> Any:
        return list(value)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": super().schema}


class Leaves(Values):
    """Names of leaves of a tree, or of branches; the places in a list or tuple stand for themselves."""

    rule = "it must be a name of a leaf of x0, such as 'W' or 'out.b', or a tuple of them"

    def read(self, text: str) -> Any:
        return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]

    def declared(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
            value = [part for name in value for part in self.read(name)]
        return self.check(value)

    def check(self, value: Any) -> Any:
        names = (value,) if isinstance(value, (str, int)) else value
        if not isinstance(names, (list, tuple)) or not names:
            raise ValueError(self.rule)
        if not all(isinstance(name, (str, int)) and not isinstance(name, bool) and name != "" for name in names):
            raise ValueError(self.rule)
        return tuple(names)

    def spell(self, value: Any) -> str | None:
        return str(value)

    def plain(self, value: Any) -> Any:
        return list(value)

    @property
    def schema(self) -> dict[str, Any]:
        place = {"type": "integer", "minimum": 0}
        names = {"type": "array", "items": {"anyOf": [super().schema, place]}, "minItems": 1}
        return {"anyOf": [super().schema, place, names]}


class Setting(NamedTuple):
    """What is turned to make a solver more exact.

    name: of a keyword of f or, with `holder`, of an attribute of that.
    values: from the coarsest on; one to begin with; none for what f has by default.
    spec: as it was written.
    """

    name: str
    holder: Any = None
    values: tuple[float, ...] = ()
    spec: str = ""


class Knob(Values):
    """A keyword of f, or a target that is set, with values where these are given; for callers of Python, also an attribute."""

    rule = (
        "it must be the name of a keyword of f, such as 'tol', or of a target that is set, such as 'module:TOL', alone or with "
        "values above 0, one to begin with as in 'tol=1e-6', or at least 3; in Python, of an attribute, as in (settings, 'tol')"
    )

    def declared(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError(self.rule)
        self._setting(value)
        return value.strip()

    def check(self, value: Any) -> Any:
        if isinstance(value, Setting):
            return value
        if isinstance(value, str):
            return self._setting(value)
        holder, name = value if isinstance(value, tuple) and len(value) == 2 else (None, None)
        if not isinstance(name, str) or ":" in name:
            raise ValueError(self.rule)
        return self._setting(name)._replace(holder=holder)

    def _setting(self, text: str) -> Setting:
        name, equals, listed = (part.strip() for part in text.partition("="))
        if not name or not name.rpartition(":")[2].replace(".", "_").isidentifier():
            raise ValueError(self.rule)
        values = tuple(Number().read(one) for one in listed.split(",")) if equals else ()
        if len(values) == 2 or not all(isinstance(value, (int, float)) and 0 < value < math.inf for value in values):
            raise ValueError(self.rule)
        return Setting(name, values=values, spec=text.strip())

    def spell(self, value: Any) -> str | None:
        return value if isinstance(value, str) else None if value.holder is not None else value.spec

    def plain(self, value: Any) -> Any:
        return value.spec


class Orbit(Target):
    """A callable; declared, a target that is one."""

    def declared(self, value: Any) -> Any:
        return Text.check(self, value)

    def check(self, value: Any) -> Any:
        if not callable(value):
            raise ValueError(
                "it must be a function of x, or of x and a number, that leads to another point of the orbit of x"
            )
        return value

    def plain(self, value: Any) -> Any:
        return getattr(value, "__qualname__", type(value).__name__)


class Arguments(Values):
    """Further arguments: a tuple, or a dict of arguments by name; declared, also text or a list."""

    def declared(self, value: Any) -> Any:
        if isinstance(value, str):
            return Text("numbers, a JSON list or object, a file, or a target such as 'module:args'").check(value)
        if not isinstance(value, (list, tuple)) and not _by_name(value):
            raise ValueError("it must be a list with an argument in each place, or a table of arguments by name")
        return value

    def check(self, value: Any) -> Any:
        if _by_name(value):
            return dict(value)
        if not isinstance(value, (list, tuple)):
            raise ValueError(
                f"it must be a tuple, with one argument ({_brief(value)},), or a dict of arguments by name"
            )
        return tuple(value)

    def spell(self, value: Any) -> str | None:
        if isinstance(value, str):
            return value
        arguments = value.values() if isinstance(value, dict) else value
        if not all(argument is None or isinstance(argument, (bool, int, float, str)) for argument in arguments):
            return None
        import json

        return json.dumps(value if isinstance(value, dict) else list(value))

    def plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: _brief(argument) for name, argument in value.items()}
        return [_brief(argument) for argument in value]

    @property
    def schema(self) -> dict[str, Any]:
        return {"anyOf": [super().schema, {"type": ["array", "object"]}]}


def _by_name(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) and name.isidentifier() for name in value)


def _brief(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    shape = getattr(value, "shape", None)
    return f"array {by(shape)}" if isinstance(shape, tuple) and shape else type(value).__name__
