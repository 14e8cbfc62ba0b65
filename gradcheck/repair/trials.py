"""Candidates tried: the one place that runs them, and judges them against what was measured."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck.repair import trees
from gradcheck.repair.candidates import Candidate, Change, joined
from gradcheck.repair.coefficients import Spellings, multiplied_by, plus
from gradcheck.repair.donors import MOST_OTHERS, Pool, fingerprint, numpy_name, passes
from gradcheck.repair.judge import WIDE, Measured
from gradcheck.repair.machine import Machine, TooSlow
from gradcheck.repair.places import HERE, LazyList, Place, is_index
from gradcheck.repair.program import Line, Spot
from gradcheck.variables.arrays import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.repair.trees import Node

    Array = NDArray[np.float64]

MOST_EFFECTS = 4_000_000  # numbers that are kept of what edits do
MOST_RIVALS, MOST_PAIRS = 20, 30  # of an edit's partners, and of pairs that are run
CLOSER = 0.5  # an edit that leaves less than this share of the gap may be one of two
WORTHWHILE, NEWTON = 0.7, 6  # a fit that leaves less than this share of the gap is refined, in so many steps
INFINITE = float("inf")


class Partial(NamedTuple):
    """An edit that mends a part: so many entries, and what it leaves of the gap."""

    candidate: Candidate
    mended: int
    left: float


class Trials:
    """What was tried of one claim.

    pool: the donors.
    measured: at the point, and at others.
    deadline: when to end, by the clock.
    survivors: what agrees with all that was measured.
    partial: what mends a part, by what it leaves.
    near: for each line, the least share of the gap that an edit of it leaves.
    scaled: lines of which a value, multiplied by some number, removes the gap.
    """

    def __init__(self, machine: Machine, pool: Pool, measured: Sequence[Measured], deadline: float) -> None:
        self.machine, self.pool, self.measured, self.deadline = machine, pool, measured, deadline
        self.target = measured[0]
        self.x = self.target.x
        self.allowed = self.target.allowed
        self.survivors: list[Candidate] = []
        self.partial: dict[bytes, Partial] = {}
        self.near: dict[Line, float] = {}
        self.scaled: set[Line] = set()
        self.same: dict[Any, list[Candidate]] = {}  # by place and value
        self.effects: list[tuple[Candidate, Array]] = []  # what each edit does to the answer
        self.tried = 0
        self._namespaces: dict[Line, list[dict[str, Any]]] = {}
        self._spellings: dict[Line, Spellings] = {}

    def expired(self) -> bool:
        """Whether time is up."""
        return clock() > self.deadline

    def left(self) -> float:
        """Seconds left."""
        return max(self.deadline - clock(), 0.0)

    def start(self) -> bool:
        """Run once, looking; False if the claim cannot be run here or gives nothing to compare."""
        base = self.machine.record(self.x, self.measured[1].x if len(self.measured) > 1 else None)
        residual = self.target.residual(base)
        if residual is None:
            return False
        self.base, self.residual = base, residual
        self.distance = float(np.linalg.norm(residual / self.scale))
        started = clock()
        self.machine.run(self.x)
        self.seconds = max(clock() - started, 1e-6)
        return True

    @property
    def scale(self) -> Array:
        v = np.abs(self.target.values)
        return np.maximum(v, 1e-3 * v.max(initial=0.0) + 1e-300)

    def place(self, spot: Spot) -> Place:
        line = spot.line
        return Place(
            node=spot.node,
            parent=spot.parents[-1],
            values=spot.sample,
            names=LazyList(lambda: self.pool.names(line)),
            donors=LazyList(lambda: self.pool.at(line)),
            numpy=numpy_name(line.routine),
            index=is_index(spot),
        )

    def namespaces(self, spot: Spot) -> list[dict[str, Any]]:
        line = spot.line
        if spot.nested:
            return [{**line.routine.namespace, **scope} for scope in spot.sample_scopes]
        if line not in self._namespaces:
            self._namespaces[line] = [{**line.routine.namespace, **s} for s in passes(line)]
        return self._namespaces[line]

    def attempt(
        self, spots: Sequence[Spot], place: Place, row: str, new: Node, cost: float, *, sure: bool = False
    ) -> None:
        """An expression in place of another: where its value is new, run and judge it.

        sure: it differs at some pass that is not looked at here.
        """
        spot = spots[0]
        self.machine.steps += 1
        try:
            code = trees.code_of(new)
            values = []
            for namespace, value in zip(self.namespaces(spot), place.values, strict=False):
                namespace["__here__"] = value
                values.append(eval(code, namespace))
            key = fingerprint(values)
        except (Exception, TooSlow):
            return
        if not values:
            return
        candidate = Candidate(tuple(Change(s.line, s.node, new) for s in spots), row, cost)
        if key is not None:
            if key == fingerprint(place.values) and not sure:
                return
            known = self.same.setdefault((*(s.number for s in spots), key), [])
            known.append(candidate)
            if len(known) > 1 and not sure:
                del known[MOST_OTHERS:]
                return
        out = self.answer(candidate, spots, code)
        self.judge(candidate, out)
        if row == "term" and out is not None:
            self.fit_term(spots, place, new, out, cost)

    def answer(self, candidate: Candidate, spots: Sequence[Spot], code: Any) -> Any:
        self.tried += 1
        if any(s.nested for s in spots):
            return self.machine.run_changed(candidate.trees(), self.x)
        namespace = spots[0].line.routine.namespace

        def act(value: Any, frame: Any) -> Any:
            return eval(code, {**namespace, **frame.f_locals, "__here__": value})

        return self.machine.run_with(spots, act, self.x)

    def attempt_tree(self, candidate: Candidate) -> None:
        """A change of statements."""
        self.tried += 1
        self.judge(candidate, self.machine.run_changed(candidate.trees(), self.x))

    def judge(self, candidate: Candidate, out: Any) -> None:
        gap = self.target.residual(out)
        if gap is None:
            return
        if (np.abs(gap) <= self.allowed).all():
            if self.confirmed(candidate):
                self.survivors.append(candidate)
            return
        if len(self.effects) * gap.size < MOST_EFFECTS:
            self.effects.append((candidate, out - self.base))
        left = float(np.linalg.norm(gap / self.scale)) / self.distance
        line = candidate.changes[0].line
        self.near[line] = min(self.near.get(line, 1.0), left)
        mended, spoiled = self.target.mended(out)
        if (mended and not spoiled) or left < CLOSER:
            key = np.round(gap / self.scale, 6).tobytes()
            if key not in self.partial or self.partial[key].candidate.cost > candidate.cost:
                self.partial[key] = Partial(candidate, 0 if spoiled else mended, left)

    def confirmed(self, candidate: Candidate) -> bool:
        try:
            changed = candidate.trees()
        except (TypeError, ValueError):
            return False
        return all(m.agrees(self.machine.run_changed(changed, m.x)) for m in self.measured)

    def pairs(self) -> None:
        """Two edits whose effects add up to the gap: they mend different terms, or entries of their own."""
        if len(self.effects) < 2:
            return
        effects = np.array([effect for _, effect in self.effects])
        weights = np.random.default_rng(11).choice([-1.0, 1.0], self.base.size) / self.allowed
        shadow = effects @ weights
        order = np.argsort(shadow)
        wanted, slack = float(self.residual @ weights), float(self.base.size)
        low = np.searchsorted(shadow[order], wanted - shadow - slack)
        high = np.searchsorted(shadow[order], wanted - shadow + slack)
        found: list[Candidate] = []
        for i in np.flatnonzero(high > low):
            partners = order[low[i] : min(high[i], low[i] + MOST_RIVALS)]
            fit = (np.abs(self.residual - effects[i] - effects[partners]) <= self.allowed).all(axis=1) & (partners > i)
            found += [joined(self.effects[i][0], self.effects[j][0]) for j in partners[fit]]
        for candidate in sorted(found, key=lambda c: c.cost)[:MOST_PAIRS]:
            if not self.expired() and self.confirmed(candidate):
                self.survivors.append(candidate)

    def fit(self, step: Array) -> tuple[float, float, float]:
        """c of c · step ≈ residual, its relative precision, and the largest gap left in units of what is allowed."""
        a, b = step / self.allowed, self.residual / self.allowed
        n = float(a @ a)
        if n == 0 or not np.isfinite(n):
            return 0.0, INFINITE, INFINITE
        c = float(a @ b) / n
        return c, self.precision(step, c), float(np.abs(b - c * a).max())

    def precision(self, step: Array, c: float) -> float:
        """How well the coefficient in front of a step is known, relative to it."""
        sharp = WIDE * self.target.uncertainty + 1e-11 * np.abs(self.target.values) + 1e-300
        n = float(np.sum((step / sharp) ** 2))
        return max(2e-9, np.sqrt(step.size / n) / abs(c)) if n > 0 and c else INFINITE

    def spellings(self, line: Line) -> Spellings:
        """How numbers can be written at a line."""
        if line not in self._spellings:
            here = len(passes(line)) - len(line.beside)
            scalars = [
                d
                for d in self.pool.at(line)
                if d.shape == () and d.kind in ("f", "i") and all(v == d.values[0] for v in d.values[:here])
            ]
            self._spellings[line] = Spellings(scalars, numpy_name(line.routine))
        return self._spellings[line]

    def fit_factor(self, spots: Sequence[Spot], place: Place, cost: float) -> None:
        """Which number the expression would have to be multiplied by."""
        if not any(np.any(as_numpy(value)) for value in place.values):
            return  # 0 stays 0

        def multiplied(by: float) -> Any:
            new = trees.times(HERE, ast.Constant(by))
            return self.ran(spots, new, lambda value, frame: value * by)

        out = multiplied(1.5)
        if out is None:
            return
        c, precision, left = self.fit(out - self.base)
        factor = 1 + 0.5 * c
        if left > 1.0:
            found = self.newton(multiplied, factor, left)
            if found is None:
                return
            factor, precision = found
        else:
            precision *= abs(c * 0.5) / max(abs(factor), 1e-300)
        self.scaled.add(spots[0].line)
        spellings = self.spellings(spots[0].line)
        if (number := trees.value_of(spots[0].node)) is not None:
            options = spellings.of(number * factor, precision)
        else:
            options = [(multiplied_by(n), extra) for n, extra in spellings.of(factor, precision)]
        for new, extra in options[:8]:
            self.attempt(spots, place, "factor", new, cost + extra)

    def fit_term(self, spots: Sequence[Spot], place: Place, new: Node, out: Array, cost: float) -> None:
        """Which number the term would have to be multiplied by."""
        if out.shape != self.base.shape or not np.isfinite(out).all() or not isinstance(new, ast.BinOp):
            return
        c, precision, left = self.fit(out - self.base)
        if c == 0 or (left <= 1 and abs(c - 1) < 1e-5):
            return
        if left > 1:
            code = trees.code_of(new.right)
            namespace = spots[0].line.routine.namespace

            def added(by: float) -> Any:
                made = trees.binary(HERE, ast.Add, trees.times(ast.Constant(by), new.right))
                return self.ran(
                    spots, made, lambda value, frame: value + by * eval(code, {**namespace, **frame.f_locals})
                )

            found = self.newton(added, c, left)
            if found is None:
                return
            c, precision = found
        for n, extra in self.spellings(spots[0].line).of(c, precision)[:8]:
            self.attempt(spots, place, "term with coefficient", plus(n, new.right), cost + extra)

    def ran(self, spots: Sequence[Spot], new: Node, act: Callable[[Any, Any], Any]) -> Any:
        """The answer where expressions are what `act` makes of them, or are replaced by `new`; None if it is none."""
        self.tried += 1
        if any(s.nested for s in spots):
            made = Candidate(tuple(Change(s.line, s.node, new) for s in spots), "", 0.0)
            out = self.machine.run_changed(made.trees(), self.x)
        else:
            out = self.machine.run_with(spots, act, self.x)
        return None if out is None or out.shape != self.base.shape or not np.isfinite(out).all() else out

    def newton(self, answer: Callable[[float], Any], c: float, left: float) -> tuple[float, float] | None:
        """c for which answer(c) is what was measured, and its relative precision; None if there is none near by."""
        most = float(np.abs(self.residual / self.allowed).max())
        if left > WORTHWHILE * most:
            return None
        for turn in range(NEWTON):
            here, beside = answer(c), answer(c * (1 + 1e-4))
            if here is None or beside is None:
                return None
            gap = (self.target.values - here) / self.allowed
            far = float(np.abs(gap).max())
            if far <= 1:
                return c, 2e-6
            if turn > 1 and far > WORTHWHILE * most:
                return None
            slope = (beside - here) / 1e-4 / self.allowed
            n = float(slope @ slope)
            if n == 0:
                return None
            c *= 1 + max(-0.9, min(3.0, float(slope @ gap) / n))
        return None
