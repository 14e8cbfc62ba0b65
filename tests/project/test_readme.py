"""README.md and the documentation tell the truth: what they print is run, what they name exists."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from gradcheck.cli.command import command
from gradcheck.diagnosis import catalogue
from gradcheck.model import DiagnosisKind, FindingKind, Kind
from tests.project.test_imports import FLOORS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / ".github" / "docs"
README = ROOT / "README.md"
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
PAGES = (README, ROOT / "CHANGELOG.md", CONTRIBUTING, *sorted(DOCS.glob("*.md")))
GENERATED = DOCS / "diagnoses.md"  # its examples are run by the tests of the catalogue
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
OF_OTHERS = {"--from", "--check", "--pyargs"}  # options of other tools


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(page, language, text) for language, text in found]


def in_language(language: str) -> list[Block]:
    pages = [page for page in PAGES if page not in (GENERATED, CONTRIBUTING)]  # the latter's commands are CI itself
    return [block for page in pages for block in blocks(page) if block.language == language]


def name_of(block: Block) -> str:
    return f"{block.page.stem}: {block.text.splitlines()[0]}"


def missing(block: Block) -> str:
    """A library that a block needs, as its first line says, and that is not installed."""
    named = re.match(r"# needs (.*)\n", block.text)
    libraries = named[1].split(", ") if named else []
    return next((name for name in libraries if importlib.util.find_spec(name) is None), "")


def require_libraries(block: Block) -> None:
    if library := missing(block):
        pytest.skip(f"{library} is not installed")


PYTHON = in_language("python")
TESTS = [block for block in PYTHON if block.text.startswith("# test_")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a reader has who did all that README says: the examples, mymodule.py, and the declared check."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    (module,) = [block.text for block in PYTHON if block.text.startswith("# mymodule.py\n")]
    (tmp_path / "mymodule.py").write_text(module, encoding="utf-8")
    declare(tmp_path, README)
    return tmp_path


def declare(folder: Path, page: Path) -> None:
    """The declared check of a page."""
    (declared,) = [block.text for block in blocks(page) if block.language == "toml"]
    (folder / "pyproject.toml").write_text(declared, encoding="utf-8")


def commands(block: Block) -> list[tuple[list[str], int]]:
    """The commands of a block with their exit codes.

    What installs something, and the tests themselves, are for .ci/run, which executes them in a fresh environment.
    """
    found = []
    for line in block.text.splitlines():
        text = re.sub(r"^python -m pip install [^&]*(&& |$)", "", line)
        if text and not text.startswith("python -m pytest"):
            code = re.search(r"# exit (\d+)", text)
            if words := shlex.split(text, comments=True):
                found.append((words, int(code[1]) if code else 0))
    return found


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, *words]
    return subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("block", [block for block in in_language("sh") if commands(block)], ids=name_of)
def test_every_command_ends_as_it_says(folder: Path, block: Block) -> None:
    require_libraries(block)
    for other in blocks(block.page):
        if module := re.match(r"# (\w+\.py)\n", other.text):
            (folder / module[1]).write_text(other.text, encoding="utf-8")
    for (program, *words), code in commands(block):
        assert program in ("gradcheck", "pytest")
        more = ["-p", "no:cacheprovider"] if program == "pytest" else []
        done = run(["-m", program, *more, *words], folder)
        assert done.returncode == code, f"{program} {words}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("block", PYTHON, ids=name_of)
def test_every_piece_of_python_runs(block: Block, tmp_path: Path) -> None:
    require_libraries(block)
    (tmp_path / "piece.py").write_text(block.text, encoding="utf-8")
    done = run(["-W", "error", "piece.py"], tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", TESTS, ids=name_of)
def test_every_test_passes_and_made_a_check(block: Block, tmp_path: Path) -> None:
    require_libraries(block)
    (tmp_path / "test_it.py").write_text(block.text, encoding="utf-8")
    done = run(["-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "test_it.py"], tmp_path)
    assert done.returncode == 0, done.stdout
    assert "PASS" in done.stdout


@pytest.mark.parametrize("block", in_language("toml"), ids=name_of)
def test_what_is_declared_passes(folder: Path, block: Block) -> None:
    declare(folder, block.page)
    done = run(["-m", "gradcheck"], folder)
    assert done.returncode == 0, done.stderr


def test_the_same_check_can_be_declared_in_setup_cfg(folder: Path) -> None:
    (declared,) = in_language("ini")
    (folder / "pyproject.toml").unlink()
    (folder / "setup.cfg").write_text(declared.text, encoding="utf-8")
    assert run(["-m", "gradcheck", "softplus"], folder).returncode == 0


def test_every_language_is_looked_at() -> None:
    known = {"sh", "python", "py", "toml", "ini", "yaml", "text"}  # py: with a framework, see test_frameworks
    assert {block.language for page in PAGES for block in blocks(page)} == known


def test_the_action_is_used_with_inputs_that_it_has() -> None:
    (used,) = [block.text for block in in_language("yaml") if "uses: OWNER" in block.text]
    action = (ROOT / ".github/actions/gradcheck/action.yml").read_text(encoding="utf-8").split("\noutputs:")[0]
    inputs = re.findall(r"^  ([a-z-]+):$", action, re.MULTILINE)
    assert inputs
    assert set(re.findall(r"^ {10}([a-z-]+):", used, re.MULTILINE)) <= set(inputs)


def test_the_two_commands_do_all_the_set_up_themselves() -> None:
    section = README.read_text(encoding="utf-8").split("\n## Two commands\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    main_job, tests = block.splitlines()
    assert re.match(r"python -m pip install \. && gradcheck \S+:f --grad \S+:grad --dim 100$", main_job)
    assert re.match(r"python -m pip install .*\[test\].* && python -m pytest", tests)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_option_exists(page: Path) -> None:
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    named = set(re.findall(r"(?<![\w-])--(?!gradcheck-)[a-z][a-z-]*", page.read_text(encoding="utf-8")))
    assert named <= known | OF_OTHERS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        there = page.parent / file if file else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def anchors(page: Path) -> set[str]:
    """Of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_map_has_every_package_in_the_order_of_the_floors() -> None:
    (text,) = [block.text for block in blocks(CONTRIBUTING) if block.language == "text"]
    listed = re.findall(r"^  (\w+)(?:/|\.py) ", text, re.MULTILINE)
    assert listed[:2] == ["__main__", "__init__"]
    assert listed[2:] == list(reversed(FLOORS[:-1]))


def test_what_the_tables_of_the_contributor_name_exists() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:\w+/)+\w*(?:\.py)?)`", text):
        assert (ROOT / "gradcheck" / path).exists() or (ROOT / path).exists() or "NAME" in path, path
    assert {kind.__name__ for kind in (DiagnosisKind, FindingKind, Kind)} <= set(
        re.findall(r"`(\w+)` in `model/vocabulary.py`", text)
    )


def test_the_readme_is_no_manual() -> None:
    assert README.stat().st_size < 9_000, "move what is not read first to .github/docs"


def test_the_index_has_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", index))
    assert listed == {page.name for page in DOCS.glob("*.md")} - {"README.md"}


def test_the_page_of_diagnoses_is_that_of_the_catalogue() -> None:
    remake = "python -m gradcheck.diagnosis.catalogue > .github/docs/diagnoses.md makes it anew"
    assert GENERATED.read_text(encoding="utf-8") == catalogue.markdown(), remake
