"""The documentation as a site: ``sphinx-build -W -b html .github/docs FOLDER``, with the extra ``docs`` installed.

The pages are those that GitHub shows; what Sphinx needs beside them, it is told here.
"""

from __future__ import annotations

import re
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
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+[^)]*\)")


def read(app: Any, name: str, source: list[str]) -> None:
    """Give the first page its table of contents, and leave of links out of the documentation their words."""
    text = OUTSIDE.sub(r"\1", source[0])
    if name == root_doc:
        pages = "\n".join(re.findall(r"\]\(([a-z-]+)\.md\)", text))
        text += f"\n```{{toctree}}\n:hidden:\n\n{pages}\napi\n```\n"
    source[0] = text


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
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", fields_as_lists)
