"""A changed tree as a change of text: small, with comments and formatting kept, and what the tree means."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gradcheck.repair.patch import changed_text, fix_of
from gradcheck.repair.program import rebuilt
from gradcheck.repair.source import Definition, plain

BEFORE = '''\
import numpy as np


def grad(x, lam=0.5):
    """Of f."""
    g = np.zeros_like( x )   # odd spacing
    for k in range(len(x)):
        g[k] = 2*A[k] @ x  # the row
    g += lam * (x
                - 1)
    return g


square = lambda x: x**2 + 1  # a lambda
'''


def definition(text: str, name: str = "grad") -> Definition:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return Definition(None, node, "module.py", tuple(text.split("\n")[:-1]), False)  # type: ignore[arg-type]
        if isinstance(node, ast.Lambda) and name == "<lambda>":
            return Definition(None, node, "module.py", tuple(text.split("\n")[:-1]), False)  # type: ignore[arg-type]
    raise AssertionError


def find(tree: ast.AST, text: str) -> Any:
    return next(node for node in ast.walk(tree) if isinstance(node, (ast.expr, ast.stmt)) and ast.unparse(node) == text)


def after(old: str, new: str | list[str], name: str = "grad") -> str:
    where = definition(BEFORE, name)
    tree = plain(where.node)
    made: Any = ast.parse(new, mode="eval").body if isinstance(new, str) else [ast.parse(s).body[0] for s in new]
    lines = changed_text(where, tree, rebuilt(tree, {find(tree, old): made}))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("old", "new", "line_before", "line_after"),
    [
        ("2 * A[k] @ x", "3 * A[k].T @ x", "        g[k] = 2*A[k] @ x  # the row", "        g[k] = 3*A[k].T @ x  # the row"),
        ("A[k]", "A[k + 1]", "        g[k] = 2*A[k] @ x  # the row", "        g[k] = 2*A[k + 1] @ x  # the row"),
        ("2", "2 + n", "        g[k] = 2*A[k] @ x  # the row", "        g[k] = (2 + n)*A[k] @ x  # the row"),
        ("np.zeros_like(x)", "np.ones_like(x)", "    g = np.zeros_like( x )   # odd", "    g = np.ones_like( x )   # odd"),
        ("len(x)", "len(x) - 1", "    for k in range(len(x)):", "    for k in range(len(x) - 1):"),
    ],
)  # fmt: skip
def test_an_expression_changes_as_little_as_possible(old: str, new: str, line_before: str, line_after: str) -> None:
    assert after(old, new) == BEFORE.replace(line_before, line_after)


def test_a_term_put_around_an_expression_keeps_its_text() -> None:
    assert "        g[k] = (2*A[k] @ x + b) / n  # the row\n" in after("2 * A[k] @ x", "(2 * A[k] @ x + b) / n")


def test_an_expression_of_several_lines() -> None:
    assert "    g += 2 * lam * (x\n                - 1)\n" in after("lam * (x - 1)", "2 * lam * (x - 1)")


def test_statements_change_are_added_and_go() -> None:
    statement = "g[k] = 2 * A[k] @ x"
    assert "        g[k] += 2*A[k] @ x  # the row\n" in after(statement, ["g[k] += 2 * A[k] @ x"])
    added = after(statement, [statement, "g[k] /= n"])
    assert added == BEFORE.replace("# the row\n", "# the row\n        g[k] /= n\n")
    assert after("g += lam * (x - 1)", []) == BEFORE.replace("    g += lam * (x\n                - 1)\n", "")
    assert "        pass  # the row\n" in after(statement, ["pass"])


def test_a_lambda() -> None:
    assert "square = lambda x: 2 * x + 1  # a lambda\n" in after("x ** 2", "2 * x", "<lambda>")


def test_columns_count_characters_beyond_ascii() -> None:
    text = "def grad(x):\n    ä = 'ö'; return 2 * x  # ü\n"
    where = definition(text)
    tree = plain(where.node)
    new = rebuilt(tree, {find(tree, "2 * x"): ast.parse("3 * x", mode="eval").body})
    assert changed_text(where, tree, new)[1] == "    ä = 'ö'; return 3 * x  # ü"


def fixed(tmp_path: Path, old: str, new: str | list[str], text: str = BEFORE) -> Any:
    file = tmp_path / "module.py"
    file.write_bytes(text.encode())
    found = definition(BEFORE)
    where = Definition(found.function, found.node, str(file), found.text, False)
    tree = plain(where.node)
    made: Any = ast.parse(new, mode="eval").body if isinstance(new, str) else [ast.parse(s).body[0] for s in new]
    return fix_of({where: rebuilt(tree, {find(tree, old): made})}, {where: tree}, True), file


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A[k]", "A[k].T"),
        ("lam * (x - 1)", "2 * lam * (x - 1)"),
        ("g[k] = 2 * A[k] @ x", ["g[k] = 2 * A[k] @ x", "g[k] /= n"]),
        ("g += lam * (x - 1)", []),
    ],
)
def test_git_applies_the_diff_and_before_becomes_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str | list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    fix, file = fixed(tmp_path, old, new)
    lines, before = BEFORE.split("\n"), fix.before.split("\n")
    assert lines[fix.line - 1 : fix.line - 1 + len(before)] == before
    lines[fix.line - 1 : fix.line - 1 + len(before)] = fix.after.split("\n")
    subprocess.run(["git", "apply"], input=fix.diff.encode(), check=True)
    assert file.read_text() == "\n".join(lines)
    assert file.read_text() != BEFORE


@pytest.mark.parametrize("text", [BEFORE.removesuffix("\n"), BEFORE.replace("\n", "\r\n")], ids=["no end", "DOS"])
def test_lines_end_as_they_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    fix, file = fixed(tmp_path, "g += lam * (x - 1)", [], text)
    subprocess.run(["git", "apply"], input=fix.diff.encode(), check=True)
    assert file.read_bytes().decode().count("\n") == text.count("\n") - 2
    assert file.read_bytes().endswith(text.encode()[-5:])


def test_what_cannot_be_written_is_not_offered() -> None:
    text = "def grad(x):\n    a = 1; b = 2\n    return a\n"
    where = definition(text)
    tree = plain(where.node)
    with pytest.raises(ValueError, match="one line"):
        changed_text(where, tree, rebuilt(tree, {find(tree, "b = 2"): []}))
