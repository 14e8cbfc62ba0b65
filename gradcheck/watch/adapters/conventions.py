"""What adapters share: how arguments of solvers are read, and how a callable of one convention becomes one of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.model import Kind
from gradcheck.watch.hooks import Call
from gradcheck.watch.pairs import Pair


def pair_up(call: Call, name: str, kind: Kind, function: Callable[..., Any], **more: Any) -> None:
    """Pair the derivative in an argument with a function, and put one that remembers its calls in its place.

    name: of the argument.
    more: attributes of `Pair`; the role is the name, and the derivative what the argument holds, unless they say otherwise.
    """
    given: dict[str, Any] = {"role": name, "derivative": call.get(name), **more}
    call.put(name, call.watched(Pair(kind=kind, via=call.via, function=function, **given)))


def pair_up_attribute(
    call: Call, holder: Any, name: str, kind: Kind, function: Callable[..., Any], **more: Any
) -> None:
    """The same where the derivative is an attribute of an object that the solver has; it is put back afterwards."""
    before = getattr(holder, name)
    own = vars(holder).get(name, holder) if hasattr(holder, "__dict__") else before
    given: dict[str, Any] = {"role": name, "derivative": before, **more}
    after = call.watched(Pair(kind=kind, via=call.via, function=function, **given))
    if after is before:
        return
    setattr(holder, name, after)
    call.undo.append(lambda: delattr(holder, name) if own is holder else setattr(holder, name, before))


class Converted:
    """``convert(inner, *args)``, under the name, file and line of `inner`."""

    def __init__(self, inner: Callable[..., Any], convert: Callable[..., Any]) -> None:
        self.__wrapped__, self.convert = inner, convert

    def __call__(self, *args: Any) -> Any:
        return self.convert(self.__wrapped__, *args)


def transposed(jac: Callable[..., Any], *args: Any) -> Any:
    """A matrix that was given by columns."""
    value = jac(*args)
    return value.T if hasattr(value, "tocsc") else np.atleast_2d(value).T


def from_bands(bands: Any, below: int, above: int, n: int) -> Any:
    """The n × n matrix whose entry [i, j] is bands[i − j + above, j]."""
    bands, full = np.asarray(bands), np.zeros((n, n))
    for i in range(n):
        for j in range(max(0, i - below), min(n, i + above + 1)):
            full[i, j] = bands[i - j + above, j]
    return full


def diagonals(below: Any, above: Any) -> tuple[int, int] | None:
    """How many diagonals a banded matrix has below and above the main one; None if neither is given: it is no banded one."""
    return None if below is None and above is None else (below or 0, above or 0)


def arguments(value: Any) -> tuple[Any, ...]:
    """Further arguments as SciPy takes them: one alone need not be a tuple."""
    return () if value is None else tuple(value) if isinstance(value, (tuple, list)) else (value,)


def size_of(x: Any) -> int:
    """The number of variables, which is part of what a pair is where it is small."""
    try:
        return min(int(np.size(x)), 5)
    except Exception:
        return -1


def limits(bounds: Any, n: int, *, low_high: bool = False) -> tuple[Any, Any] | None:
    """Bounds as two arrays; None if there are none, or if they are not understood.

    bounds: pairs of (low, high), in which None is no bound, or an object with `lb` and `ub`.
    low_high: two arrays instead, or two numbers that hold for all.
    """
    if bounds is None:
        return None
    try:
        if hasattr(bounds, "lb"):
            bounds, low_high = (bounds.lb, bounds.ub), True
        if low_high:
            low, high = (np.asarray(bound, float) for bound in bounds)
        else:
            pairs = [tuple(pair) for pair in bounds]
            low = np.array([-np.inf if pair[0] is None else pair[0] for pair in pairs], float)
            high = np.array([np.inf if pair[1] is None else pair[1] for pair in pairs], float)
        low, high = np.broadcast_to(low, n).copy(), np.broadcast_to(high, n).copy()
    except Exception:
        return None
    if (np.isinf(low).all() and np.isinf(high).all()) or not (low <= high).all():
        return None
    return low, high


def weights(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Numbers between 0.5 and 1.5 that are the same at every call: of a sum of outputs, in which none hides another."""
    return 0.5 + np.random.default_rng(1).random(tuple(shape))
