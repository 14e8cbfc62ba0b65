"""Functions of complex variables with their exact derivatives: real ones with ∂f/∂x + i ∂f/∂y, holomorphic ones with f′."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A function, its derivative, and the shape of its point.

    value: of a complex array.
    derivative: ∂f/∂x + i ∂f/∂y of a real f, f′ of a holomorphic one.
    """

    name: str
    value: Callable[[Any], Any]
    derivative: Callable[[Any], Any]
    shape: tuple[int, ...] = (4,)


def data(*shape: int, seed: int = 0) -> Any:
    """Complex numbers."""
    random = np.random.default_rng(seed)
    return random.normal(size=shape) + 1j * random.normal(size=shape)


A, B, C, M = data(6, 4, seed=1), data(6, seed=2), data(4, seed=3), data(4, 4, seed=4)
H = M + M.conj().T
SENSITIVITY, MASK = data(3, 8, seed=5), np.array([1, 0, 1, 1, 0, 1, 0, 1])
MEASURED = np.abs(A @ C) ** 2
POSITIONS = np.linspace(0, 2, 4)


def through(inner: Callable[[Any], Any], adjoint: Callable[[Any, Any], Any], outer: Case, name: str) -> Case:
    """z ↦ outer(inner(z)) for a holomorphic inner function, whose derivative has the adjoint J(z)ᴴu."""
    return Case(name, lambda z: outer.value(inner(z)), lambda z: adjoint(z, outer.derivative(inner(z))), outer.shape)


def _squares(target: Any) -> Case:
    return Case("squares", lambda w: np.sum(np.abs(w - target) ** 2), lambda w: 2 * (w - target))


def _rayleigh(z: Any) -> Any:
    norm = np.sum(np.abs(z) ** 2)
    return (2 * H @ z - 2 * z * np.real(np.vdot(z, H @ z)) / norm) / norm


def _largest_eigenvalue(z: Any) -> Any:
    v = np.linalg.eigh(z + z.conj().T)[1][:, -1]
    return 2 * np.outer(v, v.conj())


def _total_variation(z: Any) -> Any:
    step = np.diff(z)
    slope = step / np.sqrt(np.abs(step) ** 2 + 0.1)
    return np.concatenate([[0], slope]) - np.concatenate([slope, [0]])


def _fidelity(z: Any) -> Any:
    norm, overlap = np.sum(np.abs(z) ** 2), np.vdot(C, z)
    return 2 * (C * overlap - z * np.abs(overlap) ** 2 / norm) / norm


def _intensity(z: Any) -> Any:
    field = np.sum(z * np.exp(1j * POSITIONS))
    return 4 * np.abs(field) ** 2 * field * np.exp(-1j * POSITIONS)


QUARTIC = Case("quartic", lambda w: np.sum(np.abs(w) ** 4), lambda w: 4 * np.abs(w) ** 2 * w)

REAL = (
    Case("squares", lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z),
    QUARTIC,
    through(lambda z: A @ z, lambda z, u: A.conj().T @ u, _squares(B), "least squares with complex A"),
    Case("real part of a product", lambda z: np.vdot(C, z).real, lambda z: C + 0 * z),
    Case("imaginary part of squares", lambda z: np.sum(z**2).imag, lambda z: 1j * np.conj(2 * z)),
    Case("logarithms", lambda z: np.sum(np.log1p(np.abs(z) ** 2)), lambda z: 2 * z / (1 + np.abs(z) ** 2)),
    Case("smooth moduli", lambda z: np.sum(np.sqrt(1 + np.abs(z) ** 2)), lambda z: z / np.sqrt(1 + np.abs(z) ** 2)),
    Case("modulus of the sum", lambda z: np.abs(np.sum(z)) ** 2, lambda z: 2 * np.sum(z) * np.ones_like(z)),
    Case("hermitian form", lambda z: np.vdot(z, H @ z).real, lambda z: 2 * H @ z),
    through(np.fft.fft, lambda z, u: len(u) * np.fft.ifft(u), QUARTIC, "of a Fourier transform"),
    Case(
        "phase retrieval",
        lambda z: np.sum((np.abs(A @ z) ** 2 - MEASURED) ** 2),
        lambda z: A.conj().T @ (4 * (np.abs(A @ z) ** 2 - MEASURED) * (A @ z)),
    ),
    Case(
        "parts apart",
        lambda z: np.sum(np.cos(z.real) * np.exp(z.imag)),
        lambda z: -np.sin(z.real) * np.exp(z.imag) + 1j * np.cos(z.real) * np.exp(z.imag),
    ),
    Case("angles", lambda z: np.sum(np.angle(z) ** 2), lambda z: 2 * np.angle(z) * 1j * z / np.abs(z) ** 2),
    Case("moduli", lambda z: np.sum(np.abs(z)), lambda z: z / np.abs(z)),
    Case("log norm", lambda z: np.log(np.sum(np.abs(z) ** 2)), lambda z: 2 * z / np.sum(np.abs(z) ** 2)),
    through(
        np.linalg.det,
        lambda z, u: u * np.conj(np.linalg.det(z) * np.linalg.inv(z).T),
        Case("", lambda w: np.abs(w) ** 2, lambda w: 2 * w, (3, 3)),
        "modulus of a determinant",
    ),
    Case(
        "trace of an inverse",
        lambda z: np.trace(np.linalg.inv(z)).real,
        lambda z: -np.conj((np.linalg.inv(z) @ np.linalg.inv(z)).T),
        (3, 3),
    ),
    Case("largest eigenvalue", lambda z: np.linalg.eigh(z + z.conj().T)[0][-1], _largest_eigenvalue, (3, 3)),
    Case("exponentials", lambda z: np.sum(np.exp(z.real)), lambda z: np.exp(z.real) + 0j),
    Case("energy of a state", lambda z: np.vdot(z, H @ z).real / np.sum(np.abs(z) ** 2), _rayleigh),
    Case("fidelity", lambda z: np.abs(np.vdot(C, z)) ** 2 / np.sum(np.abs(z) ** 2), _fidelity),
    through(np.sin, lambda z, u: np.conj(np.cos(z)) * u, _squares(0), "sines"),
    through(
        lambda z: MASK * np.fft.fft(SENSITIVITY * z, axis=-1),
        lambda z, u: np.sum(SENSITIVITY.conj() * 8 * np.fft.ifft(MASK * u, axis=-1), axis=0),
        _squares(data(3, 8, seed=6))._replace(shape=(8,)),
        "coils of an MRI",
    ),
    Case("intensity of scattered waves", lambda z: np.abs(np.sum(z * np.exp(1j * POSITIONS))) ** 4, _intensity),
    Case(
        "log of a partition sum",
        lambda z: 2 * np.log(np.abs(np.sum(np.exp(z)))),
        lambda z: 2 * np.conj(np.exp(z) / np.sum(np.exp(z))),
    ),
    Case("real part of cubes", lambda z: np.sum(z**3).real, lambda z: np.conj(3 * z**2)),
    Case(
        "entropy",
        lambda z: np.sum(np.abs(z) ** 2 * np.log(np.abs(z) ** 2)),
        lambda z: 2 * z * (np.log(np.abs(z) ** 2) + 1),
    ),
    Case("total variation", lambda z: np.sum(np.sqrt(np.abs(np.diff(z)) ** 2 + 0.1)), _total_variation),
    through(
        lambda z: np.fft.ifft(np.fft.fft(z) ** 2),
        lambda z, u: np.fft.ifft(2 * np.conj(np.fft.fft(z)) * np.fft.fft(u)),
        _squares(C),
        "autoconvolution",
    ),
    Case(
        "squashed parts",
        lambda z: np.sum(np.logaddexp(0, z.real) + np.tanh(z.imag)),
        lambda z: 1 / (1 + np.exp(-z.real)) + 1j / np.cosh(z.imag) ** 2,
    ),
)


def _resolvent(z: Any) -> Any:
    matrix = M + np.diag(z)
    return -np.linalg.solve(matrix.T, C) * np.linalg.solve(matrix, C)


def _each(name: str, value: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> Case:
    return Case(name, lambda z: np.sum(value(z)), derivative)


HOLOMORPHIC = (
    *(_each(f"powers {k}", lambda z, k=k: z**k, lambda z, k=k: k * z ** (k - 1)) for k in range(2, 7)),
    _each("exp", np.exp, np.exp),
    _each("sin", np.sin, np.cos),
    _each("cos", np.cos, lambda z: -np.sin(z)),
    _each("tan", np.tan, lambda z: 1 / np.cos(z) ** 2),
    _each("sinh", np.sinh, np.cosh),
    _each("cosh", np.cosh, np.sinh),
    _each("tanh", np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    _each("log", np.log, lambda z: 1 / z),
    _each("sqrt", np.sqrt, lambda z: 0.5 / np.sqrt(z)),
    _each("reciprocal", lambda z: 1 / z, lambda z: -1 / z**2),
    _each("arctan", np.arctan, lambda z: 1 / (1 + z**2)),
    _each("softplus", lambda z: np.log1p(np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
    _each("z exp z", lambda z: z * np.exp(z), lambda z: (1 + z) * np.exp(z)),
    _each("sin of squares", lambda z: np.sin(z**2), lambda z: 2 * z * np.cos(z**2)),
    _each("exp of sines", lambda z: np.exp(np.sin(z)), lambda z: np.cos(z) * np.exp(np.sin(z))),
    Case("product", np.prod, lambda z: np.prod(z) / z),
    Case("linear", lambda z: C @ z, lambda z: C + 0 * z),
    Case("form", lambda z: z @ M @ z, lambda z: (M + M.T) @ z),
    Case("cube of a linear form", lambda z: (C @ z) ** 3, lambda z: 3 * (C @ z) ** 2 * C),
    Case("determinant", np.linalg.det, lambda z: np.linalg.det(z) * np.linalg.inv(z).T, (3, 3)),
    Case("trace of an inverse", lambda z: np.trace(np.linalg.inv(z)), lambda z: -(np.linalg.inv(z) @ np.linalg.inv(z)).T, (3, 3)),
    Case("log of a partition sum", lambda z: np.log(np.sum(np.exp(z))), lambda z: np.exp(z) / np.sum(np.exp(z))),
    Case("transform", lambda z: np.sum(np.fft.fft(z) ** 2 * C), lambda z: np.fft.fft(2 * C * np.fft.fft(z))),
    Case("resolvent", lambda z: C @ np.linalg.solve(M + np.diag(z), C), _resolvent),
    Case("polynomial", lambda z: np.polyval(C, np.sum(z)), lambda z: np.polyval(np.polyder(C), np.sum(z)) * np.ones_like(z)),
)  # fmt: skip

CONVENTIONS: dict[str, Callable[[Any], Any]] = {
    "steepest": lambda g: g,
    "conjugate": np.conj,
    "wirtinger": lambda g: np.conj(g) / 2,
    "wirtinger_conjugate": lambda g: g / 2,
    "real_part": np.real,
}
"""What is made of ∂f/∂x + i ∂f/∂y in each."""


OUTER = (QUARTIC, _squares(0), REAL[5], REAL[6], REAL[11], REAL[14], REAL[29])
"""Real functions of any number of variables, smooth everywhere but at 0."""


def random_problem(seed: int) -> tuple[Case, Any]:
    """A function z ↦ φ(sin(A (z / s) + b)) + c, or without the sine, with its exact gradient, and a point.

    The scale s of each variable and the factor of f are powers of 10 between 1e-6 and 1e6; a constant of up to 1e3 of its size
    may be added; every fifth point is of complex64, without all that.
    """
    random = np.random.default_rng(seed)
    n, m = random.integers(1, 9, 2)
    single = seed % 5 == 0
    outer = OUTER[random.integers(len(OUTER))]
    matrix = (random.normal(size=(m, n)) + 1j * random.normal(size=(m, n))) / np.sqrt(n)
    shift = random.normal(size=m) + 1j * random.normal(size=m)
    scale = np.ones(n) if single else 10.0 ** random.integers(-6, 7, n)
    factor = 1.0 if single else 10.0 ** random.integers(-6, 7)
    offset = 0.0 if single or seed % 2 else factor * 10.0 ** random.integers(-3, 4)
    curved = bool(random.integers(2))
    z = scale * (random.normal(size=n) + 1j * random.normal(size=n))

    def inner(z: Any) -> tuple[Any, Any]:
        w = matrix @ (z / scale) + shift
        return (np.sin(w), np.cos(w)) if curved else (w, np.ones_like(w))

    def value(z: Any) -> Any:
        return factor * outer.value(inner(z)[0]) + offset

    def gradient(z: Any) -> Any:
        w, slope = inner(z)
        return factor * (matrix.conj().T @ (np.conj(slope) * outer.derivative(w))) / scale

    return Case(f"{outer.name}, seed {seed}", value, gradient, (n,)), z.astype(np.complex64) if single else z


def some(g: Any, change: Callable[[Any], Any]) -> Any:
    """A derivative of which every other entry is changed."""
    g = np.array(g, np.complex128, order="C")
    flat = g.reshape(-1)
    flat[::2] = change(flat[::2])
    return g


MISTAKES: dict[str, Callable[[Any], Any]] = {
    "conjugated": lambda g: some(g, np.conj),
    "half": lambda g: some(g, lambda part: part / 2),
    "real_part_only": lambda g: some(g, lambda part: part.real),
    "swapped_parts": lambda g: some(g, lambda part: part.imag + 1j * part.real),
    "sign": lambda g: some(g, np.negative),
}
"""Mistakes of some entries, by the diagnosis that names each."""
