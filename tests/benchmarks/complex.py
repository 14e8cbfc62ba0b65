"""What a check by complex variables says, and costs: `python tests/benchmarks/complex.py [NUMBER OF RANDOM PROBLEMS]`.

30 real and 30 holomorphic functions in each convention that they have, five mistakes in each, evaluations and time beside the
real twin (f of real and imaginary parts, with the same gradient), and random problems whose gradients are right.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

import gradcheck
from tests.checks.complex_functions import CONVENTIONS, HOLOMORPHIC, MISTAKES, REAL, Case, data, random_problem

ROUNDS = 7


def conventions() -> None:
    """Which convention is named."""
    named = total = 0
    for case in (*REAL, *HOLOMORPHIC):
        z = data(*case.shape, seed=11)
        for name, write in CONVENTIONS.items() if case in REAL else [("holomorphic", lambda g: g)]:
            report = gradcheck.check_gradient(
                case.value, lambda z, case=case, write=write: write(case.derivative(z)), z, throw=False
            )
            total += 1
            right = report.verdict.name == "PASS" and name in report.conventions
            named += right
            if not right:
                print(f"  {case.name} as {name}: {report.verdict.name}, {[str(one) for one in report.conventions]}")
    print(f"conventions: {named} of {total} named")


def mistakes() -> None:
    """Which mistakes are seen, and named."""
    found: Counter[str] = Counter()
    for case in (*REAL, *HOLOMORPHIC):
        z = data(*case.shape, seed=11)
        right = case.derivative(z)
        for name, change in MISTAKES.items():
            if np.allclose(change(right), right, rtol=1e-3):
                continue  # it is none here
            report = gradcheck.check_gradient(
                case.value, lambda z, case=case, change=change: change(case.derivative(z)), z, throw=False
            )
            found["all"] += 1
            found["FAIL"] += report.verdict.name == "FAIL"
            kinds = [diagnosis.kind.value for diagnosis in report.diagnoses]
            found["named"] += name in kinds[:1]
            if name not in kinds[:1]:
                print(f"  {name} in {case.name}: {report.verdict.name}, {kinds}")
    print(f"mistakes: {found['FAIL']} of {found['all']} FAIL, {found['named'] / found['all']:.1%} named")


def twin(case: Case, z: Any) -> tuple[Any, Any, Any]:
    """f of real and imaginary parts in turn, its gradient, and the point."""

    def joined(x: Any) -> Any:
        return x.view(np.complex128).reshape(z.shape)

    def gradient(x: Any) -> Any:
        return np.ascontiguousarray(case.derivative(joined(x)), np.complex128).reshape(-1).view(np.float64)

    return lambda x: case.value(joined(x)), gradient, z.reshape(-1).view(np.float64)


def cost() -> None:
    """Evaluations and time beside the real twin."""
    shares, times = [], []
    for case in REAL:
        z = data(*case.shape, seed=11)
        pair = [(case.value, case.derivative, z), twin(case, z)]
        reports = [gradcheck.check_gradient(*one, throw=False) for one in pair]
        shares.append(reports[0].nfev / reports[1].nfev)
        best = [min(_seconds(one) for _ in range(ROUNDS)) for one in pair]
        times.append(best[0] / best[1])
    for what, ratios in (("evaluations", shares), ("time", times)):
        print(f"{what} beside the real twin: median {np.median(ratios):.2f}, at most {max(ratios):.2f}")


def _seconds(one: tuple[Any, Any, Any]) -> float:
    started = time.perf_counter()
    gradcheck.check_gradient(*one, throw=False)
    return time.perf_counter() - started


def random_problems(count: int) -> None:
    """Verdicts of right gradients."""
    verdicts: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for seed in range(count):
        case, z = random_problem(seed)
        name = list(CONVENTIONS)[seed % 4]
        report = gradcheck.check_gradient(
            case.value, lambda z, case=case, name=name: CONVENTIONS[name](case.derivative(z)), z, throw=False
        )
        verdicts[report.verdict.name] += 1
        names["right" if name in report.conventions else "other"] += 1
        if report.verdict.name in ("FAIL", "ERROR"):
            print(f"  {case.name} as {name}: {report.headline}")
    print(f"{count} random problems: {dict(verdicts)}; the convention is {dict(names)}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    conventions()
    mistakes()
    cost()
    random_problems(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
