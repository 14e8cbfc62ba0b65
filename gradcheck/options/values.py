"""What values an option takes: how each kind is read from text, validated, and typed again.

Whatever is refused is a ValueError that says what the value must be; `table.Option` adds the name and the value.
Here are numbers, words and files; what is said of a function, or of a point, stands in `functions` and in `places`.
"""

from __future__ import annotations

import math
import operator
import os
from typing import Any

from gradcheck.wording import did_you_mean


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


class Callback(Values):
    """A callable."""

    def check(self, value: Any) -> Any:
        if not callable(value):
            raise ValueError("it must be a callable")
        return value


def spelled(value: Any) -> str | None:
    """A number as a person types it: ``1e-05``, ``0``, ``0.25``; None for what is no number."""
    if isinstance(value, bool) or not hasattr(value, "__float__") or getattr(value, "ndim", None):
        return None
    if hasattr(value, "__index__"):
        return str(operator.index(value))
    number = float(value)
    brief = f"{number:g}"
    return brief if float(brief) == number else repr(number)
