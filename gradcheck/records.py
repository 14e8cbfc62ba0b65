"""The records that are handed about within; those that a report shows are in `gradcheck.model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A dataclass that is not written to once it is made, as the type checker sees to.

    To have the interpreter see to it takes twice as long, when the class is made, which a cold command does for a dozen of
    them, and for each instance.
    """
    return dataclass(slots=True, eq=False, repr=False)(cls)
