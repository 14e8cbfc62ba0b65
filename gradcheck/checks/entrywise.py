"""Every entry of a derivative compared within a check, in pieces, so that not much is lost where that ends early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck.methods.plain import PlainLook, fits
from gradcheck.model import Method
from gradcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradcheck.checks.check import CheckRun
    from gradcheck.evaluation.claims import Block
    from gradcheck.evaluation.function import Function
    from gradcheck.methods.problem import Problem
    from gradcheck.methods.results import Comparison
    from gradcheck.variables.layout import Layout

SHOWN = 5  # fixed variables named in a note
RESUMED = 16  # columns compared at a time where there is a journal, however quick f is
PIECE = 1.0  # seconds of comparing after which what is known is put on record


def survey(run: CheckRun, problem: Problem, blocks: Iterable[Block]) -> None:
    """Compare every entry."""
    function = problem.function

    def at_complex_points(layout: Layout) -> Function:
        return run.function(function.call, role=function.role, scalar=False, at=layout)

    pieces = in_pieces(run, function, blocks)
    if run.draft.method is Method.COMPLEX_STEP:
        from gradcheck.checks.complex.step import surveyed

        if surveyed(run.draft, problem, run.watcher, pieces, at_complex_points):
            return
    compared = _compared(run, problem, pieces)
    run.accept(problem, compared)
    if compared.inconclusive and function.layout is run.layout and not run.watcher.stopped:
        from gradcheck.checks.complex.step import offer

        offer(run.draft, problem, compared, at_complex_points)


def _compared(run: CheckRun, problem: Problem, pieces: Iterator[Block]) -> Comparison:
    """What came of comparing every entry: plainly, if the claim lets expect that, or else once f is measured."""
    known = run.known
    asked = run.options.eps is not None or run.options.budget is not None  # which may end before f is measured
    if known is not None or asked or not fits(problem):
        return run.surveyor(problem, None if known is None else known.evaluate).survey(pieces)
    blocks = list(pieces)
    look = PlainLook(problem, run.watcher)
    compared = look.compared(blocks)
    if compared is None:
        return look.suited().survey(blocks)
    run.draft.noise = look.error()
    return compared


def in_pieces(run: CheckRun, function: Function, blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks, cut so that not much is lost when the budget ends or Ctrl-C comes."""
    width = pairs_at_once(run, function)
    for block in _but_for_fixed(run, blocks):
        count = len(block.columns)
        if width >= count:
            yield block
        else:
            yield from (block.part(low, low + width) for low in range(0, count, width))


def pairs_at_once(run: CheckRun, function: Function) -> int:
    """How many pairs of points are evaluated and compared before what is known is put on record."""
    if run.options.journal is not None and function.seconds > 0:
        # A journal loses nothing; what is ordinary is learnt piece by piece, and a resumed check must learn it alike.
        return function.at_once * RESUMED
    budget = run.options.budget
    patience = PIECE if budget is None else min(PIECE, budget / 10)
    return function.at_once * max(1, int(patience / max(2 * function.seconds, 1e-9)))


def _but_for_fixed(run: CheckRun, blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks without the columns of variables that their bounds fix."""
    if run.fixed is None:
        yield from blocks
        return
    bound = run.fixed if run.held is None else run.fixed & ~run.held
    names = [run.layout.name(int(i)) for i in np.flatnonzero(bound)[:SHOWN]]
    if names:
        count = int(np.count_nonzero(bound))
        listed = ", ".join(names) + (", …" if count > SHOWN else "")
        note = f"{counted(count, 'variable')} fixed by bounds, not varied and not compared: {listed}"
        run.draft.notes.append(note)
    for block in blocks:
        free = ~run.fixed[block.columns]
        if free.any():
            yield block if free.all() else block.of(free)


__all__ = ["in_pieces", "pairs_at_once", "survey"]
