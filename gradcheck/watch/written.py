"""The pairs that a watch has met, as tests to keep: a file that needs nothing but the functions that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from gradcheck.reporting.files import write_file
from gradcheck.watch.outcome import Class, Outcome
from gradcheck.wording import counted

HEAD = '''"""Derivatives that were handed to solvers, each checked where it was called.  Written by gradcheck."""

import shlex

import pytest

from gradcheck.cli.command import command as gradcheck


@pytest.mark.parametrize(
    "command",
    [
{rows}    ],
)
def test_derivative(command, capsys):
    with pytest.raises(SystemExit) as ended:
        gradcheck.main(shlex.split(command)[1:])
    assert ended.value.code == 0, "".join(capsys.readouterr())
'''
UNNAMED = "# Not by themselves, because a function of theirs has no name by which it can be found:\n"


def write(outcomes: Sequence[Outcome], path: str) -> str:
    """Write the tests, and say how many there are.  Raises `OutputError`."""
    rows, unnamed = "", ""
    tests = 0
    for outcome in outcomes:
        if outcome.category in (Class.OPEN, Class.UNSEEN):
            continue
        command = outcome.command
        told = f"{outcome.kind} {outcome.name}, {outcome.category.value}, handed over by {outcome.caller}"
        told = re.sub(r"\s+", " ", told)
        if command:
            tests += 1
            rows += f"        {json.dumps(command, ensure_ascii=False)},  # {told}\n"
        else:
            unnamed += f"# {told}\n"
    text = HEAD.format(rows=rows)
    write_file(path, text + (f"\n\n{UNNAMED}{unnamed}" if unnamed else ""))
    return f"wrote {counted(tests, 'test')} to {path}" + (
        f"; {counted(unnamed.count(chr(10)), 'pair')} could not be named" if unnamed else ""
    )
