"""Tracebacks of user code without the frames of this package: the user has no use for them."""

from __future__ import annotations

import os
from traceback import StackSummary, TracebackException
from types import TracebackType

from gradcheck.model import Target

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
DEEPEST = 20  # frames of a traceback that are put on record
HIDDEN = (PACKAGE, "<frozen ")
"""What the names of files begin with whose frames are not shown."""


def formatted(error: BaseException, *, all_frames: bool = False) -> str:
    """The traceback of an exception and of those behind it, as text.

    all_frames: our own as well, for a mistake of ours.
    """
    shown = TracebackException.from_exception(error)
    part: TracebackException | None = None if all_frames else shown
    while part is not None:
        part.stack = StackSummary.from_list([f for f in part.stack if not f.filename.startswith(HIDDEN)])
        part = part.__cause__ or part.__context__
    return "".join(shown.format())


def places(error: BaseException) -> tuple[Target, ...]:
    """Where user code was when it raised, the innermost last; no more than DEEPEST."""
    frames = TracebackException.from_exception(error).stack
    theirs = [f for f in frames if not f.filename.startswith((*HIDDEN, "<"))][-DEEPEST:]
    return tuple(Target(name=f.name, file=f.filename, line=f.lineno) for f in theirs)


def pruned(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without our frames."""
    theirs = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(PACKAGE):
            theirs.append(traceback)
        traceback = traceback.tb_next
    for one in reversed(theirs):
        traceback = TracebackType(traceback, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return traceback
