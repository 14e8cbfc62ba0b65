"""check_gradient: what a claimed gradient means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcheck.checks.check import Check
from gradcheck.checks.options import Options
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Claim
from gradcheck.evaluation.function import Function
from gradcheck.model import Kind, Report

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def check_gradient(
    f: Callable[..., Any],
    grad: Callable[..., Any] | None,
    x0: ArrayLike,
    *,
    value_and_grad: bool = False,
    **options: Any,
) -> Report:
    """Compare a claimed gradient with differences of f, entry by entry.

    Args:
        f: x ↦ number, for x of the shape and dtype of `x0`.
        grad: x ↦ array of the shape of x0 (or flat); None with `value_and_grad`.
        x0: the point, any shape, float64 or float32.
        value_and_grad: f returns (value, gradient); with `grad` given, it is grad that returns both.
        **options: see `Options`.

    Returns:
        The `Report`; its `verdict` is PASS, INCONCLUSIVE, FAIL or ERROR.

    Raises:
        GradientMismatch: the gradient is wrong (unless ``throw=False``); the exception carries the report.
        GradientUndecided: it could not be judged (unless ``throw=False`` or ``allow_inconclusive=True``).
        UserCodeError: f or grad raised or returned no number at the point (unless ``throw=False``).
        PointError, UsageError: x0 or an option makes no sense.
        CheckInterrupted: Ctrl-C; carries the report of what was known.
    """
    settings = Options(**options)
    f_called, grad_called = f, grad
    value_beside: Callable[..., Any] | None = None
    if grad is None and not value_and_grad:
        raise UsageError("there is no gradient to check: give grad, or value_and_grad=True if f returns both")
    if value_and_grad:
        both = f if grad is None else grad
        grad_called = _second(both)
        if grad is None:
            f_called = _first(both)
        else:
            value_beside = _first(both)
    assert grad_called is not None
    check = Check(Kind.GRADIENT, f, grad or f, x0, settings)
    return check.gradient(
        Function(f_called, check.x, args=settings.args, bounds=check.bounds, **settings.engine),
        Claim(grad_called, check.x, check.x.shape, args=settings.args, role="grad"),
        None
        if value_beside is None
        else Function(value_beside, check.x, args=settings.args, role="the value beside the gradient"),
    )


def _first(both: Callable[..., Any]) -> Callable[..., Any]:
    return _Item(both, 0)


def _second(both: Callable[..., Any]) -> Callable[..., Any]:
    return _Item(both, 1)


class _Item:
    """One of the values that a function returns, as a callable that can be sent to another process."""

    def __init__(self, both: Callable[..., Any], number: int) -> None:
        self.both, self.number = both, number

    def __call__(self, *arguments: Any) -> Any:
        return self.both(*arguments)[self.number]
