"""Functions with a value for each entry of x, diagonals of second derivatives, and objectives of gradient boosting."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck import UsageError, check_gradient, check_hessian, check_hvp, check_jacobian
from gradcheck.cli.command import command
from gradcheck.model import Verdict

RNG = np.random.default_rng(7)
Z = RNG.normal(size=40)


class Data:
    """What boosting libraries hand to an objective."""

    def __init__(self, label):
        self.label = label

    def get_label(self):
        return self.label


BINARY, SIGNS = Data((RNG.random(40) > 0.5) * 1.0), Data(np.where(RNG.random(40) > 0.5, 1.0, -1.0))
CLASSES = Data(RNG.integers(0, 3, 15))
SCORES = RNG.normal(size=(15, 3))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# ---- objectives in the signature of boosting libraries: obj(preds, data) -> (grad, hess)


def logistic_loss(preds, data):
    return np.logaddexp(0, preds) - data.get_label() * preds


def logistic(preds, data):
    p = sigmoid(preds)
    return p - data.get_label(), p * (1 - p)


def focal_loss(preds, data, gamma=2.0):
    t = np.where(data.get_label() == 1, preds, -preds)
    return (1 - sigmoid(t)) ** gamma * np.logaddexp(0, -t)


def focal(preds, data, gamma=2.0):
    sign = np.where(data.get_label() == 1, 1.0, -1.0)
    p = sigmoid(sign * preds)
    q, log_p = 1 - p, np.log(p)
    slope = gamma * p * q**gamma * log_p - q ** (gamma + 1)
    bend = (
        p
        * q
        * (
            gamma * q**gamma * log_p
            - gamma**2 * p * q ** (gamma - 1) * log_p
            + gamma * q**gamma
            + (gamma + 1) * q**gamma
        )
    )
    return sign * slope, bend


def squared_hinge_loss(preds, data):
    return np.maximum(0, 1 - data.get_label() * preds) ** 2


def squared_hinge(preds, data):
    y = data.get_label()
    gap = np.maximum(0, 1 - y * preds)
    return -2 * y * gap, 2.0 * (gap > 0)


def probabilities(preds):
    e = np.exp(preds - preds.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_loss(preds, data):
    return -np.sum(np.log(probabilities(preds)[np.arange(len(preds)), data.get_label()]))


def softmax(preds, data):
    p = probabilities(preds)
    return p - np.eye(3)[data.get_label()], p * (1 - p)


OBJECTIVES = {
    "logistic": (logistic_loss, logistic, Z, BINARY),
    "focal": (focal_loss, focal, Z, BINARY),
    "squared hinge": (squared_hinge_loss, squared_hinge, Z, SIGNS),
    "softmax": (softmax_loss, softmax, SCORES, CLASSES),
}


@pytest.mark.parametrize(("loss", "objective", "x0", "data"), OBJECTIVES.values(), ids=OBJECTIVES)
def test_an_objective_of_boosting_is_checked_in_one_call(loss, objective, x0, data):
    report = check_gradient(loss, objective, x0, args=(data,), grad_and_hess=True)
    assert report.verdict is Verdict.PASS
    assert report.checked == 2 * x0.size
    assert [name for name, _ in report.resolution.parts] == ["grad", "hess"]
    assert {entry.path.partition("[")[0] for entry in report.entries} == {"grad", "hess"}


@pytest.mark.parametrize(("loss", "objective", "x0", "data"), OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_wrong_second_derivative_of_an_objective_is_named(loss, objective, x0, data):
    def wrong(preds, data):
        grad, hess = objective(preds, data)
        return grad, 2 * hess

    report = check_gradient(loss, wrong, x0, args=(data,), grad_and_hess=True, throw=False)
    assert report.verdict is Verdict.FAIL
    assert "numeric = 0.5000000 × claimed on all of hess" in report.diagnoses[0].message or (
        report.diagnoses[0].parameters.get("leaf") == "hess"
    )


@pytest.mark.parametrize(("loss", "objective", "x0", "data"), OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_wrong_gradient_of_an_objective_is_named_and_its_second_derivative_left_out(loss, objective, x0, data):
    def wrong(preds, data):
        grad, hess = objective(preds, data)
        return -grad, hess

    report = check_gradient(loss, wrong, x0, args=(data,), grad_and_hess=True, throw=False)
    assert report.verdict is Verdict.FAIL
    assert all(entry.path.startswith("grad[") for entry in report.entries if entry.verdict is Verdict.FAIL)
    assert any("entries of hess were left out" in note for note in report.notes)


def test_one_entry_of_an_objective_is_named():
    def wrong(preds, data):
        grad, hess = softmax(preds, data)
        hess[4, 1] *= 1.5
        return grad, hess

    report = check_gradient(softmax_loss, wrong, SCORES, args=(CLASSES,), grad_and_hess=True, throw=False)
    assert [entry.path for entry in report.entries if entry.verdict is Verdict.FAIL] == ["hess[4, 1]"]
    assert report.entries[0].index == (4, 1)


def test_a_class_major_layout_is_recognised():
    def wrong(preds, data):
        grad, hess = softmax(preds, data)
        return grad.T.reshape(grad.shape), hess

    report = check_gradient(softmax_loss, wrong, SCORES, args=(CLASSES,), grad_and_hess=True, throw=False)
    assert (report.verdict, report.diagnoses[0].kind) == (Verdict.FAIL, "transposed")
    assert "grad" in report.diagnoses[0].message
    report = check_gradient(softmax_loss, lambda p, d: softmax(p, d)[0].T, SCORES, args=(CLASSES,), throw=False)
    assert report.findings[0].message == "grad returned shape (3, 15), expected (15, 3); it looks transposed"


# ---- elementwise


def test_values_and_slopes_of_the_shape_of_x():
    calls = []

    def pinball(z):
        calls.append(1)
        return np.where(z > 0, 0.9 * z, -0.1 * z)

    report = check_gradient(pinball, lambda z: np.where(z > 0, 0.9, -0.1), Z.reshape(8, 5), elementwise=True)
    assert report.verdict is Verdict.PASS
    assert report.shape == (8, 5)
    assert report.checked == 40
    assert len(calls) == report.nfev


def test_all_entries_are_differenced_at_once():
    x = RNG.normal(size=2000)
    report = check_gradient(np.sin, np.cos, x, elementwise=True)
    assert report.verdict is Verdict.PASS
    assert report.nfev < 200


@pytest.mark.parametrize("method", ["auto", "directions"])
def test_a_wrong_entry_is_named_as_that_of_x(method):
    def wrong(x):
        found = np.cos(x)
        found[3, 1] += 0.1
        return found

    report = check_gradient(np.sin, wrong, Z.reshape(8, 5), elementwise=True, throw=False, method=method)
    assert [entry.index for entry in report.entries if entry.verdict is Verdict.FAIL] == [(3, 1)]
    assert report.diagnoses[0].kind == "single_entry"


def test_a_function_that_is_not_elementwise_is_told():
    def f(x):
        return np.exp(x) + x[::-1] ** 2

    report = check_gradient(f, np.exp, Z, elementwise=True, throw=False)
    assert report.verdict is Verdict.FAIL
    assert report.findings[0].kind == "outside_pattern"
    assert report.findings[0].message.startswith("f is not elementwise: its values at [0], [1], [2], [3], [4], …")


def test_a_tree_may_be_elementwise():
    x0 = {"a": Z[:3], "b": Z[3:].reshape(37, 1)}

    def f(p):
        return {"a": np.sin(p["a"]), "b": p["b"] ** 3}

    def wrong(p):
        return {"a": np.cos(p["a"]), "b": 2 * p["b"] ** 2}

    assert (
        check_gradient(f, lambda p: {"a": np.cos(p["a"]), "b": 3 * p["b"] ** 2}, x0, elementwise=True).verdict
        is Verdict.PASS
    )
    report = check_gradient(f, wrong, x0, elementwise=True, throw=False)
    assert {entry.path[0] for entry in report.entries if entry.verdict is Verdict.FAIL} == {"b"}


def test_bounds_hold_for_elementwise_functions():
    def f(x):
        assert ((x >= 0) & (x <= 1)).all()
        return np.sqrt(x)

    x0 = np.array([0.0001, 0.3, 0.9999])
    assert check_gradient(f, lambda x: 0.5 / np.sqrt(x), x0, elementwise=True, bounds=(0, 1)).verdict is Verdict.PASS


@pytest.mark.parametrize("grad", [None, lambda x: np.cos(x)])
def test_the_diagonal_of_a_hessian(grad):
    for f in (np.sin, lambda x: np.sin(x).sum()):
        report = check_hessian(f, lambda x: -np.sin(x), Z, grad=grad, elementwise=True)
        assert report.verdict is Verdict.PASS
        assert report.shape == (40,)
        wrong = check_hessian(f, lambda x: np.sin(x), Z, grad=grad, elementwise=True, throw=False)
        assert (wrong.verdict, wrong.diagnoses[0].kind) == (Verdict.FAIL, "sign")
        assert wrong.failed > 30  # without a gradient, values near 0 may be left open


def test_the_diagonal_of_a_hessian_that_is_full():
    a = RNG.normal(size=(6, 6))
    a = a @ a.T

    def f(x):
        return 0.5 * x @ a @ x

    x0 = RNG.normal(size=6)
    assert check_hessian(f, lambda x: np.diag(a), x0, grad=lambda x: a @ x, elementwise=True).verdict is Verdict.PASS
    wrong = check_hessian(f, lambda x: 2 * np.diag(a), x0, grad=lambda x: a @ x, elementwise=True, throw=False)
    assert wrong.verdict is Verdict.FAIL


def test_the_diagonal_of_a_jacobian():
    assert check_jacobian(lambda x: x**3, lambda x: 3 * x**2, Z, elementwise=True).verdict is Verdict.PASS
    assert check_jacobian(lambda x: x**3, lambda x: 2 * x**2, Z, elementwise=True, throw=False).verdict is Verdict.FAIL


def test_what_is_no_value_for_each_entry_is_refused():
    report = check_gradient(lambda x: x.sum(), np.ones_like, Z, elementwise=True, throw=False)
    assert report.verdict is Verdict.ERROR
    assert report.findings[0].message == (
        "f returned values of shape () where x has (40,); f must return one for each entry of x with elementwise"
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check_gradient(np.sin, None, Z, value_and_grad=True, elementwise=True), "value_and_grad goes neither"),
        (lambda: check_gradient(np.sin, np.cos, Z, grad_and_hess=True, hess=np.sin), "remove it or hess"),
        (lambda: check_gradient(np.sin, np.cos, Z, hess=3, elementwise=True), "hess is 3, which is no function"),
        (lambda: check_hvp(np.sin, lambda x, v: v, Z, elementwise=True), "elementwise is for gradients, Jacobians and"),
        (lambda: check_hessian(np.sin, np.sin, Z, elementwise=True, sparsity=np.eye(40)), "leave sparsity out"),
        (lambda: check_jacobian(np.sin, np.cos, Z, elementwise=True, sparsity=np.eye(40)), "leave sparsity out"),
    ],
)
def test_what_does_not_go_with_a_diagonal_is_refused(call, said):
    with pytest.raises(UsageError, match=said):
        call()


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_elementwise_functions_of_a_framework(name):
    pytest.importorskip(name, reason=f"{name} is not installed")
    if name == "torch":
        import torch

        x0 = torch.linspace(-1, 1, 7, dtype=torch.float64)
        report = check_gradient(lambda x: torch.tanh(x), "autograd", x0, elementwise=True)
    else:
        import jax.numpy as jnp

        report = check_gradient(jnp.tanh, "autograd", jnp.linspace(-1, 1, 7), elementwise=True)
    assert report.verdict is Verdict.PASS


def test_the_command_line_takes_diagonals(tmp_path, monkeypatch):
    (tmp_path / "boosting.py").write_text(
        "import numpy as np\n"
        "def loss(z, y): return np.logaddexp(0, z) - y * z\n"
        "def objective(z, y):\n    p = 1 / (1 + np.exp(-z))\n    return p - y, p * (1 - p)\n"
        "def grad(z, y): return objective(z, y)[0]\n"
        "def hess(z, y): return objective(z, y)[1]\n"
        "def wrong(z, y): return grad(z, y), 2 * hess(z, y)\n"
    )
    monkeypatch.chdir(tmp_path)

    def ran(*words):
        return CliRunner().invoke(command, ["boosting:loss", *words, "--dim", "5", "--args", "1"])

    assert ran("--grad", "boosting:grad", "--hess", "boosting:hess", "--elementwise").exit_code == 0
    right = ran("--grad", "boosting:objective", "--grad-and-hess", "--elementwise")
    assert (right.exit_code, "10 entries compared: 10 agree" in right.output) == (0, True)
    wrong = ran("--grad", "boosting:wrong", "--grad-and-hess", "--elementwise")
    assert (wrong.exit_code, "on all of hess (5 entries)" in wrong.output) == (1, True)


def test_a_flat_class_major_layout_is_recognised_as_well():
    def loss(preds, data):
        return softmax_loss(preds.reshape(15, 3), data)

    def wrong(preds, data):
        return tuple(part.T.reshape(-1) for part in softmax(preds.reshape(15, 3), data))

    report = check_gradient(loss, wrong, SCORES.reshape(-1), args=(CLASSES,), grad_and_hess=True, throw=False)
    assert (report.verdict, report.diagnoses[0].kind) == (Verdict.FAIL, "transposed")
    assert "when it is transposed as a 15×3 matrix" in report.diagnoses[0].message


@pytest.mark.parametrize("wrt", ["y_pred", 1])
def test_an_objective_that_takes_its_labels_first(wrt):
    def loss(y_true, y_pred):
        return np.logaddexp(0, y_pred) - y_true * y_pred

    def wrong(y_true, y_pred):
        p = sigmoid(y_pred)
        return p - y_true, 2 * p * (1 - p)

    report = check_gradient(loss, wrong, (BINARY.label, Z), unpack=True, wrt=wrt, grad_and_hess=True, throw=False)
    assert report.verdict is Verdict.FAIL
    assert "on all of hess (40 entries)" in report.diagnoses[0].message
    assert report.entries[0].path.startswith("hess[")


def test_values_that_hardly_move_in_their_precision_are_elementwise():
    x0 = (10 * np.random.default_rng(0).normal(size=400)).astype(np.float32)
    report = check_gradient(lambda x: np.logaddexp(0, x), sigmoid, x0, elementwise=True, throw=False, fix=False)
    assert report.verdict < Verdict.FAIL
    slopes = check_hessian(
        lambda x: np.logaddexp(0, x),
        lambda x: sigmoid(x) * sigmoid(-x),
        x0,
        grad=sigmoid,
        elementwise=True,
        throw=False,
        fix=False,
    )
    assert "outside_pattern" not in [finding.kind for finding in slopes.findings]


def test_a_vacuous_objective_is_told_for_both_its_parts():
    report = check_gradient(lambda x: 0 * x, lambda x: (0 * x, 0 * x), Z, grad_and_hess=True, throw=False)
    assert report.verdict <= Verdict.INCONCLUSIVE
    x0 = np.array([2.0])
    report = check_gradient(lambda x: x**2, lambda x: (2 * x, 2 + 0 * x), x0, grad_and_hess=True, throw=False)
    assert report.verdict is Verdict.PASS
