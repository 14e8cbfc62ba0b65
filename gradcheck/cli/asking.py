"""``--ask`` and ``--tell``: the check of a function that runs elsewhere, a batch of points at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.checks.stepwise import Asked, ask_and_tell
from gradcheck.cli import output
from gradcheck.errors import OutputError, UsageError
from gradcheck.model import Report
from gradcheck.options.keywords import KEYWORDS
from gradcheck.reporting.files import write_file
from gradcheck.runner.reading import choose_point, read_bounds
from gradcheck.runner.targets import load
from gradcheck.wording import counted, one_line

PLACES = ("dim", "shape", "point", "seed")
REMEDY = (
    'it must hold the values by the name "values", as in {"values": [0.5, 1.25]}, one for each point that was asked for'
)


def step(targets: Sequence[str], given: Mapping[str, Any], ask: str | None, tell: str | None) -> Report | None:
    """Take the values of a file, if there is one, and go on; the report, or None once points that are wanted were written."""
    if given.get("journal") is None:
        raise UsageError("what was told is kept in a journal; add --journal FILE, the same each time")
    if ask is None:
        raise UsageError("say where to write the points that are wanted next; add --ask FILE")
    if len(targets) > 1 or any(key in given for key in ("hess", "hvp", "jac", "jvp", "vjp", "value_and_grad", "vars")):
        raise UsageError(
            "a gradient of one array can be asked for, alone: give --grad, or nothing if it is told as well"
        )
    bounds = read_bounds(given.get("bounds"), load=lambda spec: load(spec, role="--bounds").value())
    x0, _ = choose_point(**{key: given[key] for key in PLACES if key in given}, bounds=bounds)
    keywords = {key: value for key, value in given.items() if key in KEYWORDS and key not in ("bounds", "name")}
    grad = load(given["grad"], role="--grad").value if "grad" in given else None
    name = targets[0] if targets else "f"
    engine = ask_and_tell(x0, grad=grad, name=name, bounds=bounds, **keywords)
    try:
        asked = next(engine)
        if tell is not None:
            asked = engine.send(_values(tell))
    except StopIteration as done:
        report: Report = done.value
        return report
    engine.close()
    _write(ask, asked)
    output.say(
        f"{counted(len(asked.points), 'value')} of {asked.role} wanted, at the points in {ask}; --tell FILE takes them"
    )
    return None


def _values(path: str) -> Any:
    """What a file tells.  Raises `UsageError`."""
    try:
        if path.lower().endswith(".npz"):
            with np.load(path, allow_pickle=False) as held:
                return held["values"]
        with open(path, encoding="utf-8") as file:
            return json.load(file)["values"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
        raise UsageError(f"--tell {path} cannot be read: {why}; {REMEDY}") from None


def _write(path: str, asked: Asked) -> None:
    """The points, as arrays `points` and `role`."""
    if not path.lower().endswith(".npz"):
        write_file(path, json.dumps({"role": asked.role, "points": asked.points.tolist()}) + "\n")
        return
    beside = f"{path}.{os.getpid()}.npz"
    try:
        np.savez(beside, points=asked.points, role=np.array(asked.role))
        os.replace(beside, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


__all__ = ["step"]
