"""What a mistake is, where it stands, and the patch of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradcheck.model.vocabulary import DiagnosisKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A line of source.  text: what stands there, without its indentation."""

    file: str
    line: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of source with which the claim agrees with all that was measured.

    file, line: where the changed lines begin.
    before, after: the lines there as they are and as they should be, whole, without a line break at the end.
    diff: the same as a unified diff that ``git apply`` takes; it may change further files.
    certain: nothing that means something else agrees as well.
    """

    file: str
    line: int
    before: str
    after: str
    diff: str
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A known mistake that explains the gap.

    message: one sentence with its evidence.
    parameters: factor, indices, ranges, term, … as plain JSON-able values.
    explained: the share (0 to 1) of the wrong entries that it accounts for.
    advice: the line of code usually behind it, or ''.
    where: the line that is wrong, if the evidence points to one.
    """

    kind: DiagnosisKind
    message: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    explained: float = 1.0
    advice: str = ""
    where: Where | None = None
