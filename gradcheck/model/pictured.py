"""What pictures are drawn of, where there is something to see: the differences at many steps, and the errors of a matrix."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Central differences of f at falling steps, of which a derivative was made.

    steps: h; the displacement is ±h.
    values: (f(x + h v) − f(x − h v)) / 2h at each.
    noise: by how much the noise of f may move each.
    """

    steps: tuple[float, ...]
    values: tuple[float, ...]
    noise: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMap:
    """Where a matrix is wrong: the worst of its entries in each cell of a grid.

    shape: rows and columns of the matrix.
    block: rows and columns of a cell; (1, 1) where each entry has its own.
    cells: a string for each row of cells, a character for each cell: '.' agrees, '?' could not be judged, '!' is claimed
        to be no number, '0' to '9' is wrong by between 10^-k and 10^-(k+1) of `largest`, ' ' is not known.
    largest: the largest error of a wrong entry, 0 where there is none.
    """

    shape: tuple[int, int]
    block: tuple[int, int]
    cells: tuple[str, ...]
    largest: float
