"""The command as a process of its own, in a folder with user code that misbehaves."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds after which a process hangs, whatever else runs on this machine
PLAIN = """
import numpy as np
def f(x): return (x**2).sum()
def g(x): return 2*x
def wrong(x): return 2.2*x
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams."""
        return self.out + self.err


def start(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start ``gradcheck`` in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **options.pop("env", {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
    words = [sys.executable, "-m", "gradcheck", *arguments]
    return subprocess.Popen(words, cwd=folder, text=True, env=environment, **streams)


def gradcheck(folder: Path, *arguments: str, **options: Any) -> Ended:
    """Run ``gradcheck`` in `folder`; no mistake of its own may show, whatever else happens."""
    with start(folder, *arguments, **options) as process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    ended = Ended(process.returncode, out or "", err or "")
    assert "internal error" not in ended.said, ended.said
    assert str(ROOT / "gradcheck") not in ended.said, "our own frames are none of the user's business"
    return ended


def module(folder: Path, text: str, name: str = "m") -> None:
    """Write a module of user code, which has f, g (right) and wrong unless `text` defines them anew."""
    (folder / f"{name}.py").write_text(PLAIN + text, encoding="utf-8")


def declare(folder: Path, **checks: str) -> None:
    """Declare checks: the target of each by its name."""
    text = "".join(f"[gradcheck:{name}]\ntarget = {target}\ngrad = m:g\ndim = 3\n" for name, target in checks.items())
    (folder / "setup.cfg").write_text(text, encoding="utf-8")
