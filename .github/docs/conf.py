"""The documentation as a site: ``sphinx-build -W -b html .github/docs FOLDER``, with the extra ``docs`` installed.

The pages are those that GitHub shows; what Sphinx needs beside them, it is told here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gradcheck import __version__

project = "gradcheck"
author = "the gradcheck developers"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "README"
exclude_patterns = ["conf.py"]
html_theme = "furo"
html_title = f"gradcheck {version}"
myst_heading_anchors = 3
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signatures have them
autodoc_preserve_defaults = True

# A line of a record's docstring that tells a field, as in "seconds: wall time of the check."
FIELD = re.compile(r"[a-z_0-9]+(, [a-z_0-9]+)*: ")
# A link to what is in the repository but no page.
# What diagnoses.md, which is one page for those who read it on GitHub, says of one kind.
KIND = re.compile(r"^### (\w+) `(\w+)`\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+[^)]*\)")


def read(app: Any, name: str, source: list[str]) -> None:
    """Give the first page its table of contents, and leave of links out of the documentation their words."""
    text = OUTSIDE.sub(r"\1", source[0])
    if name == root_doc:
        pages = "\n".join(re.findall(r"\]\(([a-z-]+)\.md\)", text))
        text += f"\n```{{toctree}}\n:hidden:\n\n{pages}\napi\n```\n"
    if name == "diagnoses":
        text = KIND.sub("", text)
        text = re.sub(r"\(#(diagnosis|finding)-(\w+)\)", r"(kinds/\1-\2.md)", text)
        text += "\n```{toctree}\n:hidden:\n:glob:\n\nkinds/*\n```\n"
    source[0] = text


def pages_of_kinds(app: Any) -> None:
    """Write a page for each diagnosis and finding, of which diagnoses.md is the table of contents then."""
    folder = Path(app.srcdir) / "kinds"
    folder.mkdir(exist_ok=True)
    whole = (folder.parent / "diagnoses.md").read_text(encoding="utf-8")
    for family, name, article in KIND.findall(whole):
        page, text = folder / f"{family}-{name}.md", f"# {family} `{name}`\n{article}"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def fields_as_lists(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """The fields that a docstring tells, one a line, as a list; bars and stars stand for themselves."""
    told: list[str] = []
    within = False
    for line in lines:
        line = re.sub(r"(?<![\\*])\*+(?=\w)", lambda stars: len(stars[0]) * r"\*", line.replace("|", r"\|"))
        begins = FIELD.match(line)
        if begins and not within:
            told.append("")
        if begins:
            names, _, rest = line.partition(": ")
            line = f"* ``{names}``: {rest}"
        elif within and line.strip():
            line = f"  {line.strip()}"
        within = bool(begins) or (within and bool(line.strip()))
        told.append(line)
    lines[:] = told


def setup(app: Any) -> None:
    """What Sphinx calls."""
    app.connect("builder-inited", pages_of_kinds)
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", fields_as_lists)
