"""Odd input of every kind: the answer is an exit code of ours and one line, never a traceback of ours and never a hang.

GRADCHECK_FUZZ=5000 tries so many of each kind.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradcheck import GradcheckError, GradientMismatch, check_gradient
from gradcheck.cli.command import command
from gradcheck.options.keywords import KEYWORDS
from gradcheck.options.row import Face, at
from gradcheck.options.table import OPTIONS
from gradcheck.options.values import Flag, Written
from gradcheck.runner.config import KEYS, declare, read_checks
from gradcheck.runner.reading import parse_args, read_bounds, read_point
from gradcheck.runner.targets import load_object
from tests import whole_package

whole_package.load()
EXAMPLES = int(os.environ.get("GRADCHECK_FUZZ", "60"))
PATIENCE = 60  # seconds for one input
QUIETLY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
USER_CODE = """
import numpy as np
x0 = np.array([0.5, -1.0, 2.0])
text = "text"
named = {"a": 1}
bounds = (-9.0, 9.0)
class Model:
    def f(self, x): return 1.0
    def __getattr__(self, name): raise ZeroDivisionError(name)
model = Model()
def f(x, *rest, **named): return float((x * x).sum())
def g(x, *rest, **named): return 2 * x
def raises(x): raise ValueError("no")
def returns_text(x): return "text"
"""
DECLARED = "[gradcheck:one]\ntarget = m:f\ngrad = m:g\ndim = 3\n[gradcheck:two]\ntarget = m:f\ngrad = m:g\ndim = 2\n"
WORDS = [
    "", " ", "0", "1", "2", "3", "-1", "1e400", "nan", "inf", "-inf", "1.5", "1e-5", "0x10", "1_0", "²", "٣",
    "1,2,3", "[1, 2", "[[1], [2, 3]]", "[" * 50 + "1" + "]" * 50, "(1, 2)", "[1, true]", "{", "{}", '{"a": 1}',
    '{"a b": 1}', '"a"', "null", "0:1", "1:0", ":", "::", "0:", ":x", "a:b", "2x3", "0x0", "1x" * 40 + "1", "x",
    "m", "m:", ":f", "m:f", "m:g", "m:x0", "m:text", "m:named", "m:bounds", "m:Model", "m:Model.f", "m:model.f",
    "m:model.q", "m:raises", "m:returns_text", "m.py", "m.py:f", "./m.py:g", "m.f", "m:f:g", "m:f()", "m:no",
    "no:f", "sys:path", "one", "two", "on", "one two", "good.npy", "code.npy", "two.npz", "two.npz:a", "two.npz:z",
    "fifo.npy", "dangling.npy", "missing.npy", "folder", "folder.npy", "rows.csv", "words.csv", "deep.json",
    "object.json", ".", "..", "/", "/dev/null", "~", "~nobody/x.npy", "nb.ipynb:f", "auto", "directions", "text",
    "json", "worst", "always", "true", "-", "--", "%s", "\n", "\t", "é", "🎉", "\udcff", "\u202e", "y" * 3000,
    "y" * 300 + ".npy",
]  # fmt: skip
NEVER = {"jobs", "executor", "budget"}  # they start processes, or end a check that would otherwise do


def text() -> st.SearchStrategy[str]:
    return st.sampled_from(WORDS) | st.text(st.characters(exclude_characters="\0"), max_size=12)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with files of all kinds, as the working directory of this very process."""
    (tmp_path / "m.py").write_text(USER_CODE)
    (tmp_path / "setup.cfg").write_text(DECLARED)
    (tmp_path / "rows.csv").write_text("1, 2, 3\n4, 5, 6\n")
    (tmp_path / "words.csv").write_text("a, b\n1, 2\n")
    (tmp_path / "deep.json").write_text("[" * 600 + "]" * 600)
    (tmp_path / "object.json").write_text('{"a": [1, 2], "b": null}')
    (tmp_path / "nb.ipynb").write_text("{}")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "dangling.npy").symlink_to("nowhere.npy")
    os.mkfifo(tmp_path / "fifo.npy")
    np.save(tmp_path / "good.npy", np.array([0.5, 1.5, 2.5]))
    np.savez(tmp_path / "two.npz", a=np.ones(3), b=np.arange(2))
    (tmp_path / "code.npy").write_bytes((tmp_path / "good.npy").read_bytes().replace(b"(3,)", b"(1if"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield tmp_path
    for name in ("m", "no"):
        sys.modules.pop(name, None)


@contextlib.contextmanager
def within_patience() -> Iterator[None]:
    """Fail where an answer takes longer than it may."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"no answer within {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(PATIENCE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answer(call: Callable[[], object]) -> str:
    """What a call is refused with, or ''.  Anything but an error of ours goes on."""
    with within_patience():
        try:
            call()
        except (GradcheckError, GradientMismatch) as error:
            return str(error)
    return ""


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """The words of a command line, half of them as they should be."""
    words = draw(st.lists(text() | st.sampled_from(["m:f", "m:f", "one"]), max_size=2))
    if draw(st.booleans()):
        words = ["m:f", "--grad", "m:g", "--dim", "3"]
    for name in draw(st.lists(st.sampled_from(sorted(at(Face.CLI, OPTIONS).keys() - NEVER)), max_size=4)):
        row = OPTIONS[name]
        if isinstance(row.values, Flag):
            words.append(row.flag)
        elif isinstance(row.values, Written):
            words += [
                row.flag,
                draw(st.sampled_from(["", "out", "folder", "no/out", "/dev/null", "z" * 300, "out\n2", "\udcff"])),
            ]
        else:
            words += [row.flag, draw(text())]
    return words


@QUIETLY
@given(lines())
def test_any_line_is_answered(here: Path, line: list[str]) -> None:
    with within_patience():
        result = CliRunner().invoke(command, line)
    said = result.output
    assert result.exit_code in (0, 1, 2, 3), said
    assert "internal error" not in said
    assert f"{os.sep}gradcheck{os.sep}" not in said or "Traceback" not in said
    if result.exit_code == 2 and "Traceback" not in said:
        problems = [text for text in said.splitlines() if text.startswith("error: ")]
        assert problems, said
        assert all(len(text) < 2000 for text in problems)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | text()
    | st.sampled_from(
        [
            datetime.date(2000, 1, 1),
            10**400,
            -1,
            b"bytes",
            1j,
            float,
            len,
            object(),
            np.ones(2),
            np.float32(2),
            range(3),
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(text(), inner, max_size=3),
    max_leaves=6,
)


@QUIETLY
@given(st.dictionaries(st.sampled_from(sorted(KEYS)) | text(), JUNK, max_size=5))
def test_any_table_is_declared_or_refused_in_a_line(table: dict[str, Any]) -> None:
    whole = {"target": "m:f", "grad": "m:g", "dim": 3, **table}
    said = answer(lambda: declare(whole, file="file", section="section"))
    assert "\n" not in said
    assert len(said) < 2000


@QUIETLY
@given(st.sampled_from(["pyproject.toml", "setup.cfg"]), st.text(max_size=60) | st.binary(max_size=60) | text())
def test_any_file_of_configuration_is_read_or_refused_in_a_line(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    head = {"pyproject.toml": "[[tool.gradcheck.checks]]\n", "setup.cfg": "[gradcheck:a]\n"}[name]
    data = content if isinstance(content, bytes) else (head + content).encode("utf-8", "surrogatepass")
    for other in ("pyproject.toml", "setup.cfg"):
        (tmp_path / other).unlink(missing_ok=True)
    (tmp_path / name).write_bytes(data)
    said = answer(lambda: read_checks(tmp_path))
    assert "\n" not in said
    assert len(said) < 2000


@QUIETLY
@given(text(), st.sampled_from([read_point, parse_args, read_bounds]))
def test_any_text_is_read_or_refused_in_a_line(here: Path, typed: str, read: Any) -> None:
    assert "\n" not in answer(lambda: read(typed, load=load_object, folder=here))


@QUIETLY
@given(
    st.dictionaries(st.sampled_from(sorted(KEYWORDS.keys() - NEVER)) | text(), JUNK, max_size=3),
    JUNK | st.just([0.5, 1.5]),
)
def test_any_keyword_is_taken_or_refused_in_a_line(here: Path, given: dict[str, Any], x0: Any) -> None:
    def f(x: Any, *_: Any, **__: Any) -> float:
        return float((x * x).sum())

    def grad(x: Any, *_: Any, **__: Any) -> Any:
        return 2 * x

    assert "\n" not in answer(lambda: check_gradient(f, grad, x0, **given))
