"""What came of the checks: printed, written into files, compared with a baseline."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gradcheck.cli import output
from gradcheck.errors import GradcheckError, UsageError
from gradcheck.options.row import Face, at
from gradcheck.options.table import OPTIONS
from gradcheck.options.values import Written
from gradcheck.reporting import files
from gradcheck.reporting.formats import FORMATS, Display, format_of

if TYPE_CHECKING:
    from gradcheck.model import Report
    from gradcheck.reporting.formats import Format
    from gradcheck.runner.run import Outcome


STDOUT = frozenset({"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


def require_distinct(options: dict[str, Any]) -> None:
    """Raises `UsageError` if two reports are to be written into one file."""
    taken: dict[str, str] = {}
    for name, row in at(Face.CLI, OPTIONS).items():
        path = options[name]
        if path is None or not isinstance(row.values, Written) or (os.path.exists(path) and not os.path.isfile(path)):
            continue  # a device takes what comes
        if other := taken.setdefault(os.path.realpath(path), row.flag).removeprefix(row.flag):
            raise UsageError(f"{other} and {row.flag} would both write {path}; name two files")


def say_problems(outcome: Outcome) -> None:
    from gradcheck.runner.run import InternalError

    for name, error in outcome.problems:
        internal = isinstance(error, InternalError)
        output.say_error(error, "" if name in str(error) else f"{name}: ", all_frames=internal)


def read_baseline(path: str | None) -> str | None:
    """The text of a baseline, found to be one before anything is checked."""
    if path is None:
        return None
    from gradcheck.runner.baseline import compare

    text = files.read_file(path, "baseline")
    compare([], text, source=path)
    return text


def added_to(reports: Sequence[Report], path: str | None) -> str:
    """What these reports make of the baseline at `path`, if there is one."""
    if path is None:
        return ""
    from gradcheck.runner.baseline import save_baseline

    return save_baseline(reports, files.read_file(path, "baseline") if os.path.isfile(path) else None, source=path)


def say_changes(outcome: Outcome, baseline: str | None, path: str | None) -> None:
    if baseline is not None and path is not None:
        from gradcheck.runner.baseline import compare

        for sentence in compare(outcome.reports, baseline, source=path):
            output.say(f"warning: {sentence}")


def require_formats(options: dict[str, Any]) -> None:
    """See that the formats asked for can be had, before anything is checked in vain."""
    for form in (_style(options), *(form for _, form in _beside(options))):
        form.require()


def write(outcome: Outcome, options: dict[str, Any], *, beside_only: bool = False) -> list[GradcheckError]:
    """Print the results and write the reports asked for; the errors of those that could not be written.

    beside_only: what would be printed has been told otherwise.
    """
    failures: list[GradcheckError] = []
    main, style = options["output"], _style(options)
    given = {key: options[key] for key in Display._fields if key in options and key != "color"}
    display = Display(**given, flags=True)
    if main is not None:
        with _collected(failures):
            _put(main, style.render(outcome.reports, display))
    if (main is None or failures) and not beside_only:
        with _collected(failures):
            output.emit(style.render(outcome.reports, display.on(output.stdout(), options["color"])))
    for path, form in _beside(options):
        with _collected(failures):
            _put(path, form.render(outcome.reports, display))
    if options["save_baseline"]:
        with _collected(failures):
            _put(options["save_baseline"], added_to(outcome.reports, options["save_baseline"]))
    if style.name == "github" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        from gradcheck.reporting.github import append_summary

        with _collected(failures):
            append_summary(summary, outcome.reports)
    if beside_only:
        return failures
    if style.name != "text" or main is not None:  # a person reads stderr, and a traceback is for persons
        for report in outcome.reports:
            if report.trouble:
                output.say(f"error: {report.name}: {report.headline}\n{report.trouble}")
    return failures


def _put(path: str, content: str | bytes) -> None:
    """Write a file; stdout by one of its names, which lead elsewhere by now, gets what it gets without."""
    if path in STDOUT:
        output.emit(content)
    else:
        files.write_file(path, content)


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
