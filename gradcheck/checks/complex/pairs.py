"""Compared real entries as the complex ones that they are parts of, in the convention of the claim: what a report shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.entries import STATUSES, Columns, Table, worst_first
from gradcheck.model import ComplexEstimate, Convention, DerivativeEstimate, EntryCheck, Verdict
from gradcheck.variables.complex import PARTS, weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.methods.results import Comparison
    from gradcheck.variables.layout import Layout
    from gradcheck.variables.places import Places

    Array = NDArray[np.float64]

    Part = tuple[int, int]
    """Of which output and of which variable: 0 for the real part, 1 for the imaginary part."""


@dataclass(slots=True, eq=False, repr=False)
class Group:
    """The real entries that one complex entry is told by.

    output, variable: the numbers of the real parts.
    rows: by part, of the columns that hold them.
    """

    output: int
    variable: int
    rows: dict[Part, int] = field(default_factory=dict)


def _imaginary(layout: Layout) -> NDArray[np.bool_]:
    return np.zeros(layout.size, bool) if layout.imaginary is None else layout.imaginary


def _complex(imaginary: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which entries are parts of a complex number."""
    return imaginary | np.append(imaginary[1:], False)


class ComplexTable(Table):
    """Entries of a derivative that complex numbers are a part of.

    columns: the real entries.
    places: where these are.
    convention: of the claim; None if all variables are real.
    explained: flat indices of those that a diagnosis accounts for.
    """

    def __init__(
        self, columns: Columns, places: Places, convention: Convention | None, explained: frozenset[int] = frozenset()
    ) -> None:
        self._columns, self.places, self.explained = columns, places, explained
        outputs, variables = _imaginary(places.outputs), _imaginary(places.layout)
        self.outputs, self.variables = _complex(outputs), _complex(variables)
        self.alone = convention is Convention.REAL_PART  # real parts of variables have no imaginary part beside them
        read = weights(convention, variables) if convention in PARTS else np.ones(variables.size)
        self.factors = 1 / np.where(read != 0, read, 1.0)  # from the gradient in R²ⁿ back to the claim

    @cached_property
    def columns(self) -> Columns:
        """The real entries, worst first."""
        return worst_first(self._columns, len(self._columns.entry))

    @cached_property
    def groups(self) -> list[Group]:
        """The rows by complex entries, in the order of the worst of each; what passed only if all parts are known."""
        outputs, variables = _imaginary(self.places.outputs), _imaginary(self.places.layout)
        found: dict[tuple[int, int], Group] = {}
        output, variable = np.divmod(self.columns.entry, variables.size)
        behind = outputs[output].astype(int), variables[variable].astype(int)
        keys = zip((output - behind[0]).tolist(), (variable - behind[1]).tolist(), strict=True)
        parts = zip(behind[0].tolist(), behind[1].tolist(), strict=True)
        for row, (key, part) in enumerate(zip(keys, parts, strict=True)):
            found.setdefault(key, Group(*key)).rows[part] = row
        return [group for group in found.values() if self.is_whole(group) or self.verdict(group) > Verdict.PASS]

    def is_whole(self, group: Group) -> bool:
        """Whether all parts of an entry are known."""
        by_variable = 2 if self.variables[group.variable] and not self.alone else 1
        return len(group.rows) == by_variable * (2 if self.outputs[group.output] else 1)

    def verdict(self, group: Group) -> Verdict:
        """The worst of its parts."""
        return Verdict(int(self.columns.verdict[list(group.rows.values())].max()))

    def counts(self, compared: Comparison) -> tuple[int, int, int]:
        """How many entries have been compared, failed, and could not be judged, where so many of their parts were."""
        share = math.prod(self.places.given) / self.places.size * (2 if self.alone else 1)
        counts = [math.ceil(share * compared.checked)]
        if compared.clean:
            return counts[0], 0, 0
        worst = [self.verdict(group) for group in self.groups]
        for verdict, total in ((Verdict.FAIL, compared.failed), (Verdict.INCONCLUSIVE, compared.inconclusive)):
            known = int(np.count_nonzero(self.columns.verdict == verdict))
            counts.append(worst.count(verdict) + math.ceil(share * max(0, total - known)))
        return counts[0], counts[1], counts[2]

    def flat(self, group: Group) -> int:
        """The flat index of the first part of an entry among the real ones."""
        return group.output * self.variables.size + group.variable

    def entries(self, group: Group) -> list[int]:
        """The flat indices of all parts that are known."""
        return [int(self.columns.entry[row]) for row in group.rows.values()]

    # ---- the numbers

    def value(self, group: Group, values: Array, *, bound: bool = False) -> complex:
        """The complex number that is claimed, or measured; `bound`: of bounds on the errors of real ones, those of its parts."""

        def part(output: int, variable: int) -> float:
            row = group.rows.get((output, variable))
            factor = float(self.factors[group.variable + variable]) if not self.outputs[group.output] else 1.0
            return math.nan if row is None else float(values[row]) * (abs(factor) if bound else factor)

        by_complex = bool(self.variables[group.variable]) and not self.alone
        if not self.outputs[group.output]:
            return complex(part(0, 0), part(0, 1) if by_complex else 0.0)
        if not by_complex:
            return complex(part(0, 0), part(1, 0))
        # ∂F/∂z = ½(∂F/∂x − i ∂F/∂y)
        turned = part(0, 1) if bound else -part(0, 1)
        return complex((part(0, 0) + part(1, 1)) / 2, (part(1, 0) + turned) / 2)

    def rest(self, group: Group) -> tuple[complex, complex]:
        """∂F/∂z̄ = ½(∂F/∂x + i ∂F/∂y) as measured, which is 0 where F is holomorphic, and a bound on the errors of its parts."""
        numeric, bounds = self.columns.numeric, self.columns.uncertainty
        v, u = ({p: float(of[row]) for p, row in group.rows.items()} for of in (numeric, bounds))
        real, imaginary = (v[0, 0] - v[1, 1]) / 2, (v[1, 0] + v[0, 1]) / 2
        return complex(real, imaginary), complex((u[0, 0] + u[1, 1]) / 2, (u[1, 0] + u[0, 1]) / 2)

    # ---- the sequence

    def __len__(self) -> int:
        return len(self.groups)

    def __repr__(self) -> str:
        return f"<{len(self)} entries of a derivative of shape {self.places.given}>"

    def _record(self, row: int) -> EntryCheck:
        group = self.groups[row]
        c, rows = self.columns, list(group.rows.values())
        worst = max(rows, key=lambda row: (c.verdict[row], c.gap[row]))
        detail = c.detail.get(int(c.entry[worst]), {})
        claimed, numeric = self.value(group, c.claimed), self.value(group, c.numeric)
        uncertainty = self.value(group, c.uncertainty, bound=True)
        gap, size = abs(claimed - numeric), max(abs(claimed), abs(numeric))
        step, evaluations, status = float(c.step[worst]), int(c.evaluations[rows].sum()), STATUSES[c.status[worst]]
        wrong = [int(c.entry[row]) for row in rows if c.verdict[row] == Verdict.FAIL]
        is_complex = self.outputs[group.output] or (self.variables[group.variable] and not self.alone)
        estimate: DerivativeEstimate | ComplexEstimate
        if is_complex:
            estimate = ComplexEstimate(
                value=numeric, uncertainty=uncertainty, step=step, evaluations=evaluations, status=status
            )
        else:
            estimate = DerivativeEstimate(
                value=numeric.real,
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
            index=self.places.index(self.flat(group)),
            path=self.places.whole(self.flat(group)),
            claimed=claimed if is_complex else claimed.real,
            estimate=estimate,
            abs_error=gap,
            rel_error=gap / size if size > 0 else (0.0 if gap == 0 else gap),
            verdict=self.verdict(group),
            reason=self._reason(rows),
            explained=bool(wrong) and self.explained.issuperset(wrong),
        )

    def _reason(self, rows: Sequence[int]) -> str:
        """Why the verdict is not PASS; of one part alone if the others passed."""
        c, found = self.columns, dict[str, list[int]]()
        for row in rows:
            if reason := c.detail.get(int(c.entry[row]), {}).get("reason", ""):
                found.setdefault(reason, []).append(row)
        told = []
        for reason, where in found.items():
            part = "" if len(where) == len(rows) else self.places.name(int(c.entry[where[0]])).rpartition(".")[2]
            told.append(f"{part}: {reason}" if part in ("real", "imag") else reason)
        return "; ".join(told)
