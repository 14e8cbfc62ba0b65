"""Points worth trying: those that are tried anyway, and those that what stood in the way asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.evaluation.branches import Wish

    Array = NDArray[np.float64]
    Inverse = Callable[[Array, Array], Iterator[Array]]

DECADES = (1, -1, 2, -2, 3, -3, 6, -6, 4, -4)  # powers of ten by which a point is scaled
LONE = (1.0, 1e3, 1e-3)  # sizes of a single entry that is made to stand out
CLEARANCE = 0.1  # how far beyond a bound, relative to it, or to 1
ALIKE = 4.0  # an operand that is so many roundings from an entry of x is that entry


def usual(x: Array) -> Iterator[Array]:
    """Points that programmers forget: other signs and scales, zeros, equal entries, one entry that stands out."""
    size = np.where(x == 0, 1.0, np.abs(x))
    yield np.zeros_like(x)
    yield -x
    yield size
    yield -size
    yield np.ones_like(x)
    for decade in DECADES:
        yield x * 10.0**decade
    if x.size > 1:
        yield np.full_like(x, float(x.mean()))
        for k in (0, x.size - 1):
            for lone in LONE:
                yield _with(x, [k], lone)
        yield _with(x, [0], 0.0)
        yield _with(x, [1], float(x[0]))
        yield np.sort(x)
        yield np.sort(x)[::-1].copy()
        yield np.where(np.arange(x.size) % 2, -size, size)


def asked_for(x: Array, wishes: Sequence[Wish]) -> Iterator[Array]:
    """Points at which operands that are entries of x, or simple functions of one, are as wished: all at once, then each."""
    answers = [list(_answers(x, wish)) for wish in wishes]
    if len(answers) > 1:
        for number in range(max(map(len, answers))):
            together = x.copy()
            for options in answers:
                if options:
                    where, values = options[min(number, len(options) - 1)]
                    together[where] = values
            yield together
    for options in answers:
        for where, values in options:
            yield _with(x, where, values)


def _answers(x: Array, wish: Wish) -> Iterator[tuple[NDArray[np.intp], Array]]:
    """Entries of x and the values to give them, so that the left side stands as wished to the right, or the other way round."""
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(wish.relation, wish.relation)
    for mine, other, relation in ((wish.left, wish.right, wish.relation), (wish.right, wish.left, turned)):
        for where, elements, inverse in _found_in(x, mine):
            if not wish.everywhere:
                nearest = int(np.argmin(np.abs(mine[elements] - other[elements])))
                where, elements = where[nearest : nearest + 1], elements[nearest : nearest + 1]
            for wanted in _standing(other[elements], relation):
                for values in inverse(wanted, x[where]):
                    yield where, values


def _standing(other: Array, relation: str) -> Iterator[Array]:
    """Values that stand in a relation to others: clearly so, and only just."""
    room = CLEARANCE * np.maximum(1.0, np.abs(other))
    if relation == "==":
        yield other
    elif relation == "!=":
        yield other + room
    elif relation in (">", ">="):
        yield other + room
        yield np.where(other > 0, 2 * other, other / 2 + room * (other == 0))
        yield other + CLEARANCE * np.abs(other)
    else:
        yield np.where(other > 0, other / 2, 2 * other - room * (other == 0))
        yield other - room
        yield np.zeros_like(other)


def _found_in(x: Array, operand: Array) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], Inverse]]:
    """Where elements of an operand are entries of x, their sizes or squares: the entries, the elements, and how to get back."""
    for forward, inverse in _FORMS:
        image = forward(x)
        if operand.size == x.size and x.size > 1 and _alike(image, operand).all():
            everywhere = np.arange(x.size)
            yield everywhere, everywhere, inverse
            return
    for forward, inverse in _FORMS:
        image = forward(x)
        for element in range(min(operand.size, 4)):
            where = np.flatnonzero(_alike(image, operand[element]))
            if 0 < where.size <= 4:
                for entry in where.tolist():
                    yield np.array([entry]), np.array([element]), inverse
                if operand.size == 1:
                    return


def _alike(image: Array, operand: Array | np.float64) -> NDArray[np.bool_]:
    return np.abs(image - operand) <= ALIKE * np.spacing(np.abs(image))


def _itself(wanted: Array, before: Array) -> Iterator[Array]:
    yield wanted


def _opposite(wanted: Array, before: Array) -> Iterator[Array]:
    yield -wanted


def _either_sign(wanted: Array, before: Array) -> Iterator[Array]:
    if (wanted >= 0).all():
        yield np.copysign(wanted, before)
        yield -np.copysign(wanted, before)


def _root(wanted: Array, before: Array) -> Iterator[Array]:
    if (wanted >= 0).all():
        yield from _either_sign(np.sqrt(wanted), before)


_FORMS = ((lambda x: x, _itself), (np.abs, _either_sign), (lambda x: -x, _opposite), (np.square, _root))


def _with(x: Array, where: Sequence[int] | NDArray[np.intp], values: float | Array) -> Array:
    moved = x.copy()
    moved[where] = values
    return moved


__all__ = ["asked_for", "usual"]
