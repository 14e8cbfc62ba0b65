"""A gradient of many variables: functions whose derivative is known, and mistakes put into it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.evaluation.claims import Claim
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.preflight import examine
from gradcheck.methods.directions import search
from gradcheck.methods.problem import Problem, Watcher
from gradcheck.methods.results import Comparison
from gradcheck.model import DiagnosisKind, Stop, Tolerance, Verdict
from tests.diagnosis.documented import assert_documented

SIZE = 5000
X = np.random.default_rng(0).normal(size=SIZE)
WEIGHTS = 10 ** np.random.default_rng(1).uniform(-3, 3, SIZE)
DIAGONAL, LOW_RANK = np.random.default_rng(2).uniform(0.5, 2, SIZE), np.random.default_rng(3).normal(size=(3, SIZE))
Gradient = Callable[[Any], Any]


def chain(x: Any) -> float:
    return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


def chain_gradient(x: Any) -> Any:
    g, inner = np.zeros_like(x), x[1:] - x[:-1] ** 2
    g[:-1] = -400 * x[:-1] * inner - 2 * (1 - x[:-1])
    g[1:] += 200 * inner
    return g


def huber(x: Any) -> float:
    return float(np.sum(WEIGHTS * (np.sqrt(1 + x * x) - 1)))


def quadratic(x: Any) -> Any:
    return np.sum(DIAGONAL * x * x) + np.sum((LOW_RANK @ x) ** 2)


def log_cosh(x: Any) -> float:
    return float(np.sum(np.logaddexp(x, -x)))


SMOOTH: dict[str, tuple[Callable[[Any], Any], Gradient]] = {
    "chain": (chain, chain_gradient),
    "huber": (huber, lambda x: WEIGHTS * x / np.sqrt(1 + x * x)),
    "log quadratic": (
        lambda x: float(np.log(quadratic(x))),
        lambda x: 2 * (DIAGONAL * x + (LOW_RANK @ x) @ LOW_RANK) / quadratic(x),
    ),
    "log cosh": (log_cosh, np.tanh),
}
smooth = pytest.mark.parametrize("name", SMOOTH)


TOLERANCE = Tolerance(rtol=6e-6, atol=0.0)


def problem_of(function: Function, claim: Claim, x: Any, *, seed: int = 0, set_up: int = 0) -> tuple[Problem, Any]:
    """The problem, and the gradient that is claimed."""
    preflight = examine(function, claim, x.reshape(-1), set_up)
    problem = Problem(function=function, x=x.reshape(-1), preflight=preflight, tolerance=TOLERANCE, seed=seed)
    return problem, preflight.claimed


def run(
    f: Any, grad: Any, x: Any = X, *, bounds: Any = None, seed: int = 0, watcher: Watcher | None = None, **options: Any
) -> tuple[Comparison, Function]:
    function, claim = Function(f, x, bounds=bounds), Claim(grad, x, x.shape)
    problem, claimed = problem_of(function, claim, x, seed=seed)
    if "tolerance" in options:
        problem = replace(problem, tolerance=options.pop("tolerance"))
    return search(problem, watcher or Watcher(), claimed, **options), function


def count(found: Comparison, verdict: Verdict) -> int:
    """How many directions have this verdict."""
    return sum(d.verdict is verdict for d in found.directions)


def off(grad: Gradient, where: Any, relative: Any) -> Gradient:
    """The gradient with some entries wrong by a relative error."""

    def wrong(x: Any) -> Any:
        g = np.array(grad(x))
        g[where] *= 1 + relative
        return g

    return wrong


def named(found: Comparison) -> list[int]:
    return sorted(found.columns.entry.tolist())


@smooth
@pytest.mark.parametrize("seed", range(5))
def test_a_right_gradient_passes(name: str, seed: int) -> None:
    found, function = run(*SMOOTH[name], seed=seed)
    assert found.verdict is Verdict.PASS
    assert (count(found, Verdict.FAIL), count(found, Verdict.INCONCLUSIVE), len(found.directions)) == (0, 0, 2)
    assert not found.diagnoses
    assert not named(found)
    assert function.calls <= 150


@smooth
@pytest.mark.parametrize("relative", [0.1, -1e-2, 1e-3, 1e-4])
def test_one_wrong_entry_is_named(name: str, relative: float) -> None:
    f, grad = SMOOTH[name]
    index = int(np.argsort(-np.abs(grad(X)))[SIZE // 3])
    found, function = run(f, off(grad, index, relative))
    assert named(found) == [index]
    assert found.verdict is Verdict.FAIL
    assert [d.kind for d in found.diagnoses] == [DiagnosisKind.SINGLE_ENTRY]
    assert found.diagnoses[0].parameters == {"indices": [[index]], "entries": 1}
    assert found.failed == 1
    assert found.columns.numeric[0] == pytest.approx(grad(X)[index], rel=1e-5 * abs(relative) / 1e-4)
    assert function.calls <= 250


@smooth
@pytest.mark.parametrize(("count", "most"), [(5, 600), (50, 4000)])
def test_several_wrong_entries_are_named(name: str, count: int, most: int) -> None:
    f, grad = SMOOTH[name]
    random = np.random.default_rng(count)
    large = np.argsort(-np.abs(grad(X)))[: SIZE // 2]
    chosen = random.choice(large, count, replace=False)
    found, function = run(f, off(grad, chosen, 10 ** random.uniform(-3, -1, count)))
    assert named(found) == sorted(chosen.tolist())
    assert found.diagnoses[0].kind is DiagnosisKind.ENTRIES
    assert found.failed == count
    assert function.calls <= most


@smooth
@pytest.mark.parametrize(
    ("factor", "kind"),
    [
        (1.01, DiagnosisKind.SCALE),
        (0.5, DiagnosisKind.SCALE),
        (-1.0, DiagnosisKind.SIGN),
        (1 + 1e-5, DiagnosisKind.SCALE),
    ],
)
def test_a_factor_is_named(name: str, factor: float, kind: DiagnosisKind) -> None:
    f, grad = SMOOTH[name]
    found, function = run(f, lambda x: factor * grad(x))
    assert found.verdict is Verdict.FAIL
    assert [d.kind for d in found.diagnoses] == [kind]
    assert found.diagnoses[0].parameters["factor"] == pytest.approx(1 / factor, rel=1e-7)
    assert named(found)
    assert function.calls <= 200


@smooth
@pytest.mark.parametrize("where", [slice(1000, 2000), slice(0, SIZE, 3), slice(7, SIZE, 500)], ids=str)
def test_rules_are_named_with_exact_bounds(name: str, where: slice) -> None:
    f, grad = SMOOTH[name]
    found, function = run(f, off(grad, where, 0.5))
    (diagnosis,) = found.diagnoses
    terms = range(SIZE)[where]
    parameters = dict(diagnosis.parameters)
    assert parameters.pop("factor") == pytest.approx(1 / 1.5, rel=1e-4)
    assert parameters.pop("uncertainty") < 1e-4
    assert parameters.pop("entries") == len(terms)
    parameters.pop("recognised", None)
    first, end = terms[0], terms[-1] + 1
    stride = {"start": first, "stop": end, "stride": terms.step}
    assert parameters == (stride if terms.step > 1 else {"range": [first, end]})
    assert diagnosis.kind is DiagnosisKind.BLOCK
    assert found.failed == len(terms)
    assert set(named(found)) <= set(terms)
    assert function.calls <= 500


def test_a_rule_that_holds_everywhere_is_no_block() -> None:
    def wrong(x: Any) -> Any:
        g = 1.01 * np.tanh(x)
        g[[7, 70, 700]] *= 1.5  # so that the directions do not agree on the factor
        return g

    found, _ = run(log_cosh, wrong)
    assert [d.kind for d in found.diagnoses] in ([DiagnosisKind.SCALE], [DiagnosisKind.ENTRIES])
    assert "from [" not in found.diagnoses[0].message
    assert found.failed == SIZE


@pytest.mark.parametrize("seed", range(3))
def test_dense_small_errors_have_no_factor(seed: int) -> None:
    random = np.random.default_rng(seed)
    found, _ = run(log_cosh, off(np.tanh, slice(None), 3e-5 * random.choice([-1, 1], SIZE)))
    assert found.verdict is Verdict.FAIL
    assert found.failed > SIZE // 2
    assert not any("factor" in d.parameters for d in found.diagnoses)


@smooth
@pytest.mark.parametrize("factor", [1 + 1e-6, 1 - 1e-9, 1 + 1e-11])
def test_a_factor_within_tolerance_passes(name: str, factor: float) -> None:
    f, grad = SMOOTH[name]
    found, function = run(f, lambda x: factor * grad(x))
    assert found.verdict is Verdict.PASS
    assert function.calls <= 450


@pytest.mark.parametrize("seed", range(3))
def test_an_error_just_above_the_limit_is_no_tolerable_factor(seed: int) -> None:
    f, grad = SMOOTH["huber"]
    right, _ = run(f, grad, seed=seed)
    g = np.abs(grad(X))
    random = np.random.default_rng(seed)
    for multiple in (1.1, 2.0, 8.0):
        size = multiple * right.limits[0].usual
        index = int(random.choice(np.flatnonzero((g > 10 * size) & (g < 1e4 * size) & (np.abs(X) > 0.01))))
        found, function = run(f, off(grad, index, size / g[index]), seed=seed)
        assert (found.verdict, named(found)) == (Verdict.FAIL, [index])
        assert function.calls < SIZE // 10  # how many halves are looked at twice, the last bits of f decide


def test_a_block_of_zeros_has_its_own_name() -> None:
    found, _ = run(log_cosh, off(np.tanh, slice(100, 900), -1.0))
    assert [d.kind for d in found.diagnoses] == [DiagnosisKind.ZERO_BLOCK]
    assert "on entries [100] to [899] (800 of 5,000 entries)" in found.diagnoses[0].message


def test_a_column_of_a_matrix() -> None:
    found, _ = run(
        lambda w: log_cosh(w.reshape(-1)),
        lambda w: np.tanh(w) * np.where(np.arange(10) == 3, 1.5, 1),
        X.reshape(500, 10),
    )
    assert "on column 3 (500 of 5,000 entries): the claim is 1.5 times too large" in found.diagnoses[0].message
    assert found.diagnoses[0].parameters["column"] == 3


def test_dense_errors_are_counted() -> None:
    count = 500
    chosen = np.random.default_rng(0).choice(SIZE, count, replace=False)
    found, function = run(log_cosh, off(np.tanh, chosen, 0.1))
    known = found.diagnoses[0].parameters
    assert_documented(found.diagnoses[0])
    assert 0.5 * count < known["entries"] < 2 * count
    assert known["low"] <= known["entries"] <= known["high"]
    assert found.failed == known["entries"]
    assert set(named(found)) <= set(chosen.tolist())
    assert function.calls <= 2000
    assert found.limits[0].certain == np.inf


@pytest.mark.parametrize(
    "noisy",
    [lambda x: np.float32(log_cosh(x)), lambda x: log_cosh(x) * (1 + 1e-8 * np.sin(1e9 * x[0] + 1e7 * x.sum()))],
    ids=["float32", "noise"],
)
@pytest.mark.parametrize("seed", range(5))
def test_noise_makes_no_false_alarm_and_is_stated(noisy: Any, seed: int) -> None:
    found, _ = run(noisy, np.tanh, seed=seed)
    assert found.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE)
    assert not named(found)
    wrong, _ = run(noisy, lambda x: 2 * np.tanh(x), seed=seed)
    assert wrong.verdict is Verdict.FAIL
    assert found.limits[0].usual > 1e-3


def test_a_gap_within_the_noise_of_other_directions_is_no_failure() -> None:
    x = np.random.default_rng(10).normal(size=10**5)

    def noisy(x: Any) -> float:
        size = np.abs(x)
        return float(np.sum(size + np.log1p(np.exp(-2 * size)))) * float(1 + 1e-8 * np.sin(1e9 * x[0] + 1e7 * x.sum()))

    function, claim = Function(noisy, x), Claim(np.tanh, x, x.shape)
    problem, claimed = problem_of(function, claim, x, seed=10, set_up=10)
    found = search(problem, Watcher(), claimed)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert not found.diagnoses


def test_noise_that_hides_whole_entries_is_inconclusive() -> None:
    found, _ = run(lambda x: log_cosh(x) + 1e3 * np.sin(1e9 * x.sum()), np.tanh)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert count(found, Verdict.INCONCLUSIVE) == 2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("multiple", [1.1, 3.0])
def test_an_error_above_the_stated_limit_is_found(seed: int, multiple: float) -> None:
    right, _ = run(log_cosh, np.tanh, seed=seed, tolerance=Tolerance(rtol=1e-12, atol=0.0))
    limit = right.limits[0]
    assert limit.probability == 0.75
    index = 1234 + seed

    def wrong(x: Any) -> Any:
        g = np.tanh(x)
        g[index] += multiple * limit.certain
        return g

    found, _ = run(log_cosh, wrong, seed=seed, tolerance=Tolerance(rtol=1e-12, atol=0.0))
    assert found.verdict is Verdict.FAIL
    assert named(found) == [index]


def test_limits_of_parts_are_not_diluted() -> None:
    units = np.repeat([1.0, 1e-6], SIZE // 2)
    units = units.reshape(2, -1)
    found, _ = run(lambda x: log_cosh(units * x), lambda x: units * np.tanh(units * x), X.reshape(2, -1) / units)
    whole, a, b = found.limits
    assert (whole.name, a.name, b.name) == ("", "[0, :]", "[1, :]")
    assert b.usual < 1e-3 * a.usual
    assert a.usual < 1e-4 * a.size
    assert b.usual < 1e-4 * b.size
    assert whole.certain == max(a.certain, b.certain)


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((2, 2500), ["", "[0, :]", "[1, :]"]),
        ((2500, 2), ["", "[:, 0]", "[:, 1]"]),
        ((2, 5, 500), ["", "[0, :, :]", "[1, :, :]"]),
        ((50, 100), [""]),
        ((5000, 1), [""]),
    ],
)
def test_limits_of_a_matrix_are_told_by_row_or_column(shape: tuple[int, ...], names: list[str]) -> None:
    x = X.reshape(shape).copy()
    x[(Ellipsis, 1) if shape == (2500, 2) else 1] *= 1e-5
    found, _ = run(log_cosh, np.tanh, x)
    assert [limit.name for limit in found.limits] == names
    if len(names) == 3:
        one, first, second = found.limits
        assert second.usual > 1e3 * first.usual
        apart = {limit.name for limit in (first, second) if not one.usual / 2 < limit.usual < 2 * one.usual}
        assert apart
        assert {name for name in names[1:] if f"In {name}: " in found.sentence} == apart


def test_a_gradient_in_single_precision_passes() -> None:
    found, _ = run(log_cosh, lambda x: np.tanh(x).astype(np.float32))
    assert found.verdict is Verdict.PASS
    assert not named(found)


@pytest.mark.parametrize(
    ("f", "grad", "x"),
    [
        (lambda x: 3.0, lambda x: 0 * x, X),
        (lambda x: float(np.sum((x - 1) ** 2)), lambda x: 2 * (x - 1), np.ones(SIZE)),
        (
            lambda x: float(np.sum(x - np.pi) ** 2),
            lambda x: 2 * np.sum(x - np.pi) * np.ones(SIZE),
            np.full(SIZE, np.pi),
        ),
        (lambda x: float(np.sum(np.abs(x))), np.sign, X),
        (lambda x: float(np.sum(np.log(x))), lambda x: 1 / x, np.abs(X) + 1e-3),
        (lambda x: float(np.sum(x**4)), lambda x: 4 * x**3, X[:1]),
        (lambda x: float(np.sum(x**4)), lambda x: 4 * x**3, X.astype(np.float32)),
    ],
    ids=["constant", "minimum", "coupled minimum", "kinks", "domain edge", "one variable", "float32 x"],
)
def test_ordinary_oddities_pass(f: Any, grad: Any, x: Any) -> None:
    found, _ = run(f, grad, x)
    assert found.verdict is Verdict.PASS


def test_f_is_not_called_beyond_the_bounds() -> None:
    room = np.random.default_rng(5).uniform(1e-6, 1, SIZE)
    low, high = X - room, X + room

    def f(x: Any) -> float:
        outside.append(bool((x < low).any() or (x > high).any()))
        return log_cosh(x)

    outside: list[bool] = []
    found, _ = run(f, off(np.tanh, 77, 0.1), bounds=(low, high))
    assert outside
    assert not any(outside)
    assert named(found) == [77]


def test_a_row_of_a_vector_function() -> None:
    x = X[:300]
    function = Function(lambda x: np.array([np.sum(x), log_cosh(x)]), x, scalar=False)
    claim = Claim(lambda x: np.array([np.ones(300), off(np.tanh, 20, 0.1)(x)]), x, (2, 300))
    problem, claimed = problem_of(function, claim, x)
    rows = claimed.reshape(2, 300)
    verdicts = [search(problem, Watcher(), rows[row], row=row).verdict for row in (0, 1)]
    assert verdicts == [Verdict.PASS, Verdict.FAIL]


@pytest.mark.parametrize("calls", [3, 20, 30])
def test_a_spent_budget_leaves_a_valid_answer(calls: int) -> None:
    class Impatient(Watcher):
        asked = 0

        def expired(self) -> bool:
            self.asked += 1
            if self.asked > calls:
                self.stopped = Stop.BUDGET
            return self.stopped is not None

    watcher = Impatient()
    found, _ = run(log_cosh, off(np.tanh, [3, 4000], 0.1), watcher=watcher)
    assert watcher.stopped is Stop.BUDGET
    assert set(named(found)) <= {3, 4000}
    assert found.verdict >= Verdict.INCONCLUSIVE or calls == 30


def test_an_interrupt_leaves_what_was_found() -> None:
    chosen, calls, progress = np.arange(5, SIZE, 500) + np.arange(10) ** 2, [0], []

    def f(x: Any) -> float:
        calls[0] += 1
        if calls[0] > 300:
            raise KeyboardInterrupt
        return log_cosh(x)

    watcher = Watcher(lambda *step: progress.append(step))
    found, _ = run(f, off(np.tanh, chosen, 0.1), watcher=watcher)
    assert watcher.stopped is Stop.INTERRUPT
    assert 0 < len(named(found)) < chosen.size
    assert set(named(found)) <= set(chosen.tolist())
    assert {phase for phase, *_ in progress} == {"directions", "located"}
    assert any("blocks left" in detail for *_, detail in progress)


def test_without_localisation_only_directions_are_judged() -> None:
    found, function = run(log_cosh, off(np.tanh, 9, 5.0), locate=False, directions=4)
    assert found.verdict is Verdict.FAIL
    assert len(found.directions) == 4
    assert not named(found)
    assert [d.kind for d in found.diagnoses] == [DiagnosisKind.UNEXPLAINED]
    assert function.calls <= 120


def test_compiled_and_plain_passes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcheck.methods import probe

    both = []
    for loaded in (10**9, 1):
        monkeypatch.setattr(probe, "LOADED", loaded)
        monkeypatch.setitem(sys.modules, "numba", __import__("numba"))
        both.append(run(log_cosh, off(np.tanh, 9, 0.1)))
    (plain, f), (compiled, g) = both
    assert named(plain) == named(compiled) == [9]
    assert f.calls == g.calls
    assert plain.directions[0].estimate.value == pytest.approx(compiled.directions[0].estimate.value, rel=1e-12)
    assert plain.directions[0].claimed == pytest.approx(compiled.directions[0].claimed, rel=1e-12)


def test_a_compiled_function() -> None:
    numba = pytest.importorskip("numba")
    f = numba.njit(lambda x: np.sum(np.log(np.cosh(x))))
    found, _ = run(f, off(np.tanh, 4321, 0.01))
    assert named(found) == [4321]
