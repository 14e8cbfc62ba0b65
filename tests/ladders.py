"""Functions of one variable differenced over a ladder of steps as a check does it, and families whose derivatives are known."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.model import Tolerance
from gradcheck.numerics.extrapolation import ladder_steps
from gradcheck.numerics.judgement import judge
from gradcheck.numerics.noise import Precision
from gradcheck.numerics.stencils import natural_scales, smallest_step, steps_near
from gradcheck.numerics.weighing import Judgement

RTOL = 6e-6


def judged(
    f: Callable, x: float, claimed: float, *, dtype: type = np.float64, rtol: float = RTOL, scale: float | None = None
) -> Judgement:
    """The judgement on one claimed derivative of f at x, from a whole ladder; f may raise where it has no value."""
    point = np.array([x], dtype)
    natural = natural_scales(point)[0]
    bottom = max(float(smallest_step(point)[0]), natural * 2.0**-60)
    steps = steps_near(point, ladder_steps(1.37 * natural, bottom))

    def value(t: float) -> float:
        try:
            with np.errstate(all="ignore"):
                return float(f((point + dtype(t))[0]))
        except ValueError:
            return math.nan

    centre = value(0.0)
    plus, minus = (np.array([value(sign * h) for h in steps]) for sign in (1, -1))
    resolution = float(np.spacing(dtype(abs(centre))))
    return judge(
        claimed,
        plus,
        minus,
        centre,
        steps,
        precision=Precision(resolution, 0.0, resolution),
        scale=abs(claimed) if scale is None else scale,
        tolerance=Tolerance(rtol=rtol, atol=0.0),
        reach=natural / 10,
        natural=natural,
        epsilon=float(np.finfo(dtype).eps),
    )


def hashed(x: float) -> float:
    """A number in [-1, 1] that depends on x, and on nothing else."""
    return zlib.crc32(np.float64(x).tobytes()) / 2**31 - 1


@dataclass(frozen=True)
class Known:
    """f, its derivative, and where."""

    name: str
    f: Callable
    slope: Callable
    x: float
    dtype: type = np.float64


SMOOTH: dict[str, tuple[Callable, Callable, float, float]] = {
    "sin": (np.sin, np.cos, -3, 3),
    "exp": (np.exp, np.exp, -3, 3),
    "log": (np.log, lambda x: 1 / x, 0.1, 9),
    "inverse": (lambda x: 1 / x, lambda x: -1 / x**2, 0.2, 5),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2, -2, 2),
    "quintic": (lambda x: x**5 - x, lambda x: 5 * x**4 - 1, -2, 2),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), 0.1, 9),
    "bell": (lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2)), -2, 2),
    "chirp": (lambda x: np.sin(x**2), lambda x: 2 * x * np.cos(x**2), -3, 3),
}


def known(count: int, seed: int) -> Iterator[Known]:
    """Functions with exact derivatives: clean, single precision, offset, noisy, quantised, cancelling, steep; `count` of each."""
    dice = np.random.default_rng(seed)
    for name, (f, slope, low, high) in SMOOTH.items():
        for x in dice.uniform(low, high, count).tolist():
            near = float(np.float32(x))
            yield Known(name, f, slope, x)
            yield Known(
                f"{name} in single precision", lambda x, f=f: np.float32(f(np.float32(x))), slope, near, np.float32
            )
            for offset in (1e3, 1e8):
                yield Known(f"{name} + {offset:g}", lambda x, f=f, c=offset: c + f(x), slope, x)
            for size in (1e-9, 1e-5):
                yield Known(f"{name} ± {size:g}", lambda x, f=f, s=size: f(x) + s * hashed(x), slope, x)
            yield Known(f"{name} to six decimals", lambda x, f=f: np.round(f(x), 6), slope, x)
    for x in (10.0 ** dice.uniform(-2, 0, count)).tolist():
        yield Known(
            "1 - cos", lambda x: (1 - np.cos(x)) / x**2, lambda x: (x * np.sin(x) - 2 * (1 - np.cos(x))) / x**3, x
        )
        yield Known("sqrt - x", lambda x: np.sqrt(x * x + 1) - x, lambda x: x / np.sqrt(x * x + 1) - 1, 30 * x)
        yield Known("difference of squares", lambda x: (1e4 + x) ** 2 - 1e8, lambda x: 2 * (1e4 + x), x)
        yield Known("1000 x", lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x), x)
