"""Commands that repeat a check made in Python."""

from __future__ import annotations

import functools
import importlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gradcheck import check_gradient, check_hessian
from gradcheck.checks.replay import command, spec

SOURCE = """
import functools
import numba
import numpy as np
def f(x): return float((x ** 2).sum())
def g(x): return 2 * x
def both(x): return f(x), g(x)
def h(x): return 2 * np.eye(x.size)
partial = functools.partial(f)
lambda_ = lambda x: f(x)
@numba.njit
def jitted(x): return 0.0
class Model:
    @staticmethod
    def value(x): return f(x)
    def method(self, x): return f(x)
model = Model()
def outer():
    def inner(x): return f(x)
    return inner
"""


@pytest.fixture
def m(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    for name in ("recalled.py", "sub/recalled_below.py", "pack/__init__.py", "pack/inside.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "sub"), *sys.path])
    yield importlib.import_module("recalled")
    for name in ("recalled", "recalled_below", "pack", "pack.inside"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("module", "attribute", "expected"),
    [
        ("recalled", "f", "recalled:f"),
        ("recalled", "jitted", "recalled:jitted"),
        ("recalled", "Model.value", "recalled:Model.value"),
        ("recalled_below", "f", "sub/recalled_below.py:f"),
        ("pack", "f", "pack:f"),
        ("pack.inside", "f", "pack.inside:f"),
        ("numpy.linalg", "norm", "numpy.linalg:norm"),
        ("recalled", "lambda_", None),
        ("recalled", "partial", None),
        ("recalled", "model.method", None),
    ],
)
def test_spec(m: ModuleType, module: str, attribute: str, expected: str | None) -> None:
    value: Any = functools.reduce(getattr, attribute.split("."), importlib.import_module(module))
    assert spec(value) == expected


def test_what_is_local_has_no_name(m: ModuleType) -> None:
    assert spec(m.outer()) is None


@pytest.mark.parametrize(
    ("x0", "options", "words"),
    [
        ([1.0, -2.5], {}, "--point 1.0,-2.5 --seed 0"),
        ([1.0], {}, "--point [1.0] --seed 0"),
        (3.0, {}, "--point 3.0 --seed 0"),
        ([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], {}, "--point '[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]' --seed 0"),
        ([1.0, 2.0], {"seed": 4, "rtol": 1e-3, "points": 2}, "--point 1.0,2.0 --points 2 --seed 4 --rtol 0.001"),
        ([1.0, 2.0], {"bounds": (0, np.inf), "name": "n", "jit": False}, "--point 1.0,2.0 --bounds 0: --seed 0"),
        ([1.0, 2.0], {"method": "directions", "jit": True}, "--point 1.0,2.0 --method directions --jit --seed 0"),
        ([1.0, 2.0], {"vectorized": False}, "--point 1.0,2.0 --no-vectorized --seed 0"),
        ([1.0, 2.0], {"args": ()}, "--point 1.0,2.0 --seed 0"),
        ([1.0, 2.0], {"args": (np.ones(2),)}, None),
        ([1.0, 2.0], {"jobs": 2, "budget": 60}, "--point 1.0,2.0 --jobs 2 --budget 60 --seed 0"),
        ([1.0, 2.0], {"suspects": {"ridge": np.ones(2)}}, None),
        ([1.0, 2.0], {"bounds": (np.zeros(2), np.full(2, 3.0))}, None),
        (np.ones(1000), {}, None),
        (np.ones(3, np.float32), {}, None),
    ],
)  # fmt: skip
def test_command(m: ModuleType, x0: Any, options: dict[str, Any], words: str | None) -> None:
    report = check_gradient(m.f, m.g, np.asarray(x0), throw=False, **{k: v for k, v in options.items() if k != "args"})
    said = command(report, m.f, m.g, options)
    expected = None if words is None else shlex.split(f"gradcheck recalled:f --grad recalled:g {words}")
    assert (None if said is None else shlex.split(said)) == expected


def test_other_claims(m: ModuleType) -> None:
    x = np.ones(2)
    report = check_hessian(m.f, m.h, x, grad=m.g, throw=False)
    head, tail = "gradcheck recalled:f", "--hess recalled:h --point 1.0,1.0 --seed 0"
    assert command(report, m.f, m.h, {"grad": m.g}) == f"{head} --grad recalled:g {tail}"
    assert command(report, m.f, m.h, {}) == f"{head} {tail}"
    assert command(report, m.f, m.h, {"grad": lambda x: x}) is None
    report = check_gradient(m.both, None, x, value_and_grad=True, throw=False)
    assert (
        command(report, m.both, None, {"value_and_grad": True})
        == "gradcheck recalled:both --value-and-grad --point 1.0,1.0 --seed 0"
    )
    assert command(report, m.f, m.both, {"value_and_grad": True}) is None
