"""A check by questions and answers: for a function that runs elsewhere, in a queue or in another language."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from gradcheck.checks.kinds import checker
from gradcheck.errors import UsageError, UserCodeError
from gradcheck.evaluation.asking import Awaited, Elsewhere
from gradcheck.evaluation.journal import ARRAY, NUMBER, Journal, Kept
from gradcheck.model import Kind, Report, Target
from gradcheck.variables.flat import lay_out
from gradcheck.wording import counted, quoted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.options.keywords import Keywords
    from gradcheck.variables.layout import Layout

REFUSED = (
    *(
        "plan",
        "reach",
        "jobs",
        "executor",
        "isolate",
        "unpack",
        "elementwise",
        "knob",
        "on",
        "convention",
        "vectorized",
    ),
    *("jit", "fast"),
)
TOLD = "told"
"""What stands in the place of a derivative whose values are asked for as those of f are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Points at which values are wanted.

    role: of 'f', a number each; 'func', an array each; 'grad', an array or a tree like x0; 'jac', m × n; or 'hess', n × n.
    points: (K, *shape of x0); K trees where x0 is one.
    """

    role: str
    points: Any


def ask_and_tell(
    x0: ArrayLike,
    *,
    grad: Callable[..., Any] | str | None = None,
    jac: Callable[..., Any] | str | None = None,
    hess: Callable[..., Any] | str | None = None,
    **options: Unpack[Keywords],
) -> Generator[Asked, Sequence[Any], Report]:
    """A check of a function that is called elsewhere, as a generator that yields what it wants to know and is sent the values.

    Args:
        x0: the point, an array of any shape or a tree of arrays.
        grad: the claimed gradient, if it can be called here; 'told' if it is asked for as f is, which is so if no derivative
            is given at all.
        jac: the claimed Jacobian of a function with array values, likewise.
        hess: the claimed Hessian, likewise; differenced from `grad` if that is given, too.
        **options: see `Options`; `name` is that of the function, and with `journal` a later generator goes on where this
            one was.

    Yields:
        `Asked`; an answer is a value for each point, in their order, NaN where f has none.

    Returns:
        The `Report`, as the value of ``yield from``, or of `StopIteration`.

    Raises `UsageError` for options that make no sense here, and for an answer of another length or shape.
    """
    if given := next((option for option in REFUSED if options.get(option) not in (None, False, 1)), None):
        raise UsageError(f"{given} is of no use where f runs elsewhere; leave it out")
    layout, _ = lay_out(x0, wrt=options.get("wrt"))
    if layout.imaginary is not None:
        raise UsageError(
            "x0 is complex, and values are asked for at real points; take real and imaginary parts for variables"
        )
    kind, claims = _stated({"grad": grad, "jac": jac, "hess": hess}, layout)
    f = Elsewhere("func" if kind is Kind.JACOBIAN else "f", layout)
    name, journal = options.get("name") or "f", options.get("journal")
    with tempfile.TemporaryDirectory(prefix="gradcheck-") as folder:
        path = os.path.join(folder, "journal") if journal is None else os.fspath(journal)
        while True:
            try:
                more: Any = {**options, **claims, "throw": False, "fix": False, "journal": path, "name": name}
                report = checker(kind)(f, x0=x0, **more)
            except Awaited as awaited:
                wanted = awaited
            else:
                claim = Target(name=kind.key) if isinstance(claims[kind.key], Elsewhere) else report.claim
                return replace(report, target=Target(name=name), claim=claim)
            points = wanted.points
            laid_out = (
                [layout.argument(point) for point in points] if layout.leaves else points.reshape(-1, *np.shape(x0))
            )
            values = yield Asked(wanted.role, laid_out)
            _keep(path, wanted, _answers(wanted, values, layout))


def _stated(given: dict[str, Any], layout: Layout) -> tuple[Kind, dict[str, Any]]:
    """Which derivative is checked, and what stands for the claims.  Raises `UsageError`."""
    claims = {role: claim for role, claim in given.items() if claim is not None} or {"grad": TOLD}
    for role, claim in claims.items():
        if claim != TOLD and not callable(claim):
            raise UsageError(f"{role} is {quoted(claim)}; give a function that can be called here, or {TOLD!r}")
        claims[role] = Elsewhere(role, layout) if claim == TOLD else claim
    if "jac" in claims:
        if len(claims) > 1:
            raise UsageError(
                "jac is for a function with array values, and grad and hess for numbers; leave one of them out"
            )
        return Kind.JACOBIAN, claims
    return (Kind.HESSIAN if "hess" in claims else Kind.GRADIENT), claims


def _answers(wanted: Awaited, values: Any, layout: Layout) -> list[NDArray[Any]]:
    """The values, one for each point.  Raises `UsageError` where they do not fit."""
    count, role = len(wanted.points), wanted.role
    asked = f"{counted(count, 'value')} of {role} {'was' if count == 1 else 'were'} asked for"
    if role == "grad" and layout.leaves:
        if not isinstance(values, (list, tuple)) or len(values) != count:
            raise UsageError(f"{asked}, a tree like x0 each; a list of as many is wanted")
        try:
            return [layout.numbers(value, role) for value in values]
        except UserCodeError as error:
            raise UsageError(f"{asked}, a tree like x0 each; {error}") from None
    one = {"f": (), "grad": layout.given}.get(role)
    try:
        answers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        answers = None
    fits = answers is not None and (answers.ndim == 0 or len(answers) == count)
    if (
        answers is None
        or not fits
        or answers.size % count
        or (one is not None and answers.size != count * int(np.prod(one)))
    ):
        came = "what is no array of numbers" if answers is None else f"an array of shape {answers.shape}"
        each = {"f": "one number each", "grad": f"an array of shape {one} each"}.get(role, "an array each")
        raise UsageError(f"{asked}, {each}; {came} came")
    return list(answers.reshape(count, *(answers.shape[1:] if one is None else one)))


def _keep(path: str, wanted: Awaited, answers: Sequence[NDArray[Any]]) -> None:
    journal = Journal(path)
    try:
        for key, value in zip(wanted.keys, answers, strict=True):
            journal.put(key, Kept(np.asarray(value), ARRAY if np.ndim(value) else NUMBER, 0.0))
        if journal.note:
            raise UsageError(journal.note)
    finally:
        journal.close()


__all__ = ["TOLD", "Asked", "ask_and_tell"]
