"""A point of several arrays on the command line and in declared checks: by its parts, from a file, of a framework."""

from __future__ import annotations

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck.cli.command import command
from gradcheck.errors import ConfigError, PointError, UsageError
from gradcheck.evaluation.unpacking import takes_by_name
from gradcheck.runner.config import declare
from gradcheck.runner.reading import choose_point, read_bounds, read_point
from tests.networks import LAYER

NETWORK = (
    LAYER
    + """
def grad_apart(W, b):
    return tuple(grad({"W": W, "b": b}).values())

def params():
    return {"W": np.ones((4, 3)), "b": np.zeros(4)}
"""
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "network_of_parts.py").write_text(NETWORK)
    np.savez(tmp_path / "p.npz", W=np.ones((4, 3)), b=np.zeros(4))
    (tmp_path / "p.safetensors").write_bytes(tensors(W=np.ones((4, 3)), b=np.zeros(4, np.float32)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("network_of_parts", None)


def tensors(metadata=None, **arrays) -> bytes:
    """The bytes of a safetensors file."""
    header, data = {} if metadata is None else {"__metadata__": metadata}, b""
    for name, array in arrays.items():
        kind = f"{array.dtype.kind.upper()}{8 * array.dtype.itemsize}"
        start, data = len(data), data + array.tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def gradcheck(*words: str):
    # The plain class: options of click differ from version to version in how they keep stderr apart.
    return CliRunner().invoke(command, ["network_of_parts:loss", *words])


def told(done) -> list[str]:
    """What was printed, without the time that it took and the command that repeats it."""
    return [line for line in done.output.splitlines() if not line.strip().startswith(("cost", "replay"))]


GIVEN = "--grad network_of_parts:grad"


@pytest.mark.parametrize(
    "words",
    [
        f"{GIVEN} --var W=4x3 --var b=4",
        f"{GIVEN} --var W=p.npz:W --var b=0.5,1,-1,0.25",
        f"{GIVEN} --var W=p.safetensors:W --var b=4 --wrt b",
        f"{GIVEN} --point p.npz",
        f"{GIVEN} --point p.safetensors",
        f"{GIVEN} --point network_of_parts:params",
        f"{GIVEN} --var W=4x3 --var b=4 --bounds W=0:1 --bounds b=-1:",
        f"{GIVEN} --var W=4x3 --var b=4 --bounds W=0:1,b=:2",
    ],
)
def test_a_point_is_made_of_its_parts(folder, words):
    done = gradcheck(*words.split())
    assert done.exit_code == 0, done.output
    assert "W[" in done.output or "b[" in done.output
    replayed = gradcheck(*done.output.rpartition("replay  gradcheck network_of_parts:loss ")[2].split())
    assert told(replayed) == told(done)


def test_a_wrong_part_is_named(folder):
    done = gradcheck("--grad", "network_of_parts:wrong", "--var", "W=4x3", "--var", "b=4")
    assert done.exit_code == 1
    assert "numeric = 0.5000000 × claimed on all of b (4 entries)" in done.output


def test_parts_are_arguments_with_unpack(folder):
    words = "--grad network_of_parts:grad_apart --unpack --var W=4x3 --var b=4 --bounds b=0:1"
    done = CliRunner().invoke(command, ["network_of_parts:apart", *words.split()])
    assert (done.exit_code, "12 agree" in done.output or "16 agree" in done.output) == (0, True)


def test_parts_are_drawn_apart_and_within_their_bounds():
    x, record = choose_point(parts={"W": (20, 3), "b": (3,)}, bounds={"W": (0, 1), "b": (5, 6)})
    assert ((x["W"] > 0) & (x["W"] < 1)).all()
    assert ((x["b"] > 5) & (x["b"] < 6)).all()
    assert record.leaves == (("W", (20, 3)), ("b", (3,)))
    assert (record.origin, record.seed) == ("random within bounds", 0)
    x, _ = choose_point(parts={"a": (4,), "b": (4,)})
    assert not np.array_equal(x["a"], x["b"])
    x, _ = choose_point(parts={"a": (4,), "b": (2, 2)}, bounds=({"a": 0, "b": 9}, {"a": 1, "b": np.full((2, 2), 10)}))
    assert (x["a"] < 1).all()
    assert (x["b"] > 9).all()


def test_a_part_may_be_a_number():
    x, record = choose_point(parts={"scale": "0.5", "x": (3,)})
    assert x["scale"] == 0.5
    assert type(x["scale"]) is float
    assert record.leaves[0] == ("scale", ())


def test_bounds_of_a_leaf_may_come_from_a_file(tmp_path):
    np.save(tmp_path / "b.npy", np.array([[0.0, 1.0], [2.0, 3.0]]))
    read = read_bounds({"b": "b.npy", "W": (0.0, 1.0)}, folder=tmp_path)
    assert read["W"] == (0.0, 1.0)
    np.testing.assert_array_equal(read["b"], [[0, 1], [2, 3]])


def test_declared_checks_have_parts(folder):
    (folder / "pyproject.toml").write_text(
        '[[tool.gradcheck.checks]]\ntarget = "network_of_parts:loss"\ngrad = "network_of_parts:grad"\n'
        '[tool.gradcheck.checks.vars]\nW = "4x3"\nb = 4\n'
        '[tool.gradcheck.checks.bounds]\nW = [0, 1]\nb = ":2"\n'
    )
    done = CliRunner().invoke(command, [])
    assert done.exit_code == 0, done.output
    assert "16 entries (W 4x3, b 4)" in done.output
    (folder / "pyproject.toml").unlink()
    (folder / "setup.cfg").write_text(
        "[gradcheck:network]\ntarget = network_of_parts:apart\ngrad = network_of_parts:grad_apart\nunpack = true\n"
        "vars =\n    W=4x3\n    b=0.5,1,-1,0.25\nwrt = W\n"
    )
    done = CliRunner().invoke(command, ["network"])
    assert done.exit_code == 0, done.output
    assert "12 entries compared: 12 agree" in done.output


def test_the_decorator_takes_parts(folder):
    (folder / "decorated_parts.py").write_text(
        "import gradcheck\nfrom network_of_parts import apart, grad_apart\n"
        "gradcheck.derivative_of(apart, vars={'W': '4x3', 'b': 4}, unpack=True)(grad_apart)\n"
    )
    done = CliRunner().invoke(command, ["decorated_parts"])
    sys.modules.pop("decorated_parts")
    assert done.exit_code == 0, done.output
    assert "16 entries compared: 16 agree" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--var W=4x3 --dim 3", "the point is told by its parts, with vars, and by dim, too; give one of them"),
        ("--var W=4x3 --var W=3", "it gives W twice; remove one"),
        ("--var W", "it must be NAME=P, with a shape such as 20x3"),
        ("--var =3", "it must be NAME=P"),
        ("--var W=0x3", "W: it must be of the form 20x3"),
        ("--var W=4y3", "W: point 4y3 is neither numbers"),
        ("--point p.safetensors:V", "p.safetensors holds no array 'V', only W, b"),
        ("--dim 3 --arrays no_such_library", "arrays is 'no_such_library', a framework that is not installed"),
        ("--dim 3 --arrays json", "arrays is 'json', which does not keep to the array API standard"),
        ("--var W=4x3 --var b=4 --bounds c=0:1", "bounds names c, which x0 does not have; it has W, b"),
        ("", "nowhere to check; add --dim N, --shape 20x3, --point P or --var NAME=P"),
    ],
)
def test_parts_that_make_no_sense_are_refused(folder, words, said):
    done = gradcheck(*GIVEN.split(), *words.split())
    assert said in done.output
    assert done.exit_code == 2
    assert done.output.count("\n") == 1


@pytest.mark.parametrize("value", [{}, {"W": True}, {"W": [1, "x"], 3: 1}, "4x3", ["W"], 5])
def test_declared_parts_that_are_none_are_refused(value):
    with pytest.raises(ConfigError, match=r"file: s: vars is .*; "):
        declare({"target": "m:f", "grad": "m:g", "vars": value}, file="file", section="s")


# ---- safetensors


def test_a_file_of_tensors_is_read(tmp_path):
    arrays = {"a.weight": np.arange(6.0).reshape(2, 3), "n": np.arange(3), "s": np.float32(2.5)}
    (tmp_path / "m.safetensors").write_bytes(tensors({"format": "np"}, **arrays))
    read = read_point("m.safetensors", folder=tmp_path)
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
    assert read["a.weight"].flags.writeable


def test_a_file_written_by_safetensors_is_read(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    numpy.save_file({"x": np.linspace(0, 1, 5), "flag": np.array([True, False])}, tmp_path / "m.safetensors")
    read = read_point("m.safetensors", folder=tmp_path)
    np.testing.assert_array_equal(read["x"], np.linspace(0, 1, 5))
    np.testing.assert_array_equal(read["flag"], [True, False])


def entry(**changes) -> bytes:
    header = {"x": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]} | changes}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(16)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a safetensors file"),
        (b"\xff" * 40, "is not a safetensors file"),
        (struct.pack("<Q", 4) + b"[12]", "is not a safetensors file"),
        (entry(dtype="BF16"), "x is BF16, which is too coarse to be differenced; save it as float32"),
        (entry(dtype="F4"), "x has dtype 'F4', which is none that NumPy has"),
        (entry(shape=[3]), "x is damaged: its shape and its place do not fit the file"),
        (entry(data_offsets=[0, 800]), "is damaged"),
        (entry(data_offsets=[-16, 0]), "is damaged"),
        (entry(shape="ab"), "is damaged"),
        (entry(shape=None), "is damaged"),
    ],
)
def test_a_damaged_file_of_tensors_is_refused(tmp_path, content, said):
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(PointError) as caught:
        read_point("m.safetensors", folder=tmp_path)
    assert said in str(caught.value)


# ---- arrays of a framework


@pytest.mark.parametrize(
    ("name", "module"), [("torch", "torch"), ("jax", "jax"), ("array-api-strict", "array_api_strict")]
)
def test_a_drawn_point_may_be_of_a_framework(name, module):
    pytest.importorskip(module, reason=f"{name} is not installed")
    x, _ = choose_point(parts={"W": (2, 3), "k": 3.0}, arrays=name)
    assert type(x["W"]).__module__.partition(".")[0] in (module, "jaxlib")
    assert x["k"] == 3.0
    x, record = choose_point(dim=3, arrays=name)
    assert (tuple(x.shape), record.shape) == ((3,), (3,))


def test_numpy_is_a_framework_too():
    assert type(choose_point(dim=3, arrays="numpy")[0]) is np.ndarray
    with pytest.raises(UsageError, match="arrays is 'math', which does not keep"):
        choose_point(dim=3, arrays="math")


def test_a_function_of_tensors_from_the_command_line(tmp_path):
    pytest.importorskip("torch", reason="torch is not installed")
    (tmp_path / "of_tensors.py").write_text(
        "import torch\ndef f(p): return (p['W'] ** 2).sum() + p['b'].exp().sum()\n"
        "def grad(p): return {'W': 2 * p['W'], 'b': p['b']}\n"
    )
    words = ["of_tensors:f", "--grad", "of_tensors:grad", "--var", "W=2x3", "--var", "b=2", "--arrays", "torch"]
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck", *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 1
    assert "nothing of b is right, all else is" in done.stdout


BAD = """
import numpy as np

def f(p): return 1.0
def g(p): return p
def two(a, b): return 1.0
object_leaf = {"layers": [{"W": np.ones(2), "fn": object()}]}
not_finite = {"layers": [{"W": np.array([1.0, np.nan])}]}
nothing = {"names": ["a", "b"], "count": 3}
unfit = {"a": np.ones(2), "c": np.ones(2)}
plain = {"a": np.ones(2)}
"""
BAD_WITH_TORCH = """
import numpy as np
import torch
from bad_points import f, g
mixed = {"a": np.ones(2), "b": torch.ones(2)}
coarse = {"a": torch.ones(2, dtype=torch.bfloat16)}
gone = {"a": torch.ones(2, device="meta")}
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("bad_points:f --point bad_points:object_leaf", "layers[0].fn of x0 is of type object, which is no number"),
        ("bad_points:f --point bad_points:not_finite", "layers[0].W of x0 is nan at [1]; give finite numbers"),
        ("bad_points:f --point bad_points:nothing", "x0 has no leaf of floats"),
        ("bad_points:two --point bad_points:unfit --unpack", "unpack hands a, c to f, which is two(a, b): "),
        ("bad_points:f --point bad_points:plain --wrt b", "wrt names b, which x0 does not have"),
        ("bad_tensors:f --point bad_tensors:mixed", "x0 mixes frameworks: a is a NumPy array and b a torch tensor"),
        (
            "bad_tensors:f --point bad_tensors:coarse",
            "a of x0 has dtype bfloat16, which is too coarse to be differenced; give",
        ),
        ("bad_tensors:f --point bad_tensors:gone", "a of x0 is a torch tensor on device meta that cannot be read"),
    ],
)
def test_a_tree_that_is_no_point_gets_one_line(tmp_path, monkeypatch, words, said):
    if "tensors" in words:
        pytest.importorskip("torch", reason="torch is not installed")
    (tmp_path / "bad_points.py").write_text(BAD)
    (tmp_path / "bad_tensors.py").write_text(BAD_WITH_TORCH)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    done = CliRunner().invoke(command, [*words.split(), "--grad", f"{words.partition(':')[0]}:g"])
    for module in ("bad_points", "bad_tensors"):
        sys.modules.pop(module, None)
    assert said in done.output
    assert (done.exit_code, done.output.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("call", "by_name"),
    [
        (lambda W, b: 0, True),
        (lambda W, b, scale=1: 0, True),
        (lambda **named: 0, True),
        (lambda p: 0, False),
        (lambda p, **named: 0, False),
        (np.add, False),
    ],
)
def test_the_parts_of_a_point_are_arguments_of_a_function_that_has_parameters_of_their_names(call, by_name):
    assert takes_by_name(call, {"W": 1.0, "b": 2.0}) is by_name
