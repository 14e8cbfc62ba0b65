"""A failure as a test to paste: imports, the point in few words, and the check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.evaluation.sources import importable
from gradcheck.model import Kind

FEW = 8  # entries of an array that are written out whatever they are


def pasted(kind: Kind, f: Callable[..., Any], claim: Any, x0: Any, keywords: Mapping[str, Any]) -> str | None:
    """The text of a test that makes the check at `x0`; None if what it needs cannot be written down.

    keywords: of the check, those alone that differ from what they are by default.
    """
    functions = {"f": f, "claim": claim, **{key: value for key, value in keywords.items() if callable(value)}}
    names: dict[str, str] = {}
    imports: dict[str, list[str]] = {}
    for key, function in functions.items():
        if not callable(function):  # None, or the word for what a framework is asked for
            names[key] = repr(function)
            continue
        home = importable(function)
        if home is None:
            return None
        module, path = home
        names[key] = path
        found = imports.setdefault(module, [])
        found += [name for name in [path.partition(".")[0]] if name not in found]
    point, rest = _written(x0), {key: _written(value) for key, value in keywords.items() if key not in functions}
    if point is None or None in rest.values():
        return None
    said = [f"{key}={names.get(key, rest.get(key))}" for key in keywords]
    setting = point if point.startswith("x = ") else f"x = {point}"
    called = names["claim" if callable(claim) else "f"]
    return "\n".join(
        [
            "import numpy as np",
            f"from gradcheck import check_{kind.value}",
            *(f"from {module} import {', '.join(found)}" for module, found in imports.items()),
            "",
            "",
            f"def test_{called.replace('.', '_')}_at_a_point_found():",
            *(f"    {line}" for line in setting.split("\n")),
            f"    check_{kind.value}({', '.join([names['f'], names['claim'], 'x', *said])})",
        ]
    )


def _written(value: Any) -> str | None:
    """A value as Python; statements that begin with ``x = `` for an array that is mostly zeros; None if it cannot be."""
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        return _array(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    if type(value) is dict and all(isinstance(key, str) for key in value):
        parts = {key: _written(item) for key, item in value.items()}
        return (
            None if None in parts.values() else "{" + ", ".join(f"{key!r}: {text}" for key, text in parts.items()) + "}"
        )
    if type(value) in (list, tuple):
        items = [_written(item) for item in value]
        if None in items:
            return None
        inside = ", ".join(map(str, items))
        return f"[{inside}]" if type(value) is list else f"({inside}{',' if len(items) == 1 else ''})"
    return None


def _array(x: Any) -> str:
    dtype = "" if x.dtype == np.float64 else f", dtype=np.{x.dtype}"
    filled = np.argwhere(x != 0)
    if x.size <= FEW or 2 * len(filled) > x.size:
        return f"np.array({x.tolist()}{dtype})"
    shape = x.shape[0] if x.ndim == 1 else x.shape
    return "\n".join(
        [
            f"x = np.zeros({shape}{dtype})",
            *(f"x[{', '.join(map(str, place))}] = {x[tuple(place)].item()!r}" for place in filled.tolist()),
        ]
    )
