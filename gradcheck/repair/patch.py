"""A changed tree as a change of the file's text: as little as possible, with the formatting and the comments that were there."""

from __future__ import annotations

import ast
import copy
import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck.model import Fix
from gradcheck.repair import trees
from gradcheck.repair.source import Definition

CONTEXT = 3  # lines around a change in a diff
Change = tuple[ast.AST, str]


@dataclass(frozen=True)
class _Edit:
    """From one place of a text to another, and what stands there instead; lines count from 1, columns from 0."""

    begin: tuple[int, int]
    end: tuple[int, int]
    text: str


def fix_of(
    changes: Mapping[Definition, ast.FunctionDef], originals: Mapping[Definition, ast.FunctionDef], certain: bool
) -> Fix:
    """The change of some definitions as a `Fix`.

    changes: the new trees.
    originals: the trees of the files, from which they were made.

    Raises:
        ValueError: it cannot be written as a change of the text.
    """
    texts: dict[str, tuple[list[str], list[str]]] = {}
    for definition, tree in changes.items():
        old, new = texts.get(definition.file, (list(definition.text), list(definition.text)))
        if old != new:
            raise ValueError("two functions of one file")
        texts[definition.file] = old, changed_text(definition, originals[definition], tree)
    parts = []
    for file, (old, new) in texts.items():
        begin, end, after = changed_lines(old, new)
        parts.append((file, begin, old[begin:end], after, _diff(file, old, new)))
    file, begin, before, after, _ = parts[0]
    return Fix(
        file=file,
        line=begin + 1,
        before="\n".join(before),
        after="\n".join(after),
        diff="".join(part[4] for part in parts),
        certain=certain,
    )


def changed_lines(old: Sequence[str], new: Sequence[str]) -> tuple[int, int, list[str]]:
    """The lines that differ, from and to (0-based), and what stands there instead; never nothing on either side."""
    begin = 0
    while begin < min(len(old), len(new)) and old[begin] == new[begin]:
        begin += 1
    same = 0
    while same < min(len(old), len(new)) - begin and old[-1 - same] == new[-1 - same]:
        same += 1
    end, stop = len(old) - same, len(new) - same
    if begin and begin in (end, stop):
        begin -= 1  # a line that stays, for a place
    return begin, end, list(new[begin:stop])


def _diff(file: str, old: Sequence[str], new: Sequence[str]) -> str:
    name, (end, closed) = shown_path(file), _line_ends(file)
    before, after = ([line + end for line in lines] for lines in (old, new))
    if not closed:
        for text in (before, after):
            text[-1] = text[-1].removesuffix(end)
    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=CONTEXT)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _line_ends(file: str) -> tuple[str, bool]:
    """How the lines of a file end, and whether the last one does."""
    try:
        with open(file, "rb") as stream:
            text = stream.read()
    except OSError:
        return "\n", True
    return "\r\n" if b"\r\n" in text else "\n", text.endswith(b"\n")


def shown_path(file: str) -> str:
    """A file as git would name it: from the working directory, if it lies there."""
    try:
        relative = os.path.relpath(file)
    except (ValueError, OSError):  # another drive, a folder that is gone
        return file
    return (file.lstrip("/") if relative.startswith("..") else relative).replace(os.sep, "/")


def changed_text(definition: Definition, old: ast.FunctionDef, new: ast.FunctionDef) -> list[str]:
    """The lines of a file with a definition changed.

    Raises:
        ValueError: the text would not mean the tree.
    """
    lines = list(definition.text)
    wanted = ast.dump(new)
    edits = list(_differences(old, new, lines))
    for bare in (True, False):
        chosen = [e if isinstance(e, _Edit) else e.edit(lines, bare=bare) for e in edits]
        changed = _applied(lines, chosen)
        if _means(definition, changed, wanted):
            return changed
    raise ValueError("the change cannot be written")


def _means(definition: Definition, lines: Sequence[str], wanted: str) -> bool:
    from gradcheck.repair.source import plain

    try:
        tree = ast.parse("\n".join(lines) + "\n")
    except SyntaxError:
        return False
    for node in ast.walk(tree):
        if isinstance(node, type(definition.node)) and node.lineno == definition.node.lineno:
            if isinstance(node, ast.Lambda) and node.col_offset != definition.node.col_offset:
                continue
            return ast.dump(plain(node)) == wanted
    return False


def _applied(lines: Sequence[str], edits: Sequence[_Edit]) -> list[str]:
    text = list(lines)
    for edit in sorted(edits, key=lambda e: e.begin, reverse=True):
        (first, low), (last, high) = edit.begin, edit.end
        head, tail = _bytes(text[first - 1])[:low], _bytes(text[last - 1])[high:]
        joined = head.decode() + edit.text + tail.decode()
        text[first - 1 : last] = joined.split("\n") if joined.strip() or edit.text else []
    return text


def _bytes(line: str) -> bytes:
    return line.encode()  # the columns of a tree count bytes


@dataclass(frozen=True)
class _Replaced:
    """An expression in place of another."""

    old: ast.expr | ast.stmt
    new: ast.expr | ast.stmt

    def edit(self, lines: Sequence[str], *, bare: bool) -> _Edit:
        text = _written(self.new, self.old, lines)
        if not bare and isinstance(self.new, ast.expr):
            text = f"({text})"
        return _Edit(_begin(self.old), _end(self.old), text)


def _begin(node: Any) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: Any) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset


def _differences(old: ast.AST, new: ast.AST, lines: Sequence[str]) -> Iterator[_Edit | _Replaced]:
    """The smallest expressions and statements in which two trees differ."""
    if ast.dump(old) == ast.dump(new):
        return
    if type(old) is not type(new):
        yield _whole(old, new)
        return
    inner: list[_Edit | _Replaced] = []
    for name, value in ast.iter_fields(old):
        other = getattr(new, name, None)
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            inner += _of_bodies(value, other or [], lines)
        elif isinstance(value, list):
            if not isinstance(other, list) or [type(a) is str for a in value] != [type(b) is str for b in other]:
                yield _whole(old, new)
                return
            for a, b in zip(value, other, strict=True):
                if isinstance(a, (ast.expr, ast.keyword, ast.comprehension)):
                    inner += _differences(a, b, lines)
                elif (ast.dump(a) if isinstance(a, ast.AST) else a) != (ast.dump(b) if isinstance(b, ast.AST) else b):
                    yield _whole(old, new)
                    return
        elif isinstance(value, (ast.expr, ast.arguments)) and isinstance(other, ast.AST):
            inner += _differences(value, other, lines)
        elif isinstance(value, ast.AST) or isinstance(other, ast.AST):
            if not (isinstance(value, ast.AST) and isinstance(other, ast.AST) and ast.dump(value) == ast.dump(other)):
                yield _whole(old, new)
                return
        elif value != other and name not in ("kind", "type_comment"):
            yield _whole(old, new)
            return
    yield from inner


def _whole(old: ast.AST, new: ast.AST) -> _Replaced:
    if not isinstance(old, (ast.expr, ast.stmt)) or not isinstance(new, (ast.expr, ast.stmt)):
        raise ValueError("the change is no expression and no statement")
    return _Replaced(old, new)


def _of_bodies(old: Sequence[ast.stmt], new: Sequence[ast.stmt], lines: Sequence[str]) -> Iterator[_Edit | _Replaced]:
    """The differences of two lists of statements."""
    matcher = difflib.SequenceMatcher(None, [ast.dump(s) for s in old], [ast.dump(s) for s in new], autojunk=False)
    for tag, i, k, j, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        if k - i == m - j and all(type(a) is type(b) or _one_line(a) for a, b in zip(old[i:k], new[j:m], strict=True)):
            for a, b in zip(old[i:k], new[j:m], strict=True):
                yield from _differences(a, b, lines)
            continue
        anchor = old[i] if i < len(old) else old[-1]
        indent = " " * anchor.col_offset
        if any(lines[s.lineno - 1][: s.col_offset].strip() for s in (*old[i:k], anchor)):
            raise ValueError("several statements stand in one line")
        text = "\n".join(
            indent + line if line else line for s in new[j:m] for line in _statement(s, old, lines).split("\n")
        )
        if i < k:
            yield _Edit((old[i].lineno, 0), _end(old[k - 1]), text)
        elif i:
            yield _Edit(_full_end(old[i - 1], lines), _full_end(old[i - 1], lines), "\n" + text)
        else:
            yield _Edit((old[0].lineno, 0), (old[0].lineno, 0), text + "\n")


def _full_end(node: ast.stmt, lines: Sequence[str]) -> tuple[int, int]:
    last = node.end_lineno or node.lineno
    return last, len(_bytes(lines[last - 1]))


def _one_line(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr))


def _statement(new: ast.stmt, around: Sequence[ast.stmt], lines: Sequence[str]) -> str:
    """A statement as text: as it stands in the file, if it stands there."""
    for old in around:
        if ast.dump(old) == ast.dump(new) and old.lineno == old.end_lineno:
            return _text_of(old, lines)
    return ast.unparse(new)


def _text_of(node: Any, lines: Sequence[str]) -> str:
    if node.lineno == node.end_lineno:
        return _bytes(lines[node.lineno - 1])[node.col_offset : node.end_col_offset].decode()
    raise ValueError("more than one line")


def _written(new: ast.AST, old: ast.AST, lines: Sequence[str]) -> str:
    """A new tree as text, in which what is taken over from the old one looks as it did."""
    known: dict[str, str] = {}
    for part in ast.walk(old):
        if isinstance(part, ast.expr) and part.lineno == part.end_lineno and trees.size(part) > 1:
            known.setdefault(ast.dump(part).replace("Store()", "Load()"), _text_of(part, lines))
    table: dict[str, str] = {}
    marked = _marked(new, known, table)
    text = ast.unparse(marked)
    for mark, original in table.items():
        for form in (original, f"({original})"):
            attempt = text.replace(mark, form)
            rest = attempt
            for other, its in table.items():
                rest = rest.replace(other, f"({its})")
            if _reads_as(rest, new):
                text = attempt
                break
        else:
            return ast.unparse(new)
    return text


def _reads_as(text: str, node: ast.AST) -> bool:
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return False
    found: ast.AST = body[0]
    if isinstance(node, ast.expr):
        if not isinstance(found, ast.Expr):
            return False
        found = found.value
    return ast.dump(found).replace("Store()", "Load()") == ast.dump(node).replace("Store()", "Load()")


def _marked(node: Any, known: Mapping[str, str], table: dict[str, str]) -> Any:
    """A copy in which the largest known parts are names of their own."""
    if isinstance(node, ast.expr):
        original = known.get(ast.dump(node).replace("Store()", "Load()"))
        if original is not None:
            mark = f"__mark{len(table)}__"
            table[mark] = original
            return ast.Name(mark, getattr(node, "ctx", ast.Load()))
    made = copy.copy(node)
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            setattr(made, name, [_marked(v, known, table) if isinstance(v, ast.AST) else v for v in value])
        elif isinstance(value, ast.AST):
            setattr(made, name, _marked(value, known, table))
    return made
