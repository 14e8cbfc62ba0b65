"""How a callable of one convention becomes one of ours: called by a converter, and described as the one that it is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Converted:
    """``convert(inner, *args)``, under the name, file and line of `inner`."""

    def __init__(self, inner: Callable[..., Any], convert: Callable[..., Any]) -> None:
        self.__wrapped__, self.convert = inner, convert

    def __call__(self, *args: Any) -> Any:
        return self.convert(self.__wrapped__, *args)


def transposed(jac: Callable[..., Any], *args: Any) -> Any:
    """A matrix that was given by columns."""
    value = jac(*args)
    return value.T if hasattr(value, "tocsc") else np.atleast_2d(value).T


def from_bands(bands: Any, below: int, above: int, n: int) -> Any:
    """The n × n matrix whose entry [i, j] is bands[i − j + above, j]."""
    bands, full = np.asarray(bands), np.zeros((n, n))
    for i in range(n):
        for j in range(max(0, i - below), min(n, i + above + 1)):
            full[i, j] = bands[i - j + above, j]
    return full
