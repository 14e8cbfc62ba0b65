"""Functions that run elsewhere: what is asked of them ends the check with the points at which their values are awaited.

The check is made again when the values are in its journal, and comes so far as the next ones that are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from gradcheck.errors import UsageError, let_through
from gradcheck.variables.layout import Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Awaited(BaseException):
    """Values are wanted that nobody has told yet.

    role: whose: 'f', 'func', 'grad', 'jac' or 'hess'.
    keys: under which the journal is to keep them.
    points: (K, n), flat.
    """

    def __init__(self, role: str, keys: Sequence[bytes], points: NDArray[Any]) -> None:
        super().__init__(f"values of {role} are awaited")
        self.role, self.keys, self.points = role, tuple(keys), points


let_through(Awaited)


class Elsewhere:
    """Stands for a function that runs elsewhere.

    role: as in `Awaited`.
    layout: of x.
    """

    def __init__(self, role: str, layout: Layout) -> None:
        self.role = self.__qualname__ = role
        self.layout = layout

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        raise UsageError(f"{self.role} runs elsewhere, and what was asked of it here is not kept in a journal")

    def await_values(self, keys: Sequence[bytes], points: Sequence[Any]) -> NoReturn:
        """Raises `Awaited`, for the points, flat or as x is laid out, of which there are no values."""
        raise Awaited(self.role, keys, np.array([self._flat(point) for point in points]))

    def _flat(self, point: Any) -> NDArray[Any]:
        if isinstance(point, np.ndarray):
            return point.reshape(-1)
        return np.concatenate([np.ravel(part) for part in self.layout.variables(point)])

    def answered(self, value: Any) -> Any:
        """What was told, as the function would have returned it: a gradient by a tree is kept as one vector."""
        whole = self.role == "grad" and bool(self.layout.leaves)
        return self.layout.derivative(value) if whole else value


def elsewhere(call: Callable[..., Any]) -> Elsewhere | None:
    """What stands for a function that runs elsewhere, if it does."""
    return call if isinstance(call, Elsewhere) else None
