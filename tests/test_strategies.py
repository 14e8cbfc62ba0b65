"""Points that Hypothesis draws: where they lie, how they shrink, and tests that ask for the fixture as well."""

from __future__ import annotations

import builtins
import importlib
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck.errors import PointError, UsageError
from gradcheck.strategies import points

few = settings(max_examples=50, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
sizes = st.lists(st.integers(1, 4), max_size=3).map(tuple)


@few
@given(st.data(), sizes, st.sampled_from([np.float64, np.float32]))
def test_a_point_has_the_shape_and_dtype_and_entries_of_sizes_that_matter(data: Any, shape: Any, dtype: Any) -> None:
    x = data.draw(points(shape, dtype=dtype))
    assert x.shape == shape
    assert x.dtype == dtype
    size = np.abs(x)
    assert np.all((size == 0) | ((size >= dtype(1e-6)) & (size <= 1e6)))


@few
@given(st.data(), st.floats(-1e9, 1e9), st.floats(1e-3, 1e3), st.sampled_from([np.float64, np.float32]))
def test_a_point_is_within_its_bounds(data: Any, low: float, width: float, dtype: Any) -> None:
    for pair in ((low, low + width), (low, np.inf), (-np.inf, low), (np.array([low, -np.inf]), low + width)):
        try:
            x = data.draw(points(2, bounds=pair, dtype=dtype)).astype(float)
        except PointError:  # no number of that dtype lies between the two
            if dtype == np.float64 or width > 1e-6 * abs(low):
                raise
        else:
            assert np.all((x >= pair[0]) & (x <= pair[1]))


@few
@given(
    points({"W": (2, 3), "b": 3, "scale": 1.0, "layers": [(2,), ((1,), np.zeros(2, np.float32))]}, bounds={"W": (0, 1)})
)
def test_a_tree_of_shapes_gives_a_tree_of_arrays_with_bounds_by_leaf(x: Any) -> None:
    assert x["W"].shape == (2, 3)
    assert x["b"].shape == (3,)
    assert type(x["scale"]) is float
    assert x["layers"][0].shape == (2,)
    assert type(x["layers"][1]) is tuple
    assert x["layers"][1][1].dtype == np.float32
    assert (x["W"] >= 0).all()
    assert (x["W"] <= 1).all()


class Parameters(NamedTuple):
    W: Any
    name: str


def test_what_is_no_variable_is_handed_on_and_the_structure_is_kept() -> None:
    x = find(points(Parameters(np.ones((1, 2)), "first")), lambda x: True, settings=settings(few, derandomize=True))
    assert type(x) is Parameters
    assert x.name == "first"
    assert x.W.tolist() == [[0.0, 0.0]]


def test_hypothesis_shrinks_a_point_to_what_matters() -> None:
    x = find(points(8), lambda x: bool(x.max() > 1000), settings=settings(few, max_examples=2000, derandomize=True))
    assert np.count_nonzero(x) == 1
    assert x.max() == 1001


def test_two_points_share_no_memory() -> None:
    kept: list[Any] = []

    @settings(few, phases=[Phase.generate])
    @given(points(3))
    def collect(x: Any) -> None:
        kept.append((x, x.copy()))
        x += 1
        kept[-1] = (x, x.copy())

    collect()
    assert all(np.array_equal(x, copied) for x, copied in kept)


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        (0, {}, "shape is 0; it must be of the form 20x3"),
        ((3, -1), {}, "at least 1"),
        ({"a": (2,)}, {"bounds": {"b": (0, 1)}}, "bounds names b"),
        (2, {"bounds": (1, 0)}, "bounds is"),
        (2, {"dtype": np.float16}, "float16"),
        ({"a": "x"}, {}, "no leaf of floats"),
    ],
)
def test_what_makes_no_sense_is_refused_where_the_strategy_is_made(shape: Any, options: Any, said: str) -> None:
    with pytest.raises((PointError, UsageError), match=said):
        points(shape, **options)


def test_without_hypothesis_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("hypothesis"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "gradcheck.strategies")
    monkeypatch.delattr(gradcheck, "strategies")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install gradcheck\[hypothesis\]"):
        importlib.import_module("gradcheck.strategies")


TEST = """
    import numpy as np
    from hypothesis import given, settings
    from gradcheck.strategies import points

    def f(x):
        return float((x[x > 0] ** 2).sum())

    def grad(x):
        return np.where(x > {above}, 2 * x, 0.0)

    @settings(deadline=None, max_examples=200)
    @given(x=points(3, bounds=(-100, 100)))
    def test_f(gradcheck, x):
        print("called at", x)
        gradcheck(f, grad, x, allow_inconclusive=True)
    """


@pytest.fixture
def plugged(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("CI", "GITHUB_ACTIONS"):  # where Hypothesis keeps no database
        monkeypatch.delenv(name, raising=False)
    return pytester


PLUGINS = ("-p", "gradcheck.pytest_plugin", "-p", "_hypothesis_pytestplugin", "-W", "error")


def test_given_goes_with_the_fixture_and_makes_one_line_of_the_summary(plugged: pytest.Pytester) -> None:
    plugged.makepyfile(TEST.format(above=0))
    result = plugged.runpytest_subprocess(*PLUGINS)
    result.assert_outcomes(passed=1)
    # Hypothesis may draw a point so near to where the second derivative jumps that it is not judged.
    lines = [line for line in result.outlines if "gradient" in line and line.split()[-1] in ("PASS", "INCONCLUSIVE")]
    assert len(lines) == 1, result.outlines


def test_a_failure_is_shrunk_and_found_again_from_the_database(plugged: pytest.Pytester) -> None:
    plugged.makepyfile(TEST.format(above=10))
    result = plugged.runpytest_subprocess(*PLUGINS)
    result.assert_outcomes(failed=1)
    called = [line for line in result.outlines if line.startswith("called at")]
    assert called[-1].count("0.") == 2, called  # two of three entries do not matter
    assert "GradientMismatch" in result.stdout.str()
    again = plugged.runpytest_subprocess(*PLUGINS)
    again.assert_outcomes(failed=1)
    assert next(line for line in again.outlines if line.startswith("called at")) == called[-1]


@few
@given(
    points((3, 3), on="SO3"), points({"P": (3, 3), "t": 2}, on={"P": "spd"}), points(4, on="simplex", dtype=np.float32)
)
def test_points_of_a_set_are_drawn_on_it(R: Any, tree: Any, shares: Any) -> None:
    np.testing.assert_allclose(R.T @ R, np.eye(3), atol=1e-13)
    assert np.linalg.det(R) > 0
    assert np.linalg.eigvalsh(tree["P"]).min() > 0.1
    assert tree["t"].shape == (2,)
    assert (shares > 0).all()
    assert shares.dtype == np.float32
    assert abs(float(shares.sum()) - 1) < 1e-5


def test_a_set_without_points_of_that_shape_is_refused() -> None:
    with pytest.raises(UsageError, match="shape has shape 3, and a point of SO3 shape 3x3"):
        points(3, on="SO3")
