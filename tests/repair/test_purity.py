"""Nothing is run that does more than compute: each trap is refused, and none of them goes off."""

from __future__ import annotations

import functools
import operator
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.repair.purity import Impure, Purity
from gradcheck.repair.source import NoSource

here = os.path.dirname(__file__)
TABLE = np.arange(9.0).reshape(3, 3)
SCALE = 2.0
COUNTS = {"calls": 0}
SEEN: list[float] = []
random = np.random.default_rng(0)
objects = np.array([{}], dtype=object)
save = np.save
attribute = operator.attrgetter("__class__")


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return 2 * x


class Destroyed:
    def __del__(self) -> None:
        pass

    def double(self, x: Any) -> Any:
        return 2 * x


@dataclass
class Model:
    weight: float
    offset: Any

    def predict(self, x: Any) -> Any:
        return self.weight * x + self.offset


class Holder:
    def __init__(self, x: Any) -> None:
        self.x = x
        self.log = [x]

    def push(self, u: Any) -> None:
        self.x = self.x + u
        self.log.append(self.x)


counter, destroyed, model = Counter(), Destroyed(), Model(2.0, np.ones(3))


def helper(x: Any) -> Any:
    return np.tanh(x) @ TABLE


def writes_a_file(x: Any) -> Any:
    with open("trap", "w") as file:
        file.write("gone off")
    return 2 * x


def saves(x: Any) -> Any:
    np.save("trap", x)
    return 2 * x


def saves_by_another_name(x: Any) -> Any:
    save("trap", x)
    return 2 * x


def dumps(x: Any) -> Any:
    x.tofile("trap")
    return 2 * x


def calls_the_system(x: Any) -> Any:
    os.system("touch trap")
    return 2 * x


def starts_a_process(x: Any) -> Any:
    subprocess.run(["touch", "trap"], check=False)
    return 2 * x


def imports(x: Any) -> Any:
    import shutil

    shutil.rmtree("trap")
    return 2 * x


def evaluates(x: Any) -> Any:
    return eval("__import__('os').system('touch trap')") or 2 * x


def looks_up(x: Any) -> Any:
    return getattr(x, "tofile")("trap") or 2 * x  # noqa: B009


def climbs(x: Any) -> Any:
    return helper.__globals__["os"].system("touch trap") or 2 * x


def gets(x: Any) -> Any:
    return attribute(x) and 2 * x


def formats(x: Any) -> Any:
    return "{0.__class__}".format(x) and 2 * x  # noqa: UP030, UP032


def prints(x: Any) -> Any:
    print("trap")
    return 2 * x


def counts(x: Any) -> Any:
    global SCALE
    SCALE += 1
    return 2 * x


def draws(x: Any) -> Any:
    return 2 * x + random.normal()


def draws_by_module(x: Any) -> Any:
    return 2 * x + np.random.normal()


def remembers(x: Any) -> Any:
    return counter(x) + SCALE


def unpickles(x: Any) -> Any:
    return pickle.loads(b"") or 2 * x


def of_objects(x: Any) -> Any:
    return objects[0] or 2 * x


def hands_on(x: Any) -> Any:
    module = np
    module.save("trap", x)
    return 2 * x


def hides_it_inside(x: Any) -> Any:
    return sum(os.getpid() for _ in range(1)) + 2 * x


def sets_an_attribute(x: Any) -> Any:
    model.weight = 3.0
    return 2 * x


def of_a_destructor(x: Any) -> Any:
    return destroyed.double(x)


def generates(x: Any) -> Any:
    yield 2 * x


def reads_the_stack(x: Any) -> Any:
    return sys._getframe() and 2 * x


def settings(x: Any) -> Any:
    np.seterr(all="raise")
    return 2 * x


@functools.lru_cache
def cached(x: Any) -> Any:
    return 2 * x


def uses_a_cache(x: Any) -> Any:
    return cached(float(x[0])) + 2 * x


TRAPS = (
    writes_a_file, saves, saves_by_another_name, dumps, calls_the_system, starts_a_process, imports, evaluates, looks_up,
    climbs, gets, formats, prints, counts, draws, draws_by_module, unpickles, of_objects, hands_on, hides_it_inside,
    sets_an_attribute, of_a_destructor, generates, reads_the_stack, settings, uses_a_cache,
)  # fmt: skip


def admitted(function: Any) -> Any:
    assert isinstance(function, FunctionType)
    return Purity().admit(function)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.__name__)
def test_a_trap_is_refused_with_its_reason(trap: Callable[..., Any]) -> None:
    with pytest.raises(Impure) as refused:
        admitted(trap)
    assert refused.value.reason
    assert refused.value.file == __file__


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.__name__)
def test_no_trap_goes_off(trap: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    calls = []

    def claim(x: Any) -> Any:
        return calls.append(1) or trap(x) if len(calls) > 10**6 else 3 * x

    report = gradcheck.check_gradient(lambda x: x @ x, claim, np.ones(3), throw=False, fix=1.0)
    assert report.verdict.name == "FAIL"
    assert not report.fixes
    assert [note for note in report.notes if note.startswith("no patch was looked for")]
    assert not list(tmp_path.iterdir())


def of_mathematics(x: Any) -> Any:
    y = np.linalg.solve(TABLE + np.eye(3), helper(x))
    table = {"a": y, "b": [np.exp(v) for v in y]}
    out = np.zeros_like(x)
    np.add.at(out, [0, 1], SCALE)
    for k, v in enumerate(table["b"]):
        out[k] += v.sum() if v > 0 else -v
    with np.errstate(all="ignore"):
        out /= np.where(out > 0, out, 1.0)
    if not np.isfinite(out).all():
        raise ValueError(f"not finite at {x}")
    return out + np.r_[x[:1], x[1:]].T


def of_a_model(x: Any) -> Any:
    return model.predict(x)


def of_an_object_made_inside(x: Any) -> Any:
    holder = Holder(x)
    holder.push(x)
    return holder.log[-1]


def of_a_nested_function(x: Any) -> Any:
    def inner(t: Any, scale: float = SCALE) -> Any:
        return scale * t

    return np.vectorize(inner)(x)


@pytest.mark.parametrize(
    "function",
    [of_mathematics, of_a_model, of_an_object_made_inside, of_a_nested_function, helper],
    ids=lambda function: function.__name__,
)
def test_what_computes_passes(function: Callable[..., Any]) -> None:
    assert admitted(function).name == function.__name__


def test_an_object_that_counts_its_calls_is_a_copy() -> None:
    # It writes to itself alone; what is called in the search is a copy.
    assert admitted(remembers)
    assert counter.calls == 0


def test_what_has_no_source_is_refused() -> None:
    made = FunctionType(compile("lambda x: 2 * x", "<made>", "eval").co_consts[0], {})
    with pytest.raises(NoSource):
        admitted(made)
