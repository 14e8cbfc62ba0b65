"""Runs a private copy of a claim: as it stands, with one expression replaced while it runs, with a changed tree, looked into."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

from gradcheck.repair import trees
from gradcheck.repair.program import Routine, Spot, few, read_lines, rebuilt
from gradcheck.repair.values import kept

HOLE = "__hole__"
MOST_VISITS = 64  # passes of a loop whose values are kept, all or but a few


class TooSlow(BaseException):
    """A candidate takes too long."""


class Machine:
    """Runs a claim of which one expression at a time is replaced while it runs, or a tree is changed.

    call: the private copy of the claim.
    evaluate: what the claim comes to at a point, as a flat array; it may raise.
    """

    def __init__(
        self, call: Callable[..., Any], routines: Sequence[Routine], evaluate: Callable[[Any, Any], Any]
    ) -> None:
        self.call, self.routines, self.evaluate = call, routines, evaluate
        self.runs = self.steps = 0  # of the claim, and of all that may take long
        self._active: tuple[int, ...] = ()
        self._act: Callable[[Any, FrameType], Any] = lambda value, frame: value
        first = 0
        for routine in routines:
            read_lines(routine, first)
            first += sum(len(line.spots) for line in routine.lines)
            routine.namespace[HOLE] = self._hole
        self.spots = {spot.number: spot for spot in self._spots()}

    def _spots(self) -> Iterator[Spot]:
        for routine in self.routines:
            for line in routine.lines:
                yield from line.spots

    def _hole(self, number: int, value: Any) -> Any:
        if number not in self._active:
            return value
        return self._act(value, sys._getframe(1))

    def run(self, x: Any) -> Any:
        """What the claim comes to as it stands; None if it raises."""
        self.runs += 1
        self.steps += 1
        try:
            return self.evaluate(self.call, x)
        except (Exception, TooSlow):
            return None

    def run_with(self, spots: Sequence[Spot], act: Callable[[Any, FrameType], Any], x: Any) -> Any:
        """… where the value of some expressions of one line is what `act` makes of it and of the frame around it."""
        line, made = spots[0].line, spots[0].line.routine.made
        if line.variant is None:
            numbers: dict[ast.AST, int] = {s.node: s.number for s in line.spots}
            line.variant = line.routine.code_of(rebuilt(line.routine.tree, {line.node: wrapped(line.node, numbers)}))
        before = made.__code__
        made.__code__ = line.variant
        self._active, self._act = tuple(s.number for s in spots), act
        try:
            return self.run(x)
        finally:
            self._active = ()
            made.__code__ = before

    def run_changed(self, trees: Mapping[Routine, ast.FunctionDef], x: Any) -> Any:
        """… with other trees for some of its routines."""
        try:
            codes = {routine: routine.code_of(tree) for routine, tree in trees.items()}
        except (SyntaxError, ValueError, TypeError, RecursionError):
            return None
        before = {routine: routine.made.__code__ for routine in codes}
        for routine, code in codes.items():
            routine.made.__code__ = code
        try:
            return self.run(x)
        finally:
            for routine, code in before.items():
                routine.made.__code__ = code

    def record(self, x: Any, other: Any = None) -> Any:
        """Run to keep the values and variables of the passes of each expression; at `other`, those of one pass."""
        before = {routine: routine.made.__code__ for routine in self.routines}
        numbers: dict[ast.AST, int] = {spot.node: spot.number for spot in self.spots.values()}
        for routine in self.routines:
            routine.made.__code__ = routine.code_of(wrapped(routine.tree, numbers))
        try:
            if other is not None:
                self._record(other, beside=True)
            return self._record(x, beside=False)
        finally:
            for routine, code in before.items():
                routine.made.__code__ = code
                routine.namespace[HOLE] = self._hole

    def _record(self, x: Any, *, beside: bool) -> Any:
        counts, seen = dict.fromkeys(self.spots, 0), dict.fromkeys(self.spots, 0)

        def count(number: int, value: Any) -> Any:
            counts[number] += 1
            return value

        def keep(number: int, value: Any) -> Any:
            spot, k, n = self.spots[number], seen[number], counts[number]
            seen[number] = k + 1
            if k == n // 2 if beside else k in chosen(n):
                line, scope = spot.line, None
                if spot.nested or spot is line.keeper:
                    scope = scope_of(sys._getframe(1))
                if beside:
                    spot.beside.append(kept(value))
                    if scope is not None:
                        (spot.beside_scopes if spot.nested else line.beside).append(scope)
                else:
                    spot.values.append(kept(value))
                    if scope is not None:
                        (spot.scopes if spot.nested else line.scopes).append(scope)
            return value

        for hole in (count, keep):
            for routine in self.routines:
                routine.namespace[HOLE] = hole
            out = self.run(x)
        for spot in self.spots.values():
            spot.visits = counts[spot.number]
        for routine in self.routines:
            for line in routine.lines:
                line.visits = max((s.visits for s in line.spots), default=0)
        return out


def with_hole(routine: Routine, after: ast.stmt, added: ast.stmt, spot: Spot) -> CodeType:
    """The code of a routine with a statement added after another, of which one expression passes through the hole."""
    statement = wrapped(added, {spot.node: spot.number})
    return routine.code_of(rebuilt(routine.tree, {after: [after, statement]}))


def wrapped(node: Any, numbers: Mapping[ast.AST, int]) -> Any:
    """A tree in which the value of each numbered expression passes through the hole."""
    fresh: dict[str, Any] = {}
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            made = [wrapped(child, numbers) if isinstance(child, ast.AST) else child for child in value]
            if any(a is not b for a, b in zip(made, value, strict=True)):
                fresh[name] = made
        elif isinstance(value, ast.AST):
            other = wrapped(value, numbers)
            if other is not value:
                fresh[name] = other
    out = node
    if fresh:
        out = copy.copy(node)
        for name, value in fresh.items():
            setattr(out, name, value)
    if node in numbers:
        out = ast.Call(ast.Name(HOLE, ast.Load()), [ast.Constant(numbers[node]), out], [])
        trees.located(out, node)
    return out


def chosen(count: int) -> tuple[int, ...]:
    """Which of so many passes are kept: all, or of very many the second, one in the middle, the last."""
    return tuple(range(count)) if count <= MOST_VISITS else few(count)


def scope_of(frame: FrameType) -> dict[str, Any]:
    """The variables of a frame as they are now."""
    return {name: kept(value) for name, value in frame.f_locals.items() if not name.startswith(".")}
