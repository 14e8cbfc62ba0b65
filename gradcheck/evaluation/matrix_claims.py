"""A claimed Jacobian or Hessian: called, looked at as a `Matrix`, and compared with what was claimed before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.evaluation import memory
from gradcheck.evaluation.claims import Claim
from gradcheck.evaluation.deadline import NO_END
from gradcheck.evaluation.matrices import LARGE, REMEDY, Dense, Matrix, as_matrix, is_operator, questioned
from gradcheck.model import FindingKind
from gradcheck.numerics.directions import Stream, direction
from gradcheck.variables.flat import is_tree
from gradcheck.variables.layout import ArrayLayout, as_layout, shape_of
from gradcheck.variables.numbers import real_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.deadline import Deadline
    from gradcheck.evaluation.engines import Arguments
    from gradcheck.variables.layout import Layout

    Array = NDArray[np.float64]

SMALL_BYTES = 2**27  # a matrix of this size is not worth asking the system whether there is room for it


class MatrixClaim(Claim):
    """A claimed Jacobian or Hessian; for comparing two answers, a product with a fixed random vector stands for each.

    rows: m.
    outputs: the shape of what is differentiated.
    values: how that is laid out, which may be a tree.
    """

    _last: Dense | None = None
    """A large array is asked for once, and looked at once."""

    def __init__(
        self,
        call: Callable[..., Any],
        x0: NDArray[Any] | Layout,
        rows: int,
        *,
        outputs: tuple[int, ...] = (),
        values: Layout | None = None,
        args: Arguments = (),
        role: str,
        deadline: Deadline = NO_END,
    ) -> None:
        n = as_layout(x0).size
        super().__init__(call, x0, (rows, n), args=args, role=role, deadline=deadline)
        self.rows, self.outputs, self.values = rows, outputs or (rows,), values
        self.once = rows * n > LARGE
        self._probe = direction(n, 0, Stream.MATRIX)

    def matrix(self, raw: Any) -> Matrix:
        """What the user returned as a `Matrix`, turned round if it looks transposed.

        Raises `UserCodeError` for another wrong shape, or something else altogether.
        """
        if type(raw) is np.ndarray and raw.dtype == np.float64 and raw.shape == (self.rows, self.layout.size):
            if self._last is not None and self._last.value is raw:
                return self._last
            made = Dense(raw, self.rows, self.layout.size, self.role)  # as nearly always
            self._last = made if self.once else None
            return made
        if self._is_of_blocks(raw):
            return Dense(self._of_blocks(raw), self.rows, self.layout.size, self.role)
        with questioned(raw, self.role):
            upright = (raw.T if hasattr(raw, "T") else np.asarray(raw).T) if self._looks_transposed(raw) else raw
        return as_matrix(upright, self.rows, self.layout.size, self.role, self.deadline)

    def _looks_transposed(self, raw: Any) -> bool:
        m, n = self.rows, self.layout.size
        return m != n and not self._is_of_blocks(raw) and _shape(raw, m, n) == (n, m)

    def misfit(self, value: Any) -> str:
        """Of an array: it must be m × n, or have the shape of what is differentiated and then that of x, or be a vector."""
        m, n = self.rows, self.layout.size
        if self._is_of_blocks(value):
            return ""
        shape = _shape(value, m, n)
        if shape == (m, n) or (len(shape) <= 1 and 1 in (m, n)):
            return ""
        if self._looks_transposed(value):
            return f"shape {shape}, expected {(m, n)}; it looks transposed, and was compared so"
        wanted = self.outputs + self.layout.shape
        if shape in (wanted, (m, *self.layout.shape), (*self.outputs, n)):
            return ""
        return f"shape {shape}, expected {(m, n)}; its numbers were compared as that"

    def _is_of_blocks(self, raw: Any) -> bool:
        return bool(self.layout.leaves or (self.values is not None and self.values.leaves)) and is_tree(raw)

    def _of_blocks(self, raw: Any) -> Array:
        """A tree like the values, of trees like x, of blocks: as ``jax.jacobian`` returns it.  One of the two may be an array."""
        whole, values = np.empty((self.rows, self.layout.size)), self.values or ArrayLayout(self.outputs, np.float64)
        for out, rows in values.leaves or ((values, slice(0, self.rows)),):
            within = values.answer_for(rows.start, raw, self.role)
            for leaf, columns in self.layout.leaves or ((self.layout, slice(0, self.layout.size)),):
                block = real_array(self.layout.answer_for(columns.start, within, self.role), self.role, remedy=REMEDY)
                if block.size != out.size * leaf.size:
                    shape = out.shape + leaf.shape
                    of = " by ".join(filter(None, (out.owner, leaf.owner)))
                    message = f"{self.role} returned shape {block.shape} for the block {of}, expected {shape}"
                    raise UserCodeError(message, FindingKind.WRONG_SHAPE, self.role)
                whole[rows, columns] = block.reshape(out.size, leaf.size)
        return whole

    def raw_at(self, x: NDArray[Any]) -> Any:
        """As for any claim; one that finds no memory is told what would do with less."""
        needed = self.rows * x.size * 8
        try:
            if needed < SMALL_BYTES:
                return super().raw_at(x)
            with memory.limited(needed):
                return super().raw_at(x)
        except UserCodeError as error:
            if not isinstance(error.__cause__, MemoryError):
                raise
            products = "hvp" if self.role == "hess" else "jvp or vjp"
            message = (
                f"{self.role} has {self.rows:,} × {x.size:,} entries, which need {memory.readable(needed)}, and found no room "
                f"for them; return a sparse array or an operator with @ or matvec, or check {products} instead"
            )
            raise UserCodeError(message, role=self.role) from error.__cause__

    def numbers(self, value: Any) -> Array:
        """The product of the answer with a fixed vector: differs if the answers differ."""
        with np.errstate(invalid="ignore", over="ignore"):
            matrix = self.matrix(value)
            if isinstance(matrix, Dense) and matrix.value.dtype == np.float64:
                return matrix.product(self._probe)
            return matrix.times(self._probe)


def _shape(value: Any, rows: int, columns: int) -> tuple[int, ...]:
    """The shape of what may be a matrix; an operator that has none is taken to fit."""
    if value is None or (is_operator(value) and not hasattr(value, "shape")):
        return rows, columns
    try:
        return shape_of(value)
    except (TypeError, ValueError):  # a ragged list
        return rows, columns
