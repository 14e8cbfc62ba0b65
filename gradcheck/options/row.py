"""One row of the table of options: what an option is called, what it takes, where it may stand, and how it is refused."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gradcheck.errors import GradcheckError, UsageError
from gradcheck.options.values import Flag, FlagOrNumber, Values
from gradcheck.wording import near_match, quoted

WHAT, WHERE, HOW, TRUST, OUTPUT, MANY, OTHER = GROUPS = (
    "What to check",
    "Where to check it",
    "How to measure",
    "What counts as right",
    "What to print",
    "Many checks",
    "Other",
)


class Face(enum.Flag):
    """Where an option may stand."""

    API = enum.auto()  # a keyword of the checks
    CLI = enum.auto()  # a flag
    CONFIG = enum.auto()  # a key of a declared check, and a keyword of derivative_of
    MARKER = enum.auto()  # a keyword of @pytest.mark.gradcheck
    PYTEST = enum.auto()  # --gradcheck-NAME, and gradcheck_NAME in the ini file


class Option(NamedTuple):
    """One row.

    name: the keyword and the key; the flag, too, unless `flags` says otherwise.
    values: what it takes.
    group: the heading of the help.
    help: for the command line, where ``{f}`` is the function.
    where: it may stand.
    default: where it is not given.
    shown: the default as the help tells it, where that is not `default`.
    keyword: the help for callers of Python, where that differs.
    measures: it bears on the numbers; such options are repeated by replays and told in reports.
    repeatable: the flag may be given several times.
    """

    name: str
    values: Values
    group: str
    help: str
    where: Face
    metavar: str | None = None
    default: Any = None
    shown: str = ""
    keyword: str = ""
    flags: tuple[str, ...] = ()
    measures: bool = True
    repeatable: bool = False

    @property
    def flag(self) -> str:
        """As it is typed on the command line."""
        return next((flag for flag in self.flags if flag.startswith("--")), "--" + self.name.replace("_", "-"))

    @property
    def negated(self) -> str:
        """What takes a flag back, where it is not false by default."""
        return self.flag.replace("--", "--no-", 1)

    @property
    def description(self) -> str:
        """What it does, for callers of Python: half a sentence."""
        text = self.keyword or self.help.replace("{f}", "f").rstrip(".")
        return text[:1].lower() + text[1:]

    @property
    def default_shown(self) -> str:
        """The default for the reader, or ''."""
        if self.shown or isinstance(self.default, bool) or not isinstance(self.default, (int, float, str)):
            return self.shown
        return self.values.spell(self.default) or ""

    def check(self, value: Any, label: str = "") -> Any:
        """A keyword's value, validated.  Raises `UsageError` that names it, by `label` if that is given."""
        return self._valid(self.values.check, value, label or self.name, UsageError)

    def declared(self, value: Any, label: str = "", error: type[GradcheckError] = UsageError) -> Any:
        """The value of a key, validated; what is still to be loaded stays text.  Raises `error` as `check` does."""
        return self._valid(self.values.declared, value, label or self.name, error)

    def read(self, text: str, label: str = "") -> Any:
        """The same for text, of the command line, for example."""
        return self.declared(self.values.read(text), label or self.flag)

    def words(self, value: Any) -> list[str] | None:
        """What gives it this value on the command line; None if nothing does."""
        if isinstance(self.values, Flag):
            return [self.flag] if value else [] if self.default is False else [self.negated]
        if isinstance(self.values, FlagOrNumber) and isinstance(value, bool):
            return [self.flag if value else self.negated]
        texts = self.values.texts(value) if self.repeatable else [self.values.spell(value)]
        return None if None in texts else [word for text in texts for word in (self.flag, str(text))]

    def _valid(self, validate: Callable[[Any], Any], value: Any, label: str, error: type[GradcheckError]) -> Any:
        try:
            return validate(value)
        except ValueError as reason:
            raise error(f"{label} is {quoted(value)}; {reason}") from None


def at(face: Face, rows: Mapping[str, Option]) -> dict[str, Option]:
    """Those of `rows` that may stand at a face."""
    return {name: row for name, row in rows.items() if face in row.where}


def unknown(noun: str, name: str, known: Mapping[str, Any]) -> str:
    """What is said of a name that does not exist: ``unknown keyword 'rtoll'; did you mean 'rtol'?``."""
    near = near_match(name, known)
    return f"unknown {noun} {quoted(name)}; " + (
        f"did you mean {near!r}?" if near else f"the {noun}s are {', '.join(known)}"
    )
