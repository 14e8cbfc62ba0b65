"""``pytest --gradcheck-watch``: the derivatives that tests hand to solvers, checked while they run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck.errors import OutputError, UsageError

if TYPE_CHECKING:
    from gradcheck.model import Report


class Watch:
    """Watches what tests hand to solvers, in this process, and gathers what other processes have seen.

    mode: 'tell', or 'error', where the run fails for what is wrong.
    running: the test that runs now.
    command: what repeats a test.
    """

    def __init__(
        self,
        config: pytest.Config,
        mode: str,
        *,
        running: Callable[[], pytest.Item | None],
        command: Callable[[pytest.Item], str],
    ) -> None:
        from gradcheck.watch.session import Session
        from gradcheck.watch.shared import Meeting

        self._config, self._mode, self._running, self._command = config, mode, running, command
        self._written: str | None = config.getoption("gradcheck_watch_write")
        self._roots = {str(config.rootpath)}
        self._also = {*config.getoption("gradcheck_watch_also"), *config.getini("gradcheck_watch_also")}
        self._outcomes: dict[str, str] = {}
        self._excluded = 0
        self._inline = False
        worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._meeting = Meeting(None if worker is None else worker.get("gradcheck_watch"))
        self._session = Session(
            share=_share(config),
            mine=self._mine,
            ignore=tuple(config.getini("gradcheck_watch_ignore")),
            known=self._known(),
            first=self._meeting.first,
            caller=self._caller,
            again=lambda _: self._again(),
        )
        self._session.begin()

    def _caller(self) -> str | None:
        item = self._running()
        return None if item is None else item.nodeid

    def _again(self) -> str:
        item = self._running()
        return f"{'pytest' if item is None else self._command(item)} --gradcheck-watch"

    def _mine(self, file: str) -> bool:
        """Whether a derivative in this file is the project's, or that of a package whose tests run."""
        from gradcheck.watch.shared import belongs

        return belongs(file, self._roots, self._also)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        from gradcheck.watch.shared import package_of

        self._roots |= {root for folder in {item.path.parent for item in items} if (root := package_of(folder))}

    # ---- what passed in earlier runs

    def _known(self) -> frozenset[str]:
        cache = getattr(self._config, "cache", None)
        found = [] if cache is None else cache.get("gradcheck/watch", [])
        return frozenset(found if isinstance(found, list) else [])

    def _remember(self) -> None:
        from gradcheck.watch.outcome import Class

        cache = getattr(self._config, "cache", None)
        if cache is not None:
            right = {o.lasting for o in self.outcomes if o.category is Class.RIGHT}
            cache.set("gradcheck/watch", sorted(right | self._known()))

    # ---- from one process to another

    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["gradcheck_watch"] = self._meeting.place()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        try:
            return (yield)
        finally:
            self._session.settle()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if self._session.told:
            report.__dict__["gradcheck_watch"] = [(outcome.key, outcome.to_json()) for outcome in self._session.news()]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._take(getattr(report, "gradcheck_watch", ()))

    def pytest_testnodedown(self, node: Any, error: object) -> None:
        left = getattr(node, "workeroutput", {}).get("gradcheck_watch")
        if left:
            self._take(left["outcomes"])
            self._excluded += left["excluded"]
            self._inline |= left["inline"]

    def _take(self, news: Iterable[tuple[str, str]]) -> None:
        """Outcomes as text, by their keys."""
        self._outcomes.update(dict(news))

    # ---- the end

    @property
    def outcomes(self) -> list[Any]:
        """What all processes have seen."""
        from gradcheck.watch.outcome import from_json

        return [from_json(text) for text in self._outcomes.values()]

    @property
    def reports(self) -> tuple[Report, ...]:
        """The worst of each pair, for files."""
        from gradcheck.watch import summary

        return summary.reports(self.outcomes)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        from gradcheck.watch.outcome import Class

        self._session.end()
        news = [(outcome.key, outcome.to_json()) for outcome in self._session.news()]
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            own = self._session
            output["gradcheck_watch"] = {"outcomes": news, "excluded": own.left_out, "inline": own.inline}
            return
        self._take(news)
        self._excluded += self._session.left_out
        self._inline |= self._session.inline
        outcomes = self.outcomes
        self._remember()
        wrong = any(outcome.category in (Class.WRONG, Class.WRITES) for outcome in outcomes)
        if wrong and self._mode == "error" and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self._meeting.close()

    def pytest_unconfigure(self) -> None:
        self._session.end()
        self._meeting.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        from gradcheck.watch import summary
        from gradcheck.watch.outcome import Class

        outcomes = self.outcomes
        if self._written:
            from gradcheck.watch.written import write

            try:
                terminalreporter.write_line(write(outcomes, self._written))
            except OutputError as error:
                terminalreporter.write_line(f"error: {error}", red=True)
        quiet = self._config.getoption("verbose") < -1
        bad = any(outcome.category is Class.WRONG for outcome in outcomes)
        if quiet and not bad:
            return
        terminalreporter.write_sep("=", "gradcheck watch")
        told = summary.lines(
            outcomes,
            excluded=self._excluded,
            inline=self._inline,
            budget="--gradcheck-watch-budget gives more",
        )
        for line in told:
            terminalreporter.write_line(line, red=line.startswith("WRONG"))


def _share(config: pytest.Config) -> float:
    """What the watch may take of the time of the tests."""
    from gradcheck.watch.budget import SHARE, share_of

    text, source = config.getoption("gradcheck_watch_budget"), "--gradcheck-watch-budget"
    if text is None:
        text, source = str(config.getini("gradcheck_watch_budget")).strip(), f"{config.inipath}: gradcheck_watch_budget"
        if not text:
            return SHARE
    try:
        return share_of(text, source)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
