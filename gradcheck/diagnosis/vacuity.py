"""Whether a check that passed has tested anything: would a trivial claim have passed as well, and is the point a special one?

All of this is read off what the check has measured anyway; nothing is evaluated again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.model import Finding, FindingKind, Kind
from gradcheck.records import record
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.model import Tolerance, Verdict
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

ZERO, SIGN, HALF = "0", "the claim with its sign turned", "half of the claim"
CONSTANT, IDENTITY, ELSEWHERE = "a constant", "x itself", "the claim at another point"
OTHER = 1e-2  # claims that differ by this share of their largest entry are not the same
LEAST = 8  # entries make a block, where nobody has named it, …
LINE = 4  # … and so many a row or column of one; fewer may be 0 by chance


@record
class Passed:
    """What a check that passed has compared.

    claimed, numeric, uncertainty: of every entry that was kept, then of every direction, (N,).
    entry: flat row-major index of each entry into the derivative; directions, which come last, have none.
    size: entries of the derivative.
    layout: of the variables.
    tolerance: which gap was accepted.
    moved: f was seen to change along the line of the set-up.
    x: the point, (n,).
    elsewhere: another point and the gradient claimed there, (n,) each; None where that is not known, or no gradient.
    """

    kind: Kind
    claimed: Array
    numeric: Array
    uncertainty: Array
    entry: NDArray[np.int64]
    size: int
    layout: Layout
    tolerance: Tolerance
    moved: bool
    x: NDArray[Any]
    elsewhere: tuple[Array, Array] | None = None

    def would_pass(self, claim: Array) -> Mask:
        """Whether another claim, (N,), agrees with what was measured."""
        size = np.maximum(np.abs(claim), np.abs(self.numeric))
        allowed = self.tolerance.atol + self.tolerance.rtol * size + self.uncertainty
        return np.abs(claim - self.numeric) <= allowed

    def passes_at(self, row: int, claim: float) -> bool:
        """The same for one of them."""
        numeric = float(self.numeric[row])
        allowed = self.tolerance.atol + self.tolerance.rtol * max(abs(claim), abs(numeric))
        return abs(claim - numeric) <= allowed + float(self.uncertainty[row])

    @property
    def by_entries(self) -> bool:
        """Whether entries alone were compared."""
        return bool(self.entry.size) and self.entry.size == self.numeric.size


def vacuous(seen: Passed, verdict: Verdict) -> list[Finding]:
    """What says that a check would have passed whatever was claimed, as a whole or for a part of the variables.

    verdict: of such a finding.
    """
    size = np.abs(seen.numeric)
    if not size.size:  # a sparse claim that stores nothing
        return [_whole(seen, ZERO, *_why(seen, ZERO), verdict)]
    for name, claim in _trivial(seen, int(size.argmax())):
        if seen.would_pass(claim).all():
            return [_whole(seen, name, *_why(seen, name), verdict)]
    if seen.kind not in (Kind.GRADIENT, Kind.JACOBIAN) or seen.size != seen.entry.size:
        return []
    if not seen.passes_at(int(size.argmin()), 0.0):
        return []
    zero = seen.would_pass(np.zeros_like(seen.numeric))[: seen.size]
    return [_part(name, count, verdict) for name, count in _blocks(seen, zero)]


def is_stationary(seen: Passed) -> bool:
    """Whether f changes around the point, and its derivative is 0 there as far as can be seen."""
    if not seen.moved or not seen.numeric.size or abs(float(seen.numeric[0])) > float(seen.uncertainty[0]):
        return False  # as nearly always
    return bool((np.abs(seen.numeric) <= seen.uncertainty).all()) and not _thanks_to_atol(seen)


def _thanks_to_atol(seen: Passed) -> bool:
    """Whether 0 agrees because of the absolute tolerance, not of what could be measured."""
    size, gap = np.abs(seen.numeric), np.abs(seen.claimed - seen.numeric)
    measured = np.where(seen.uncertainty > 2 * gap, seen.uncertainty, 0.0)  # a gap that was accepted is counted in
    return bool((size > measured).any()) and float(size.max(initial=0.0)) <= 2 * seen.tolerance.atol


def _trivial(seen: Passed, large: int) -> Iterator[tuple[str, Array]]:
    """Claims that are wrong and agree with some of what was measured, each with its name, for all that was compared.

    large: where the largest value was.
    """
    claimed = float(seen.claimed[large])
    if seen.passes_at(large, claimed / 2):
        yield ZERO, np.zeros_like(seen.claimed)
        yield HALF, seen.claimed / 2
        yield SIGN, -seen.claimed
    if seen.elsewhere is None or not seen.by_entries or seen.size < 2:
        return
    point, there = seen.elsewhere
    entry = int(seen.entry[large])
    if seen.passes_at(-1, first := float(seen.numeric[0])) and not _same(there, there[0]):
        yield CONSTANT, np.full_like(seen.claimed, first)
    if seen.passes_at(large, float(seen.x[entry])) and not _same(there, point):
        yield IDENTITY, seen.x[seen.entry].astype(np.float64)
    if seen.passes_at(large, float(there[entry])) and not _same(there[seen.entry], seen.claimed):
        yield ELSEWHERE, there[seen.entry]


def _same(claim: Array, other: Any) -> bool:
    """Whether two claims are the same function, as far as one point tells."""
    return float(np.abs(claim - other).max()) <= OTHER * float(np.abs(claim).max())


def _why_zero(seen: Passed) -> tuple[str, str]:
    largest = float(np.abs(seen.numeric).max(initial=0.0))
    if _thanks_to_atol(seen):
        return f"nothing compared is larger than {largest:.2g}, and atol is {seen.tolerance.atol:g}", "lower atol"
    if not seen.moved:
        remedy = "see whether f should depend on x, or choose a point where it does (--point, --seed)"
        return "f did not change around the point", remedy
    return (
        "the derivative is 0 at this point, as far as can be seen",
        "a wrong factor or sign cannot be seen; check at other points as well (--points 3), or elsewhere (--point)",
    )


def _why(seen: Passed, name: str) -> tuple[str, str]:
    """Why a trivial claim agrees, and what to change."""
    if name == ZERO:
        return _why_zero(seen)
    if name in (CONSTANT, IDENTITY):
        same = "all entries of the derivative are equal" if name == CONSTANT else "the derivative is x"
        return f"{same} at this point, and not elsewhere", "check at other points as well (--points 3)"
    gap = np.abs(seen.numeric)
    atol, rtol = seen.tolerance.atol, seen.tolerance.rtol
    if atol > rtol * float(gap.max()):
        return f"atol is {atol:g}, where the largest entry is {float(gap.max()):.2g}", "lower atol"
    return f"rtol is {rtol:g}", "lower rtol"


def _whole(seen: Passed, name: str, why: str, remedy: str, verdict: Verdict) -> Finding:
    return Finding(
        kind=FindingKind.VACUOUS,
        target=seen.kind.key,
        verdict=verdict,
        message=f"{name} would pass as well: {why}; {remedy}",
        evidence={"claim": name, "whole": True, "entries": int(seen.numeric.size)},
    )


def _part(name: str, count: int, verdict: Verdict) -> Finding:
    return Finding(
        kind=FindingKind.VACUOUS,
        verdict=verdict,
        message=f"0 would pass as well for {name}: the derivative by {counted(count, 'variable')} is 0 at this point; "
        "what they do is tested only where f depends on them (--points 3, --point)",
        evidence={"claim": ZERO, "whole": False, "part": name, "entries": count},
    )


# ---- blocks of entries


def _blocks(seen: Passed, zero: Mask) -> Iterator[tuple[str, int]]:
    """Parts of the variables by which the whole derivative is 0, with the number of variables in each."""
    layout = seen.layout
    n = layout.size
    dead = np.zeros(seen.size, np.bool_)
    dead[seen.entry] = zero
    dead = np.logical_and.reduce(dead.reshape(-1, n))  # by all outputs
    if layout.leaves:
        for leaf, where in layout.leaves:
            if dead[where].all():
                yield leaf.owner, leaf.size
        return
    if 2 * np.count_nonzero(dead) < n or n < LEAST:
        return
    lines = [(name, where) for name, where in layout.parts if dead[where].size >= LINE and dead[where].all()]
    total = sum(dead[where].size for _, where in lines)
    if 2 * total >= n and total >= LEAST:
        names = [name for name, _ in lines]
        yield ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""), total
        return
    start, stop = _longest_run(dead)
    if 2 * (stop - start) >= n and stop - start >= LEAST:
        yield f"entries {layout.name(start)} to {layout.name(stop - 1)}", stop - start


def _longest_run(mask: Mask) -> tuple[int, int]:
    """Start and end of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    starts, stops = edges[0::2], edges[1::2]
    k = int(np.argmax(stops - starts))
    return int(starts[k]), int(stops[k])


# ---- special points


def special_point(
    layout: Layout,
    x: NDArray[Any],
    bounds: tuple[Array, Array] | None,
    args: Sequence[Any] | Mapping[str, Any],
    seen: Passed | None = None,
    of_set: Mapping[str, str] | None = None,
) -> list[Finding]:
    """The finding that names what is special about a point, in one; none if nothing is.

    layout: of the variables.
    x: the point, flat, (n,).
    bounds: (low, high), flat.
    args: further arguments of f, by position or by name.
    seen: what was compared there, if all passed.
    of_set: what is special about it among the points of the set on which x lives.
    """
    found = dict(of_set or {}) or _of_point(x, layout)
    if bounds is not None:
        found |= _of_bounds(x, *bounds, layout)
    if args:
        found |= _of_arguments(args)
    if seen is not None and is_stationary(seen):
        found["stationary"] = "the point is stationary: a wrong factor cannot be seen here"
    if not found:
        return []
    told = "; ".join(found.values())
    if "stationary" in found:
        several = seen is not None and seen.kind is Kind.GRADIENT
        elsewhere = "--points 3 (in Python points=3)" if several else "another point (--point)"
        message = f"{told}; {elsewhere} looks elsewhere"
    else:
        message = f"{told}. Check at other points as well (--points 3, --point)"
    message = message if list(found) == ["stationary"] else f"the point is a special one: {message}"
    return [
        Finding(
            kind=FindingKind.SPECIAL_POINT,
            target="x",
            message=message,
            evidence={"special": list(found)},
        )
    ]


def _of_point(x: NDArray[Any], layout: Layout) -> dict[str, str]:
    first = x[0]
    if x.size > 1 and x[-1] == first and (x == first).all():
        if first == 0:
            return {"zeros": "x is all zeros, where terms with a factor x vanish"}
        return {"equal": f"all entries of x are {first:g}, so that their order does not show"}
    if x.size == 1 and first == 0:
        return {"zeros": "x is 0, where terms with a factor x vanish"}
    found: dict[str, str] = {}
    for leaf, where in layout.leaves or ((layout, slice(None)),):
        if len(leaf.shape) > 1:
            found |= _of_array(x[where].reshape(leaf.shape), leaf.owner or "x")
    return found


def _of_array(x: NDArray[Any], name: str) -> dict[str, str]:
    if (
        x.ndim == 2
        and x.shape[0] == x.shape[1] > 1
        and x[0, 1] == 0 != x[0, 0]
        and (x == x[0, 0] * np.eye(len(x))).all()
    ):
        multiple = "the identity" if x[0, 0] == 1 else f"{x[0, 0]:g} times the identity"
        return {"identity": f"{name} is {multiple}, which commutes with all matrices and is its own transpose"}
    if x.shape[0] == 1 < x.size:
        same = "so that sums and means along it are the same"
        return {"batch of one": f"the first axis of {name} has one entry, {same}"}
    return {}


def _of_bounds(x: NDArray[Any], low: Array, high: Array, layout: Layout) -> dict[str, str]:
    at = np.flatnonzero(((x == low) | (x == high)) & (low < high))  # what bounds fix is not differenced
    if not at.size:
        return {}
    name = layout.name(int(at[0]))
    more = f" and {at.size - 1} more" if at.size > 1 else ""
    return {
        "at a bound": f"{name if layout.leaves else f'x{name}'}{more} is at its bound, where differences are one-sided"
    }


def _of_arguments(args: Sequence[Any] | Mapping[str, Any]) -> dict[str, str]:
    for name, data in args.items() if isinstance(args, Mapping) else enumerate(args, 1):
        if isinstance(data, np.ndarray) and data.size > 1 and data.dtype.kind in "fiu" and not data.any():
            return {"empty data": f"argument {name} of f beside x is all zeros"}
    return {}
