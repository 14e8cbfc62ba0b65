"""A report from what `reporting.json` makes of it: how a report travels from one process to another."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum, IntEnum
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from gradcheck import model
from gradcheck.model import ComplexEstimate, DerivativeEstimate, DirectionCheck, EntryCheck, Report
from gradcheck.reporting import formats as formats  # a report shows itself by it

_MEASURED = {"numeric": "value"} | {f.name: f.name for f in fields(DerivativeEstimate) if f.name != "value"}
_NOUNS = model.nouns()
_HINTS = {
    kind: get_type_hints(kind, localns=_NOUNS)
    for kind in _NOUNS.values()
    if isinstance(kind, type) and is_dataclass(kind)
}


def restore(check: Mapping[str, Any]) -> Report:
    """The report of which `check`, one of ``checks`` in a JSON report, was made.

    Entries that the JSON left out stay away, and values of unknown type (options, evidence, parameters) are what JSON
    made of them.
    """
    return cast(Report, _record(Report, check))


def _record(kind: type[Any], value: Mapping[str, Any]) -> Any:
    if kind in (EntryCheck, DirectionCheck):  # JSON has the estimate and the entry in one
        measured = {ours: value[theirs] for theirs, ours in _MEASURED.items() if theirs in value}
        value = {**value, "estimate": measured}
        if isinstance(measured["value"], Mapping):
            value["estimate"] = _record(ComplexEstimate, measured)
    hints = _HINTS[kind]
    return kind(**{f.name: _value(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value})


def _value(hint: Any, value: Any) -> Any:
    arguments = get_args(hint)
    origin = get_origin(hint)
    if isinstance(value, ComplexEstimate) or (isinstance(value, Mapping) and {*value} == {"re", "im"}):
        return value if isinstance(value, ComplexEstimate) else complex(float(value["re"]), float(value["im"]))
    if origin in (types.UnionType, Union):
        return None if value is None else _value(arguments[0], value)
    if origin in (tuple, Sequence):
        each = arguments[:1] * len(value) if origin is Sequence or arguments[-1] is ... else arguments
        return tuple(_value(one, item) for one, item in zip(each, value, strict=True))
    if not isinstance(hint, type):
        return value
    if is_dataclass(hint):
        return _record(hint, value)
    if issubclass(hint, Enum):
        return hint[value] if issubclass(hint, IntEnum) else hint(value)
    return float(value) if hint is float else value  # "NaN" and "Infinity" are what JSON cannot write as numbers
