"""The sets by their names, and random points of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.foreign import Foreign
from gradcheck.variables.sets.matrices import Diagonal, Orthogonal, PositiveDefinite, Symmetric
from gradcheck.variables.sets.rotations import Pose, Quaternion, Rotation
from gradcheck.variables.sets.vectors import Periodic, Positive, Simplex, Sphere
from gradcheck.wording import by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SETS: dict[str, Set] = {
    known.name: known
    for known in (
        Sphere(),
        Simplex(),
        Symmetric(),
        PositiveDefinite(),
        Diagonal(),
        Orthogonal(),
        Rotation(2),
        Rotation(3),
        Pose(2),
        Pose(3),
        Quaternion(),
        Positive(),
    )
}
"""The sets that have a name alone; `periodic:PERIOD` has a number with it."""


def set_named(on: Any) -> Set:
    """The set that an `on` stands for, be it valid already.  Raises ValueError that says what it must be."""
    if isinstance(on, Set):
        return on
    if not isinstance(on, str):
        return Foreign(on)
    name, colon, period = on.partition(":")
    return Periodic(float(period)) if colon and name == "periodic" else SETS[name]


def drawn_on(on: Any, z: NDArray[Any], what: str = "x0") -> NDArray[Any]:
    """A point of a set, of the shape and dtype of an array of random numbers, of which it is made.

    Raises:
        UsageError: the set has no points of that shape.
    """
    chosen = set_named(on)
    require_fit(chosen, z.shape, what)
    point = chosen.draw(z.astype(np.float64))
    if point.shape != z.shape:
        raise UsageError(
            f"{what} has shape {by(z.shape)}, and the random points of {chosen.name} have {by(point.shape)}"
        )
    return point.astype(z.dtype)


def require_fit(on: Set, shape: tuple[int, ...], what: str) -> None:
    """Raises `UsageError` if points of the set have no such shape."""
    if not on.fits(shape):
        raise UsageError(f"{what} has shape {by(shape) if shape else '()'}, and a point of {on.name} {on.needed}")
