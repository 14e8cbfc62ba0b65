"""Complex variables: the convention of a claim is found by measurement, and what breaks all of them is named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck import PointError, UsageError, check_gradient, check_hessian, check_jacobian
from gradcheck.cli.command import command
from gradcheck.evaluation.line import LADDER
from gradcheck.model import ComplexEstimate, Convention, FindingKind, Verdict
from gradcheck.reporting.json import to_dict
from gradcheck.reporting.restore import restore
from tests.checks.complex_functions import CONVENTIONS, HOLOMORPHIC, MISTAKES, REAL, Case, data, random_problem, some

random = np.random.default_rng(17)
A = random.normal(size=(7, 5)) + 1j * random.normal(size=(7, 5))
B = random.normal(size=7) + 1j * random.normal(size=7)
Z = random.normal(size=5) + 1j * random.normal(size=5)
ALL = {
    "steepest": lambda g: g,
    "conjugate": np.conj,
    "wirtinger": lambda g: np.conj(g) / 2,
    "wirtinger_conjugate": lambda g: g / 2,
    "real_part": np.real,
}


def f(z: Any) -> float:
    return float(np.linalg.norm(A @ z - B) ** 2)


def steepest(z: Any) -> Any:
    return 2 * A.conj().T @ (A @ z - B)


def claim(convention: str, g: Callable[[Any], Any] = steepest) -> Callable[[Any], Any]:
    return lambda z: ALL[convention](g(z))


@pytest.mark.parametrize("method", ["coordinates", "directions"])
@pytest.mark.parametrize("convention", ALL)
def test_each_convention_passes_and_is_named(convention: str, method: str) -> None:
    report = check_gradient(f, claim(convention), Z, method=method)
    assert report.convention == convention
    assert report.conventions == (Convention(convention),)
    assert f"convention  {convention}: " in str(report)


@pytest.mark.parametrize("convention", ALL)
def test_the_convention_that_is_demanded_passes_alone(convention: str) -> None:
    assert check_gradient(f, claim(convention), Z, convention=convention).verdict is Verdict.PASS
    for other in set(ALL) - {convention, "real_part"}:
        wrong = check_gradient(f, claim(convention), Z, convention=other, throw=False)
        assert wrong.verdict is Verdict.FAIL
        assert wrong.convention == other


@pytest.mark.parametrize(
    ("convention", "kind"),
    [
        ("conjugate", "conjugated"),
        ("wirtinger_conjugate", "half"),
        ("wirtinger", "half"),
        ("real_part", "real_part_only"),
    ],
)
def test_another_convention_than_the_one_demanded_is_named_as_a_mistake(convention: str, kind: str) -> None:
    report = check_gradient(f, claim(convention), Z, convention="steepest", throw=False)
    assert [d.kind for d in report.diagnoses] == [kind]
    assert report.diagnoses[0].parameters["convention"] == "steepest"
    assert all(entry.explained for entry in report.entries)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (np.conj, "conjugated"),
        (lambda g: g / 2, "half"),
        (lambda g: g.real + 0j, "real_part_only"),
        (lambda g: g.imag + 1j * g.real, "swapped_parts"),
        (np.negative, "sign"),
        (lambda g: 1j * g, "scale"),
    ],
)
@pytest.mark.parametrize("convention", ["steepest", "conjugate", "wirtinger"])
def test_a_mix_of_two_conventions_is_named_with_its_entries(change: Any, kind: str, convention: str) -> None:
    def wrong(z: Any) -> Any:
        g = claim(convention)(z)
        g[[1, 3]] = change(g[[1, 3]])
        return g

    report = check_gradient(f, wrong, Z, throw=False)
    assert (report.verdict, report.failed, report.checked) == (Verdict.FAIL, 2, 5)
    assert report.convention == convention
    assert report.diagnoses[0].kind == kind
    assert report.diagnoses[0].parameters["indices"] == [[1], [3]]
    assert {entry.path for entry in report.entries if entry.verdict is Verdict.FAIL} == {"z[1]", "z[3]"}


def test_swapped_parts_are_named_as_a_whole() -> None:
    report = check_gradient(f, lambda z: steepest(z).imag + 1j * steepest(z).real, Z, throw=False)
    assert [d.kind for d in report.diagnoses] == ["swapped_parts"]


def test_what_fits_no_convention_fails_and_says_so() -> None:
    report = check_gradient(f, lambda z: steepest(z) * np.exp(1j * np.arange(5)), Z, throw=False)
    assert report.verdict is Verdict.FAIL
    assert "the one that fits best, and it does not hold" in str(report)


@pytest.mark.parametrize("size", [1e-4, 1e-2])
@pytest.mark.parametrize("part", [1, 1j])
def test_a_small_error_of_one_part_is_seen(part: complex, size: float) -> None:
    def wrong(z: Any) -> Any:
        g = steepest(z)
        g[2] += part * size * abs(g[2])
        return g

    report = check_gradient(f, wrong, Z, throw=False)
    assert (report.verdict, report.failed) == (Verdict.FAIL, 1)
    entry = report.entries[0]
    assert entry.path == "z[2]"
    assert isinstance(entry.estimate, ComplexEstimate)
    assert entry.claimed == pytest.approx(wrong(Z)[2])
    assert entry.estimate.value == pytest.approx(steepest(Z)[2])
    assert 0 < entry.estimate.uncertainty.real < 1e-6
    assert 0 < entry.estimate.uncertainty.imag < 1e-6


def test_numeric_values_are_shown_in_the_convention_of_the_claim() -> None:
    report = check_gradient(f, claim("wirtinger"), Z)
    for entry in report.entries:
        assert entry.claimed == pytest.approx(claim("wirtinger")(Z)[entry.index])
        assert entry.estimate.value == pytest.approx(entry.claimed)


def test_a_real_gradient_can_be_several_conventions_and_the_report_says_which() -> None:
    report = check_gradient(lambda z: np.sum(z.real**2), lambda z: 2 * z.real, Z)
    assert report.convention == "steepest"
    assert "conjugate" in report.conventions
    assert "they cannot be told apart here" in str(report)


def test_a_claim_of_the_real_part_alone_says_what_was_not_checked() -> None:
    report = check_gradient(f, claim("real_part"), Z)
    assert report.checked == 5
    assert any("imaginary parts is not claimed" in note for note in report.notes)
    wrong = check_gradient(f, lambda z: 1.01 * steepest(z).real, Z, throw=False)
    assert wrong.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "x0", [Z[0], np.asarray(Z[0]), Z.reshape(1, 5), {"z": Z, "t": 2.0}, [Z, np.ones(2)], {"z": 1 + 2j}]
)
def test_any_shape_and_any_leaf_of_a_tree(x0: Any) -> None:
    def leaves(tree: Any) -> list[Any]:
        if isinstance(tree, dict):
            return list(tree.values())
        return tree if isinstance(tree, list) else [tree]

    def of_any(tree: Any) -> Any:
        return sum(np.sum(np.abs(leaf) ** 4) for leaf in leaves(tree))

    def gradient(tree: Any) -> Any:
        found = [4 * np.abs(leaf) ** 2 * np.conj(leaf) for leaf in leaves(tree)]
        if isinstance(tree, dict):
            return dict(zip(tree, found, strict=True))
        return found if isinstance(tree, list) else found[0]

    report = check_gradient(of_any, gradient, x0)
    assert report.convention == "conjugate"
    assert report.checked == sum(np.size(leaf) for leaf in leaves(x0))


def test_single_precision_is_told_from_double() -> None:
    z = Z.astype(np.complex64)
    report = check_gradient(lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z, z)
    assert report.point.dtype == "complex64"
    wrong = check_gradient(lambda z: np.sum(np.abs(z) ** 2), lambda z: 2.01 * z, z, throw=False)
    assert wrong.verdict is Verdict.FAIL


def test_a_real_f_may_return_complex_numbers_without_an_imaginary_part() -> None:
    report = check_gradient(lambda z: np.vdot(z, z), lambda z: 2 * z, Z)
    assert report.convention == "steepest"


def test_a_kink_is_a_kink() -> None:
    z = Z.copy()
    z[2] = 0
    report = check_gradient(lambda z: np.sum(np.abs(z)), lambda z: z / np.maximum(np.abs(z), 1e-300), z, throw=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert FindingKind.KINK in [finding.kind for finding in report.findings]
    assert report.entries[0].path == "z[2]"


def test_bounds_are_refused_with_a_word() -> None:
    with pytest.raises(PointError, match="complex numbers have no order"):
        check_gradient(f, steepest, Z, bounds=(0, 1))
    tree = {"z": Z, "t": np.ones(2)}
    check_gradient(
        lambda p: f(p["z"]) + p["t"].sum(),
        lambda p: {"z": steepest(p["z"]), "t": np.ones(2)},
        tree,
        bounds={"t": (0, 2)},
    )


def test_a_convention_is_for_complex_variables() -> None:
    with pytest.raises(UsageError, match="x0 is real"):
        check_gradient(np.sum, np.ones_like, np.ones(3), convention="steepest")
    with pytest.raises(UsageError, match="did you mean conjugate"):
        check_gradient(f, steepest, Z, convention="conjugat")


def test_json_has_both_parts_and_gives_the_report_back() -> None:
    report = check_gradient(f, lambda z: steepest(z) + 0.1j, Z, throw=False)
    text = report.to_json()
    check = json.loads(text)["checks"][0]
    assert check["conventions"] == ["steepest"]
    assert set(check["entries"][0]["claimed"]) == {"re", "im"}
    again = restore(to_dict([report])["checks"][0])
    assert list(again.entries) == list(report.entries)
    assert again.convention == "steepest"
    assert report.to_html()
    assert report.to_markdown()


def test_one_wrong_entry_of_many_is_found_along_directions() -> None:
    random = np.random.default_rng(3)
    z = random.normal(size=4000) + 1j * random.normal(size=4000)

    def wrong(z: Any) -> Any:
        g = 4 * np.abs(z) ** 2 * z
        g[1234] = np.conj(g[1234])
        return g

    report = check_gradient(lambda z: np.sum(np.abs(z) ** 4), wrong, z, method="directions", throw=False)
    assert report.verdict is Verdict.FAIL
    assert report.convention == "steepest"
    assert [entry.path for entry in report.entries] == ["z[1234]"]
    assert report.failed == 1
    assert report.nfev < 2000


def test_further_points_keep_the_convention() -> None:
    report = check_gradient(f, claim("conjugate"), Z, points=4)
    assert len(report.further) == 3
    mixed = check_gradient(f, lambda z: steepest(z) if (z == Z).all() else steepest(z).conj(), Z, points=4, throw=False)
    assert mixed.verdict is Verdict.FAIL


def test_the_derivative_of_a_holomorphic_f_is_a_gradient_too() -> None:
    report = check_gradient(lambda z: np.sum(np.exp(z)), np.exp, Z)
    assert report.conventions == (Convention.HOLOMORPHIC,)
    assert report.shape == (5,)
    wrong = check_gradient(lambda z: np.sum(np.exp(z)), lambda z: np.exp(z).conj(), Z, throw=False)
    assert [d.kind for d in wrong.diagnoses] == ["conjugated"]
    other = check_gradient(lambda z: np.sum(np.exp(z)), np.exp, Z, throw=False, convention="holomorphic")
    assert other.verdict is Verdict.PASS


def test_an_f_that_is_not_holomorphic_has_no_such_derivative() -> None:
    report = check_gradient(lambda z: np.sum(z * np.conj(z) * 1j), lambda z: 1j * np.conj(z), Z, throw=False)
    assert report.verdict is Verdict.FAIL
    (finding,) = [finding for finding in report.findings if finding.kind is FindingKind.NOT_HOLOMORPHIC]
    assert finding.evidence["rest"] == pytest.approx(np.abs(Z).max())
    assert finding.evidence["wirtinger"]
    assert "not holomorphic" in report.headline


@pytest.mark.parametrize("method", ["auto", "directions"])
@pytest.mark.parametrize("convention", ALL)
def test_jacobians_of_real_values_keep_to_one_convention(convention: str, method: str) -> None:
    def jac(z: Any) -> Any:
        return ALL[convention](2 * (A @ z)[:, None] * A.conj())

    report = check_jacobian(lambda z: np.abs(A @ z) ** 2, jac, Z, method=method)
    assert report.conventions == (Convention(convention),)
    assert report.shape == (7, 5)
    report = check_jacobian(lambda z: np.abs(A @ z) ** 2, lambda z: 1.001 * jac(z), Z, method=method, throw=False)
    assert report.verdict is Verdict.FAIL


def test_jacobians_of_complex_values_by_real_variables() -> None:
    x = np.linspace(-1, 1, 5)

    def func(x: Any) -> Any:
        return A @ np.exp(1j * x)

    def jac(x: Any) -> Any:
        return 1j * A * np.exp(1j * x)

    report = check_jacobian(func, jac, x)
    assert report.convention is None
    assert report.checked == 35
    assert isinstance(report.entries[0].estimate, ComplexEstimate)
    for wrong, kind in ((np.conj, "conjugated"), (lambda j: j / 1j, "scale"), (np.real, "real_part_only")):
        failed = check_jacobian(func, lambda x, wrong=wrong: wrong(jac(x)), x, throw=False)
        assert [d.kind for d in failed.diagnoses] == [kind]


def test_jacobians_of_holomorphic_functions() -> None:
    report = check_jacobian(lambda z: A @ z**2, lambda z: A * 2 * z, Z)
    assert (report.convention, report.checked, report.shape) == ("holomorphic", 35, (7, 5))
    assert report.entries[0].path.startswith("[")
    assert "z[" in report.entries[0].path
    assert json.loads(report.to_json())["checks"][0]["conventions"] == ["holomorphic"]

    def mixed(z: Any) -> Any:
        j = A * 2 * z
        j[2] = j[2].conj()
        return j

    wrong = check_jacobian(lambda z: A @ z**2, mixed, Z, throw=False)
    assert (wrong.verdict, wrong.failed) == (Verdict.FAIL, 5)
    assert [d.kind for d in wrong.diagnoses] == ["conjugated"]


def test_a_function_that_is_not_holomorphic_may_be_checked_by_real_parts() -> None:
    def func(z: Any) -> Any:
        return z * np.conj(z) * 1j

    def by_real_part(z: Any) -> Any:
        return np.diag(1j * (z + np.conj(z)))

    refused = check_jacobian(func, by_real_part, Z, throw=False)
    assert FindingKind.NOT_HOLOMORPHIC in [finding.kind for finding in refused.findings]
    report = check_jacobian(func, by_real_part, Z, convention="real_part")
    assert report.conventions == (Convention.REAL_PART,)
    with pytest.raises(UsageError, match="of complex values it can be holomorphic, real_part"):
        check_jacobian(func, by_real_part, Z, convention="steepest")
    with pytest.raises(UsageError, match="of real values it can be steepest"):
        check_gradient(f, steepest, Z, convention="holomorphic")


def test_jacobians_by_trees_have_blocks() -> None:
    tree = {"z": Z, "t": 2.0}
    report = check_jacobian(lambda p: A @ (p["z"] * p["t"]), lambda p: {"z": A * p["t"], "t": A @ p["z"]}, tree)
    assert report.checked == 42
    of_trees = check_jacobian(
        lambda p: {"u": A @ (p["z"] * p["t"]), "n": np.array([p["t"] ** 2])},
        lambda p: {"u": {"z": A * p["t"], "t": A @ p["z"]}, "n": {"z": np.zeros((1, 5)), "t": 2 * p["t"]}},
        tree,
    )
    assert of_trees.shape == (8, 6)


@pytest.mark.parametrize(
    ("jac", "said"),
    [
        (lambda z: A.T, "transposed"),
        (lambda z: A[:3], r"has shape \(3, 5\), expected \(7, 5\)"),
        (lambda z: "no", "jac returned str"),
    ],
)
def test_odd_answers_are_told(jac: Any, said: str) -> None:
    report = check_jacobian(lambda z: A @ z, jac, Z, throw=False)
    assert report.verdict >= Verdict.FAIL
    assert any(re.search(said, finding.message) for finding in report.findings)


def test_a_hessian_by_complex_variables_is_refused_with_a_word() -> None:
    with pytest.raises(UsageError, match="check products"):
        check_hessian(f, lambda z: A.T @ A, Z)
    with pytest.raises(UsageError, match="elementwise is for real variables"):
        check_gradient(f, steepest, Z, elementwise=True)


def test_a_tree_without_complex_leaves_may_have_complex_values() -> None:
    report = check_jacobian(lambda p: p["t"] * B, lambda p: {"t": B}, {"t": 1.5})
    assert report.checked == 7


@pytest.mark.parametrize("convention", ALL)
def test_a_quick_look_does_not_settle_a_convention(convention: str) -> None:
    assert check_gradient(f, claim(convention), Z, fast=True).convention == convention
    other = "conjugate" if convention == "steepest" else "steepest"
    assert check_gradient(f, claim(convention), Z, fast=True, convention=other, throw=False).verdict is Verdict.FAIL


# ---- the command line


@pytest.fixture
def ran(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command, in a folder with a module of complex functions."""
    (tmp_path / "waves.py").write_text(
        "import numpy as np\n"
        "def f(z): return np.sum(np.abs(z) ** 4)\n"
        "def g(z): return 4 * np.abs(z) ** 2 * z\n"
        "def two(z, t): return np.sum(np.abs(z) ** 2) * t\n"
        "def by_two(z, t): return {'z': 2 * z * t, 't': np.sum(np.abs(z) ** 2)}\n",
        encoding="utf-8",
    )
    np.save(tmp_path / "z.npy", Z)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda *words: CliRunner().invoke(command, [*words, "--color", "never"])


@pytest.mark.parametrize(
    "where",
    [("--dim", "5", "--complex"), ("--shape", "2x2", "--complex"), ("--point", "z.npy"), ("--point", "1+2j,3,-1j")],
)
def test_points_of_the_command_line_may_be_complex(ran: Any, where: tuple[str, ...]) -> None:
    result = ran("waves:f", "--grad", "waves:g", *where)
    assert result.exit_code == 0, result.output
    assert "complex128" in result.output
    assert "convention  steepest" in result.output
    demanded = ran("waves:f", "--grad", "waves:g", *where, "--convention", "conjugate")
    assert demanded.exit_code == 1
    assert "conjugated" in demanded.output


def test_a_part_of_a_point_may_be_complex(ran: Any) -> None:
    result = ran("waves:two", "--grad", "waves:by_two", "--var", "z=1+2j,3", "--var", "t=2.0")
    assert result.exit_code == 0, result.output
    assert "z[1]" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dim", "3", "--complex", "--bounds", "0:1"), "complex numbers have no order"),
        (("--point", "z.npy", "--bounds", "0:1"), "complex numbers have no order"),
        (("--dim", "3", "--convention", "steepest"), "x0 is real"),
        (("--dim", "3", "--complex", "--convention", "steepst"), "did you mean steepest"),
    ],
)
def test_what_complex_points_do_not_go_with_is_a_line(ran: Any, words: tuple[str, ...], said: str) -> None:
    result = ran("waves:f", "--grad", "waves:g", *words)
    assert result.exit_code == 2
    assert said in result.output


# ---- many functions


@pytest.mark.parametrize("case", REAL, ids=lambda case: case.name)
def test_the_conventions_of_many_functions(case: Case) -> None:
    z = data(*case.shape, seed=11)
    for name, write in CONVENTIONS.items():
        report = check_gradient(case.value, lambda z, write=write: write(case.derivative(z)), z, throw=False)
        assert report.verdict is Verdict.PASS, (name, report.headline)
        assert name in report.conventions


@pytest.mark.parametrize("case", HOLOMORPHIC, ids=lambda case: case.name)
def test_the_derivatives_of_many_holomorphic_functions(case: Case) -> None:
    z = data(*case.shape, seed=11)
    report = check_gradient(case.value, case.derivative, z, throw=False)
    assert (report.verdict, report.convention) == (Verdict.PASS, "holomorphic"), report.headline
    wrong = check_gradient(case.value, lambda z: some(case.derivative(z), lambda part: 1.001 * part), z, throw=False)
    assert wrong.verdict is Verdict.FAIL


def test_mistakes_in_many_functions_fail_and_are_named() -> None:
    named = total = 0
    for case in (*REAL[::3], *HOLOMORPHIC[::3]):
        z = data(*case.shape, seed=11)
        right = case.derivative(z)
        for name, change in MISTAKES.items():
            if np.allclose(change(right), right, rtol=1e-3):
                continue
            report = check_gradient(
                case.value, lambda z, case=case, change=change: change(case.derivative(z)), z, throw=False
            )
            assert report.verdict is Verdict.FAIL, (case.name, name)
            total += 1
            named += [diagnosis.kind for diagnosis in report.diagnoses][:1] == [name]
    assert named >= 0.9 * total


def test_right_gradients_of_random_problems_pass() -> None:
    for seed in range(60):
        case, z = random_problem(seed)
        report = check_gradient(case.value, case.derivative, z, throw=False)
        assert report.verdict <= Verdict.INCONCLUSIVE, (case.name, report.headline)


def test_a_check_costs_hardly_more_evaluations_than_that_of_real_and_imaginary_parts() -> None:
    twin = check_gradient(lambda x: f(x.view(complex)), lambda x: steepest(x.view(complex)).view(float), Z.view(float))
    measuring = 2 * len(LADDER)  # without which the convention is not known, and that of a real claim may be plain
    assert check_gradient(f, steepest, Z).nfev <= twin.nfev + measuring + 2
