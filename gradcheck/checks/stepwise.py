"""The check of a gradient by questions and answers: for a function that runs elsewhere, in a queue or in another language."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from gradcheck.checks.gradient import check_gradient
from gradcheck.errors import UsageError
from gradcheck.evaluation.asking import Awaited, Elsewhere
from gradcheck.evaluation.journal import ARRAY, NUMBER, Journal, Kept
from gradcheck.model import Report, Target
from gradcheck.wording import counted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradcheck.options.keywords import Keywords

REFUSED = ("plan", "reach", "jobs", "executor", "unpack", "wrt", "elementwise", "knob", "vectorized", "jit")


@dataclass(frozen=True, slots=True)
class Asked:
    """Points at which values are wanted.

    role: of 'f', a number each, or of 'grad', an array like x0 each.
    points: (K, *shape of x0).
    """

    role: str
    points: NDArray[Any]


def ask_and_tell(
    x0: ArrayLike,
    *,
    grad: Callable[..., Any] | None = None,
    **options: Unpack[Keywords],
) -> Generator[Asked, Sequence[Any], Report]:
    """The check of `check_gradient`, as a generator that yields what it wants to know and is sent the values.

    Args:
        x0: the point, an array of any shape.
        grad: the claimed gradient, if it can be called here; else it is asked for as f is.
        **options: see `Options`; `name` is that of the function, and with `journal` a later generator goes on where this
            one was.

    Yields:
        `Asked`; an answer is a value for each point, in their order, NaN where f has none.

    Returns:
        The `Report`, as the value of ``yield from``, or of `StopIteration`.

    Raises `UsageError` for options that make no sense here, and for an answer of another length or shape.
    """
    if given := next((option for option in REFUSED if options.get(option)), None):
        raise UsageError(f"{given} is of no use where f runs elsewhere; leave it out")
    name, journal = options.get("name") or "f", options.get("journal")
    with tempfile.TemporaryDirectory(prefix="gradcheck-") as folder:
        path = os.path.join(folder, "journal") if journal is None else os.fspath(journal)
        f, claim = Elsewhere("f"), grad if callable(grad) else Elsewhere("grad")
        shape = np.shape(x0)
        while True:
            try:
                more: Any = {**options, "throw": False, "fix": False, "journal": path, "name": name}
                report = check_gradient(f, claim, x0, **more)
            except Awaited as awaited:
                wanted = awaited
            else:
                return replace(
                    report, target=Target(name=name), claim=report.claim if claim is grad else Target(name="grad")
                )
            values = yield Asked(wanted.role, wanted.points.reshape(-1, *shape))
            _keep(path, wanted, _answers(wanted, values, shape))


def _answers(wanted: Awaited, values: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """The values, one for each point.  Raises `UsageError` where they do not fit."""
    count = len(wanted.points)
    one = () if wanted.role == "f" else shape
    try:
        answers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        answers = None
    if answers is None or answers.size != count * int(np.prod(one)) or (answers.ndim and len(answers) != count):
        came = "what is no array of numbers" if answers is None else f"an array of shape {answers.shape}"
        each = "one number each" if wanted.role == "f" else f"an array of shape {shape} each"
        raise UsageError(f"{counted(count, 'value')} of {wanted.role} were asked for, {each}; {came} came")
    return answers.reshape(count, *one)


def _keep(path: str, wanted: Awaited, answers: NDArray[Any]) -> None:
    journal = Journal(path)
    try:
        for key, value in zip(wanted.keys, answers, strict=True):
            journal.put(key, Kept(np.asarray(value), ARRAY if np.ndim(value) else NUMBER, 0.0))
        if journal.note:
            raise UsageError(journal.note)
    finally:
        journal.close()


__all__ = ["Asked", "ask_and_tell"]
