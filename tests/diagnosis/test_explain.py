from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.diagnosis.constants import figure, recognise, shortest
from gradcheck.diagnosis.explain import Mismatch, explain
from gradcheck.diagnosis.regions import locate
from gradcheck.model import DiagnosisKind, Kind, Tolerance
from gradcheck.variables.layout import ArrayLayout
from gradcheck.variables.places import Places
from tests.diagnosis.documented import assert_documented

RTOL = 6e-6


def places(shape):
    return Places((), ArrayLayout(shape, float))


def rng_of(*seed):
    return np.random.default_rng([7, *seed])


def mismatch(right, claimed, x, *, single=False, known=None, kind=Kind.GRADIENT, precision=None, rtol=RTOL, **more):
    """What a check knows: numeric values that are right to within an uncertainty, 1e-9 or 1e-4 of the entry."""
    right = np.asarray(right, float)
    precision = precision if precision is not None else (1e-4 if single else 1e-9)
    claimed = np.asarray(claimed, np.float32 if single else float).astype(float).ravel()
    true = right.ravel()
    uncertainty = precision * (np.abs(true) + 0.01 * np.max(np.abs(true)))
    numeric = true + 0.7 * uncertainty * rng_of(true.size).uniform(-1, 1, true.size)
    gap = np.abs(claimed - numeric)
    wrong = gap > rtol * np.maximum(np.abs(claimed), np.abs(numeric)) + 1.25 * uncertainty
    known = np.arange(true.size) if known is None else np.asarray(known)
    return Mismatch(
        claimed=claimed[known], numeric=numeric[known], uncertainty=uncertainty[known], entry=known, wrong=wrong[known],
        places=places(right.shape), x=np.ravel(x), kind=kind, tolerance=Tolerance(rtol=rtol, atol=0.0),
        epsilon=float(np.finfo(np.float32 if single else float).eps), **more,
    )  # fmt: skip


def diagnose(facts):
    return explain(facts).diagnoses


def kinds(found):
    for diagnosis in found:
        assert_documented(diagnosis)
    return [diagnosis.kind.value for diagnosis in found]


# ---- gradients of three functions at points of 24 entries, as vectors and as 4×6 matrices

A = rng_of(1).normal(size=(24, 24))
B = rng_of(2).normal(size=(40, 24))


def quadratic(x):
    """⟨x, Ax⟩ + Σ x"""
    return (A + A.T) @ x + 1


def regression(x):
    """Σ tanh(Bx)²"""
    z = np.tanh(B @ x)
    return B.T @ (2 * z * (1 - z * z))


def valley(x):
    """Rosenbrock's function"""
    g = 2 * (x - 1)
    g[:-1] -= 400 * x[:-1] * (x[1:] - x[:-1] ** 2)
    g[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return g


FUNCTIONS = [quadratic, regression, valley]
EVERYWHERE = [(f, single, shape) for f in FUNCTIONS for single in (False, True) for shape in ((24,), (4, 6))]
SUSPECT = rng_of(3).normal(size=24)


def point(f):
    return rng_of(len(f.__name__)).normal(size=24)


def put(g, where, value):
    g = g.copy()
    g[where] = value
    return g


def swap(g, i, j):
    g = g.copy()
    g[[i, j]] = g[[j, i]]
    return g


PERMUTATION = rng_of(4).permutation(24)
GRADIENT_MISTAKES = {  # name: (claimed from right and x, kind, parameters)
    "minus": (lambda g, x: -g, "sign", {}),
    "half": (lambda g, x: g / 2, "scale", {"factor": 2.0}),
    "twice": (lambda g, x: 2 * g, "scale", {"factor": 0.5}),
    "sum for mean": (lambda g, x: 24 * g, "scale", {"factor": 1 / 24}),
    "minus a mean": (lambda g, x: -g * 24, "scale", {"factor": -1 / 24}),
    "pi": (lambda g, x: g / np.pi, "scale", {"factor": np.pi}),
    "log2": (lambda g, x: g * np.log(2), "scale", {"factor": 1 / np.log(2)}),
    "no known number": (lambda g, x: g * 1.2345678, "scale", {}),
    "absolute": (lambda g, x: np.abs(g), "sign", {"absolute": True}),
    "one entry": (lambda g, x: put(g, 17, g[17] * 1.1), "single_entry", {}),
    "one zero": (lambda g, x: put(g, 17, 0), "single_entry", {}),
    "two entries": (lambda g, x: put(g, [3, 8], [1.5, -40]), "entries", {}),
    "second half zero": (lambda g, x: put(g, slice(12, 24), 0), "zero_block", {"range": [12, 24]}),
    "block doubled": (lambda g, x: put(g, slice(6, 12), 2 * g[6:12]), "block", {"factor": 0.5}),
    "block negative": (lambda g, x: put(g, slice(18, 24), -g[18:]), "block", {}),
    "every third": (lambda g, x: put(g, slice(0, 24, 3), g[::3] / 2), "block", {"stride": 3}),
    "backwards": (lambda g, x: g[::-1], "reversed", {}),
    "rolled": (lambda g, x: np.roll(g, 1), "shifted", {}),
    "rolled back": (lambda g, x: np.roll(g, -1), "shifted", {}),
    "off by one": (lambda g, x: put(np.roll(g, -1), -1, 0), "shifted", {}),
    "swapped": (lambda g, x: swap(g, 4, 19), "swapped", {}),
    "transposed": (lambda g, x: g.reshape(4, 6).T.ravel(), "transposed", {}),
    "column-major": (lambda g, x: g.reshape(4, 6).ravel(order="F"), "transposed", {}),
    "permuted": (lambda g, x: g[PERMUTATION], "permuted", {}),
    "no ridge": (lambda g, x: g - 0.3 * x, "missing_term", {"term": "x"}),
    "two ridges": (lambda g, x: g + 0.5 * x, "missing_term", {"term": "x"}),
    "no lasso": (lambda g, x: g - 0.25 * np.sign(x), "missing_term", {"term": "sign(x)"}),
    "no constant": (lambda g, x: g - 1.5, "missing_term", {"term": "1"}),
    "no data term": (lambda g, x: g - SUSPECT, "missing_term", {"term": "m:data", "coefficient": 1.0}),
    "no bias in the ridge": (lambda g, x: put(g - 0.3 * x, -1, g[-1]), "missing_term", {"term": "x"}),
    "no chain factor": (lambda g, x: g / x, "chain_factor", {"term": "x"}),
    "one chain factor more": (lambda g, x: g * x, "chain_factor", {"term": "1/x"}),
}  # fmt: skip


@pytest.mark.parametrize(("f", "single", "shape"), EVERYWHERE)
@pytest.mark.parametrize("name", GRADIENT_MISTAKES)
def test_a_mistake_in_a_gradient_is_named(name, f, single, shape):
    wrong, kind, parameters = GRADIENT_MISTAKES[name]
    x = point(f)
    suspects = {"m:data": SUSPECT} if "data" in name else {}
    facts = mismatch(f(x).reshape(shape), wrong(f(x), x), x, single=single, suspects=suspects)
    first, *_ = found = diagnose(facts)
    assert first.kind == kind, [d.message for d in found]
    assert first.explained == 1 or name == "off by one"
    assert sum(d.explained for d in found) == pytest.approx(1)
    kinds(found)
    for key, value in parameters.items():
        if key in first.parameters or len(shape) == 1:
            assert first.parameters[key] == (pytest.approx(value) if isinstance(value, float) else value)
    assert first.message.endswith(".")
    assert "{" not in first.message


# ---- Hessians of three functions, as float64 and float32; by one vector, and by a 2×3 matrix variable


def logistic_hessian(x):
    z = 1 / (1 + np.exp(-B[:, :6] @ x))
    return B[:, :6].T @ ((z * (1 - z))[:, None] * B[:, :6])


def coupled_hessian(x):
    """Σ_ij C_ij sin(x_i x_j), C symmetric."""
    c = A[:6, :6] + A[:6, :6].T
    t = np.outer(x, x)
    h = 2 * c * (np.cos(t) - t * np.sin(t))
    return h - np.diag(np.sum(2 * c * np.sin(t) * x**2, axis=1))


def constant_hessian(x):
    return A[6:12, 6:12] + A[6:12, 6:12].T


HESSIANS = [logistic_hessian, coupled_hessian, constant_hessian]
LOPSIDED = np.triu(rng_of(5).normal(size=(6, 6)), 1)  # turns H/2 into one that is not symmetric but has the same sum


def doubled_outside(h, diagonal=1.0):
    return 2 * h + (diagonal - 2) * np.diag(np.diag(h))


def block_transposed(h):
    h = h.copy()
    h[:3, 3:] = h[:3, 3:].T
    return h


def cross(k):
    """1 in row and column k of a 6×6 matrix, else 0."""
    i, j = np.indices((6, 6))
    return ((i == k) | (j == k)).astype(float)


HESSIAN_MISTAKES = {
    "minus": (lambda h, x: -h, "sign"),
    "half": (lambda h, x: h / 2, "scale"),
    "A for A + Aᵀ": (lambda h, x: h / 2 + LOPSIDED - LOPSIDED.T, "missing_transpose"),
    "2A for A + Aᵀ": (lambda h, x: h + LOPSIDED - LOPSIDED.T, "not_symmetrized"),
    "upper triangle": (lambda h, x: np.triu(h), "triangle_only"),
    "lower triangle": (lambda h, x: np.tril(h), "triangle_only"),
    "diagonal": (lambda h, x: np.diag(np.diag(h)), "diagonal_only"),
    "off-diagonal doubled": (lambda h, x: doubled_outside(h), "scale"),
    "diagonal halved": (lambda h, x: h - np.diag(np.diag(h)) / 2, "scale"),
    "block transposed": (lambda h, x: block_transposed(h), "transposed"),
    "column-major variable": (
        lambda h, x: h.reshape(2, 3, 2, 3).transpose(1, 0, 3, 2).reshape(6, 6), "transposed"),
    "no ridge": (lambda h, x: h - 0.2 * np.eye(6), "missing_term"),
    "no second-order part": (lambda h, x: h - np.outer(x, x), "missing_term"),
    "one entry": (lambda h, x: put(h, (1, 4), 9.0), "single_entry"),
    "a pair": (lambda h, x: put(h, ([1, 4], [4, 1]), 9.0), "entries"),
    "row and column doubled": (lambda h, x: h * (1 + cross(2)), "block"),
    "one row negative": (lambda h, x: put(h, 2, -h[2]), "block"),
    "one column zero": (lambda h, x: put(h, (slice(None), 2), 0.0), "zero_block"),
}  # fmt: skip


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("hessian", HESSIANS)
@pytest.mark.parametrize("name", HESSIAN_MISTAKES)
def test_a_mistake_in_a_hessian_is_named(name, hessian, single):
    wrong, kind = HESSIAN_MISTAKES[name]
    x = rng_of(6).normal(size=6)
    h = hessian(x)
    found = diagnose(mismatch(h, wrong(h, x), x, single=single, kind=Kind.HESSIAN))
    assert kinds(found)[0] == kind, [d.message for d in found]
    assert found[0].explained == 1


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [(lambda j: -j, "sign"), (lambda j: j.T.reshape(j.shape), "transposed"), (lambda j: put(j, 1, 2 * j[1]), "block"),
     (lambda j: put(j, (slice(None), 3), -j[:, 3]), "block"), (lambda j: put(j, 2, 0), "zero_block")],
)  # fmt: skip
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("shape", [(4, 6), (6, 6), (3, 8)])
def test_a_mistake_in_a_jacobian_is_named(wrong, kind, single, shape):
    j = rng_of(*shape).normal(size=shape)
    found = diagnose(mismatch(j, wrong(j), np.ones(shape[1]), single=single, kind=Kind.JACOBIAN))
    assert kinds(found) == [kind], [d.message for d in found]


# ---- what costs calls of the claim


@pytest.mark.parametrize(
    ("claim", "right", "kind"),
    [(2 * A, A + A.T, "not_symmetrized"), (2 * A.T, A + A.T, "not_symmetrized"), (A, A + A.T, "missing_transpose")],
)
@pytest.mark.parametrize("constant", [0.0, 1.0])
@pytest.mark.parametrize("single", [False, True])
def test_a_linear_gradient_without_its_transpose(claim, right, kind, constant, single):
    x = rng_of(8).normal(size=24)
    calls = []

    def claim_at(y):
        calls.append(1)
        return claim @ y + constant

    facts = mismatch(right @ x + constant, claim_at(x), x, single=single, claim_at=claim_at)
    assert kinds(diagnose(facts)) == [kind]
    assert len(calls) <= 24 + 6
    assert kinds(diagnose(replace(facts, claim_at=lambda y: np.tanh(claim @ y)))) == ["unexplained"]


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("single", [False, True])
def test_a_claim_that_is_one_call_late(f, single):
    x = point(f)
    kept = [x + 0.1]

    def late(y):
        kept.append(np.array(y))
        return f(kept[-2])

    assert kinds(diagnose(mismatch(f(x), late(x), x, single=single, claim_at=late))) == ["stale_point"]
    always_late = mismatch(f(x), f(x + 0.1), x, single=single, claim_at=lambda y: f(y + 0.1))
    assert kinds(diagnose(always_late)) == ["unexplained"]


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("shape", [(24,), (4, 6)])
def test_single_precision(f, shape):
    x = point(f)
    right = f(x)
    cast = mismatch(right.reshape(shape), right.astype(np.float32), x, rtol=1e-10, precision=1e-13)
    assert kinds(diagnose(cast))[0] == "low_precision"
    assert "cast" in diagnose(cast)[0].message
    computed = right.astype(np.float32) * (1 + 3e-5 * rng_of(9).normal(size=24)).astype(np.float32)
    assert kinds(diagnose(mismatch(right.reshape(shape), computed, x)))[0] == "low_precision"
    wrong = (1.5 * right).astype(np.float32)
    assert kinds(diagnose(mismatch(right.reshape(shape), wrong, x)))[0] == "scale"


# ---- near misses: nothing may be named that is not there


@pytest.mark.parametrize(("f", "single", "shape"), EVERYWHERE)
def test_a_factor_on_all_but_three_entries_is_both(f, single, shape):
    x = point(f)
    three = [2, 11, 20]
    half = put(f(x) / 2, three, f(x)[three] + [3, -4, 5])
    found = diagnose(mismatch(f(x).reshape(shape), half, x, single=single))
    assert kinds(found) == ["scale", "entries"]
    assert found[0].parameters["factor"] == 2
    assert found[0].explained == pytest.approx(21 / 24)
    assert "all but 3" in found[0].message
    right_there = put(f(x) / 2, three, f(x)[three])
    found = diagnose(mismatch(f(x).reshape(shape), right_there, x, single=single))
    assert kinds(found) == ["scale"]
    assert "3 of them right as claimed" in found[0].message


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("shape", [(1,), (2,), (3,), (5,), (24,), (2, 3), (5, 8), (100,), (3, 4, 2)])
@pytest.mark.parametrize("size", [1e-3, 1e-1, 3.0])
def test_dense_random_errors_are_not_explained(shape, single, size):
    for seed in range(8):
        rng = rng_of(seed, *shape)
        g, x = rng.normal(size=shape), rng.normal(size=shape)
        noise = rng.normal(size=shape) * size
        for claimed in (g + noise, g * (1 + noise), noise):
            facts = mismatch(g, claimed, x, single=single)
            allowed = {"unexplained", "entries"} | ({"single_entry"} if np.sum(facts.wrong) <= 1 else set())
            found = diagnose(facts)
            assert set(kinds(found)) <= allowed, [d.message for d in found]


@pytest.mark.parametrize("n", [2, 3, 6, 12])
@pytest.mark.parametrize("single", [False, True])
def test_dense_random_hessians_are_not_explained(n, single):
    for seed in range(8):
        rng = rng_of(seed, n)
        h = rng.normal(size=(n, n))
        facts = mismatch(h + h.T, rng.normal(size=(n, n)), rng.normal(size=n), single=single, kind=Kind.HESSIAN)
        assert set(kinds(diagnose(facts))) <= {"unexplained", "entries"}


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("shape", [(24,), (4, 6)])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda g, x: -g * (1 + 0.01 * rng_of(10).normal(size=24)),
        lambda g, x: 2 * g + 0.01 * rng_of(11).normal(size=24),
        lambda g, x: g[::-1] * (1 + 0.01 * rng_of(12).normal(size=24)),
        lambda g, x: np.roll(g, 3) + 0.1,
        lambda g, x: g - 0.3 * x + 0.05 * rng_of(13).normal(size=24),
        lambda g, x: g * np.where(np.arange(24) % 2 == 0, 1.001, 0.999) * (1 + 1e-4 * rng_of(14).normal(size=24)),
        lambda g, x: g.reshape(4, 6).T.ravel() + 0.1 * rng_of(15).normal(size=24),
        lambda g, x: g[PERMUTATION] + 0.1 * rng_of(16).normal(size=24),
    ],
    ids=["almost minus", "almost twice", "almost reversed", "rolled by three and more", "almost no ridge", "up and down",
         "almost transposed", "almost permuted"],
)  # fmt: skip
def test_near_misses_are_not_named(wrong, shape, f):
    x = point(f)
    found = diagnose(mismatch(f(x).reshape(shape), wrong(f(x), x), x))
    assert set(kinds(found)) <= {"unexplained", "entries"}, [d.message for d in found]


def test_a_factor_fitted_on_noise_is_no_diagnosis():
    g = rng_of(17).normal(size=4)
    noisy = mismatch(g, 1.02 * g, g, precision=0.012)
    assert noisy.wrong.any()
    assert kinds(diagnose(noisy))[0] in {"unexplained", "entries"}
    assert kinds(diagnose(mismatch(g, 1.02 * g, g, precision=1e-6))) == ["scale"]


def test_a_second_point_confirms_what_one_cannot():
    one = np.array([1.7])
    here = mismatch(one, one * 1.2345678, one, precision=1e-5)
    elsewhere = mismatch(one * 1.3, one * 1.3 * 1.2345678, one * 1.1, precision=1e-5)
    other = mismatch(one * 1.3, one * 1.9, one * 1.1, precision=1e-5)
    asked = []

    def second(facts):
        return lambda: asked.append(1) or facts

    assert kinds(diagnose(here)) == ["single_entry"]
    assert kinds(diagnose(replace(here, elsewhere=second(elsewhere)))) == ["scale"]
    assert kinds(diagnose(replace(here, elsewhere=second(other)))) == ["single_entry"]
    assert kinds(diagnose(replace(here, elsewhere=second(None)))) == ["single_entry"]
    assert len(asked) == 3


def test_the_second_point_is_not_asked_without_need():
    def forbidden():
        raise AssertionError("it costs evaluations")

    x = point(regression)
    facts = mismatch(regression(x), 2 * regression(x), x, elsewhere=forbidden)
    assert kinds(diagnose(facts)) == ["scale"]


def test_one_wrong_entry_among_some_that_cannot_be_judged_is_not_called_the_only_one():
    g = np.array([1.0, 2.0, 3.0, 4.0])
    facts = mismatch(g, put(g, 1, 2.5), g)
    blind = replace(facts, uncertainty=np.where(np.arange(4) == 1, facts.uncertainty, 1.0))
    assert kinds(diagnose(facts)) == ["single_entry"]
    assert kinds(diagnose(blind)) == ["entries"]
    assert "3 are not known to a hundredth of themselves" in diagnose(blind)[0].message


# ---- several mistakes, partial knowledge, odd input


def test_two_blocks_with_two_mistakes():
    x = point(quadratic)
    g = quadratic(x)
    claimed = np.concatenate([2 * g[:10], -g[10:]])
    found = diagnose(mismatch(g, claimed, x))
    assert sorted(kinds(found)) == ["block", "block"]
    assert {tuple(d.parameters["range"]) for d in found} == {(0, 10), (10, 24)}
    assert sum(d.explained for d in found) == 1


def test_a_weight_matrix_transposed_beside_a_bias():
    g = rng_of(18).normal(size=20)
    claimed = np.concatenate([g[:3], g[3:15].reshape(3, 4).T.ravel(), g[15:]])
    found = diagnose(mismatch(g, claimed, np.ones(20)))
    assert kinds(found) == ["transposed"]
    assert found[0].parameters["range"] == [3, 15]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (lambda g: -g, "sign"),
        (lambda g: 2 * g, "scale"),
        (lambda g: g[::-1], "reversed"),
        (lambda g: np.roll(g, 1), "shifted"),
    ],
)
def test_a_few_known_entries_of_many_are_enough(wrong, kind):
    g = rng_of(19).normal(size=10_000)
    known = np.sort(rng_of(20).choice(g.size, 40, replace=False))
    calls = []

    def claim_at(y):
        calls.append(1)
        return wrong(g)

    assert kinds(diagnose(mismatch(g, wrong(g), g, known=known, claim_at=claim_at))) == [kind]
    assert len(calls) <= 1


def test_the_entries_that_a_law_explains_are_told():
    x = point(quadratic)
    three = [2, 11, 20]
    half = put(quadratic(x) / 2, three, [100.0, 200.0, 300.0])
    assert explain(mismatch(quadratic(x), half, x)).entries.tolist() == [k for k in range(24) if k not in three]
    assert explain(mismatch(quadratic(x), put(quadratic(x), 3, 9.0), x)).entries.size == 0
    assert explain(mismatch(quadratic(x), quadratic(x), x)).diagnoses == ()


def raiser(*_):
    raise RuntimeError("out of its domain")


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", [Kind.GRADIENT, Kind.HESSIAN])
@pytest.mark.parametrize("scale", [1e-310, 1e-160, 1.0, 1e160, 1e300])
@pytest.mark.parametrize("callables", [{}, {"claim_at": raiser, "elsewhere": raiser}])
def test_odd_values_raise_nothing(n, kind, scale, callables):
    shape = (n,) if kind is Kind.GRADIENT else (n, n)
    size = int(np.prod(shape))
    rng = rng_of(n)
    odd = np.array([0.0, np.nan, np.inf, -np.inf, 1.0, -scale, scale])
    for _ in range(20):
        claimed, numeric = scale * rng.normal(size=size), scale * rng.normal(size=size)
        uncertainty = 1e-9 * np.abs(numeric)
        for values in (claimed, numeric, uncertainty):
            where = rng.random(size) < 0.3
            values[where] = rng.choice(odd, size)[where]
        facts = Mismatch(
            claimed=claimed, numeric=numeric, uncertainty=np.abs(uncertainty), entry=np.arange(size),
            wrong=rng.random(size) < 0.8, places=places(shape), x=scale * rng.normal(size=n), kind=kind,
            tolerance=Tolerance(rtol=RTOL, atol=0.0),
            suspects={"odd": np.full(3, np.nan), "zero": np.zeros(size)}, **callables,
        )  # fmt: skip
        for diagnosis in diagnose(facts):
            assert isinstance(diagnosis.kind, DiagnosisKind)
            assert 0 <= diagnosis.explained <= 1
            assert_documented(diagnosis)


# ---- the parts


@pytest.mark.parametrize(
    ("value", "text"),
    [(2, "2"), (0.5, "1/2"), (-1, "-1"), (-2, "-2"), (1 / 7, "1/7"), (2 / 3, "2/3"), (np.pi, "π"), (1 / np.log(2), "1/(ln 2)"),
     (100, "100, the number of entries"), (0.01, "1/100, 100 being the number of entries"), (1 / 1.01, "1/1.01"), (0.1, "1/10"),
     (2.5066282746310002, "√(2π)"), (np.e, "e"), (1e300, None), (0.12345678912, None)],
)  # fmt: skip
def test_numbers_are_recognised(value, text):
    margin = abs(value) * 1e-10
    found = recognise(value - margin, value + margin, [("the number of entries", 100)])
    assert (found and found[1]) == text


def test_the_simplest_of_several_numbers_is_taken():
    assert recognise(1.9, 2.1)[1] == "2"
    assert recognise(-0.1, 0.1) is None


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [(2, 0, "2.000000"), (2, 0.01, "2.00"), (0.5, 1e-9, "0.5000000"), (1e20, 0, "1e+20"), (0, 0, "0")],
)
def test_a_figure_has_the_digits_that_are_known(value, uncertainty, text):
    assert figure(value, uncertainty) == text


def test_the_shortest_number_in_an_interval():
    assert shortest(0.2999, 0.3001) == 0.3
    assert shortest(-0.26, -0.24) == -0.25


@pytest.mark.parametrize(
    ("entries", "shape", "others", "text"),
    [([3], (9,), [], "entry [3]"), ([3, 4, 5], (9,), [0], "entries [3] to [5]"), ([3, 5], (9,), [4], "entries [3] and [5]"),
     ([1, 3, 5], (9,), [2], "every 2nd entry from [1] to [5]"), ([4, 5, 7], (3, 4), [0], "row 1"),
     ([1, 9], (3, 4), [0], "column 1"),
     ([5, 6, 9, 10], (3, 4), [0, 8], "rows 1 to 2, columns 1 to 2"),
     ([0, 4, 9], (3, 4), [1, 5, 8], "entries [0, 0], [1, 0] and [2, 1]"),
     (list(range(0, 16, 3)), (30,), [4, 5, 7], "every 3rd entry from [0] to [15]"),
     ([0, 1, 5, 7, 8, 20, 21], (30,), [2, 3, 4, 6, 9], "entries [0], [1], [5], [7], [8] and 2 more")],
)  # fmt: skip
def test_places_are_put_into_words(entries, shape, others, text):
    assert locate(np.array(entries), places(shape), np.array(others, int)).text == text
