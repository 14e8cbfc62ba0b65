from __future__ import annotations

import math
import os
import pickle
import types

import numpy as np
import pytest

from gradcheck.errors import PointError
from gradcheck.runner.reading import as_args, choose_point, parse_args, read_bounds, read_point
from gradcheck.variables.points import as_bounds, as_point, check_within, describe_point, draw, neighbours

INF = math.inf


def raises(*parts):
    """A PointError of one line that holds every part."""

    def check(error):
        return "\n" not in str(error) and all(part in str(error) for part in parts)

    return pytest.raises(PointError, check=check)


def test_bounds_of_the_wrong_length_are_named():
    with raises("it must fit a point of shape 3"):
        as_bounds(([0.0, 0.0], [1.0, 1.0]), (3,))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_a_point_keeps_shape_and_dtype(shape, dtype):
    x = np.ones(shape, dtype)
    assert as_point(x).shape == shape
    assert as_point(x).dtype == dtype
    assert as_point(np.asfortranarray(x)).flags.c_contiguous
    swapped = as_point(x.astype(x.dtype.newbyteorder()))
    assert swapped.dtype == dtype
    assert swapped.dtype.isnative


def test_a_number_and_a_list_of_floats_are_points():
    assert as_point(2.5).shape == ()
    assert as_point([1.0, 2.0]).dtype == np.float64


@pytest.mark.parametrize(
    ("x0", "parts"),
    [
        (np.array([True]), ["bool", ".astype(float)"]),
        (np.array([1j]), ["complex128", "real and imaginary parts"]),
        (np.array([1.0, None]), ["object", ".astype(float)"]),
        (np.ones(2, np.float16), ["float16", ".astype(float)"]),
        (np.ones(2, np.longdouble), ["float64 and float32", ".astype(float)"]),
        (np.array(["a"]), ["not numbers"]),
        (None, ["is a NoneType"]),
        (len, ["is a builtin_function_or_method"]),
        ([[1.0], [1.0, 2.0]], ["is ragged"]),
        ([], ["has shape 0 and no entries"]),
        (np.ones((3, 0)), ["3x0"]),
        ([1.0, np.nan], ["is nan at [1]", "finite"]),
        (np.array([[1.0, 2.0], [-INF, 3.0]]), ["is -inf at [1, 0]"]),
        (INF, ["is inf at its only entry"]),
    ],
    ids=repr,
)
def test_what_is_no_point_is_named_with_a_remedy(x0, parts):
    if getattr(x0, "dtype", None) == np.longdouble and np.dtype(np.longdouble).itemsize == 8:
        parts = []
        x0 = np.ones(2, np.float16)  # on this platform long double is double, and a point
    with raises("x0", *parts):
        as_point(x0, "x0")


@pytest.fixture
def folder(tmp_path):
    x = np.array([1.5, 2.5])
    np.save(tmp_path / "good.npy", x)
    np.save(tmp_path / "single.npy", x.astype(np.float32))
    np.save(tmp_path / "whole.npy", np.arange(3))
    np.save(tmp_path / "objects.npy", np.array([1.0, None]), allow_pickle=True)
    (tmp_path / "pickled.npy").write_bytes(pickle.dumps(x))
    (tmp_path / "damaged.npy").write_bytes((tmp_path / "good.npy").read_bytes()[:-3])
    (tmp_path / "noise.npy").write_bytes(b"hello")
    (tmp_path / "code.npy").write_bytes((tmp_path / "good.npy").read_bytes().replace(b"(2,)", b"(1if"))
    (tmp_path / "nested.json").write_text("[" * 70 + "1.5" + "]" * 70, encoding="utf-8")
    np.save(tmp_path / "many.npy", np.ones((1,) * 40))
    os.mkfifo(tmp_path / "fifo.npy")
    (tmp_path / "device.csv").symlink_to("/dev/zero")
    (tmp_path / "dangling.npy").symlink_to("nowhere.npy")
    np.savez(tmp_path / "one.npz", x)
    np.savez(tmp_path / "two.npz", first=x, second=x * 2)
    (tmp_path / "damaged.npz").write_bytes(b"PK\x03\x04 nothing")
    texts = {
        "row.csv": "1.5,2.5\n", "column.csv": "1.5\n2.5\n", "matrix.csv": "# a comment\n1,2\n3,4\n\n5,6 # six\n",
        "german.csv": "1;2\n3;4\n", "blank.csv": "1 2\n3 4\n", "marked.csv": "\ufeff1,2\n", "header.csv": "a,b\n1,2\n",
        "ragged.csv": "1,2\n3\n", "empty.csv": "\n# nothing\n", "words.csv": "1,2\n3,four\n", "nan.csv": "1,nan\n",
        "good.json": "[[1, 2.5], [3, 4]]", "number.json": "2", "ragged.json": "[[1, 2], [3]]", "words.json": '[1, "2"]',
        "truth.json": "[true]", "object.json": '{"x": [1]}', "broken.json": "[1, 2", "null.json": "[1, null]",
        "nan.json": "[1, NaN]", "huge.json": "[1" + "0" * 400 + "]", "deep.json": "[" * 100_000, "point.dat": "1 2",
        "args.json": '[2.5, "name", [1, 2]]',
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "latin.csv").write_bytes(b"\xe9\xff")
    (tmp_path / "folder.npy").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("good.npy", [1.5, 2.5]),
        ("one.npz", [1.5, 2.5]),
        ("two.npz:second", [3.0, 5.0]),
        ("row.csv", [1.5, 2.5]),
        ("column.csv", [1.5, 2.5]),
        ("matrix.csv", [[1, 2], [3, 4], [5, 6]]),
        ("german.csv", [[1, 2], [3, 4]]),
        ("blank.csv", [[1, 2], [3, 4]]),
        ("marked.csv", [1, 2]),
        ("good.json", [[1, 2.5], [3, 4]]),
        ("number.json", 2),
        ("1,2,3", [1, 2, 3]),
        (" 1  2.5 ", [1, 2.5]),
        ("-.5, +1e-3", [-0.5, 1e-3]),
        ("4", 4),
        ("4,", [4]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("(1, .5)", [1, 0.5]),
    ],
)
def test_a_point_is_read_from_files_and_from_numbers(folder, text, values):
    x = read_point(text, folder=folder)
    assert x.dtype == np.float64
    assert x.tolist() == values


def test_a_numpy_file_keeps_single_precision(folder):
    assert read_point(str(folder / "single.npy")).dtype == np.float32


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("goood.npy", ["no such file", "goood.npy", "did you mean good.npy?"]),
        ("nowhere/x.npy", ["no such file"]),
        ("folder.npy", ["is a directory"]),
        ("objects.npy", ["pickled objects", "never loaded", "numpy.save"]),
        ("pickled.npy", ["a pickle", "never loaded", "numpy.save"]),
        ("damaged.npy", ["is damaged"]),
        ("noise.npy", ["not a numpy file"]),
        ("damaged.npz", ["is damaged"]),
        ("two.npz:third", ["no array 'third'", "first, second"]),
        ("good.csv:x", ["good.csv:x", "neither"]),
        ("header.csv", ["header.csv", "remove the header line"]),
        ("ragged.csv", ["is ragged", "from 2 to 1"]),
        ("empty.csv", ["holds no numbers"]),
        ("words.csv", ["words.csv", "'four'"]),
        ("nan.csv", ["is nan at [1]"]),
        ("latin.csv", ["not a text file"]),
        ("ragged.json", ["is ragged"]),
        ("words.json", ["holds '2'", "not a real number"]),
        ("truth.json", ["holds True"]),
        ("null.json", ["holds None"]),
        ("object.json", ["JSON object", "list"]),
        ("broken.json", ["is not JSON"]),
        ("deep.json", ["is not JSON"]),
        ("nan.json", ["is nan at [1]"]),
        ("huge.json", ["too large for float64"]),
        ("code.npy", ["code.npy is damaged"]),
        ("nested.json", ["has more than 32 dimensions"]),
        ("[" * 40 + "1" + "]" * 40, ["has more than 32 dimensions"]),
        ("many.npy", ["has 40 dimensions; reshape it"]),
        ("fifo.npy", ["fifo.npy is no regular file but a FIFO or a device"]),
        ("device.csv", ["is no regular file but a FIFO or a device"]),
        ("dangling.npy", ["dangling.npy is a link to nowhere.npy, which does not exist"]),
        ("x" * 300 + ".npy", ["no such file", "..."]),
        ("y" * 5000, ["is neither"]),
        ("~nobody/x.npy", ["no such file"]),
        ("nul\0.npy", ["no such file"]),
        ("point.dat", ["not a kind of file that holds a point", ".npy, .npz, .csv, .json"]),
        ("[[1, 2], [3]]", ["is ragged"]),
        ("[1, 2", ["not a list of numbers"]),
        ("[1, x]", ["not a list of numbers"]),
        ("[1, [2j]]", ["ragged"]),
        ("1,2,x", ["point 1,2,x is neither numbers", ".npy"]),
        ("nan", ["is nan"]),
        ("1,inf", ["is inf at [1]"]),
        ("[]", ["no entries"]),
        ("", ["neither numbers"]),
        ("module:x0", ["neither"]),
    ],
)
def test_a_point_that_cannot_be_read_is_named_with_a_remedy(folder, text, parts):
    with raises(*parts):
        read_point(text, folder=folder)


def test_integers_are_left_to_the_check_which_says_that_it_takes_them_as_float64(folder):
    assert read_point("whole.npy", folder=folder).dtype == np.int64
    x, record = choose_point(point=[1, 2], shape=(2, 1))
    assert (x.dtype.kind, record.dtype, record.values) == ("i", "float64", (1.0, 2.0))
    assert as_point([1, 2]).dtype == np.float64


def test_a_target_is_resolved_by_the_caller():
    thing = types.SimpleNamespace(x0=np.ones(3, np.float32), bad=[True, False])
    assert read_point("module:x0", load=lambda spec: getattr(thing, spec.split(":")[1])).dtype == np.float32
    with raises("module:bad", ".astype(float)"):
        read_point("module:bad", load=lambda spec: thing.bad)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("[2.5, 3, true, null]", (2.5, 3, True, None)),
        ('["name", ["a", "b"], [[1], [2, 3]]]', ("name", ["a", "b"], [[1], [2, 3]])),
        ("2.5,3", (2.5, 3)),
        ("7", (7,)),
        ("[]", ()),
        ('{"scale": 2.5, "name": "a"}', {"scale": 2.5, "name": "a"}),
        ("m:named", {"a": 1}),
        ("m:two", (1, "b")),
        ("m:one", ([1],)),
    ],
)
def test_arguments_are_read(text, arguments):
    found = parse_args(text, load=lambda spec: {"m:two": (1, "b"), "m:one": [1], "m:named": {"a": 1}}[spec])
    assert found == arguments
    assert [type(value) for value in found] == [type(value) for value in arguments]


def test_arguments_hold_arrays(folder):
    (array,) = parse_args("[[1, 2]]")
    assert array.dtype == np.float64
    assert parse_args("whole.npy", folder=folder)[0].dtype == np.int64
    assert [list(value) for value in parse_args("two.npz", folder=folder)] == [[1.5, 2.5], [3.0, 5.0]]
    assert parse_args("args.json", folder=folder)[:2] == (2.5, "name")


@pytest.mark.parametrize(
    ("text", "part"),
    [("[1,", "neither a JSON list nor"), ('{"a": 1', "neither a JSON"), ('"a"', "must be a list"), ("a", "neither")],
)
def test_bad_arguments_are_named(text, part):
    with raises("args", part):
        parse_args(text)


def test_arguments_by_name_hold_arrays_too(folder):
    (folder / "named.json").write_text('{"w": [1, 2], "one": [[1]], "s": "a"}', encoding="utf-8")
    found = parse_args("named.json", folder=folder)
    assert found["w"].tolist() == [1.0, 2.0]
    assert (found["one"].tolist(), found["s"]) == ([[1.0]], "a")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("two_rows.csv", [0.0, -1.0], [2.0, 3.0]),
        ("rows.json", [0.0, -1.0], [2.0, INF]),
        ("rows.npy", [[0.0], [1.0]], [[1.0], [2.0]]),
        ("two.npz:sides", 0.0, 1.0),
        ("m:pair", 0.0, [1.0, 2.0]),
        ("m:scipy", [0.0, 0.0], [1.0, 1.0]),
    ],
)
def test_bounds_are_read_from_files_and_targets(tmp_path, text, low, high):
    (tmp_path / "two_rows.csv").write_text("0, -1\n2, 3\n", encoding="utf-8")
    (tmp_path / "rows.json").write_text("[[0, -1], [2, Infinity]]", encoding="utf-8")
    np.save(tmp_path / "rows.npy", np.array([[[0.0], [1.0]], [[1.0], [2.0]]]))
    np.savez(tmp_path / "two.npz", sides=np.array([0.0, 1.0]), other=np.ones(2))
    targets = {
        "m:pair": (0.0, np.array([1.0, 2.0])),
        "m:scipy": types.SimpleNamespace(lb=np.zeros(2), ub=np.ones(2)),
    }
    found = read_bounds(text, load=targets.get, folder=tmp_path)
    assert [np.asarray(side).tolist() for side in found] == [low, high]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("columns.csv", ["columns.csv holds an array 3x2; it must hold two rows: the lower bounds, and the upper"]),
        ("empty.json", ["the lower one must be less than the upper one"]),
        ("several.npz", ["holds 2 arrays; name one of two rows"]),
        ("missing.npy", ["no such file"]),
        ("m:word", ["bounds is 'word'; it must be a pair"]),
    ],
)
def test_bounds_that_cannot_be_read_are_named(tmp_path, text, parts):
    (tmp_path / "columns.csv").write_text("0, 1\n2, 3\n4, 5\n", encoding="utf-8")
    (tmp_path / "empty.json").write_text("[[0, 2], [1, 1]]", encoding="utf-8")
    np.savez(tmp_path / "several.npz", a=np.ones(2), b=np.ones(2))
    with raises(*parts):
        read_bounds(text, load=lambda spec: spec.partition(":")[2], folder=tmp_path)


def test_arguments_in_a_file_are_a_list(folder):
    with raises("put [ ] around it"):
        parse_args("number.json", folder=folder)
    assert as_args([1]) == (1,)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bounds", [None, (0, 1), (5, INF), (-INF, -1e6), (-INF, INF), ([0, 10, -INF], [1, INF, 5])])
def test_a_drawn_point_is_reproducible_and_inside(bounds, dtype):
    x = draw((50, 3), dtype, 7, bounds)
    assert x.shape == (50, 3)
    assert x.dtype == dtype
    assert np.array_equal(x, draw((50, 3), dtype, 7, bounds))
    assert not np.array_equal(x, draw((50, 3), dtype, 8, bounds))
    low, high = (-INF, INF) if bounds is None else bounds
    assert np.all((x > low) & (x < high))
    assert np.unique(x).size > 100


def test_a_drawn_point_is_standard_normal_or_uniform():
    assert abs(draw(10_000).mean()) < 0.05
    assert abs(draw(10_000).std() - 1) < 0.05
    inside = draw(10_000, bounds=(-1e308, 1e308))
    assert np.isfinite(inside).all()
    assert abs((inside / 1e308).std() - 0.98 / math.sqrt(3)) < 0.02


@pytest.mark.parametrize(("seed", "part"), [(-1, "seed -1"), (1.5, "seed 1.5"), (None, "seed None")])
def test_a_bad_seed_is_named(seed, part):
    with raises(part):
        draw(3, seed=seed)


def test_a_point_beyond_memory_or_range_is_an_error():
    with raises("1000000000000000000 does not fit into memory"):
        draw(10**18)
    with raises("random float32 point", "inf"):
        draw(3, np.float32, bounds=(1e300, 2e300))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_neighbours_move_with_the_scale_of_each_entry(dtype):
    x0 = np.array([[1e-8, -1.0], [1e5, 0.0]], dtype)
    points = list(neighbours(x0, 40, seed=3))
    assert len(points) == 40
    for k, x in enumerate(neighbours(x0, 5, seed=3)):
        assert np.array_equal(x, points[k])  # whatever the count
        assert x.dtype == dtype
    stack = np.array(points)
    nonzero = x0 != 0
    assert np.all(np.sign(stack[:, nonzero]) == np.sign(x0[nonzero]))
    moved = np.abs(stack - x0).max(axis=0)
    assert np.all(moved[nonzero] > 0.3 * np.abs(x0[nonzero]))
    assert np.all(moved[nonzero] <= 0.5 * np.abs(x0[nonzero]) * (1 + 1e-6))
    assert 0.3 < moved[1, 1] <= 0.5  # the median of 1e-8, 1 and 1e5 is 1


@pytest.mark.parametrize(
    ("x0", "bounds"),
    [([0.9, 0.0, 1.0], (0.0, 1.0)), ([1e308, -1.5e308], None), ([0.0, 0.0], None), (2.0, (1.9, INF))],
)
def test_neighbours_stay_inside_and_finite(x0, bounds):
    x0 = np.array(x0)
    low, high = bounds or (-INF, INF)
    points = list(neighbours(x0, 20, bounds=bounds))
    for x in points:
        assert np.all((x >= low) & (x <= high) & np.isfinite(x))
    assert len({x.tobytes() for x in points}) > 1


def test_the_record_of_a_point():
    few = describe_point(np.array([[1.0, 2.0]], np.float32), "given", None)
    assert (few.shape, few.dtype, few.values, few.size) == ((1, 2), "float32", (1.0, 2.0), 2)
    assert describe_point(np.ones(1000), "random normal", 5).values == ()
    assert describe_point(np.array(1.0), "given").values == (1.0,)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"dim": 4}, (4,)),
        ({"shape": (2, 3)}, (2, 3)),
        ({"shape": (2, 3), "dim": 6}, (2, 3)),
        ({"point": "1,2,3,4,5,6"}, (6,)),
        ({"point": "1,2,3,4,5,6", "shape": (2, 3)}, (2, 3)),
        ({"point": "1,2,3", "dim": 3}, (3,)),
        ({"point": "[[1,2],[3,4]]", "dim": 4}, (2, 2)),
        ({"point": "2.5"}, ()),
        ({"point": "2.5", "dim": 1}, (1,)),
        ({"point": np.ones((2, 2))}, (2, 2)),
        ({"point": "0,1", "bounds": (0, 1)}, (2,)),
    ],
)
def test_a_point_is_chosen(options, shape):
    x, record = choose_point(**options)
    assert x.shape == record.shape == shape
    assert record.seed == (None if "point" in options else 0)
    assert record.origin


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({}, ["no point", "--dim"]),
        ({"dim": 5, "shape": (2, 3)}, ["dimension 5 contradicts shape 2x3", "6 entries"]),
        ({"point": "1,2,3", "dim": 4}, ["point 1,2,3 has shape 3, where 4"]),
        ({"point": "[[1,2,3],[4,5,6]]", "shape": (3, 2)}, ["has shape 2x3, where 3x2"]),
        ({"point": "1,2,3", "shape": (2, 2)}, ["where 2x2"]),
        ({"point": "1,2,3", "bounds": (0, 2)}, ["is 3.0 at [2], outside the bounds 0:2"]),
        ({"dim": 3, "bounds": (1, 0)}, ["the lower one must be less"]),
    ],
)
def test_contradictory_options_are_named(options, parts):
    with raises(*parts):
        choose_point(**options)


def test_bounds_of_each_entry_are_respected():
    check_within(np.array([1.0, 2.0]), ([0.0, 0.0], [1.0, 5.0]))
    with raises("at [0]", "-inf:1"):
        check_within(np.array([1.5, 2.0]), (-INF, [1.0, 5.0]))
