"""A claimed Jacobian by complex variables, or of complex values, as the real matrix that it stands for.

Of complex values F by complex variables z the claim J says that dF = J dz, so that ∂F/∂x = J and ∂F/∂y = iJ: it can be right
only where F is holomorphic.  Each real value has a gradient, which is told in one of the conventions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.evaluation.matrices import Dense
from gradcheck.evaluation.matrix_claims import MatrixClaim
from gradcheck.model import Convention, FindingKind
from gradcheck.variables.complex import PARTS, weights
from gradcheck.variables.layout import ArrayLayout, shape_of
from gradcheck.variables.numbers import real_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.matrices import Matrix

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

REMEDY = "give an array"


class ComplexMatrixClaim(MatrixClaim):
    """A claimed m × n matrix of complex numbers.

    convention: in which it is read; None as long as nobody has said so.
    """

    convention: Convention | None = None

    @property
    def given(self) -> tuple[int, int]:
        """m and n as user code counts them."""
        of_values = self.values.given if self.values is not None else self.outputs
        return math.prod(of_values), math.prod(self.layout.given)

    @property
    def _shape(self) -> tuple[int, ...]:
        """That of the values, then that of x."""
        return (self.values.given if self.values is not None else self.outputs) + self.layout.given

    def matrix(self, raw: Any) -> Matrix:
        """The real matrix, turned round if it looks transposed.  Raises as for a real claim."""
        return Dense(self._expanded(self.complex_numbers(raw)), self.rows, self.layout.size, self.role)

    def complex_numbers(self, raw: Any) -> NDArray[np.complex128]:
        """The matrix as it was returned, (m, n).  Raises `UserCodeError` for a wrong shape, or something else altogether."""
        if self._is_of_blocks(raw):
            return self._complex_blocks(raw)
        if hasattr(raw, "tocsc"):
            raw = raw.toarray()
        m, n = self.given
        array = real_array(raw, self.role, remedy=REMEDY, kinds="fiubc")
        if self._looks_transposed(array):
            array = array.T
        fits = array.ndim != 2 or 1 in array.shape or array.shape in ((m, n), self._shape)
        if array.size != m * n or not fits:
            message = f"{self.role} has shape {array.shape}, expected {(m, n)}"
            raise UserCodeError(message, FindingKind.WRONG_SHAPE, self.role)
        return array.reshape(m, n).astype(np.complex128)

    def _looks_transposed(self, raw: Any) -> bool:
        m, n = self.given
        return m != n and not self._is_of_blocks(raw) and shape_of(raw) == (n, m)

    def misfit(self, value: Any) -> str:
        """As for a real matrix."""
        if self._is_of_blocks(value) or hasattr(value, "tocsc"):
            return ""
        m, n = self.given
        shape = shape_of(value)
        if self._looks_transposed(value):
            return f"shape {shape}, expected {(m, n)}; it looks transposed, and was compared so"
        of_values = self.values.given if self.values is not None else self.outputs
        if shape in ((m, n), self._shape, (m, *self.layout.given), (*of_values, n)) or (
            len(shape) <= 1 and 1 in (m, n)
        ):
            return ""
        return f"shape {shape}, expected {(m, n)}; its numbers were compared as that"

    def _complex_blocks(self, raw: Any) -> NDArray[np.complex128]:
        """A tree like the values, of trees like x, of blocks."""
        values = self.values or ArrayLayout(self.outputs, np.float64)
        rows = []
        for out, place in values.leaves or ((values, slice(0, self.rows)),):
            within = values.answer_for(place.start, raw, self.role)
            row = []
            for leaf, columns in self.layout.leaves or ((self.layout, slice(0, self.layout.size)),):
                answer = self.layout.answer_for(columns.start, within, self.role)
                block = real_array(answer, self.role, remedy=REMEDY, kinds="fiubc")
                shape = math.prod(out.given), math.prod(leaf.given)
                if block.size != shape[0] * shape[1]:
                    of = " by ".join(filter(None, (out.owner, leaf.owner)))
                    message = f"{self.role} returned shape {block.shape} for the block {of}, expected {out.given + leaf.given}"
                    raise UserCodeError(message, FindingKind.WRONG_SHAPE, self.role)
                row.append(block.reshape(shape).astype(np.complex128))
            rows.append(np.concatenate(row, axis=1))
        return np.concatenate(rows, axis=0)

    def _expanded(self, given: NDArray[np.complex128]) -> Array:
        """The real m × n matrix: the derivatives of real and imaginary parts by real and imaginary parts."""
        outputs, variables = self.imaginary_outputs, self.imaginary_variables
        by_x = given[:, np.cumsum(~variables) - 1]
        if not outputs.any():
            return self._of_real(by_x, variables)
        output = np.cumsum(~outputs) - 1
        of_complex = np.where(variables, 1j * by_x, by_x)[output]
        whole: Array = np.where(outputs[:, None], of_complex.imag, of_complex.real)
        is_real = ~(outputs | np.append(outputs[1:], False))
        if is_real.any():
            whole[is_real] = self._of_real(by_x[output[is_real]], variables)
        return whole

    def _of_real(self, by_x: NDArray[np.complex128], variables: Mask) -> Array:
        """The gradients of real values."""
        convention = self.convention if self.convention in PARTS else Convention.STEEPEST
        is_real = ~(variables | np.append(variables[1:], False))
        if by_x.imag[:, is_real].any():
            message = f"{self.role} returned complex numbers; a derivative of a real function is real"
            raise UserCodeError(message, FindingKind.WRONG_DTYPE, self.role)
        found: Array = np.where(variables, by_x.imag, by_x.real) * weights(convention, variables)
        return found

    @property
    def imaginary_outputs(self) -> Mask:
        """Which values are imaginary parts, (m,)."""
        known = None if self.values is None else self.values.imaginary
        return np.zeros(self.rows, bool) if known is None else known

    @property
    def imaginary_variables(self) -> Mask:
        """Which variables are, (n,)."""
        known = self.layout.imaginary
        return np.zeros(self.layout.size, bool) if known is None else known
