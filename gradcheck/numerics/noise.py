"""How well f can be differenced: its noise, its quantum, and the step that suits it, measured along one random line.

The noise is read off a difference table over a ladder of spacings, so that quantised values, single precision inside f and
solver tolerances are seen; it is never assumed to be ε·|f| (compare Moré & Wild, SIAM J. Sci. Comput. 33, 2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcheck.numerics.stencils import RATIO
from gradcheck.records import record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Deviation = tuple[Array, NDArray[np.intp]]

TOP, RUNGS = 0.125, 12  # the ladder of the set-up, in units of the natural scale: 1/8 … 3e-8
SMALL_ENOUGH = 1e30  # values that are far from any overflow, also in single precision
DOUBLE = float(np.finfo(np.float64).eps)
LARGEST = float(np.finfo(np.float64).max)
SAMPLED = 4  # rungs that it takes to know a standard deviation
VARIED = 4  # a few round numbers prove nothing of the precision that f is computed in …
FEW_BITS = 2.0**12  # … nor do numbers of so few bits
JUMPED = [1, 5]  # values at these rungs, and at those between, are as far from f(x) where f jumps …
SETTLED = 1e-2  # … to this share …
LEAP = 100.0  # … and by so many spacings of its values
SMALLEST_RUNG = 2  # a kink at the point shows at three rungs, be the smallest step the best
FINEST = 2.0**-45  # one pair of values so close together that f changes by its quantum, if at all


class Precision(NamedTuple):
    """How exactly one output of f is known.

    resolution: the spacing of its representable values.
    quantum: its smallest change ever seen, 0 if it never changed.
    noise: its error that does not fall with the step; 0 where only the resolution is known.
    sigma: the standard deviation of that error in half the difference of two values, from so many `samples`.
    """

    resolution: float
    quantum: float
    noise: float = 0.0
    sigma: float = 0.0
    samples: int = 0


@record
class Calibration:
    """What one ladder along a random direction tells.

    noise: error of each output of f that does not fall with the step, (m,), in the units of f.
    resolution: the spacing of representable values of each output, (m,): single precision if all its values are.
    quantum: the smallest change of each output ever seen, (m,); 0 where it never changed.
    fraction: the step that suits a central difference, as a fraction of the natural scale of a variable.
    truncation: relative error of a central difference at that step, (m,).
    slope: the size of the derivative along the direction, (m,).
    change: how far f was seen from its value at the point, (m,): what all variables together do over an ordinary step.
    bent: the one-sided differences along the direction disagree as they do at a kink, not as curvature makes them.
    deviation: gives the standard deviation of the error of (φ(t) − φ(−t)) / 2, (m,), and from how many samples, (m,); 0 where
        there are few.
    """

    noise: Array
    resolution: Array
    quantum: Array
    fraction: float
    truncation: Array
    slope: Array
    change: Array
    bent: bool
    deviation: Callable[[], tuple[Array, NDArray[np.intp]]] | None = None

    def of(self, output: int) -> Precision:
        """How exactly one output is known."""
        known = float(self.resolution[output]), float(self.quantum[output]), float(self.noise[output])
        if self.deviation is None:
            return Precision(*known)
        sigma, samples = self.deviation()
        return Precision(*known, float(sigma[output]), int(samples[output]))


class _Once:
    """What a function tells, which is called when that is first asked; `functools.cache` costs more than it would save."""

    __slots__ = ("_call", "_value")

    def __init__(self, call: Callable[[], Deviation]) -> None:
        self._call = call
        self._value: Deviation | None = None

    def __call__(self) -> Deviation:
        if self._value is None:
            self._value = self._call()
        return self._value


def ladder(top: float = TOP, rungs: int = RUNGS) -> Array:
    """The steps of the set-up, from small to large: FINEST, then `rungs` steps of a ladder; shape (1 + rungs,)."""
    return np.concatenate([[FINEST], top * RATIO ** -np.arange(rungs - 1, -1, -1, dtype=np.float64)])


def calibrate(plus: Array, minus: Array, centre: Array, steps: Array, dimension: int, epsilon: float) -> Calibration:
    """Measure noise, quantum and a suitable step from values along one line.

    Args:
        plus, minus: φ(±t), (R, m), NaN where f has no value.
        centre: φ(0), (m,).
        steps: t, (R,), rising; the first is FINEST and serves the quantum only.
        dimension: n; one coordinate carries about 1/√n of what the whole direction shows.
        epsilon: machine epsilon of the dtype of x, used if f has no usable value along the line; of an f of single-precision x
            values in that precision are taken to be rounded to it, however few they are.
    """
    jumps = _jumps(plus, minus, centre, epsilon)
    if jumps is not None:  # what f jumps by at the point itself is no noise
        ahead, behind = jumps
        return replace(calibrate(plus - ahead, minus - behind, centre, steps, dimension, epsilon), bent=True)
    if centre.size == 1:
        found = _calibrate_one(
            plus[:, 0].tolist(), minus[:, 0].tolist(), float(centre[0]), steps.tolist(), dimension, epsilon
        )
        if found is not None:
            return found
    from gradcheck.numerics.zero import flat_nearby  # start-up counts

    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        resolution, quantum = _granularity(plus, minus, centre, epsilon)
        change = np.fmax.reduce(np.abs(np.concatenate([plus, minus]) - centre))
        change = np.minimum(np.nan_to_num(change, nan=0.0), LARGEST)
        plus, minus, steps = plus[1:], minus[1:], steps[1:]
        t = steps[:, None]
        central = (plus - minus) / (2 * t)
        moved = np.abs(central[1:] - central[:-1])  # moved[k]: between rung k and the next larger one
        finite = np.isfinite(moved)
        still = plus == minus  # below what f resolves: differences that are 0 agree, but say nothing
        usable = np.where(finite & ~still[1:] & ~still[:-1], moved, np.inf)
        quietest = usable.argmin(axis=0)  # below it noise rules, above it truncation
        finite &= np.arange(len(moved))[:, None] <= quietest
        noise = np.maximum(np.where(finite, moved * t[:-1], 0.0).max(axis=0), resolution / 2)
        noise = np.where(still.any(axis=0) & ~still.all(axis=0), np.maximum(noise, quantum / 2), noise)
        slope = np.abs(central[quietest, np.arange(quietest.size)])
        deviation = _Once(partial(_deviation, plus, minus, steps, central, quietest))
        flat = flat_nearby(plus, minus, centre, steps, resolution)
        noise[flat], slope[flat] = resolution[flat] / 2, 0.0  # what it changes by beyond is no noise

        truncation = np.full(central.shape, np.inf)
        truncation[:-1] = usable / (RATIO**2 - 1)
        np.maximum(truncation[:-2], truncation[1:-1] / RATIO**2, out=truncation[:-2])
        rounding = 2 * noise / t * math.sqrt(dimension)
        weight = 1 / np.where(slope > 0, slope, np.inf)
        error = np.where(weight > 0, (truncation + rounding) * weight, 0.0).sum(
            axis=1
        )  # a constant output takes any step
        slope = np.where(np.isnan(slope), 0.0, np.minimum(slope, LARGEST))
    usable_steps = np.isfinite(error)
    if not usable_steps.any() or not weight.any():
        fallback = np.full(noise.shape, epsilon ** (2 / 3))
        return Calibration(noise, resolution, quantum, epsilon ** (1 / 3), fallback, slope, change, bent=True)
    error[~usable_steps] = np.inf
    chosen = int((error <= 3 * error.min()).argmax())  # the smallest step of those as good as the best
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        relative = truncation[chosen] * weight
        relative[~np.isfinite(relative)] = 1.0
        bent = _bent(plus, minus, centre, steps, chosen, noise)
    return Calibration(noise, resolution, quantum, float(steps[chosen]), relative, slope, change, bent, deviation)


def _jumps(plus: Array, minus: Array, centre: Array, epsilon: float) -> tuple[Array, Array] | None:
    """By how much f jumps at the point, ahead and behind, (m,) each: there its values keep their distance; None if nowhere."""
    if centre.size == 1 and not _keeps_distance(plus[:, 0], minus[:, 0], float(centre[0])):
        return None  # as nearly always
    with np.errstate(invalid="ignore", over="ignore"):
        ahead, behind = plus[JUMPED] - centre, minus[JUMPED] - centre
        nearest = np.maximum(np.abs(ahead[0]), np.abs(behind[0]))
        settled = np.abs(ahead[1] - ahead[0]) + np.abs(behind[1] - behind[0]) < SETTLED * nearest
        if not settled.any():
            return None
        ahead, behind = plus[1 : JUMPED[-1] + 1] - centre, minus[1 : JUMPED[-1] + 1] - centre
        settled &= (np.abs(ahead - ahead[0]) + np.abs(behind - behind[0]) < SETTLED * nearest).all(axis=0)
        resolution, _ = _granularity(plus, minus, centre, epsilon)
        settled &= nearest > LEAP * resolution
    return (np.where(settled, ahead[0], 0.0), np.where(settled, behind[0], 0.0)) if settled.any() else None


def _keeps_distance(plus: Array, minus: Array, centre: float) -> bool:
    """The first question of `_jumps`, for one output."""
    near, far = JUMPED
    ahead, behind = float(plus[near]) - centre, float(minus[near]) - centre
    moved = abs(float(plus[far]) - centre - ahead) + abs(float(minus[far]) - centre - behind)
    return moved < SETTLED * max(abs(ahead), abs(behind))


def _calibrate_one(
    plus: list[float], minus: list[float], centre: float, steps: list[float], dimension: int, epsilon: float
) -> Calibration | None:
    """What `calibrate` does, for one output: the same operations on Python's floats, which cost less than arrays of twelve.

    None where a value is not finite, or f does not move, or none is usable: that is left to the general way.
    """
    values = sorted([*plus, *minus, centre])
    if not all(map(math.isfinite, values)) or not max(-values[0], values[-1]) < SMALL_ENOUGH:
        return None
    changes = [b - a for a, b in pairwise(values) if b > a]
    quantum = min(changes, default=0.0)
    resolution = math.ulp(centre)
    single = epsilon > DOUBLE or len(changes) >= VARIED
    if single and all(value == float(np.float32(value)) for value in values):
        telling = epsilon > DOUBLE or sum(_has_many_bits(value) for value in {*values}) >= VARIED
        resolution = float(np.spacing(np.float32(abs(centre)))) if telling else resolution

    plus, minus, steps = plus[1:], minus[1:], steps[1:]
    if any(p == q for p, q in zip(plus, minus, strict=True)):
        return None
    central = [(p - q) / (2 * t) for p, q, t in zip(plus, minus, steps, strict=True)]
    moved = [abs(b - a) for a, b in pairwise(central)]
    quietest = moved.index(min(moved))
    noise = max(max(m * t for m, t in zip(moved[: quietest + 1], steps, strict=False)), resolution / 2)
    slope = abs(central[quietest])
    if not slope > 1 / SMALL_ENOUGH or not all(map(math.isfinite, central)):
        return None
    truncation = [m / (RATIO**2 - 1) for m in moved]
    truncation = [max(a, b / RATIO**2) for a, b in pairwise(truncation)] + truncation[-1:]
    weight, root = 1 / slope, math.sqrt(dimension)
    error = [(e + 2 * noise / t * root) * weight for e, t in zip(truncation, steps, strict=False)]
    bound = 3 * min(error)
    chosen = next(k for k, e in enumerate(error) if e <= bound)
    rows = range(max(chosen - 3, 0), max(chosen, SMALLEST_RUNG) + 1)
    second = [abs(plus[k] + minus[k] - 2 * centre) for k in rows]
    bend = [s / steps[k] for s, k in zip(second, rows, strict=True)]
    bent = any(bend[k] > 0.5 * bend[k + 1] and second[k] > 16 * noise for k in range(len(bend) - 1))
    return Calibration(
        np.array([noise]),
        np.array([resolution]),
        np.array([quantum]),
        steps[chosen],
        np.array([truncation[chosen] * weight]),
        np.array([slope]),
        np.array([max(values[-1] - centre, centre - values[0])]),
        bent,
        _Once(partial(_deviation_of_one, plus, minus, steps, central, quietest)),
    )


def _deviation(
    plus: Array, minus: Array, steps: Array, central: Array, quietest: NDArray[np.intp]
) -> tuple[Array, NDArray[np.intp]]:
    """The standard deviation of half of φ(t) − φ(−t) about its slope, (m,), over the rungs below the quietest one; how many."""
    below = np.arange(len(steps))[:, None] < quietest
    slope = central[quietest, np.arange(quietest.size)]
    off = np.where(below, (plus - minus) / 2 - slope * steps[:, None], 0.0)
    samples = below.sum(axis=0)
    sigma = np.sqrt((off * off).sum(axis=0) / np.maximum(samples, 1))
    few = ~(np.isfinite(sigma) & (samples >= SAMPLED))
    return np.where(few, 0.0, sigma), np.where(few, 0, samples)


def _deviation_of_one(
    plus: list[float], minus: list[float], steps: list[float], central: list[float], quietest: int
) -> tuple[Array, NDArray[np.intp]]:
    """The same of one output."""
    ahead, behind, differences = (np.array(values)[:, None] for values in (plus, minus, central))
    return _deviation(ahead, behind, np.array(steps), differences, np.array([quietest]))


def _granularity(plus: Array, minus: Array, centre: Array, epsilon: float) -> tuple[Array, Array]:
    """The spacing of representable values around f(x), and the smallest change seen among all values; each (m,)."""
    values = np.concatenate([plus, minus, centre[None]])
    values.sort(axis=0)
    changes = values[1:] - values[:-1]
    changed = changes > 0
    quantum = np.where(changed, changes, np.inf).min(axis=0)
    quantum[np.isinf(quantum)] = 0.0
    double = np.spacing(np.abs(centre))
    single = ((values.astype(np.float32) == values) | ~np.isfinite(values)).all(axis=0)
    if not single.any():
        return double, quantum
    coarse = np.spacing(np.abs(centre).astype(np.float32)).astype(np.float64)
    if epsilon > DOUBLE:
        return np.where(single, coarse, double), quantum
    mantissa = np.abs(np.frexp(np.where(np.isfinite(values), values, 0.0))[0]) * FEW_BITS
    new = np.concatenate([changed, np.ones_like(changed[:1])])
    telling = (new & (mantissa != np.round(mantissa))).sum(axis=0)
    varied = (changed.sum(axis=0) >= VARIED) & (telling >= VARIED)
    return np.where(single & varied, coarse, double), quantum


def _has_many_bits(value: float) -> bool:
    mantissa = math.frexp(value)[0] * FEW_BITS
    return mantissa != round(mantissa)


def in_single_precision(values: Array) -> bool:
    """Whether these values of f, (N,), are single-precision numbers, and could as well not be: they vary, and have many bits.

    Values that are nothing but the rounding of a sum in double precision are small multiples of one quantum.
    """
    seen = np.unique(values[np.isfinite(values)])
    with np.errstate(over="ignore"):
        single = bool((seen.astype(np.float32) == seen).all())
    return single and sum(map(_has_many_bits, seen.tolist())) >= VARIED


def _bent(plus: Array, minus: Array, centre: Array, steps: Array, chosen: int, noise: Array) -> bool:
    """Whether φ has a kink within a step of the point.

    (φ(t) + φ(−t) − 2φ(0)) / t falls with t, by the ratio of the steps, where φ is smooth, and stays where it has a kink.
    """
    rows = slice(max(chosen - 3, 0), max(chosen, SMALLEST_RUNG) + 1)
    second = np.abs(plus[rows] + minus[rows] - 2 * centre)
    bend = second / steps[rows, None]
    stays = (bend[:-1] > 0.5 * bend[1:]) & (second[:-1] > 16 * noise)
    return bool(stays.any())
