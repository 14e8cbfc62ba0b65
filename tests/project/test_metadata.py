"""CITATION.cff tells what setup.cfg tells, and the reference of the site has all that is public."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import gradcheck

ROOT = Path(__file__).parents[2]


def test_the_citation_agrees_with_the_package() -> None:
    text = (ROOT / ".github" / "CITATION.cff").read_text(encoding="utf-8")
    told = dict(re.findall(r"^(?:  - )?([a-z-]+): (.+)$", text, re.MULTILINE))
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    assert told["title"] == metadata["metadata"]["name"]
    assert told["license"] == metadata["metadata"]["license"]
    assert told["name"] == metadata["metadata"]["author"]
    assert told["version"] == gradcheck.__version__
    assert metadata["metadata"]["description"] in " ".join(text.split())


def test_the_reference_has_every_public_name() -> None:
    text = (ROOT / ".github" / "docs" / "api.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^\.\. auto(?:function|class|exception):: gradcheck\.(\w+)$", text, re.MULTILINE)
    assert sorted(listed) == sorted(gradcheck.__all__)
