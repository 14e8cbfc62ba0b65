"""The action for GitHub workflows: its programs are taken out of the file and run as GitHub would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACTION = (ROOT / ".github/actions/gradcheck/action.yml").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github").rglob("*.yml"))
SECTION = r"^{}:\n((?:(?: .*)?\n)+)"


def section(name: str, text: str = ACTION) -> str:
    match = re.search(SECTION.format(name), text, re.MULTILINE)
    assert match, name
    return match[1]


def keys(text: str, depth: int) -> set[str]:
    return set(re.findall(rf"^ {{{depth}}}([a-z-]+):", text, re.MULTILINE))


def program(step: str) -> str:
    """The text below ``run: |`` of the step of that name."""
    match = re.search(
        rf"- name: {step}\n.*?^      run: \|\n((?:        [^\n]*\n|\n)+)", ACTION, re.MULTILINE | re.DOTALL
    )
    assert match, step
    return textwrap.dedent(match[1])


def test_every_input_is_described_has_a_default_and_is_used() -> None:
    inputs = section("inputs")
    assert keys(inputs, 2) == {"args", "install", "python-version", "version", "working-directory"}
    assert inputs.count("description:") == inputs.count("default:") == len(keys(inputs, 2))
    used = set(re.findall(r"inputs\.([a-z-]+)", section("runs")))
    assert used == keys(inputs, 2)


def test_it_is_a_composite_action_whose_programs_name_their_shell() -> None:
    runs = section("runs")
    assert "  using: composite\n" in runs
    assert runs.count("      shell: ") == runs.count("      run: |\n") == 2


def test_inputs_are_never_part_of_a_program() -> None:
    for step in ("Install gradcheck", "Check the derivatives"):
        assert "${{" not in program(step)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_others_wrote_is_pinned_to_a_commit(path: Path) -> None:
    for used in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
        assert re.fullmatch(r"\./\S+|[\w/-]+@[0-9a-f]{40}  # v[\d.]+", used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_files_keep_to_plain_yaml(path: Path) -> None:
    """No tab, no odd indentation, no key twice in one place: what a hand-written YAML file gets wrong."""
    places: list[tuple[int, str]] = []
    seen: set[tuple[tuple[int, str], ...]] = set()
    literal = None  # the indentation of a key whose text follows on the lines below it
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        assert "\t" not in line, number
        assert line == line.rstrip(), number
        depth = len(line) - len(line.lstrip())
        if not line.strip() or (literal is not None and depth > literal):
            continue
        literal = None
        assert depth % 2 == 0, number
        match = re.match(r"( *)(- )?([\w-]+):(?: +(.*))?$", line)
        if match is None:
            assert re.match(r" *(#|- )", line), f"{path.name}:{number}: {line}"
            continue
        depth = len(match[1]) + len(match[2] or "")
        places = [place for place in places if place[0] < (len(match[1]) if match[2] else depth)]
        if match[2]:
            places.append((len(match[1]), f"item on line {number}"))
        places.append((depth, match[3]))
        assert tuple(places) not in seen, f"{path.name}:{number}: {match[3]} twice"
        seen.add(tuple(places))
        value = match[4] or ""
        if re.match(r"[|>]-?$", value):
            literal = depth
        elif value and value[0] not in "\"'[{":
            assert ": " not in value, f"{path.name}:{number}: quote it"
            assert not re.match(r"[@`%&*!|>]", value), f"{path.name}:{number}: quote it"


def test_our_workflow_uses_inputs_that_exist() -> None:
    workflow = (ROOT / ".github/workflows/action.yml").read_text(encoding="utf-8")
    steps = re.split(r"^      - ", workflow, flags=re.MULTILINE)
    ours = [step for step in steps if "uses: ./.github/actions/gradcheck" in step]
    assert len(ours) == 4
    for step in ours:
        assert keys(step.partition("        with:\n")[2], 10) <= keys(section("inputs"), 2)


def check(folder: Path, arguments: str, cwd: Path = ROOT) -> tuple[int, str, str, str]:
    """Run the checking step: its exit code, what it printed, its outputs and the summary of the job."""
    files = {key: folder / key.lower() for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GRADCHECK_ARGS": arguments}
    environment |= {key: str(path) for key, path in files.items()}
    script = folder / "step.py"
    script.write_text(program("Check the derivatives"), encoding="utf-8")
    line = [sys.executable, str(script)]
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)
    outputs, summary = (path.read_text(encoding="utf-8") if path.exists() else "" for path in files.values())
    return done.returncode, done.stdout + done.stderr, outputs, summary


@pytest.mark.parametrize(
    ("arguments", "code", "annotation"),
    [
        ("examples/quadratic.py:f --grad examples/quadratic.py:grad --dim 10", 0, ""),
        (
            "examples/quadratic.py:f --grad examples/quadratic.py:grad_assuming_symmetric_matrix --dim 10",
            1,
            "::error file=examples/quadratic.py,line=",
        ),
        ("examples/quadratic.py:no_such_name --grad examples/quadratic.py:grad --dim 10", 2, ""),
        ("examples/quadratic.py:f --grad examples/quadratic.py:grad --point '1, 2; touch evil' --dim 2", 2, ""),
    ],
)
def test_the_checking_step(tmp_path: Path, arguments: str, code: int, annotation: str) -> None:
    returned, printed, outputs, summary = check(tmp_path, arguments)
    assert returned == code, printed
    assert outputs == f"exit-code={code}\n"
    assert annotation in printed
    assert ("quadratic" in summary) == (code < 2)


def test_the_checking_step_without_arguments_takes_what_is_declared(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[gradcheck:one]\ntarget = m:f\ngrad = m:g\ndim = 3\n")
    (tmp_path / "m.py").write_text("def f(x): return (x * x).sum()\ndef g(x): return 2 * x\n")
    code, printed, _, summary = check(tmp_path, "", cwd=tmp_path)
    assert code == 0, printed
    assert "one" in summary


def test_the_checking_step_takes_several_names(tmp_path: Path) -> None:
    table = "[gradcheck:{}]\ntarget = m:f\ngrad = m:{}\ndim = 3\n"
    text = "".join(table.format(*pair) for pair in (("one", "g"), ("two", "wrong"), ("three", "wrong")))
    (tmp_path / "setup.cfg").write_text(text)
    (tmp_path / "m.py").write_text(
        "def f(x): return (x * x).sum()\ndef g(x): return 2 * x\ndef wrong(x): return 3 * x\n"
    )
    code, printed, _, summary = check(tmp_path, "one two --rtol 1e-5", cwd=tmp_path)
    assert code == 1, printed
    assert printed.count("::error file=m.py,line=3,") == 1
    assert [name in summary for name in ("one", "two", "three")] == [True, True, False]


@pytest.mark.parametrize(
    ("version", "install", "expected"),
    [("", "", ["{home}"]), ("0.1.0", "", ["gradcheck==0.1.0"]), ("", ". 'a b'", ["{home}", ".", "a b"])],
)
def test_the_installing_step(tmp_path: Path, version: str, install: str, expected: list[str]) -> None:
    """With a pip that only tells what it was asked for."""
    (tmp_path / "pip.py").write_text("import sys\nprint(sys.argv[1:])\n")
    script = tmp_path / "step.py"
    script.write_text(program("Install gradcheck"), encoding="utf-8")
    home = {"GRADCHECK_HOME": f"{ROOT}/.github/actions/gradcheck/../../.."}
    environment = {**os.environ, **home, "GRADCHECK_VERSION": version, "GRADCHECK_INSTALL": install}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    words = [word.format(home=ROOT) for word in expected]
    assert done.stdout.strip().endswith(str(words)[1:]), done.stdout
