"""A test to paste runs as it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.model import GradientMismatch, Kind
from gradcheck.reach.pasted import pasted

MODULE = """
import numpy as np

def f(p):
    x = p["w"] if isinstance(p, dict) else p
    return float(np.sum(x**2))

def grad(p):
    return {"w": 3 * p["w"], "b": 0 * p["b"]} if isinstance(p, dict) else 3 * p

class Model:
    def f(self, x):
        return f(x)

model = Model()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "pasted_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import pasted_module  # type: ignore[import-not-found]

    yield pasted_module
    del sys.modules["pasted_module"]


@pytest.mark.parametrize(
    "x0",
    [
        np.array([1.0, 2.0]),
        np.eye(5)[:, :4],
        np.array([0.0, 3.0], np.float32),
        2.5,
        {"w": np.array([0.5]), "b": np.zeros((2, 2))},
    ],
    ids=["vector", "sparse", "single", "number", "tree"],
)
def test_it_fails_as_the_check_did(module: Any, x0: Any) -> None:
    text = pasted(Kind.GRADIENT, module.f, module.grad, x0, {"rtol": 1e-4})
    assert text is not None
    names: dict[str, Any] = {}
    exec(text, names)
    with pytest.raises(GradientMismatch):
        names["test_grad_at_a_point_found"]()


def test_a_point_that_is_mostly_zeros_is_written_short(module: Any) -> None:
    x = np.zeros(1000)
    x[7] = 3
    text = pasted(Kind.GRADIENT, module.f, module.grad, x, {})
    assert text is not None
    assert "x = np.zeros(1000)\n    x[7] = 3.0\n    check_gradient(f, grad, x)" in text
    assert "from pasted_module import f, grad" in text


def test_what_cannot_be_imported_or_written_makes_none(module: Any) -> None:
    x = np.ones(2)
    assert pasted(Kind.GRADIENT, lambda x: 1.0, module.grad, x, {}) is None
    assert pasted(Kind.GRADIENT, module.model.f, module.grad, x, {}) is None
    assert pasted(Kind.GRADIENT, module.f, module.grad, x, {"args": (object(),)}) is None


def test_the_functions_of_keywords_are_imported_as_well(module: Any) -> None:
    text = pasted(Kind.HESSIAN, module.f, module.f, np.ones(2), {"grad": module.grad, "bounds": (0, None)})
    assert text is not None
    assert "check_hessian(f, f, x, grad=grad, bounds=(0, None))" in text
