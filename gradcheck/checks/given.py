"""What a check was given, made ready: the point laid out as a vector, with its bounds, and the options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.evaluation.unpacking import argument_names, in_order
from gradcheck.variables.flat import flat_bounds, lay_out, require_within
from gradcheck.variables.points import describe_point

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.checks.solvers.knob import Knob
    from gradcheck.model import Kind, Point
    from gradcheck.options.keywords import Options
    from gradcheck.variables.layout import Layout


class Given:
    """The point, how it is laid out, and the options.

    x0: the point as it was given.
    layout: how it is laid out.
    flat: the same as a vector, (n,); on a set, its coordinates.
    given: layout and vector of x0 as an array, on a set or not.
    target, claim: f and the claimed derivative, as they were given.
    knob: what makes f more exact, if it was named.
    bounds: (low, high), each (n,), or None.
    fixed: the variables whose bounds are equal, so that they do not vary, (n,); None if there is none.
    """

    def __init__(
        self, kind: Kind, f: Callable[..., Any], claim: Callable[..., Any], x0: ArrayLike, options: Options
    ) -> None:
        self.target, self.claim = f, claim
        self.knob: Knob | None = None
        if options.knob is not None:
            from gradcheck.checks.solvers.knob import knob_of  # of use to few

            self.knob, options = knob_of(f, options)
        self.options, self.tolerance = options, options.tolerance
        self.x0 = in_order(f, x0) if options.unpack and isinstance(x0, dict) else x0
        names = argument_names(f, len(self.x0)) if options.unpack and isinstance(self.x0, (list, tuple)) else ()
        self.layout, self.flat = lay_out(self.x0, wrt=options.wrt, unpack=options.unpack, names=names)
        self.given = self.layout, self.flat
        if options.jit and self.layout.leaves:
            raise UsageError("jit compiles functions of one array, and x0 is a tree; leave it out")
        if options.convention is not None and self.layout.imaginary is None:
            raise UsageError("convention says what a derivative by complex variables is, and x0 is real; leave it out")
        if self.layout.imaginary is not None:
            from gradcheck.checks.complex.convention import refuse  # of use to few

            refuse(kind, options)
        self.on_set = options.on is not None or options.claimed is not None or options.riemannian
        if self.on_set:
            from gradcheck.checks.on_sets import lay_out_on_sets  # of use to few

            made = lay_out_on_sets(kind, options, self.layout, self.flat)
            self.given = self.layout, made.ambient(made.origin)
            self.layout, self.flat = made, made.origin.copy()
        self.bounds = flat_bounds(options.bounds, self.layout)
        require_within(self.flat, self.bounds, self.layout)
        fixed = None if self.bounds is None else self.bounds[0] == self.bounds[1]
        self.fixed = None if fixed is None or not fixed.any() else fixed
        if options.eps is not None:
            _require_effect(self.flat, options.eps, self.layout)

    def described(self, x: NDArray[Any], origin: str) -> Point:
        """The record of a point of this check, by its vector."""
        if self.options.on is not None:
            x = self.layout.ambient(x)  # type: ignore[attr-defined]
        return describe_point(x, origin, layout=self.given[0])

    @property
    def vectors(self) -> Layout:
        """How vectors like x are laid out, that products take and give: on a set, they are tangents."""
        return self.layout.tangents if self.on_set else self.layout  # type: ignore[attr-defined]

    @property
    def values(self) -> Layout | None:
        """How a gradient is laid out, if that is a tree."""
        return self.layout if self.layout.leaves else None

    @property
    def heard(self) -> bool:
        """Whether the claim is told of the knob."""
        return self.knob is None or self.knob.takes(self.claim)


def _require_effect(x: NDArray[Any], eps: float, layout: Layout) -> None:
    """Raises `UsageError` if x + eps is x for some entry."""
    with np.errstate(over="ignore"):
        lost = np.flatnonzero((x + x.dtype.type(eps) == x) | (x - x.dtype.type(eps) == x))
    if lost.size:
        i = int(lost[0])
        raise UsageError(
            f"eps {eps:g} is so small that x + eps is x at entry {layout.name(i)} ({x[i]:g}); "
            "leave eps out, or take a larger one"
        )
