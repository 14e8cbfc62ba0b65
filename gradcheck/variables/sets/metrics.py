"""Metrics of tangent spaces: how each makes a gradient of a derivative, and how its geodesics bend.

A Riemannian gradient v in a metric g is the tangent with g(v, w) = Df[w] for all tangents w; `lower` gives an array whose
inner product with w is g(v, w).  `bend` is the acceleration of geodesics that leave along v, made bilinear in v and w.
Sources: Pennec, Fillard & Ayache, Int. J. Computer Vision 66, 2006 (affine); Edelman, Arias & Smith, SIAM J. Matrix Anal. Appl.
20, 1998 (canonical).  The metric of Fisher is that of the sphere of square roots, times 4, the logarithmic one that of log x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.matrices import Orthogonal, PositiveDefinite
from gradcheck.variables.sets.rotations import Rotation
from gradcheck.variables.sets.vectors import Positive, Simplex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Metric(NamedTuple):
    """A metric.

    name: as it is named in an option.
    text: its formula, for the reader.
    lower: (x, v) ↦ array.
    bend: (x, v, w) ↦ acceleration; None where that is the one of `Set.move`.
    """

    name: str
    text: str
    lower: Callable[[Array, Array], Array]
    bend: Callable[[Array, Array, Array], Array] | None


def _same(x: Array, v: Array) -> Array:
    return v


def _affine_lower(x: Array, v: Array) -> Array:
    return np.linalg.solve(x, np.linalg.solve(x, v.T).T)


def _affine_bend(x: Array, v: Array, w: Array) -> Array:
    across: Array = v @ np.linalg.solve(x, w)
    return (across + across.T) / 2


def _fisher_lower(x: Array, v: Array) -> Array:
    return v / x


def _fisher_bend(x: Array, v: Array, w: Array) -> Array:
    product: Array = v * w / x
    return (product - x * product.sum()) / 2


def _log_lower(x: Array, v: Array) -> Array:
    return v / x**2


def _log_bend(x: Array, v: Array, w: Array) -> Array:
    return v * w / x


def _half_lower(x: Array, v: Array) -> Array:
    return v / 2


def _canonical_lower(x: Array, v: Array) -> Array:
    lowered: Array = v - x @ (x.T @ v) / 2
    return lowered


def _canonical_bend(x: Array, v: Array, w: Array) -> Array:
    def of(v: Array) -> Array:
        inside = x.T @ v
        bent: Array = -(v @ (v.T @ x)) - x @ (inside @ inside + v.T @ v)
        return bent

    return (of(v + w) - of(v - w)) / 4


INHERITED = Metric("inherited", "⟨v, w⟩ = Σ vᵢ wᵢ", _same, None)
AFFINE = Metric("affine", "tr(P⁻¹ v P⁻¹ w)", _affine_lower, _affine_bend)
FISHER = Metric("fisher", "Σ vᵢ wᵢ / xᵢ", _fisher_lower, _fisher_bend)
LOGARITHMIC = Metric("logarithmic", "Σ vᵢ wᵢ / xᵢ²", _log_lower, _log_bend)
HALF_TRACE = Metric("half-trace", "½ tr(vᵀ w), in which a turn by an angle has that length", _half_lower, None)
CANONICAL = Metric("canonical", "tr(vᵀ (I − ½ X Xᵀ) w)", _canonical_lower, _canonical_bend)


def metrics_of(on: Set) -> tuple[Metric, ...]:
    """The metrics that a set is known with, the inherited one first."""
    if isinstance(on, PositiveDefinite):
        return INHERITED, AFFINE
    if isinstance(on, Simplex):
        return INHERITED, FISHER
    if isinstance(on, Positive):
        return INHERITED, LOGARITHMIC
    if isinstance(on, Rotation):
        return INHERITED, HALF_TRACE
    if isinstance(on, Orthogonal):
        return INHERITED, CANONICAL
    return (INHERITED,)
