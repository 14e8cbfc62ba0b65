"""Where the process starts, and is split in two.

Nothing that takes time is imported up to there: the process that only watches needs little, and the other, forked off it,
pays for every page of memory that it gets from it and writes to.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

from gradcheck.cli import output
from gradcheck.cli.program import of_program
from gradcheck.cli.supervision import supervised
from gradcheck.errors import ExitCode

COMPLETE = "_GRADCHECK_COMPLETE"
"""The variable by which a shell asks for completions, under the name that click gives it."""


def main() -> NoReturn:
    """Run the command line on the arguments of the process.

    User code runs in a child, whose end cannot go unnoticed; but for a program that is watched: its standard streams,
    children and signals are its own.
    """
    arguments = sys.argv[1:]
    if instruction := os.environ.get(COMPLETE):
        from gradcheck.cli.command import complete

        sys.exit(complete(COMPLETE, instruction))
    if of_program(arguments)[1] is not None:
        sys.exit(_done(arguments))
    code = supervised(lambda: _done(arguments, for_good=True))
    output.give_up_stdout()
    sys.exit(code)


def _done(arguments: list[str], *, for_good: bool = False) -> int:
    """The exit code of what the arguments ask for.

    for_good: the process ends then, and runs nothing but checks.
    """
    try:
        if for_good:
            gc.disable()  # while modules are imported, which live as long as the process
        from gradcheck.cli.command import done

        return done(arguments, for_good=for_good)
    except KeyboardInterrupt:  # meanwhile; later ones are heard there
        output.say("interrupted")
        return ExitCode.INTERRUPTED


__all__ = ["main"]
