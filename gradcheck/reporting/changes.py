"""A fix in words, and as GitHub takes a suggested change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.model import Fix, Report

ARROW = "   →   "


def in_words(fix: Fix) -> str:
    """What stands there, and what should: of a larger change, whole lines."""
    import difflib  # of use to fixes only

    before, after = ([line.strip() for line in text.split("\n")] for text in (fix.before, fix.after))
    codes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = [code for code in codes if code[0] != "equal"]
    if len(changed) == 1:
        tag, i, k, j, m = changed[0]
        if tag == "insert":
            i -= 1 if i else 0  # after which line
            j -= 1 if j else 0
        before, after = before[i:k], after[j:m]
    return " ⏎ ".join(before) + ARROW + (" ⏎ ".join(after) or "(nothing)")


def suggestions(report: Report) -> Iterator[str]:
    """The new lines of fixes, as GitHub takes them for a suggested change of the lines there."""
    for fix in report.fixes:
        if fix.certain:
            yield fix.after
