"""The pytest plugin, in projects that are made up for each test."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

import gradcheck
from tests import whole_package

whole_package.load()
ROOT = Path(__file__).parents[1]
FUNCTIONS = """
import numpy as np

x0 = np.array([0.5, -1.0, 2.0])

def f(x): return (x ** 2).sum()
def g(x): return 2 * x
def hess(x): return 2 * np.eye(x.size)
def squares(x): return x ** 2
def jac(x): return np.diag(2 * x)
def both(x): return f(x), g(x)

def wrong(x): return 2.001 * x
def wrong_hess(x): return 2.001 * np.eye(x.size)
def wrong_jac(x): return np.diag(2.001 * x)

def hvp(x, v): return 2 * v
def wrong_hvp(x, v): return 2.001 * v
def product(x, v): return 2 * x * v
def wrong_product(x, v): return 2.001 * x * v

def kinked(x): return np.abs(x).sum()
def helper(x): raise ValueError("deep inside")
def raises(x): return helper(x)
"""
HEAD = "import gradcheck as api\nimport numpy as np\nimport pytest\nfrom m import *\n\n"

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest, with the plugin and nothing else that is installed, on a test file beside m.py."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makefile(".py", m=FUNCTIONS)
    pytester.makefile(".ini", pytest="[pytest]\n")

    def start(tests: str, *arguments: str, plugin: bool = True, apart: bool = False) -> pytest.RunResult:
        if tests:
            pytester.makefile(".py", test_it=HEAD + tests)
        plugins = ("-p", "gradcheck.pytest_plugin") if plugin else ()
        how = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return how(*plugins, "-p", "no:cacheprovider", *arguments)

    return start


def shown(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


def section(result: pytest.RunResult) -> list[list[str]]:
    """The cells of the rows of the terminal section."""
    lines = result.outlines
    start = next((n for n, line in enumerate(lines) if re.fullmatch(r"=+ gradcheck =+", line)), None)
    if start is None:
        return []
    rest = lines[start + 1 :]
    end = next(n for n, line in enumerate(rest) if line.startswith("="))
    return [re.split(r" {2,}", line.strip()) for line in rest[:end] if line.strip()][2:]


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ("gradcheck(f, g, x0)", "passed"),
        ("gradcheck(f, wrong, x0)", "failed"),
        ("gradcheck(f, wrong, x0, rtol=1e-2)", "passed"),
        ("gradcheck(both, None, x0, value_and_grad=True)", "passed"),
        ("gradcheck.hessian(f, hess, x0)", "passed"),
        ("gradcheck.hessian(f, hess, x0, grad=g)", "passed"),
        ("gradcheck.hessian(f, wrong_hess, x0)", "failed"),
        ("gradcheck.jacobian(squares, jac, x0)", "passed"),
        ("gradcheck.jacobian(squares, wrong_jac, x0)", "failed"),
        ("gradcheck.hvp(f, hvp, x0)", "passed"),
        ("gradcheck.hvp(f, wrong_hvp, x0, grad=g)", "failed"),
        ("gradcheck.jvp(squares, product, x0)", "passed"),
        ("gradcheck.jvp(squares, wrong_product, x0)", "failed"),
        ("gradcheck.vjp(squares, product, x0)", "passed"),
        ("gradcheck.vjp(squares, wrong_product, x0)", "failed"),
        ("gradcheck(kinked, np.sign, 0 * x0)", "failed"),
        ("gradcheck(kinked, np.sign, 0 * x0, allow_inconclusive=True)", "passed"),
        ("gradcheck(raises, g, x0)", "failed"),
        ("assert gradcheck(f, wrong, x0, throw=False).verdict.name == 'FAIL'", "passed"),
        ("assert gradcheck(f, g, x0).checked == 3", "passed"),
        ("gradcheck(f, g, x0, rtoll=1)", "failed"),
        ("with pytest.raises(api.GradientMismatch, match='is wrong'): gradcheck(f, wrong, x0)", "passed"),
    ],
)
def test_fixture(run: Run, call: str, outcome: str) -> None:
    result = run(f"def test_it(gradcheck):\n    {call}\n")
    result.assert_outcomes(**{outcome: 1})


@pytest.mark.parametrize("style", ["auto", "short", "native"])
@pytest.mark.parametrize("call", ["gradcheck(f, wrong, x0)", "api.check_gradient(f, wrong, x0)"])
def test_a_failure_shows_what_is_wrong_and_no_code_of_ours(run: Run, call: str, style: str) -> None:
    result = run(f"def test_it(gradcheck):\n    {call}\n", f"--tb={style}")
    text = shown(result)
    for part in ("The gradient is wrong", call, "m.py:12", "[2]", "4.002", "pytest test_it.py::test_it"):
        assert part in text
    assert "pytest_plugin/" not in text
    assert str(Path(gradcheck.__file__).parent) not in text
    assert "FAILED test_it.py::test_it - gradcheck." in text


def test_the_full_trace_can_be_had(run: Run) -> None:
    assert "checks/check.py" in shown(run("def test_it():\n    api.check_gradient(f, wrong, x0)\n", "--full-trace"))


def test_the_replay_commands_repeat_the_check(run: Run, pytester: pytest.Pytester) -> None:
    result = run("def test_it(gradcheck):\n    gradcheck(f, wrong, x0, rtol=1e-5)\n", "--gradcheck-seed", "3")
    (line,) = [line for line in result.outlines if line.startswith("E ") and "  replay  " in line]
    words = shlex.split(line.partition("replay")[2])
    assert words[:4] == ["gradcheck", "m:f", "--grad", "m:wrong"]
    assert words[words.index("--point") + 1] == "0.5,-1.0,2.0"
    assert words[words.index("--seed") + 1] == "3"
    assert words[words.index("--rtol") + 1] == "1e-05"
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "4.002" in done.stdout
    (line,) = [line for line in result.outlines if line.startswith("E ") and "  or  " in line]
    assert shlex.split(line)[2:] == ["pytest", "test_it.py::test_it", "--gradcheck-seed", "3"]


def test_reach_is_a_flag(run: Run) -> None:
    tests = (
        "def branched(x):\n    if x[0] > 300:\n        return 2 * g(x)\n    return g(x)\n"
        "def test_it(gradcheck):\n    gradcheck(f, branched, x0)\n"
    )
    run(tests).assert_outcomes(passed=1)
    result = run(tests, "--gradcheck-reach")
    result.assert_outcomes(failed=1)
    assert "found by reach" in shown(result)


def test_the_replay_command_fits_the_folder_in_which_pytest_was_started(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pytester.mkdir("below"))
    monkeypatch.syspath_prepend(str(pytester.path))
    (pytester.path / "test_it.py").write_text(HEAD + "def test_it(gradcheck): gradcheck(f, wrong, x0)\n")
    text = shown(run("", "../test_it.py"))
    assert "replay  gradcheck ../m.py:f --grad ../m.py:wrong" in text
    assert "or      pytest ../test_it.py::test_it" in text


def test_what_cannot_be_named_is_replayed_by_pytest_alone(run: Run) -> None:
    text = shown(run("def test_it(gradcheck):\n    gradcheck(lambda x: f(x), wrong, x0)\n"))
    assert re.search(r"replay +pytest test_it.py::test_it$", text, re.MULTILINE)
    assert "gradcheck m:" not in text


def test_inconclusive_fails_and_says_why_unless_it_is_allowed(run: Run) -> None:
    tests = "def test_it(gradcheck):\n    gradcheck(kinked, np.sign, 0 * x0)\n"
    result = run(tests)
    result.assert_outcomes(failed=1)
    for part in ("could not be judged", "kink", "allow_inconclusive=True", "--gradcheck-allow-inconclusive"):
        assert part in shown(result)
    result = run(tests, "--gradcheck-allow-inconclusive")
    result.assert_outcomes(passed=1)
    assert [row[-1] for row in section(result)] == ["INCONCLUSIVE"]


@pytest.mark.parametrize("call", ["gradcheck(raises, g, x0)", "api.check_gradient(raises, g, x0)"])
def test_the_exception_of_user_code_is_shown(run: Run, call: str) -> None:
    text = shown(run(f"def test_it(gradcheck):\n    {call}\n"))
    for part in ("ValueError: deep inside", "in helper" if call[0] == "g" else "def helper", "f raised ValueError"):
        assert part in text
    assert "evaluation.py" not in text


MARKED = """
@pytest.mark.gradcheck(rtol=1e-2)
class TestIt:
    def test_loose(self, gradcheck):
        gradcheck(f, wrong, x0)

    @pytest.mark.gradcheck(rtol=1e-7, points=2)
    @pytest.mark.parametrize("n", [1, 2])
    def test_strict(self, gradcheck, n):
        assert gradcheck(f, wrong, x0[:n], throw=False).tolerance.rtol == 1e-7

    def test_own(self, gradcheck):
        assert gradcheck(f, g, x0, rtol=1e-3).tolerance.rtol == 1e-3
"""


def test_the_closest_marker_gives_the_defaults(run: Run) -> None:
    result = run(MARKED, "--strict-markers", "-W", "error")
    result.assert_outcomes(passed=4)
    assert [row[0] for row in section(result)] == [
        f"test_it.py::TestIt::test_{name}" for name in ("loose", "strict[1]", "strict[2]", "own")
    ]


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("gradcheck(rtoll=1)", ["unknown keyword 'rtoll'", "did you mean 'rtol'?"]),
        (
            "gradcheck(throw=False)",
            [
                "unknown keyword 'throw'",
                "the keywords are args, unpack, wrt, on, claimed,",
            ],
        ),
        ("gradcheck(rtol=2)", ["rtol is 2; it must be a number of at least 0 and below 1"]),
        ("gradcheck(1e-4)", ["takes keywords only"]),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_an_unfit_marker(run: Run, mark: str, words: list[str], workers: tuple[str, ...]) -> None:
    if workers and mark != "gradcheck(rtoll=1)":
        workers = ()  # one start of a worker is enough
    result = run(f"@pytest.mark.{mark}\ndef test_it(gradcheck): ...\ndef test_other(): ...\n", *workers)
    result.assert_outcomes(errors=1, passed=1)
    for word in words:
        assert word in shown(result)
    assert "pytest_plugin/" not in shown(result)


SETTINGS = "def test_it(gradcheck):\n    r = gradcheck(f, g, x0)\n    assert (r.tolerance.rtol, r.verdict.name) == ({}, 'PASS')"


@pytest.mark.parametrize(
    ("ini", "flags", "rtol"),
    [
        ("", [], 6e-6),
        ("gradcheck_rtol = 1e-3", [], 1e-3),
        ("gradcheck_rtol = 1e-3", ["--gradcheck-rtol", "1e-4"], 1e-4),
        ("gradcheck_points = 2\ngradcheck_seed = 5\ngradcheck_allow_inconclusive = true", [], 6e-6),
    ],
)
def test_defaults_of_a_run(run: Run, pytester: pytest.Pytester, ini: str, flags: list[str], rtol: float) -> None:
    pytester.makefile(".ini", pytest=f"[pytest]\n{ini}\n")
    run(SETTINGS.format(rtol), "--strict-config", *flags).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("ini", "flags", "words"),
    [
        ("", ["--gradcheck-rtol", "x"], ["--gradcheck-rtol is 'x'; it must be a number of at least 0 and below 1"]),
        ("", ["--gradcheck-rtol", "nan"], ["--gradcheck-rtol is nan; it must be a number of at least 0 and below 1"]),
        ("", ["--gradcheck-points", "0"], ["--gradcheck-points is 0; it must be a whole number of at least 1"]),
        ("", ["--gradcheck-seed", "1.5"], ["--gradcheck-seed is 1.5; it must be a whole number of at least 0"]),
        (
            "gradcheck_points = many",
            [],
            ["pytest.ini: gradcheck_points is 'many'; it must be a whole number of at least 1"],
        ),
        ("", ["--gradcheck-report", "r.pdf"], ["--gradcheck-report", "'r.pdf'", ".txt, .json, .xml, .md, .html"]),
        ("", ["--gradcheck-declared"], ["--gradcheck-declared", "[[tool.gradcheck.checks]]"]),
    ],
)
def test_unfit_options(run: Run, pytester: pytest.Pytester, ini: str, flags: list[str], words: list[str]) -> None:
    pytester.makefile(".ini", pytest=f"[pytest]\n{ini}\n")
    result = run("def test_it(): ...\n", *flags, apart=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    for word in words:
        assert word in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


THREE = """
def test_right(gradcheck): gradcheck(f, g, x0)
def test_wrong(gradcheck): gradcheck(f, wrong, x0)
def test_two(gradcheck):
    gradcheck.hessian(f, hess, x0, grad=g)
    gradcheck(kinked, np.sign, 0 * x0, throw=False)
def test_none(gradcheck): ...
"""
ANNOTATED = """
import pytest

def test_bad(gradcheck):
    gradcheck(f, wrong, x0)

def test_expected(gradcheck):
    assert gradcheck(f, wrong, x0, throw=False).verdict.name == "FAIL"

def test_open(gradcheck):
    gradcheck(kinked, np.sign, 0 * x0)

def test_raises(gradcheck):
    gradcheck(raises, g, x0)

def test_installed(gradcheck):
    gradcheck(np.linalg.norm, lambda x: x, x0)
"""


def test_failing_checks_are_annotated_in_a_workflow(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the claim stands, or where f raised; nothing for a test that passes, whatever it found."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert "::error" not in shown(run(ANNOTATED))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = [line for line in run(ANNOTATED).outlines if line.startswith("::")]
    places = [re.match(r"::(\w+) file=([^,]+),line=(\d+),title=(\w+)", line).groups() for line in lines]  # type: ignore[union-attr]
    of = {name: str(FUNCTIONS[: FUNCTIONS.index(f"def {name}(")].count("\n")) for name in ("wrong", "kinked", "helper")}
    assert places[0] == ("error", "m.py", of["wrong"], "FAIL")
    assert places[1][0::3] == ("warning", "INCONCLUSIVE")
    assert places[1][1:3] == ("m.py", of["kinked"]), "numpy's sign is written nowhere"
    assert places[2] == ("error", "m.py", of["helper"], "ERROR")
    assert "f has a kink here" in lines[1]
    assert len(lines) == 4


REPORTS = [word for name in ("r.json", "r.xml", "r.md", "r.html") for word in ("--gradcheck-report", name)]


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "xdist"])
def test_the_section_and_the_reports_tell_of_all_checks(
    run: Run, pytester: pytest.Pytester, workers: list[str]
) -> None:
    result = run(THREE, "-W", "error", *workers, *REPORTS, apart=True)
    result.assert_outcomes(passed=3, failed=1)
    rows = sorted((row[0].partition("::")[2], row[1], row[-1]) for row in section(result))
    assert rows == [
        ("test_right", "gradient", "PASS"),
        ("test_two", "gradient", "INCONCLUSIVE"),
        ("test_two", "hessian", "PASS"),
        ("test_wrong", "gradient", "FAIL"),
    ]
    (right,) = [row for row in section(result) if row[0].endswith("test_right")]
    assert int(right[3]) > 8
    assert 0 < float(right[4]) < 1e-4
    document = json.loads((pytester.path / "r.json").read_text(encoding="utf-8"))
    assert document["verdict"] == "FAIL"
    assert {check["name"] for check in document["checks"]} == {f"test_it.py::{name}" for name, _, _ in rows}
    (wrong,) = [check for check in document["checks"] if check["verdict"] == "FAIL"]
    assert [entry["index"] for entry in wrong["entries"]] == [[2], [1], [0]]
    assert wrong["claim"]["file"] == str(pytester.path / "m.py")
    root = ElementTree.parse(pytester.path / "r.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "1")
    for name in ("r.md", "r.html"):
        assert "test_right" in (pytester.path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("tests", "arguments"),
    [("def test_it(): ...\n", []), ("def test_it(gradcheck): ...\n", []), (THREE, ["-qq"]), (THREE, ["--co"])],
)
def test_no_section_where_there_is_nothing_to_say(run: Run, tests: str, arguments: list[str]) -> None:
    assert not re.search("^=+ gradcheck =+$", shown(run(tests, *arguments)), re.MULTILINE)


def test_a_report_that_cannot_be_written(run: Run, pytester: pytest.Pytester) -> None:
    result = run("def test_it(gradcheck): gradcheck(f, g, x0)\n", "--gradcheck-report", "no/r.json", *REPORTS)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "error: cannot write no/r.json: No such file or directory" in shown(result)
    assert "test_it.py::test_it  gradient" in shown(result)
    assert (pytester.path / "r.html").exists()


DECLARED = """
[gradcheck:good]
target = m:f
grad = m:g
hess = m:hess
dim = 5

[gradcheck:bad]
target = m:f
grad = m:wrong
dim = 5

[gradcheck:raising]
target = m:raises
grad = m:g
dim = 5

[gradcheck:missing]
target = m:ff
grad = m:g
dim = 5

[gradcheck:kinked]
target = m:kinked
grad = numpy:sign
point = 0, 0
"""


TABLE = "[[tool.gradcheck.checks]]\ntarget = 'm:f'\ngrad = 'm:g'\ndim = 3\n"


@pytest.fixture
def declared(pytester: pytest.Pytester) -> None:
    pytester.makefile(".cfg", setup=DECLARED)


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "xdist"])
def test_declared_checks_are_tests(run: Run, workers: list[str]) -> None:
    result = run("def test_it(): ...\n", "--gradcheck-declared", "-W", "error", "-rA", *workers, "test_it.py")
    result.assert_outcomes(passed=2, failed=4)
    lines = {line.split(" - ")[0] for line in result.outlines if line.startswith(("PASSED", "FAILED"))}
    assert lines == {"PASSED test_it.py::test_it", "PASSED setup.cfg::good"} | {
        f"FAILED setup.cfg::{name}" for name in ("bad", "raising", "missing", "kinked")
    }
    assert [row[:2] + row[-1:] for row in sorted(section(result))] == [
        ["bad", "gradient", "FAIL"],
        ["good", "gradient", "PASS"],
        ["good", "hessian", "PASS"],
        ["kinked", "gradient", "INCONCLUSIVE"],
        ["missing", "gradient", "ERROR"],
        ["raising", "gradient", "ERROR"],
    ]
    text = shown(result)
    for part in ("The gradient is wrong", "replay  gradcheck bad", "ValueError: deep inside", "did you mean f?"):
        assert part in text
    assert "pytest setup.cfg::bad --gradcheck-declared" in text
    assert "pytest_plugin/" not in text


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(
    ("arguments", "outcomes"),
    [
        (["setup.cfg::good"], {"passed": 1}),
        (["setup.cfg::good", "setup.cfg::bad"], {"passed": 1, "failed": 1}),
        (["-k", "good"], {"passed": 1, "deselected": 5}),
        (["-m", "gradcheck", "-k", "good or bad"], {"passed": 1, "failed": 1, "deselected": 4}),
        ([".", "-k", "good or kinked", "--gradcheck-allow-inconclusive"], {"passed": 2, "deselected": 4}),
        (["-k", "good or bad", "--gradcheck-rtol", "0.01"], {"passed": 2, "deselected": 4}),
    ],
)
def test_some_declared_checks(run: Run, arguments: list[str], outcomes: dict[str, int]) -> None:
    run("def test_it(): ...\n", "--gradcheck-declared", *arguments).assert_outcomes(**outcomes)


@pytest.mark.usefixtures("declared")
def test_declared_checks_by_the_ini_file(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makefile(".ini", pytest="[pytest]\ngradcheck_declared = true\n")
    run("", "-k", "good").assert_outcomes(passed=1, deselected=4)


@pytest.mark.parametrize(
    ("file", "table", "words"),
    [
        ("setup.cfg", "[gradcheck:a]\ngrad = m:g\ndim = 3", ["[gradcheck:a]", "no target"]),
        ("setup.cfg", "[gradcheck:a]\ntarget = m:f\ngrad = m:g\ndim = 3\nrtoll = 1", ["[gradcheck:a]", "'rtol'"]),
        ("pyproject.toml", TABLE + TABLE, ["number 2", "the name 'm:f' is taken by", "number 1"]),
        ("pyproject.toml", "[tool.gradcheck]\nchecks = 3", ["tool.gradcheck.checks is not an array of tables"]),
    ],
)
def test_an_unfit_declaration(run: Run, pytester: pytest.Pytester, file: str, table: str, words: list[str]) -> None:
    (pytester.path / file).write_text(table)
    result = run("def test_it(): ...\n", "--gradcheck-declared", apart=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line.startswith("ERROR: ")]
    for word in (file, *words):
        assert word in line


def test_without_the_flag_nothing_declared_is_collected(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makefile(".cfg", setup="[gradcheck:broken]\nnonsense = 1\n")
    run("def test_it(): ...\n").assert_outcomes(passed=1)


BYSTANDER = "import sys\ndef pytest_sessionfinish():\n    print('LOADED', sorted(sys.modules))\n"


def test_a_project_that_does_not_use_it_pays_one_light_import(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(BYSTANDER)
    result = run("", "-W", "error", apart=True)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    (line,) = [line for line in result.outlines if "LOADED" in line]
    loaded = set(ast.literal_eval(line.partition("LOADED ")[2]))
    assert {name for name in loaded if name.split(".")[0] == "gradcheck"} == {
        "gradcheck",
        "gradcheck.errors",
        "gradcheck.options",
        "gradcheck.options.functions",
        "gradcheck.options.keywords",
        "gradcheck.options.places",
        "gradcheck.options.row",
        "gradcheck.options.values",
        "gradcheck.pytest_plugin",
        "gradcheck.pytest_plugin.options",
        "gradcheck.version",
        "gradcheck.wording",
    }
    assert not loaded & {"numpy", "numba", "click", "rich", "scipy"}


def test_a_run_without_the_plugin(run: Run) -> None:
    result = run("def test_it(gradcheck): ...\ndef test_other(): ...\n", plugin=False)
    result.assert_outcomes(passed=1, errors=1)
    assert "fixture 'gradcheck' not found" in shown(result)


def test_ctrl_c_within_a_check_ends_the_run(run: Run) -> None:
    stop = "def stop(x): raise KeyboardInterrupt\ndef test_it(gradcheck): gradcheck(stop, g, x0)\ndef test_other(): ..."
    result = run(stop, apart=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_help_has_a_group_of_its_own(run: Run) -> None:
    text = shown(run("", "--help"))
    assert "\nchecking derivatives:\n  --gradcheck-" in text
    assert "@pytest.mark.gradcheck(rtol=" in shown(run("", "--markers"))


def test_the_page_on_the_plugin_has_every_flag_and_no_other(run: Run) -> None:
    known = set(re.findall(r"--gradcheck-[a-z-]+", shown(run("", "--help"))))
    assert (
        set(re.findall(r"--gradcheck-[a-z-]+", (ROOT / ".github/docs/pytest.md").read_text(encoding="utf-8"))) == known
    )
