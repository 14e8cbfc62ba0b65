"""Values of options that say where to check: points, shapes, bounds, sets.

numpy is imported only for values that hold arrays: a mistyped option is answered without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gradcheck.options.values import Number, Values, spelled
from gradcheck.wording import by, did_you_mean

MOST_DIMENSIONS = 32  # of an array whose entries numpy can go through one by one
DATA_FILES = (".npy", ".npz", ".csv", ".json", ".safetensors")
"""The suffixes of files that hold numbers."""


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
