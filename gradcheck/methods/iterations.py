"""Entries that an iteration inside of f leaves open: one that stops early gives f steps, one that starts from its last result a
history.  What it does to one entry it does to all, and they are named alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.entries import Columns, status_code
from gradcheck.model import FindingKind, Status, Verdict
from gradcheck.numerics.directions import Stream, direction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.problem import Problem, Watcher
    from gradcheck.numerics.jumps import Trend

    Array = NDArray[np.float64]

AROUND = (0.3, 1.0)  # the same, along a direction of that length
BESIDE = np.array([0.5e-3, 1e-3, 2e-3, 3e-3, 4e-3])  # of that length: how far a step is looked at on both sides
ACCOUNTED = 10.0  # steps, over the natural scale, that a derivative may be off by
NEARBY = (0.03, 0.1, 0.3)  # how far f is searched for steps, in natural scales
MODEST = 0.3  # gaps below this share of the entry are doubted if f has steps nearby
MAY_BE_STEPS = [status_code(status) for status in (Status.CONTRADICTORY, Status.UNSETTLED, Status.NOISY)]
MAY_BE_HISTORY = [*MAY_BE_STEPS, status_code(Status.JUMP), status_code(Status.BELOW_RESOLUTION)]
HISTORIES = 4.0  # times what the history moves f by, over the step: a larger gap is no matter of that


class Iterations:
    """What is known of an iteration inside of f, and what that means for entries that were judged without knowing."""

    def __init__(self, problem: Problem, watcher: Watcher) -> None:
        self.problem, self.watcher = problem, watcher

    def reconsider(self, columns: Columns) -> None:
        """Take back what the iteration may account for, and name it in all entries that it leaves open."""
        moved = self._history()
        if moved is not None:
            self._name_history(columns, moved)
            return
        self._excuse_steps(columns)
        self._name_steps(columns)

    # ---- a history

    def _history(self) -> float | None:
        """By how much f was seen to depend on where it was called before."""
        for finding in self.problem.preflight.findings:
            if finding.kind is FindingKind.ORDER_DEPENDENT and finding.target == self.problem.function.role:
                return float(finding.evidence["difference"])
        return None

    def _name_history(self, columns: Columns, moved: float) -> None:
        with np.errstate(divide="ignore", over="ignore"):
            within = columns.gap <= HISTORIES * moved / columns.step
        taken_back = (columns.verdict == Verdict.FAIL) & within
        left_open = (columns.verdict == Verdict.INCONCLUSIVE) & np.isin(columns.status, MAY_BE_HISTORY)
        columns.uncertainty[taken_back] = np.maximum(columns.uncertainty[taken_back], columns.gap[taken_back])
        self._name(columns, taken_back | left_open, Status.ORDER_DEPENDENT, "")

    # ---- steps

    def _excuse_steps(self, columns: Columns) -> None:
        """Before small gaps are called wrong: if f has steps nearby, its differences cannot refute a claim that far apart.

        The value of an adaptive solver is right to its tolerance only, and its derivative is one of the discretisation.
        """
        failed = np.flatnonzero(columns.verdict == Verdict.FAIL)
        size = columns.size[failed]
        if not failed.size or (columns.gap[failed] > MODEST * size).any():
            return
        for row in failed[np.argsort(-columns.gap[failed] / size, kind="stable")].tolist():
            trend = self._trend(columns, row)
            if self.watcher.expired():
                return
            if trend is None:
                self._excuse_by_size(columns, failed)
                return  # one entry that nothing excuses decides
            off = abs(trend.slope - float(columns.numeric[row]))
            columns.verdict[row] = Verdict.INCONCLUSIVE
            columns.status[row] = status_code(Status.STEPS)
            columns.uncertainty[row] = max(float(columns.uncertainty[row]), off + trend.uncertainty)
            columns.detail.setdefault(int(columns.entry[row]), {}).update(
                size=trend.jump.size, kink=trend.jump.distance
            )

    def _excuse_by_size(self, columns: Columns, failed: NDArray[np.intp]) -> None:
        """The same where the steps are farther away: over its natural scale f is known to a few of them, and so its slope is."""
        problem = self.problem
        i, j = columns.entry[failed] % problem.n, columns.entry[failed] // problem.n
        needed = columns.gap[failed] * problem.preflight.scales[i] / ACCOUNTED
        for output in np.unique(j).tolist():
            size, distance = self._steps(output, float(needed[j == output].max()))
            if not size:
                return
            for row in failed[j == output].tolist():
                columns.detail.setdefault(int(columns.entry[row]), {}).update(size=size, kink=distance)
        columns.verdict[failed], columns.status[failed] = Verdict.INCONCLUSIVE, status_code(Status.STEPS)
        columns.uncertainty[failed] = np.maximum(columns.uncertainty[failed], columns.gap[failed])

    def _steps(self, output: int, needed: float) -> tuple[float, float]:
        """The largest step along a random direction, and where, if it is of the size that is needed; else 0.

        What makes up a good part of how f varies is its own, and no solver's.
        """
        from numpy.polynomial import chebyshev

        from gradcheck.numerics.jumps import DEGREE, FEATURE, NODES, find_jumps

        problem = self.problem
        v = problem.preflight.scales * direction(problem.n, problem.seed, Stream.SETUP) / problem.n**0.5
        nodes = np.cos(np.pi * (np.arange(NODES)[::-1] + 0.5) / NODES)

        def line(t: Array) -> Array:
            points = (problem.x + t[:, None] * v).astype(problem.x.dtype)
            return np.array([problem.function.near(point)[output] for point in points])

        for reach in AROUND:
            ahead, behind, _ = problem.function.line(problem.x, v, reach * nodes[NODES // 2 :])
            values = np.concatenate([behind[::-1, output], ahead[:, output]])
            span = float(np.ptp(values))
            if self.watcher.expired() or not np.isfinite(values).all() or not needed <= FEATURE * span:
                continue
            fit = chebyshev.chebfit(nodes, values, DEGREE)
            left_over = values - chebyshev.chebval(nodes, fit)
            if np.ptp(left_over) < needed:
                continue  # no step of that size

            def smooth(t: Array, reach: float = reach, fit: Array = fit) -> Array:
                return np.asarray(chebyshev.chebval(t / reach, fit), dtype=np.float64)

            noise = float(problem.preflight.calibration.noise[output])
            found = [
                jump for jump in find_jumps(line, reach * nodes, values, smooth, noise) if jump.size <= FEATURE * span
            ]
            largest = max(found, key=lambda jump: jump.size, default=None)
            if largest is None or largest.size < needed:
                continue
            beside = reach * BESIDE
            levels = [line(t) - smooth(t) for t in (largest.distance - beside, largest.distance + beside)]
            shift = abs(float(np.median(levels[1]) - np.median(levels[0])))
            if shift > largest.size / 2 and max(map(np.ptp, levels)) < largest.size / 2:
                return largest.size, largest.distance  # f stays at another level; noise that is larger there does not
        return 0.0, 0.0

    def _name_steps(self, columns: Columns) -> None:
        """Once one entry shows steps, the others that are open are so for their sake."""
        stepped = columns.status == status_code(Status.STEPS)
        left_open = (columns.verdict == Verdict.INCONCLUSIVE) & np.isin(columns.status, MAY_BE_STEPS)
        if not stepped.any():
            if not left_open.any() or self.watcher.expired():
                return
            row = int(np.flatnonzero(left_open)[np.argmax((columns.gap / columns.size)[left_open])])
            trend = self._trend(columns, row)
            if trend is None:
                return
            columns.detail.setdefault(int(columns.entry[row]), {}).update(
                size=trend.jump.size, kink=trend.jump.distance
            )
        sizes = [extra["size"] for extra in columns.detail.values() if "size" in extra]
        reason = f"f has steps of {max(sizes):.2g} near the point"
        self._name(
            columns, stepped | left_open, Status.STEPS, f"{reason}, between which differences are those of one piece"
        )

    def _trend(self, columns: Columns, row: int) -> Trend | None:
        """The first trend, from near to far, that supports the claim in a row although f has steps there."""
        from gradcheck.numerics.jumps import excuse  # brings NumPy's polynomials, and is rarely wanted

        problem = self.problem
        i, j = int(columns.entry[row]) % problem.n, int(columns.entry[row]) // problem.n
        noise = float(columns.uncertainty[row] * columns.step[row]) if columns.verdict[row] == Verdict.FAIL else 0.0
        for nearby in NEARBY:
            trend = excuse(
                lambda t: problem.function.ray(problem.x, i, t)[:, j],
                float(columns.claimed[row]),
                float(columns.numeric[row]),
                float(problem.preflight.scales[i]) * nearby,
                max(noise, float(problem.preflight.calibration.noise[j])),
            )
            if trend is not None:
                return trend
        return None

    def _name(self, columns: Columns, which: NDArray[np.bool_], status: Status, reason: str) -> None:
        columns.verdict[which], columns.status[which] = Verdict.INCONCLUSIVE, status_code(status)
        for entry in columns.entry[which].tolist():
            columns.detail.setdefault(entry, {})["reason"] = reason or status.advice


__all__ = ["Iterations"]
