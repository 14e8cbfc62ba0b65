"""Some 500 functions with known gradients, made by small parametrised families, to measure how well a checker judges.

Every case has one kind:

smooth      well-behaved, double precision
scaled      variables or values of very different size
offset      a large constant hides the change
cancel      f loses digits to cancellation
float32     point, data, value and gradient in single precision
noisy       solvers, rounding, quantised output: reproducible noise
stochastic  fresh noise at every call
kink        a kink near the point, or a derivative of higher order that jumps at it
domain      the edge of the domain is near
highfreq    oscillation, narrow bumps, growth: only small steps are right

Formulae are written once, in plain numpy. Evaluated on a `Var` they yield their gradient by reverse
accumulation; evaluated in 120-digit arithmetic (`run.py --verify`) they confirm it. Where f only approximates
its formula (noise, rounding, the tolerance of a solver), the formula is `clean`.
"""

from __future__ import annotations

import functools
import itertools
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy import integrate, interpolate, linalg, optimize, special

Function = Callable[[Any], Any]


@dataclass
class Case:
    """f(x) -> scalar and grad(x) -> array like x; neither changes x.

    clean: the formula whose gradient grad is; f itself may only approximate it.
    truth: the gradient at x0, where grad(x0) is not itself as exact as can be (float32: grad in double precision).
    parts: additive terms of the formula, which a mistake may forget to differentiate.
    fresh: f gives another value at each call.  slow: f takes a millisecond or more.
    """

    name: str
    kind: str
    x0: np.ndarray
    f: Function
    grad: Function
    clean: Function
    truth: Function
    parts: dict[str, Function] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    fresh: bool = False
    slow: bool = False


CASES: dict[str, Case] = {}


def case(
    kind: str,
    name: str,
    x0: Any,
    f: Function,
    *,
    grad: Function | None = None,
    clean: Function | None = None,
    truth: Function | None = None,
    parts: dict[str, Function] | None = None,
    **more: Any,
) -> None:
    """Register a case; by default grad is the reverse-mode gradient of `clean`, and `clean` is f itself."""
    x0 = np.array(x0, np.float32 if kind == "float32" else np.float64)
    clean = clean or f
    grad = grad or gradient(clean)
    if truth is None:
        truth = (lambda x: grad(x.astype(np.float64))) if kind == "float32" else grad
    name = f"{kind}/{name}"
    if name in CASES:
        raise ValueError(f"two cases are called {name}")
    as_value = np.float32 if kind == "float32" else float
    CASES[name] = Case(name, kind, x0, lambda x: as_value(f(x)), grad, clean, truth, parts or {}, **more)


def rng(text: str) -> np.random.Generator:
    """A random generator that depends on the text alone."""
    return np.random.default_rng(zlib.crc32(text.encode()))


@functools.cache
def data(text: str, *shape: int) -> np.ndarray:
    """Normal variates that single precision represents exactly; not to be written into."""
    values = rng(text).normal(size=shape).astype(np.float32).astype(float)
    values.flags.writeable = False
    return values


def cast(a: Any, x: Any) -> np.ndarray:
    """Constants in the precision of x."""
    return np.asarray(a, np.float32 if x.dtype == np.float32 else float)


# ---- gradients by reverse accumulation


class Var(NDArrayOperatorsMixin):
    """An array that remembers how it came about: numpy functions of it are recorded on a tape."""

    tape: ClassVar[list[Var]] = []

    def __init__(self, value: Any, *parents: tuple[Any, Callable]) -> None:
        self.value, self.adjoint = value, 0.0
        self.parents = [(var, pull) for var, pull in parents if isinstance(var, Var)]
        Var.tape.append(self)

    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: np.asarray(self.value).dtype)
    T = property(lambda self: Var(self.value.T, (self, lambda g: g.T)))

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key):
        def pull(g):
            whole = np.zeros_like(self.value)
            np.add.at(whole, key, g)
            return whole

        return Var(self.value[key], (self, pull))

    def reshape(self, *shape):
        return Var(self.value.reshape(*shape), (self, lambda g: g.reshape(self.shape)))

    def ravel(self):
        return self.reshape(-1)

    def sum(self, axis=None, keepdims=False):
        y = np.sum(self.value, axis=axis, keepdims=keepdims)
        spread = (lambda g: g) if axis is None or keepdims else (lambda g: np.expand_dims(g, axis))
        return Var(y, (self, lambda g: np.broadcast_to(spread(g), self.shape)))

    def mean(self, axis=None, keepdims=False):
        return self.sum(axis, keepdims) / (self.size if axis is None else self.shape[axis])

    def max(self, axis=None):
        if axis is None:
            return self.ravel()[int(np.argmax(self.value))]
        best = np.argmax(self.value, axis=axis)
        where = list(np.indices(best.shape))
        where.insert(axis % self.ndim, best)
        return self[tuple(where)]

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__" or kwargs:
            raise TypeError(f"no gradient of {ufunc.__name__}.{method} {kwargs}")
        values = [i.value if isinstance(i, Var) else i for i in inputs]
        y = ufunc(*values)
        if ufunc in NOT_RECORDED:
            return y
        pulls = PULLS[ufunc](y, *values)
        return Var(y, *((i, narrowed(pull, np.shape(v))) for i, pull, v in zip(inputs, pulls, values, strict=True)))

    def __array_function__(self, function, types, args, kwargs):
        return FUNCTIONS[function](*args, **kwargs)


def narrowed(pull, shape):
    """The pullback of an operand that was broadcast from `shape`."""

    def narrow(g):
        g = np.asarray(pull(g))
        g = g.sum(axis=tuple(range(g.ndim - len(shape))))
        return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] > 1), keepdims=True)

    return narrow


def unary(derivative):
    return lambda y, x: [lambda g: g * derivative(x, y)]


def matmul_pulls(y, a, b):
    if np.ndim(a) == 1 and np.ndim(b) == 1:
        return [lambda g: g * b, lambda g: g * a]
    if np.ndim(a) == 1:
        return [lambda g: b @ g, lambda g: np.outer(a, g)]
    if np.ndim(b) == 1:
        return [lambda g: np.outer(g, b), lambda g: a.T @ g]
    return [lambda g: g @ b.T, lambda g: a.T @ g]


NOT_RECORDED = {
    np.greater,
    np.less,
    np.greater_equal,
    np.less_equal,
    np.equal,
    np.not_equal,
    np.sign,
    np.floor,
    np.isfinite,
}
PULLS = {
    np.add: lambda y, a, b: [lambda g: g, lambda g: g],
    np.subtract: lambda y, a, b: [lambda g: g, lambda g: -g],
    np.multiply: lambda y, a, b: [lambda g: g * b, lambda g: g * a],
    np.divide: lambda y, a, b: [lambda g: g / b, lambda g: -g * y / b],
    np.power: lambda y, a, b: [lambda g: g * b * a ** (b - 1), lambda g: g * y * np.log(a)],
    np.maximum: lambda y, a, b: [lambda g: g * (a >= b), lambda g: g * (a < b)],
    np.minimum: lambda y, a, b: [lambda g: g * (a <= b), lambda g: g * (a > b)],
    np.logaddexp: lambda y, a, b: [lambda g: g * np.exp(a - y), lambda g: g * np.exp(b - y)],
    np.arctan2: lambda y, a, b: [lambda g: g * b / (a * a + b * b), lambda g: -g * a / (a * a + b * b)],
    np.hypot: lambda y, a, b: [lambda g: g * a / y, lambda g: g * b / y],
    np.matmul: matmul_pulls,
    np.negative: unary(lambda x, y: -1),
    np.absolute: unary(lambda x, y: np.sign(x)),
    np.exp: unary(lambda x, y: y),
    np.expm1: unary(lambda x, y: y + 1),
    np.log: unary(lambda x, y: 1 / x),
    np.log1p: unary(lambda x, y: 1 / (1 + x)),
    np.log10: unary(lambda x, y: 1 / (x * math.log(10))),
    np.sqrt: unary(lambda x, y: 0.5 / y),
    np.cbrt: unary(lambda x, y: 1 / (3 * y * y)),
    np.sin: unary(lambda x, y: np.cos(x)),
    np.cos: unary(lambda x, y: -np.sin(x)),
    np.tan: unary(lambda x, y: 1 + y * y),
    np.arcsin: unary(lambda x, y: 1 / np.sqrt((1 - x) * (1 + x))),
    np.arccos: unary(lambda x, y: -1 / np.sqrt((1 - x) * (1 + x))),
    np.arctan: unary(lambda x, y: 1 / (1 + x * x)),
    np.sinh: unary(lambda x, y: np.cosh(x)),
    np.cosh: unary(lambda x, y: np.sinh(x)),
    np.tanh: unary(lambda x, y: 1 / np.cosh(x) ** 2),
    np.arctanh: unary(lambda x, y: 1 / ((1 - x) * (1 + x))),
    np.arcsinh: unary(lambda x, y: 1 / np.hypot(1, x)),
    np.arccosh: unary(lambda x, y: 1 / np.sqrt((x - 1) * (x + 1))),
    special.gammaln: unary(lambda x, y: special.digamma(x)),
    special.expit: unary(lambda x, y: y * special.expit(-x)),
    special.erf: unary(lambda x, y: 2 / math.sqrt(math.pi) * np.exp(-x * x)),
    special.log_ndtr: unary(lambda x, y: np.exp(-0.5 * x * x - y) / math.sqrt(2 * math.pi)),
    special.ndtr: unary(lambda x, y: np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)),
}


def of_pieces(join):
    """Recorded concatenate or stack: the pieces are cut out of the adjoint again."""

    def recorded(pieces, axis=0):
        values = [p.value if isinstance(p, Var) else np.asarray(p) for p in pieces]
        y = join(values, axis=axis)
        if join is np.stack:
            cut = lambda k: lambda g: np.take(g, k, axis=axis)  # noqa: E731
        else:
            ends = np.cumsum([v.shape[axis] for v in values])
            cut = lambda k: lambda g: np.split(g, ends[:-1], axis=axis)[k]  # noqa: E731
        return Var(y, *((p, cut(k)) for k, p in enumerate(pieces)))

    return recorded


def recorded_where(condition, a, b):
    value = lambda v: v.value if isinstance(v, Var) else v  # noqa: E731
    pairs = [(a, lambda g: np.where(condition, g, 0)), (b, lambda g: np.where(condition, 0, g))]
    return Var(np.where(condition, value(a), value(b)), *((v, narrowed(pull, np.shape(value(v)))) for v, pull in pairs))


def recorded_inv(a):
    y = np.linalg.inv(a.value)
    return Var(y, (a, lambda g: -y.T @ g @ y.T))


def recorded_logdet(a):
    sign, y = np.linalg.slogdet(a.value)
    return sign, Var(y, (a, lambda g: g * np.linalg.inv(a.value).T))


def recorded_eigvalsh(a):
    y, v = np.linalg.eigh(a.value)
    return Var(y, (a, lambda g: (v * g) @ v.T))


def recorded_solve(a, b):
    """Of one right-hand side."""
    av, bv = (v.value if isinstance(v, Var) else v for v in (a, b))
    y = np.linalg.solve(av, bv)
    back = lambda g: np.linalg.solve(av.T, g)  # noqa: E731
    return Var(y, (a, lambda g: -np.outer(back(g), y)), (b, back))


FUNCTIONS = {
    np.sum: Var.sum,
    np.mean: Var.mean,
    np.max: Var.max,
    np.min: lambda x, axis=None: -(-x).max(axis),
    np.sort: lambda x: x[np.argsort(x.value)],
    np.diff: lambda x: x[1:] - x[:-1],
    np.cumsum: lambda x: Var(np.cumsum(x.value), (x, lambda g: np.cumsum(g[::-1])[::-1])),
    np.prod: lambda x: np.exp(np.sum(np.log(np.abs(x)))) * np.prod(np.sign(x.value)),
    np.outer: lambda a, b: a.reshape(-1, 1) * b.reshape(1, -1),
    np.trace: lambda a: a[np.arange(len(a)), np.arange(len(a))].sum(),
    np.concatenate: of_pieces(np.concatenate),
    np.stack: of_pieces(np.stack),
    np.where: recorded_where,
    np.linalg.norm: lambda x: np.sqrt(np.sum(x * x)),
    np.linalg.inv: recorded_inv,
    np.linalg.slogdet: recorded_logdet,
    np.linalg.eigvalsh: recorded_eigvalsh,
    np.linalg.solve: recorded_solve,
}


def gradient(f: Function) -> Function:
    """The gradient of a formula in numpy, in the precision of its argument."""

    def grad(x):
        tape = Var.tape = []
        root = Var(np.array(x))
        y = f(root)
        if isinstance(y, Var):
            y.adjoint = x.dtype.type(1)
            for node in reversed(tape):
                if np.any(node.adjoint):
                    for parent, pull in node.parents:
                        parent.adjoint = parent.adjoint + pull(node.adjoint)
        Var.tape = []
        return np.zeros_like(x) + np.asarray(root.adjoint, x.dtype)

    return grad


# ---- formulae used by several kinds


def rosenbrock(x):
    return 100 * np.sum((x[1:] - x[:-1] ** 2) ** 2) + np.sum((1 - x[:-1]) ** 2)


def styblinski(x):
    return 0.5 * np.sum(x**4 - 16 * x**2 + 5 * x)


def ackley(x):
    return 20 - 20 * np.exp(-0.2 * np.sqrt(np.mean(x * x))) - np.exp(np.mean(np.cos(2 * math.pi * x))) + math.e


def rastrigin(x):
    return np.sum(x * x - 10 * np.cos(2 * math.pi * x)) + 10 * len(x)


def griewank(x):
    c = np.cos(x / cast(np.sqrt(np.arange(1.0, len(x) + 1)), x))
    product = c[0]
    for factor in c[1:]:
        product = product * factor
    return np.sum(x * x) / 4000 - product + 1


def levy(x):
    w = 1 + (x - 1) / 4
    middle = np.sum((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2))
    return np.sin(math.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + np.sin(2 * math.pi * w[-1]) ** 2)


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def beale(x):
    a, b = x
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


def branin(x):
    a, b = x
    return (b - 0.129 * a * a + 1.59 * a - 6) ** 2 + 9.6 * np.cos(a) + 10


def goldstein(x):
    a, b = x
    first = 1 + (a + b + 1) ** 2 * (19 - 14 * a + 3 * a * a - 14 * b + 6 * a * b + 3 * b * b)
    return first * (30 + (2 * a - 3 * b) ** 2 * (18 - 32 * a + 12 * a * a + 48 * b - 36 * a * b + 27 * b * b))


def camel(x):
    a, b = x
    return (4 - 2.1 * a**2 + a**4 / 3) * a**2 + a * b + (4 * b**2 - 4) * b**2


def powell(x):
    a, b, c, d = x.reshape(-1, 4).T
    return np.sum((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4)


def dixon_price(x):
    return (x[0] - 1) ** 2 + np.sum(cast(np.arange(2.0, len(x) + 1), x) * (2 * x[1:] ** 2 - x[:-1]) ** 2)


def zakharov(x):
    s = np.sum(0.5 * cast(np.arange(1.0, len(x) + 1), x) * x)
    return np.sum(x * x) + s**2 + s**4


def michalewicz(x):
    return -np.sum(np.sin(x) * np.sin(cast(np.arange(1.0, len(x) + 1), x) * x**2 / math.pi) ** 20)


def trid(x):
    return np.sum((x - 1) ** 2) - np.sum(x[1:] * x[:-1])


def drop_wave(x):
    r = x @ x
    return -(1 + np.cos(12 * np.sqrt(r))) / (0.5 * r + 2)


def swing(x):
    """Gentle in every variable, with coupling: the carrier of noise, offsets and quantisation."""
    return np.sum(np.exp(0.3 * x) * np.cos(1.3 * x)) + 0.2 * np.sum(x[1:] * x[:-1]) + 0.1 * (x @ x)


def valley(x):
    return np.log(1 + x @ x) + np.sum(np.tanh(x) * cast(np.arange(1.0, len(x) + 1), x))


def bowl(x):
    return 0.5 * np.sum(cast(np.arange(1.0, len(x) + 1), x) * (x - 0.3) ** 2)


CARRIERS = {"swing": swing, "valley": valley, "bowl": bowl}


def at(name, d, spread=1.0):
    return spread * rng("at " + name).normal(size=d)


def unpack(x, sizes):
    """Weights and biases of a fully connected network, one after the other in x."""
    start = 0
    for n, m in itertools.pairwise(sizes):
        yield x[start : start + n * m].reshape(n, m), x[start + n * m : start + n * m + m]
        start += (n + 1) * m


def count(sizes):
    return sum((n + 1) * m for n, m in itertools.pairwise(sizes))


def network(x, inputs, sizes, act):
    h = cast(inputs, x)
    layers = list(unpack(x, sizes))
    for k, (w, b) in enumerate(layers):
        h = h @ w + b
        if k < len(layers) - 1:
            h = act(h)
    return h


def relu(h):
    return np.maximum(h, 0)


def logsumexp(z):
    top = z.max(axis=-1).reshape(-1, 1) if z.ndim == 2 else z.max()
    if z.ndim == 2:
        return np.log(np.sum(np.exp(z - top), axis=-1)) + top.ravel()
    return np.log(np.sum(np.exp(z - top))) + top


def squared(out, y):
    return np.mean((out.ravel() - y) ** 2)


def absolute(out, y):
    return np.mean(np.abs(out.ravel() - y))


def hinge(out, y):
    return np.mean(np.maximum(1 - np.sign(y) * out.ravel(), 0))


def entropy(out, y):
    return np.mean(np.logaddexp(-np.sign(y) * out.ravel(), 0))


def pinball(out, y, q=0.3):
    e = y - out.ravel()
    return np.mean(np.maximum(q * e, (q - 1) * e))


LOSSES = {"squared": squared, "absolute": absolute, "hinge": hinge, "entropy": entropy, "pinball": pinball}


def learner(tag, sizes, act, loss, rows):
    """The loss of a small network on its training data, and a starting point."""
    inputs, y = data(tag + " X", rows, sizes[0]), data(tag + " y", rows)
    widths = np.concatenate([np.full((n + 1) * m, 1 / math.sqrt(n)) for n, m in itertools.pairwise(sizes)])
    return (lambda x: LOSSES[loss](network(x, inputs, sizes, act), cast(y, x))), rng(tag).normal(
        size=count(sizes)
    ) * widths


# ---- smooth

for name, f, x0 in (
    ("rosenbrock2", rosenbrock, [-1.2, 1.0]),
    ("rosenbrock20", rosenbrock, at("rosenbrock20", 20)),
    ("rosenbrock300", rosenbrock, at("rosenbrock300", 300)),
    ("styblinski", styblinski, at("styblinski", 6, 2)),
    ("styblinski1000", styblinski, at("styblinski1000", 1000, 2)),
    ("ackley", ackley, at("ackley", 4, 2)),
    ("rastrigin", rastrigin, at("rastrigin", 5, 2)),
    ("griewank", griewank, at("griewank", 6, 40)),
    ("levy", levy, at("levy", 5, 3)),
    ("himmelblau", himmelblau, [1.3, -2.1]),
    ("beale", beale, [0.7, -1.1]),
    ("branin", branin, [2.2, 4.1]),
    ("goldstein", goldstein, [0.4, -0.7]),
    ("camel", camel, [1.1, -0.6]),
    ("powell", powell, at("powell", 8)),
    ("dixon_price", dixon_price, at("dixon", 9)),
    ("zakharov", zakharov, at("zakharov", 5)),
    ("michalewicz", michalewicz, [2.1, 1.4, 1.2, 1.8]),
    ("trid", trid, at("trid", 12, 5)),
    ("drop_wave", drop_wave, [0.7, -0.4]),
    ("swing", swing, at("swing", 7)),
    ("valley200", valley, at("valley200", 200)),
    ("linear_map", lambda x: data("linear", 11) @ x, at("linear", 11)),
    ("constant", lambda x: 2.5 + 0 * x[0], at("constant", 4)),
    ("affine_in_one", lambda x: np.exp(x[2]) + 3, at("affine", 5)),
    ("stationary", lambda x: np.sum(np.cosh(x)), 1e-7 * at("stationary", 5)),
    ("stationary_exact", lambda x: np.sum((x - 0.5) ** 2), [0.5, 0.5, 0.7]),
):
    case("smooth", name, x0, f)


def near_root(x):
    """himmelblau near (3, 2), without cancellation."""
    u, v = x - np.array([3.0, 2.0])
    return (u * u + 6 * u + v) ** 2 + (u + v * v + 4 * v) ** 2


case("smooth", "himmelblau_near_root", [3 + 1e-7, 2 - 1e-7], himmelblau, truth=gradient(near_root))

A = data("design", 50, 6)
COUNTS = rng("counts").poisson(2.0, 50).astype(float)
TIMES, DIED = np.exp(data("times", 50) / 2), (rng("died").random(50) < 0.7).astype(float)
RESPONSE = A @ np.arange(-2, 4) / 3 + 0.3 * data("response", 50)
CLASSES = np.eye(4)[rng("classes").integers(0, 4, 50)]
GRID = np.linspace(0, 1, 9)


def ridge(weight):
    return {"ridge": lambda x: weight * (x @ x)}


def logistic(x):
    return np.mean(np.logaddexp(-cast(np.sign(RESPONSE), x) * (cast(A, x) @ x), 0)) + 0.05 * (x @ x)


def poisson(x):
    z = cast(A, x) @ x
    return np.sum(np.exp(0.5 * z) - cast(COUNTS, x) * 0.5 * z)


def student(x):
    """Student-t regression: coefficients, log scale, log degrees of freedom."""
    nu = np.exp(x[7])
    e = (RESPONSE - A @ x[:6]) / np.exp(x[6])
    each = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu) - x[6]
    return -50 * each + (nu + 1) / 2 * np.sum(np.log1p(e * e / nu))


def mixture(x):
    means, logs, weights = x[:3], x[3:6], x[6:9]
    z = (RESPONSE.reshape(-1, 1) - means) / np.exp(logs)
    return 50 * logsumexp(weights) - np.sum(logsumexp(weights - logs - 0.5 * z * z))


def weibull(x):
    """Censored survival with covariates: log shape, log scale, coefficients."""
    shape = np.exp(x[0])
    z = shape * (np.log(TIMES) - x[1] - 0.3 * (A[:, :3] @ x[2:5]))
    return np.sum(np.exp(z)) - np.sum(DIED * (z + x[0]))


def cox(x):
    order = np.argsort(-TIMES)
    z = A[order] @ x
    return -np.sum(DIED[order] * (z - np.log(np.cumsum(np.exp(z)))))


def negative_binomial(x):
    r, mean = np.exp(x[6]), np.exp(0.3 * (A @ x[:6]))
    of_r = special.gammaln(COUNTS + r) - special.gammaln(r)
    return -np.sum(of_r + r * np.log(r / (r + mean)) + COUNTS * np.log(mean / (r + mean)))


def ordinal_probit(x):
    return -np.sum(special.log_ndtr(np.sign(RESPONSE) * (A @ x[:6] + x[6])))


def gaussian_process(x):
    """Negative log marginal likelihood: log amplitude, log length, log noise."""
    gaps = (GRID.reshape(-1, 1) - GRID) ** 2
    k = np.exp(2 * x[0]) * np.exp(-0.5 * gaps * np.exp(-2 * x[1])) + np.exp(2 * x[2]) * np.eye(9)
    y = np.sin(5 * GRID)
    return 0.5 * (y @ np.linalg.solve(k, y)) + 0.5 * np.linalg.slogdet(k)[1]


def softmax_regression(x):
    z = cast(A, x) @ x.reshape(6, 4)
    return np.mean(logsumexp(z)) - np.sum(cast(CLASSES, x) * z) / 50


def beta_likelihood(x):
    a, b = np.exp(x[0]), np.exp(x[1])
    p = special.expit(data("proportions", 20))
    norm = special.gammaln(a + b) - special.gammaln(a) - special.gammaln(b)
    return -20 * norm - np.sum((a - 1) * np.log(p) + (b - 1) * np.log(1 - p))


case("smooth", "logistic", at("logistic", 6), logistic, parts=ridge(0.05))
case("smooth", "poisson", at("poisson", 6, 0.5), poisson)
case("smooth", "student", at("student", 8, 0.7), student)
case("smooth", "mixture", at("mixture", 9), mixture)
case("smooth", "weibull", at("weibull", 5, 0.5), weibull)
case("smooth", "cox", at("cox", 6, 0.5), cox)
case("smooth", "negative_binomial", at("negbin", 7, 0.5), negative_binomial)
case("smooth", "probit", at("probit", 7), ordinal_probit)
case("smooth", "gaussian_process", [0.2, -1.1, -1.5], gaussian_process)
case("smooth", "gaussian_process_stiff", [0.2, 0.3, -4.5], gaussian_process)
case("smooth", "softmax_regression", at("softmax", 24), softmax_regression, shape=(6, 4))
case("smooth", "beta_likelihood", [0.4, -0.3], beta_likelihood)


def spd(x, n, base=2.0):
    m = x.reshape(n, n)
    return m @ m.T + base * np.eye(n)


def exponential(m, squarings=4, terms=12):
    """A matrix exponential: Taylor on m/16, squared four times; differentiable as it stands."""
    n = len(m)
    scaled, term, total = m / 2**squarings, np.eye(n), np.eye(n)
    for k in range(1, terms):
        term = term @ scaled / k
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total


B4, B5 = data("B4", 4, 4), data("B5", 5, 5)
MATRICES = {
    "logdet": (16, lambda x: np.linalg.slogdet(spd(x, 4))[1]),
    "inverse_trace": (16, lambda x: np.sum(B4 * np.linalg.inv(spd(x, 4)))),
    "solve": (16, lambda x: B4[0] @ np.linalg.solve(spd(x, 4), B4[1])),
    "expm": (16, lambda x: np.sum(B4 * exponential(x.reshape(4, 4)))),
    "top_eigenvalues": (
        16,
        lambda x: np.linalg.eigvalsh(x.reshape(4, 4) + x.reshape(4, 4).T) @ np.array([0, 0, 1.0, 3.0]),
    ),
    "nuclear_norm": (15, lambda x: np.sum(np.sqrt(np.linalg.eigvalsh(x.reshape(3, 5) @ x.reshape(3, 5).T)))),
    "factorisation": (20, lambda x: np.sum((x[:10].reshape(5, 2) @ x[10:].reshape(2, 5) - B5) ** 2) + 0.1 * (x @ x)),
    "rayleigh": (5, lambda x: (x @ (B5 + B5.T) @ x) / (x @ x)),
    "quadratic_form": (5, lambda x: x @ B5 @ x),
    "cubic_form": (16, lambda x: np.trace(x.reshape(4, 4) @ x.reshape(4, 4) @ x.reshape(4, 4))),
    "orthogonality": (16, lambda x: np.sum((x.reshape(4, 4).T @ x.reshape(4, 4) - np.eye(4)) ** 2)),
}
for name, (d, f) in MATRICES.items():
    shape = (3, 5) if d == 15 else (4, 4) if d == 16 else None
    case("smooth", f"matrix_{name}", at(name, d), f, shape=shape, parts=ridge(0.1) if name == "factorisation" else None)


def pairs(x, dimension=3):
    """Squared distances of all pairs of points."""
    p = x.reshape(-1, dimension)
    i, j = np.triu_indices(len(p), 1)
    return np.sum((p[i] - p[j]) ** 2, axis=-1)


def lennard_jones(x):
    inverse = 1 / pairs(x) ** 3
    return 4 * np.sum(inverse * inverse - inverse)


def springs(x):
    return 0.5 * np.sum((np.sqrt(pairs(x, 2)) - 1) ** 2) + 0.1 * np.sum(x[1::2])


def scaling(x):
    return np.sum((pairs(x, 2) - cast(1 + data("distances", 15) ** 2, x)) ** 2)


def rotation(x):
    """Alignment of points turned by a quaternion that need not be of unit length."""
    w, a, b, c = x / np.sqrt(x @ x)
    rows = [
        np.stack([1 - 2 * (b * b + c * c), 2 * (a * b - c * w), 2 * (a * c + b * w)]),
        np.stack([2 * (a * b + c * w), 1 - 2 * (a * a + c * c), 2 * (b * c - a * w)]),
        np.stack([2 * (a * c - b * w), 2 * (b * c + a * w), 1 - 2 * (a * a + b * b)]),
    ]
    return np.sum((data("cloud", 8, 3) @ np.stack(rows) - data("turned", 8, 3)) ** 2)


def arm(x):
    angles = np.cumsum(x)
    return (np.sum(np.cos(angles)) - 1.3) ** 2 + (np.sum(np.sin(angles)) - 0.4) ** 2


def kepler_energy(x):
    return 0.5 * np.sum(x[2:] ** 2) - 1 / np.sqrt(x[0] ** 2 + x[1] ** 2)


def attention(x):
    q, k, v = (x[12 * i : 12 * i + 12].reshape(3, 4) for i in range(3))
    tokens = cast(data("tokens", 5, 3), x)
    scores = (tokens @ q) @ (tokens @ k).T * 0.5
    p = np.exp(scores - logsumexp(scores).reshape(-1, 1))
    return np.mean((p @ (tokens @ v) - cast(data("wanted", 5, 4), x)) ** 2)


def recurrent(x):
    w, u, out = x[:16].reshape(4, 4), x[16:20], x[20:24]
    h, loss = cast(np.zeros(4), x), 0
    for s, y in zip(data("series", 8), data("echo", 8), strict=True):
        h = np.tanh(w @ h + u * float(s))
        loss = loss + (out @ h - float(y)) ** 2
    return loss


def layer_norm(x):
    z = x.reshape(4, 5)
    centred = z - z.mean(axis=-1, keepdims=True)
    return np.sum(data("ln", 4, 5) * centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + 1e-5))


def convolution(x):
    signal, kernel = cast(data("signal", 30), x), x[:5]
    out = signal[:26] * kernel[0]
    for k in range(1, 5):
        out = out + signal[k : 26 + k] * kernel[k]
    return np.mean(np.tanh(out + x[5]) ** 2)


def gelu(h):
    return 0.5 * h * (1 + special.erf(h / math.sqrt(2)))


def silu(h):
    return h * special.expit(h)


LATTICE = np.array([[i, j, k] for i in (0, 1.1) for j in (0, 1.2) for k in (0, 1.15)][:5]).ravel()
case("smooth", "lennard_jones", LATTICE + 0.05 * data("lattice", 15), lennard_jones, shape=(5, 3))
case("smooth", "springs", at("springs", 12, 1.5), springs, shape=(6, 2))
case("smooth", "multidimensional_scaling", at("scaling", 12), scaling, shape=(6, 2))
case("smooth", "rotation", at("rotation", 4), rotation)
case("smooth", "arm", at("arm", 6, 0.5), arm)
case("smooth", "kepler_energy", [0.6, -0.3, 0.4, 1.1], kepler_energy)
case("smooth", "attention", at("attention", 36), attention)
case("smooth", "recurrent", at("recurrent", 24, 0.7), recurrent)
case("smooth", "layer_norm", at("layer_norm", 20), layer_norm, shape=(4, 5))
case("smooth", "convolution", at("convolution", 6, 0.5), convolution)
for name, act in {"tanh": np.tanh, "gelu": gelu, "silu": silu, "sine": np.sin}.items():
    f, x0 = learner(f"net {name}", (3, 6, 4, 1), act, "squared", 20)
    case("smooth", f"net_{name}", x0, f)

SPECIAL = {  # f, f', a range that is in the domain
    "digamma": (special.digamma, lambda x: special.polygamma(1, x), (0.3, 9)),
    "i0": (special.i0, special.i1, (-4, 4)),
    "i1e": (special.i1e, lambda x: special.i0e(x) - special.i1e(x) * (1 / x + 1), (0.5, 8)),
    "k0": (special.k0, lambda x: -special.k1(x), (0.1, 6)),
    "j0": (special.j0, lambda x: -special.j1(x), (-12, 12)),
    "expi": (special.expi, lambda x: np.exp(x) / x, (0.2, 5)),
    "exp1": (special.exp1, lambda x: -np.exp(-x) / x, (0.1, 5)),
    "ndtr": (special.ndtr, lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi), (-5, 3)),
    "log_ndtr": (
        special.log_ndtr,
        lambda x: np.exp(-x * x / 2 - special.log_ndtr(x)) / math.sqrt(2 * math.pi),
        (-30, 3),
    ),
    "erfinv": (special.erfinv, lambda y: math.sqrt(math.pi) / 2 * np.exp(special.erfinv(y) ** 2), (-0.95, 0.95)),
    "ndtri": (special.ndtri, lambda p: math.sqrt(2 * math.pi) * np.exp(special.ndtri(p) ** 2 / 2), (0.01, 0.99)),
    "spence": (special.spence, lambda x: np.log(x) / (1 - x), (0.1, 4)),
    "sinint": (lambda x: special.sici(x)[0], lambda x: np.sin(x) / x, (0.2, 12)),
    "gammainc": (lambda x: special.gammainc(2.5, x), lambda x: x**1.5 * np.exp(-x) / special.gamma(2.5), (0.1, 9)),
    "betainc": (
        lambda x: special.betainc(2, 3.5, x),
        lambda x: x * (1 - x) ** 2.5 / special.beta(2, 3.5),
        (0.05, 0.95),
    ),
    "hyp2f1": (
        lambda x: special.hyp2f1(0.5, 1.2, 2.3, x),
        lambda x: 0.6 / 2.3 * special.hyp2f1(1.5, 2.2, 3.3, x),
        (-2, 0.8),
    ),
    "hyp1f1": (lambda x: special.hyp1f1(0.7, 1.9, x), lambda x: 0.7 / 1.9 * special.hyp1f1(1.7, 2.9, x), (-4, 4)),
    "ellipe": (special.ellipe, lambda m: (special.ellipe(m) - special.ellipk(m)) / (2 * m), (0.05, 0.95)),
    "legendre": (
        lambda x: special.eval_legendre(9, x),
        lambda x: np.polynomial.legendre.Legendre.basis(9).deriv()(x),
        (-0.9, 0.9),
    ),
    "struve": (lambda x: special.struve(0, x), lambda x: 2 / math.pi - special.struve(1, x), (0.2, 9)),
}
for name, (f, slope, (low, high)) in SPECIAL.items():
    where = rng(f"special {name}").uniform(low, high, 5)
    case(
        "smooth",
        f"special_{name}",
        where,
        lambda x, f=f: np.sum(f(x)),
        grad=lambda x, slope=slope: np.asarray(slope(x)),
    )


def clenshaw(x, coefficients):
    """A Chebyshev series."""
    b1 = b2 = 0
    for c in coefficients[:0:-1]:
        b1, b2 = c + 2 * x * b1 - b2, b1
    return coefficients[0] + x * b1 - b2


def horner(x, coefficients):
    y = coefficients[0] + 0 * x
    for c in coefficients[1:]:
        y = y * x + c
    return y


for degree in 5, 20, 60:
    series = rng(f"series {degree}").normal(size=degree).tolist()
    place = rng(f"place {degree}").uniform(-0.95, 0.95, 4)
    case("smooth", f"chebyshev_{degree}", place, lambda x, c=series: np.sum(clenshaw(x, c)))
WILKINSON = np.poly(np.arange(1.0, 13)).tolist()
case("smooth", "wilkinson12", [1.31, 4.7, 0.2], lambda x: np.sum(horner(x, WILKINSON)))
case("smooth", "power30", [0.7, 1.1, -0.9], lambda x: np.sum(x**30))

for level in 5, 12, 20, 30:
    where = level * np.array([1.0, -0.9, 0.8, -1.1])
    case("smooth", f"saturated_sigmoid_{level}", where, lambda x: np.sum(special.expit(x)))
    case("smooth", f"softplus_{level}", where, lambda x: np.sum(np.logaddexp(x, 0)))
case("smooth", "saturated_mixed", [0.3, 14.0, -17.0, 40.0], lambda x: np.sum(np.tanh(x) * np.arange(1.0, 5)))


def runge_kutta(rhs, y, h, steps):
    for _ in range(steps):
        k1 = rhs(y)
        k2 = rhs(y + h / 2 * k1)
        k3 = rhs(y + h / 2 * k2)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + rhs(y + h * k3))
    return y


def euler(rhs, y, h, steps):
    for _ in range(steps):
        y = y + h * rhs(y)
    return y


def pendulum(p):
    return lambda y: np.stack([y[1], -p[0] * np.sin(y[0]) - p[1] * y[1]])


def van_der_pol(p):
    return lambda y: np.stack([y[1], p[0] * (1 - y[0] ** 2) * y[1] - p[1] * y[0]])


def epidemic(p):
    return lambda y: np.stack([-p[0] * y[0] * y[1], p[0] * y[0] * y[1] - p[1] * y[1]])


SYSTEMS = {  # right-hand side, parameters, initial state, end
    "pendulum": (pendulum, [2.1, 0.2], [1.2, 0.1], 3.0),
    "van_der_pol": (van_der_pol, [1.3, 0.9], [1.5, -0.4], 4.0),
    "epidemic": (epidemic, [1.7, 0.6], [0.95, 0.05], 5.0),
}


def by_steps(method, name, steps):
    rhs, _, start, end = SYSTEMS[name]

    def f(p):
        y = method(rhs(p), np.array(start), end / steps, steps)
        return (y[0] - 0.4) ** 2 + y[1]

    return f


for name, (_, parameters, _, _) in SYSTEMS.items():
    case("smooth", f"runge_kutta_{name}", parameters, by_steps(runge_kutta, name, 8))
    case("smooth", f"euler_{name}", parameters, by_steps(euler, name, 25))


def newton_unrolled(x):
    y = 1.0 + 0 * x[0]
    for _ in range(4):
        y = y - (y**3 + x[0] * y - x[1]) / (3 * y * y + x[0])
    return y * y


def sinkhorn(x):
    """Transport cost after five balancing sweeps."""
    k, v = np.exp(-x.reshape(4, 3)), np.ones(3)
    for _ in range(5):
        u = 0.25 / (k @ v)
        v = (1 / 3) / (k.T @ u)
    return np.sum(u.reshape(-1, 1) * k * v * x.reshape(4, 3))


case("smooth", "newton_unrolled", [1.4, 3.0], newton_unrolled)
case("smooth", "sinkhorn", rng("sinkhorn").random(12) * 2, sinkhorn, shape=(4, 3))
case(
    "smooth",
    "trapezium",
    [0.7, 1.9],
    lambda x: np.mean(np.exp(-x[0] * np.linspace(0, 1, 41)) * np.sin(x[1] * np.linspace(0, 1, 41))),
)

# ---- scaled: variables, partials or values of very different size

SCALES = {
    "1e-12_1e12": 10.0 ** np.array([-12, -6, 0, 6, 12]),
    "1e-3_1e9": 10.0 ** np.array([-3, 0, 3, 6, 9]),
    "1e-15_1e-3": 10.0 ** np.array([-15, -12, -9, -6, -3]),
    "1e5_1e20": 10.0 ** np.array([5, 20, 10, 15, 7]),
}
for label, scale in SCALES.items():
    for name, f in {"swing": swing, "valley": valley, "rosenbrock": rosenbrock}.items():
        case("scaled", f"units_{name}_{label}", scale * at(f"units {name}", 5), lambda x, f=f, s=scale: f(x / s))
for scale in (1e-3, 1e-5, 1e-7, 1e-9, 1e-12):
    phase = np.array([0.3, -1.0, 2.0])
    case("scaled", f"origin_{scale:g}", np.zeros(3), lambda x, s=scale, a=phase: np.sum(np.sin(x / s + a)))
    case(
        "scaled",
        f"origin_rational_{scale:g}",
        np.zeros(2),
        lambda x, s=scale: 1 / (1 + (x[0] / s - 0.4) ** 2) + x[1] / s,
    )
for size in (1e6, 1e9, 1e12, 1e15):
    centre = size + np.array([0.5, -1.0, 2.0, 1.25])
    case(
        "scaled", f"far_{size:g}", centre, lambda x, c=size: swing(x - c), grad=lambda x, c=size: gradient(swing)(x - c)
    )
for size in (1e-300, 1e-150, 1e-40, 1e60, 1e200, 1e300):
    case("scaled", f"values_{size:g}", at("values", 4), lambda x, s=size: s * swing(x))
case("scaled", "subnormal_gradient", [0.4, -0.7, 1.2], lambda x: 1e-308 * np.sum(np.sin(x) * np.array([1, 1e-2, 1e-4])))
for ratio in (1e-4, 1e-7, 1e-10, 1e-13):
    case(
        "scaled",
        f"weak_entry_{ratio:g}",
        [0.4, -0.7, 1.2],
        lambda x, r=ratio: 100 * np.exp(x[0] * x[1]) + r * np.sin(x[2]),
    )
case(
    "scaled",
    "weak_entry_of_many",
    at("weak", 12),
    lambda x: 1e6 * np.sum(np.cos(x[:11])) + 1e-3 * np.sin(x[11]) + 1e-8 * x[10],
)
BOLTZMANN, PLANCK, LIGHT, GRAVITY, CHARGE = 1.380649e-23, 6.62607015e-34, 299792458.0, 6.6743e-11, 1.602176634e-19


def planck(x):
    wavelength, kelvin = x
    return 2 * PLANCK * LIGHT**2 / wavelength**5 / np.expm1(PLANCK * LIGHT / (wavelength * BOLTZMANN * kelvin))


def diode(x):
    saturation, volt, ideality, kelvin = x
    return saturation * np.expm1(CHARGE * volt / (ideality * BOLTZMANN * kelvin))


def van_der_waals(x):
    mole, volume, kelvin, a, b = x
    return mole * 8.314462618 * kelvin / (volume - mole * b) - a * (mole / volume) ** 2


PHYSICS = {
    "planck": ([5.5e-7, 5800.0], planck),
    "diode": ([1e-12, 0.62, 1.4, 300.0], diode),
    "van_der_waals": ([2.0, 0.03, 310.0, 0.364, 4.27e-5], van_der_waals),
    "arrhenius": ([1e13, 8.2e4, 400.0], lambda x: x[0] * np.exp(-x[1] / (8.314462618 * x[2]))),
    "orbit": ([5.97e24, 6.78e6, 7660.0, 420.0], lambda x: x[3] * (0.5 * x[2] ** 2 - GRAVITY * x[0] / x[1])),
    "coulomb": ([1.6e-19, -1.6e-19, 5.3e-11], lambda x: 8.9875517873e9 * x[0] * x[1] / x[2]),
    "debye": ([8.85e-12, 300.0, 1e20], lambda x: np.sqrt(x[0] * BOLTZMANN * x[1] / (x[2] * CHARGE**2))),
    "powers": ([3e2, 4e-3, 50.0], lambda x: x[0] ** 20 * x[1] ** -15 / x[2] ** 7),
    "exponents": (
        [620.0, -640.0, 3.0],
        lambda x: np.exp(x[0]) * np.exp(x[1]) * np.exp(x[2]) + 1e-9 * np.exp(0.03 * x[1]),
    ),
    "logs": ([1e-200, 1e150, 1e-5], lambda x: np.sum(np.log(x) ** 2)),
}
for name, (x0, f) in PHYSICS.items():
    case("scaled", f"physics_{name}", x0, f)
ROTATED = np.linalg.qr(data("rotated", 6, 6))[0]
case(
    "scaled",
    "ill_conditioned",
    at("ill", 6),
    lambda x: 0.5 * np.sum(10.0 ** np.arange(-8, 9, 3) * (ROTATED @ x) ** 2),
)
for spread in (6, 12):
    weights = 10.0 ** np.linspace(-spread, spread, 40)
    case("scaled", f"partials_1e±{spread}", at("partials", 40), lambda x, w=weights: np.sum(np.sin(x) * w))

# ---- offset

for size in (1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e14):
    case("offset", f"swing_{size:g}", at("offset swing", 5), lambda x, c=size: c + swing(x), clean=swing)
for size in (1e3, 1e7, 1e11):
    for name, f in {"bowl": bowl, "rosenbrock": rosenbrock, "styblinski": styblinski}.items():
        case("offset", f"{name}_{size:g}", at(f"offset {name}", 6), lambda x, c=size, f=f: f(x) - c, clean=f)
case("offset", "logistic_1e9", at("logistic", 6), lambda x: 1e9 + logistic(x), clean=logistic, parts=ridge(0.05))
case("offset", "by_variable", [3e3, 0.4, -0.8, 1.1], lambda x: x[0] ** 4 + swing(x[1:]))
case("offset", "by_penalty", at("penalty", 5), lambda x: 1e7 * np.sum((x - 2) ** 2) + swing(x))
case("offset", "product", [0.4, 1.3, -0.2], lambda x: (1e5 + swing(x)) * (1e4 - bowl(x)))
case("offset", "wide", at("wide", 400), lambda x: 1e9 + valley(x), clean=valley)

# ---- cancel: f is far noisier than its size says; the gradients are stable formulae


def series(*terms):
    """sum of c x^k, elementwise."""
    return lambda x: sum(c * x**k for c, k in terms)


NAIVE = {  # formula of each entry, stable derivative, points
    "one_minus_cos": (
        lambda x: (1 - np.cos(x)) / x**2,
        series((-1 / 12, 1), (1 / 180, 3), (-1 / 6720, 5)),
        [[1e-2, -2e-2], [1e-5, 3e-5], [1e-8, -4e-7]],
    ),
    "x_minus_sin": (
        lambda x: (x - np.sin(x)) / x**3,
        series((-1 / 60, 1), (1 / 1260, 3), (-1 / 60480, 5)),
        [[2e-2, -1e-2], [1e-3, 4e-4]],
    ),
    "log_over_x": (
        lambda x: np.log(1 + x) / x,
        series((-1 / 2, 0), (2 / 3, 1), (-3 / 4, 2), (4 / 5, 3), (-5 / 6, 4), (6 / 7, 5)),
        [[1e-3, -1e-3], [1e-6, 5e-6], [1e-9, 3e-9]],
    ),
    "exp_second": (
        lambda x: (np.exp(x) - 1 - x) / x**2,
        series((1 / 6, 0), (1 / 12, 1), (1 / 40, 2), (1 / 180, 3), (1 / 1008, 4), (1 / 6720, 5)),
        [[5e-3, -7e-3], [1e-4, -3e-5]],
    ),
    "sqrt_minus_1": (
        lambda x: (np.sqrt(1 + x) - 1) / x,
        lambda x: -0.5 / (np.sqrt(1 + x) * (np.sqrt(1 + x) + 1) ** 2),
        [[1e-4, -1e-4], [1e-7, 2e-8]],
    ),
    "reciprocals": (
        lambda x: 1 / x - 1 / (x + 1),
        lambda x: -(2 * x + 1) / (x * (x + 1)) ** 2,
        [[1e3, 2e3], [1e5, 3e6]],
    ),
    "ninth_power": (
        lambda x: horner(x, [1, -18, 144, -672, 2016, -4032, 5376, -4608, 2304, -512]),
        lambda x: 9 * (x - 2) ** 8,
        [[2.4, 1.5], [2.08, 1.9]],
    ),
    "tan_minus_sin": (
        lambda x: (np.tan(x) - np.sin(x)) * 1e6,
        lambda x: 2e6 * np.sin(x / 2) ** 2 * (1 + np.cos(x) + np.cos(x) ** 2) / np.cos(x) ** 2,
        [[1e-2, -3e-2], [1e-4, 2e-4]],
    ),
    "log_one_minus_exp": (lambda x: np.log(1 - np.exp(-x)), lambda x: 1 / np.expm1(x), [[1e-4, 3e-5], [1e-8, 1e-2]]),
    "softplus": (lambda x: np.log(1 + np.exp(x)), lambda x: special.expit(x), [[-20.0, -24.0], [-31.0, -12.0]]),
    "cosh_minus_sinh": (lambda x: np.cosh(x) - np.sinh(x), lambda x: -np.exp(-x), [[5.0, 8.0], [12.0, 14.0]]),
    "taylor_exp": (
        lambda x: horner(x, [(-1) ** k / math.factorial(k) for k in range(80, -1, -1)]),
        lambda x: -np.exp(-x),
        [[6.0, 9.0]],
    ),
    "large_angle": (lambda x: np.hypot(x, 1e8) - 1e8, lambda x: x / np.hypot(x, 1e8), [[3e3, -7e4]]),
    "third_difference": (
        lambda x: (x + 1) ** 4 - 4 * x**4 + 6 * (x - 1) ** 4 - 4 * (x - 2) ** 4 + (x - 3) ** 4,
        lambda x: 0 * x,
        [[20.0, 40.0]],
    ),
}
for name, (f, slope, points) in NAIVE.items():
    for k, x0 in enumerate(points):
        case("cancel", f"{name}_{k}", x0, lambda x, f=f: np.sum(f(x)), grad=slope)


def centred(x):
    """x less its mean, without loss of digits."""
    near = x - x[0]
    return near - np.mean(near)


for size in (1e2, 1e4, 1e7):
    around = size + data("around", 7)
    case(
        "cancel",
        f"variance_{size:g}",
        around,
        lambda x: np.sum(x * x) - np.sum(x) ** 2 / 7,
        grad=lambda x: 2 * centred(x),
    )
    case(
        "cancel",
        f"covariance_{size:g}",
        around,
        lambda x: np.mean(x[:-1] * x[1:]) - np.mean(x[:-1]) * np.mean(x[1:]),
        grad=lambda x: np.append(centred(x[1:]), 0) / 6 + np.append(0, centred(x[:-1])) / 6,
    )
TARGET = A[:20] @ np.array([0.5, -1.0, 0.2, 0.8, -0.3, 0.1])
case(
    "cancel",
    "normal_equations",
    np.array([0.5, -1.0, 0.2, 0.8, -0.3, 0.1]) + 1e-4 * data("close", 6),
    lambda x: x @ (A[:20].T @ A[:20]) @ x - 2 * (A[:20].T @ TARGET) @ x + TARGET @ TARGET,
    clean=lambda x: np.sum((A[:20] @ x - TARGET) ** 2),
)
case(
    "cancel",
    "quadratic_root",
    [1.0, 3e4, 2.0],
    lambda x: (-x[1] + np.sqrt(x[1] ** 2 - 4 * x[0] * x[2])) / (2 * x[0]),
    grad=gradient(lambda x: -2 * x[2] / (x[1] + np.sqrt(x[1] ** 2 - 4 * x[0] * x[2]))),
)
case("cancel", "determinant", [1e6, 1e6 + 1, 1e6 - 1, 1e6], lambda x: x[0] * x[3] - x[1] * x[2])
case(
    "cancel",
    "small_angle",
    [0.8, 3e-5],
    lambda x: np.arccos(x[0] / np.sqrt(x @ x)),
    grad=lambda x: np.array([-x[1], x[0]]) / (x @ x),
)
case(
    "cancel",
    "great_circle",
    [0.7, 0.3, 0.70002, 0.30003],
    lambda x: np.arccos(np.sin(x[0]) * np.sin(x[2]) + np.cos(x[0]) * np.cos(x[2]) * np.cos(x[1] - x[3])),
    grad=gradient(
        lambda x: (
            2
            * np.arcsin(
                np.sqrt(np.sin((x[0] - x[2]) / 2) ** 2 + np.cos(x[0]) * np.cos(x[2]) * np.sin((x[1] - x[3]) / 2) ** 2)
            )
        )
    ),
)
case(
    "cancel",
    "heron_needle",
    [1.0, 1.0, 1e-4],
    lambda x: np.sqrt((x[0] + x[1] + x[2]) * (x[1] + x[2] - x[0]) * (x[0] + x[2] - x[1]) * (x[0] + x[1] - x[2])) / 4,
)
# ---- float32: data, point, value and gradient in single precision

NETS = (
    ((3, 4, 1), "squared", 20), ((5, 8, 1), "squared", 30), ((4, 6, 5, 1), "squared", 20),
    ((8, 16, 1), "squared", 40), ((6, 8, 8, 1), "squared", 25), ((2, 20, 1), "absolute", 30),
    ((10, 5, 1), "hinge", 40), ((3, 8, 8, 8, 1), "squared", 20), ((4, 10, 1), "entropy", 30),
    ((5, 12, 6, 1), "pinball", 25), ((12, 10, 1), "squared", 200), ((3, 5, 1), "absolute", 15),
    ((7, 7, 7, 1), "entropy", 50), ((2, 6, 1), "squared", 500),
)  # fmt: skip
for k, (sizes, loss, rows) in enumerate(NETS):
    f, x0 = learner(f"relu net {k}", sizes, relu, loss, rows)
    case("float32", f"relu_{'x'.join(map(str, sizes))}_{loss}", x0, f)
for name, act in {"tanh": np.tanh, "silu": silu, "sine": np.sin}.items():
    f, x0 = learner(f"single {name}", (4, 6, 1), act, "squared", 20)
    case("float32", f"net_{name}", x0, f)
for name, f, x0 in (
    ("rosenbrock", rosenbrock, at("single rosenbrock", 8)),
    ("styblinski", styblinski, at("single styblinski", 6, 2)),
    ("ackley", ackley, at("single ackley", 5)),
    ("rastrigin", rastrigin, at("single rastrigin", 4)),
    ("griewank", griewank, at("single griewank", 5, 20)),
    ("levy", levy, at("single levy", 5, 2)),
    ("beale", beale, [0.7, -1.1]),
    ("zakharov", zakharov, at("single zakharov", 5)),
    ("powell", powell, at("single powell", 8)),
    ("swing", swing, at("single swing", 7)),
    ("valley200", valley, at("single valley", 200)),
    ("bowl", bowl, at("single bowl", 6)),
    ("poisson", poisson, at("single poisson", 6, 0.5)),
    ("logistic", logistic, at("single logistic", 6)),
    ("attention", attention, at("single attention", 36)),
    ("recurrent", recurrent, at("single recurrent", 24, 0.5)),
    ("convolution", convolution, at("single convolution", 6, 0.5)),
    ("softmax_regression", softmax_regression, at("single softmax", 24)),
    ("lennard_jones", lennard_jones, LATTICE + 0.05 * data("lattice", 15)),
    ("springs", springs, at("single springs", 12, 1.5)),
    ("scaling", scaling, at("single scaling", 12)),
    ("offset_100", lambda x: 100 + swing(x), at("single offset", 5)),
    ("offset_1e5", lambda x: 1e5 + swing(x), at("single offset", 5)),
    ("units", lambda x: swing(x / cast([1e-4, 1, 1e3, 1e6], x)), np.array([1e-4, 1, 1e3, 1e6]) * at("single units", 4)),
    ("values_1e-20", lambda x: swing(x) * 1e-20, at("single values", 4)),
    ("values_1e20", lambda x: swing(x) * 1e20, at("single values", 4)),
    ("log_softplus", lambda x: np.sum(np.log(np.logaddexp(x, 0))), at("single softplus", 5, 3)),
    ("quartic", lambda x: np.mean((x * x - cast([0.5, 1, 2, 3], x)) ** 2), at("single quartic", 4)),
    ("naive_variance", lambda x: np.mean(x * x) - np.mean(x) ** 2, 30 + at("single variance", 6)),
    ("abs_near_kink", lambda x: np.sum(np.abs(x)) + 0.5 * (x @ x), [3e-4, -0.3, 1.2, -2e-5]),
    ("median", lambda x: np.sort(x)[4] + 0.1 * (x @ x), at("single median", 9)),
    ("max_pool", lambda x: np.sum(x.reshape(5, 4).max(axis=-1) ** 2), at("single pool", 20)),
    ("log_near_edge", lambda x: np.sum(np.log(x)), [2e-3, 0.4, 5.0]),
    ("sin_60", lambda x: np.sum(np.sin(60 * x)), at("single sine", 4)),
):
    case("float32", name, x0, f)

# ---- noisy: reproducible noise of many sources


def hashed(x, size):
    """Noise between -size and size that depends on every bit of x."""
    return size * (2 * zlib.crc32(np.ascontiguousarray(x).tobytes()) / 2**32 - 1)


for size in (1e-13, 1e-11, 1e-8, 1e-7, 1e-5, 1e-4, 1e-2):
    for name, f in CARRIERS.items():
        d = {"swing": 5, "valley": 3, "bowl": 8}[name]
        if (name == "swing") or size in (1e-11, 1e-7, 1e-4):
            case(
                "noisy",
                f"hash_{name}_{size:g}",
                at(f"hash {name}", d),
                lambda x, f=f, s=size: f(x) + hashed(x, s),
                clean=f,
            )
for size in (1e-10, 1e-6, 1e-3):
    case("noisy", f"relative_{size:g}", at("relative", 4), lambda x, s=size: bowl(x) * (1 + hashed(x, s)), clean=bowl)
case("noisy", "hash_wide", at("noise wide", 250), lambda x: valley(x) + hashed(x, 1e-9), clean=valley)
case("noisy", "hash_in_one", at("hash one", 4), lambda x: swing(x) + hashed(x[2:3], 1e-7), clean=swing)
for digits in (2, 4, 8, 11):
    case(
        "noisy",
        f"rounded_{digits}_decimals",
        at("rounded", 4),
        lambda x, k=digits: round(float(swing(x)), k),
        clean=swing,
    )
for digits in (5, 9):
    case(
        "noisy",
        f"printed_{digits}_digits",
        at("printed", 4),
        lambda x, k=digits: float(f"{float(bowl(x)):.{k}g}"),
        clean=bowl,
    )


def through(dtype, f):
    """f of x in lower precision, the sum in double."""
    return lambda x: f(x.astype(dtype).astype(float))


case("noisy", "value_float16", at("halved", 4), lambda x: float(np.float16(bowl(x))), clean=bowl)
case("noisy", "value_float32", at("halved", 4), lambda x: float(np.float32(bowl(x))), clean=bowl)
for name, dtype in {"float16": np.float16, "float32": np.float32}.items():
    exact = at("through", 4).astype(dtype).astype(float)
    case("noisy", f"argument_{name}", exact, through(dtype, swing), clean=swing)
    case(
        "noisy",
        f"terms_{name}",
        exact,
        lambda x, t=dtype: np.sum(np.exp(0.3 * x).astype(t).astype(float)),
        clean=lambda x: np.sum(np.exp(0.3 * x)),
    )
for name in ("tanh", "silu"):
    f, x0 = learner(f"inside {name}", (3, 5, 1), {"tanh": np.tanh, "silu": silu}[name], "squared", 20)
    case("noisy", f"net_float32_inside_{name}", x0.astype(np.float32), lambda x, f=f: f(x.astype(np.float32)), clean=f)


def adaptive(name, solver, rtol):
    rhs, _, start, end = SYSTEMS[name]

    def f(p):
        if solver == "odeint":
            y = integrate.odeint(lambda y, t: rhs(p)(y), start, [0, end], rtol=rtol, atol=rtol / 10)[-1]
        else:
            y = integrate.solve_ivp(
                lambda t, y: rhs(p)(y), (0, end), start, method=solver, rtol=rtol, atol=rtol / 10
            ).y[:, -1]
        return (y[0] - 0.4) ** 2 + y[1]

    return f


def exact_flow(name):
    """The gradient of `adaptive` without its tolerance: complex steps for all parameters at once, 13 digits."""
    rhs, _, start, end = SYSTEMS[name]

    def grad(p):
        d = len(p)
        moved = p.reshape(d, 1) + 1e-30j * np.eye(d)
        start_all = np.repeat(np.array(start, complex), d)
        flow = lambda t, y: rhs(moved)(y.reshape(-1, d)).ravel()  # noqa: E731
        # the solver controls the error of the real part only; its small steps serve the imaginary one as well
        y = (
            integrate.solve_ivp(flow, (0, end), start_all, method="DOP853", rtol=3e-14, atol=1e-16, max_step=end / 60)
            .y[:, -1]
            .reshape(-1, d)
        )
        return ((y[0] - 0.4) ** 2 + y[1]).imag / 1e-30

    return grad


for name, solver, tolerances in (
    ("pendulum", "odeint", (1e-3, 1e-5, 1e-8)),
    ("van_der_pol", "odeint", (1e-4, 1e-6, 1e-10)),
    ("epidemic", "odeint", (1e-3, 1e-7)),
    ("pendulum", "RK45", (1e-3, 1e-6)),
    ("van_der_pol", "RK23", (1e-4,)),
    ("epidemic", "DOP853", (1e-4, 1e-9)),
    ("epidemic", "LSODA", (1e-5,)),
):
    for tolerance in tolerances:
        case(
            "noisy",
            f"{solver}_{name}_{tolerance:g}",
            SYSTEMS[name][1],
            adaptive(name, solver, tolerance),
            grad=exact_flow(name),
            clean=adaptive(name, "DOP853", 3e-14),
            slow=True,
        )


def newton(x, sweeps=9, tolerance=0.0):
    """The root y of y^3 + x0 y = x1."""
    y = 1.0 + 0 * x[0]
    for _ in range(sweeps):
        step = (y**3 + x[0] * y - x[1]) / (3 * y * y + x[0])
        y = y - step
        if tolerance and abs(step) < tolerance:
            break
    return y * y + x[0]


def kepler(x, sweeps=9, tolerance=0.0):
    """Eccentric anomaly: E - x0 sin E = x1, by fixed point iteration if there is a tolerance."""
    e = x[1] + x[0] * np.sin(x[1])
    for _ in range(sweeps if not tolerance else 1000):
        new = x[1] + x[0] * np.sin(e) if tolerance else e - (e - x[0] * np.sin(e) - x[1]) / (1 - x[0] * np.cos(e))
        if tolerance and abs(new - e) < tolerance:
            return new
        e = new
    return e


def bisection(x, tolerance):
    low, high = 0.0, 3.0
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (middle, high) if middle**3 + x[0] * middle < x[1] else (low, middle)
    y = (low + high) / 2
    return y * y + x[0]


def brent(x, tolerance):
    y = optimize.brentq(lambda y: y**3 + x[0] * y - x[1], 0, 3, xtol=tolerance, rtol=1e-14)
    return y * y + x[0]


for tolerance in (1e-1, 1e-3, 1e-8):
    case("noisy", f"newton_{tolerance:g}", [1.4, 3.0], lambda x, t=tolerance: newton(x, 50, t), clean=newton)
for tolerance in (1e-3, 1e-6, 1e-10):
    case("noisy", f"fixed_point_{tolerance:g}", [0.6, 1.1], lambda x, t=tolerance: kepler(x, tolerance=t), clean=kepler)
    case("noisy", f"bisection_{tolerance:g}", [1.4, 3.0], lambda x, t=tolerance: bisection(x, t), clean=newton)
for tolerance in (1e-4, 1e-9):
    case("noisy", f"brent_{tolerance:g}", [1.4, 3.0], lambda x, t=tolerance: brent(x, t), clean=newton)

STIFFNESS = [data(f"stiffness {k}", 12, 12) for k in range(4)]
STIFFNESS = [m @ m.T / 12 for m in STIFFNESS]
LOAD = data("load", 12)


def stiffness(x):
    k = 2.0 * np.eye(12)
    for a, part in zip(x, STIFFNESS, strict=True):
        k = k + part * a
    return k


def conjugate_gradients(x, tolerance):
    k = stiffness(x)
    u, r = np.zeros(12), LOAD.copy()
    p, rr = r.copy(), r @ r
    for _ in range(60):
        if rr <= tolerance**2 * (LOAD @ LOAD):
            break
        kp = k @ p
        step = rr / (p @ kp)
        u, r = u + step * p, r - step * kp
        rr, old = r @ r, rr
        p = r + rr / old * p
    return np.sum(u * u)


def gauss_seidel(x, tolerance):
    k = stiffness(x)
    lower, upper = np.tril(k), np.triu(k, 1)
    u = np.zeros(12)
    for _ in range(300):
        new = linalg.solve_triangular(lower, LOAD - upper @ u, lower=True)
        if np.max(np.abs(new - u)) < tolerance:
            return np.sum(new * new)
        u = new
    return np.sum(u * u)


def power_iteration(x, tolerance):
    k, v, old = stiffness(x), np.ones(12), 0.0
    for _ in range(1000):
        v = k @ v
        size = math.sqrt(v @ v)
        v = v / size
        if abs(size - old) < tolerance:
            break
        old = size
    return v @ k @ v


def displacement(x):
    u = np.linalg.solve(stiffness(x), LOAD)
    return np.sum(u * u)


for tolerance in (1e-2, 1e-4, 1e-8):
    case(
        "noisy",
        f"conjugate_gradients_{tolerance:g}",
        [0.8, 0.5, 1.2, 0.3],
        lambda x, t=tolerance: conjugate_gradients(x, t),
        clean=displacement,
    )
for tolerance in (1e-3, 1e-7):
    case(
        "noisy",
        f"gauss_seidel_{tolerance:g}",
        [0.8, 0.5, 1.2, 0.3],
        lambda x, t=tolerance: gauss_seidel(x, t),
        clean=displacement,
    )
    case(
        "noisy",
        f"power_iteration_{tolerance:g}",
        [0.8, 0.5, 1.2, 0.3],
        lambda x, t=tolerance: power_iteration(x, t),
        clean=lambda x: np.linalg.eigvalsh(stiffness(x))[11],
    )


def simpson(g, a, b, tolerance):
    """Adaptive Simpson's rule."""

    def part(a, b, ga, gm, gb, whole, tolerance, depth):
        m = (a + b) / 2
        gl, gr = g((a + m) / 2), g((m + b) / 2)
        left, right = (m - a) / 6 * (ga + 4 * gl + gm), (b - m) / 6 * (gm + 4 * gr + gb)
        if depth == 0 or abs(left + right - whole) < 15 * tolerance:
            return left + right + (left + right - whole) / 15
        return part(a, m, ga, gl, gm, left, tolerance / 2, depth - 1) + part(
            m, b, gm, gr, gb, right, tolerance / 2, depth - 1
        )

    ga, gm, gb = g(a), g((a + b) / 2), g(b)
    return part(a, b, ga, gm, gb, (b - a) / 6 * (ga + 4 * gm + gb), tolerance, 12)


def damped_sine(x):
    """The integral of exp(-x0 t) sin(x1 t) over 0..2."""
    decay = np.exp(-2 * x[0])
    return (x[1] - decay * (x[0] * np.sin(2 * x[1]) + x[1] * np.cos(2 * x[1]))) / (x[0] ** 2 + x[1] ** 2)


for tolerance in (1e-2, 1e-5, 1e-9):
    case(
        "noisy",
        f"simpson_{tolerance:g}",
        [0.8, 5.0],
        lambda x, t=tolerance: simpson(lambda s: math.exp(-x[0] * s) * math.sin(x[1] * s), 0, 2, t),
        clean=damped_sine,
    )
case(
    "noisy",
    "quadpack_1e-6",
    [0.8, 25.0],
    lambda x: integrate.quad(lambda s: math.exp(-x[0] * s) * math.sin(x[1] * s), 0, 2, epsabs=1e-6, epsrel=1e-6)[0],
    clean=damped_sine,
)


def summed_to(x, tolerance):
    """sum of x^k / k^2, until the terms are small."""
    total, power, k = 0.0, 1.0, 0
    while abs(power) > tolerance and k < 2000:
        k += 1
        power *= x
        total += power / k**2
    return total


for tolerance in (1e-3, 1e-7):
    case(
        "noisy",
        f"truncated_series_{tolerance:g}",
        [0.5, 0.8, -0.7],
        lambda x, t=tolerance: sum(summed_to(v, t) for v in x),
        clean=lambda x: sum(np.sum(x**k) / k**2 for k in range(1, 400)),
    )


def inner_minimum(x, tolerance):
    """min over y of (y - x0)^4 + x1 y^2, to a tolerance in y."""
    h = lambda y: (y - x[0]) ** 4 + x[1] * y * y  # noqa: E731
    ratio, low, high = (math.sqrt(5) - 1) / 2, -1.0, 3.0
    while high - low > tolerance:
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if h(a) < h(b) else (a, high)
    return h((low + high) / 2)


def inner_exact(x):
    y = 0.5 + 0 * x[0]
    for _ in range(30):
        y = y - (4 * (y - x[0]) ** 3 + 2 * x[1] * y) / (12 * (y - x[0]) ** 2 + 2 * x[1])
    return (y - x[0]) ** 4 + x[1] * y * y


for tolerance in (1e-2, 1e-4):
    case(
        "noisy",
        f"golden_section_{tolerance:g}",
        [1.3, 0.7],
        lambda x, t=tolerance: inner_minimum(x, t),
        clean=inner_exact,
    )

# ---- stochastic: fresh noise at every call

for size in (1e-13, 1e-10, 1e-7, 1e-5, 1e-4, 1e-2):
    dice = rng(f"fresh {size}")
    case(
        "stochastic",
        f"swing_{size:g}",
        at("fresh", 4),
        lambda x, s=size, r=dice: swing(x) + s * r.normal(),
        clean=swing,
        fresh=True,
    )
for size in (1e-11, 1e-8, 1e-3):
    dice = rng(f"fresh relative {size}")
    case(
        "stochastic",
        f"bowl_relative_{size:g}",
        at("fresh bowl", 6),
        lambda x, s=size, r=dice: bowl(x) * (1 + s * r.normal()),
        clean=bowl,
        fresh=True,
    )
DICE = rng("sometimes")
case(
    "stochastic",
    "sometimes_1e-6",
    at("sometimes", 3),
    lambda x: swing(x) + 1e-6 * (DICE.random() < 0.3),
    clean=swing,
    fresh=True,
)
case(
    "stochastic",
    "cauchy_1e-9",
    at("cauchy", 3),
    lambda x: swing(x) + 1e-9 * DICE.standard_cauchy(),
    clean=swing,
    fresh=True,
)
case(
    "stochastic",
    "shuffled_sum",
    at("shuffled", 30, 1e3),
    lambda x: sum(DICE.permutation(x**3).tolist()),
    clean=lambda x: np.sum(x**3),
    fresh=True,
)

# ---- kink: near the point, or of a higher derivative at the point

for k, gap in enumerate((1e-2, 1e-4, 1e-5, 1e-7, 1e-8, 1e-10)):
    near = np.array([gap, -0.6, 0.9, -gap / 3])
    levels = np.array([0.4, 0.4 + gap, -0.3, 1.2, 0.4 - 2 * gap])
    if k % 2:
        case("kink", f"abs_{gap:g}", near, lambda x: np.sum(np.abs(x) * np.arange(1, 5)) + swing(x))
        case("kink", f"largest_{gap:g}", levels[[0, 1, 2]], lambda x: np.max(x) ** 3 + 0.1 * np.sum(np.sin(x)))
        case(
            "kink",
            f"variation_{gap:g}",
            np.cumsum(near),
            lambda x: np.sum(np.abs(np.diff(x))) + 0.5 * np.sum((x - 0.2) ** 2),
        )
    else:
        case("kink", f"relu_{gap:g}", near, lambda x: np.sum(np.maximum(x, 0)) + 0.1 * np.exp(x[1] * x[2]))
        case("kink", f"jump_{gap:g}", [0.7 + gap, 0.2], lambda x: 0.3 * (x[0] > 0.7) + np.cos(x[0] * 2) * np.exp(x[1]))
    case("kink", f"median_{gap:g}", levels, lambda x: np.sort(x)[2] ** 2 + 0.05 * (x @ x))
for k in range(10):
    normals, bends = data(f"planes {k}", 6, 4), rng(f"bends {k}")
    where, gaps = at(f"many {k}", 4), bends.choice([-1, 1], 6) * 10 ** bends.uniform(-10, -2, 6)
    shift = normals @ where - gaps
    case(
        "kink",
        f"planes_{k}",
        where,
        lambda x, a=normals, b=shift: np.sum(np.abs(a @ x - b) * np.linspace(0.2, 1.2, 6)) + swing(x),
        grad=lambda x, a=normals, b=shift: a.T @ (np.sign(a @ x - b) * np.linspace(0.2, 1.2, 6)) + gradient(swing)(x),
    )
SORTED = np.arange(1.0, 10) - 5
for name, x0, f in (
    ("top_k", at("top", 12), lambda x: np.sum(np.sort(x)[-4:] ** 2)),
    ("sorted_weights", at("sorted", 9), lambda x: np.sort(x) @ SORTED),
    ("quantile_loss", at("quantile", 6), lambda x: pinball(A @ x, RESPONSE, 0.9)),
    ("hinge_loss", at("hinge", 6), lambda x: hinge(A @ x, RESPONSE) + 0.05 * (x @ x)),
    ("squared_hinge", at("hinge2", 6), lambda x: np.mean(np.maximum(1 - np.sign(RESPONSE) * (A @ x), 0) ** 2)),
    ("absolute_loss", at("absolute", 6), lambda x: absolute(A @ x, RESPONSE)),
    ("lasso", at("lasso", 6), lambda x: squared(A @ x, RESPONSE) + 0.3 * np.sum(np.abs(x))),
    ("max_pool", at("pool", 24), lambda x: np.sum(x.reshape(6, 4).max(axis=-1) * np.arange(1, 7))),
    ("chebyshev_fit", at("fit", 6), lambda x: np.max(np.abs(A @ x - RESPONSE))),
    ("median_of_residuals", at("residuals", 6), lambda x: np.sort(np.abs(A @ x - RESPONSE))[25]),
    (
        "clipped",
        [0.4, 1.0 + 1e-6, -1.0 + 1e-4],
        lambda x: np.sum(np.minimum(np.maximum(x, -1), 1) ** 3) + 0.2 * np.sum(x * x),
    ),
    ("smoothed_abs_1e-6", [2e-6, -1e-7, 0.4], lambda x: np.sum(np.sqrt(x * x + 1e-12))),
    ("smoothed_abs_1e-10", [2e-9, 0.2, -3e-11], lambda x: np.sum(np.sqrt(x * x + 1e-20))),
    ("cusp_near", [2e-5, 0.3], lambda x: np.sum(np.sqrt(np.abs(x)))),
    ("norm_near_origin", [1e-6, -2e-6, 2e-6], lambda x: np.sqrt(x @ x) + np.sum(np.sin(x))),
    ("saw_near_tooth", [2.0 + 1e-4, 0.6], lambda x: np.sum((x - np.floor(x)) ** 2)),
    ("cube_abs_at", [0.0, 0.4, -0.2], lambda x: np.sum(np.abs(x) ** 3)),
    ("square_one_side_at", [0.0, 0.4, -0.2], lambda x: np.sum(np.where(x > 0, 1.0, 3.0) * x * x) + np.sum(x)),
    (
        "power_5_3_at",
        [0.0, 0.4],
        lambda x: np.sum(np.cbrt(x * x * np.abs(x) * np.abs(x) * np.abs(x) + 0 * x)) + np.sum(x),
    ),
    ("huber_at_threshold", [1.0, -1.0, 0.3], lambda x: np.sum(np.where(np.abs(x) <= 1, x * x / 2, np.abs(x) - 0.5))),
    (
        "huber_near_threshold",
        [1 + 1e-5, -1 + 1e-7, 0.3],
        lambda x: np.sum(np.where(np.abs(x) <= 1, x * x / 2, np.abs(x) - 0.5)),
    ),
    ("elastic_contact", [1e-6, -0.3, 0.8], lambda x: np.sum(np.maximum(x, 0) ** 2 * 50) + bowl(x)),
    ("min_of_three", [0.5, 0.5 + 3e-6, 0.9], lambda x: -np.max(-x) * 4 + x[0] * x[2]),
):
    more = {}
    if name == "cube_abs_at":
        more["grad"] = lambda x: 3 * x * np.abs(x)
    if name == "power_5_3_at":
        f = lambda x: np.sum(np.cbrt(np.abs(x)) ** 5) + np.sum(x)  # noqa: E731
        more["grad"] = lambda x: 5 / 3 * np.sign(x) * np.cbrt(x * x) + 1
    if name == "median_of_residuals":
        more["grad"] = lambda x: (lambda e, k: np.sign(e[k]) * A[k])(
            A @ x - RESPONSE, np.argsort(np.abs(A @ x - RESPONSE))[25]
        )
    case("kink", name, x0, f, **more)
for k, (sizes, loss, rows) in enumerate(NETS[:6]):
    f, x0 = learner(f"double relu net {k}", sizes, relu, loss, rows)
    case("kink", f"relu_{'x'.join(map(str, sizes))}_{loss}", x0, f)

KNOTS = np.sort(rng("knots").uniform(0, 8, 15))
TABLE = data("table", 15)
BETWEEN = np.array([2.3, 4.1, 5.2, 6.4])
for name, s in {
    "cubic": interpolate.CubicSpline(KNOTS, TABLE),
    "pchip": interpolate.PchipInterpolator(KNOTS, TABLE),
    "quadratic": interpolate.make_interp_spline(KNOTS, TABLE, k=2),
}.items():
    slope = s.derivative()
    inner = s.t[4:8] if name == "quadratic" else KNOTS[[3, 6, 9, 11]]
    for label, x0 in {
        "between": BETWEEN,
        "at_knots": inner,
        "near_knots": inner + np.array([1e-3, -1e-5, 1e-6, -1e-8]),
    }.items():
        case("kink", f"table_{name}_{label}", x0, lambda x, s=s: np.sum(s(x)), grad=lambda x, s=slope: np.asarray(s(x)))
LINEAR_SLOPES = np.diff(TABLE) / np.diff(KNOTS)
for label, x0 in {
    "between": BETWEEN,
    "near_knots": KNOTS[[3, 6, 9, 11]] + np.array([1e-3, -1e-5, 1e-6, -1e-8]),
}.items():
    case(
        "kink",
        f"table_linear_{label}",
        x0,
        lambda x: np.sum(np.interp(x, KNOTS, TABLE)),
        grad=lambda x: LINEAR_SLOPES[np.clip(np.searchsorted(KNOTS, x) - 1, 0, 13)],
    )

# ---- domain: the edge is near


def inside(condition, value, outside=math.nan):
    """value() where the point is allowed."""
    return value() if np.all(condition) else outside


def refuse(condition, value):
    if not np.all(condition):
        raise ValueError("outside the domain")
    return value()


for k, gap in enumerate((1e-1, 1e-4, 1e-6, 1e-9)):
    edge = np.array([gap, 0.6, 2.3])
    case("domain", f"log_{gap:g}", edge, lambda x: inside(x > 0, lambda: np.sum(np.log(x) * np.arange(1, 4))))
    case(
        "domain",
        f"barrier_{gap:g}",
        1 - edge / 3,
        lambda x: inside(x < 1, lambda: np.sum(x * x) - 0.1 * np.sum(np.log(1 - x)), math.inf),
    )
    if k % 2:
        case("domain", f"root_{gap:g}", edge, lambda x: inside(x >= 0, lambda: np.sum(np.sqrt(x)) + x[0] * x[1]))
        case(
            "domain", f"entropy_{gap:g}", edge, lambda x: refuse(x > 0, lambda: np.sum(x * np.log(x)) + np.sum(x) ** 2)
        )
    else:
        case("domain", f"power_{gap:g}", edge, lambda x: refuse(x >= 0, lambda: np.sum(x**0.3) * x[2]))
        case(
            "domain", f"arcsin_{gap:g}", [1 - gap, 0.2], lambda x: inside(np.abs(x) <= 1, lambda: np.sum(np.arcsin(x)))
        )
SIMPLEX = np.array([0.02, 0.05, 0.3, 0.629])
UNIT = np.array([0.6, -0.5, 0.62])
for name, x0, f in (
    ("arctanh", [1 - 1e-5, -0.99], lambda x: np.sum(np.arctanh(x))),
    ("arccosh", [1 + 1e-6, 1.4], lambda x: np.sum(np.arccosh(x))),
    ("last_share", SIMPLEX, lambda x: refuse(np.sum(x) < 1, lambda: -np.log(1 - np.sum(x)) - SIMPLEX @ np.log(x))),
    (
        "beta_density",
        [1e-3, 1 - 1e-4, 0.3],
        lambda x: inside((x > 0) & (x < 1), lambda: np.sum(1.5 * np.log(x) + 0.7 * np.log(1 - x))),
    ),
    (
        "gamma_density",
        [2e-4, 0.7],
        lambda x: inside(x > 0, lambda: special.gammaln(x[1]) - (x[1] - 1) * np.log(x[0]) + x[0]),
    ),
    ("log_gamma", [3e-4, 0.02, 4.0], lambda x: inside(x > 0, lambda: np.sum(special.gammaln(x)))),
    ("hemisphere", UNIT, lambda x: inside(x @ x < 1, lambda: np.sqrt(1 - x @ x))),
    ("double_log", [1 + 1e-4, 5.0], lambda x: inside(x > 1, lambda: np.sum(np.log(np.log(x))))),
    ("overflow", [709.7, 3.0], lambda x: np.sum(np.exp(x))),
    ("overflow_square", [26.2, 1.0], lambda x: np.sum(np.exp(x * x))),
    ("pole", [1e-4, 0.5], lambda x: np.sum(1 / x)),
    ("pole_far_side", [2 - 1e-3, 1.0], lambda x: np.sum(np.tan(x * math.pi / 4))),
    ("box_cox", [1e-5, 0.4], lambda x: refuse(x > 0, lambda: (x[0] ** x[1] - 1) / x[1])),
    (
        "constraint_slack",
        [0.4, 0.599999],
        lambda x: inside(x[0] + x[1] < 1, lambda: -np.log(1 - x[0] - x[1]) + np.sum(x * x), math.inf),
    ),
    ("ratio_of_roots", [1e-7, 2e-7], lambda x: inside(x > 0, lambda: np.sqrt(x[0] / x[1]) + np.log(x[0] + x[1]))),
    (
        "likelihood_scale",
        [1e-3, 0.2],
        lambda x: inside(x[0] > 0, lambda: 20 * np.log(x[0]) + 0.5e-6 * (3 + x[1] ** 2) / x[0] ** 2),
    ),
):
    case("domain", name, x0, f)


def cholesky(x):
    m = np.array([[x[0], x[1], 0.2], [x[1], x[2], x[3]], [0.2, x[3], 1.0]])
    return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(m))))


case(
    "domain",
    "cholesky",
    [1.0, 0.7, 0.9, 0.55],
    cholesky,
    clean=lambda x: np.log(x[0] * (x[2] - x[3] ** 2) - x[1] * (x[1] - 0.2 * x[3]) + 0.2 * (x[1] * x[3] - 0.2 * x[2])),
)
case("domain", "math_log", [3e-6, 1.5], lambda x: sum(math.log(v) for v in x), clean=lambda x: np.sum(np.log(x)))
case(
    "domain",
    "assertion",
    [1e-4, 0.3],
    lambda x: math.sqrt(x[0]) * math.exp(x[1]),
    clean=lambda x: np.sqrt(x[0]) * np.exp(x[1]),
)

# ---- highfreq: oscillation, narrow bumps, growth


def bump(x, centre, width):
    return np.exp(-(((x - centre) / width) ** 2))


for k in (10, 300, 1e4, 1e5, 1e7):
    case("highfreq", f"sine_{k:g}", at(f"sine {k}", 3), lambda x, k=k: np.sum(np.sin(k * x)))
    case("highfreq", f"ripple_{k:g}", at(f"ripple {k}", 3), lambda x, k=k: swing(x) + np.sum(np.sin(k * x)) / k)
    if k > 10:
        case(
            "highfreq",
            f"faint_ripple_{k:g}",
            at(f"faint {k}", 2),
            lambda x, k=k: swing(x) + 0.01 * np.sum(np.cos(k * x)) / k,
        )
for width in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
    where = np.array([0.3, -0.8, 0.5])
    case(
        "highfreq",
        f"bump_{width:g}",
        where,
        lambda x, w=width, c=where[0] - 0.7 * width: swing(x) + w * bump(x[0], c, w),
    )
    case(
        "highfreq",
        f"bump_tall_{width:g}",
        where,
        lambda x, w=width, c=where[1] + 1.3 * width: swing(x) + bump(x[1], c, w),
    )
    case(
        "highfreq",
        f"bump_beside_{width:g}",
        where,
        lambda x, w=width, c=where[2] - 12 * width: swing(x) + bump(x[2], c, w),
    )
    case(
        "highfreq",
        f"step_{width:g}",
        where,
        lambda x, w=width, c=where[0] - width: swing(x) + w * np.tanh((x[0] - c) / w),
    )
for name, x0, f in (
    (
        "radial_bump_1e-4",
        [0.2, 0.5, -0.1],
        lambda x: bowl(x) + 1e-4 * np.exp(-np.sum(((x - np.array([0.20005, 0.5, -0.1001])) / 1e-4) ** 2)),
    ),
    ("weierstrass", [0.31, -0.17], lambda x: sum(0.5**n * np.sum(np.cos(7.0**n * x)) for n in range(9))),
    ("chirp", [7.3, -6.1], lambda x: np.sum(np.sin(x**4))),
    ("reciprocal_sine", [1e-3, 2.7e-2], lambda x: np.sum(np.sin(1 / x))),
    ("exp_square_20", [19.0, -4.0], lambda x: np.sum(np.exp(x * x))),
    ("exp_exp", [5.5, 1.0], lambda x: np.sum(np.exp(np.exp(x)))),
    ("power_200", [1.01, 0.98], lambda x: np.sum(x**200)),
    ("runge_1e6", [1.3e-3, -4e-4], lambda x: np.sum(1 / (1 + 1e6 * x * x))),
    ("lorentz_1e10", [0.5 + 1.1e-5, 0.3], lambda x: 1 / (1 + 1e10 * (x[0] - 0.5) ** 2) + np.sin(x[1])),
    ("arctan_1e5", [3e-5, -1e-4], lambda x: np.sum(np.arctan(1e5 * x))),
    ("all_scales", at("scales", 6), lambda x: np.sum(np.sin(10.0 ** np.arange(6) * x))),
    ("beat", [0.4, 0.9], lambda x: np.sum(np.sin(1e4 * x) * np.sin(1.001e4 * x))),
    ("radar", at("radar", 3, 1e-3), lambda x: np.cos(2e4 * np.sum(x * np.array([1.0, 0.3, -0.7]))) + x @ x),
    ("steep_logistic", [2e-4, -1e-4, 0.3], lambda x: np.sum(special.expit(3e4 * x))),
    ("easom", [3.3, 2.9], lambda x: -np.cos(x[0]) * np.cos(x[1]) * np.exp(-np.sum((x - math.pi) ** 2) * 30)),
    ("dirichlet_kernel", [1e-3, 0.4], lambda x: np.sum(np.sin(500.5 * x) / np.sin(x / 2))),
):
    case("highfreq", name, x0, f)
