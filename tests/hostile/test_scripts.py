"""The odd inputs that were reported first, by their numbers, each as it was typed; what was made of the kind is tested beside it.

01, 02 in test_budget; 03–05, 12, 29 in test_user_code; 07, 11 in test_shapes; 09, 21, 23 in test_outputs; 19, 22 in
test_processes; 18 in tests/cli/test_completion, for three shells; the others here.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcheck as api
from gradcheck.options.table import OPTIONS
from tests.hostile.harness import PATIENCE, ROOT, gradcheck, module, start

CHECK = ("m:f", "--grad", "m:g")
X = np.ones(3)


def f(x: Any) -> float:
    return float((x**2).sum())


def g(x: Any) -> Any:
    return 2 * x


def refused(folder: Path, *line: str, saying: str, **options: Any) -> None:
    """It is exit 2 and one line."""
    ended = gradcheck(folder, *line, **options)
    assert (ended.code, ended.out) == (2, ""), ended.said
    assert ended.err.startswith("error: ")
    assert len(ended.err.splitlines()) == 1
    assert len(ended.err) < 500
    assert re.search(saying, ended.err), ended.err


def broken_header(folder: Path) -> str:
    np.save(folder / "code.npy", np.arange(3.0))
    data = (folder / "code.npy").read_bytes()
    (folder / "code.npy").write_bytes(data.replace(b"(3,)", b"(1if"))
    return "code.npy"


def deep(folder: Path) -> str:
    (folder / "deep.json").write_text("[" * 70 + "1.5" + "]" * 70)
    return "deep.json"


def fifo(folder: Path) -> str:
    os.mkfifo(folder / "fifo.npy")
    return "fifo.npy"


def dangling(folder: Path) -> str:
    (folder / "dangling.npy").symlink_to("nowhere.npy")
    return "dangling.npy"


@pytest.mark.parametrize(
    ("made", "saying"),
    [
        (broken_header, "code.npy is damaged: "),
        (deep, "deep.json has more than 32 dimensions"),
        (lambda folder: "x" * 300 + ".npy", "no such file: xxx"),
        (fifo, "fifo.npy is no regular file but a FIFO or a device"),
        (dangling, "dangling.npy is a link to nowhere.npy, which does not exist"),
    ],
    ids=["header", "deep", "long", "fifo", "dangling"],
)
def test_06_and_28_files_that_hold_no_point(tmp_path: Path, made: Callable[[Path], str], saying: str) -> None:
    module(tmp_path, "")
    refused(tmp_path, *CHECK, "--point", made(tmp_path), saying=saying)


def test_08_more_than_32_dimensions(tmp_path: Path) -> None:
    module(tmp_path, "")
    refused(tmp_path, *CHECK, "--shape", "x".join("1" * 40), saying="it must have at most 32 dimensions")


def test_10_a_right_hessian_beside_a_wrong_gradient(tmp_path: Path) -> None:
    module(tmp_path, "def h(x): return 2*np.eye(3)")
    ended = gradcheck(tmp_path, "m:f", "--grad", "m:wrong", "--hess", "m:h", "--dim", "3", "--format", "json")
    gradient, hessian = json.loads(ended.out)["checks"]
    assert (ended.code, gradient["verdict"], hessian["verdict"]) == (1, "FAIL", "INCONCLUSIVE")
    assert "grad is not the gradient of f" in hessian["headline"]
    assert gradcheck(tmp_path, "m:f", "--hess", "m:h", "--dim", "3").code == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"grad": g(X)}, "grad is array([2., 2., 2.]), which is no function; give the function itself"),
        ({"bounds": (None, 5)}, "bounds is (None, 5); it must be a pair (lower, upper)"),
        ({"rtol": "x"}, "rtol is 'x'; it must be a number"),
        ({"atol": "x"}, "atol is 'x'; it must be a finite number"),
        ({"eps": "1e-4"}, "eps is '1e-4'; it must be a finite number above 0"),
        ({"budget": "1"}, "budget is '1'; it must be a finite number above 0"),
        ({"seed": None}, "seed is None; it must be a whole number"),
        ({"method": ["auto"]}, "method is ['auto']; it must be one of auto, coordinates, directions, complex-step"),
        ({"rtoll": 1}, "unknown keyword 'rtoll'; did you mean 'rtol'?"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_13_arguments_of_the_api(given: dict[str, Any], said: str) -> None:
    with pytest.raises(api.UsageError) as caught:
        api.check_gradient(f, **{"grad": g, "x0": X, **given})
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("line", ["--help", "--version", "--explain", "--list", "m:f --grad m:g --dim 3"])
def test_14_stdout_is_a_full_disk(tmp_path: Path, line: str) -> None:
    module(tmp_path, "")
    (tmp_path / "setup.cfg").write_text("[gradcheck:a]\ntarget = m:f\ngrad = m:g\ndim = 3\n")
    with open("/dev/full", "w") as full:
        ended = gradcheck(tmp_path, *line.split(), stdout=full)
    assert (ended.code, ended.err) == (2, "error: cannot write to stdout: No space left on device\n")


def test_15_two_reports_in_one_file_or_in_none(tmp_path: Path) -> None:
    module(tmp_path, "")
    refused(
        tmp_path, *CHECK, "--dim", "3", "--json", "o", "--junit", "./o", saying="--json and --junit would both write"
    )
    refused(tmp_path, *CHECK, "--dim", "3", "--json", "", saying="--json is ''; it must be the name of a file")
    assert not (tmp_path / "o").exists()


def test_16_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text("{}")
    line = ("nb.ipynb:f", "--grad", "nb.ipynb:g", "--dim", "3")
    refused(tmp_path, *line, saying="in a notebook, which is not read; save the functions in a .py file")


def test_17_how_many_of_how_many(tmp_path: Path) -> None:
    text = "L = np.eye(200)\ndef q(x): return .5*x@x+(x**4).sum()/12\ndef dq(x): return x+x**3/3\n"
    module(tmp_path, text + "def h(x): return L+2*np.diag(x**2)\ndef twice(x): return 2*(L+np.diag(x**2))\n")
    line = ("m:q", "--grad", "m:dq", "--dim", "200", "--top", "1", "--no-fix")
    ended = gradcheck(tmp_path, *line, "--hess", "m:h")
    assert "1 of 40,000 entries shown; --all shows the worst 10,000" in ended.out
    assert re.search(r"on the diagonal \(\d+ of 40,000 entries\)", ended.out)
    shown = gradcheck(tmp_path, *line, "--hess", "m:h", "--all")
    assert "10,000 of 40,000 entries shown\n" in shown.out
    assert "of 10,000 entries" not in ended.out


def test_24_eps_is_the_first_step_as_its_help_says() -> None:
    assert OPTIONS["eps"].help.startswith("The first step")
    assert "first step" in str(api.Options.__doc__)
    seen: list[float] = []

    def cubic(x: Any) -> float:
        seen.append(float(x[0]))
        return float((x**3).sum())

    report = api.check_gradient(cubic, lambda x: 3 * x**2, X, eps=0.25, throw=False)
    assert report.options["eps"] == 0.25
    assert {0.75, 1.25} <= set(seen)


def test_25_the_working_directory_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    script = f"rmdir ../gone; exec {sys.executable} -m gradcheck"
    done = subprocess.run(
        ["sh", "-c", script], cwd=gone, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: the working directory cannot be told: ")


def test_26_a_report_is_printed_and_its_options_are_public() -> None:
    text = str(api.check_gradient(f, lambda x: 2.2 * x, X, throw=False, fix=False))
    assert "FAIL  The gradient is wrong: " in text
    assert "Report(" not in text
    assert "rtol: " in str(api.Options.__doc__)


def test_27_the_point_zero(tmp_path: Path) -> None:
    module(tmp_path, "")
    right = gradcheck(tmp_path, *CHECK, "--point", "0,0,0")
    assert right.code == 0
    assert "rescale" not in right.out
    module(tmp_path, "def odd(x): return 2*x + 0.1", "n")
    assert gradcheck(tmp_path, "m:f", "--grad", "n:odd", "--point", "0,0,0").code == 1


@pytest.mark.parametrize("call", [2, 5, 30, 60])
def test_30_evaluations_after_ctrl_c_are_counted(tmp_path: Path, call: int) -> None:
    text = "import os, time, pathlib\nN = 0\ndef s(x):\n global N\n N += 1\n pathlib.Path('calls').write_text(str(N))\n"
    module(tmp_path, text + f" if N == {call}: time.sleep(600)\n return (x**2).sum()")
    process = start(tmp_path, "m:s", "--grad", "m:g", "--dim", "40", "--format", "json")
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "calls").exists() or (tmp_path / "calls").read_text() != str(call):
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "interrupted\n")
    assert json.loads(out)["checks"][0]["nfev"] == call


def test_a_module_that_is_no_file_is_not_its_own_near_miss(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.py")
    ended = gradcheck(tmp_path, "fifo:f", "--grad", "fifo:g", "--dim", "3")
    assert ended.code == 2
    assert "no module named 'fifo'" in ended.err
    assert "did you mean" not in ended.err
