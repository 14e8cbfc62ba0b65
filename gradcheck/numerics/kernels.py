"""Compiled loops: the only importer of Numba, imported only when the user's code has already done so, asks for it, or gains by it.

A kernel takes f as a first-class function, so that it is compiled once for a type of argument, whatever f is, and cached on
disk.  It is compiled when first wanted, never at import.  f is handed over as the dispatcher that it is: an address or a cfunc
would swallow the exceptions that f raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Loop = Callable[[NDArray[Any], NDArray[Any], NDArray[np.intp], Array, Array, Array, NDArray[np.intp]], None]

COLD_LOAD = 300  # variables from which a loop that must be loaded first pays for itself …
COLD_COMPILE = 300_000  # … and one that must be compiled, where no folder for a cache can be written
WARM = 50  # variables from which a loop pays that is at hand


def _along_columns(
    f: Any, argument: NDArray[Any], flat: NDArray[Any], columns: NDArray[np.intp], ahead: Any, behind: Any, out: Any, place: Any
) -> None:
    """out[n] = f with entry columns[n] at ahead[n], then at behind[n]; NaN there means: do not ask.

    argument and flat are one memory in two shapes.  place[0] says how many columns are done, place[1] how often f was called.
    """
    for n in range(columns.size):
        i = columns[n]
        kept = flat[i]
        for side in range(2):
            moved = ahead[n] if side == 0 else behind[n]
            if moved == moved:
                flat[i] = moved
                place[1] += 1
                out[n, side] = f(argument)
            else:
                out[n, side] = np.nan
        flat[i] = kept
        place[0] = n + 1


def _jit(function: Callable[..., Any]) -> tuple[Any, bool]:
    """`function` as a dispatcher that will be cached on disk, if any folder can be written; and whether it will."""
    try:
        return numba.njit(cache=True)(function), True
    except RuntimeError:  # no folder for the cache
        return numba.njit()(function), False


_KERNEL, CACHED = _jit(_along_columns)
_loaded: dict[Any, Any] = {}


def is_compiled(f: Any) -> bool:
    """Whether f is a function compiled by Numba."""
    return isinstance(f, Dispatcher)


def pays(f: Any, argument: NDArray[Any], columns: int) -> bool:
    """Whether a compiled loop over so many columns saves time, counting what it takes to load it."""
    signature = _signature(f, argument)
    if signature is None:
        return False
    return columns >= (WARM if signature in _loaded else COLD_LOAD if CACHED else COLD_COMPILE)


def compiled_loop(f: Any, argument: NDArray[Any]) -> Loop | None:
    """The loop over columns for a dispatcher f of arrays like `argument`, f called at least once; None if there is none.

    The loop raises what f raises.
    """
    signature = _signature(f, argument)
    if signature is None:
        return None
    entry = _loaded.get(signature)
    if entry is None:
        global _KERNEL
        array, function = signature
        flat = types.Array(array.dtype, 1, "C")
        numbers, integers = types.Array(types.float64, 1, "C"), types.Array(types.intp, 1, "C")
        wanted = (function, array, flat, integers, numbers, numbers, types.Array(types.float64, 2, "C"), integers)
        try:
            entry = _KERNEL.compile(wanted)
        except OSError:  # the cache cannot be written after all
            _KERNEL = numba.njit()(_along_columns)
            entry = _KERNEL.compile(wanted)
        _loaded[signature] = entry

    def loop(*arguments: Any) -> None:
        entry(f, *arguments)

    return loop


def _signature(f: Any, argument: NDArray[Any]) -> tuple[Any, Any] | None:
    """Numba's type of the argument, and of f as a first-class function of it; None if f returns no real number."""
    if not isinstance(f, Dispatcher):
        return None
    exact = numba.typeof(argument)
    for (parameter, *others), compiled in f.overloads.items():
        like = isinstance(parameter, types.Array) and parameter.dtype == exact.dtype and parameter.ndim == exact.ndim
        if others or not like or not (parameter == exact or parameter.layout == "A"):
            continue
        returned = compiled.signature.return_type
        if isinstance(returned, (types.Float, types.Integer, types.Boolean)):
            return parameter, types.FunctionType(returned(parameter))
    return None


def compile_plain(f: Callable[..., Any]) -> Callable[..., Any]:
    """f compiled by Numba, or f itself if it is so already."""
    return f if isinstance(f, Dispatcher) else numba.njit(f)  # type: ignore[no-any-return]


def reason(error: BaseException) -> str:
    """Why Numba could not compile or run a function, in one line."""
    text = str(error)
    if ("scipy" in text.lower() and isinstance(error, ImportError)) or ("SciPy" in text and "required" in text):
        return "`@`, np.dot and np.linalg need SciPy when compiled by Numba; install scipy"
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("Failed in", "During"))]
    return lines[0] if lines else type(error).__name__


# ---- one pass along a random direction


def _along_direction(
    x: Any, slopes: Any, scales: Any, ahead: Any, behind: Any, start: int, before: Any, between: Any, step: float
) -> tuple[float, float, float]:
    """What `perturb` does, for entries that begin at number `start` of the direction.

    Sums are taken in blocks of 64, so that their rounding does not grow with the number of entries; whole blocks have a loop
    of known length, which the compiler turns into vector instructions.
    """
    change, ideal, square = 0.0, 0.0, 0.0
    offset = np.uint32(np.uint32(start) + before)  # Numba widens 32-bit sums and products; each is cut back
    whole = x.size // 64
    for block in range(whole + 1):
        part, part_ideal, part_square = 0.0, 0.0, 0.0
        low = 64 * block
        for j in range(64 if block < whole else x.size - low):
            i = low + j
            z = np.uint32(np.uint32(i) + offset)
            z = np.uint32(np.uint32(z ^ np.uint32(z >> np.uint32(16))) * np.uint32(0x21F0AAAD))
            z = np.uint32(z ^ between)
            z = np.uint32(np.uint32(z ^ np.uint32(z >> np.uint32(15))) * np.uint32(0xD35A2D97))
            z = np.uint32(z ^ np.uint32(z >> np.uint32(15)))
            u = np.float64(np.int32(z)) * 2.0**-31
            v = (u + np.copysign(0.5, u)) * scales[i]
            move = step * v
            after, earlier = x.dtype.type(x[i] + move), x.dtype.type(x[i] - move)
            ahead[i] = after
            behind[i] = earlier
            part += slopes[i] * (np.float64(after) - np.float64(earlier))
            along = slopes[i] * v
            part_ideal += along
            part_square += along * along
        change += part
        ideal += part_ideal
        square += part_square
    return change / 2, ideal, square


def _jit_sums(function: Callable[..., Any]) -> Any:
    """Like `_jit`; the order of additions is left to the compiler, nothing else is."""
    try:
        return numba.njit(cache=True, fastmath={"reassoc"}, error_model="numpy")(function)
    except RuntimeError:  # no folder for the cache
        return numba.njit(fastmath={"reassoc"}, error_model="numpy")(function)


_PERTURB = _jit_sums(_along_direction)


def perturb(
    x: NDArray[Any],
    slopes: Array,
    scales: Array,
    ahead: NDArray[Any],
    behind: NDArray[Any],
    span: tuple[int, int],
    keys: tuple[int, int],
    step: float,
) -> tuple[float, float, float]:
    """ahead, behind = x ± step · v for the entries start … stop − 1 (`span`), in one pass over memory.

    v is `scales` times the direction with these keys, the same to the last bit as `directions.direction` makes it.

    Args:
        x: the point, (n,), float64 or float32; ahead, behind alike.
        slopes, scales: g and the length of a unit of the direction in each variable, (n,), float64.
        keys: `directions.keys(seed, number)`.
        step: in units of v.

    Returns:
        Σ g δ with δ half the displacement that happened, Σ g v, and Σ (g v)².
    """
    global _PERTURB
    whole = slice(*span)
    arrays = (x[whole], slopes[whole], scales[whole], ahead[whole], behind[whole])
    arguments = (*arrays, span[0], np.uint32(keys[0]), np.uint32(keys[1]), float(step))
    try:
        change, ideal, square = _PERTURB(*arguments)
    except OSError:  # the cache cannot be written after all
        _PERTURB = numba.njit(fastmath={"reassoc"}, error_model="numpy")(_along_direction)
        change, ideal, square = _PERTURB(*arguments)
    return float(change), float(ideal), float(square)


__all__ = ["compile_plain", "compiled_loop", "is_compiled", "pays", "perturb", "reason"]
