"""The values that a claim computes: their kind, size, copies and changes, be they of NumPy or of a framework."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.variables.arrays import as_numpy, framework_of, precision

if TYPE_CHECKING:
    from numpy.typing import NDArray


def kind_of(value: Any) -> str:
    """The kind of number that a value is made of: f, i, b or c; '' for what is no number."""
    if isinstance(value, np.ndarray):
        return "i" if value.dtype.kind == "u" else value.dtype.kind if value.dtype.kind in "fibc" else ""
    if isinstance(value, (bool, np.bool_)):
        return "b"
    if isinstance(value, (int, np.integer)):
        return "i"
    if isinstance(value, (float, np.floating)):
        return "f"
    if framework_of(value) is not None:
        name = precision(value)  # float64, bfloat16, uint8, …
        return "f" if "float" in name else "i" if "int" in name else name[:1] if name[:1] in "bc" else ""
    return "c" if isinstance(value, complex) else ""


def size_of(value: Any) -> int:
    """How many numbers it has.  NumPy's `size` asks a tensor for an attribute that is a method."""
    return math.prod(np.shape(value))


def kept(value: Any) -> Any:
    """A value as it is now, whatever becomes of it."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [kept(item) for item in value]
    if framework_of(value) is None:
        return value
    if hasattr(value, "detach"):
        return value.detach().clone().requires_grad_(value.requires_grad)
    return value.copy() if hasattr(value, "copy") else value


def remade(value: Any, numbers: NDArray[Any]) -> Any:
    """Numbers as an array of the framework, the precision and the shape of a value; of a plain number, as a number."""
    framework = framework_of(value)
    if framework is not None:
        host = np.array(numbers, dtype=as_numpy(value).dtype).reshape(np.shape(value))
        made = framework.make([host], [framework.like(value)])[0]
        return made.detach() if hasattr(made, "detach") else made
    if isinstance(value, np.ndarray):
        return np.reshape(numbers, value.shape).astype(value.dtype)
    return float(np.reshape(numbers, ()))
