"""Each breach of the contract between f and its claim is found by name, in a few calls."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check_gradient, check_hessian, check_jacobian
from gradcheck.errors import UserCodeError
from gradcheck.evaluation.claims import Claim, Counted
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.preflight import examine
from gradcheck.model import FindingKind, Verdict

A = np.random.default_rng(1).normal(size=(4, 4))
x0 = np.array([0.4, -1.3, 2.0, 0.7])


def f(x):
    return float(x @ A @ x)


def grad(x):
    return (A + A.T) @ x


class Stateful:
    """f and its gradient with something kept between calls."""

    def __init__(self):
        self.last = np.zeros(4)
        self.buffer = np.zeros(4)
        self.calls = 0
        self.rng = np.random.default_rng(0)

    def f(self, x):
        self.last = x.copy()
        return f(x)

    def by_last_f(self, x):
        return grad(self.last)

    def one_buffer(self, x):
        self.buffer[...] = grad(x)
        return self.buffer

    def view_of_buffer(self, x):
        self.buffer[...] = grad(x)[::-1]
        return self.buffer[::-1]

    def noisy(self, x):
        return f(x) + 1e-7 * self.rng.normal()

    def noisy_gradient(self, x):
        return grad(x) * (1 + 1e-7 * self.rng.normal())


def writes(call):
    def inner(x):
        value = call(x)
        x[0] += 1
        return value

    return inner


def single(x):
    return float(np.sum(np.sin(x.astype(np.float32))))


def cases():
    s = Stateful
    return {
        "clean": (f, grad, {}),
        "f writes": (writes(f), grad, {("mutates_input", "f"): Verdict.FAIL}),
        "grad writes": (f, writes(grad), {("mutates_input", "grad"): Verdict.FAIL}),
        "both write": (writes(f), writes(grad),
                       {("mutates_input", "f"): Verdict.FAIL, ("mutates_input", "grad"): Verdict.FAIL}),
        "one buffer": (f, s().one_buffer, {("reuses_buffer", "grad"): Verdict.INCONCLUSIVE}),
        "a view of one buffer": (f, s().view_of_buffer, {("reuses_buffer", "grad"): Verdict.INCONCLUSIVE}),
        "a constant array": (lambda x: float(A[0] @ x), lambda x: A[0], {("reuses_buffer", "grad"): Verdict.PASS}),
        "noisy f": (s().noisy, grad, {("non_deterministic", "f"): Verdict.PASS}),
        "noisy gradient": (f, s().noisy_gradient, {("non_deterministic", "grad"): Verdict.INCONCLUSIVE}),
        "float32 inside": (single, np.cos, {("low_precision", "f"): Verdict.PASS}),
        "nan claimed": (f, lambda x: np.where(x == 2.0, np.nan, grad(x)), {("non_finite", "grad"): Verdict.ERROR}),
        "inf claimed": (f, lambda x: np.where(x == 2.0, np.inf, grad(x)), {("non_finite", "grad"): Verdict.ERROR}),
    }  # fmt: skip


@pytest.mark.parametrize("name", cases())
def test_each_breach_is_found_and_no_other(name):
    call, claim, expected = cases()[name]
    seen = examine(Function(call, x0), Claim(claim, x0, x0.shape), x0, 0)
    assert seen.calibration is not None
    found = [*seen.findings, *seen.line.findings]
    assert {(finding.kind.value, finding.target): finding.verdict for finding in found} == expected
    assert all(finding.message and "\n" not in finding.message for finding in found)


def test_a_gradient_that_depends_on_the_last_call_of_f_is_found():
    state = Stateful()
    (finding,) = examine(Function(state.f, x0), Claim(state.by_last_f, x0, x0.shape), x0, 0).findings
    assert (finding.kind, finding.verdict) == (FindingKind.ORDER_DEPENDENT, Verdict.FAIL)


@pytest.mark.parametrize("name", ["f writes", "grad writes", "one buffer", "noisy gradient", "nan claimed"])
def test_a_breach_never_gets_a_clean_pass(name):
    call, claim, _ = cases()[name]
    assert check_gradient(call, claim, x0, throw=False).verdict is not Verdict.PASS


def test_an_f_that_remembers_arrays_by_identity_is_called_with_copies():
    cache = {}

    def remembering(x):
        return cache.setdefault(id(x), (x, f(x)))[1]

    function = Function(remembering, x0)
    examine(function, Claim(grad, x0, x0.shape), x0, 0)
    assert not function.in_place
    assert check_gradient(remembering, grad, x0).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("call", "claim", "message"),
    [
        (lambda x: np.nan, grad, "f is nan at the point; choose a point inside its domain"),
        (lambda x: np.inf, grad, "f is inf at the point; choose a point inside its domain"),
        (lambda x: None, grad, "f returned None: does it end without a return statement?"),
        (lambda x: x, grad, "f returned an array of shape (4,) where one number was expected; "
         "check a vector-valued function with --jac (check_jacobian)"),
        (lambda x: 1j, grad, "f returned a complex number; return its real part, or check real and imaginary parts apart"),
        (lambda x: "one", grad, "f returned str (dtype <U3), which is no number"),
        (f, lambda x: None, "grad returned None: does it end without a return statement?"),
        (f, lambda x: grad(x)[:3], "grad returned shape (3,), expected (4,)"),
        (f, lambda x: grad(x) + 0j, "grad returned complex numbers; a derivative of a real function is real"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_gets_one_line(call, claim, message):
    with pytest.raises(UserCodeError) as caught:
        examine(Function(call, x0), Claim(claim, x0, x0.shape), x0, 0)
    assert str(caught.value) == message


@pytest.mark.parametrize(("role", "call", "claim"), [("f", 0, grad), ("grad", f, 0)])
def test_what_user_code_raises_is_the_cause(role, call, claim):
    def broken(x):
        raise ZeroDivisionError("first line\nsecond line")

    with pytest.raises(UserCodeError, match=f"^{role} raised ZeroDivisionError at the point: first line$") as caught:
        examine(Function(call or broken, x0), Claim(claim or broken, x0, x0.shape), x0, 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("calls", [2, 3, 20])
def test_a_number_of_values_that_changes_at_the_point_gets_one_line(calls):
    count = [0]

    def changing(x):
        count[0] += 1
        return x[: 4 if count[0] < calls else 3]

    function = Function(changing, x0, scalar=False)
    function.at(x0)
    with pytest.raises(UserCodeError, match=r"^f returned 4 values and then 3 at the same point"):
        examine(function, Claim(lambda x: np.eye(4), x0, (4, 4)), x0, 0)


@pytest.mark.parametrize("beside", [f, lambda x: f(x) * (1 + 1e-15)])
def test_the_value_beside_the_gradient_may_differ_by_rounding(beside):
    assert check_gradient(f, lambda x: (beside(x), grad(x)), x0, value_and_grad=True).findings == ()


def test_a_value_beside_the_gradient_that_is_not_that_of_f_fails():
    report = check_gradient(f, lambda x: (f(x) + 1e-3, grad(x)), x0, value_and_grad=True, throw=False)
    assert report.verdict is Verdict.FAIL
    assert [finding.kind for finding in report.findings] == [FindingKind.VALUE_MISMATCH]
    assert (report.failed, report.findings[0].evidence["value"]) == (0, f(x0))


@pytest.mark.parametrize("overwritten", [False, True])
def test_a_hessian_in_one_buffer_is_a_remark_unless_it_is_overwritten(overwritten):
    buffer = np.zeros((4, 4))

    def hess(x):
        buffer[...] = np.diag(6 * x) if overwritten else 2 * np.eye(4)
        return buffer

    power = 3 if overwritten else 2
    report = check_hessian(
        lambda x: float(np.sum(x**power)), hess, x0, grad=lambda x: power * x ** (power - 1), throw=False
    )
    assert [finding.kind for finding in report.findings] == [FindingKind.REUSES_BUFFER]
    assert report.verdict is (Verdict.INCONCLUSIVE if overwritten else Verdict.PASS)
    assert report.failed == 0


@pytest.mark.parametrize(
    ("call", "claim", "sentence"),
    [
        (lambda x: 3.0, np.zeros_like, "f does not depend on its input: its value never changed"),
        (lambda x: float(x[0] ** 2), lambda x: np.array([2 * x[0], 0, 0, 0]),
         "f did not change with 3 of its 4 variables ([1], [2], [3])"),
    ],
)  # fmt: skip
def test_ignored_inputs_are_named(call, claim, sentence):
    report = check_gradient(call, claim, x0)
    ignored, *rest = report.findings
    assert (ignored.kind, ignored.message) == (FindingKind.IGNORES_INPUT, sentence)
    assert {finding.kind for finding in rest} <= {FindingKind.VACUOUS}


def test_a_claim_of_a_large_matrix_is_asked_for_once(monkeypatch):
    monkeypatch.setattr("gradcheck.evaluation.matrix_claims.LARGE", 10)
    hess = Counted(lambda x: A + A.T)
    report = check_hessian(f, hess, x0, grad=grad)
    assert (hess.calls, report.verdict) == (1, Verdict.PASS)


def test_the_set_up_is_cheap():
    function, counted = Function(f, x0), Counted(grad)
    examine(function, Claim(counted, x0, x0.shape), x0, 0)
    assert (function.calls <= 30, counted.calls <= 4) == (True, True)


def test_an_answer_that_becomes_no_number_gets_a_finding_and_no_warning():
    answers = iter([2.0, 2.0, 2.0, np.nan])
    report = check_gradient(lambda x: float(x[0] ** 2), lambda x: np.array([next(answers, 2.0)]), [1.0], throw=False)
    assert [finding.kind for finding in report.findings] == [FindingKind.NON_DETERMINISTIC]


def test_a_component_that_is_no_number_is_named():
    x = np.array([0.3, -0.5, 1.2])
    with np.errstate(invalid="ignore"):
        report = check_jacobian(np.arcsin, lambda x: np.diag(1 / np.sqrt(1 - x * x)), x, throw=False)
    assert report.verdict is Verdict.ERROR
    assert "func is nan in component [2] at the point" in report.headline
