"""``gradcheck --sweep PACKAGE``: what pairs up by name, in packages that are made up for each test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck.sweep.names import Named, pairs

MODELS = """
import numpy as np


class Ridge:
    def __init__(self, strength=1.0):
        self.strength = strength

    def loss(self, w):
        return float(np.sum((w - 1) ** 4) + self.strength * w @ w)

    def gradient(self, w):
        return 4 * (w - 1) ** 3 + 2 * self.strength * w

    def hessian(self, w):
        return np.diag(12 * (w - 1) ** 2 + 2 * self.strength)


class Wrong(Ridge):
    def gradient(self, w):
        return 4 * (w - 1) ** 2 + 2 * self.strength * w


class Logit:
    def __init__(self, X, y):
        self.X, self.y = X, y

    def loglike(self, b):
        return -float(np.logaddexp(0, -self.y * (self.X @ b)).sum())

    def score(self, b):
        return self.X.T @ (self.y / (1 + np.exp(self.y * (self.X @ b))))


class Needs:
    def __init__(self, data):
        self.data = data

    def fun(self, x):
        return x @ x

    def jac(self, x):
        return 2 * x


class Tanh:
    def forward(self, x):
        self.x = x
        return np.tanh(x)

    def backward(self, slope):
        return slope * (1 - np.tanh(self.x) ** 2)


class Broken:
    def fun(self, x):
        raise RuntimeError("not today")

    def jac(self, x):
        return x


def f(x):
    return np.sin(x)


def fprime(x):
    return np.cos(x)


def fprime2(x):
    return np.sin(x)


def equations(x):
    return np.array([x[0] * x[1] - 1, x[0] + x[1] ** 2])


def jacobian(x):
    return np.array([[x[1], x[0]], [1, 2 * x[1]]])


def cost(y, p):
    return (y - p) ** 2


def dcost(y, p):
    return 2 * (p - y)
"""
CONFTEST = """
import models
import numpy as np
import pytest


@pytest.fixture
def logit():
    rng = np.random.default_rng(0)
    yield models.Logit(rng.normal(size=(9, 3)), np.sign(rng.normal(size=9)))


@pytest.fixture
def of_another(logit):
    return logit
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gradcheck", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text(MODELS, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["loss", "gradient"], [("loss", "gradient", None)]),
        (["loglike", "score", "hessian"], [("loglike", "score", "hessian")]),
        (["fun", "jac", "hess"], [("fun", "jac", "hess")]),
        (["f", "fprime", "fprime2"], [("f", "fprime", "fprime2")]),
        (["rosen", "rosen_der", "rosen_hess"], [("rosen", "rosen_der", "rosen_hess")]),
        (["energy", "d_energy", "other"], [("energy", "d_energy", None)]),
        (
            ["__call__", "deriv", "deriv2", "inverse", "inverse_deriv"],
            [("__call__", "deriv", "deriv2"), ("inverse", "inverse_deriv", None)],
        ),
        (["loss", "score", "fit", "predict"], []),
        ([], []),
    ],
)
def test_names_that_pair_up(names: list[str], found: list[tuple[str, str, str | None]]) -> None:
    assert list(pairs(names)) == [Named(*row) for row in found]


def test_what_can_be_called_is_checked_and_what_cannot_is_told(folder: Path) -> None:
    done = run(folder, "--sweep", "models", "--format", "json", "--verbose")
    assert done.returncode == 1, done.stderr
    verdicts = {check["name"]: check["verdict"] for check in json.loads(done.stdout)["checks"]}
    assert verdicts == {
        "models:f, fprime": "PASS",
        "models:fprime, fprime2": "FAIL",
        "models:equations, jacobian": "PASS",
        "models:Ridge.loss, gradient": "PASS",
        "models:Ridge.loss, hessian": "PASS",
        "models:Wrong.loss, gradient": "FAIL",
        "models:Wrong.loss, hessian": "PASS",
        "models:Logit.loglike, score": "PASS",  # whose object a fixture makes
        "models:Tanh.forward, backward": "PASS",
    }
    assert "not called: models:cost: cost takes y, p\n" in done.stderr
    assert "not called: models:Needs.fun: to make one takes data\n" in done.stderr
    assert "not called: models:Broken.fun: jac: it raised RuntimeError: not today\n" in done.stderr


def test_a_list_of_what_there_is(folder: Path) -> None:
    done = run(folder, "--sweep", "models", "--list")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 9
    assert done.stderr.count("not called: ") == 3


def test_a_report_repeats_the_sweep(folder: Path) -> None:
    done = run(folder, "--sweep", "models")
    assert "replay  gradcheck --sweep models" in done.stdout
    assert "3 more pairs of names cannot be called; gradcheck --sweep models --list says why" in done.stderr


def test_the_size_of_x_can_be_told(folder: Path) -> None:
    done = run(folder, "--sweep", "models", "--dim", "2", "--format", "json")
    sizes = {check["name"]: len(check["point"]["values"]) for check in json.loads(done.stdout)["checks"]}
    assert set(sizes.values()) == {2}
    assert "models:Logit.loglike, score" not in sizes


def test_it_goes_below_the_package_and_names_what_cannot_be_imported(folder: Path) -> None:
    (folder / "models" / "worse.py").write_text("import no_such_module\n", encoding="utf-8")
    (folder / "models" / "deep.py").write_text(
        "def value(x):\n    return float(x @ x)\n\n\ndef gradient(x):\n    return 3 * x\n", encoding="utf-8"
    )
    (folder / "models" / "__init__.py").write_text("", encoding="utf-8")
    done = run(folder, "--sweep", "models", "--format", "json")
    assert [check["name"] for check in json.loads(done.stdout)["checks"]] == ["models.deep:value, gradient"]
    assert "no_such_module" in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sweep", "nothing"], "nothing"),
        (["--sweep", "empty"], "no names of functions and derivatives pair up"),
        (["models:f", "--sweep", "models"], "'models:f' beside it is none of its checks"),
        (["--sweep", "models", "--grad", "models:g"], "remove --grad"),
        (["--sweep", "models", "--point", "1,2"], "remove --point"),
    ],
)
def test_what_makes_no_sense(folder: Path, words: list[str], message: str) -> None:
    (folder / "empty.py").write_text("", encoding="utf-8")
    done = run(folder, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_functions_of_torch(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)
    (tmp_path / "layers.py").write_text(
        "import torch\n\n\n"
        "class Cube(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, x, y):\n        ctx.save_for_backward(x, y)\n        return x**3 * y\n\n"
        "    @staticmethod\n    def backward(ctx, slope):\n        x, y = ctx.saved_tensors\n"
        "        return 3 * x**2 * y * slope, x**3 * slope\n\n\n"
        "class Worse(Cube):\n    @staticmethod\n    def backward(ctx, slope):\n        x, y = ctx.saved_tensors\n"
        "        return 2 * x**2 * y * slope, x**3 * slope\n",
        encoding="utf-8",
    )
    done = run(tmp_path, "--sweep", "layers", "--format", "json")
    verdicts = {check["name"]: check["verdict"] for check in json.loads(done.stdout)["checks"]}
    assert verdicts == {"layers:Cube, backward": "PASS", "layers:Worse, backward": "FAIL"}
