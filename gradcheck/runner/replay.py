"""The command that repeats a check, be it typed, declared, or made in Python by functions that can be named from outside."""

from __future__ import annotations

import json
import math
import os
import shlex
import site
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gradcheck.model import Point, Report
from gradcheck.runner.config import DeclaredCheck

SAID_OTHERWISE = {"name", "progress", "throw", "allow_inconclusive"}  # what changes no number
SPELT_OUT = ("value_and_grad", "points", "seed", "method", "directions", "eps", "vectorized", "jit", "rtol", "atol")


def command(
    report: Report, f: Callable[..., Any], claim: Callable[..., Any] | None, options: Mapping[str, Any]
) -> str | None:
    """The ``gradcheck`` command that repeats the check of `report`, which was made with these arguments.

    None if there is none: a function that is local to another, say, or a point too large to be typed.
    """
    rest = {key: value for key, value in options.items() if key not in SAID_OTHERWISE and value is not None}
    key = report.kind.key
    functions = {"target": f, key: claim, "grad": rest.pop("grad", claim if key == "grad" else None)}
    named = {role: spec(function) for role, function in functions.items() if function is not None}
    point = _typed(report.point)
    bounds = _bounds(rest.pop("bounds", None))
    target = named.pop("target")
    if target is None or point is None or bounds is None or None in named.values() or rest.keys() - {*SPELT_OUT}:
        return None
    if claim is not None and rest.get("value_and_grad"):
        return None  # the command line takes value and gradient from its target only
    given = {**named, "point": point, **({"bounds": bounds} if bounds else {})}
    given |= {key: rest[key] for key in SPELT_OUT if key in rest and (rest[key] is not False or key == "vectorized")}
    return replay(target, given, ())(DeclaredCheck(name=target, target=target))


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
    if not point.values or point.dtype != "float64":
        return None
    if len(point.shape) == 1 < point.size:
        return ",".join(map(repr, point.values))
    nested: Any = list(point.values)
    for size in reversed(point.shape[1:]):
        nested = [nested[start : start + size] for start in range(0, len(nested), size)]
    return json.dumps(nested if point.shape else nested[0])


def _bounds(bounds: Any) -> str | None:
    """'' for no bounds, None for such as cannot be typed."""
    if bounds is None or isinstance(bounds, str):
        return bounds or ""
    if not all(isinstance(side, (int, float)) for side in bounds):
        return None
    return ":".join("" if math.isinf(side) else repr(float(side)) for side in bounds)


def replay(target: str | None, given: Mapping[str, Any], suspects: Sequence[str]) -> Callable[[DeclaredCheck], str]:
    """What repeats a check: its name and the options given here."""
    words = []
    for key, value in given.items():
        option = "--" + key.replace("_", "-")
        words += ["--no-vectorized"] if value is False else [option] if value is True else [option, str(value)]
    for suspect in suspects:
        words += ["--suspect", suspect]

    def command_of(check: DeclaredCheck) -> str:
        seed = [] if "seed" in given else ["--seed", str(check.seed or 0)]
        return shlex.join(["gradcheck", target if target and not check.section else check.name, *words, *seed])

    return command_of
