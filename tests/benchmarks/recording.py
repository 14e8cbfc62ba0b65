"""What recording of lines costs: calls of a function of some 10 µs with and without a recorder, in turns.

python -m tests.benchmarks recording
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from gradcheck.evaluation.recording import Recorder

CALLS, TURNS = 2000, 25


def f(x: Any) -> float:
    total = 0.0
    for row in x:
        if row[0] > 1e9:
            return total
        total += float(np.sin(row) @ row)
    y = np.tanh(x).sum() + np.exp(-x * x).sum()
    return float(total + y)


def seconds(x: Any) -> float:
    """The least time of a call."""
    started = time.perf_counter()
    for _ in range(CALLS):
        f(x)
    return (time.perf_counter() - started) / CALLS


def main() -> None:
    """Print the two times and their ratio."""
    x = np.random.default_rng(0).normal(size=(3, 20))
    plain, recorded = [], []
    recorder = Recorder()
    for _ in range(TURNS):
        plain.append(seconds(x))
        with recorder:
            recorded.append(seconds(x))
    print(
        f"Python {sys.version.split()[0]}: {min(plain) * 1e6:.2f} µs a call, recorded {min(recorded) * 1e6:.2f} µs, "
        f"{min(recorded) / min(plain) - 1:+.1%}"
    )


if __name__ == "__main__":
    main()
