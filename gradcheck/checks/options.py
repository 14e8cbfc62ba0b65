"""The options that all checks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.model import Method, Tolerance

if TYPE_CHECKING:
    from concurrent.futures import Executor


RTOL = 6e-6  # agreement to five digits; a factor of 1 + 1e-5 is an error
METHODS = frozenset(Method)
LEAST = {"points": 1, "jobs": 1, "directions": 1, "seed": 0}  # of the options that are whole numbers
Progress = Callable[[str, int, int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Options:
    """The keywords that all checks share; they bear the names of the command line's options.

    rtol: relative error that is accepted whatever the precision of f (default 6e-6).  atol: absolute error that is.
    method: 'coordinates' compares every entry, 'directions' random directions, 'auto' chooses by cost.
    directions: how many random directions (default 2).
    points: at how many points; the first gets the method, the others two random directions each.
    seed: of everything random.  bounds: (low, high), f is not called outside.  args: further arguments of f and claim.
    eps: the step, in the units of x; by default it is measured.  vectorized: f takes a batch of points, one a row.
    jit: compile f with Numba first.  jobs, executor: evaluate in parallel.  budget: seconds after which to stop.
    suspects: terms, by name, that may be missing in the claim.  progress: called as (phase, done, total, evaluations,
    detail).  throw: raise unless all is right.  allow_inconclusive: do not raise for INCONCLUSIVE.
    """

    rtol: float | None = None
    atol: float = 0.0
    method: str | Method = Method.AUTO
    directions: int | None = None
    points: int = 1
    seed: int = 0
    bounds: Any = None
    args: tuple[Any, ...] = ()
    eps: float | None = None
    vectorized: bool | None = None
    jit: bool = False
    jobs: int = 1
    executor: Executor | None = None
    budget: float | None = None
    suspects: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    progress: Progress | None = None
    throw: bool = True
    allow_inconclusive: bool = False

    def __post_init__(self) -> None:
        """Raises `UsageError` for values that make no sense."""
        if self.rtol is not None and not 0 <= self.rtol < 1:
            raise UsageError(f"rtol is {self.rtol}; it must be at least 0 and below 1")
        if not self.atol >= 0:
            raise UsageError(f"atol is {self.atol}; it must be at least 0")
        if self.eps is not None and not 0 < self.eps < np.inf:
            raise UsageError(f"eps is {self.eps}; it must be a positive number, or left out")
        if self.budget is not None and not self.budget > 0:
            raise UsageError(f"budget is {self.budget}; it must be a positive number of seconds")
        if not isinstance(self.args, (tuple, list)):
            raise UsageError(f"args is {self.args!r}; it must be a tuple, with one argument ({self.args!r},)")
        for key, low in LEAST.items():
            value = getattr(self, key)
            if value is not None and (not hasattr(value, "__index__") or value < low):
                raise UsageError(f"{key} is {value}; it must be a whole number of at least {low}")
        if self.method not in METHODS:
            raise UsageError(f"method is {self.method!r}; it must be one of {', '.join(Method)}")

    @property
    def engine(self) -> dict[str, Any]:
        """How f is to be evaluated, as keywords of `Function`."""
        return {"vectorized": self.vectorized, "jit": self.jit, "jobs": self.jobs, "executor": self.executor}

    @property
    def tolerance(self) -> Tolerance:
        """rtol and atol as one."""
        return Tolerance(rtol=RTOL if self.rtol is None else self.rtol, atol=self.atol)
