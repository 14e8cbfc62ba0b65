"""Deliberately wrong derivatives: to test that a check, ours or yours, would have caught them.

Each of `mistakes` turns a right gradient into a wrong one that people really write.  `self_test` checks all of them on a given f
and point, and finds the smallest factor that is still told from 1.  `mutate` breaks the source of a claim line by line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcheck.checks.check import require_callables
from gradcheck.checks.kinds import checker
from gradcheck.checks.worth.mistakes import IN_USE, mistakes
from gradcheck.checks.worth.mutation import MutationScore, broken
from gradcheck.checks.worth.self_test import SelfTest, self_test
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Item
from gradcheck.model import Kind
from gradcheck.options.row import unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["IN_USE", "MutationScore", "SelfTest", "mistakes", "mutate", "self_test"]


def mutate(
    f: Callable[..., Any],
    claim: Callable[..., Any] | None,
    x0: ArrayLike,
    *,
    kind: str | Kind = Kind.GRADIENT,
    **options: Any,
) -> MutationScore:
    """Break the source of a claim line by line, and see which lines could be broken without the check noticing.

    Each line is changed in up to five ways that people get wrong: a statement or a term left out, an operator, a sign, a
    number, an index, a comparison, a transpose.  Each mutant is handed to the check that the claim has passed, in a process
    of its own where the system has them; nothing that does more than compute is ever run.  What changes nothing, here and at
    further points, does not count.

    Args:
        f, claim, x0: as for ``check_gradient``, ``check_jacobian``, …; claim is None with ``value_and_grad=True``, where f
            returns both.
        kind: of the claimed derivative: 'gradient', 'jacobian', 'hessian', 'hvp', 'jvp' or 'vjp'.
        **options: as for that check; ``budget`` is for all mutants together, by default 20 seconds.

    Raises:
        UsageError: the source of the claim cannot be read, or does more than compute; or the claim is wrong as it stands.
    """
    try:
        kind = Kind(kind)
    except ValueError:
        raise UsageError(unknown("kind", str(kind), {str(one.value): one for one in Kind})) from None
    if claim is None and kind is Kind.GRADIENT and options.pop("value_and_grad", False):
        require_callables(f=f)
        f, claim = Item(f, 0), Item(f, 1)
    require_callables(f=f, claim=claim)
    assert claim is not None
    check = checker(kind)
    return broken(lambda f, claim, **given: check(f, claim, x0, **given), kind, f, claim, x0, options)
