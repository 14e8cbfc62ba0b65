"""What a check on each set says of right derivatives and of wrong ones: `python tests/benchmarks/on_sets.py [SET …]`.

20 right derivatives a set, gradients in three forms, Jacobians and Hessians of four functions: no false FAIL, f never called
off the set, every entry resolved.  Six mistakes of convention a set, for each function: FAIL, and by which name.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import gradcheck
from gradcheck.model import Report
from tests.checks.set_functions import FUNCTIONS, MISTAKES, RESOLVED, Case, rights


def checked(case: Case, kind: str, form: str, keywords: dict[str, object]) -> Report:
    """The report of a right derivative."""
    how = {"on": case.name, "throw": False, **keywords}
    if kind == "jacobian":
        return gradcheck.check_jacobian(case.values, case.jacobian, case.x, **how)
    if kind == "hessian":
        return gradcheck.check_hessian(case.f, case.hessian, case.x, grad=case.gradient, **how)
    return gradcheck.check_gradient(case.f, case.claim(form), case.x, **how)


def unresolved(report: Report) -> int:
    """Entries that are not known to 1e-6 of the largest."""
    largest = max(abs(entry.claimed) for entry in report.entries)
    return sum(not entry.estimate.uncertainty <= RESOLVED * largest for entry in report.entries)


def main(names: list[str]) -> int:
    """Print the figures; 1 if one is not as it must be."""
    found: Counter[str] = Counter()
    started, off = time.perf_counter(), 0.0
    for name in names:
        here: Counter[str] = Counter()
        for function in FUNCTIONS:
            case = Case(name, function)
            for kind, form, keywords in rights(case):
                report = checked(case, kind, form, keywords)
                here[f"right {report.verdict.name}"] += 1
                here["unresolved"] += unresolved(report)
                here["entries"] += report.checked
                if report.verdict.name != "PASS":
                    print(f"  {name}, {function}: a right {kind} ({form}) is {report.verdict.name}")
            off = max(off, case.off)
            for mistake in MISTAKES[name]:
                report = gradcheck.check_gradient(
                    case.f, mistake.wrong(case), case.x, on=name, claimed=mistake.claimed, throw=False
                )
                kinds = [diagnosis.kind.value for diagnosis in report.diagnoses]
                here["wrong"] += 1
                here["FAIL"] += report.verdict.name == "FAIL"
                here["named"] += bool({*kinds[:1]} & {*mistake.kinds})
                if not {*kinds[:1]} & {*mistake.kinds}:
                    print(
                        f"  {name}, {function}: {mistake.claimed}, {mistake.kinds[0]}: {report.verdict.name}, {kinds}"
                    )
        print(
            f"{name}: {here['right PASS']} of {sum(here[key] for key in here if key.startswith('right'))} right ones PASS, "
            f"{here['right FAIL']} FAIL, {here['unresolved']} of {here['entries']} entries not resolved to {RESOLVED:g}; "
            f"of {here['wrong']} wrong ones {here['FAIL']} FAIL and {here['named']} are named"
        )
        found += here
    named = found["named"] / found["wrong"]
    print(
        f"all {len(names)} sets: {found['right PASS']} right ones PASS, {found['right FAIL']} FAIL; f at most {off:.1e} off its "
        f"set; {found['unresolved']} entries of {found['entries']} not resolved; of {found['wrong']} wrong ones "
        f"{found['FAIL']} FAIL, {named:.1%} named; {time.perf_counter() - started:.0f} s"
    )
    good = not found["right FAIL"] and not found["unresolved"] and off <= 1e-12
    return int(not (good and found["FAIL"] == found["wrong"] and named >= 0.9))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(MISTAKES)))
