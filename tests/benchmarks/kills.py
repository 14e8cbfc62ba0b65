"""A check with a journal, killed at random moments: `python tests/benchmarks/kills.py [KILLS]`, 50 of them by default.

The report must be that of a check that was never killed, and no evaluation that was kept may be repeated: a start may call f
once to see that it still gives what is kept, and once more for the evaluation that was under way when the last one ended.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MODULE = """
import pathlib, time
import numpy as np
def note(what, x):
    with open("calls", "a") as file:
        file.write(what + " " + x.tobytes().hex() + "\\n")
def f(x):
    note("f", x)
    time.sleep(0.01)
    return float(np.sum(x**4) + np.sin(x @ x))
def g(x):
    note("g", x)
    return 4 * x**3 + 2 * np.cos(x @ x) * x + (np.arange(x.size) == 3)
"""
COMMAND = [
    sys.executable,
    "-m",
    "gradcheck",
    "m.py:f",
    "--grad",
    "m.py:g",
    "--dim",
    "60",
    "--no-fix",
    "--format",
    "json",
]


def told(text: str) -> Any:
    (check,) = json.loads(text)["checks"]
    for key in ("seconds", "replay", "options", "plan"):
        check.pop(key)
    return check


def main() -> int:
    kills, moments, done = int(sys.argv[1]) if len(sys.argv) > 1 else 50, random.Random(0), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.py").write_text(MODULE)
        env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}
        unkilled = [*COMMAND, "--journal", "unkilled.db"]
        whole = subprocess.run(unkilled, cwd=folder, env=env, capture_output=True, text=True)
        calls = folder / "calls"
        calls.unlink()
        while True:
            process = subprocess.Popen(
                [*COMMAND, "--journal", "run.db"],
                cwd=folder,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            if done < kills:
                before, moment = calls.stat().st_size if calls.exists() else 0, moments.uniform(0.0, 0.12)
                while process.poll() is None and (calls.stat().st_size if calls.exists() else 0) == before:
                    time.sleep(0.001)
                time.sleep(moment)
                process.kill()
            stdout, _ = process.communicate()
            if process.returncode >= 0:
                break
            done += 1
        check = told(whole.stdout)
        made = Counter(line.split()[0] for line in calls.read_text().splitlines())
    same = told(stdout) == check
    extra = made["f"] - check["nfev"]
    print(
        f"{done} kills: the report is {'the same' if same else 'ANOTHER ONE'}; it has {check['nfev']} evaluations of f"
    )
    print(f"f was called {extra} times more: at most {2 * (done + 1)} are under way or the one that is made again")
    return not (same and extra <= 2 * (done + 1))


if __name__ == "__main__":
    sys.exit(main())
