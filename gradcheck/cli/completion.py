"""The words that a shell may complete a command line with."""

from __future__ import annotations

import contextlib

from click.shell_completion import CompletionItem

from gradcheck.errors import GradcheckError
from gradcheck.options.functions import Target
from gradcheck.options.places import Point
from gradcheck.options.values import Choice, File, Values


def values(possible: Values, incomplete: str) -> list[CompletionItem]:
    """The values of an option that begin so; files, for the shell to look for, where one may be a file."""
    if isinstance(possible, Choice):
        return [CompletionItem(word) for word in possible.words if word.startswith(incomplete)]
    if isinstance(possible, (File, Point, Target)):
        return [CompletionItem(incomplete, type="file")]
    return []


def targets(incomplete: str) -> list[CompletionItem]:
    """The names of declared checks that begin so; else files."""
    from gradcheck.runner.config import find_checks

    with contextlib.suppress(GradcheckError):
        names = [check.name for check in find_checks() if check.name.startswith(incomplete)]
        if names:
            return [CompletionItem(name) for name in names]
    return [CompletionItem(incomplete, type="file")]


def kinds(incomplete: str) -> list[CompletionItem]:
    """The kinds of diagnoses and findings that begin so."""
    from gradcheck.diagnosis.catalogue import KINDS

    return [CompletionItem(kind) for kind in KINDS if kind.startswith(incomplete)]
