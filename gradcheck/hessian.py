"""A gradient made of differences, for a Hessian that comes without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.numerics.directions import direction
from gradcheck.numerics.noise import calibrate, ladder
from gradcheck.numerics.stencils import CENTRAL, natural_scales, steps_near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation import Function

    Array = NDArray[np.float64]

WIDER = 8.0  # order 4 bears a larger step than the one that suits order 2
STEP_STREAM = 2**32 - 2


class DifferencedGradient:
    """x ↦ the gradient of f by central differences of order 4, for differencing once more: 4n evaluations a call.

    The step is measured at x0 and then fixed, so that its truncation error is a smooth function that differencing shrinks
    along with everything else, and its noise is measured like that of any other function.
    """

    def __init__(self, function: Function, x0: NDArray[Any], seed: int) -> None:
        self.function = function
        flat = x0.reshape(-1)
        scales = natural_scales(flat)
        centre = function.at(flat)
        plus, minus, steps = function.line(flat, scales * direction(flat.size, seed, STEP_STREAM), ladder())
        fraction = calibrate(plus, minus, centre, steps, flat.size, float(np.finfo(flat.dtype).eps)).fraction
        self.steps = scales * min(WIDER * fraction, 0.05)
        self.columns = np.arange(flat.size, dtype=np.intp)

    def __call__(self, x: NDArray[Any]) -> Array:
        flat = x.reshape(-1)
        stencil = CENTRAL[4]
        total = np.zeros(flat.size)
        for node, weight in zip(stencil.nodes, stencil.weights, strict=True):
            h = steps_near(flat, node * self.steps)
            plus, minus = self.function.pairs(flat, self.columns, h)
            total += weight * node * (plus[:, 0] - minus[:, 0]) / h
        return total.reshape(x.shape)
