"""What ends a process, ours or the user's, is said; and nobody stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hostile.harness import PATIENCE, ROOT, gradcheck, module, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, who sent a signal is not told")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os; os._exit(0)", "exit code 0; does it call os._exit?"),
        ("import os; os._exit(7)", "exit code 7"),
        ("import ctypes; ctypes.CDLL(None).exit(0)", "exit code 0"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV; compiled code crashed"),
        ("import os; os.abort()", "SIGABRT; compiled code crashed"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL; was there too little memory?"),
    ],
)
def test_what_ends_its_process_is_said_and_is_no_success(tmp_path: Path, body: str, said: str) -> None:
    module(tmp_path, f"def ends(x):\n {body}")
    (tmp_path / "setup.cfg").write_text("[gradcheck:bad]\ntarget = m:ends\ngrad = m:g\ndim = 3\n")
    (tmp_path / "r.json").write_text("old")
    ended = gradcheck(tmp_path, "--json", "r.json")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("error: bad: its process ")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
    assert (tmp_path / "r.json").read_text() == "old"


def test_a_crash_when_the_process_ends_does_not_change_the_verdict(tmp_path: Path) -> None:
    module(tmp_path, "import atexit, os\natexit.register(lambda: os.abort())\n")
    ended = gradcheck(tmp_path, "m:f", "--grad", "m:wrong", "--dim", "3")
    assert ended.code == 1
    assert "FAIL" in ended.out


def test_a_thread_that_never_ends_does_not_keep_the_command(tmp_path: Path) -> None:
    module(tmp_path, "import threading\nthreading.Thread(target=threading.Event().wait).start()")
    ended = gradcheck(tmp_path, "m:f", "--grad", "m:wrong", "--dim", "3")
    assert ended.code == 1
    assert "FAIL" in ended.out


def test_an_f_that_ends_its_workers_is_named(tmp_path: Path) -> None:
    text = "import os, time\nmain = os.getpid()\ndef ends(x):\n time.sleep(.01)\n"
    module(tmp_path, text + " if os.getpid() != main: os._exit(0)\n return (x**2).sum()")
    ended = gradcheck(tmp_path, "m:ends", "--grad", "m:g", "--dim", "60", "--jobs", "2")
    assert ended.code == 3
    assert "f ended its worker process again (exit code 0)" in ended.out


def children(pid: int) -> list[int]:
    """The processes below another."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += [int(folder.name), *children(int(folder.name))]
    return found


def alive(pid: int) -> bool:
    """Whether a process runs, and does not only wait for its parent to notice that it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP], ids=lambda n: n.name)
def test_no_process_stays_behind(tmp_path: Path, number: signal.Signals, jobs: int) -> None:
    module(tmp_path, "import time\ndef slow(x):\n time.sleep(.02)\n return (x**2).sum()")
    process = start(
        tmp_path, "m:slow", "--grad", "m:g", "--dim", "3000", "--method", "coordinates", "--jobs", str(jobs)
    )
    until = time.monotonic() + 60
    while len(below := children(process.pid)) < (1 if jobs == 1 else 1 + jobs):
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(number)
    process.communicate(timeout=30)  # which waits until nobody holds its stdout
    assert process.returncode == (130 if number is signal.SIGINT else -number)
    until = time.monotonic() + 30
    while left := [pid for pid in below if alive(pid)]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


def test_ctrl_c_that_reaches_the_whole_group_still_prints_what_is_known(tmp_path: Path) -> None:
    """As a CI system sends it: to the parent, and to the child, which gets it twice."""
    module(tmp_path, "import time\ndef slow(x):\n time.sleep(.01)\n return (x**2).sum()")
    line = ("m:slow", "--grad", "m:g", "--dim", "3000", "--method", "coordinates", "--json", "r.json")
    process = start(tmp_path, *line, start_new_session=True)
    while not children(process.pid):
        time.sleep(0.05)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "interrupted\n")
    assert (tmp_path / "r.json").exists()


API = """
import sys, time
import numpy as np
import gradcheck
ready = []
def f(x):
    if not ready and __name__ == "__main__":
        ready.append(print("ready", flush=True))
    time.sleep(.002)
    return float((x**2).sum())
if __name__ == "__main__":
    try:
        gradcheck.check_gradient(f, lambda x: 2 * x, np.arange(1.0, 20001.0), jobs=2, method="coordinates")
    except gradcheck.CheckInterrupted as stop:
        print(stop.report.stopped.value, stop.report.nfev > 0)
    except KeyboardInterrupt:
        print("interrupted again")
"""


@pytest.mark.parametrize("moment", [0.0, 0.5])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("everyone", [False, True], ids=["the process", "the group"])
def test_ctrl_c_through_the_api_leaves_no_worker_and_nothing_to_wait_for(
    tmp_path: Path, moment: float, times: int, everyone: bool
) -> None:
    """What is on its way to the workers is more than a pipe holds."""
    (tmp_path / "script.py").write_text(API)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(moment)
    below = children(process.pid)
    for _ in range(times):
        if process.poll() is None:
            (os.killpg if everyone else os.kill)(process.pid, signal.SIGINT)
        time.sleep(0.01)
    out, err = process.communicate(timeout=PATIENCE)  # which waits until nobody holds its stdout
    assert "InvalidStateError" not in err
    if times == 1:
        assert (process.returncode, out, err) == (0, "interrupt True\n", "")
    assert not [pid for pid in below if alive(pid)]
