"""The JSON Schema of ``[tool.gradcheck]`` in pyproject.toml, made of the table of options.

``python -m gradcheck.runner.schema > gradcheck/schemas/config.json`` makes the published file anew.
"""

from __future__ import annotations

from typing import Any

from gradcheck.options.row import Option
from gradcheck.options.table import PLACES
from gradcheck.reporting.schema import DIALECT, dumps
from gradcheck.runner.config import CLAIMS, KEYS


def schema() -> dict[str, Any]:
    """The schema of the table ``tool.gradcheck``.  Keys may have a hyphen for each underscore."""
    keys = {name: _described(row) for name, row in KEYS.items()}
    hyphened = {name.replace("_", "-"): value for name, value in keys.items() if "_" in name}
    both = {"properties": {"value_and_grad": {"const": True}}, "required": ["value_and_grad"]}
    same = {"properties": {"value-and-grad": {"const": True}}, "required": ["value-and-grad"]}
    check = {
        "type": "object",
        "description": "a check of the derivatives of one function",
        "properties": keys | hyphened,
        "additionalProperties": False,
        "required": ["target"],
        "allOf": [
            {"anyOf": [*({"required": [name]} for name in CLAIMS), both, same]},
            {"anyOf": [{"required": [name]} for name in PLACES]},
        ],
    }
    return {
        "$schema": DIALECT,
        "title": "[tool.gradcheck]",
        "description": "Checks of derivatives, which gradcheck runs and pytest --gradcheck-declared collects.",
        "type": "object",
        "properties": {"checks": {"type": "array", "items": check}},
        "additionalProperties": False,
    }


def _described(row: Option) -> dict[str, Any]:
    default = f" (default: {row.default_shown})" if row.default_shown else ""
    text = row.help.replace("{f}", "the function").rstrip(".") + default if row.help else ""
    return row.values.schema | ({"description": text[:1].lower() + text[1:]} if text else {})


if __name__ == "__main__":
    print(dumps(schema()), end="")
