"""The table of options as click's parameters, what `--help`, `--explain` and `--version` print, and completion of words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli import output
from gradcheck.options.row import GROUPS, OTHER, Face, Option, at
from gradcheck.options.table import OPTIONS
from gradcheck.options.values import Choice, Flag, FlagOrNumber

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class _Typed(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 or so
    """The values of an option as click's type: one validator, one wording, for all faces."""

    def __init__(self, row: Option) -> None:
        self.row, self.name = row, row.name

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        return self.row.read(value) if isinstance(value, str) and not self.row.repeatable else value

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from gradcheck.cli import completion

        return completion.values(self.row.values, incomplete)


class TableOption(click.Option):
    """An option made of its row in the table."""

    def __init__(self, row: Option) -> None:
        flags, metavar = list(row.flags or (row.flag,)), row.metavar
        default = f"[default: {row.default_shown}]" if row.default_shown else ""
        more: dict[str, Any] = {"type": _Typed(row), "multiple": row.repeatable}
        if isinstance(row.values, Flag):
            negated = "" if row.default is False else f"/{row.negated}"
            flags, more = [*flags[:-1], flags[-1] + negated], {"is_flag": True}
        elif isinstance(row.values, FlagOrNumber):
            flags, more = [row.negated, *flags], more | {"is_flag": False, "flag_value": "true"}
        elif isinstance(row.values, Choice):
            metavar = f"[{'|'.join(row.values.words)}]"
        text = " ".join(filter(None, (row.help.replace("{f}", "TARGET"), default)))
        # What bears on a check must be known to have been given: its default is not click's to fill in.
        own = None if Face.CONFIG in row.where and row.default is not False else row.default
        super().__init__([*flags, row.name], metavar=metavar, default=own, help=text, **more)
        self.group = row.group


def with_values(args: list[str]) -> Iterator[str]:
    """The arguments, in which a flag that may take a number has its value: what follows it is a target otherwise."""
    optional = [row for row in OPTIONS.values() if isinstance(row.values, FlagOrNumber)]
    flags = {row.flag: True for row in optional} | {row.negated: False for row in optional}
    for k, argument in enumerate(args):
        if argument in flags:
            following = args[k + 1] if k + 1 < len(args) else ""
            number = flags[argument] and following.replace(".", "", 1).isdigit()
            row = next(row for row in optional if argument in (row.flag, row.negated))
            yield argument if number else f"{row.flag}={str(flags[argument]).lower()}"
        else:
            yield argument


def _print_help(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        output.emit(context.get_help() + "\n")
        context.exit()


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from gradcheck.version import __version__

    lines = [f"gradcheck {__version__}", f"Python {platform.python_version()}"]
    for name in ("numpy", "numba"):
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} is not installed")
    output.emit("\n".join(lines) + "\n")
    context.exit()


def _complete_target(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from gradcheck.cli import completion

    return completion.targets(incomplete)


def _print_explanation(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None or context.resilient_parsing:
        return
    from gradcheck.diagnosis.catalogue import explain, overview

    output.emit(output.folded(explain(value) if value else overview()))
    context.exit()


def _complete_kind(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from gradcheck.cli import completion

    return completion.kinds(incomplete)


_EXPLAIN = click.Option(
    ["--explain"],
    metavar="[KIND]",
    is_flag=False,
    flag_value="",
    expose_value=False,
    is_eager=True,
    callback=_print_explanation,
    shell_complete=_complete_kind,
    help="What a diagnosis or a finding means, with an example, and what to try; without KIND, the list of them.",
)
_WATCH = click.Option(
    ["--watch"],
    metavar="SCRIPT [ARGS]...",
    help="Run a program (or -m MODULE), and check the derivatives that it hands to solvers such as scipy.optimize.minimize. "
    "All that follows is the program's.",
)
_WATCH_BUDGET = click.Option(
    ["--watch-budget"],
    metavar="PERCENT",
    help="Of the time that the program takes, what --watch may take beside, and a moment at the start; 7 by default.",
)
_SWEEP = click.Option(
    ["--sweep"],
    metavar="PACKAGE",
    help="Check the functions and derivatives below a package whose names pair up, such as loss and gradient, fun and jac, "
    "forward and backward; with --list, tell which they are, and what of them cannot be called.",
)
_VERSION = click.Option(
    ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show versions."
)
_HELP = click.Option(
    ["-h", "--help"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_help,
    help="Show this message and exit.",
)

PARAMETERS: list[click.Parameter] = [
    click.Argument(["targets"], nargs=-1, metavar="[TARGET]...", shell_complete=_complete_target),
    *map(TableOption, at(Face.CLI, OPTIONS).values()),
    _SWEEP,
    _WATCH,
    _WATCH_BUDGET,
    _EXPLAIN,
    _VERSION,
    _HELP,
]


def format_options(parameters: list[click.Parameter], context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options under their headings."""
    for group in GROUPS:
        records = [
            record
            for option in parameters
            if isinstance(option, click.Option)
            and getattr(option, "group", OTHER) == group  # --help is click's own
            and (record := option.get_help_record(context)) is not None
        ]
        with formatter.section(group):
            formatter.write_dl(records)
