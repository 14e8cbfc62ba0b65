"""The self-test: what a check says of deliberately wrong gradients, on the user's own f and point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.kinds import checker
from gradcheck.checks.worth.mistakes import Gradient, mistakes, times
from gradcheck.errors import UsageError
from gradcheck.evaluation.deadline import Deadline
from gradcheck.evaluation.engines import with_arguments
from gradcheck.evaluation.unpacking import argument_names, unpacked
from gradcheck.model import Kind, Verdict
from gradcheck.variables.arrays import framework_of
from gradcheck.variables.flat import flat_bounds, is_tree, lay_out

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SMALLEST = 12  # factors 1 + 10^-k are tried down to this k
LEAST_BUDGET = 1e-9  # seconds
NOT_REPEATED = ("throw", "progress", "points", "budget", "fix", "journal")  # of the options of a check


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What the check says of deliberately wrong gradients.

    verdicts: by the name of the mistake.
    smallest: the smallest e for which the gradient times 1 + e is called wrong; None if none of them is.
    complete: the budget did not end it before all were tried.
    """

    verdicts: Mapping[str, Verdict]
    smallest: float | None
    complete: bool = True

    @property
    def missed(self) -> tuple[str, ...]:
        """The mistakes that got a PASS."""
        return tuple(name for name, verdict in self.verdicts.items() if verdict is Verdict.PASS)

    @property
    def sentence(self) -> str:
        """Both in plain words."""
        caught = len(self.verdicts) - len(self.missed)
        text = f"self-test: {caught} of {len(self.verdicts)} wrong gradients would have been caught here"
        if self.missed:
            text += f", but not: {', '.join(self.missed)}"
        if not self.complete:
            return text + "; the budget ended it before all were tried"
        if self.smallest is None:
            return text + "; not even a factor of 2 can be told from 1"
        return text + f"; a factor of 1 + {self.smallest:.0e} is told from 1"


def self_test(f: Callable[..., Any], grad: Gradient, x0: ArrayLike, **options: Any) -> SelfTest:
    """Check every mistake of `mistakes` on this f and point, and find the smallest factor that is told from 1.

    Args:
        f, grad, x0, **options: as for `check_gradient`; ``throw`` is False.  ``budget`` is for all checks together.

    Raises:
        UserCodeError: f or grad raised, or returned no number, at the point.
    """
    if is_tree(x0) or framework_of(x0) is not None or np.iscomplexobj(x0):
        return _of_vector(f, grad, x0, options)
    deadline = Deadline(options.get("budget"))
    options = {key: value for key, value in options.items() if key not in NOT_REPEATED}
    bound = with_arguments(grad, options.get("args", ()))

    check = checker(Kind.GRADIENT)

    def verdict(wrong: Gradient) -> Verdict:
        left = None if deadline.left is None else max(deadline.left, LEAST_BUDGET)
        return check(f, wrong, x0, throw=False, fix=False, budget=left, **options).verdict

    verdicts: dict[str, Verdict] = {}
    for name, wrong in mistakes(lambda x, *_, **__: bound(x), x0).items():
        if deadline.passed():
            break
        verdicts[name] = verdict(wrong)
    smallest = None
    for k in range(SMALLEST + 1):
        if deadline.passed() or verdict(times(grad, 1 + 10.0**-k)) is not Verdict.FAIL:
            break
        smallest = 10.0**-k
    return SelfTest(verdicts=verdicts, smallest=smallest, complete=not deadline.passed())


def _of_vector(f: Callable[..., Any], grad: Gradient, x0: Any, options: dict[str, Any]) -> SelfTest:
    """The same for a function of a tree, or of an array of a framework, as one of a vector."""
    wrt, unpack, args = options.pop("wrt", None), options.pop("unpack", False), options.get("args", ())
    names = argument_names(f, len(x0)) if unpack and isinstance(x0, (list, tuple)) else ()
    layout, flat = lay_out(x0, wrt=wrt, unpack=unpack, names=names)
    if layout.imaginary is not None:
        raise UsageError("the self-test breaks gradients by real variables, and x0 is complex")
    whole = [unpacked(one, x0, args, role) if unpack else one for one, role in ((f, "f"), (grad, "grad"))]
    options["bounds"] = flat_bounds(options.get("bounds"), layout)

    def of_vector(x: NDArray[Any], *more: Any, **named: Any) -> Any:
        return whole[0](layout.argument(x.copy()), *more, **named)

    def grad_of_vector(x: NDArray[Any], *more: Any, **named: Any) -> Any:
        return layout.numbers(whole[1](layout.argument(x.copy()), *more, **named), "grad")

    return self_test(of_vector, grad_of_vector, flat, **options)
