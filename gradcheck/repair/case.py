"""A claim that failed, as a search for a patch is given it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.repair.judge import Measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """A claim that failed.

    claim, function: as the user gave them.
    evaluate: (claim, x) ↦ the whole claimed derivative, flat.
    value: (function, x) ↦ its values, (m,); None if the claim is no derivative of its values.
    measured: at the point, and at further ones.
    fresh: points where nothing was measured, to tell candidates apart.
    verify: whether a claim passes the checker, at the point and elsewhere.
    seconds: how long to search.
    """

    claim: Any
    function: Any
    evaluate: Callable[[Any, Array], Array]
    value: Callable[[Any, Array], Array] | None
    measured: Sequence[Measured]
    fresh: Sequence[Array]
    verify: Callable[[Any], bool]
    seconds: float
