"""The published schemas are those of what is written and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gradcheck
from gradcheck.errors import ConfigError
from gradcheck.model import Report
from gradcheck.reporting import schema as of_report
from gradcheck.reporting.json import render
from gradcheck.runner import schema as of_config
from gradcheck.runner.config import KEYS, declare
from tests.reports import EVERY

FOLDER = Path(gradcheck.__file__).parent / "schemas"
PUBLISHED = {"report": of_report, "config": of_config}
ENTRY = {"target": "m:f", "grad": "m:g", "dim": 3}


@pytest.fixture
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: pip install gradcheck[test]")

    def validator(name: str) -> Any:
        described = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(described)
        return jsonschema.Draft202012Validator(described)

    return validator


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_file_is_made_of_the_code(name: str) -> None:
    module = PUBLISHED[name]
    remake = f"python -m {module.__name__} > gradcheck/schemas/{name}.json makes it anew"
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == of_report.dumps(module.schema()), remake


@pytest.mark.parametrize("name", EVERY)
def test_every_report_keeps_to_the_schema_and_has_no_key_that_it_does_not_tell(validator: Any, name: str) -> None:
    document = json.loads(render([EVERY[name]()]))
    assert not [error.message for error in validator("report").iter_errors(document)]
    described = of_report.schema()
    assert not list(unknown(document, described, described["$defs"]))


def unknown(value: Any, described: dict[str, Any], records: dict[str, Any]) -> Iterator[str]:
    """Keys that a schema does not tell."""
    described = records[described["$ref"].rpartition("/")[2]] if "$ref" in described else described
    for choice in described.get("anyOf", ()):
        if isinstance(value, dict) and "$ref" in choice:
            yield from unknown(value, choice, records)
    if isinstance(value, list):
        for item in value:
            yield from unknown(item, described.get("items", {}), records)
    if isinstance(value, dict) and "properties" in described:
        yield from value.keys() - described["properties"].keys()
        for key, item in value.items():
            yield from unknown(item, described["properties"].get(key, {}), records)


def test_a_report_that_breaks_the_schema_is_told(validator: Any) -> None:
    document = json.loads(render([EVERY["failing"]()]))
    for break_it in (
        lambda check: check.pop("verdict"),
        lambda check: check.update(verdict="MAYBE"),
        lambda check: check["entries"][0].update(numeric="many"),
        lambda check: check["entries"][0].pop("uncertainty"),
        lambda check: check.update(nfev=1.5),
    ):
        broken = json.loads(json.dumps(document))
        break_it(broken["checks"][0])
        assert not validator("report").is_valid(broken)


def test_every_record_is_described() -> None:
    for name, record in of_report.schema()["$defs"].items():
        if name != "number":
            assert record["description"]
    told = of_report.descriptions(Report)
    assert told["target"] == told["claim"] == "the function and the claimed derivative."


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "one", "seed": 3, "points": 2, "rtol": 1e-4, "allow-inconclusive": True, "method": "directions"},
        {"dim": None, "shape": "20x3"},
        {"dim": None, "shape": [20, 3], "bounds": [0, 1]},
        {"dim": None, "point": [1.0, 2.0], "bounds": "0:1"},
        {"grad": None, "value-and-grad": True},
        {"grad": None, "value_and_grad": True, "args": [1, [2.0, 3.0]]},
        {"grad": None, "jac": "m:j", "suspects": ["m:a"], "args": {"scale": 2.0}},
        {"grad": None},
        {"target": None},
        {"dim": None},
        {"dim": 0},
        {"dim": "three"},
        {"dim": True},
        {"rtol": 1},
        {"rtol": -1e-3},
        {"budget": 0},
        {"method": "magic"},
        {"vectorized": "yes"},
        {"suspects": "m:a"},
        {"dim": None, "shape": "3x"},
        {"dim": None, "shape": []},
        {"bounds": [0]},
        {"grda": "m:g"},
        {"executor": 3},
    ],
)
def test_the_schema_of_the_configuration_agrees_with_what_reads_it(validator: Any, changes: dict[str, Any]) -> None:
    table = {key: value for key, value in (ENTRY | changes).items() if value is not None}
    try:
        declare(table, file="pyproject.toml", section="[[tool.gradcheck.checks]]")
        accepted = True
    except ConfigError:
        accepted = False
    assert validator("config").is_valid({"checks": [table]}) is accepted
    assert not validator("config").is_valid({"check": [table]})


def test_every_key_is_described() -> None:
    check = of_config.schema()["properties"]["checks"]["items"]
    assert KEYS.keys() <= check["properties"].keys()
    assert all(row.values.schema for row in KEYS.values())
