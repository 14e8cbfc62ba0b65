"""What ``arrays`` names: a framework, and a point that is made of its arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.variables.arrays import FRAMEWORKS, ArrayStandard, Framework, Like
from gradcheck.variables.flat import is_tree
from gradcheck.wording import one_line, quoted


def in_arrays_of(name: str, x0: Any) -> Any:
    """x0 with arrays of a framework in place of those of NumPy, on the device where that framework makes arrays.

    Raises `UsageError` if there is no framework of that name.
    """
    framework = _framework_named(name)
    if framework is None:
        return x0

    def converted(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        return framework.make([value if value.flags.writeable else value.copy()], [Like()])[0]

    if not is_tree(x0):
        return converted(x0)
    from gradcheck.variables.nodes import take_apart  # an array does without

    root, leaves = take_apart(x0)
    return root.maker()([converted(leaf.value) for leaf in leaves])


def _framework_named(name: str) -> Framework | None:
    """A framework that the user names, which is imported; None for NumPy."""
    from importlib import import_module

    try:
        module = import_module(name.replace("-", "_"))
    except Exception as error:
        reason = (
            "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be imported: {one_line(error)}"
        )
        raise UsageError(f"arrays is {quoted(name)}, a framework that {reason}") from None
    if module is np:
        return None
    home = module.__name__.partition(".")[0]
    if home in FRAMEWORKS:
        if home == "jax":
            import_module("jax.numpy")
        return FRAMEWORKS[home]
    if not hasattr(module, "__array_namespace_info__"):
        raise UsageError(
            f"arrays is {quoted(name)}, which does not keep to the array API standard; name torch, jax or such"
        )
    return ArrayStandard(module)
