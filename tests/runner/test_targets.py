from __future__ import annotations

import functools
import os
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

from gradcheck.errors import ExitCode, TargetError, UserCodeError
from gradcheck.runner.targets import load, load_module, load_object

ROOT = Path(__file__).resolve().parents[2]

SOURCE = """
import functools
import numba
import numpy as np

runs = []
runs.append(1)

def f(x):
    return float(x @ x)

def power(p, x):
    return float(np.sum(x**p))

class Model:
    def __call__(self, x):
        return f(x)

    def value(self, x):
        return 2 * f(x)

    def broken(self):
        raise ZeroDivisionError("no such luck")
    broken = property(broken)

short = lambda x: f(x)
square = functools.partial(power, 2)
model = Model()
jitted = numba.njit(lambda x: x[0] * x[0])
data = np.arange(3.0)
nothing = None
norm = np.linalg.norm

def make():
    return model.value

def make_data():
    return data

def explode():
    raise SystemExit("enough")
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty working directory; what is imported from it is forgotten afterwards."""
    modules, path = dict(sys.modules), sys.path[:]
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.path[:] = path
    for name in sys.modules.keys() - modules.keys():
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def thing(home):
    (home / "thing.py").write_text(SOURCE, encoding="utf-8")
    return home / "thing.py"


def line_of(path, text):
    return next(i for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


@pytest.mark.parametrize("place", ["thing", "thing.py", "./thing.py", "{folder}/thing.py"])
@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        ("f", 14.0, "def f"),
        ("short", 14.0, "short ="),
        ("model", 14.0, "def __call__"),
        ("model.value", 28.0, "def value"),
        ("square", 14.0, "def power"),
        ("jitted", 1.0, "jitted ="),
        ("norm", 14.0**0.5, None),
    ],
)
def test_every_kind_of_callable_from_module_and_file(thing, place, attribute, value, text):
    spec = f"{place.format(folder=thing.parent)}:{attribute}"
    loaded = load(spec)
    assert loaded.value(np.array([1.0, 2.0, 3.0])) == pytest.approx(value)
    assert loaded.spec == loaded.target.name == spec
    if text:
        assert (loaded.target.file, loaded.target.line) == (str(thing), line_of(thing, text))


def test_what_has_no_source_is_located_by_the_file_that_names_it(home):
    (home / "borrowed.py").write_text("from numpy import add\n", encoding="utf-8")
    target = load("borrowed:add").target
    assert (target.file, target.line) == (str(home / "borrowed.py"), None)


def test_a_callable_stands_for_itself():
    assert load(test_a_callable_stands_for_itself).target.name == "test_a_callable_stands_for_itself"


def test_a_file_runs_once_under_every_spelling(thing):
    runs = [load_object(f"{place}:runs") for place in ("thing.py", "./thing.py", str(thing), "thing")]
    assert all(run is runs[0] for run in runs)
    assert runs[0] == [1]


def test_files_of_one_name_are_different_modules(home):
    for folder in "ab":
        (home / folder).mkdir()
        (home / folder / "same.py").write_text(f"def f(x): return {folder!r}\n", encoding="utf-8")
    assert [load(f"{folder}/same.py:f").value(0) for folder in "aba"] == ["a", "b", "a"]


def test_a_file_imports_its_siblings_and_they_import_it(home):
    (home / "sub").mkdir()
    (home / "sub" / "first.py").write_text(
        "import second\nvalue = []\ndef f(x): return second.g(x)\n", encoding="utf-8"
    )
    (home / "sub" / "second.py").write_text("def g(x):\n    import first\n    return first.value\n", encoding="utf-8")
    assert load("sub/first.py:f").value(0) is load_object("sub/first.py:value")


def test_a_file_of_a_package_has_its_relative_imports(home):
    package = home / "outer" / "inner"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "part.py").write_text("from . import other\nimport other as same\nf = other.f\n", encoding="utf-8")
    (package / "other.py").write_text("def f(x): return __name__\n", encoding="utf-8")
    assert load("outer/inner/part.py:f").value(0) == "outer.inner.other"
    assert load("outer.inner.part:f").value is load("outer/inner/part.py:f").value


def test_folder_is_where_paths_and_modules_start(home, monkeypatch):
    (home / "project").mkdir()
    (home / "project" / "within.py").write_text("def f(x): return 1.0\n", encoding="utf-8")
    assert load("within.py:f", folder="project").value is load("within:f", folder="project").value


@pytest.mark.parametrize("spec", ["struct.py:f", "random.py:f", "rich.py:f"])
def test_a_file_named_like_a_library_is_loaded_and_harms_nobody(home, spec):
    name = spec.partition(".")[0]
    (home / f"{name}.py").write_text("def f(x): return 7.0\n", encoding="utf-8")
    code = (
        "import sys, gradcheck.runner.targets as t\n"
        f"assert t.load({spec!r}).value(0) == 7.0\n"
        "import numpy.random, rich.console, rich.progress, struct, random\n"
        "assert struct.calcsize('d') == 8 and random.random() < 1\n"
        "numpy.random.default_rng(0).normal()\n"
    )
    for start in (["-c", code], ["-m", "runner"]):  # with -m the folder is on the path from the beginning
        (home / "runner.py").write_text(code, encoding="utf-8")
        if start[0] == "-m" and name == "rich":
            continue  # there, Python itself lets the file stand for the library
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "" if start[0] == "-m" else "1"}
        done = subprocess.run([sys.executable, *start], cwd=home, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("files", "spec", "parts"),
    [
        ({}, "no_such_thing:f", ["no module named 'no_such_thing' in ", "{home}"]),
        ({"mymodule.py": ""}, "mymodul:f", ["no module named 'mymodul'", "did you mean mymodule?"]),
        ({"solid.py": ""}, "solid.f:g", ["'solid' is a module, not a package", "solid:f"]),
        ({"pack/__init__.py": "", "pack/deep.py": ""}, "pack.dep:f", ["{home}/pack", "did you mean pack.deep?"]),
        ({"nofunc.py": "def gradient(x): 0"}, "nofunc:gradeint", ["no attribute 'gradeint'", "did you mean gradient?"]),
        ({"nofunc.py": "x = 1"}, "nofunc.py:x.y", ["'nofunc.py:x' has no attribute 'y'"]),
        ({"code.py": "def f(x): 0"}, "sys:f", ["'sys' has no attribute 'f'", "built into Python"]),
        ({"inspect.py": "def f(x): 0"}, "inspect:f", ["no attribute 'f'", "write inspect.py:f"]),
        ({"value.py": "x = 1.5"}, "value:x", ["is a float, not a callable"]),
        ({"value.py": "x = None"}, "value:x", ["is None, not a callable"]),
        ({"value.py": "import os"}, "value:os", ["is a module, not a callable", "os:NAME"]),
        ({}, "plain", ["not of the form module:attr"]),
        ({}, "mymodule.f", ["did you mean mymodule:f?"]),
        ({"file.py": "def _g(x): 0\ndef f(x): 0"}, "file.py", ["write file.py:NAME, with NAME one of f"]),
        ({"file.py": "def f(x"}, "file.py:", ["write file.py:NAME"]),
        ({}, ":f", ["not of the form module:attr"]),
        ({}, "a b:f", ["'a b' is neither the name of a module nor the path"]),
        ({}, "a:f()", ["not of the form module:attr"]),
        ({"quadratic.py": ""}, "quadratc.py:f", ["no such file: {home}/quadratc.py", "did you mean quadratic.py?"]),
        ({}, "nowhere/quadratic.py:f", ["no such file", "there is no folder {home}/nowhere"]),
        ({"folder/x.py": ""}, "./folder:f", ["{home}/folder is a directory", "folder/FILE.py:NAME"]),
        ({"notes.txt": ""}, "./notes.txt:f", ["not a Python file"]),
        ({"nb.ipynb": "{}"}, "nb.ipynb:f", ["is in a notebook, which is not read", "nbconvert --to script nb.ipynb"]),
        ({"nb.ipynb": "{}"}, "./nb.ipynb:f", ["is in a notebook, which is not read"]),
        (
            {"model.py": "class Model:\n    def f(self, x): 0"},
            "model:Model.f",
            ["'model:Model.f' is a method without its object", "model = Model(), and name model:model.f"],
        ),
        ({}, "x" * 100_000 + ".py:f", ["no such file: ", "..."]),
        ({}, "a b" * 10_000 + ":f", ["is neither the name of a module nor the path"]),
        ({}, "x" * 100_000, ["not of the form module:attr"]),
        ({}, "nul\0:f", ["not of the form module:attr"]),
    ],
)
def test_what_cannot_be_found_is_named_with_a_remedy(home, files, spec, parts):
    for name, text in files.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    with pytest.raises(TargetError) as caught:
        load(spec, role="--grad")
    message = str(caught.value)
    for part in parts:
        assert part.format(home=home) in message
    assert message.startswith("--grad")
    assert len(message) < 1000
    assert "\n" not in message
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("place", ["faulty", "faulty.py"])
@pytest.mark.parametrize(
    ("source", "cause", "part"),
    [
        ("import no_such_dependency", ModuleNotFoundError, "raised ModuleNotFoundError: No module named 'no_such_dep"),
        ("from math import sine", ImportError, "raised ImportError: cannot import name 'sine'"),
        ("x = 1\ndef f(x:\n    pass", SyntaxError, "faulty.py:2: SyntaxError: "),
        ("1 / 0", ZeroDivisionError, "was found, but importing it raised ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", SystemExit, "raised SystemExit: 0"),
        ("raise ValueError('a\\nb')", ValueError, "raised ValueError: a b"),
        ("import pytest\npytest.skip('x', allow_module_level=True)", pytest.skip.Exception, "raised Skipped"),
    ],
)
def test_a_module_that_raises_keeps_its_own_exception(home, place, source, cause, part):
    (home / "faulty.py").write_text(source, encoding="utf-8")
    with pytest.raises(TargetError) as caught:
        load(f"{place}:f")
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert type(caught.value.__cause__) is cause
    shown = "".join(traceback.format_exception(caught.value.__cause__, chain=False))
    assert "faulty.py" in shown
    assert "importlib" not in shown
    assert "targets.py" not in shown
    assert "faulty" not in sys.modules


def test_ctrl_c_during_import_is_no_error_of_the_target(home):
    (home / "patient.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    for spec in ("patient:f", "patient.py:f"):
        with pytest.raises(KeyboardInterrupt):
            load(spec)


def test_an_attribute_that_raises_keeps_its_own_exception(thing):
    with pytest.raises(TargetError, match=r"reading 'broken' of 'thing:model' raised ZeroDivisionError") as caught:
        load("thing:model.broken")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_factory_is_called_once(thing):
    loaded = load("thing:make", factory=True)
    assert loaded.value(np.ones(2)) == 4.0
    assert loaded.target.line == line_of(thing, "def value")


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("thing:make_data", TargetError, "returned an ndarray, not a callable"),
        ("thing:data", TargetError, "is an ndarray; a factory must be callable"),
        ("thing:explode", UserCodeError, "raised SystemExit: enough"),
        ("thing:f", UserCodeError, "raised TypeError"),
    ],
)
def test_a_factory_that_gives_no_callable(thing, spec, error, message):
    with pytest.raises(error, match=message) as caught:
        load(spec, factory=True)
    assert (caught.value.__cause__ is not None) == (error is UserCodeError)


def test_data_can_be_named_too(thing):
    assert load_object("thing.py:data").tolist() == [0.0, 1.0, 2.0]
    assert load_object("thing:nothing") is None


def test_a_module_can_be_named_alone(thing):
    assert load_module("thing").f is load("thing:f").value
    with pytest.raises(TargetError, match="did you mean thing"):
        load_module("thng")


def test_partial_of_a_loaded_function_is_described(thing):
    assert load(functools.partial(load("thing:power").value, 3)).target.line == line_of(thing, "def power")


def test_a_message_names_few_of_many_folders(home, monkeypatch):
    monkeypatch.setattr("sys.path", [*sys.path, *(str(home / f"folder_{k}" / "of_many") for k in range(50))])
    with pytest.raises(TargetError) as caught:
        load("no_such_thing:f", role="--grad")
    assert str(home) in str(caught.value)
    assert "more folders" in str(caught.value)
    assert len(str(caught.value)) < 1000
