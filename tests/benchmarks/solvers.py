"""Sixty solvers, each with its right gradient and with a mistake of 0.5 %: `python tests/benchmarks/solvers.py [PART OF A NAME]`.

Right ones should pass, with the exponent of the law within 0.3 of what theory has, and wrong ones fail.  Every second mistake
is in all entries, the others in the largest one alone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

import gradcheck
from tests.solvers import Solver, all_of_them

MISTAKE, NEAR = 5e-3, 0.3


def mistaken(case: Solver, number: int) -> Any:
    """The gradient with a mistake, which takes the knob as the right one does."""

    def wrong(x: Any, **knob: Any) -> Any:
        g = np.array(case.grad(x, **knob))
        where = slice(None) if number % 2 == 0 else int(np.argmax(np.abs(g)))
        g[where] *= 1 + MISTAKE
        return g

    return wrong


def main() -> None:
    part = " ".join(sys.argv[1:])
    right, near, caught, count, evaluations = 0, 0, 0, 0, []
    for number, case in enumerate(all_of_them()):
        if part not in case.name:
            continue
        started = time.perf_counter()
        report = gradcheck.check_gradient(case.f, case.grad, case.x0, knob=case.knob, throw=False)
        wrong = gradcheck.check_gradient(
            case.f, mistaken(case, number), case.x0, knob=case.knob, throw=False, fix=False
        )
        law = report.law
        assert law is not None
        close = law.exponent is not None and abs(law.exponent - case.exponent) <= NEAR
        count, evaluations = count + 1, [*evaluations, report.nfev]
        right, near = right + (report.verdict.name == "PASS"), near + (report.verdict.name == "PASS" and close)
        caught += wrong.verdict.name == "FAIL"
        marks = ("" if report.verdict.name == "PASS" and close else "  <-- right") + (
            "" if wrong.verdict.name == "FAIL" else "  <-- wrong"
        )
        p = "-" if law.exponent is None else f"{law.exponent:.2f}"
        seconds = time.perf_counter() - started
        print(
            f"{case.name:38} {report.verdict.name:12} p {p:>5} of {case.exponent:g}, {report.nfev:4} evaluations; "
            f"wrong {wrong.verdict.name:12} {seconds:5.1f} s{marks}"
        )
        if marks:
            for one in (report.law, wrong.law):
                print(f"      {one.sentence}; gaps {', '.join(f'{gap:.1e}' for gap in one.gaps)}")
    print(f"{count} cases: right ones pass {right}, with the exponent within {NEAR} {near}; wrong ones fail {caught}")
    print(f"evaluations: median {int(np.median(evaluations))}, most {max(evaluations)}")


if __name__ == "__main__":
    main()
