"""What a framework has to answer for its derivative to be a claim, and for the rules in it to be looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcheck.errors import UserCodeError
from gradcheck.model import FindingKind

if TYPE_CHECKING:
    from gradcheck.model import Target

EXACT = 1e3  # what a rule computes twice agrees to this many units in the last place
Pull = Callable[[Any], Sequence[Any]]
"""From a cotangent to the gradients by the variables, None where there is none."""
Call = Callable[[Sequence[Any]], Any]
"""f of its variables alone."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleCall:
    """One call of a function with a rule written by hand, to be checked by itself.

    target: the rule.
    function: the inputs, a list ↦ what it returns.
    pullback: (inputs, cotangent) ↦ what the rule returns, for the same inputs.
    inputs: those of the call.
    """

    target: Target
    function: Callable[[Sequence[Any]], Any]
    pullback: Callable[[Sequence[Any], Any], Sequence[Any]]
    inputs: list[Any]


class Differentiator(ABC):
    """A framework that differentiates what is written in its arrays.

    conjugates: products with a transposed complex Jacobian are such with its conjugate, too.
    """

    conjugates = False

    @abstractmethod
    def pulled(self, call: Call, variables: Sequence[Any], role: str) -> tuple[Any, Pull]:
        """The value of f, and what takes cotangents of it back.  Raises `UserCodeError` if there is no way back."""

    @abstractmethod
    def pushed(self, call: Call, variables: Sequence[Any], tangents: Sequence[Any]) -> Any:
        """The derivative along tangents, by forward mode; None where f has no such rule."""

    @abstractmethod
    def rules(self, call: Call, variables: Sequence[Any]) -> list[Callable[..., Any]]:
        """The backward rules written by hand that f goes through."""

    def breaches(self, call: Call, variables: Sequence[Any]) -> Iterator[tuple[FindingKind, str]]:
        """What single rules do against their contracts."""
        yield from ()

    def calls_of_rules(self, call: Call, variables: Sequence[Any]) -> list[RuleCall]:
        """The first call of each rule, as far as the framework lets it be seen."""
        return []


def lost(role: str, why: str) -> UserCodeError:
    """What is raised where nothing leads from the value of f back to x0."""
    return UserCodeError(f"autograd has no way back from {role} to x0: {why}", FindingKind.WRONG_DTYPE, role)
