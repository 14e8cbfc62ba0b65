"""What deliberate mistakes in the claim came to."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.model.diagnoses import Where
from gradcheck.model.vocabulary import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A deliberate mistake in a derivative, and what the same check says of it.

    name: such as 'sign' or 'one entry 0'.
    """

    name: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class MutatedLine:
    """A line of a claim's source, broken on purpose in a few ways (mutants), and what the same check says of them.

    where: the line as it stands.
    made: how many mutants answer otherwise than the claim and were judged; `noticed`: how many of them FAIL.
    survivor: the line as the first mutant has it that gets a PASS; '' if none does.
    equivalent: mutants that change nothing, here and at further points; they do not count.
    undecided: mutants that could not be judged; they do not count.
    ran: whether the claim runs the line at the point at all.
    """

    where: Where
    made: int
    noticed: int
    survivor: str = ""
    equivalent: int = 0
    undecided: int = 0
    ran: bool = True
