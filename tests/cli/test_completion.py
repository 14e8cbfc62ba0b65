"""Completion of words, asked for through the shells themselves."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")  # not on Windows
ROOT = Path(__file__).parents[2]
DECLARED = "".join(f"[gradcheck:{name}]\ntarget = m:f\ngrad = m:g\ndim = 3\n" for name in ("alpha", "alps", "beta"))
PATIENCE = 60.0  # seconds that a shell on a busy machine may take


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with declared checks, where the word gradcheck starts this very package."""
    (tmp_path / "setup.cfg").write_text(DECLARED)
    (tmp_path / "x0.npy").touch()
    command = tmp_path / "bin" / "gradcheck"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m gradcheck "$@"\n')
    command.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


LINES = [
    ("gradcheck --form", {"--format"}, {"--json"}),
    ("gradcheck --format j", {"json", "junit"}, {"text"}),
    ("gradcheck al", {"alpha", "alps"}, {"beta"}),
    ("gradcheck alpha b", {"beta"}, {"alps"}),
    ("gradcheck --method d", {"directions"}, {"auto"}),
]


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@needs("bash")
@pytest.mark.parametrize(("line", "offered", "withheld"), LINES)
def test_bash(home: Path, line: str, offered: set[str], withheld: set[str]) -> None:
    words = line.split()
    script = (
        'eval "$(_GRADCHECK_COMPLETE=bash_source gradcheck)"\n'
        "complete -p gradcheck >&2\n"
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        '_gradcheck_completion gradcheck; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert "-F _gradcheck_completion gradcheck" in done.stderr
    found = set(done.stdout.split())
    assert offered <= found, done.stderr
    assert not withheld & found


@needs("fish")
@pytest.mark.parametrize(("line", "offered", "withheld"), LINES)
def test_fish(home: Path, line: str, offered: set[str], withheld: set[str]) -> None:
    script = f'_GRADCHECK_COMPLETE=fish_source gradcheck | source; complete -C "{line}"'
    done = subprocess.run(["fish", "-N", "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE)
    found = {offer.split("\t")[0] for offer in done.stdout.splitlines()}
    assert offered <= found, done.stderr
    assert not withheld & found


@pytest.fixture
def terminal(home: Path) -> Iterator[int]:
    """A zsh at its prompt, with our completion, on a terminal of its own."""
    process, descriptor = pty.fork()
    if process == 0:
        os.environ.update(TERM="dumb", PS1="> ", COLUMNS="200")
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:
        os.write(descriptor, b"autoload -Uz compinit; compinit -D -u; setopt no_list_beep\n")
        os.write(descriptor, b'eval "$(_GRADCHECK_COMPLETE=zsh_source gradcheck)"; echo REA""DY\n')
        wait_for(descriptor, {"READY"})
        yield descriptor
    finally:
        os.close(descriptor)
        os.waitpid(process, 0)


def wait_for(descriptor: int, words: set[str]) -> str:
    """What a terminal shows until it has shown all these words."""
    shown, until = "", time.monotonic() + PATIENCE
    while not all(word in shown for word in words):
        assert time.monotonic() < until, shown
        if select.select([descriptor], [], [], 1.0)[0]:
            shown += os.read(descriptor, 65536).decode("utf-8", "replace")
    return shown


@needs("zsh")
@pytest.mark.parametrize(("line", "offered", "withheld"), LINES[1:3])
def test_zsh(terminal: int, line: str, offered: set[str], withheld: set[str]) -> None:
    os.write(terminal, line.encode() + b"\t\t")
    shown = wait_for(terminal, offered)
    assert not any(word in shown for word in withheld)


@needs("zsh")
@pytest.mark.parametrize(("line", "whole"), [("gradcheck --form\t", "--format"), ("gradcheck alpha b\t", "beta")])
def test_zsh_completes_what_is_unique(terminal: int, line: str, whole: str) -> None:
    os.write(terminal, line.encode())
    assert whole in wait_for(terminal, {whole.removeprefix("--form")[-3:]})


@needs("bash")
def test_a_broken_configuration_does_not_disturb_the_line_that_is_typed(home: Path) -> None:
    (home / "setup.cfg").write_text("[gradcheck:a]\nnonsense = 1\n")
    environment = {**os.environ, "_GRADCHECK_COMPLETE": "bash_complete", "COMP_WORDS": "gradcheck x", "COMP_CWORD": "1"}
    done = subprocess.run(["gradcheck"], capture_output=True, text=True, env=environment, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "file,x\n", "")
