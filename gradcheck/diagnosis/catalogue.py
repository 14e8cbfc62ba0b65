"""Every diagnosis and finding explained: what ``gradcheck --explain KIND`` prints, and a page of the documentation.

A new kind is a member of `DiagnosisKind` or `FindingKind` and an entry in `diagnoses` or `findings`; the tests run its example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gradcheck.diagnosis.diagnoses import DIAGNOSES, NAMES, PARAMETERS, Entry
from gradcheck.diagnosis.findings import FINDINGS
from gradcheck.errors import UsageError
from gradcheck.wording import near_match, short

FAMILIES: Mapping[str, Mapping[str, Entry]] = {
    "diagnosis": {kind.value: entry for kind, entry in DIAGNOSES.items()},
    "finding": {kind.value: entry for kind, entry in FINDINGS.items()},
}
KINDS = tuple(dict.fromkeys(name for entries in FAMILIES.values() for name in entries))
TITLES = {
    "diagnosis": "Diagnoses: which mistake explains a derivative that is wrong",
    "finding": "Findings: what was noticed about the functions themselves",
}
PLACE = "where it holds, if not everywhere: range; start, stop, stride; row, column; rows, columns; part; or indices"
LEAF = "leaf or leaves, where x is a tree and it is about these alone; paths beside indices"
COMMAND = "gradcheck --explain"


def explain(kind: str) -> str:
    """All that is to be said of a kind, as lines of plain text; one that is both a diagnosis and a finding is explained as both.

    Raises:
        UsageError: there is no such kind; the message has the near match.
    """
    name = kind.strip().lower().replace("-", "_")
    found = [(family, entries[name]) for family, entries in FAMILIES.items() if name in entries]
    if not found:
        near = near_match(name, KINDS)
        meant = f"did you mean {near}?" if near else f"{COMMAND} lists them all"
        raise UsageError(f"there is no diagnosis or finding {short(kind)!r}; {meant}")
    return "\n".join("\n".join(_article(family, name, entry)) for family, entry in found)


def overview() -> str:
    """Every kind with the first sentence on it, as lines of plain text."""
    lines = []
    for family, entries in FAMILIES.items():
        lines.append(f"{TITLES[family]}\n")
        width = max(map(len, entries))
        lines += [f"  {name:{width}}  {_first_sentence(entry)}" for name, entry in entries.items()]
        lines.append("")
    lines.append(f"{COMMAND} KIND shows one of them with an example, and what to try.")
    return "\n".join(lines) + "\n"


def markdown() -> str:
    """The same as a page: a table of each family, and each kind with its example."""
    lines = ["# Diagnoses and findings", "", f"`{COMMAND} KIND` prints what stands here of one of them.", ""]
    for family, entries in FAMILIES.items():
        lines += [f"## {TITLES[family]}", "", "| kind | meaning |", "|---|---|"]
        lines += [
            f"| [`{name}`](#{_anchor(family, name)}) | {_first_sentence(entry)} |" for name, entry in entries.items()
        ]
        lines.append("")
        for name, entry in entries.items():
            lines += [f"### {family} `{name}`", "", entry.meaning, ""]
            for title, code in (("Given", entry.given), ("Wrong", entry.wrong), ("Right", entry.right)):
                lines += [f"{title}{_names(entry) if title == 'Given' else ''}:", "", "```python", code, "```", ""]
            lines += [entry.remedy, ""]
            if family == "diagnosis":
                lines += [f"Parameters: {', '.join(_parameters(entry))}.", ""]
    lines += [
        "## Parameters of diagnoses",
        "",
        "Each key means the same in every kind.",
        "",
        "| key | meaning |",
        "|---|---|",
    ]
    lines += [f"| `{key}` | {meaning} |" for key, meaning in PARAMETERS.items()]
    return "\n".join(lines) + "\n"


def _article(family: str, name: str, entry: Entry) -> Iterator[str]:
    yield f"{name} ({family})"
    yield ""
    yield entry.meaning
    yield ""
    yield from _code(f"given{_names(entry)}", entry.given)
    yield from _code("wrong", entry.wrong)
    yield from _code("right", entry.right)
    yield f"What to try: {entry.remedy}"
    yield ""
    if family == "diagnosis":
        yield "Its parameters in JSON and in report.diagnoses[k].parameters:"
        for key in ("entries", *entry.keys, *entry.sometimes):
            yield f"  {key}{' (not always)' if key in entry.sometimes else ''}: {PARAMETERS[key]}"
        if entry.place:
            yield f"  {PLACE}"
        yield f"  {LEAF}"
        yield ""


def _names(entry: Entry) -> str:
    """What the letters of an example stand for; '' or with a blank before it."""
    words = set(re.findall(r"\w+", " ".join((entry.given, entry.wrong, entry.right))))
    return "".join(f", {name} {what}" for name, what in NAMES.items() if name in words).replace(",", "", 1)


def _code(title: str, code: str) -> Iterator[str]:
    yield f"  {title}:"
    yield from (f"      {line}".rstrip() for line in code.splitlines())
    yield ""


def _parameters(entry: Entry) -> Iterator[str]:
    yield from (f"`{key}`" for key in ("entries", *entry.keys))
    yield from (f"`{key}` (not always)" for key in entry.sometimes)
    if entry.place:
        yield "and where it holds, if not everywhere"


def _first_sentence(entry: Entry) -> str:
    return entry.meaning.split(". ")[0].rstrip(".")


def _anchor(family: str, name: str) -> str:
    return f"{family}-{name}"


if __name__ == "__main__":
    print(markdown(), end="")
