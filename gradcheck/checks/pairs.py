"""Compared real entries as the complex ones that they are parts of, in the convention of the claim: what a report shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from gradcheck.methods.entries import STATUSES, Columns, worst_first
from gradcheck.model import ComplexEstimate, Convention, DerivativeEstimate, EntryCheck, Verdict
from gradcheck.variables.complex import weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.results import Comparison
    from gradcheck.variables.layout import Places

    Array = NDArray[np.float64]


@dataclass(slots=True, eq=False, repr=False)
class Pair:
    """A variable, by the rows of its real part and of its imaginary part; None where that is not known, or there is none."""

    real: int | None
    imaginary: int | None

    def rows(self) -> list[int]:
        """Those that are known."""
        return [row for row in (self.real, self.imaginary) if row is not None]


class ComplexTable(Sequence[EntryCheck]):
    """A sequence of `EntryCheck` by complex variables, worst first.

    columns: the real entries.
    places: where these are.
    convention: of the claim.
    explained: flat indices of those that a diagnosis accounts for.
    """

    def __init__(self, columns: Columns, places: Places, convention: Convention, explained: frozenset[int]) -> None:
        self.columns, self.places, self.explained = worst_first(columns, len(columns.entry)), places, explained
        imaginary = places.layout.imaginary
        assert imaginary is not None
        with np.errstate(divide="ignore"):
            factors = 1 / weights(convention, imaginary)
        self.factors = np.where(np.isfinite(factors), factors, 1.0)
        self.complex = imaginary | np.append(imaginary[1:], False)
        if convention is Convention.REAL_PART:
            self.complex = np.zeros_like(imaginary)
        self.pairs = self._paired(imaginary)

    def _paired(self, imaginary: NDArray[np.bool_]) -> list[Pair]:
        """The rows by variables, in the order of the worse of the two; those that passed only if both parts are known."""
        found: dict[int, Pair] = {}
        for row, entry in enumerate(self.columns.entry.tolist()):
            behind = bool(imaginary[entry]) and bool(self.complex[entry])
            pair = found.setdefault(entry - behind, Pair(None, None))
            if behind:
                pair.imaginary = row
            else:
                pair.real = row
        return [pair for entry, pair in found.items() if self._is_told(entry, pair)]

    def _is_told(self, entry: int, pair: Pair) -> bool:
        rows = pair.rows()
        return len(rows) == 2 or not self.complex[entry] or bool((self.columns.verdict[rows] != Verdict.PASS).any())

    def counts(self, compared: Comparison) -> tuple[int, int, int]:
        """How many variables have been compared, failed, and could not be judged, where so many of their parts were."""
        imaginary = self.places.layout.imaginary
        assert imaginary is not None
        share = math.prod(self.places.given) / imaginary.size if self.complex.any() else 1.0
        worst = [int(self.columns.verdict[pair.rows()].max()) for pair in self.pairs]
        counts = [math.ceil(share * compared.checked)]
        for verdict, total in ((Verdict.FAIL, compared.failed), (Verdict.INCONCLUSIVE, compared.inconclusive)):
            known = int(np.count_nonzero(self.columns.verdict == verdict))
            counts.append(worst.count(verdict) + math.ceil(share * max(0, total - known)))
        return counts[0], counts[1], counts[2]

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, key: int) -> EntryCheck: ...
    @overload
    def __getitem__(self, key: slice) -> list[EntryCheck]: ...
    def __getitem__(self, key: int | slice) -> EntryCheck | list[EntryCheck]:
        if isinstance(key, slice):
            return [self._record(pair) for pair in self.pairs[key]]
        return self._record(self.pairs[key])

    def __iter__(self) -> Iterator[EntryCheck]:
        return map(self._record, self.pairs)

    def __repr__(self) -> str:
        return f"<{len(self)} entries of a derivative of shape {self.places.given}>"

    def _record(self, pair: Pair) -> EntryCheck:
        c, rows = self.columns, pair.rows()
        worst = max(rows, key=lambda row: (c.verdict[row], c.gap[row]))
        flat = int(c.entry[worst])
        claimed, numeric, uncertainty = (self._number(pair, values) for values in (c.claimed, c.numeric, c.uncertainty))
        gap, size = abs(claimed - numeric), max(abs(claimed), abs(numeric))
        detail = c.detail.get(flat, {})
        step, evaluations, status = float(c.step[worst]), int(c.evaluations[rows].sum()), STATUSES[c.status[worst]]
        wrong = [int(c.entry[row]) for row in rows if c.verdict[row] == Verdict.FAIL]
        estimate: DerivativeEstimate | ComplexEstimate
        if self.complex[flat]:
            bounds = complex(abs(uncertainty.real), abs(uncertainty.imag))
            estimate = ComplexEstimate(
                value=numeric, uncertainty=bounds, step=step, evaluations=evaluations, status=status
            )
        else:
            claimed, numeric = claimed.real, numeric.real
            estimate = DerivativeEstimate(
                value=numeric,
                uncertainty=uncertainty.real,
                step=step,
                evaluations=evaluations,
                status=status,
                left=detail.get("left"),
                right=detail.get("right"),
                kink=detail.get("kink"),
                ladder=detail.get("ladder"),
            )
        return EntryCheck(
            index=self.places.index(flat),
            path=self.places.whole(flat),
            claimed=claimed,
            estimate=estimate,
            abs_error=gap,
            rel_error=gap / size if size > 0 else (0.0 if gap == 0 else gap),
            verdict=Verdict(int(c.verdict[rows].max())),
            reason=self._reason(rows),
            explained=bool(wrong) and self.explained.issuperset(wrong),
        )

    def _number(self, pair: Pair, values: Array) -> complex:
        """The complex number whose parts these are, as the claim is returned; a part that is not known is NaN."""
        parts = [
            np.nan if row is None else float(values[row] * self.factors[self.columns.entry[row]])
            for row in (pair.real, pair.imaginary)
        ]
        return complex(parts[0], parts[1] if pair.imaginary is not None or self.complex[self._any(pair)] else 0.0)

    def _any(self, pair: Pair) -> int:
        return int(self.columns.entry[pair.rows()[0]])

    def _reason(self, rows: Sequence[int]) -> str:
        """Why the verdict is not PASS; of one part alone if the other passed."""
        c, found = self.columns, dict[str, list[int]]()
        for row in rows:
            if reason := c.detail.get(int(c.entry[row]), {}).get("reason", ""):
                found.setdefault(reason, []).append(row)
        told = []
        for reason, where in found.items():
            part = "" if len(where) == len(rows) else self.places.name(int(c.entry[where[0]])).rpartition(".")[2]
            told.append(f"{part}: {reason}" if part in ("real", "imag") else reason)
        return "; ".join(told)
