"""CITATION.cff tells what setup.cfg tells."""

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
