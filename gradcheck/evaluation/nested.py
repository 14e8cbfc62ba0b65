"""Whether a claimed derivative is a difference of f itself: it calls f, or what f is a thin wrapper of, around the point.

A call of the claim is watched through the profiler's hook of the interpreter.  Where it calls some code as often as a difference
calls f, one call of f and another of the claim are watched more closely; nothing is called for it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gradcheck.evaluation.sources import own
from gradcheck.records import record

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEEP = 3  # so many thin wrappers are looked through
NEAR = 0.1  # points of a difference are no farther from each other, relative to their size or 1
WATCHED = 4  # arguments of a call that are compared
LIBRARIES = ("numpy", "scipy", "torch", "jax", "autograd", "gradcheck")  # whose functions are nobody's f


@dataclass(slots=True, eq=False, repr=False)
class Calls:
    """How often some code was called with real numbers, and with others than the first time.

    steps: how far from the first ones these were.
    """

    count: int = 0
    first: NDArray[np.float64] | None = None
    last: NDArray[np.float64] | None = None
    steps: list[float] = field(default_factory=list)

    def add(self, numbers: NDArray[np.float64]) -> None:
        """Take note of a call."""
        self.count += 1
        if self.first is None:
            self.first = self.last = numbers
            return
        assert self.last is not None
        if numbers.shape != self.first.shape or np.array_equal(numbers, self.last):
            return
        self.last = numbers
        step = float(np.abs(numbers - self.first).max())
        if 0 < step <= NEAR * max(1.0, float(np.abs(self.first).max())):
            self.steps.append(step)


@record
class Difference:
    """A claim that calls f so often, at points so far from each other."""

    calls: int
    step: float


class Watch:
    """What a claim is seen to call.

    functions: as the user wrote them, whose differences it may be.
    """

    def __init__(self, functions: Sequence[Callable[..., Any]]) -> None:
        self.functions = functions
        self.codes: set[CodeType] = set()
        self.calls: dict[CodeType, Calls] = {}

    def often(self, dimension: int) -> Counting:
        """While the claim is called once: whether it calls any code as often as a difference by so many variables calls f."""
        return Counting(dimension)

    @contextmanager
    def of_f(self) -> Iterator[None]:
        """While f is called: learn from its first call what it is a thin wrapper of."""
        self.codes = {code for f in {id(f): f for f in self.functions}.values() if (code := _code(f)) is not None}
        inner: list[tuple[int, CodeType]] = []  # by depth below f
        stack, ended = 0, False
        outer = frozenset(self.codes)

        def seen(frame: FrameType, event: str, _: Any) -> None:
            nonlocal stack, ended
            if ended:
                return
            if event == "call":
                if stack or frame.f_code in outer:
                    stack += 1
                    if 1 < stack <= DEEP + 1:
                        inner.append((stack, frame.f_code))
            elif event == "return" and stack:
                stack -= 1
                ended = not stack

        with _Profiled(seen if self.codes else None):
            yield
        for depth in range(2, DEEP + 2):
            there = [code for at, code in inner if at == depth]
            if len(there) != 1 or _of_library(there[0].co_filename):
                return
            self.codes.add(there[0])

    @contextmanager
    def of_claim(self) -> Iterator[None]:
        """While the claim is called once."""
        self.calls = {code: Calls() for code in self.codes}

        def seen(frame: FrameType, event: str, _: Any) -> None:
            if event == "call" and frame.f_code in self.calls:
                numbers = _numbers(frame)
                if numbers is not None:
                    self.calls[frame.f_code].add(numbers)

        with _Profiled(seen if self.codes else None):
            yield

    def difference(self, dimension: int) -> Difference | None:
        """The claim as a difference of f, if it was seen to be one: it calls f at a new point for each of n variables."""
        for calls in self.calls.values():
            if len(calls.steps) >= dimension:
                return Difference(calls.count, float(np.median(calls.steps)))
        return None


class _Profiled:
    """While this is entered, `seen` is told of calls, unless somebody else is looking."""

    def __init__(self, seen: Callable[[FrameType, str, Any], None] | None) -> None:
        self._seen = seen

    def __enter__(self) -> Self:
        self._looking = self._seen is not None and sys.getprofile() is None
        if self._looking:
            sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        if self._looking:
            sys.setprofile(None)


class Counting(_Profiled):
    """Counts calls by code, up to a dimension.

    suspect: some code was called so often.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__(self._count)
        self._dimension, self._counts = dimension, dict[CodeType, int]()
        self.suspect = False

    def _count(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            code = frame.f_code
            count = self._counts.get(code, 0) + 1
            self._counts[code] = count
            if count >= self._dimension:
                self.suspect = True


def _code(f: Any) -> CodeType | None:
    """The code behind a callable: of a function, a method, a partial, an object that can be called."""
    while isinstance(f, functools.partial):
        f = f.func
    f = own(f, "__func__") or f
    code = own(f, "__code__")
    if code is None:
        code = getattr(getattr(type(f), "__call__", None), "__code__", None)  # noqa: B004 - what is wanted is its code
    return code if isinstance(code, CodeType) and not _of_library(code.co_filename) else None


@functools.lru_cache(maxsize=256)
def _of_library(file: str) -> bool:
    path = file.replace("\\", "/")
    return any(f"/{name}/" in path for name in LIBRARIES)


def _numbers(frame: FrameType) -> NDArray[np.float64] | None:
    """The real numbers among the first arguments of a call, as one vector (a copy); None if there are none."""
    code = frame.f_code
    found = []
    for name in code.co_varnames[: min(code.co_argcount + 1, WATCHED)]:  # *args come after the named ones
        value = frame.f_locals.get(name)
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else (value,)
        found += [np.array(part, np.float64).reshape(-1) for part in parts if _is_real(part)]
    return np.concatenate(found) if found else None


def _is_real(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


__all__ = ["Difference", "Watch"]
