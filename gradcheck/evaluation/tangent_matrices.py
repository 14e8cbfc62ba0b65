"""A claimed Jacobian or Hessian by an x on a set, in whatever form, as the matrix by the coordinates of its tangent space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError, UserCodeError
from gradcheck.evaluation.matrices import Dense, as_matrix
from gradcheck.evaluation.matrix_claims import MatrixClaim
from gradcheck.model import FindingKind
from gradcheck.variables.flat import is_tree
from gradcheck.variables.layout import ArrayLayout, shape_of
from gradcheck.variables.numbers import real_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.matrices import Matrix
    from gradcheck.variables.constrained import ConstrainedLayout

    Array = NDArray[np.float64]

NEEDS_GRADIENT = (
    "a Hessian {form} on {on} is that along curves of f, less what the gradient gains where they bend: give grad as well "
    "(--grad), or claim the Riemannian Hessian (riemannian=True, --riemannian)"
)


class TangentMatrixClaim(MatrixClaim):
    """A claimed matrix whose columns, and of a Hessian whose rows, belong to an x on a set.

    slopes: of a Hessian, the derivative of f by the entries of x, leaf by leaf, if it is known.
    """

    layout: ConstrainedLayout
    slopes: Sequence[Array] | None = None

    def matrix(self, raw: Any) -> Matrix:
        """The matrix by coordinates, (m, k).

        Raises:
            UserCodeError: the answer has another shape, or is something else altogether.
            UsageError: of a Hessian, it takes a gradient to tell it.
        """
        return Dense(self.by_coordinates(self.whole(raw)), self.rows, self.layout.size, self.role)

    def by_coordinates(self, whole: Matrix) -> Array:
        """What was claimed, read in the forms of the layout, as the matrix by coordinates."""
        layout = self.layout
        if self.role != "hess":
            every = np.arange(whole.columns, dtype=np.intp)
            return np.stack([self._pulled(row) for row in whole.block(every).T])
        columns = [self._pulled(whole.times(self._told(unit))) for unit in np.eye(layout.size)]
        found: Array = np.stack(columns, axis=1) + curvature(layout, self.slopes)
        return found

    def whole(self, raw: Any) -> Matrix:
        """What was claimed, with a column for each entry of x, or parameter, and of a Hessian a row for each."""
        if self._is_of_blocks(raw):
            return self._whole_of_blocks(raw)
        shape, count = shape_of(raw) if hasattr(raw, "shape") else np.shape(raw), self._counted(raw)
        if len(self.layout.pieces) == 1:
            self._fit(count)
        n = sum(self._sizes)
        m = n if self.role == "hess" else self.rows
        if shape == (n, m) and m != n:
            raw = raw.T if hasattr(raw, "T") else np.asarray(raw).T
        elif len(shape) > 2 and math.prod(shape) == m * n:
            raw = real_array(raw, self.role).reshape(m, n)
        return as_matrix(raw, m, n, self.role, self.deadline)

    @property
    def _sizes(self) -> list[int]:
        """How many numbers a claim has for each leaf."""
        return [
            piece.x.size if piece.on is None else math.prod(piece.form.shape(piece.on, piece.x))
            for piece in self.layout.pieces
        ]

    def _counted(self, raw: Any) -> int | None:
        """How many columns an answer has; None if it does not say."""
        if not hasattr(raw, "shape") and hasattr(raw, "matvec"):
            return None
        size = math.prod(shape_of(raw))
        if self.role == "hess":
            return math.isqrt(size)
        return size // self.rows

    def _fit(self, count: int | None, k: int = 0) -> None:
        """Give up the forms of leaf k by which there would be another number of columns than there are for it."""
        piece = self.layout.pieces[k]
        if piece.on is None or count is None:
            return
        fitting = tuple(form for form in piece.forms if math.prod(form.shape(piece.on, piece.x)) == count)
        if fitting and fitting != piece.forms:
            by_entries = [form for form in fitting if form.name == "ambient"]
            self.layout.settle(k, tuple(by_entries) or fitting)

    def _whole_of_blocks(self, raw: Any) -> Matrix:
        """A tree of blocks, for outputs or rows of leaves, by leaves."""
        layout, values = self.layout, self.values or ArrayLayout(self.outputs, np.float64)
        leaves = layout.inner.leaves or ((layout.inner, slice(0, layout.inner.size)),)
        of_hessian = self.role == "hess"
        outs = [
            (leaf, where.start) for leaf, where in (leaves if of_hessian else values.leaves or ((values, slice(0, 1)),))
        ]
        for k, (_, where) in enumerate(leaves):
            start = where.start if of_hessian else outs[0][1]
            within = (layout.inner if of_hessian else values).answer_for(start, raw, self.role)
            size = math.prod(shape_of(layout.inner.answer_for(where.start, within, self.role)))
            self._fit(math.isqrt(size) if of_hessian else size // outs[0][0].size, k)
        heights = self._sizes if of_hessian else [out.size for out, _ in outs]
        rows = []
        for (out, start), height in zip(outs, heights, strict=True):
            within = (layout.inner if of_hessian else values).answer_for(start, raw, self.role)
            row = []
            for (leaf, where), width in zip(leaves, self._sizes, strict=True):
                block = real_array(layout.inner.answer_for(where.start, within, self.role), self.role)
                if block.size != height * width:
                    of = " by ".join(filter(None, (out.owner, leaf.owner)))
                    message = f"{self.role} returned shape {block.shape} for the block {of}, expected {height} × {width} numbers"
                    raise UserCodeError(message, FindingKind.WRONG_SHAPE, self.role)
                row.append(block.reshape(height, width).astype(np.float64))
            rows.append(np.concatenate(row, axis=1))
        whole = np.concatenate(rows, axis=0)
        return Dense(whole, whole.shape[0], whole.shape[1], self.role)

    def rows_of(self, raw: Any) -> list[list[Array]]:
        """What was claimed, leaf by leaf, of each output; of a Hessian, of each product with a tangent of the basis."""
        whole, layout = self.whole(raw), self.layout
        if self.role != "hess":
            return [self.parts(row) for row in whole.block(np.arange(whole.columns, dtype=np.intp)).T]
        return [self.parts(whole.times(self._told(unit))) for unit in np.eye(layout.size)]

    def _told(self, c: Array) -> Array:
        """A tangent as the columns of the claim have it."""
        return np.concatenate(
            [self.layout.told(piece, c[piece.coordinates]).reshape(-1) for piece in self.layout.pieces]
        )

    def parts(self, row: Array) -> list[Array]:
        """A row of the claim, leaf by leaf."""
        found, start = [], 0
        for piece, size in zip(self.layout.pieces, self._sizes, strict=True):
            shape = piece.x.shape if piece.on is None else piece.form.shape(piece.on, piece.x)
            found.append(row[start : start + size].reshape(shape))
            start += size
        return found

    def _pulled(self, row: Array) -> Array:
        found = self.layout.pulled(self.layout.origin, self.parts(row))
        assert found is not None
        return found

    def misfit(self, value: Any) -> str:
        """An answer of the wrong shape is refused."""
        return ""

    def _is_of_blocks(self, raw: Any) -> bool:
        return is_tree(raw) and bool(self.layout.inner.leaves or (self.values is not None and self.values.leaves))


def curvature(layout: ConstrainedLayout, slopes: Sequence[Array] | None) -> Array:
    """What a Hessian along the curves of the set has more than one in the form of the claim, (k, k).

    Raises:
        UsageError: it takes the gradient of f to tell.
    """
    bent = layout.bent(slopes)
    if bent is None:
        piece = next(piece for piece in layout.pieces if piece.on and piece.form.bends_otherwise(piece.on))
        assert piece.on is not None
        form = "by entries" if piece.form.name == "ambient" else f"claimed as {piece.form.name}"
        raise UsageError(NEEDS_GRADIENT.format(form=form, on=piece.on.name))
    return bent
