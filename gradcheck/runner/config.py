"""Checks declared in ``[[tool.gradcheck.checks]]`` of pyproject.toml or ``[gradcheck:name]`` sections of setup.cfg."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from gradcheck.errors import ConfigError, PointError
from gradcheck.model import Kind, Method
from gradcheck.points import as_bounds, as_shape, parse_bounds
from gradcheck.runner.reading import as_args

if TYPE_CHECKING:
    from pathlib import Path

Derivable = str | Callable[..., Any]
"""A target such as ``module:attr`` or, in a check that code declares, the callable itself."""

CLAIMS: Mapping[str, Kind] = {kind.key: kind for kind in Kind}
"""The keys that name a claimed derivative, and which one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredCheck:
    """One declared check.  None is a key that was not given, for which the default of the command line holds.

    name: of the check, unique among those declared together.
    target: the function; grad, hess, jac, hvp, jvp, vjp: claimed derivatives of it, at least one of them unless
        `value_and_grad`.  With a `hess` or `hvp`, `grad` is also what they are differenced from.
    point: text as for `points.read_point`, or an array in a check that code declares.
    args: text as for `points.parse_args`, or the arguments themselves.
    file, section: where it is declared.
    folder: where relative paths in it start and its modules are looked for first.
    """

    name: str
    target: Derivable
    grad: Derivable | None = None
    hess: Derivable | None = None
    jac: Derivable | None = None
    hvp: Derivable | None = None
    jvp: Derivable | None = None
    vjp: Derivable | None = None
    dim: int | None = None
    shape: tuple[int, ...] | None = None
    point: Any = None
    bounds: tuple[Any, Any] | None = None
    points: int | None = None
    seed: int | None = None
    args: str | tuple[Any, ...] | None = None
    method: Method | None = None
    directions: int | None = None
    eps: float | None = None
    rtol: float | None = None
    atol: float | None = None
    value_and_grad: bool | None = None
    factory: bool | None = None
    vectorized: bool | None = None
    jit: bool | None = None
    jobs: int | None = None
    executor: str | None = None
    budget: float | None = None
    allow_inconclusive: bool | None = None
    file: str = ""
    section: str = ""
    folder: str = "."

    @property
    def source(self) -> str:
        """Where the check is declared, for messages."""
        return f"{self.file}: {self.section}"

    @property
    def claims(self) -> dict[Kind, Derivable]:
        """The claimed derivatives; with `value_and_grad` the target itself claims the gradient."""
        given = {kind: getattr(self, key) for key, kind in CLAIMS.items() if getattr(self, key) is not None}
        return {Kind.GRADIENT: self.target, **given} if self.value_and_grad else given

    @property
    def options(self) -> dict[str, Any]:
        """The keys that were given, apart from targets and origin, with their values."""
        rest = {"name", "target", *CLAIMS, "file", "section", "folder"}
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in rest}
        return {key: value for key, value in given.items() if value is not None}


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
    for file, section, table in (*_toml_tables(folder / "pyproject.toml"), *_cfg_tables(folder / "setup.cfg")):
        check = declare(table, file=str(file), section=section, folder=str(folder))
        if check.name in checks:
            other = checks[check.name].source
            raise ConfigError(f"{check.source}: the name {check.name!r} is taken by {other}; rename one")
        checks[check.name] = check
    return list(checks.values())


def declare(table: Mapping[str, object], *, file: str, section: str, folder: str = ".") -> DeclaredCheck:
    """Validate one table of keys and values, wherever it was declared.  Raises `ConfigError` with file and key."""
    source = f"{file}: {section}"
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in _VALIDATORS:
            import difflib

            near = difflib.get_close_matches(name, _VALIDATORS, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(_VALIDATORS)}"
            raise ConfigError(f"{source}: unknown key {key!r}; {remedy}")
        if name in values:
            raise ConfigError(f"{source}: the key {name!r} is given twice, with - and with _; remove one")
        try:
            values[name] = _VALIDATORS[name](value)
        except (ValueError, PointError) as error:
            raise ConfigError(f"{source}: key {key!r}: {error}") from None
    if "target" not in values:
        raise ConfigError(f"{source}: no target; say which function to check, as in target = 'module:f'")
    both = values.get("value_and_grad", False)
    if not both and not values.keys() & CLAIMS.keys():
        raise ConfigError(f"{source}: no derivative to check; give one of {', '.join(CLAIMS)}, or value_and_grad")
    if both and "grad" in values:
        raise ConfigError(f"{source}: value_and_grad says that target returns the gradient, too; remove it or 'grad'")
    if not values.keys() & {"dim", "shape", "point"}:
        raise ConfigError(f"{source}: nowhere to check; give one of dim, shape, point")
    if "name" not in values and not isinstance(values["target"], str):
        raise ConfigError(f"{source}: a check of a callable needs a name")
    return DeclaredCheck(**{"name": values["target"], **values}, file=file, section=section, folder=folder)


def _toml_tables(path: Path) -> Iterator[tuple[Path, str, Mapping[str, object]]]:
    import difflib
    import tomllib

    text = _read(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    tool = document.get("tool", {})
    own = tool.get("gradcheck", {}) if isinstance(tool, dict) else {}
    if not isinstance(own, dict):
        raise ConfigError(f"{path}: tool.gradcheck is not a table; declare checks as [[tool.gradcheck.checks]]")
    for key in own.keys() - {"checks"}:
        remedy = "did you mean 'checks'?" if difflib.get_close_matches(key, ["checks"]) else "the only key is 'checks'"
        raise ConfigError(f"{path}: [tool.gradcheck]: unknown key {key!r}; {remedy}")
    tables = own.get("checks", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{path}: tool.gradcheck.checks is not an array of tables; write [[tool.gradcheck.checks]]")
    for number, table in enumerate(tables, 1):
        yield path, f"[[tool.gradcheck.checks]] number {number}", table


def _cfg_tables(path: Path) -> Iterator[tuple[Path, str, Mapping[str, object]]]:
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(path), source=str(path))
    except configparser.Error as error:
        raise ConfigError(f"{path} is malformed: {' '.join(error.message.split())}") from None
    for section in parser.sections():
        prefix, _, name = section.partition(":")
        if prefix.strip() != "gradcheck":
            continue
        if not name.strip():
            raise ConfigError(f"{path}: [{section}] has no name; write [gradcheck:NAME]")
        table = dict(parser[section])
        if "name" in table:
            raise ConfigError(f"{path}: [{section}]: unknown key 'name'; the section is the name")
        typed = {key: _from_text(key.replace("-", "_"), text) for key, text in table.items()}
        yield path, f"[{section}]", {"name": name.strip(), **typed}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}") from None


def _from_text(key: str, text: str) -> object:
    """A value of setup.cfg, where all is text, in the type that TOML would give it; the text itself if that fails."""
    import configparser

    if _VALIDATORS.get(key) is _truth:
        return configparser.ConfigParser.BOOLEAN_STATES.get(text.strip().lower(), text)
    for kind in (int, float):
        if key in _NUMBERS:
            try:
                return kind(text)
            except ValueError:
                continue
    return text.strip()


def _target(value: object) -> Derivable:
    if callable(value):
        return value
    return _text(value, "a target such as 'module:attr'")


def _text(value: object, what: str = "text") -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not {what}")
    return value.strip()


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")
    return value


def _whole(least: int) -> Callable[[object], int]:
    def validate(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{value!r} is not a whole number of at least {least}")
        return value

    return validate


def _real(*, zero: bool) -> Callable[[object], float]:
    def validate(value: object) -> float:
        number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
        if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
            raise ValueError(f"{value!r} is not a finite number {'of at least' if zero else 'above'} 0")
        return number

    return validate


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, (str, list, tuple)) or not value:
        raise ValueError(f"{value!r} is not a shape such as '20x3' or [20, 3]")
    return as_shape(value)


def _point(value: object) -> Any:
    # A list goes the way of typed numbers, where [1, 2] is meant as [1.0, 2.0].
    if isinstance(value, (list, tuple)):
        import json

        try:
            return json.dumps(value)
        except TypeError:
            raise ValueError("a point is a list of numbers, a file, or a target such as 'module:x0'") from None
    if isinstance(value, float) or hasattr(value, "__array__"):
        return value
    return _text(value, "a point: a list of numbers, a file, or a target such as 'module:x0'")


def _bounds(value: object) -> tuple[Any, Any]:
    if isinstance(value, str):
        return parse_bounds(value)
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError(f"{value!r} is not of the form 'LO:HI' or [LO, HI]")
    as_bounds((value[0], value[1]))
    return value[0], value[1]


def _args(value: object) -> str | tuple[Any, ...]:
    if isinstance(value, tuple):
        return value
    return _text(value) if isinstance(value, str) else as_args(value)


def _method(value: object) -> Method:
    if not isinstance(value, str) or value not in list(Method):
        raise ValueError(f"{value!r} is not one of {', '.join(Method)}")
    return Method(value)


_VALIDATORS: Mapping[str, Callable[[object], Any]] = {
    "name": _text,
    "target": _target,
    **dict.fromkeys(CLAIMS, _target),
    "dim": _whole(1),
    "shape": _shape,
    "point": _point,
    "bounds": _bounds,
    "points": _whole(1),
    "seed": _whole(0),
    "args": _args,
    "method": _method,
    "directions": _whole(1),
    "eps": _real(zero=False),
    "rtol": _real(zero=True),
    "atol": _real(zero=True),
    "value_and_grad": _truth,
    "factory": _truth,
    "vectorized": _truth,
    "jit": _truth,
    "jobs": _whole(1),
    "executor": _text,
    "budget": _real(zero=False),
    "allow_inconclusive": _truth,
}
_NUMBERS = frozenset({"dim", "points", "seed", "directions", "eps", "rtol", "atol", "jobs", "budget"})
