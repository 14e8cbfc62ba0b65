"""Variables that f and the claim both compute under one name, and that are not the same."""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Where
from gradcheck.repair.program import Routine
from gradcheck.repair.purity import Purity
from gradcheck.repair.values import kept
from gradcheck.repair.world import World
from gradcheck.variables.arrays import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ALIKE = 0.6  # of the characters of two expressions that are meant to be one
SAME = 1e-9  # relative difference of values that are the same but for rounding


@dataclass(frozen=True)
class Disagreement:
    """A variable that f and the claim have under one name, with different values.

    theirs, ours: the expressions that it is set to in f and in the claim.
    by: the largest difference, relative to the largest value.
    """

    name: str
    theirs: str
    ours: str
    in_f: Where
    in_claim: Where
    by: float

    @property
    def is_telling(self) -> bool:
        """Whether both are set to much the same, so that the name stands for one thing in both."""
        return difflib.SequenceMatcher(None, self.theirs, self.ours, autojunk=False).ratio() > ALIKE


def disagreements(
    function: Any, claim: Any, x: Array, evaluate: Callable[[Callable[..., Any], Array], Any]
) -> list[Disagreement]:
    """The variables of f and of a claim that go by one name and disagree, in the order of the claim.

    evaluate: (a callable, x) ↦ whatever it comes to.

    Raises:
        Impure, NoSource: a source cannot be read, or does more than compute.
    """
    world = World(Purity())
    call_f, f = world.call(function)
    call_claim, entry = world.call(claim)
    if f is entry:  # it returns both
        return []
    theirs = _variables(f, lambda: evaluate(call_f, x))
    ours = _variables(entry, lambda: evaluate(call_claim, x))
    found = []
    for name, (mine, value) in ours.items():
        if name not in theirs:
            continue
        other, expected = theirs[name]
        by = _difference(value, expected)
        if by is not None and by > SAME:
            found.append(
                Disagreement(
                    name, ast.unparse(other.value), ast.unparse(mine.value), _where(f, other), _where(entry, mine), by
                )
            )
    return sorted(found, key=lambda d: d.in_claim.line)


def _variables(routine: Routine, run: Callable[[], Any]) -> dict[str, tuple[ast.Assign, Any]]:
    """The local variables that a function sets in one place, with that place and the values at its end."""
    places: dict[str, list[ast.Assign]] = {}
    for node in ast.walk(routine.tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            places.setdefault(node.targets[0].id, []).append(node)
    stored = [n.id for n in ast.walk(routine.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    values = _at_the_end(routine.made.__code__, run)
    return {
        name: (nodes[0], values[name])
        for name, nodes in places.items()
        if stored.count(name) == 1 and name in values and name not in routine.definition.parameters
    }


def _at_the_end(code: CodeType, run: Callable[[], Any]) -> dict[str, Any]:
    """The variables of a function when it returns."""
    found: dict[str, Any] = {}

    def look(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is code:
            found.update((name, kept(value)) for name, value in frame.f_locals.items())

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        run()
    finally:
        sys.setprofile(before)
    return found


def _difference(value: Any, expected: Any) -> float | None:
    """The largest difference of two values relative to the largest of them; None if they are not of one kind and shape."""
    try:
        one, other = as_numpy(value), as_numpy(expected)
    except (TypeError, ValueError):
        return None
    if not (set(one.dtype.kind + other.dtype.kind) <= set("biufc")):
        return None
    one, other = (np.asarray(v, complex if "c" in one.dtype.kind + other.dtype.kind else float) for v in (one, other))
    if one.shape != other.shape or not one.size or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return None
    size = float(max(np.abs(one).max(), np.abs(other).max()))
    return float(np.abs(one - other).max()) / size if size else 0.0


def _where(routine: Routine, node: ast.Assign) -> Where:
    definition = routine.definition
    return Where(file=definition.file, line=node.lineno, text=definition.text[node.lineno - 1].strip())
