"""What torch and jax say themselves: a rule written by hand inside f is what is checked, and held to its contracts."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck import UsageError, check_gradient, check_hessian, check_jacobian
from gradcheck.cli.command import command
from gradcheck.model import Verdict

X = np.array([0.5, -1.25, 2.0, 0.75])


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def jax():
    pytest.importorskip("jax.numpy", reason="jax is not installed")
    import jax

    return jax


def cube(torch, backward, jvp=None):
    """x ↦ 2 Σ x³, whose cube is a `torch.autograd.Function` with this backward(x, cotangent)."""

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.x = x
            return x**3

        @staticmethod
        def backward(ctx, g):
            return backward(ctx.saved_tensors[0], g)

    if jvp is not None:
        Cube.jvp = staticmethod(lambda ctx, tangent: jvp(ctx.x, tangent))
    return lambda x: (2 * Cube.apply(x)).sum()


def test_what_torch_derives_is_right(torch):
    report = check_gradient(lambda x: torch.sum(torch.sin(x) * x[0]), "autograd", torch.tensor(X))
    assert report.verdict is Verdict.PASS
    assert report.claim.name == "autograd of <lambda>"
    assert report.findings == ()


def test_a_right_rule_passes_and_is_named(torch):
    report = check_gradient(
        cube(torch, lambda x, g: 3 * x**2 * g, lambda x, t: 3 * x**2 * t), "autograd", torch.tensor(X)
    )
    assert report.verdict is Verdict.PASS
    assert report.claim.name == "Cube.backward"
    assert report.claim.line is not None
    assert "the derivative goes through rules written by hand: Cube.backward" in report.notes


def test_a_rule_with_a_wrong_factor_is_found_and_named(torch):
    report = check_gradient(cube(torch, lambda x, g: 2 * x**2 * g), "autograd", torch.tensor(X), throw=False)
    assert report.verdict is Verdict.FAIL
    assert report.claim.name == "Cube.backward"
    assert "numeric = 1.500000 × claimed on all 4 entries" in report.diagnoses[0].message


def counted():
    calls = []

    def backward(x, g):
        calls.append(1)
        return 3 * x**2 * g * (1 + 1e-3 * len(calls))

    return backward


BREACHES = {  # values of all of these but one or two are right
    "cotangent ignored": (lambda x, g: 3 * x**2 * 2, "not_linear", "is not linear in the gradient that it is given"),
    "an offset": (lambda x, g: 3 * x**2 * g + (g == 0), "not_linear", "does not return 0 for a gradient of 0"),
    "single precision": (
        lambda x, g: (3 * x**2 * g).float(),
        "wrong_dtype",
        "returns float32 for input 0, which is float64",
    ),
    "no gradient": (lambda x, g: None, "ignores_input", "returns None for input 0, which needs a gradient"),
    "another shape": (
        lambda x, g: (3 * x**2 * g).expand(2, 4) / 2,
        "wrong_shape",
        "returns shape (2, 4) for input 0 of shape (4,), which torch sums in silence",
    ),
    "writes into its cotangent": (
        lambda x, g: g.mul_(3 * x**2),
        "mutates_input",
        "writes into the gradient that it is given",
    ),
    "writes into what is saved": (lambda x, g: 3 * x.pow_(2) * g, "mutates_input", "writes into what forward saved"),
    "another answer each time": (counted(), "non_deterministic", "gives other values when it is asked again"),
}


@pytest.mark.parametrize(("backward", "kind", "message"), BREACHES.values(), ids=BREACHES)
def test_a_rule_that_breaks_its_contract_is_found_and_named(torch, backward, kind, message):
    report = check_gradient(cube(torch, backward), "autograd", torch.tensor(X), throw=False)
    assert report.verdict is Verdict.FAIL
    found = {
        finding.kind: finding.message
        for finding in report.findings
        if finding.message.startswith("Cube.backward (line")
    }
    assert message in found[kind]


def test_forward_mode_is_held_against_reverse_mode(torch):
    f = cube(torch, lambda x, g: 3 * x**2 * g, lambda x, t: 2 * x**2 * t)
    report = check_gradient(f, "autograd", torch.tensor(X), throw=False)
    assert report.verdict is Verdict.FAIL
    (finding,) = report.findings
    assert finding.kind == "not_adjoint"
    assert finding.message.startswith("Cube.backward: forward mode gives ")


def test_a_tree_of_parameters_of_a_module_goes_by_their_names(torch):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    inputs = torch.ones(5, 3, dtype=torch.float64) * torch.arange(1.0, 6.0, dtype=torch.float64)[:, None] / 5

    def loss(parameters):
        return (torch.func.functional_call(model, parameters, (inputs,)) ** 2).mean()

    report = check_gradient(loss, "autograd", dict(model.named_parameters()))
    assert report.verdict is Verdict.PASS
    assert [name for name, _ in report.point.leaves] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_f_does_not_depend_on_has_zeros(torch):
    x0 = {"a": torch.tensor(X), "b": torch.tensor(X)}
    assert check_gradient(lambda p: (p["a"] ** 2).sum(), "autograd", x0).verdict is Verdict.PASS


def test_arguments_and_numbers_are_variables_too(torch):
    def f(a, s, k):
        return (a**2).sum() * s * k

    assert check_gradient(f, "autograd", (torch.tensor(X), 1.5), args=(3,), unpack=True).verdict is Verdict.PASS


def test_a_jacobian_may_be_asked_of_the_framework(torch):
    report = check_jacobian(lambda x: torch.outer(x, torch.sin(x)), "autograd", torch.tensor(X))
    assert report.verdict is Verdict.PASS
    assert report.shape == (4, 4, 4)
    f = cube(torch, lambda x, g: 2 * x**2 * g)
    assert check_jacobian(lambda x: f(x)[None], "autograd", torch.tensor(X), throw=False).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (lambda x: (x**2).sum().item(), "f returned float; return the tensor itself, without .item()"),
        (lambda x: (x.detach() ** 2).sum(), "the value of f has no grad_fn; do not detach it"),
    ],
)
def test_a_function_that_leaves_the_graph_is_told_so(torch, f, reason):
    report = check_gradient(f, "autograd", torch.tensor(X), throw=False)
    assert report.verdict is Verdict.ERROR
    assert report.findings[0].message.startswith(f"autograd has no way back from f to x0: {reason}")


# ---- jax


def rule(jax, backward):
    @jax.custom_vjp
    def cube(x):
        return x**3

    def forward(x):
        return x**3, x

    cube.defvjp(forward, backward)
    return lambda x: jax.numpy.sum(cube(x) * 2)


def test_a_right_rule_of_jax_passes_and_is_named(jax):
    def cube_back(x, g):
        return (3 * x**2 * g,)

    x0 = jax.numpy.asarray(X, "float32")
    report = check_gradient(rule(jax, cube_back), "autograd", x0)
    assert report.verdict is Verdict.PASS
    assert report.claim.name == "cube_back"
    assert check_gradient(lambda x: jax.numpy.sum(x**2), "autograd", x0).verdict is Verdict.PASS


def test_a_wrong_rule_of_jax_is_found_and_named(jax):
    def cube_back(x, g):
        return (2 * x**2 * g,)

    report = check_gradient(rule(jax, cube_back), "autograd", jax.numpy.asarray(X, "float32"), throw=False)
    assert report.verdict is Verdict.FAIL
    assert report.claim.name == "cube_back"
    assert "numeric = 1.50000 × claimed" in report.diagnoses[0].message


def test_a_rule_of_jax_that_ignores_its_cotangent_is_found(jax):
    def cube_back(x, g):
        return (3 * x**2 * 2,)

    report = check_gradient(rule(jax, cube_back), "autograd", jax.numpy.asarray(X, "float32"), throw=False)
    assert report.verdict is Verdict.FAIL
    assert report.findings[0].kind == "not_linear"
    assert report.findings[0].message.startswith("cube_back is not linear in its cotangent")


def test_a_rule_of_jax_of_another_shape_is_jaxs_own_error(jax):
    def cube_back(x, g):
        return ((3 * x**2 * g)[:2],)

    report = check_gradient(rule(jax, cube_back), "autograd", jax.numpy.asarray(X, "float32"), throw=False)
    assert report.verdict is Verdict.ERROR
    assert "Custom VJP bwd rule must produce" in report.findings[0].message


# ---- elsewhere


def test_numpy_differentiates_nothing():
    with pytest.raises(
        UsageError, match="x0 is made of arrays of NumPy, which differentiates nothing; give a tensor of torch"
    ):
        check_gradient(lambda x: float(x @ x), "autograd", X)
    with pytest.raises(UsageError, match="a claim is 'autgrad'; give the function itself, or 'autograd'"):
        check_gradient(lambda x: float(x @ x), "autgrad", X)


def test_a_framework_without_derivatives_is_named():
    strict = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    with pytest.raises(UsageError, match="x0 is a array_api_strict array, which differentiates nothing"):
        check_gradient(lambda x: strict.sum(x), "autograd", strict.asarray(X))


def test_the_command_line_and_declared_checks_ask_the_framework(torch, tmp_path, monkeypatch):
    (tmp_path / "own_rules.py").write_text(
        "import torch\n"
        "class Cube(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x):\n        ctx.save_for_backward(x)\n        return x**3\n"
        "    @staticmethod\n"
        "    def backward(ctx, g):\n        return 2 * ctx.saved_tensors[0]**2 * g\n"
        "def right(x): return (x**3).sum()\n"
        "def wrong(x): return Cube.apply(x).sum()\n"
    )
    (tmp_path / "setup.cfg").write_text(
        "[gradcheck:right]\ntarget = own_rules:right\ngrad = autograd\ndim = 4\narrays = torch\n"
    )
    monkeypatch.chdir(tmp_path)
    wrong = CliRunner().invoke(command, ["own_rules:wrong", "--grad", "autograd", "--arrays", "torch", "--dim", "4"])
    assert wrong.exit_code == 1
    assert "Cube.backward  own_rules.py:8" in wrong.output
    assert "replay  gradcheck own_rules:wrong --grad autograd --dim 4 --arrays torch --seed 0" in wrong.output
    assert CliRunner().invoke(command, ["right"]).exit_code == 0
    numpy = CliRunner().invoke(command, ["own_rules:wrong", "--grad", "autograd", "--dim", "4"])
    assert (numpy.exit_code, "(--arrays torch)" in numpy.output) == (2, True)


def test_a_hessian_may_be_differenced_from_what_the_framework_derives(torch):
    def f(x):
        return torch.sin(x).sum()

    right, wrong = (lambda x: torch.diag(-torch.sin(x))), (lambda x: torch.diag(torch.sin(x)))
    report = check_hessian(f, right, torch.tensor(X), grad="autograd")
    assert report.verdict is Verdict.PASS
    assert report.claim.name == "<lambda>"
    assert check_hessian(f, wrong, torch.tensor(X), grad="autograd", throw=False).verdict is Verdict.FAIL


def test_of_several_rules_the_wrong_one_is_found(torch):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, k):
            ctx.save_for_backward(x)
            ctx.k = k
            return x**2 * k

        @staticmethod
        def backward(ctx, g):
            return 2 * ctx.saved_tensors[0] * ctx.k * g, None

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(x, y):
            return x * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x * 1.5

    square, product = Square.apply, Product.apply  # as many call them
    forward = Square.forward
    weights = torch.tensor(X + 3)

    def f(x):
        return product(weights, square(x, 3)).sum()

    report = check_gradient(f, "autograd", torch.tensor(X), throw=False)
    assert report.verdict is Verdict.FAIL
    assert report.claim.name == "Product.backward"
    assert "checked by itself against differences of its forward, Product.backward is wrong" in report.notes
    assert Square.forward is forward


def test_a_function_that_raises_when_it_is_asked_once_more_is_told(torch):
    calls = []

    def f(x):
        if x.requires_grad:
            calls.append(1)
            if len(calls) > 4:
                raise RuntimeError("no more")
        return (x**2).sum()

    report = check_gradient(f, "autograd", torch.tensor(X), throw=False)
    assert report.verdict is Verdict.FAIL
    assert report.findings[0].kind == "non_deterministic"
    assert "it raised RuntimeError: no more" in report.findings[0].message


def test_a_function_that_is_random_breaks_no_contract(torch):
    def f(x):
        return torch.nn.functional.dropout(x**2, 0.5).sum()

    report = check_gradient(f, "autograd", torch.tensor(X), throw=False)
    assert {finding.kind for finding in report.findings} <= {"non_deterministic", "order_dependent"}


def test_a_rule_that_returns_none_where_the_derivative_is_0_or_more_digits_than_needed_is_right(torch):
    class Rounded(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.round(x)

        @staticmethod
        def backward(ctx, g):
            return None

    def f(x):
        return (x**2).sum() + Rounded.apply(x).sum()

    report = check_gradient(f, "autograd", torch.tensor(X + 0.1), throw=False)
    assert report.verdict is Verdict.PASS
    single = torch.tensor(X, dtype=torch.float32)
    wide = check_gradient(cube(torch, lambda x, g: 3 * x.double() ** 2 * g), "autograd", single, throw=False)
    assert wide.verdict is Verdict.PASS
