"""Functions that are solvers, each with a derivative that is right up to a tolerance or a mesh, and the exponent of that law.

Six families of ten: adaptive integrators with a continuous and with a discrete adjoint, fixed points that stop early, quadratic
programs, truncated conjugate gradients, adjoints of continuous problems on a mesh, self-consistent fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Solver:
    """f(x, tol) and the claimed gradient grad(x, tol); the gap falls like tol^exponent.

    knob: what the tolerance, or the mesh, is called; f has the value to begin with as its default.
    """

    name: str
    f: Callable[..., float]
    grad: Callable[..., Any]
    x0: Any
    knob: str
    exponent: float


# ---- adaptive integrators

MOST_STEPS = 100_000

BS_A = np.array([[0, 0, 0], [1 / 2, 0, 0], [0, 3 / 4, 0]])  # Bogacki and Shampine, of order 3(2)
BS_B, BS_E = np.array([2 / 9, 1 / 3, 4 / 9]), np.array([2 / 9 - 7 / 24, 1 / 3 - 1 / 4, 4 / 9 - 1 / 3, -1 / 8])


def integrate(slope: Callable[[Any], Any], y: Any, end: float, tol: float) -> tuple[Any, list[tuple[Any, float]]]:
    """y(end) of an autonomous system, and the steps that were taken: where each began, and how long it was."""
    t, h, taken = 0.0, 0.05 * end, []
    while t < end:
        h = min(h, end - t)
        k = [slope(y)]
        k.append(slope(y + h / 2 * k[0]))
        k.append(slope(y + 3 / 4 * h * k[1]))
        new = y + h * (BS_B[0] * k[0] + BS_B[1] * k[1] + BS_B[2] * k[2])
        k.append(slope(new))
        error = h * np.linalg.norm(sum(e * one for e, one in zip(BS_E, k, strict=True))) / np.sqrt(y.size)
        if not np.isfinite(error) or len(taken) > MOST_STEPS:
            raise ArithmeticError("the solution has no end")
        if error <= tol:
            taken.append((y, h))
            t, y = (end if end - t <= h else t + h), new
        h *= min(4.0, max(0.2, 0.9 * (tol / max(error, 1e-300)) ** (1 / 3)))
    return y, taken


def lotka(y: Any, p: Any) -> Any:
    return np.array([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]])


def lotka_back(y: Any, p: Any, w: Any) -> tuple[Any, Any]:
    """The slope's transposed derivatives by y and by p, times w."""
    by_y = np.array(
        [(p[0] - p[1] * y[1]) * w[0] + p[2] * y[1] * w[1], -p[1] * y[0] * w[0] + (p[2] * y[0] - p[3]) * w[1]]
    )
    return by_y, np.array([y[0] * w[0], -y[0] * y[1] * w[0], y[0] * y[1] * w[1], -y[1] * w[1]])


def pendulum(y: Any, p: Any) -> Any:
    return np.array([y[1], -p[0] * np.sin(y[0]) - p[1] * y[1] - p[2] * y[0] ** 3])


def pendulum_back(y: Any, p: Any, w: Any) -> tuple[Any, Any]:
    by_y = np.array([(-p[0] * np.cos(y[0]) - 3 * p[2] * y[0] ** 2) * w[1], w[0] - p[1] * w[1]])
    return by_y, -w[1] * np.array([np.sin(y[0]), y[1], y[0] ** 3])


SYSTEMS = {"lotka": (lotka, lotka_back, 4), "pendulum": (pendulum, pendulum_back, 3)}


def flow(system: str, adjoint: str, end: float, seed: int, start: float) -> Solver:
    slope, back, count = SYSTEMS[system]
    rng = np.random.default_rng(seed)
    x0, y0, goal = rng.uniform(0.5, 1.5, count), rng.uniform(0.5, 1.5, 2), rng.uniform(0.5, 1.5, 2)

    def f(x: Any, tol: float = start) -> float:
        y, _ = integrate(lambda y: slope(y, x), y0, end, tol)
        return float(0.5 * np.sum((y - goal) ** 2) + y[0])

    def discrete(x: Any, tol: float = start) -> Any:
        y, taken = integrate(lambda y: slope(y, x), y0, end, tol)
        w, g = y - goal + [1.0, 0.0], np.zeros(count)
        for y, h in reversed(taken):
            k1 = slope(y, x)
            y2 = y + h / 2 * k1
            y3 = y + 3 / 4 * h * slope(y2, x)
            w3, g3 = back(y3, x, h * BS_B[2] * w)
            w2, g2 = back(y2, x, h * BS_B[1] * w + 3 / 4 * h * w3)
            w1, g1 = back(y, x, h * BS_B[0] * w + h / 2 * w2)
            w, g = w + w1 + w2 + w3, g + g1 + g2 + g3
        return g

    def continuous(x: Any, tol: float = start) -> Any:
        y, _ = integrate(lambda y: slope(y, x), y0, end, tol)

        def backward(z: Any) -> Any:
            by_y, by_p = back(z[:2], x, z[2:4])
            return np.concatenate([-slope(z[:2], x), by_y, by_p])

        z, _ = integrate(backward, np.concatenate([y, y - goal + [1.0, 0.0], np.zeros(count)]), end, tol)
        return z[4:]

    claims = {"discrete": discrete, "continuous": continuous}
    return Solver(f"{system}, {adjoint} adjoint, seed {seed}", f, claims[adjoint], x0, "tol", 1.0)


# ---- fixed points


def layer(pull: float, seed: int, start: float) -> Solver:
    """z = tanh(W z + B x + b), iterated until it moves by less than tol; W shrinks by the factor `pull`."""
    rng = np.random.default_rng(seed)
    n, k = 5, 12
    W, B, b, c = rng.normal(size=(k, k)), rng.normal(size=(k, n)) / 2, rng.normal(size=k), rng.normal(size=k)
    W *= pull / np.linalg.norm(W, 2)

    def solve(x: Any, tol: float) -> Any:
        z, moved = np.zeros(k), 1.0
        while moved > tol:
            new = np.tanh(W @ z + B @ x + b)
            moved, z = float(np.linalg.norm(new - z)), new
        return z

    def f(x: Any, tol: float = start) -> float:
        z = solve(x, tol)
        return float(c @ z + 0.5 * z @ z)

    def grad(x: Any, tol: float = start) -> Any:
        z = solve(x, tol)
        d = 1 - np.tanh(W @ z + B @ x + b) ** 2
        return B.T @ (d * np.linalg.solve(np.eye(k) - W.T * d, c + z))

    return Solver(f"layer, pull {pull}, seed {seed}", f, grad, rng.normal(size=n), "tol", 1.0)


def program(seed: int, start: float, spread: float) -> Solver:
    """min z·Qz/2 − (q + B x)·z over z ≥ 0, by projected gradients until z moves by less than tol."""
    rng = np.random.default_rng(seed)
    n, k = 4, 10
    basis = np.linalg.qr(rng.normal(size=(k, k)))[0]
    Q = basis @ np.diag(np.linspace(1, spread, k)) @ basis.T
    q, B, goal = rng.normal(size=k), rng.normal(size=(k, n)), rng.normal(size=k)
    step = 1 / spread

    def solve(x: Any, tol: float) -> Any:
        z, moved, pull = np.zeros(k), 1.0, q + B @ x
        while moved > tol:
            new = np.maximum(z - step * (Q @ z - pull), 0)
            moved, z = float(np.linalg.norm(new - z)), new
        return z

    def f(x: Any, tol: float = start) -> float:
        return float(0.5 * np.sum((solve(x, tol) - goal) ** 2))

    def grad(x: Any, tol: float = start) -> Any:
        z = solve(x, tol)
        free = z > 0
        w = np.zeros(k)
        w[free] = np.linalg.solve(Q[np.ix_(free, free)], (z - goal)[free])
        return B.T @ w

    return Solver(f"program, seed {seed}", f, grad, rng.normal(size=n), "tol", 1.0)


# ---- conjugate gradients


def conjugate(A: Any, b: Any, tol: float) -> Any:
    z, r = np.zeros(b.size), b.copy()
    p, rr = r.copy(), float(r @ r)
    while rr > (tol**2) * float(b @ b):
        Ap = A @ p
        a = rr / float(p @ Ap)
        z, r = z + a * p, r - a * Ap
        new = float(r @ r)
        p, rr = r + new / rr * p, new
    return z


def truncated(seed: int, start: float, size: int) -> Solver:
    """c · A(x)⁻¹ b, and the same transposed, by conjugate gradients that stop at a relative residual of tol."""
    rng = np.random.default_rng(seed)
    n = 4
    parts = [one @ one.T / size for one in rng.normal(size=(n, size, size))]
    b, c, x0 = rng.normal(size=size), rng.normal(size=size), rng.uniform(0.5, 1.5, n)

    def matrix(x: Any) -> Any:
        return np.eye(size) / 2 + sum(np.exp(t) * part for t, part in zip(x, parts, strict=True))

    def f(x: Any, tol: float = start) -> float:
        return float(c @ conjugate(matrix(x), b, tol))

    def grad(x: Any, tol: float = start) -> Any:
        A = matrix(x)
        z, w = conjugate(A, b, tol), conjugate(A, c, tol)
        return np.array([-np.exp(t) * (w @ part @ z) for t, part in zip(x, parts, strict=True)])

    return Solver(f"conjugate gradients, seed {seed}", f, grad, x0, "tol", 1.0)


# ---- a mesh


def bar(seed: int, cells: int) -> Solver:
    """−(k(s, x) u′)′ = 1 on a mesh; the derivative of the continuous problem, with slopes and integrals by the nodes: h²."""
    rng = np.random.default_rng(seed)
    n = 3
    x0, goal = rng.uniform(-0.5, 0.5, n), rng.uniform(0.5, 1.5)

    def parts(s: Any) -> Any:
        return np.array([np.cos((i + 0.5) * s) for i in range(n)])

    def solve(x: Any, count: int, load: Any) -> Any:
        h = 1 / count
        k = np.exp(x @ parts(h * (np.arange(count) + 0.5)))
        A = np.diag(k[:-1] + k[1:]) - np.diag(k[1:-1], 1) - np.diag(k[1:-1], -1)
        return np.concatenate([[0.0], np.linalg.solve(A / h**2, load), [0.0]])

    def f(x: Any, cells: int = cells) -> float:
        u = solve(x, cells, np.ones(cells - 1))
        return float(0.5 * np.sum((u[1:-1] - goal / 10) ** 2) / cells)

    def grad(x: Any, cells: int = cells) -> Any:
        u = solve(x, cells, np.ones(cells - 1))
        w = solve(x, cells, u[1:-1] - goal / 10)
        s = np.linspace(0, 1, cells + 1)
        slopes = [np.gradient(one, s, edge_order=2) for one in (u, w)]
        return np.trapezoid(-parts(s) * np.exp(x @ parts(s)) * slopes[0] * slopes[1], s)

    return Solver(f"bar, seed {seed}", f, grad, x0, "cells", 2.0)


def euler(system: str, seed: int, steps: int) -> Solver:
    """Euler's rule forward in time, and for the adjoint of the continuous problem as well: h."""
    slope, back, count = SYSTEMS[system]
    rng = np.random.default_rng(seed)
    x0, y0, goal = rng.uniform(0.5, 1.5, count), rng.uniform(0.5, 1.5, 2), rng.uniform(0.5, 1.5, 2)

    def path(x: Any, steps: int) -> list[Any]:
        y = [y0]
        for _ in range(steps):
            y.append(y[-1] + slope(y[-1], x) / steps)
        return y

    def f(x: Any, steps: int = steps) -> float:
        return float(0.5 * np.sum((path(x, steps)[-1] - goal) ** 2))

    def grad(x: Any, steps: int = steps) -> Any:
        y = path(x, steps)
        w, g = y[-1] - goal, np.zeros(count)
        for one in reversed(y[1:]):
            by_y, by_p = back(one, x, w)
            w, g = w + by_y / steps, g + by_p / steps
        return g

    return Solver(f"euler, {system}, seed {seed}", f, grad, x0, "steps", 1.0)


# ---- self-consistent fields


def field(seed: int, start: float, strength: float) -> Solver:
    """The lowest energy of a particle in a well that its own density deforms; iterated until that moves by less than tol."""
    rng = np.random.default_rng(seed)
    n, k = 4, 16
    s = np.linspace(-1, 1, k)
    H = np.diag(np.full(k, 2.0)) - np.diag(np.ones(k - 1), 1) - np.diag(np.ones(k - 1), -1)
    H = H * 8 + np.diag(4 * s**2)
    wells = np.array([np.exp(-4 * (s - place) ** 2) for place in rng.uniform(-0.8, 0.8, n)])
    x0 = rng.uniform(-1, 1, n)

    def solve(x: Any, tol: float) -> Any:
        density, moved = np.full(k, 1 / k), 1.0
        while moved > tol:
            state = np.linalg.eigh(H + np.diag(x @ wells + strength * density))[1][:, 0]
            new = density + 0.6 * (state**2 - density)
            moved, density = float(np.linalg.norm(new - density)), new
        return state

    def f(x: Any, tol: float = start) -> float:
        state = solve(x, tol)
        return float(state @ (H + np.diag(x @ wells)) @ state + strength / 2 * np.sum(state**4))

    def grad(x: Any, tol: float = start) -> Any:
        return wells @ solve(x, tol) ** 2

    return Solver(f"field, seed {seed}", f, grad, x0, "tol", 1.0)


def all_of_them() -> Iterator[Solver]:
    for seed in range(5):
        system = ("lotka", "pendulum")[seed % 2]
        yield flow(system, "continuous", 2.0 + seed / 4, seed, 1e-4)
        yield flow(system, "discrete", 2.0 + seed / 4, seed, 1e-4)
    yield from (layer(0.3 + 0.06 * seed, seed, 1e-3) for seed in range(10))
    yield from (program(seed, 1e-3, 2.0 + seed / 4) for seed in range(10))
    yield from (truncated(seed, 1e-3, 20 + 4 * seed) for seed in range(10))
    yield from (bar(seed, 24 + 4 * seed) for seed in range(5))
    yield from (euler(("lotka", "pendulum")[seed % 2], seed, 40 + 8 * seed) for seed in range(5))
    yield from (field(seed, 1e-4, 2.0 + seed / 4) for seed in range(10))
