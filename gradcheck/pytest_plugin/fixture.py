"""The fixture ``gradcheck``: checks within a test, recorded with it, and told where it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import pytest

from gradcheck.checks.kinds import checker
from gradcheck.checks.replay import command
from gradcheck.errors import UserCodeError
from gradcheck.evaluation.tracebacks import pruned
from gradcheck.model import GradientMismatch, Kind, Target, raise_for
from gradcheck.pytest_plugin.options import DEFAULTS, MADE, RUNNING, command_of, marked
from gradcheck.reporting.brief import failure

if TYPE_CHECKING:
    from gradcheck.model import Report
    from gradcheck.options.keywords import Keywords

ENTRIES_KEPT = 200  # of each check, for --gradcheck-report


class Gradcheck:
    """Checks derivatives within a test: ``gradcheck(f, grad, x0)``, ``.hessian(…)``, ``.jacobian(…)``, ``.hvp(…)``.

    The keywords are those of `gradcheck.check_gradient`, `check_hessian` and so on.  One that is not given is taken
    from the marker ``gradcheck``, else from the command line, else from the ini file.  All return the `Report`, and
    raise as those functions do.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def __call__(
        self, f: Callable[..., Any], grad: Callable[..., Any] | str | None, x0: Any, **options: Unpack[Keywords]
    ) -> Report:
        """Compare a claimed gradient, or 'autograd', with differences of f."""
        return self._made("gradient", f, grad, x0, options)

    def hessian(self, f: Callable[..., Any], hess: Callable[..., Any], x0: Any, **options: Unpack[Keywords]) -> Report:
        """Compare a claimed Hessian with differences of ``grad=`` or, without it, of f."""
        return self._made("hessian", f, hess, x0, options)

    def jacobian(
        self, func: Callable[..., Any], jac: Callable[..., Any] | str, x0: Any, **options: Unpack[Keywords]
    ) -> Report:
        """Compare a claimed Jacobian with differences of func."""
        return self._made("jacobian", func, jac, x0, options)

    def hvp(self, f: Callable[..., Any], hvp: Any, x0: Any, **options: Unpack[Keywords]) -> Report:
        """Compare claimed products of Hessian and vector with differences of ``grad=`` or, without it, of f."""
        return self._made("hvp", f, hvp, x0, options)

    def jvp(self, func: Callable[..., Any], jvp: Any, x0: Any, **options: Unpack[Keywords]) -> Report:
        """Compare claimed products of Jacobian and vector with differences of func."""
        return self._made("jvp", func, jvp, x0, options)

    def vjp(self, func: Callable[..., Any], vjp: Any, x0: Any, **options: Unpack[Keywords]) -> Report:
        """Compare claimed products of transposed Jacobian and vector with differences of func."""
        return self._made("vjp", func, vjp, x0, options)

    def _made(self, kind: str, f: Any, claim: Any, x0: Any, given: Mapping[str, Any]) -> Report:
        item = self._config.stash[RUNNING]
        options = {"name": item.nodeid} | item.config.stash[DEFAULTS] | marked(item) | dict(given)
        report = checker(Kind(kind))(f, claim, x0, **{**options, "throw": False})
        report = replace(report, replay=command(report, f, claim, options, x0) or command_of(item))
        record(item, report)
        if not options.get("throw", True):
            return report
        try:
            raise_for(report, allow_inconclusive=options.get("allow_inconclusive", False))
        except UserCodeError as error:
            raise UserCodeError(explain(report), error.kind) from None
        return report


def record(item: pytest.Item, report: Report) -> None:
    """Keep a report until the test is reported on, with the name of the test and its first entries."""
    kept = tuple(entry for entry, _ in zip(report.entries, range(ENTRIES_KEPT), strict=False))
    file, line, _ = item.location
    test = Target(name=item.nodeid, file=str(item.config.rootpath / file), line=None if line is None else line + 1)
    report = replace(report, entries=kept, declared=report.declared or test)
    item.stash.setdefault(MADE, []).append(report)


def explain(report: Report) -> str:
    """The message of a failure."""
    accept = "To let it pass: allow_inconclusive=True, here or in @pytest.mark.gradcheck"
    return failure(report, f"{accept}, or --gradcheck-allow-inconclusive.")


def tidied(item: pytest.Item, error: BaseException) -> pytest.ExceptionInfo[BaseException]:
    """The error of a check, telling all that is known, and without our frames in its tracebacks."""
    if isinstance(error, GradientMismatch) and error.args == (error.report.headline,):
        report, command = error.report, command_of(item)
        if report.replay is None:  # made without the fixture
            report = replace(report, replay=command)
        also = "" if report.replay == command else f"\n  or      {command}"
        error.args = (explain(report) + also,)
    if not item.config.getoption("fulltrace"):
        for one in (error, error.__cause__):
            if one is not None:
                one.__traceback__ = pruned(one.__traceback__)
    return pytest.ExceptionInfo.from_exception(error)


def worst_of_examples(made: list[Report]) -> list[Report]:
    """Of the reports of a test that was called with many examples, for each check the worst, and of these the last.

    The last example of a test that fails is the one that was shrunk.
    """
    found: dict[Any, list[Report]] = {}
    for report in made:
        found.setdefault((report.kind, report.target, report.claim), []).append(report)
    kept = []
    for reports in found.values():
        worst = max(reversed(reports), key=lambda report: report.verdict)
        note = f"the {'worst' if worst.verdict else 'last'} of {len(reports):,} checks at points that Hypothesis drew"
        kept.append(replace(worst, notes=(*worst.notes, note)))
    return kept
