"""What a Hessian is differenced from: a gradient that is that of f, or one made of differences of f."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError
from gradcheck.numerics.directions import direction
from gradcheck.numerics.noise import Calibration, calibrate, ladder
from gradcheck.numerics.stencils import CENTRAL, natural_scales, steps_near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation import Function

    Array = NDArray[np.float64]

WIDER = 8.0  # order 4 bears a larger step than the one that suits order 2
STEP_STREAM = 2**32 - 2
AGREED = 1e-7  # of the length of the terms of ⟨g, v⟩: a gap this small is plain agreement …
PLAIN = 1e-5  # … unless noise allows for more than this


@dataclass(frozen=True, slots=True)
class Line:
    """f along a random direction v: values on both sides, (R, 1), at the displacements `steps`, (R,), and what they tell."""

    scales: Array
    v: Array
    plus: Array
    minus: Array
    steps: Array
    calibration: Calibration


def _line(function: Function, flat: NDArray[Any], seed: int) -> Line:
    scales = natural_scales(flat)
    centre, v = function.at(flat), scales * direction(flat.size, seed, STEP_STREAM)
    plus, minus, steps = function.line(flat, v, ladder())
    calibration = calibrate(plus, minus, centre, steps, flat.size, float(np.finfo(flat.dtype).eps))
    return Line(scales, v, plus, minus, steps, calibration)


def agrees_along_line(function: Function, flat: NDArray[Any], claimed: Array, seed: int) -> bool:
    """Whether a claimed gradient (n,) plainly agrees with f along one random direction; False leaves it open.

    27 evaluations of f.
    """
    line = _line(function, flat, seed)
    k = int(np.argmin(np.abs(line.steps - line.calibration.fraction)))
    step, terms = float(line.steps[k]), claimed * line.v
    with np.errstate(all="ignore"):
        gap = abs(float(line.plus[k, 0] - line.minus[k, 0]) / (2 * step) - float(terms.sum()))
        size = float(np.sqrt(terms @ terms))
    allowed = AGREED * size + float(line.calibration.noise[0]) / step
    return gap <= allowed <= PLAIN * size


class DifferencedGradient:
    """x ↦ the gradient of f by central differences of order 4, for differencing once more: 4n evaluations a call.

    The step is measured at x0 and then fixed, so that its truncation error is a smooth function that differencing shrinks
    along with everything else, and its noise is measured like that of any other function.

    Raises `PointError` if x0 is too near the bounds of f.
    """

    def __init__(self, function: Function, x0: NDArray[Any], seed: int) -> None:
        self.function = function
        flat = x0.reshape(-1)
        line = _line(function, flat, seed)
        self.steps = line.scales * min(WIDER * line.calibration.fraction, 0.05)
        self.columns = np.arange(flat.size, dtype=np.intp)
        if function.bounds is not None:
            reach, (low, high) = max(CENTRAL) // 2 * self.steps, function.bounds
            lost = np.flatnonzero((flat - reach < low) | (flat + reach > high))
            if lost.size:
                raise PointError(
                    f"without a gradient f is differenced twice, and entry {int(lost[0])} is too near its bounds for that; "
                    "give grad, or a point farther inside"
                )

    def __call__(self, x: NDArray[Any]) -> Array:
        flat = x.reshape(-1)
        total = np.zeros(flat.size)
        for node, weight in enumerate(CENTRAL[4], 1):
            h = steps_near(flat, node * self.steps)
            plus, minus = self.function.pairs(flat, self.columns, h)
            total += weight * node * (plus[:, 0] - minus[:, 0]) / h
        return total.reshape(x.shape)
