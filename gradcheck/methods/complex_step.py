"""The complex step: where f is analytic and takes complex numbers, ∂f/∂xᵢ = Im f(x + ih eᵢ) / h, and nothing cancels.

h is so small that its square is lost beside 1, and no difference is taken: the derivative has nearly all digits that f has
(W. Squire and G. Trapp, SIAM Review 40, 1998).  Where f is not analytic, with abs, max, conj or .real in it, the number is
wrong, so that it is held against a difference first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.methods.entries import Columns, join, no_columns, status_code, worst_first
from gradcheck.methods.problem import Problem, Watcher
from gradcheck.methods.results import Comparison, Tally, digits_of
from gradcheck.model import Status, Verdict
from gradcheck.numerics.directions import Stream, direction
from gradcheck.variables.complex import ComplexLayout
from gradcheck.variables.frameworks import FrameworkLayout
from gradcheck.variables.layout import ArrayLayout, Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.claims import Block
    from gradcheck.evaluation.function import Function

    Array = NDArray[np.float64]

STEP = 1e-20  # of the natural scale of a variable: its square is far below rounding
ROUNDINGS = 64.0  # that f may make on the way, in units in the last place of what is ordinary
NEAR = 1e-3  # share to which a difference must agree with the complex step


def complexified(layout: Layout) -> Layout | None:
    """The layout of complex points of the same shape; None for a tree, and on a set."""
    if not isinstance(layout, (ArrayLayout, FrameworkLayout)) or layout.leaves or layout.imaginary is not None:
        return None
    inner = ComplexLayout(layout.shape, np.complex64 if layout.dtype == np.float32 else np.complex128, layout.owner)
    if isinstance(layout, FrameworkLayout):
        return FrameworkLayout(inner, layout.framework, layout.like) if layout.framework is not None else None
    return inner


def obstacle(problem: Problem, turned: Function) -> str:
    """Why the complex step does not give the derivative of f, in half a sentence; '' if it does.

    turned: f at complex points.
    """
    x, value = problem.x, problem.preflight.value
    point = _complex_point(x)
    try:
        there = turned.at(point)
    except UserCodeError as error:
        return f"f takes no complex numbers ({error})"
    if turned.outputs.imaginary is None or there.size != 2 * value.size:
        return "f of complex numbers has no imaginary part: it takes the real part, or the modulus, on the way"
    slack = ROUNDINGS * float(np.finfo(x.dtype).eps) * float(np.abs(value).max())
    if (np.abs(there[0::2] - value) > slack).any() or (np.abs(there[1::2]) > slack).any():
        return "f has another value where x is given as complex numbers"
    v = problem.preflight.scales * direction(x.size, problem.seed, Stream.STEP)
    calibration = problem.preflight.calibration
    plus, minus, realised = problem.function.line(x, v, np.array([calibration.fraction]))
    difference = (plus[0] - minus[0]) / (2 * realised[0])
    point[1::2] = STEP * v
    stepped = turned.near(point)[1::2] / STEP
    noise = 2 * calibration.noise / realised[0]
    allowed = NEAR * max(float(np.abs(difference).max()), float(np.abs(stepped).max())) + noise
    if not (np.abs(stepped - difference) <= allowed).all():
        k = int(np.argmax(np.abs(stepped - difference) - allowed))
        return (
            f"f is not analytic: along a direction the complex step gives {stepped[k]:.6g} and differences "
            f"{difference[k]:.6g}; look for abs, max, conj or .real in it"
        )
    return ""


def _complex_point(x: NDArray[Any]) -> NDArray[Any]:
    """The point with imaginary parts of 0, in turn with the real ones."""
    point = np.zeros(2 * x.size, x.dtype)
    point[0::2] = x
    return point


def survey(problem: Problem, watcher: Watcher, turned: Function, blocks: Iterable[Block]) -> Comparison:
    """Compare every entry with the complex step; as `Surveyor.survey`."""
    x, tolerance, m = problem.x, problem.tolerance, problem.m
    point, epsilon = _complex_point(x), float(np.finfo(x.dtype).eps)
    scales, passed, checked, kept = problem.preflight.scales, Tally(), 0, list[Columns]()
    largest = np.zeros(m)
    with watcher.until_stopped():
        for block in blocks:
            watcher.require_time()
            h = STEP * scales[block.columns]
            values = turned.ray_of(point, 2 * block.columns + 1, h)
            which = slice(None) if block.rows is None else block.rows
            numeric = values[:, 1::2] / h[:, None]
            units = scales[block.columns, None]
            largest = np.fmax(largest, np.nanmax(np.abs(numeric) * units, axis=0, initial=0.0))
            numeric = np.take_along_axis(numeric, which, axis=1) if isinstance(which, np.ndarray) else numeric
            ordinary = np.maximum(largest[which] / units, np.abs(numeric))
            claimed, uncertainty = block.claimed, ROUNDINGS * epsilon * ordinary
            gap, size = np.abs(claimed - numeric), np.maximum(np.abs(claimed), np.abs(numeric))
            agreed = gap <= tolerance.atol + tolerance.rtol * size + uncertainty
            if agreed.any():
                passed.add(tolerance, gap[agreed], size[agreed], ordinary[agreed], uncertainty[agreed])
            verdict = np.where(agreed, Verdict.PASS, Verdict.FAIL).astype(np.int8)
            status = np.full(numeric.shape, status_code(Status.COMPLEX_STEP), np.int8)
            lost = ~np.isfinite(numeric)
            verdict[lost], status[lost] = Verdict.INCONCLUSIVE, status_code(Status.NON_FINITE)
            verdict[~np.isfinite(claimed)] = Verdict.ERROR
            rows = np.arange(m) if block.rows is None else block.rows
            checked += claimed.size
            kept.append(
                Columns(
                    (rows * problem.n + block.columns[:, None]).ravel().astype(np.int64),
                    claimed.ravel(),
                    numeric.ravel(),
                    uncertainty.ravel(),
                    np.repeat(h, numeric.shape[1]),
                    np.ones(numeric.size, np.int64),
                    verdict.ravel(),
                    status.ravel(),
                )
            )
            watcher.tick("entries", int(block.columns[-1]) + 1, problem.n)
    columns = join(kept) if kept else no_columns()
    failed, errors = (int(np.count_nonzero(columns.verdict == one)) for one in (Verdict.FAIL, Verdict.ERROR))
    return Comparison(
        columns=worst_first(columns),
        checked=checked,
        failed=failed,
        inconclusive=checked - passed.count - failed - errors,
        errors=errors,
        digits=digits_of(passed.relative) if passed.count else None,
        detectable=passed.detectable,
        detectable_share=passed.share,
    )
