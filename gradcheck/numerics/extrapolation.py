"""A ladder of steps → a derivative with an error bound.

Along one line φ(t) = f(x + t v), differences are taken at steps h_0 > h_1 > … (ratio 4).  Richardson's table removes the powers
of h one column at a time; each cell of the table is a candidate.  What bounds a candidate's error is how much it moves when the
step changes (truncation), and how much the cells below it jump about, carried over to its own step (noise: an error ν of f
moves a difference at step h by ν/h).  The tightest candidate is the value, unless a tight plateau at smaller steps
contradicts it: near a kink that one is the derivative at x.  What else is credible is kept as a second story.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.numerics.stencils import RATIO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)
COLUMNS = 4  # central differences of order 2, 4, 6, 8; one-sided ones of order 1, 2, 3, 4
CREDIBLE = 0.03  # a candidate is a story of its own if its uncertainty is below this share of what it contradicts
DOUBTFUL = 0.75  # … and it adds to the uncertainty of what it contradicts if below this share
AS_GOOD = 1.0  # candidates whose uncertainties differ by no more than this factor are equals
SAMPLED = 5  # rungs below that it takes to know the noise
BLUR = 2.0  # a spread up to so many times what noise explains is noise
SURELY = 3.6  # standard deviations that one in a thousand is off by, where these are known from a dozen samples
NOISE_FACTOR = 3.0  # how much larger than the jumps seen the noise at a candidate may be
ABRUPT = 1e-3  # a plateau that ends within one rung: the deviation before is below this share of the one after
STEADY = 0.1  # offsets that differ by less than this share are the same
BLURRED = 0.01  # … or, where noise blurs the plateau, this share
SHAKEN = 8  # rungs beyond its end that are looked at for jumps
RESOLVED_TREND = 0.2  # … and the trend beyond the jumps counts if it is known to this share of itself
ROUGHER = 30.0  # noise that grows by this factor from small to larger steps means: f jumps between nearby points


@dataclass(frozen=True, slots=True)
class Plateau:
    """One story that a ladder tells: the derivative is `value` ± `uncertainty`, as seen at `step`.

    blurred: the uncertainty is the noise of φ, rather than what φ does between one step and the next.
    """

    value: float
    uncertainty: float
    step: float
    blurred: bool = True


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """What a ladder says of the derivative along its line.

    best: the derivative at x; its uncertainty is inf if no step gave one.
    others: credible values that contradict it (a plateau beyond a kink, the trend of a function with jumps).
    noise: how large the noise of φ was seen to be at and below the step of `best`.
    table, uncertainty, steps: all candidates, (COLUMNS, R), and their steps, (R,).
    """

    best: Plateau
    others: tuple[Plateau, ...]
    noise: float
    table: Array
    uncertainty: Array
    steps: Array

    def below(self, step: float) -> Plateau:
        """The tightest candidate at steps smaller than this one."""
        first = int(np.count_nonzero(self.steps >= step))
        part = self.uncertainty[:, first:]
        if not part.size:
            return Plateau(float("nan"), float("inf"), float(self.steps[-1]))
        p, j = np.unravel_index(int(np.argmin(part)), part.shape)
        return Plateau(float(self.table[p, first + j]), float(part[p, j]), float(self.steps[first + j]))


def ladder_steps(top: float, bottom: float) -> Array:
    """Steps top, top/4, top/16, … down to `bottom` (both positive), falling; at least one."""
    count = max(1, 1 + int(np.floor(np.log2(top / bottom) / np.log2(RATIO) + 1e-9)))
    return top * RATIO ** -np.arange(count, dtype=np.float64)


def richardson(differences: Array, factor: float) -> Array:
    """Richardson's table: shape (COLUMNS, R) from differences (R,) at steps that fall by RATIO.

    Column p removes the error term whose power of h shrinks by factor**p a rung: RATIO² for central, RATIO for one-sided
    differences (Richardson & Gaunt, Phil. Trans. A 226, 1927).  NaN where a rung is missing.
    """
    table = np.full((COLUMNS, differences.size), np.nan)
    table[0] = differences
    for p in range(1, COLUMNS):
        finer, coarser = table[p - 1, 1:], table[p - 1, :-1]
        table[p, 1:] = finer + (finer - coarser) / (factor**p - 1.0)
    return table


def extrapolate(
    differences: Array,
    steps: Array,
    floor: Array,
    factor: float,
    amplitude: Array | None = None,
    lasting: float = np.inf,
    known: tuple[float, int] | None = None,
) -> Extrapolation:
    """The derivative from difference quotients at falling steps.

    Args:
        differences: (R,), NaN where f had no value.
        steps: (R,), falling by RATIO.
        floor: (R,), what the resolution of f alone does to a difference at each step.
        factor: RATIO² for central, RATIO for one-sided differences.
        amplitude: (R,), the size of φ at each step in some unit: rounding errors grow with it.
        lasting: a plateau that lasts up to this step is the derivative, however φ jumps beyond.
        known: the standard deviation of the noise of φ, and from how many samples that is known, where it is normal.
    """
    size = np.ones(steps.size) if amplitude is None else amplitude
    table = richardson(differences, factor)
    with np.errstate(invalid="ignore", over="ignore"):
        moved = np.abs(table[:, 1:] - table[:, :-1])  # (COLUMNS, R - 1): from rung j to rung j + 1
        jumps = np.where(np.isfinite(moved), moved, 0.0) * steps[1:]
        spread = np.full(table.shape, np.inf)
        spread[:, 1:-1] = np.fmax(moved[:, :-1], moved[:, 1:])
        spread[:, 1:-1][~np.isfinite(moved[:, :-1]) | ~np.isfinite(moved[:, 1:])] = np.inf
        noise = np.zeros(table.shape)
        noise[:, :-1] = _noise(jumps / size[1:]) * size[:-1]
        rounding = EPSILON * np.abs(table)
        shaken = NOISE_FACTOR * noise / steps
        if known is None:
            uncertainty = np.maximum(spread, shaken) + floor + rounding
        else:
            deviation = _deviation(jumps / size[1:], *known) * size[:-1]
            normal = np.append(SURELY * deviation, np.zeros((COLUMNS, 1)), axis=1) / steps
            uncertainty = np.maximum(spread, np.hypot(np.minimum(normal, shaken), floor)) + rounding
        blurred = spread <= BLUR * (shaken + floor)
        uncertainty[~np.isfinite(table) | ~np.isfinite(uncertainty)] = np.inf
    if not np.isfinite(uncertainty).any():
        nothing = Plateau(float("nan"), float("inf"), float(steps[-1]))
        return Extrapolation(nothing, (), float("inf"), table, uncertainty, steps)

    def plateau(cell: int) -> Plateau:
        p, j = divmod(cell, steps.size)
        return Plateau(float(table[p, j]), float(uncertainty[p, j]), float(steps[j]), bool(blurred[p, j]))

    flat_uncertainty, flat_value = uncertainty.ravel(), np.where(np.isfinite(table), table, 0.0).ravel()
    flat_step = np.broadcast_to(steps, table.shape).ravel()
    tight = flat_uncertainty <= AS_GOOD * float(flat_uncertainty.min())
    best = int(
        np.argmin(np.where(tight, flat_step, np.inf))
    )  # the derivative is the limit: of equals, the smallest step
    dismissed = np.zeros(flat_value.size, bool)
    pieces: list[int] = []  # slopes of smooth pieces: no derivative of f, but a reason for a claim that has them
    for _ in range(2 * COLUMNS):
        departure = _deceptive(table[0], steps, best % steps.size, float(flat_uncertainty[best]), lasting)
        if departure is not None:
            below = dismissed | (flat_step < steps[departure])
            remaining = np.where(below, np.inf, flat_uncertainty)
            if not np.isfinite(remaining).any():
                break
            pieces.append(best)
            dismissed, best = below, int(np.argmin(remaining))
            continue
        gap = np.abs(flat_value - flat_value[best])
        rival = (
            (flat_step < flat_step[best])
            & (gap > 2 * (flat_uncertainty + flat_uncertainty[best]))
            & (flat_uncertainty < CREDIBLE * gap)
            & ~dismissed
        )
        if not rival.any():
            break
        candidate = int(np.argmin(np.where(rival, flat_uncertainty, np.inf)))
        departure = _deceptive(table[0], steps, candidate % steps.size, float(flat_uncertainty[candidate]), lasting)
        if departure is None:
            best = candidate
        else:
            pieces.append(candidate)
            dismissed |= flat_step < steps[departure]
    chosen = plateau(best)
    doubt = _doubt(table[0], noise[0], floor, steps, chosen, dismissed[: steps.size])
    if doubt > chosen.uncertainty:
        chosen = Plateau(chosen.value, doubt, chosen.step, blurred=False)
    gap = np.abs(flat_value - chosen.value)
    stories = (
        (gap > 2 * (flat_uncertainty + chosen.uncertainty))
        & (flat_uncertainty < CREDIBLE * np.minimum(gap, np.abs(flat_value)))
        & ~dismissed
    )
    rung = best % steps.size
    told = np.flatnonzero(stories).tolist()
    distinct = [cell for cell in pieces if flat_uncertainty[cell] < CREDIBLE * abs(flat_value[cell])]
    level = float(noise.flat[best] + floor[rung] * chosen.step)
    trend = _rough_trend(table, moved, steps, uncertainty, rung, level)
    if trend is not None:
        told.append(trend)
    others = tuple(
        plateau(cell)
        for cell in told
        if cell % steps.size > rung or not _clean_kink(table[0], steps, cell % steps.size, rung, float(gap[cell]))
    ) + tuple(plateau(cell) for cell in distinct)
    return Extrapolation(chosen, others, float(noise.flat[best]), table, uncertainty, steps)


def _deviation(jumps: Array, known: float, samples: int) -> Array:
    """The standard deviation of the noise at each rung, from the jumps there and at smaller steps, and from what is known."""
    squares = np.cumsum((jumps * jumps)[:, ::-1], axis=1)[:, ::-1]
    count = np.arange(jumps.shape[1], 0, -1)
    return np.sqrt((samples * known * known + squares) / (samples + count))


def _doubt(
    central: Array, noise: Array, floor: Array, steps: Array, chosen: Plateau, dismissed: NDArray[np.bool_]
) -> float:
    """How far differences at smaller steps contradict the chosen value, beyond their own noise; 0 if they do not.

    Kinks on the way to small steps change the slope from rung to rung, and no plateau shows them.
    """
    with np.errstate(invalid="ignore"):
        moved = np.abs(central[1:] - central[:-1])
        bends = np.maximum(
            1.5 * np.append(moved, np.inf), np.append(np.inf, moved) / 12
        )  # smooth: the next is a 16th of it
        own = np.maximum(bends, NOISE_FACTOR * noise / steps) + floor
        gap = np.abs(central - chosen.value)
        contradicts = (steps < chosen.step) & ~dismissed & (gap > own + chosen.uncertainty) & (own < DOUBTFUL * gap)
    alive = np.isfinite(central) & (central != 0)  # where f does not move it has no noise either
    contradicts &= alive & (np.cumsum(alive[::-1])[::-1] > SAMPLED)
    if not contradicts.any():
        return 0.0
    tightest = int(np.argmin(np.where(contradicts, own, np.inf)))
    return float(gap[tightest] + own[tightest])


def _noise(jumps: Array) -> Array:
    """The noise at each rung: the largest jump there or at smaller steps, (COLUMNS, R − 1) like `jumps`.

    Where the jumps fall by the ratio of the steps or more four times in a row, going up, the noise itself depends on the
    place (cancellation near x) and what was seen further down does not count.
    """
    noise: Array = np.maximum.accumulate(jumps[:, ::-1], axis=1)[:, ::-1]
    if jumps.shape[1] < 5:
        return noise
    falls = jumps[:, :-1] * RATIO <= jumps[:, 1:]
    local = falls[:, :-3] & falls[:, 1:-2] & falls[:, 2:-1] & falls[:, 3:]
    nearby = np.maximum(jumps[:, :-1], jumps[:, 1:] / RATIO)[:, : local.shape[1]]
    noise[:, : local.shape[1]] = np.where(local, nearby, noise[:, : local.shape[1]])
    return noise


def _deceptive(central: Array, steps: Array, rung: int, uncertainty: float, lasting: float) -> int | None:
    """Whether the plateau at `rung` is a smooth piece of a function that jumps at larger steps: where it ends, or None.

    Below the spacing of an intermediate result (1 + x, say) or between two decisions of a solver, f is smooth and its slope
    is an artefact.  Truncation bends a true plateau gradually, from rung to rung; here it ends at once, and beyond it the
    offsets of φ jump about, which they do not beyond a kink.
    """
    value = central[rung]
    with np.errstate(invalid="ignore", over="ignore"):
        deviation = np.abs(central - value)
        departed = np.flatnonzero((deviation > 0.3 * np.maximum(np.abs(central), abs(value))) & (steps > steps[rung]))
    if not departed.size:
        return None
    end = int(departed[-1])
    if steps[end + 1] >= lasting or (end + 1 >= rung and not end + 2 < steps.size):
        return None
    before = float(deviation[end + 1]) if end + 1 < rung else abs(float(central[min(rung + 1, steps.size - 1)] - value))
    if not before < max(ABRUPT * deviation[end], min(uncertainty, BLURRED * deviation[end])):
        return None
    top = max(0, end - SHAKEN)
    offsets = np.diff(central[top : end + 2]) * steps[top + 1 : end + 2]
    if offsets.size < 5:
        return None
    shaken = np.median(np.abs(np.diff(offsets))) > 0.3 * np.median(np.abs(offsets))
    return end if shaken and not _beyond_kink(offsets[-2::-1]) else None


def _beyond_kink(offsets: Array) -> bool:
    """Whether offsets, from small to larger steps, begin equal and then grow as curvature makes them, as beyond a kink."""
    drift = np.abs(offsets - offsets[0])
    small = drift <= STEADY * abs(offsets[0])
    steady = bool(small[1:3].all())
    grows = drift[1:] >= 2 * drift[:-1]
    return steady and bool((small[1:] | grows).all())


def _clean_kink(central: Array, steps: Array, larger: int, best: int, gap: float) -> bool:
    """Whether a plateau at larger steps lies beyond a kink, so that it says nothing of the derivative at x."""
    offsets = (np.diff(central[larger : best + 1]) * steps[larger + 1 : best + 1])[::-1]
    with np.errstate(invalid="ignore"):
        departed = np.flatnonzero(np.abs(offsets) > 0.1 * gap * steps[best])
    beyond = offsets[departed[0] + 1 :] if departed.size else offsets[:0]
    return beyond.size >= 3 and _beyond_kink(beyond)


def _rough_trend(table: Array, moved: Array, steps: Array, uncertainty: Array, best: int, level: float) -> int | None:
    """The tightest candidate where f is seen to jump at larger steps than the chosen one, or None.

    Truncation grows at least like h² from rung to rung; jumps of f (an adaptive solver, a table look-up) do not grow.
    """
    signed = (table[0, 1:] - table[0, :-1]) * steps[1:]
    jumps = np.where(np.isfinite(moved), moved, np.inf).min(axis=0) * steps[1:]
    larger = jumps[:best]
    if larger.size < 3:
        return None
    low, high = _in_threes(larger)
    least, most = _in_threes(signed[:best])
    with np.errstate(invalid="ignore"):
        rough = (low > ROUGHER * level) & (high < 8 * low)
        rough &= most - least > 0.5 * np.maximum(most, -least)  # the offsets beyond a kink are all the same
    rows = np.flatnonzero(rough)
    if not rows.size:
        return None
    cells = np.full(uncertainty.shape, np.inf)
    cells[:, : rows.max() + 3] = uncertainty[:, : rows.max() + 3]
    cell = int(np.argmin(cells))
    return cell if cells.flat[cell] < RESOLVED_TREND * abs(float(table.flat[cell])) else None


def _in_threes(values: Array) -> tuple[Array, Array]:
    """The smallest and the largest of any three neighbours."""
    a, b, c = values[:-2], values[1:-1], values[2:]
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
