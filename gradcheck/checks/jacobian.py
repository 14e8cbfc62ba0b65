"""check_jacobian: what a claimed Jacobian means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

from gradcheck.checks.check import CheckRun, require_callables
from gradcheck.checks.glance import hastened
from gradcheck.checks.matrix import check_matrix
from gradcheck.checks.reaching import reachable
from gradcheck.checks.rules import find_rule, hold_to_contracts
from gradcheck.checks.stated import Stated
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import is_autograd
from gradcheck.model import Kind, Report
from gradcheck.options.keywords import Keywords, Options

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@hastened(Kind.JACOBIAN)
@reachable(Kind.JACOBIAN)
def check_jacobian(
    func: Callable[..., Any],
    jac: Callable[..., Any] | str,
    x0: ArrayLike,
    *,
    sparsity: Any = None,
    **options: Unpack[Keywords],
) -> Report:
    """Compare a claimed Jacobian with differences of func: R^n → R^m.

    Args:
        func: x ↦ array of any shape (m entries in all), for x of the shape and dtype of `x0`.
        jac: x ↦ m × n array (or shape of func(x) + shape of x), a sparse array, or an operator with ``@`` or ``matvec``.
            Of a tree, or by one, also a tree of blocks, as ``jax.jacobian`` returns it.
            Or 'autograd', which is what torch or jax say.
            The zeros of a sparse array save evaluations: columns that share no row are differenced together.
        x0: the point, any shape, float64 or float32.
        sparsity: where `jac` may be non-zero, as a boolean m × n array or a sparse array.
        **options: see `Options`.  With ``elementwise=True`` jac returns the diagonal alone, in the shape of x0.

    Returns, raises: as `check_gradient`.
    """
    asked = is_autograd(jac)
    require_callables(func=func, **({} if asked else {"jac": jac}))
    claim: Any = func if asked else jac
    run = CheckRun(Kind.JACOBIAN, func, claim, x0, Options.of(options))
    if run.options.elementwise:
        from gradcheck.checks.elementwise import check_diagonal

        if sparsity is not None:
            raise UsageError("elementwise says that the Jacobian is a diagonal; leave sparsity out")
        return check_diagonal(run, func, run.autograd(func, "grad") if asked else claim, "jac")
    autograd = None if run.knob is not None or not asked else run.autograd(func, "jac")

    def claimed(turned: Callable[[Any], Any]) -> Callable[..., Any]:
        return run.counted(autograd or (run.autograd(turned(func), "jac") if asked else turned(claim)), "jac")

    return check_matrix(
        run,
        Stated(lambda turned: run.function(turned(func), role="func", scalar=False), claimed, "jac"),
        sparsity=sparsity,
        contracts=lambda: hold_to_contracts(run, autograd),
        rule=lambda: find_rule(run, autograd),
    )
