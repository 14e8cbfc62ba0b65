"""The table of options holds: each stands where its row says, and is refused everywhere in the same words."""

from __future__ import annotations

import dataclasses
import inspect
import math
from typing import Any

import click
import pytest
from click.testing import CliRunner

import gradcheck
from gradcheck.cli.command import command
from gradcheck.errors import ConfigError, UsageError
from gradcheck.model import Kind, Method
from gradcheck.options.keywords import KEYWORDS, Keywords, Options
from gradcheck.options.row import GROUPS, Face, Option, at
from gradcheck.options.table import OPTIONS
from gradcheck.options.values import Choice, Flag
from gradcheck.runner.config import declare, read_checks
from tests import whole_package

whole_package.load()
GIVEN: dict[str, list[str]] = {  # on the command line; one text for each row that is no flag
    "grad": ["m:g"], "hess": ["m:h"], "hvp": ["m:p"], "jac": ["m:j"], "jvp": ["m:p"], "vjp": ["m:p"], "args": ["2.5"],
    "dim": ["3"], "shape": ["2x3"], "point": ["1,2"], "bounds": ["0:1"], "points": ["2"], "seed": ["3"],
    "method": ["directions"], "directions": ["4"], "eps": ["1e-05"], "jobs": ["2"], "executor": ["m:pool"],
    "budget": ["60"], "journal": ["run.db"], "rtol": ["0.001"], "atol": ["0.01"], "suspects": ["m:a", "m:b"],
    "wrt": ["W", "out.b"], "vars": ["W=20x3", "b=3"], "arrays": ["torch"],
    "fix": ["2.5"], "knob": ["tol=1e-06"], "convention": ["steepest"], "on": ["R=SO3", "t=m:set"],
    "claimed": ["R=left", "t=ambient"], "invariant": ["m:orbit"],
}  # fmt: skip


def test_names_and_flags_are_unique_and_every_option_stands_somewhere() -> None:
    flags = [flag for row in at(Face.CLI, OPTIONS).values() for flag in (row.flags or (row.flag,))]
    assert len(flags) == len(set(flags))
    for name, row in OPTIONS.items():
        assert row.name == name
        assert row.where
        assert row.group in GROUPS


def test_the_keywords_are_the_fields_of_options() -> None:
    assert {field.name for field in dataclasses.fields(Options)} == at(Face.API, OPTIONS).keys() == KEYWORDS.keys()
    for name, row in KEYWORDS.items():
        assert getattr(Options(), name) == row.default
        assert f"\n    {name}: " in inspect.getdoc(Options).replace("\n", "\n    "), "documented"


def test_an_editor_completes_the_keywords_of_every_check() -> None:
    typed = {name: hint.__forward_arg__ for name, hint in Keywords.__annotations__.items()}
    assert typed == Options.__annotations__
    for kind in Kind:
        check = getattr(gradcheck, f"check_{kind}")
        assert inspect.signature(check).parameters["options"].annotation == "Unpack[Keywords]"


def test_a_claim_of_each_kind_has_an_option_and_a_method_that_choice_knows() -> None:
    assert {kind.key for kind in Kind} <= at(Face.CLI | Face.CONFIG, OPTIONS).keys()
    methods = OPTIONS["method"].values
    assert isinstance(methods, Choice)
    assert methods.words == tuple(Method)


def test_the_command_line_has_the_options_of_the_table_and_its_help_shows_them() -> None:
    options = {option.name: option for option in command.params if isinstance(option, click.Option)}
    own = {"help", "version", "explain", "watch", "watch_budget", "sweep"}
    assert options.keys() - own == at(Face.CLI, OPTIONS).keys()
    text = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    for name, row in at(Face.CLI, OPTIONS).items():
        assert f"{options[name].opts[-1]}" == row.flag
        assert f" {row.flag} " in text
        assert row.help.replace("{f}", "TARGET") in text
        if row.default_shown:
            assert f"[default: {row.default_shown}]" in text


def words_of(row: Option) -> list[str]:
    return (
        [row.flag] if isinstance(row.values, Flag) else [word for text in GIVEN[row.name] for word in (row.flag, text)]
    )


@pytest.mark.parametrize("name", list(at(Face.CLI | Face.CONFIG, OPTIONS)))
def test_what_is_typed_can_be_declared_and_is_typed_again_by_a_replay(name: str) -> None:
    from gradcheck.cli.selection import given_options

    row = OPTIONS[name]
    words = words_of(row)
    given = given_options(command.make_context("gradcheck", ["m:f", *words]).params)
    assert list(given) == [name]
    assert row.words(given[name]) == words
    first = {"target": "m:f", "grad": "m:g", "dim": 3}
    if name == "value_and_grad":
        del first["grad"]
    text = ", ".join(GIVEN.get(name, ["true"]))
    check = declare({**first, name: row.values.read(text)}, file="file", section="section")
    assert (check.options | {kind.key: claim for kind, claim in check.derivatives.items()})[name] == given[name]


BAD: list[tuple[str, Any, str]] = [  # option, value, and why it is refused, at every face
    ("rtol", 2, "it must be a number of at least 0 and below 1"),
    ("rtol", math.nan, "it must be a number of at least 0 and below 1"),
    ("atol", -1, "it must be a finite number of at least 0"),
    ("eps", 0, "it must be a finite number above 0"),
    ("budget", math.inf, "it must be a finite number above 0"),
    ("points", 0, "it must be a whole number of at least 1"),
    ("points", 1.5, "it must be a whole number of at least 1"),
    ("seed", -1, "it must be a whole number of at least 0"),
    ("jobs", 0, "it must be a whole number of at least 1"),
    ("directions", 0, "it must be a whole number of at least 1"),
    ("method", "direction", "it must be one of auto, coordinates, directions, complex-step; did you mean directions?"),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_the_same_words_at_every_face(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str, value: Any, reason: str
) -> None:
    said = f"{name} is {value!r}; {reason}"

    def f(x: Any) -> float:
        return float((x * x).sum())

    with pytest.raises(UsageError) as caught:
        gradcheck.check_gradient(f, lambda x: 2 * x, [1.0, 2.0], **{name: value})
    assert str(caught.value) == said
    typed = CliRunner().invoke(command, ["m:f", "--grad", "m:g", "--dim", "3", f"--{name}", str(value)])
    assert (typed.exit_code, typed.output) == (2, f"error: --{said}\n")
    table: dict[str, Any] = {"target": "m:f", "grad": "m:g", "dim": 3, name: value}
    with pytest.raises(ConfigError) as caught:
        declare(table, file="file", section="section")
    assert str(caught.value) == f"file: section: {said}"
    (pytester.path / "setup.cfg").write_text(f"[gradcheck:a]\ntarget = m:f\ngrad = m:g\ndim = 3\n{name} = {value}\n")
    with pytest.raises(ConfigError) as caught:
        read_checks(pytester.path)
    assert str(caught.value) == f"{pytester.path / 'setup.cfg'}: [gradcheck:a]: {said}"

    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugin = ("-p", "gradcheck.pytest_plugin", "-p", "no:cacheprovider")
    mark = "import pytest\nnan, inf = float('nan'), float('inf')\n@pytest.mark.gradcheck({}={!r})\ndef test_it(): ...\n"
    pytester.makepyfile(test_it=mark.format(name, value))
    marked = pytester.runpytest_inprocess(*plugin)
    marked.assert_outcomes(errors=1)
    assert f"@pytest.mark.gradcheck: {said}" in "\n".join(marked.outlines)
    if Face.PYTEST in OPTIONS[name].where:
        flagged = pytester.runpytest_inprocess(*plugin, f"--gradcheck-{name}={value}")
        assert f"ERROR: --gradcheck-{said}" in "\n".join(flagged.errlines)
        ini = pytester.makeini(f"[pytest]\ngradcheck_{name} = {value}\n")
        assert f"ERROR: {ini}: gradcheck_{said}" in "\n".join(pytester.runpytest_inprocess(*plugin).errlines)


def test_the_plugin_has_the_flags_and_ini_keys_of_the_table(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    text = "\n".join(pytester.runpytest_inprocess("-p", "gradcheck.pytest_plugin", "--help").outlines)
    rows = at(Face.PYTEST, OPTIONS)
    assert rows.keys() == {"rtol", "points", "seed", "fast", "reach", "strict", "fix", "allow_inconclusive"}
    for name, row in rows.items():
        assert f"  --gradcheck-{row.flag[2:]}" in text
        assert f"  gradcheck_{name} (" in text


@pytest.mark.parametrize("name", ["rtoll", "tolerance"])
def test_a_name_that_does_not_exist_gets_the_near_one_or_the_list(name: str) -> None:
    near = "did you mean 'rtol'?" if name == "rtoll" else "the keywords are args, unpack, wrt, on, claimed, riemannian"
    with pytest.raises(UsageError, match=f"^unknown keyword '{name}'; ") as caught:
        Options(**{name: 1})
    assert near in str(caught.value)


def test_options_of_a_report_are_those_in_force() -> None:
    plain = Options().in_force
    assert plain == {"points": 1, "seed": 0, "method": "auto", "jobs": 1, "rtol": 6e-6, "atol": 0.0}
    given = Options(rtol=1e-3, bounds=(0, 1), vectorized=True, throw=False, name="n", args=(2.5,), budget=9)
    assert given.in_force == plain | {"rtol": 1e-3, "bounds": [0, 1], "vectorized": True, "args": [2.5], "budget": 9.0}
