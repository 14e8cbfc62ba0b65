"""The JSON report is strict and complete."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gradcheck.model import Report, Status, Verdict
from gradcheck.reporting import json as machine
from gradcheck.reporting.json import SCHEMA, plain, render, to_dict
from tests.reports import EVERY, build, directional, extreme, many, passing, undecided


def strictly(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", EVERY)
def test_every_report_reads_back(name: str) -> None:
    text = render([EVERY[name]()])
    assert text.isascii()
    assert text.endswith("}\n")
    assert strictly(text) == to_dict([EVERY[name]()])


def test_the_whole_run() -> None:
    told = to_dict([passing(), undecided()])
    assert (told["schema"], told["verdict"], len(told["checks"])) == (SCHEMA, "INCONCLUSIVE", 2)
    assert to_dict([]) == {"schema": SCHEMA, "verdict": None, "checks": []}


def test_the_keys_that_are_promised() -> None:
    (check,) = to_dict([undecided()])["checks"]
    documented = machine.__doc__ or ""
    for key in (*check, *check["entries"][0], *check["resolution"], *check["findings"][0]):
        assert f"``{key}``" in documented, key
    entry = check["entries"][0]
    assert entry["index"] == [5]
    assert (entry["left"], entry["right"], entry["kink"]) == (-1.0, 1.0, 2.5e-7)
    assert (entry["verdict"], entry["status"]) == ("INCONCLUSIVE", Status.KINK.value)
    assert "left" not in check["entries"][1]
    assert check["findings"][0]["kind"] == "low_precision"
    assert check["target"] == {"name": "f", "file": "examples/quadratic.py", "line": 12}


def test_directions() -> None:
    (check,) = to_dict([directional()])["checks"]
    assert [(d["number"], d["point"], d["verdict"]) for d in check["directions"]] == [
        (0, 0, "FAIL"),
        (1, 0, "PASS"),
        (2, 1, "PASS"),
    ]
    assert check["entries_omitted"] == 0
    assert check["interrupted"] is True


def test_numbers_without_a_json_form_are_strings() -> None:
    entries = to_dict([extreme()])["checks"][0]["entries"]
    assert entries[0]["claimed"] == "NaN"
    assert entries[1]["claimed"] == "Infinity"
    assert entries[2]["claimed"] == -1.2345678901234567e-300
    assert plain(-np.inf) == "-Infinity"


def test_entries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ENTRIES_KEPT", 7)
    (check,) = to_dict([many(40, checked=1000)])["checks"]
    assert len(check["entries"]) == 7
    assert check["entries_omitted"] == 993


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(1.5), 1.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1.0, np.nan]]), [[1.0, "NaN"]]),
        (np.float64("inf"), "Infinity"),
        ((1, {2}), [1, [2]]),
        ({1: Verdict.FAIL, "b": Status.KINK}, {"1": "FAIL", "b": "kink"}),
        (True, True),
        (2 + 3j, {"re": 2.0, "im": 3.0}),
        (b"x", "b'x'"),
    ],
)
def test_plain(value: object, expected: object) -> None:
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found, allow_nan=False)


def test_evidence_of_any_kind_is_written() -> None:
    report: Report = build(options={"args": (np.arange(2), np.float32(1.5)), "executor": object})
    assert strictly(render([report]))["checks"][0]["options"]["args"] == [[0, 1], 1.5]
