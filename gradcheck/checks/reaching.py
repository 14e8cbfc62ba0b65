"""The keyword ``reach`` of every check: the check as without it, then at points that run lines that never ran."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from gradcheck.checks.check import CheckRun
from gradcheck.errors import GradcheckError, UsageError
from gradcheck.evaluation.sources import describe
from gradcheck.model import Kind, Verdict, raise_for
from gradcheck.options.keywords import KEYWORDS, Options

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradcheck.model import Report

    Array = NDArray[np.float64]

P = ParamSpec("P")
Keywords = Mapping[str, Any]

OF_ENGINES: dict[str, Any] = {"jobs": 1, "executor": None, "jit": False, "journal": None, "progress": None}


def reachable(kind: Kind) -> Callable[[Callable[P, Report]], Callable[P, Report]]:
    """Gives a check, called with f, the claim and x0 first, the keyword ``reach``."""

    def decorate(check: Callable[P, Report]) -> Callable[P, Report]:
        @functools.wraps(check)
        def checked(*given: P.args, **keywords: P.kwargs) -> Report:
            if not keywords.get("reach"):
                return check(*given, **keywords)
            names = list(inspect.signature(check).parameters)[:3]
            places: dict[str, Any] = {**dict(zip(names, given, strict=False)), **keywords}
            f, claim, x0 = (places.pop(name, None) for name in names)
            return _reached(check, kind, f, claim, x0, places)

        return checked

    return decorate


def _reached(
    check: Callable[..., Report], kind: Kind, f: Callable[..., Any], claim: Any, x0: Any, keywords: Keywords
) -> Report:
    """A check with ``reach=True``, called as check(f, claim, x0, **keywords)."""
    from gradcheck.evaluation.recording import Recorder  # of use to those alone who ask for it
    from gradcheck.reach.elsewhere import Elsewhere

    settings = Options(**{key: value for key, value in keywords.items() if key in KEYWORDS})
    if settings.journal is not None:
        raise UsageError("reach watches f while it runs, and a journal keeps it from running; give one of the two")
    started = time.perf_counter()
    recorder = Recorder([describe(call).file for call in (f, claim) if callable(call)])
    quiet = {**keywords, "reach": False, "throw": False}
    with recorder:
        report = check(f, claim, x0, **quiet)
    if recorder.refused:
        report = replace(report, notes=(*report.notes, f"lines were not recorded: {recorder.refused}"))
    elif report.verdict is Verdict.PASS and not report.interrupted:
        run = CheckRun(kind, f, claim if callable(claim) else f, x0, replace(settings, throw=False, **OF_ENGINES))

        def at(x: Array, *, trial: bool = True) -> Report | None:
            fix = False if trial else settings.fix
            try:
                with recorder:
                    return check(f, claim, run.layout.argument(x.copy()), **{**quiet, "fix": fix})
            except GradcheckError:  # a step that has no effect there, say
                return None

        report = Elsewhere(
            report,
            recorder,
            _calls(run, f, claim),
            run.flat.astype(run.flat.dtype),
            check=at,
            test=lambda x: _test(run, f, claim, x, quiet),
            bounds=run.bounds,
            options=settings,
            started=started,
        ).report()
    if settings.throw:
        raise_for(report, allow_inconclusive=settings.allow_inconclusive)
    return report


def _calls(run: CheckRun, f: Callable[..., Any], claim: Any) -> dict[str, Callable[[Any], Any]]:
    """f and the claim as functions of the flat vector; a product is asked for along a vector of ones."""
    layout, kind = run.layout, run.draft.kind
    scalar = kind in (Kind.GRADIENT, Kind.HESSIAN, Kind.HVP) and not run.options.elementwise
    function = run.function(f, role="f" if scalar else "func", scalar=scalar).call
    if not callable(claim):  # f gives it as well, or what is asked of a framework runs the lines of f
        return dict.fromkeys(("f", "claim"), lambda x: function(layout.argument(x)))
    derivative = run.vector_claim(claim, kind.key).call

    def ones(x: Any) -> Any:
        if kind is Kind.VJP:
            return np.ones_like(np.asarray(function(layout.argument(x)), dtype=np.float64))
        return layout.argument(np.ones_like(x))

    product = kind in (Kind.HVP, Kind.JVP, Kind.VJP)
    return {
        "f": lambda x: function(layout.argument(x)),
        "claim": lambda x: derivative(layout.argument(x), *((ones(x),) if product else ())),
    }


def _test(run: CheckRun, f: Callable[..., Any], claim: Any, x: Array, keywords: Keywords) -> str | None:
    """The check at a point as a test to paste."""
    from gradcheck.reach.pasted import pasted

    given = {key: value for key, value in keywords.items() if _is_said(key, value)}
    return pasted(run.draft.kind, f, claim, run.layout.argument(x.copy()), given)


def _is_said(key: str, value: Any) -> bool:
    """Whether a keyword has to be given again where the check is repeated."""
    if key in ("reach", "throw", "name", *OF_ENGINES):
        return False
    return value is not None and (key not in KEYWORDS or value not in (KEYWORDS[key].default, ()))
