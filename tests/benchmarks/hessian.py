"""A whole Hessian check beside SciPy's differences of the same gradient: `python tests/benchmarks/hessian.py`.

Times, interleaved in one run, `gradcheck.check_hessian` (report included) and
`scipy.optimize._numdiff.approx_derivative(grad, x, method="3-point")`, which computes the numeric Hessian only, on a Rosenbrock
gradient compiled with Numba; prints medians and their ratio.  The claim is a dense array, one of which every entry is compared on
request (its zeros are compared at once otherwise), and a sparse one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numba
import numpy as np
from scipy.optimize import rosen_hess
from scipy.optimize._numdiff import approx_derivative
from scipy.sparse import csr_array

import gradcheck


@numba.njit(cache=False)
def rosenbrock(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


@numba.njit(cache=False)
def gradient(x):
    g = np.zeros_like(x)
    for i in range(x.size - 1):
        e = x[i + 1] - x[i] ** 2
        g[i] += -400 * x[i] * e - 2 * (1 - x[i])
        g[i + 1] += 200 * e
    return g


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    print(f"{'n':>6}  {'claim':<19}  {'gradcheck s':>12}  {'SciPy s':>10}  {'SciPy / gradcheck':>18}  verdict")
    for n in options.sizes:
        measure(n, options.runs)


def measure(n: int, runs: int) -> None:
    """The rows of the table for one size."""
    x = np.random.default_rng(0).uniform(-1, 1, n)
    dense = rosen_hess(x)
    kinds: dict[str, tuple[object, dict[str, str]]] = {
        "dense": (dense, {}),
        "dense, every entry": (dense, {"method": "coordinates"}),
        "sparse": (csr_array(dense), {}),
    }

    def difference() -> object:
        return approx_derivative(gradient, x, method="3-point")

    for name, (hess, method) in kinds.items():

        def check(hess: object = hess, method: dict[str, str] = method) -> gradcheck.Report:
            return gradcheck.check_hessian(rosenbrock, lambda _: hess, x, grad=gradient, throw=False, **method)

        report = check()
        difference()
        ours, theirs = [], []
        for _ in range(runs):
            ours.append(seconds(check))
            theirs.append(seconds(difference))
        mine, scipys = statistics.median(ours), statistics.median(theirs)
        print(f"{n:6}  {name:<19}  {mine:12.4f}  {scipys:10.4f}  {scipys / mine:18.2f}  {report.verdict.name}")


if __name__ == "__main__":
    main()
