"""Whether f keeps its value along an orbit on which it must: a gauge, a symmetry, the sign of an eigenvector, a rigid motion."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.evaluation.claims import Wrapper
from gradcheck.model import Finding, FindingKind, Kind, Verdict

if TYPE_CHECKING:
    from gradcheck.checks.check import CheckRun

LOOKS = 4  # points of the orbit
ROUNDING = 1e4  # units in the last place that values along the orbit may differ by …
NOISE = 100.0  # … or so many times the noise of f
OFF = 1e-6  # of a point of the orbit from the set


class Moved(Wrapper):
    """f at another point of the orbit.

    orbit: x ↦ that point, or (x, t) ↦ it; t is where on the orbit, a number within (−1, 1).
    """

    of_whole = True

    def __init__(self, inner: Callable[..., Any], orbit: Callable[..., Any], t: float | None) -> None:
        self.inner, self.orbit, self.t = inner, orbit, t

    def __call__(self, x: Any, *arguments: Any, **named: Any) -> Any:
        return self.inner(self.point(x), *arguments, **named)

    def point(self, x: Any) -> Any:
        """The point."""
        return self.orbit(x) if self.t is None else self.orbit(x, self.t)

    def around(self, inner: Callable[..., Any]) -> Moved:
        return Moved(inner, self.orbit, self.t)


def hold_to_orbit(run: CheckRun) -> None:
    """Put on record that f changes along the orbit that is named, if one is, and it does.

    Raises:
        UsageError: the orbit leaves the set on which x lives.
        UserCodeError: the orbit, or f there, raised.
    """
    orbit = run.options.invariant
    if orbit is None:
        return
    f, noise = run.target, run.draft.noise or 0.0
    scalar = run.draft.kind not in (Kind.JACOBIAN, Kind.JVP, Kind.VJP)
    whole = run.whole(f, "f")
    here = run.function(f, scalar=scalar).at(run.flat)
    size = float(np.abs(here).max(initial=0.0))
    allowed = max(ROUNDING * float(np.finfo(run.layout.dtype).eps) * size, NOISE * noise) + run.tolerance.atol
    random = np.random.default_rng(run.options.seed)
    worst, where = 0.0, None
    for t in random.uniform(-1.0, 1.0, LOOKS).tolist() if _takes_two(orbit) else [None]:
        moved = Moved(whole, orbit, t)
        _require_on_set(run, moved)
        there = run.function(moved, role="f", scalar=scalar).at(run.flat)
        gap = float(np.abs(there - here).max(initial=0.0)) if there.shape == here.shape else float("inf")
        if gap > worst:
            worst, where = gap, t
    if worst <= allowed:
        run.draft.notes.append(f"f keeps its value along the orbit, within {max(worst, 0.0):.2g}")
        return
    at = "" if where is None else f" (at t = {where:.3g})"
    run.draft.findings.append(
        Finding(
            kind=FindingKind.NOT_INVARIANT,
            target="f",
            verdict=Verdict.FAIL,
            message=f"f changes by {worst:.3g} along the orbit{at}, where {allowed:.1g} is rounding; it is said not to change",
            evidence={"difference": worst} | ({} if where is None else {"t": where}),
        )
    )


def _takes_two(orbit: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(orbit).parameters.values()
    except (TypeError, ValueError):  # a built-in one
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(needed) > 1


def _require_on_set(run: CheckRun, moved: Moved) -> None:
    from gradcheck.variables.constrained import ConstrainedLayout  # of use to few

    layout = run.layout
    if not isinstance(layout, ConstrainedLayout) or len(layout.pieces) > 1:
        return
    (piece,) = layout.pieces
    assert piece.on is not None
    found = layout.inner.numbers(run.function(_Point(moved), role="invariant", scalar=False).at(run.flat), "invariant")
    off = piece.on.distance(found.reshape(piece.x.shape))
    if off > OFF:
        raise UsageError(f"invariant leads off {piece.on.name} by {off:.3g}; give an orbit that stays on the set")


class _Point:
    """The point of the orbit itself, as the value."""

    of_whole = True

    def __init__(self, moved: Moved) -> None:
        self.moved = moved

    def __call__(self, x: Any, *arguments: Any, **named: Any) -> Any:
        return self.moved.point(x)
