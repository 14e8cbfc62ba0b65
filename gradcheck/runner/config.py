"""Checks declared in ``[[tool.gradcheck.checks]]`` of pyproject.toml or ``[gradcheck:name]`` sections of setup.cfg."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradcheck.errors import ConfigError
from gradcheck.model import Kind, Target
from gradcheck.options.places import On
from gradcheck.options.row import Face, at, unknown
from gradcheck.options.table import OPTIONS, PLACES
from gradcheck.reporting.files import require_regular
from gradcheck.wording import near_match, one_line, short

if TYPE_CHECKING:
    from pathlib import Path

    from gradcheck.options.row import Option

Derivable = str | Callable[..., Any]
"""A target such as ``module:attr`` or, in a check that code declares, the callable itself."""
Table = tuple["Path", str, int | None, Mapping[str, object]]
"""What a file declares in one place: the file, the section, its line, and the keys."""

CLAIMS: Mapping[str, Kind] = {kind.key: kind for kind in Kind}
"""The keys that name a claimed derivative, and which one."""


def says_where(given: Mapping[str, Any]) -> bool:
    """Whether options say where to check: by a point or its shape, or by a set whose points have one shape alone."""
    return bool(given.keys() & PLACES) or given.get("on") in On.shaped


KEYS: Mapping[str, Option] = at(Face.CONFIG, OPTIONS)
"""The keys of a declared check."""


SHOWN = 300  # characters of what a parser says
LONGEST = 10_000_000  # characters of a file of configuration; what is longer is none


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredCheck:
    """One declared check, or one that the command line spells out.

    name: of the check, unique among those declared together.
    target: the function.
    derivatives: claimed derivatives of it.  With a Hessian or a product with it, the gradient is also what they are
        differenced from.
    options: the validated values of the keys that were given; `option` has the defaults as well.
    file, section, line: where it is declared; None for a line that is not known.
    folder: where relative paths in it start and its modules are looked for first.
    """

    name: str
    target: Derivable
    derivatives: Mapping[Kind, Derivable] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    section: str = ""
    line: int | None = None
    folder: str = "."

    @property
    def source(self) -> str:
        """Where the check is declared, for messages."""
        return f"{self.file}: {self.section}"

    @property
    def place(self) -> Target | None:
        """Where the check is declared, for records; None for one that the command line spells out."""
        return Target(name=self.section, file=self.file, line=self.line) if self.section else None

    @property
    def claims(self) -> Mapping[Kind, Derivable]:
        """The claimed derivatives; with `value_and_grad` the target itself claims the gradient."""
        own = {Kind.GRADIENT: self.target} if self.option("value_and_grad") else {}
        return {**own, **self.derivatives}

    def option(self, key: str) -> Any:
        """The value of an option: the one that was given, or the default."""
        return self.options.get(key, OPTIONS[key].default)


def find_checks(start: str | os.PathLike[str] = ".") -> list[DeclaredCheck]:
    """The checks declared in the first folder, from `start` upward, that declares any; [] if none does.

    Raises `ConfigError` that names file and key for a table that is malformed, lacks a target or a derivative, or bears
    the name of another.
    """
    from pathlib import Path  # a check named on the command line does without it

    start = Path(start).resolve()
    for folder in (start, *start.parents):
        checks = read_checks(folder)
        if checks:
            return checks
    return []


def read_checks(folder: str | os.PathLike[str]) -> list[DeclaredCheck]:
    """The checks that pyproject.toml and setup.cfg of one folder declare, in their order.  Raises `ConfigError`."""
    from pathlib import Path

    folder = Path(folder)
    checks: dict[str, DeclaredCheck] = {}
    for file, section, line, table in (*_toml_tables(folder / "pyproject.toml"), *_cfg_tables(folder / "setup.cfg")):
        check = declare(table, file=str(file), section=section, line=line, folder=str(folder))
        if check.name in checks:
            other = checks[check.name].source
            raise ConfigError(f"{check.source}: the name {check.name!r} is taken by {other}; rename one")
        checks[check.name] = check
    return list(checks.values())


def declare(
    table: Mapping[str, object], *, file: str, section: str, line: int | None = None, folder: str = "."
) -> DeclaredCheck:
    """Validate one table of keys and values, wherever it was declared.  Raises `ConfigError` with file and key."""
    source = f"{file}: {section}"
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in KEYS:
            raise ConfigError(f"{source}: {unknown('key', key, KEYS)}")
        if name in values:
            raise ConfigError(f"{source}: the key {name!r} is given twice, with - and with _; remove one")
        values[name] = KEYS[name].declared(value, f"{source}: {key}", ConfigError)
    if "target" not in values:
        raise ConfigError(f"{source}: no target; say which function to check, as in target = 'module:f'")
    both = values.get("value_and_grad", False)
    if not both and not values.keys() & CLAIMS.keys():
        raise ConfigError(f"{source}: no derivative to check; give one of {', '.join(CLAIMS)}, or value_and_grad")
    if both and "grad" in values:
        raise ConfigError(f"{source}: value_and_grad says that target returns the gradient, too; remove it or 'grad'")
    if not says_where(values):
        raise ConfigError(f"{source}: nowhere to check; give one of {', '.join(PLACES)}")
    target = values.pop("target")
    if "name" not in values and not isinstance(target, str):
        raise ConfigError(f"{source}: a check of a callable needs a name")
    name = values.pop("name", target)
    return spelled_out(name, target, values, file=file, section=section, line=line, folder=folder)


def spelled_out(name: str, target: Derivable, values: Mapping[str, Any], **origin: Any) -> DeclaredCheck:
    """A check of validated values by key, those of the claimed derivatives among them."""
    derivatives = {kind: values[key] for key, kind in CLAIMS.items() if key in values}
    options = {key: value for key, value in values.items() if key not in CLAIMS}
    return DeclaredCheck(name=name, target=target, derivatives=derivatives, options=options, **origin)


def _toml_tables(path: Path) -> Iterator[Table]:
    import tomllib

    text = _read(path)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:  # brackets within brackets have no end
        raise ConfigError(f"{path} is not valid TOML: {one_line(error)}") from None
    tool = document.get("tool", {})
    own = tool.get("gradcheck", {}) if isinstance(tool, dict) else {}
    if not isinstance(own, dict):
        raise ConfigError(f"{path}: tool.gradcheck is not a table; declare checks as [[tool.gradcheck.checks]]")
    for key in own.keys() - {"checks"}:
        remedy = "did you mean 'checks'?" if near_match(key, ["checks"]) else "the only key is 'checks'"
        raise ConfigError(f"{path}: [tool.gradcheck]: unknown key {key!r}; {remedy}")
    tables = own.get("checks", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{path}: tool.gradcheck.checks is not an array of tables; write [[tool.gradcheck.checks]]")
    lines = _lines(text, r"\[\[\s*tool\s*\.\s*gradcheck\s*\.\s*checks\s*\]\]")
    known = lines if len(lines) == len(tables) else [None] * len(tables)  # they may be written inline
    for number, (table, line) in enumerate(zip(tables, known, strict=True), 1):
        yield path, f"[[tool.gradcheck.checks]] number {number}", line, table


def _cfg_tables(path: Path) -> Iterator[Table]:
    import configparser

    parser, text = configparser.ConfigParser(interpolation=None), _read(path)
    try:
        parser.read_string(text, source=str(path))
    except configparser.Error as error:
        raise ConfigError(f"{path} is malformed: {short(error.message, SHOWN)}") from None
    for section in parser.sections():
        prefix, _, name = section.partition(":")
        if prefix.strip() != "gradcheck":
            continue
        if not name.strip():
            raise ConfigError(f"{path}: [{section}] has no name; write [gradcheck:NAME]")
        table = dict(parser[section])
        if "name" in table:
            raise ConfigError(f"{path}: [{section}]: unknown key 'name'; the section is the name")
        rows = {key: KEYS.get(key.replace("-", "_")) for key in table}
        typed = {key: row.values.read(table[key]) if row else table[key] for key, row in rows.items()}
        line = next(iter(_lines(text, rf"\[{re.escape(section)}\]")), None)
        yield path, f"[{section}]", line, {"name": name.strip(), **typed}


def _lines(text: str, header: str) -> list[int]:
    """The numbers of the lines that begin with what a pattern matches."""
    return [number for number, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*{header}", line)]


def _read(path: Path) -> str:
    try:
        require_regular(path)
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LONGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}") from None
    if len(text) > LONGEST:
        raise ConfigError(f"{path} cannot be read: it has more than {LONGEST:,} characters")
    return text
