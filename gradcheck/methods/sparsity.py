"""What the zeros of a claimed Jacobian or Hessian save: columns that share no row are differenced together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.evaluation.claims import Block
from gradcheck.evaluation.matrices import BLOCK_ENTRIES, Dense, Matrix, as_matrix
from gradcheck.methods.results import Comparison, digits_of
from gradcheck.model import Finding, FindingKind, Verdict
from gradcheck.numerics.directions import Stream, direction
from gradcheck.numerics.first_step import Ordinary, median
from gradcheck.numerics.stencils import RATIO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.function import Function
    from gradcheck.methods.problem import Problem
    from gradcheck.numerics.noise import Calibration

    Array = NDArray[np.float64]

LEAST = 0.5  # the weight of an entry in it, at the least
SHOWN = 20  # how many rows a finding lists
SCATTER = 6.0  # how many times the noise of a row, as measured along one line, may be seen along another
CERTAIN = 5e-6  # gaps below this share of the product are not blamed on the pattern
FINER = 16.0  # … nor are others that are not seen at steps so many times smaller
WORTH = 2**14  # a dense claim is worth a pattern if it is scattered, has this many entries …
POINT_BYTES = 2**20  # of points that are evaluated together
SAVING = 0.3  # … and that leaves this share of the evaluations


class Pattern:
    """Which rows each column of an m × n matrix may touch: column i those in indices[starts[i] : starts[i + 1]].

    promised: which of these the user's pattern has, where it does not have all that the claim has; else None.
    """

    def __init__(
        self, indices: NDArray[Any], starts: NDArray[Any], rows: int, promised: NDArray[np.bool_] | None = None
    ) -> None:
        self.indices, self.starts, self.rows, self.promised = indices, starts, rows, promised
        self.columns = starts.size - 1

    @classmethod
    def of(cls, given: Any, claim: Matrix) -> Pattern:
        """What the user gives, a boolean (or numeric) m × n array or a sparse one, and whatever else the claim has.

        Raises `UserCodeError` if its shape is another, or if it is an operator.  A claim that is one is not asked what it has.
        """
        matrix = as_matrix(given, claim.rows, claim.columns, "the sparsity pattern")
        if not matrix.dense and not matrix.sparse:
            raise UserCodeError(
                "the sparsity pattern is an operator; give a boolean array, or a sparse one",
                FindingKind.WRONG_DTYPE,
                claim.role,
            )
        pattern = cls.of_values(matrix)
        if not claim.dense and not claim.sparse:
            return pattern
        places, own = pattern._places(), cls.of_values(claim)._places()
        both = cls._from_places(np.union1d(places, own), claim.rows, claim.columns)
        if both.indices.size > places.size:
            both.promised = np.isin(both._places(), places)
        return both

    @classmethod
    def of_values(cls, matrix: Matrix) -> Pattern:
        """Where a dense matrix is not zero, or what a sparse one stores."""
        if matrix.sparse:
            stored = cls(np.asarray(matrix.value.indices), np.asarray(matrix.value.indptr), matrix.rows)
            if getattr(matrix.value, "has_canonical_format", True):
                return stored
            places = np.unique(stored._places())  # an entry may be stored in parts
            return cls._from_places(places, matrix.rows, matrix.columns)
        assert isinstance(matrix, Dense)
        everywhere = matrix.nonzero(matrix.rows * matrix.columns)
        assert everywhere is not None
        return cls._of_nonzero(everywhere, matrix.rows, matrix.columns)

    @classmethod
    def worth_having(cls, matrix: Matrix) -> Pattern | None:
        """Where a dense claim is not zero; None if that is in too many places to save much."""
        size = matrix.rows * matrix.columns
        if not isinstance(matrix, Dense) or size < WORTH:
            return None
        places = matrix.scattered
        if places is None:
            return None
        pattern = cls._of_nonzero(places, matrix.rows, matrix.columns)
        return pattern if pattern.colour_count <= SAVING * matrix.columns else None

    @classmethod
    def _of_nonzero(cls, places: NDArray[np.intp], rows: int, columns: int) -> Pattern:
        """From numbers row · n + column."""
        row, column = np.divmod(places, columns)
        return cls._from_places(np.sort(column * rows + row), rows, columns)

    @classmethod
    def _from_places(cls, places: NDArray[np.int64], rows: int, columns: int) -> Pattern:
        """From sorted numbers column · m + row."""
        of_column, indices = np.divmod(places, rows)
        starts = np.zeros(columns + 1, np.intp)
        np.cumsum(np.bincount(of_column, minlength=columns), out=starts[1:])
        return cls(indices, starts, rows)

    @cached_property
    def of_column(self) -> NDArray[np.intp]:
        """The column of each of the `indices`."""
        return np.repeat(np.arange(self.columns, dtype=np.intp), np.diff(self.starts))

    def _places(self) -> NDArray[np.int64]:
        """Sorted numbers column · m + row."""
        return np.sort(self.of_column.astype(np.int64) * self.rows + self.indices)

    def times(self, matrix: Matrix, v: Array) -> Array:
        """The product with `v` of what the matrix has where it was promised, (m,)."""
        if self.promised is None and matrix.sparse:
            return matrix.times(v)
        values = matrix.entries(self.indices, self.of_column) * v[self.of_column]
        if self.promised is not None:
            values *= self.promised
        return np.bincount(self.indices, values, minlength=self.rows).astype(np.float64, copy=False)

    @cached_property
    def colours(self) -> NDArray[np.intp]:
        """A colour for each column, 0, 1, …, such that columns of one colour share no row: (n,).

        In turns along a band that is filled, else greedily in the given order: Curtis, Powell & Reid, J. Inst. Maths Applics 13
        (1974).  The columns of one colour are differenced with two evaluations of f for all of them.
        """
        offsets = self.indices - self.of_column
        band = int(offsets.max()) - int(offsets.min()) + 1 if offsets.size else 1
        if band <= np.diff(self.starts).max(initial=1):
            return np.arange(self.columns) % band
        return np.array(self._greedy(), np.intp)

    def _greedy(self) -> list[int]:
        taken = [0] * self.rows  # the colours of the columns that touch a row, as bits
        colours = []
        indices, starts = self.indices.tolist(), self.starts.tolist()
        for low, high in pairwise(starts):
            touched = indices[low:high]
            used = 0
            for row in touched:
                used |= taken[row]
            free = ~used & (used + 1)  # the lowest bit that is not set
            for row in touched:
                taken[row] |= free
            colours.append(free.bit_length() - 1)
        return colours

    @property
    def colour_count(self) -> int:
        """How many groups there are."""
        return int(self.colours.max(initial=-1)) + 1


class Compressed:
    """Evaluates the columns of a sparse Jacobian a group at a time."""

    def __init__(self, problem: Problem, pattern: Pattern) -> None:
        self.function, self.pattern, self.x = problem.function, pattern, problem.x

    def blocks(self, matrix: Matrix, most: int = 1) -> Iterator[Block]:
        """The entries within the pattern, group by group, as `Surveyor.survey` wants them.

        most: groups in a block, if that makes no more than `BLOCK_ENTRIES`; a larger group is several blocks.
        """
        pattern = self.pattern
        colours = pattern.colours[pattern.of_column]
        order = np.argsort(colours, kind="stable")
        rows, columns = pattern.indices[order].astype(np.intp), pattern.of_column[order]
        bounds = [0, *np.cumsum(np.bincount(colours)).tolist()] if colours.size else [0]
        claimed = matrix.entries(rows, columns)
        for start, stop in _joined(bounds, most):
            for low in range(start, stop, BLOCK_ENTRIES):
                chosen = slice(low, min(low + BLOCK_ENTRIES, stop))
                yield Block(columns[chosen], claimed[chosen, None], rows[chosen, None])

    def evaluate(self, block: Block, steps: Array, tick: Callable[[int], None]) -> tuple[Array, Array]:
        """f on both sides of x at the entries of a block: two evaluations for all its columns of one colour."""
        assert block.rows is not None
        rows, colours = block.rows[:, 0], self.pattern.colours[block.columns]
        ends = [0, *(np.flatnonzero(np.diff(colours)) + 1).tolist(), len(colours)]
        found = np.empty((2, len(colours), 1))
        together: list[tuple[int, int]] = []
        for start, stop in pairwise(ends):
            columns = block.columns[start:stop]
            if self._leaves_bounds(columns, steps[start:stop]):
                # column by column: its first entry has its step, and `place` tells which column an entry is in
                columns, first, place = np.unique(columns, return_index=True, return_inverse=True)
                pairs = self.function.pairs(self.x, columns, steps[start:stop][first])
                for side, values in zip(found, pairs, strict=True):
                    side[start:stop, 0] = values[place, rows[start:stop]]
            else:
                together.append((start, stop))
        group = max(1, POINT_BYTES // (2 * self.x.nbytes))
        for low in range(0, len(together), group):
            self._find_together(together[low : low + group], block.columns, rows, steps, found)
        return found[0], found[1]

    def _find_together(
        self,
        spans: list[tuple[int, int]],
        columns: NDArray[np.intp],
        rows: NDArray[np.intp],
        steps: Array,
        found: Array,
    ) -> None:
        """Fill in `found`, (2, N, 1), at the entries of some groups, each given by its first and last: a pair of points each."""
        chosen = np.concatenate([np.arange(*span) for span in spans])
        of_group = np.repeat(np.arange(len(spans)), [stop - start for start, stop in spans])
        points = np.tile(self.x, (2 * len(spans), 1))
        here, moved = self.x[columns[chosen]], steps[chosen]
        points[2 * of_group, columns[chosen]] = here + moved
        points[2 * of_group + 1, columns[chosen]] = here - moved
        values = self.function.gathered(points)
        for side in (0, 1):
            found[side, chosen, 0] = values[2 * of_group + side, rows[chosen]]

    def _leaves_bounds(self, columns: NDArray[np.intp], steps: Array) -> bool:
        if self.function.bounds is None:
            return False
        low, high = self.function.bounds
        return bool(((self.x - low)[columns] < steps).any() or ((high - self.x)[columns] < steps).any())


def _joined(bounds: list[int], most: int) -> Iterator[tuple[int, int]]:
    """Spans of up to `most` groups, of which group k has the entries bounds[k] … bounds[k + 1] − 1."""
    start, groups = 0, 0
    for low, high in pairwise(bounds):
        if groups and (groups == most or high - start > BLOCK_ENTRIES):
            yield start, low
            start, groups = low, 0
        groups += 1
    if groups:
        yield start, bounds[-1]


@dataclass(frozen=True, slots=True)
class Outside:
    """What one product with a random vector shows of the places where a pattern has no entry.

    gap: for each row, what f's product has beyond that of the claim, (m,).
    allowed: what rounding and truncation may be of that.
    certain: a gap larger than this is neither.
    """

    gap: Array
    allowed: Array
    certain: Array

    @property
    def clear(self) -> bool:
        """Whether no row has more than rounding and truncation explain, and none has no value."""
        return bool((self.gap <= self.allowed).all())

    def but_for(self, comparison: Comparison, pattern: Pattern) -> Outside:
        """The same without rows that have wrong or open entries within the pattern: they tell nothing about the rest."""
        doubtful = comparison.columns.doubtful
        all_known = doubtful.size == comparison.failed + comparison.inconclusive + comparison.errors
        rows = np.unique(doubtful // pattern.columns) if all_known else slice(None)  # a survey does not hold any number
        gap, allowed = self.gap.copy(), self.allowed.copy()
        gap[rows] = allowed[rows] = 0.0
        return replace(self, gap=gap, allowed=allowed)

    def missed(self, ordinary: Ordinary) -> float:
        """How large an entry without a place in the pattern may be, relative to what is ordinary there."""
        return self._relative(self.gap + self.allowed, ordinary)

    def added_to(self, comparison: Comparison, pattern: Pattern, ordinary: Ordinary) -> Comparison:
        """A survey of the entries of the pattern, as one of all entries: the others were compared by this product."""
        digits = digits_of(self._relative(self.gap, ordinary))
        unused = np.flatnonzero(np.diff(pattern.starts) == 0)
        return replace(
            comparison,
            checked=comparison.checked + pattern.rows * pattern.columns - pattern.indices.size,
            digits=None if comparison.digits is None else min(comparison.digits, digits),
            detectable=max(
                comparison.detectable, float((self.gap + self.allowed).max() / LEAST / ordinary.scales.min())
            ),
            detectable_share=max(comparison.detectable_share, self.missed(ordinary)),
            ignored=np.concatenate([comparison.ignored, unused]),
        )

    @staticmethod
    def _relative(of_product: Array, ordinary: Ordinary) -> float:
        """What so much of the product amounts to in one entry, relative to what is ordinary in its row, at the most.

        Rows in which nothing was seen have no size to compare with.
        """
        weight = LEAST * np.minimum(ordinary.seen, ordinary.largest * ordinary.scales.min())
        return float((of_product / np.where(weight > 0, weight, np.inf)).max())


def look_outside(problem: Problem, matrix: Matrix, pattern: Pattern, ordinary: Ordinary) -> Outside:
    """Compare one product with a random vector, four evaluations or eight, with that of the claim within the pattern.

    ordinary: what a comparison of the pattern has learnt.
    """
    function, preflight, x, seed = problem.function, problem.preflight, problem.x, problem.seed
    fraction = preflight.calibration.fraction
    v, inward = _turned_inward(preflight.scales * direction(x.size, seed, Stream.OUTSIDE), x, fraction, function.bounds)
    claimed = [pattern.times(matrix, v)]
    if not matrix.dense and not matrix.sparse:  # what an operator has beyond the pattern is compared nowhere else
        claimed.append(matrix.times(v))
    centre = preflight.value if inward else None
    outside = _along(function, x, v, fraction, claimed, preflight.calibration, ordinary, centre)
    if (outside.gap > outside.certain).any():
        # f may bend more along one of its variables than the step was made for
        finer = _along(function, x, v, fraction / FINER, claimed, preflight.calibration, ordinary, centre)
        certain = np.where(finer.gap > finer.certain, outside.certain, np.inf)
        return replace(outside, certain=certain)
    return outside


def _along(
    function: Function,
    x: NDArray[Any],
    v: Array,
    fraction: float,
    claimed: list[Array],
    calibration: Calibration,
    ordinary: Ordinary,
    centre: Array | None,
) -> Outside:
    """What f's product with v, differenced with steps of `fraction` and less, has beyond those claimed.

    centre: f(x), if f is to be differenced ahead of x only.
    """
    plus, minus, t = function.line(x, v, fraction * np.array([1, 1 / RATIO]))
    with np.errstate(invalid="ignore", over="ignore"):
        if centre is None:
            (wide, narrow), gain, pair = ((plus[k] - minus[k]) / (2 * t[k]) for k in (0, 1)), RATIO**2, 1
        else:
            (wide, narrow), gain, pair = ((plus[k] - centre) / t[k] for k in (0, 1)), RATIO, 2
        bend = np.abs(wide - narrow)
        found, rounding = narrow + (narrow - wide) / (gain - 1), pair * _noise(calibration, ordinary) / t[1]
        gap = np.max([np.abs(found - product) for product in claimed], axis=0)
        return Outside(gap, bend / 8 + SCATTER * rounding, 20 * (bend + rounding) + CERTAIN * np.abs(narrow))


def _turned_inward(
    v: Array, x: NDArray[Any], fraction: float, bounds: tuple[Array, Array] | None
) -> tuple[Array, bool]:
    """v, away from the bounds that x ± fraction · v would cross, and whether there are any."""
    if bounds is None:
        return v, False
    size = np.abs(v)
    low, high = x - fraction * size < bounds[0], x + fraction * size > bounds[1]
    return np.where(high, -size, np.where(low, size, v)), bool((low | high).any())


def _noise(calibration: Calibration, ordinary: Ordinary) -> Array:
    """The noise of each row, no less than is usual for its size: one line may show less by chance."""
    sized = ordinary.seen > 0
    usual = median(calibration.noise[sized] / ordinary.seen[sized]) if sized.any() else 0.0
    return np.maximum(calibration.noise, usual * ordinary.seen)


def outside_pattern(matrix: Matrix, outside: Outside) -> list[Finding]:
    """Whether func has derivatives where the sparsity pattern has none."""
    rows = np.flatnonzero(outside.gap > outside.certain)
    if not rows.size:
        return []
    shown = ", ".join(map(str, rows[:5].tolist())) + (", …" if rows.size > 5 else "")
    return [
        Finding(
            kind=FindingKind.OUTSIDE_PATTERN,
            target=matrix.role,
            verdict=Verdict.FAIL,
            message=("row {} has" if rows.size == 1 else "rows {} have").format(shown)
            + " derivatives where the sparsity pattern says there are none",
            evidence={"rows": rows[:SHOWN].tolist()},
        )
    ]
