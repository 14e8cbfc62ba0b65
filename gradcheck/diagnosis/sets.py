"""Mistakes in a derivative by an x on a set: each says what the claim would have to be read as to be right.

A mistake is a reading of what was claimed for one leaf, as numbers by the coordinates of the tangent space; where these
agree with the measured ones, all of them, it is the mistake that was made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck.model import Diagnosis, DiagnosisKind, Tolerance
from gradcheck.variables.sets.base import Set, Square
from gradcheck.variables.sets.forms import AMBIENT, Ambient, Form, Parameters, Riemannian, Triangle
from gradcheck.variables.sets.matrices import Diagonal, Symmetric
from gradcheck.variables.sets.parameters import forms_of
from gradcheck.variables.sets.rotations import Pose, Quaternion, Rotation
from gradcheck.variables.sets.vectors import Periodic, Simplex, Sphere
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.variables.constrained import Piece

    Array = NDArray[np.float64]

DEGREE = math.pi / 180
TANGENT = 1e-6  # of a claim that is tangent, what may be normal


class Mistake(NamedTuple):
    """One reading.

    kind, text, parameters: of the diagnosis; the text goes on after the number of entries that it explains.
    read: what was claimed ↦ numbers by the coordinates, (k,).
    """

    kind: DiagnosisKind
    text: str
    parameters: Mapping[str, Any]
    read: Callable[[Array], Array]


def mistakes(piece: Piece, triangle: str = "") -> Iterator[Mistake]:
    """The mistakes known for a leaf and the form of its claim, the most telling first.

    triangle: 'lower' or 'upper', if that alone is filled in a claim by the entries of a symmetric matrix.
    """
    on, x, form = piece.on, piece.x, piece.form
    assert on is not None
    if isinstance(on, Symmetric) and isinstance(form, Ambient):
        yield from _beside_diagonal(on, x, form, triangle)
    if isinstance(on, Quaternion) and isinstance(form, Parameters):
        yield from _scales(on, x, form)
    yield from _other_forms(on, x, form)
    if isinstance(form, Parameters) and isinstance(on, (Rotation, Pose, Quaternion)):
        yield from _adjoints(on, x, form)
    if isinstance(form, Ambient):
        yield from _other_arrays(on, x, form)
    yield from _scales(on, x, form)


def _reader(on: Set, x: Array, form: Form) -> Callable[[Array], Array]:
    """As of a claim in a form; no numbers where it cannot be in that form."""

    def read(d: Array) -> Array:
        if form.off(on, x, d) > TANGENT * float(np.linalg.norm(d)):
            return np.full(on.size_at(x), np.nan)
        return on.coordinates(x, form.covector(on, x, d))

    return read


def _after(read: Callable[[Array], Array], change: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda d: read(change(d))


def _then(read: Callable[[Array], Array], change: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda d: change(read(d))


# ---- symmetric matrices


def _beside_diagonal(on: Symmetric, x: Array, form: Form, triangle: str) -> Iterator[Mistake]:
    rows, columns = np.triu_indices(len(x))
    beside, read = rows != columns, _reader(on, x, form)
    yield Mistake(
        DiagnosisKind.DOUBLED_OFF_DIAGONAL,
        "the claim counts what is beside the diagonal double, as S + Sᵀ − diag(S) does; that explains the {count}. "
        "The gradient by entries of x, S, has each of x[i, j] and x[j, i] once",
        {"factor": 0.5},
        lambda d: read(d) * np.where(beside, 0.5, 1.0),
    )
    if triangle:
        yield Mistake(
            DiagnosisKind.TRIANGLE_ONLY,
            f"the claim is filled in its {triangle} triangle alone, so that what is beside the diagonal counts for half; "
            "that explains the {count}. Fill the other triangle as well",
            {"triangle": triangle},
            lambda d: read(d) * np.where(beside, 2.0, 1.0),
        )


# ---- other forms


def _other_forms(on: Set, x: Array, form: Form) -> Iterator[Mistake]:
    size = math.prod(form.shape(on, x))
    last = (AMBIENT.name, "tangent")  # the least telling
    for name, other in sorted(forms_of(on).items(), key=lambda item: last.index(item[0]) if item[0] in last else -1):
        shape = other.shape(on, x)
        if other.name == "riemannian" and on.size_at(x) == x.size:
            continue  # which is the derivative by entries
        if name != form.name and math.prod(shape) == size:
            kind, text, parameters = _between(form, other)
            yield Mistake(kind, text, parameters, _after(_reader(on, x, other), partial(np.reshape, shape=shape)))


def _between(form: Form, other: Form) -> tuple[DiagnosisKind, str, dict[str, Any]]:
    told = {"form": other.name}
    demand = f"Say claimed='{other.name}' (--claimed {other.name}) if that is meant"
    if isinstance(form, Riemannian) and other is AMBIENT:
        metric = f"not made the gradient in the metric {form.metric.name}, which is tangent"
        text = f"the claim is the derivative by the entries of x, {metric}"
        return DiagnosisKind.NOT_PROJECTED, text + "; that explains the {count}", told
    sides = [{"left", "right"} & set(one.name.split("-")) for one in (form, other)]
    if sides[0] and sides[1] and sides[0] != sides[1]:
        ours, theirs = sides[0].pop(), sides[1].pop()
        text = (
            f"the claim is the derivative by a perturbation from the {theirs}, and that from the {ours} is asked for; "
        )
        return DiagnosisKind.LEFT_FOR_RIGHT, f"{text}that explains the {{count}}. {demand}", told | {"map": "adjoint"}
    if isinstance(form, Triangle) and isinstance(other, Triangle) and form.order is other.order:
        if form.name.endswith("-half"):
            text = "the claim counts what is beside the diagonal for both triangles, and it is to be the entry of the gradient; "
            return DiagnosisKind.DOUBLED_OFF_DIAGONAL, f"{text}that explains the {{count}}. {demand}", {"factor": 0.5}
        triangle = "lower" if form.name == "tril" else "upper"
        text = "the claim counts what is beside the diagonal for one triangle, and moving it moves both; "
        return DiagnosisKind.TRIANGLE_ONLY, f"{text}that explains the {{count}}. {demand}", {"triangle": triangle}
    text = f"the claim is {other.text}; "
    return DiagnosisKind.OTHER_FORM, f"{text}that explains the {{count}}. {demand}", told


# ---- Lie groups


def _adjoints(on: Set, x: Array, form: Parameters) -> Iterator[Mistake]:
    """The map between perturbations from the left and from the right, applied the wrong way round, or once too often."""
    forms = forms_of(on)
    last = "-turn-first" if form.name.endswith("-turn-first") else ""
    sides = {"left" + last: "right" + last, "right" + last: "left" + last, "tangent": "left"}
    if form.name not in sides or "left" not in forms:
        return
    left, right = (forms[side + last] for side in ("left", "right"))
    assert isinstance(left, Parameters)
    assert isinstance(right, Parameters)
    adjoint = np.linalg.pinv(right.velocities(on, x)) @ left.velocities(on, x)
    inverse = np.linalg.inv(adjoint)
    undone = {
        "adjoint": inverse,
        "transposed adjoint": inverse.T,
        "inverse adjoint": adjoint,
        "transposed inverse adjoint": adjoint.T,
    }
    read = _reader(on, x, forms[sides[form.name]])
    for name, matrix in undone.items():
        yield Mistake(
            DiagnosisKind.LEFT_FOR_RIGHT,
            f"the claim is the {name} of x times the derivative by a perturbation from the other side, and another one of these "
            "maps takes it there; that explains the {count}. Derivatives from the left are Ad⁻ᵀ times those from the right",
            {"form": form.name, "map": name},
            _after(read, partial(np.matmul, matrix)),
        )


# ---- arrays of the shape of x


def _other_arrays(on: Set, x: Array, form: Form) -> Iterator[Mistake]:
    read = _reader(on, x, form)
    if isinstance(on, Rotation):
        told = {"form": "tangent"}
        for side, move in (("R Ω", partial(np.matmul, x)), ("Ω R", lambda d: np.matmul(d, x))):
            yield Mistake(
                DiagnosisKind.OTHER_FORM,
                f"the claim is the skew matrix Ω of the tangent {side}, in place of the tangent itself; that explains the "
                "{count}. Multiply by R",
                told,
                _after(read, move),
            )
    if isinstance(on, (Square, Rotation, Pose)) and not isinstance(on, (Symmetric, Diagonal)):
        yield Mistake(
            DiagnosisKind.TRANSPOSED,
            "the claim is the transpose of the derivative by x; that explains the {count}",
            {"order": "transposed"},
            lambda d: read(d.T),
        )
    if isinstance(on, Pose):
        yield Mistake(
            DiagnosisKind.TRANSPOSED,
            "the derivative by the rotation is transposed, that by the translation is not; that explains the {count}",
            {"order": "rotation transposed"},
            lambda d: read(_turned(d)),
        )
    if isinstance(on, Quaternion):
        for shift, order in ((1, "(x, y, z, w)"), (-1, "(z, w, x, y) of (w, x, y, z)")):
            yield Mistake(
                DiagnosisKind.SHIFTED,
                f"the claim has its parts in the order {order}, and (w, x, y, z) is asked for; that explains the {{count}}",
                {"order": f"shifted by {shift}"},
                _after(read, partial(np.roll, shift=shift)),
            )


def _turned(d: Array) -> Array:
    out = d.copy()
    out[:-1, :-1] = d[:-1, :-1].T
    return out


# ---- lengths of tangents


def _scales(on: Set, x: Array, form: Form) -> Iterator[Mistake]:
    read = _reader(on, x, form)
    factors = {
        2.0: "the claim is half as long as it must be",
        0.5: "the claim is twice as long as it must be",
        4.0: "the claim is a quarter of what it must be",
        0.25: "the claim is four times what it must be",
        math.sqrt(2.0): "the claim is by tangents of length 1/√2",
        math.sqrt(0.5): "the claim is by tangents of length √2",
    }
    if isinstance(on, (Rotation, Pose, Quaternion)):
        factors |= {
            1 / DEGREE: "the claim is by degrees, not radians",
            DEGREE: "the claim has degrees for radians twice",
        }
    if isinstance(on, Periodic):
        factors |= {
            on.period: "the claim is too small by the period",
            1 / on.period: "the claim is by fractions of the period",
            on.period / math.tau: "the claim is too small by the period / 2π",
            math.tau / on.period: "the claim is by the phase, 2π a period",
            1 / DEGREE: "the claim is too small by π/180",
            DEGREE: "the claim is by degrees",
        }
    half = " A unit quaternion turns by twice its angle." if isinstance(on, Quaternion) else ""
    for factor, text in factors.items():
        yield Mistake(
            DiagnosisKind.SCALED_TANGENT,
            f"{text}: {factor:.6g} times it is right; that explains the {{count}}.{half} "
            "Compare the length of the tangents that it is by with that of those it is asked for",
            {"factor": factor},
            _then(read, partial(np.multiply, factor)),
        )
    if isinstance(on, Pose):
        for part, where in (("rotation", slice(on.turn.dimension, None)), ("translation", slice(0, on.turn.dimension))):
            for factor in (2.0, 0.5, 1 / DEGREE, DEGREE, -1.0):
                yield Mistake(
                    DiagnosisKind.SCALED_TANGENT,
                    f"{factor:.6g} times what is claimed for the {part} is right; that explains the {{count}}",
                    {"factor": factor, "part": part},
                    _then(read, partial(_scaled, where=where, factor=factor)),
                )


def _scaled(coordinates: Array, where: slice, factor: float) -> Array:
    out = coordinates.copy()
    out[where] *= factor
    return out


# ---- from readings to a diagnosis


class Compared(NamedTuple):
    """Entries that were compared: which, (N,), with their numeric values, bounds on the errors of these, and which failed."""

    entry: NDArray[np.int64]
    numeric: Array
    uncertainty: Array
    wrong: NDArray[np.bool_]


def explained(
    rows: Sequence[Array], piece: Piece, compared: Compared, width: int, triangle: str, tolerance: Tolerance
) -> Diagnosis | None:
    """The diagnosis of a leaf of which entries failed; None if no mistake explains all of them.

    rows: what was claimed of the leaf, for each output.
    width: the number of coordinates of all leaves.
    """
    row, column = np.divmod(compared.entry, width)
    ours = (column >= piece.coordinates.start) & (column < piece.coordinates.stop)
    row, column = row[ours], column[ours] - piece.coordinates.start
    numeric, uncertainty = compared.numeric[ours], compared.uncertainty[ours]
    count = counted(int(np.count_nonzero(compared.wrong & ours)), "wrong entry")
    size = float(np.abs(numeric).max(initial=0.0))

    def agrees(read: Callable[[Array], Array]) -> bool:
        with np.errstate(all="ignore"):
            known = np.stack([read(d) for d in rows])[row, column]
        allowed = uncertainty + tolerance.atol + tolerance.rtol * np.maximum(np.abs(numeric), np.abs(known))
        return bool((np.abs(known - numeric) <= np.maximum(allowed, 1e-9 * size)).all())

    named = {"leaf": piece.owner} if piece.owner else {}
    total = int(np.count_nonzero(compared.wrong & ours))
    for mistake in mistakes(piece, triangle):
        if agrees(mistake.read):
            message = mistake.text.format(count=count)
            return Diagnosis(
                kind=mistake.kind,
                message=f"{piece.owner}: {message}" if piece.owner else message,
                parameters={"entries": total, **mistake.parameters, **named},
            )
    if len(rows) == 1 and ours.sum() == piece.coordinates.stop - piece.coordinates.start:
        gap = np.zeros(column.size)
        gap[column] = numeric
        return _held_fixed(rows[0], piece, gap, float(uncertainty.max(initial=0.0)), total, count, tolerance)
    return None


def _held_fixed(
    d: Array, piece: Piece, numeric: Array, uncertainty: float, total: int, count: str, tolerance: Tolerance
) -> Diagnosis | None:
    """Of a minimal vector: the entry that follows from the others was held fixed, which leaves out a multiple of one vector."""
    on, x, form = piece.on, piece.x, piece.form
    if (
        form.name != "minimal"
        or not isinstance(on, (Sphere, Simplex))
        or isinstance(on, Quaternion)
        or numeric.size < 3
    ):
        return None
    assert isinstance(form, Parameters)
    velocities = form.velocities(on, x)
    by_parameters = velocities.T @ on.tangent(x, numeric).reshape(-1)
    follows, gap = velocities[-1], by_parameters - d
    share = float(follows @ gap) / float(follows @ follows)
    left = np.abs(gap - share * follows).max()
    if left > 10 * uncertainty + tolerance.atol + tolerance.rtol * float(np.abs(by_parameters).max()):
        return None
    return Diagnosis(
        kind=DiagnosisKind.NOT_PROJECTED,
        message=f"the claim holds the last entry of x fixed, which follows from the others; that explains the {count}. Add the "
        f"derivative by it, {share:.6g}, times what it changes by",
        parameters={
            "entries": total,
            "form": "ambient",
            "term": "the derivative by the last entry",
            "coefficient": share,
        }
        | ({"leaf": piece.owner} if piece.owner else {}),
    )
