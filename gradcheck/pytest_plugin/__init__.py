"""The pytest plugin: the fixture and the marker ``gradcheck``, declared checks as tests, a summary, reports.

It is loaded in every project that has gradcheck installed: the hooks are here, and what they do is imported when it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from gradcheck.errors import GradcheckError, OutputError, let_through
from gradcheck.pytest_plugin.options import (
    DEFAULTS,
    MADE,
    RUNNING,
    add_options,
    command_of,
    defaults_of,
    is_on,
    require_valid_markers,
    watch_mode,
)

if TYPE_CHECKING:
    from gradcheck.model import Report
    from gradcheck.pytest_plugin.fixture import Gradcheck
    from gradcheck.pytest_plugin.watch import Watch


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    marker = (
        "gradcheck(rtol=..., points=..., ...): keywords for the checks that a test makes with the fixture gradcheck"
    )
    config.addinivalue_line("markers", marker)
    let_through(pytest.exit.Exception, pytest.skip.Exception, pytest.fail.Exception)
    config.stash[DEFAULTS] = defaults_of(config)
    if is_on(config, "declared"):
        from gradcheck.pytest_plugin import declared

        declared.find(config)
        config.pluginmanager.register(declared, "gradcheck-declared")
    summary = None
    if not hasattr(config, "workerinput"):  # under xdist, the controller alone sums up
        summary = _Summary(config)
        config.pluginmanager.register(summary, "gradcheck-summary")
    if mode := watch_mode(config):
        from gradcheck.pytest_plugin.watch import Watch

        watch = Watch(config, mode, running=lambda: config.stash.get(RUNNING, None), command=command_of)
        config.pluginmanager.register(watch, "gradcheck-watch")
        if summary is not None:
            summary.watch = watch


@pytest.fixture(scope="session")  # it keeps nothing of a test: Hypothesis may call one many times
def gradcheck(pytestconfig: pytest.Config) -> Gradcheck:
    """Check derivatives: gradcheck(f, grad, x0), gradcheck.hessian(f, hess, x0), .jacobian, .hvp, .jvp, .vjp."""
    from gradcheck.pytest_plugin.fixture import Gradcheck

    return Gradcheck(pytestconfig)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[RUNNING] = item
    require_valid_markers(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.excinfo is not None:
        from gradcheck.model import GradientMismatch

        if isinstance(call.excinfo.value, (GradcheckError, GradientMismatch)):
            from gradcheck.pytest_plugin.fixture import tidied

            call.excinfo = tidied(item, call.excinfo.value)
    report = yield
    made = item.stash.get(MADE, None)
    if made:
        import json

        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            from gradcheck.pytest_plugin.fixture import worst_of_examples

            made[:] = worst_of_examples(made)

        from gradcheck.reporting.json import to_dict

        # Text, because a test's report may have to travel from one process to another.
        report.__dict__["gradcheck"] = [json.dumps(check) for check in to_dict(made)["checks"]]
        made.clear()
    return report


class _Summary:
    """Collects the checks of a run, from all its processes; shows them and writes the reports at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reports: list[Report] = []
        self._blamed: list[Report] = []  # by tests that failed
        self.watch: Watch | None = None  # what it has seen goes into the files
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
