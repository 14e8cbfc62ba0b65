"""Compiled loops: the only importer of Numba, imported only when the user's code has done so, asks for it, or gains by it.

A kernel takes f as a first-class function, so that it is compiled once for a type of argument, whatever f is, and cached on
disk.  It is compiled when first wanted, never at import.  f is handed over as the dispatcher that it is: an address or a cfunc
would swallow the exceptions that f raises.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import numba
import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher
from numba.experimental import function_type

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LOAD = 10_000  # evaluations that a loop must spare their way through Python, now or before, to be worth loading from disk …
COMPILE = 500_000  # … or compiling each time, where no folder for a cache can be written …
VECTOR = 10  # evaluations of a scalar f that one of a vector-valued f counts as: its value is an array, made and copied
ENTRIES = 10  # entries compared that count as an evaluation
READY = 100  # … or calling, once it is there: that takes 20 µs


def _along_columns(
    f: Any, argument: Any, flat: Any, columns: NDArray[np.intp], moved: Any, out: Any, done: NDArray[np.intp]
) -> None:
    """out[n] = f with entry columns[n] set to moved[n]; done[0] counts.  argument and flat are one memory in two shapes."""
    for n in range(columns.size):
        i = columns[n]
        kept = flat[i]
        flat[i] = moved[n]
        out[n] = f(argument)
        flat[i] = kept
        done[0] = n + 1


def _rows_along_columns(
    f: Any, argument: Any, flat: Any, columns: NDArray[np.intp], moved: Any, out: Any, done: NDArray[np.intp]
) -> None:
    """As `_along_columns`, for an f whose value is an array: out[n] is its values, (N, m)."""
    for n in range(columns.size):
        i = columns[n]
        kept = flat[i]
        flat[i] = moved[n]
        value = f(argument).reshape(-1)
        flat[i] = kept
        if value.size != out.shape[1]:
            raise ValueError("another number of values than at the point")
        for j in range(value.size):
            out[n, j] = value[j]
        done[0] = n + 1


def _jit(function: Callable[..., Any], **how: Any) -> tuple[Any, bool]:
    """`function` as a dispatcher that will be cached on disk, if any folder can be written; and whether it will."""
    try:
        return numba.njit(cache=True, **how)(function), True
    except RuntimeError:  # no folder for the cache
        return numba.njit(**how)(function), False


PLAIN: dict[str, Any] = {"error_model": "numpy"}  # a division by zero is a number
SUMS: dict[str, Any] = {
    "fastmath": {"reassoc"},
    **PLAIN,
}  # the order of additions is left to the compiler, nothing else is
_KERNEL, CACHED = _jit(_along_columns)
_ROWS, _ = _jit(_rows_along_columns)
_ready: dict[tuple[str, str], Callable[..., None]] = {}  # by the types of x and of f(x)
_waiting: Counter[tuple[str, str]] = Counter()  # evaluations done in Python, for want of a loop


def is_compiled(f: Any) -> bool:
    """Whether f is a function compiled by Numba."""
    return isinstance(f, Dispatcher)


def loop_over_columns(
    f: Any, argument: NDArray[Any], evaluations: int, *, vector: bool = False
) -> Callable[..., None] | None:
    """A compiled loop for so many evaluations of f at arrays like `argument`; None if there is none, or if it does not pay.

    f is a dispatcher that was called with such an array before, and returns a number, or with `vector` a C-contiguous array.
    The loop takes (argument, flat, columns, moved, out, done), see `_along_columns` and `_rows_along_columns`, and raises what f
    raises.
    """
    types_of_f = _types(f, argument)
    if types_of_f is None or isinstance(types_of_f[1], types.Array) != vector:
        return None
    parameter, returned = types_of_f
    key = parameter.name, returned.name
    entry = _ready.get(key)
    evaluations *= VECTOR if vector else 1
    if entry is None:
        if not _worth_loading(key, evaluations):
            return None
        entry = _ready[key] = _load(parameter, returned)
    return partial(entry, _handed_over(f, key, parameter, returned)) if evaluations >= READY else None


class _HandedOver:
    """A dispatcher with the addresses of what it compiled at hand: Numba looks them up at every call otherwise, in 20 µs.

    Numba takes it for a dispatcher, and asks it for these alone.
    """

    __class__ = Dispatcher  # type: ignore[assignment]

    def __init__(self, code: Any, wrapper: int, function: int) -> None:
        self.code, self._wrapper, self._function = code, wrapper, function  # the code lives as long as its addresses
        self.fndesc = self.library = self
        self.llvm_func_name = ""

    def __wrapper_address__(self) -> int:
        return self._wrapper

    def get_compile_result(self, signature: Any) -> _HandedOver:
        return self

    def get_pointer_to_function(self, name: str) -> int:
        return self._function


_handed: WeakKeyDictionary[Any, dict[tuple[str, str], _HandedOver]] = WeakKeyDictionary()  # by f, and as `_ready`


def _handed_over(f: Any, key: tuple[str, str], parameter: Any, returned: Any) -> Any:
    """f as it is handed to a loop; f itself where this version of Numba goes about it otherwise."""
    compiled, known = f.overloads[parameter,], _handed.setdefault(f, {})
    if key not in known or known[key].code is not compiled.library:
        lookups = [getattr(function_type, name, None) for name in ("_get_wrapper_address", "_get_jit_address")]
        if None in lookups:
            return f
        addresses = [lookup(f, returned(parameter)) for lookup in lookups if lookup is not None]
        known[key] = _HandedOver(compiled.library, *addresses)
    return known[key]


def _worth_loading(key: tuple[str, str], evaluations: int) -> bool:
    """Whether a loop would have paid by now, with so many evaluations more."""
    _waiting[key] += evaluations
    return _waiting[key] >= (LOAD if CACHED else COMPILE)


def _load(parameter: Any, returned: Any) -> Callable[..., None]:
    """The loop for functions of these types: from the cache on disk, or compiled."""
    global _KERNEL, _ROWS
    vector = isinstance(returned, types.Array)
    out, integers = types.Array(types.float64, 2 if vector else 1, "C"), types.Array(types.intp, 1, "C")
    function, flat = types.FunctionType(returned(parameter)), types.Array(parameter.dtype, 1, "C")
    wanted = (function, parameter, flat, integers, types.Array(types.float64, 1, "C"), out, integers)
    try:
        return cast("Callable[..., None]", (_ROWS if vector else _KERNEL).compile(wanted))
    except OSError:  # the cache cannot be written after all
        _KERNEL, _ROWS = numba.njit()(_along_columns), numba.njit()(_rows_along_columns)
        return cast("Callable[..., None]", (_ROWS if vector else _KERNEL).compile(wanted))


def _types(f: Any, argument: NDArray[Any]) -> tuple[Any, Any] | None:
    """Numba's types of the argument (a C-contiguous array) and of f's value; None if that is no real number or array of them."""
    for (parameter, *others), compiled in f.overloads.items():
        if others or not isinstance(parameter, types.Array) or parameter.ndim != argument.ndim:
            continue
        number = parameter.dtype
        if parameter.layout in "CA" and isinstance(number, types.Float) and number.bitwidth == 8 * argument.itemsize:
            returned = compiled.signature.return_type
            array = isinstance(returned, types.Array) and returned.ndim > 0 and returned.layout == "C"
            number = returned.dtype if array else returned
            return (parameter, returned) if isinstance(number, (types.Float, types.Integer, types.Boolean)) else None
    return None


def compile_plain(f: Callable[..., Any]) -> Callable[..., Any]:
    """f compiled by Numba, or f itself if it is so already."""
    return cast("Callable[..., Any]", f if isinstance(f, Dispatcher) else numba.njit(f))


def reason(error: BaseException) -> str:
    """Why Numba could not compile or run a function, in one line."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # Numba colours its messages where it can
    if ("scipy" in text.lower() and isinstance(error, ImportError)) or ("SciPy" in text and "required" in text):
        return "`@`, np.dot and np.linalg need SciPy when compiled by Numba; install scipy"
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("Failed in", "During"))
    ]
    return lines[0] if lines else type(error).__name__


# ---- the first look at a large derivative


def _agreement(
    plus: Any,
    minus: Any,
    claimed: Any,
    steps: Any,
    scales: Any,
    noise: Any,
    truncation: Any,
    limits: Any,
    seen: Any,
    largest: Any,
    numeric: Any,
    uncertain: Any,
    worst: NDArray[np.int64],
    figures: Any,
) -> None:
    """What `first_step.agreement` does: two passes over the block, each in loops that become vector instructions."""
    atol, rtol, close, negligible, resolved, small, clear = limits
    columns, m = claimed.shape
    top = np.finfo(np.float64).max
    relative, detectable_most, share = 0.0, 0.0, 0.0
    for k in range(columns):
        twice, least, unit = 2 * steps[k], clear / steps[k], scales[k]
        ahead, behind, found = plus[k], minus[k], numeric[k]
        for j in range(m):
            found[j] = ahead[j] - behind[j]
        for j in range(m):
            value = found[j] / twice
            found[j] = value
            slope = abs(value)
            slope = slope if (slope > least * noise[j]) & (slope <= top) else 0.0
            largest[j] = slope if slope > largest[j] else largest[j]
            slope *= unit
            seen[j] = slope if slope > seen[j] else seen[j]
    ceiling = np.where(largest > 0, largest, np.inf)
    gaps, relatives, detectables, shares, doubts = np.empty(m), np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    for k in range(columns):
        per_step, per_unit = 2 / steps[k], 1 / scales[k]
        agreed, live = 0, 0
        claims, found = claimed[k], numeric[k]
        for j in range(m):
            claim, value = abs(claims[j]), abs(found[j])
            gap = abs(claims[j] - found[j])
            size = claim if claim > value else value
            scale = seen[j] * per_unit
            scale = scale if scale < ceiling[j] else ceiling[j]
            ordinary = size if size > scale else scale
            rounding = noise[j] * per_step
            slack = negligible * scale
            slack = slack if slack < 2 * rounding else 2 * rounding
            uncertainty = rounding + 4 * truncation[j] * ordinary
            uncertainty = uncertainty if uncertainty > 2 * gap else 2 * gap
            doubts[j] = uncertainty
            agreed += (
                (gap <= atol + close * size + slack)
                & (rounding <= atol + resolved * size + small * scale)
                & (ordinary > 0)
                & (gap <= top)
            )
            live += size > 0
            detectable = atol + rtol * size + uncertainty
            gaps[j], relatives[j] = gap, gap / ordinary
            detectables[j], shares[j] = detectable, detectable / ordinary
        worst[k] = -1
        if agreed < m or live == 0:
            continue
        most = -1.0
        for j in range(m):
            if gaps[j] > most:
                most, worst[k] = gaps[j], j
            if relatives[j] > relative:
                relative = relatives[j]
            if detectables[j] > detectable_most:
                detectable_most = detectables[j]
            if shares[j] > share:
                share = shares[j]
        uncertain[k] = doubts[worst[k]]
    figures[0], figures[1], figures[2] = relative, detectable_most, share


_AGREEMENT, _ = _jit(_agreement, **PLAIN)


def agreement_kernel(entries: int) -> Callable[..., None] | None:
    """A compiled first look for so many entries, see `_agreement`; None if it does not pay."""
    global _AGREEMENT
    key = "agreement", ""
    entry = _ready.get(key)
    if entry is None:
        if not _worth_loading(key, entries // ENTRIES):
            return None
        block, contiguous = types.Array(types.float64, 2, "A"), types.Array(types.float64, 2, "C")
        line, integers = types.Array(types.float64, 1, "C"), types.Array(types.int64, 1, "C")
        wanted = (block, block, contiguous, *[line] * 7, contiguous, line, integers, line)
        try:
            entry = _AGREEMENT.compile(wanted)
        except OSError:  # the cache cannot be written after all
            _AGREEMENT = numba.njit(**PLAIN)(_agreement)
            entry = _AGREEMENT.compile(wanted)
        _ready[key] = entry
    return cast("Callable[..., None]", entry)


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
            after = x.dtype.type(x[i] + step * v)
            earlier = x.dtype.type(x[i] - x.dtype.type(after - x[i]))
            after = x.dtype.type(x[i] + x.dtype.type(x[i] - earlier))
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


_PERTURB, _ = _jit(_along_direction, **SUMS)


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

    Both are rounded so that they are as far from x, wherever that can be represented: a point between them that is not x would
    show as a slope of a function that has none at x.

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
        _PERTURB = numba.njit(**SUMS)(_along_direction)
        change, ideal, square = _PERTURB(*arguments)
    return float(change), float(ideal), float(square)


__all__ = ["agreement_kernel", "compile_plain", "is_compiled", "loop_over_columns", "perturb", "reason"]
