"""Is the callable fit to be checked?  The set-up of every check: a few calls, each finding with its name.

The order of the calls is what brings contract breaches to light: the claim is asked at x directly after f(x), again after f was
called elsewhere, and once elsewhere; every argument is compared with what was handed over.  How exactly f can be differenced
is measured along a line when that is first asked for: most claims are right, and plainly so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.evaluation.line import Line
from gradcheck.evaluation.nested import Watch
from gradcheck.model import Finding, FindingKind, Verdict
from gradcheck.numerics.noise import TOP
from gradcheck.numerics.stencils import free_scales
from gradcheck.records import record
from gradcheck.variables.numbers import MaskedValues, unchanged
from gradcheck.wording import place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.claims import Claim
    from gradcheck.evaluation.function import Function
    from gradcheck.evaluation.nested import Difference
    from gradcheck.numerics.noise import Calibration

    Array = NDArray[np.float64]

ROUGHLY = 0.1  # a claim whose change from one point to another is off f's by more of its terms does not plainly agree
REMEMBERED = 2**12  # entries of a claim elsewhere that is kept
SETTLING = 8  # calls at one point, each nearer to the last than that was to the one before, if f is not random


@record
class Preflight:
    """What the set-up found: the value of f, the claimed derivative, the calibration and the findings.

    value: f(x), (m,).
    raw: the claimed derivative as it came back from the user's function.
    claimed: the claimed gradient as a flat array (a copy); of a matrix, what stands for it in comparisons.
    scales: the natural scale of each variable, (n,); 0 for one that its bounds fix.
    line: along which f is measured.
    epsilon: relative error of the numbers that the claim is computed with.
    difference: what the claim was seen to be, if it calls f around the point.
    elsewhere: another point, (n,), and the gradient claimed there, (n,); None for other derivatives, where it has no value, and
        in many dimensions.
    plain: between that point and x the claimed gradient is roughly what f changes by.
    """

    value: Array
    raw: Any
    claimed: Array
    scales: Array
    line: Line
    findings: tuple[Finding, ...]
    epsilon: float
    difference: Difference | None = None
    elsewhere: tuple[NDArray[Any], Array] | None = None
    plain: bool = False

    @property
    def calibration(self) -> Calibration:
        """How exactly f can be differenced; measured when that is first asked for."""
        return self.line.calibration


def examine(
    function: Function,
    claim: Claim,
    x: NDArray[Any],
    seed: int,
    *,
    value_beside: Function | None = None,
    functions: Sequence[Callable[..., Any]] = (),
    begun: Callable[[], None] | None = None,
    measured: Callable[[Line], None] | None = None,
) -> Preflight:
    """Call f and the claim a few times around `x` (flat, (n,)) and see whether they keep their contract.

    value_beside: gives the value that the claimed derivative is returned with; it must be that of f.
    functions: as the user wrote them, of which the claim may be a difference.
    begun: called when each was called once.
    measured: called once f was measured along a line.

    Raises:
        UserCodeError: f or the claim raised, or returned something that is no number or has the wrong shape, at x itself.
    """
    findings: list[Finding] = []
    scales = free_scales(x, function.bounds)

    known, watch = function.size if function.calls else None, Watch(functions)
    value = function.at(x)
    _same_size(function, known, value)
    mutated_by_f = function.mutated
    if not np.isfinite(value).all():
        bad = int(np.flatnonzero(~np.isfinite(value))[0])
        where = (
            f" in component {place(tuple(map(int, np.unravel_index(bad, function.shape))))}" if value.size > 1 else ""
        )
        raise UserCodeError(
            f"{function.role} is {value[bad]}{where} at the point; choose a point inside its domain",
            FindingKind.NON_FINITE,
            function.role,
        )

    with watch.often(x.size) as asked:
        first_raw = _ask(claim, x, findings)
    kept = claim.numbers(first_raw)
    if misfit := claim.misfit(first_raw):
        findings.append(odd_shape(claim.role, misfit))
    if begun is not None:
        begun()

    line = Line(function, x, value, scales, seed, measured)
    other = (x - TOP * line.direction).astype(x.dtype, copy=False)
    if function.bounds is not None:
        other = np.clip(other, *function.bounds).astype(x.dtype, copy=False)
    there, moved_to = function.at_scratch(other)
    elsewhere: tuple[NDArray[Any], Array] | None = None
    plain = False
    if not claim.once:
        second_raw = _ask(claim, x, findings)  # the last call of f was elsewhere
        second = _one_of(claim.numbers(second_raw), kept)
        try:
            raw_there = claim.raw_at(other)
            whole = integer_answer(first_raw, claim.role)
            if whole and not unchanged(claim.numbers(raw_there), kept):  # the same ones everywhere are a right answer
                findings += whole
            if claim.answer.shape == claim.layout.shape and x.size <= REMEMBERED:
                elsewhere = other, claim.numbers(raw_there)
                plain = there is not None and _roughly(x - other, kept, elsewhere[1], value, there)
        except MaskedValues:
            raise
        except UserCodeError:
            pass  # outside its domain the claim may raise
        findings += _reuses_buffer(claim, first_raw, second_raw, kept)
        del second_raw
    if not plain:
        _ = line.calibration

    suspected = asked.suspect and not claim.once
    with watch.of_f() if suspected else nullcontext():
        again = moved_to(x)
    del other, moved_to  # arrays of the size of x are let go as soon as may be: there may be a hundred million entries
    _same_size(function, value.size, again)
    if not np.array_equal(again, value):
        afresh = function.at(x)
        _same_size(function, value.size, afresh)
        if np.array_equal(afresh, value):
            function.hand_over_copies()  # f remembers the array, not what is in it
        else:
            findings.append(_history(function, x, value, again, afresh) or _not_deterministic(function, value, afresh))
    if not claim.once:
        with watch.of_claim() if suspected else nullcontext():
            third_raw = _ask(claim, x, findings)  # the last call of f was at x
        third = _one_of(claim.numbers(third_raw), kept)
        del third_raw
        findings += _order(claim, kept, second, third)
    if mutated_by_f or function.mutated:
        function.hand_over_copies()
        findings.append(
            Finding(
                kind=FindingKind.MUTATES_INPUT,
                target=function.role,
                verdict=Verdict.FAIL,
                message=f"{function.role} writes into {function.mutated}; let it work on a copy",
            )
        )
    if not np.isfinite(kept).all():
        bad = int(np.flatnonzero(~np.isfinite(kept))[0])
        entries = kept.size == claim.answer.size  # else products with a matrix stand for its rows
        findings.append(
            Finding(
                kind=FindingKind.NON_FINITE,
                target=claim.role,
                verdict=Verdict.ERROR,
                message=f"{claim.role} returned {kept[bad]} for entry {claim.answer.name(bad)}"
                if entries
                else f"{claim.role} returned a value that is no finite number in row {bad}",
                evidence={"entries": int(np.sum(~np.isfinite(kept)))},
            )
        )
    if value_beside is not None:
        findings += _beside(value_beside, x, value)
    return Preflight(
        value,
        first_raw,
        kept,
        scales,
        line,
        tuple(_unique(findings)),
        claim.epsilon,
        watch.difference(x.size),
        elsewhere,
        plain,
    )


def _roughly(displacement: Array, claimed: Array, there: Array, value: Array, before: Array) -> bool:
    """Whether f has changed over a displacement by what a gradient, claimed at both of its ends, lets expect."""
    if value.size != 1 or claimed.shape != displacement.shape:
        return False
    terms = claimed * displacement
    off = float(value[0]) - float(before[0]) - 0.5 * float(np.add.reduce(terms + there * displacement))
    size = float(terms @ terms)
    return size > 0 and off * off <= ROUGHLY**2 * size


def _ask(claim: Claim, x: NDArray[Any], findings: list[Finding]) -> Any:
    """The claim at x, on a copy that is compared afterwards."""
    raw = claim.raw_at(x)
    if claim.altered:
        findings.append(
            Finding(
                kind=FindingKind.MUTATES_INPUT,
                target=claim.role,
                verdict=Verdict.FAIL,
                message=f"{claim.role} writes into {claim.altered}; the caller's point is changed. Let it work on a copy",
            )
        )
    return raw


def odd_shape(role: str, misfit: str) -> Finding:
    """The finding for an answer of another shape than it must have, which could be compared nevertheless."""
    return Finding(kind=FindingKind.WRONG_SHAPE, target=role, verdict=Verdict.FAIL, message=f"{role} returned {misfit}")


def _one_of(answer: Array, known: Array) -> Array:
    """`known` itself, if the answer is the same."""
    return known if unchanged(answer, known) else answer


def _reuses_buffer(claim: Claim, first: Any, second: Any, kept: Array) -> list[Finding]:
    """Whether two calls handed out the same memory, and whether that overwrote the first answer."""
    one, other = _memory(first), _memory(second)
    if one is None or other is None or not np.may_share_memory(one, other):
        return []
    overwritten = not np.array_equal(claim.numbers(first), kept, equal_nan=True)
    return [
        Finding(
            kind=FindingKind.REUSES_BUFFER,
            target=claim.role,
            verdict=Verdict.INCONCLUSIVE if overwritten else Verdict.PASS,
            message=f"{claim.role} returns the same array at every call"
            + ("; the next call overwrites the last answer. Return a new array" if overwritten else ""),
            evidence={"overwritten": overwritten},
        )
    ]


def integer_answer(answer: Any, role: str) -> list[Finding]:
    """The finding of a derivative that is an array of integers, which cuts off what is behind the point."""
    dtype = getattr(answer, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iu":
        return []
    return [
        Finding(
            kind=FindingKind.WRONG_DTYPE,
            target=role,
            message=f"{role} returns {dtype} numbers: was it written into an integer array, which cuts off what is behind the "
            "point?",
            evidence={"dtype": str(dtype)},
        )
    ]


def _memory(answer: Any) -> NDArray[Any] | None:
    """The array that holds an answer, be it the values of a sparse matrix; None if there is no such thing."""
    values = answer if isinstance(answer, np.ndarray) else getattr(answer, "data", None)
    return values if isinstance(values, np.ndarray) else None


def _same_size(function: Function, before: int | None, value: Array) -> None:
    """Raises `UserCodeError` if f has another number of values than before."""
    if before is not None and value.size != before:
        raise UserCodeError(
            f"{function.role} returned {before} values and then {value.size} at the same point; "
            "it must return as many at every call",
            FindingKind.WRONG_SHAPE,
            function.role,
        )


def _history(function: Function, x: NDArray[Any], value: Array, again: Array, afresh: Array) -> Finding | None:
    """The finding of an f that starts from where it was called last, as solvers with a warm start do; None if it is random.

    Called at one point again and again, such an f settles, while what is random goes on to differ as it did before.

    value: f(x) at first; again: after f was called elsewhere; afresh: directly after that.
    """
    calls = [again, afresh]
    moved = max(float(np.max(np.abs(afresh - again))), float(np.max(np.abs(again - value))))
    gap = np.inf
    while gap > 0 and len(calls) < SETTLING + 2:
        calls.append(function.at(x))
        before, gap = gap, float(np.max(np.abs(calls[-1] - calls[-2])))
        if gap > before:
            return None
    if gap > moved / 2:
        return None
    return Finding(
        kind=FindingKind.ORDER_DEPENDENT,
        target=function.role,
        message=f"{function.role} depends on where it was called before ({moved:.2g} apart): it starts from its last result, or "
        "keeps other state. Let it start from the same guess at every call (no warm start), or lower its tolerance (tol)",
        evidence={"difference": moved},
    )


def _not_deterministic(function: Function, before: Array, after: Array) -> Finding:
    gap = float(np.max(np.abs(after - before)))
    return Finding(
        kind=FindingKind.NON_DETERMINISTIC,
        target=function.role,
        message=f"{function.role} gives another value at the same point ({gap:.2g} apart); "
        "fix its random seed for a sharper check",
        evidence={"difference": gap},
    )


def _order(claim: Claim, after_f: Array, after_other: Array, again: Array) -> list[Finding]:
    """Compare the claim at x after f(x), after f elsewhere, and after f(x) again."""
    if after_f is again and after_f is after_other:
        return []
    size = float(np.max(np.abs(after_f), initial=0.0))
    noise = 64 * np.finfo(np.float64).eps * size

    def differs(a: Array, b: Array) -> bool:
        return bool(np.any(np.abs(a - b) > noise)) or not np.array_equal(np.isfinite(a), np.isfinite(b))

    if differs(after_f, again):
        gap = float(np.fmax.reduce(np.abs(after_f - again)))
        return [
            Finding(
                kind=FindingKind.NON_DETERMINISTIC,
                target=claim.role,
                verdict=Verdict.INCONCLUSIVE,
                message=f"{claim.role} gives another answer at the same point ({gap:.2g} apart)",
                evidence={"difference": gap},
            )
        ]
    if differs(after_f, after_other):
        gap = float(np.fmax.reduce(np.abs(after_f - after_other)))
        return [
            Finding(
                kind=FindingKind.ORDER_DEPENDENT,
                target=claim.role,
                verdict=Verdict.FAIL,
                message=f"{claim.role} depends on where f was called last ({gap:.2g} apart): "
                "it uses values kept from that call; key the cache on x",
                evidence={"difference": gap},
            )
        ]
    return []


def _beside(beside: Function, x: NDArray[Any], value: Array) -> list[Finding]:
    """Whether the value returned beside the derivative is the value of f."""
    other = beside.at(x)
    gap = float(np.max(np.abs(other - value)))
    if gap <= 64 * np.finfo(x.dtype).eps * float(np.max(np.abs(value))):
        return []
    return [
        Finding(
            kind=FindingKind.VALUE_MISMATCH,
            target="grad",
            verdict=Verdict.FAIL,
            message=f"the value returned beside the gradient is {other[0]:.6g}, that of f is {value[0]:.6g}",
            evidence={"value": float(value[0]), "beside": float(other[0])},
        )
    ]


def _unique(findings: list[Finding]) -> list[Finding]:
    """The findings, each kind once a target."""
    return list({(f.kind, f.target): f for f in reversed(findings)}.values())[::-1]
