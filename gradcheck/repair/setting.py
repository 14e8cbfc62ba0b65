"""Everything a search needs, made from a claim and f as the user has them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from gradcheck.repair import trees
from gradcheck.repair.donors import Pool
from gradcheck.repair.machine import Machine
from gradcheck.repair.program import Routine
from gradcheck.repair.purity import Impure, Purity
from gradcheck.repair.source import NoSource, unwrap
from gradcheck.repair.world import World

Evaluate = Callable[[Callable[..., Any], Any], Any]


@dataclass(eq=False)
class Setting:
    """A private copy of the claim that can be changed and run, and beside it f if its source can be read.

    own: the functions that only the claim calls.
    shared: those that f calls, and f.
    """

    machine: Machine
    pool: Pool
    own: list[Routine]
    shared: list[Routine]
    foreign: list[ast.stmt]
    function: Callable[..., Any] | None
    world: World


def prepare(claim: Any, function: Any, evaluate: Evaluate) -> Setting:
    """Copies of what can be read.

    Raises:
        Impure: the claim does more than compute.
        NoSource: its source cannot be read.
    """
    world = World(Purity())
    call, entry = world.call(claim)
    mine = [entry, *(r for r in world.routines.values() if r is not entry)]
    private: Callable[..., Any] | None = None
    try:
        private, _ = world.call(function)
    except (Impure, NoSource):
        world.purity.definitions = {k: d for k, d in world.purity.definitions.items() if k in world.routines}
    theirs = _reached(world, unwrap(function).function) if private is not None else []
    world.share_names(*([] if private is not None else _heart(function)))
    if entry in theirs:  # it returns the value as well: all is the claim's, and what only the value needs moves nothing
        theirs = []
    own = [r for r in mine if r not in theirs and r.definition.editable]
    machine = Machine(call, own, evaluate)
    pool = Pool(machine, theirs or [r for r in mine if r not in own])
    return Setting(machine, pool, own, theirs, _foreign(theirs, own), private, world)


def _heart(function: Any) -> list[FunctionType]:
    """The function at the heart of a callable, if there is one."""
    try:
        return [unwrap(function).function]
    except NoSource:
        return []


def _reached(world: World, function: Any) -> list[Routine]:
    """A function's routine and those that it calls, directly or not."""
    found: list[Routine] = []
    made = {id(r.made): r for r in world.routines.values()}
    waiting = [world.routines[id(function)]]
    while waiting:
        routine = waiting.pop(0)
        if routine in found:
            continue
        found.append(routine)
        waiting += [made[id(v)] for v in routine.namespace.values() if id(v) in made]
    return found


def _foreign(theirs: Sequence[Routine], own: Sequence[Routine]) -> list[ast.stmt]:
    """The simple statements of f, in the claim's names, that the claim has not."""
    if not own:
        return []
    have = {trees.text(node) for routine in own for node in ast.walk(routine.tree) if isinstance(node, ast.stmt)}
    mine = own[0].definition.parameters
    found: dict[str, ast.stmt] = {}
    for routine in theirs:
        renaming = dict(zip(routine.definition.parameters, mine, strict=False))
        for node in ast.walk(routine.tree):
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)):
                fresh = ast.parse(trees.text(node)).body[0]
                for part in ast.walk(fresh):
                    if isinstance(part, ast.Name):
                        part.id = renaming.get(part.id, part.id)
                if trees.text(fresh) not in have:
                    found.setdefault(trees.text(fresh), fresh)
    return list(found.values())
