"""What values an option takes: how each kind is read from text, validated, and typed again.

Whatever is refused is a ValueError that says what the value must be; `table.Option` adds the name and the value.
numpy is imported only for values that hold arrays: a mistyped option is answered without it.
It is long because there are many kinds of values, each of a dozen lines.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from gradcheck.wording import by, did_you_mean

MOST_DIMENSIONS = 32  # of an array whose entries numpy can go through one by one
DATA_FILES = (".npy", ".npz", ".csv", ".json", ".safetensors")
"""The suffixes of files that hold numbers."""


class Values:
    """A kind of values.  An option may stand in four forms, and each is one step nearer to what a check works with.

    Text of the command line, of setup.cfg or of pytest's ini file is `read` into what TOML would have held; that is
    `declared`, where a file or a target that is still to be loaded stays text; what a check works with, and what a keyword
    of Python gives at once, passes `check`.  `spell` leads back to the command line.
    """

    def read(self, text: str) -> Any:
        """Text as TOML would hold it.  What cannot be read stays text, which `declared` refuses."""
        return text.strip()

    def declared(self, value: Any) -> Any:
        """The validated value of a key of a declared check.  Raises ValueError that says what it must be."""
        return self.check(value)

    def check(self, value: Any) -> Any:
        """The validated value of a keyword.  Raises ValueError that says what it must be."""
        raise NotImplementedError

    def spell(self, value: Any) -> str | None:
        """The value, declared or checked, as it is typed on the command line; None where it cannot be."""
        return value if isinstance(value, str) else None

    def texts(self, value: Any) -> list[str | None]:
        """The texts that give a repeatable option this value; a None among them where it cannot be typed."""
        return list(map(self.spell, value)) if isinstance(value, (list, tuple)) else [None]

    def plain(self, value: Any) -> Any:
        """The value as a report tells it: numbers, text, lists."""
        return value

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a declared value."""
        return {"type": "string", "pattern": "\\S"}


class Number(Values):
    """A finite number within limits."""

    def __init__(
        self, least: float = 0, *, above: float | None = None, below: float = math.inf, whole: bool = False
    ) -> None:
        self.least, self.above, self.below, self.whole = least, above, below, whole
        noun = "whole number" if whole else "finite number" if below == math.inf else "number"
        low = f"of at least {least:g}" if above is None else f"above {above:g}"
        high = f" and below {below:g}" if below < math.inf else ""
        self.rule = f"it must be a {noun} {low}{high}"

    def read(self, text: str) -> Any:
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
        return text.strip()

    def check(self, value: Any) -> Any:
        if isinstance(value, (bool, str, bytes)) or getattr(value, "ndim", None):
            raise ValueError(self.rule)
        try:
            number = operator.index(value) if self.whole else float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(self.rule) from None
        enough = number >= self.least if self.above is None else number > self.above
        if not (enough and number < self.below):
            raise ValueError(self.rule)
        return number

    def spell(self, value: Any) -> str | None:
        return spelled(value)

    @property
    def schema(self) -> dict[str, Any]:
        low = {"minimum": self.least} if self.above is None else {"exclusiveMinimum": self.above}
        high = {"exclusiveMaximum": self.below} if self.below < math.inf else {}
        return {"type": "integer" if self.whole else "number", **low, **high}


class Flag(Values):
    """True or false."""

    def read(self, text: str) -> Any:
        import configparser  # of use to setup.cfg only

        return configparser.ConfigParser.BOOLEAN_STATES.get(text.strip().lower(), text.strip())

    def check(self, value: Any) -> Any:
        if not isinstance(value, bool) and type(value).__name__ not in (
            "bool",
            "bool_",
        ):  # numpy's, which is not imported
            raise ValueError("it must be true or false")
        return bool(value)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class FlagOrNumber(Number):
    """True, false, or a number within limits."""

    def __init__(self, least: float = 0, *, above: float | None = None) -> None:
        super().__init__(least, above=above)
        self.rule = self.rule.replace("it must be", "it must be true, false, or")

    def read(self, text: str) -> Any:
        number = super().read(text)
        return Flag().read(text) if isinstance(number, str) else number

    def check(self, value: Any) -> Any:
        return value if isinstance(value, bool) else super().check(value)

    def spell(self, value: Any) -> str | None:
        return str(value).lower() if isinstance(value, bool) else super().spell(value)


class Choice(Values):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def check(self, value: Any) -> Any:
        if not isinstance(value, str) or value not in self.words:
            near = did_you_mean(value, self.words) if isinstance(value, str) else ""
            raise ValueError(f"it must be one of {', '.join(self.words)}{near}")
        return value

    def spell(self, value: Any) -> str | None:
        return str(value)

    @property
    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


class Text(Values):
    """Any text that is not blank."""

    def __init__(self, what: str = "text") -> None:
        self.what = what

    def check(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"it must be {self.what}")
        return value.strip()


class File(Text):
    """The name of a file, with one of these suffixes where there are any; for callers of Python, also a path object."""

    def __init__(self, *suffixes: str) -> None:
        super().__init__("the name of a file" + (f" that ends in {' or '.join(suffixes)}" if suffixes else ""))
        self.suffixes = suffixes

    def check(self, value: Any) -> Any:
        name = super().check(os.fspath(value) if isinstance(value, os.PathLike) else value)
        if self.suffixes and not name.lower().endswith(self.suffixes):
            raise ValueError(f"it must be {self.what}")
        return name


class Written(File):
    """The name of a file to write."""


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


class On(Values):
    """A set on which x lives, by name or as an object; or sets by the names of leaves.

    Declared, also a target of an object, any of them for a leaf as in ``R=SO3``, or a list of these.
    """

    names = (
        *("sphere", "simplex", "symmetric", "spd", "diagonal", "orthogonal"),
        *("SO2", "SO3", "SE2", "SE3", "quaternion", "positive"),
    )
    shaped = ("SO2", "SO3", "SE2", "SE3", "quaternion")  # whose points have one shape alone
    rule = (
        f"it must be one of {', '.join(names)}, periodic:PERIOD, an object with projection and retraction, "
        "or a dict of these by leaves"
    )
    typed = f"it must be one of {', '.join(names)}, periodic:PERIOD, a target such as module:set, or LEAF=SET"

    def declared(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and value and all(isinstance(part, str) for part in value):
            parts = [part.strip() for text in value for part in text.replace("\n", ",").split(",")]
            named = [part.partition("=") for part in parts]
            if len(parts) > 1 and not all(equals for _, equals, _ in named):
                raise ValueError("it must be one for x, or one for each leaf as in R=SO3")
            if named[0][1]:
                return {name.strip(): self.declared(text) for name, _, text in named}
            value = parts[0]
        if isinstance(value, Mapping):
            return {str(name): self.declared(one) for name, one in value.items()}
        if not isinstance(value, str):
            return self.check(value)
        if "=" in value:
            return self.declared([value])
        module, colon, attr = value.strip().rpartition(":")
        if colon and module != "periodic" and attr.replace(".", "_").isidentifier():
            return value.strip()
        return self._named(value, self.typed)

    def check(self, value: Any) -> Any:
        if isinstance(value, Mapping) and value:
            return {name: self.check(one) for name, one in value.items()}
        if isinstance(value, str):
            return self._named(value, self.rule)
        if isinstance(value, type) or not all(
            callable(getattr(value, name, None)) for name in ("projection", "retraction")
        ):
            raise ValueError(self.rule)
        return value

    def _named(self, text: str, rule: str) -> str:
        name, colon, period = text.strip().partition(":")
        if colon and name == "periodic":
            try:
                Number(above=0).check(float(period))
            except ValueError:
                raise ValueError("its period must be a number above 0, as in periodic:2.5") from None
            return text.strip()
        if text.strip() not in self.names:
            raise ValueError(rule + did_you_mean(text.strip(), self.names))
        return text.strip()

    def texts(self, value: Any) -> list[str | None]:
        if not isinstance(value, Mapping):
            return [self.spell(value)]
        sets = {name: self.spell(one) for name, one in value.items()}
        return [None if text is None else f"{name}={text}" for name, text in sets.items()]

    def plain(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self.plain(one) for name, one in value.items()}
        return value if isinstance(value, str) else type(value).__name__

    @property
    def schema(self) -> dict[str, Any]:
        by_leaf = {"type": "object", "additionalProperties": {"type": "string"}}
        return {"anyOf": [super().schema, {"type": "array", "items": {"type": "string"}, "minItems": 1}, by_leaf]}


class Form(Values):
    """The form in which a derivative on a set is claimed, by name, or forms by the names of leaves.

    Which there are depends on the set.  Declared, also ``R=left``, or a list of these.
    """

    rule = (
        "it must be ambient, riemannian, riemannian:METRIC, left, right, minimal, tangent, tril, triu, voigt or the like, "
        "or a dict of these by leaves"
    )

    def declared(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and value and all(isinstance(part, str) for part in value):
            parts = [part.strip() for text in value for part in text.replace("\n", ",").split(",")]
            named = [part.partition("=") for part in parts]
            if len(parts) > 1 and not all(equals for _, equals, _ in named):
                raise ValueError("it must be one for x, or one for each leaf as in R=left")
            value = {name.strip(): text.strip() for name, _, text in named} if named[0][1] else parts[0]
        if isinstance(value, str) and "=" in value:
            return self.declared([value])
        return self.check(value)

    def check(self, value: Any) -> Any:
        if isinstance(value, Mapping) and value:
            return {str(name): self.check(one) for name, one in value.items()}
        if not isinstance(value, str) or not value.strip():
            raise ValueError(self.rule)
        return value.strip()

    def texts(self, value: Any) -> list[str | None]:
        if not isinstance(value, Mapping):
            return [self.spell(value)]
        return [f"{name}={one}" for name, one in value.items()]

    @property
    def schema(self) -> dict[str, Any]:
        by_leaf = {"type": "object", "additionalProperties": {"type": "string"}}
        return {"anyOf": [super().schema, {"type": "array", "items": {"type": "string"}, "minItems": 1}, by_leaf]}


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


class Callback(Values):
    """A callable."""

    def check(self, value: Any) -> Any:
        if not callable(value):
            raise ValueError("it must be a callable")
        return value


class Shape(Values):
    """A shape: ``20x3``, or a list of whole numbers."""

    rule = "it must be of the form 20x3 or [20, 3]: whole numbers of at least 1"

    def check(self, value: Any) -> Any:
        if isinstance(value, str):
            parts = value.strip().lower().replace("×", "x").split("x")
            if not all(part.strip().isdecimal() and len(part) < 20 for part in parts):
                raise ValueError(self.rule)
            value = [int(part) for part in parts]
        if not isinstance(value, (list, tuple)) or not value:
            raise ValueError(self.rule)
        whole = Number(1, whole=True)
        try:
            sizes = tuple(whole.check(size) for size in value)
        except ValueError:
            raise ValueError(self.rule) from None
        if len(sizes) > MOST_DIMENSIONS:
            raise ValueError(f"it must have at most {MOST_DIMENSIONS} dimensions")
        return sizes

    def spell(self, value: Any) -> str | None:
        return by(value)

    @property
    def schema(self) -> dict[str, Any]:
        text = {"type": "string", "pattern": r"^\s*\d+(\s*[xX×]\s*\d+)*\s*$"}
        return {"anyOf": [text, {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1}]}


class Bounds(Values):
    """A pair (lower, upper) of numbers, or of arrays or trees like the point; or pairs by the names of leaves.

    Declared, also text: a pair, a file, a target, any of them for a leaf as in ``W=0:1``, or a list of these.
    """

    typed = "it must be of the form LO:HI, such as 0:1, 0: or :10, or a file of two rows, or a target such as 'module:bounds'"
    rule = "it must be a pair (lower, upper) of numbers, or of arrays of the shape of the point; -inf and inf stand for none"
    several = "one for all leaves, or one for each as in W=0:1"

    def declared(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and value and all(isinstance(part, str) for part in value):
            if all("=" in part for part in value):
                value = [one for part in value for one in part.replace("\n", ",").split(",")]
            named = [part.partition("=") for part in value]
            if len(value) > 1 and not all(equals for _, equals, _ in named):
                raise ValueError(f"it must be {self.several}")
            if named[0][1]:
                return {name.strip(): self.declared(text) for name, _, text in named}
            value = value[0]
        if isinstance(value, Mapping):
            return {str(name): self.declared(side) for name, side in value.items()}
        if not isinstance(value, str):
            return self.check(value)
        if value.partition("=")[1]:
            return self.declared([value])
        low, colon, high = value.partition(":")
        try:
            if not colon:
                raise ValueError
            pair = float(low) if low.strip() else -math.inf, float(high) if high.strip() else math.inf
        except ValueError:
            place, _, name = value.strip().rpartition(":")
            if value.strip().lower().endswith(DATA_FILES) or (place and name.replace(".", "_").isidentifier()):
                return value.strip()
            raise ValueError(self.typed) from None
        return self.check(pair)

    def check(self, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError(self.rule)
        if isinstance(value, Mapping):
            return {name: self.check(pair) for name, pair in value.items()}
        try:
            low, high = value
        except (TypeError, ValueError):
            raise ValueError(self.rule) from None
        if _is_tree(low) or _is_tree(high):
            return low, high  # whether they fit the point shows where that is known
        if isinstance(low, (int, float)) and isinstance(high, (int, float)):
            below = low < high  # false for NaN
        else:
            import numpy as np

            try:
                sides = [np.asarray(side) for side in (low, high)]
                if any(side.dtype.kind not in "fiu" for side in sides):
                    raise ValueError
                below = bool(np.less_equal(*sides).all() and np.less(*sides).any())  # equal ones fix a variable
            except (TypeError, ValueError):
                raise ValueError(self.rule) from None
        if not below:
            raise ValueError("the lower one must be less than the upper one")
        return low, high

    def texts(self, value: Any) -> list[str | None]:
        if not isinstance(value, Mapping):
            return [self.spell(value)]
        pairs = {name: self.spell(pair) for name, pair in value.items()}
        return [None if text is None else f"{name}={text}" for name, text in pairs.items()]

    def spell(self, value: Any) -> str | None:
        if isinstance(value, str):
            return value
        if any(spelled(side) is None for side in value):
            return None
        sides = [spelled(side) for side in value]
        return ":".join("" if math.isinf(side) else str(word) for side, word in zip(value, sides, strict=True))

    def plain(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self.plain(pair) for name, pair in value.items()}
        return [_plain_side(side) for side in value]

    @property
    def schema(self) -> dict[str, Any]:
        side = {"type": ["number", "array"]}
        pair = {"type": "array", "items": side, "minItems": 2, "maxItems": 2}
        by_leaf = {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, pair]}}
        return {"anyOf": [super().schema, pair, by_leaf]}


def _is_tree(side: Any) -> bool:
    """Whether bounds on one side are told leaf by leaf."""
    if isinstance(side, (list, tuple)):
        return any(isinstance(part, Mapping) or getattr(part, "shape", ()) != () for part in side)
    return isinstance(side, Mapping) or hasattr(side, "__dataclass_fields__")


def _plain_side(side: Any) -> Any:
    if _is_tree(side):
        return "tree"
    shape = getattr(side, "shape", ())
    return f"array {by(shape)}" if shape else side


class Point(Values):
    """Where to check: a list of numbers, a file, a target; in a check that code declares, an array."""

    rule = "it must be a list of numbers, a file, or a target such as 'module:x0'"

    def check(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):  # goes the way of typed numbers, where [1, 2] is meant as [1.0, 2.0]
            import json

            try:
                return json.dumps(value)
            except (TypeError, ValueError, RecursionError):
                raise ValueError(self.rule) from None
        if isinstance(value, float) or hasattr(value, "__array__"):
            return value
        if not isinstance(value, str) or not value.strip():
            raise ValueError(self.rule)
        return value.strip()

    def spell(self, value: Any) -> str | None:
        return repr(value) if isinstance(value, float) else super().spell(value)

    @property
    def schema(self) -> dict[str, Any]:
        return {"anyOf": [super().schema, {"type": ["number", "array"]}]}


class Parts(Values):
    """The parts of a point by name: a shape to be drawn (``20x3``, 3), numbers, a file, a target; in code, also an array."""

    rule = "it must be NAME=P, with a shape such as 20x3, numbers such as 0.5,1, a file, or a target such as module:x0 for P"

    def read(self, text: str) -> Any:
        import re  # of use to setup.cfg only

        return [part.strip() for part in re.split(r"[\n,](?=[^=,\n]+=)", text) if part.strip()]

    def declared(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return self.check(value)
        named = [part.partition("=") if isinstance(part, str) else ("", "", "") for part in value]
        if not named or not all(name.strip() and equals for name, equals, _ in named):
            raise ValueError(self.rule)
        names = [name.strip() for name, *_ in named]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"it gives {twice} twice; remove one")
        return self.check({name: text for name, (_, _, text) in zip(names, named, strict=True)})

    def check(self, value: Any) -> Any:
        if not isinstance(value, Mapping) or not value or not all(isinstance(name, str) for name in value):
            raise ValueError(self.rule)
        return {name: self._part(name, part) for name, part in value.items()}

    def _part(self, name: str, part: Any) -> Any:
        """A shape as a tuple; all else as `Point` has it."""
        digits = isinstance(part, str) and part.strip() and not part.strip().lower().strip("0123456789x× ")
        try:
            if digits or (isinstance(part, int) and not isinstance(part, bool)):
                return Shape().check(part if digits else [part])
            return Point().check(part)
        except ValueError as reason:
            raise ValueError(f"{name}: {reason}") from None

    def texts(self, value: Any) -> list[str | None]:
        texts = {name: by(part) if isinstance(part, tuple) else Point().spell(part) for name, part in value.items()}
        return [None if text is None else f"{name}={text}" for name, text in texts.items()]

    @property
    def schema(self) -> dict[str, Any]:
        part = {"anyOf": [super().schema, {"type": "integer", "minimum": 1}, {"type": ["number", "array"]}]}
        texts = {"type": "array", "items": super().schema | {"pattern": "="}, "minItems": 1}
        return {"anyOf": [{"type": "object", "additionalProperties": part, "minProperties": 1}, texts]}


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


def spelled(value: Any) -> str | None:
    """A number as a person types it: ``1e-05``, ``0``, ``0.25``; None for what is no number."""
    if isinstance(value, bool) or not hasattr(value, "__float__") or getattr(value, "ndim", None):
        return None
    if hasattr(value, "__index__"):
        return str(operator.index(value))
    number = float(value)
    brief = f"{number:g}"
    return brief if float(brief) == number else repr(number)


def _by_name(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) and name.isidentifier() for name in value)


def _brief(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    shape = getattr(value, "shape", None)
    return f"array {by(shape)}" if isinstance(shape, tuple) and shape else type(value).__name__
