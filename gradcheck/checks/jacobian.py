"""check_jacobian: what a claimed Jacobian means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

from gradcheck.checks.check import CheckRun, require_callables
from gradcheck.checks.matrix import check_matrix
from gradcheck.model import Kind, Report
from gradcheck.options.keywords import Keywords, Options

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def check_jacobian(
    func: Callable[..., Any],
    jac: Callable[..., Any],
    x0: ArrayLike,
    *,
    sparsity: Any = None,
    **options: Unpack[Keywords],
) -> Report:
    """Compare a claimed Jacobian with differences of func: R^n → R^m.

    Args:
        func: x ↦ array of any shape (m entries in all), for x of the shape and dtype of `x0`.
        jac: x ↦ m × n array (or shape of func(x) + shape of x), a sparse array, or an operator with ``@`` or ``matvec``.
            The zeros of a sparse array save evaluations: columns that share no row are differenced together.
        x0: the point, any shape, float64 or float32.
        sparsity: where `jac` may be non-zero, as a boolean m × n array or a sparse array.
        **options: see `Options`.

    Returns, raises: as `check_gradient`.
    """
    require_callables(func=func, jac=jac)
    run = CheckRun(Kind.JACOBIAN, func, jac, x0, Options(**options))
    return check_matrix(
        run,
        lambda: run.function(func, role="func", scalar=False),
        run.counted(jac, "jac"),
        "jac",
        sparsity=sparsity,
    )
