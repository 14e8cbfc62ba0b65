"""check_gradient: what a claimed gradient means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

from gradcheck.checks.check import CheckRun, require_callables
from gradcheck.checks.entrywise import survey
from gradcheck.checks.glance import hastened
from gradcheck.checks.invariance import hold_to_orbit
from gradcheck.checks.method import pressed
from gradcheck.checks.reaching import reachable
from gradcheck.checks.rules import find_rule, hold_to_contracts
from gradcheck.checks.stated import Stated
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Item, TangentClaim, gradient_blocks, is_autograd
from gradcheck.model import Kind, Method
from gradcheck.options.keywords import Options

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from gradcheck.evaluation.function import Function
    from gradcheck.model import Report
    from gradcheck.options.keywords import Keywords


@hastened(Kind.GRADIENT)
@reachable(Kind.GRADIENT)
def check_gradient(
    f: Callable[..., Any],
    grad: Callable[..., Any] | str | None,
    x0: ArrayLike,
    *,
    value_and_grad: bool = False,
    grad_and_hess: bool = False,
    hess: Callable[..., Any] | None = None,
    **options: Unpack[Keywords],
) -> Report:
    """Compare a claimed gradient with differences of f, entry by entry.

    Args:
        f: x ↦ number, for x of the shape and dtype of `x0`.
        grad: x ↦ array of the shape of x0 (or flat); None with `value_and_grad`; or 'autograd', which is what torch or jax say,
            with the rules inside f that were written by hand.
        x0: the point, any shape, float64 or float32.
        value_and_grad: f returns (value, gradient); with `grad` given, it is grad that returns both.
        grad_and_hess: grad returns (gradient, diagonal of the Hessian), as objectives of gradient boosting do; both are
            checked, and their entries go by ``grad[3]`` and ``hess[3]``.
        hess: x ↦ that diagonal by itself, of the shape of x0.
        **options: see `Options`.  With ``elementwise=True`` f returns an array of the shape of x0, each value a function of
            its own entry alone.

    Returns:
        The `Report`; its `verdict` is PASS, INCONCLUSIVE, FAIL or ERROR.

    Raises:
        GradientMismatch: the gradient is wrong (unless ``throw=False``); the exception carries the report.
        GradientUndecided: it could not be judged (unless ``throw=False`` or ``allow_inconclusive=True``).
        UserCodeError: f or grad raised or returned no number at the point (unless ``throw=False``).
        PointError, UsageError: x0 or an option makes no sense.
        CheckInterrupted: Ctrl-C; carries the report of what was known.
    """
    settings = Options.of(options)
    if grad is None and not value_and_grad:
        raise UsageError("there is no gradient to check: give grad, or value_and_grad=True if f returns both")
    asked = is_autograd(grad)
    require_callables(f=f, **({} if grad is None or asked else {"grad": grad}))
    both: Any = f if grad is None or asked else grad
    run = CheckRun(Kind.GRADIENT, f, both, x0, settings)
    if run.knob is not None:
        from gradcheck.checks.solvers.gradient import GradientLaw  # of use to few

        if grad_and_hess or hess is not None:
            raise UsageError("knob is for one gradient; leave the diagonal of the Hessian out")
        return run.carry_out(GradientLaw(run, run.knob, f, both, both=value_and_grad, autograd=asked).compare)
    if settings.on is not None and (asked or grad_and_hess or hess is not None):
        what = "grad='autograd'" if asked else "a diagonal of the Hessian"
        raise UsageError(f"on goes with a claimed gradient that is a function, and not with {what}")
    autograd = run.autograd(f, "grad") if asked else None
    both = autograd or both
    if settings.elementwise or grad_and_hess or hess is not None:
        return _check_diagonal(run, f, both, hess, value_and_grad=value_and_grad, grad_and_hess=grad_and_hess)
    valued: Callable[..., Any] = Item(f, 0) if grad is None else f
    of_complex = run.layout.imaginary is not None
    function = run.function(valued)
    claim = run.vector_claim(Item(both, 1) if value_and_grad else both)
    beside: Function | None = None
    if value_and_grad and grad is not None:
        beside = run.function(Item(both, 0), role="grad", calls="derivative")

    def compare() -> None:
        of_real = function
        if of_complex:
            from gradcheck.checks.complex.convention import as_real
            from gradcheck.checks.matrix import compare_matrix

            real = as_real(run.function(valued, scalar=False), valued, run.flat, settings.seed)
            if real is None:
                stated = Stated(lambda _: run.function(valued, scalar=False), lambda _: claim.raw, "grad")
                compare_matrix(run, stated, contracts=lambda: hold_to_contracts(run, autograd))
                return
            of_real = function if real is valued else run.function(real)
        if isinstance(claim, TangentClaim):
            from gradcheck.checks import forms  # of use to few

            forms.settle(run, claim, of_real, claim.answer_at(run.flat))
        problem = run.examine(of_real, claim, beside=beside)
        hold_to_contracts(run, autograd)
        hold_to_orbit(run)
        if of_complex:
            from gradcheck.checks.complex.run import complete, settle  # of use to few

            problem = settle(run, problem, claim)
        if isinstance(claim, TangentClaim):
            forms.tell_normal_part(run, claim, None)
        claimed = problem.preflight.claimed
        if run.choose_method(of_real, problem.n) is Method.DIRECTIONS:
            run.search(problem, claimed)
        elif pressed(run.watcher, of_real, problem.n):
            from gradcheck.checks.within_budget import survey_within_budget  # of use to slow functions only

            survey_within_budget(run, problem)
        else:
            survey(run, problem, gradient_blocks(claimed))
        if of_complex:
            complete(run, problem, claimed)
        run.explain(problem, claim, claim.at)
        find_rule(run, autograd)
        run.mend(problem, claim)
        if settings.points > 1 and not run.watcher.stopped:
            from gradcheck.checks.further import look_elsewhere  # start-up counts

            look_elsewhere(run, problem, claim)

    return run.carry_out(compare)


def _check_diagonal(
    run: CheckRun, f: Any, grad: Any, hess: Any, *, value_and_grad: bool, grad_and_hess: bool
) -> Report:
    """The check of a derivative that is told by a diagonal."""
    from gradcheck.checks.elementwise import check_diagonal  # of use to few

    if value_and_grad:
        raise UsageError(
            "value_and_grad goes neither with elementwise nor with a diagonal Hessian; give f and grad apart"
        )
    if grad_and_hess and hess is not None:
        raise UsageError("grad_and_hess says that grad returns the diagonal of the Hessian, too; remove it or hess")
    require_callables(**({} if hess is None else {"hess": hess}))
    if grad_and_hess:
        grad, hess = Item(grad, 0), Item(grad, 1)
    return check_diagonal(run, f, grad, "grad", hess)
