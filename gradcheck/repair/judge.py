"""What was measured of the derivative, and how an answer compares with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WIDE = 3.0  # an answer agrees within so many uncertainties


@dataclass(frozen=True, eq=False)
class Measured:
    """Numeric values of a derivative at a point.

    x: as the claim is called with it.
    values, uncertainty: (n,), |values − true| ≤ uncertainty.
    tolerance: (n,), what is accepted besides.
    wrong: (n,), where the claim is wrong.
    """

    x: Any
    values: Array
    uncertainty: Array
    tolerance: Array
    wrong: NDArray[np.bool_]

    @property
    def allowed(self) -> Array:
        """How far an answer may be off."""
        return WIDE * self.uncertainty + self.tolerance

    def residual(self, answer: Any) -> Array | None:
        """values − answer, (n,); None for no answer, or one of another size, or with an entry that is no number."""
        if answer is None or answer.size != self.values.size:
            return None
        gap = self.values - answer
        return gap if np.isfinite(gap).all() else None

    def agrees(self, answer: Any) -> bool:
        """Whether an answer agrees in every entry."""
        gap = self.residual(answer)
        return gap is not None and bool((np.abs(gap) <= self.allowed).all())

    def mended(self, answer: Any) -> tuple[int, int]:
        """How many wrong entries an answer mends, and how many right ones it spoils."""
        gap = self.residual(answer)
        if gap is None:
            return 0, int(self.values.size)
        right = np.abs(gap) <= self.allowed
        return int(np.sum(right & self.wrong)), int(np.sum(~right & ~self.wrong))


def agrees_everywhere(answers: Sequence[Any], measured: Sequence[Measured]) -> bool:
    """Whether answers at several points agree with what was measured there."""
    return all(m.agrees(a) for a, m in zip(answers, measured, strict=True))
