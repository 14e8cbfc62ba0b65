"""What a plan says of a function of 0.2 s beside what its check takes: `python tests/benchmarks/planning.py`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from gradcheck import check_gradient

SECONDS = 0.2


def f(x: Any) -> float:
    time.sleep(SECONDS)
    return float(np.sum(np.exp(x)))


def main() -> None:
    print(f"{'variables':>10}{'planned':>10}{'taken':>10}{'off':>8}")
    for size in (3, 12, 40):
        x = np.linspace(-1, 1, size)
        planned = check_gradient(f, np.exp, x, plan=True).plan
        started = time.perf_counter()
        check_gradient(f, np.exp, x)
        taken = time.perf_counter() - started
        assert planned is not None
        print(f"{size:10}{planned.seconds:9.1f}s{taken:9.1f}s{planned.seconds / taken - 1:8.1%}")


if __name__ == "__main__":
    main()
