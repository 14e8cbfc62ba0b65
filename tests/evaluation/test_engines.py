"""How f is evaluated: every engine gives the values of a plain loop, and no guess survives a wrong answer."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest

from gradcheck.evaluation.engines import Batches, Books, Calling, Points, Steps, close, loop_for
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.harmless import harmless
from gradcheck.variables.layout import ArrayLayout

WEIGHTS = np.linspace(0.5, 2.0, 40)


def quartic(x):
    return float((WEIGHTS[: x.shape[-1]] * x**4).sum())


def by_rows(x):
    return (WEIGHTS[: x.shape[-1]] * x**4).sum(axis=-1)


def own_array(x, out=np.zeros(1)):  # noqa: B008
    out[0] = (x**2).sum()
    return out


@numba.njit
def compiled(x):
    return (x * x * np.sin(x)).sum()


@numba.njit
def compiled_matrix(x):
    return (x * x).sum()


@numba.njit
def compiled_edge(x):
    if x.max() > 1.0:
        raise ValueError("beyond the edge")
    return x.sum()


def steps(n=40, count=300, shape=None, dtype=np.float64, spread=0.1):
    generator = np.random.default_rng(3)
    x = generator.uniform(-0.9, 0.9, n).astype(dtype)
    columns = generator.integers(0, n, count)
    moved = (x[columns] + spread * generator.standard_normal(count)).astype(dtype).astype(np.float64)
    return Steps(x, columns, moved)


def one_by_one(f, work, shape):
    """The slow and obvious reference: a copy of x for every point."""
    values = []
    for column, moved in zip(work.columns, work.moved, strict=True):
        x = work.x.copy()
        x[column] = moved
        try:
            values.append(np.array(f(x.reshape(shape)), np.float64).reshape(-1))
        except Exception:
            values.append(np.full(1, np.nan))
    return np.array(values)


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize(
    ("f", "shape", "dtype", "described"),
    [
        pytest.param(quartic, (40,), np.float64, {"plain": True}, id="float"),
        pytest.param(own_array, (40,), np.float64, {}, id="the same array each time"),
        pytest.param(lambda x: x.sum(), (8, 5), np.float32, {"plain": True}, id="float32 matrix"),
        pytest.param(lambda x: x[:3] ** 2, (40,), np.float64, {"value_shape": (3,), "scalar": False}, id="vector"),
        pytest.param(lambda x: math.log(x[0] + 0.9), (40,), np.float64, {"plain": True}, id="raises at some points"),
        pytest.param(
            lambda x: None if x[1] > 0.5 else 1.0, (40,), np.float64, {"plain": True}, id="None at some points"
        ),
    ],
)
def test_one_at_a_time_is_a_plain_loop(f, shape, dtype, described, in_place):
    work = steps(dtype=dtype, spread=1.0)
    kept = work.x.copy()
    found = work.run(Calling(call=f, layout=ArrayLayout(shape, dtype), in_place=in_place, **described), Books())
    np.testing.assert_array_equal(found.values, one_by_one(f, work, shape))
    np.testing.assert_array_equal(work.x, kept)
    assert found.calls == len(work)


def test_the_first_exception_is_kept():
    calling = Calling(call=lambda x: math.log(x[0] + 0.9), layout=ArrayLayout((40,), float), plain=True)
    found = steps(spread=1.0).run(calling, Books())
    assert isinstance(found.failure, ValueError)


@pytest.mark.parametrize(
    ("f", "shape"),
    [(compiled, (40,)), (compiled_matrix, (8, 5)), (compiled_edge, (40,))],
    ids=["vector", "matrix", "raises at some points"],
)
def test_a_compiled_loop_is_a_plain_loop(f, shape):
    work = steps(count=20_000, spread=1.0)
    f(np.zeros(shape))
    calling = Calling(call=f, layout=ArrayLayout(shape, float), plain=True)
    loop = loop_for(calling, work.x, len(work))
    assert loop is not None
    function = Function(f, work.x.reshape(shape))
    function.at(work.x)
    found = function._along_columns(work.x, work.columns, work.moved, lambda done: None)
    np.testing.assert_array_equal(found, one_by_one(f, work, shape))
    assert function.engine == "compiled loop"
    assert function.calls >= len(work)
    assert np.isnan(found).any() == (f is compiled_edge)


@pytest.mark.parametrize("count", [1, 64, 409, 410, 1000])
def test_batches_are_a_plain_loop(count):
    work = steps(count=count)
    found = Batches(work).run(Calling(call=by_rows, rows=by_rows, layout=ArrayLayout((40,), float)), Books())
    np.testing.assert_allclose(found.values, one_by_one(by_rows, work, (40,)), rtol=1e-14)
    assert not found.no_rows
    assert found.calls == count + 2


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(lambda x: by_rows(x) + 1e-9, id="another value"),
        pytest.param(lambda x: by_rows(x)[:, None], id="another shape"),
        pytest.param(lambda x: float(by_rows(x)[0]), id="one number"),
        pytest.param(lambda x: 1 / 0, id="raises"),
    ],
)
def test_wrong_answers_for_rows_are_replaced(rows):
    work = steps()
    found = Batches(work).run(Calling(call=quartic, rows=rows, layout=ArrayLayout((40,), float), plain=True), Books())
    np.testing.assert_array_equal(found.values, one_by_one(quartic, work, (40,)))
    assert found.no_rows


@pytest.mark.parametrize(
    ("f", "engine"),
    [
        pytest.param(by_rows, "batches of rows", id="takes rows"),
        pytest.param(lambda x: np.log1p(np.exp(x @ WEIGHTS)), "batches of rows", id="takes rows, without saying so"),
        pytest.param(quartic, "one point at a time", id="sums everything"),
        pytest.param(lambda x: (x**2).sum() + x[0] * x[1], "one point at a time", id="indexes"),
        pytest.param(lambda x: (x**2 - x.mean()).sum(axis=-1), "one point at a time", id="mixes the rows"),
        pytest.param(lambda x: x.sum(axis=-1) * (1.0 if x.ndim == 1 else 1.001), "one point at a time", id="a trap"),
    ],
)
def test_whether_f_takes_rows_is_found_out(f, engine):
    x = np.random.default_rng(0).standard_normal(40)
    function = Function(f, x)
    function.at(x)
    function.line(x, np.ones(40), np.array([1e-8, 1e-4, 1e-2, 0.05, 0.1]))
    columns = np.arange(40).repeat(2)
    h = np.tile([1e-3, 1e-2], 40)
    plus, _ = function.pairs(x, columns, h)
    expected = one_by_one(f, Steps(x, columns, x[columns] + h), (40,))
    np.testing.assert_allclose(plus, expected, rtol=1e-13)
    assert function.engine == engine


class Remembering:
    def __init__(self):
        self.shapes = set()

    def __call__(self, x):
        self.shapes.add(x.shape)
        return x.sum(axis=-1)


def printing(x):
    print(x)
    return x.sum(axis=-1)


def calling_compiled(x):
    return compiled(x)


@pytest.mark.parametrize("f", [Remembering(), printing, calling_compiled, Remembering().__call__, compiled, np.sum])
def test_nothing_is_tried_out_on_what_may_remember_print_or_compile(f):
    assert not harmless(f)


@pytest.mark.parametrize("f", [by_rows, quartic, lambda x: np.linalg.norm(x) + math.pi])
def test_mathematics_is_harmless(f):
    assert harmless(f)


def test_close_allows_for_rounding_alone():
    value = np.array([[1.0], [np.nan], [1e300]])
    assert close(value * (1 + 2e-16), value)
    assert not close(value * (1 + 1e-13), value)
    assert not close(np.array([[1.0], [2.0], [1e300]]), value)


def test_points_are_handed_over_one_by_one():
    points = np.arange(12.0).reshape(4, 3)
    found = Points(points).run(
        Calling(call=lambda x: 1 / (x.sum() - 12), layout=ArrayLayout((3, 1), float), plain=True), Books()
    )
    np.testing.assert_array_equal(found.values[:, 0], [1 / (p.sum() - 12) if p.sum() != 12 else np.inf for p in points])
