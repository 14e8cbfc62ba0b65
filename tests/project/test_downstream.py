"""A project that uses gradcheck, installed beside it into a fresh virtual environment."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import site
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGED = ("gradcheck", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a command of the environment in the folder of the project.

    The dependencies are those of this environment; gradcheck and the project are built and installed anew.
    """
    folder = tmp_path_factory.mktemp("downstream")
    ignored = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
    for name in PACKAGED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / "source" / name, **({"ignore": ignored} if copy is shutil.copytree else {}))
    shutil.copytree(ROOT / "tests" / "downstream", folder / "project", ignore=ignored)
    venv.create(folder / "env", with_pip=False)
    places = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    python = places / ("python.exe" if os.name == "nt" else "python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    Path(packages, "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "PIP"))}
    environment |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}

    def start(*command: str) -> subprocess.CompletedProcess[str]:
        first = [python] if command[0] == "python" else [python, "-m", command[0]]
        line = [*first, *command[1:]]
        return subprocess.run(
            line, cwd=folder / "project", env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    at_hand = importlib.util.find_spec("setuptools") is not None and importlib.util.find_spec("wheel") is not None
    isolation = ["--no-build-isolation"] if at_hand else []
    installed = start(
        "pip", "install", "--quiet", "--no-deps", *isolation, str(folder / "source"), str(folder / "project")
    )
    if installed.returncode and not at_hand:
        pytest.skip(f"neither setuptools nor a package index is at hand: {installed.stderr[-300:]}")
    assert installed.returncode == 0, installed.stderr
    return start


def test_it_is_the_installed_package_that_runs(run: Run) -> None:
    done = run("python", "-c", "import gradcheck, springs; print(gradcheck.__file__, springs.__file__)")
    assert done.returncode == 0, done.stderr
    for file in done.stdout.split():
        assert "env" in Path(file).parts


def test_the_plugin_is_there_without_being_asked_for(run: Run) -> None:
    done = run("pytest", "-W", "error", "-p", "no:cacheprovider")
    assert "6 passed" in done.stdout, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    for part in ("The gradient is wrong", "--grad springs.chain:force_without_its_factor", "= gradcheck ="):
        assert part in done.stdout
    assert "site-packages" + os.sep + "gradcheck" not in done.stdout


def test_in_several_processes_with_the_declared_checks(run: Run) -> None:
    done = run("pytest", "-n", "2", "--gradcheck-declared", "-p", "no:cacheprovider", "-W", "error")
    assert "8 passed" in done.stdout, done.stdout + done.stderr
    assert "2 failed" in done.stdout
    assert "FAILED setup.cfg::chain-forgotten-factor" in done.stdout
    assert re.search("^ +chain-compiled +gradient .* PASS$", done.stdout, re.MULTILINE)


def test_the_plugin_can_be_turned_off(run: Run) -> None:
    done = run("pytest", "-p", "no:gradcheck", "-p", "no:cacheprovider", "-W", "error", "tests/test_plain.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unrecognized arguments" in run("pytest", "-p", "no:gradcheck", "--gradcheck-declared").stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 1, ["chain-forgotten-factor", "3 PASS", "1 FAIL"]),
        (["chain"], 0, ["hessian"]),
        (["chain-compiled"], 0, ["PASS"]),
        (["chain-forgotten-factor"], 1, ["FAIL"]),
        (["springs"], 0, ["springs.chain:force", "springs.chain:stiffness"]),
        (["--list"], 0, ["chain-compiled  gradient"]),
    ],
)
def test_the_command(run: Run, arguments: list[str], code: int, words: list[str]) -> None:
    done = run("gradcheck", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    for word in words:
        assert word in done.stdout
    assert done.stderr == ""
