"""An x on a set, laid out by coordinates of the tangent space: f is a function of these, and is called on the set alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.variables.layout import Layout
from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.matrices import Symmetric
from gradcheck.variables.sets.named import require_fit, set_named
from gradcheck.wording import did_you_mean, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EIGHTH = (
    4 / 5,
    -1 / 5,
    4 / 105,
    -1 / 280,
)  # weights of the central difference of order 8 (Fornberg, Math. Comp. 51, 1988)
REACH = 0.01  # its step, by the length over which coordinates matter
MANY = 64  # coordinates by which curves are not differenced


class Piece(NamedTuple):
    """A leaf of x: its entries, shape and name; its coordinates; the set on which it lives, if any; and where it is.

    x: its entries at the point of the check, in its shape.
    """

    entries: slice
    coordinates: slice
    owner: str
    x: Array
    on: Set | None


class ConstrainedLayout(Layout):
    """Coordinates (k,) of an x on a set, or of which leaves are on sets.

    inner: how x itself is laid out.
    x: the point of the check, (n,), on the set.
    origin: the coordinates that stand for it, (k,).
    """

    def __init__(self, inner: Layout, x: NDArray[Any], pieces: Sequence[Piece]) -> None:
        self.inner, self.x, self.pieces = inner, x, tuple(pieces)
        self.dtype, self.library = inner.dtype, inner.library
        started = [piece.x.reshape(-1) if piece.on is None else piece.on.origin(piece.x) for piece in pieces]
        self.origin: NDArray[Any] = np.concatenate(started).astype(inner.dtype)
        self.shape = self.origin.shape
        told = {
            f"{f'{piece.owner} ' if piece.owner else ''}on {piece.on.name}": piece.on for piece in pieces if piece.on
        }
        bases = "; ".join(f"{where}: entries are coordinates of the tangents {on.basis}" for where, on in told.items())
        self.note = "; ".join(filter(None, (inner.note, bases)))

    # ---- the set

    def ambient(self, flat: NDArray[Any]) -> NDArray[Any]:
        """The entries of x for coordinates (k,), as a new array (n,)."""
        if np.array_equal(flat, self.origin):
            return self.x.copy()
        out = np.empty(self.x.size, self.dtype)
        with np.errstate(all="ignore"):
            for piece in self.pieces:
                c = flat[piece.coordinates].astype(np.float64)
                out[piece.entries] = c if piece.on is None else piece.on.move(piece.x, c).reshape(-1)
        return out

    def pulled(self, flat: NDArray[Any], gradient: Array) -> Array | None:
        """A gradient by the entries of x, (n,), as that by the coordinates, (k,), at such coordinates.

        None where that is not known: in many dimensions, away from the point of the check.
        """
        out, here = np.empty(self.size), np.array_equal(flat, self.origin)
        with np.errstate(all="ignore"):
            for piece in self.pieces:
                g = gradient[piece.entries]
                if piece.on is None:
                    out[piece.coordinates] = g
                elif here or piece.on.flat:
                    out[piece.coordinates] = piece.on.coordinates(piece.x, g.reshape(piece.x.shape))
                elif piece.coordinates.stop - piece.coordinates.start > MANY:
                    return None
                else:
                    out[piece.coordinates] = _along_curves(piece, flat[piece.coordinates].astype(np.float64), g)
        return out

    @property
    def beside_diagonal(self) -> NDArray[np.bool_]:
        """Which coordinates are those of two entries of a symmetric matrix, (k,)."""
        out = np.zeros(self.size, np.bool_)
        for piece in self.pieces:
            if isinstance(piece.on, Symmetric):
                rows, columns = np.triu_indices(len(piece.x))
                out[piece.coordinates] = rows != columns
        return out

    def triangle(self, gradient: Array) -> str:
        """The triangle of symmetric matrices that alone is filled in a gradient by the entries of x, (n,); '' if none."""
        found = set()
        for piece in self.pieces:
            if isinstance(piece.on, Symmetric):
                g = gradient[piece.entries].reshape(piece.x.shape)
                lower, upper = np.tril(g, -1).any(), np.triu(g, 1).any()
                found.add("" if lower == upper else "lower" if lower else "upper")
        return found.pop() if len(found) == 1 else ""

    def normal_share(self, gradient: Array) -> float:
        """How much of the norm of a gradient, (n,), is orthogonal to the set at the point of the check; 0 of none."""
        normal = [
            piece.on.normal(piece.x, gradient[piece.entries].reshape(piece.x.shape)).reshape(-1)
            for piece in self.pieces
            if piece.on is not None
        ]
        whole = float(np.linalg.norm(gradient))
        return float(np.linalg.norm(np.concatenate(normal))) / whole if whole > 0 else 0.0

    # ---- what user code is handed

    def argument(self, flat: NDArray[Any]) -> Any:
        """A point of the set."""
        return self.inner.argument(self.ambient(flat))

    def stacked(self, rows: NDArray[Any]) -> Any:
        """Points of the set."""
        return self.inner.stacked(np.stack([self.ambient(row) for row in rows]))

    def arguments(self, points: NDArray[Any]) -> Iterable[Any]:
        """Points of the set, one by one."""
        return map(self.argument, points)

    def altered(self, argument: Any, flat: NDArray[Any]) -> str:
        """As of an x that is free."""
        return self.inner.altered(argument, self.ambient(flat))

    @property
    def fixed_parts(self) -> tuple[Any, ...]:
        """As of an x that is free, and the point from which coordinates count."""
        return (*self.inner.fixed_parts, self.x)

    def variables(self, argument: Any) -> list[Any]:
        """As of an x that is free."""
        return self.inner.variables(argument)

    def assembled(self, variables: Sequence[Any]) -> Any:
        """As of an x that is free."""
        return self.inner.assembled(variables)

    # ---- what it answers

    def collected(self, argument: Any) -> Any:
        """What backward() has left."""
        return self.inner.collected(argument)

    def numbers(self, value: Any, role: str) -> Array:
        """A gradient by the entries of x at the point of the check, as that by the coordinates."""
        found = self.pulled(self.origin, self.inner.numbers(value, role))
        assert found is not None
        return found

    def misfit(self, value: Any) -> str:
        """As of an x that is free."""
        return self.inner.misfit(value)

    def derivative(self, flat: Array) -> Any:
        """A tangent gradient of these coordinates, as user code would return it."""
        out = np.empty(self.x.size)
        for piece in self.pieces:
            c = flat[piece.coordinates]
            out[piece.entries] = c if piece.on is None else piece.on.tangent(piece.x, c).reshape(-1)
        return self.inner.derivative(out)

    def spread(self, value: Any) -> Array:
        """A number for each coordinate."""
        try:
            return np.broadcast_to(np.asarray(value, np.float64), self.shape)
        except (TypeError, ValueError):
            raise ValueError(f"it must be a number, or an array of shape {self.shape}") from None

    # ---- names

    def index(self, entry: int) -> tuple[int, ...]:
        """The number of the coordinate, in its leaf."""
        return (entry - self._holder(entry).coordinates.start,)

    def name(self, entry: int) -> str:
        """``omega[2]``, ``R.omega[2]``; as the entry where coordinates are those of entries."""
        piece = self._holder(entry)
        if piece.on is None:
            return self.inner.name(piece.entries.start + entry - piece.coordinates.start)
        label = piece.on.label(piece.x.shape, entry - piece.coordinates.start)
        return piece.owner + label if piece.owner else label.removeprefix(".")

    def _holder(self, entry: int) -> Piece:
        return next(piece for piece in self.pieces if entry < piece.coordinates.stop)


def _along_curves(piece: Piece, c: Array, g: Array) -> Array:
    """⟨g, ∂x/∂cᵢ⟩ for each coordinate, by differences of our own curves, which are smooth."""
    assert piece.on is not None
    move: Callable[[Array, Array], Array] = piece.on.move
    scales = np.abs(piece.on.origin(piece.x))
    out = np.empty(c.size)
    for i in range(c.size):
        h, value = REACH * (scales[i] or 1.0), 0.0
        for k, weight in enumerate(EIGHTH, 1):
            step = np.zeros(c.size)
            step[i] = k * h
            change = move(piece.x, c + step) - move(piece.x, c - step)
            value += weight * float(g @ change.reshape(-1))
        out[i] = value / h
    return out


def constrain(layout: Layout, flat: NDArray[Any], on: Any) -> ConstrainedLayout:
    """The layout by coordinates of an x on a set.

    on: a set, or sets by the names of leaves, as `Options` has it.

    Raises:
        UsageError: x has another shape than points of the set, is off the set or on its edge, or has no such leaf.
    """
    leaves = layout.leaves or ((layout, slice(0, layout.size)),)
    sets = sets_of([leaf.owner for leaf, _ in leaves], on, tree=bool(layout.leaves))
    pieces, x, start = [], np.empty(flat.size, flat.dtype), 0
    for leaf, where in leaves:
        entries = flat[where].astype(np.float64).reshape(leaf.shape)
        on_set = sets.get(leaf.owner)
        if on_set is not None:
            entries = _fitted(entries, on_set, leaf.owner or "x0", float(np.finfo(flat.dtype).eps))
        x[where] = entries.reshape(-1)
        count = entries.size if on_set is None else on_set.origin(entries).size
        if not count:
            raise UsageError(f"{leaf.owner or 'x0'} cannot move on {sets[leaf.owner].name}; there is nothing to check")
        pieces.append(Piece(where, slice(start, start + count), leaf.owner, entries, on_set))
        start += count
    return ConstrainedLayout(layout, x, pieces)


def sets_of(owners: Sequence[str], on: Any, *, tree: bool) -> dict[str, Set]:
    """The sets that leaves of these names live on, by the names.

    tree: x0 is a tree, whose leaves go by their names.

    Raises:
        UsageError: a set is named for what is no leaf, or one set for several leaves.
    """
    if not isinstance(on, Mapping):
        if len(owners) > 1:
            raise UsageError(
                f"on is {quoted(on)}, and x0 has several leaves; say for each that is on a set, as in on={{{owners[0]!r}: ...}}"
            )
        return {owners[0]: set_named(on)}
    if not tree:
        raise UsageError("on names leaves, and x0 is one array; give one set")
    for name in on:
        if name not in owners:
            near = did_you_mean(name, owners) or f"; it has {', '.join(owners[:8])}"
            raise UsageError(f"on names {name}, which is no leaf of x0 that varies{near}")
    return {name: set_named(one) for name, one in on.items()}


def _fitted(x: Array, on: Set, what: str, epsilon: float) -> Array:
    """A point that may be off the set by rounding, on it."""
    require_fit(on, x.shape, what)
    distance = on.distance(x)
    if not distance <= math.sqrt(epsilon) * max(1.0, float(np.abs(x).max())):
        raise UsageError(f"{what} is off {on.name} by {distance:.3g}; give a point of the set")
    if edge := on.edge(x):
        raise UsageError(
            f"{what} is on the edge of {on.name}: {edge}; give a point inside, from which f can move either way"
        )
    return on.project(x) if distance > 4 * epsilon else x
