"""What user code answers, as real numbers, and whether it left alone what it was lent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError, is_interrupt
from gradcheck.model import FindingKind
from gradcheck.variables.arrays import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL_ENOUGH = 2**12  # entries


class MaskedValues(UserCodeError):
    """User code returned an array that hides some of its values; what stands behind the mask is nobody's answer."""

    def __init__(self, role: str) -> None:
        message = f"{role} returned masked values, which are no numbers; fill them (numpy.ma.filled)"
        super().__init__(message, FindingKind.WRONG_DTYPE, role)


def real_array(
    value: Any,
    role: str,
    *,
    noun: str = "no array of numbers",
    of_complex: str = "",
    remedy: str = "",
    kinds: str = "fiub",
) -> NDArray[Any]:
    """What a function returned, as an array of real numbers of whatever dtype; it may share memory with `value`.

    role: whose answer it is.
    noun: what an answer is called that is none.
    of_complex: what to do about complex numbers.
    remedy: what to return instead.
    kinds: of dtypes that are taken.

    Raises:
        UserCodeError: it is something else.
    """
    if value is None:
        message = f"{role} returned None: does it end without a return statement?"
        raise UserCodeError(message, FindingKind.WRONG_DTYPE, role)
    array = value if type(value) is np.ndarray else _made_array(value, role, noun)
    if array.dtype.kind == "c" and of_complex:
        raise UserCodeError(f"{role} returned {of_complex}", FindingKind.WRONG_DTYPE, role)
    if array.dtype.kind not in kinds:
        raise UserCodeError(
            f"{role} returned {type(value).__name__} (dtype {array.dtype}){f'; {remedy}' if remedy else f', which is {noun}'}",
            FindingKind.WRONG_DTYPE,
            role,
        )
    return array


def _made_array(value: Any, role: str, noun: str) -> NDArray[Any]:
    if is_masked(value):
        raise MaskedValues(role)
    try:
        return as_numpy(value)
    except BaseException as error:
        if is_interrupt(error):
            raise
        message = f"{role} returned {type(value).__name__}, which is {noun}"
        raise UserCodeError(message, FindingKind.WRONG_DTYPE, role) from error


def is_masked(value: Any) -> bool:
    """Whether an array hides some of its values; NumPy would read what is behind the mask."""
    if type(value) is np.ndarray or "numpy.ma" not in sys.modules:
        return False
    masked = sys.modules["numpy.ma"]
    return isinstance(value, masked.MaskedArray) and bool(masked.is_masked(value))


def is_complex(value: Any) -> bool:
    """Whether a value is a complex number or array, of any framework."""
    return "complex" in str(getattr(value, "dtype", type(value).__name__))


def unchanged(argument: NDArray[Any], x: NDArray[Any]) -> bool:
    """Whether an array that user code was handed is still x (in any shape)."""
    if argument.size <= SMALL_ENOUGH:
        return argument.tobytes() == x.tobytes()  # much the faster way for a small array
    return np.array_equal(argument.reshape(-1), x.reshape(-1))
