"""A quick look at a claimed derivative: one direction, five evaluations of f, one of the claim, and no set-up.

Most claims that a program uses are right, and for these this is all it takes.  It knows two answers: plain agreement, as a
`Report`, and None, which says no more than that a whole check has to be made.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from gradcheck.checks.check import CheckRun
from gradcheck.errors import OutOfTime, UserCodeError
from gradcheck.evaluation.claims import Item
from gradcheck.model import Kind, Method, Status, Verdict
from gradcheck.numerics.directions import direction
from gradcheck.options.keywords import Options
from gradcheck.wording import about

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.function import Function
    from gradcheck.model import DirectionCheck, Report

    Array = NDArray[np.float64]

STEP = 3e-4  # of max(1, |x|): what five-point differences lose to truncation and to rounding is alike there
AGREED = 1e-6  # of the size of the terms: a gap this small is agreement …
SEEN = 1e-5  # … if rounding could not hide more than this
ROUNDING = 8.0  # units in the last place of f that its values may be off by
NOTE = "a quick look: one random direction, no measurement of noise"
HIDDEN = 4.0  # an entry of the derivative weighs no less than half, and what is allowed may be doubled by rounding
ASKED = (
    "reach",
    "mutate",
    "journal",
    "knob",
    "suspects",
    "eps",
    "directions",
    "grad_and_hess",
    "hess",
    "on",
    "invariant",
)  # a whole check

P = ParamSpec("P")


def hastened(kind: Kind) -> Callable[[Callable[P, Report]], Callable[P, Report]]:
    """Gives a check, called with f, the claim and x0 first, the keyword ``fast``: a quick look comes before it."""

    def decorate(check: Callable[P, Report]) -> Callable[P, Report]:
        names = list(inspect.signature(check).parameters)[:3]

        @functools.wraps(check)
        def checked(*given: P.args, **keywords: P.kwargs) -> Report:
            quick = None
            if keywords.get("fast"):
                quick = _quick(kind, {**dict(zip(names, given, strict=False)), **keywords}, names)
            return check(*given, **keywords) if quick is None else quick

        return checked

    return decorate


def _quick(kind: Kind, places: dict[str, Any], names: list[str]) -> Report | None:
    """What a quick look says where it may stand for the check; names: of f, the claim and x0 among the keywords `places`."""
    if any(places.get(name) for name in ASKED) or places.get("points", 1) != 1:
        return None
    f, claim, x0 = (places.pop(name, None) for name in names)
    both = places.get("value_and_grad", False)
    if not callable(f) or (callable(claim) if both else not callable(claim)):
        return None
    return glance(kind, f, f if both else claim, x0, **places)


def glance(
    kind: Kind,
    f: Callable[..., Any],
    claim: Callable[..., Any],
    x0: Any,
    *,
    grad: Callable[..., Any] | None = None,
    value_and_grad: bool = False,
    **options: Any,
) -> Report | None:
    """A report with PASS if the claim plainly agrees with f along one random direction; None if that is not so plain.

    Arguments are those of `gradcheck.check_gradient`, `check_jacobian` and `check_hessian`; of a Hessian there must be a `grad`.
    """
    if kind not in (Kind.GRADIENT, Kind.JACOBIAN, Kind.HESSIAN) or (kind is Kind.HESSIAN and grad is None):
        return None
    run = CheckRun(kind, f, claim, x0, Options(**{**options, "throw": False}))
    if run.options.elementwise or run.layout.leaves or run.fixed is not None or not run.flat.size:
        return None
    if (
        run.flat.dtype != np.float64 or run.layout.imaginary is not None
    ):  # which convention holds takes more than one direction
        return None
    agreed: list[DirectionCheck] = []

    def compare() -> None:
        function: Function
        asked: Callable[..., Any]
        v = np.maximum(1.0, np.abs(run.flat)) * direction(run.flat.size, run.options.seed, 0)
        if value_and_grad:
            function, asked = run.function(Item(claim, 0)), Item(claim, 1)
        elif kind is Kind.HESSIAN:
            assert grad is not None
            function, asked = run.function(grad, role="grad", scalar=False, calls="derivative"), claim
        else:
            function, asked = run.function(f, scalar=kind is Kind.GRADIENT), claim
        values = function.at(run.flat)
        if kind is Kind.GRADIENT:
            gradient = run.vector_claim(asked)
            terms = gradient.numbers(gradient.raw_at(run.flat)) * v
            claimed, size = terms.sum(keepdims=True), np.sqrt((terms * terms).sum(keepdims=True))
            awry = gradient.altered
        else:
            matrix_claim = run.matrix_claim(run.counted(asked, kind.key), kind.key, function)
            matrix = matrix_claim.matrix(matrix_claim.raw_at(run.flat))
            claimed = matrix.times(v)
            # Another direction tells how large the terms of a row are that happen to cancel along this one.
            size = np.maximum(np.abs(claimed), np.abs(matrix.times(v * direction(v.size, run.options.seed, 1))))
            awry = matrix_claim.altered
        if not awry and not function.mutated:
            agreed.extend(_compared(function, run.flat, v, values, claimed, size))
        run.draft.method = Method.DIRECTIONS
        run.draft.directions += agreed
        run.draft.notes.append(NOTE)
        if agreed:
            limit = HIDDEN * AGREED * float(np.max(size))
            run.draft.limits = (("all", limit),)
            run.draft.limit_sentence = (
                "The claim agrees along one random direction; "
                f"an error above {about(limit)} of one entry would have been seen."
            )

    with np.errstate(all="ignore"):
        try:
            report = run.carry_out(compare)
        except (UserCodeError, OutOfTime, ArithmeticError, ValueError):
            return None
    if not agreed or report.verdict is not Verdict.PASS:
        return None
    return report


def _compared(
    function: Function, flat: NDArray[Any], v: Array, values: Array, claimed: Array, size: Array
) -> list[DirectionCheck]:
    """The value of f that agrees worst, as a record; nothing if one of them does not agree, or could not be seen to.

    values, claimed: of f and of the claimed change along v, (m,).
    size: of the terms that the claimed change is the sum of, (m,).
    """
    plus, minus, steps = function.line(flat, v, np.array([STEP, 2 * STEP]))
    near, far = (plus - minus) / (2 * steps[:, None])
    numeric = (4 * near - far) / 3
    rounding = ROUNDING * np.finfo(np.float64).eps * np.maximum(np.abs(plus).max(0), np.abs(values)) / STEP
    bent = np.abs(near - far)  # of which the fourth order leaves a small part where f is smooth
    gap = np.abs(numeric - claimed)
    allowed = AGREED * size
    plain = (gap <= allowed + np.minimum(rounding, allowed)) & (rounding <= SEEN * size) & (bent <= 0.1 * size)
    idle = (size == 0) & (claimed == 0) & (plus == values).all(0) & (minus == values).all(0)
    if not (plain | idle).all() or not plain.any():
        return []
    worst = int(np.argmax(np.where(plain, gap / np.where(size > 0, size, 1.0), -1.0)))
    largest = max(abs(float(claimed[worst])), abs(float(numeric[worst])))
    from gradcheck.model import DerivativeEstimate, DirectionCheck

    estimate = DerivativeEstimate(
        value=float(numeric[worst]),
        uncertainty=float(rounding[worst] + AGREED * size[worst]),
        step=STEP,
        evaluations=4,
        status=Status.FIRST_STEP,
    )
    off = float(gap[worst])
    return [
        DirectionCheck(
            number=0,
            point=0,
            claimed=float(claimed[worst]),
            estimate=estimate,
            abs_error=off,
            rel_error=off / largest if largest else 0.0,
            verdict=Verdict.PASS,
            reason="",
        )
    ]
