"""Which single value of a claim, set free, would remove the gap: evidence for a line where no edit of it is found."""

from __future__ import annotations

from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.repair.linear import heads
from gradcheck.repair.program import Line, Spot
from gradcheck.repair.trials import INFINITE, Trials
from gradcheck.repair.values import kept, kind_of, remade, size_of
from gradcheck.variables.arrays import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_NUMBERS = 120  # of a value, over all passes of a loop
ROUNDS = 4  # of setting it to what a linear step suggests, where the answer is not linear in it
STEP = 1e-5  # of the size of a value, in differences of the answer by it
RANK = 1e-7  # singular values below this share of the largest are none
HOPELESS = 0.9  # a gap of which so much is left after two steps will not go away
REMOVED = 1e-3  # a gap of which not more than this share is left, at its worst entry, is removed


def freed(trials: Trials, weights: dict[Line, float], deadline: float) -> dict[Line, float]:
    """For each line that was looked at in time, in how many directions the answer moves with a value that removes the gap.

    That is relative to the number of entries: near 0 where one number does it, which is hardly chance; 1 where the answer
    can be made anything; infinite where no value removes the gap.
    """
    found: dict[Line, float] = {}
    for line, weight in weights.items():
        for spot in heads(line) if weight < INFINITE else ():
            if clock() > deadline:
                return found
            if not spot.nested and (share := _Free(trials, spot).share(deadline)) is not None:
                found[line] = min(found.get(line, INFINITE), share)
    return found


class _Free:
    """A value of the claim, as numbers that may be anything."""

    def __init__(self, trials: Trials, spot: Spot) -> None:
        self.trials, self.spot = trials, spot
        self.values: list[Any] = []
        trials.machine.run_with((spot,), self._look, trials.x)
        self.fit = all(kind_of(v) == "f" for v in self.values)
        self.sizes = [size_of(v) for v in self.values]

    def _look(self, value: Any, frame: Any) -> Any:
        self.values.append(kept(value))
        return value

    def share(self, deadline: float) -> float | None:
        """See `freed`; None if it cannot be told."""
        if not self.fit or not 0 < sum(self.sizes) <= MOST_NUMBERS:
            return None
        at = np.concatenate([np.reshape(as_numpy(v), -1) for v in self.values]).astype(np.float64)
        here, gap = self.trials.base, self._gap(self.trials.base)
        first = float(np.abs(gap).max())
        for turn in range(ROUNDS):
            matrix = self._slopes(at, here, deadline)
            if matrix is None:
                return None
            u, singular, vt = np.linalg.svd(matrix, full_matrices=False)
            rank = int(np.count_nonzero(singular > RANK * singular.max(initial=0.0)))
            at = at + vt[:rank].T @ ((u[:, :rank].T @ gap) / singular[:rank])
            out = self._answer(at)
            if out is None:
                return None
            here, gap = out, self._gap(out)
            left = float(np.abs(gap).max())
            if left <= max(1.0, REMOVED * first):
                return rank / gap.size
            if turn and left > HOPELESS * first:
                break
        return INFINITE

    def _gap(self, answer: Array) -> Array:
        """In units of what is allowed."""
        return (self.trials.target.values - answer) / self.trials.allowed

    def _slopes(self, at: Array, here: Array, deadline: float) -> Array | None:
        """(n, M) of the answer, in units of what is allowed, by the M numbers."""
        step = STEP * max(float(np.abs(at).max(initial=0.0)), 1e-3)
        columns = []
        for k in range(at.size):
            moved = at.copy()
            moved[k] += step
            out = None if clock() > deadline else self._answer(moved)
            if out is None:
                return None
            columns.append((out - here) / step / self.trials.allowed)
        return np.array(columns).T

    def _answer(self, numbers: Array) -> Array | None:
        parts = np.split(numbers, np.cumsum(self.sizes)[:-1])
        turn = iter(zip(parts, self.values, strict=True))

        def act(value: Any, frame: Any) -> Any:
            part, old = next(turn)
            return remade(old, part)

        out = self.trials.machine.run_with((self.spot,), act, self.trials.x)
        usable = out is not None and out.shape == self.trials.base.shape and np.isfinite(out).all()
        return out if usable else None
