"""The command that repeats a check, be it typed, declared, or made in Python by functions that can be named from outside."""

from __future__ import annotations

import json
import os
import shlex
import site
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gradcheck.evaluation.unpacking import takes_by_name
from gradcheck.model import Point, Report
from gradcheck.options.row import Face
from gradcheck.options.table import OPTIONS
from gradcheck.runner.config import CLAIMS, DeclaredCheck

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
    claims = {key: given.pop(key) for key in CLAIMS if key in given}
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
        return replay({**named, **place, **given})(DeclaredCheck(name=target, target=target))
    except ValueError:
        return None


def _bears(key: str, value: Any) -> bool:
    """Whether a keyword with this value bears on the numbers."""
    row = OPTIONS.get(key)
    return value is not None and (row is None or (row.measures and value is not row.default))


def spec(function: Any) -> str | None:
    """``module:attr`` or ``file.py:attr``, under which `function` can be found again; None if it cannot."""
    name = getattr(function, "__qualname__", None)
    module = sys.modules.get(str(getattr(function, "__module__", None)))
    file = getattr(module, "__file__", None)
    if module is None or file is None or not isinstance(name, str):
        return None
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)  # <locals> and <lambda> are attributes of nothing
    if found is not function or module.__name__ == "__main__":
        return None
    path = Path(file)
    installed = any(path.is_relative_to(folder) for folder in (*site.getsitepackages(), site.getusersitepackages()))
    beside = Path.cwd().joinpath(*module.__name__.split("."))
    if installed or path in (beside.with_suffix(".py"), beside / "__init__.py") or "." in module.__name__:
        return f"{module.__name__}:{name}"
    return f"{os.path.relpath(path)}:{name}"


def _typed(point: Point) -> str | None:
    """The point as it can be typed; None if it has too many entries, or another precision than typed numbers have."""
    if not point.values or point.leaves or point.dtype != "float64":
        return None
    if len(point.shape) == 1 < point.size:
        return ",".join(map(repr, point.values))
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
    return json.dumps(value.tolist()) if value.size <= LONGEST else None


def replay(given: Mapping[str, Any]) -> Callable[[DeclaredCheck], str]:
    """What repeats a check: its name and the options given here.  Raises ValueError for what cannot be typed."""
    words: list[str] = []
    for key in sorted(given, key=list(OPTIONS).index):
        typed = OPTIONS[key].words(given[key]) if key in OPTIONS and Face.CLI in OPTIONS[key].where else None
        if typed is None:
            raise ValueError(key)
        words += typed

    def command_of(check: DeclaredCheck) -> str:
        seed = [] if "seed" in given else ["--seed", str(check.option("seed"))]
        return shlex.join(["gradcheck", check.name, *words, *seed])

    return command_of
