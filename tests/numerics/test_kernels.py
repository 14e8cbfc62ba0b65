"""Compiled loops beside the plain ones they replace, and their cache on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from gradcheck.numerics import kernels
from gradcheck.numerics.directions import direction, keys

ENOUGH = 10**9  # evaluations for which any loop is worth its price


@numba.njit
def product(x):
    return (1.0 + x * x).prod()


@numba.njit
def count_positive(x):
    return (x > 0).sum()


@numba.njit
def single(x):
    return x.sum()


@numba.njit
def edge(x):
    if x.max() > 1:
        raise ValueError("beyond the edge")
    return x.sum()


def plain_loop(f, x, columns, moved):
    """The slow and obvious reference."""
    out = []
    for column, value in zip(columns, moved, strict=True):
        y = x.copy()
        y.reshape(-1)[column] = value
        out.append(f(y))
    return out


def run(f, x, columns, moved):
    scratch = x.copy()
    f(scratch)
    loop = kernels.loop_over_columns(f, scratch, ENOUGH)
    out, done = np.empty(len(columns)), np.zeros(1, np.intp)
    try:
        loop(scratch, scratch.reshape(-1), columns, moved, out, done)
    finally:
        run.state = scratch, out, done[0]
    return out


@pytest.mark.parametrize(
    ("f", "shape", "dtype"),
    [
        (product, (7,), np.float64),
        (product, (3, 4), np.float64),
        (count_positive, (7,), np.float64),
        (single, (7,), np.float32),
        (single, (2, 2, 2), np.float32),
    ],
)
def test_a_loop_over_columns_is_a_plain_loop(f, shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    columns = np.arange(x.size).repeat(2)
    moved = np.random.default_rng(1).standard_normal(columns.size).astype(dtype).astype(np.float64)
    np.testing.assert_array_equal(run(f, x, columns, moved), plain_loop(f, x, columns, moved))
    np.testing.assert_array_equal(run.state[0], x)


def test_what_f_raises_leaves_the_loop_and_says_where():
    x = np.zeros(5)
    with pytest.raises(ValueError, match="beyond the edge"):
        run(edge, x, np.arange(5), np.array([0.5, 0.5, 0.5, 2.0, 0.5]))
    assert run.state[2] == 3
    np.testing.assert_array_equal(run.state[1][:3], 0.5)


def test_an_explicit_signature_with_any_layout_will_do():
    f = numba.njit("float64(float64[:])")(lambda x: x.sum())
    np.testing.assert_array_equal(run(f, np.zeros(3), np.arange(3), np.ones(3)), np.ones(3))


@pytest.mark.parametrize(
    "f",
    [
        pytest.param(numba.njit(lambda x: x * 2), id="returns an array"),
        pytest.param(numba.njit(lambda x: x.sum() + 0j), id="returns a complex number"),
        pytest.param(numba.njit(lambda x, a=1.0: x.sum() * a), id="has a default"),
    ],
)
def test_there_is_no_loop_for_other_functions(f):
    f(np.zeros(3))
    assert kernels.loop_over_columns(f, np.zeros(3), ENOUGH) is None


def test_there_is_no_loop_before_f_was_called():
    assert kernels.loop_over_columns(numba.njit(lambda x: x.sum()), np.zeros(3), ENOUGH) is None


def test_a_loop_is_loaded_once_it_would_have_paid(monkeypatch):
    monkeypatch.setattr(kernels, "_ready", {})
    monkeypatch.setattr(kernels, "_waiting", type(kernels._waiting)())
    x = np.zeros(3)
    product(x)
    asked = [kernels.loop_over_columns(product, x, kernels.LOAD // 4) is not None for _ in range(5)]
    assert asked == [False, False, False, True, True]
    assert kernels.loop_over_columns(product, x, kernels.READY - 1) is None


CACHED = """if True:
    import numba, numpy as np
    from gradcheck.numerics import kernels
    @numba.njit
    def f(x):
        return x.sum()
    f(np.ones(3))
    loop = kernels.loop_over_columns(f, np.ones(3), 10**9)
    out, x = np.empty(3), np.ones(3)
    loop(x, x, np.arange(3), np.zeros(3), out, np.zeros(1, np.intp))
    assert (out == 2).all()
    print(sum(kernels._KERNEL.stats.cache_hits.values()), kernels.CACHED)
"""


def in_a_process(folder):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", CACHED], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_loops_are_cached_on_disk_whatever_f_is(tmp_path):
    assert in_a_process(tmp_path) == ["0", "True"]
    files = sorted(Path(tmp_path).rglob("*.nb?"))
    assert files
    assert in_a_process(tmp_path) == ["1", "True"]
    assert sorted(Path(tmp_path).rglob("*.nb?")) == files


def test_a_cache_that_cannot_be_written_is_done_without(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("read-only")

    monkeypatch.setattr(kernels, "_ready", {})
    monkeypatch.setattr(kernels, "_KERNEL", kernels._KERNEL)
    monkeypatch.setattr(type(kernels._KERNEL._cache), "save_overload", refuse)
    monkeypatch.setattr(type(kernels._KERNEL._cache), "load_overload", refuse)
    x = np.zeros(4, np.float32)
    np.testing.assert_array_equal(run(single, x, np.arange(4), np.ones(4)), np.ones(4))


def test_a_folder_that_cannot_be_found_means_no_cache(monkeypatch):
    def refuse(**options):
        if options:
            raise RuntimeError("no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", refuse)
    assert kernels._jit(len) == (len, False)


@pytest.mark.parametrize(
    ("message", "kind", "reason"),
    [
        ("scipy 0.16+ is required for linear algebra", ImportError, "install scipy"),
        ("Failed in nopython mode pipeline\nUntyped global name 'g'\nmore", TypeError, "Untyped global name 'g'"),
        ("", ValueError, "ValueError"),
    ],
)
def test_reasons_are_one_line(message, kind, reason):
    assert reason in kernels.reason(kind(message))
    assert "\n" not in kernels.reason(kind(message))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_perturbing_along_a_direction_is_what_the_formula_says(dtype):
    n, step = 1000, 1e-3
    generator = np.random.default_rng(5)
    x, slopes, scales = (
        generator.standard_normal(n).astype(dtype),
        generator.standard_normal(n),
        generator.uniform(1, 2, n),
    )
    ahead, behind = np.empty_like(x), np.empty_like(x)
    sums = kernels.perturb(x, slopes, scales, ahead, behind, (0, n), keys(3, 4), step)
    v = scales * direction(n, 3, 4)
    for moved, expected in ((ahead, x + step * v), (behind, x - step * v)):  # rounded alike on both sides of x
        np.testing.assert_allclose(moved, expected, rtol=2 * np.finfo(dtype).eps, atol=2 * np.finfo(dtype).eps)
    displacement = (ahead.astype(np.float64) - behind.astype(np.float64)) / 2
    np.testing.assert_allclose(sums, [slopes @ displacement, slopes @ v, ((slopes * v) ** 2).sum()], rtol=1e-10)


@numba.njit
def doubled(x):
    return 2 * x


@numba.njit
def of_some_size(x):
    return np.ones(3) if x[0] < 1 else np.ones(2)


def test_a_loop_over_a_vector_valued_f_keeps_its_values():
    x, columns, moved = np.arange(4.0), np.array([0, 3, 3]), np.array([5.0, 6.0, 7.0])
    doubled(x)
    loop = kernels.loop_over_columns(doubled, x, ENOUGH, vector=True)
    out, done = np.empty((3, 4)), np.zeros(1, np.intp)
    loop(x, x, columns, moved, out, done)
    np.testing.assert_array_equal(out, plain_loop(doubled, x, columns, moved))
    np.testing.assert_array_equal(x, np.arange(4.0))


def test_another_number_of_values_leaves_the_loop():
    x = np.zeros(2)
    of_some_size(x)
    loop = kernels.loop_over_columns(of_some_size, x, ENOUGH, vector=True)
    out, done = np.empty((3, 3)), np.zeros(1, np.intp)
    with pytest.raises(ValueError, match="another number of values"):
        loop(x, x, np.zeros(3, np.intp), np.array([0.0, 2.0, 0.0]), out, done)
    assert done[0] == 1
