"""Where a function and what may be its derivative can both be called, and what the shapes of their values make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradcheck.evaluation.attempts import attempt
from gradcheck.model import Kind

POINTS = ("x0", "start_params", "x_start", "initial_guess", "start")  # attributes that may hold a point
SIZES = (3, 2, 4, 5, 1, 6, 10)
LOW, HIGH = 0.2, 0.8  # where logarithms, roots and odds can be taken


class Place(NamedTuple):
    """A point, and what the derivative is there: of one value, of several, or of each entry by itself."""

    kind: Kind
    x: Any
    elementwise: bool = False


def candidates(hints: Mapping[str, Any], sizes: Sequence[int]) -> Iterator[Any]:
    """Points to try: those that somebody has left, vectors, a number.

    sizes: of the only vectors to try; none for those that are usual.
    """
    if not sizes:
        for name in POINTS:
            value = hints.get(name)
            if isinstance(value, (np.ndarray, list, tuple)) and np.ndim(value) == 1 and np.size(value):
                array = np.asarray(value)
                if array.dtype.kind in "fi":
                    yield array.astype(np.float64)
    for size in sizes or SIZES:
        yield LOW + (HIGH - LOW) * np.random.default_rng(size).random(size)
    if not sizes:
        yield 0.5 * (LOW + HIGH) - 0.13


def first_place(
    function: Callable[..., Any], derivative: Callable[..., Any], hints: Mapping[str, Any], sizes: Sequence[int]
) -> Place | str:
    """Where both can be called, and their shapes fit; or why nowhere."""

    def fitting(x: Any, value: NDArray[Any]) -> Place | str:
        slope, error = _values(derivative, x)
        if slope is None:
            return error
        kind = _first(np.shape(x), value, slope)
        if kind is not None:
            return kind._replace(x=x)
        return f"the value has the shape {value.shape} and the derivative {slope.shape} at an x of {np.shape(x)}"

    return _found(candidates(hints, sizes), function, fitting)


def _first(shape: tuple[int, ...], value: NDArray[Any], slope: NDArray[Any]) -> Place | None:
    if value.size == 1 and value.ndim <= 1 and slope.shape in (shape, (1, *shape)):
        return Place(Kind.GRADIENT, None)
    if value.ndim == 1 and slope.shape == (*value.shape, *shape):
        return Place(Kind.JACOBIAN, None)
    if value.shape == slope.shape == shape:
        return Place(Kind.GRADIENT, None, elementwise=True)
    return None


def second_place(
    function: Callable[..., Any], hessian: Callable[..., Any], place: Place | None, hints: Any, sizes: Any
) -> Place | str:
    """The same of a second derivative; where the first one was found, if it was."""

    def fitting(x: Any, value: NDArray[Any]) -> Place | str:
        curvature, error = _values(hessian, x)
        if curvature is None:
            return error
        if place is not None and place.elementwise and curvature.shape == np.shape(x):
            return place
        if value.size == 1 and value.ndim <= 1 and curvature.shape == np.shape(x) * 2:
            return Place(Kind.HESSIAN, x)
        return f"the value has the shape {value.shape} and the second derivative {curvature.shape} at an x of {np.shape(x)}"

    return _found([place.x] if place is not None else candidates(hints, sizes), function, fitting)


def place_of_backward(
    forward: Callable[..., Any], backward: Callable[..., Any], hints: Mapping[str, Any], sizes: Sequence[int]
) -> Place | str:
    """Where forward can be called, and after it backward with values like its."""

    def fitting(x: Any, value: NDArray[Any]) -> Place | str:
        slope, error = _values(backward, np.ones(value.shape))
        if slope is not None and slope.shape == np.shape(x) and np.ndim(x):
            return Place(Kind.VJP, x)
        return error or "backward returns nothing of the shape of x"

    return _found(candidates(hints, sizes), forward, fitting)


def _found(
    points: Iterable[Any], function: Callable[..., Any], fitting: Callable[[Any, NDArray[Any]], Place | str]
) -> Place | str:
    """The first place that fits among points where a function has values; or why there is none.

    fitting: (x, values) ↦ the place, or what is in the way.
    """
    reason = ""
    for x in points:
        value, error = _values(function, x)
        if value is None:
            reason = reason or error
            continue
        found = fitting(x, value)
        if isinstance(found, Place):
            return found
        reason = found
    return reason


def _values(function: Callable[..., Any], x: Any) -> tuple[NDArray[np.float64] | None, str]:
    """What a function returns as numbers; or None, and why."""
    value, error = attempt(function, x)
    if error:
        return None, f"it raised {error}"
    value = value.toarray() if hasattr(value, "toarray") else value
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "fiub" or not numbers.size:
            return None, f"it returns {type(value).__name__}"
    except Exception:
        return None, f"it returns {type(value).__name__}"
    if not np.isfinite(numbers).all():
        return None, "its values are not finite"
    return numbers.astype(np.float64), ""
