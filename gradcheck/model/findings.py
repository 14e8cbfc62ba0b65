"""What is noticed beside the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradcheck.model.vocabulary import FindingKind, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something noticed about the callables themselves; `verdict` is what it does to the run (PASS: a remark only).

    target: 'f', 'grad', 'hess', … : which callable it is about.
    evidence: the facts behind the message, as plain JSON-able values.
    """

    kind: FindingKind
    message: str
    target: str = "f"
    verdict: Verdict = Verdict.PASS
    evidence: Mapping[str, Any] = field(default_factory=dict)
