"""A mismatch of the gradient by a tree, taken apart into its leaves: what is wrong in one array has the words of that array."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.diagnosis.evidence import Law, Mismatch
from gradcheck.model import DiagnosisKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.diagnosis.evidence import Facts
    from gradcheck.variables.places import Places

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

    Leaf = tuple[Places, slice]

SAME_SIZE = 20  # leaves that are tried in each other's place


def inside(entry: NDArray[np.int64], where: slice) -> Mask:
    """Which entries are in a leaf, (N,)."""
    return (entry >= where.start) & (entry < where.stop)


def of_leaf(mismatch: Mismatch, places: Places, where: slice) -> Mismatch:
    """What is known of one leaf, as if it were all of x."""
    there = inside(mismatch.entry, where)
    ask, look = mismatch.claim_at, mismatch.elsewhere

    def claim_at(x: Array) -> Array:
        assert ask is not None
        whole = mismatch.x.copy()
        whole[where] = x
        return np.asarray(ask(whole))[where]

    def elsewhere() -> Mismatch | None:
        assert look is not None
        found = look()
        return None if found is None else of_leaf(found, places, where)

    return replace(
        among(mismatch, there),
        entry=mismatch.entry[there] - where.start,
        places=places,
        x=mismatch.x[where],
        claim_at=None if ask is None else claim_at,
        elsewhere=None if look is None else elsewhere,
        suspects={name: np.asarray(term).reshape(-1)[where] for name, term in mismatch.suspects.items()},
    )


def among(mismatch: Mismatch, there: Mask) -> Mismatch:
    """The same without what is known of other entries."""
    return replace(
        mismatch,
        claimed=mismatch.claimed[there],
        numeric=mismatch.numeric[there],
        uncertainty=mismatch.uncertainty[there],
        entry=mismatch.entry[there],
        wrong=mismatch.wrong[there],
    )


def names(leaves: Iterable[Leaf]) -> str:
    """``W1``, or ``W1, b1 and b2``."""
    owners = [places.owner for places, _ in leaves]
    return owners[0] if len(owners) == 1 else f"{', '.join(owners[:-1])} and {owners[-1]}"


def exchanged(facts: Facts, leaves: Sequence[Leaf]) -> Iterable[Law]:
    """Leaves of one size that are wrong, and have each other's derivative."""
    for k, (one, first) in enumerate(leaves[:SAME_SIZE]):
        for other, second in leaves[k + 1 : SAME_SIZE]:
            if one.size != other.size:
                continue
            order = np.arange(facts.size, dtype=np.int64)
            order[first], order[second] = order[second].copy(), order[first].copy()
            yield Law(
                kind=DiagnosisKind.SWAPPED,
                predict=_taken_from(order, first, second),
                sentence=f"{one.owner} and {other.owner} are swapped: each has the derivative by the other",
                parameters={"leaves": [one.owner, other.owner]},
                advice="Look at the order in which the arrays are put together, or at their names.",
            )


def _taken_from(order: NDArray[np.int64], first: slice, second: slice) -> Callable[[Facts], Array]:
    """The claim in another order within two leaves; nothing is said of the rest."""

    def predict(f: Facts) -> Array:
        there = inside(f.entry, first) | inside(f.entry, second)
        return np.where(there, f.full[order][f.entry], np.nan)

    return predict
