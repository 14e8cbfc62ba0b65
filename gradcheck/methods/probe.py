"""f along random directions restricted to some of the variables: pairs of values, and what the claim says of them.

One measurement touches only the entries that it moves; two arrays of the size of x are kept for it.  What is compared is what
happened: the claim is multiplied by half the displacement between the two rounded points, not by the one asked for.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.numerics.directions import direction, keys
from gradcheck.numerics.extrapolation import COLUMNS, richardson
from gradcheck.numerics.stencils import RATIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradcheck.methods.problem import Problem, Watcher

    Array = NDArray[np.float64]

PIECE = 2**16  # entries perturbed at a time
GATHERED = 2**20  # entries of points that are evaluated at once
FEW = 100  # entries whose error of truncation may be gathered in one
COMPILED, LOADED = (
    10**5,
    10**4,
)  # entries from which the compiled pass is worth it: by itself, and if Numba is loaded already
RISING = np.array(  # root mean square of what weights that rise to 1.5 do to each order's error, a power of the weight
    [[math.sqrt(1.5**power / power)] for power in range(7, 7 + 4 * COLUMNS, 4)]
)


@dataclass(frozen=True, slots=True)
class Pair:
    """f on both sides of the point.

    plus, minus: f(x ± h v).
    change: Σ g δ with δ half the displacement that happened.
    ideal: Σ g v; square: Σ (g v)².
    """

    plus: float
    minus: float
    change: float
    ideal: float
    square: float


class Probe:
    """Measures f along directions w · scales against the claim `slopes` (n,), which may be corrected.

    row: which value of f.
    """

    def __init__(self, problem: Problem, watcher: Watcher, slopes: Array, scales: Array, *, row: int) -> None:
        self.function, self.x, self.seed = problem.function, problem.x, problem.seed
        self.watcher, self.row = watcher, row
        self.claimed = self.slopes = slopes  # one array until something is corrected: they are large
        self.scales = scales
        self.ahead, self.behind = self.x.copy(), self.x.copy()  # points, but for the entries that the last pair `moved`
        self.moved = range(0)
        self.excluded: list[range] = []

    @property
    def size(self) -> int:
        """n, the number of entries."""
        return int(self.x.size)

    def correct(self, index: int, value: float) -> None:
        """Measure against another slope of one entry from now on."""
        self._own()
        self.slopes[index] = value

    def divide(self, factor: float) -> None:
        """Measure against slopes that are smaller by a factor from now on."""
        self._own()
        self.slopes /= factor

    def restore(self, corrected: Mapping[int, float]) -> None:
        """Measure against the claim again, but for some entries."""
        self.slopes = self.claimed
        for index, value in corrected.items():
            self.correct(index, value)

    def _own(self) -> None:
        if self.slopes is self.claimed:
            self.slopes = self.claimed.copy()

    def weights(self, where: range, number: int, ramp: tuple[float, float] | None = None) -> Array:
        """Entries `where` of direction `number`, with those that are excluded 0; `ramp`: times numbers that rise evenly."""
        w = direction(len(where), self.seed, number, where[0], where.step)
        if ramp is not None:
            w = w * np.linspace(*ramp, len(where))
        for rule in self.excluded:
            index = np.arange(where.start, where.stop, where.step)
            w = np.where((index >= rule.start) & (index < rule.stop) & ((index - rule.start) % rule.step == 0), 0.0, w)
        return w

    def pair(self, where: range, number: int, h: float, *, ramp: bool = False) -> Pair:
        """f at x ± h v, v being direction `number` on the entries `where` and 0 elsewhere."""
        self.watcher.require_time()
        self._restore(unless=where)
        self.moved = where
        change, ideal, square = self._perturb(where, number, h, ramp)
        return Pair(self._value(self.ahead), self._value(self.behind), change, ideal, square)

    def ladder(self, where: range, number: int, steps: Array) -> list[Pair]:
        """The pairs at several steps: all at once, where f is called in other processes or asked from elsewhere."""
        if not self.function.gathers or 2 * steps.size * self.size > GATHERED:
            return [self.pair(where, number, h) for h in steps.tolist()]
        self.watcher.require_time()
        sums, points = [], []
        for h in steps.tolist():
            self._restore(unless=where)
            self.moved = where
            sums.append(self._perturb(where, number, h, False))
            points += [self.ahead.copy(), self.behind.copy()]
        values = self.function.gathered(np.array(points))[:, self.row].tolist()
        return [Pair(values[2 * k], values[2 * k + 1], *one) for k, one in enumerate(sums)]

    def _restore(self, unless: range) -> None:
        """Put back what the last pair moved, unless this one moves it all."""
        last = self.moved
        if last == unless or (unless.step == 1 and last and last[0] in unless and last[-1] in unless):
            return
        chosen = slice(last.start, last.stop, last.step)
        self.ahead[chosen] = self.x[chosen]
        self.behind[chosen] = self.x[chosen]

    def release(self) -> None:
        """Give back the memory of the points; nothing is measured any more."""
        self.ahead = self.behind = self.x

    def _value(self, point: NDArray[Any]) -> float:
        return float(self.function.prepared(point)[self.row])

    def _perturb(self, where: range, number: int, h: float, ramp: bool) -> tuple[float, float, float]:
        threshold = LOADED if "numba" in sys.modules else COMPILED
        if where.step == 1 and not ramp and not self.excluded and len(where) >= threshold:
            from gradcheck.numerics import kernels

            span = (where.start, where.stop)
            return kernels.perturb(
                self.x, self.slopes, self.scales, self.ahead, self.behind, span, keys(self.seed, number), h
            )
        sums: tuple[list[float], list[float], list[float]] = ([], [], [])
        for first in range(0, len(where), PIECE):
            part = where[first : first + PIECE]
            chosen = slice(part.start, part.stop, part.step)
            last = first + len(part) - 1
            rise = (0.5 + (first + 0.5) / len(where), 0.5 + (last + 0.5) / len(where)) if ramp else None
            v = self.weights(part, number, rise) * self.scales[chosen]
            move, x, slopes = h * v, self.x[chosen], self.slopes[chosen]
            ahead = (x + move).astype(x.dtype)
            behind = x - (ahead - x)
            ahead = x + (x - behind)  # now both are as far from x, unless that cannot be represented
            self.ahead[chosen], self.behind[chosen] = ahead, behind
            happened = ahead.astype(np.float64) - behind
            along = slopes * v
            for total, term in zip(sums, (slopes * happened, along, along * along), strict=True):
                total.append(float(term.sum()))
        change, ideal, square = map(math.fsum, sums)
        return change / 2, ideal, square

    def column(self, index: int, steps: Array) -> tuple[Array, Array]:
        """f(x ± h e_i) for realised steps (R,): two arrays (R,)."""
        plus, minus = self.function.pairs(self.x, np.full(steps.size, index, np.intp), steps)
        return plus[:, self.row], minus[:, self.row]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to measure: differences at `steps` (falling by RATIO), combined to the highest order.

    uncertainty: the error to expect; coarser: that of the next lower order, 0 if there is none.
    """

    steps: Array
    uncertainty: float
    coarser: float


class Meter:
    """Knows from whole ladders which steps and which order give what error, for sets of any size.

    The error of truncation of k entries out of n is taken to be √(k/n) of that of all (random weights), times `doubt`, and as if
    there were FEW more, since entries are not alike.  The noise of f is the same for all sets, but for what it grows by where f
    itself does, at large steps.

    noise: of f.
    steps: the grid of all steps that may be used, (R,), falling by RATIO.
    """

    def __init__(self, noise: float, steps: Array, size: int) -> None:
        self.noise, self.steps, self.size = noise, steps, size
        self.doubt = 3.0
        self.truncation = np.full((COLUMNS, steps.size), np.nan)
        self.growth = np.zeros(steps.size)

    def learn(self, residuals: Array, truth: float, growth: Array) -> None:
        """Take in a ladder along all entries on the grid, NaN where not measured.

        residuals: (R,); truth: their limit; growth: by how much noise is larger at each step than at the point, (R,).
        """
        with np.errstate(invalid="ignore", over="ignore"):
            off = np.abs(richardson(residuals, RATIO**2) - truth)
        lucky = (
            off[:, :-1] / (RATIO ** (2.0 * np.arange(1, COLUMNS + 1)))[:, None]
        )  # signs may have cancelled at one step
        off[:, 1:] = np.where(np.isfinite(lucky), np.fmax(off[:, 1:], lucky), off[:, 1:])
        self.truncation = np.fmax(self.truncation, off)
        self.growth = np.fmax(self.growth, growth)

    def plan(self, count: int, wanted: float, *, ramp: bool = False) -> Plan:
        """The cheapest way to measure `count` entries to within `wanted`, or nearly as well as can be.

        ramp: with weights that rise from half to one and a half, as `Probe.pair` takes them.
        """
        share = math.sqrt(min(count + FEW, self.size) / self.size)
        with np.errstate(invalid="ignore", over="ignore"):
            rounding = 2 * (self.noise + self.growth * share) / self.steps
            error = self.doubt * self.truncation * share * (RISING if ramp else 1.0) + rounding
        error = np.where(np.isfinite(error), error, np.inf)
        best = error.min(axis=1)
        order = int(np.flatnonzero(best <= max(wanted, 1.25 * float(best.min())))[0]) if np.isfinite(best).any() else 0
        rung = max(int(np.argmin(error[order])), order)
        coarser = float(error[order - 1, rung]) if order else 0.0
        return Plan(self.steps[rung - order : rung + 1], float(error[order, rung]), coarser)


__all__ = ["Meter", "Pair", "Plan", "Probe"]
