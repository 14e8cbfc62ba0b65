"""The command line: exit codes, streams, what is said about bad input, and what survives an interruption."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck.cli.command import command
from gradcheck.model import DiagnosisKind, FindingKind, Mistake, Verdict
from gradcheck.reporting.restore import restore

ROOT = Path(__file__).parents[2]
USER_CODE = """
import numpy as np
from functools import partial

x0 = np.array([0.5, -1.0, 2.0])

def f(x):
    return (x ** 2).sum() + x[0] * x[-1]

def g(x):
    d = 2 * x
    d[0] += x[-1]
    d[-1] += x[0]
    return d

def wrong(x):
    d = g(x)
    d[1] *= 1.001
    return d

def hess(x):
    h = 2 * np.eye(x.size)
    h[0, -1] += 1
    h[-1, 0] += 1
    return h

def wrong_hess(x):
    return 2 * np.eye(x.size)

def hvp(x, v): return hess(x) @ v
def wrong_hvp(x, v): return 2 * v

def residuals(x): return x ** 2 + x[0]

def jac(x):
    j = np.diag(2 * x)
    j[:, 0] += 1
    return j

def jvp(x, v): return jac(x) @ v
def vjp(x, u): return jac(x).T @ u

def helper(x):
    raise ValueError("deep inside")

def raises(x):
    return helper(x)

def exits(x):
    raise SystemExit(0)

def chatty(x):
    print("NOT JSON")
    return f(x)

def both(x):
    return f(x), g(x)

def make_f(): return f
def make_g(): return g
def make_x0(): return x0

def scaled(x, a, b): return a * (x ** 2).sum() + b
def scaled_g(x, a, b): return 2 * a * x

def returns_array(x): return x
def returns_none(x): pass
def returns_complex(x): return 1j
def returns_nan(x): return np.nan
def nan_gradient(x): return np.full_like(x, np.nan)
def short_gradient(x): return x[1:]

def at_kink(x): return np.abs(x).sum()
def at_kink_g(x): return np.sign(x)

text = "not callable"
"""
POOL = """
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

def f(x):
    time.sleep(2e-3)  # enough for it to be sent away
    return (x ** 2).sum()

def g(x): return 2 * x

def wrong(x):
    d = 2 * x
    d[3] *= 1.01
    return d

def threads(): return ThreadPoolExecutor(2)
def processes(): return ProcessPoolExecutor(2)
def number(): return 3
def raises(): raise RuntimeError("no licence")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.py").write_text(USER_CODE)
    (tmp_path / "broken.py").write_text("import no_such_dependency\n")
    (tmp_path / "bad_syntax.py").write_text("def f(x:\n")
    (tmp_path / "ragged.csv").write_text("1,2,3\n4,5\n")
    np.save(tmp_path / "pickled.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    np.save(tmp_path / "x0.npy", np.array([0.5, -1.0, 2.0]))
    return tmp_path


def start(folder: Path, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **(env or {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
    words = [sys.executable, "-m", "gradcheck", *arguments]
    return subprocess.Popen(words, cwd=folder, text=True, env=environment, **streams)


def run(folder: Path, *arguments: str, **options: Any) -> tuple[int, str, str]:
    process = start(folder, *arguments, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder as the working directory of this very process; what was imported from it is forgotten afterwards."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr("gradcheck.runner.decorator._pairs", {})
    yield folder
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(folder)):
            del sys.modules[name]


def invoke(*arguments: str) -> tuple[int, str]:
    """The command in this process: its exit code, and all that it wrote to either stream."""
    result = CliRunner().invoke(command, list(arguments))
    return result.exit_code, result.output


RIGHT = ("m:f", "--grad", "m:g", "--dim", "5")
WRONG = ("m:f", "--grad", "m:wrong", "--dim", "5")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("m:f --grad m:g --dim 5", 0),
        ("m:f --grad m:wrong --dim 5", 1),
        ("m:no_such --grad m:g --dim 5", 2),
        ("--no-such-option", 2),
        ("m:raises --grad m:g --dim 5", 3),
        ("m:exits --grad m:g --dim 5", 3),
        ("m:at_kink --grad m:at_kink_g --point 0.0,1.0", 3),
    ],
)
def test_exit_code_of_the_process(folder: Path, line: str, code: int) -> None:
    returned, out, err = run(folder, *shlex.split(line))
    assert returned == code, out + err
    assert "internal error" not in err


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("m.py:f --grad m.py:g --shape 5", 0),
        ("m:f --grad m:g --point x0.npy", 0),
        ("m:f --grad m:g --point 0.5,-1,2", 0),
        ("m:f --grad m:g --point m:x0", 0),
        ("m:f --grad m:g --point m:make_x0", 0),
        ("m:f --grad m:g --dim 5 --points 3 --seed 7 --bounds 0:1", 0),
        ("m:both --value-and-grad --dim 5", 0),
        ("m:make_f --grad m:make_g --factory --dim 5", 0),
        ("m:scaled --grad m:scaled_g --args 2.5,1 --dim 5", 0),
        ("m:f --grad m:g --hess m:hess --dim 5", 0),
        ("m:f --hess m:wrong_hess --dim 5", 1),
        ("m:f --grad m:g --hess m:wrong_hess --dim 5", 1),
        ("m:f --grad m:g --hvp m:hvp --dim 5", 0),
        ("m:f --hvp m:wrong_hvp --dim 5", 1),
        ("m:residuals --jac m:jac --jvp m:jvp --vjp m:vjp --dim 5", 0),
        ("m:residuals --vjp m:jvp --dim 5", 1),
        ("m:f --grad m:wrong --dim 5 --exit-zero", 0),
        ("m:f --grad m:nan_gradient --dim 5", 3),
        ("m:f --dim 5", 2),
        ("m:returns_array --grad m:g --dim 5", 3),
        ("m:returns_none --grad m:g --dim 5", 3),
        ("m:returns_complex --grad m:g --dim 5", 3),
        ("m:returns_nan --grad m:g --dim 5", 3),
        ("m:raises --grad m:g --dim 5 --exit-zero", 0),
        ("m:at_kink --grad m:at_kink_g --point 0.0,1.0 --allow-inconclusive", 0),
        ("m:no_such --grad m:g --dim 5 --exit-zero", 2),
    ],
)
def test_exit_code(here: Path, line: str, code: int) -> None:
    returned, said = invoke(*shlex.split(line))
    assert returned == code, said
    assert "internal error" not in said


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("nowhere:f --grad m:g --dim 5", 2, ["no module named 'nowhere'", "{folder}"]),
        ("broken:f --grad m:g --dim 5", 2, ["broken was found", "no_such_dependency", 'broken.py", line 1']),
        ("bad_syntax.py:f --grad m:g --dim 5", 2, ["bad_syntax.py:1"]),
        ("m:gg --grad m:g --dim 5", 2, ["no attribute 'gg'", "did you mean g?"]),
        ("m.f --grad m:g --dim 5", 2, ["did you mean m:f?"]),
        ("m:text --grad m:g --dim 5", 2, ["m:text", "not a callable"]),
        ("m:f --grad m:text --dim 5", 2, ["--grad", "not a callable"]),
        ("m:f --grad m:short_gradient --dim 5", 3, ["shape (4,)", "(5,)"]),
        ("m:f --grad m:g", 2, ["--dim N, --shape 20x3, --point P or --var NAME=P"]),
        ("m:f --grad m:g --dim 0", 2, ["--dim is 0; it must be a whole number of at least 1"]),
        ("m:f --grad m:g --dim five", 2, ["--dim is 'five'; it must be a whole number of at least 1"]),
        ("m:f --grad m:g --shape 3x", 2, ["3x", "20x3"]),
        ("m:f --grad m:g --dim 4 --shape 20x3", 2, ["dimension 4", "60 entries"]),
        ("m:f --grad m:g --point missing.npy", 2, ["missing.npy"]),
        ("m:f --grad m:g --point pickled.npy", 2, ["pickled.npy", "pickle"]),
        ("m:f --grad m:g --point ragged.csv", 2, ["ragged.csv"]),
        ("m:f --grad m:g --point x0.npy --dim 4", 2, ["x0.npy", "4"]),
        ("m:f --grad m:g --dim 5 --bounds 1:0", 2, ["bounds"]),
        ("m:f --grad m:g --dim 5 --eps 1e-30", 2, ["eps"]),
        ("m:f --grad m:g --dim 5 --eps nan", 2, ["--eps", "nan"]),
        ("m:f --grad m:g --dim 5 --rtol -1", 2, ["--rtol is -1; it must be a number of at least 0 and below 1"]),
        ("m:f --grad m:g --dim 5 --rtol 2", 2, ["--rtol is 2; it must be a number of at least 0 and below 1"]),
        ("m:f --grad m:g --dim 5 --json r --junit r", 2, ["--json and --junit would both write r; name two files"]),
        ("m:f --grad m:g --dim 5 -o r --save-baseline ./r", 2, ["--output and --save-baseline would both write ./r"]),
        ("m:f --grad m:g --dim 5 --bounds m:text", 2, ["bounds is", "must be a pair"]),
        ("m:f --grad m:g --dim 5 --bounds x0.npy", 2, ["x0.npy holds an array", "two rows"]),
        ("m:f --grad m:g --dim 5 --json ''", 2, ["--json is ''; it must be the name of a file"]),
        ("m:f --grad m:g --dim 5 --method direction", 2, ["--method is 'direction'; it must be one of", "directions?"]),
        ("m:f --grad m:g --dim 5 --executor m:text", 2, ["--executor", "submit"]),
        ("m:both --grad m:g --value-and-grad --dim 5", 2, ["--value-and-grad"]),
        ("m:f --dim 5", 2, ["--grad"]),
        ("--grad m:g --dim 5", 2, ["no TARGET"]),
        ("", 2, ["nothing to check", "--help"]),
        ("m", 2, ["'m' declares no derivatives"]),
        ("--gard m:g", 2, ["--gard", "--grad"]),
        ("m:raises --grad m:g --dim 5", 3, ["ValueError: deep inside", "m.py", "in helper"]),
    ],
)
def test_bad_input_is_named(here: Path, line: str, code: int, words: list[str]) -> None:
    returned, said = invoke(*shlex.split(line))
    assert returned == code, said
    for word in words:
        assert word.format(folder=here) in " ".join(said.split())
    assert str(ROOT / "gradcheck") not in said, "our own frames are none of the user's business"
    if code == 2:
        assert said.startswith("error: ")
        assert len(said.splitlines()) == 1 or f'File "{here}' in said, "one line, and the user's own traceback if any"


def test_results_go_to_stdout_and_nothing_to_stderr(folder: Path) -> None:
    code, out, err = run(folder, *WRONG)
    assert (code, err) == (1, "")
    assert "FAIL" in out
    assert "[1]" in out


@pytest.mark.parametrize("arguments", [RIGHT, WRONG, ("--help",), ("--version",)], ids=lambda a: " ".join(a))
def test_closed_pipe_is_quiet_and_keeps_the_exit_code(folder: Path, arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    process = start(folder, *arguments, "--all" if len(arguments) > 1 else arguments[0], stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1 if arguments == WRONG else 0, "")


def test_full_disk(folder: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        process = start(folder, *RIGHT, stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("error: cannot write to stdout")


@pytest.mark.parametrize("option", ["--output", "--json", "--junit", "--markdown", "--html", "--save-baseline"])
def test_unwritable_file_is_named_and_the_results_are_still_printed(folder: Path, option: str) -> None:
    code, out, err = run(folder, *RIGHT, option, "no/such/folder/file")
    assert code == 2
    assert err.startswith("error: ")
    assert "no/such/folder/file" in err
    assert len(err.splitlines()) == 1
    assert "PASS" in out


def test_several_outputs_at_once(folder: Path) -> None:
    files = {"--json": "r.json", "--junit": "r.xml", "--markdown": "r.md", "--html": "r.html", "--output": "r.txt"}
    code, out, err = run(folder, *WRONG, *(word for pair in files.items() for word in pair))
    assert (code, out, err) == (1, "", "")
    for name in files.values():
        assert "m:f" in (folder / name).read_text(encoding="utf-8")
    assert "\x1b" not in (folder / "r.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "starts"),
    [((), "<!doctype html>"), (("--format", "json"), "{"), (("--format", "text"), "gradient of m:f")],
)
def test_the_name_of_the_output_tells_its_format(folder: Path, more: tuple[str, ...], starts: str) -> None:
    code, out, err = run(folder, *WRONG, "-o", "report.html", *more)
    assert (code, out, err) == (1, "", "")
    assert (folder / "report.html").read_text(encoding="utf-8").startswith(starts)


def test_pictures_alone(folder: Path) -> None:
    code, out, err = run(folder, *WRONG, "--plot", "curve.svg")
    assert (code, err) == (1, "")
    assert "FAIL" in out
    assert "<svg" in (folder / "curve.svg").read_text(encoding="utf-8")
    code, out, err = run(folder, *WRONG, "--plot", "curve.bmp")
    assert (code, out) == (2, "")
    assert err.startswith("error: --plot") or "plot" in err
    assert ".svg or .png" in err


def test_an_image_goes_to_stdout_as_it_is(folder: Path) -> None:
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    with (folder / "piped.png").open("wb") as file:
        process = start(folder, *WRONG, "--format", "png", stdout=file)
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert (folder / "piped.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_a_plot_that_cannot_be_drawn_is_told_before_anything_is_checked(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradcheck.reporting.formats.find_spec", lambda name: None)
    code, said = invoke("m:f", "--grad", "m:g", "--dim", "5", "--plot", "x.png")
    assert code == 2
    assert "Matplotlib" in said
    assert "PASS" not in said
    assert not (here / "x.png").exists()


def test_failures_alone(folder: Path) -> None:
    code, out, err = run(folder, *RIGHT, "--failures")
    assert (code, out, err) == (0, "1 check: 1 PASS\n", "")
    code, out, err = run(folder, *WRONG, "--failures")
    assert code == 1
    assert "[1]" in out


def test_json_on_stdout_is_strict_whatever_the_checked_code_prints(folder: Path) -> None:
    code, out, err = run(folder, "m:chatty", "--grad", "m:wrong", "--dim", "5", "--format", "json")

    def refuse(word: str) -> None:
        raise ValueError(word)

    document = json.loads(out, parse_constant=refuse)
    assert code == 1
    assert "NOT JSON" in err
    assert document["verdict"] == "FAIL"
    (check,) = document["checks"]
    assert check["target"]["name"] == "m:chatty"
    assert check["entries"][0]["index"] == [1]


def test_a_failure_of_user_code_is_told_on_stderr_where_stdout_is_for_programs(folder: Path) -> None:
    code, out, err = run(folder, "m:raises", "--grad", "m:g", "--dim", "5", "--format", "json")
    assert code == 3
    assert json.loads(out)["verdict"] == "ERROR"
    assert err.startswith("error: m:raises: ")
    assert "ValueError: deep inside" in err


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}, {"COLUMNS": "40"}, {"COLUMNS": "60"}])
def test_a_pipe_gets_complete_plain_lines(folder: Path, env: dict[str, str]) -> None:
    _, out, _ = run(folder, *WRONG, "--all", env=env)
    assert "\x1b" not in out
    for index in range(5):
        assert f"[{index}]" in out


def test_color_always(folder: Path) -> None:
    assert "\x1b[" in run(folder, *WRONG, "--color", "always")[1]


def test_ascii_stdout(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    words = [sys.executable, "-m", "gradcheck", *WRONG]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "[1]" in done.stdout.decode("ascii")
    assert done.stderr == b""


def test_replay_command_repeats_the_check(folder: Path) -> None:
    arguments = ("m:f", "--grad", "m:wrong", "--shape", "2x3", "--bounds", "-1:1", "--rtol", "1e-7", "--format", "json")
    first = json.loads(run(folder, *arguments)[1])["checks"][0]
    words = shlex.split(first["replay"])
    assert words[0] == "gradcheck"
    assert {"--seed", "--bounds", "--rtol"} <= set(words)
    second = json.loads(run(folder, *words[1:], "--format", "json")[1])["checks"][0]
    assert first["entries"] == second["entries"]


BRANCHED = """
import numpy as np
def f(x):
    return 5 * x[0] if x[0] > 300 else x @ x
def g(x):
    if x[0] > 300:
        return np.array([4.0, 0, 0])
    return 2 * x
"""


def test_a_point_found_by_reach_comes_with_the_command_and_a_test_that_repeat_it(folder: Path) -> None:
    (folder / "branched.py").write_text(BRANCHED)
    arguments = ("branched:f", "--grad", "branched:g", "--dim", "3", "--format", "json")
    assert run(folder, *arguments)[0] == 0
    code, out, err = run(folder, *arguments, "--reach")
    assert (code, err) == (1, "")
    (found,) = json.loads(out)["checks"]
    assert found["point"]["origin"] == "found by reach"
    assert found["point"]["values"][1:] == [0, 0]
    words = shlex.split(found["replay"])
    assert "--reach" not in words
    assert words[words.index("--point") + 1].endswith(",0,0")
    (again,) = json.loads(run(folder, *words[1:], "--format", "json")[1])["checks"]
    assert found["entries"] == again["entries"]
    (folder / "test_pasted.py").write_text(found["test"])
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pasted.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "GradientMismatch" in done.stdout


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


SLOW = """
import pathlib, time
calls = 0
def f(x):
    global calls
    calls += 1
    if calls == STARTED:
        pathlib.Path("started").touch()
    time.sleep(PAUSE)
    return (x * x).sum()
def g(x):
    return 2 * x
"""


@pytest.mark.parametrize(
    ("method", "started", "pause"),
    [("coordinates", 200, 0.002), ("directions", 35, 0.1)],  # after the set-up
)
def test_ctrl_c_prints_what_is_known_and_exits_130(folder: Path, method: str, started: int, pause: float) -> None:
    (folder / "slow.py").write_text(SLOW.replace("STARTED", str(started)).replace("PAUSE", str(pause)))
    process = start(folder, "slow:f", "--grad", "slow:g", "--dim", "20000", "--method", method)
    wait_for(folder / "started", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "slow:f" in out
    assert err.splitlines()[-1].startswith("interrupted")
    if method == "directions":  # where f is slow
        assert "evaluations of f, about" in err
        assert "with --journal FILE, the same command would go on from here" in err


def test_ctrl_c_while_loading(folder: Path) -> None:
    (folder / "loading.py").write_text("import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)\n")
    process = start(folder, "loading:f", "--grad", "loading:g", "--dim", "5")
    wait_for(folder / "started", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "place", ["gradcheck.runner.run.run", "gradcheck.runner.run.choose_point", "gradcheck.reporting.text.render"]
)
def test_no_mistake_of_ours_looks_like_a_wrong_derivative(
    here: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(place, fails)
    code, output = invoke("m:f", "--grad", "m:g", "--dim", "5")
    assert code == 3
    assert "in fails" in output
    assert "internal error" in output
    assert "a mistake of ours" in output


def test_version_names_what_matters() -> None:
    code, output = invoke("--version")
    assert code == 0
    assert re.findall(r"^(\w+) \d+\.\d+", output, re.MULTILINE) == ["gradcheck", "Python", "numpy", "numba"]


@pytest.mark.parametrize("arguments", [(), RIGHT, ("--list",)], ids=lambda a: " ".join(a))
def test_a_working_directory_that_is_gone(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$0" && rmdir "$0" && exec "$@"'
    command = "from gradcheck.cli.entry import main; main()"  # as the installed script; -m needs a folder itself
    line = ["sh", "-c", script, str(gone), sys.executable, "-c", command, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the working directory cannot be told: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("own", [None, "26"])
def test_how_long_idle_threads_spin_is_no_matter_of_user_code_nor_taken_from_the_user(
    folder: Path, own: str | None
) -> None:
    (folder / "asks.py").write_text(
        "import os\n"
        "def f(x):\n"
        f"    assert os.environ.get('OPENBLAS_THREAD_TIMEOUT') == {own!r}\n"
        "    return (x * x).sum()\n"
        "def g(x): return 2 * x\n"
    )
    given = {} if own is None else {"OPENBLAS_THREAD_TIMEOUT": own}
    code, out, _ = run(folder, "asks:f", "--grad", "asks:g", "--dim", "3", env=given)
    assert code == 0, out


def test_bounds_of_each_entry(here: Path) -> None:
    (here / "bounds.csv").write_text("0, 1, 2\n0.5, 1.5, 2.5\n")
    (here / "within.py").write_text(
        "low, high = (0, 1, 2), (0.5, 1.5, 2.5)\nbounds = low, high\n"
        "def f(x):\n    assert all(low <= x) and all(x <= high)\n    return (x * x).sum()\ndef g(x): return 2 * x\n"
    )
    for bounds in ("bounds.csv", "within:bounds"):
        code, said = invoke("within:f", "--grad", "within:g", "--dim", "3", "--bounds", bounds)
        assert code == 0, said


ARGUMENTS = """
import numpy as np
named = {"scale": 1.5, "w": np.array([1.0, 2.0])}
def f(x, *, scale, w): return scale * (w * x * x).sum()
def g(x, *, scale, w): return 2 * scale * w * x
"""


@pytest.mark.parametrize("args", ['{"scale": 1.5, "w": [1, 2]}', "named.json", "a:named"])
@pytest.mark.parametrize("how", ["typed", "pyproject.toml", "setup.cfg"])
def test_arguments_by_name(here: Path, args: str, how: str) -> None:
    (here / "a.py").write_text(ARGUMENTS)
    (here / "named.json").write_text('{"scale": 1.5, "w": [1, 2]}')
    if how == "typed":
        code, said = invoke("a:f", "--grad", "a:g", "--dim", "2", "--args", args)
        assert f"--args {shlex.quote(args)}" in said
    elif how == "setup.cfg":
        (here / how).write_text(f"[gradcheck:one]\ntarget = a:f\ngrad = a:g\ndim = 2\nargs = {args}\n")
        code, said = invoke("one")
    else:
        value = "{scale = 1.5, w = [1, 2]}" if args[0] == "{" else repr(args)
        table = f"[[tool.gradcheck.checks]]\nname = 'one'\ntarget = 'a:f'\ngrad = 'a:g'\ndim = 2\nargs = {value}\n"
        (here / how).write_text(table)
        code, said = invoke("one")
    assert code == 0, said
    code, said = invoke("a:f", "--grad", "a:g", "--dim", "2")
    assert code == 3
    assert "give its further arguments with args (--args)" in said


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_into_a_full_disk(folder: Path, option: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        process = start(folder, option, stdout=full)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (2, "error: cannot write to stdout: No space left on device\n")


def test_help_groups_every_option() -> None:
    code, output = invoke("--help")
    assert code == 0
    listed = re.findall(
        r"^  (-\S+?)(?:, (--\S+))?(?: / (--\S+))?(?: |$)", output, re.MULTILINE
    )  # not those in the examples
    names = {name for line in listed for name in line if name}
    assert names >= {name for option in command.params for name in (*option.opts, *option.secondary_opts)} - {"targets"}
    assert names >= {"-h", "--help", "--dim"}
    for heading in ("What to check:", "Where to check it:", "How to measure:", "Examples:", "Exit codes:"):
        assert f"\n{heading}\n" in output


@pytest.mark.parametrize("kind", [*DiagnosisKind, *FindingKind])
def test_each_kind_is_explained(kind: DiagnosisKind | FindingKind) -> None:
    code, output = invoke("--explain", kind.value)
    assert code == 0
    assert output.startswith(f"{kind.value} (")
    assert "\nWhat to try: " in output


@pytest.mark.parametrize("arguments", [("--explain",), ("--explain", "")])
def test_without_a_kind_all_are_listed(arguments: tuple[str, ...]) -> None:
    code, output = invoke(*arguments)
    assert code == 0
    listed = [line.split()[0] for line in output.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted([*DiagnosisKind, *FindingKind])


def test_a_kind_that_does_not_exist_is_a_mistake_of_usage() -> None:
    code, output = invoke("--explain", "transpose")
    assert code == 2
    assert output == "error: there is no diagnosis or finding 'transpose'; did you mean transposed?\n"


def test_a_report_names_the_command_that_explains_it(here: Path) -> None:
    _, output = invoke(*WRONG)
    (line,) = re.findall(r"gradcheck --explain (\w+)", output)
    assert invoke("--explain", line)[0] == 0
    assert "--explain" not in invoke(*RIGHT)[1]


def test_baseline_tells_what_got_worse(here: Path) -> None:
    code, _ = invoke(*RIGHT, "--save-baseline", "b.json")
    assert code == 0
    code, said = invoke(*RIGHT, "--baseline", "b.json")
    assert code == 0
    assert "warning" not in said
    code, said = invoke("m:f", "--grad", "m:wrong", "--dim", "5", "--baseline", "b.json")
    assert code == 1
    assert "warning: gradient of m:f was PASS in b.json and is FAIL now" in said


@pytest.mark.parametrize(("content", "word"), [(None, "No such file"), ("[1]", "no baseline"), ("{", "no JSON")])
def test_unfit_baseline(here: Path, content: str | None, word: str) -> None:
    if content is not None:
        (here / "b.json").write_text(content)
    code, said = invoke(*RIGHT, "--baseline", "b.json")
    assert code == 2
    assert "b.json" in said
    assert word in said


def test_github_format_annotates_and_appends_a_summary(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    (here / "summary.md").write_text("before\n")
    code, said = invoke(*WRONG, "--format", "github")
    assert code == 1
    assert said.startswith("::error file=m.py,line=18,"), "the line that is wrong"
    assert "m:f" in (here / "summary.md").read_text(encoding="utf-8").removeprefix("before\n")


def test_self_test_says_what_would_have_been_caught(here: Path) -> None:
    code, said = invoke(*RIGHT, "--self-test")
    assert code == 0
    assert re.search(r"self-test: \d+ of \d+ wrong gradients would have been caught", said)
    assert re.search(r"one entry 0 +yes +FAIL", said)
    assert re.search(r"rounded to float32 +no +PASS", said), "six digits are right, which the default tolerance accepts"
    assert "as it should be" not in said
    assert {m.name: m.verdict for m in self_tested(*RIGHT)}["sign"] is Verdict.FAIL


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("m:f", "--grad", "m:wrong", "--dim", "5"), 1),
        (("m:f", "--grad", "m:wrong", "--dim", "5", "--method", "directions"), 1),
        (("m:f", "--grad", "m:column", "--dim", "5"), 1),
        (("m:both", "--value-and-grad", "--dim", "5"), 0),
    ],
    ids=["entries", "directions", "in use", "value and gradient"],
)
def test_self_test_tells_of_a_wrong_gradient_what_it_would_of_the_right_one(
    here: Path, line: tuple[str, ...], code: int
) -> None:
    with (here / "m.py").open("a") as source:
        source.write("\ndef column(x): return g(x)[:, None]\n")
    ended, said = invoke(*line, "--self-test")
    assert ended == code
    right = {mistake.name: mistake.verdict for mistake in self_tested(*RIGHT)}
    found = {mistake.name: mistake.verdict for mistake in self_tested(*line)}
    assert found.keys() == right.keys()
    assert found["sign"] is found["one entry off by 10 %"] is Verdict.FAIL
    assert found["rounded to float32"] is Verdict.PASS
    assert ("in the gradient as it should be" in said) == (code == 1)


def test_self_test_of_another_derivative_says_that_there_is_none(here: Path) -> None:
    (here / "h.py").write_text(
        "import numpy as np\ndef f(x): return (x * x).sum()\ndef h(x): return 2 * np.eye(len(x))\n"
    )
    code, said = invoke("h:f", "--hess", "h:h", "--dim", "3", "--self-test")
    assert code == 0
    assert "self-test: there is none of this derivative" in said


def self_tested(*line: str) -> tuple[Mistake, ...]:
    _, said = invoke(*line, "--self-test", "--format", "json")
    return restore(json.loads(said[said.index("{") :])["checks"][0]).mistakes


DECLARED = """
[gradcheck:good]
target = m:f
grad = m:g
dim = 5

[gradcheck:bad]
target = m:f
grad = m:wrong
dim = 5

[gradcheck:failing]
target = m:raises
grad = m:g
dim = 5

[gradcheck:missing]
target = m:no_such
grad = m:g
dim = 5
"""


@pytest.mark.parametrize(
    ("line", "code", "names"),
    [
        ("", 1, ["good", "bad", "failing", "missing"]),
        ("good", 0, ["good"]),
        ("bad", 1, ["bad"]),
        ("failing", 3, ["failing"]),
        ("missing", 2, ["missing"]),
        ("bad --grad m:g", 0, ["bad"]),
        ("good --grad m:wrong", 1, ["good"]),
        ("good --shape 4 --points 2", 0, ["good"]),
        ("good failing", 3, ["good", "failing"]),
        ("bad good bad", 1, ["good", "bad"]),
        ("good bad --rtol 0.5", 0, ["good", "bad"]),
    ],
)
def test_declared_checks(here: Path, line: str, code: int, names: list[str]) -> None:
    (here / "setup.cfg").write_text(DECLARED)
    returned, said = invoke(*shlex.split(line))
    assert returned == code, said
    for name in ("good", "bad", "failing", "missing"):
        assert bool(re.search(rf"\b{name}\b", said)) == (name in names)


def test_list_shows_what_is_declared_and_checks_nothing(here: Path) -> None:
    (here / "setup.cfg").write_text(DECLARED)
    code, said = invoke("--list")
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == ["good", "bad", "failing", "missing"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("godo", "no check named 'godo' is declared; did you mean 'good'?"),
        (
            "zzz",
            "no check named 'zzz' is declared, and there is no module of that name; declared are good, bad, failing, missing",
        ),
        (
            "good zz.z",
            "no check named 'zz.z' is declared, and there is no module of that name; declared are good, bad,",
        ),
        ("z" * 100_000, "declared are good, bad,"),
        ("good bad --grad m:g", "a derivative belongs to one TARGET, not to good and bad; name one"),
    ],
)
def test_a_name_that_is_not_declared_is_answered_with_those_that_are(here: Path, line: str, said: str) -> None:
    (here / "setup.cfg").write_text(DECLARED)
    code, answer = invoke(*shlex.split(line))
    assert code == 2
    assert said in answer
    assert len(answer) < 300


PACKAGE = {
    "__init__.py": "",
    "right.py": "import gradcheck\ndef f(x): return (x * x).sum()\n"
    "@gradcheck.derivative_of(f, dim=4)\ndef g(x): return 2 * x\n",
    "wrong.py": "import gradcheck\ndef f(x): return (x * x).sum()\n"
    "@gradcheck.derivative_of(f, dim=4)\ndef g(x): return 3 * x\n",
}


@pytest.mark.parametrize(
    ("target", "code"), [("pack", 1), ("pack.right", 0), ("pack.wrong", 1), ("pack.right:f", 0), ("pack.wrong:g", 1)]
)
def test_a_package_is_searched_for_decorated_derivatives(here: Path, target: str, code: int) -> None:
    (here / "pack").mkdir()
    for name, text in PACKAGE.items():
        (here / "pack" / name).write_text(text)
    returned, said = invoke(target)
    assert returned == code, said


def test_a_module_that_cannot_be_imported_does_not_hide_the_others(here: Path) -> None:
    (here / "pack").mkdir()
    for name, text in {**PACKAGE, "wrong.py": "import no_such_dependency\n"}.items():
        (here / "pack" / name).write_text(text)
    code, said = invoke("pack")
    assert code == 2
    assert "pack.right" in said
    assert "no_such_dependency" in said


@pytest.mark.parametrize("spec", ["pool:{}", "pool.py:{}"])
@pytest.mark.parametrize("factory", ["threads", "processes"])
@pytest.mark.parametrize(("claim", "code", "verdict"), [("g", 0, "PASS"), ("wrong", 1, "FAIL")])
def test_an_executor_by_its_factory(
    tmp_path: Path, spec: str, factory: str, claim: str, code: int, verdict: str
) -> None:
    (tmp_path / "pool.py").write_text(POOL)
    f, g, executor = (spec.format(name) for name in ("f", claim, factory))
    returned, out, err = run(tmp_path, f, "--grad", g, "--dim", "60", "--executor", executor)
    assert returned == code, out + err
    assert f"\n{verdict}  " in out
    assert {"threads": "on ThreadPoolExecutor", "processes": "on ProcessPoolExecutor"}[factory] in out
    assert err == ""


@pytest.mark.parametrize(
    ("executor", "said"),
    [
        ("pool:no_such", "'pool' has no attribute 'no_such'"),
        ("nowhere:threads", "no module named 'nowhere'"),
        ("pool:number", "gives an object of type int, which has no method submit"),
    ],
)
def test_what_gives_no_executor_is_said_in_one_line(tmp_path: Path, executor: str, said: str) -> None:
    (tmp_path / "pool.py").write_text(POOL)
    returned, out, err = run(tmp_path, "pool:f", "--grad", "pool:g", "--dim", "9", "--executor", executor)
    assert (returned, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_an_executor_that_cannot_be_made_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "pool.py").write_text(POOL)
    returned, _, err = run(tmp_path, "pool:f", "--grad", "pool:g", "--dim", "9", "--executor", "pool:raises")
    assert returned == 3
    assert "pool:raises, called for its value, raised RuntimeError: no licence" in err


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (("--fix", "m:f"), True),
        (("m:f", "--fix"), True),
        (("--fix", "2.5", "m:f"), 2.5),
        (("--fix=3", "m:f"), 3),
        (("--no-fix", "m:f"), False),
        (("--no-fix", "7", "m:f"), False),
        (("m:f",), None),
    ],
)
def test_a_flag_that_may_have_a_number_takes_no_target(words: tuple[str, ...], given: object) -> None:
    from gradcheck.cli.command import command

    context = command.make_context("gradcheck", list(words))
    assert context.params["fix"] == given
    assert context.params["targets"][-1] == "m:f"


def test_a_patch_that_git_applies(here: Path) -> None:
    import subprocess

    subprocess.run(["git", "init", "-q"], check=True)
    code, said = invoke(*WRONG, "--format", "patch", "--fix", "60")
    assert code == 1
    subprocess.run(["git", "apply"], input=said.encode(), check=True)
    del sys.modules["m"]
    assert invoke(*WRONG, "--no-fix")[0] == 0
