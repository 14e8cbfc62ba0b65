"""Checks of functions of trees: the verdicts are those of the flat twin, and the words are those of the owner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import (
    UsageError,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_jvp,
    check_vjp,
)
from gradcheck.model import Verdict
from tests.diagnosis.documented import assert_documented
from tests.networks import INPUTS, PARAMS, flat, grad, loss, unflat


def changed(change):
    """The gradient of the network with something done to it."""

    def wrong(params: Any) -> Any:
        found = grad(params)
        change(found)
        return found

    return wrong


def scaled(name, factor):
    def change(found):
        *path, last = name.split(".")
        for key in path:
            found = found[key]
        found[last] = found[last] * factor

    return change


def one_entry(found):
    found["out"]["W2"][1, 3] *= 1.1


def nonsense(found):
    found["W1"] = np.cos(found["W1"]) + np.arange(15.0).reshape(5, 3)


def transposed(found):
    found["W1"] = found["W1"].T.reshape(5, 3)


def two_scaled(found):
    scaled("W1", 2)(found)
    scaled("b1", 2)(found)


def all_negative(found):
    for name in ("W1", "b1", "out.W2", "out.b2"):
        scaled(name, -1)(found)


def a_row(found):
    found["W1"][2] *= 3


def two_mistakes(found):
    scaled("W1", 2)(found)
    scaled("out.b2", -1)(found)


def all_but_one_nonsense(found):
    nonsense(found)
    found["out"]["W2"] = np.cos(found["out"]["W2"])


WRONG = {  # what is done, the kind of the first diagnosis, what its message says, and its place
    "a factor on a leaf": (scaled("b1", 0.5), "block", "numeric = 2.000000 × claimed on all of b1 (5 entries)", {"leaf": "b1"}),
    "the sign of a leaf": (scaled("out.b2", -1), "block", "numeric = −claimed on all of out.b2 (2 entries)", {"leaf": "out.b2"}),
    "a leaf of zeros": (scaled("out.W2", 0), "zero_block", "the claim is 0 on all of out.W2 (10 entries)", {"leaf": "out.W2"}),
    "one entry": (one_entry, "single_entry", "entry out.W2[1, 3] alone is wrong", {"paths": ["out.W2[1, 3]"]}),
    "nothing right": (nonsense, "block", "nothing of W1 is right, all else is", {"leaf": "W1"}),
    "another layout": (transposed, "transposed", "the claim is right when it is transposed", {"leaf": "W1"}),
    "a row": (a_row, "block", "on row 2 of W1 (3 of 15 entries)", {"leaf": "W1", "row": 2}),
    "two leaves alike": (two_scaled, "block", "0.5000000 × claimed on all of W1 and b1 (20 entries)", {"leaves": ["W1", "b1"]}),
    "everything": (all_negative, "sign", "numeric = −claimed on all 32 entries", {}),
    "two mistakes": (two_mistakes, "block", "numeric = 0.5000000 × claimed on all of W1 (15 entries)", {"leaf": "W1"}),
    "two leaves of nonsense": (
        all_but_one_nonsense, "block", "nothing of W1 and out.W2 is right, all else is", {"leaves": ["W1", "out.W2"]}),
}  # fmt: skip


def test_a_right_gradient_passes_with_a_limit_for_each_leaf():
    report = check_gradient(loss, grad, PARAMS)
    assert report.verdict is Verdict.PASS
    assert report.shape == (32,)
    assert report.point.leaves == (("W1", (5, 3)), ("b1", (5,)), ("out.W2", (2, 5)), ("out.b2", (2,)))
    assert [name for name, _ in report.resolution.parts] == ["W1", "b1", "out.W2", "out.b2"]
    assert "an error of a single entry of" in report.resolution.sentence
    assert "of out.W2 above" in report.resolution.sentence


@pytest.mark.parametrize(("change", "kind", "message", "place"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_in_the_words_of_its_leaf(change, kind, message, place):
    report = check_gradient(loss, changed(change), PARAMS, throw=False)
    first = report.diagnoses[0]
    assert (report.verdict, first.kind) == (Verdict.FAIL, kind)
    assert message in first.message
    assert place.items() <= first.parameters.items()
    for diagnosis in report.diagnoses:
        assert_documented(diagnosis)
    assert sum(diagnosis.explained for diagnosis in report.diagnoses) <= 1 + 1e-9


@pytest.mark.parametrize("change", [change for change, *_ in WRONG.values()], ids=WRONG)
@pytest.mark.parametrize("method", ["coordinates", "directions"])
def test_the_same_entries_are_wrong_as_in_the_flat_twin(change, method):
    tree = check_gradient(loss, changed(change), PARAMS, throw=False, fix=False, method=method)
    vector = check_gradient(
        lambda x: loss(unflat(x)),
        lambda x: flat(changed(change)(unflat(x))),
        flat(PARAMS),
        throw=False,
        fix=False,
        method=method,
    )
    assert (tree.verdict, tree.failed, tree.nfev) == (vector.verdict, vector.failed, vector.nfev)
    assert [(e.claimed, e.verdict) for e in tree.entries] == [(e.claimed, e.verdict) for e in vector.entries]
    assert all(e.path.startswith(("W1[", "b1[", "out.W2[", "out.b2[")) for e in tree.entries)


def test_the_search_along_directions_names_leaves():
    report = check_gradient(loss, changed(scaled("b1", 0.5)), PARAMS, throw=False, method="directions")
    assert "on all of b1 (5 of 32 entries)" in report.diagnoses[0].message
    report = check_gradient(loss, changed(two_scaled), PARAMS, throw=False, method="directions")
    assert "on all of W1 and b1" in report.diagnoses[0].message


def test_exchanged_leaves_are_recognised():
    def f(p):
        return float(np.sum(p["q"] ** 2) + np.sum(np.sin(p["k"])))

    x0 = {"q": np.arange(1.0, 7.0).reshape(2, 3), "k": np.linspace(0, 1, 6).reshape(2, 3), "v": np.ones(3)}
    report = check_gradient(f, lambda p: {"q": np.cos(p["k"]), "k": 2 * p["q"], "v": np.zeros(3)}, x0, throw=False)
    assert report.diagnoses[0].kind == "swapped"
    assert "q and k are swapped" in report.diagnoses[0].message
    assert report.diagnoses[0].parameters["leaves"] == ["q", "k"]
    assert_documented(report.diagnoses[0])


def test_a_gradient_of_a_single_leaf_is_told_as_that_of_an_array():
    report = check_gradient(lambda p: float(np.sum(p["W"] ** 2)), lambda p: p["W"], {"W": np.ones((2, 3))}, throw=False)
    assert report.diagnoses[0].kind == "scale"
    assert "on all of W (6 entries)" in report.diagnoses[0].message


def test_a_number_in_a_tree_goes_by_its_name():
    report = check_gradient(
        lambda p: p["a"] ** 2 * p["b"], lambda p: {"a": 2 * p["a"] * p["b"], "b": 2 * p["a"] ** 2}, {"a": 1.5, "b": 2.0},
        throw=False,
    )  # fmt: skip
    assert [(e.path, e.index) for e in report.entries if e.verdict] == [("b", ())]


def test_kinks_and_ignored_variables_are_named():
    report = check_gradient(
        lambda p: float(np.abs(p["a"]).sum()), lambda p: {"a": np.sign(p["a"]), "c": np.zeros(2)},
        {"a": np.array([1.0, 0.0]), "c": np.ones(2)}, throw=False,
    )  # fmt: skip
    messages = [finding.message for finding in report.findings]
    assert "f did not change with 2 of its 4 variables (c[0], c[1])" in messages
    assert any("(a[1])" in message for message in messages)


def test_f_that_writes_into_a_leaf_is_found_out_and_given_fresh_ones():
    def writes(params):
        value = loss(params)
        params["b1"] += 1
        return value

    report = check_gradient(writes, grad, PARAMS, throw=False)
    assert [finding.message for finding in report.findings] == ["f writes into b1; let it work on a copy"]
    assert report.failed == 0


def test_f_that_takes_its_tree_apart_gets_a_new_one_each_time():
    def pops(params):
        return loss({"W1": params.pop("W1"), **params})

    report = check_gradient(pops, grad, PARAMS, throw=False)
    assert report.failed == 0
    assert "writes into the tree that it is given" in report.findings[0].message


# ---- which leaves, and several arguments


def test_wrt_checks_some_leaves_and_hands_on_the_others():
    seen = []
    report = check_gradient(
        lambda p: seen.append(p["b1"]) or loss(p), lambda p: {"W1": grad(p)["W1"]}, PARAMS, wrt=("W1",)
    )
    assert report.shape == (15,)
    assert all(b is PARAMS["b1"] for b in seen)
    report = check_gradient(
        loss, lambda p: {"out": {"b2": 2 * grad(p)["out"]["b2"]}}, PARAMS, wrt="out.b2", throw=False
    )
    assert {e.path for e in report.entries} == {"out.b2[0]", "out.b2[1]"}


A0, B0 = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def test_arguments_are_handed_over_one_by_one():
    def f(a, b):
        return a @ np.sin(b)

    right = check_gradient(f, lambda a, b: (np.sin(b), a * np.cos(b)), (A0, B0), unpack=True)
    assert {e.path for e in right.entries} == {"a[0]", "a[1]", "a[2]", "b[0]", "b[1]", "b[2]"}
    by_name = check_gradient(f, lambda b, a: {"b": a * np.cos(b), "a": np.sin(b)}, {"b": B0, "a": A0}, unpack=True)
    assert [name for name, _ in by_name.point.leaves] == ["a", "b"]  # as f has them
    in_order = check_gradient(f, lambda a, b: (np.sin(b), a * np.cos(b)), {"b": B0, "a": A0}, unpack=True)
    assert in_order.verdict is Verdict.PASS


def test_further_arguments_come_behind():
    def f(a, b, s, t=1.0):
        return s * t * (a @ np.sin(b))

    def g(a, b, s, t=1.0):
        return s * t * np.sin(b), s * t * a * np.cos(b)

    assert check_gradient(f, g, (A0, B0), unpack=True, args=(3.0, 2.0)).verdict is Verdict.PASS
    assert check_gradient(f, g, {"a": A0, "b": B0}, unpack=True, args=(3.0,)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("f", "x0", "options", "message"),
    [
        (lambda a: 0.0, (A0, B0), {}, r"unpack hands 2 arguments to f, which is <lambda>\(a\): too many"),
        (lambda a, b: 0.0, {"a": A0, "c": B0}, {}, r"unpack hands a, c to f, which is <lambda>\(a, b\): missing a required"),
        (lambda a, b: 0.0, {"a": A0, "b": B0}, {"args": (1.0,)}, "a, b and 1 more from args .*: too many further arguments"),
        (lambda a, b: 0.0, A0, {}, "unpack hands over the parts of a tuple"),
        (lambda a, b: 0.0, (A0, B0), {"jit": True}, "jit compiles functions of one array"),
    ],
)  # fmt: skip
def test_unpack_that_does_not_fit_shows_the_signature(f, x0, options, message):
    with pytest.raises(UsageError, match=message):
        check_gradient(f, f, x0, unpack=True, **options)


def test_a_function_with_value_and_gradient_takes_several_arguments():
    def both(a, b):
        return a @ np.sin(b), (np.sin(b), a * np.cos(b))

    assert check_gradient(both, None, (A0, B0), unpack=True, value_and_grad=True).verdict is Verdict.PASS


# ---- bounds, further points, other derivatives


def test_bounds_may_differ_from_leaf_to_leaf():
    seen = []

    def f(p):
        seen.append((p["a"].min(), p["b"].max()))
        return float(np.sqrt(p["a"]).sum() + np.log(1 - p["b"]).sum())

    report = check_gradient(
        f, lambda p: {"a": 0.5 / np.sqrt(p["a"]), "b": -1 / (1 - p["b"])}, {"a": np.full(2, 1e-9), "b": np.full(2, 0.99)},
        bounds=({"a": 0.0, "b": -np.inf}, {"a": np.inf, "b": np.full(2, 1.0)}), points=3, throw=False,
    )  # fmt: skip
    assert report.failed == 0
    assert min(low for low, _ in seen) >= 0
    assert max(high for _, high in seen) <= 1


S = np.random.default_rng(2).normal(size=(5, 5))
H = S + S.T
B = np.random.default_rng(3).normal(size=(4, 5))
POINT = {"u": np.array([1.0, 2.0]), "v": np.array([0.3, 0.4, 0.5])}


def joined(p):
    return np.concatenate([p["u"], p["v"]])


def split(z):
    return {"u": z[:2], "v": z[2:]}


def jacobian(p):
    return np.cos(B @ joined(p))[:, None] * B


def quadratic(p):
    return float(joined(p) @ H @ joined(p) / 2)


@pytest.mark.parametrize("options", [{}, {"grad": lambda p: split(H @ joined(p))}])
def test_a_hessian_by_a_tree_is_a_matrix_over_its_entries(options):
    report = check_hessian(quadratic, lambda p: H, POINT, **options)
    assert report.shape == (5, 5)
    off = H.copy()
    off[1, 3] = off[3, 1] = 9.0
    report = check_hessian(quadratic, lambda p: off, POINT, throw=False, **options)
    assert {(e.path, e.index) for e in report.entries if e.verdict is Verdict.FAIL} == {
        ("[u[1], v[1]]", (1, 1)), ("[v[1], u[1]]", (1, 1)),
    }  # fmt: skip


def test_a_jacobian_by_a_tree_has_the_columns_of_its_entries():
    def off(p):
        found = jacobian(p)
        found[:, :2] *= 3
        return found

    report = check_jacobian(lambda p: np.sin(B @ joined(p)), off, POINT, throw=False)
    assert "on rows 0 to 3, columns of u" in report.diagnoses[0].message
    assert {e.path for e in report.entries if e.verdict} == {f"[{i}, u[{j}]]" for i in range(4) for j in range(2)}


def test_products_take_and_return_trees():
    def f(p):
        return np.sin(B @ joined(p))

    assert check_hvp(quadratic, lambda p, v: split(H @ joined(v)), POINT).verdict is Verdict.PASS
    back = check_vjp(f, lambda p, u: split(jacobian(p).T @ u), POINT)
    assert {e.path for e in back.entries} == {
        f"[{k}, {name}]" for k in range(3) for name in ("u[0]", "u[1]", "v[0]", "v[1]", "v[2]")
    }
    ahead = check_jvp(f, lambda p, v: jacobian(p) @ joined(v), POINT, vjp=lambda p, u: split(jacobian(p).T @ u))
    assert ahead.verdict is Verdict.PASS
    wrong = check_vjp(f, lambda p, u: split(2 * jacobian(p).T @ u), POINT, throw=False)
    assert wrong.diagnoses[0].kind == "scale"


def test_a_function_may_return_a_tree():
    def f(x):
        return {"s": np.sin(x), "t": x[0] * x[1]}

    report = check_jacobian(f, lambda x: np.vstack([np.diag(np.cos(x)), [x[1], x[0], 0.0]]), [0.1, 0.2, 0.3])
    assert report.shape == (4, 3)
    assert {"[s[0], 0]", "[t, 1]"} <= {e.path for e in report.entries}


def test_suspects_are_trees_too():
    def ridge(p):
        return {"W1": p["W1"], "b1": 0 * p["b1"], "out": {"W2": p["out"]["W2"], "b2": 0 * p["out"]["b2"]}}

    def f(p):
        return loss(p) + 0.5 * float(np.sum(p["W1"] ** 2) + np.sum(p["out"]["W2"] ** 2))

    report = check_gradient(f, grad, PARAMS, suspects={"weight decay": ridge}, throw=False)
    assert report.diagnoses[0].kind == "missing_term"
    assert "weight decay" in report.diagnoses[0].message


def test_shared_inputs_are_left_alone():
    assert INPUTS.shape == (3, 10)
