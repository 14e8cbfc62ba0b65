"""The only place that calls user code: what it hands over, what it takes back, and how it says what went wrong."""

from __future__ import annotations

import subprocess
import sys

import numba
import numpy as np
import pytest

from gradcheck import UserCodeError
from gradcheck.evaluation.claims import Claim
from gradcheck.evaluation.function import Function

X = np.array([1.0, 2.0, 3.0])
SQUARES = np.array([[1.0, 4.0, 9.0]])


def function(f=lambda x: float((x**2).sum()), x0=X, **options):
    made = Function(f, x0, **options)
    made.at(x0.reshape(-1))
    return made


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        (2, [2.0]),
        (2.5, [2.5]),
        (True, [1.0]),
        (np.float32(0.5), [0.5]),
        (np.array(3.0), [3.0]),
        (np.array([[3.0]]), [3.0]),
        ([4.0], [4.0]),
    ],
)
def test_whatever_is_one_number_is_a_value(value, flat):
    np.testing.assert_array_equal(Function(lambda x: value, X).at(X), flat)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "returned None: does it end without a return"),
        ("text", "returned str .* which is no number"),
        (1j, "complex number; return its real part"),
        (np.ones(3), r"array of shape \(3,\) where one number was expected.*--jac"),
        ([[1.0], [1.0, 2.0]], "returned list, which is no number"),
        (object(), "which is no number"),
    ],
)
def test_what_is_no_number_is_named(value, message):
    with pytest.raises(UserCodeError, match=message):
        Function(lambda x: value, X).at(X)


def test_the_shape_of_a_vector_is_kept():
    made = function(lambda x: np.outer(x, x), scalar=False)
    assert (made.size, made.shape) == (9, (3, 3))


def test_what_f_raises_at_the_point_is_the_cause():
    with pytest.raises(UserCodeError, match="cost raised ZeroDivisionError at the point: division by zero") as caught:
        Function(lambda x: 1 / 0, X, role="cost").at(X)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_f_is_handed_a_copy_of_the_shape_and_dtype_of_the_point():
    seen = []
    x0 = np.arange(6, dtype=np.float32).reshape(2, 3)
    made = function(lambda x: seen.append(x) or float(x.sum()), x0)
    made.line(x0.reshape(-1), np.ones(6), np.array([0.5]))
    made.pairs(x0.reshape(-1), np.array([1]), np.array([0.5]))
    assert {(x.shape, x.dtype) for x in seen} == {((2, 3), np.dtype(np.float32))}
    assert not any(np.shares_memory(x, x0) for x in seen)


@pytest.mark.parametrize(
    ("f", "mutated"), [(lambda x: x.sum(), ""), (lambda x: x.sort() or x[::-1].sort() or 1.0, "its argument")]
)
def test_writing_into_the_argument_is_noticed(f, mutated):
    assert function(f).mutated == mutated


def test_an_f_that_remembers_arrays_is_found_out():
    known = {}
    made = function(
        lambda x: known.setdefault(id(x), (x, float(x.sum())))[1]
    )  # which keeps x, lest its id be used again
    there, moved_to = made.at_scratch(X + 1)
    assert there == pytest.approx(9.0)
    assert moved_to(X) == pytest.approx(9.0)  # the right answer is 6


def test_pairs_and_rays_and_lines_are_values_of_f():
    made = function()
    plus, minus = made.pairs(X, np.array([0, 2]), np.array([0.5, 1.0]))
    np.testing.assert_allclose(plus[:, 0] - 14, [1.25, 7.0])
    np.testing.assert_allclose(minus[:, 0] - 14, [-0.75, -5.0])
    np.testing.assert_allclose(made.ray(X, 1, np.array([-2.0, 0.0, 1.0]))[:, 0], [10.0, 14.0, 19.0])
    ahead, behind, steps = made.line(X, np.array([1.0, 0.0, -1.0]), np.array([0.5, 1.0]))
    np.testing.assert_allclose(ahead[:, 0], [(1.5**2 + 4 + 2.5**2), 12.0])
    np.testing.assert_allclose(behind[:, 0], [(0.5**2 + 4 + 3.5**2), 20.0])
    np.testing.assert_allclose(steps, [0.5, 1.0])
    np.testing.assert_allclose(made.near(X + 1), [29.0])
    assert made.calls == 1 + 4 + 3 + 4 + 1


def test_the_displacement_that_happened_is_told():
    x = np.array([1e4], np.float32)
    steps = function(lambda x: x[0], x).line(x, np.ones(1), np.array([1.1e-3]))[2]
    np.testing.assert_array_equal(steps, [np.spacing(np.float32(1e4))])


def test_nothing_is_asked_beyond_the_bounds():
    seen = []
    bounds = np.zeros(3), np.array([1.5, 9.0, 3.0])
    made = function(lambda x: seen.append(x.copy()) or float(x.sum()), bounds=bounds)
    plus, minus = made.pairs(X, np.arange(3), np.ones(3))
    np.testing.assert_array_equal(plus[:, 0], [np.nan, 7.0, np.nan])
    np.testing.assert_array_equal(minus[:, 0], [5.0, 5.0, 5.0])
    ahead, behind, _ = made.line(X, np.ones(3), np.array([0.25, 2.0]))
    assert np.isnan(ahead).all()
    np.testing.assert_array_equal(behind[:, 0], [5.25, np.nan])
    np.testing.assert_array_equal(made.ray(X, 0, np.array([-1.0, 1.0]))[:, 0], [5.0, np.nan])
    assert all((x >= bounds[0]).all() and (x <= bounds[1]).all() for x in seen)
    assert made.calls == len(seen)


def test_progress_is_told_while_f_is_slow(monkeypatch):
    monkeypatch.setattr("gradcheck.evaluation.dispatch.BETWEEN_TICKS", 0.0)
    ticks = []
    function().pairs(X, np.arange(3), np.ones(3), ticks.append)
    assert ticks[-1] == 3
    assert len(ticks) > 3


@pytest.mark.parametrize("args", [(), (2.0,)])
def test_further_arguments_reach_f_and_the_claim(args):
    assert Function(lambda x, scale=1.0: float(scale * x.sum()), X, args=args).at(X) == 6 * sum(args or (1,))
    assert Claim(lambda x, scale=1.0: scale * x, X, X.shape, args=args).at(X).sum() == 6 * sum(args or (1,))


# ---- rows


def test_an_f_declared_to_take_rows_gets_them_alone():
    seen = set()
    made = function(lambda x: seen.add(x.ndim) or (x**2).sum(axis=1), vectorized=True)
    made.line(X, np.ones(3), np.array([0.5]))
    made.pairs(X, np.arange(3).repeat(40), np.ones(120))
    assert seen == {2}
    assert made.engine == "batches of rows"


def test_an_f_declared_in_error_is_named():
    with pytest.raises(UserCodeError, match="a vectorised f answers for each row"):
        Function(lambda x: float(x.sum()), X, vectorized=True).at(X)


def test_rows_that_influence_each_other_are_not_believed():
    made = function(lambda x: (x**2).sum(axis=1) + x.mean(), vectorized=True)
    plus, _ = made.pairs(X, np.zeros(100, np.intp), np.ones(100))
    np.testing.assert_allclose(plus, 17 + 7 / 3)
    assert "otherwise than for each alone" in made.notes[0]


# ---- Numba


@numba.njit
def jitted(x):
    return (x * x).sum()


def plain_sum(x):
    total = 0.0
    for value in x:
        total += value * value
    return total


def test_a_plain_function_is_compiled_on_request():
    x = np.linspace(0, 1, 2000)
    made = function(plain_sum, x, jit=True)
    assert "was compiled by Numba" in made.notes[0]
    made.pairs(x, np.arange(2000).repeat(4), np.full(8000, 1e-3))
    assert made.engine == "compiled loop"


@pytest.mark.parametrize(
    ("f", "why"),
    [
        (lambda x: float(str(x.sum())), "was not compiled"),
        (lambda x: float(np.sum(x)) if isinstance(x, np.ndarray) else 0.0, "was not compiled"),
    ],
)
def test_why_a_function_was_not_compiled_is_told(f, why):
    made = function(f, jit=True)
    assert why in made.notes[0]
    assert made.at(X) == pytest.approx(6.0)


def test_other_values_when_compiled_are_refused(monkeypatch):
    monkeypatch.setattr("gradcheck.numerics.kernels.compile_plain", lambda f: lambda x: f(x) + 1e-6)
    made = function(jit=True)
    assert "compiled, it gives other values" in made.notes[0]
    assert made.at(X) == 14.0


def test_what_a_compiled_function_lacks_is_explained():
    @numba.njit
    def f(x):
        return x + "text"

    with pytest.raises(UserCodeError, match=r"f raised TypingError at the point: \w") as caught:
        Function(f, X).at(X)
    assert "\n" not in str(caught.value)


def test_scipy_missing_for_a_compiled_product_is_explained():
    code = """if True:
        import sys
        sys.modules["scipy"] = None
        import numba, numpy as np
        from gradcheck import UserCodeError
        from gradcheck.evaluation.function import Function
        @numba.njit
        def f(x):
            return np.dot(x, x)
        try:
            Function(f, np.ones(3)).at(np.ones(3))
        except UserCodeError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "install scipy" in done.stdout


def test_numba_is_not_imported_for_a_plain_function():
    code = """if True:
        import sys
        import numpy as np
        from gradcheck.evaluation.function import Function
        f = Function(lambda x: float(x.sum()), np.ones(2000))
        f.at(np.ones(2000))
        f.pairs(np.ones(2000), np.arange(2000), np.ones(2000))
        assert not {"numba", "concurrent.futures.process", "multiprocessing"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- claims


@pytest.mark.parametrize("value", [[1.0, 4.0, 9.0], SQUARES, SQUARES.T, SQUARES.astype(np.float32)])
def test_a_claim_may_have_axes_of_length_one(value):
    np.testing.assert_array_equal(Claim(lambda x: value, X, (3,)).at(X), [1.0, 4.0, 9.0])


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (None, (3,), "grad returned None"),
        (np.ones(4), (3,), r"shape \(4,\), expected \(3,\)"),
        (np.ones((2, 3)), (3, 2), "looks transposed"),
        (np.ones(3) * 1j, (3,), "complex"),
        (["a", "b", "c"], (3,), "no array of numbers"),
        ([[1.0], [1.0, 2.0]], (3,), "no array of numbers"),
    ],
)
def test_what_cannot_be_a_derivative_is_named(value, shape, message):
    with pytest.raises(UserCodeError, match=message):
        Claim(lambda x: value, np.ones(shape), shape).at(np.ones(shape))


def test_what_the_claim_raises_is_the_cause():
    with pytest.raises(UserCodeError, match="hess raised KeyError") as caught:
        Claim(lambda x: {}["a"], X, (3,), role="hess").at(X)
    assert isinstance(caught.value.__cause__, KeyError)
