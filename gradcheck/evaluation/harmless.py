"""Whether a function may be called out of turn: it is made of mathematics alone."""

from __future__ import annotations

import builtins
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.sources import own

if TYPE_CHECKING:
    pass


MATHEMATICS = frozenset({"numpy", "scipy", "math", "torch", "jax", "jaxlib"})
PURE = frozenset(
    {"abs", "enumerate", "float", "int", "len", "max", "min", "pow", "range", "reversed", "sum", "tuple", "zip"}
)


def harmless(f: Any, depth: int = 3) -> bool:
    """Whether f may be called out of turn, to see if it takes rows: a plain function made of numbers, arrays and mathematics.

    What it names must be modules and functions of mathematics, arrays, numbers, or functions that are harmless themselves: no
    object that might remember, print, or compile.
    """
    if not isinstance(f, FunctionType) or depth == 0:
        return False
    for name in _names(f.__code__):
        if name in f.__globals__:
            value = f.__globals__[name]
        elif hasattr(builtins, name) and name not in PURE:
            return False
        else:
            continue  # an attribute, or a harmless builtin
        if not _mathematical(value, depth):
            return False
    return all(_mathematical(cell.cell_contents, depth) for cell in f.__closure__ or ())


def _names(code: CodeType) -> set[str]:
    """The global names and attributes in some code and the functions defined in it."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _mathematical(value: Any, depth: int) -> bool:
    if isinstance(value, (int, float, np.number, np.ndarray, np.ufunc)):
        return True
    home = value.__name__ if isinstance(value, ModuleType) else str(own(value, "__module__"))
    return home.partition(".")[0] in MATHEMATICS or harmless(value, depth - 1)
