"""The fixes of reports as one unified diff that ``git apply`` takes; what is not certain is told beside it, not applied."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gradcheck.model import Fix, Report
from gradcheck.reporting.formats import DEFAULT, Display
from gradcheck.reporting.layout import change

CONTEXT = 3  # lines around a change
HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


class Edit(NamedTuple):
    """Lines of a file from `line` on, counted from 1, and what stands there instead."""

    line: int
    removed: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def end(self) -> int:
        """The line after those that go."""
        return self.line + len(self.removed)


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """The certain fixes, each once, after a line for each; lines that do not belong to a diff are remarks."""
    comments: list[str] = []
    applied: list[Fix] = []
    for report in reports:
        for fix in report.fixes:
            line = f"{report.kind.value} of {report.name}: {change(fix)}\n"
            if not fix.certain:
                comments.append(f"not certain, {line}")
            elif fix not in applied and any(_overlap(fix, other) for other in applied):
                comments.append(f"changed by another fix, {line}")
            elif fix not in applied:
                applied.append(fix)
                comments.append(line)
    return "".join(comments) + "".join(_merged(applied))


def _overlap(a: Fix, b: Fix) -> bool:
    ends = [fix.line + fix.before.count("\n") for fix in (a, b)]
    return a.file == b.file and a.line <= ends[1] and b.line <= ends[0]


def _merged(fixes: Sequence[Fix]) -> Iterator[str]:
    """One diff for each file of all that changes it: each of the fixes has the others' lines as they were."""
    heads: dict[str, str] = {}
    known: dict[str, dict[int, str]] = defaultdict(dict)
    edits: dict[str, set[Edit]] = defaultdict(set)
    for fix in fixes:
        for file, head, lines, found in _read(fix.diff):
            heads[file] = head
            known[file] |= lines
            edits[file] |= set(found)
    for file, head in heads.items():
        yield head + "".join(_hunks(sorted(edits[file]), known[file]))


def _read(diff: str) -> Iterator[tuple[str, str, dict[int, str], list[Edit]]]:
    """Each file of a diff: its name, its head, the lines of it that are shown, and the edits."""
    for part in re.split(r"^(?=--- )", diff, flags=re.MULTILINE)[1:]:
        first, second, *rest = part.splitlines(keepends=True)
        known: dict[int, str] = {}
        edits: list[Edit] = []
        line, last, removed, added = 0, "", [], []  # type: tuple[int, str, list[str], list[str]]
        for text in [*rest, "@@ -0 +0 @@"]:
            if text[0] == "\\":  # belongs to the line before
                for lines in (added, removed):
                    if lines and lines[-1] is last:
                        lines[-1] += text
                if known.get(line - 1) is last:
                    known[line - 1] += text
                continue
            last = text[1:]
            if text[0] in " @" and (removed or added):
                edits.append(Edit(line - len(removed), tuple(removed), tuple(added)))
                removed, added = [], []
            if (hunk := HUNK.match(text)) is not None:
                line = int(hunk[1])
            elif text[0] == "+":
                added.append(last)
            else:
                known[line] = last
                removed += [last] if text[0] == "-" else []
                line += 1
        yield first, first + second, known, edits


def _hunks(edits: Sequence[Edit], known: dict[int, str]) -> Iterator[str]:
    """The hunks of one file; edits whose surroundings meet share one."""
    moved = 0
    groups: list[list[Edit]] = []
    for edit in edits:
        if groups and edit.line - groups[-1][-1].end <= 2 * CONTEXT:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    for group in groups:
        begin = group[0].line
        while begin > group[0].line - CONTEXT and begin - 1 in known:
            begin -= 1
        end = group[-1].end
        while end < group[-1].end + CONTEXT and end in known:
            end += 1
        lines, at = [], begin
        for edit in group:
            lines += [" " + known[k] for k in range(at, edit.line)]
            lines += ["-" + text for text in edit.removed] + ["+" + text for text in edit.added]
            at = edit.end
        lines += [" " + known[k] for k in range(at, end)]
        grown = sum(len(edit.added) - len(edit.removed) for edit in group)
        yield f"@@ -{begin},{end - begin} +{begin + moved},{end - begin + grown} @@\n" + "".join(lines)
        moved += grown
