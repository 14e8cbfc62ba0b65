"""Piecewise functions with a gradient that is wrong in a branch that a point drawn at random hardly ever enters.

Each is (f, right gradient, wrong gradient, x0).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Case = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], Any]
CASES: dict[str, Case] = {}
C = np.random.default_rng(5).normal(size=8)
M = np.random.default_rng(6).normal(size=(6, 6))


def case(name: str, x0: Any) -> Callable[[Callable[[], tuple[Any, Any]]], None]:
    """Registers f and a gradient with the keyword `k`, which is 1 where it is right and another number where it is wrong."""

    def add(make: Callable[[], tuple[Any, Any]]) -> None:
        f, g = make()
        CASES[name] = f, lambda x: g(x, 1.0), lambda x: g(x, 2.0), np.asarray(x0, float)

    return add


def point(n: int, seed: int = 0) -> Any:
    return np.random.default_rng(100 + seed).normal(size=n)


@case("a large entry", point(4))
def _() -> Any:
    def f(x):
        if x[0] > 1e3:
            return x[0] + x[1:] @ x[1:]
        return x @ x

    def g(x, k):
        if x[0] > 1e3:
            return np.concatenate([[k], 2 * x[1:]])
        return 2 * x

    return f, g


@case("a tiny entry", point(5, 1))
def _() -> Any:
    def f(x):
        if abs(x[2]) < 1e-4:
            return 3 * x[2] + np.sum(x**2)
        return np.sum(x**2)

    def g(x, k):
        out = 2 * x
        if abs(x[2]) < 1e-4:
            out[2] += 3 * k
        return out

    return f, g


@case("all positive", point(12, 2))
def _() -> Any:
    def f(x):
        if np.all(x > 0):
            return np.sum(x**3)
        return np.sum(x**2)

    def g(x, k):
        if np.all(x > 0):
            return 3 * k * x**2
        return 2 * x

    return f, g


@case("all negative, by a method", point(14, 3))
def _() -> Any:
    def f(x):
        if (x < 0).all():
            return np.sum(np.exp(x))
        return np.sum(np.sin(x))

    def g(x, k):
        if (x < 0).all():
            return k * np.exp(x)
        return np.cos(x)

    return f, g


@case("a large sum", point(6, 4))
def _() -> Any:
    def f(x):
        s = x.sum()
        return s**2 / 100 if s > 50 else s**3

    def g(x, k):
        s = x.sum()
        return np.full_like(x, 2 * k * s / 100 if s > 50 else 3 * s**2)

    return f, g


@case("a short vector", point(6, 5))
def _() -> Any:
    def f(x):
        r = np.linalg.norm(x)
        if r < 1e-3:
            return r**2 * 7
        return r

    def g(x, k):
        r = np.linalg.norm(x)
        if r < 1e-3:
            return 14 * k * x
        return x / r

    return f, g


@case("a long vector", point(10, 6))
def _() -> Any:
    def f(x):
        r = math.sqrt(x @ x)
        if r > 100:
            return 100 * (2 * r - 100)
        return r * r

    def g(x, k):
        r = math.sqrt(x @ x)
        if r > 100:
            return 200 * k * x / r
        return 2 * x

    return f, g


@case("three conditions", point(5, 7))
def _() -> Any:
    def f(x):
        if x[0] > 2 and x[1] > 2 and x[2] < -2:
            return x[0] * x[1] * x[2]
        return np.sum(x)

    def g(x, k):
        if x[0] > 2 and x[1] > 2 and x[2] < -2:
            return np.array([x[1] * x[2], x[0] * x[2] * k, x[0] * x[1], 0, 0])
        return np.ones(5)

    return f, g


@case("nested conditions", point(6, 8))
def _() -> Any:
    def f(x):
        if x[0] > 3:
            if x[1] < -3:
                return x[2] ** 3
            return x[2]
        return x @ x

    def g(x, k):
        out = np.zeros(6)
        if x[0] > 3:
            if x[1] < -3:
                out[2] = 3 * k * x[2] ** 2
            else:
                out[2] = 1
            return out
        return 2 * x

    return f, g


@case("two equal entries", point(5, 9))
def _() -> Any:
    def f(x):
        return np.sin(x[1] - x[3]) * x[0] + x @ x

    def g(x, k):
        out = 2 * x
        out[0] += np.sin(x[1] - x[3])
        slope = x[0] * (k if x[1] == x[3] else np.cos(x[1] - x[3]))
        out[1] += slope
        out[3] -= slope
        return out

    return f, g


@case("an entry that is 0", point(4, 10))
def _() -> Any:
    def f(x):
        return np.sum(np.sinc(x / np.pi)) + x[0]

    def g(x, k):
        out = np.zeros(4)
        for i in range(4):
            if x[i] == 0:
                out[i] = k - 1
            else:
                out[i] = (np.cos(x[i]) - np.sin(x[i]) / x[i]) / x[i]
        out[0] += 1
        return out

    return f, g


@case("a constant met exactly", point(3, 11))
def _() -> Any:
    def f(x):
        return float(np.sum((x - 2.5) ** 2 + x))

    def g(x, k):
        if x[1] == 2.5:
            return k * np.ones(3) + 2 * (x - 2.5)
        return 2 * (x - 2.5) + 1

    return f, g


@case("overflow guarded", point(5, 12))
def _() -> Any:
    def f(x):
        total = 0.0
        for t in x:
            total += t if t > 30 else math.log1p(math.exp(t))
        return total

    def g(x, k):
        return np.array([k if t > 30 else 1 / (1 + math.exp(-t)) for t in x])

    return f, g


@case("where beyond 8", point(6, 13))
def _() -> Any:
    def f(x):
        return np.sum(np.where(np.abs(x) > 8, 16 * np.abs(x) - 64, x**2))

    def g(x, k):
        return np.where(np.abs(x) > 8, 16 * k * np.sign(x), 2 * x)

    return f, g


@case("a mask", point(7, 14))
def _() -> Any:
    def f(x):
        y = x**2
        high = x > 6
        y[high] = 12 * x[high] - 36
        return y.sum()

    def g(x, k):
        out = 2 * x
        high = x > 6
        out[high] = 12 * k
        return out

    return f, g


@case("clipped from above", point(5, 15))
def _() -> Any:
    def f(x):
        return np.sum(np.minimum(x, 5.0) ** 2)

    def g(x, k):
        return 2 * np.minimum(x, 5.0) * np.where(x < 5.0, 1, k - 1)

    return f, g


@case("clipped on both sides", point(5, 16))
def _() -> Any:
    def f(x):
        return np.sum(np.clip(x, -6, 6) ** 3)

    def g(x, k):
        y = np.clip(x, -6, 6)
        return 3 * y**2 * np.where(np.abs(x) <= 6, 1, k - 1)

    return f, g


@case("a product of entries", point(6, 17))
def _() -> Any:
    def f(x):
        if x[3] * x[4] > 30:
            return x[3] * x[4] - 30
        return np.sum(np.cos(x))

    def g(x, k):
        if x[3] * x[4] > 30:
            out = np.zeros(6)
            out[3], out[4] = k * x[4], x[3]
            return out
        return -np.sin(x)

    return f, g


@case("a linear form", point(8, 18))
def _() -> Any:
    def f(x):
        margin = 1 - C @ x
        if margin > 25:
            return 10 * margin
        return margin**2

    def g(x, k):
        margin = 1 - C @ x
        if margin > 25:
            return -10 * k * C
        return -2 * margin * C

    return f, g


@case("a quadratic form", point(6, 19))
def _() -> Any:
    def f(x):
        q = x @ M @ x
        if q < -60:
            return 2 * q
        return q

    def g(x, k):
        q = x @ M @ x
        if q < -60:
            return 2 * k * (M + M.T) @ x
        return (M + M.T) @ x

    return f, g


@case("two points close together", point(6, 20).reshape(2, 3))
def _() -> Any:
    def f(x):
        d = x[0] - x[1]
        r2 = d @ d
        if r2 < 1e-4:
            return 1e4 - r2 * 5
        return 1 / (1e-2 + r2)

    def g(x, k):
        d = x[0] - x[1]
        r2 = d @ d
        s = -10 * k * d if r2 < 1e-4 else -2 * d / (1e-2 + r2) ** 2
        return np.stack([s, -s])

    return f, g


@case("a ratio of extremes", np.exp(point(6, 21)))
def _() -> Any:
    def f(x):
        if x.max() > 1000 * abs(x.min()):
            return x[0] * 3
        return np.sum(x**2)

    def g(x, k):
        if x.max() > 1000 * abs(x.min()):
            return np.array([3 * k, 0, 0, 0, 0, 0])
        return 2 * x

    return f, g


@case("a single number", 0.7)
def _() -> Any:
    def f(x):
        if x < -200:
            return -3 * x
        return x**2

    def g(x, k):
        if x < -200:
            return -3 * k
        return 2 * x

    return f, g


@case("in a helper", point(4, 23))
def _() -> Any:
    def bump(t):
        if t > 12:
            return t, 1.0
        return t * t, 2 * t

    def f(x):
        return sum(bump(t)[0] for t in x)

    def g(x, k):
        out = np.empty(4)
        for i, t in enumerate(x):
            slope = bump(t)[1]
            out[i] = slope * k if slope == 1.0 else slope
        return out

    return f, g


@case("else of a chain", point(3, 24))
def _() -> Any:
    def f(x):
        t = x[0]
        if t < 10:
            y = t
        elif t < 20:
            y = t + 0.1 * (t - 10) ** 2
        else:
            y = t + 10 + 3 * (t - 20)
        return y + x[1] * x[2]

    def g(x, k):
        t = x[0]
        if t < 10:
            d = 1.0
        elif t < 20:
            d = 1 + 0.2 * (t - 10)
        else:
            d = 4.0 * k
        return np.array([d, x[2], x[1]])

    return f, g


@case("one of two", point(5, 25))
def _() -> Any:
    def f(x):
        if x[1] > 40 or x[4] < -40:
            return x[0] ** 2
        return x @ x

    def g(x, k):
        if x[1] > 40 or x[4] < -40:
            return np.array([2 * k * x[0], 0, 0, 0, 0])
        return 2 * x

    return f, g


@case("not", point(5, 26))
def _() -> Any:
    def f(x):
        if not (x[2] < 15):
            return x[2] ** 2
        return np.sum(np.sin(x))

    def g(x, k):
        if not (x[2] < 15):
            return np.array([0, 0, 2 * x[2] * k, 0, 0])
        return np.cos(x)

    return f, g


@case("an interval", point(4, 27))
def _() -> Any:
    def f(x):
        if 7 < x[1] < 7.5:
            return x[1] ** 2
        return np.sum(np.cos(x))

    def g(x, k):
        if 7 < x[1] < 7.5:
            return np.array([0, 2 * k * x[1], 0, 0])
        return -np.sin(x)

    return f, g


@case("a loop that goes on", point(3, 28))
def _() -> Any:
    def f(x):
        total, t = 0.0, x[0]
        while t > 5:
            total += t * t
            t = t / 2
        return total + t + x[1] * x[2]

    def g(x, k):
        d, t, scale = 0.0, x[0], 1.0
        while t > 5:
            d += 2 * k * t * scale
            t, scale = t / 2, scale / 2
        return np.array([d + scale, x[2], x[1]])

    return f, g


@case("the mean", point(9, 29))
def _() -> Any:
    def f(x):
        m = np.mean(x)
        if m < -4:
            return m**4
        return m**2

    def g(x, k):
        m = np.mean(x)
        return np.full(9, (4 * k * m**3 if m < -4 else 2 * m) / 9)

    return f, g


@case("the largest entry", point(7, 30))
def _() -> Any:
    def f(x):
        if np.max(np.abs(x)) > 20:
            return 20 * np.sum(x)
        return np.sum(x**2)

    def g(x, k):
        if np.max(np.abs(x)) > 20:
            return np.full(7, 20 * k)
        return 2 * x

    return f, g


@case("any entry", point(6, 31))
def _() -> Any:
    def f(x):
        if np.any(x > 9):
            return np.sum(x)
        return np.sum(x**2)

    def g(x, k):
        if np.any(x > 9):
            return np.full(6, k)
        return 2 * x

    return f, g


@case("a determinant", M[:3, :3])
def _() -> Any:
    def f(x):
        d = np.linalg.det(x)
        if d > 80:
            return d
        return np.sum(x**2)

    def g(x, k):
        d = np.linalg.det(x)
        if d > 80:
            return k * d * np.linalg.inv(x).T
        return 2 * x

    return f, g


@case("sorted", point(7, 33))
def _() -> Any:
    def f(x):
        if np.all(np.diff(x) > 0):
            return np.sum(x**3)
        return np.sum(x**2)

    def g(x, k):
        if np.all(np.diff(x) > 0):
            return 3 * k * x**2
        return 2 * x

    return f, g


@case("within a circle", point(5, 34))
def _() -> Any:
    def f(x):
        u, v = x[0] - 3, x[1] + 4
        if u * u + v * v < 0.01:
            return u + v
        return np.sum(x**2)

    def g(x, k):
        u, v = x[0] - 3, x[1] + 4
        if u * u + v * v < 0.01:
            return np.array([k, 1, 0, 0, 0])
        return 2 * x

    return f, g


@case("many entries", point(60, 35))
def _() -> Any:
    def f(x):
        if x[17] > 50 and x[41] < -50:
            return x[17] ** 2 - x[41]
        return np.sum(np.sin(x))

    def g(x, k):
        if x[17] > 50 and x[41] < -50:
            out = np.zeros(60)
            out[17], out[41] = 2 * k * x[17], -1
            return out
        return np.cos(x)

    return f, g


@case("a branch in the gradient alone", point(6, 36))
def _() -> Any:
    def f(x):
        return float(np.sum(np.log1p(x**2)))

    def g(x, k):
        if np.max(x) > 60:
            return k * 2 * x / (1 + x**2)
        return 2 * x / (1 + x**2)

    return f, g


@case("a branch in f alone", point(6, 37))
def _() -> Any:
    def f(x):
        if x[5] > 35:
            return x @ x + (x[5] - 35) ** 2
        return x @ x

    def g(x, k):
        return 2 * x + (k == 1) * np.array([0, 0, 0, 0, 0, 2 * max(x[5] - 35, 0)])

    return f, g


@case("a small difference", point(5, 38))
def _() -> Any:
    def f(x):
        d = x[0] - x[4]
        if abs(d) < 1e-5:
            return 2 * d + np.sum(x)
        return np.sin(d) + np.sum(x)

    def g(x, k):
        d = x[0] - x[4]
        s = 2 * k if abs(d) < 1e-5 else np.cos(d)
        return np.array([1 + s, 1, 1, 1, 1 - s])

    return f, g


@case("a matrix with a large trace", M[:4, :4])
def _() -> Any:
    def f(x):
        t = np.trace(x)
        if t > 64:
            return t**2
        return np.sum(x * x)

    def g(x, k):
        t = np.trace(x)
        if t > 64:
            return 2 * k * t * np.eye(4)
        return 2 * x

    return f, g
