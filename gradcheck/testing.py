"""Deliberately wrong derivatives: to test that a check, ours or yours, would have caught them.

Each mistake turns a right gradient into a wrong one that people really write.  `self_test` checks all of them on a given f
and point, and finds the smallest factor that is still told from 1.  `mutate` breaks the source of a claim line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.checks.check import require_callables
from gradcheck.checks.kinds import checker
from gradcheck.checks.mutation import MutationScore, broken
from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Item
from gradcheck.evaluation.deadline import Deadline
from gradcheck.evaluation.engines import with_arguments
from gradcheck.evaluation.unpacking import argument_names, unpacked
from gradcheck.model import Kind, Report, Verdict
from gradcheck.options.row import unknown
from gradcheck.variables.arrays import framework_of
from gradcheck.variables.flat import flat_bounds, is_tree, lay_out
from gradcheck.variables.points import as_point

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Gradient = Callable[..., Any]

FACTORS = {"factor 2": 2.0, "factor 1/2": 0.5, "factor 1.01": 1.01, "factor 1.001": 1.001, "factor 1 + 1e-5": 1 + 1e-5}
SMALLEST = 12  # factors 1 + 10^-k are tried down to this k
LEAST_BUDGET = 1e-9  # seconds
NOT_REPEATED = ("throw", "progress", "points", "budget", "fix", "journal")  # of the options of a check
ASIDE = 1e-3  # how far away, relative to x, the point of a stale gradient is


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
    found: dict[str, Gradient] = {"sign": _times(grad, -1.0)}
    found |= {name: _times(grad, factor) for name, factor in FACTORS.items()}
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


IN_USE = ("reused buffer", "writes into x")


def _same(wrong: Gradient, right: NDArray[Any], x: NDArray[Any]) -> bool:
    """Whether a mistake changes nothing here, such as the order of equal entries."""
    try:
        return np.array_equal(np.asarray(wrong(x.copy())).reshape(-1), right.reshape(-1), equal_nan=True)
    except Exception:
        return True  # a stale point outside the domain is no mistake of this gradient


def _rounded(grad: Gradient) -> Gradient:
    return lambda x, *args, **named: np.asarray(grad(x, *args, **named)).astype(np.float32).astype(np.float64)


def _times(grad: Gradient, factor: float) -> Gradient:
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
        if deadline.passed() or verdict(_times(grad, 1 + 10.0**-k)) is not Verdict.FAIL:
            break
        smallest = 10.0**-k
    return SelfTest(verdicts=verdicts, smallest=smallest, complete=not deadline.passed())


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
