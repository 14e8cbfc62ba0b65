"""Evaluations that it takes to check a large gradient and to find its wrong entries: `python localization.py [--size N]`.

Prints, for each function and kind of mistake, the evaluations of f (set-up included) beside 2d, which differencing every entry
costs, and k·log2(d/k), the number of tests that any search for k wrong ones among d needs.  With --right N, what is said of
right gradients at N points instead (`--size 10000 --right 1000`).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from gradcheck.evaluation.claims import Claim  # noqa: E402
from gradcheck.evaluation.function import Function  # noqa: E402
from gradcheck.evaluation.preflight import examine  # noqa: E402
from gradcheck.methods.directions import search  # noqa: E402
from gradcheck.methods.problem import Problem, Watcher  # noqa: E402
from gradcheck.methods.results import Comparison  # noqa: E402
from gradcheck.model import Tolerance  # noqa: E402

TOLERANCE = Tolerance(rtol=6e-6, atol=0.0)


class Case(NamedTuple):
    """A function of many variables, its gradient and a point."""

    name: str
    f: Callable[[Any], float]
    grad: Callable[[Any], Any]
    x: Any


def rosenbrock(size: int, random: np.random.Generator) -> Case:
    def f(x: Any) -> float:
        return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))

    def grad(x: Any) -> Any:
        g = np.zeros_like(x)
        inner = x[1:] - x[:-1] ** 2
        g[:-1] = -400 * x[:-1] * inner - 2 * (1 - x[:-1])
        g[1:] += 200 * inner
        return g

    return Case("Rosenbrock chain", f, grad, random.normal(size=size))


def pseudo_huber(size: int, random: np.random.Generator) -> Case:
    weights = 10 ** random.uniform(-3, 3, size)

    def f(x: Any) -> float:
        return float(np.sum(weights * (np.sqrt(1 + x * x) - 1)))

    return Case("pseudo-Huber", f, lambda x: weights * x / np.sqrt(1 + x * x), random.normal(size=size))


def log_quadratic(size: int, random: np.random.Generator) -> Case:
    diagonal, low_rank = random.uniform(0.5, 2, size), random.normal(size=(3, size))

    def quadratic(x: Any) -> float:
        return float(np.sum(diagonal * x * x) + np.sum((low_rank @ x) ** 2))

    def grad(x: Any) -> Any:
        return 2 * (diagonal * x + (low_rank @ x) @ low_rank) / quadratic(x)

    return Case("ln<x,Ax>", lambda x: math.log(quadratic(x)), grad, random.normal(size=size))


def log_cosh(size: int, random: np.random.Generator) -> Case:
    def f(x: Any) -> float:
        size = np.abs(x)
        return float(np.sum(size + np.log1p(np.exp(-2 * size))))

    return Case("sum ln cosh", f, np.tanh, random.normal(size=size))


FUNCTIONS = (rosenbrock, pseudo_huber, log_quadratic, log_cosh)


def run(case: Case, grad: Callable[[Any], Any], seed: int = 0) -> tuple[Comparison, int]:
    """The search, and how many evaluations of f it took with the set-up."""
    function, claim = Function(case.f, case.x), Claim(grad, case.x, case.x.shape)
    preflight = examine(function, claim, case.x, seed)
    problem = Problem(function=function, x=case.x, preflight=preflight, tolerance=TOLERANCE, seed=seed)
    found = search(problem, Watcher(), preflight.claimed)
    return found, function.calls


def visible(case: Case, found: Comparison, relative: float, count: int, random: np.random.Generator) -> Any:
    """Random entries that are so large that a relative error of theirs is above the stated limit."""
    limit = found.limits[0].usual
    large = np.flatnonzero(np.abs(case.grad(case.x)) * relative > 1.01 * limit)
    return random.choice(large, size=min(count, large.size), replace=False)


def spoiled(case: Case, chosen: Any, relative: Any) -> Callable[[Any], Any]:
    def grad(x: Any) -> Any:
        g = case.grad(x).copy()
        g[chosen] *= 1 + relative
        return g

    return grad


Mistake = tuple[str, int, int, Callable[[Any], Any], Any]


def mistakes(case: Case, right: Comparison, random: np.random.Generator) -> Iterator[Mistake]:
    """(name, number of wrong entries, the most evaluations it may take, the wrong gradient, the wrong entries)."""
    d = case.x.size
    for relative in (1e-1, 1e-2, 1e-3, 1e-4):
        chosen = visible(case, right, relative, 1, random)
        if chosen.size:
            yield f"1 entry {relative:g}", 1, 250, spoiled(case, chosen, relative), chosen
        else:
            print(f"{case.name:18} 1 entry {relative:g}: below the limit everywhere")
    for count, most in ((5, 600), (50, 4000)):
        sizes = 10 ** random.uniform(-3, -1, count)
        chosen = visible(case, right, 1e-3, count, random)
        if chosen.size == count:
            yield f"{count} entries", count, most, spoiled(case, chosen, sizes), chosen
    yield "x 1.01", d, 200, lambda x: 1.01 * case.grad(x), None
    yield "sign", d, 200, lambda x: -case.grad(x), None
    a = int(random.integers(d // 2))
    for name, stop in (("block of 1000", a + 1000), ("block of d/8", a + d // 8)):
        block = np.arange(a, stop)
        yield name, block.size, 500, spoiled(case, block, 0.5), (a, stop, 1)
    yield "zero block", 2000, 500, spoiled(case, np.arange(a, a + 2000), -1.0), (a, a + 2000, 1)
    for stride in (3, 1000):
        yield f"every {stride}", d // stride, 500, spoiled(case, np.arange(1, d, stride), 0.1), (1, None, stride)
    dense = random.choice(d, d // 100, replace=False)
    yield "dense 1 %", d // 100, 2000, spoiled(case, dense, 0.1), None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=10**6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="functions whose name contains this")
    parser.add_argument("--right", type=int, metavar="N", help="only right gradients, with N seeds of point and search")
    options = parser.parse_args()
    d = options.size
    if options.right:
        right_gradients(d, options.right, options.only)
        return
    for make in FUNCTIONS:
        random = np.random.default_rng(options.seed)
        case = make(d, random)
        if options.only not in case.name:
            continue
        started = time.perf_counter()
        right, calls = run(case, case.grad, options.seed)
        seconds = time.perf_counter() - started
        print(f"{case.name:18} {'correct':16} {calls:6} of {150:5}  {right.verdict.name:6} {seconds:6.1f} s")
        print(f"{'':18} {right.sentence}", flush=True)
        for name, k, most, grad, chosen in mistakes(case, right, random):
            started = time.perf_counter()
            found, calls = run(case, grad, options.seed)
            seconds = time.perf_counter() - started
            tests = k * math.log2(d / k) if 0 < k < d else 0
            print(
                f"{case.name:18} {name:16} {calls:6} of {most:5}{' ' if calls <= most else '!'} {found.verdict.name:6} "
                f"2d {2 * d:9,}  k log2(d/k) {tests:9,.0f} {seconds:6.1f} s  {outcome(found, chosen)}",
                flush=True,
            )


def right_gradients(d: int, count: int, only: str) -> None:
    """The verdicts on right gradients with so many seeds: none may be FAIL."""
    for make in FUNCTIONS:
        verdicts: Counter[str] = Counter()
        most, name = 0, ""
        for seed in range(count):
            case = make(d, np.random.default_rng(seed))
            name = case.name
            if only not in name:
                break
            found, calls = run(case, case.grad, seed)
            verdicts[found.verdict.name] += 1
            most = max(most, calls)
        else:
            print(f"{name:18} {dict(verdicts)}, at most {most} evaluations", flush=True)


def outcome(found: Comparison, chosen: Any) -> str:
    """What was found, beside what there was: entries as an array, or (start, stop, step)."""
    named = set(found.columns.entry.tolist())
    note = "; ".join(diagnosis.message for diagnosis in found.diagnoses)[:90]
    if isinstance(chosen, np.ndarray):
        wrong = set(chosen.tolist())
        return f"missed {len(wrong - named)}, false {len(named - wrong)}; {note}"
    if chosen is None:
        return note
    start, stop, step = chosen
    p = found.diagnoses[0].parameters if found.diagnoses else {}
    wanted = stop or p.get("entries", 0) * step - step + 2
    begin, end = (p.get("start"), p.get("stop")) if step > 1 else p.get("range", (None, None))
    exact = len(found.diagnoses) == 1 and (begin, end, p.get("stride", 1)) == (start, wanted, step)
    return f"{'exact' if exact else 'NOT EXACT'}; {note}"


if __name__ == "__main__":
    main()
