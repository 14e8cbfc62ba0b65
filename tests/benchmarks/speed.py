"""How fast is a check?  Prints a table of ratios against what people use instead:

    python tests/benchmarks/speed.py             # about two minutes
    python tests/benchmarks/speed.py --match d=100 --rounds 31

A figure is the median over interleaved rounds of (their time / our time) within a round; a star marks what misses its goal.
Times are CPU times of this process, so that other work on the machine counts little; of whole processes, theirs.  Everything
was called a few times before (compiled, loaded, imported).  Tools that are not installed are left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numba
import numpy as np

import gradcheck
from gradcheck.evaluation.engines import Books, Calling, Steps
from gradcheck.variables.layout import as_layout

ROOT = Path(__file__).parents[2]
WARM_UP = 0.2  # seconds


@numba.njit
def rosenbrock(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


@numba.njit
def rosenbrock_grad(x):
    g = np.zeros(x.size)
    for i in range(x.size - 1):
        r = x[i + 1] - x[i] ** 2
        g[i] -= 400.0 * x[i] * r + 2.0 * (1.0 - x[i])
        g[i + 1] += 200.0 * r
    return g


@numba.njit
def softplus(x):
    s = 0.0
    for i in range(x.size):
        s += x[i] / (1.0 + i)
    return np.log1p(np.exp(s))


@numba.njit
def softplus_grad(x):
    s = 0.0
    for i in range(x.size):
        s += x[i] / (1.0 + i)
    slope = 1.0 / (1.0 + np.exp(-s))
    g = np.empty(x.size)
    for i in range(x.size):
        g[i] = slope / (1.0 + i)
    return g


def square(x):
    return np.dot(x, x)


def square_grad(x):
    return 2.0 * x


def quartic(x):
    return float(np.sum(x * x * (x * x - 1.0)))


def quartic_grad(x):
    return 4.0 * x**3 - 2.0 * x


def one(x):
    return 1.0


def rows(x):
    return np.sum(x * x * (x * x - 1.0), axis=-1)


@dataclass(frozen=True)
class Row:
    """Two things to do, and by how much the first should be faster.  unit: '×', or how an overhead is expressed."""

    what: str
    against: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    goal: float | None = None
    unit: str = "×"
    scale: float = 1.0


def point(d: int) -> np.ndarray:
    return np.random.default_rng(d).standard_normal(d)


def three_point(f: Callable, x: np.ndarray) -> Callable[[], object]:
    from scipy.optimize._numdiff import approx_derivative

    return lambda: approx_derivative(f, x, method="3-point")


def plain_loop(f: Callable, x: np.ndarray) -> Callable[[], object]:
    """The loop people write."""

    def loop() -> np.ndarray:
        g = np.empty_like(x)
        for i in range(x.size):
            ahead, behind = x.copy(), x.copy()
            ahead[i] += 1e-6
            behind[i] -= 1e-6
            g[i] = (f(ahead) - f(behind)) / 2e-6
        return g

    return loop


def bare(f: Callable, x: np.ndarray, compiled: bool = False) -> Callable[[], object]:
    """2d evaluations and nothing else."""
    count = 2 * x.size

    def loop() -> None:
        for _ in range(count):
            f(x)

    @numba.njit
    def compiled_loop(x):
        total = 0.0
        for i in range(count):
            x[0] += 1e-9 * i  # lest the calls be merged
            total += f(x)
        return total

    return (lambda: compiled_loop(x.copy())) if compiled else loop


def check(f: Callable, g: Callable, x: np.ndarray, **options: object) -> Callable[[], object]:
    return lambda: gradcheck.check_gradient(f, g, x, **options)


def in_process() -> Iterator[Row]:
    coordinates = {"method": "coordinates"}
    for name, f, g in (("Rosenbrock", rosenbrock, rosenbrock_grad), ("softplus", softplus, softplus_grad)):
        for d, goal in ((100, 8.0), (1000, 6.0), (10_000, 2.0)):
            x = point(d)
            what = f"jitted {name}, d={d}, every entry"
            yield Row(what, "SciPy 3-point", check(f, g, x, **coordinates), three_point(f, x), goal)
    x = point(10_000)
    what = "jitted Rosenbrock, d=10000, as chosen"
    yield Row(what, "SciPy 3-point", check(rosenbrock, rosenbrock_grad, x), three_point(rosenbrock, x), 2.0)

    for name, f, g, d in (
        ("x·x", square, square_grad, 100),
        ("x·x", square, square_grad, 1000),
        ("Σ x²(x²−1)", quartic, quartic_grad, 100),
        ("Σ x²(x²−1)", quartic, quartic_grad, 1000),
    ):
        x = point(d)
        what = f"numpy {name}, d={d}, one at a time"
        yield Row(what, "SciPy 3-point", check(f, g, x, **coordinates), three_point(f, x), 1.6)
        yield Row(what, "plain loop", check(f, g, x, **coordinates), plain_loop(f, x))

    for d, goal in ((100, 10.0), (1000, 3.0)):
        x = point(d)
        for how, options in (("declared", {"vectorized": True}), ("found", {})):
            ours = check(rows, quartic_grad, x, **coordinates, **options)
            yield Row(f"numpy rows, d={d}, {how}", "SciPy 3-point", ours, three_point(rows, x), goal)

    x = point(1000)
    ours = check(rosenbrock, rosenbrock_grad, x, **coordinates)
    yield Row(
        "a check beyond 2d evaluations, jitted, d=1000",
        "compiled loop",
        ours,
        bare(rosenbrock, x, True),
        8.0,
        "%",
        100.0,
    )
    columns = np.arange(1000).repeat(2)
    work, calling = Steps(x, columns, x[columns] + 1e-6), Calling(call=one, layout=as_layout(x), plain=True)
    yield Row(
        "an evaluation in Python, beyond the call",
        "calls alone",
        lambda: work.run(calling, Books()),
        bare(one, x),
        1.0,
        "µs",
        2000,
    )

    yield Row("jitted Rosenbrock, d=1000", "plain loop", ours, plain_loop(rosenbrock, x))
    if find_spec("scipy"):
        from scipy.optimize import check_grad

        yield Row(
            "jitted Rosenbrock, d=1000", "SciPy check_grad", ours, lambda: check_grad(rosenbrock, rosenbrock_grad, x)
        )
    if find_spec("jacobi"):
        import jacobi

        yield Row("jitted Rosenbrock, d=1000", "jacobi", ours, lambda: jacobi.jacobi(rosenbrock, x), 100.0)
    if find_spec("numdifftools"):
        import numdifftools

        gradient = numdifftools.Gradient(rosenbrock)
        yield Row("jitted Rosenbrock, d=1000", "numdifftools", ours, lambda: gradient(x), 20.0)
    if find_spec("torch"):
        import torch

        variable = torch.tensor(x, requires_grad=True)

        def in_torch() -> bool:
            return torch.autograd.gradcheck(
                lambda v: (100.0 * (v[1:] - v[:-1] ** 2) ** 2 + (1.0 - v[:-1]) ** 2).sum(), (variable,)
            )

        yield Row("jitted Rosenbrock, d=1000", "torch gradcheck", ours, in_torch, 20.0)


NUMPY_MODULE = """
import numpy as np
def f(x): return float(np.sum(x * x * (x * x - 1.0)))
def grad(x): return 4.0 * x**3 - 2.0 * x
"""
JITTED_MODULE = """
import numba, numpy as np
@numba.njit(cache=True)
def f(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total
@numba.njit(cache=True)
def grad(x):
    g = np.zeros(x.size)
    for i in range(x.size - 1):
        r = x[i + 1] - x[i] ** 2
        g[i] -= 400.0 * x[i] * r + 2.0 * (1.0 - x[i])
        g[i + 1] += 200.0 * r
    return g
"""


def whole_processes(folder: Path) -> Iterator[Row]:
    (folder / "plain.py").write_text(NUMPY_MODULE)
    (folder / "jitted.py").write_text(JITTED_MODULE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(*arguments: str) -> Callable[[], object]:
        command = [sys.executable, *arguments]
        return lambda: subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

    def command(file: str) -> Callable[[], object]:
        return run("-m", "gradcheck", f"{file}:f", "--grad", f"{file}:grad", "--dim", "100")

    script = "import numpy as np, jitted; x = np.ones(100); jitted.f(x); jitted.grad(x)"
    yield Row(
        "process: numpy f, d=100, as text", "import numpy", command("plain.py"), run("-c", "import numpy"), 1.2, "of"
    )
    yield Row("process: jitted f, g, as text", "calls of f, g", command("jitted.py"), run("-c", script), 1.2, "of")


def spent(action: Callable[[], object], of_children: bool) -> float:
    """CPU seconds."""
    if not of_children:
        started = time.process_time()
        action()
        return time.process_time() - started
    before = os.times()
    action()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def measured(row: Row, rounds: int) -> float:
    """The figure of a row: a ratio (×, of), or what we take beyond them, in their time (%) or in seconds a call (µs)."""
    processes = row.unit == "of"
    for action in (row.ours, row.theirs):
        started = time.perf_counter()
        for _ in range(100):
            action()
            if time.perf_counter() - started > WARM_UP:
                break
    figures = []
    for _ in range(rounds):
        ours, theirs = spent(row.ours, processes), spent(row.theirs, processes)
        figures.append(
            {
                "×": theirs / ours,
                "of": ours / theirs,
                "%": row.scale * (ours / theirs - 1),
                "µs": (ours - theirs) / row.scale * 1e6,
            }[row.unit]
        )
    return statistics.median(figures)


def main() -> int:
    parser = argparse.ArgumentParser(description="Ratios of speed; see the top of this file.")
    parser.add_argument("--match", default="", help="only rows that contain this")
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    missed = 0
    print(f"{'what':<52}{'against':<18}{'figure':>10}   goal")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in [*in_process(), *whole_processes(Path(folder))]:
            if options.match not in f"{row.what} {row.against}":
                continue
            slow = "10000" in row.what or row.against in ("jacobi", "numdifftools", "torch gradcheck")
            figure = measured(row, 3 if slow else options.rounds)
            more_is_better = row.unit == "×"
            miss = row.goal is not None and (figure < row.goal if more_is_better else figure > row.goal)
            missed += miss
            unit = "×" if row.unit == "of" else row.unit
            sign = "≥" if more_is_better else "≤"
            goal = "" if row.goal is None else f"{sign} {row.goal:g}{unit}"
            print(f"{row.what:<52}{row.against:<18}{figure:>8.3g} {unit:<2}  {goal}{' *' if miss else ''}", flush=True)
    print(f"{missed} missed" if missed else "all goals met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
