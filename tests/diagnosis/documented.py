"""What the catalogue promises of a diagnosis."""

from __future__ import annotations

import json

from gradcheck.diagnosis.diagnoses import DIAGNOSES
from gradcheck.diagnosis.regions import PLACES
from gradcheck.model import Diagnosis


def assert_documented(diagnosis: Diagnosis) -> None:
    """Its parameters are those that the catalogue names, and plain JSON."""
    entry, keys = DIAGNOSES[diagnosis.kind], set(diagnosis.parameters)
    always = {"entries", *entry.keys}
    assert always <= keys, (diagnosis.kind, always - keys)
    places = PLACES if entry.place else frozenset({"leaf", "leaves", "paths"})  # of a tree
    assert keys <= always | set(entry.sometimes) | places, (diagnosis.kind, keys)
    json.dumps(dict(diagnosis.parameters), allow_nan=False)
