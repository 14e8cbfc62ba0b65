"""What a run is told by flags, by the ini file and by markers, and what is kept of it."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck.errors import UsageError
from gradcheck.options.keywords import KEYWORDS
from gradcheck.options.row import Face, Option, at, unknown
from gradcheck.options.values import Flag

if TYPE_CHECKING:
    from gradcheck.model import Report

DEFAULTS: pytest.StashKey[dict[str, Any]] = pytest.StashKey()  # of a run: keywords of checks that say nothing else
MADE = pytest.StashKey[list["Report"]]()  # by a test, since it was last reported on
RUNNING = pytest.StashKey[pytest.Item]()  # the test


# ---- flags and the ini file


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradcheck", "checking derivatives")
    for row in at(Face.PYTEST, KEYWORDS).values():
        text = f"{row.description}, for checks that do not say otherwise"
        if isinstance(row.values, Flag):
            _add_switch(parser, group, row.name, text)
        else:
            group.addoption(_flag(row), metavar=row.metavar, help=text)
            parser.addini(_key(row), f"the same as {_flag(row)}", default="")
    _add_watch(parser, group)
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


def _add_watch(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    text = "check the derivatives that tests hand to solvers such as scipy.optimize.minimize, and tell at the end"
    name = "gradcheck_watch"
    group.addoption("--gradcheck-watch", dest=name, action="store_const", const="tell", help=text)
    group.addoption(
        "--gradcheck-watch=error",
        dest=name,
        action="store_const",
        const="error",
        help="the same, and the run fails where one of them is wrong",
    )
    parser.addini(name, "the same as --gradcheck-watch: true, or error", default="")
    group.addoption(
        "--gradcheck-watch-budget",
        metavar="PERCENT",
        help="of the time that the tests take, which the watch may take beside; 7 by default",
    )
    parser.addini("gradcheck_watch_budget", "the same as --gradcheck-watch-budget", default="")
    group.addoption(
        "--gradcheck-watch-also",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="watch derivatives of this installed package, too, not only those of the project; * for all. Repeatable",
    )
    parser.addini("gradcheck_watch_also", "the same as --gradcheck-watch-also", type="args", default=[])
    ignored = "names of derivatives, or files, that are not watched; a pattern such as test_*.<lambda> on each line"
    parser.addini("gradcheck_watch_ignore", ignored, type="linelist", default=[])
    group.addoption(
        "--gradcheck-watch-write",
        metavar="FILE",
        help="write tests of the derivatives that were seen into this file, to keep",
    )


def _report_path(text: str) -> str:
    from gradcheck.reporting.formats import SUFFIXES, format_of

    form = format_of(text)
    if form is None:
        raise argparse.ArgumentTypeError(f"{text!r} does not end in one of {', '.join(SUFFIXES)}")
    try:
        form.require()
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _flag(row: Option) -> str:
    return row.flag.replace("--", "--gradcheck-", 1)


def _key(row: Option) -> str:
    return f"gradcheck_{row.name}"


def is_on(config: pytest.Config, name: str) -> bool:
    return bool(config.getoption(f"gradcheck_{name}") or config.getini(f"gradcheck_{name}"))


def defaults_of(config: pytest.Config) -> dict[str, Any]:
    """Keywords from flags or, where there is no flag, from the ini file."""
    found: dict[str, Any] = {}
    for name, row in at(Face.PYTEST, KEYWORDS).items():
        if isinstance(row.values, Flag):
            found |= {name: True} if is_on(config, name) else {}
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


def watch_mode(config: pytest.Config) -> str | None:
    """'tell' or 'error'; None if nothing is watched."""
    mode = config.getoption("gradcheck_watch")
    if mode is None:
        text = str(config.getini("gradcheck_watch")).strip().lower()
        modes = {"": None, "false": None, "no": None, "0": None, "true": "tell", "yes": "tell", "1": "tell"}
        modes |= {"tell": "tell", "error": "error"}
        if text not in modes:
            message = f"{config.inipath}: gradcheck_watch is {text!r}; it is true, false or error"
            raise pytest.UsageError(message)
        mode = modes[text]
    return None if config.getoption("collectonly") else mode


# ---- the marker, and a test by itself


def marked(item: pytest.Item) -> dict[str, Any]:
    """The keywords of the markers of a test; the closest one counts."""
    return {key: value for mark in reversed(list(item.iter_markers("gradcheck"))) for key, value in mark.kwargs.items()}


def require_valid_markers(item: pytest.Item) -> None:
    """Have a test fail whose markers say what is no option."""
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


def command_of(item: pytest.Item) -> str:
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
