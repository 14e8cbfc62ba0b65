"""Checks that pyproject.toml or setup.cfg declare, as tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck.errors import ConfigError, ExitCode
from gradcheck.pytest_plugin.fixture import explain, record
from gradcheck.pytest_plugin.options import DEFAULTS, command_of
from gradcheck.runner.config import find_checks

if TYPE_CHECKING:
    from gradcheck.runner.config import DeclaredCheck

DECLARED = pytest.StashKey[dict[Path, list["DeclaredCheck"]]]()  # by the file that declares them


def find(config: pytest.Config) -> None:
    """Look for declared checks, and let pytest collect the files that hold them."""
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
        from gradcheck.evaluation.tracebacks import formatted
        from gradcheck.runner.run import run

        outcome = run([self._check])
        for report in outcome.reports:
            record(self, report)
        if outcome.interrupted:
            raise KeyboardInterrupt
        if outcome.exit_code is ExitCode.PASS:
            return
        description = [str(error) for _, error in outcome.problems]
        description += [formatted(error.__cause__) for _, error in outcome.problems if error.__cause__ is not None]
        if not description:
            description = [explain(report) for report in outcome.reports if report.verdict]
        pytest.fail("\n\n".join(description) + f"\n  or      {command_of(self)}", pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"gradcheck {self.name}"
