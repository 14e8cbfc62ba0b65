"""Measure how well a gradient checker judges: `python run.py --help`.

Each case of cases.py is checked with its right gradient and with some 25 wrong ones.

Resolution of an entry: the smallest error that differences of f can show there, measured knowing the true
gradient: central differences of order 2 to 8 on three ladders of steps; of each ladder the best three
neighbouring steps, of the three the worst ladder; never less than the rounding of the entry, nor than the error
of the right gradient itself.

SNR of a mistake: its largest error of an entry, in units of that resolution. Decidable: SNR >= 10. Size: |wrong
- true| / |true| in the Euclidean norm. A right gradient is decidable when each entry is resolved to 1e-3 of
itself (a zero entry, to 1e-3 of the largest).

False alarm: the right gradient gets FAIL. Miss: a decidable mistake of size >= 1e-5 gets PASS. A breach of
contract (a reused buffer, a changed argument, the gradient of another point) counts as found if the verdict is
neither PASS nor that of the right gradient, or if a finding names it. Coverage: the share of reported entries
of right gradients for which |estimate - true| <= uncertainty.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2])]

import numpy as np  # noqa: E402
from cases import CASES, Case, rng  # noqa: E402

GROUPS = {
    "clean": ("smooth", "scaled", "kink", "domain", "highfreq"),
    "float32": ("float32",),
    "noisy": ("noisy", "offset", "cancel", "stochastic"),
}
KINDS = [kind for kinds in GROUPS.values() for kind in kinds]
SIZES = {">=.5": 0.5, ".05-.5": 0.05, ".005-.05": 5e-3, "5e-4-.005": 5e-4, "1e-5-5e-4": 1e-5, "<1e-5": 0.0}
VERDICTS = ("PASS", "INCONCLUSIVE", "FAIL", "ERROR")
DECIDABLE, RESOLVED, SCORED, SETUP = 10.0, 1e-3, 1e-5, 30
RIGHT = "right"
BREACHES = {"alias_buffer": "reuses_buffer", "mutates_x": "mutates_input", "stale_prev_f": "order_dependent"}
SHORT = {  # the mistakes made in high dimension, and with --quick
    *(
        "sign_all",
        "scale_2",
        "scale_1.001",
        "scale_1+1e-5",
        "one_rel_1e-3",
        "one_zero",
        "swap",
        "half_zero",
        "stale_1e-3",
    ),
    *("stale_1e-6", *BREACHES),
}
MANY, SAMPLE = (
    60,
    16,
)  # beyond MANY entries only the SHORT mistakes; beyond SAMPLE the resolution of that many is measured


# ---- what f can show


CENTRAL = {2: (1 / 2,), 4: (2 / 3, -1 / 12), 6: (3 / 4, -3 / 20, 1 / 60), 8: (4 / 5, -1 / 5, 4 / 105, -1 / 280)}


def ladder(x: float, offset: float, coarse: bool, spacing: float) -> Iterator[float]:
    """Steps for one coordinate, each a quarter of the last, from far beyond the scale of x to its last digits."""
    top = max(abs(x), 1.0) if abs(x) > 1e-30 or x == 0 else abs(x)
    bottom = 2 * spacing if x != 0 else 1e-22
    if coarse:
        top, bottom = top / 4, max(bottom, 1e-9 * top)
    h = top * 4.0**-offset
    while h >= bottom:
        yield h
        h /= 4


def past_best(errors: list[float], good: float) -> bool:
    """Whether smaller steps only lose digits: the best was good and is six steps ago."""
    best = min(range(len(errors)), key=errors.__getitem__)
    return errors[best] < good and len(errors) - best > 6


def resolution(case: Case, true: np.ndarray, i: int, own: float) -> float:
    """The smallest error of entry i that differences of f can show."""
    x0 = case.x0
    known: dict[float, float] = {}

    def value(shift: float) -> float:
        if shift not in known:
            x = x0.copy()
            x[i] += x0.dtype.type(shift)
            try:
                known[shift] = float(case.f(x))
            except Exception:
                known[shift] = np.nan
        return known[shift]

    spacing = float(np.spacing(np.abs(x0[i])))
    orders = (2, 4) if case.slow else tuple(CENTRAL)
    worst = 0.0
    for offset in (0, 1 / 3, 2 / 3):
        errors: dict[int, list[float]] = {order: [] for order in orders}
        for h in ladder(float(x0[i]), offset, case.slow, spacing):
            unit = float(np.spacing(np.abs(x0[i]) + x0.dtype.type(4 * h)))
            h = max(round(h / unit), 1) * unit  # so that x ± h, … x ± 4h are what they should be
            for order in orders:
                terms = [w * (value(k * h) - value(-k * h)) for k, w in enumerate(CENTRAL[order], 1)]
                error = abs(sum(terms) / h - true[i])
                errors[order].append(error if np.isfinite(error) else np.inf)
            if all(past_best(e, 1e-6 * abs(true[i])) for e in errors.values()):
                break
        triples = [max(e[k : k + 3]) for e in errors.values() for k in range(len(e) - 2)]
        worst = max(worst, min(triples, default=np.inf))
    rounding = float(np.spacing(x0.dtype.type(np.abs(true[i])))) / 2
    return max(worst, rounding, own)


class Truth(NamedTuple):
    """The true gradient, and for some entries (all, if there are few) what f can show of them."""

    gradient: np.ndarray
    own: np.ndarray
    entries: np.ndarray
    resolution: np.ndarray

    def decidable(self) -> bool:
        g = np.abs(self.gradient)
        return bool(np.all(self.resolution <= RESOLVED * np.where(g > 0, g, g.max())[self.entries]))


def find_truth(case: Case) -> Truth:
    right = np.asarray(case.truth(case.x0.copy()), float)
    own = np.abs(np.asarray(case.grad(case.x0.copy()), float) - right)
    d = right.size
    entries = np.arange(d)
    if d > SAMPLE:
        order = np.argsort(np.abs(right))
        some = rng("entries " + case.name).choice(d, SAMPLE - 4, replace=False)
        entries = np.unique(np.concatenate([some, order[:2], order[-2:]]))
    return Truth(right, own, entries, np.array([resolution(case, right, i, own[i]) for i in entries]))


# ---- wrong gradients


class Mistake(NamedTuple):
    label: str
    make: Callable[[Watched], Callable]
    size: float = 0.0
    snr: float = 0.0


def length(v: np.ndarray) -> float:
    """Euclidean norm without overflow."""
    top = float(np.max(np.abs(v), initial=0.0))
    return top * float(np.sqrt(np.sum((v / top) ** 2))) if 0 < top < np.inf else top


def wrong_gradients(case: Case, truth: Truth) -> Iterator[tuple[str, Callable]]:
    """(label, function) of every realistic mistake that is not a breach of contract."""
    x0, right, d = case.x0, truth.gradient, case.x0.size
    real, grad = x0.dtype.type, case.grad
    dice = rng("mistakes " + case.name)
    top = np.max(np.abs(right))

    def entry(i: int, change: Callable) -> Callable:
        def wrong(x):
            g = np.array(grad(x))
            g[i] = change(g[i])
            return g

        return wrong

    yield "sign_all", lambda x: -grad(x)
    for label in ("2", "0.5", "1.01", "1.001", "1+1e-4", "1+1e-5"):
        factor = real(sum(map(float, label.split("+"))))
        yield "scale_" + label, lambda x, factor=factor: grad(x) * factor
    yield "abs", lambda x: np.abs(grad(x))
    noise = (1 + 0.01 * dice.normal(size=d)).astype(x0.dtype)
    yield "noise_1e-2", lambda x: grad(x) * noise
    if d > 1:
        weighty = [k for k in truth.entries if abs(right[k]) >= 0.02 * top]
        i = int(dice.choice(weighty or [int(np.argmax(np.abs(right)))]))
        for label, factor in {"rel_1e-1": 1.1, "rel_1e-3": 1.001, "zero": 0.0, "sign": -1.0}.items():
            yield "one_" + label, entry(i, lambda v, factor=factor: v * real(factor))
        nonzero = [k for k in truth.entries if right[k] != 0]
        least = min(nonzero, key=lambda k: abs(right[k]), default=i)
        if least != i:
            yield "smallest_zero", entry(least, lambda v: real(0))
            yield "smallest_x2", entry(least, lambda v: 2 * v)
        unlike = [k for k in truth.entries if abs(right[k] - right[i]) > 1e-3 * top]
        if unlike:
            order = np.arange(d)
            j = int(dice.choice(unlike))
            order[[i, j]] = j, i
            yield "swap", lambda x: grad(x)[order]
        yield "shift", lambda x: np.roll(grad(x), 1)
        yield "reverse", lambda x: grad(x)[::-1].copy()
        yield "half_zero", lambda x: np.where(np.arange(d) < d // 2, grad(x), real(0))
    if case.shape:
        yield "transpose", lambda x: grad(x).reshape(case.shape).ravel(order="F").copy()
    for label, part in case.parts.items():
        yield "drop_" + label, lambda x, part=part: grad(x) - np.asarray(part(x), x.dtype)
    aside = np.where(dice.random(d) < 0.5, -1, 1) * np.where(x0 == 0, 1 if not x0.any() else 1e-12, np.abs(x0))
    for label in ("1e-3", "1e-6"):
        moved = (float(label) * aside).astype(x0.dtype)
        yield "stale_" + label, lambda x, moved=moved: grad(x + moved)


def breaches(case: Case) -> Iterator[Mistake]:
    """Right on one clean call, wrong in use."""
    grad, x0 = case.grad, case.x0

    def alias_buffer(f):
        buffer = np.zeros_like(x0)

        def wrong(x):
            buffer[:] = grad(x)
            return buffer

        return wrong

    def mutates_x(f):
        def wrong(x):
            g = np.array(grad(x.copy()))
            x[...] = np.where(x == 0, 1, x * x.dtype.type(1.02))
            return g

        return wrong

    def stale_prev_f(f):
        return lambda x: np.array(grad(x if f.last is None else f.last.copy()))

    yield Mistake("alias_buffer", alias_buffer)
    yield Mistake("mutates_x", mutates_x)
    step = 3e-4 if x0.dtype == np.float32 else 1e-8
    near = (x0 + step * np.where(x0 == 0, 1, np.abs(x0))).astype(x0.dtype)
    if not np.array_equal(grad(near), grad(x0.copy())):
        yield Mistake("stale_prev_f", stale_prev_f)


def mistakes(case: Case, truth: Truth, quick: bool) -> Iterator[Mistake]:
    short = quick or case.x0.size > MANY
    for label, wrong in wrong_gradients(case, truth):
        if short and label not in SHORT and not label.startswith("drop"):
            continue
        value = np.asarray(wrong(case.x0.copy()), float)
        gap = np.abs(value - truth.gradient)
        whole = length(truth.gradient)
        size = length(gap) / whole if whole > 0 else float("inf") * bool(gap.any())
        if np.all(np.isfinite(value)) and size > (1e-6 if case.x0.dtype == np.float32 else 1e-9):
            snr = np.max(gap[truth.entries] / np.maximum(truth.resolution, 1e-320))
            yield Mistake(label, lambda f, wrong=wrong: wrong, float(size), float(snr))
    yield from breaches(case)


# ---- checkers: (f, grad, x0) -> an Answer


class Answer(NamedTuple):
    """entries: (index, value, uncertainty) of numeric derivatives, for the coverage."""

    verdict: str
    diagnosis: str = ""
    findings: tuple[str, ...] = ()
    entries: tuple[tuple[int, float, float], ...] = ()
    nfev: int = -1


def by_gradcheck(f: Watched, grad: Callable, x0: np.ndarray) -> Answer:
    import gradcheck

    report = gradcheck.check_gradient(f, grad, x0, throw=False)
    entries = tuple((int(e.index[0]), float(e.estimate.value), float(e.estimate.uncertainty)) for e in report.entries)
    kinds = [str(getattr(item.kind, "value", item.kind)) for item in report.diagnoses]
    findings = tuple(str(getattr(item.kind, "value", item.kind)) for item in report.findings)
    return Answer(report.verdict.name, kinds[0] if kinds else "", findings, entries, int(report.nfev))


class Rule:
    """A checker that compares with a numeric gradient: `numeric(f, x)` gives (value, allowed error), `accept` compares.

    The numeric gradient does not depend on the claim, so it is found once for each point.
    """

    def __init__(self, numeric: Callable, accept: Callable | None = None) -> None:
        self.numeric, self.known = numeric, {}
        self.accept = accept or (lambda claim, value, allowed: bool(np.all(np.abs(claim - value) <= allowed)))

    def __call__(self, f: Watched, grad: Callable, x0: np.ndarray) -> Answer:
        claim = np.asarray(grad(x0), float)
        key = (f.case.name, x0.tobytes())
        if key not in self.known or f.case.fresh:
            before = f.calls
            value, allowed = self.numeric(f, x0)
            self.known = {key: (np.asarray(value, float), np.asarray(allowed, float), f.calls - before)}
        else:
            f.calls += self.known[key][2]
            f.last = x0
        value, allowed, _ = self.known[key]
        allowed = np.broadcast_to(allowed, value.shape)
        entries = tuple((i, float(v), float(u)) for i, (v, u) in enumerate(zip(value, allowed, strict=True)))
        return Answer("PASS" if self.accept(claim, value, allowed) else "FAIL", entries=entries)


def central_1e6(f, x):
    value = np.empty(x.size)
    for i in range(x.size):
        up, down = x.copy(), x.copy()
        up[i] += x.dtype.type(1e-6)
        down[i] -= x.dtype.type(1e-6)
        value[i] = (float(f(up)) - float(f(down))) / 2e-6
    return value, 1e-5 + 1e-3 * np.abs(value)


def three_point(f, x):
    from scipy.optimize._numdiff import approx_derivative

    value = np.atleast_1d(approx_derivative(f, x))
    return value, 1e-6 * np.maximum(1, np.abs(value))


def forward(f, x):
    from scipy.optimize import approx_fprime

    return approx_fprime(x, f), 1e-6


def by_numdifftools(f, x):
    import numdifftools

    value, first, *_ = numdifftools.Gradient(f, full_output=True)(
        x
    )  # (value, error, ...) or, before 0.10, (value, info)
    return np.atleast_1d(value), 3 * np.ravel(getattr(first, "error_estimate", first))


def by_jacobi(f, x):
    import jacobi

    value, error = jacobi.jacobi(f, x)
    return np.atleast_1d(value), 3 * np.atleast_1d(error)


CHECKERS: dict[str, Callable[[], Callable]] = {
    "gradcheck": lambda: by_gradcheck,
    "torch": lambda: Rule(central_1e6),
    "scipy": lambda: Rule(three_point),
    "scipy_check_grad": lambda: Rule(
        forward, lambda claim, value, allowed: bool(np.sqrt(np.sum((claim - value) ** 2)) < 1e-6)
    ),
    "numdifftools": lambda: Rule(by_numdifftools),
    "jacobi": lambda: Rule(by_jacobi),
}


# ---- one case


class OutOfTime(BaseException):
    """The case's time is over; not an Exception, so that no checker takes it for trouble in f."""


class Watched:
    """f as a checker sees it: counted, remembering its last point, and answering a repeated point from memory."""

    def __init__(self, case: Case, memory: dict) -> None:
        self.case, self.memory, self.calls, self.last = case, memory, 0, None

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x, self.case.x0.dtype)
        self.calls += 1
        self.last = x.copy()
        if self.case.fresh:
            return self.case.f(x)
        key = x.tobytes() if x.size <= 8 else hash(x.tobytes())
        if key not in self.memory:
            try:
                self.memory[key] = self.case.f(x)
            except Exception as error:
                self.memory[key] = error
        value = self.memory[key]
        if isinstance(value, Exception):
            raise value
        return value


def remembered(grad: Callable) -> Callable:
    """The same function, fast at repeated points, with a fresh array each time."""
    memory: dict[bytes, np.ndarray] = {}

    def again(x):
        key = np.asarray(x).tobytes()
        if key not in memory:
            memory[key] = np.asarray(grad(x.copy()))
        return memory[key].copy()

    return again


def examine(name: str, checkers: list[str], quick: bool, limit: float) -> tuple[dict, list[dict]]:
    """What is known of a case, and every checker's answer to its right gradient and to every mistake."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    case = CASES[name]
    case.grad = remembered(case.grad)
    started = time.monotonic()
    with alarm(4 * limit):
        truth = find_truth(case)
    facts = {
        "kind": case.kind,
        "d": case.x0.size,
        "decidable": truth.decidable(),
        "true": truth.gradient.tolist(),
        "entries": truth.entries.tolist(),
        "resolution": truth.resolution.tolist(),
        "setup_seconds": time.monotonic() - started,
    }
    todo = [Mistake(RIGHT, lambda f: case.grad), *mistakes(case, truth, quick)]
    answers = []
    memory: dict[Any, Any] = {}
    for checker in checkers:
        check = CHECKERS[checker]()
        ends = time.monotonic() + limit
        for label, make, size, snr in todo:
            f = Watched(case, memory)
            record = {
                "case": name,
                "checker": checker,
                "label": label,
                "size": size,
                "snr": snr,
                "error": "",
                "uncovered": [],
            }
            left = ends - time.monotonic()
            if left <= 0:
                answers.append(
                    record
                    | {"verdict": "NOT_RUN", "nfev": 0, "seconds": 0.0, "reported": 0, "diagnosis": "", "findings": ()}
                )
                continue
            before = time.monotonic()
            try:
                with alarm(left + 1):
                    answer = check(f, make(f), case.x0.copy())
            except OutOfTime:
                answer = Answer("ERROR")
                record["error"] = f"not done after {limit:g} s"
            except Exception as error:
                answer = Answer("ERROR")
                record["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:120]
            if label == RIGHT:
                known = truth.own + 4 * np.spacing(np.abs(truth.gradient))
                for i, value, uncertainty in answer.entries:
                    gap = abs(value - truth.gradient[i])
                    if not gap <= uncertainty + known[i]:
                        record["uncovered"].append((i, value, uncertainty, float(truth.gradient[i])))
            record |= {
                "verdict": answer.verdict,
                "nfev": f.calls,
                "seconds": time.monotonic() - before,
                "reported": len(answer.entries),
                "diagnosis": answer.diagnosis,
                "findings": answer.findings,
                "claimed_nfev": answer.nfev,
            }
            answers.append(record)
            if len(memory) > 400_000:
                memory.clear()
    return facts, answers


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """OutOfTime is raised within, if it takes longer (where the platform has such signals)."""

    def ring(*_: Any) -> None:
        raise OutOfTime

    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# ---- figures


def grade(answers: list[dict], facts: dict[str, dict]) -> dict[str, Any]:
    """All figures for one checker."""
    group_of = {kind: group for group, kinds in GROUPS.items() for kind in kinds}
    kind = lambda a: facts[a["case"]]["kind"]  # noqa: E731
    run = [a for a in answers if a["verdict"] != "NOT_RUN"]
    right = [a for a in run if a["label"] == RIGHT]
    plain = {a["case"]: a["verdict"] for a in right}
    breach = [a for a in run if a["label"] in BREACHES]
    wrong = [a for a in run if a["label"] != RIGHT and a["label"] not in BREACHES]
    decidable = [a for a in wrong if a["snr"] >= DECIDABLE]
    scored = [a for a in decidable if a["size"] >= SCORED]
    tally = lambda items: {v: sum(a["verdict"] == v for a in items) for v in VERDICTS}  # noqa: E731
    bucket = lambda a: next(label for label, low in SIZES.items() if a["size"] >= low)  # noqa: E731

    def found(a: dict) -> bool:
        return a["verdict"] not in ("PASS", plain.get(a["case"])) or bool(set(BREACHES.values()) & set(a["findings"]))

    easy = [a for a in right if facts[a["case"]]["decidable"]]
    spent = lambda a: max(a["nfev"] - SETUP, 0) / facts[a["case"]]["d"]  # noqa: E731
    kinds = {}
    for k in KINDS:
        mine = [a for a in right if kind(a) == k]
        if mine:
            reported = sum(a["reported"] for a in mine)
            kinds[k] = {
                "all": tally(mine),
                "decidable": tally([a for a in easy if kind(a) == k]),
                "nfev": statistics.median(map(spent, mine)),
                "nfev_raw": statistics.median(a["nfev"] / facts[a["case"]]["d"] for a in mine),
                "reported": reported,
                "uncovered": sum(len(a["uncovered"]) for a in mine),
            }
    return {
        "kinds": kinds,
        "sizes": {
            g: {s: tally([a for a in decidable if group_of[kind(a)] == g and bucket(a) == s]) for s in SIZES}
            for g in GROUPS
        },
        "fail_share": {
            label: [sum(a["verdict"] == "FAIL" for a in part), len(part)]
            for label, part in {
                "clean": [a for a in scored if group_of[kind(a)] == "clean"],
                "others": [a for a in scored if group_of[kind(a)] != "clean"],
            }.items()
        },
        "undecidable": tally([a for a in wrong if a["snr"] < DECIDABLE]),
        "right": right,
        "easy": easy,
        "scored": scored,
        "wrong": wrong,
        "false_alarms": [a for a in right if a["verdict"] == "FAIL"],
        "missed": sorted((a for a in scored if a["verdict"] == "PASS"), key=lambda a: -a["size"]),
        "undecided": [a for a in easy if a["verdict"] == "INCONCLUSIVE"],
        "not_failed": [a for a in scored if a["verdict"] == "INCONCLUSIVE"],
        "breaches": {
            b: [sum(found(a) for a in breach if a["label"] == b), sum(a["label"] == b for a in breach)]
            for b in BREACHES
        },
        "breaches_missed": [a for a in breach if not found(a)],
        "errors": [a for a in run if a["verdict"] == "ERROR" and (a["error"] or a["label"] not in BREACHES)],
        "not_run": [a for a in answers if a["verdict"] == "NOT_RUN"],
        "seconds": sum(a["seconds"] for a in run),
    }


# ---- printing


def table(head: list, rows: list[list]) -> None:
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print(
            "  "
            + "  ".join(
                str(v).rjust(w) if i else str(v).ljust(w) for i, (v, w) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
        )


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def offenders(title: str, answers: list[dict], top: int, text: Callable[[dict], str]) -> None:
    if not answers:
        return
    print(f"\n{title} ({len(answers)})")
    by_case = defaultdict(list)
    for a in answers:
        by_case[a["case"]].append(text(a))
    for name, texts in list(by_case.items())[:top]:
        print(f"  {name}: {', '.join(texts[:6])}{' …' if len(texts) > 6 else ''}")
    if len(by_case) > top:
        print(f"  … and {len(by_case) - top} more cases")


def show(g: dict[str, Any], facts: dict[str, dict], top: int) -> None:
    print(
        "\nRight gradients: verdicts of all, then of the decidable; evaluations per entry beyond the set-up (median);"
        " coverage of the entries reported"
    )
    head = [
        "kind",
        "n",
        "PASS",
        "INC",
        "FAIL",
        "ERR",
        "| n",
        "PASS",
        "INC",
        "FAIL",
        "ERR",
        "nfev/entry",
        "entries",
        "covered %",
    ]
    rows = []
    for kind, k in g["kinds"].items():
        easy = k["decidable"]
        cells = [
            sum(k["all"].values()),
            *k["all"].values(),
            f"| {sum(easy.values())}",
            *easy.values(),
            f"{k['nfev']:.2f}",
        ]
        rows.append([kind, *cells, k["reported"], percent(k["reported"] - k["uncovered"], k["reported"])])
    table(head, rows)
    print("\nDecidable mistakes by size: number, then % PASS / INCONCLUSIVE / FAIL")
    rows = []
    for group, sizes in g["sizes"].items():
        cells = []
        for t in sizes.values():
            n = sum(t.values())
            cells.append(f"{n}: " + "/".join(percent(t[v], n) for v in VERDICTS[:3]) if n else "-")
        rows.append([group, *cells])
    table(["group", *SIZES], rows)
    print("  undecidable, not scored: " + ", ".join(f"{n} {v}" for v, n in g["undecidable"].items()))
    named = Counter(
        (a["label"].split("_")[0], a["diagnosis"]) for a in g["scored"] if a["verdict"] == "FAIL" and a["diagnosis"]
    )
    if named:
        print("\nDiagnoses by family of mistake")
        families = sorted({family for family, _ in named})
        for family in families:
            print(f"  {family}: " + ", ".join(f"{kind} {n}" for (fam, kind), n in named.most_common() if fam == family))
    brief = lambda a: f"{a['label']} {a['size']:.1e} snr {a['snr']:.0f}"  # noqa: E731
    about = lambda a: f"{a['nfev']} evaluations, {'decidable' if facts[a['case']]['decidable'] else 'undecidable'}"  # noqa: E731
    offenders("FALSE ALARMS", g["false_alarms"], top, about)
    offenders("WRONG GRADIENTS PASSED", g["missed"], top, brief)
    offenders("Decidable right gradients left inconclusive", g["undecided"], top, about)
    offenders("Decidable wrong gradients left inconclusive", g["not_failed"], top, brief)
    offenders("Breaches missed", g["breaches_missed"], top, lambda a: f"{a['label']} {a['verdict']}")
    offenders("Errors", g["errors"], top, lambda a: f"{a['label']}: {a['error'] or 'verdict ERROR'}")
    offenders("Not run, for want of time", g["not_run"], top, lambda a: a["label"])
    wrong_count = [a for a in g["right"] if a["claimed_nfev"] not in (-1, a["nfev"])]
    offenders(
        "Evaluations claimed differ from those counted",
        wrong_count,
        top,
        lambda a: f"{a['claimed_nfev']} for {a['nfev']}",
    )
    worst = lambda u: abs(u[1] - u[3]) / max(u[2], 1e-320)  # noqa: E731
    loose = [a | {"u": max(a["uncovered"], key=worst)} for a in g["right"] if a["uncovered"]]
    loose.sort(key=lambda a: -worst(a["u"]))
    offenders(
        "Estimates outside their uncertainty (the worst entry of each case)",
        loose,
        top,
        lambda a: (
            f"{len(a['uncovered'])} of {a['reported']}; [{a['u'][0]}] {a['u'][1]:.8g} ± {a['u'][2]:.1e}, "
            f"true {a['u'][3]:.8g} ({worst(a['u']):.1f} x)"
        ),
    )


def summary(g: dict[str, Any]) -> dict[str, str]:
    smooth = g["kinds"].get("smooth")
    reported = sum(k["reported"] for k in g["kinds"].values())
    uncovered = sum(k["uncovered"] for k in g["kinds"].values())
    caught = [sum(b[i] for b in g["breaches"].values()) for i in (0, 1)]
    return {
        "false alarms": f"{len(g['false_alarms'])}/{len(g['right'])}",
        "wrong passed": f"{len(g['missed'])}/{len(g['scored'])}",
        "FAIL clean": percent(*g["fail_share"]["clean"]) + "%",
        "FAIL others": percent(*g["fail_share"]["others"]) + "%",
        "right inconclusive": f"{len(g['undecided'])}/{len(g['easy'])}",
        "breaches": f"{caught[0]}/{caught[1]}",
        "nfev/entry smooth": f"{smooth['nfev']:.2f}" if smooth else "-",
        "covered": percent(reported - uncovered, reported) + "%",
        "errors": str(len(g["errors"])),
        "not run": str(len(g["not_run"])),
    }


def compare(grades: dict[str, dict], facts: dict[str, dict]) -> None:
    """One line for each checker."""
    print("\nRight gradients called wrong, %; decidable mistakes called right, % by size; evaluations per entry")
    parts = {
        "smooth": ("smooth",),
        "scaled": ("scaled",),
        "kink…": ("kink", "domain", "highfreq"),
        "float32": ("float32",),
        "noisy…": GROUPS["noisy"],
    }
    head = [
        "checker",
        *parts,
        "all",
        *(f"| {s}" if i == 0 else s for i, s in enumerate(SIZES)),
        "| inc.",
        "err.",
        "breaches",
        "covered",
        "nfev/entry",
        "s",
    ]
    rows = []
    for checker, g in grades.items():
        false = []
        for kinds in [*parts.values(), tuple(KINDS)]:
            tallies = [g["kinds"][k]["all"] for k in kinds if k in g["kinds"]]
            false.append(percent(sum(t["FAIL"] for t in tallies), sum(sum(t.values()) for t in tallies)))
        missed = []
        for s in SIZES:
            tallies = [sizes[s] for sizes in g["sizes"].values()]
            missed.append(percent(sum(t["PASS"] for t in tallies), sum(sum(t.values()) for t in tallies)))
        missed[0] = "| " + missed[0]
        brief = summary(g)
        cost = g["kinds"].get("smooth", {}).get("nfev_raw", float("nan"))
        rows.append(
            [
                checker,
                *false,
                *missed,
                "| " + percent(len(g["undecided"]), len(g["easy"])),
                brief["errors"],
                brief["breaches"],
                brief["covered"],
                f"{cost:.1f}",
                f"{g['seconds']:.0f}",
            ]
        )
    table(head, rows)
    print("  nfev/entry: median over smooth cases, set-up included; inc.: % of decidable right gradients inconclusive")


# ---- verification of the cases in many digits


def verify(names: list[str]) -> int:
    """Compare each case's gradient with differences of its formula in 120 digits, or of f in double precision."""
    import mpmath

    mpmath.mp.dps = 120
    mp = mpmath.mp
    unary = {
        "exp": mp.exp,
        "expm1": mp.expm1,
        "log": mp.log,
        "log1p": lambda v: mp.log(1 + v),
        "log10": mp.log10,
        "sqrt": mp.sqrt,
        "cbrt": mp.cbrt,
        "sin": mp.sin,
        "cos": mp.cos,
        "tan": mp.tan,
        "arcsin": mp.asin,
        "arccos": mp.acos,
        "arctan": mp.atan,
        "sinh": mp.sinh,
        "cosh": mp.cosh,
        "tanh": mp.tanh,
        "arctanh": mp.atanh,
        "arcsinh": mp.asinh,
        "arccosh": mp.acosh,
        "sign": mp.sign,
        "floor": mp.floor,
        "gammaln": mp.loggamma,
        "expit": lambda v: 1 / (1 + mp.exp(-v)),
        "erf": mp.erf,
        "log_ndtr": lambda v: mp.log(mp.ncdf(v)),
        "ndtr": mp.ncdf,
    }
    binary = {"logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), "arctan2": mp.atan2, "hypot": mp.hypot}
    plain = lambda v: v.a if isinstance(v, Exact) else v  # noqa: E731

    def matrix(a):
        return mp.matrix(a.tolist())

    def array(m, shape):
        return Exact(np.array(m.tolist(), object).reshape(shape))

    def log_determinant(a):
        return 1, mp.log(abs(mp.det(matrix(a.a))))

    special_cases = {
        np.linalg.inv: lambda a: array(mp.inverse(matrix(a.a)), a.shape),
        np.linalg.slogdet: log_determinant,
        np.linalg.solve: lambda a, b: array(mp.lu_solve(matrix(plain(a)), mp.matrix(plain(b).tolist())), (len(b),)),
        np.linalg.eigvalsh: lambda a: Exact(np.array(sorted(mp.eigsy(matrix(a.a), eigvals_only=True)), object)),
        np.linalg.norm: lambda a: mp.sqrt((a * a).sum()),
    }

    class Exact(np.lib.mixins.NDArrayOperatorsMixin):
        """An array of many-digit numbers that numpy's functions work on."""

        dtype, ndim = np.dtype(object), property(lambda self: self.a.ndim)
        shape, size = property(lambda self: self.a.shape), property(lambda self: self.a.size)
        T = property(lambda self: Exact(self.a.T))

        def __init__(self, a):
            self.a = np.asarray(a, object)

        def __len__(self):
            return len(self.a)

        def __iter__(self):
            return (self[i] for i in range(len(self)))

        def __getitem__(self, key):
            return Exact(self.a[key])

        def reshape(self, *shape):
            return Exact(self.a.reshape(*shape))

        def ravel(self):
            return Exact(self.a.ravel())

        def sum(self, axis=None, keepdims=False):
            return Exact(np.sum(self.a, axis=axis, keepdims=keepdims))

        def mean(self, axis=None, keepdims=False):
            return self.sum(axis, keepdims) / (self.size if axis is None else self.shape[axis])

        def max(self, axis=None):
            return Exact(np.max(self.a, axis=axis))

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            inputs = [np.asarray(plain(i)) for i in inputs]
            known = unary.get(ufunc.__name__) or binary.get(ufunc.__name__)
            if known:
                return Exact(np.frompyfunc(known, len(inputs), 1)(*[lift(i) for i in inputs]))
            if ufunc is np.power:
                return Exact(np.frompyfunc(lambda a, b: a**b, 2, 1)(*[lift(i) for i in inputs]))
            y = ufunc(*[lift(i) for i in inputs])
            return np.asarray(y, bool) if ufunc.__name__ in COMPARE else Exact(y)

        def __array_function__(self, function, types, args, kwargs):
            if function in special_cases:
                return special_cases[function](*args, **kwargs)
            if function in (np.concatenate, np.stack):
                return Exact(function([plain(p) for p in args[0]], *args[1:], **kwargs))
            if function is np.prod:
                return Exact(np.prod(args[0].a))
            return Exact(function(*[plain(a) for a in args], **kwargs))

    COMPARE = {"greater", "less", "greater_equal", "less_equal", "equal", "not_equal", "isfinite"}
    to_number = np.frompyfunc(
        lambda v: (
            v
            if isinstance(v, mp.mpf)
            else mp.mpf(int(v) if isinstance(v, (bool, int, np.integer, np.bool_)) else float(v))
        ),
        1,
        1,
    )

    def lift(a):
        a = np.asarray(a)
        return np.asarray(to_number(a), object) if a.dtype != object or a.ndim == 0 or a.size < 200 else a

    worst = 0
    for name in names:
        case = CASES[name]
        x0 = case.x0.astype(float)
        right = np.asarray(case.truth(case.x0.copy()), float)
        scale = np.max(np.abs(right)) or 1.0
        order = np.argsort(np.abs(right))
        entries = sorted({*order[:3].tolist(), *order[-3:].tolist()}) if case.x0.size > 6 else range(case.x0.size)
        started = time.monotonic()
        try:
            if case.clean is None:
                raise TypeError("no formula")
            x = np.array([mp.mpf(v) for v in x0.tolist()], object)
            gap = local = mp.mpf(0)
            for i in entries:
                h = abs(x[i]) * mp.mpf(10) ** -30 if x[i] else mp.mpf(10) ** -40
                up, down = x.copy(), x.copy()
                up[i] += h
                down[i] -= h
                number = lambda y: mp.mpf(plain(y).item() if isinstance(y, Exact) else y)  # noqa: E731
                d = (number(case.clean(Exact(up))) - number(case.clean(Exact(down)))) / (2 * h)
                error = abs(d - mp.mpf(float(right[i])))
                gap, local = max(gap, error / scale), max(local, error / max(abs(d), mp.mpf("1e-300")))
            how, gap, local = "120 digits", float(gap), float(local)
        except Exception as trouble:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                twin = Case(case.name, case.kind, x0, case.clean or case.f, case.grad, None, case.truth, slow=case.slow)
                seen = [resolution(twin, right, i, 0.0) for i in entries]
            how = f"double precision ({type(trouble).__name__}: {str(trouble)[:40]})"
            gap = max(seen) / scale
            local = max(r / max(abs(right[i]), 1e-300) for r, i in zip(seen, entries, strict=True))
        bad = gap > (1e-9 if how.startswith("120") else 1e-5)
        worst += bad
        print(
            f"{'??' if bad else '  '} {name}: {gap:.1e} of the largest, {local:.1e} of the entry, "
            f"{how}, {time.monotonic() - started:.1f} s",
            flush=True,
        )
    print(f"{len(names)} cases, {worst} to look at")
    return 1 if worst else 0


# ---- the command line


def choose(match: str | None, kind: str | None, quick: bool) -> list[str]:
    names = [n for n, c in CASES.items() if (not match or match in n) and (not kind or c.kind in kind.split(","))]
    if not quick:
        return names
    kept: Counter[str] = Counter()
    picked = []
    for name in sorted(names, key=lambda n: (CASES[n].x0.size > 30 or CASES[n].slow, rng("quick " + n).random())):
        kept[CASES[name].kind] += 1
        if kept[CASES[name].kind] <= 8:
            picked.append(name)
    return picked


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure how well a gradient checker judges right and wrong gradients."
    )
    parser.add_argument("--checker", default="gradcheck", choices=CHECKERS, help="default gradcheck")
    parser.add_argument("--compare", action="store_true", help="all checkers that can be imported, side by side")
    parser.add_argument("--match", metavar="TEXT", help="only cases whose name contains TEXT")
    parser.add_argument("--kind", metavar="KIND[,KIND]", help="only cases of these kinds: " + ", ".join(KINDS))
    parser.add_argument("--quick", action="store_true", help="eight small cases of each kind, fewer mistakes")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for one case (default 30)")
    parser.add_argument("--top", type=int, default=15, help="cases shown in each list of offenders (default 15)")
    parser.add_argument("--json", metavar="FILE", help="write every fact and answer to FILE")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="confirm the gradients of the cases in many digits (needs mpmath), and stop",
    )
    options = parser.parse_args()
    names = choose(options.match, options.kind, options.quick)
    if not names:
        parser.error("no such case")
    if options.list:
        for name in names:
            print(f"{name}  d = {CASES[name].x0.size}")
        return 0
    if options.verify:
        np.seterr(all="ignore")
        return verify(names)
    checkers = [options.checker]
    if options.compare:
        from importlib.util import find_spec

        needs = {"gradcheck": "gradcheck", "numdifftools": "numdifftools", "jacobi": "jacobi"}
        checkers = [c for c in CHECKERS if find_spec(needs.get(c, "numpy"))]
    started = time.monotonic()
    facts: dict[str, dict] = {}
    answers: list[dict] = []
    left_out: list[str] = []
    slow_first = sorted(names, key=lambda n: (not CASES[n].slow, -CASES[n].x0.size))
    with ProcessPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(examine, name, checkers, options.quick, options.limit): name for name in slow_first}
        for done, future in enumerate(as_completed(futures), 1):
            try:
                facts[futures[future]], found = future.result()
                answers += found
            except OutOfTime:
                left_out.append(futures[future])
            if sys.stderr.isatty():
                print(
                    f"\r{done}/{len(names)} cases", end="" if done < len(names) else "\n", file=sys.stderr, flush=True
                )
    answers.sort(key=lambda a: names.index(a["case"]))
    grades = {c: grade([a for a in answers if a["checker"] == c], facts) for c in checkers}
    seconds = time.monotonic() - started
    print(
        f"{len(names)} cases, {len(answers)} checks, {seconds:.0f} s; "
        f"{sum(f['decidable'] for f in facts.values())} right gradients decidable"
    )
    if left_out:
        print(f"left out, f is too slow here: {', '.join(left_out)}")
    if options.json:
        Path(options.json).write_text(json.dumps({"facts": facts, "answers": answers}))
    if options.compare:
        compare(grades, facts)
        return 0
    g = grades[options.checker]
    show(g, facts, options.top)
    print(f"\n{options.checker}: " + " | ".join(f"{k} {v}" for k, v in summary(g).items()))
    return 1 if g["false_alarms"] or g["missed"] or g["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
