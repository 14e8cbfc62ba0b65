"""Derivatives on sets in every form: right ones pass, mistakes of convention fail and are named, in a slice of the benchmark."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import gradcheck
from gradcheck import UsageError, check_gradient, check_hessian, check_hvp, check_jacobian, check_jvp, check_vjp
from gradcheck.cli.command import command
from gradcheck.model import DiagnosisKind, FindingKind, Verdict
from gradcheck.variables.sets.forms import Parameters
from tests.checks.set_functions import MISTAKES, NEAR, RESOLVED, Case, basis, rights
from tests.diagnosis.documented import assert_documented

every_set = pytest.mark.parametrize("name", list(MISTAKES))


def kinds(report):
    return [diagnosis.kind.value for diagnosis in report.diagnoses]


@every_set
def test_right_derivatives_pass_with_every_entry_resolved_and_f_on_the_set(name):
    case = Case(name, "sine")
    for kind, form, keywords in rights(case):
        if kind == "jacobian":
            report = check_jacobian(case.values, case.jacobian, case.x, on=name, **keywords)
        elif kind == "hessian":
            report = check_hessian(case.f, case.hessian, case.x, grad=case.gradient, on=name, **keywords)
        else:
            report = check_gradient(case.f, case.claim(form), case.x, on=name, **keywords)
        assert report.verdict is Verdict.PASS
        largest = max(abs(entry.claimed) for entry in report.entries)
        assert all(entry.estimate.uncertainty <= RESOLVED * largest for entry in report.entries)
    assert case.off <= NEAR


@every_set
def test_mistakes_of_convention_fail_and_are_named(name):
    case = Case(name, "cubic")
    for mistake in MISTAKES[name]:
        report = check_gradient(
            case.f, mistake.wrong(case), case.x, on=name, claimed=mistake.claimed, throw=False, fix=False
        )
        assert report.verdict is Verdict.FAIL, mistake
        assert kinds(report)[0] in mistake.kinds, mistake
        assert_documented(report.diagnoses[0])


@every_set
def test_a_gradient_by_parameters_is_found_to_be_one(name):
    case = Case(name, "logarithm")
    for form in case.forms.values():
        if not isinstance(form, Parameters) or form.shape(case.on, case.x) == case.x.shape or form.name == "log":
            continue
        report = check_gradient(case.f, case.claim(form.name), case.x, on=name)
        assert report.verdict is Verdict.PASS
        assert any(note.startswith("claimed: ") for note in report.notes) or form.name == "tangent"


def second(case, form):
    """The right Hessian in a form, by the chain rule along its curves."""
    B, y = basis(case.on, case.x), case.x
    seen = np.stack([form.seen(case.on, y, column.reshape(y.shape)).ravel() for column in B.T], axis=1)
    back = np.linalg.pinv(seen)
    return back.T @ (B.T @ case.hessian(y) @ B + form.curvature(case.on, y, case.gradient(y))) @ back


@every_set
def test_products_along_the_set_are_told_right_from_wrong(name):
    case = Case(name, "exponential")

    def hvp(y, v):
        return (case.hessian(y) @ v.ravel()).reshape(y.shape)

    def jvp(y, v):
        return case.jacobian(y) @ v.ravel()

    def vjp(y, u):
        return (u @ case.jacobian(y)).reshape(y.shape)

    assert check_hvp(case.f, hvp, case.x, grad=case.gradient, on=name).verdict is Verdict.PASS
    assert check_jvp(case.values, jvp, case.x, vjp=vjp, on=name).verdict is Verdict.PASS
    assert check_vjp(case.values, vjp, case.x, on=name).verdict is Verdict.PASS
    if name not in ("sphere", "SO3", "simplex"):
        return
    for check, f, claim in (
        (check_hvp, case.f, lambda y, v: 1.1 * hvp(y, v)),
        (check_jvp, case.values, lambda y, v: 1.1 * jvp(y, v)),
        (check_vjp, case.values, lambda y, u: 1.1 * vjp(y, u)),
    ):
        more = {"grad": case.gradient} if check is check_hvp else {}
        assert check(f, claim, case.x, on=name, throw=False, **more).verdict is Verdict.FAIL
    assert case.off <= NEAR


@pytest.mark.parametrize(
    ("name", "claimed"),
    [
        ("sphere", "riemannian"), ("sphere", "minimal"), ("spd", "riemannian:affine"), ("simplex", "riemannian:fisher"),
        ("orthogonal", "riemannian:canonical"), ("SO3", "left"), ("SE3", "right"), ("SE3", "left"), ("SE2", "minimal"),
        ("quaternion", "right"), ("spd", "voigt"), ("positive", "log"), ("positive", "riemannian:logarithmic"),
    ],
)  # fmt: skip
def test_hessians_along_the_curves_of_each_form(name, claimed):
    case = Case(name, "logarithm")
    form = case.forms[claimed]
    B = basis(case.on, case.x)
    whole = B.T @ case.hessian(case.x) @ B + form.curvature(case.on, case.x, case.gradient(case.x))
    if isinstance(form, Parameters):
        right = second(case, form)
    else:  # an operator on tangents, whose inner products in the metric are second derivatives
        lowered = np.stack([form.metric.lower(case.x, b.reshape(case.x.shape)).ravel() for b in B.T], axis=1)
        right = B @ np.linalg.solve(B.T @ lowered, whole) @ np.linalg.pinv(B)
    how = {"grad": case.claim(claimed), "on": name, "claimed": claimed}
    assert check_hessian(case.f, lambda y: right, case.x, **how).verdict is Verdict.PASS
    wrong = check_hessian(case.f, lambda y: right + 0.01 * np.outer(right[0], right[0]), case.x, throw=False, **how)
    assert wrong.verdict is Verdict.FAIL


def test_a_hessian_that_is_projected_alone_lacks_the_curvature():
    case = Case("sphere", "cubic")
    B = basis(case.on, case.x)
    P = B @ B.T

    def projected(y):
        return P @ case.hessian(y) @ P

    report = check_hessian(
        case.f, projected, case.x, grad=case.gradient, on="sphere", riemannian=True, throw=False, fix=False
    )
    assert kinds(report) == ["missing_term"]
    assert report.diagnoses[0].parameters["term"] == "curvature of the set"
    right = check_hessian(
        case.f,
        lambda y: projected(y) - (y @ case.gradient(y)) * P,
        case.x,
        grad=case.gradient,
        on="sphere",
        riemannian=True,
    )
    assert right.verdict is Verdict.PASS


def test_a_hessian_of_many_coordinates_is_differenced_from_its_gradient():
    random = np.random.default_rng(0)
    M, x = random.standard_normal((80, 80)), random.standard_normal(80)
    M, x = M + M.T, x / np.linalg.norm(x)
    report = check_hessian(lambda y: y @ M @ y / 2, lambda y: M, x, grad=lambda y: M @ y, on="sphere")
    assert report.checked == 79 * 79
    assert report.nfev < 100
    assert not any("differenced twice" in note for note in report.notes)


def test_leaves_are_claimed_in_forms_of_their_own():
    case, t = Case("SO3", "sine"), np.array([0.3, -0.4, 1.2])

    def f(p):
        return case.f(p["R"]) + float(np.sin(p["R"] @ p["t"]).sum())

    def entries(p):
        slope = np.cos(p["R"] @ p["t"])
        return {"R": case.gradient(p["R"]) + np.outer(slope, p["t"]), "t": p["R"].T @ slope}

    def by_perturbation(side):
        def claim(p):
            g = entries(p)
            return {"R": case.forms[side].velocities(case.on, p["R"]).T @ g["R"].ravel(), "t": g["t"]}

        return claim

    x0, on = {"R": case.x, "t": t}, {"R": "SO3"}
    assert check_gradient(f, by_perturbation("left"), x0, on=on, claimed={"R": "left"}).verdict is Verdict.PASS
    assert check_gradient(f, by_perturbation("left"), x0, on=on).verdict is Verdict.PASS
    wrong = check_gradient(f, by_perturbation("left"), x0, on=on, claimed={"R": "right"}, throw=False)
    assert kinds(wrong) == ["left_for_right"]
    assert wrong.diagnoses[0].parameters["leaf"] == "R"
    blocks = check_jacobian(lambda p: np.array([f(p)]), lambda p: entries(p), x0, on=on)  # a tree of blocks
    assert blocks.verdict is Verdict.PASS


def test_tensors_are_claimed_by_perturbations():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    case = Case("SO3", "sine")
    w = torch.tensor(case.w)

    def f(R):
        return (w * torch.sin(R + 0.2)).sum()

    def right(R):
        g = w * torch.cos(R + 0.2)
        turn = R.T @ g - g.T @ R
        return torch.stack([turn[2, 1], turn[0, 2], turn[1, 0]])

    def hvp(R, omega):
        raise AssertionError("is not asked")

    assert check_gradient(f, right, torch.tensor(case.x), on="SO3", claimed="right").verdict is Verdict.PASS
    wrong = check_gradient(f, lambda R: R @ right(R), torch.tensor(case.x), on="SO3", claimed="right", throw=False)
    assert kinds(wrong) == ["left_for_right"]


REFUSED = [
    ({"claimed": "left"}, "claimed is for an x on a set"),
    ({"riemannian": True}, "riemannian is for an x on a set"),
    ({"on": "sphere", "claimed": "lef"}, "claimed is 'lef', and on sphere it can be ambient, riemannian, minimal"),
    ({"on": "sphere", "claimed": "ambient", "riemannian": True}, "riemannian and claimed both say"),
    ({"on": "sphere", "claimed": 3}, "claimed is 3; it must be ambient"),
    ({"invariant": 3}, "invariant is 3; it must be a function of x"),
    ({"on": "sphere", "invariant": lambda x: 2 * x}, "invariant leads off sphere by 1"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "reason"), REFUSED)
def test_what_makes_no_sense_is_refused(given, reason):
    with pytest.raises(UsageError, match=reason):
        check_gradient(lambda x: x @ x, lambda x: 2 * x, np.array([0.6, 0.8]), **given)


def test_a_claim_of_another_shape_is_told_what_is_expected():
    case = Case("SO3", "sine")
    report = check_gradient(case.f, lambda y: np.ones(2), case.x, on="SO3", throw=False)
    assert report.verdict is Verdict.ERROR
    assert "expected (3, 3) or (3,)" in report.findings[0].message
    product = check_vjp(case.values, lambda y, u: np.ones(3), case.x, on="SO3", throw=False)
    assert "claimed='right'" in product.findings[0].message


SPECIAL = [
    ("SO3", np.eye(3), "the identity"), ("SO3", np.diag([1.0, -1.0, -1.0]), "180°"), ("SE3", np.eye(4), "the identity"),
    ("quaternion", np.eye(4)[0], "the identity"), ("quaternion", np.eye(4)[1], "180°"),
    ("simplex", np.full(4, 0.25), "uniform"), ("spd", np.diag([1.0, 2.0, 2.0]), "two of its eigenvalues"),
    ("symmetric", np.diag([2.0, 2.0]), "all its eigenvalues"), ("sphere", np.eye(3)[1], "axis"),
    ("orthogonal", np.eye(4)[:, :2], "axes"), ("positive", np.ones(3), "all its entries are 1"),
    ("periodic:2", np.array([0.0, 1.0]), "middle of the cell"), ("diagonal", np.diag([3.0, 3.0]), "equal"),
    ("SO2", np.eye(2), "the identity"), ("SE2", np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]]), "translation is 0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "x", "what"), SPECIAL)
def test_special_points_are_warned_of_with_another_to_try(name, x, what):
    w = np.arange(1.0, x.size + 1).reshape(x.shape)

    def f(y):
        return float(np.sum(w * np.sin(np.pi * y + 0.4)))

    def grad(y):
        return np.pi * w * np.cos(np.pi * y + 0.4)

    report = check_gradient(f, grad, x, on=name)
    assert report.verdict is Verdict.PASS
    (found,) = [finding for finding in report.findings if finding.kind is FindingKind.SPECIAL_POINT]
    assert what in found.message
    typed = found.message.partition("try ")[2].partition(". Check")[0]
    another = np.array(eval(typed))
    assert another.shape == x.shape
    again = check_gradient(f, grad, another, on=name)
    assert not any("special" in finding.message for finding in again.findings)


def test_a_wrong_jacobian_that_looks_right_at_the_identity_is_seen_at_the_point_to_try():
    p = np.array([1.0, -2.0, 0.5])

    def f(R):
        return R @ p

    def by_left(R):
        return -np.array([[0, -(R @ p)[2], (R @ p)[1]], [(R @ p)[2], 0, -(R @ p)[0]], [-(R @ p)[1], (R @ p)[0], 0]])

    at_identity = check_jacobian(f, by_left, np.eye(3), on="SO3", claimed="right")
    assert at_identity.verdict is Verdict.PASS
    (found,) = [finding for finding in at_identity.findings if finding.kind is FindingKind.SPECIAL_POINT]
    another = np.array(eval(found.message.partition("try ")[2].partition(". Check")[0]))
    elsewhere = check_jacobian(f, by_left, another, on="SO3", claimed="right", throw=False)
    assert kinds(elsewhere) == ["left_for_right"]


def test_a_stationary_point_on_the_set_is_special_for_f():
    M, x = np.diag([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0])
    report = check_gradient(lambda x: x @ M @ x, lambda x: 2 * M @ x, x, on="sphere")
    (found,) = [finding for finding in report.findings if finding.kind is FindingKind.SPECIAL_POINT]
    assert {"stationary", "on sphere"} <= set(found.evidence["special"])


def test_a_quick_look_is_no_look_at_a_set():
    case = Case("sphere", "sine")
    report = check_gradient(case.f, case.gradient, case.x, on="sphere", riemannian=True, fast=True, throw=False)
    assert report.verdict is Verdict.FAIL


# ---- orbits


def test_what_must_not_change_along_an_orbit_is_tested_first():
    M = np.diag([1.0, 2.0, 3.0])
    x = np.array([0.6, 0.48, 0.64])

    def rayleigh(x):
        return float(x @ M @ x)

    def grad(x):
        return 2 * M @ x

    kept = check_gradient(rayleigh, grad, x, on="sphere", invariant=lambda x: -x)
    assert any("along the orbit" in note for note in kept.notes)
    report = check_gradient(
        lambda x: rayleigh(x) + 1e-3 * x[0],
        lambda x: grad(x) + np.array([1e-3, 0, 0]),
        x,
        on="sphere",
        invariant=lambda x: -x,
        throw=False,
    )
    assert report.verdict is Verdict.FAIL
    assert [finding.kind for finding in report.findings] == [FindingKind.NOT_INVARIANT]
    assert not report.failed


def test_an_orbit_of_a_group_is_looked_at_in_several_places():
    points, seen = np.arange(12.0).reshape(4, 3) ** 1.1, []

    def turned(x, t):
        seen.append(t)
        c, s = np.cos(np.pi * t), np.sin(np.pi * t)
        return x @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T + t

    def f(x):
        return float(np.linalg.norm(x[0] - x[1]) + np.linalg.norm(x[2] - x[3]))

    def grad(x):
        out = np.zeros_like(x)
        for i, j in ((0, 1), (2, 3)):
            u = (x[i] - x[j]) / np.linalg.norm(x[i] - x[j])
            out[i], out[j] = u, -u
        return out

    assert check_gradient(f, grad, points, invariant=turned).verdict is Verdict.PASS
    assert len(set(seen)) == 4
    off = check_gradient(lambda x: f(x) + x[0, 0] ** 2, grad, points, invariant=turned, throw=False)
    assert FindingKind.NOT_INVARIANT in [finding.kind for finding in off.findings]


# ---- faces


MODULE = """
import numpy as np
W = np.arange(9.0).reshape(3, 3) / 7
def f(R): return float(np.sum(W * np.sin(R)))
def entries(R): return W * np.cos(R)
def right(R):
    turn = R.T @ entries(R)
    skew = turn - turn.T
    return np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
def tangent(R): return (entries(R) - R @ entries(R).T @ R) / 2
def itself(R, t): return R
def other(R, t): return R.T
"""


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ("--grad on_faces:right --claimed right", 0, "perturbation from the right"),
        ("--grad on_faces:right", 0, "found; claimed='right'"),
        ("--grad on_faces:right --claimed left", 1, "left_for_right"),
        ("--grad on_faces:tangent --riemannian", 0, "in the metric inherited"),
        ("--grad on_faces:entries --riemannian", 1, "not_projected"),
        ("--grad on_faces:tangent --claimed riemannian:half-trace", 1, "other_form"),
        ("--grad on_faces:entries --invariant on_faces:itself", 0, "along the orbit"),
        ("--grad on_faces:entries --invariant on_faces:other", 1, "f changes by"),
        ("--grad on_faces:entries --claimed up", 2, "on SO3 it can be ambient"),
    ],
)
def test_the_command_line_says_and_finds_what_is_claimed(tmp_path, monkeypatch, options, code, text):
    (tmp_path / "on_faces.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, ["on_faces:f", "--on", "SO3", "--no-fix", *options.split()])
    assert result.exit_code == code, result.output
    assert text in " ".join(result.output.split())


def test_declared_checks_say_what_is_claimed(tmp_path, monkeypatch):
    (tmp_path / "on_declared.py").write_text(MODULE)
    checks = (
        {"name": "turn", "grad": "on_declared:right", "claimed": "right"},
        {"name": "tangent", "grad": "on_declared:tangent", "riemannian": True, "invariant": "on_declared:itself"},
    )
    tables = [{"target": "on_declared:f", "on": "SO3", **check} for check in checks]
    text = "\n".join(
        "[[tool.gradcheck.checks]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
        for table in tables
    )
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, ["turn", "tangent"])
    assert result.exit_code == 0, result.output


def test_the_plugin_takes_forms(pytester):
    pytester.makepyfile(
        MODULE
        + "import pytest\n"
        + "@pytest.mark.gradcheck(on='SO3', claimed='right')\n"
        + "def test_right(gradcheck):\n"
        + "    c, s = np.cos(0.7), np.sin(0.7)\n"
        + "    gradcheck(f, right, np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]))\n"
    )
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_names_of_diagnoses_are_public():
    assert {"not_projected", "left_for_right", "scaled_tangent", "other_form"} <= {kind.value for kind in DiagnosisKind}
    assert gradcheck.Options(riemannian=True).riemannian
