"""The two zero-order estimators of a gradient: from values of f alone.

Central differences along the coordinates cost 2d evaluations, Σ_i (f(x + ε e_i) − f(x − ε e_i)) / 2ε · e_i; along random
directions they cost 2 a direction, d · (f(x + ε v) − f(x − ε v)) / 2ε · v, and are right on average (Nesterov & Spokoiny,
Found. Comput. Math. 17, 2017).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import PointError, UsageError, UserCodeError
from gradcheck.numerics.directions import unit_direction
from gradcheck.numerics.stencils import CENTRAL, natural_scales, smallest_step

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def finite_difference_gradient(
    f: Callable[[NDArray[Any]], Any], x: ArrayLike, eps: float | None = None, order: int = 2
) -> NDArray[Any]:
    """The gradient of f at x from central differences along each coordinate: 2d evaluations of order 2, 4d of order 4.

    Args:
        f: array like x → a number; it must leave its argument as it is, which is one array whose entries change.
        x: any shape, float64 or float32 (integers become float64).
        eps: the step ε, in the units of x; by default ε_machine^(1/3) (order 2) or ε_machine^(1/5) (order 4) times the
            size of each variable.
        order: 2 or 4, the power of ε that the error falls with.

    Returns:
        An array of the shape and dtype of x. A difference divides by the displacement that happened, which rounding of
        x ± ε makes a little other than 2ε.

    Raises:
        UsageError: eps is no positive number, or the order is unknown.
        UserCodeError: f wrote into its argument.  What f raises itself is passed on.
    """
    point, eps = _point(x), _positive(eps)
    if order not in CENTRAL:
        raise UsageError(f"order {order!r} is not known; give one of {', '.join(map(str, CENTRAL))}")
    flat = point.reshape(-1)
    if eps is None:
        fraction = float(np.finfo(point.dtype).eps) ** (1 / (order + 1))
        steps = np.maximum(fraction * natural_scales(flat), smallest_step(flat))
    else:
        steps = np.full(flat.size, eps)
    total = np.zeros(flat.size)
    for node, weight in enumerate(CENTRAL[order], 1):
        ahead, behind = (flat + node * steps).astype(point.dtype), (flat - node * steps).astype(point.dtype)
        width = ahead.astype(np.float64) - behind.astype(np.float64)
        if not width.all():
            raise UsageError(f"eps={eps!r} is lost when it is added to x; give a larger one, or none")
        total += 2 * node * weight * (_differences(f, point, ahead, behind) / width)
    return total.astype(point.dtype).reshape(point.shape)


def two_point_gradient(
    f: Callable[[NDArray[Any]], Any], x: ArrayLike, directions: int = 1, eps: float | None = None, seed: int = 0
) -> NDArray[Any]:
    """An estimate of the gradient of f at x from two values along each of a few random directions: 2 evaluations each.

    Its mean over v uniform on the unit sphere is the gradient of f smoothed over a ball of radius ε; with one direction the
    square of its length is about d times that of the gradient.

    Args:
        f: array like x → a number.
        x: any shape, float64 or float32 (integers become float64).
        directions: how many directions the estimate is the mean of.
        eps: the step ε along a direction of length 1; by default ε_machine^(1/3) times the usual size of a variable and √d.
        seed: the directions are the same for the same seed.

    Returns:
        An array of the shape and dtype of x.

    Raises:
        UsageError: eps is no positive number, or directions is no positive integer.
    """
    point, eps = _point(x), _positive(eps)
    if directions < 1:
        raise UsageError(f"directions={directions!r} must be 1 or more")
    flat = point.reshape(-1)
    if eps is None:
        eps = (
            float(np.finfo(point.dtype).eps) ** (1 / 3) * float(np.median(natural_scales(flat))) * math.sqrt(flat.size)
        )
    total = np.zeros(flat.size)
    for number in range(directions):
        v = unit_direction(flat.size, seed, number)
        ahead, behind = (flat + eps * v).astype(point.dtype), (flat - eps * v).astype(point.dtype)
        width = float((ahead.astype(np.float64) - behind.astype(np.float64)) @ v)
        if not width:
            raise UsageError(f"eps={eps!r} is lost when it is added to x; give a larger one, or none")
        difference = _number(f(ahead.reshape(point.shape))) - _number(f(behind.reshape(point.shape)))
        total += flat.size * (difference / width) * v
    return (total / directions).astype(point.dtype).reshape(point.shape)


def _differences(
    f: Callable[[NDArray[Any]], Any], point: NDArray[Any], ahead: NDArray[Any], behind: NDArray[Any]
) -> NDArray[np.float64]:
    """f with entry i at ahead[i], less f with entry i at behind[i]: (d,), by one array that is changed and restored."""
    scratch = point.reshape(-1).copy()
    argument = scratch.reshape(point.shape)
    out = np.empty((2, scratch.size))
    loop = _compiled_loop(f, argument)
    for moved, values in ((ahead, out[0]), (behind, out[1])):
        if loop is not None:
            done = np.zeros(1, np.intp)
            loop(argument, scratch, np.arange(scratch.size), moved.astype(np.float64), values, done)
            continue
        for i, (kept, there) in enumerate(zip(point.reshape(-1).tolist(), moved.tolist(), strict=True)):
            scratch[i] = there
            value = f(argument)
            scratch[i] = kept
            values[i] = value if isinstance(value, (float, np.floating)) else _number(value)
    if not np.array_equal(scratch, point.reshape(-1), equal_nan=True):
        raise UserCodeError("f writes into its argument; let it work on a copy")
    return out[0] - out[1]


def _compiled_loop(f: Callable[[NDArray[Any]], Any], argument: NDArray[Any]) -> Callable[..., None] | None:
    """A compiled loop over f, if it is a Numba dispatcher that has been called and that saves time."""
    if "numba" not in sys.modules:
        return None
    from gradcheck.numerics import kernels

    return kernels.loop_over_columns(f, argument, 2 * argument.size) if kernels.is_compiled(f) else None


def _number(value: Any) -> float:
    """A number, or an array of one, as a float."""
    return float(np.asarray(value).reshape(()) if np.size(value) == 1 else value)


def _point(x: ArrayLike) -> NDArray[Any]:
    point = np.asarray(x)
    if point.dtype.kind not in "fiub":
        raise PointError(f"x is a {type(x).__name__}, not an array of real numbers; give one array of floats")
    return point if point.dtype in (np.float32, np.float64) else point.astype(np.float64)


def _positive(eps: float | None) -> float | None:
    if eps is not None and not (eps > 0 and math.isfinite(eps)):
        raise UsageError(f"eps={eps!r} must be a positive number")
    return eps


__all__ = ["finite_difference_gradient", "two_point_gradient"]
