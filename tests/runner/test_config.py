from __future__ import annotations

import dataclasses
import math
import os

import numpy as np
import pytest

from gradcheck.errors import ConfigError, ExitCode
from gradcheck.model import Kind, Method, Target
from gradcheck.runner.config import DeclaredCheck, declare, find_checks, read_checks

TOML = """
[project]
name = "downstream"

[[tool.gradcheck.checks]]
name = "all"
target = "module:f"
grad = "module:g"
hess = "module:h"
shape = "20x3"
bounds = [0, inf]
points = 3
seed = 7
args = [2.5, [1, 2]]
method = "directions"
directions = 4
eps = 1e-5
rtol = 1e-4
atol = 0
vectorized = true
jit = false
jobs = 2
executor = "module:pool"
budget = 5
allow-inconclusive = true

[[tool.gradcheck.checks]]
target = "path/file.py:both"
value_and_grad = true
factory = true
point = [1, 2, 3]
"""

CFG = """
[metadata]
name = downstream

[gradcheck:all]
target = module:f
grad = module:g
hess = module:h
shape = 20x3
bounds = 0:
points = 3
seed = 7
args = 2.5, 1
method = directions
directions = 4
eps = 1e-5
rtol = 1e-4
atol = 0
vectorized = yes
jit = off
jobs = 2
executor = module:pool
budget = 5
allow-inconclusive = true

[gradcheck:path/file.py:both]
target = path/file.py:both
value_and_grad = true
factory = 1
point = 1, 2, 3
"""

MINIMAL = '[[tool.gradcheck.checks]]\ntarget = "m:f"\ngrad = "m:g"\ndim = 3\n'


def raises(*parts):
    """A ConfigError of one line that holds every part."""

    def check(error):
        return "\n" not in str(error) and all(part in str(error) for part in parts)

    return pytest.raises(ConfigError, check=check)


@pytest.mark.parametrize(("file", "text"), [("pyproject.toml", TOML), ("setup.cfg", CFG)])
def test_both_files_declare_the_same(tmp_path, file, text):
    (tmp_path / file).write_text(text, encoding="utf-8")
    first, second = read_checks(tmp_path)
    args = first.options["args"]
    assert {k: v for k, v in first.options.items() if k != "args"} == {
        "shape": (20, 3),
        "bounds": (0, math.inf),
        "points": 3,
        "seed": 7,
        "method": Method.DIRECTIONS,
        "directions": 4,
        "eps": 1e-5,
        "rtol": 1e-4,
        "atol": 0.0,
        "vectorized": True,
        "jit": False,
        "jobs": 2,
        "executor": "module:pool",
        "budget": 5.0,
        "allow_inconclusive": True,
    }
    if file == "setup.cfg":
        assert args == "2.5, 1"
    else:
        assert args[0] == 2.5
        assert np.array_equal(args[1], [1.0, 2.0])
    assert first.name == "all"
    assert first.claims == {Kind.GRADIENT: "module:g", Kind.HESSIAN: "module:h"}
    assert second.name == second.target == "path/file.py:both"
    assert second.claims == {Kind.GRADIENT: "path/file.py:both"}
    assert second.options["point"].strip("[]") == "1, 2, 3"
    assert first.folder == str(tmp_path)
    assert str(tmp_path / file) in first.source


def test_the_nearest_folder_that_declares_checks_counts(tmp_path):
    (tmp_path / "pyproject.toml").write_text(MINIMAL, encoding="utf-8")
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    assert [check.folder for check in find_checks(inner)] == [str(tmp_path)]
    (inner / "setup.cfg").write_text(CFG, encoding="utf-8")
    assert [check.folder for check in find_checks(inner)] == [str(inner), str(inner)]


def test_both_files_of_a_folder_count(tmp_path):
    (tmp_path / "pyproject.toml").write_text(MINIMAL, encoding="utf-8")
    (tmp_path / "setup.cfg").write_text(CFG, encoding="utf-8")
    assert [check.name for check in read_checks(tmp_path)] == ["m:f", "all", "path/file.py:both"]


def test_a_folder_without_any_declares_none(tmp_path):
    assert read_checks(tmp_path) == []
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = x%%y\n", encoding="utf-8")
    assert read_checks(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[[tool.gradcheck.checks]\n", ["is not valid TOML", "line 1"]),
        ("[tool]\ngradcheck = 1\n", ["tool.gradcheck is not a table"]),
        ("[tool.gradcheck]\ncheck = 1\n", ["unknown key 'check'", "did you mean 'checks'"]),
        ("[tool.gradcheck]\nrtol = 1\n", ["unknown key 'rtol'", "the only key is 'checks'"]),
        ("[tool.gradcheck.checks]\ntarget = 'm:f'\n", ["not an array of tables", "[[tool.gradcheck.checks]]"]),
        ("[tool.gradcheck]\nchecks = [1]\n", ["not an array of tables"]),
        (MINIMAL + MINIMAL, ["number 2", "the name 'm:f' is taken by", "number 1"]),
        (MINIMAL + "gard = 'm:g'\n", ["number 1: unknown key 'gard'; did you mean 'grad'?"]),
        (MINIMAL + "zzzzz = 1\n", ["unknown key 'zzzzz'; the keys are target, grad"]),
        (MINIMAL.replace("target = ", "name = "), ["no target", "target = 'module:f'"]),
        (MINIMAL.replace("grad = ", "name = "), ["no derivative to check", "grad, jac"]),
        (MINIMAL.replace("dim = 3", ""), ["nowhere to check", "dim, shape, point, vars"]),
        (MINIMAL + "value_and_grad = true\n", ["value_and_grad", "remove it or 'grad'"]),
        (MINIMAL + "allow_inconclusive = true\nallow-inconclusive = true\n", ["given twice"]),
    ],
)
def test_a_malformed_pyproject_is_named(tmp_path, text, parts):
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with raises(str(tmp_path / "pyproject.toml"), *parts) as caught:
        find_checks(tmp_path)
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[gradcheck:a\n", ["is malformed"]),
        ("target = m:f\n", ["is malformed"]),
        ("[gradcheck:a]\n[gradcheck:a]\n", ["is malformed", "'gradcheck:a' already exists"]),
        ("[gradcheck]\n", ["[gradcheck] has no name", "[gradcheck:NAME]"]),
        ("[gradcheck:a]\ngrad = m:g\n", ["[gradcheck:a]: no target"]),
        ("[gradcheck:a]\nname = b\n", ["the section is the name"]),
        ("[gradcheck:a]\ntarget =\n", ["[gradcheck:a]: target is ''; it must be a target"]),
        ("[gradcheck:a]\ndim = 3.5\n", ["dim is 3.5; it must be a whole number of at least 1"]),
        ("[gradcheck:a]\ndim = many\n", ["dim is 'many'; it must be a whole number of at least 1"]),
        ("[gradcheck:a]\njit = perhaps\n", ["jit is 'perhaps'; it must be true or false"]),
    ],
)
def test_a_malformed_setup_cfg_is_named(tmp_path, text, parts):
    (tmp_path / "setup.cfg").write_text(text, encoding="utf-8")
    with raises(str(tmp_path / "setup.cfg"), *parts):
        read_checks(tmp_path)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path, data):
    for name in ("pyproject.toml", "setup.cfg"):
        if data is None:
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).write_bytes(data)
        with raises(name, "cannot be read"):
            read_checks(tmp_path)
        break


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg"])
@pytest.mark.parametrize("kind", ["FIFO", "device", "endless"])
def test_what_has_no_end_is_not_read(tmp_path, name, kind):
    path = tmp_path / name
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 2**40)  # on the disk, it takes no room
    reason = "it has more than 10,000,000 characters" if kind == "endless" else "no regular file"
    with raises(f"{path} cannot be read: {reason}"):
        read_checks(tmp_path)


def test_brackets_without_end_are_no_toml(tmp_path):
    (tmp_path / "pyproject.toml").write_text("x = " + "[" * 100_000, encoding="utf-8")
    with raises("pyproject.toml is not valid TOML"):
        read_checks(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("name", 3, "must be text"),
        ("target", 3, "a target such as 'module:attr'"),
        ("grad", " ", "a target such as"),
        ("dim", 0, "a whole number of at least 1"),
        ("dim", True, "a whole number"),
        ("dim", "3", "a whole number"),
        ("shape", "20,3", "of the form 20x3"),
        ("shape", [3, 0], "of at least 1"),
        ("shape", 5, "of the form 20x3 or [20, 3]"),
        ("shape", [1] * 33, "at most 32 dimensions"),
        ("point", 3, "a list of numbers, a file, or a target"),
        ("point", [object()], "a list of numbers"),
        ("bounds", "1", "LO:HI"),
        ("bounds", [1, 0], "the lower one must be less than the upper one"),
        ("bounds", 1, "a pair (lower, upper)"),
        ("points", 0, "at least 1"),
        ("seed", -1, "at least 0"),
        ("args", 5, "must be a list"),
        ("method", "direction", "one of auto, coordinates, directions, complex-step; did you mean directions?"),
        ("method", 1, "one of auto, coordinates, directions, complex-step"),
        ("directions", 0, "at least 1"),
        ("eps", 0, "above 0"),
        ("eps", "1e-5", "a finite number"),
        ("rtol", -1.0, "of at least 0 and below 1"),
        ("rtol", 2, "of at least 0 and below 1"),
        ("atol", math.nan, "a finite number"),
        ("rtol", math.inf, "of at least 0 and below 1"),
        ("factory", 1, "true or false"),
        ("jit", "yes", "true or false"),
        ("jobs", 0, "at least 1"),
        ("executor", 1, "a target such as"),
        ("suspects", "m:term", "a list of targets"),
        ("budget", 0, "above 0"),
    ],
)
def test_a_value_of_the_wrong_type_names_file_section_and_key(key, value, part):
    with raises(f"file: section: {key} is ", part):
        declare({"target": "m:f", "grad": "m:g", "dim": 3, key: value}, file="file", section="section")


@pytest.mark.parametrize(
    ("point", "kept"), [(2.5, 2.5), ([1, 2], "[1, 2]"), ("x.npy", "x.npy"), ([[1.0], [2.0]], "[[1.0], [2.0]]")]
)
def test_a_point_is_kept_as_text_or_as_it_is(point, kept):
    assert declare({"target": "m:f", "grad": "m:g", "point": point}, file="", section="").option("point") == kept


def test_callables_and_arrays_can_be_declared_by_code():
    table = {"name": "n", "target": math.sin, "grad": math.cos, "point": (x := np.ones(2)), "args": (1,)}
    check = declare(table, file="", section="")
    assert (check.target, check.claims, check.option("args")) == (math.sin, {Kind.GRADIENT: math.cos}, (1,))
    assert check.option("point") is x
    del table["name"]
    with raises("needs a name"):
        declare(table, file="", section="")


def test_a_declared_check_is_frozen_and_knows_what_was_given():
    check = declare({"target": "m:f", "jac": "m:j", "dim": 3, "jit": False, "seed": 0}, file="", section="")
    assert check.options == {"dim": 3, "jit": False, "seed": 0}
    assert check.claims == {Kind.JACOBIAN: "m:j"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        check.target = "m:g"
    assert (check.option("points"), check.option("rtol")) == (1, None)
    assert DeclaredCheck(name="n", target="m:f").options == {}


@pytest.mark.parametrize(("file", "text", "lines"), [("pyproject.toml", TOML, [5, 27]), ("setup.cfg", CFG, [5, 26])])
def test_the_line_of_a_declaration_is_known(tmp_path, file, text, lines):
    (tmp_path / file).write_text(text)
    checks = read_checks(tmp_path)
    assert [check.line for check in checks] == lines
    assert all(text.splitlines()[check.line - 1].startswith("[") for check in checks)
    assert checks[0].place == Target(name=checks[0].section, file=str(tmp_path / file), line=lines[0])


def test_a_declaration_within_a_line_has_none_of_its_own(tmp_path):
    text = '[tool.gradcheck]\nchecks = [{target = "m:f", grad = "m:g", dim = 3}]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    (check,) = read_checks(tmp_path)
    assert check.line is None
