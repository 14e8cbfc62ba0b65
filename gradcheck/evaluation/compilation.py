"""Compiling a plain f with Numba, on request: is it possible, does it give the same values, and what does it gain?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation.engines import Arguments, with_arguments

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME = 1e-9  # compiled, f must give the same value but for rounding


@dataclass(frozen=True, slots=True)
class Compiled:
    """What came of it.

    call: f compiled, as a callable of x alone; None if f is better called as it was.
    note: what was gained, or why f was not compiled; '' if it was compiled before.
    value: of the compiled f at x.
    calls: of either.
    """

    call: Callable[[NDArray[Any]], Any] | None = None
    note: str = ""
    value: Any = None
    calls: int = 0


def compile_with_numba(f: Callable[..., Any], args: Arguments, x: NDArray[Any], value: Any, role: str) -> Compiled:
    """Compile f(x, *args), whose value at x is `value`; `x` is lent in copies."""
    from gradcheck.numerics import kernels

    if kernels.is_compiled(f):
        return Compiled()
    refused = f"{role} was not compiled"
    plain, started = with_arguments(f, args), time.perf_counter()
    try:
        fast = kernels.compile_plain(f)
        call = with_arguments(fast, args)
        with np.errstate(all="ignore"):
            again = call(x.copy())
        spent = time.perf_counter() - started
        same = np.allclose(
            np.asarray(again, np.float64), np.asarray(value, np.float64), rtol=SAME, atol=0.0, equal_nan=True
        )
    except Exception as error:
        return Compiled(note=f"{refused}: {kernels.reason(error)}", calls=1)
    if np.shape(again) != np.shape(value) or not same:
        return Compiled(note=f"{refused}: compiled, it gives other values at the point", calls=1)
    before, after = _duration(plain, x), _duration(call, x)
    gain = f"{before * 1e6:.3g} µs a call became {after * 1e6:.3g} µs"
    if after > before:
        return Compiled(note=f"{refused}, for it would lose: {gain}", calls=7)
    return Compiled(call, f"{role} was compiled by Numba in {spent:.2g} s: {gain}", again, calls=7)


def _duration(call: Callable[[NDArray[Any]], Any], x: NDArray[Any]) -> float:
    """Seconds of a call, the best of three."""
    moments = [time.perf_counter()]
    with np.errstate(all="ignore"):
        for _ in range(3):
            call(x.copy())
            moments.append(time.perf_counter())
    return min(after - before for before, after in pairwise(moments))
