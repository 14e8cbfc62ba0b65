"""Sets on which x may live: points, tangents and curves keep to the definitions, to the last digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gradcheck.options.places import On
from gradcheck.variables.sets.curves import acceleration, velocities
from gradcheck.variables.sets.elementary import positive_factor
from gradcheck.variables.sets.foreign import Foreign
from gradcheck.variables.sets.forms import Parameters
from gradcheck.variables.sets.named import SETS, set_named
from gradcheck.variables.sets.parameters import forms_of
from gradcheck.variables.sets.rotations import cross_matrix, pose_exponential, rotation, rotation_vector

SHAPES = {
    "sphere": (5,), "simplex": (4,), "symmetric": (3, 3), "spd": (4, 4), "diagonal": (3, 3), "orthogonal": (5, 2),
    "SO2": (2, 2), "SO3": (3, 3), "SE2": (3, 3), "SE3": (4, 4), "quaternion": (4,), "positive": (2, 3),
    "periodic:2.5": (3,),
}  # fmt: skip
every_set = pytest.mark.parametrize("name", list(SHAPES))


def drawn(name, seed=0):
    on, rng = set_named(name), np.random.default_rng(seed)
    return on, on.draw(rng.standard_normal(SHAPES[name])), rng


def basis(on, x):
    """The tangents as columns."""
    return np.stack([on.tangent(x, e).ravel() for e in np.eye(on.origin(x).size)], axis=1)


def test_the_options_know_the_names_and_the_sets_of_one_shape():
    assert set(On.names) == set(SETS)
    assert set(On.shaped) == {name for name, on in SETS.items() if on.shape is not None}
    assert {name for name in SHAPES if ":" not in name} == set(SETS)


@every_set
def test_points_that_are_drawn_are_on_the_set_and_off_its_edge(name):
    for seed in range(5):
        on, x, _ = drawn(name, seed)
        assert x.shape == SHAPES[name]
        assert on.fits(x.shape)
        assert on.distance(x) <= 1e-14 * (1 + np.abs(x).max())
        assert on.edge(x) == ""


@every_set
@settings(max_examples=40, deadline=None, database=None)
@given(data=st.data())
def test_whatever_numbers_are_given_a_point_of_the_set_is_made(name, data):
    z = data.draw(arrays(np.float64, SHAPES[name], elements=st.floats(-1e6, 1e6)))
    on = set_named(name)
    x = on.draw(z)
    assert on.distance(x) <= 1e-12
    assert on.edge(x) == ""


@every_set
def test_coordinates_are_products_with_tangents_and_the_normal_part_has_none(name):
    on, x, rng = drawn(name)
    tangents, g = basis(on, x), rng.standard_normal(x.shape)
    assert tangents.shape[1] == on.size(x.shape) == np.linalg.matrix_rank(tangents)
    np.testing.assert_allclose(on.coordinates(x, g), tangents.T @ g.ravel(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tangents.T @ on.normal(x, g).ravel(), 0, atol=1e-12)
    gram = tangents.T @ tangents
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-13)
    assert set(np.round(np.diag(gram), 12)) <= ({1.0, 2.0} if name[0] == "S" else {1.0})


@every_set
def test_curves_stay_on_the_set_however_far_they_go(name):
    on, x, rng = drawn(name)
    c = on.origin(x)
    np.testing.assert_allclose(on.move(x, c), x, rtol=1e-13, atol=1e-13)
    for length in (1e-6, 1e-3, 0.1, 1.0, 10.0):
        y = on.move(x, c + length * rng.standard_normal(c.size))
        assert on.distance(y) <= 1e-13 * (1 + np.abs(y).max())
        assert on.edge(y) == "" or length == 10.0


@every_set
def test_a_central_difference_along_a_curve_is_of_order_two(name):
    on, x, rng = drawn(name, 3)
    weights, c = rng.standard_normal(x.shape), on.origin(x)
    right = on.coordinates(x, weights * np.cos(x + 0.2))

    def error(t):
        ahead, behind = (
            np.array([np.sum(weights * np.sin(on.move(x, c + s * e) + 0.2)) for e in np.eye(c.size)]) for s in (t, -t)
        )
        return np.abs((ahead - behind) / (2 * t) - right).max()

    assert 3.5 < error(4e-3) / error(2e-3) < 4.5


@every_set
def test_curves_leave_without_tangential_acceleration(name):
    on, x, rng = drawn(name, 1)
    c, v, t = on.origin(x), rng.standard_normal(on.origin(x).size), 1e-3
    bend = (on.move(x, c + t * v) + on.move(x, c - t * v) - 2 * x) / t**2
    assert np.abs(on.coordinates(x, bend)).max() <= 1e-2 * (v @ v)


def test_a_factor_is_positive_and_has_no_second_order():
    u = np.array([-1e300, -700.0, -3.0, -1e-4, 0.0, 1e-4, 3.0, 700.0])
    with np.errstate(over="ignore"):
        factor = positive_factor(u)
    assert (factor > 0).all()
    np.testing.assert_allclose(factor[3:6] - 1 - u[3:6], 0, atol=3e-12)


def test_rotations_turn_as_the_exponential_does():
    omega = np.array([0.3, -1.1, 0.7])
    series, term = np.eye(3), np.eye(3)
    for k in range(1, 40):
        term = term @ cross_matrix(omega) / k
        series = series + term
    np.testing.assert_allclose(rotation(omega), series, atol=1e-14)
    np.testing.assert_allclose(rotation(np.array([math.pi / 2])), [[0, -1], [1, 0]], atol=1e-15)


def test_a_quaternion_has_half_the_angle_of_its_rotation():
    on = set_named("quaternion")
    q = on.move(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.5]))
    np.testing.assert_allclose(q, [math.cos(0.5), 0, 0, math.sin(0.5)], atol=1e-15)


@pytest.mark.parametrize("x", [[0.1, 2.4], [-1.2, 1.0]])
def test_a_period_is_never_left(x):
    on, x = set_named("periodic:2.5"), np.array(x)
    low = -1.25 if (x < 0).any() else 0.0
    for step in (-7.3, -1e-17, 0.3, 100.0):
        y = on.move(x, x + step)
        assert ((y >= low) & (y < low + 2.5)).all()
        np.testing.assert_allclose(np.exp(2j * np.pi * (y - x - step) / 2.5), 1, atol=1e-12)


class PlaneSphere:
    """A sphere as libraries of manifolds have it, with a retraction by scaling."""

    dim = 2

    def projection(self, x, v):
        return v - x * np.sum(x * v)

    def retraction(self, x, v):
        return (x + v) / np.linalg.norm(x + v)


def test_a_set_of_others_has_the_range_of_its_projection_as_tangents():
    x = np.array([0.6, 0.0, 0.8])
    on = Foreign(PlaneSphere())
    tangents = basis(on, x)
    np.testing.assert_allclose(tangents.T @ tangents, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(x @ tangents, 0, atol=1e-14)
    assert on.distance(2 * x) == pytest.approx(1.0)


@every_set
@pytest.mark.parametrize("length", [0.0, 1e-9, 1e-3, 0.3])
def test_the_derivative_of_a_curve_by_its_formula_is_that_by_differences(name, length):
    on, x, rng = drawn(name, 6)
    if not on.exact:
        assert on.pulled(x, on.origin(x), x) is None
        return
    c, g = on.origin(x), rng.standard_normal(x.shape)
    c = c + length * on.reach(x) * rng.standard_normal(c.size)
    told = velocities(on.moves, x, c, on.reach(x)) @ g.ravel()
    np.testing.assert_allclose(on.pulled(x, c, g), told, rtol=1e-9, atol=1e-9)


# ---- forms of claims


every_form = pytest.mark.parametrize(
    ("name", "form"), [(name, form) for name in SHAPES for form in forms_of(set_named(name))]
)


@every_set
def test_curves_bend_as_the_formula_says(name):
    on, x, rng = drawn(name, 2)
    path = lambda x, d: on.move(x, on.origin(x) + d)  # noqa: E731
    v, w = rng.standard_normal((2, on.size_at(x)))
    seen = (acceleration(path, x, v + w, on.reach(x)) - acceleration(path, x, v - w, on.reach(x))) / 4
    told = on.bend(x, on.tangent(x, v), on.tangent(x, w))
    np.testing.assert_allclose(seen, told, atol=1e-5 * np.linalg.norm(v) * np.linalg.norm(w) / on.reach(x))
    assert on.curved == bool(np.abs(told).max() > 0)
    g = rng.standard_normal(x.shape)
    np.testing.assert_allclose(v @ on.curvature(x, g) @ w, np.sum(g * told), atol=1e-10)


@every_form
def test_a_form_pairs_with_tangents_as_the_derivative_does(name, form):
    on, x, rng = drawn(name, 4)
    made, g = forms_of(on)[form], rng.standard_normal(x.shape)
    v = on.tangent(x, rng.standard_normal(on.size_at(x)))
    if isinstance(made, Parameters):
        claimed = made.velocities(on, x).T @ g.ravel()
        along = made.path(x, 1e-4 * made.seen(on, x, v)) - made.path(x, -1e-4 * made.seen(on, x, v))
        np.testing.assert_allclose(along / 2e-4, v, atol=1e-5 * np.abs(v).max() / min(1, on.reach(x)) ** 2)
        assert on.distance(made.path(x, 0.1 * on.reach(x) * made.seen(on, x, v) / np.linalg.norm(v))) <= 1e-13
        np.testing.assert_allclose(np.sum(made.covector(on, x, claimed) * v), np.sum(g * v), rtol=1e-7, atol=1e-9)
    else:
        lowered = made.covector(on, x, v)
        np.testing.assert_allclose(np.sum(lowered * v) >= 0, True)


@pytest.mark.parametrize("size", [3, 6])
def test_poses_move_as_the_exponential_does(size):
    for length in (1e-8, 1e-3, 1.0, 2.9):
        xi = length * np.array([0.3, -0.5, 0.9, 0.2, -0.4, 0.7])[:size]
        generator = np.zeros((4, 4) if size == 6 else (3, 3))
        generator[:-1, -1] = xi[: len(generator) - 1]
        generator[:-1, :-1] = cross_matrix(xi[len(generator) - 1 :])
        series, term = np.eye(len(generator)), np.eye(len(generator))
        for k in range(1, 60):
            term = term @ generator / k
            series = series + term
        np.testing.assert_allclose(pose_exponential(xi), series, atol=1e-12)


@pytest.mark.parametrize("angle", [1e-9, 0.3, 2.0, 3.1, np.pi - 1e-7, np.pi])
def test_rotation_vectors_lead_back_to_the_rotation(angle):
    axis = np.array([0.6, -0.48, 0.64])
    turn = rotation(angle * axis)
    np.testing.assert_allclose(rotation(rotation_vector(turn)), turn, atol=1e-9)
    assert np.linalg.norm(rotation_vector(turn)) <= np.pi + 1e-12


def geodesic(metric, x, v, t):
    """A point of a geodesic, by closed forms that know nothing of `bend`."""
    if metric == "affine":
        values, vectors = np.linalg.eigh(x)
        root = (vectors * np.sqrt(values)) @ vectors.T
        inner = np.linalg.solve(root, np.linalg.solve(root, v).T)
        powers, across = np.linalg.eigh((inner + inner.T) / 2)
        return root @ (across * np.exp(t * powers)) @ across.T @ root
    if metric == "fisher":
        y, u = np.sqrt(x), v / (2 * np.sqrt(x))
        angle = np.linalg.norm(u)
        return (np.cos(angle * t) * y + np.sin(angle * t) / angle * u) ** 2
    assert metric == "logarithmic"
    return x * np.exp(t * v / x)


@pytest.mark.parametrize(("name", "metric"), [("spd", "affine"), ("simplex", "fisher"), ("positive", "logarithmic")])
def test_geodesics_of_a_metric_bend_as_it_says(name, metric):
    on, x, rng = drawn(name, 5)
    v, t = on.tangent(x, rng.standard_normal(on.size_at(x))), 1e-3 * on.reach(x)
    seen = (geodesic(metric, x, v, t) + geodesic(metric, x, v, -t) - 2 * x) / t**2
    told = forms_of(on)[f"riemannian:{metric}"].bend(on, x, v, v)
    np.testing.assert_allclose(seen, told, atol=1e-4 * np.abs(told).max())
