"""From what `on` and `claimed` say to the layout of an x on a set: which leaf lives where, and in which form claims are made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.variables.constrained import ConstrainedLayout, Piece
from gradcheck.variables.layout import Layout
from gradcheck.variables.sets.base import Set
from gradcheck.variables.sets.forms import AMBIENT, Form, Parameters
from gradcheck.variables.sets.named import require_fit, set_named
from gradcheck.variables.sets.parameters import forms_of
from gradcheck.wording import did_you_mean, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def constrain(
    layout: Layout, flat: NDArray[Any], on: Any, claimed: Any = None, *, found: bool = True
) -> ConstrainedLayout:
    """The layout by coordinates of an x on a set.

    on: a set, or sets by the names of leaves, as `Options` has it.
    claimed: the form of claims, or forms by the names of leaves; None to take what fits.
    found: what fits may be found; else it is the derivative by entries.

    Raises:
        UsageError: x has another shape than points of the set, is off the set or on its edge, or has no such leaf.
    """
    leaves = layout.leaves or ((layout, slice(0, layout.size)),)
    sets = sets_of([leaf.owner for leaf, _ in leaves], on, tree=bool(layout.leaves))
    forms = _forms(sets, claimed, found=found)
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
        pieces.append(
            Piece(where, slice(start, start + count), leaf.owner, entries, on_set, forms.get(leaf.owner, (AMBIENT,)))
        )
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


def _forms(sets: Mapping[str, Set], claimed: Any, *, found: bool) -> dict[str, tuple[Form, ...]]:
    """The forms in which claims may be made by each leaf that is on a set; of those not named that by entries, and parameters."""
    named = claimed if isinstance(claimed, Mapping) else dict.fromkeys(sets, claimed)
    for name in named:
        if name not in sets:
            raise UsageError(f"claimed names {name}, which is on no set; on names {', '.join(sets)}")
    forms: dict[str, tuple[Form, ...]] = {}
    for owner, on in sets.items():
        known, asked = forms_of(on), named.get(owner)
        if asked is None:
            parameters = [form for form in known.values() if isinstance(form, Parameters)]
            forms[owner] = (AMBIENT, *parameters) if found else (AMBIENT,)
        elif asked in known:
            forms[owner] = (AMBIENT,) if asked == AMBIENT.name else (known[asked],)
        else:
            near = did_you_mean(asked, known)
            raise UsageError(f"claimed is {quoted(asked)}, and on {on.name} it can be {', '.join(known)}{near}")
    return forms


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
