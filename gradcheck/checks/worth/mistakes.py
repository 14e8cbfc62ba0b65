"""Mistakes that people really write, each of which turns a right gradient into a wrong one; and a wrong one put right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Report, Verdict
from gradcheck.variables.points import as_point

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Gradient = Callable[..., Any]

FACTORS = {"factor 2": 2.0, "factor 1/2": 0.5, "factor 1.01": 1.01, "factor 1.001": 1.001, "factor 1 + 1e-5": 1 + 1e-5}
ASIDE = 1e-3  # how far away, relative to x, the point of a stale gradient is
IN_USE = ("reused buffer", "writes into x")  # right on a single call


def mistakes(grad: Gradient, x0: ArrayLike) -> dict[str, Gradient]:
    """Wrong versions of a right gradient, by name.

    Args:
        grad: x ↦ array like x.
        x0: a point; its shape and size decide which mistakes make sense (a transposed layout needs a matrix).

    Returns:
        Functions of the signature of `grad`.  'reused buffer' and 'writes into x' are right on a single call and wrong in
        use; the others give a wrong array.
    """
    x = as_point(x0)
    right = np.asarray(grad(x.copy()), dtype=x.dtype).reshape(x.shape)
    flat = np.abs(right.reshape(-1))
    heavy = int(np.argmax(flat))
    other = int(np.argmin(np.abs(flat - np.median(flat)))) if flat.size > 1 else heavy
    found: dict[str, Gradient] = {"sign": times(grad, -1.0)}
    found |= {name: times(grad, factor) for name, factor in FACTORS.items()}
    found["one entry off by 10 %"] = _changed(grad, heavy, lambda v: v * 1.1)
    found["one entry off by 0.1 %"] = _changed(grad, heavy, lambda v: v * 1.001)
    found["one entry 0"] = _changed(grad, heavy, lambda v: 0.0)
    found["one entry with the wrong sign"] = _changed(grad, heavy, lambda v: -v)
    if flat.size > 1:
        if flat[heavy] != flat[other]:
            found["two entries swapped"] = _reordered(grad, _swap(flat.size, heavy, other))
        found["shifted by one"] = _reordered(grad, np.roll(np.arange(flat.size), 1))
        found["reversed"] = _reordered(grad, np.arange(flat.size)[::-1].copy())
        found["second half 0"] = _halved(grad)
    if right.ndim == 2 and min(right.shape) > 1:
        order = np.arange(flat.size).reshape(right.shape[::-1]).T.reshape(-1)
        found["transposed layout"] = _reordered(grad, np.argsort(order))
    found["stale point"] = _stale(grad)
    if x.dtype == np.float64:
        found["rounded to float32"] = _rounded(grad)
    found["reused buffer"] = _aliased(grad, x)
    found["writes into x"] = _mutating(grad)
    return {name: wrong for name, wrong in found.items() if name in IN_USE or not _same(wrong, right, x)}


def _same(wrong: Gradient, right: NDArray[Any], x: NDArray[Any]) -> bool:
    """Whether a mistake changes nothing here, such as the order of equal entries."""
    try:
        return np.array_equal(np.asarray(wrong(x.copy())).reshape(-1), right.reshape(-1), equal_nan=True)
    except Exception:
        return True  # a stale point outside the domain is no mistake of this gradient


def _rounded(grad: Gradient) -> Gradient:
    return lambda x, *args, **named: np.asarray(grad(x, *args, **named)).astype(np.float32).astype(np.float64)


def times(grad: Gradient, factor: float) -> Gradient:
    """A gradient off by a factor."""

    def wrong(x: NDArray[Any], *args: Any, **named: Any) -> Any:
        g = np.asarray(grad(x, *args, **named))
        return g * g.dtype.type(factor)

    return wrong


def _changed(grad: Gradient, entry: int, change: Callable[[Any], Any]) -> Gradient:
    def wrong(x: NDArray[Any], *args: Any, **named: Any) -> Any:
        g = np.array(grad(x, *args, **named), copy=True)
        g.reshape(-1)[entry] = change(g.reshape(-1)[entry])
        return g

    return wrong


def _reordered(grad: Gradient, order: NDArray[Any]) -> Gradient:
    def wrong(x: NDArray[Any], *args: Any, **named: Any) -> Any:
        g = np.asarray(grad(x, *args, **named))
        return g.reshape(-1)[order].reshape(g.shape)

    return wrong


def _swap(size: int, i: int, j: int) -> NDArray[Any]:
    order = np.arange(size)
    order[[i, j]] = j, i
    return order


def _halved(grad: Gradient) -> Gradient:
    def wrong(x: NDArray[Any], *args: Any, **named: Any) -> Any:
        g = np.array(grad(x, *args, **named), copy=True)
        g.reshape(-1)[g.size // 2 :] = 0
        return g

    return wrong


def _stale(grad: Gradient) -> Gradient:
    def wrong(x: NDArray[Any], *args: Any, **named: Any) -> Any:
        return grad((x + ASIDE * np.where(x == 0, 1, x)).astype(x.dtype), *args, **named)

    return wrong


def _aliased(grad: Gradient, x0: NDArray[Any]) -> Gradient:
    buffer = np.zeros_like(x0)

    def wrong(x: NDArray[Any], *args: Any, **named: Any) -> Any:
        buffer[...] = np.asarray(grad(x, *args, **named)).reshape(buffer.shape)
        return buffer

    return wrong


def _mutating(grad: Gradient) -> Gradient:
    def wrong(x: NDArray[Any], *args: Any, **named: Any) -> Any:
        g = np.array(grad(x.copy(), *args, **named), copy=True)
        x *= x.dtype.type(1.01)
        x += x == 0
        return g

    return wrong


def put_right(grad: Gradient, report: Report) -> Gradient | None:
    """A gradient that a check has called wrong, with the values that were measured where it is wrong at the point.

    None if not every wrong entry is known.
    """
    wrong = list(takewhile(lambda entry: entry.verdict >= Verdict.FAIL, report.entries))
    missed = any(d.verdict is Verdict.FAIL and not d.point for d in report.directions) and not wrong
    if len(wrong) < report.failed or missed:
        return None
    gap = np.zeros(report.point.shape, np.complex128 if report.conventions else np.float64)
    for entry in wrong:
        gap[entry.index] = entry.estimate.value - entry.claimed

    def right(x: NDArray[Any], *args: Any, **named: Any) -> Any:
        return (np.array(grad(x.copy(), *args, **named)).reshape(x.shape) + gap).astype(x.dtype)

    return right
