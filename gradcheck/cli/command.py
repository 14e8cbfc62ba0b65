"""The command line: its options, how they become checks, and what is printed where.  The only importer of click.

Nothing else is imported at the top that takes time: ``--help`` and a mistyped option answer without numpy.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.shell_completion import CompletionItem, shell_complete

from gradcheck.cli import output
from gradcheck.cli.supervision import supervised
from gradcheck.errors import ExitCode, GradcheckError, UsageError
from gradcheck.options.row import GROUPS, OTHER, Face, Option, at
from gradcheck.options.table import OPTIONS
from gradcheck.options.values import Choice, File, Flag, Point, Target, Written
from gradcheck.reporting import files
from gradcheck.reporting.formats import FORMATS, Display, Format, format_of

if TYPE_CHECKING:
    from gradcheck.cli.progress import Progress
    from gradcheck.model import Report
    from gradcheck.runner.config import DeclaredCheck
    from gradcheck.runner.run import Outcome


COMPLETE = (
    "_GRADCHECK_COMPLETE"  # the variable by which a shell asks for completions, under the name that click gives it
)
EXAMPLES = """\
Examples:
  gradcheck mymodule:f --grad mymodule:g --dim 100
  gradcheck mymodule.py:f --grad mymodule.py:g --shape 20x3 --bounds 0:1
  gradcheck mymodule:f --grad mymodule:g --hess mymodule:h --point x0.npy
  gradcheck mymodule:f_and_g --value-and-grad --point "0.5, -1, 2" --points 5
  gradcheck mymodule:residuals --jac mymodule:jacobian --dim 30
  gradcheck mypackage                    every @gradcheck.derivative_of below it
  gradcheck --format github --junit gradcheck.xml      all declared checks, in CI

T is module:attr, module:object.attr or path/to/file.py:attr: any callable.

Exit codes:
  0    every derivative is right
  1    a derivative is wrong
  2    the command line, a target or the configuration is wrong
  3    no judgement: inconclusive, or the checked code failed
  130  interrupted; what was known by then is printed

Completion of words, for bash, zsh (zsh_source) and fish (fish_source), as in ~/.bashrc:
  eval "$(_GRADCHECK_COMPLETE=bash_source gradcheck)"
"""


class _Typed(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 or so
    """The values of an option as click's type: one validator, one wording, for all faces."""

    def __init__(self, row: Option) -> None:
        self.row, self.name = row, row.name

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        return self.row.read(value) if isinstance(value, str) and not self.row.repeatable else value

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        if isinstance(self.row.values, Choice):
            return [CompletionItem(word) for word in self.row.values.words if word.startswith(incomplete)]
        if isinstance(self.row.values, (File, Point, Target)):
            return [CompletionItem(incomplete, type="file")]
        return []


class _Option(click.Option):
    """An option made of its row in the table."""

    def __init__(self, row: Option) -> None:
        flags, metavar = list(row.flags or (row.flag,)), row.metavar
        default = f"[default: {row.default_shown}]" if row.default_shown else ""
        more: dict[str, Any] = {"type": _Typed(row), "multiple": row.repeatable}
        if isinstance(row.values, Flag):
            negated = "" if row.default is False else f"/{row.negated}"
            flags, more = [*flags[:-1], flags[-1] + negated], {"is_flag": True}
        elif isinstance(row.values, Choice):
            metavar = f"[{'|'.join(row.values.words)}]"
        text = " ".join(filter(None, (row.help.replace("{f}", "TARGET"), default)))
        # What bears on a check must be known to have been given: its default is not click's to fill in.
        own = None if Face.CONFIG in row.where and row.default is not False else row.default
        super().__init__([*flags, row.name], metavar=metavar, default=own, help=text, **more)
        self.group = row.group


class _Command(click.Command):
    """A command with grouped help, and with exit codes of ours for all that can end it."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for group in GROUPS:
            records = [
                record
                for option in self.get_params(context)
                if isinstance(option, click.Option)
                and getattr(option, "group", OTHER) == group  # --help is click's own
                and (record := option.get_help_record(context)) is not None
            ]
            with formatter.section(group):
                formatter.write_dl(records)

    def get_help_option(self, context: click.Context) -> click.Option | None:
        option = super().get_help_option(context)
        if option is not None:
            option.callback = _print_help  # click's own would end in a traceback where stdout is a full disk
        return option

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\n{EXAMPLES}")

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **_: Any) -> NoReturn:  # type: ignore[override]
        """Run on `args`, by default those of the process, and exit.  click's own would exit 1 for a closed pipe."""
        if args is None and (instruction := os.environ.get(COMPLETE)):
            sys.exit(shell_complete(self, {}, "gradcheck", COMPLETE, instruction))
        code = _guarded(lambda: self._made(list(args))) if args is not None else _guarded(self._supervised)
        if args is None:
            output.give_up_stdout()
        sys.exit(code)

    def _made(self, arguments: list[str]) -> int:
        with self.make_context("gradcheck", arguments) as context:
            return int(self.invoke(context))

    def _supervised(self) -> int:
        """As the process that was started: user code runs in a child, whose end cannot go unnoticed."""
        with self.make_context("gradcheck", sys.argv[1:]) as context:

            def made() -> int:
                _import_for_good()
                return int(self.invoke(context))

            return supervised(lambda: _guarded(made), " ".join(context.params["targets"]))


def _guarded(work: Callable[[], int]) -> int:
    """Do the work; every way in which it can end has a code, and none but a wrong derivative has 1."""
    try:
        return work()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        output.say(f"error: {error.format_message()} (gradcheck --help shows the options)")
        return ExitCode.USAGE
    except GradcheckError as error:
        output.say_error(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        output.say("interrupted")
        return ExitCode.INTERRUPTED
    except BaseException as error:  # a mistake of ours, or SystemExit of code we did not know we would run
        import traceback

        output.say(f"internal error, please report it: {type(error).__name__}: {error}\n{traceback.format_exc()}")
        return ExitCode.UNDECIDED


def _import_for_good() -> None:
    """Import what checks need, numpy above all, and look for no garbage in it ever: it lives as long as the process.

    Else the search for garbage when the process ends would take a tenth of a short run.
    """
    import_module("gradcheck.cli.selection")
    gc.freeze()


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
    """The names of declared checks that begin so; else files."""
    from gradcheck.runner.config import find_checks

    with contextlib.suppress(GradcheckError):
        names = [check.name for check in find_checks() if check.name.startswith(incomplete)]
        if names:
            return [CompletionItem(name) for name in names]
    return [CompletionItem(incomplete, type="file")]


def _print_explanation(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None or context.resilient_parsing:
        return
    from gradcheck.diagnosis.catalogue import explain, overview

    output.emit(output.folded(explain(value) if value else overview()))
    context.exit()


def _complete_kind(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from gradcheck.diagnosis.catalogue import KINDS

    return [CompletionItem(kind) for kind in KINDS if kind.startswith(incomplete)]


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
_VERSION = click.Option(
    ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show versions."
)


@click.command(
    "gradcheck",
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[
        click.Argument(["targets"], nargs=-1, metavar="[TARGET]...", shell_complete=_complete_target),
        *map(_Option, at(Face.CLI, OPTIONS).values()),
        _EXPLAIN,
        _VERSION,
    ],
)
def command(targets: tuple[str, ...], **options: Any) -> int:
    """Is this derivative right?

    Compares claimed derivatives of TARGET with differences of its values, and says of every entry whether the claim is
    right, wrong, or beyond what can be measured; if it is wrong, where and why.

    TARGET is a callable (a T, see below), the name of a declared check, or a package whose decorated derivatives are
    all checked; of the last two, there may be several. Without TARGET, every check declared in pyproject.toml or
    setup.cfg runs.
    """
    from gradcheck.cli.selection import given_options, select
    from gradcheck.runner.run import Outcome

    _require_folder()
    _require_distinct(options)
    outcome = Outcome()
    given = given_options(options)
    with output.diverted():
        checks = select(targets, given, outcome)
    if options["list_only"]:
        return _list(checks, outcome)
    return _run(checks, given, options, outcome)


def _require_folder() -> None:
    """Raises `UsageError` if the working directory has been removed: paths and configuration start there."""
    try:
        os.getcwd()
    except OSError as error:
        raise UsageError(f"the working directory cannot be told: {error.strerror}; change to one that exists") from None


def _require_distinct(options: dict[str, Any]) -> None:
    """Raises `UsageError` if two reports are to be written into one file."""
    taken: dict[str, str] = {}
    for name, row in at(Face.CLI, OPTIONS).items():
        path = options[name]
        if path is None or not isinstance(row.values, Written) or (os.path.exists(path) and not os.path.isfile(path)):
            continue  # a device takes what comes
        if other := taken.setdefault(os.path.realpath(path), row.flag).removeprefix(row.flag):
            raise UsageError(f"{other} and {row.flag} would both write {path}; name two files")


def main() -> NoReturn:
    """Run the command line on the arguments of the process."""
    command.main()


def _list(checks: Sequence[DeclaredCheck], outcome: Outcome) -> int:
    lines = [f"{check.name}  {', '.join(kind.value for kind in check.claims)}  ({check.source})\n" for check in checks]
    output.emit("".join(lines))
    _say_problems(outcome)
    return outcome.exit_code


def _run(
    checks: Sequence[DeclaredCheck],
    given: dict[str, Any],
    options: dict[str, Any],
    outcome: Outcome,
) -> int:
    """Make the checks, print and write what came of them, and return the exit code."""
    from gradcheck.runner.replay import replay
    from gradcheck.runner.run import run

    for form in (_style(options), *(form for _, form in _beside(options))):
        form.require()  # before anything is checked in vain
    baseline = _read_baseline(options["baseline"])
    _added_to([], options["save_baseline"])  # what is no baseline is not written over, and nothing is checked in vain
    with output.diverted():
        run(
            checks,
            progress=_progress(options),
            self_test=options["self_test"],
            replay=replay(given),
            outcome=outcome,
        )
    _say_problems(outcome)
    failures = _write(outcome, options)
    _say_changes(outcome, baseline, options["baseline"])
    for failure in failures:
        output.say_error(failure)
    if outcome.interrupted:
        output.say("interrupted" + ("" if outcome.reports else ": nothing is known yet"))
        return ExitCode.INTERRUPTED
    code = outcome.exit_code
    if options["exit_zero"] and code in (ExitCode.FAIL, ExitCode.UNDECIDED):
        code = ExitCode.PASS
    return code or (ExitCode.USAGE if failures else ExitCode.PASS)


def _progress(options: dict[str, Any]) -> Progress:
    from gradcheck.cli.progress import Progress

    terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    shown = not options["quiet"] and sys.stderr is not None and (terminal or options["verbose"])
    return Progress(sys.stderr if shown else None, live=terminal)


def _say_problems(outcome: Outcome) -> None:
    from gradcheck.runner.run import InternalError

    for name, error in outcome.problems:
        internal = isinstance(error, InternalError)
        output.say_error(error, "" if name in str(error) else f"{name}: ", all_frames=internal)


def _read_baseline(path: str | None) -> str | None:
    """The text of a baseline, found to be one before anything is checked."""
    if path is None:
        return None
    from gradcheck.runner.baseline import compare

    text = files.read_file(path, "baseline")
    compare([], text, source=path)
    return text


def _added_to(reports: Sequence[Report], path: str | None) -> str:
    """What these reports make of the baseline at `path`, if there is one."""
    if path is None:
        return ""
    from gradcheck.runner.baseline import save_baseline

    return save_baseline(reports, files.read_file(path, "baseline") if os.path.isfile(path) else None, source=path)


def _say_changes(outcome: Outcome, baseline: str | None, path: str | None) -> None:
    if baseline is not None and path is not None:
        from gradcheck.runner.baseline import compare

        for sentence in compare(outcome.reports, baseline, source=path):
            output.say(f"warning: {sentence}")


def _write(outcome: Outcome, options: dict[str, Any]) -> list[GradcheckError]:
    """Print the results and write the reports asked for; the errors of those that could not be written."""
    failures: list[GradcheckError] = []
    main, style = options["output"], _style(options)
    display = Display(**{key: options[key] for key in Display._fields if key in options and key != "color"})
    if main is not None:
        with _collected(failures):
            files.write_file(main, style.render(outcome.reports, display))
    if main is None or failures:
        with _collected(failures):
            output.emit(style.render(outcome.reports, display.on(sys.stdout, options["color"])))
    for path, form in _beside(options):
        with _collected(failures):
            files.write_file(path, form.render(outcome.reports, display))
    if options["save_baseline"]:
        with _collected(failures):
            files.write_file(options["save_baseline"], _added_to(outcome.reports, options["save_baseline"]))
    if style.name == "github" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        from gradcheck.reporting.github import append_summary

        with _collected(failures):
            append_summary(summary, outcome.reports)
    if style.name != "text" or main is not None:  # a person reads stderr, and a traceback is for persons
        for report in outcome.reports:
            if report.trouble:
                output.say(f"error: {report.name}: {report.headline}\n{report.trouble}")
    return failures


def _style(options: dict[str, Any]) -> Format:
    """The format of the main report: as asked for, or as the name of its file ends."""
    named = options["output"] and format_of(options["output"])
    return FORMATS[options["style"]] if options["style"] else named or FORMATS["text"]


def _beside(options: dict[str, Any]) -> list[tuple[str, Format]]:
    """The files to write besides the main report, and their formats."""
    wanted = [(options[form.name], form) for form in FORMATS.values() if options.get(form.name)]
    picture = options["plot"] and format_of(options["plot"])
    return [*wanted, (options["plot"], picture)] if picture else wanted


@contextlib.contextmanager
def _collected(failures: list[GradcheckError]) -> Iterator[None]:
    """Keep the error of an output that cannot be written, so that the others still are."""
    try:
        yield
    except GradcheckError as failure:
        failures.append(failure)
