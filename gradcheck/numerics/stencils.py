"""Difference formulae as data, and steps that are known to the last bit.

A central difference of order p along v is  Σ_k c_k (φ(k h) − φ(−k h)) / h  with φ(t) = f(x + t v); the weights c solve the
moment equations  Σ_k 2 c_k k = 1  and  Σ_k c_k k^(2j+1) = 0 for 0 < j < p/2  (Fornberg, Math. Comp. 51, 1988).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


CENTRAL = {2: (1 / 2,), 4: (2 / 3, -1 / 12)}  # by order p, the weights c_k of the nodes k = 1, 2, …
RATIO = 4.0  # the steps of a ladder fall by this


def natural_scales(x: NDArray[Any]) -> NDArray[np.float64]:
    """The length over which each variable is expected to matter, from the point alone.

    Variables of comparable size (within a factor 1000 of the typical one) share the typical scale, so that an entry that
    happens to be near 0 is not differenced with a needlessly small step; the others have their own size; a variable that
    is 0 has the typical scale, or 1.

    Args:
        x: the point, shape (d,), float32 or float64.

    Returns:
        shape (d,), float64, positive.
    """
    size = np.abs(x).astype(np.float64, copy=False)
    smallest = np.minimum.reduce(size)
    nonzero = size if smallest > 0 else size[size > 0]
    if not nonzero.size:
        return np.ones_like(size)
    middle = nonzero.size // 2
    typical = np.partition(nonzero, middle)[middle]
    low, high = typical * 1e-3, typical * 1e3
    if smallest > low and np.maximum.reduce(size) < high:
        return np.maximum(size, typical)
    shared = (size > low) & (size < high)
    scales = np.where(shared, np.maximum(size, typical), size)
    scales[size == 0] = typical
    return scales


def free_scales(x: NDArray[Any], bounds: tuple[NDArray[Any], NDArray[Any]] | None) -> NDArray[np.float64]:
    """The same, and 0 for what its bounds, (d,) each, fix: a parameter that does not vary."""
    scales = natural_scales(x)
    if bounds is not None:
        scales[bounds[0] == bounds[1]] = 0.0
    return scales


def smallest_step(x: NDArray[Any]) -> NDArray[np.float64]:
    """The smallest step worth taking: two units in the last place of x, shape (d,), float64."""
    return 2.0 * np.spacing(np.abs(x)).astype(np.float64)


def realised_steps(x: NDArray[Any], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the displacement ((x + h) − (x − h)) that happens in the dtype of x, which replaces h in differences.

    At x = 1e4 the difference between the two is an error of 1e-8.  Shapes broadcast: x (d,), wanted (…, d).
    """
    ahead, behind = (x + wanted).astype(x.dtype), (x - wanted).astype(x.dtype)
    return np.subtract(ahead, behind, dtype=np.float64) / 2


def steps_near(x: NDArray[Any], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The realised steps nearest to `wanted`, none below `smallest_step`: x ± h is then exact but for steps larger than x."""
    return realised_steps(x, np.maximum(wanted, smallest_step(x)))
