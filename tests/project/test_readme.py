"""README.md tells the truth: every command it prints is run, every name it uses exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck.cli.command import command
from gradcheck.model import DiagnosisKind, FindingKind

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
SHELL = [text for language, text in BLOCKS if language == "sh"]
DIAGNOSES = README.split("\n### Diagnoses\n")[1].split("\n## ")[
    0
]  # its pieces show lines right and wrong, out of context
PYTHON = [text for language, text in BLOCKS if language == "python" and text not in DIAGNOSES]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a reader has who did all that README says: the examples, mymodule.py, and the declared check."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    (module,) = [text for text in PYTHON if text.startswith("# mymodule.py\n")]
    (declared,) = [text for language, text in BLOCKS if language == "toml"]
    (tmp_path / "mymodule.py").write_text(module, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(declared, encoding="utf-8")
    return tmp_path


def commands(block: str) -> list[tuple[list[str], int]]:
    """The gradcheck commands of a block with their exit codes.

    What installs something, and the tests themselves, are for .ci/run, which executes them in a fresh environment.
    """
    found = []
    for line in block.splitlines():
        text = re.sub(r"^python -m pip install [^&]*(&& |$)", "", line)
        if text and not text.startswith("python -m pytest"):
            code = re.search(r"# exit (\d+)", text)
            found.append((shlex.split(text, comments=True), int(code[1]) if code else 0))
    return found


@pytest.mark.parametrize("block", [block for block in SHELL if commands(block)])
def test_every_command_ends_as_it_says(folder: Path, block: str) -> None:
    for words, code in commands(block):
        assert words[0] == "gradcheck"
        line = [sys.executable, "-m", *words]
        done = subprocess.run(
            line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == code, f"{words}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("text", PYTHON)
def test_every_piece_of_python_runs(text: str, tmp_path: Path) -> None:
    line = [sys.executable, "-W", "error", "-c", text]
    done = subprocess.run(line, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_same_check_can_be_declared_in_setup_cfg(folder: Path) -> None:
    (declared,) = [text for language, text in BLOCKS if language == "ini"]
    (folder / "pyproject.toml").unlink()
    (folder / "setup.cfg").write_text(declared, encoding="utf-8")
    line = [sys.executable, "-m", "gradcheck", "softplus"]
    assert subprocess.run(line, cwd=folder, env=ENVIRONMENT, check=False, timeout=120).returncode == 0


def test_the_two_commands_do_all_the_set_up_themselves() -> None:
    section = README.split("\n## Two commands\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    main_job, tests = block.splitlines()
    assert re.match(r"python -m pip install \. && gradcheck \S+:f --grad \S+:grad --dim 100$", main_job)
    assert re.match(r"python -m pip install .*\[test\].* && python -m pytest", tests)


def test_every_option_exists() -> None:
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {
        "--help",
        "--from",
    }
    assert set(re.findall(r"(?<![\w-])--(?!gradcheck-)[a-z][a-z-]*", README)) <= known


@pytest.mark.parametrize(("heading", "kinds"), [("### Findings", FindingKind), ("### Diagnoses", DiagnosisKind)])
def test_every_kind_is_explained(heading: str, kinds: type[FindingKind] | type[DiagnosisKind]) -> None:
    section = README.split(f"\n{heading}\n")[1].split("\n#")[0]
    for kind in kinds:
        assert f"`{kind.value}`" in section


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target
