"""A watch that is on: nothing of the program changes, one check a pair, and what comes of it."""

from __future__ import annotations

import functools
import inspect
import os
import pickle
import random
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import optimize
from scipy.optimize import minimize, rosen, rosen_der  # taken before any watch is on

import gradcheck
from gradcheck.model import DerivativeEstimate, DirectionCheck, Status, Verdict
from gradcheck.watch import isolation
from gradcheck.watch.doubt import doubted
from gradcheck.watch.identity import identity
from gradcheck.watch.outcome import Class, from_json
from gradcheck.watch.pairs import Check, Pair
from gradcheck.watch.recording import Recorded

X0 = [0.4, 1.1, 0.7]


def wrong_der(x: Any) -> Any:
    g = rosen_der(x)
    g[1] *= 2
    return g


# ---- nothing changes


def test_random_states_counters_and_error_state_are_as_without() -> None:
    counts = {"f": 0}

    def f(x: Any) -> Any:
        counts["f"] += 1
        random.random()
        np.random.rand()
        return rosen(x)

    def run() -> tuple[Any, ...]:
        counts["f"] = 0
        random.seed(0)
        np.random.seed(0)
        result = minimize(f, X0, jac=wrong_der)
        return result.x.tolist(), result.nfev, counts["f"], random.random(), np.random.rand(), np.geterr()

    without = run()
    with gradcheck.watching(budget=None) as seen:
        assert run() == without
    assert seen.wrong


def test_a_warning_is_attributed_to_the_line_that_it_was_attributed_to() -> None:
    def lines() -> list[tuple[str, int]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            minimize(rosen, X0, jac=rosen_der, method="Nelder-Mead")
        return [(warning.filename, warning.lineno) for warning in caught]

    without = lines()
    assert without == [(__file__, without[0][1])]
    with gradcheck.watching():
        assert lines() == without


def test_a_warning_that_was_shown_is_not_shown_again() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        with gradcheck.watching(budget=None) as seen:
            for k in range(3):
                warnings.warn("once", UserWarning, stacklevel=1)
                minimize(rosen, [*X0[: k + 1], 1.0], jac=rosen_der)
    assert seen.outcomes
    assert [str(warning.message) for warning in caught] == ["once"]


def test_what_a_function_raises_reaches_the_caller() -> None:
    def jac(x: Any) -> Any:
        raise LookupError("nothing there")

    with gradcheck.watching(budget=None) as seen, pytest.raises(LookupError, match="nothing there"):
        minimize(rosen, X0, jac=jac)
    (outcome,) = seen.outcomes
    assert outcome.category is Class.OPEN


def test_a_call_that_makes_no_sense_is_refused_as_without() -> None:
    def refused() -> str:
        with pytest.raises(TypeError) as refusal:
            minimize(rosen, jac=rosen_der, nonsense=3)  # type: ignore[call-overload]
        return str(refusal.value)

    without = refused()
    with gradcheck.watching():
        assert refused() == without


def test_an_interrupt_goes_through_and_nothing_is_checked() -> None:
    def jac(x: Any) -> Any:
        raise KeyboardInterrupt

    with gradcheck.watching(budget=None) as seen, pytest.raises(KeyboardInterrupt):
        minimize(rosen, X0, jac=jac)
    assert not seen.outcomes


def test_functions_are_their_own_again_afterwards() -> None:
    before, signature = minimize.__code__, inspect.signature(minimize)
    with gradcheck.watching():
        assert minimize.__code__ is not before
        assert inspect.signature(minimize) == signature
        assert optimize.minimize is minimize
    assert minimize.__code__ is before
    assert "__signature__" not in vars(minimize)


def test_one_watch_within_another() -> None:
    with gradcheck.watching(budget=None) as outer:
        with gradcheck.watching(budget=None) as inner:
            minimize(rosen, X0, jac=wrong_der)
        minimize(rosen, X0, jac=rosen_der)
    assert len(inner.outcomes) == 1
    assert Class.RIGHT in {outcome.category for outcome in outer.outcomes}


def test_a_recorded_derivative_is_like_the_one_it_records() -> None:
    def claim(x: Any, *, scale: float = 1.0) -> Any:
        """Twice x."""
        return 2 * x * scale

    claim.note = "mine"  # type: ignore[attr-defined]
    received: list[Any] = []

    def solver(fun: Any, x0: Any, args: Any = (), **options: Any) -> Any:
        received.append(options["jac"])
        options["jac"](x0, *args)
        return optimize.OptimizeResult(x=x0)

    with gradcheck.watching(budget=None) as seen:
        minimize(lambda x: x @ x, X0, jac=claim, method=solver)
    (jac,) = received
    assert isinstance(jac, Recorded)
    assert (jac.__name__, jac.__doc__, jac.note) == ("claim", "Twice x.", "mine")
    assert inspect.signature(jac) == inspect.signature(claim)
    assert jac == claim and hash(jac) == hash(claim) and callable(jac)  # noqa: PT018
    assert pickle.loads(pickle.dumps(Recorded(rosen_der, object()))) is rosen_der  # type: ignore[arg-type]
    assert [outcome.category for outcome in seen.outcomes] == [Class.RIGHT]


# ---- what is seen


def test_a_right_pair_is_looked_at_once() -> None:
    with gradcheck.watching(budget=None) as seen:
        for _ in range(5):
            minimize(rosen, X0, jac=rosen_der)
    (outcome,) = seen.outcomes
    assert outcome.category is Class.RIGHT
    assert outcome.points == 2  # beside the optimum, and the start, where the claim is largest


def test_the_stationary_point_is_not_where_it_is_checked() -> None:
    def twice(x: Any) -> Any:
        return 4 * (x - 1)

    with gradcheck.watching(budget=None) as seen:
        minimize(lambda x: np.sum((x - 1) ** 2), np.ones(3), jac=twice)  # it begins and ends where the gradient is 0
    assert len(seen.wrong) == 1


def test_the_same_lambda_around_other_classes_is_another_pair() -> None:
    class Model:
        factor = 2.0

        def value(self, x: Any) -> Any:
            return np.sum((x - 3) ** 2)

        def slope(self, x: Any) -> Any:
            return self.factor * (x - 3)

        def fit(self) -> None:
            minimize(lambda x: self.value(x), [1.0, 2.0], jac=lambda x: self.slope(x))

    class Worse(Model):
        factor = 2.5

    with gradcheck.watching(budget=None) as seen:
        for _ in range(3):
            Model().fit()
            Worse().fit()
    assert [(outcome.name.rpartition(".<locals>.")[2], outcome.category) for outcome in seen.outcomes] == [
        ("Model.slope", Class.RIGHT),
        ("Worse.slope", Class.WRONG),
    ]


def test_identity() -> None:
    def make(k: Any) -> Any:
        return lambda x: x * k

    data = np.arange(3.0)
    assert identity(make(1)) == identity(make(1)) != identity(make(2))
    assert identity(make(data)) == identity(make(data + 1))
    assert identity(make(100)) == identity(make(200))  # sizes of data
    assert identity(functools.partial(rosen, 1)) != identity(functools.partial(rosen, 2))
    assert identity(make(rosen)) != identity(make(rosen_der))


@pytest.mark.parametrize("decorate", [lambda f: f, lambda f: functools.partial(f), lambda f: functools.wraps(f)(f)])
def test_what_is_said_to_be_no_derivative_is_left_out(decorate: Any) -> None:
    @gradcheck.not_a_derivative("straight-through")
    def slope(x: Any) -> Any:
        return np.ones_like(x)

    with gradcheck.watching(budget=None) as seen:
        minimize(lambda x: x @ x, X0, jac=decorate(slope), options={"maxiter": 2})
    assert not seen.outcomes
    assert "1 left out" in str(seen)


def test_no_reason_is_no_reason() -> None:
    with pytest.raises(gradcheck.UsageError, match="needs a reason"):
        gradcheck.not_a_derivative("")
    with pytest.raises(gradcheck.UsageError, match="needs a reason"):
        gradcheck.not_a_derivative(lambda x: x)  # type: ignore[arg-type]


def test_ignored_names_are_left_out() -> None:
    with gradcheck.watching(budget=None, ignore=["wrong_*"]) as seen:
        minimize(rosen, X0, jac=wrong_der)
        minimize(rosen, X0, jac=rosen_der)
    assert [outcome.name for outcome in seen.outcomes] == ["rosen_der"]


def test_approximations_by_design_are_no_mistakes() -> None:
    def r(x: Any) -> Any:
        return np.array([x[0] ** 2 - 1, x[0] * x[1] - 3])

    def jac(x: Any) -> Any:
        return np.array([[2 * x[0], 0], [x[1], x[0]]])

    def cost(x: Any) -> Any:
        return r(x) @ r(x) / 2

    def gauss_newton(x: Any) -> Any:
        J = jac(x)
        return J.T @ J

    def difference(x: Any) -> Any:
        h = 1e-3
        return np.array([(cost(x + h * e) - cost(x)) / h for e in np.eye(2)])

    with gradcheck.watching(budget=None) as seen:
        minimize(cost, [1.0, 1.0], jac=lambda x: jac(x).T @ r(x), hess=gauss_newton, method="Newton-CG")
        minimize(cost, [1.0, 1.0], jac=difference)
    assert [outcome.category for outcome in seen.outcomes] == [Class.RIGHT, Class.DIFFERENCE, Class.DIFFERENCE]
    assert "FAIL" not in {report.verdict.name for report in seen.reports}
    assert "Gauss–Newton" in str(seen)


def test_a_hessian_that_is_wrong_and_no_approximation_is_wrong() -> None:
    def hess(x: Any) -> Any:
        A = np.array([[1.0, 2.0], [0.0, 1.0]])
        return A.T @ A  # a matrix that depends on nothing: where it is used, it is meant to be exact

    with gradcheck.watching(budget=None) as seen:
        minimize(lambda x: x @ x, [1.0, 1.0], jac=lambda x: 2 * x, hess=hess, method="trust-exact")
    assert [outcome.category for outcome in seen.outcomes] == [Class.RIGHT, Class.WRONG]


def test_a_claim_that_is_uncertain_itself_is_no_mistake() -> None:
    def cancelled(x: Any) -> Any:
        return 2 * x + 5 * np.sin(1e12 * x)  # as what rounding leaves of large numbers looks like

    with gradcheck.watching(budget=None) as seen:
        minimize(lambda x: float(x @ x), [0.3, 0.7], jac=cancelled, options={"maxiter": 3})
    assert not seen.wrong
    assert "is uncertain itself" in str(seen)
    with gradcheck.watching(budget=None) as seen:
        minimize(lambda x: float(x @ x), [0.3, 0.7], jac=lambda x: cancelled(x) + 500, options={"maxiter": 3})
    assert len(seen.wrong) == 1


def overshooting(far: Any) -> gradcheck.watching:
    """A solver that steps too far once, to where the claim is `far`, and comes back."""

    def solver(fun: Any, x0: Any, args: Any = (), **options: Any) -> Any:
        for x in ([0.5, 0.6], [-40.0, 0.3], [0.2, 0.3]):
            options["jac"](np.array(x))
        return optimize.OptimizeResult(x=x0)

    def slope(x: Any) -> Any:
        return 2 * x if x[0] > -1 else far

    with gradcheck.watching(budget=None) as seen:
        minimize(lambda x: float(x @ x), X0[:2], jac=slope, method=solver)
    return seen


def test_what_is_off_only_where_a_step_went_too_far_is_no_mistake() -> None:
    seen = overshooting(np.array([1e9, 3e8]))
    assert [outcome.category for outcome in seen.outcomes] == [Class.RIGHT]
    (report,) = seen.reports
    assert report.verdict.name == "INCONCLUSIVE"
    assert "a step went too far" in report.findings[0].message


def test_what_is_off_on_the_way_at_claims_that_are_usual_is_wrong() -> None:
    seen = overshooting(np.array([100.0, 300.0]))
    assert [outcome.category for outcome in seen.outcomes] == [Class.WRONG]


def test_writing_into_x_has_a_class_of_its_own() -> None:
    def slope(x: Any) -> Any:
        x *= 2
        return x

    with gradcheck.watching(budget=None) as seen:
        minimize(lambda x: x @ x, [1.0, 2.0], jac=slope, options={"maxiter": 3})
    assert [outcome.category for outcome in seen.outcomes] == [Class.WRITES]


def test_a_function_that_never_returns_is_given_up() -> None:
    here = os.getpid()

    def f(x: Any) -> Any:
        while os.getpid() != here:
            pass
        return x @ x

    with gradcheck.watching(
        budget=1e-6
    ) as seen:  # there are two seconds from the beginning, and half of them for one pair
        minimize(f, [1.0, 2.0], jac=lambda x: 2 * x)
    (outcome,) = seen.outcomes
    assert outcome.category is Class.OPEN


def test_a_crash_is_that_of_a_child() -> None:
    here = os.getpid()

    def f(x: Any) -> Any:
        if os.getpid() != here:
            os.abort()
        return x @ x

    with gradcheck.watching(budget=None) as seen:
        minimize(f, [1.0, 2.0], jac=lambda x: 2 * x)
    (outcome,) = seen.outcomes
    assert outcome.category is Class.OPEN
    assert "ended by signal 6" in outcome.reason
    assert "not judged" in str(seen)


def test_without_a_fork_checks_wait_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "possible", lambda: False)
    with gradcheck.watching(budget=None) as seen:
        random.seed(1)
        minimize(rosen, X0, jac=wrong_der)
        assert not seen.wrong
        state = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]
    assert seen.wrong
    assert (random.getstate(), np.random.get_state()[1].tolist()) == state  # type: ignore[index,union-attr]
    assert "within the program itself" in str(seen)


def test_what_does_not_survive_a_fork_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isolation.possible()
    monkeypatch.setitem(sys.modules, "jaxlib", ModuleType("jaxlib"))
    assert not isolation.possible()


def test_a_report_tells_who_handed_it_over_and_where() -> None:
    with gradcheck.watching(budget=None) as seen:
        minimize(rosen, X0, jac=wrong_der)
    (report,) = seen.reports
    assert report.verdict.name == "FAIL"
    assert report.claim.name == "wrong_der"
    assert report.claim.file == __file__
    assert report.point.origin == "the last point of the solver, moved aside"
    assert any("handed to scipy.optimize.minimize as jac" in note for note in report.notes)
    assert report.declared is not None
    assert report.declared.file == __file__
    assert report.diagnoses
    text = str(seen)
    assert "watched 1 pair of function and derivative at 1 point: 1 wrong" in text
    assert "WRONG  gradient wrong_der" in text
    (outcome,) = seen.outcomes
    assert from_json(outcome.to_json()).worst == outcome.worst


def test_all_is_well_in_one_line() -> None:
    with gradcheck.watching(budget=None) as seen:
        minimize(rosen, X0, jac=rosen_der)
    assert str(seen) == "watched 1 pair of function and derivative at 2 points: all are right"


def test_a_budget_that_is_none_is_refused() -> None:
    with pytest.raises(gradcheck.UsageError, match="budget"):
        gradcheck.watching(budget=0)


# ---- before and after imports


def test_a_library_that_is_imported_later_is_seen_and_none_is_imported_by_us(tmp_path: Path) -> None:
    script = tmp_path / "later.py"
    script.write_text(
        "import sys, gradcheck\n"
        "with gradcheck.watching(budget=None) as seen:\n"
        "    assert not any(name.partition('.')[0] in ('scipy', 'torch', 'jax') for name in sys.modules)\n"
        "    from scipy.optimize import minimize\n"
        "    minimize(lambda x: x @ x, [1.0, 2.0], jac=lambda x: 3 * x)\n"
        "print([report.verdict.name for report in seen.reports])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == "['FAIL']\n", done.stderr


def test_others_register_their_own_solvers(tmp_path: Path) -> None:
    (tmp_path / "solver.py").write_text(
        "def solve(x0, f, g):\n    return g(x0 + 0.5)\n\n\n"
        "def rows():\n"
        "    from gradcheck.model import Kind\n"
        "    from gradcheck.watch.adapters.conventions import pair_up\n"
        "    from gradcheck.watch.hooks import Hook\n\n"
        "    def read(call):\n        pair_up(call, 'g', Kind.GRADIENT, call.get('f'))\n\n"
        "    return [Hook('solver', 'solve', 'solver.solve', read)]\n"
    )
    (tmp_path / "own-1.0.dist-info").mkdir()
    (tmp_path / "own-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (tmp_path / "own-1.0.dist-info" / "entry_points.txt").write_text("[gradcheck.watch]\nsolver = solver:rows\n")
    script = tmp_path / "main.py"
    script.write_text(
        "import gradcheck, numpy as np\nfrom solver import solve\n"
        "with gradcheck.watching(budget=None) as seen:\n"
        "    solve(np.ones(2), lambda x: x @ x, lambda x: 3 * x)\n"
        "print([(outcome.via, outcome.category.value) for outcome in seen.outcomes])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == "[('solver.solve', 'wrong')]\n", done.stderr


def test_what_agrees_along_one_direction_and_not_along_another_has_kinks() -> None:
    with gradcheck.watching(budget=None) as seen:
        minimize(rosen, np.linspace(0.5, 1.5, 200), jac=wrong_der, options={"maxiter": 2})
    (report,) = seen.wrong
    direction = DirectionCheck(
        number=0,
        point=0,
        claimed=1.0,
        estimate=DerivativeEstimate(value=1.0, uncertainty=1e-9, step=1e-4, evaluations=4, status=Status.CONVERGED),
        abs_error=1e-9,
        rel_error=1e-9,
        verdict=Verdict.PASS,
        reason="",
    )
    off = replace(direction, number=1, claimed=2.0, abs_error=1.0, rel_error=0.5, verdict=Verdict.FAIL)
    pair = Pair(kind=report.kind, via="", role="", function=rosen, derivative=wrong_der)
    check = Check(rosen, wrong_der, {})
    some = replace(report, entries=(), directions=(direction, off))
    assert doubted(some, pair, "start", [], check, np.ones(200)).verdict is Verdict.INCONCLUSIVE
    none = replace(report, entries=(), directions=(off, replace(off, number=2)))
    assert doubted(none, pair, "start", [], check, np.ones(200)).verdict is Verdict.FAIL


def test_a_function_with_randomness_is_not_called_wrong() -> None:
    rng = np.random.default_rng(0)

    def noisy(x: Any) -> Any:
        return float(x @ x + 0.1 * rng.normal())

    with gradcheck.watching(budget=None) as seen:
        minimize(noisy, X0, jac=lambda x: 2 * x, options={"maxiter": 2})
    assert [outcome.category for outcome in seen.outcomes] == [Class.OPEN], str(seen)
