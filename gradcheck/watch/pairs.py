"""A pair of function and derivative as a solver was handed it, and the points at which the solver asked for the derivative."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck.model import Kind
from gradcheck.watch.identity import digest, identity

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAR = 1e6  # times the claims at the start and at the end: a claim so large is that of a step that went too far
ASIDE = 1e-3  # of max(1, |x|): how far the last point is moved, for an optimum hides most mistakes
LATE, START, LARGEST = "late", "start", "largest"


class Visit(NamedTuple):
    """A point at which the derivative was asked for.

    x: a copy.
    args, kwargs: the whole call, as it came; arrays in it are not copied.
    """

    x: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Check(NamedTuple):
    """What is checked at a visit: arguments of `gradcheck.check_gradient`, or of what checks the kind of the pair."""

    f: Callable[..., Any]
    claim: Callable[..., Any]
    options: Mapping[str, Any]


@dataclass(slots=True, kw_only=True, eq=False)
class Visits:
    """The first point, the last one, and that of the largest claim."""

    first: Visit | None = None
    last: Visit | None = None
    largest: Visit | None = None
    norm: float = -1.0
    norm_first: float = -1.0
    norm_last: float = -1.0
    count: int = 0

    def note(self, visit: Visit) -> None:
        """Called before the derivative is."""
        self.count += 1
        self.last = visit
        if self.first is None:
            self.first = visit

    def weigh(self, value: Any) -> None:
        """Called with what the derivative has returned at the last point."""
        data = getattr(value, "data", value) if hasattr(value, "tocsc") else value
        if not isinstance(data, (np.ndarray, float)) or (isinstance(data, np.ndarray) and not data.size):
            return
        norm = self.norm_last = float(np.max(np.abs(data)))
        if self.last is self.first:
            self.norm_first = norm
        if self.norm < norm < np.inf:
            self.norm, self.largest = norm, self.last

    @property
    def overshoot(self) -> float | None:
        """How many times larger the largest claim is than those at the start and at the end, if that is FAR."""
        usual = max(self.norm_first, self.norm_last)
        return self.norm / usual if 0 < FAR * usual < self.norm else None


@dataclass(slots=True, kw_only=True, eq=False)
class Pair:
    """A function, what is claimed to be its derivative, and how the two are called.

    via: what was called with it, such as ``scipy.optimize.minimize``.
    role: the argument by which the derivative was given, such as ``jac``.
    function, derivative: as they were given.
    options: further keywords of the check.
    bounds: (low, high), arrays that the points visited keep to; None if there are none.
    at: makes the check of a visit, where it is not the two callables with `options`.
    point: the point within a call of the derivative; by default its first argument.
    part: which of the values that the derivative returns is the derivative; None if it returns that alone.
    written: which of its arguments it writes the derivative into; None if it returns it.
    hidden: why its values are not known, in words; '' if they are.
    size: what distinguishes pairs of the same code.
    """

    kind: Kind
    via: str
    role: str
    function: Callable[..., Any]
    derivative: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    at: Callable[[Visit], Check] | None = None
    point: Callable[[tuple[Any, ...], Mapping[str, Any]], Any] | None = None
    part: int | None = None
    written: int | None = None
    hidden: str = ""
    size: Hashable = None
    visits: Visits = field(default_factory=Visits)
    parts: tuple[Hashable, ...] = ()
    key: str = ""

    def __post_init__(self) -> None:
        switches = tuple((name, identity(value, 1)) for name, value in sorted(self.options.items()) if name != "grad")
        self.parts = (identity(self.function), identity(self.derivative), switches)
        self.key = digest(self.kind.value, self.role, self.size, *self.parts)

    def check(self, visit: Visit) -> Check:
        """What is to be checked at a visit."""
        check = Check(self.function, self.derivative, self.options) if self.at is None else self.at(visit)
        return check if self.bounds is None else check._replace(options={"bounds": self.bounds, **check.options})

    def points(self) -> list[tuple[str, Visit]]:
        """Where to check, the most telling first: the last point moved aside, the first, that of the largest claim."""
        visits, found = self.visits, list[tuple[str, Visit]]()
        for origin, visit in ((LATE, visits.last), (START, visits.first), (LARGEST, visits.largest)):
            if visit is None or not _usable(visit.x):
                continue
            if origin == LATE:
                visit = visit._replace(x=aside(visit.x, self.bounds))
            if not any(np.array_equal(visit.x, other.x) for _, other in found):
                found.append((origin, visit))
        return found


def _usable(x: Any) -> bool:
    array = np.asarray(x)
    return array.dtype.kind in "fiu" and bool(np.isfinite(array).all()) and array.size > 0


def aside(x: Any, bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None) -> Any:
    """x moved by ASIDE, up or down from entry to entry, without leaving the bounds."""
    array = np.asarray(x, np.float64)
    step = ASIDE * np.maximum(1.0, np.abs(array))
    signs = np.where(np.random.default_rng(array.size).random(array.shape) < 0.5, -1.0, 1.0)
    moved = array + signs * step
    if bounds is not None:
        low, high = (np.broadcast_to(bound, array.shape) for bound in bounds)
        other = array - signs * step
        moved = np.where((moved < low) | (moved > high), other, moved)
        moved = np.where((moved < low) | (moved > high), array, moved)
    return moved if isinstance(x, np.ndarray) else float(moved)
