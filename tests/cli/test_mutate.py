"""gradcheck --mutate: the table, the JSON, and the exit code, which is that of the check."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck.cli.command import command
from gradcheck.repair.mutants import LEFT_OUT
from gradcheck.reporting.restore import restore

SOURCE = """import numpy as np
def f(x):
    return float(np.sum(np.sin(x)))
def g(x):
    d = np.cos(x)
    if x[0] > 50:
        d = -d
    return d
def wrong(x):
    return -np.cos(x)
def prints(x):
    print('hello')
    return np.cos(x)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "m.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code, and all that was written to either stream."""
    given = [str(folder / word) if word.startswith("m.py:") else word for word in arguments]
    result = CliRunner().invoke(command, given)
    return result.exit_code, result.output


def test_scores_of_a_report_survive_json(folder):
    code, said = run(folder, "m.py:f", "--grad", "m.py:g", "--dim", "3", "--mutate", "--format", "json")
    assert code == 0
    check = json.loads(said)["checks"][0]
    lines = restore(check).mutations
    assert [(one.where.line, one.noticed == one.made, one.ran) for one in lines] == [
        (5, True, True),
        (6, False, True),
        (7, False, False),
        (8, True, True),
    ]
    assert check["mutations"][2]["survivor"] == LEFT_OUT


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("--grad m.py:g", 0, "note        mutation: "),
        ("--grad m.py:wrong --no-fix", 1, "the claim is wrong as it stands (FAIL); mend it first"),
        ("--grad m.py:prints", 0, "mutation: no mutants were made: prints calls print (m.py:12)"),
    ],
)
def test_the_exit_code_stays_that_of_the_check(folder, line, code, said):
    ended, text = run(folder, "m.py:f", *line.split(), "--dim", "3", "--mutate")
    assert ended == code, text
    assert said in text


def test_the_table_has_each_line_with_the_first_mutant_that_passes(folder):
    _, text = run(folder, "m.py:f", "--grad", "m.py:g", "--dim", "3", "--mutate")
    rows = [line.split("  ") for line in text.splitlines() if line.strip().startswith("m.py:")]
    shown = {row[1].strip(): row[-1] for row in rows if len(row) > 3}
    assert shown["m.py:5"].split()[0] == shown["m.py:5"].split()[2]
    assert shown["m.py:7"].startswith("0 of")
    assert LEFT_OUT in text
    _, text = run(folder, "m.py:f", "--grad", "m.py:g", "--dim", "3", "--mutate", "--top", "1")
    assert "1 of 4 lines shown; --all shows them" in text
