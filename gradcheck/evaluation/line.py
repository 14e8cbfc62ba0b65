"""How exactly f can be differenced, measured along one random line through the point.

It is measured when that is first asked for: most claims are right, and plainly so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Finding, FindingKind
from gradcheck.numerics.directions import Stream, direction
from gradcheck.numerics.noise import calibrate, in_single_precision, ladder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.function import Function
    from gradcheck.numerics.noise import Calibration

    Array = NDArray[np.float64]

LADDER = ladder()


class Line:
    """What f does along one random line through a point, measured when that is first asked for, by 26 evaluations.

    value: f(x), (m,).
    scales: the natural scale of each variable, (n,).
    told: called once it is measured.
    findings: what it showed then.
    """

    __slots__ = ("_calibration", "_function", "_seed", "_told", "findings", "scales", "value", "x")

    def __init__(
        self,
        function: Function,
        x: NDArray[Any],
        value: Array,
        scales: Array,
        seed: int,
        told: Callable[[Line], None] | None = None,
    ) -> None:
        self._function, self._seed, self._told = function, seed, told
        self.x, self.value, self.scales = x, value, scales
        self._calibration: Calibration | None = None
        self.findings: list[Finding] = []

    @property
    def direction(self) -> Array:
        """Along which the line goes, (n,)."""
        return self.scales * direction(self.x.size, self._seed, Stream.SETUP)

    @property
    def calibration(self) -> Calibration:
        """What the line tells of f."""
        if self._calibration is None:
            x = self.x
            plus, minus, realised = self._function.line(x, self.direction, LADDER)
            self._calibration = calibrate(plus, minus, self.value, realised, x.size, float(np.finfo(x.dtype).eps))
            self.findings = _precision(self._function, x, plus, minus, self.value, self._calibration)
            if self._told is not None:
                self._told(self)
        return self._calibration


def _precision(
    function: Function, x: NDArray[Any], plus: Array, minus: Array, value: Array, measured: Calibration
) -> list[Finding]:
    """Single precision inside a double-precision function."""
    level = float(measured.noise[0] / abs(value[0])) if value[0] else 0.0
    if x.dtype != np.float64 or level < 1e-9:
        return []
    if not in_single_precision(np.concatenate([plus, minus, value[None]])[:, 0]):
        return []
    return [
        Finding(
            kind=FindingKind.LOW_PRECISION,
            target=function.role,
            message=f"{function.role} takes float64 but computes in float32: "
            f"its values carry an error of {level:.1g} of themselves",
            evidence={"relative_noise": level},
        )
    ]
