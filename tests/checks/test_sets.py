"""Gradients of functions on sets: f is called there alone, right claims pass, wrong ones fail, and entries are coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck import UsageError, check_gradient, check_hessian
from gradcheck.cli.command import command
from gradcheck.model import Verdict
from gradcheck.variables.sets.named import set_named
from tests.variables.test_sets import SHAPES, PlaneSphere, every_set

RNG = np.random.default_rng(7)
FUNCTIONS = {  # of entries y and weights w: a value, and its gradient by y
    "sine": (lambda y, w: np.sum(w * np.sin(y + 0.2)), lambda y, w: w * np.cos(y + 0.2)),
    "quadratic": (lambda y, w: np.sum(w * y) ** 2 + np.sum(y**3), lambda y, w: 2 * np.sum(w * y) * w + 3 * y**2),
    "exponential": (lambda y, w: np.exp(np.sum(w * y) / 4), lambda y, w: np.exp(np.sum(w * y) / 4) * w / 4),
    "logarithm": (
        lambda y, w: np.log(3 + np.sum(y * y * w * w)),
        lambda y, w: 2 * y * w * w / (3 + np.sum(y * y * w * w)),
    ),
}


def case(name, dtype=np.float64):
    on = set_named(name)
    x = on.draw(RNG.standard_normal(SHAPES[name])).astype(dtype)
    return on, x, RNG.standard_normal(x.shape)


@every_set
@pytest.mark.parametrize("form", list(FUNCTIONS))
def test_right_gradients_pass_with_every_entry_resolved_and_f_never_off_the_set(name, form):
    value, gradient = FUNCTIONS[form]
    on, x, w = case(name)
    off = []

    def f(y):
        off.append(on.distance(y))
        return value(y, w)

    report = check_gradient(f, lambda y: gradient(y, w), x, on=name)
    assert report.verdict is Verdict.PASS
    assert report.checked == len(report.entries) == on.size(x.shape)
    largest = max(abs(entry.claimed) for entry in report.entries)
    assert all(entry.estimate.uncertainty <= 1e-6 * largest for entry in report.entries)
    assert max(off) <= 1e-12
    assert any(f"on {name}" in note and on.basis in note for note in report.notes)


@every_set
def test_an_error_along_a_tangent_fails_and_one_across_the_set_is_free(name):
    value, gradient = FUNCTIONS["quadratic"]
    on, x, w = case(name)
    coordinates = np.zeros(on.size(x.shape))
    coordinates[-1] = 0.01
    along = on.tangent(x, coordinates)

    def wrong(y):
        return gradient(y, w) + along

    assert check_gradient(lambda y: value(y, w), wrong, x, on=name, throw=False).verdict is Verdict.FAIL
    across = on.normal(x, RNG.standard_normal(x.shape))

    def free(y):
        return gradient(y, w) + 100 * on.normal(y, across)

    report = check_gradient(lambda y: value(y, w), free, x, on=name)
    told = [note for note in report.notes if "orthogonal to the set" in note]
    assert bool(told) == bool(np.abs(across).max() > 1e-9)


@every_set
def test_further_points_are_on_the_set_and_claims_are_told_there(name):
    value, gradient = FUNCTIONS["sine"]
    on, x, w = case(name)
    off = []

    def f(y):
        off.append(on.distance(y))
        return value(y, w)

    report = check_gradient(f, lambda y: gradient(y, w), x, on=name, points=3)
    assert report.verdict is Verdict.PASS
    assert len(report.further) == 2
    assert max(off) <= 1e-12
    for point in report.further:
        assert point.shape == x.shape

    def wrong_elsewhere(y):
        return gradient(y, w) * (1 if np.allclose(y, x, atol=1e-2) else 2)

    found = check_gradient(lambda y: value(y, w), wrong_elsewhere, x, on=name, points=3, throw=False)
    assert found.verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["symmetric", "spd"])
@pytest.mark.parametrize("form", list(FUNCTIONS))
def test_what_is_counted_double_or_left_out_beside_the_diagonal_is_named(name, form):
    value, gradient = FUNCTIONS[form]
    _, x, w = case(name)

    def symmetric(y):
        return (gradient(y, w) + gradient(y, w).T) / 2

    def diagnosed(claim):
        report = check_gradient(lambda y: value(y, w), claim, x, on=name, throw=False)
        assert report.verdict is Verdict.FAIL
        (diagnosis,) = report.diagnoses
        assert all(len(set(entry.path)) == 6 for entry in report.entries if entry.verdict is Verdict.FAIL)
        return diagnosis.kind.value, diagnosis.parameters.get("triangle")

    assert diagnosed(lambda y: 2 * symmetric(y) - np.diag(np.diag(symmetric(y)))) == ("doubled_off_diagonal", None)
    assert diagnosed(lambda y: np.tril(symmetric(y))) == ("triangle_only", "lower")
    assert diagnosed(lambda y: np.triu(symmetric(y))) == ("triangle_only", "upper")
    halved = diagnosed(lambda y: symmetric(y) / 2 + np.diag(np.diag(symmetric(y))) / 2)
    assert halved[0] not in ("triangle_only", "doubled_off_diagonal")


def test_an_f_that_is_not_defined_off_the_set_can_be_checked():
    _on, x, w = case("spd")

    def f(P):
        np.linalg.cholesky(P)
        assert (P == P.T).all()
        return float(np.sum(w * np.linalg.inv(P)))

    def grad(P):
        inverse = np.linalg.inv(P)
        return -inverse @ w.T @ inverse

    assert check_gradient(f, grad, x, on="spd").verdict is Verdict.PASS
    assert check_gradient(f, lambda P: -np.linalg.inv(P) @ w @ P, x, on="spd", throw=False).verdict is Verdict.FAIL


def test_entries_go_by_the_coordinates():
    value, gradient = FUNCTIONS["sine"]
    for name, first in {
        "SO3": "omega[0]", "SE3": "rho[0]", "sphere": "tangent[0]", "spd": "[0, 0]", "diagonal": "[0, 0]", "SO2": "angle",
    }.items():  # fmt: skip
        _on, x, w = case(name)
        report = check_gradient(lambda y, w=w: value(y, w), lambda y, w=w: gradient(y, w), x, on=name)
        assert first in {entry.path for entry in report.entries}
        assert report.point.shape == x.shape


def test_leaves_of_a_tree_are_on_sets_of_their_own_and_others_are_free():
    on, R, w = case("SO3")
    t = np.array([1.0, -2.0, 0.5])

    def f(p):
        assert on.distance(p["R"]) <= 1e-12
        return float(np.sin(p["R"] @ p["t"]) @ w[0])

    def grad(p):
        slope = np.cos(p["R"] @ p["t"]) * w[0]
        return {"R": np.outer(slope, p["t"]), "t": p["R"].T @ slope}

    report = check_gradient(f, grad, {"R": R, "t": t}, on={"R": "SO3"})
    assert {entry.path for entry in report.entries} == {f"{name}[{k}]" for name in ("R.omega", "t") for k in range(3)}
    wrong = check_gradient(f, lambda p: grad(p) | {"t": p["R"] @ t}, {"R": R, "t": t}, on={"R": "SO3"}, throw=False)
    assert {entry.path for entry in wrong.entries if entry.verdict is Verdict.FAIL} <= {f"t[{k}]" for k in range(3)}
    assert wrong.verdict is Verdict.FAIL


def test_an_object_of_another_library_is_a_set():
    x = np.array([0.6, 0.0, 0.8])
    w = np.array([1.0, 2.0, 3.0])
    lengths = []

    def f(y):
        lengths.append(np.linalg.norm(y))
        return float(np.exp(w @ y))

    report = check_gradient(f, lambda y: np.exp(w @ y) * w, x, on=PlaneSphere())
    assert report.checked == 2
    np.testing.assert_allclose(lengths, 1, atol=1e-12)
    assert report.options["on"] == "PlaneSphere"


def test_single_precision_is_judged_with_its_rounding():
    value, gradient = FUNCTIONS["quadratic"]
    _on, x, w = case("sphere", np.float32)
    w = w.astype(np.float32)
    report = check_gradient(lambda y: value(y, w), lambda y: gradient(y, w), x, on="sphere", rtol=1e-2)
    assert report.verdict is Verdict.PASS
    assert report.point.dtype == "float32"


def test_tensors_live_on_sets():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    _on, x, w = case("SO3")
    weights = torch.tensor(w)
    report = check_gradient(lambda R: (weights * R.sin()).sum(), lambda R: weights * R.cos(), torch.tensor(x), on="SO3")
    assert report.verdict is Verdict.PASS


def f(x):
    return float((x**3).sum())


def grad(x):
    return 3 * x**2


E1 = np.array([1.0, 0.0])
REFUSED = [
    ({"x0": [1.0, 2.0], "on": "sphere"}, "x0 is off sphere by 1.24; give a point of the set"),
    ({"x0": np.diag([1.0, 1.0, -1.0]), "on": "SO3"}, "x0 is off SO3 by 2; give a point of the set"),
    ({"x0": [0.0, 1.0], "on": "simplex"}, r"x0 is on the edge of simplex: \[0\] is 0"),
    ({"x0": np.diag([0.0, 1.0]), "on": "spd"}, "x0 is on the edge of spd: its smallest eigenvalue is 0"),
    ({"x0": [1.0, 0.0], "on": "SO3"}, "x0 has shape 2, and a point of SO3 shape 3x3"),
    ({"x0": E1, "on": "spere"}, "on is 'spere'; it must be one of sphere, .* did you mean sphere?"),
    ({"x0": E1, "on": "periodic:-1"}, "its period must be a number above 0"),
    ({"x0": E1, "on": 3}, "on is 3; it must be one of sphere"),
    ({"x0": E1, "on": {"R": "SO3"}}, "on names leaves, and x0 is one array"),
    ({"x0": {"a": E1, "b": E1}, "on": "sphere"}, "x0 has several leaves"),
    ({"x0": {"a": E1, "b": E1}, "on": {"c": "sphere"}}, "on names c, which is no leaf"),
    ({"x0": E1, "on": "sphere", "bounds": (0, 1)}, "on and bounds do not go together"),
    ({"x0": E1, "on": "sphere", "elementwise": True}, "on and elementwise do not go together"),
    ({"x0": E1, "on": "sphere", "knob": "tol"}, "on and knob do not go together"),
    ({"x0": E1 + 0j, "on": "sphere"}, "x0 is complex, and on is for real variables"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "reason"), REFUSED)
def test_what_cannot_be_is_refused_with_its_reason(given, reason):
    with pytest.raises(UsageError, match=reason):
        check_gradient(f, grad, **given)


def test_a_hessian_by_entries_needs_the_gradient_whose_bend_it_has():
    with pytest.raises(
        UsageError, match=r"a Hessian by entries on sphere is that along curves of f.*: give grad as well"
    ):
        check_hessian(f, lambda x: np.diag(6 * x), E1, on="sphere")


@pytest.mark.parametrize(
    "place", ["--on SO3", "--shape 4x4 --on spd", "--var x=3 --on x=sphere", "--dim 3 --on drawn_on_sets:ball"]
)
def test_the_command_line_draws_points_of_the_set(tmp_path, monkeypatch, place):
    (tmp_path / "drawn_on_sets.py").write_text(
        "from tests.variables.test_sets import PlaneSphere\n"
        "class Ball(PlaneSphere):\n"
        "    def random_point(self):\n        import numpy as np\n        return np.array([0.6, 0.48, 0.64])\n"
        "ball = Ball()\n"
        "def f(x): return float((x**3).sum())\n"
        "def g(x): return 3 * x**2\n"
        "def wrong(x): return 3 * x**2 + x[::-1] + 0.1\n"
    )
    monkeypatch.chdir(tmp_path)
    right = CliRunner().invoke(command, ["drawn_on_sets:f", "--grad", "drawn_on_sets:g", *place.split()])
    assert right.exit_code == 0, right.output
    assert "random on" in right.output
    assert f"{place} --seed 0" in right.output
    assert (
        CliRunner().invoke(command, ["drawn_on_sets:f", "--grad", "drawn_on_sets:wrong", *place.split()]).exit_code == 1
    )
