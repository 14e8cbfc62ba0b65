"""m × n numbers of a Jacobian or Hessian, whatever they are stored as.

Dense arrays, sparse ones (anything with `tocsc`) and operators (anything with `@` or a `matvec`) all answer for blocks of
columns, so that no second matrix is ever held.  SciPy is never imported: its arrays bring their own methods.
It is long because the three stand side by side, and answer the same questions; `matrix_claims` asks for them.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError, is_interrupt
from gradcheck.evaluation.answers import raised
from gradcheck.evaluation.claims import Block
from gradcheck.evaluation.deadline import NO_END
from gradcheck.model import FindingKind
from gradcheck.numerics.directions import Stream, direction
from gradcheck.variables.numbers import real_array
from gradcheck.wording import named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.deadline import Deadline

    Array = NDArray[np.float64]

TILE = 128  # rows and columns of a matrix that are compared with their transpose at a time
BLOCK_ENTRIES = 2**17  # entries compared at a time
LARGE = 2**19  # entries; a matrix with more is read, and asked for, once: repeating it would hold it twice
SCATTERED = 0.05  # a dense matrix may be looked at by its entries if no more than this share of it is not zero
REMEDY = "give an array, or an operator with @ or matvec"


class Matrix(ABC):
    """m × n numbers of a claimed derivative, however they are stored.

    value: what the user's function returned.
    rows, columns: m and n.
    role: whose answer it is, for messages.
    dense, sparse: which of them it is; an operator is neither, and its entries cost a product each.
    """

    dense = sparse = False

    def __init__(self, value: Any, rows: int, columns: int, role: str) -> None:
        self.value, self.rows, self.columns, self.role = value, rows, columns, role

    @abstractmethod
    def block(self, chosen: NDArray[np.intp]) -> Array:
        """The columns named, as rows: (N, m) float64."""

    @abstractmethod
    def times(self, v: Array) -> Array:
        """The product with a vector, (m,).  Raises `UserCodeError` if an operator raises, or gives no m numbers."""

    @abstractmethod
    def row(self, i: int) -> Array | None:
        """Row i, (n,); None if an operator cannot be asked for it."""

    @abstractmethod
    def entries(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Array:
        """Single entries, (N,) float64."""

    @abstractmethod
    def asymmetry(
        self, places: tuple[NDArray[Any], NDArray[Any]] | None = None
    ) -> tuple[float, tuple[int, int], float]:
        """The largest |H_ij − H_ji|, where it is, and the largest |H_ij|, if there is a difference; for a square matrix.

        places: rows and columns of all entries that are not zero, if they are known.
        """

    def blocks(self) -> Iterator[Block]:
        """All columns in blocks, as `Surveyor.survey` wants them."""
        width = max(1, BLOCK_ENTRIES // self.rows)
        for start in range(0, self.columns, width):
            chosen = np.arange(start, min(start + width, self.columns), dtype=np.intp)
            yield Block(chosen, self.block(chosen))


class _Stored(Matrix):
    """Entries that can be looked up.

    symmetric: it is known to equal its transpose to the last bit.
    """

    symmetric = False

    @abstractmethod
    def part(self, rows: slice, columns: slice) -> NDArray[Any]:
        """A rectangle, as an array."""

    def entries(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Array:
        """Single entries, (N,) float64."""
        if not rows.size:  # SciPy answers with a matrix
            return np.empty(0)
        return np.array(self.value[rows, columns], dtype=np.float64).reshape(-1)

    def asymmetry(
        self, places: tuple[NDArray[Any], NDArray[Any]] | None = None
    ) -> tuple[float, tuple[int, int], float]:
        """By the places that are not zero, or tile by tile."""
        if places is not None and places[0].size:
            rows, columns = places
            values = self.entries(rows, columns)
            with np.errstate(invalid="ignore", over="ignore"):
                gap = np.abs(values - self.entries(columns, rows))
            gap[~np.isfinite(gap)] = 0.0
            k = int(np.argmax(gap))
            where = min((int(rows[k]), int(columns[k])), (int(columns[k]), int(rows[k])))
            return float(gap[k]), where, _largest(values)
        worst, where, exact = 0.0, (0, 0), True
        tiles = [slice(start, min(start + TILE, self.rows)) for start in range(0, self.rows, TILE)]
        with np.errstate(invalid="ignore", over="ignore"):
            for k, upper in enumerate(tiles):
                for right in tiles[k:]:
                    across, down = self.part(upper, right), self.part(right, upper).T
                    if exact and (across == down).all():
                        continue
                    exact, gap = False, np.subtract(across, down, dtype=np.float64)
                    if _largest(gap) > worst:
                        gap = np.abs(np.where(np.isfinite(gap), gap, 0.0))
                        row, column = divmod(int(np.argmax(gap)), gap.shape[1])
                        worst, where = float(gap[row, column]), (upper.start + row, right.start + column)
        self.symmetric = exact
        size = max(_largest(self.part(upper, slice(0, self.columns))) for upper in tiles) if worst > 0 else 0.0
        return worst, where, size


class Dense(_Stored):
    """An array."""

    dense = True

    def part(self, rows: slice, columns: slice) -> NDArray[Any]:
        """A view."""
        return np.asarray(self.value[rows, columns])

    def block(self, chosen: NDArray[np.intp]) -> Array:
        """The columns named, as rows: (N, m) float64, a copy, as f may write into what it has handed out."""
        start = int(chosen[0]) if len(chosen) else 0
        in_line = np.array_equal(chosen, np.arange(start, start + len(chosen)))
        by_columns = self.value if self.symmetric else self.value.T
        part = by_columns[start : start + len(chosen)] if in_line else by_columns[chosen]
        return np.array(part, dtype=np.float64, order="C")

    def times(self, v: Array) -> Array:
        """The product with a vector, (m,); of another dtype some rows at a time, lest the whole matrix be copied."""
        if self.value.dtype == np.float64:
            return np.asarray(self.value @ v, dtype=np.float64).reshape(-1)
        height = max(1, BLOCK_ENTRIES // self.columns)
        starts = range(0, self.rows, height)
        return np.concatenate([self.value[start : start + height].astype(np.float64) @ v for start in starts])

    def row(self, i: int) -> Array:
        """Row i, (n,)."""
        return np.array(self.value[i], dtype=np.float64)

    @cached_property
    def scattered(self) -> NDArray[np.intp] | None:
        """Where it is not zero, as for `nonzero`, if that is in a small share of places."""
        return self.nonzero(int(SCATTERED * self.rows * self.columns))

    def product(self, v: Array) -> Array:
        """As `times`, of float64, without threads: they cost more than they gain.

        A large matrix is read once for this and for its zeros.
        """
        if self.rows * self.columns > LARGE and self.scattered is not None:
            rows, columns = np.divmod(self.scattered, self.columns)
            sums = np.bincount(rows, self.value[rows, columns] * v[columns], minlength=self.rows)
            return sums.astype(np.float64, copy=False)  # of no entries they are integers
        if self.value.flags.c_contiguous and hasattr(np, "vecdot"):  # NumPy 2
            by_rows: Array = np.vecdot(self.value, v)
            return by_rows
        product: Array = np.einsum("ij,j->i", self.value, v)
        return product

    def nonzero(self, most: int) -> NDArray[np.intp] | None:
        """Where it is not zero, as ascending numbers row · n + column; None, as soon as that is seen, if in more places."""
        height = max(1, BLOCK_ENTRIES // self.columns)
        present = np.empty((min(height, self.rows), self.columns), np.bool_)
        found: list[NDArray[np.intp]] = []
        for start in range(0, self.rows, height):
            part = self.value[start : start + height]
            where = np.not_equal(part, 0, out=present[: len(part)])
            most -= int(np.count_nonzero(where))
            if most < 0:
                return None
            found.append(np.flatnonzero(where) + start * self.columns)
        return np.concatenate(found)


class Sparse(_Stored):
    """Anything with `tocsc`, by columns."""

    sparse = True

    def part(self, rows: slice, columns: slice) -> NDArray[Any]:
        """A small array."""
        return np.asarray(self.value[rows, columns].toarray())

    def block(self, chosen: NDArray[np.intp]) -> Array:
        """The columns named, as rows: (N, m) float64."""
        return np.ascontiguousarray(self.value[:, chosen].toarray().T, dtype=np.float64)

    def times(self, v: Array) -> Array:
        """The product with a vector, (m,)."""
        return np.asarray(self.value @ v, dtype=np.float64).reshape(-1)

    def row(self, i: int) -> Array:
        """Row i, (n,)."""
        return np.asarray(self.value[[i], :].toarray(), dtype=np.float64).reshape(-1)


class Diagonal(_Stored):
    """A square matrix that is told by its diagonal, (n,)."""

    sparse = True

    def __init__(self, value: Array, role: str) -> None:
        super().__init__(self, value.size, value.size, role)
        self.diagonal, self.indices, self.indptr = value, np.arange(value.size), np.arange(value.size + 1)

    def part(self, rows: slice, columns: slice) -> NDArray[Any]:
        """A small array."""
        return np.where(np.arange(self.rows)[rows, None] == np.arange(self.rows)[columns], self.diagonal[columns], 0.0)

    def entries(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Array:
        """Single entries, (N,) float64."""
        return np.where(rows == columns, self.diagonal[columns], 0.0)

    def block(self, chosen: NDArray[np.intp]) -> Array:
        """The columns named, as rows: (N, m) float64."""
        return np.where(chosen[:, None] == np.arange(self.rows), self.diagonal[chosen, None], 0.0)

    def times(self, v: Array) -> Array:
        """The product with a vector, (m,)."""
        return self.diagonal * v

    def row(self, i: int) -> Array:
        """Row i, (n,)."""
        return self.block(np.array([i]))[0]


class Operator(Matrix):
    """Anything with `@` or a `matvec`: it answers with products alone.

    deadline: after which none are asked for.
    """

    def __init__(self, value: Any, rows: int, columns: int, role: str, deadline: Deadline = NO_END) -> None:
        super().__init__(value, rows, columns, role)
        self.deadline = deadline

    def block(self, chosen: NDArray[np.intp]) -> Array:
        """The columns named, as rows: (N, m) float64."""
        products = np.empty((len(chosen), self.rows))
        for k, column in enumerate(chosen.tolist()):
            products[k] = self.times(_unit(self.columns, column))
        return products

    def times(self, v: Array) -> Array:
        """The product with a vector, (m,)."""
        return self._product(v, self.rows, "@" if hasattr(self.value, "__matmul__") else "matvec")

    def row(self, i: int) -> Array | None:
        """Row i, (n,), by `rmatvec` or the transposed operator."""
        unit = _unit(self.rows, i)
        if hasattr(self.value, "rmatvec"):
            return self._product(unit, self.columns, "rmatvec")
        if hasattr(self.value, "T"):
            return as_matrix(self.value.T, self.columns, self.rows, self.role, self.deadline).times(unit)
        return None

    def entries(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Array:
        """Single entries, (N,) float64."""
        units, place = np.unique(columns, return_inverse=True)
        return self.block(units)[place, rows]

    def asymmetry(
        self, places: tuple[NDArray[Any], NDArray[Any]] | None = None
    ) -> tuple[float, tuple[int, int], float]:
        """⟨u, Hv⟩ − ⟨Hu, v⟩ for one pair of random vectors; the place is (0, 0)."""
        u, v = (direction(self.columns, 0, Stream.MATRIX + k) for k in (1, 2))
        hu, hv = self.times(u), self.times(v)
        return abs(float(u @ hv - hu @ v)), (0, 0), float(np.linalg.norm(hu) * np.linalg.norm(v))

    def _product(self, v: Array, size: int, how: str) -> Array:
        """What an operator makes of a vector (a copy of it), by `@`, `matvec` or `rmatvec`: (size,)."""
        call = self.value.__matmul__ if how == "@" else getattr(self.value, how)
        self.deadline.require()
        try:
            product = call(v.copy())
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise raised(self.role, call, error, doing=f", asked for a product by {how},") from error
        array = real_array(product, self.role, remedy=REMEDY)
        if array.size != size:
            raise UserCodeError(
                f"{self.role} gives products of {array.size} entries by {how}, expected {size}",
                FindingKind.WRONG_SHAPE,
                self.role,
            )
        return array.astype(np.float64).reshape(-1)


def as_matrix(value: Any, rows: int, columns: int, role: str, deadline: Deadline = NO_END) -> Matrix:
    """What a user's function returned, as an m × n matrix.

    role: whose answer it is, for messages.

    Raises:
        UserCodeError: it has another shape, or is something else altogether.
    """
    with questioned(value, role):
        return _as_matrix(value, rows, columns, role, deadline)


@contextlib.contextmanager
def questioned(value: Any, role: str) -> Iterator[None]:
    """Within, what an answer raises when it is asked for its shape and the like is an error of user code."""
    try:
        yield
    except UserCodeError:
        raise
    except BaseException as error:
        if is_interrupt(error):
            raise
        message = f"{role} returned {type(value).__name__}, which raised {named(error)} when asked what it is"
        raise UserCodeError(message, FindingKind.WRONG_DTYPE, role) from error


def _as_matrix(value: Any, rows: int, columns: int, role: str, deadline: Deadline) -> Matrix:
    sparse = hasattr(value, "tocsc")
    if sparse or is_operator(value):
        shape = tuple(getattr(value, "shape", (rows, columns)))
        if shape != (rows, columns):
            raise UserCodeError(_misfit(shape, rows, columns, role), FindingKind.WRONG_SHAPE, role)
        return Sparse(value.tocsc(), rows, columns, role) if sparse else Operator(value, rows, columns, role, deadline)
    array = real_array(value, role, remedy=REMEDY)
    if array.size != rows * columns or (array.ndim == 2 and array.shape != (rows, columns) and 1 not in array.shape):
        raise UserCodeError(_misfit(array.shape, rows, columns, role), FindingKind.WRONG_SHAPE, role)
    return Dense(array.reshape(rows, columns), rows, columns, role)


def _unit(size: int, place: int) -> Array:
    unit = np.zeros(size)
    unit[place] = 1.0
    return unit


def _largest(part: NDArray[Any]) -> float:
    """The largest finite |entry|."""
    low, high = float(part.min()), float(part.max())
    if np.isfinite(low) and np.isfinite(high):
        return max(high, -low)
    return float(np.abs(part[np.isfinite(part)]).max(initial=0.0))


def is_operator(value: Any) -> bool:
    return not isinstance(value, (np.ndarray, list, tuple, float, int)) and (
        hasattr(value, "matvec") or (hasattr(value, "__matmul__") and not hasattr(value, "__array__"))
    )


def _misfit(shape: tuple[int, ...], rows: int, columns: int, role: str) -> str:
    hint = "; it looks transposed" if shape == (columns, rows) else ""
    return f"{role} has shape {shape}, expected ({rows}, {columns}){hint}"
