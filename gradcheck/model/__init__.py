"""The nouns: frozen records that a check fills in and a report renders.  Data only, no behaviour beyond look-ups.

Each is loaded when it is first asked for: to make a record of so many fields takes time, and most checks need a few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck.model.complex import *  # noqa: F403
    from gradcheck.model.costly import *  # noqa: F403
    from gradcheck.model.diagnoses import *  # noqa: F403
    from gradcheck.model.directions import *  # noqa: F403
    from gradcheck.model.entries import *  # noqa: F403
    from gradcheck.model.estimates import *  # noqa: F403
    from gradcheck.model.findings import *  # noqa: F403
    from gradcheck.model.mutations import *  # noqa: F403
    from gradcheck.model.pictured import *  # noqa: F403
    from gradcheck.model.raised import *  # noqa: F403
    from gradcheck.model.report import *  # noqa: F403
    from gradcheck.model.vocabulary import *  # noqa: F403

_HOMES = {
    "complex": ("ComplexEstimate",),
    "costly": ("Plan", "ToleranceLaw"),
    "diagnoses": ("Diagnosis", "Fix", "Where"),
    "directions": ("DirectionCheck",),
    "entries": ("EntryCheck", "Tolerance"),
    "estimates": ("DerivativeEstimate",),
    "findings": ("Finding",),
    "mutations": ("Mistake", "MutatedLine"),
    "pictured": ("ErrorMap", "Ladder"),
    "raised": ("CheckInterrupted", "GradientMismatch", "GradientUndecided", "raise_for"),
    "report": ("FOUND", "SHOWN_BY", "Point", "Report", "Resolution", "Target", "ended_early", "headline"),
    "vocabulary": ("Convention", "DiagnosisKind", "FindingKind", "Kind", "Method", "Status", "Stop", "Verdict"),
}
"""The records by the module that they stand in."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # which would take any name for one of these

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module 'gradcheck.model' has no attribute {name!r}")
        value = getattr(import_module(f"gradcheck.model.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])


def nouns() -> dict[str, Any]:
    """All of them, by name."""
    return {name: getattr(import_module(f"gradcheck.model.{home}"), name) for name, home in _HOME_OF.items()}
