"""The command that repeats a check, be it typed, declared, or made in Python by functions that can be named from outside."""

from __future__ import annotations

import os
import shlex
import site
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from gradcheck.evaluation.sources import importable
from gradcheck.evaluation.unpacking import takes_by_name
from gradcheck.model import FOUND, Kind
from gradcheck.options.row import Face
from gradcheck.options.table import OPTIONS, PLACES

if TYPE_CHECKING:
    from gradcheck.model import Point, Report

LONGEST = 500  # characters of a tree that is typed


def command(
    report: Report,
    f: Callable[..., Any],
    claim: Callable[..., Any] | None,
    options: Mapping[str, Any],
    x0: Any = None,
) -> str | None:
    """The ``gradcheck`` command that repeats the check of `report`, which was made with these arguments.

    x0: the point as it was given, which tells what is more than an array.

    None if there is none: a function that is local to another, say, or a point too large to be typed.
    """
    given = {key: value for key, value in options.items() if _bears(key, value)}
    if report.point.origin == FOUND:
        given.pop("reach", None)
    claims = {kind.key: given.pop(kind.key) for kind in Kind if kind.key in given}
    if claim is not None:
        claims[report.kind.key] = claim
    named = {key: claim if claim == "autograd" else spec(claim) for key, claim in claims.items()}
    target, point = spec(f), _typed(report.point)
    place = {"vars": _parts(x0, f, options)} if report.point.leaves else {"point": point}
    if target is None or None in place.values() or None in named.values():
        return None
    if claim is not None and given.get("value_and_grad"):
        return None  # the command line takes value and gradient from its target only
    try:
        return _line(target, {**named, **place, **given}, OPTIONS["seed"].default)
    except ValueError:
        return None


def _bears(key: str, value: Any) -> bool:
    """Whether a keyword with this value bears on the numbers."""
    row = OPTIONS.get(key)
    return value is not None and (row is None or (row.measures and value is not row.default))


def spec(function: Any) -> str | None:
    """``module:attr`` or ``file.py:attr``, under which `function` can be found again; None if it cannot."""
    home = importable(function)
    file = None if home is None else getattr(sys.modules[home[0]], "__file__", None)
    if home is None or file is None:
        return None
    from pathlib import Path  # what the command line repeats does without it

    module, name = home
    path = Path(file)
    installed = any(path.is_relative_to(folder) for folder in (*site.getsitepackages(), site.getusersitepackages()))
    beside = Path.cwd().joinpath(*module.split("."))
    if installed or path in (beside.with_suffix(".py"), beside / "__init__.py") or "." in module:
        return f"{module}:{name}"
    return f"{os.path.relpath(path)}:{name}"


def _typed(point: Point) -> str | None:
    """The point as it can be typed; None if it has too many entries, or another precision than typed numbers have."""
    if not point.values or point.leaves or point.dtype != "float64":
        return None
    if len(point.shape) == 1 < point.size:
        texts = [repr(value) for value in point.values]
        return ",".join([text.removesuffix(".0") for text in texts] if point.origin == FOUND else texts)
    import json  # of use to few

    nested: Any = list(point.values)
    for size in reversed(point.shape[1:]):
        nested = [nested[start : start + size] for start in range(0, len(nested), size)]
    return json.dumps(nested if point.shape else nested[0])


def _parts(x0: Any, f: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, str] | None:
    """A dict of a few numbers as it can be typed; None for any other tree, or if f were called otherwise then."""
    if type(x0) is not dict or not all(isinstance(name, str) and name.isidentifier() for name in x0):
        return None
    if takes_by_name(f, x0) != bool(options.get("unpack")):
        return None
    typed = {name: _numbers(value) for name, value in x0.items()}
    if None in typed.values() or sum(map(len, typed.values())) > LONGEST:  # type: ignore[arg-type]
        return None
    return typed  # type: ignore[return-value]


def _numbers(value: Any) -> str | None:
    """A number, or an array of NumPy of float64, as it can be typed."""
    if type(value) is float:
        return repr(value)
    if type(value).__module__ != "numpy" or getattr(value, "dtype", None) != "float64" or not value.size:
        return None
    import json

    return json.dumps(value.tolist()) if value.size <= LONGEST else None


class Named(Protocol):
    """A check that the command line knows by its name, with the options that it was declared with."""

    @property
    def name(self) -> str:
        """What is typed."""

    def option(self, key: str) -> Any:
        """The value of an option, given or by default."""


def replay(given: Mapping[str, Any]) -> Callable[..., str]:
    """What repeats a check: its name and the options given here.

    The function returned takes the check and, if there is one, its report: one of a point that was found is repeated there.
    It raises ValueError for what cannot be typed.
    """

    def command_of(check: Named, report: Report | None = None) -> str:
        typed = given
        if report is not None and report.point.origin == FOUND and (point := _typed(report.point)) is not None:
            elsewhere = {key: value for key, value in given.items() if key not in (*PLACES, "reach")}
            typed = {**elsewhere, "point": point}
        return _line(check.name, typed, check.option("seed"))

    return command_of


def _line(name: str, given: Mapping[str, Any], seed: int) -> str:
    """A command line.  Raises ValueError for what cannot be typed."""
    words: list[str] = []
    for key in sorted(given, key=list(OPTIONS).index):
        typed = OPTIONS[key].words(given[key]) if key in OPTIONS and Face.CLI in OPTIONS[key].where else None
        if typed is None:
            raise ValueError(key)
        words += typed
    return shlex.join(["gradcheck", name, *words, *([] if "seed" in given else ["--seed", str(seed)])])
