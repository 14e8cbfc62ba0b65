"""The page about frameworks is true where they are installed."""

from __future__ import annotations

import pytest

from tests.project.test_readme import DOCS, blocks


def test_the_examples_with_torch_run() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    pieces = [block.text for block in blocks(DOCS / "frameworks.md") if block.language == "py"]
    assert len(pieces) > 2
    exec(compile("\n".join(pieces), "frameworks.md", "exec"), {"__name__": "frameworks"})
