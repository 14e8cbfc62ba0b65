"""What a CI job does: every declared derivative of a repository, several reports at once, a baseline kept between runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reporting.test_github import annotations
from tests.reporting.test_junit import parse

ROOT = Path(__file__).parents[2]
SOURCE = """
import numpy as np
def f(x):
    return (x ** 2).sum()

def g(x):
    return 2 * x

def wrong(x):
    return 2.001 * x

def kinked(x):
    return np.abs(x).sum()

def raises(x):
    raise ValueError("50% of <a> & b:\\n::error::not a command]]>")
"""
CHECKS = """
[gradcheck:right, of course: 100%]
target = m:f
grad = m:g
dim = 4

[gradcheck:wrong]
target = m:f
grad = m:wrong
dim = 4

[gradcheck:kinked]
target = m:kinked
grad = numpy:sign
point = 0, 0

[gradcheck:raising]
target = m:raises
grad = m:g
dim = 4

[gradcheck:missing]
target = m:nothing
grad = m:g
dim = 4
"""


def run(folder: Path, *arguments: str, **env: str) -> tuple[int, str, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    line = [sys.executable, "-m", "gradcheck", *arguments]
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.py").write_text(SOURCE)
    (tmp_path / "setup.cfg").write_text(CHECKS)
    return tmp_path


@pytest.mark.parametrize("blocked", [None, "r.json", "r.xml", "summary.md"])
def test_annotations_and_reports_at_once(folder: Path, blocked: str | None) -> None:
    """Each keeps to its grammar; one that cannot be written is named, and does not stop the others."""
    if blocked:
        (folder / blocked).mkdir()
    files = ("--junit", "r.xml", "--json", "r.json", "--markdown", "r.md", "--html", "r.html")
    code, out, err = run(folder, "--format", "github", *files, GITHUB_STEP_SUMMARY="summary.md")
    assert code == 1, "the verdict decides"
    assert ("Is a directory" in err) == bool(blocked)
    found = annotations(out)
    assert [(level, properties["title"]) for level, properties, _ in found] == [
        ("error", "FAIL: gradient of wrong"),
        ("warning", "INCONCLUSIVE: gradient of kinked"),
        ("error", "ERROR: gradient of raising"),
        ("error", "ERROR: gradient of missing"),
    ]
    assert (found[0][1]["file"], found[0][1]["line"]) == (
        "m.py",
        str(SOURCE[: SOURCE.index("def wrong")].count("\n") + 2),
    ), "the line that is wrong"
    assert "50% of <a> & b" in found[2][2]
    names = ["right, of course: 100%", "wrong", "kinked", "raising", "missing"]
    if blocked != "r.xml":
        root = parse((folder / "r.xml").read_text(encoding="utf-8"))
        assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "3")
    if blocked != "r.json":
        document = json.loads((folder / "r.json").read_text(encoding="utf-8"))
        assert [check["name"] for check in document["checks"]] == names
    if blocked != "summary.md":
        assert "of course: 100%" in (folder / "summary.md").read_text(encoding="utf-8")
    for name in ("r.md", "r.html"):
        assert "5 checks" in (folder / name).read_text(encoding="utf-8")


def test_digits_that_were_lost_are_told_while_the_derivative_still_passes(folder: Path) -> None:
    (folder / "setup.cfg").write_text("[gradcheck:one]\ntarget = m:f\ngrad = m:g\ndim = 4\n")
    assert run(folder, "--save-baseline", "kept.json")[0] == 0
    code, _, err = run(folder, "--baseline", "kept.json", "--save-baseline", "again.json")
    assert (code, err) == (0, "")
    assert (folder / "kept.json").read_text() == (folder / "again.json").read_text()
    (folder / "m.py").write_text(SOURCE.replace("(x ** 2).sum()", "(x ** 2).sum() + 1e6"))
    code, out, err = run(folder, "--baseline", "kept.json")
    assert code == 0, out
    assert re.fullmatch(r"warning: gradient of one .* digits; it was .* in kept\.json\n", err)
    (folder / "m.py").write_text(SOURCE.replace("2 * x", "3 * x"))
    code, _, err = run(folder, "--baseline", "kept.json")
    assert code == 1
    assert "warning: gradient of one was PASS in kept.json and is FAIL now\n" in err


def test_two_hundred_declared_checks_in_one_process_with_progress(folder: Path) -> None:
    slow = "\nimport time\ndef slow(x):\n    time.sleep(0.01)\n    return f(x)\n"
    (folder / "m.py").write_text(SOURCE + slow)
    tables = [
        f"[gradcheck:check-{k}]\ntarget = m:f\ngrad = m:{'wrong' if k == 77 else 'g'}\ndim = 20\n" for k in range(200)
    ]
    tables[100] = tables[100].replace("m:f", "m:slow")
    (folder / "setup.cfg").write_text("\n".join(tables))
    code, out, err = run(folder, "--verbose", "--json", "r.json")
    assert code == 1
    assert "199 PASS" in out
    assert re.search(r"^\[\d+/200\] check-\d+  ", err, re.MULTILINE)
    checks = json.loads((folder / "r.json").read_text(encoding="utf-8"))["checks"]
    assert [check["name"] for check in checks] == [f"check-{k}" for k in range(200)]
    assert [check["name"] for check in checks if check["verdict"] == "FAIL"] == ["check-77"]
    code, out, err = run(folder, "--quiet")
    assert (code, err) == (1, "")


def test_decorated_derivatives_of_a_package(folder: Path) -> None:
    (folder / "pack" / "deep").mkdir(parents=True)
    head = "import gradcheck\nimport numpy as np\ndef f(x): return (x ** 2).sum()\n"
    grad = "@gradcheck.derivative_of(f, dim=4)\ndef g(x): return {} * x\n"
    hess = "@gradcheck.derivative_of(f, 'hessian', shape='2x2', grad=lambda x: 2 * x)\ndef h(x): return 2 * np.eye(4)\n"
    for name, text in {
        "__init__": "",
        "right": head + grad.format(2) + hess,
        "deep/__init__": "",
        "deep/wrong": head + grad.format(3),
        "deep/unfit": head + grad.format(2).replace("dim=4", "dmi=4"),
        "deep/broken": "import no_such_dependency\n",
    }.items():
        (folder / "pack" / f"{name}.py").write_text(text)
    code, out, err = run(folder, "pack", "--format", "github")
    assert code == 1
    ((level, properties, _),) = annotations(out)
    assert (level, properties["file"], properties["line"]) == ("error", "pack/deep/wrong.py", "5")
    assert "did you mean 'dim'?" in err
    assert "no_such_dependency" in err
    code, out, err = run(folder, "pack.right")
    assert (code, err) == (0, "")
    assert "3 PASS" in out  # the Hessian brings its gradient along
    code, out, _ = run(folder, "pack.deep.wrong:g")
    assert code == 1
    assert "replay  gradcheck pack.deep.wrong:g" in out
    code, out, _ = run(folder, "pack.right", "--list")
    assert code == 0
    assert [line.split("  ")[:2] for line in out.splitlines()] == [
        ["pack.right:g", "gradient"],
        ["pack.right:h", "gradient, hessian"],
    ]
