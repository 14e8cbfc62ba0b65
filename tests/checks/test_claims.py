"""Gradients, Jacobians, Hessians and products: exact claims pass, wrong ones fail on the right entries."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from gradcheck import PointError, UsageError, UserCodeError, check_gradient, check_hessian, check_jacobian
from gradcheck.checks.products import check_hvp, check_jvp, check_vjp
from gradcheck.model import DiagnosisKind, FindingKind, Kind, Method, Status, Verdict

RNG = np.random.default_rng(4)
A = RNG.normal(size=(5, 5))
B = RNG.normal(size=(3, 5))
x0 = RNG.normal(size=5)


def quadratic(x):
    return float(x @ A @ x)


def quadratic_gradient(x):
    return (A + A.T) @ x


def log_quadratic(x):
    return float(np.log(x @ x + 1))


def log_quadratic_gradient(x):
    return 2 * x / (x @ x + 1)


def log_quadratic_hessian(x):
    s = x @ x + 1
    return 2 * np.eye(x.size) / s - 4 * np.outer(x, x) / s**2


def cubic(x):
    return float(np.sum(x**3))


def cubic_gradient(x):
    return 3 * x**2


def cubic_hessian(x):
    return np.diag(6 * x.reshape(-1)).reshape(x.shape * 2)


def func(x):
    return np.sin(B @ x)


def jac(x):
    return np.cos(B @ x)[:, None] * B


def failed(report):
    return sorted(entry.index for entry in report.entries if entry.verdict is Verdict.FAIL)


class Operator:
    def __init__(self, matrix):
        self.matvec = lambda v: matrix @ v


def need(module):
    return pytest.importorskip(module, reason="SciPy is in the test extra only")


# ---- gradients


@pytest.mark.parametrize(
    ("call", "claim", "options"),
    [
        (quadratic, quadratic_gradient, {}),
        (lambda x: (quadratic(x), quadratic_gradient(x)), None, {"value_and_grad": True}),
        (quadratic, lambda x: (quadratic(x), quadratic_gradient(x)), {"value_and_grad": True}),
        (lambda x, k: k * quadratic(x), lambda x, k: k * quadratic_gradient(x), {"args": (2.0,)}),
        (lambda x, k: (k * quadratic(x), k * quadratic_gradient(x)), None, {"args": (2.0,), "value_and_grad": True}),
    ],
)
@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_a_gradient_may_come_in_several_ways(call, claim, options, factor):
    scaled = call if claim is None else claim

    def wrong(*arguments):
        answer = scaled(*arguments)
        return (answer[0], factor * answer[1]) if isinstance(answer, tuple) else factor * answer

    report = check_gradient(*((wrong, None) if claim is None else (call, wrong)), x0, throw=False, **options)
    assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL)


def test_without_a_gradient_there_is_nothing_to_check():
    with pytest.raises(UsageError, match="give grad, or value_and_grad=True"):
        check_gradient(quadratic, None, x0)


# ---- Jacobians


@pytest.mark.parametrize(
    ("shape_in", "shape_out"),
    [((4,), (6,)), ((2, 2), (6,)), ((4,), (2, 3)), ((2, 2), (3, 2)), ((4,), (1,)), ((1,), (6,)), ((), ())],
)
def test_a_jacobian_of_any_shape(shape_in, shape_out):
    n, m = math.prod(shape_in), math.prod(shape_out)
    matrix = RNG.normal(size=(m, n))

    def call(x):
        return np.exp(matrix @ x.reshape(-1)).reshape(shape_out)

    def claim(x):
        return np.exp(matrix @ x.reshape(-1))[:, None] * matrix

    x = RNG.normal(size=shape_in)
    report = check_jacobian(call, claim, x)
    assert (report.verdict, report.checked, report.shape) == (Verdict.PASS, n * m, shape_out + shape_in)
    whole = check_jacobian(call, lambda x: claim(x).reshape(shape_out + shape_in), x)
    assert {entry.index for entry in whole.entries} == set(np.ndindex(shape_out + shape_in))


@pytest.mark.parametrize("index", [(0, 0), (2, 4), (1, 3)])
def test_a_wrong_entry_of_a_jacobian_is_named(index):
    def wrong(x):
        claimed = jac(x)
        claimed[index] *= 1.0001
        return claimed

    report = check_jacobian(func, wrong, x0, throw=False)
    assert failed(report) == [index]
    assert report.entries[0].path == f"[{index[0]}, {index[1]}]"


@pytest.mark.parametrize(
    ("call", "claim", "message"),
    [
        (func, lambda x: jac(x)[:2], "jac has shape (2, 5), expected (3, 5)"),
        (func, lambda x: None, "jac returned None: does it end without a return statement?"),
        (
            func,
            lambda x: object(),
            "jac returned object (dtype object); give an array, or an operator with @ or matvec",
        ),
        (func, lambda x: Operator(B[:2]), "jac gives products of 2 entries by matvec, expected 3"),
        (
            lambda x: func(x) * np.nan,
            jac,
            "func is nan in component [0] at the point; choose a point inside its domain",
        ),
        (lambda x: None, jac, "func returned None: does it end without a return statement?"),
    ],
)
def test_what_is_no_jacobian_gets_one_line_and_its_culprit(call, claim, message):
    with pytest.raises(UserCodeError) as caught:
        check_jacobian(call, claim, x0)
    assert str(caught.value) == message
    report = check_jacobian(call, claim, x0, throw=False)
    assert (report.verdict, report.findings[-1].target) == (Verdict.ERROR, message.split()[0])


@pytest.mark.parametrize("calls", [2, 3, 20])
def test_a_number_of_outputs_that_changes_gets_one_line(calls):
    count = [0]

    def changing(x):
        count[0] += 1
        return func(x)[: 3 if count[0] < calls else 2]

    with pytest.raises(UserCodeError, match=r"^func returned 3 values and then 2 at the same point"):
        check_jacobian(changing, jac, x0)


def test_a_number_of_outputs_that_changes_away_from_the_point_is_no_value_there():
    def changing(x):
        return func(x) if np.array_equal(x, x0) else func(x)[:2]

    report = check_jacobian(changing, jac, x0, throw=False)
    assert (report.verdict, report.inconclusive) == (Verdict.INCONCLUSIVE, 15)
    assert {entry.estimate.status for entry in report.entries} == {Status.NON_FINITE}


# ---- sparse Jacobians


def neighbours(x):
    return x[:-1] ** 2 * x[1:]


def banded(x):
    i = np.arange(x.size - 1)
    matrix = np.zeros((x.size - 1, x.size))
    matrix[i, i], matrix[i, i + 1] = 2 * x[:-1] * x[1:], x[:-1] ** 2
    return matrix


x40 = RNG.normal(size=40)
PATTERN = banded(np.ones(40)) != 0


@pytest.mark.parametrize(
    "kind", ["csc_array", "csr_array", "coo_array", "csr_matrix", "dense with pattern", "sparse pattern"]
)
def test_a_sparse_jacobian_costs_evaluations_for_its_groups_only(kind):
    sparse = need("scipy.sparse")
    claim, pattern = banded, None
    if kind == "dense with pattern":
        pattern = PATTERN
    elif kind == "sparse pattern":
        pattern = sparse.csr_array(PATTERN)
    else:

        def claim(x):
            return getattr(sparse, kind)(banded(x))

    report = check_jacobian(neighbours, claim, x40, sparsity=pattern)
    assert (report.verdict, report.checked) == (Verdict.PASS, 39 * 40)
    assert report.nfev <= 30 + 2 * 2 + 8
    assert "40 columns were differenced in 2 groups" in report.notes


def change(index, value):
    def wrong(x):
        matrix = banded(x)
        matrix[index] = value if value == 0 else matrix[index] + value
        return matrix

    return wrong


@pytest.mark.parametrize(
    ("claim", "pattern", "entries", "rows"),
    [
        (change((3, 4), 1e-2), None, [(3, 4)], []),  # wrong within the pattern
        (change((3, 20), 1e-2), None, [(3, 20)], []),  # a non-zero too many
        (change((3, 20), 1e-2), PATTERN, [(3, 20)], []),
        (change((7, 7), 0), None, [], [7]),  # one that is missing, and so is its place in the pattern
        (change((7, 7), 0), PATTERN, [(7, 7)], []),
        (banded, PATTERN & ~np.eye(39, 40, dtype=bool), [], list(range(20))),  # the pattern alone is wrong
    ],
    ids=["value", "too many", "too many, dense", "missing", "missing, dense", "pattern"],
)
def test_wrong_entries_inside_and_outside_of_the_pattern_are_found(claim, pattern, entries, rows):
    sparse = need("scipy.sparse")
    given = claim if pattern is not None else lambda x: sparse.csr_array(claim(x))
    report = check_jacobian(neighbours, given, x40, sparsity=pattern, throw=False)
    assert report.verdict is Verdict.FAIL
    assert failed(report) == entries
    found = [finding for finding in report.findings if finding.kind is FindingKind.OUTSIDE_PATTERN]
    assert [row for finding in found for row in finding.evidence["rows"]] == rows
    if rows == [7]:
        assert found[0].message == "row 7 has derivatives where the sparsity pattern says there are none"


@pytest.mark.parametrize("pattern", [PATTERN.T, PATTERN[1:], np.ones(40)])
def test_a_pattern_of_wrong_shape_gets_one_line(pattern):
    with pytest.raises(UserCodeError, match=r"^the sparsity pattern has shape .*, expected \(39, 40\)"):
        check_jacobian(neighbours, banded, x40, sparsity=pattern)


# ---- Hessians


HESSIANS = {
    "quadratic": (quadratic, quadratic_gradient, lambda x: A + A.T),
    "log-quadratic": (log_quadratic, log_quadratic_gradient, log_quadratic_hessian),
    "cubic": (cubic, cubic_gradient, cubic_hessian),
}


@pytest.mark.parametrize("with_gradient", [True, False])
@pytest.mark.parametrize("name", HESSIANS)
@pytest.mark.parametrize("wrap", [np.asarray, np.asfortranarray, Operator])
def test_a_right_hessian_passes_and_a_wrong_entry_fails(name, with_gradient, wrap):
    f, grad, hess = HESSIANS[name]
    grad = grad if with_gradient else None
    report = check_hessian(f, lambda x: wrap(hess(x)), x0, grad=grad)
    assert (report.verdict, report.checked, report.shape) == (Verdict.PASS, 25, (5, 5))

    def wrong(x):
        claimed = hess(x).copy()
        claimed[1, 3] += 1e-2
        claimed[3, 1] += 1e-2
        return wrap(claimed)

    report = check_hessian(f, wrong, x0, grad=grad, throw=False)
    assert failed(report) == [(1, 3), (3, 1)]
    assert FindingKind.NOT_SYMMETRIC not in [finding.kind for finding in report.findings]


def test_the_classic_mistakes_fail_by_name():
    halved = check_hessian(quadratic, lambda x: A.copy(), x0, grad=quadratic_gradient, throw=False)
    assert halved.failed == 25
    assert halved.diagnoses[0].kind in (DiagnosisKind.MISSING_TRANSPOSE, DiagnosisKind.NOT_SYMMETRIZED)
    assert FindingKind.NOT_SYMMETRIC in [finding.kind for finding in halved.findings]

    def dropped(x):
        return 2 * np.eye(x.size) / (x @ x + 1)

    assert check_hessian(log_quadratic, dropped, x0, grad=log_quadratic_gradient, throw=False).failed == 25


def test_the_hessian_of_a_matrix_variable():
    x = RNG.normal(size=(2, 3))
    report = check_hessian(cubic, cubic_hessian, x, grad=cubic_gradient)
    assert (report.verdict, report.shape) == (Verdict.PASS, (2, 3, 2, 3))

    def flat(x):
        return cubic_hessian(x).reshape(6, 6)

    assert check_hessian(cubic, flat, x, grad=cubic_gradient).verdict is Verdict.PASS


@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_a_hessian_in_single_precision(factor):
    x = x0.astype(np.float32)
    report = check_hessian(
        lambda x: np.float32(np.sum(x**3)),
        lambda x: np.diag(6 * x) * np.float32(factor),
        x,
        grad=cubic_gradient,
        throw=False,
    )
    assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL)


@pytest.mark.parametrize(
    ("hess", "grad", "message"),
    [
        (lambda x: cubic_hessian(x)[:4], cubic_gradient, "hess has shape (4, 5), expected (5, 5)"),
        (lambda x: np.ones(24), cubic_gradient, "hess has shape (24,), expected (5, 5)"),
        (
            lambda x: object(),
            cubic_gradient,
            "hess returned object (dtype object); give an array, or an operator with @ or matvec",
        ),
        (cubic_hessian, lambda x: cubic_gradient(x)[:4], "grad returned shape (4,), expected (5,)"),
        (cubic_hessian, lambda x: [][1], "grad raised IndexError at the point: list index out of range"),
    ],
)
def test_what_is_no_hessian_gets_one_line_and_its_culprit(hess, grad, message):
    with pytest.raises(UserCodeError) as caught:
        check_hessian(cubic, hess, x0, grad=grad)
    assert str(caught.value) == message
    assert check_hessian(cubic, hess, x0, grad=grad, throw=False).findings[-1].target == message.split()[0]


def test_f_that_fails_is_blamed_where_it_is_differenced_twice():
    with pytest.raises(UserCodeError, match="f raised ZeroDivisionError"):
        check_hessian(lambda x: 1 / 0, cubic_hessian, x0)
    assert check_hessian(lambda x: 1 / 0, cubic_hessian, x0, throw=False).verdict is Verdict.ERROR


def test_a_hessian_is_not_compared_with_a_wrong_gradient_in_silence():
    report = check_hessian(cubic, cubic_hessian, x0, grad=lambda x: 2 * x**2, throw=False)
    assert report.verdict is not Verdict.PASS
    assert ("grad", Verdict.INCONCLUSIVE) in [(finding.target, finding.verdict) for finding in report.findings]


def test_a_wrong_entry_of_a_large_hessian_is_named():
    i = np.arange(300)
    pull = np.exp(-abs(i[:, None] - i) / 50.0)

    def wrong(x):
        matrix = pull + np.diag(np.exp(x))
        matrix[217, 41] *= 1.001
        return matrix

    def f(x):
        return float(0.5 * x @ pull @ x + np.exp(x).sum())

    report = check_hessian(f, wrong, np.sin(i / 7), grad=lambda x: pull @ x + np.exp(x), throw=False)
    assert (report.checked, failed(report)) == (90_000, [(217, 41)])
    assert report.entries[0].path == "[217, 41]"
    assert FindingKind.NOT_SYMMETRIC in [finding.kind for finding in report.findings]


def test_no_second_matrix_is_held():
    n = 2000
    numba = pytest.importorskip("numba")

    @numba.njit
    def grad(x):
        g = np.empty_like(x)
        for k in range(x.size):
            g[k] = 4 * x[k] ** 3 + x[k - 1] + x[(k + 1) % x.size]
        return g

    def f(x):
        return float(np.sum(x**4) + np.sum(x * np.roll(x, 1)))

    i = np.arange(n)

    def hess(x):
        matrix = np.zeros((n, n))
        matrix[i, i] = 12 * x**2
        matrix[i, i - 1] = matrix[i - 1, i] = 1
        return matrix

    x = np.linspace(1, 2, n)
    grad(x)
    tracemalloc.start()
    try:
        report = check_hessian(f, hess, x, grad=grad, method="coordinates")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (report.verdict, report.checked) == (Verdict.PASS, n * n)
    assert peak < 1.9 * 8 * n * n


def test_a_matrix_that_does_not_fit_is_told_what_it_needs_and_what_would_do():
    n = 500_000
    with pytest.raises(UserCodeError) as caught:
        check_hessian(
            lambda x: float(x @ x), lambda x: np.full((x.size, x.size), 2.0), np.ones(n), grad=lambda x: 2 * x
        )
    message = str(caught.value)
    assert message.startswith("hess has 500,000 × 500,000 entries, which need 2 TB")
    assert "sparse array" in message
    assert "hvp" in message


def test_a_large_hessian_along_directions_names_the_wrong_row():
    def wrong(x):
        matrix = A + A.T
        matrix[2, 4] += 1e-2
        matrix[4, 2] += 1e-2
        return matrix

    report = check_hessian(quadratic, wrong, x0, grad=quadratic_gradient, method="directions", throw=False)
    assert (report.verdict, report.method) == (Verdict.FAIL, Method.DIRECTIONS)
    assert any("wrong rows" in note and "2" in note and "4" in note for note in report.notes)
    right = check_hessian(quadratic, lambda x: A + A.T, x0, grad=quadratic_gradient, method="directions")
    assert right.verdict is Verdict.PASS


# ---- products


@pytest.mark.parametrize("grad", [quadratic_gradient, None])
@pytest.mark.parametrize(
    ("product", "verdict", "kinds"),
    [
        (lambda x, v: (A + A.T) @ v, Verdict.PASS, []),
        (lambda x, v: A @ v, Verdict.FAIL, [FindingKind.NOT_SYMMETRIC]),
        (lambda x, v: 1.001 * (A + A.T) @ v, Verdict.FAIL, []),
        (lambda x, v: (A + A.T) @ v + 1e-2 * v**2, Verdict.FAIL, [FindingKind.NOT_LINEAR, FindingKind.NOT_SYMMETRIC]),
    ],
)
def test_a_hessian_vector_product(grad, product, verdict, kinds):
    report = check_hvp(quadratic, product, x0, grad=grad, throw=False)
    assert (report.kind, report.verdict, report.shape) == (Kind.HVP, verdict, (5, 3))
    assert [finding.kind for finding in report.findings] == kinds


@pytest.mark.parametrize("grad", [lambda x, k: 3 * k * x**2, None])
def test_products_of_a_function_with_arguments(grad):
    def hvp(x, v, k):
        return 6 * k * x * v

    assert check_hvp(lambda x, k: k * cubic(x), hvp, x0, grad=grad, args=(2.0,)).verdict is Verdict.PASS


@pytest.mark.parametrize(("grad", "lowest"), [(cubic_gradient, 0.0), (None, 0.2)])
def test_products_keep_to_the_bounds(grad, lowest):
    def inside(call):
        def inner(x):
            assert (x >= 0).all()
            return call(x)

        return inner

    x = np.linspace(lowest, 1, 5)
    report = check_hvp(
        inside(cubic), lambda x, v: 6 * x * v, x, grad=grad and inside(grad), bounds=(0, np.inf), throw=False
    )
    assert report.failed == 0
    assert report.trouble is None


@pytest.mark.parametrize(
    ("jvp", "vjp", "verdict", "kinds"),
    [
        (lambda x, v: jac(x) @ v, None, Verdict.PASS, []),
        (lambda x, v: jac(x) @ v, lambda x, u: u @ jac(x), Verdict.PASS, []),
        (lambda x, v: jac(x) @ v, lambda x, u: 2 * u @ jac(x), Verdict.FAIL, [FindingKind.NOT_ADJOINT]),
        (lambda x, v: B @ v, None, Verdict.FAIL, []),
        (lambda x, v: jac(x) @ v + 1, None, Verdict.FAIL, [FindingKind.NOT_LINEAR]),
    ],
)
def test_a_jacobian_vector_product(jvp, vjp, verdict, kinds):
    report = check_jvp(func, jvp, x0, vjp=vjp, throw=False)
    assert (report.kind, report.verdict, report.shape) == (Kind.JVP, verdict, (3, 3))
    assert [finding.kind for finding in report.findings] == kinds


@pytest.mark.parametrize(
    ("vjp", "verdict", "kinds"),
    [
        (lambda x, u: u @ jac(x), Verdict.PASS, []),
        (lambda x, u: u[::-1] @ jac(x), Verdict.FAIL, []),
        (lambda x, u: np.abs(u) @ jac(x), Verdict.FAIL, [FindingKind.NOT_LINEAR]),
    ],
)
def test_a_vector_jacobian_product(vjp, verdict, kinds):
    report = check_vjp(func, vjp, x0, directions=2, throw=False)
    assert (report.kind, report.verdict, report.shape) == (Kind.VJP, verdict, (2, 5))
    assert [finding.kind for finding in report.findings] == kinds


@pytest.mark.parametrize(
    ("check", "call"), [(check_hvp, cubic), (check_jvp, func), (check_vjp, func)], ids=["hvp", "jvp", "vjp"]
)
def test_a_product_that_raises_or_has_the_wrong_size_is_an_error_of_its_own(check, call):
    for product in (lambda x, v: 1 / 0, lambda x, v: np.ones(7), lambda x, v: None):
        report = check(call, product, x0, throw=False)
        assert (report.verdict, report.findings[-1].target) == (Verdict.ERROR, report.kind.value)


# ---- SciPy's own


@pytest.mark.parametrize("n", [2, 8, 30])
def test_the_rosenbrock_function_of_scipy_passes_in_every_way(n):
    optimize = need("scipy.optimize")
    rosen, rosen_der, rosen_hess = optimize.rosen, optimize.rosen_der, optimize.rosen_hess
    x = np.random.default_rng(n).normal(size=n)
    for report in (
        check_gradient(rosen, rosen_der, x),
        check_hessian(rosen, rosen_hess, x, grad=rosen_der),
        check_hvp(rosen, optimize.rosen_hess_prod, x, grad=rosen_der),
        check_hvp(rosen, optimize.rosen_hess_prod, x),
    ):
        assert report.verdict is Verdict.PASS
    if n < 10:
        assert check_hessian(rosen, rosen_hess, x).verdict is Verdict.PASS


@pytest.mark.parametrize("wrap", ["csr_array", "csc_array", "coo_array", "dia_array", "aslinearoperator"])
def test_what_scipy_stores_passes_and_a_wrong_entry_is_named(wrap):
    optimize, sparse, linalg = need("scipy.optimize"), need("scipy.sparse"), need("scipy.sparse.linalg")
    rosen, rosen_der, rosen_hess = optimize.rosen, optimize.rosen_der, optimize.rosen_hess
    make = getattr(sparse, wrap, None) or getattr(linalg, wrap)
    x = np.linspace(-1, 1, 12)
    report = check_hessian(rosen, lambda x: make(rosen_hess(x)), x, grad=rosen_der)
    assert report.verdict is Verdict.PASS

    def wrong(x):
        matrix = rosen_hess(x)
        matrix[4, 5] *= 1.001
        return make(matrix)

    report = check_hessian(rosen, wrong, x, grad=rosen_der, throw=False)
    assert failed(report) == [(4, 5)]
    assert FindingKind.NOT_SYMMETRIC in [finding.kind for finding in report.findings]


def test_the_budget_holds_for_the_gradient_of_a_hessian_too():
    x = np.random.default_rng(0).normal(size=200)
    calls = []
    report = check_hessian(
        lambda x: calls.append(0) or float(np.sum(x**4)),
        lambda x: np.diag(12 * x**2),
        x,
        grad=lambda x: 4 * x**3 + np.sin(x),
        budget=1e-9,
        throw=False,
    )
    assert report.verdict is Verdict.INCONCLUSIVE
    assert len(calls) < 100


def test_second_differences_need_room_within_the_bounds():
    with pytest.raises(PointError, match=r"entry \[1\] is too near its bounds for that; give grad"):
        check_hessian(lambda x: float(np.sum(x**3)), lambda x: np.diag(6 * x), np.array([0.5, 1.0]), bounds=(0.0, 1.0))


def test_an_operator_is_no_pattern():
    operator = type("Operator", (), {"shape": (2, 2), "__matmul__": lambda self, v: v})()
    with pytest.raises(UserCodeError, match="the sparsity pattern is an operator; give a boolean array"):
        check_jacobian(lambda x: x, lambda x: np.eye(2), np.ones(2), sparsity=operator)
