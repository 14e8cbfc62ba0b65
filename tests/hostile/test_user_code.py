"""Whatever user code raises is an error of that check, or the interrupt that it is; the others go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcheck as api
from gradcheck import Verdict
from tests.hostile.harness import gradcheck, module

RAISED = {
    "asyncio.CancelledError('no')": "CancelledError",
    "GeneratorExit": "GeneratorExit",
    "SystemExit(0)": "SystemExit",
    "StopIteration": "StopIteration",
    "BaseException('no')": "BaseException",
    "Own": "Own",
    "Mute": "Mute",
    "Deaf": "Deaf",
    "MemoryError": "MemoryError",
    "RecursionError": "RecursionError",
    "ExceptionGroup('g', [ValueError(1)])": "ExceptionGroup",
    "pytest.exit.Exception('no')": "Exit",
    "pytest.skip.Exception('no')": "Skipped",
}
SOURCE = """
import asyncio, pytest
class Own(BaseException): pass
class Mute(Exception):
    def __str__(self): raise RuntimeError("x")
class Deaf(BaseException):
    def __str__(self): raise Own
    __repr__ = __str__
def bad(x): raise RAISED
def bad_claim(x): raise RAISED
def later(x):
    if x[0] != 0.5: raise RAISED
    return (x**2).sum()
"""


@pytest.mark.parametrize(
    ("target", "grad", "raised"),
    [("bad", "g", raised) for raised in RAISED]
    + [("f", "bad_claim", raised) for raised in ("SystemExit(0)", "Deaf", "pytest.exit.Exception('no')")],
)
def test_what_f_or_the_claim_raises_is_an_error_of_that_check_alone(
    tmp_path: Path, target: str, grad: str, raised: str
) -> None:
    module(tmp_path, SOURCE.replace("RAISED", raised))
    checks = f"[gradcheck:bad]\ntarget = m:{target}\ngrad = m:{grad}\ndim = 3\n"
    checks += "[gradcheck:good]\ntarget = m:f\ngrad = m:g\ndim = 3\n"
    (tmp_path / "setup.cfg").write_text(checks)
    ended = gradcheck(tmp_path, "--junit", "r.xml", "--json", "r.json")
    assert ended.code == 3
    assert (tmp_path / "r.xml").exists()
    bad, good = json.loads((tmp_path / "r.json").read_text())["checks"]
    assert (bad["verdict"], good["verdict"]) == ("ERROR", "PASS")
    assert f"raised {RAISED[raised]}" in bad["headline"]


AWAY = {
    **RAISED,
    "Mute": "",
    "StopIteration": "",
    "MemoryError": "",
    "RecursionError": "",
    "pytest.exit.Exception('no')": "",
}
del AWAY["ExceptionGroup('g', [ValueError(1)])"]


@pytest.mark.parametrize(
    ("raised", "jobs"), [*((raised, 1) for raised in AWAY), ("SystemExit(0)", 2), ("Deaf", 2), ("StopIteration", 2)]
)
def test_away_from_the_point_an_exception_is_no_value_and_the_rest_an_error(
    tmp_path: Path, raised: str, jobs: int
) -> None:
    source = SOURCE.replace("def later(x):", "def later(x):\n    import time; time.sleep(.01)")
    module(tmp_path, source.replace("RAISED", raised))
    point = ",".join(["0.5", *["1.5"] * 30])
    ended = gradcheck(tmp_path, "m:later", "--grad", "m:g", "--point", point, "--jobs", str(jobs))
    assert ended.code == 3
    assert ("f raised " in ended.out and AWAY[raised] in ended.out) == bool(AWAY[raised])
    assert ("ERROR" in ended.out) == bool(AWAY[raised])


def leave(*_: Any) -> Any:
    raise SystemExit(0)


def f(x: Any) -> float:
    return float((x**2).sum())


def g(x: Any) -> Any:
    return 2 * x


def test_sys_exit_does_not_get_through_the_functions() -> None:
    x = np.ones(3)
    with pytest.raises(api.UserCodeError, match=r"f raised SystemExit at the point: 0"):
        api.check_gradient(leave, g, x)
    report = api.check_gradient(f, leave, x, throw=False)
    assert report.verdict is Verdict.ERROR
    assert api.check_hvp(f, leave, x, throw=False).verdict is Verdict.ERROR
    assert api.check_vjp(g, leave, x, throw=False).verdict is Verdict.ERROR
    assert api.check_hessian(f, lambda x: 2 * np.eye(3), x, grad=leave, throw=False).verdict is Verdict.ERROR


@pytest.mark.parametrize("where", ["f", "claim", "import", "factory"])
def test_a_keyboard_interrupt_is_an_interrupt(tmp_path: Path, where: str) -> None:
    module(tmp_path, "def stop(x=None): raise KeyboardInterrupt" + ("\nstop()" if where == "import" else ""))
    target, grad = ("m:stop", "m:g") if where in ("f", "factory") else ("m:f", "m:stop")
    ended = gradcheck(tmp_path, target, "--grad", grad, "--dim", "3", *(["--factory"] if where == "factory" else []))
    assert ended.code == 130


@pytest.mark.parametrize("place", ["import", "factory", "point", "args", "executor"])
@pytest.mark.parametrize("raised", ["SystemExit(0)", "Mute", "Deaf"])
def test_what_is_raised_before_the_check_is_one_line(tmp_path: Path, place: str, raised: str) -> None:
    module(tmp_path, SOURCE.replace("RAISED", raised) + (f"\nraise {raised}" if place == "import" else ""))
    more = {"factory": ["--factory"], "point": ["--point", "m:bad2"], "executor": ["--executor", "m:bad2"]}.get(
        place, []
    )
    with (tmp_path / "m.py").open("a") as source:
        source.write(f"\ndef bad2(): raise {raised}\n")
    target, grad = ("m:bad2", "m:bad2") if place == "factory" else ("m:f", "m:g")
    size = [] if place == "point" else ["--dim", "3"]
    if place == "args":
        more = ["--args", "m:nowhere.x"]
    ended = gradcheck(tmp_path, target, "--grad", grad, *size, *more)
    assert ended.code in (2, 3)
    assert ended.out == ""
    assert ended.err.startswith("error: ")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "def v(x): return np.array([])\ndef j(x): return np.zeros((0, 3))",
            "m:v --jac m:j",
            "returned an empty array",
        ),
        ("def v(x): return np.ma.masked", "m:v --grad m:g", "f returned masked values"),
        ("def m(x): return np.ma.array(2*x, mask=[0, 0, 1])", "m:f --grad m:m", "grad returned masked values"),
    ],
)
def test_an_answer_without_values_is_an_error(tmp_path: Path, text: str, line: str, said: str) -> None:
    module(tmp_path, text)
    ended = gradcheck(tmp_path, *line.split(), "--dim", "3")
    assert ended.code == 3
    assert said in ended.out


MASKED = {
    "a number": lambda x: np.ma.masked if x[0] != 0.5 else float((x**2).sum()),
    "an array": lambda x: np.ma.array([(x**2).sum()], mask=[x[0] != 0.5]),
    "rows": lambda x: np.ma.array((x**2).sum(axis=-1), mask=x[..., 0] != 0.5),
}


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("options", [{}, {"method": "directions"}, {"jobs": 2}, {"points": 3}], ids=str)
@pytest.mark.parametrize("case", MASKED)
def test_a_masked_value_away_from_the_point_is_an_error_too(case: str, options: dict[str, Any]) -> None:
    x = np.r_[0.5, np.linspace(1, 2, 40)]
    report = api.check_gradient(MASKED[case], g, x, throw=False, **options)
    assert report.verdict is Verdict.ERROR
    assert report.headline.endswith("f returned masked values, which are no numbers; fill them (numpy.ma.filled)")
    assert report.nfev > 1


def test_so_is_one_of_several_values_and_one_of_a_claim() -> None:
    x, eye = np.array([0.5, 1.0]), np.eye(2)

    def odd(values: Any, x: Any) -> Any:
        return np.ma.array(values, mask=np.broadcast_to(x[0] != 0.5, np.shape(values)))

    assert api.check_jacobian(lambda x: odd(x, x), lambda x: eye, x, throw=False).verdict is Verdict.ERROR
    assert api.check_gradient(f, lambda x: odd(2 * x, x), x, throw=False).verdict is Verdict.ERROR
    tree = api.check_jacobian(lambda x: {"a": odd(x, x)}, lambda x: eye, x, throw=False)
    assert tree.verdict is Verdict.ERROR


def test_a_masked_point_is_refused() -> None:
    x0 = np.ma.array([0.5, 1.0], mask=[False, True])
    with pytest.raises(api.PointError, match="the point has masked entries, which are no numbers; fill them"):
        api.check_gradient(f, g, x0)
    with pytest.raises(api.PointError, match="masked entries"):
        api.check_gradient(lambda p: f(p["W"]), lambda p: {"W": g(p["W"])}, {"W": x0})


def test_an_array_with_a_mask_that_hides_nothing_is_an_array() -> None:
    assert api.check_gradient(f, lambda x: np.ma.array(2 * x, mask=False), np.array([0.5, 1.0])).verdict is Verdict.PASS


@pytest.mark.parametrize("body", ["sys.path.clear()", "sys.path = []", "sys.path[:] = ['/nowhere']"])
@pytest.mark.parametrize("more", [["--html", "p.html"], ["--method", "directions", "--format", "github"]], ids=str)
def test_a_path_that_user_code_has_cleared_is_not_ours(tmp_path: Path, body: str, more: list[str]) -> None:
    module(tmp_path, f"import sys\ndef lost(x):\n {body}\n return (x**2).sum()")
    ended = gradcheck(tmp_path, "m:lost", "--grad", "m:wrong", "--dim", "30", *more)
    assert ended.code == 1


# ---- pytest


def run_pytest(folder: Path, body: str) -> str:
    import os
    import subprocess
    import sys

    from tests.hostile.harness import ROOT

    (folder / "test_it.py").write_text(
        "import numpy as np, pytest\nx0 = np.ones(3)\n"
        f"def f(x):\n    {body}\n    return (x**2).sum()\n"
        "def test_one(gradcheck): gradcheck(f, lambda x: 2 * x, x0)\n"
        "def test_two(): pass\n"
    )
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-q", "test_it.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("condition", ["True", "x[1] != 1"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("pytest.exit('enough')", "Exit: enough"),
        ("pytest.skip('not here')", "1 passed, 1 skipped"),
        ("pytest.fail('by hand')", "Failed: by hand"),
    ],
)
def test_what_pytest_is_told_in_f_reaches_pytest(tmp_path: Path, condition: str, body: str, said: str) -> None:
    text = run_pytest(tmp_path, f"if {condition}: {body}")
    assert said in text
    assert "INTERNALERROR" not in text


def test_sys_exit_in_f_is_a_failure_of_that_test(tmp_path: Path) -> None:
    text = run_pytest(tmp_path, "raise SystemExit(0)")
    assert "1 failed, 1 passed" in text
    assert "f raised SystemExit at the point: 0" in text
