"""The two estimators of a gradient against closed forms."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from gradcheck import PointError, UsageError, UserCodeError, finite_difference_gradient, two_point_gradient

A = np.random.default_rng(1).standard_normal((12, 12))


def quadratic(x):
    return x.reshape(-1) @ A @ x.reshape(-1)


def gradient(x):
    return ((A + A.T) @ x.reshape(-1)).reshape(x.shape)


@numba.njit
def softplus(x):
    return np.log1p(np.exp(x.sum()))


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize(
    ("shape", "dtype", "rtol"), [((12,), np.float64, 1e-8), ((3, 4), np.float64, 1e-8), ((12,), np.float32, 2e-3)]
)
def test_finite_differences_are_the_gradient(shape, dtype, rtol, order):
    x = np.random.default_rng(2).standard_normal(shape).astype(dtype)
    kept = x.copy()
    found = finite_difference_gradient(quadratic, x, order=order)
    assert (found.shape, found.dtype) == (x.shape, x.dtype)
    np.testing.assert_allclose(found, gradient(x), rtol=rtol, atol=rtol * np.abs(gradient(x)).max())
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("order", [2, 4])
def test_the_error_falls_with_the_order(order):
    x = np.array([0.3, -0.7])
    errors = [
        np.abs(finite_difference_gradient(lambda v: np.exp(v).sum(), x, eps, order) - np.exp(x)).max()
        for eps in (0.2, 0.1)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.2)


def test_steps_follow_the_scales_of_the_variables():
    x = np.array([1e-8, 1.0, 1e8])
    found = finite_difference_gradient(lambda v: np.sin(v / x).sum(), x)
    np.testing.assert_allclose(found, np.cos(1.0) / x, rtol=1e-9)


def test_differences_divide_by_what_happened():
    x = np.array([1e4 + 0.3])  # x + 1e-9 is off by a tenth of it
    np.testing.assert_allclose(finite_difference_gradient(lambda v: 3 * (v[0] - 1e4), x, eps=1e-9), [3.0], rtol=1e-12)


@pytest.mark.parametrize("count", [3, 6000])
def test_a_compiled_function_gives_what_a_plain_one_gives(count):
    x = np.random.default_rng(3).standard_normal(count) / count
    softplus(x)
    np.testing.assert_array_equal(
        finite_difference_gradient(softplus, x), finite_difference_gradient(lambda v: softplus(v), x)
    )


def test_the_mean_of_many_directions_is_the_gradient():
    x = np.random.default_rng(4).standard_normal((3, 4))
    found = two_point_gradient(quadratic, x, directions=40_000)
    assert found.shape == x.shape
    np.testing.assert_allclose(found, gradient(x), atol=0.05 * np.linalg.norm(gradient(x)))


def test_one_direction_is_the_projection_of_the_gradient_d_times():
    x = np.random.default_rng(5).standard_normal(12)
    found = two_point_gradient(quadratic, x, seed=7)
    v = found / np.linalg.norm(found)
    np.testing.assert_allclose(found, 12 * (gradient(x) @ v) * v, rtol=1e-6)


def test_the_same_seed_gives_the_same_directions():
    x = np.ones(5)
    first, again, other = (two_point_gradient(np.sum, x, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("estimate", [finite_difference_gradient, two_point_gradient])
def test_what_f_raises_is_passed_on(estimate):
    with pytest.raises(ZeroDivisionError):
        estimate(lambda x: 1 / 0, np.ones(3))


def test_a_compiled_function_that_raises_does_so():
    @numba.njit
    def f(x):
        if x[0] < 0:
            raise ValueError("negative")
        return x[0]

    f(np.ones(1))
    with pytest.raises(ValueError, match="negative"):
        finite_difference_gradient(f, np.zeros(20_000))


def test_an_f_that_writes_into_its_argument_is_named():
    def f(x):
        x += 1
        return x.sum()

    with pytest.raises(UserCodeError, match="writes into its argument"):
        finite_difference_gradient(f, np.ones(3))


@pytest.mark.parametrize(
    ("estimate", "options", "message"),
    [
        (finite_difference_gradient, {"eps": 0.0}, "eps"),
        (finite_difference_gradient, {"eps": np.inf}, "eps"),
        (finite_difference_gradient, {"order": 3}, "order 3"),
        (finite_difference_gradient, {"eps": 1e-20}, "is lost"),
        (two_point_gradient, {"eps": -1.0}, "eps"),
        (two_point_gradient, {"eps": 1e-20}, "is lost"),
        (two_point_gradient, {"directions": 0}, "directions"),
    ],
)
def test_options_that_make_no_sense_are_named(estimate, options, message):
    with pytest.raises(UsageError, match=message):
        estimate(np.sum, np.ones(3), **options)


@pytest.mark.parametrize(("x", "noun"), [({"a": np.ones(2)}, "dict"), (1j, "complex"), (["a"], "list")])
@pytest.mark.parametrize("estimate", [finite_difference_gradient, lambda f, x: two_point_gradient(f, x, directions=2)])
def test_what_is_no_array_of_real_numbers_is_refused(estimate, x, noun):
    with pytest.raises(PointError, match=f"x is a {noun}, not an array of real numbers; give one array of floats"):
        estimate(lambda x: 0.0, x)
