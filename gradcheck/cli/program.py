"""Which arguments of the command line are ours, and which those of a program that is watched."""

from __future__ import annotations


def of_program(args: list[str]) -> tuple[list[str], list[str] | None]:
    """The arguments that are ours, and those from ``--watch`` on, which are those of a program; None without it."""
    for k, argument in enumerate(args):
        if argument == "--":
            break
        if argument == "--watch":
            return args[:k], args[k + 1 :]
        if argument.startswith("--watch="):
            return args[:k], [argument.removeprefix("--watch="), *args[k + 1 :]]
    return args, None
