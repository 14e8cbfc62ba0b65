"""Arrays of frameworks: handed over as they are, read back as numbers, refused where they cannot be differenced."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gradcheck import PointError, UserCodeError, check_gradient, check_jacobian
from gradcheck.model import Verdict
from gradcheck.variables.arrays import as_numpy, framework_of
from gradcheck.variables.flat import lay_out

ROOT = Path(__file__).parents[2]
X = np.linspace(-1.0, 1.0, 6).reshape(2, 3)


def arrays(name, dtype="float64"):
    """The numbers X as an array of a framework, and the mathematics of that framework."""
    if name == "torch":
        torch = pytest.importorskip("torch", reason="torch is not installed")
        return torch.tensor(X, dtype=getattr(torch, dtype)), torch
    if name == "jax":
        jnp = pytest.importorskip("jax.numpy", reason="jax is not installed")
        return jnp.asarray(X, dtype="float32"), jnp  # its flag for float64 is off unless the user sets it
    strict = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    return strict.asarray(X, dtype=getattr(strict, dtype)), strict


ALL = ["torch", "jax", "array-api-strict"]


@pytest.mark.parametrize("name", ALL)
def test_an_array_goes_into_a_vector_and_back(name):
    x0, _ = arrays(name)
    layout, flat = lay_out(x0)
    assert flat.shape == (6,)
    back = layout.argument(flat.copy())
    assert type(back) is type(x0)
    assert (back.dtype, tuple(back.shape)) == (x0.dtype, (2, 3))
    np.testing.assert_array_equal(as_numpy(back), as_numpy(x0))
    np.testing.assert_array_equal(layout.numbers(x0, "grad"), flat.astype(float))
    assert layout.altered(back, flat) == ""
    assert layout.altered(layout.argument(flat + 1), flat)


@pytest.mark.parametrize("name", ALL)
def test_a_lent_array_follows_the_vector(name):
    x0, _ = arrays(name)
    layout, flat = lay_out(x0)
    scratch = flat.copy()
    lend = layout.lending(scratch)
    lend()
    scratch[4] = 7
    assert as_numpy(lend()).reshape(-1)[4] == 7
    assert as_numpy(x0).reshape(-1)[4] != 7


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_f_is_handed_arrays_of_its_framework_in_its_dtype(name, dtype):
    x0, xp = arrays(name, dtype)
    seen = set()

    def f(x):
        seen.add((type(x), x.dtype, tuple(x.shape)))
        return xp.sum(x**2)

    report = check_gradient(f, lambda x: 2 * x, x0)
    assert report.verdict is Verdict.PASS
    assert seen == {(type(x0), x0.dtype, (2, 3))}
    assert report.point.dtype == ("float32" if name == "jax" else dtype)


@pytest.mark.parametrize("name", ALL)
def test_leaves_of_a_tree_may_be_arrays_of_a_framework(name):
    x0, xp = arrays(name)
    tree = {"W": x0, "b": [x0[0, :], "kept"]}

    def f(p):
        assert p["b"][1] == "kept"
        return xp.sum(p["W"] ** 2) + xp.sum(p["b"][0] ** 3)

    def wrong(p):
        return {"W": 2 * p["W"], "b": [2 * p["b"][0] ** 2, None]}

    report = check_gradient(f, wrong, tree, throw=False)
    assert {e.path for e in report.entries if e.verdict is Verdict.FAIL} <= {"b[0][0]", "b[0][1]", "b[0][2]"}
    assert report.verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ALL)
def test_a_jacobian_of_a_framework(name):
    x0, xp = arrays(name)
    vector = xp.reshape(x0, (-1,))
    report = check_jacobian(lambda x: x**2, lambda x: 2 * x[:, None] * xp.eye(6, dtype=x.dtype), vector)
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("name", ALL)
def test_a_claim_in_numpy_of_a_function_of_a_framework_is_read(name):
    x0, xp = arrays(name)
    assert check_gradient(lambda x: xp.sum(x**2), lambda x: 2 * as_numpy(x), x0).verdict is Verdict.PASS


def test_a_framework_of_the_array_standard_survives_being_sent_to_another_process():
    x0, _ = arrays("array-api-strict")
    framework = framework_of(x0)
    assert pickle.loads(pickle.dumps(framework)).module is framework.module


# ---- torch


def test_requires_grad_is_kept_and_backward_is_a_claim():
    x0, torch = arrays("torch")

    def f(x):
        return torch.sum(x.detach() ** 3)

    def claim(x):
        (x**3).sum().backward()  # leaves its gradient with the tensor, and returns nothing

    assert check_gradient(f, claim, x0.requires_grad_()).verdict is Verdict.PASS
    assert x0.grad is None

    def wrong(x):
        (x**2).sum().backward()

    assert check_gradient(f, wrong, x0, throw=False).verdict is Verdict.FAIL


def test_backward_of_a_tree_of_tensors():
    x0, torch = arrays("torch")
    tree = {"W": x0.requires_grad_(), "b": torch.ones(3, dtype=torch.float64, requires_grad=True)}

    def loss(p):
        return ((p["W"] + p["b"]) ** 2).sum()

    assert check_gradient(loss, lambda p: loss(p).backward(), tree).verdict is Verdict.PASS


def test_f_that_writes_into_its_tensor_is_found_out():
    x0, _ = arrays("torch")

    def f(x):
        x.mul_(2)
        return float((x**2).sum())

    report = check_gradient(f, lambda x: 8 * x, x0, throw=False)
    assert "mutates_input" in [finding.kind for finding in report.findings]


def test_tensors_that_are_views_or_conjugated_are_read():
    x0, torch = arrays("torch")
    assert check_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, x0.T).verdict is Verdict.PASS
    assert lay_out(torch.as_strided(x0, (2,), (3,)))[1].tolist() == X[:, 0].tolist()


# ---- what is refused


@pytest.mark.parametrize(("name", "remedy"), [("torch", r"x0\.float\(\)"), ("jax", r"x0\.astype\('float32'\)")])
def test_bfloat16_is_refused_with_the_remedy(name, remedy):
    x0, xp = arrays(name)
    coarse = x0.bfloat16() if name == "torch" else x0.astype(xp.bfloat16)
    with pytest.raises(PointError, match=f"dtype bfloat16, which is too coarse to be differenced; give {remedy}"):
        lay_out(coarse)
    with pytest.raises(PointError, match=r"^p of x0 has dtype bfloat16"):
        lay_out({"p": coarse})


def test_leaves_of_different_frameworks_are_refused_by_name():
    x0, _ = arrays("array-api-strict")
    with pytest.raises(PointError, match="x0 mixes frameworks: a is a array_api_strict array and b a NumPy array"):
        lay_out({"a": x0, "b": X})
    with pytest.raises(PointError, match="x0 mixes frameworks: a is a NumPy array and b a torch tensor"):
        lay_out({"a": X, "b": arrays("torch")[0]})


def test_a_claim_of_another_structure_is_named_by_its_first_difference():
    x0, _ = arrays("array-api-strict")
    report = check_gradient(lambda p: float(p["W"][0, 0]), lambda p: {"V": p["W"]}, {"W": x0}, throw=False)
    assert report.verdict is Verdict.ERROR
    assert "grad returned nothing for W" in report.findings[0].message


class FromNowhere:
    """An array whose device is gone: every look at its numbers fails."""

    dtype, shape, device = np.dtype("float64"), (3,), "gone:7"

    def __array_namespace__(self, api_version=None):
        return np

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("the device is gone")

    def __dlpack__(self, **_):
        raise RuntimeError("the device is gone")


def test_an_array_on_a_device_that_is_gone_is_refused_by_the_device():
    with pytest.raises(PointError, match="on device gone:7 that cannot be read"):
        lay_out({"a": FromNowhere()})


# ---- devices, with stubs in place of an accelerator


def test_arrays_of_another_device_go_there_and_come_back():
    strict = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    elsewhere = strict.Device("device1")
    x0 = strict.asarray(X, device=elsewhere)
    seen = set()

    def f(x):
        seen.add(x.device)
        return strict.sum(x**2)

    assert check_gradient(f, lambda x: 2 * x, x0).verdict is Verdict.PASS
    assert seen == {elsewhere}


def test_tensors_are_moved_to_the_device_of_x0():
    x0, _ = arrays("torch")
    framework = framework_of(x0)
    like = replace(framework.like(x0), device="meta")  # the one device beside the host that any build of torch has
    (made,) = framework.make([X], [like])
    assert made.device.type == "meta"
    assert not framework.shares(like)


def test_no_framework_is_imported_for_arrays_of_numpy():
    program = (
        "import sys, numpy as np, gradcheck\n"
        "gradcheck.check_gradient(lambda p: float(np.sum(p['W'] ** 2)), lambda p: {'W': 2 * p['W']}, {'W': np.ones(3)})\n"
        "print(sorted({'torch', 'jax', 'cupy', 'optree', 'array_api_strict'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_function_of_tensors_that_returns_another_kind_is_an_error_of_its_own():
    x0, _ = arrays("torch")
    with pytest.raises(UserCodeError, match="f returned str"):
        check_gradient(lambda x: "no", lambda x: x, x0)


def test_a_backward_of_torch_is_checked_against_a_function_of_numpy():
    _, torch = arrays("torch")

    def slope(factor):
        def claim(x):
            t = torch.tensor(x, requires_grad=True)
            (torch.sin(t) * factor).sum().backward()
            return t.grad

        return claim

    assert check_gradient(lambda x: np.sin(x).sum(), slope(1), X).verdict is Verdict.PASS
    assert check_gradient(lambda x: np.sin(x).sum(), slope(2), X, throw=False).verdict is Verdict.FAIL


def test_arrays_of_jax_are_float64_where_its_flag_says_so():
    pytest.importorskip("jax", reason="jax is not installed")
    program = (
        "import jax, jax.numpy as jnp\nfrom gradcheck import check_gradient\n"
        "report = check_gradient(lambda x: jnp.sum(jnp.sin(x)), jax.grad(lambda x: jnp.sum(jnp.sin(x))), jnp.linspace(0, 1, 5))\n"
        "print(report.point.dtype, report.verdict.name, report.resolution.digits >= 8)"
    )
    environment = {**os.environ, "JAX_ENABLE_X64": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, cwd=ROOT
    )
    assert done.stdout == "float64 PASS True\n"


# ---- CuPy, with a stand-in for its module: an array that only its own device can read


class Gpu:
    """A device: entered while arrays are made on it."""

    def __init__(self, number):
        self.number, self.entered = number, 0

    def __enter__(self):
        self.entered += 1
        return self

    def __exit__(self, *_):
        return None


class FakeArray:
    """An array on a device; NumPy cannot read it but by `get`."""

    __module__ = "cupy"

    def __init__(self, numbers, device):
        self._numbers, self.device = np.asarray(numbers), device

    def __array__(self, dtype=None, copy=None):
        raise TypeError("implicit conversion to a NumPy array is not allowed")

    def get(self):
        return self._numbers

    @property
    def dtype(self):
        return self._numbers.dtype

    @property
    def shape(self):
        return self._numbers.shape

    def __pow__(self, power):
        return FakeArray(self._numbers**power, self.device)

    def __mul__(self, factor):
        return FakeArray(self._numbers * factor, self.device)

    def sum(self):
        return FakeArray(self._numbers.sum(), self.device)


def test_arrays_of_cupy_stay_on_their_device(monkeypatch):
    gpu = Gpu(3)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(asarray=lambda host: FakeArray(np.array(host), gpu)))
    devices = set()

    def f(p):
        devices.add((type(p["x"]), p["x"].device.number))
        return (p["x"] ** 2).sum()

    x0 = {"x": FakeArray(X, gpu)}
    assert check_gradient(f, lambda p: {"x": p["x"] * 2}, x0).verdict is Verdict.PASS
    assert check_gradient(f, lambda p: {"x": p["x"] * 3}, x0, throw=False).verdict is Verdict.FAIL
    assert devices == {(FakeArray, 3)}
    assert gpu.entered > 10
