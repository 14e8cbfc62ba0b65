"""The pytest plugin: the fixture and the marker ``gradcheck``, declared checks as tests, a summary, reports.

It is long because all that hangs on pytest's hooks is here, but for the watch, which is `gradcheck.pytest_watch`.  It is
loaded in every project that has gradcheck installed: nothing that takes time is imported at the top.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pytest

from gradcheck import pytest_watch
from gradcheck.errors import ConfigError, GradcheckError, OutputError, UsageError, UserCodeError, let_through
from gradcheck.options.keywords import KEYWORDS
from gradcheck.options.row import Face, Option, at, unknown
from gradcheck.options.values import Flag

if TYPE_CHECKING:
    from gradcheck.model import Report
    from gradcheck.options.keywords import Keywords
    from gradcheck.runner.config import DeclaredCheck

ENTRIES_KEPT = 200  # of each check, for --gradcheck-report

DEFAULTS: pytest.StashKey[dict[str, Any]] = pytest.StashKey()  # of a run: keywords of checks that say nothing else
DECLARED = pytest.StashKey[dict[Path, list["DeclaredCheck"]]]()  # by the file that declares them
MADE = pytest.StashKey[list["Report"]]()  # by a test, since it was last reported on
RUNNING = pytest.StashKey[pytest.Item]()  # the test


# ---- options


def _report_path(text: str) -> str:
    from gradcheck.errors import UsageError
    from gradcheck.reporting.formats import SUFFIXES, format_of

    form = format_of(text)
    if form is None:
        raise argparse.ArgumentTypeError(f"{text!r} does not end in one of {', '.join(SUFFIXES)}")
    try:
        form.require()
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradcheck", "checking derivatives")
    for row in at(Face.PYTEST, KEYWORDS).values():
        text = f"{row.description}, for checks that do not say otherwise"
        if isinstance(row.values, Flag):
            _add_switch(parser, group, row.name, text)
        else:
            group.addoption(_flag(row), metavar=row.metavar, help=text)
            parser.addini(_key(row), f"the same as {_flag(row)}", default="")
    pytest_watch.add_options(parser, group)
    _add_switch(parser, group, "declared", "run the checks declared in pyproject.toml or setup.cfg as tests")
    group.addoption(
        "--gradcheck-report",
        action="append",
        default=[],
        type=_report_path,
        metavar="FILE",
        help="write a report of all checks; its form follows from the name, as in r.html or r.json. Repeatable",
    )


def _add_switch(parser: pytest.Parser, group: pytest.OptionGroup, name: str, text: str) -> None:
    flag = f"--gradcheck-{name.replace('_', '-')}"
    group.addoption(flag, action="store_true", help=text)
    parser.addini(f"gradcheck_{name}", f"the same as {flag}", type="bool")


def _flag(row: Option) -> str:
    return row.flag.replace("--", "--gradcheck-", 1)


def _key(row: Option) -> str:
    return f"gradcheck_{row.name}"


def pytest_configure(config: pytest.Config) -> None:
    marker = (
        "gradcheck(rtol=..., points=..., ...): keywords for the checks that a test makes with the fixture gradcheck"
    )
    config.addinivalue_line("markers", marker)
    let_through(pytest.exit.Exception, pytest.skip.Exception, pytest.fail.Exception)
    config.stash[DEFAULTS] = _defaults(config)
    if _on(config, "declared"):
        _find_declared(config)
    summary = None
    if not hasattr(config, "workerinput"):  # under xdist, the controller alone sums up
        summary = _Summary(config)
        config.pluginmanager.register(summary, "gradcheck-summary")
    if mode := pytest_watch.mode_of(config):
        watch = pytest_watch.Watch(
            config, mode, running=lambda: config.stash.get(RUNNING, None), command=_pytest_command
        )
        config.pluginmanager.register(watch, "gradcheck-watch")
        if summary is not None:
            summary.watch = watch


def _on(config: pytest.Config, name: str) -> bool:
    return bool(config.getoption(f"gradcheck_{name}") or config.getini(f"gradcheck_{name}"))


def _defaults(config: pytest.Config) -> dict[str, Any]:
    """Keywords from flags or, where there is no flag, from the ini file."""
    found: dict[str, Any] = {}
    for name, row in at(Face.PYTEST, KEYWORDS).items():
        if isinstance(row.values, Flag):
            found |= {name: True} if _on(config, name) else {}
            continue
        text, source = config.getoption(_key(row)), _flag(row)
        if text is None:
            text, source = str(config.getini(_key(row))).strip(), f"{config.inipath}: {_key(row)}"
        if text or source == _flag(row):
            try:
                found[name] = row.read(text, source)
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None
    return found


# ---- the fixture and the marker


class Gradcheck:
    """Checks derivatives within a test: ``gradcheck(f, grad, x0)``, ``.hessian(…)``, ``.jacobian(…)``, ``.hvp(…)``.

    The keywords are those of `gradcheck.check_gradient`, `check_hessian` and so on.  One that is not given is taken
    from the marker ``gradcheck``, else from the command line, else from the ini file.  All return the `Report`, and
    raise as those functions do.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def __call__(
        self, f: Callable[..., Any], grad: Callable[..., Any] | str | None, x0: Any, **options: Unpack[Keywords]
    ) -> Report:
        """Compare a claimed gradient, or 'autograd', with differences of f."""
        return self._made("gradient", f, grad, x0, options)

    def hessian(self, f: Callable[..., Any], hess: Callable[..., Any], x0: Any, **options: Unpack[Keywords]) -> Report:
        """Compare a claimed Hessian with differences of ``grad=`` or, without it, of f."""
        return self._made("hessian", f, hess, x0, options)

    def jacobian(
        self, func: Callable[..., Any], jac: Callable[..., Any] | str, x0: Any, **options: Unpack[Keywords]
    ) -> Report:
        """Compare a claimed Jacobian with differences of func."""
        return self._made("jacobian", func, jac, x0, options)

    def hvp(self, f: Callable[..., Any], hvp: Any, x0: Any, **options: Unpack[Keywords]) -> Report:
        """Compare claimed products of Hessian and vector with differences of ``grad=`` or, without it, of f."""
        return self._made("hvp", f, hvp, x0, options)

    def jvp(self, func: Callable[..., Any], jvp: Any, x0: Any, **options: Unpack[Keywords]) -> Report:
        """Compare claimed products of Jacobian and vector with differences of func."""
        return self._made("jvp", func, jvp, x0, options)

    def vjp(self, func: Callable[..., Any], vjp: Any, x0: Any, **options: Unpack[Keywords]) -> Report:
        """Compare claimed products of transposed Jacobian and vector with differences of func."""
        return self._made("vjp", func, vjp, x0, options)

    def _made(self, kind: str, f: Any, claim: Any, x0: Any, given: Mapping[str, Any]) -> Report:
        from gradcheck.checks.kinds import checker
        from gradcheck.checks.replay import command
        from gradcheck.model import Kind, raise_for

        item = self._config.stash[RUNNING]
        options = {"name": item.nodeid} | item.config.stash[DEFAULTS] | _marked(item) | dict(given)
        report = checker(Kind(kind))(f, claim, x0, **{**options, "throw": False})
        report = replace(report, replay=command(report, f, claim, options, x0) or _pytest_command(item))
        _record(item, report)
        if not options.get("throw", True):
            return report
        try:
            raise_for(report, allow_inconclusive=options.get("allow_inconclusive", False))
        except UserCodeError as error:
            raise UserCodeError(explain(report), error.kind) from None
        return report


@pytest.fixture(scope="session")  # it keeps nothing of a test: Hypothesis may call one many times
def gradcheck(pytestconfig: pytest.Config) -> Gradcheck:
    """Check derivatives: gradcheck(f, grad, x0), gradcheck.hessian(f, hess, x0), .jacobian, .hvp, .jvp, .vjp."""
    return Gradcheck(pytestconfig)


def _marked(item: pytest.Item) -> dict[str, Any]:
    """The keywords of the markers of a test; the closest one counts."""
    return {key: value for mark in reversed(list(item.iter_markers("gradcheck"))) for key, value in mark.kwargs.items()}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[RUNNING] = item
    marks = list(item.iter_markers("gradcheck"))
    if not marks:
        return
    known = at(Face.MARKER, KEYWORDS)
    for mark in marks:
        if mark.args:
            pytest.fail("@pytest.mark.gradcheck takes keywords only, as in gradcheck(rtol=1e-4)", pytrace=False)
        for key, value in mark.kwargs.items():
            try:
                if key not in known:
                    raise UsageError(unknown("keyword", key, known))
                known[key].check(value)
            except UsageError as error:
                pytest.fail(f"@pytest.mark.gradcheck: {error}", pytrace=False)


# ---- declared checks as tests


def _find_declared(config: pytest.Config) -> None:
    """Look for declared checks, and let pytest collect the files that hold them."""
    from gradcheck.runner.config import find_checks

    try:
        checks = find_checks(config.rootpath)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    if not checks:
        where = f"pyproject.toml or setup.cfg of {config.rootpath} or above"
        raise pytest.UsageError(f"--gradcheck-declared: no [[tool.gradcheck.checks]] or [gradcheck:NAME] in {where}")
    by_file: dict[Path, list[DeclaredCheck]] = {}
    for check in checks:
        by_file.setdefault(Path(check.file).resolve(), []).append(check)
    config.stash[DECLARED] = by_file
    named = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    config.args += [str(file) for file in by_file if not any(file.is_relative_to(path) for path in named)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DeclaredFile | None:
    declared = parent.config.stash.get(DECLARED, None)
    if declared is None or file_path.resolve() not in declared:
        return None
    return DeclaredFile.from_parent(parent, path=file_path)


class DeclaredFile(pytest.File):
    """A pyproject.toml or setup.cfg with declared checks."""

    def collect(self) -> Iterator[DeclaredItem]:
        for check in self.config.stash[DECLARED][self.path.resolve()]:
            yield DeclaredItem.from_parent(self, name=check.name, check=check)


class DeclaredItem(pytest.Item):
    """A declared check, of one or several derivatives."""

    def __init__(self, *, check: DeclaredCheck, **more: Any) -> None:
        super().__init__(**more)
        self._check = replace(check, options=self.config.stash[DEFAULTS] | dict(check.options))
        self.add_marker("gradcheck")

    def runtest(self) -> None:
        from gradcheck.errors import ExitCode
        from gradcheck.evaluation.tracebacks import formatted
        from gradcheck.runner.run import run

        outcome = run([self._check])
        for report in outcome.reports:
            _record(self, report)
        if outcome.interrupted:
            raise KeyboardInterrupt
        if outcome.exit_code is ExitCode.PASS:
            return
        description = [str(error) for _, error in outcome.problems]
        description += [formatted(error.__cause__) for _, error in outcome.problems if error.__cause__ is not None]
        if not description:
            description = [explain(report) for report in outcome.reports if report.verdict]
        pytest.fail("\n\n".join(description) + f"\n  or      {_pytest_command(self)}", pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"gradcheck {self.name}"


# ---- what is shown of a test


def explain(report: Report) -> str:
    """The message of a failure."""
    from gradcheck.reporting.brief import failure

    accept = "To let it pass: allow_inconclusive=True, here or in @pytest.mark.gradcheck"
    return failure(report, f"{accept}, or --gradcheck-allow-inconclusive.")


def _pytest_command(item: pytest.Item) -> str:
    """What repeats this test, typed where pytest was started."""
    file, colons, rest = item.nodeid.partition("::")
    with contextlib.suppress(ValueError):  # another drive
        file = os.path.relpath(item.path, item.config.invocation_params.dir).replace(os.sep, "/")
    option = item.config.option
    words = ["pytest", file + colons + rest]
    for row in at(Face.PYTEST, KEYWORDS).values():
        if row.measures and (value := getattr(option, _key(row))) not in (None, False):
            words += [_flag(row)] if value is True else [_flag(row), value]
    return shlex.join([*words, *(["--gradcheck-declared"] if option.gradcheck_declared else [])])


def _record(item: pytest.Item, report: Report) -> None:
    from gradcheck.model import Target

    kept = tuple(entry for entry, _ in zip(report.entries, range(ENTRIES_KEPT), strict=False))
    file, line, _ = item.location
    test = Target(name=item.nodeid, file=str(item.config.rootpath / file), line=None if line is None else line + 1)
    report = replace(report, entries=kept, declared=report.declared or test)
    item.stash.setdefault(MADE, []).append(report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.excinfo is not None:
        call.excinfo = _tidied(item, call.excinfo)
    report = yield
    made = item.stash.get(MADE, None)
    if made:
        import json

        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            made[:] = _of_examples(made)

        from gradcheck.reporting.json import to_dict

        # Text, because a test's report may have to travel from one process to another.
        report.__dict__["gradcheck"] = [json.dumps(check) for check in to_dict(made)["checks"]]
        made.clear()
    return report


def _of_examples(made: list[Report]) -> list[Report]:
    """Of the reports of a test that was called with many examples, for each check the worst, and of these the last.

    The last example of a test that fails is the one that was shrunk.
    """
    found: dict[Any, list[Report]] = {}
    for report in made:
        found.setdefault((report.kind, report.target, report.claim), []).append(report)
    kept = []
    for reports in found.values():
        worst = max(reversed(reports), key=lambda report: report.verdict)
        note = f"the {'worst' if worst.verdict else 'last'} of {len(reports):,} checks at points that Hypothesis drew"
        kept.append(replace(worst, notes=(*worst.notes, note)))
    return kept


def _tidied(item: pytest.Item, raised: pytest.ExceptionInfo[BaseException]) -> pytest.ExceptionInfo[BaseException]:
    """An error; that of a check tells all that is known, and is without our frames in its tracebacks."""
    from gradcheck.model import GradientMismatch

    error = raised.value
    if not isinstance(error, (GradcheckError, GradientMismatch)):
        return raised
    if isinstance(error, GradientMismatch) and error.args == (error.report.headline,):
        report, command = error.report, _pytest_command(item)
        if report.replay is None:  # made without the fixture
            report = replace(report, replay=command)
        also = "" if report.replay == command else f"\n  or      {command}"
        error.args = (explain(report) + also,)
    if not item.config.getoption("fulltrace"):
        from gradcheck.evaluation.tracebacks import pruned

        for one in (error, error.__cause__):
            if one is not None:
                one.__traceback__ = pruned(one.__traceback__)
    return pytest.ExceptionInfo.from_exception(error)


# ---- the summary of a run


class _Summary:
    """Collects the checks of a run, from all its processes; shows them and writes the reports at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reports: list[Report] = []
        self._blamed: list[Report] = []  # by tests that failed
        self.watch: pytest_watch.Watch | None = None  # what it has seen goes into the files
        self._failures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        made: list[str] | None = getattr(report, "gradcheck", None)
        if made:
            import json

            from gradcheck.reporting.restore import restore

            reports = [restore(json.loads(text)) for text in made]
            self._reports += reports
            self._blamed += reports if report.failed else []

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        paths: list[str] = self._config.getoption("gradcheck_report")
        if not paths or self._config.getoption("collectonly"):
            return
        from gradcheck.reporting.files import write_file
        from gradcheck.reporting.formats import Display, format_of

        watched = () if self.watch is None else self.watch.reports
        display = Display(allow_inconclusive="allow_inconclusive" in self._config.stash[DEFAULTS])
        for path in paths:
            form = format_of(path)
            assert form is not None  # _report_path has seen to it
            try:
                write_file(path, form.render([*self._reports, *watched], display))
            except OutputError as error:
                self._failures.append(str(error))
        if self._failures and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        quiet = self._config.getoption("verbose") < -1
        if self._failures or (self._reports and not quiet):
            terminalreporter.section("gradcheck")
        if self._reports and not quiet:
            import sys

            from gradcheck.reporting.brief import table

            width = self._config.get_terminal_writer().fullwidth if terminalreporter.isatty else None
            for line in table(self._reports, width, getattr(sys.stdout, "encoding", None) or "utf-8"):
                terminalreporter.write_line(line)
        for failure in self._failures:
            terminalreporter.write_line(f"error: {failure}", red=True)
        if self._blamed and os.environ.get("GITHUB_ACTIONS") == "true":
            from gradcheck.reporting.github import render

            terminalreporter.write_line(render(self._blamed))  # which the runner takes out of the log
