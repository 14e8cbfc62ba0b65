"""What a check along random directions costs beside f and its gradient: `python tests/benchmarks/directions.py [--memory]`.

For f = Σ ln cosh x_i and its gradient, compiled with Numba, in medians of interleaved runs:

* the fused pass (x ± hv and ⟨g, v⟩) beside a triad a = b + s·c that moves as much memory, and beside 2 f + 1 g;
* a whole `check_gradient(method="directions")` beyond its own evaluations, nfev · f + ngev · g, and per direction;
* with --memory, the peak of a fresh process that checks, beyond that of one that holds x and calls f and the gradient once:
  0.82 against 0.33 GB at 10⁷, 6.6 against 1.8 GB at 10⁸: six arrays of the size of x.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numba
import numpy as np

import gradcheck


@numba.njit(cache=False)
def f(x):
    total = 0.0
    for i in range(x.size):
        total += math.log(math.cosh(x[i]))
    return total


@numba.njit(cache=False)
def gradient(x):
    g = np.empty_like(x)
    for i in range(x.size):
        g[i] = math.tanh(x[i])
    return g


@numba.njit(cache=False)
def triad(a, b, c, d, e, s):
    """Reads three arrays and writes two, as the fused pass does."""
    for i in range(a.size):
        a[i] = c[i] + s * d[i]
        b[i] = c[i] - s * e[i]


def medians(runs: int, *works: Callable[[], object]) -> list[float]:
    """Seconds of each, taken in turn."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for work, seconds in zip(works, taken, strict=True):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    return [statistics.median(seconds) for seconds in taken]


def times(size: int, runs: int) -> None:
    """One block of the report."""
    from gradcheck.numerics.directions import keys
    from gradcheck.numerics.kernels import perturb

    x = point(size)
    g, scales, ahead, behind = gradient(x), np.abs(x), x.copy(), x.copy()

    def fused() -> None:
        perturb(x, g, scales, ahead, behind, (0, size), keys(0, 1), 1e-3)

    def bare() -> None:
        f(x), f(x), gradient(x)

    def fused_and_all() -> None:
        fused(), f(ahead), f(behind), gradient(x)

    works = (
        lambda: triad(ahead, behind, x, g, scales, 1e-3),
        fused,
        bare,
        fused_and_all,
        lambda: f(x),
        lambda: gradient(x),
    )
    medians(1, *works)
    three, one, plain, both, each_f, each_g = medians(runs, *works)
    print(f"d = {size:,}: f {each_f * 1e3:.2f} ms, gradient {each_g * 1e3:.2f} ms")
    print(f"  fused pass {one * 1e3:.2f} ms = {one / three:.2f} triads of {three * 1e3:.2f} ms")
    print(
        f"  fused pass + 2 f + 1 g over 2 f + 1 g: +{100 * (both / plain - 1):.1f} %; the pass alone {100 * one / plain:.1f} %"
    )

    reports = []

    def check() -> None:
        reports.append(gradcheck.check_gradient(f, gradient, x, method="directions"))

    medians(1, check)
    report = reports[-1]
    whole, value, slope = medians(max(3, runs // 3), check, lambda: f(x), lambda: gradient(x))
    own = report.nfev * value + report.ngev * slope
    print(
        f"  whole check {whole:.3f} s = {report.nfev} f + {report.ngev} g ({own:.3f} s) + {100 * (whole / own - 1):.1f} %, "
        f"{report.verdict.name}; each of its {len(report.directions)} directions takes "
        f"{', '.join(str(check.estimate.evaluations) for check in report.directions)} f",
        flush=True,
    )


def point(size: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-2, 2, size)


def use(size: int, check: bool) -> None:
    """In a fresh process: print the peak of its memory in bytes."""
    x = point(size)
    if check:
        gradcheck.check_gradient(f, gradient, x, method="directions")
    else:
        f(x), gradient(x)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def memory(size: int) -> None:
    """One line of the report."""
    bare, checked = (
        int(subprocess.run([sys.executable, __file__, *arguments], capture_output=True, check=True, text=True).stdout)
        for arguments in (["--use", f"{size}"], ["--use", f"{size}", "--check"])
    )
    print(
        f"d = {size:,}: peak {checked / 1e9:.2f} GB; with x and one call of f and its gradient {bare / 1e9:.2f} GB; "
        f"the difference is {(checked - bare) / 8 / size:.1f} arrays of the size of x ({8 * size / 1e9:.2f} GB each)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=float, nargs="+", default=[1e6, 1e7])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--memory", action="store_true", help="peak memory instead of times")
    parser.add_argument("--use", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.use:
        use(int(options.use), options.check)
        return
    for size in map(int, options.sizes):
        if options.memory:
            memory(size)
        else:
            times(size, options.runs)


if __name__ == "__main__":
    main()
