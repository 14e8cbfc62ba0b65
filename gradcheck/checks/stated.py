"""A claimed matrix as it is stated to a check: what is differentiated, and the claim; and both looked at for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.records import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gradcheck.checks.check import CheckRun
    from gradcheck.evaluation.function import Function
    from gradcheck.evaluation.matrix_claims import MatrixClaim
    from gradcheck.variables.layout import Layout


@record
class Stated:
    """A claimed m × n matrix, the derivative of the function that `make` returns.

    make: from what turns a callable of the user's into the one that is called.
    claim: likewise, of counted callables; asked for after `make`.
    role: of the claim.
    at: of other variables than those of the check, which are 0.
    lent: how x is laid out for the claim, if otherwise than for f.
    """

    make: Callable[[Callable[[Any], Any]], Function]
    claim: Callable[[Callable[[Any], Any]], Callable[..., Any]]
    role: str
    at: Layout | None = None
    lent: Layout | None = None

    def point(self, run: CheckRun) -> NDArray[Any]:
        """Where it is compared, flat."""
        return run.flat if self.at is None else np.zeros(self.at.size, self.at.dtype)

    def made(self, run: CheckRun, turned: Callable[[Any], Any] = lambda call: call) -> tuple[Function, MatrixClaim]:
        """The function, which was called once, and the claim."""
        function = self.make(turned)
        function.at(self.point(run))
        return function, run.matrix_claim(self.claim(turned), self.role, function, self.lent or self.at)

    def put_on_record(self, run: CheckRun, function: Function) -> None:
        """What the entries of the matrix are called."""
        run.draft.outputs = function.outputs
        if self.at is not None:
            run.draft.layout = self.at


__all__ = ["Stated"]
