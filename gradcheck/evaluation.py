"""The only place that calls user code: it copies, checks, counts and chooses the engine.

`Function` evaluates f: R^n → R^m around a point; `Claim` evaluates the claimed derivative.  Both take and return flat arrays,
whatever shapes the user's code has.  Away from the point itself, anything that is no number (NaN, an exception) is NaN here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UserCodeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CHUNK = 256  # pairs between two reports of progress


def _no_tick(done: int) -> None:
    """Nobody watches."""


@contextmanager
def quiet_floating_point() -> Iterator[None]:
    """Silence floating-point warnings of user code at perturbed points: leaving a domain there is expected."""
    with np.errstate(all="ignore"):
        yield


def shape_of_argument(x: NDArray[Any]) -> tuple[int, ...]:
    """The shape in which user code receives its argument."""
    return x.shape


class Function:
    """A user's f, called with arrays of the shape and dtype of `x0`; values come back as flat float64 arrays.

    Attributes:
        calls: how often f was called.
        size: m, the number of values (1 for a scalar f); known after `at`.
        shape: of the value, () for a scalar f.
        in_place: f may be handed one scratch array whose entries change between calls (set by preflight; False makes a copy
            for every call).
        bounds: (low, high), each shape (n,), outside of which f is not called; or None.
        mutated: f was seen to write into its argument.
        failure: the first exception that f raised away from the point, or None.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        x0: NDArray[Any],
        *,
        args: tuple[Any, ...] = (),
        bounds: tuple[Array, Array] | None = None,
        role: str = "f",
        scalar: bool = True,
    ) -> None:
        self.raw = call
        self.call: Callable[[NDArray[Any]], Any] = (lambda x: call(x, *args)) if args else call
        self.argument_shape = x0.shape
        self.dtype = x0.dtype
        self.bounds = bounds
        self.role = role
        self.scalar = scalar
        self.calls = 0
        self.size = 1
        self.shape: tuple[int, ...] = ()
        self.in_place = True
        self.mutated = False
        self.failure: Exception | None = None
        self.engine = "one point at a time"

    # ---- single values

    def at(self, x: NDArray[Any]) -> Array:
        """f at the point itself, on a copy: shape (m,).

        Raises:
            UserCodeError: f raised (``__cause__`` is its exception), or its value is no real number or array of them.
        """
        value = self.raw_at(x)
        flat, shape = self._numbers(value)
        self.size, self.shape = flat.size, shape
        return flat

    def raw_at(self, x: NDArray[Any]) -> Any:
        """What f returns at the point, on a copy, unconverted; notes whether f wrote into the copy."""
        return self._called(x.reshape(self.argument_shape).copy(), x)

    def at_scratch(self, x: NDArray[Any], other: NDArray[Any]) -> Array:
        """f at the point, handed an array that held `other` at an earlier call: finds an f that remembers arrays by identity."""
        argument = other.reshape(self.argument_shape).copy()
        try:
            self._called(argument, other)
        except UserCodeError:
            pass  # `other` may lie outside the domain
        argument[...] = x.reshape(self.argument_shape)
        return self._numbers(self._called(argument, x))[0]

    def _called(self, argument: NDArray[Any], x: NDArray[Any]) -> Any:
        self.calls += 1
        try:
            with quiet_floating_point():
                value = self.call(argument)
        except Exception as error:
            raise UserCodeError(f"{self.role} raised {type(error).__name__} at the point: {first_line(error)}") from error
        if not np.array_equal(argument.reshape(-1), x.reshape(-1)):
            self.mutated = True
        return value

    def _numbers(self, value: Any) -> tuple[Array, tuple[int, ...]]:
        """`value` as a flat float64 array, and its shape; or a UserCodeError that says what it is instead."""
        role = self.role
        if value is None:
            raise UserCodeError(f"{role} returned None: does it end without a return statement?")
        try:
            array = np.asarray(value)
        except Exception as error:
            raise UserCodeError(f"{role} returned {type(value).__name__}, which is no number") from error
        if array.dtype.kind == "c":
            raise UserCodeError(f"{role} returned a complex number; return its real part, or check real and imaginary parts apart")
        if array.dtype.kind not in "fiub":
            raise UserCodeError(f"{role} returned {type(value).__name__} (dtype {array.dtype}), which is no number")
        if self.scalar and array.size != 1:
            raise UserCodeError(
                f"{role} returned an array of shape {array.shape} where one number was expected; "
                "check a vector-valued function with --jac (check_jacobian)"
            )
        flat = array.astype(np.float64).reshape(-1)
        return flat, (() if self.scalar else array.shape)

    # ---- many values

    def near(self, x: NDArray[Any]) -> Array:
        """f at some point, shape (m,); NaN where it has no value there."""
        out = np.empty((1, self.size))
        with quiet_floating_point():
            self._store(x.reshape(self.argument_shape).copy(), out, 0)
        return out[0]

    def _store(self, argument: NDArray[Any], out: Array, n: int) -> None:
        """out[n] = f(argument), NaN if f raises or answers with another number of values."""
        self.calls += 1
        try:
            value = self.call(argument if self.in_place else argument.copy())
            if self.scalar:
                out[n, 0] = value if isinstance(value, (float, np.number)) else float(np.asarray(value).reshape(()) if np.size(value) == 1 and np.ndim(value) == 0 else np.asarray(value).reshape(-1)[0])
            else:
                out[n] = np.asarray(value).reshape(-1)
        except Exception as error:
            if self.failure is None:
                self.failure = error
            out[n] = math.nan

    def pairs(
        self, x: NDArray[Any], columns: NDArray[np.intp], steps: Array, tick: Callable[[int], None] = _no_tick
    ) -> tuple[Array, Array]:
        """f(x + h e_i) and f(x − h e_i) for each column i and step h: two arrays (N, m).

        One scratch buffer is perturbed in place and restored, so that an evaluation costs no copy of x.
        """
        count = len(columns)
        plus, minus = np.empty((count, self.size)), np.empty((count, self.size))
        buffer = x.reshape(-1).copy()
        argument = buffer.reshape(self.argument_shape)
        low, high = (None, None) if self.bounds is None else (b.tolist() for b in self.bounds)
        store = self._store
        with quiet_floating_point():
            for n, (i, h) in enumerate(zip(columns.tolist(), steps.tolist(), strict=True)):
                kept = buffer[i]
                for sign_step, out in ((h, plus), (-h, minus)):
                    moved = kept + sign_step
                    if low is not None and high is not None and not low[i] <= moved <= high[i]:
                        out[n] = math.nan
                        continue
                    buffer[i] = moved
                    store(argument, out, n)
                buffer[i] = kept
                if n % CHUNK == CHUNK - 1:
                    tick(n + 1)
        return plus, minus

    def ray(self, x: NDArray[Any], column: int, offsets: Array) -> Array:
        """f(x + t e_i) for each offset t: (N, m)."""
        out = np.empty((offsets.size, self.size))
        buffer = x.reshape(-1).copy()
        argument = buffer.reshape(self.argument_shape)
        kept = buffer[column]
        with quiet_floating_point():
            for n, t in enumerate(offsets.tolist()):
                buffer[column] = kept + t
                if self.bounds is not None and not self.bounds[0][column] <= buffer[column] <= self.bounds[1][column]:
                    out[n] = math.nan
                else:
                    self._store(argument, out, n)
        return out

    def line(self, x: NDArray[Any], direction: Array, steps: Array) -> tuple[Array, Array, Array]:
        """f(x + t v) and f(x − t v) for each t: (plus, minus), each (N, m), and the displacement that happened.

        x ± t v is rounded to the dtype of x; the third array (N,) is half the realised displacement along v, in units of v,
        which replaces t in differences.
        """
        count = len(steps)
        plus, minus, realised = np.empty((count, self.size)), np.empty((count, self.size)), np.empty(count)
        flat = x.reshape(-1)
        square = float(direction @ direction)
        with quiet_floating_point():
            for n, t in enumerate(steps.tolist()):
                ahead, behind = (flat + t * direction).astype(self.dtype), (flat - t * direction).astype(self.dtype)
                realised[n] = float((ahead.astype(np.float64) - behind.astype(np.float64)) @ direction) / (2 * square)
                for moved, out in ((ahead, plus), (behind, minus)):
                    if self.bounds is not None and not (np.all(moved >= self.bounds[0]) and np.all(moved <= self.bounds[1])):
                        out[n] = math.nan
                    else:
                        self._store(moved.reshape(self.argument_shape), out, n)
        return plus, minus, realised


def first_line(error: BaseException) -> str:
    """The first line of an exception's message."""
    return (str(error).splitlines() or [""])[0]


class Claim:
    """A user's claimed derivative, called on copies; `calls` counts.

    shape: what the derivative must have, such as the shape of x0 for a gradient.
    once: the answer is so large that it is not asked for again to see whether it changes.
    """

    once = False

    def __init__(
        self, call: Callable[..., Any], x0: NDArray[Any], shape: tuple[int, ...], *, args: tuple[Any, ...] = (), role: str = "grad"
    ) -> None:
        self.raw = call
        self.call: Callable[[NDArray[Any]], Any] = (lambda x: call(x, *args)) if args else call
        self.argument_shape = x0.shape
        self.shape = shape
        self.role = role
        self.calls = 0

    def raw_at(self, x: NDArray[Any]) -> Any:
        """What the claimed derivative returns for `x` itself (the caller hands over a copy), unconverted."""
        self.calls += 1
        try:
            with quiet_floating_point():
                return self.call(x)
        except Exception as error:
            raise UserCodeError(f"{self.role} raised {type(error).__name__} at the point: {first_line(error)}") from error

    def numbers(self, value: Any) -> Array:
        """`value` as a flat float64 copy.

        Raises:
            UserCodeError: it is no array of real numbers, or has another shape than the derivative must have.
        """
        role, shape = self.role, self.shape
        if value is None:
            raise UserCodeError(f"{role} returned None: does it end without a return statement?")
        try:
            array = np.asarray(value)
        except Exception as error:
            raise UserCodeError(f"{role} returned {type(value).__name__}, which is no array of numbers") from error
        if array.dtype.kind == "c":
            raise UserCodeError(f"{role} returned complex numbers; a derivative of a real function is real")
        if array.dtype.kind not in "fiub":
            raise UserCodeError(f"{role} returned {type(value).__name__} (dtype {array.dtype}), which is no array of numbers")
        wanted = math.prod(shape)
        squeezed = tuple(n for n in array.shape if n != 1)
        if array.shape != shape and squeezed != tuple(n for n in shape if n != 1) and not (
            array.ndim <= 1 and array.size == wanted
        ):
            hint = "; it looks transposed" if array.shape == shape[::-1] and array.size == wanted else ""
            raise UserCodeError(f"{role} returned shape {array.shape}, expected {shape}{hint}")
        return array.astype(np.float64).reshape(-1)

    def at(self, x: NDArray[Any]) -> Array:
        """The claimed derivative at `x`, as a flat float64 copy."""
        return self.numbers(self.raw_at(x.reshape(self.argument_shape).copy()))
