"""The JSON Schema of the report for programs, made of the records of `gradcheck.model`.

``python -m gradcheck.reporting.schema > gradcheck/schemas/report.json`` makes the published file anew.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum, IntEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from gradcheck import model
from gradcheck.model import ComplexEstimate, DerivativeEstimate, DirectionCheck, EntryCheck, Report, Verdict
from gradcheck.reporting.json import SCHEMA

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
COMPLEX = {
    "description": "a complex number by its real and its imaginary part",
    "type": "object",
    "properties": {"re": {"$ref": "#/$defs/number"}, "im": {"$ref": "#/$defs/number"}},
    "required": ["re", "im"],
}
PLAIN: dict[type, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"$ref": "#/$defs/number"},
    complex: {"$ref": "#/$defs/complex"},
}
NOUNS = model.nouns()
MEASURED = {"value": "numeric"}  # what the numeric derivative of an entry is called beside what is claimed


def schema() -> dict[str, Any]:
    """The schema of what ``--format json`` writes."""
    records: dict[str, dict[str, Any]] = {}
    check = _record(Report, records)
    return {
        "$schema": DIALECT,
        "title": "A report of gradcheck",
        "type": "object",
        "properties": {
            "schema": {"const": SCHEMA, "description": "grows by one when a key changes its meaning or goes away"},
            "verdict": {
                "anyOf": [_enum(Verdict), {"type": "null"}],
                "description": "the worst of the checks, null where there are none",
            },
            "checks": {"type": "array", "items": check},
        },
        "required": ["schema", "verdict", "checks"],
        "$defs": {"number": NUMBER, "complex": COMPLEX, **records},
    }


def _record(record: type[Any], records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A reference to the schema of a record, which is put into `records`."""
    if record.__name__ not in records:
        records[record.__name__] = {}  # before what is within it, which may be of the same kind
        records[record.__name__] = _object(record, records)
    return {"$ref": f"#/$defs/{record.__name__}"}


def _object(record: type[Any], records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    hints, texts = get_type_hints(record, localns=NOUNS), descriptions(record)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for field in fields(record):
        if record in (EntryCheck, DirectionCheck) and field.name == "estimate":
            inner = _object(DerivativeEstimate, records)
            if record is EntryCheck:
                hints_of_complex = get_type_hints(ComplexEstimate, localns=NOUNS)
                for name in [name for name, hint in hints_of_complex.items() if hint is complex]:
                    either = {"anyOf": [PLAIN[float], PLAIN[complex]]}
                    described = {k: v for k, v in inner["properties"][name].items() if k == "description"}
                    inner["properties"][name] = either | described
            properties |= {MEASURED.get(name, name): value for name, value in inner["properties"].items()}
            required += [MEASURED.get(name, name) for name in inner["required"]]
            continue
        described = {"description": texts[field.name]} if field.name in texts else {}
        properties[field.name] = _value(hints[field.name], records) | described
        if record is not DerivativeEstimate or field.default is MISSING:
            required.append(field.name)  # of an estimate, only what is known is told
    if record is Report:
        properties["headline"] = {"type": "string", "description": "the verdict in one sentence"}
        properties["entries_omitted"] = {"type": "integer", "description": "how many of those compared are not here"}
        required += ["headline", "entries_omitted"]
    first = inspect.cleandoc(record.__doc__ or "").partition("\n")[0]
    return {"type": "object", "description": first, "properties": properties, "required": required}


def _value(hint: Any, records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    arguments, origin = get_args(hint), get_origin(hint)
    if origin in (types.UnionType, Union):
        return {"anyOf": [_value(argument, records) for argument in arguments]}
    if origin in (tuple, Sequence):
        if origin is tuple and arguments[-1] is not ...:
            each = [_value(argument, records) for argument in arguments]
            return {"type": "array", "prefixItems": each, "minItems": len(each), "maxItems": len(each)}
        return {"type": "array", "items": _value(arguments[0], records)}
    if origin is Mapping:
        return {"type": "object"}
    if hint is type(None):
        return {"type": "null"}
    if isinstance(hint, type) and is_dataclass(hint):
        return _record(hint, records)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint)
    return dict(PLAIN.get(hint, {}))


def _enum(kind: type[Enum]) -> dict[str, Any]:
    return {"enum": [member.name if issubclass(kind, IntEnum) else member.value for member in kind]}


def descriptions(record: type[Any]) -> dict[str, str]:
    """What the docstring of a record says of each field: lines ``name: …`` or ``name, name: …``, and what is indented below."""
    found: dict[str, str] = {}
    text = inspect.cleandoc(record.__doc__ or "")
    for names, meaning in re.findall(r"^([a-z_0-9, ]+): (.*(?:\n[ ]+.*)*)", text, re.MULTILINE):
        for name in names.split(", "):
            found[name] = " ".join(meaning.split())
    return found


def dumps(described: Mapping[str, Any]) -> str:
    """A schema as the text of its file."""
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(dumps(schema()), end="")
