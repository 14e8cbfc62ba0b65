"""How the gap between a claimed derivative and f falls with the tolerance of a solver, or with its mesh, and where it ends.

A solver answers to within its tolerance τ, and so does an adjoint of the continuous problem: claim − derivative is C + A τ^p.
A right claim has C = 0, and p is of the solver; a wrong one has its mistake for C.  Where f is smooth in τ, as on meshes, C is
had by Aitken's Δ² from three levels; where the last step of an iteration is a matter of luck, the law is erratic, and the last
level alone bounds it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DIRECTIONS = 3  # whose median is the gap: one along which f makes trouble does not move it
LEAST, MOST = 3, 5  # levels
SMOOTH = 0.1  # changes that keep their ratio from level to level to within this share are those of a smooth law
ERRATIC = 0.25  # of the change before the last: what luck may have kept of it
STEADY = 0.2  # a gap that changes by no more than this share over all levels is a constant
SURELY = 3.0  # errors of the limit beyond which it is none of the solver's
WANTED = 5e-4  # of the size of a derivative: a limit known so well needs no further levels
KNOWN = 0.15  # an exponent with this standard error needs none either
SEEN = 2.0  # uncertainties of the differences: a smaller gap is not seen
RESOLVED = 1e-2 / SURELY  # a limit known no better than this share would not have shown a real mistake


@dataclass(frozen=True, slots=True)
class Fit:
    """What gaps at falling levels come to; all sizes are relative to the size of the derivative.

    gaps: at each level, (K,).
    noise: how well each is known, (K,).
    exponent, spread: p and its standard error; None where the gap is seen at fewer than two levels, or has a limit.
    limit, error: the gap that is left at τ → 0, and how well that is known.
    """

    gaps: tuple[float, ...]
    noise: tuple[float, ...]
    exponent: float | None
    spread: float
    limit: float
    error: float
    allowed: float

    @property
    def persists(self) -> bool:
        """Whether some gap is left that is none of the solver's."""
        return self.limit > self.allowed + SURELY * self.error

    @property
    def constant(self) -> bool:
        """Whether the gap is the same at all levels."""
        return max(self.gaps) - min(self.gaps) <= STEADY * self.gaps[-1]

    @property
    def resolved(self) -> bool:
        """Whether a real mistake would have shown."""
        return self.error <= max(RESOLVED, self.allowed)

    @property
    def settled(self) -> bool:
        """Whether further levels would tell nothing that matters."""
        if len(self.gaps) < LEAST:
            return False
        if self.persists:
            return self.constant
        known = self.exponent is None or self.spread <= KNOWN
        return self.error <= max(WANTED, self.allowed) and (known or self.gaps[-1] <= SEEN * self.noise[-1])


def fit(levels: Array, residuals: Array, uncertainties: Array, sizes: Array, allowed: float) -> Fit:
    """The law behind residuals at some levels of a tolerance, along some directions.

    Args:
        levels: τ, (K,), falling; of counts their inverses.
        residuals: claim minus derivative, (K, D), NaN where it could not be measured.
        uncertainties: how well each is known, (K, D).
        sizes: what an ordinary derivative along each direction amounts to, (D,).
        allowed: a gap, relative to these, that is accepted whatever the law.
    """
    with np.errstate(invalid="ignore"):
        r, u = residuals / sizes, uncertainties / sizes
        good = np.isfinite(r) & (u <= np.maximum(np.abs(r) / SEEN, 1e-2))
    good[:, ~good.any(axis=0)] = np.isfinite(r[:, ~good.any(axis=0)])
    gaps = np.array([_typical(np.abs(one[known])) for one, known in zip(r, good, strict=True)])
    noise = np.array([_typical(one[known]) for one, known in zip(u, good, strict=True)])
    limit, error = _limit(r, good, gaps, noise)
    exponent, spread = None, math.inf
    if limit <= allowed + SURELY * error:
        exponent, spread = _slope(levels, gaps, noise)
    return Fit(tuple(gaps.tolist()), tuple(noise.tolist()), exponent, spread, limit, error, allowed)


def _typical(values: Array) -> float:
    """The median, which one direction that f makes trouble along does not move; inf of none."""
    return float(np.median(values)) if values.size else math.inf


def _limit(r: Array, good: NDArray[np.bool_], gaps: Array, noise: Array) -> tuple[float, float]:
    """The gap at τ → 0, and its error."""
    last, error = float(gaps[-1]), float(noise[-1])
    common = good[-3:].all(axis=0)
    if len(r) < LEAST or not common.any():
        return last, max(error, last)
    first, second = np.diff(r[-3:, common], axis=0)
    one, two = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    count = math.sqrt(common.sum())
    plain = max(error, two / count, ERRATIC * one / count)
    ratio = float(first @ second) / one**2 if one > 0 else 0.0
    off = float(np.linalg.norm(second - ratio * first))
    if not (0 < ratio < 0.75 and off <= SMOOTH * two):
        return last, plain
    # The ratio itself changes on the way to where the law holds; from level to level by a part of what it is off by now.
    ahead = ratio / (1 - ratio)
    limit = r[-1, common] + ahead * second
    drift = SMOOTH
    if len(r) > LEAST and good[-4, common].all():
        before = r[-3, common] - r[-4, common]
        drift = abs(float(before @ first) / float(before @ before) / ratio - 1) if before.any() else SMOOTH
    smooth = max(error, (off + drift * two / (1 - ratio)) * ahead / count, SMOOTH * ahead * two / count)
    return (_typical(np.abs(limit)), smooth) if smooth < plain else (last, plain)


def _slope(levels: Array, gaps: Array, noise: Array) -> tuple[float | None, float]:
    """p of gaps like τ^p, by least squares in logarithms over the levels at which they are seen; and its standard error."""
    seen = np.isfinite(gaps) & (gaps > SEEN * noise)
    if seen.sum() < 2:
        return None, math.inf
    x, y = np.log(levels[seen]), np.log(gaps[seen])
    x, y = x - x.mean(), y - y.mean()
    square = float(x @ x)
    slope = float(x @ y) / square
    if x.size < LEAST:
        return slope, math.inf
    off = y - slope * x
    return slope, math.sqrt(float(off @ off) / (x.size - 2) / square)


__all__ = ["DIRECTIONS", "LEAST", "MOST", "Fit", "fit"]
