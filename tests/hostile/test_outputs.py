"""Nothing old is lost, and nothing but our results gets into them."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.hostile.harness import declare, gradcheck, module, start

CHECK = ("m:f", "--grad", "m:g", "--dim", "3")
LOUD = {
    "a subprocess": "import subprocess\ndef f(x):\n subprocess.run(['echo', 'LOUD'])\n return (x**2).sum()",
    "the descriptor": "import os\ndef f(x):\n os.write(1, b'LOUD\\n')\n return (x**2).sum()",
    "the original stream": "import sys\ndef f(x):\n sys.__stdout__.write('LOUD\\n')\n return (x**2).sum()",
    "a C library": "import ctypes\nc = ctypes.CDLL(None)\ndef f(x):\n c.printf(b'LOUD\\n')\n return (x**2).sum()",
    "the end of the process": "import atexit\natexit.register(lambda: print('LOUD', flush=True))",
    "an import": "import os\nos.write(1, b'LOUD\\n')",
}


@pytest.mark.parametrize("source", LOUD)
def test_what_user_code_writes_to_stdout_goes_to_stderr(tmp_path: Path, source: str) -> None:
    module(tmp_path, LOUD[source])
    ended = gradcheck(tmp_path, *CHECK, "--format", "json")
    assert json.loads(ended.out)["verdict"] == "PASS"
    assert "LOUD" in ended.err


def test_a_thread_that_goes_on_writing_does_not_get_into_the_report(tmp_path: Path) -> None:
    loud = "while True: print('LOUD', flush=True); os.write(1, b'LOUD\\n'); sys.__stdout__.write('LOUD\\n'); time.sleep(1e-4)"
    text = (
        f"import os, sys, threading, time\ndef loud():\n {loud}\nthreading.Thread(target=loud, daemon=True).start()\n"
    )
    module(tmp_path, text)
    ended = gradcheck(tmp_path, "m:f", "--grad", "m:g", "--dim", "300", "--format", "json", "--all")
    assert json.loads(ended.out)["verdict"] == "PASS"
    assert "LOUD" in ended.err


def test_stdout_by_its_name_gets_the_report(tmp_path: Path) -> None:
    module(tmp_path, LOUD["a subprocess"])
    ended = gradcheck(tmp_path, *CHECK, "--output", "/dev/stdout", "--format", "json")
    assert json.loads(ended.out)["verdict"] == "PASS"


def test_a_full_disk_leaves_the_old_report_whole(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file sizes cannot be limited here")
    module(tmp_path, "")
    assert gradcheck(tmp_path, "m:f", "--grad", "m:wrong", "--dim", "3", "--json", "r.json").code == 1
    before = (tmp_path / "r.json").read_bytes()

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before), len(before)))

    ended = gradcheck(tmp_path, "m:f", "--grad", "m:wrong", "--dim", "200", "--json", "r.json", preexec_fn=full)
    assert ended.code == 1, "the verdict decides"
    assert "cannot write r.json" in ended.err
    assert (tmp_path / "r.json").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"m.py", "r.json"}


@pytest.mark.parametrize(("claim", "code"), [("g", 2), ("wrong", 1)])
def test_the_verdict_decides_the_exit_code_also_where_a_report_could_not_be_written(
    tmp_path: Path, claim: str, code: int
) -> None:
    module(tmp_path, "")
    ended = gradcheck(
        tmp_path, "m:f", "--grad", f"m:{claim}", "--dim", "3", "--json", "none/r.json", "--html", "r.html"
    )
    assert ended.code == code
    assert ended.err.startswith("error: cannot write none/r.json")
    assert (tmp_path / "r.html").exists()


# ---- journals


def test_a_journal_on_a_full_disk_does_not_end_the_check(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file sizes cannot be limited here")
    module(tmp_path, "")
    line = ("m:f", "--grad", "m:wrong", "--dim", "300", "--journal", "kept.db")

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**17, 2**17))

    ended = gradcheck(tmp_path, *line, preexec_fn=full)
    assert ended.code == 1
    assert "note        the journal kept.db failed (" in ended.out
    assert "300 wrong" in ended.out
    again = gradcheck(tmp_path, *line)
    assert again.code == 1
    assert "the journal" not in again.out, "what was kept by then is sound"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
@pytest.mark.parametrize("kind", ["a FIFO", "an endless device", "a folder", "a full disk", "other data"])
def test_a_journal_that_can_be_none_is_refused(tmp_path: Path, kind: str) -> None:
    module(tmp_path, "")
    place = tmp_path / "kept.db"
    if kind == "a FIFO":
        os.mkfifo(place)
    elif kind == "a folder":
        place.mkdir()
    elif kind == "other data":
        place.write_bytes(b"old" * 5000)
    else:
        place.symlink_to("/dev/zero" if kind == "an endless device" else "/dev/full")
    ended = gradcheck(tmp_path, *CHECK, "--journal", "kept.db")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: journal kept.db cannot be used: ")
    assert len(ended.err.splitlines()) == 1
    if kind == "other data":
        assert place.read_bytes() == b"old" * 5000


# ---- baselines


def baseline(folder: Path) -> dict[str, dict[str, object]]:
    return dict(json.loads((folder / "base.json").read_text())["checks"])


def test_a_baseline_of_one_check_by_name_adds_to_the_others(tmp_path: Path) -> None:
    module(tmp_path, "")
    declare(tmp_path, a="m:f", b="m:f")
    gradcheck(tmp_path, "--save-baseline", "base.json")
    before = baseline(tmp_path)
    gradcheck(tmp_path, "b", "--save-baseline", "base.json")
    assert baseline(tmp_path) == before
    assert before.keys() == {"gradient of a", "gradient of b"}


def test_ctrl_c_leaves_the_baseline_whole(tmp_path: Path) -> None:
    slow = "import time, pathlib\ndef s(x):\n pathlib.Path('started').touch()\n time.sleep(.02)\n return (x**2).sum()"
    module(tmp_path, slow)
    declare(tmp_path, a="m:f", b="m:f")
    gradcheck(tmp_path, "--save-baseline", "base.json")
    before = baseline(tmp_path)
    declare(tmp_path, a="m:s", b="m:f")
    with start(tmp_path, "--dim", "3000", "--save-baseline", "base.json") as process:
        while not (tmp_path / "started").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
    assert baseline(tmp_path) == before


@pytest.mark.parametrize("claim", ["wrong", "raises"])
def test_a_check_that_fails_does_not_replace_what_is_known_of_it(tmp_path: Path, claim: str) -> None:
    module(tmp_path, "def raises(x): raise ValueError")
    declare(tmp_path, a="m:f", b="m:f")
    gradcheck(tmp_path, "--save-baseline", "base.json")
    before = baseline(tmp_path)
    assert gradcheck(tmp_path, "a", "--grad", f"m:{claim}", "--save-baseline", "base.json").code in (1, 3)
    assert baseline(tmp_path) == before


@pytest.mark.parametrize("text", ["[tool]\n", "[" * 100_000, '{"schema": 1, "checks": {"a": {"verdict": []}}}'])
def test_what_is_no_baseline_is_not_written_over(tmp_path: Path, text: str) -> None:
    module(tmp_path, "")
    (tmp_path / "other").write_text(text)
    ended = gradcheck(tmp_path, *CHECK, "--save-baseline", "other")
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert (tmp_path / "other").read_text() == text


def test_an_empty_file_becomes_a_baseline(tmp_path: Path) -> None:
    module(tmp_path, "")
    (tmp_path / "base.json").touch()
    assert gradcheck(tmp_path, *CHECK, "--save-baseline", "base.json").code == 0
    assert baseline(tmp_path).keys() == {"gradient of m:f"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
@pytest.mark.parametrize("kind", ["a FIFO", "an endless device"])
def test_a_baseline_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    module(tmp_path, "")
    if kind == "a FIFO":
        os.mkfifo(tmp_path / "base")
    else:
        (tmp_path / "base").symlink_to("/dev/zero")
    ended = gradcheck(tmp_path, *CHECK, "--baseline", "base")
    assert ended.code == 2
    assert ended.err == "error: cannot read the baseline base: no regular file\n"
