"""An x on a set, laid out by coordinates of the tangent space: f is a function of these, and is called on the set alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck.errors import UserCodeError
from gradcheck.model import FindingKind
from gradcheck.variables.frameworks import FrameworkLayout
from gradcheck.variables.layout import ArrayLayout, Layout, VectorLayout
from gradcheck.variables.numbers import real_array
from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.curves import velocities
from gradcheck.variables.sets.forms import AMBIENT, Ambient, Form
from gradcheck.variables.sets.matrices import Symmetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BY_PARAMETERS = "; if it is by parameters, say by which, as in claimed='right'"
MANY = 64  # coordinates by which curves are not differenced


class Piece(NamedTuple):
    """A leaf of x: its entries, shape and name; its coordinates; the set on which it lives, if any; and where it is.

    x: its entries at the point of the check, in its shape.
    forms: in which claims may be made by it, those that have the same shape among them to be told apart by measuring.
    """

    entries: slice
    coordinates: slice
    owner: str
    x: Array
    on: Set | None
    forms: tuple[Form, ...] = (AMBIENT,)

    @property
    def too_many(self) -> bool:
        """Whether a gradient by so many coordinates is known at the point itself alone."""
        count = self.coordinates.stop - self.coordinates.start
        return self.on is not None and count > MANY and not (self.on.flat or self.on.exact)

    @property
    def form(self) -> Form:
        """The form in which claims are read."""
        return self.forms[0]


class ConstrainedLayout(Layout):
    """Coordinates (k,) of an x on a set, or of which leaves are on sets.

    inner: how x itself is laid out.
    x: the point of the check, (n,), on the set.
    origin: the coordinates that stand for it, (k,).
    """

    def __init__(self, inner: Layout, x: NDArray[Any], pieces: Sequence[Piece]) -> None:
        self.inner, self.x, self.pieces = inner, x, tuple(pieces)
        self.dtype, self.framework = inner.dtype, inner.framework
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

    def at(self, piece: Piece, flat: NDArray[Any]) -> Array:
        """Where a leaf is for coordinates (k,)."""
        c = flat[piece.coordinates].astype(np.float64)
        if piece.on is None:
            return c.reshape(piece.x.shape)
        return piece.x if np.array_equal(flat, self.origin) else piece.on.move(piece.x, c)

    def pulled(self, flat: NDArray[Any], claimed: Sequence[Array]) -> Array | None:
        """A claim, leaf by leaf as `read`, at the point with such coordinates, as a gradient by these, (k,).

        None where that is not known: in many dimensions, away from the point of the check.
        """
        out, here = np.empty(self.size), np.array_equal(flat, self.origin)
        with np.errstate(all="ignore"):
            for piece, d in zip(self.pieces, claimed, strict=True):
                if piece.on is None:
                    out[piece.coordinates] = d.reshape(-1)
                    continue
                g = piece.form.covector(piece.on, self.at(piece, flat), d)
                if here or piece.on.flat:
                    out[piece.coordinates] = piece.on.coordinates(piece.x, g)
                elif piece.too_many:
                    return None
                else:
                    out[piece.coordinates] = _along_curves(piece, flat[piece.coordinates].astype(np.float64), g)
        return out

    # ---- what is claimed

    def read(self, value: Any, role: str, at: NDArray[Any] | None = None) -> list[Array]:
        """A claimed gradient, leaf by leaf, each in the shape that its form has; forms that do not fit are given up.

        at: the coordinates of the point; those of the check, if not given.

        Raises:
            UserCodeError: it is no array of real numbers, or fits no form.
        """
        flat = self.origin if at is None else at
        if all(piece.forms == (AMBIENT,) for piece in self.pieces):
            try:
                numbers = self.inner.numbers(value, role)
            except UserCodeError as error:
                if error.kind is FindingKind.WRONG_SHAPE and np.shape(value) == self.shape:
                    error.args = (f"{error}{BY_PARAMETERS}",)
                raise
            return [numbers[piece.entries].reshape(piece.x.shape) for piece in self.pieces]
        leaves, found = self.inner.leaves or ((self.inner, slice(0, self.inner.size)),), []
        for k, (piece, (leaf, where)) in enumerate(zip(self.pieces, leaves, strict=True)):
            answer = self.inner.answer_for(where.start, value, role)
            if piece.on is None:
                found.append(leaf.numbers(answer, role).reshape(piece.x.shape))
                continue
            array, x = real_array(answer, role).astype(np.float64), self.at(piece, flat)
            kept, d = self._fitting(k, array, x, role)
            found.append(leaf.numbers(answer, role).reshape(x.shape) if kept[0] is AMBIENT else d)
        return found

    def _fitting(self, k: int, array: Array, x: Array, role: str) -> tuple[tuple[Form, ...], Array]:
        """The forms of leaf k that such a claim at x fits, all of one shape, and what it is in these."""
        piece = self.pieces[k]
        assert piece.on is not None
        fitting = {form: d for form in piece.forms if (d := form.numbers(piece.on, x, array)) is not None}
        if not fitting:
            raise UserCodeError(_misfit(piece, array.shape, role), FindingKind.WRONG_SHAPE, role)
        kept = (AMBIENT,) if AMBIENT in fitting else tuple(fitting)
        if kept != piece.forms:
            self.settle(k, kept)
        return kept, fitting[kept[0]]

    def settle(self, k: int, forms: tuple[Form, ...]) -> None:
        """Read what is claimed by leaf k in the first of these forms, from now on."""
        pieces = list(self.pieces)
        pieces[k] = pieces[k]._replace(forms=forms)
        self.pieces = tuple(pieces)

    def off(self, claimed: Sequence[Array]) -> float:
        """The share of the norm of a claim at the point of the check that a claim in its form must not have."""
        size = math.sqrt(sum(float(np.vdot(d, d)) for d in claimed))
        off = [piece.form.off(piece.on, piece.x, d) for piece, d in zip(self.pieces, claimed, strict=True) if piece.on]
        return math.hypot(*off) / size if size > 0 else 0.0

    def told(self, piece: Piece, c: Array) -> Array:
        """A tangent by coordinates as the form of a leaf has it."""
        if piece.on is None:
            return c.reshape(piece.x.shape)
        return piece.form.seen(piece.on, piece.x, piece.on.tangent(piece.x, c))

    def bent(self, slopes: Sequence[Array] | None) -> Array | None:
        """What a second derivative along the curves of the set has more than one along those of the forms, (k, k).

        slopes: the derivative of f by the entries of x, leaf by leaf.
        None where it takes that, and there is none.
        """
        out = np.zeros((self.size, self.size))
        for k, piece in enumerate(self.pieces):
            if piece.on is None or not piece.form.bends_otherwise(piece.on):
                continue
            if slopes is None:
                return None
            g = slopes[k]
            more = piece.on.curvature(piece.x, g) - piece.form.curvature(piece.on, piece.x, g)
            out[piece.coordinates, piece.coordinates] = more
        return out

    def slopes(self, claimed: Sequence[Array]) -> list[Array]:
        """A claim at the point of the check as the derivative by the entries of x, leaf by leaf."""
        return [
            d if piece.on is None else piece.form.covector(piece.on, piece.x, d)
            for piece, d in zip(self.pieces, claimed, strict=True)
        ]

    @property
    def tangents(self) -> Tangents:
        """How vectors along the set are laid out."""
        return Tangents(self)

    @property
    def beside_diagonal(self) -> NDArray[np.bool_]:
        """Which coordinates are those of two entries of a symmetric matrix, (k,)."""
        out = np.zeros(self.size, np.bool_)
        for piece in self.pieces:
            if isinstance(piece.on, Symmetric):
                rows, columns = np.triu_indices(len(piece.x))
                out[piece.coordinates] = rows != columns
        return out

    def triangle(self, claimed: Sequence[Array]) -> str:
        """The triangle of symmetric matrices that alone is filled in a claim by the entries of x; '' if none."""
        found = set()
        for piece, g in zip(self.pieces, claimed, strict=True):
            if isinstance(piece.on, Symmetric) and g.shape == piece.x.shape:
                lower, upper = np.tril(g, -1).any(), np.triu(g, 1).any()
                found.add("" if lower == upper else "lower" if lower else "upper")
        return found.pop() if len(found) == 1 else ""

    def normal_share(self, claimed: Sequence[Array]) -> float:
        """How much of the norm of a claim at the point of the check is free, orthogonal to the set; 0 of none."""
        pieces = [(piece, d) for piece, d in zip(self.pieces, claimed, strict=True) if piece.form is AMBIENT]
        normal = [piece.on.normal(piece.x, d) for piece, d in pieces if piece.on is not None]
        whole = math.sqrt(sum(float(np.vdot(d, d)) for d in claimed))
        return math.hypot(*(float(np.linalg.norm(one)) for one in normal)) / whole if whole > 0 else 0.0

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
        """A claimed gradient at the point of the check, as that by the coordinates."""
        found = self.pulled(self.origin, self.read(value, role))
        assert found is not None
        return found

    def misfit(self, value: Any) -> str:
        """As of an x that is free, where the claim is by its entries."""
        return self.inner.misfit(value) if all(isinstance(piece.form, Ambient) for piece in self.pieces) else ""

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


class Tangents(VectorLayout):
    """Coordinates (k,) of a tangent at the point of the check; user code is handed it as its form has it."""

    named: ConstrainedLayout
    shares = fixed = False

    def argument(self, flat: NDArray[Any]) -> Any:
        """The tangent, or the parameters that it is the velocity of."""
        layout, c = self.named, flat.astype(np.float64)
        told = [layout.told(piece, c[piece.coordinates]) for piece in layout.pieces]
        if all(one.shape == piece.x.shape for one, piece in zip(told, layout.pieces, strict=True)):
            return layout.inner.argument(np.concatenate([one.reshape(-1) for one in told]).astype(layout.dtype))
        own = [one.astype(layout.dtype) for one in told]
        if isinstance(layout.inner, FrameworkLayout):
            (one,) = own
            return FrameworkLayout(
                ArrayLayout(one.shape, one.dtype), layout.inner.framework, layout.inner.like
            ).argument(one)
        return layout.inner.assembled(own)

    def lending(self, flat: NDArray[Any]) -> Callable[[], Any]:
        """A new one at every call."""
        return lambda: self.argument(flat)

    def numbers(self, value: Any, role: str) -> Array:
        """A claim by the set, as numbers by the coordinates."""
        return self.named.numbers(value, role)

    def misfit(self, value: Any) -> str:
        """As of the set."""
        return self.named.misfit(value)


def _along_curves(piece: Piece, c: Array, g: Array) -> Array:
    """⟨g, ∂x/∂cᵢ⟩ for each coordinate, by a formula, or by differences of our own curves, which are smooth."""
    assert piece.on is not None
    if piece.on.exact:
        found = piece.on.pulled(piece.x, c, g)
        assert found is not None
        return found
    return velocities(piece.on.moves, piece.x, c, piece.on.reach(piece.x)) @ g.reshape(-1)


def _misfit(piece: Piece, shape: tuple[int, ...], role: str) -> str:
    assert piece.on is not None
    wanted = dict.fromkeys(form.shape(piece.on, piece.x) for form in piece.forms)
    whose, listed = f" for {piece.owner}" if piece.owner else "", " or ".join(map(str, wanted))
    said = f", as {piece.form.name} is said to be" if len(piece.forms) == 1 and piece.form is not AMBIENT else ""
    return f"{role} returned shape {shape}{whose}, expected {listed}{said}"
