"""Every command that the examples print is run, and every experiment in its short mode."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SYSTEMS = ("quadratic", "log_quadratic", "softplus", "multidimensional_scaling")
EXPERIMENTS = ("descent_without_gradients", "multidimensional_scaling", "curse_of_dimensionality")


def command_lines() -> list[str]:
    texts = [ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "" for file in sorted(EXAMPLES.glob("*.py"))]
    texts.append((EXAMPLES / "worked_derivatives.md").read_text("utf-8"))
    return [line.strip() for text in texts for line in text.splitlines() if line.strip().startswith("gradcheck ")]


def commands() -> dict[str, int]:
    """Each command once, with its exit code."""
    found = (re.fullmatch(r"(gradcheck .*?) +# exit (\d)", line) for line in command_lines())
    return {" ".join(match[1].split()): int(match[2]) for match in found if match}


def run(*arguments: str, cwd: Path = ROOT, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    folders = [*map(str, path), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders)), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, encoding="utf-8", timeout=300
    )


def test_every_command_states_one_exit_code() -> None:
    lines = command_lines()
    assert len(lines) > 40
    assert [line for line in lines if not re.search(r" # exit [013]$", line)] == []
    stated = {(" ".join(line.partition(" #")[0].split()), line[-1]) for line in lines}
    assert len(stated) == len(commands())


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_function_of_a_system_stands_in_a_command(system: str) -> None:
    tree = ast.parse((EXAMPLES / f"{system}.py").read_text("utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    checked = " ".join(commands())
    derivatives = [name for name in functions if re.fullmatch(r"(f|grad|hess)(_.*)?", name)]
    assert len(derivatives) > 4
    assert [name for name in derivatives if not re.search(rf"{system}\.py:{name}\b", checked)] == []


@pytest.mark.parametrize(("command", "code"), commands().items())
def test_command(command: str, code: int) -> None:
    result = run("-m", *shlex.split(command))
    assert result.returncode == code, result.stdout + result.stderr


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiment(experiment: str, tmp_path: Path) -> None:
    """It asserts its own claims; here they must hold, and the picture must be there if matplotlib is."""
    result = run(str(EXAMPLES / f"{experiment}.py"), "--short", "--save", str(tmp_path / "pictures"), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "two-point" in result.stdout
    assert "…" not in result.stdout
    drawn = [file.name for file in tmp_path.rglob("*.png")]
    assert drawn == ([f"{experiment}.png"] if importlib.util.find_spec("matplotlib") else [])


def test_an_experiment_leaves_the_folder_clean(tmp_path: Path) -> None:
    result = run(str(EXAMPLES / "descent_without_gradients.py"), "--short", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "no picture: --save DIR draws one" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_experiment_without_matplotlib(tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not installed')\n")
    arguments = (str(EXAMPLES / "descent_without_gradients.py"), "--short", "--save", "pictures")
    result = run(*arguments, cwd=tmp_path, path=(tmp_path,))
    assert result.returncode == 0, result.stderr
    assert "no picture: matplotlib is not installed" in result.stdout
    assert list(tmp_path.rglob("*.png")) == []


def test_pictures_of_the_readme_are_small() -> None:
    pictures = list((EXAMPLES / "pictures").glob("*.png"))
    assert {picture.stem for picture in pictures} == set(EXPERIMENTS)
    assert all(picture.stat().st_size < 100_000 for picture in pictures)


def test_a_cluster_may_lose_a_worker_and_its_client() -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    done = run("examples/dask_cluster.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("The gradient is right: 60 entries agree.") == 3
    assert done.stdout.count("the same to the last bit") == 2
    made, needed = map(int, re.findall(r"f was called (\d+) times for (\d+) evaluations", done.stdout)[0])
    assert made == needed + 1, "one point is evaluated again"
