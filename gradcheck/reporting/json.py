"""Reports as strict JSON, for programs.

One object::

    {"schema": 1, "verdict": "FAIL", "checks": [...]}

`schema` grows by one when a key changes its meaning or goes away; new keys do not count.  `verdict` is the worst of
the checks, null where there are none.  Each check has

* ``name``, ``kind`` ("gradient", "jacobian", "hessian", …), ``verdict``, ``headline`` (one sentence), ``interrupted``
  and by what (``stopped``: "budget", "interrupt", or null);
* ``target`` and ``claim``: objects with ``name``, ``file`` and ``line`` (null where unknown);
* ``point`` (``shape``, ``dtype``, ``origin``, ``seed``, ``values``), ``shape`` of the derivative, ``method``,
  ``engine``, ``options``, ``tolerance`` (``rtol``, ``atol``);
* ``nfev``, ``ngev``, ``seconds``, ``noise``, ``resolution`` (``absolute``, ``digits``, ``sentence``, ``parts``);
* ``checked``, ``failed``, ``inconclusive``: numbers of entries, or of directions;
* ``entries``, worst first, at most ENTRIES_KEPT of them, and ``entries_omitted``, how many of those compared are not
  here.  An entry has ``index``, ``path``, ``claimed``, ``numeric``, ``uncertainty``, ``abs_error``, ``rel_error``,
  ``verdict``, ``status``, ``step``, ``evaluations``, ``reason``, ``explained``, and ``left``, ``right``, ``kink`` where
  they are known; the worst of them has a ``ladder`` as well, the differences of which it was made (``steps``, ``values``,
  ``noise``);
* ``directions``: the same with ``number`` and ``point`` in place of ``index``, ``path`` and ``explained``;
* ``further``: the points beside the first, each as ``point``, in the order in which ``directions`` number them from 1;
* ``error_map``: null, or where a matrix did not pass (``shape``, ``block``, ``cells``, ``largest``; see `ErrorMap`);
* ``findings`` (``kind``, ``message``, ``target``, ``verdict``, ``evidence``), ``diagnoses`` (``kind``, ``message``,
  ``parameters``, ``explained``, ``advice``, ``where``: null, or ``file``, ``line`` and ``text``), ``fixes`` (``file``,
  ``line``, ``before``, ``after``, ``diff``, ``certain``), ``plan``, ``law`` (or null), ``mistakes`` (of a self-test:
  ``name``, ``verdict``), ``mutations`` (of broken lines: ``where``, ``made``, ``noticed``, ``survivor``, ``equivalent``,
  ``undecided``, ``ran``), ``notes``, ``trouble`` (a traceback or null),
  ``raised`` (the places in it: ``name``, ``file``, ``line``), ``declared`` (the same or null), ``replay``,
  ``test`` (a test to paste, or null), ``versions``.

* ``conventions``: of a derivative by complex variables, the convention that it was judged by, then those that cannot be told
  from it here; else empty.

A complex number, of which ``claimed``, ``numeric`` and ``uncertainty`` of an entry may be some, is an object with ``re`` and
``im``.  A number that JSON cannot write is the string "NaN", "Infinity" or "-Infinity".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import islice
from typing import Any

from gradcheck.model import ComplexEstimate, DerivativeEstimate, DirectionCheck, EntryCheck, Method, Report
from gradcheck.reporting.formats import DEFAULT, Display

SCHEMA = 1
ENTRIES_KEPT = 10_000


def render(reports: Sequence[Report], display: Display = DEFAULT) -> str:
    """The JSON text of reports, in ASCII, ending in a newline."""
    return dumps(to_dict(reports)) + "\n"


def dumps(value: Any) -> str:
    """Strict JSON of anything that `plain` takes."""
    return json.dumps(plain(value), allow_nan=False, indent=2)


def to_dict(reports: Sequence[Report]) -> dict[str, Any]:
    """Reports as dicts, lists, strings, numbers, booleans and None alone."""
    verdict = max((report.verdict for report in reports), default=None)
    return {
        "schema": SCHEMA,
        "verdict": None if verdict is None else verdict.name,
        "checks": [_check(report) for report in reports],
    }


def plain(value: Any) -> Any:
    """`value` in the types of JSON: records become dicts, arrays lists, numbers without a JSON form strings."""
    if value is None or (isinstance(value, (str, bool, int, float)) and not isinstance(value, Enum)):
        return _number(value) if isinstance(value, float) else value
    if isinstance(value, Enum):
        return value.value if isinstance(value.value, str) else value.name
    if isinstance(value, complex):
        return {"re": _number(value.real), "im": _number(value.imag)}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (Sequence, Set)) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # an array or a scalar of numpy, which is not imported for this
        converted = value.tolist()
        return plain(converted) if type(converted) is not type(value) else str(value)
    return str(value)


def _check(report: Report) -> dict[str, Any]:
    entries = [_entry(entry) for entry in islice(report.entries, ENTRIES_KEPT)]
    compared = len(report.entries) if report.method is Method.DIRECTIONS else max(report.checked, len(report.entries))
    return {
        "name": report.name,
        "kind": report.kind.value,
        "verdict": report.verdict.name,
        "headline": report.headline,
        "interrupted": report.interrupted,
        "stopped": plain(report.stopped),
        "target": plain(report.target),
        "claim": plain(report.claim),
        "point": plain(report.point),
        "shape": list(report.shape),
        "method": report.method.value,
        "engine": report.engine,
        "options": plain(report.options),
        "tolerance": plain(report.tolerance),
        "nfev": report.nfev,
        "ngev": report.ngev,
        "seconds": plain(report.seconds),
        "noise": plain(report.noise),
        "resolution": plain(report.resolution),
        "checked": report.checked,
        "failed": report.failed,
        "inconclusive": report.inconclusive,
        "entries": entries,
        "entries_omitted": compared - len(entries),
        "directions": [_direction(direction) for direction in report.directions],
        "further": plain(report.further),
        "conventions": plain(report.conventions),
        "error_map": plain(report.error_map),
        "findings": plain(report.findings),
        "diagnoses": plain(report.diagnoses),
        "fixes": plain(report.fixes),
        "plan": plain(report.plan),
        "law": plain(report.law),
        "mistakes": plain(report.mistakes),
        "mutations": plain(report.mutations),
        "notes": list(report.notes),
        "trouble": report.trouble,
        "raised": plain(report.raised),
        "declared": plain(report.declared),
        "replay": report.replay,
        "test": report.test,
        "versions": plain(report.versions),
    }


def _entry(entry: EntryCheck) -> dict[str, Any]:
    name = {"index": plain(entry.index), "path": entry.path}
    return name | _comparison(entry) | {"explained": entry.explained} | _where_known(entry.estimate)


def _direction(direction: DirectionCheck) -> dict[str, Any]:
    name = {"number": direction.number, "point": direction.point}
    return name | _comparison(direction) | _where_known(direction.estimate)


def _comparison(check: EntryCheck | DirectionCheck) -> dict[str, Any]:
    return {
        "claimed": plain(check.claimed),
        "numeric": plain(check.estimate.value),
        "uncertainty": plain(check.estimate.uncertainty),
        "abs_error": plain(check.abs_error),
        "rel_error": plain(check.rel_error),
        "verdict": check.verdict.name,
        "status": check.estimate.status.value,
        "step": plain(check.estimate.step),
        "evaluations": check.estimate.evaluations,
        "reason": check.reason,
    }


def _where_known(estimate: DerivativeEstimate | ComplexEstimate) -> dict[str, Any]:
    known = {"left": estimate.left, "right": estimate.right, "kink": estimate.kink, "ladder": estimate.ladder}
    return {key: plain(value) for key, value in known.items() if value is not None}


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
