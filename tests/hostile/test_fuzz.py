"""The command as a process, with user code that misbehaves, odd options, old files, and signals at random moments.

Whatever happens: it ends, in a way that is documented, without a traceback of ours; no file is cut, no process stays behind.
GRADCHECK_FUZZ=1000 tries so many.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.test_fuzz import WORDS
from tests.hostile.harness import PATIENCE, ROOT, start
from tests.hostile.test_processes import alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, who sent a signal is not told")
EXAMPLES = int(os.environ.get("GRADCHECK_FUZZ", "5"))

BODIES = {
    "plain": "",
    "slow": "time.sleep(.004)",
    "sleeps": "time.sleep(.2)",
    "raises": "raise ValueError('no')",
    "mute": "raise Mute",
    "leaves": "sys.exit(0)",
    "ends the process": "os._exit(0)",
    "ends it later": "if next(count) > 40: os._exit(7)",
    "crashes later": "if next(count) > 40: os.abort()",
    "is killed": "if next(count) > 40: os.kill(os.getpid(), 9)",
    "ends a worker": "time.sleep(.004)\n    if os.getpid() != main: os._exit(0)",
    "cancels": "raise asyncio.CancelledError",
    "cancels later": "if next(count) > 40: raise asyncio.CancelledError",
    "interrupts": "raise KeyboardInterrupt",
    "interrupts later": "if next(count) > 40: raise KeyboardInterrupt",
    "recurses": "return f(x)",
    "runs out of memory": "np.ones(2**50)",
    "resizes": "x.resize(5, refcheck=False)",
    "reshapes": "x.shape = (-1, 1)",
    "writes": "x *= 2",
    "masked": "return np.ma.masked",
    "masked later": "if next(count) > 40: return np.ma.masked",
    "text": "return 'text'",
    "nothing": "return None",
    "complex": "return 1j",
    "an array": "return x",
    "an empty array": "return x[:0]",
    "an odd array": "return x[:next(count)]",
    "nan": "return np.nan",
    "nan later": "if next(count) > 40: return np.nan",
    "huge": "return 10**400",
    "an object": "return object()",
    "prints": "print('LOUD')",
    "writes to the descriptor": "os.write(1, b'LOUD')",
    "runs a program": "subprocess.run(['echo', 'LOUD'])",
    "leaves a program behind": "if next(count) == 5: subprocess.Popen(['sleep', '2'])",
    "closes stdout": "sys.stdout.close()",
    "closes the descriptor": "os.close(1)",
    "has no streams": "sys.stdout = sys.stderr = None",
    "warns": "import warnings; warnings.warn('odd')",
    "makes errors of warnings": "import warnings; warnings.simplefilter('error'); np.float64(1) / 0",
    "raises on overflow": "np.seterr(all='raise'); np.float64(1e300) * 1e300",
    "goes elsewhere": "os.chdir('/')",
    "has its own timer": "signal.alarm(3)",
    "ignores Ctrl-C": "time.sleep(.002); signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "handles Ctrl-C": "time.sleep(.002); signal.signal(signal.SIGINT, lambda *a: None)",
    "handles SIGTERM": "time.sleep(.002); signal.signal(signal.SIGTERM, lambda *a: None)",
    "has no path": "sys.path.clear()",
    "forgets modules": "sys.modules.pop('numpy.linalg', None)",
    "starts a thread": "if next(count) == 5: threading.Thread(target=time.sleep, args=(1,)).start()",
    "a kink": "return abs(x).sum()",
    "a jump": "return np.floor(x * 10).sum()",
    "noise": "return (x**2).sum() + 1e-3 * np.random.default_rng().normal()",
    "stops when in doubt": "raise StopIteration",
}
HANGS = {
    "never returns": "while True: pass",
    "sleeps for ever": "time.sleep(10**6)",
    "waits for ever": "threading.Event().wait()",
    "hangs later": "if next(count) > 40: time.sleep(10**6)",
}
CLAIMS = {
    "g": "return 2*x",
    "wrong": "return 2.2*x",
    "column": "return 2*x[:, None]",
    "late": "time.sleep(.3); return 2*x",
    "raising": "raise RuntimeError(x)",
    "short": "return x[1:]",
    "text": "return 'text'",
    "nan": "return x * np.nan",
    "masked": "return np.ma.array(2*x, mask=x > 0)",
}
HEAD = """
import asyncio, itertools, os, signal, subprocess, sys, threading, time
import numpy as np
count = itertools.count()
main = os.getpid()
class Mute(Exception):
    def __str__(self): raise RuntimeError("x")
"""
OLD = '{"schema": 1, "checks": {"gradient of old": {"agreement": 14.0, "digits": 14, "verdict": "PASS"}}}\n'
FILES = {"r.json": "--json", "r.xml": "--junit", "p.html": "--html", "b.json": "--save-baseline", "o.json": "--output"}
LINES = [
    ["--jobs", "2"],
    ["--budget", "0.3"],
    ["--journal", "j.db"],
    ["--points", "3"],
    ["--method", "directions"],
    ["--method", "coordinates"],
    ["--self-test"],
    ["--verbose"],
    ["--quiet"],
    ["--all"],
    ["--vectorized"],
    ["--no-fix"],
    ["--strict"],
    ["--format", "json"],
    ["--format", "github"],
    ["--format", "html"],
    ["--baseline", "b.json"],
    ["--plot", "curve.svg"],
    ["--bounds", "0:9"],
    ["--exit-zero"],
]
VALUED = ["--seed", "--rtol", "--eps", "--args", "--bounds", "--point", "--top", "--sort", "--points", "--executor"]
BEGINS = 0.5  # seconds in which the first modules are imported
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]


@dataclass(frozen=True)
class Trial:
    """A module, a command line, and what is sent to it: after so many seconds which signal, to the whole group or not."""

    body: str
    claim: str
    line: list[str]
    declared: bool
    sent: list[tuple[float, signal.Signals, bool]]


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    name = draw(st.sampled_from([*BODIES, *HANGS]))
    line = ["--dim", draw(st.sampled_from(["1", "3", "30", "300"]))]
    for more in draw(st.lists(st.sampled_from(LINES), max_size=4)):
        line += more
    for file in draw(st.lists(st.sampled_from(sorted(FILES)), max_size=3, unique=True)):
        line += [FILES[file], file]
    if draw(st.integers(0, 3)) == 0:
        line += [draw(st.sampled_from(VALUED)), draw(st.sampled_from([w for w in WORDS if w.isprintable()]))]
    moments = st.tuples(st.floats(0, 1.5), st.sampled_from([*ENDING[:1] * 4, *ENDING]), st.booleans())
    sent = draw(st.just([]) | st.lists(moments, min_size=1, max_size=3))
    if name in HANGS:
        line += ["--budget", "0.4"]
    claim = draw(st.sampled_from(["g"] * 4 + sorted(CLAIMS)))
    return Trial(HANGS.get(name, BODIES.get(name, "")), claim, line, draw(st.booleans()), sent)


def prepare(folder: Path, trial: Trial) -> list[str]:
    """Write the module and the old files; the words of the command."""
    claims = "".join(f"def {name}(x, *_, **__): {body}\n" for name, body in CLAIMS.items())
    body = f"def f(x, *_, **__):\n    {trial.body or 'pass'}\n    return (x**2).sum()\n"
    (folder / "m.py").write_text(HEAD + claims + body + "def good(x): return (x**2).sum()\n", encoding="utf-8")
    for name in FILES:
        (folder / name).write_text(OLD, encoding="utf-8")
    if not trial.declared:
        return ["m:f", "--grad", f"m:{trial.claim}", *trial.line]
    sections = {"one": ("f", trial.claim), "two": ("good", "g"), "three": ("good", "wrong")}
    text = "".join(f"[gradcheck:{name}]\ntarget=m:{f}\ngrad=m:{g}\n" for name, (f, g) in sections.items())
    (folder / "setup.cfg").write_text(text, encoding="utf-8")
    return trial.line


def group(leader: int) -> Iterator[int]:
    """The processes of a process group that are alive."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == leader and b"gradcheck" in (folder / "cmdline").read_bytes():
                yield int(folder.name)


def whole(folder: Path, trial: Trial, killed: bool) -> None:
    """Every file is the old one, or a new one from beginning to end; nothing else lies about, unless by SIGKILL."""
    for name in FILES:
        text = (folder / name).read_text(encoding="utf-8")
        if text == OLD or (name == "o.json" and "--format" in trial.line):  # in another format then
            continue
        if name.endswith(".json"):
            json.loads(text)
        elif name.endswith(".xml"):
            ElementTree.fromstring(text)
        else:
            assert text.rstrip().endswith("</html>"), text[-200:]
    known = {*FILES, "m.py", "setup.cfg", "__pycache__", "curve.svg", "j.db", "j.db-wal", "j.db-shm"}
    left = {path.name for path in folder.iterdir()} - known
    assert not left or killed, left


def attempt(folder: Path, trial: Trial) -> None:
    words = prepare(folder, trial)
    process = start(folder, *words, start_new_session=True)
    began = time.monotonic()
    for moment, number, everyone in sorted(trial.sent):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        if process.poll() is None:
            (os.killpg if everyone else os.kill)(process.pid, number)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"it did not end: {out}{err}") from None
    said = out + err
    assert "internal error" not in said, said
    begun = all(moment > BEGINS for moment, _, _ in trial.sent)  # before that, a signal meets Python itself
    assert str(ROOT / "gradcheck") not in said or not begun, said
    killed = any(number is signal.SIGKILL for _, number, _ in trial.sent)
    ended = {-number for _, number, _ in trial.sent} | ({-signal.SIGALRM} if "alarm" in trial.body else set())
    assert process.returncode in {0, 1, 2, 3, 130, *ended}, (process.returncode, said)
    if process.returncode == 2:
        assert "error: " in err, said
    elif process.returncode in (1, 3) and not out and "--output" not in trial.line:
        assert err, "an exit code is explained"
    whole(folder, trial, killed)
    json_asked = "--format" in trial.line and "json" in trial.line and "--output" not in trial.line
    if json_asked and out and process.returncode in (0, 1, 3) and trial.line.count("--format") == 1:
        json.loads(out)
    until = time.monotonic() + 20
    while left := [pid for pid in group(process.pid) if alive(pid)]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


@settings(
    max_examples=EXAMPLES,
    derandomize="GRADCHECK_FUZZ" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    database=None,
)
@given(trials())
def test_it_always_ends_well(trial: Trial) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        attempt(folder, trial)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
