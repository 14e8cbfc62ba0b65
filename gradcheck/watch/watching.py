"""The watch as callers of Python have it: ``with gradcheck.watching() as seen:``, and how a function is kept out of it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from gradcheck.errors import UsageError
from gradcheck.model import Report
from gradcheck.watch import summary
from gradcheck.watch.budget import SHARE
from gradcheck.watch.identity import MARK
from gradcheck.watch.outcome import Class, Outcome
from gradcheck.watch.session import Session
from gradcheck.watch.shared import not_installed

G = TypeVar("G", bound=Callable[..., Any])


class watching:  # noqa: N801  # a with statement reads like a function
    """Check the derivatives that a program hands to its solvers, while it runs.

    Within ``with gradcheck.watching() as seen:`` each pair of a function and its gradient, Jacobian or Hessian that is handed
    to `scipy.optimize` and the like is checked at points that the solver visits.  What the program computes does not change.

    Args:
        budget: how much of the program's time checks may take, a share such as 0.07; None for as much as they need.
        all_files: look at derivatives of installed packages, too, not only at one's own.
        ignore: patterns of names, or of files, of derivatives that are not to be looked at.

    Raises:
        UsageError: the budget is no positive number.
    """

    def __init__(
        self, *, budget: float | None = SHARE, all_files: bool = True, ignore: tuple[str, ...] | list[str] = ()
    ) -> None:
        if budget is not None and not (isinstance(budget, (int, float)) and budget > 0):
            raise UsageError(f"budget is {budget!r}; give a share of the program's time above 0, such as 0.07, or None")
        self._session = Session(share=budget, mine=None if all_files else not_installed, ignore=tuple(ignore))

    def __enter__(self) -> watching:
        self._session.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.end()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """All pairs met, and what came of them."""
        return tuple(self._session.outcomes.values())

    @property
    def reports(self) -> tuple[Report, ...]:
        """The worst report of each pair, wrong ones first."""
        return summary.reports(self.outcomes)

    @property
    def wrong(self) -> tuple[Report, ...]:
        """The reports of derivatives that are wrong."""
        return summary.reports([outcome for outcome in self.outcomes if outcome.category is Class.WRONG])

    def __str__(self) -> str:
        session = self._session
        budget = "give a larger budget"
        return "\n".join(summary.lines(self.outcomes, excluded=session.left_out, inline=session.inline, budget=budget))


def not_a_derivative(reason: str) -> Callable[[G], G]:
    """Say of a function that it is handed to solvers as a derivative and is none, on purpose; a watch leaves it out.

    reason: such as "straight-through".

    Raises `UsageError` without a reason.

        @gradcheck.not_a_derivative("straight-through")
        def slope(x): ...
    """
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError('not_a_derivative needs a reason, as in @not_a_derivative("straight-through")')

    def marked(function: G) -> G:
        setattr(function, MARK, reason)
        return function

    return marked
