"""The command line: from the words that were typed to checks, and to an exit code, whatever happens in between.

Nothing else is imported at the top that takes time: ``--help`` and a mistyped option answer without numpy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gradcheck.cli import output, results, supervision
from gradcheck.cli.parameters import PARAMETERS, format_options, with_values
from gradcheck.cli.program import of_program
from gradcheck.cli.startup import import_for_good
from gradcheck.errors import ExitCode, GradcheckError, UsageError

if TYPE_CHECKING:
    from gradcheck.cli.progress import Progress
    from gradcheck.runner.config import DeclaredCheck
    from gradcheck.runner.run import Outcome

EXAMPLES = """\
Examples:
  gradcheck mymodule:f --grad mymodule:g --dim 100
  gradcheck mymodule.py:f --grad mymodule.py:g --shape 20x3 --bounds 0:1
  gradcheck mymodule:f --grad mymodule:g --hess mymodule:h --point x0.npy
  gradcheck mymodule:f_and_g --value-and-grad --point "0.5, -1, 2" --points 5
  gradcheck mymodule:residuals --jac mymodule:jacobian --dim 30
  gradcheck mymodule:loss --grad mymodule:dloss --var W=20x3 --var b=20
  gradcheck mypackage                    every @gradcheck.derivative_of below it
  gradcheck --format github --junit gradcheck.xml      all declared checks, in CI
  gradcheck --watch fit.py --data x.csv  what a program hands to its solvers
  gradcheck --sweep mypackage            what pairs up by name: loss and gradient, fun and jac, …

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


class _Command(click.Command):
    """A command with grouped help, and with exit codes of ours for all that can end it."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        format_options(self.get_params(context), context, formatter)

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\n{EXAMPLES}")

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **_: Any) -> NoReturn:  # type: ignore[override]
        """Run on `args`, by default those of the process, and exit.  click's own would exit 1 for a closed pipe."""
        sys.exit(done(sys.argv[1:] if args is None else args))

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        ours, program = of_program(args)
        rest = super().parse_args(context, list(with_values(ours)))
        context.params["watch"] = program
        return rest


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


def done(arguments: Sequence[str], *, for_good: bool = False) -> int:
    """Do what the arguments ask for, and return the exit code.

    for_good: the process is there for that, and ends then.
    """

    def made() -> int:
        with command.make_context("gradcheck", list(arguments)) as context:
            if for_good:
                supervision.at(" ".join(context.params["targets"]))
                output.take_stdout()
                import_for_good()
            return int(command.invoke(context))

    return _guarded(made)


def complete(variable: str, instruction: str) -> int:
    """Print what a shell needs to complete words, or the words, and return the exit code."""
    from click.shell_completion import shell_complete

    return shell_complete(command, {}, "gradcheck", variable, instruction)


@click.command(
    "gradcheck",
    cls=_Command,
    context_settings={"max_content_width": 100},
    add_help_option=False,  # click's own would end in a traceback where stdout is a full disk
    params=PARAMETERS,
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
    results.require_distinct(options)
    program, budget = options.pop("watch"), options.pop("watch_budget")
    if program is not None:
        return _watch(program, budget, targets, options)
    if budget is not None:
        raise UsageError("--watch-budget belongs to --watch, as in gradcheck --watch-budget 20 --watch fit.py")
    outcome = Outcome()
    given = given_options(options)
    if (package := options.pop("sweep")) is not None:
        return _sweep(package, targets, given, options, outcome)
    if options["ask"] or options["tell"]:
        return _asked(targets, given, options, outcome)
    with output.diverted():
        checks = select(targets, given, outcome)
    if options["list_only"]:
        return _list(checks, outcome)
    return _run(checks, given, options, outcome)


def _asked(targets: Sequence[str], given: dict[str, Any], options: dict[str, Any], outcome: Outcome) -> int:
    """A step of the check of a function that runs elsewhere."""
    from gradcheck.cli.asking import step

    with output.diverted():
        report = step(targets, given, options["ask"], options["tell"])
    if report is None:
        return ExitCode.UNDECIDED
    outcome.add(report, allow_inconclusive=bool(given.get("allow_inconclusive")))
    for failure in results.write(outcome, options):
        output.say_error(failure)
    return outcome.exit_code


def _require_folder() -> None:
    """Raises `UsageError` if the working directory has been removed: paths and configuration start there."""
    try:
        os.getcwd()
    except OSError as error:
        raise UsageError(f"the working directory cannot be told: {error.strerror}; change to one that exists") from None


def _watch(program: Sequence[str], budget: str | None, targets: Sequence[str], options: dict[str, Any]) -> int:
    """Run a program, check what it hands to solvers, and tell when it is through; its own exit code counts first.

    budget: what checks may take of the program's time, in percent.
    """
    import shlex

    from gradcheck.runner.run import Outcome
    from gradcheck.watch import summary
    from gradcheck.watch.budget import SHARE, share_of
    from gradcheck.watch.outcome import Class
    from gradcheck.watch.script import run

    if targets:
        raise UsageError(f"--watch runs a program, and {targets[0]!r} before it is none of its arguments; remove it")
    results.require_formats(options)
    share = SHARE if budget is None else share_of(budget, "--watch-budget")
    session, code = run(program, shlex.join(["gradcheck", "--watch", *program]), share)
    outcomes = list(session.outcomes.values())
    told = summary.lines(
        outcomes, excluded=session.left_out, inline=session.inline, budget="--watch-budget before --watch gives more"
    )
    outcome = Outcome()
    outcome.reports += summary.reports(outcomes)
    plain = options["style"] is None and options["output"] is None
    if not options["quiet"] or any(one.category is not Class.RIGHT for one in outcomes):
        output.say("gradcheck: " + "\n".join(told))
    failures = results.write(outcome, options, beside_only=plain)
    for failure in failures:
        output.say_error(failure)
    wrong = any(one.category in (Class.WRONG, Class.WRITES) for one in outcomes) and not options["exit_zero"]
    return code or (ExitCode.FAIL if wrong else ExitCode.USAGE if failures else ExitCode.PASS)


def _sweep(
    package: str, targets: Sequence[str], given: dict[str, Any], options: dict[str, Any], outcome: Outcome
) -> int:
    """Check what pairs up by name below a package, and tell what of it cannot be called."""
    import shlex

    from gradcheck.cli.selection import swept
    from gradcheck.wording import counted

    if targets:
        raise UsageError(f"--sweep takes one package, and {targets[0]!r} beside it is none of its checks; remove it")
    with output.diverted():
        found = swept(package, given, outcome)
    if not found.checks and not found.uncalled and not found.problems:
        raise UsageError(
            f"--sweep {package}: no names of functions and derivatives pair up there, such as loss and gradient"
        )
    if options["list_only"] or options["verbose"]:
        for name, reason in found.uncalled:
            output.say(f"not called: {name}: {reason}")
    elif found.uncalled and not options["quiet"]:
        pairs = counted(len(found.uncalled), "more pair")
        output.say(f"{pairs} of names cannot be called; gradcheck --sweep {package} --list says why")
    if options["list_only"]:
        return _list(found.checks, outcome)
    again = shlex.join(["gradcheck", "--sweep", package])
    return _run(found.checks, given, options, outcome, lambda check, report=None: again)


def _list(checks: Sequence[DeclaredCheck], outcome: Outcome) -> int:
    lines = [f"{check.name}  {', '.join(kind.value for kind in check.claims)}  ({check.source})\n" for check in checks]
    output.emit("".join(lines))
    results.say_problems(outcome)
    return outcome.exit_code


def _run(
    checks: Sequence[DeclaredCheck],
    given: dict[str, Any],
    options: dict[str, Any],
    outcome: Outcome,
    again: Callable[..., str] | None = None,
) -> int:
    """Make the checks, print and write what came of them, and return the exit code.

    again: what repeats a check, where that is not its name and the options given.
    """
    from gradcheck.checks.replay import replay
    from gradcheck.runner.run import run

    results.require_formats(options)
    baseline = results.read_baseline(options["baseline"])
    # What is no baseline is not written over, and nothing is checked in vain.
    results.added_to([], options["save_baseline"])
    if options["plan"]:
        checks = [replace(check, options={**check.options, "plan": True}) for check in checks]
    with output.diverted():
        run(
            checks,
            progress=_progress(options),
            self_test=options["self_test"],
            mutate=options["mutate"],
            replay=again or replay(given),
            outcome=outcome,
        )
    results.say_problems(outcome)
    failures = results.write(outcome, options)
    results.say_changes(outcome, baseline, options["baseline"])
    for failure in failures:
        output.say_error(failure)
    if outcome.interrupted:
        output.say(
            "interrupted" + ("" if outcome.reports else ": nothing is known yet") + _how_to_go_on(checks, outcome)
        )
        return ExitCode.INTERRUPTED
    code = outcome.exit_code
    if options["exit_zero"] and code in (ExitCode.FAIL, ExitCode.UNDECIDED):
        code = ExitCode.PASS
    return code or (ExitCode.USAGE if failures else ExitCode.PASS)


def _how_to_go_on(checks: Sequence[DeclaredCheck], outcome: Outcome) -> str:
    """What makes good use of what was evaluated by then or, of a slow function, would have."""
    journals = {check.option("journal") for check in checks} - {None}
    if journals:
        return f"; the same command again goes on from {' and '.join(sorted(journals))}, and repeats no evaluation"
    slow = any(report.plan is not None for report in outcome.reports)
    return "; with --journal FILE, the same command would go on from here" if slow else ""


def _progress(options: dict[str, Any]) -> Progress:
    from gradcheck.cli.progress import Progress

    terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    shown = not options["quiet"] and sys.stderr is not None and (terminal or options["verbose"])
    said = None if options["quiet"] or options["plan"] else sys.stderr
    return Progress(sys.stderr if shown else None, live=terminal, said=said)
