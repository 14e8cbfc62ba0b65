"""``--ask`` and ``--tell``: the check of a function that runs elsewhere, a batch of points at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.checks.stepwise import TOLD, Asked, ask_and_tell
from gradcheck.cli import output
from gradcheck.errors import OutputError, UsageError
from gradcheck.evaluation.unpacking import takes_by_name
from gradcheck.model import Report
from gradcheck.options.keywords import KEYWORDS
from gradcheck.reporting.files import write_file
from gradcheck.runner.reading import choose_point, read_bounds
from gradcheck.runner.targets import load
from gradcheck.wording import counted, one_line

PLACES = ("dim", "shape", "point", "seed")
CLAIMS = ("grad", "jac", "hess")
REFUSED = ("hvp", "jvp", "vjp", "value_and_grad", "grad_and_hess", "factory", "complex", "arrays")
POINTS, VALUES = "points", "values"
REMEDY = (
    'it must hold the values by the name "values", as in {"values": [0.5, 1.25]}, one for each point that was asked for'
)


def step(targets: Sequence[str], given: Mapping[str, Any], ask: str | None, tell: str | None) -> Report | None:
    """Take the values of a file, if there is one, and go on; the report, or None once points that are wanted were written."""
    if given.get("journal") is None:
        raise UsageError("what was told is kept in a journal; add --journal FILE, the same each time")
    if ask is None:
        raise UsageError("say where to write the points that are wanted next; add --ask FILE")
    if len(targets) > 1:
        raise UsageError(f"--ask is for one function, and {' and '.join(targets)} are several; name one")
    if refused := next((name for name in REFUSED if name in given), None):
        raise UsageError(
            f"--{refused.replace('_', '-')} does not go with --ask; --grad, --jac and --hess do, each a T or {TOLD}"
        )
    bounds = read_bounds(given.get("bounds"), load=lambda spec: load(spec, role="--bounds").value())
    place = {key: given[key] for key in PLACES if key in given} | {"parts": given.get("vars")}
    x0, point = choose_point(**place, bounds=bounds)
    keywords = {key: value for key, value in given.items() if key in KEYWORDS and key not in ("bounds", "name")}
    claims = {role: _claim(given[role], role, x0) for role in CLAIMS if role in given}
    engine = ask_and_tell(x0, **claims, name=targets[0] if targets else "f", bounds=bounds, **keywords)
    try:
        asked = next(engine)
        if tell is not None:
            asked = engine.send(_values(tell))
    except StopIteration as done:
        report: Report = done.value
        return replace(report, point=replace(report.point, origin=point.origin, seed=point.seed))
    engine.close()
    _write(ask, asked)
    output.say(
        f"{counted(len(asked.points), 'value')} of {asked.role} wanted, at the points in {ask}; --tell FILE takes them"
    )
    return None


def _claim(spec: str, role: str, x0: Any) -> Any:
    """A claim that can be called here, with the parts of x0 by name if it takes them so; or the word for what is told."""
    if spec == TOLD:
        return TOLD
    claim = load(spec, role=f"--{role}").value
    return (lambda parts: claim(**parts)) if takes_by_name(claim, x0) else claim


def _values(path: str) -> Any:
    """What a file tells.  Raises `UsageError`."""
    try:
        if path.lower().endswith(".npz"):
            with np.load(path, allow_pickle=False) as held:
                if VALUES in held:
                    return held[VALUES]
                leaves = {name.partition(".")[2]: held[name] for name in held if name.startswith(f"{VALUES}.")}
            if not leaves:
                raise ValueError("it holds no values")
            return [dict(zip(leaves, parts, strict=True)) for parts in zip(*leaves.values(), strict=True)]
        with open(path, encoding="utf-8") as file:
            told = json.load(file)[VALUES]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
        raise UsageError(f"--tell {path} cannot be read: {why}; {REMEDY}") from None
    return [_tree(value) if isinstance(value, dict) else value for value in told] if isinstance(told, list) else told


def _tree(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(part) for name, part in value.items()}


def _write(path: str, asked: Asked) -> None:
    """The points, and whose values are wanted; of a tree, an array for each leaf."""
    trees = isinstance(asked.points, list)
    if not path.lower().endswith(".npz"):
        points = (
            [{name: np.asarray(part).tolist() for name, part in point.items()} for point in asked.points]
            if trees
            else asked.points.tolist()
        )
        write_file(path, json.dumps({"role": asked.role, POINTS: points}) + "\n")
        return
    arrays = {POINTS: asked.points}
    if trees:
        arrays = {f"{POINTS}.{name}": np.array([point[name] for point in asked.points]) for name in asked.points[0]}
    beside = f"{path}.{os.getpid()}.npz"
    try:
        np.savez(beside, role=np.array(asked.role), **arrays)
        os.replace(beside, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


__all__ = ["step"]
